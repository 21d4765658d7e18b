// The arithmetic of training, in AssemblyScript with WebAssembly's vectors of four
// float32. `npm run kernel` compiles it to simd.wasm; fallback.js is the same in
// plain JavaScript, and says in its types what each function computes.
//
// All arguments that name a place are indices of float32 numbers in memory.

const EPSILON: f32 = 1.1920929e-7; // of rms_norm: the float32 after 1, less 1

/** The first place behind what the functions themselves need. */
export function start(): u32 {
  return ((<u32>__heap_base + 63) / 64) * 16;
}

@inline function at(index: u32): usize {
  return <usize>index << 2;
}

@inline function zero(): v128 {
  return f32x4.splat(0);
}

/** x * y + sum */
@inline function madd(x: v128, y: v128, sum: v128): v128 {
  return f32x4.add(f32x4.mul(x, y), sum);
}

/** The four numbers of a vector added up. */
@inline function total(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) +
    f32x4.extract_lane(x, 1) +
    (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  );
}

// ---------------------------------------------------------------- matrix products

const WIDTH: u32 = 16; // columns that are computed at once
const DEPTH: u32 = 256; // of a panel: it stays in the processor's nearest memory
const HEIGHT: u32 = 64; // rows of A that are copied at once, if they must be
const PANEL = memory.data(256 * 16 * 4, 16);
const ROWS = memory.data(64 * 256 * 4, 16);
const TILE = memory.data(2 * 16 * 4, 16);

export const ALL: u32 = 0;
export const LOWER_RESULT: u32 = 1; // of C only what lies on or below the diagonal
export const LOWER_A: u32 = 2; // A is zero above its diagonal
export const UPPER_A: u32 = 3; // A is zero below its diagonal

/** `n` columns of B, 16 numbers a row; zeros in columns that are not there. */
function packPanel(b: usize, row: usize, column: usize, depth: u32, n: u32): void {
  let to: usize = PANEL;
  if (column == 4 && n == WIDTH) {
    for (let k: u32 = 0; k < depth; k++, to += 64, b += row) {
      v128.store(to, v128.load(b));
      v128.store(to, v128.load(b, 16), 16);
      v128.store(to, v128.load(b, 32), 32);
      v128.store(to, v128.load(b, 48), 48);
    }
    return;
  }
  if (n < WIDTH) memory.fill(to, 0, <usize>depth << 6);
  for (let j: u32 = 0; j < n; j++, to += 4, b += column) {
    let from = b;
    let place = to;
    for (let k: u32 = 0; k < depth; k++, from += row, place += 64) {
      f32.store(place, f32.load(from));
    }
  }
}

/** Rows of A whose numbers do not follow each other, so that they do. */
function packRows(a: usize, row: usize, column: usize, height: u32, depth: u32): void {
  for (let i: u32 = 0; i < height; i++, a += row) {
    let from = a;
    let to = ROWS + <usize>(i * DEPTH) * 4;
    for (let k: u32 = 0; k < depth; k++, from += column, to += 4) {
      f32.store(to, f32.load(from));
    }
  }
}

@inline function put(to: usize, x0: v128, x1: v128, x2: v128, x3: v128): void {
  v128.store(to, x0);
  v128.store(to, x1, 16);
  v128.store(to, x2, 32);
  v128.store(to, x3, 48);
}

@inline function addTo(to: usize, x0: v128, x1: v128, x2: v128, x3: v128): void {
  v128.store(to, f32x4.add(v128.load(to), x0));
  v128.store(to, f32x4.add(v128.load(to, 16), x1), 16);
  v128.store(to, f32x4.add(v128.load(to, 32), x2), 32);
  v128.store(to, f32x4.add(v128.load(to, 48), x3), 48);
}

/** The row of a tile to its place, where that is narrower than the tile. */
function putPart(to: usize, from: usize, n: u32, add: bool): void {
  for (let j: u32 = 0; j < n; j++, to += 4, from += 4) {
    f32.store(to, f32.load(from) + (add ? f32.load(to) : 0));
  }
}

/**
 * Two rows of A, `second` bytes apart, times the panel, from row `first` of the panel
 * up to `end`. Eight sums of four numbers stay in registers.
 */
@inline function tile(
  c: usize, nextRow: usize, a: usize, second: usize,
  first: u32, end: u32, n: u32, add: bool,
): void {
  let c0 = zero(), c1 = c0, c2 = c0, c3 = c0;
  let d0 = c0, d1 = c0, d2 = c0, d3 = c0;
  let p = a + at(first);
  let q = PANEL + (<usize>first << 6);
  for (let k = first; k < end; k++, p += 4, q += 64) {
    const b0 = v128.load(q), b1 = v128.load(q, 16);
    const b2 = v128.load(q, 32), b3 = v128.load(q, 48);
    let x = v128.load32_splat(p);
    c0 = madd(x, b0, c0); c1 = madd(x, b1, c1);
    c2 = madd(x, b2, c2); c3 = madd(x, b3, c3);
    x = v128.load32_splat(p + second);
    d0 = madd(x, b0, d0); d1 = madd(x, b1, d1);
    d2 = madd(x, b2, d2); d3 = madd(x, b3, d3);
  }
  if (n < WIDTH) {
    put(TILE, c0, c1, c2, c3);
    put(TILE + 64, d0, d1, d2, d3);
    putPart(c, TILE, n, add);
    if (second) putPart(c + nextRow, TILE + 64, n, add);
  } else if (add) {
    addTo(c, c0, c1, c2, c3);
    if (second) addTo(c + nextRow, d0, d1, d2, d3);
  } else {
    put(c, c0, c1, c2, c3);
    if (second) put(c + nextRow, d0, d1, d2, d3);
  }
}

/**
 * C (+)= A B, with A (M, K) and B (K, N). Rows and columns of A and of B may lie any
 * number of places apart, so either may be read transposed.
 */
export function multiply(
  c: u32, cRow: u32, a: u32, aRow: u32, aColumn: u32, b: u32, bRow: u32, bColumn: u32,
  M: u32, N: u32, K: u32, add: u32, triangle: u32,
): void {
  const strided = aColumn != 1;
  const height = strided ? HEIGHT : M;
  for (let k0: u32 = 0; k0 < K; k0 += DEPTH) {
    const depth = min(DEPTH, K - k0);
    const sums = add != 0 || k0 > 0;
    for (let i0: u32 = 0; i0 < M; i0 += height) {
      const rows = min(height, M - i0);
      let from = at(a + i0 * aRow + k0 * aColumn);
      if (strided) {
        packRows(from, at(aRow), at(aColumn), rows, depth);
        from = ROWS;
      }
      const row: usize = strided ? DEPTH * 4 : aRow * 4;
      for (let j: u32 = 0; j < N; j += WIDTH) {
        const n = min(WIDTH, N - j);
        packPanel(at(b + k0 * bRow + j * bColumn), at(bRow), at(bColumn), depth, n);
        let i: u32 = 0;
        if (triangle == LOWER_RESULT && j > i0) i = min(rows, (j - i0) & ~1);
        for (; i < rows; i += 2) {
          const last = i0 + i + 2; // the row after these two
          let first: u32 = 0;
          let end = depth;
          if (triangle == LOWER_A) end = last > k0 ? min(depth, last - k0) : 0;
          if (triangle == UPPER_A) {
            first = last - 2 > k0 ? min(depth, last - 2 - k0) : 0;
          }
          const to = at(c + (i0 + i) * cRow + j);
          const second: usize = i + 1 < rows ? row : 0;
          tile(to, at(cRow), from + <usize>i * row, second, first, end, n, sums);
        }
      }
    }
  }
}

// ------------------------------------------------------------------------ vectors

export function fill(to: u32, count: u32, value: f32): void {
  let p = at(to);
  for (const end = p + at(count); p < end; p += 4) f32.store(p, value);
}

/** e to the power of each number; Cody and Waite's reduction, Cephes' polynomial. */
@inline function exp(x: v128): v128 {
  x = f32x4.max(x, f32x4.splat(-87.0));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504)));
  x = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  x = f32x4.add(x, f32x4.mul(n, f32x4.splat(2.12194440e-4)));
  let y = f32x4.splat(1.9875691500e-4);
  y = madd(y, x, f32x4.splat(1.3981999507e-3));
  y = madd(y, x, f32x4.splat(8.3334519073e-3));
  y = madd(y, x, f32x4.splat(4.1665795894e-2));
  y = madd(y, x, f32x4.splat(1.6666665459e-1));
  y = madd(y, x, f32x4.splat(5.0000001201e-1));
  y = f32x4.add(madd(y, f32x4.mul(x, x), x), f32x4.splat(1));
  return i32x4.add(y, i32x4.shl(i32x4.trunc_sat_f32x4_s(n), 23));
}

/** exp(x - largest) in place for `n` numbers; returns their sum. */
function exponentials(row: usize, n: u32, largest: f32): f32 {
  const most = f32x4.splat(largest);
  let sums = zero();
  let j: u32 = 0;
  for (; j + 4 <= n; j += 4, row += 16) {
    const y = exp(f32x4.sub(v128.load(row), most));
    v128.store(row, y);
    sums = f32x4.add(sums, y);
  }
  let sum = total(sums);
  for (; j < n; j++, row += 4) {
    const y = f32x4.extract_lane(exp(f32x4.splat(f32.load(row) - largest)), 0);
    f32.store(row, y);
    sum += y;
  }
  return sum;
}

function largestOf(row: usize, n: u32): f32 {
  let most = f32.load(row);
  for (let j: u32 = 1; j < n; j++) most = max(most, f32.load(row + (<usize>j << 2)));
  return most;
}

function scale(row: usize, n: u32, factor: f32): void {
  const factors = f32x4.splat(factor);
  let j: u32 = 0;
  for (; j + 4 <= n; j += 4, row += 16) {
    v128.store(row, f32x4.mul(v128.load(row), factors));
  }
  for (; j < n; j++, row += 4) f32.store(row, f32.load(row) * factor);
}

@inline function dot(x: usize, y: usize, n: u32): f32 {
  let sums = zero();
  let j: u32 = 0;
  for (; j + 4 <= n; j += 4, x += 16, y += 16) {
    sums = madd(v128.load(x), v128.load(y), sums);
  }
  let sum = total(sums);
  for (; j < n; j++, x += 4, y += 4) sum += f32.load(x) * f32.load(y);
  return sum;
}

// --------------------------------------------------------------- parts of the model

export function embed(x: u32, table: u32, ids: u32, rows: u32, C: u32): void {
  for (let i: u32 = 0; i < rows; i++) {
    const id = load<u32>(at(ids + i));
    memory.copy(at(x + i * C), at(table + id * C), at(C));
  }
}

export function embedBack(dTable: u32, dx: u32, ids: u32, rows: u32, C: u32): void {
  for (let i: u32 = 0; i < rows; i++) {
    let to = at(dTable + load<u32>(at(ids + i)) * C);
    let from = at(dx + i * C);
    for (let c: u32 = 0; c < C; c += 4, to += 16, from += 16) {
      v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    }
  }
}

export function normalize(y: u32, factors: u32, x: u32, rows: u32, C: u32): void {
  for (let i: u32 = 0; i < rows; i++) {
    let from = at(x + i * C);
    let to = at(y + i * C);
    const r: f32 = 1 / sqrt(dot(from, from, C) / <f32>C + EPSILON);
    f32.store(at(factors + i), r);
    const rs = f32x4.splat(r);
    for (let c: u32 = 0; c < C; c += 4, to += 16, from += 16) {
      v128.store(to, f32x4.mul(v128.load(from), rs));
    }
  }
}

export function normalizeBack(
  dx: u32, dy: u32, y: u32, factors: u32, rows: u32, C: u32, add: u32,
): void {
  for (let i: u32 = 0; i < rows; i++) {
    let out = at(y + i * C);
    let back = at(dy + i * C);
    let to = at(dx + i * C);
    const mean = f32x4.splat(dot(out, back, C) / <f32>C);
    const r = f32x4.splat(f32.load(at(factors + i)));
    for (let c: u32 = 0; c < C; c += 4, to += 16, out += 16, back += 16) {
      let d = f32x4.sub(v128.load(back), f32x4.mul(v128.load(out), mean));
      d = f32x4.mul(d, r);
      if (add) d = f32x4.add(d, v128.load(to));
      v128.store(to, d);
    }
  }
}

export function mix(
  y: u32, x: u32, weight: u32, B: u32, T: u32, channels: u32, width: u32,
): void {
  const row = at(channels);
  for (let i: u32 = 0; i < B * T; i++) {
    const reach = min(width, (i % T) + 1);
    for (let c: u32 = 0; c < channels; c += 4) {
      let from = at(x + i * channels + c);
      let w = at(weight + c);
      let sum = zero();
      for (let n: u32 = 0; n < reach; n++, from -= row, w += row) {
        sum = madd(v128.load(from), v128.load(w), sum);
      }
      v128.store(at(y + i * channels + c), sum);
    }
  }
}

export function mixBack(
  dx: u32, dWeight: u32, dy: u32, x: u32, weight: u32,
  B: u32, T: u32, channels: u32, width: u32,
): void {
  const row = at(channels);
  for (let i: u32 = 0; i < B * T; i++) {
    const before = min(width, (i % T) + 1);
    const after = min(width, T - (i % T));
    for (let c: u32 = 0; c < channels; c += 4) {
      let w = at(weight + c);
      let dw = at(dWeight + c);
      const here = at(i * channels + c);
      let from = here + at(dy);
      const d = v128.load(from);
      let sum = zero();
      for (let n: u32 = 0; n < after; n++, from += row, w += row) {
        sum = madd(v128.load(from), v128.load(w), sum);
      }
      v128.store(here + at(dx), sum);
      from = here + at(x);
      for (let n: u32 = 0; n < before; n++, from -= row, dw += row) {
        v128.store(dw, madd(v128.load(from), d, v128.load(dw)));
      }
    }
  }
}

export function turn(
  y: u32, factors: u32, x: u32, angles: u32, B: u32, T: u32, H: u32, D: u32,
): void {
  const half = D / 2;
  for (let i: u32 = 0; i < B * T; i++) {
    for (let h: u32 = 0; h < 2 * H; h++) {
      let from = at(x + (3 * H * i + h) * D);
      let to = at(y + (2 * H * i + h) * D);
      let angle = at(angles + (i % T) * D);
      const r: f32 = 1 / sqrt(dot(from, from, D) / <f32>D + EPSILON);
      f32.store(at(factors + 2 * H * i + h), r);
      const rs = f32x4.splat(r);
      for (let d: u32 = 0; d < half; d += 4, from += 16, to += 16, angle += 16) {
        const cos = v128.load(angle), sin = v128.load(angle + at(half));
        const one = f32x4.mul(v128.load(from), rs);
        const two = f32x4.mul(v128.load(from + at(half)), rs);
        v128.store(to, f32x4.sub(f32x4.mul(one, cos), f32x4.mul(two, sin)));
        v128.store(to + at(half), madd(one, sin, f32x4.mul(two, cos)));
      }
    }
  }
}

export function turnBack(
  dx: u32, dy: u32, y: u32, factors: u32, angles: u32, B: u32, T: u32, H: u32, D: u32,
): void {
  const half = D / 2;
  for (let i: u32 = 0; i < B * T; i++) {
    for (let h: u32 = 0; h < 2 * H; h++) {
      let to = at(dx + (3 * H * i + h) * D);
      let out = at(y + (2 * H * i + h) * D);
      let back = at(dy + (2 * H * i + h) * D);
      let angle = at(angles + (i % T) * D);
      const mean = f32x4.splat(dot(out, back, D) / <f32>D);
      const r = f32x4.splat(f32.load(at(factors + 2 * H * i + h)));
      for (let d: u32 = 0; d < half; d += 4) {
        const cos = v128.load(angle), sin = v128.load(angle + at(half));
        let one = f32x4.sub(v128.load(back), f32x4.mul(v128.load(out), mean));
        let two = f32x4.mul(v128.load(out + at(half)), mean);
        two = f32x4.sub(v128.load(back + at(half)), two);
        one = f32x4.mul(one, r);
        two = f32x4.mul(two, r);
        v128.store(to, madd(one, cos, f32x4.mul(two, sin)));
        two = f32x4.sub(f32x4.mul(two, cos), f32x4.mul(one, sin));
        v128.store(to + at(half), two);
        to += 16; out += 16; back += 16; angle += 16;
      }
    }
  }
}

export function attend(
  y: u32, weights: u32, qk: u32, qkv: u32, B: u32, T: u32, H: u32, D: u32,
): void {
  const C = H * D;
  const factor: f32 = 1 / sqrt(<f32>D);
  for (let b: u32 = 0; b < B; b++) {
    for (let h: u32 = 0; h < H; h++) {
      const w = weights + (b * H + h) * T * T;
      const q = qk + b * T * 2 * C + h * D;
      const v = qkv + b * T * 3 * C + 2 * C + h * D;
      const k = q + C;
      multiply(w, T, q, 2 * C, 1, k, 1, 2 * C, T, T, D, 0, LOWER_RESULT);
      for (let i: u32 = 0; i < T; i++) softmax(at(w + i * T), i + 1, T, factor);
      const to = y + b * T * C + h * D;
      multiply(to, C, w, T, 1, v, 3 * C, 1, T, D, T, 0, LOWER_A);
    }
  }
}

/** Of the first `n` numbers of a row times a factor; the rest becomes zero. */
function softmax(row: usize, n: u32, length: u32, factor: f32): void {
  scale(row, n, factor);
  const sum = exponentials(row, n, largestOf(row, n));
  scale(row, n, 1 / sum);
  memory.fill(row + at(n), 0, at(length - n));
}

export function attendBack(
  dqk: u32, dqkv: u32, dy: u32, weights: u32, qk: u32, qkv: u32, scratch: u32,
  B: u32, T: u32, H: u32, D: u32,
): void {
  const C = H * D;
  const factor: f32 = 1 / sqrt(<f32>D);
  for (let b: u32 = 0; b < B; b++) {
    for (let h: u32 = 0; h < H; h++) {
      const w = weights + (b * H + h) * T * T;
      const q = b * T * 2 * C + h * D;
      const k = q + C;
      const v = b * T * 3 * C + 2 * C + h * D;
      const from = dy + b * T * C + h * D;
      const s = scratch;
      multiply(dqkv + v, 3 * C, w, 1, T, from, C, 1, T, D, T, 0, UPPER_A);
      multiply(s, T, from, C, 1, qkv + v, 1, 3 * C, T, T, D, 0, LOWER_RESULT);
      for (let i: u32 = 0; i < T; i++) {
        softmaxBack(at(s + i * T), at(w + i * T), i + 1, T, factor);
      }
      multiply(dqk + q, 2 * C, s, T, 1, qk + k, 2 * C, 1, T, D, T, 0, LOWER_A);
      multiply(dqk + k, 2 * C, s, 1, T, qk + q, 2 * C, 1, T, D, T, 0, UPPER_A);
    }
  }
}

function softmaxBack(d: usize, w: usize, n: u32, length: u32, factor: f32): void {
  const mean = dot(d, w, n);
  let p = d;
  for (let j: u32 = 0; j < n; j++, p += 4, w += 4) {
    f32.store(p, (f32.load(p) - mean) * f32.load(w) * factor);
  }
  memory.fill(p, 0, at(length - n));
}

export function squareRelu(y: u32, x: u32, count: u32): void {
  let from = at(x);
  let to = at(y);
  for (let i: u32 = 0; i < count; i += 4, from += 16, to += 16) {
    const u = f32x4.max(v128.load(from), zero());
    v128.store(to, f32x4.mul(u, u));
  }
}

export function squareReluBack(dx: u32, dy: u32, x: u32, count: u32): void {
  let from = at(x);
  let back = at(dy);
  let to = at(dx);
  for (let i: u32 = 0; i < count; i += 4, from += 16, back += 16, to += 16) {
    const u = f32x4.max(v128.load(from), zero());
    v128.store(to, f32x4.mul(f32x4.add(u, u), v128.load(back)));
  }
}

export function crossEntropy(logits: u32, targets: u32, rows: u32, V: u32): f64 {
  let loss: f64 = 0;
  const share: f32 = 1 / <f32>rows;
  for (let i: u32 = 0; i < rows; i++) {
    const row = at(logits + i * V);
    const target = row + at(load<u32>(at(targets + i)));
    const most = largestOf(row, V);
    const right = f32.load(target) - most;
    const sum = exponentials(row, V, most);
    loss += Math.log(sum) - right;
    scale(row, V, share / sum);
    f32.store(target, f32.load(target) - share);
  }
  return loss;
}

// ---------------------------------------------------------------------- optimizers

export function adamw(
  p: u32, g: u32, m: u32, v: u32, count: u32,
  rate: f32, decay: f32, beta1: f32, beta2: f32, first: f32, second: f32, eps: f32,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const d = f32.load(at(g + i));
    const mean = f32.load(at(m + i));
    const moved = mean + (1 - beta1) * (d - mean);
    const squares = beta2 * f32.load(at(v + i)) + (1 - beta2) * d * d;
    f32.store(at(m + i), moved);
    f32.store(at(v + i), squares);
    const size = sqrt(squares) * second + eps;
    const kept = f32.load(at(p + i)) * (1 - rate * decay);
    f32.store(at(p + i), kept - (rate * first * moved) / size);
  }
}

export function muon(
  p: u32, g: u32, momentum: u32, scratch: u32, R: u32, C: u32,
  rate: f32, beta: f32, decay: f32,
): void {
  const count = R * C;
  const x = scratch;
  for (let i: u32 = 0; i < count; i++) {
    const d = f32.load(at(g + i));
    let mean = f32.load(at(momentum + i));
    mean += (1 - beta) * (d - mean);
    f32.store(at(momentum + i), mean);
    f32.store(at(x + i), d + beta * (mean - d));
  }
  const step = orthogonalize(x, R, C);
  const tall = sqrt(max<f32>(1, <f32>R / <f32>C));
  for (let i: u32 = 0; i < count; i++) {
    const kept = f32.load(at(p + i)) * (1 - rate * decay);
    f32.store(at(p + i), kept - rate * tall * f32.load(at(step + i)));
  }
}

/**
 * Newton-Schulz, five times: a x + (b G + c G²) x, with G = x xᵀ over the shorter side.
 * The matrix stands at `x`, with room behind it for another one and for two of G.
 * Returns where the result is.
 */
function orthogonalize(x: u32, R: u32, C: u32): u32 {
  const count = R * C;
  const n = min(R, C);
  let other = x + count;
  const gram = other + count;
  const square = gram + n * n;
  scale(at(x), count, 1 / max<f32>(1e-7, sqrt(dot(at(x), at(x), count))));
  for (let step = 0; step < 5; step++) {
    if (R > C) multiply(gram, n, x, 1, C, x, C, 1, n, n, R, 0, ALL);
    else multiply(gram, n, x, C, 1, x, 1, C, n, n, C, 0, ALL);
    memory.copy(at(square), at(gram), at(n * n));
    scale(at(square), n * n, -4.7750);
    const scaled = other; // free until the end of this step
    memory.copy(at(scaled), at(gram), at(n * n));
    scale(at(scaled), n * n, 2.0315);
    multiply(square, n, scaled, n, 1, gram, n, 1, n, n, n, 1, ALL);
    memory.copy(at(other), at(x), at(count));
    scale(at(other), count, 3.4445);
    if (R > C) multiply(other, C, x, C, 1, square, n, 1, R, C, n, 1, ALL);
    else multiply(other, C, square, n, 1, x, C, 1, R, C, n, 1, ALL);
    const swap = x;
    x = other;
    other = swap;
  }
  return x;
}
