// @ts-check
// A training run: its weights at the start, steps, the loss on validation text, and
// samples of what has been learned. Knows no worker and no page.

import { Model } from "./model.js";
import { Random } from "./random.js";
import { update } from "./recipe.js";

/** @import { Kernel } from "./kernel.js" */
/** @import { Sizes } from "./model.js" */
/** @import { Recipe } from "./recipe.js" */
/** @import { Corpus } from "./text.js" */

/**
 * @typedef {object} Plan
 * @property {Omit<Sizes, "vocab_size">} sizes
 * @property {number} batch windows a step
 * @property {number} seed
 * @property {Recipe} recipe
 */

/**
 * Weights as `ModernGPT` starts with: what writes to the residual stream, and the head,
 * are zero. @param {Model} model @param {Random} random
 */
export function initialize(model, random) {
  const { d_model } = model.sizes;
  for (const parameter of model.parameters) {
    const weights = model.view(parameter);
    const { name } = parameter;
    let deviation = 0;
    if (name === "token.weight") deviation = 1;
    if (/(qkv|up)\.weight$/.test(name)) deviation = 0.5 / Math.sqrt(d_model);
    for (let n = 0; n < weights.length; n++) weights[n] = deviation * random.normal();
    if (/mix\.weight$/.test(name)) weights.fill(1, 0, 3 * d_model); // the identity
  }
}

export class Training {
  step = 0;

  /**
   * Throws a RangeError for sizes that cannot be, or do not fit into memory.
   * @param {Kernel} kernel
   * @param {Corpus} corpus
   * @param {Plan} plan
   */
  constructor(kernel, corpus, { sizes, batch, seed, recipe }) {
    this.corpus = corpus;
    this.recipe = recipe;
    this.batch = batch;
    this.random = new Random(seed);
    this.kernel = kernel;
    const vocab_size = corpus.characters.length;
    this.model = new Model(kernel, { vocab_size, ...sizes }, batch);
    initialize(this.model, this.random);
  }

  /** Lay windows of a text, and the same shifted by one, where the model reads.
   * @param {Uint16Array} text @param {number[]} begins */
  #lay(text, begins) {
    const { context_length: T } = this.model.sizes;
    const { ids, targets } = this.model;
    for (const [row, begin] of begins.entries()) {
      this.kernel.ints.set(text.subarray(begin, begin + T), ids + row * T);
      this.kernel.ints.set(text.subarray(begin + 1, begin + T + 1), targets + row * T);
    }
  }

  /** A step on random windows; returns their loss before it.
   * @param {number} factor of the learning rates */
  train(factor) {
    const { train } = this.corpus;
    const places = train.length - this.model.sizes.context_length;
    const begins = Array.from({ length: this.batch }, () => this.random.below(places));
    this.#lay(train, begins);
    const loss = this.model.loss(this.batch);
    this.model.backward(this.batch);
    this.step += 1;
    update(this.model, this.recipe, this.step, factor);
    return loss;
  }

  /** The mean loss on validation text, in windows side by side.
   * @param {number} [most] windows, spread evenly; all of them if not given */
  validate(most = Infinity) {
    const { validation } = this.corpus;
    const T = this.model.sizes.context_length;
    const all = Math.floor((validation.length - 1) / T);
    const count = Math.min(all, most);
    const chosen = Array.from({ length: count }, (_, n) =>
      Math.floor((n * all) / count),
    );
    let sum = 0;
    for (let n = 0; n < count; n += this.batch) {
      const part = chosen.slice(n, n + this.batch);
      this.#lay(
        validation,
        part.map((window) => window * T),
      );
      sum += this.model.loss(part.length) * part.length;
    }
    return sum / count;
  }

  /**
   * Go on with a text, one character after the other.
   * @param {number[]} ids of the text; at least one
   * @param {number} count of characters to add
   * @param {number} temperature above 0
   * @param {Random} random
   */
  write(ids, count, temperature, random) {
    const { context_length: T, vocab_size: V } = this.model.sizes;
    const written = [...ids];
    while (written.length < ids.length + count) {
      const seen = written.slice(-T);
      this.kernel.ints.set(seen, this.model.ids); // what stands behind is not looked at
      this.model.forward(1);
      const row = this.model.logits + (seen.length - 1) * V;
      const scores = this.kernel.floats.subarray(row, row + V);
      written.push(draw(scores, temperature, random));
    }
    return written.slice(ids.length);
  }

  /** A copy of all weights, one after the other. */
  copy() {
    const { weights, length } = this.model;
    return this.kernel.floats.slice(weights, weights + length);
  }

  /** @param {Float32Array} weights from `copy` */
  restore(weights) {
    this.kernel.floats.set(weights, this.model.weights);
  }
}

/** One of the characters, by their scores. @param {Float32Array} scores
 * @param {number} temperature @param {Random} random */
function draw(scores, temperature, random) {
  const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const shares = Array.from(scores, (score) => Math.exp((score - most) / temperature));
  let left = random.uniform() * shares.reduce((a, b) => a + b, 0);
  for (const [id, share] of shares.entries()) {
    left -= share;
    if (left < 0) return id;
  }
  return scores.indexOf(most); // rounding
}
