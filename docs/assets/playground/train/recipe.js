// @ts-check
// How weights change in a step: AdamW, or Muon for the matrices between hidden states
// and AdamW for the rest, as snippets/mini_gpt has them.

/** @import { Model } from "./model.js" */

/**
 * Settings, with their names in Python's `Recipe`.
 * @typedef {object} Recipe
 * @property {"muon" | "adamw"} optimizer
 * @property {number} lr of AdamW
 * @property {number} matrix_lr of Muon
 * @property {number} beta1
 * @property {number} beta2
 * @property {number} weight_decay
 * @property {number} cooldown the last part of the training, in which rates fall to 0
 */

/** @type {Recipe} */
export const RECIPE = {
  optimizer: "muon",
  lr: 3e-3,
  matrix_lr: 0.02,
  beta1: 0.9,
  beta2: 0.95,
  weight_decay: 0,
  cooldown: 0.7,
};

const MOMENTUM = 0.95; // of Muon
const EPSILON = 1e-8; // of AdamW

/**
 * What learning rates are multiplied by: 1, then a line to 0.
 * @param {number} done the part of the training that is done
 * @param {number} cooldown
 */
export function rateFactor(done, cooldown) {
  return Math.max(0, Math.min(1, (1 - done) / cooldown));
}

/**
 * Change all weights of a model by its gradients.
 * @param {Model} model
 * @param {Recipe} recipe
 * @param {number} step counted from 1
 * @param {number} factor of the learning rates
 */
export function update(model, recipe, step, factor) {
  const { run } = model.kernel;
  const { lr, matrix_lr, beta1, beta2, weight_decay: decay } = recipe;
  const first = 1 / (1 - beta1 ** step);
  const second = 1 / Math.sqrt(1 - beta2 ** step);
  for (const { place, shape, isMatrix } of model.parameters) {
    const [R, C] = shape;
    const from = place - model.weights;
    const [g, m, v] = [model.gradients, model.moments, model.squares];
    if (isMatrix && recipe.optimizer === "muon") {
      const rate = matrix_lr * factor;
      const { muon } = model.scratch;
      run.muon(place, g + from, m + from, muon, R, C, rate, MOMENTUM, decay);
    } else {
      const settings = /** @type {const} */ ([lr * factor, decay, beta1, beta2]);
      const [n, more] = [R * C, /** @type {const} */ ([first, second, EPSILON])];
      run.adamw(place, g + from, m + from, v + from, n, ...settings, ...more);
    }
  }
}
