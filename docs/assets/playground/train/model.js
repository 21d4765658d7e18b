// @ts-check
// A GPT of today's parts, as snippets/mini_gpt/modern.py has it with all its switches
// on: the same parameters under the same names, forwards and backwards by hand.

import { TRIANGLE } from "./kernel.js";

/** @import { Kernel } from "./kernel.js" */

/**
 * The sizes that can be chosen, with their names in Python.
 * @typedef {object} Sizes
 * @property {number} vocab_size
 * @property {number} context_length
 * @property {number} d_model
 * @property {number} n_heads
 * @property {number} n_layers
 */
/**
 * @typedef {object} Parameter
 * @property {string} name
 * @property {[number, number]} shape
 * @property {number} place
 * @property {boolean} isMatrix between hidden states: such a one is for Muon
 */

export const WIDTH = 3; // tokens that the convolution mixes

/** What is wrong with sizes, in words. @param {Sizes} sizes */
export function problem(sizes) {
  for (const [name, value] of Object.entries(sizes)) {
    if (!Number.isInteger(value) || value < 1) return `${name}=${value}: at least 1`;
  }
  const { d_model, n_heads } = sizes;
  if (d_model % (8 * n_heads)) {
    return `d_model=${d_model} must divide by 8 × n_heads=${n_heads}`;
  }
  return "";
}

/** Names and shapes, in Python's order. @param {Sizes} sizes */
export function shapes({ vocab_size: V, d_model: C, n_layers }) {
  /** @type {[string, [number, number]][]} */
  const all = [["token.weight", [V, C]]];
  for (let layer = 0; layer < n_layers; layer++) {
    const block = `blocks.${layer}.`;
    all.push(
      [`${block}attention.qkv.weight`, [3 * C, C]],
      [`${block}attention.out.weight`, [C, C]],
      [`${block}attention.mix.weight`, [WIDTH, 3 * C]],
      [`${block}up.weight`, [4 * C, C]],
      [`${block}down.weight`, [C, 4 * C]],
    );
  }
  all.push(["head.weight", [V, C]]);
  return all;
}

/** How many parameters a model has. @param {Sizes} sizes */
export function size(sizes) {
  return shapes(sizes).reduce((sum, [, [R, C]]) => sum + R * C, 0);
}

/** Gives out places of a memory, one after the other. */
class Places {
  next = 0;

  /** @param {number} count of numbers; the next ones begin at a whole vector */
  take(count) {
    const place = this.next;
    this.next += Math.ceil(count / 4) * 4;
    return place;
  }
}

/** What a layer keeps for its way back. @param {Places} places @param {Sizes} sizes
 * @param {number} batch */
function layerPlaces(places, sizes, batch) {
  const { context_length: T, d_model: C, n_heads: H } = sizes;
  const rows = batch * T;
  return {
    norm1: places.take(rows * C),
    factors1: places.take(rows),
    qkv: places.take(rows * 3 * C),
    mixed: places.take(rows * 3 * C),
    qk: places.take(rows * 2 * C),
    lengths: places.take(rows * 2 * H),
    weights: places.take(rows * H * T),
    attended: places.take(rows * C),
    norm2: places.take(rows * C),
    factors2: places.take(rows),
    up: places.take(rows * 4 * C),
    hidden: places.take(rows * 4 * C),
  };
}

export class Model {
  /** @type {Parameter[]} */
  parameters = [];

  /**
   * @param {Kernel} kernel
   * @param {Sizes} sizes
   * @param {number} batch how many windows it takes at once, at most
   */
  constructor(kernel, sizes, batch) {
    const wrong = problem(sizes);
    if (wrong) throw new RangeError(wrong);
    this.kernel = kernel;
    this.sizes = sizes;
    this.batch = batch;
    const places = new Places();
    places.next = kernel.start;
    this.weights = places.next;
    for (const [name, shape] of shapes(sizes)) {
      const isMatrix = /^blocks\..*(qkv|out|up|down)/.test(name);
      const place = places.take(shape[0] * shape[1]);
      this.parameters.push({ name, shape, place, isMatrix });
    }
    this.token = this.parameters[0].place;
    this.head = this.parameters[this.parameters.length - 1].place;
    this.length = places.next - this.weights;
    const { context_length: T, vocab_size: V, d_model: C, n_layers } = sizes;
    const rows = batch * T;
    this.gradients = places.take(this.length);
    this.moments = places.take(this.length); // of Muon, and the first of AdamW
    this.squares = places.take(this.length);
    this.ids = places.take(rows);
    this.targets = places.take(rows);
    this.angles = places.take((T * C) / sizes.n_heads);
    this.layers = Array.from({ length: n_layers }, () =>
      layerPlaces(places, sizes, batch),
    );
    this.first = places.take(rows * C);
    this.firstFactors = places.take(rows);
    this.stream = places.take(rows * C);
    this.last = places.take(rows * C);
    this.lastFactors = places.take(rows);
    this.logits = places.take(rows * V);
    this.scratch = this.#scratch(places, rows, T, C);
    kernel.reserve(places.next - kernel.start);
    this.#fillAngles();
  }

  /** Room that all layers share. @param {Places} places @param {number} rows
   * @param {number} T @param {number} C */
  #scratch(places, rows, T, C) {
    return {
      stream: places.take(rows * C),
      norm: places.take(rows * C),
      wide: places.take(rows * 4 * C), // as wide as the feed-forward layer
      mixed: places.take(rows * 3 * C),
      qk: places.take(rows * 2 * C),
      square: places.take(T * T),
      muon: places.take(2 * 4 * C * C + 2 * C * C),
    };
  }

  /** Cosines and sines of position × frequency, as RoPE has them. */
  #fillAngles() {
    const { context_length: T, d_model, n_heads } = this.sizes;
    const half = d_model / n_heads / 2;
    for (let t = 0; t < T; t++) {
      for (let pair = 0; pair < half; pair++) {
        const angle = t * 10_000 ** (-pair / half);
        const place = this.angles + 2 * half * t + pair;
        this.kernel.floats[place] = Math.cos(angle);
        this.kernel.floats[place + half] = Math.sin(angle);
      }
    }
  }

  /** The numbers of a parameter, or of its gradient. @param {Parameter} parameter */
  view({ place, shape }, part = this.weights) {
    const begin = place - this.weights + part;
    return this.kernel.floats.subarray(begin, begin + shape[0] * shape[1]);
  }

  /** @param {number} layer @param {string} name */
  #weight(layer, name) {
    const full = `blocks.${layer}.${name}.weight`;
    const found = this.parameters.find((parameter) => parameter.name === full);
    return /** @type {Parameter} */ (found).place;
  }

  /** Y (+)= X Wᵀ, with W (outputs, inputs) as PyTorch keeps it. @param {number} y
   * @param {number} x @param {number} w @param {number} rows @param {number} inputs
   * @param {number} outputs */
  #linear(y, x, w, rows, inputs, outputs, add = 0) {
    const { run } = this.kernel;
    const [M, N, K, all] = [rows, outputs, inputs, TRIANGLE.all];
    run.multiply(y, N, x, K, 1, w, 1, K, M, N, K, add, all);
  }

  /** The gradients of a linear layer: of its weights, added up, and of its input.
   * @param {number} dx @param {number} dy @param {number} x @param {number} w
   * @param {number} rows @param {number} inputs @param {number} outputs */
  #linearBack(dx, dy, x, w, rows, inputs, outputs) {
    const { run } = this.kernel;
    const [I, O, all] = [inputs, outputs, TRIANGLE.all];
    const dw = w - this.weights + this.gradients;
    run.multiply(dw, I, dy, 1, O, x, I, 1, O, I, rows, 1, all);
    run.multiply(dx, I, dy, O, 1, w, I, 1, rows, I, O, 0, all);
  }

  /** Logits at `this.logits` of the ids at `this.ids`. @param {number} B windows */
  forward(B) {
    const { run, floats } = this.kernel;
    const { context_length: T, vocab_size: V, d_model: C } = this.sizes;
    const { token, head } = this;
    const rows = B * T;
    run.embed(this.stream, token, this.ids, rows, C);
    run.normalize(this.first, this.firstFactors, this.stream, rows, C);
    floats.copyWithin(this.stream, this.first, this.first + rows * C);
    for (let layer = 0; layer < this.layers.length; layer++) this.#layer(layer, B);
    run.normalize(this.last, this.lastFactors, this.stream, rows, C);
    this.#linear(this.logits, this.last, head, rows, C, V);
  }

  /** @param {number} layer @param {number} B */
  #layer(layer, B) {
    const { run } = this.kernel;
    const { context_length: T, d_model: C, n_heads: H } = this.sizes;
    const [rows, D, at] = [B * T, C / H, this.layers[layer]];
    const weight = (/** @type {string} */ name) => this.#weight(layer, name);
    run.normalize(at.norm1, at.factors1, this.stream, rows, C);
    this.#linear(at.qkv, at.norm1, weight("attention.qkv"), rows, C, 3 * C);
    run.mix(at.mixed, at.qkv, weight("attention.mix"), B, T, 3 * C, WIDTH);
    run.turn(at.qk, at.lengths, at.mixed, this.angles, B, T, H, D);
    run.attend(at.attended, at.weights, at.qk, at.mixed, B, T, H, D);
    this.#linear(this.stream, at.attended, weight("attention.out"), rows, C, C, 1);
    run.normalize(at.norm2, at.factors2, this.stream, rows, C);
    this.#linear(at.up, at.norm2, weight("up"), rows, C, 4 * C);
    run.squareRelu(at.hidden, at.up, rows * 4 * C);
    this.#linear(this.stream, at.hidden, weight("down"), rows, 4 * C, C, 1);
  }

  /**
   * The mean loss of B windows, ids and targets being in their places. The logits
   * become their gradient.
   * @param {number} B
   */
  loss(B) {
    const { context_length: T, vocab_size: V } = this.sizes;
    this.forward(B);
    const { run } = this.kernel;
    return run.crossEntropy(this.logits, this.targets, B * T, V) / (B * T);
  }

  /** The gradients of the loss, after `loss`. @param {number} B */
  backward(B) {
    const { run } = this.kernel;
    const { context_length: T, vocab_size: V, d_model: C } = this.sizes;
    const { token, head } = this;
    const [rows, scratch] = [B * T, this.scratch];
    run.fill(this.gradients, this.length, 0);
    this.#linearBack(scratch.norm, this.logits, this.last, head, rows, C, V);
    const [dx, last, factors] = [scratch.stream, this.last, this.lastFactors];
    run.normalizeBack(dx, scratch.norm, last, factors, rows, C, 0);
    for (let layer = this.layers.length - 1; layer >= 0; layer--) {
      this.#layerBack(layer, B);
    }
    run.normalizeBack(scratch.norm, dx, this.first, this.firstFactors, rows, C, 0);
    const dTable = token - this.weights + this.gradients;
    run.embedBack(dTable, scratch.norm, this.ids, rows, C);
  }

  /** @param {number} layer @param {number} B */
  #layerBack(layer, B) {
    const { run } = this.kernel;
    const { context_length: T, d_model: C, n_heads: H } = this.sizes;
    const [rows, D, at] = [B * T, C / H, this.layers[layer]];
    const { stream: dx, norm, wide, mixed, qk, square } = this.scratch;
    const weight = (/** @type {string} */ name) => this.#weight(layer, name);
    this.#linearBack(wide, dx, at.hidden, weight("down"), rows, 4 * C, C);
    run.squareReluBack(wide, wide, at.up, rows * 4 * C);
    this.#linearBack(norm, wide, at.norm2, weight("up"), rows, C, 4 * C);
    run.normalizeBack(dx, norm, at.norm2, at.factors2, rows, C, 1);
    this.#linearBack(norm, dx, at.attended, weight("attention.out"), rows, C, C);
    run.attendBack(qk, mixed, norm, at.weights, at.qk, at.mixed, square, B, T, H, D);
    run.turnBack(mixed, qk, at.qk, at.lengths, this.angles, B, T, H, D);
    const w = weight("attention.mix");
    const dw = w - this.weights + this.gradients;
    run.mixBack(wide, dw, mixed, at.qkv, w, B, T, 3 * C, WIDTH);
    this.#linearBack(norm, wide, at.norm1, weight("attention.qkv"), rows, C, 3 * C);
    run.normalizeBack(dx, norm, at.norm1, at.factors1, rows, C, 1);
  }
}
