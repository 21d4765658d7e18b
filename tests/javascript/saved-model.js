// @ts-check
// Trains a small model on the text in standard input as the page does, writes its two
// files beside the path that is given, and prints its logits for that text's beginning.

import { readFileSync, writeFileSync } from "node:fs";

import { compiled } from "../../docs/assets/playground/train/kernel.js";
import { Session } from "../../docs/assets/playground/train/session.js";
import { settings, USUAL } from "../../docs/assets/playground/train/settings.js";
import { readCorpus } from "../../docs/assets/playground/train/text.js";

/** @import { Told } from "../../docs/assets/playground/train/session.js" */

const KERNEL = "../../docs/assets/playground/train/simd.wasm";
const STEPS = 40;
const path = process.argv[2];
const plan = settings({ ...USUAL, size: 1, seconds: 1e6 });
const T = plan.sizes.context_length;
const corpus = readCorpus(readFileSync(0, "utf8"), T);
const kernel = await compiled(readFileSync(new URL(KERNEL, import.meta.url)));
const session = new Session(kernel, corpus, plan, hear);
while (session.training.step < STEPS) session.work();
session.finish();
session.save("a text of a test", "2026-11-30");

const { model } = session.training;
kernel.ints.set(corpus.train.subarray(0, T), model.ids);
model.forward(1);
const count = T * corpus.characters.length;
const logits = [...kernel.floats.subarray(model.logits, model.logits + count)];
console.log(JSON.stringify({ ids: [...corpus.train.subarray(0, T)], logits }));

/** @param {Told} told */
function hear(told) {
  if (told.is !== "saved") return;
  writeFileSync(path, told.weights);
  writeFileSync(path.replace(".safetensors", ".json"), told.card);
}
