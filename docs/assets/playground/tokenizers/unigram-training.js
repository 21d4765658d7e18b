// @ts-check
// Learning the unigram model from a text: expectation maximisation and pruning, as in
// `snippets/tokenizers/unigram.py`.

import { compare } from "./bytes.js";
import { counted } from "./training.js";
import {
  SPACE,
  Scores,
  UNKNOWN_PIECE,
  Unigram,
  normalize,
  splitAtSpaces,
  viterbi,
} from "./unigram.js";

/** @import { Round } from "./types.js" */
/** @typedef {{letters: string[], count: number}} Word */

const SEEDS = 1_000_000;
const SHRINK = 0.75;
const LONGEST_PIECE = 16; // characters
const LONGEST_STRETCH = 50; // characters that training looks at together

/**
 * Learn pieces from a text, and tell of every round; returns the tokenizer.
 * @param {string} text
 * @param {{size: number, byteFallback?: boolean}} how
 * @returns {Generator<Round, Unigram>}
 */
export function* learnUnigram(text, { size, byteFallback = false }) {
  const words = wordsOf(text);
  if (!words.length) {
    throw new RangeError("the text is empty: there is nothing to learn from");
  }
  const fixed = [UNKNOWN_PIECE];
  for (let byte = 0; byteFallback && byte < 256; byte++) {
    fixed.push(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  }
  const letters = new Set(words.flatMap((word) => word.letters)).size;
  if (size < fixed.length + letters) {
    throw new RangeError(
      `${size} pieces: ${fixed.length} fixed pieces and ${letters} characters need ` +
        `${fixed.length + letters}`,
    );
  }
  const scores = yield* learnPieces(words, size - fixed.length);
  // sums of such numbers are exact: ties are ties in every library
  const rounded = [...scores.of].map(([piece, score]) => {
    return /** @type {[string, number]} */ ([
      piece,
      roundHalfEven(1024 * score) / 1024,
    ]);
  });
  rounded.sort((a, b) => b[1] - a[1] || compare(a[0], b[0]));
  const zero = fixed.map((piece) => /** @type {[string, number]} */ ([piece, 0]));
  return new Unigram([...zero, ...rounded]);
}

/** @param {string} text @returns {Word[]} */
function wordsOf(text) {
  const counts = counted(stretches(text));
  return [...counts].map(([word, count]) => ({ letters: Array.from(word), count }));
}

/** @param {string} text */
function* stretches(text) {
  for (const word of splitAtSpaces(normalize(text))) {
    const letters = Array.from(word);
    for (let start = 0; start < letters.length; start += LONGEST_STRETCH) {
      yield letters.slice(start, start + LONGEST_STRETCH).join("");
    }
  }
}

/** As Python rounds. @param {number} value */
function roundHalfEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 ? below + 1 : below;
}

/** @param {Word[]} words @param {number} size @returns {Generator<Round, Scores>} */
function* learnPieces(words, size) {
  let scores = seedPieces(words, SEEDS);
  yield { pieces: scores.of.size, nats: NaN, step: "seed" };
  for (;;) {
    for (let round = 0; round < 2; round++) {
      const { counts, total } = expectedCounts(words, scores);
      scores = maximize(counts);
      yield { pieces: scores.of.size, nats: -total, step: "EM" };
    }
    if (scores.of.size <= 1.1 * size) break;
    const kept = Math.max(Math.trunc(1.1 * size), Math.trunc(SHRINK * scores.of.size));
    scores = prune(words, scores, kept);
    yield { pieces: scores.of.size, nats: NaN, step: "prune" };
  }
  const [letters, others] = byLength(scores);
  const best = others.sort((a, b) => b[1] - a[1] || compare(a[0], b[0]));
  return new Scores([...letters, ...best.slice(0, size - letters.length)]);
}

/** The pieces of one character, and the longer ones.
 * @param {Scores} scores @returns {[string, number][][]} */
function byLength(scores) {
  const pieces = [...scores.of];
  const letters = pieces.filter(([piece]) => isLetter(piece));
  return [letters, pieces.filter(([piece]) => !isLetter(piece))];
}

/** @param {string} piece */
function isLetter(piece) {
  const code = piece.codePointAt(0) ?? 0;
  return piece.length === (code > 0xffff ? 2 : 1);
}

/** All characters, and the substrings that cover most of the text.
 * @param {Word[]} words @param {number} size */
export function seedPieces(words, size) {
  /** @type {Map<string, number>} */
  const found = new Map();
  /** @type {Map<string, number>} */
  const weights = new Map();
  for (const { letters, count } of words) {
    for (let start = 0; start < letters.length; start++) {
      let piece = letters[start];
      weights.set(piece, (weights.get(piece) ?? 0) + count);
      const last = Math.min(letters.length, start + LONGEST_PIECE);
      for (let end = start + 1; end < last && letters[end] !== SPACE; end++) {
        piece += letters[end];
        found.set(piece, (found.get(piece) ?? 0) + count);
      }
    }
  }
  /** @type {[string, number][]} */
  const often = [];
  for (const [piece, n] of found) {
    if (n > 1) often.push([piece, n * Array.from(piece).length]);
  }
  often.sort((a, b) => b[1] - a[1] || compare(a[0], b[0]));
  for (const [piece, weight] of often.slice(0, size)) weights.set(piece, weight);
  return fromCounts(weights);
}

/** Scores from counts: the logarithm of each share.
 * @param {Map<string, number>} counts */
function fromCounts(counts) {
  let sum = 0;
  for (const n of counts.values()) sum += n;
  const total = Math.log(sum);
  return new Scores([...counts].map(([piece, n]) => [piece, Math.log(n) - total]));
}

/**
 * How often each piece is used on average, and the text's log-probability: forward and
 * backward over every word.
 * @param {Word[]} words @param {Scores} scores
 */
export function expectedCounts(words, scores) {
  const pieces = [...scores.of.keys()];
  const number = new Map(pieces.map((piece, n) => [piece, n]));
  const share = Float64Array.from(scores.of.values(), Math.exp);
  const counts = new Float64Array(pieces.length);
  let total = 0;
  for (const { letters, count } of words) {
    /** @type {[number, number, number][]} */
    const arcs = [];
    scores.arcs(letters, (start, end) => {
      arcs.push([start, end, number.get(letters.slice(start, end).join("")) ?? -1]);
    });
    const n = letters.length;
    const alpha = new Float64Array(n + 1);
    const beta = new Float64Array(n + 1);
    alpha[0] = beta[n] = 1;
    for (const [start, end, piece] of arcs) alpha[end] += alpha[start] * share[piece];
    const part = count / alpha[n];
    for (const [start, end, piece] of arcs.reverse()) {
      const flow = share[piece] * beta[end];
      beta[start] += flow;
      counts[piece] += alpha[start] * flow * part;
    }
    total += count * Math.log(alpha[n]);
  }
  return { counts: new Map(pieces.map((piece, n) => [piece, counts[n]])), total };
}

/** The M step: pieces used less than half a time go; shares by digamma.
 * @param {Map<string, number>} counts */
function maximize(counts) {
  const kept = [...counts].filter(([piece, n]) => n >= 0.5 || isLetter(piece));
  const total = digamma(kept.reduce((sum, [, n]) => sum + n, 0));
  return new Scores(
    kept.map(([piece, n]) => [piece, digamma(Math.max(n, 0.5)) - total]),
  );
}

/** The derivative of log Γ(x), by its recurrence and its asymptotic series.
 * @param {number} x */
function digamma(x) {
  let shift = 0;
  for (; x < 7; x += 1) shift -= 1 / x;
  const y = 1 / (x * x);
  const series = y * (1 / 12 - y * (1 / 120 - y / 252));
  return shift + Math.log(x) - 0.5 / x - series;
}

/**
 * Keep all characters, and of the longer pieces those that would be missed most.
 * @param {Word[]} words @param {Scores} scores @param {number} size
 */
function prune(words, scores, size) {
  /** @type {Map<string, number>} */
  const used = new Map();
  let total = 0;
  for (const { letters, count } of words) {
    for (const piece of viterbi(letters, scores).pieces) {
      used.set(piece, (used.get(piece) ?? 0) + count);
      total += count;
    }
  }
  /** @type {[string, number][]} */
  const missed = [];
  const [kept, others] = byLength(scores);
  for (const [piece, score] of others) {
    if (!used.get(piece)) continue;
    const letters = Array.from(piece);
    const { pieces, best } = viterbi(letters, scores, false);
    if (best[letters.length] <= score) {
      missed.push([piece, lossWithout(piece, pieces, used, total)]);
    }
  }
  missed.sort((a, b) => b[1] - a[1] || compare(a[0], b[0]));
  const best = missed.slice(0, Math.max(0, size - kept.length));
  return new Scores([
    ...kept,
    ...best.map(([piece]) => {
      return /** @type {[string, number]} */ ([piece, scores.of.get(piece) ?? 0]);
    }),
  ]);
}

/**
 * The log-probability that the text loses if other pieces spell this one.
 * @param {string} piece @param {string[]} spelled
 * @param {Map<string, number>} used @param {number} total
 */
function lossWithout(piece, spelled, used, total) {
  const count = used.get(piece) ?? 0;
  const newTotal = total + count * (spelled.length - 1);
  const without = spelled.reduce(
    (sum, part) => sum + Math.log(((used.get(part) ?? 0) + count) / newTotal),
    0,
  );
  return count * (Math.log(count / total) - without);
}
