// @ts-check
// The forward pass of the two models that day 6 trains: GPT-2, and one of newer parts
// with a switch each. One token at a time with a cache of keys and values, for writing;
// or a whole text with everything in between kept, for looking. Axes: `T` tokens, `C`
// channels, `H` heads, `D` channels of one head, `V` vocabulary.

/** @import { Tensor } from "./safetensors.js" */
/**
 * @typedef {object} Config sizes, and which parts a model has
 * @property {number} V
 * @property {number} context
 * @property {number} C
 * @property {number} H
 * @property {number} L layers
 * @property {boolean} rope else learned positions
 * @property {boolean} rms root mean square as norm, without weights; else LayerNorm
 * @property {boolean} qkNorm queries and keys are normalised
 * @property {"tanh" | "none" | "relu2"} activation GELU by tanh or exact, or ReLU²
 * @property {number} convolution tokens that each query, key and value mixes
 * @property {boolean} tied head and embedding are one matrix
 */
/**
 * @typedef {object} Affine
 * @property {Float32Array} weight
 * @property {Float32Array | undefined} bias
 */
/**
 * @typedef {object} Layer
 * @property {Affine | undefined} norm1
 * @property {Affine | undefined} norm2
 * @property {Affine} qkv
 * @property {Float32Array | undefined} mix (width, 3C)
 * @property {Affine} out
 * @property {Affine} up
 * @property {Affine} down
 */
/**
 * @typedef {object} LayerTrace what one layer makes of a text, row after row
 * @property {Float32Array} input the residual stream, (T, C)
 * @property {Float32Array} normed1 (T, C)
 * @property {Float32Array} q (T, C), a head after the other
 * @property {Float32Array} k (T, C)
 * @property {Float32Array} v (T, C)
 * @property {Float32Array} scores (H, T, T), before the mask
 * @property {Float32Array} weights (H, T, T)
 * @property {Float32Array} mixed the averaged values, (T, C)
 * @property {Float32Array} attended what attention adds to the stream, (T, C)
 * @property {Float32Array} middle the stream between, (T, C)
 * @property {Float32Array} fed what the feed-forward layer adds, (T, C)
 */
/**
 * @typedef {object} Trace
 * @property {Float32Array} token (T, C)
 * @property {Float32Array} position (T, C), zeros where the model has none to add
 * @property {LayerTrace[]} layers
 * @property {Float32Array} output the stream after the last layer, (T, C)
 * @property {Float32Array} final the same after the last norm, (T, C)
 * @property {Float32Array} logits (T, V)
 */

const EPSILON = { layer: 1e-5, rms: 2 ** -23 }; // PyTorch's
const BASE = 10_000; // of the frequencies of RoPE

/** y = W x + b, the rows of W one after the other.
 * @param {Float32Array} y @param {Float32Array} x @param {Affine} affine */
function linear(y, x, { weight, bias }) {
  const n = x.length;
  const whole = n - (n % 4);
  for (let o = 0, at = 0; o < y.length; o++) {
    let a = bias ? bias[o] : 0;
    let b = 0;
    let c = 0;
    let d = 0;
    let i = 0;
    for (; i < whole; i += 4, at += 4) {
      a += weight[at] * x[i];
      b += weight[at + 1] * x[i + 1];
      c += weight[at + 2] * x[i + 2];
      d += weight[at + 3] * x[i + 3];
    }
    for (; i < n; i++, at++) a += weight[at] * x[i];
    y[o] = a + b + c + d;
  }
}

/** y = each row of x at the same length, by its root mean square.
 * @param {Float32Array} y @param {Float32Array} x */
function rmsNorm(y, x) {
  let squares = 0;
  for (const value of x) squares += value * value;
  const scale = 1 / Math.sqrt(squares / x.length + EPSILON.rms);
  for (let i = 0; i < x.length; i++) y[i] = x[i] * scale;
}

/** @param {Float32Array} y @param {Float32Array} x @param {Affine} affine */
function layerNorm(y, x, { weight, bias }) {
  const n = x.length;
  let mean = 0;
  let variance = 0;
  for (let i = 0; i < n; i++) mean += x[i] / n;
  for (let i = 0; i < n; i++) variance += (x[i] - mean) ** 2 / n;
  const scale = 1 / Math.sqrt(variance + EPSILON.layer);
  for (let i = 0; i < n; i++) {
    y[i] = (x[i] - mean) * scale * weight[i] + (bias ? bias[i] : 0);
  }
}

/** @param {Float32Array} y @param {Float32Array} x
 * @param {Affine | undefined} affine */
function normalise(y, x, affine) {
  if (affine) layerNorm(y, x, affine);
  else rmsNorm(y, x);
}

const ERF = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];

/** The error function, within 1.5e-7 (Abramowitz and Stegun, 7.1.26).
 * @param {number} x */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series = ERF.reduce((sum, factor) => (sum + factor) * t, 0);
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}

const ROOT = Math.sqrt(2 / Math.PI);
/** @type {Record<Config["activation"], (x: number) => number>} */
const ACTIVATIONS = {
  tanh: (x) => 0.5 * x * (1 + Math.tanh(ROOT * (x + 0.044715 * x * x * x))),
  none: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  relu2: (x) => (x > 0 ? x * x : 0),
};

/**
 * weights = softmax of the scores, over `count` of them from a place on.
 * @param {Float32Array} weights @param {Float32Array} scores
 * @param {number} at @param {number} count
 */
function softmax(weights, scores, at, count) {
  let largest = -Infinity;
  let sum = 0;
  for (let s = at; s < at + count; s++) largest = Math.max(largest, scores[s]);
  for (let s = at; s < at + count; s++) {
    sum += weights[s] = Math.exp(scores[s] - largest);
  }
  for (let s = at; s < at + count; s++) weights[s] /= sum;
}

/** x + y, into x. @param {Float32Array} x @param {Float32Array} y */
function add(x, y) {
  for (let i = 0; i < x.length; i++) x[i] += y[i];
}

/** A model with its weights, which `open-model.js` has checked. */
export class GPT {
  /** @type {Layer[]} */
  #layers;
  /** @type {Float32Array} */
  #token;
  /** @type {Affine} */
  #head;
  /** @type {Float32Array | undefined} */
  #position;
  /** @type {Affine | undefined} */
  #norm;
  /** of RoPE, one for each pair of channels @type {Float32Array} */
  #frequencies;
  /** @type {{k: Float32Array, v: Float32Array, rows: Float32Array}[]} */
  #caches = [];
  #weights = new Float32Array(0);
  /** how many tokens `step` has read; set it lower to go back to an earlier one */
  seen = 0;

  /** @param {Config} config @param {Map<string, Tensor>} tensors */
  constructor(config, tensors) {
    this.config = config;
    const data = (/** @type {string} */ name) => tensors.get(name)?.data;
    const affine = (/** @type {string} */ name) => {
      const weight = data(`${name}.weight`);
      return weight && { weight, bias: data(`${name}.bias`) };
    };
    const needed = (/** @type {string} */ name) => /** @type {Affine} */ (affine(name));
    this.#token = needed("token").weight;
    this.#head = config.tied
      ? { weight: this.#token, bias: undefined }
      : needed("head");
    this.#position = data("position.weight");
    this.#norm = affine("norm");
    this.#layers = Array.from({ length: config.L }, (_, n) => ({
      norm1: affine(`blocks.${n}.norm1`),
      norm2: affine(`blocks.${n}.norm2`),
      qkv: needed(`blocks.${n}.attention.qkv`),
      mix: data(`blocks.${n}.attention.mix.weight`),
      out: needed(`blocks.${n}.attention.out`),
      up: needed(`blocks.${n}.up`),
      down: needed(`blocks.${n}.down`),
    }));
    const D = config.C / config.H;
    this.#frequencies = Float32Array.from(
      { length: D / 2 },
      (_, pair) => BASE ** ((-2 * pair) / D),
    );
  }

  /**
   * Read one more token; the logits of the next one, (V,). Throws a RangeError for one
   * that the vocabulary lacks, and where the context is full.
   * @param {number} id
   */
  step(id) {
    const { C, H, L, V, context } = this.config;
    this.#check(id);
    if (this.seen === context)
      throw new RangeError(`the context of ${context} is full`);
    if (!this.#caches.length) this.#allocate();
    const place = this.seen;
    const [x, h, q, mixed] = Array.from({ length: 4 }, () => new Float32Array(C));
    this.#embed(x, id, place);
    for (let n = 0; n < L; n++) {
      const { k, v, rows } = this.#caches[n];
      normalise(h, x, this.#layers[n].norm1);
      this.#project(n, h, place, rows, q, k, v);
      const weights = this.#weights.subarray(n * H * context, (n + 1) * H * context);
      mixed.fill(0);
      for (let head = 0; head < H; head++) {
        this.#score(weights, head * context, q, k, place + 1, head, 1);
        softmax(weights, weights, head * context, place + 1);
        this.#mix(mixed, weights, head * context, v, place + 1, head);
      }
      linear(h, mixed, this.#layers[n].out);
      add(x, h);
      this.#feed(n, h, x);
      add(x, h);
    }
    this.seen += 1;
    normalise(h, x, this.#norm);
    const logits = new Float32Array(V);
    linear(logits, h, this.#head);
    return logits;
  }

  /** How much the token that was read last looked at each so far: (L, H, seen). */
  attention() {
    const { H, L, context } = this.config;
    const found = new Float32Array(L * H * this.seen);
    for (let head = 0; head < L * H; head++) {
      const from = head * context;
      found.set(this.#weights.subarray(from, from + this.seen), head * this.seen);
    }
    return found;
  }

  /**
   * All that a text becomes on its way. `causal`: no token sees later ones; the scores
   * of attention are divided by `temperature`. Both hold in all layers. Throws a
   * RangeError for a text that is empty or too long, and for unknown tokens.
   * @param {number[]} ids
   * @param {{causal?: boolean, temperature?: number}} [switches]
   * @returns {Trace}
   */
  trace(ids, { causal = true, temperature = 1 } = {}) {
    const { C, L, V, context } = this.config;
    const T = ids.length;
    if (!T || T > context) throw new RangeError(`${T} tokens: 1 … ${context} fit`);
    for (const id of ids) this.#check(id);
    const [token, position] = [new Float32Array(T * C), new Float32Array(T * C)];
    let stream = new Float32Array(T * C);
    for (let t = 0; t < T; t++) {
      token.set(this.#token.subarray(ids[t] * C, (ids[t] + 1) * C), t * C);
      if (this.#position) {
        position.set(this.#position.subarray(t * C, (t + 1) * C), t * C);
      }
      this.#embed(stream.subarray(t * C, (t + 1) * C), ids[t], t);
    }
    const layers = [];
    for (let n = 0; n < L; n++) {
      const layer = this.#traceLayer(n, stream, T, causal, temperature);
      stream = layer.middle.slice();
      add(stream, layer.fed);
      layers.push(layer);
    }
    const [final, logits] = [new Float32Array(T * C), new Float32Array(T * V)];
    for (let t = 0; t < T; t++) {
      const row = final.subarray(t * C, (t + 1) * C);
      normalise(row, stream.subarray(t * C, (t + 1) * C), this.#norm);
      linear(logits.subarray(t * V, (t + 1) * V), row, this.#head);
    }
    return { token, position, layers, output: stream, final, logits };
  }

  /**
   * @param {number} n @param {Float32Array} input @param {number} T
   * @param {boolean} causal @param {number} temperature @returns {LayerTrace}
   */
  #traceLayer(n, input, T, causal, temperature) {
    const { C, H } = this.config;
    const rows = () => new Float32Array(T * C);
    const made = { input, normed1: rows(), q: rows(), k: rows(), v: rows() };
    const [mixed, attended, fed] = [rows(), rows(), rows()];
    const [scores, weights] = [
      new Float32Array(H * T * T),
      new Float32Array(H * T * T),
    ];
    const raw = new Float32Array(3 * T * C);
    const row = (/** @type {Float32Array} */ all, /** @type {number} */ t) =>
      all.subarray(t * C, (t + 1) * C);
    for (let t = 0; t < T; t++) {
      normalise(row(made.normed1, t), row(input, t), this.#layers[n].norm1);
      this.#project(n, row(made.normed1, t), t, raw, row(made.q, t), made.k, made.v);
    }
    for (let t = 0; t < T; t++) {
      const count = causal ? t + 1 : T;
      for (let head = 0; head < H; head++) {
        const at = (head * T + t) * T;
        this.#score(scores, at, row(made.q, t), made.k, T, head, temperature);
        softmax(weights, scores, at, count);
        this.#mix(row(mixed, t), weights, at, made.v, count, head);
      }
      linear(row(attended, t), row(mixed, t), this.#layers[n].out);
    }
    const middle = input.slice();
    add(middle, attended);
    for (let t = 0; t < T; t++) this.#feed(n, row(fed, t), row(middle, t));
    return { ...made, scores, weights, mixed, attended, middle, fed };
  }

  /** @param {number} id */
  #check(id) {
    if (!Number.isInteger(id) || id < 0 || id >= this.config.V) {
      throw new RangeError(`id ${id}: ids lie in 0 … ${this.config.V - 1}`);
    }
  }

  #allocate() {
    const { C, H, L, context, convolution } = this.config;
    this.#weights = new Float32Array(L * H * context);
    this.#caches = Array.from({ length: L }, () => ({
      k: new Float32Array(context * C),
      v: new Float32Array(context * C),
      rows: new Float32Array(convolution > 1 ? context * 3 * C : 3 * C),
    }));
  }

  /** The stream at its start. @param {Float32Array} x @param {number} id
   * @param {number} place */
  #embed(x, id, place) {
    const { C, rms } = this.config;
    for (let i = 0; i < C; i++) {
      x[i] = this.#token[id * C + i];
      if (this.#position) x[i] += this.#position[place * C + i];
    }
    if (rms) rmsNorm(x, x);
  }

  /**
   * Query, key and value of one token.
   * @param {number} n the layer @param {Float32Array} h the normed row, (C,)
   * @param {number} place @param {Float32Array} rows those before, (T, 3C)
   * @param {Float32Array} q (C,) @param {Float32Array} k (T, C)
   * @param {Float32Array} v (T, C)
   */
  #project(n, h, place, rows, q, k, v) {
    const { C, H, qkNorm, rope } = this.config;
    const size = 3 * C;
    const at = rows.length > size ? place * size : 0;
    const own = rows.subarray(at, at + size);
    linear(own, h, this.#layers[n].qkv);
    const mix = this.#layers[n].mix;
    const mixed = mix ? this.#convolve(rows, place, mix) : own;
    const key = k.subarray(place * C, (place + 1) * C);
    q.set(mixed.subarray(0, C));
    key.set(mixed.subarray(C, 2 * C));
    v.set(mixed.subarray(2 * C), place * C);
    for (const vectors of [q, key]) {
      for (let head = 0; head < H; head++) {
        const vector = vectors.subarray((head * C) / H, ((head + 1) * C) / H);
        if (qkNorm) rmsNorm(vector, vector);
        if (rope) this.#rotate(vector, place);
      }
    }
  }

  /** A row, and multiples of those before it.
   * @param {Float32Array} rows @param {number} place @param {Float32Array} mix */
  #convolve(rows, place, mix) {
    const size = 3 * this.config.C;
    const mixed = new Float32Array(size);
    for (let back = 0; back < Math.min(this.config.convolution, place + 1); back++) {
      const from = (place - back) * size;
      for (let i = 0; i < size; i++) mixed[i] += rows[from + i] * mix[back * size + i];
    }
    return mixed;
  }

  /** Turn the pairs (0, D/2), (1, D/2 + 1), … of a vector.
   * @param {Float32Array} vector @param {number} place */
  #rotate(vector, place) {
    const half = vector.length / 2;
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(place * this.#frequencies[i]);
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      const [a, b] = [vector[i], vector[i + half]];
      vector[i] = a * cos - b * sin;
      vector[i + half] = a * sin + b * cos;
    }
  }

  /**
   * The scores of a query with `count` keys, from the place `at` on.
   * @param {Float32Array} scores @param {number} at @param {Float32Array} q (C,)
   * @param {Float32Array} k (T, C) @param {number} count @param {number} head
   * @param {number} temperature
   */
  #score(scores, at, q, k, count, head, temperature) {
    const { C, H } = this.config;
    const D = C / H;
    const scale = 1 / (Math.sqrt(D) * temperature);
    const from = head * D;
    for (let s = 0; s < count; s++) {
      let sum = 0;
      for (let i = from; i < from + D; i++) sum += q[i] * k[s * C + i];
      scores[at + s] = sum * scale;
    }
  }

  /**
   * Add the weighted values of one head to a row.
   * @param {Float32Array} mixed (C,) @param {Float32Array} weights @param {number} at
   * @param {Float32Array} v (T, C) @param {number} count @param {number} head
   */
  #mix(mixed, weights, at, v, count, head) {
    const { C, H } = this.config;
    const D = C / H;
    for (let s = 0; s < count; s++) {
      const weight = weights[at + s];
      for (let i = head * D; i < (head + 1) * D; i++) mixed[i] += weight * v[s * C + i];
    }
  }

  /** What the feed-forward layer adds. @param {number} n @param {Float32Array} y
   * @param {Float32Array} x */
  #feed(n, y, x) {
    const { C, activation } = this.config;
    const { norm2, up, down } = this.#layers[n];
    const act = ACTIVATIONS[activation];
    const [h, wide] = [new Float32Array(C), new Float32Array(4 * C)];
    normalise(h, x, norm2);
    linear(wide, h, up);
    for (let i = 0; i < wide.length; i++) wide[i] = act(wide[i]);
    linear(y, wide, down);
  }
}
