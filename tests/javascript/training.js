// @ts-check
// Trains as the page does, with what stands in standard input as JSON, and prints what
// came out as JSON. For tests that hold it against PyTorch.

import { readFileSync } from "node:fs";

import { compiled, plain } from "../../docs/assets/playground/train/kernel.js";
import { Model } from "../../docs/assets/playground/train/model.js";
import { rateFactor, update } from "../../docs/assets/playground/train/recipe.js";

const kernelFile = new URL(
  "../../docs/assets/playground/train/simd.wasm",
  import.meta.url,
);
const given = JSON.parse(readFileSync(0, "utf8"));
const { kind, sizes, weights, batches, recipe } = given;
const kernel = kind === "wasm" ? await compiled(readFileSync(kernelFile)) : plain();
const windows = batches[0].ids.length / sizes.context_length;
const model = new Model(kernel, sizes, windows);
for (const parameter of model.parameters) {
  model.view(parameter).set(weights[parameter.name]);
}

/** @param {{ids: number[], targets: number[]}} batch */
function lay({ ids, targets }) {
  kernel.ints.set(ids, model.ids);
  kernel.ints.set(targets, model.targets);
}

/** @param {number} [part] */
function parameters(part) {
  return Object.fromEntries(
    model.parameters.map((parameter) => [
      parameter.name,
      [...model.view(parameter, part)],
    ]),
  );
}

lay(batches[0]);
model.forward(windows);
const count = batches[0].ids.length * sizes.vocab_size;
const logits = [...kernel.floats.subarray(model.logits, model.logits + count)];
const first = model.loss(windows);
model.backward(windows);
const gradients = parameters(model.gradients);

const losses = [];
for (const [step, batch] of batches.entries()) {
  lay(batch);
  losses.push(model.loss(windows));
  model.backward(windows);
  update(model, recipe, step + 1, rateFactor(step / batches.length, recipe.cooldown));
}
console.log(
  JSON.stringify({ logits, first, gradients, losses, weights: parameters() }),
);
