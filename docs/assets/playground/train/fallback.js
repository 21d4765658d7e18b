// @ts-check
// The arithmetic of simd.ts in plain JavaScript, for browsers without WebAssembly or
// without its vectors: the same functions, slower, with sums in another order.

/** @import { Operations } from "./kernel.js" */

const EPSILON = 2 ** -23; // of rms_norm: the float32 after 1, less 1
const NEWTON_SCHULZ = [3.4445, -4.775, 2.0315];

/**
 * The functions on a memory.
 * @param {Float32Array} f @returns {Operations}
 */
export function fallback(f) {
  const ints = new Int32Array(f.buffer);

  /** @param {number} x @param {number} y @param {number} n */
  function dot(x, y, n) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += f[x + i] * f[y + i];
    return sum;
  }

  /** sums += a row of A times rows of B; four rows at once, to load the sums less.
   * @param {Float64Array} sums @param {number} n @param {number} a
   * @param {number} aCol @param {number} b @param {number} bRow
   * @param {number} begin @param {number} end */
  function addRows(sums, n, a, aCol, b, bRow, begin, end) {
    let k = begin;
    for (; k + 4 <= end; k += 4) {
      const place = a + k * aCol;
      const x0 = f[place];
      const x1 = f[place + aCol];
      const x2 = f[place + 2 * aCol];
      const x3 = f[place + 3 * aCol];
      const r0 = b + k * bRow;
      const [r1, r2, r3] = [r0 + bRow, r0 + 2 * bRow, r0 + 3 * bRow];
      for (let j = 0; j < n; j++) {
        sums[j] += x0 * f[r0 + j] + x1 * f[r1 + j] + x2 * f[r2 + j] + x3 * f[r3 + j];
      }
    }
    for (; k < end; k++) {
      const x = f[a + k * aCol];
      const row = b + k * bRow;
      for (let j = 0; j < n; j++) sums[j] += x * f[row + j];
    }
  }

  /** sums = a row of A times columns of B, whose numbers follow each other.
   * @param {Float64Array} sums @param {number} n @param {number} a
   * @param {number} aCol @param {number} b @param {number} bCol
   * @param {number} begin @param {number} end */
  function dotColumns(sums, n, a, aCol, b, bCol, begin, end) {
    for (let j = 0; j < n; j += 4) {
      const c0 = b + j * bCol;
      const [c1, c2, c3] = [c0 + bCol, c0 + 2 * bCol, c0 + 3 * bCol];
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let k = begin; k < end; k++) {
        const x = f[a + k * aCol];
        s0 += x * f[c0 + k];
        s1 += x * f[c1 + k];
        s2 += x * f[c2 + k];
        s3 += x * f[c3 + k];
      }
      sums[j] = s0;
      sums[j + 1] = s1; // beyond n nothing is kept
      sums[j + 2] = s2;
      sums[j + 3] = s3;
    }
  }

  /** @type {Operations["multiply"]} */
  function multiply(c, cRow, a, aRow, aCol, b, bRow, bCol, M, N, K, add, triangle) {
    const sums = new Float64Array(N + 3);
    for (let i = 0; i < M; i++) {
      const begin = triangle === 3 ? Math.min(i, K) : 0;
      const end = triangle === 2 ? Math.min(i + 1, K) : K;
      const n = triangle === 1 ? Math.min(i + 1, N) : N;
      const row = a + i * aRow;
      if (bCol === 1) addRows(sums.fill(0), n, row, aCol, b, bRow, begin, end);
      else if (bRow === 1) dotColumns(sums, n, row, aCol, b, bCol, begin, end);
      else throw new RangeError("either rows or columns of B must be contiguous");
      const to = c + i * cRow;
      for (let j = 0; j < n; j++) f[to + j] = sums[j] + (add ? f[to + j] : 0);
    }
  }

  /** Of the first `n` numbers of a row times a factor; the rest becomes zero.
   * @param {number} row @param {number} n @param {number} length
   * @param {number} factor */
  function softmax(row, n, length, factor) {
    let most = -Infinity;
    for (let j = row; j < row + n; j++) most = Math.max(most, f[j] * factor);
    let sum = 0;
    for (let j = row; j < row + n; j++) {
      f[j] = Math.exp(f[j] * factor - most);
      sum += f[j];
    }
    for (let j = row; j < row + n; j++) f[j] /= sum;
    f.fill(0, row + n, row + length);
  }

  /** @param {number} d @param {number} w @param {number} n @param {number} length
   * @param {number} factor */
  function softmaxBack(d, w, n, length, factor) {
    const mean = dot(d, w, n);
    for (let j = 0; j < n; j++) f[d + j] = (f[d + j] - mean) * f[w + j] * factor;
    f.fill(0, d + n, d + length);
  }

  /** Newton-Schulz for a matrix (R, C), as in simd.ts. @param {number} x
   * @param {number} R @param {number} C @returns {number} where the result is */
  function orthogonalize(x, R, C) {
    const [count, n] = [R * C, Math.min(R, C)];
    const [gram, square] = [x + 2 * count, x + 2 * count + n * n];
    const [one, three, five] = NEWTON_SCHULZ;
    const length = Math.max(1e-7, Math.sqrt(dot(x, x, count)));
    for (let i = x; i < x + count; i++) f[i] /= length;
    let other = x + count;
    for (let step = 0; step < 5; step++) {
      if (R > C) multiply(gram, n, x, 1, C, x, C, 1, n, n, R, 0, 0);
      else multiply(gram, n, x, C, 1, x, 1, C, n, n, C, 0, 0);
      multiply(square, n, gram, n, 1, gram, n, 1, n, n, n, 0, 0);
      for (let i = 0; i < n * n; i++) {
        f[square + i] = three * f[gram + i] + five * f[square + i];
      }
      for (let i = 0; i < count; i++) f[other + i] = one * f[x + i];
      if (R > C) multiply(other, C, x, C, 1, square, n, 1, R, C, n, 1, 0);
      else multiply(other, C, square, n, 1, x, C, 1, R, C, n, 1, 0);
      [x, other] = [other, x];
    }
    return x;
  }

  return {
    multiply,

    fill: (to, count, value) => void f.fill(value, to, to + count),

    embed(x, table, ids, rows, C) {
      for (let i = 0; i < rows; i++) {
        const from = table + ints[ids + i] * C;
        f.copyWithin(x + i * C, from, from + C);
      }
    },

    embedBack(dTable, dx, ids, rows, C) {
      for (let i = 0; i < rows; i++) {
        const to = dTable + ints[ids + i] * C;
        for (let c = 0; c < C; c++) f[to + c] += f[dx + i * C + c];
      }
    },

    normalize(y, factors, x, rows, C) {
      for (let i = 0; i < rows; i++) {
        const from = x + i * C;
        const r = 1 / Math.sqrt(dot(from, from, C) / C + EPSILON);
        f[factors + i] = r;
        for (let c = 0; c < C; c++) f[y + i * C + c] = f[from + c] * r;
      }
    },

    normalizeBack(dx, dy, y, factors, rows, C, add) {
      for (let i = 0; i < rows; i++) {
        const row = i * C;
        const mean = dot(y + row, dy + row, C) / C;
        for (let c = row; c < row + C; c++) {
          const d = (f[dy + c] - f[y + c] * mean) * f[factors + i];
          f[dx + c] = d + (add ? f[dx + c] : 0);
        }
      }
    },

    mix(y, x, weight, B, T, channels, width) {
      for (let i = 0; i < B * T; i++) {
        const reach = Math.min(width, (i % T) + 1);
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let n = 0; n < reach; n++) {
            sum += f[x + (i - n) * channels + c] * f[weight + n * channels + c];
          }
          f[y + i * channels + c] = sum;
        }
      }
    },

    mixBack(dx, dWeight, dy, x, weight, B, T, channels, width) {
      for (let i = 0; i < B * T; i++) {
        const before = Math.min(width, (i % T) + 1);
        const after = Math.min(width, T - (i % T));
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          for (let n = 0; n < after; n++) {
            sum += f[dy + (i + n) * channels + c] * f[weight + n * channels + c];
          }
          f[dx + i * channels + c] = sum;
          const d = f[dy + i * channels + c];
          for (let n = 0; n < before; n++) {
            f[dWeight + n * channels + c] += d * f[x + (i - n) * channels + c];
          }
        }
      }
    },

    turn(y, factors, x, angles, B, T, H, D) {
      const half = D / 2;
      for (let i = 0; i < B * T; i++) {
        for (let h = 0; h < 2 * H; h++) {
          const from = x + (3 * H * i + h) * D;
          const to = y + (2 * H * i + h) * D;
          const angle = angles + (i % T) * D;
          const r = 1 / Math.sqrt(dot(from, from, D) / D + EPSILON);
          f[factors + 2 * H * i + h] = r;
          for (let d = 0; d < half; d++) {
            const [one, two] = [f[from + d] * r, f[from + half + d] * r];
            const [cos, sin] = [f[angle + d], f[angle + half + d]];
            f[to + d] = one * cos - two * sin;
            f[to + half + d] = one * sin + two * cos;
          }
        }
      }
    },

    turnBack(dx, dy, y, factors, angles, B, T, H, D) {
      const half = D / 2;
      for (let i = 0; i < B * T; i++) {
        for (let h = 0; h < 2 * H; h++) {
          const to = dx + (3 * H * i + h) * D;
          const row = (2 * H * i + h) * D;
          const angle = angles + (i % T) * D;
          const mean = dot(y + row, dy + row, D) / D;
          const r = f[factors + 2 * H * i + h];
          for (let d = 0; d < half; d++) {
            const [low, high] = [row + d, row + half + d];
            const one = (f[dy + low] - f[y + low] * mean) * r;
            const two = (f[dy + high] - f[y + high] * mean) * r;
            const [cos, sin] = [f[angle + d], f[angle + half + d]];
            f[to + d] = one * cos + two * sin;
            f[to + half + d] = two * cos - one * sin;
          }
        }
      }
    },

    attend(y, weights, qk, qkv, B, T, H, D) {
      const C = H * D;
      for (let b = 0; b < B; b++) {
        for (let h = 0; h < H; h++) {
          const w = weights + (b * H + h) * T * T;
          const q = qk + b * T * 2 * C + h * D;
          const v = qkv + b * T * 3 * C + 2 * C + h * D;
          multiply(w, T, q, 2 * C, 1, q + C, 1, 2 * C, T, T, D, 0, 1);
          for (let i = 0; i < T; i++) softmax(w + i * T, i + 1, T, 1 / Math.sqrt(D));
          multiply(y + b * T * C + h * D, C, w, T, 1, v, 3 * C, 1, T, D, T, 0, 2);
        }
      }
    },

    attendBack(dqk, dqkv, dy, weights, qk, qkv, scratch, B, T, H, D) {
      const C = H * D;
      const factor = 1 / Math.sqrt(D);
      for (let b = 0; b < B; b++) {
        for (let h = 0; h < H; h++) {
          const w = weights + (b * H + h) * T * T;
          const q = b * T * 2 * C + h * D;
          const v = b * T * 3 * C + 2 * C + h * D;
          const [from, s] = [dy + b * T * C + h * D, scratch];
          multiply(dqkv + v, 3 * C, w, 1, T, from, C, 1, T, D, T, 0, 3);
          multiply(s, T, from, C, 1, qkv + v, 1, 3 * C, T, T, D, 0, 1);
          for (let i = 0; i < T; i++) {
            softmaxBack(s + i * T, w + i * T, i + 1, T, factor);
          }
          multiply(dqk + q, 2 * C, s, T, 1, qk + q + C, 2 * C, 1, T, D, T, 0, 2);
          multiply(dqk + q + C, 2 * C, s, 1, T, qk + q, 2 * C, 1, T, D, T, 0, 3);
        }
      }
    },

    squareRelu(y, x, count) {
      for (let i = 0; i < count; i++) f[y + i] = Math.max(f[x + i], 0) ** 2;
    },

    squareReluBack(dx, dy, x, count) {
      for (let i = 0; i < count; i++) f[dx + i] = 2 * Math.max(f[x + i], 0) * f[dy + i];
    },

    crossEntropy(logits, targets, rows, V) {
      let loss = 0;
      for (let i = 0; i < rows; i++) {
        const row = logits + i * V;
        const target = row + ints[targets + i];
        let most = -Infinity;
        for (let j = row; j < row + V; j++) most = Math.max(most, f[j]);
        const right = f[target] - most;
        let sum = 0;
        for (let j = row; j < row + V; j++) sum += f[j] = Math.exp(f[j] - most);
        loss += Math.log(sum) - right;
        for (let j = row; j < row + V; j++) f[j] /= sum * rows;
        f[target] -= 1 / rows;
      }
      return loss;
    },

    adamw(p, g, m, v, count, rate, decay, beta1, beta2, first, second, eps) {
      for (let i = 0; i < count; i++) {
        const d = f[g + i];
        f[m + i] += (1 - beta1) * (d - f[m + i]);
        f[v + i] = beta2 * f[v + i] + (1 - beta2) * d * d;
        const size = Math.sqrt(f[v + i]) * second + eps;
        f[p + i] = f[p + i] * (1 - rate * decay) - (rate * first * f[m + i]) / size;
      }
    },

    muon(p, g, momentum, scratch, R, C, rate, beta, decay) {
      for (let i = 0; i < R * C; i++) {
        f[momentum + i] += (1 - beta) * (f[g + i] - f[momentum + i]);
        f[scratch + i] = f[g + i] + beta * (f[momentum + i] - f[g + i]);
      }
      const step = orthogonalize(scratch, R, C);
      const length = rate * Math.sqrt(Math.max(1, R / C)); // tall ones step further
      for (let i = 0; i < R * C; i++) {
        f[p + i] = f[p + i] * (1 - rate * decay) - length * f[step + i];
      }
    },
  };
}
