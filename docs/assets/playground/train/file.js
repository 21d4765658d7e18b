// @ts-check
// A trained model as files that day 6's program reads: weights as safetensors, whose
// notes say how to build the model, and a card that says how they were made.

import { writeSafetensors } from "../safetensors.js";
import { WIDTH } from "./model.js";

/** @import { Tensor } from "../safetensors.js" */
/** @import { Model } from "./model.js" */

const FORMAT = "daybook-mini-gpt-1"; // `PLAIN_FORMAT` of snippets/mini_gpt/load.py

/** A `ModernConfig`, all of it. @param {Model} model */
function config({ sizes }) {
  return {
    ...sizes,
    dropout: 0,
    rope: true,
    rms_norm: true,
    qk_norm: true,
    squared_relu: true,
    zero_init: true,
    convolution: WIDTH,
    tied: false,
  };
}

/** The file of the weights. @param {Model} model @param {string[]} characters */
export function weightsFile(model, characters) {
  /** @type {Map<string, Tensor>} */
  const tensors = new Map();
  for (const parameter of model.parameters) {
    const { name, shape } = parameter;
    tensors.set(name, { shape, data: model.view(parameter) });
  }
  const tokenizer = { kind: "char", characters: characters.join("") };
  return writeSafetensors(tensors, {
    format: FORMAT,
    architecture: "modern",
    model_config: JSON.stringify(config(model)),
    tokenizer: JSON.stringify(tokenizer),
  });
}

/**
 * The text of the card.
 * @param {Model} model
 * @param {Record<string, unknown>} facts how the model was made
 */
export function cardFile(model, facts) {
  return `${JSON.stringify({ ...facts, model: config(model) }, null, 1)}\n`;
}
