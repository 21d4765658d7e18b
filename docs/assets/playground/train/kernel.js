// @ts-check
// Where training computes: a memory of float32 numbers, and functions that work on it.
// They are simd.wasm where the browser has WebAssembly with vectors, else those of
// fallback.js.

import { fallback } from "./fallback.js";

/**
 * What the functions compute. All places are indices into the memory. Axes: `B` batch,
 * `T` tokens, `rows = B T`, `C` channels, `H` heads, `D` channels of a head, `V`
 * characters. A `d` before a name is the gradient with respect to it. A function whose
 * name ends in `Back` takes gradients from the results of the function without it to
 * its arguments; those of weights are added to what is there.
 *
 * @typedef {object} Operations
 * @property {(c: number, cRow: number, a: number, aRow: number, aColumn: number,
 *   b: number, bRow: number, bColumn: number, M: number, N: number, K: number,
 *   add: number, triangle: number) => void} multiply C (+)= A B, A (M, K) with rows and
 *   columns so many places apart; `triangle` is one of TRIANGLE
 * @property {(to: number, count: number, value: number) => void} fill
 * @property {(x: number, table: number, ids: number, rows: number, C: number) => void}
 *   embed a row of the table for each id
 * @property {(dTable: number, dx: number, ids: number, rows: number,
 *   C: number) => void} embedBack
 * @property {(y: number, factors: number, x: number, rows: number, C: number) => void}
 *   normalize each row over its root mean square; keeps the factor of each
 * @property {(dx: number, dy: number, y: number, factors: number, rows: number,
 *   C: number, add: number) => void} normalizeBack
 * @property {(y: number, x: number, weight: number, B: number, T: number,
 *   channels: number, width: number) => void} mix the causal convolution
 * @property {(dx: number, dWeight: number, dy: number, x: number, weight: number,
 *   B: number, T: number, channels: number, width: number) => void} mixBack
 * @property {(y: number, factors: number, x: number, angles: number, B: number,
 *   T: number, H: number, D: number) => void} turn queries and keys (rows, 2, H, D) of
 *   x (rows, 3, H, D): normalized, then rotated by `angles` (T, cosines and sines)
 * @property {(dx: number, dy: number, y: number, factors: number, angles: number,
 *   B: number, T: number, H: number, D: number) => void} turnBack
 * @property {(y: number, weights: number, qk: number, qkv: number, B: number,
 *   T: number, H: number, D: number) => void} attend causal attention; keeps its
 *   weights (B, H, T, T)
 * @property {(dqk: number, dqkv: number, dy: number, weights: number, qk: number,
 *   qkv: number, scratch: number, B: number, T: number, H: number, D: number) => void}
 *   attendBack needs a scratch of (T, T); of dqkv it writes the values
 * @property {(y: number, x: number, count: number) => void} squareRelu
 * @property {(dx: number, dy: number, x: number, count: number) => void}
 *   squareReluBack
 * @property {(logits: number, targets: number, rows: number, V: number) => number}
 *   crossEntropy returns the sum over the rows; the logits become the gradient of
 *   the mean
 * @property {(p: number, g: number, m: number, v: number, count: number,
 *   rate: number, decay: number, beta1: number, beta2: number, first: number,
 *   second: number, eps: number) => void} adamw `first` and `second` correct the
 *   start: 1 / (1 - β₁ᵗ) and 1 / √(1 - β₂ᵗ)
 * @property {(p: number, g: number, momentum: number, scratch: number, R: number,
 *   C: number, rate: number, beta: number, decay: number) => void} muon a step for a
 *   matrix (R, C); the scratch holds 2 R C + 2 min(R, C)² numbers
 */

/**
 * @typedef {object} Kernel
 * @property {"wasm" | "js"} kind
 * @property {Operations} run
 * @property {Float32Array} floats the memory
 * @property {Int32Array} ints the same memory
 * @property {number} start the first place that is free
 * @property {(places: number) => void} reserve room for so many numbers from `start`
 *   on; `floats` and `ints` are new then. Throws RangeError where there is none.
 */

export const TRIANGLE = { all: 0, lowerResult: 1, lowerA: 2, upperA: 3 };

const PAGE = 16_384; // numbers in a page of WebAssembly's memory

/** The compiled functions. @param {BufferSource} bytes @returns {Promise<Kernel>} */
export async function compiled(bytes) {
  const imports = { env: { abort: () => {} } };
  const { instance } = await WebAssembly.instantiate(bytes, imports);
  const { memory, start, ...run } = /** @type {any} */ (instance.exports);
  /** @type {Kernel} */
  const kernel = {
    kind: "wasm",
    run,
    start: start(),
    floats: new Float32Array(memory.buffer),
    ints: new Int32Array(memory.buffer),
    reserve(places) {
      const missing = this.start + places - this.floats.length;
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
      this.floats = new Float32Array(memory.buffer);
      this.ints = new Int32Array(memory.buffer);
    },
  };
  return kernel;
}

/** The functions in JavaScript. @returns {Kernel} */
export function plain() {
  const kernel = {
    kind: /** @type {const} */ ("js"),
    run: fallback(new Float32Array(0)),
    start: 0,
    floats: new Float32Array(0),
    ints: new Int32Array(0),
    /** @param {number} places */
    reserve(places) {
      this.floats = new Float32Array(places);
      this.ints = new Int32Array(this.floats.buffer);
      this.run = fallback(this.floats);
    },
  };
  return kernel;
}

/**
 * The compiled functions, or those in JavaScript where they cannot be: without
 * WebAssembly or its vectors.
 * @param {BufferSource} bytes of simd.wasm
 */
export async function fastest(bytes) {
  try {
    return await compiled(bytes);
  } catch {
    return plain();
  }
}
