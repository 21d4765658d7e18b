// @ts-check
// Learning byte-level BPE and WordPiece from a text, one merge after the other, as
// `snippets/tokenizers/bpe_training.py` and `wordpiece.py`.

import { Bpe } from "./bpe.js";
import { BYTES, checkText, compare, toBytes } from "./bytes.js";
import { PairIndex, pairOf } from "./pair-index.js";
import { toJavaScript, words } from "./patterns.js";
import { CONTINUES, WordPiece, bertWords } from "./wordpiece.js";

/** @import { Merge } from "./types.js" */
/** @typedef {"smaller ids" | "greater pair"} Ties */

const EMPTY = "the text is empty: there is nothing to learn from";

/** How often each word is there. @param {Iterable<string>} words */
export function counted(words) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/**
 * The merges that byte-level BPE learns from a text, each as it is decided; returns the
 * tokenizer. Stops early when no pair is left that occurs `minFrequency` times.
 * @param {string} text
 * @param {{size: number, pattern: string, minFrequency?: number, ties?: Ties}} how
 * @returns {Generator<Merge, Bpe>}
 */
export function* learnBpe(text, { size, pattern, minFrequency = 1, ties }) {
  if (size < 256) throw new RangeError(`${size} tokens: the 256 bytes need 256`);
  const counts = counted(words(toJavaScript(pattern), checkText(text)));
  if (!counts.size) throw new RangeError(EMPTY);
  const ids = new Map(BYTES.map((byte, id) => [byte, id]));
  const tokens = [...BYTES];
  const spelled = [...counts.keys()].map((word) =>
    Array.from(toBytes(word), (byte) => ids.get(byte) ?? 0),
  );
  const order = ties === "greater pair" ? greaterFirst(tokens) : undefined;
  const index = new PairIndex(spelled, [...counts.values()], order);
  while (tokens.length < size) {
    const best = index.mostFrequent();
    if (!best || best.count < minFrequency) break;
    const [first, second] = pairOf(best.key);
    const after = index.runnerUp();
    const other = after && pairOf(after.key).map((id) => tokens[id]);
    const made = tokens[first] + tokens[second];
    const tied = (index.tied.get(best.count) ?? 1) - 1;
    tokens.push(made);
    const merged = index.merge(best.key, tokens.length - 1);
    yield {
      ...{ first: tokens[first], second: tokens[second], made, count: best.count },
      ...{ tied, merged, size: tokens.length },
      next: after && other ? { pair: other, count: after.count } : null,
    };
  }
  return new Bpe(new Map(tokens.map((token, id) => [token, id])), pattern);
}

/** Of two pairs the one whose bytes are greater. @param {string[]} tokens */
function greaterFirst(tokens) {
  // bytes are compared as numbers, and the longer token is the greater one
  const order = (/** @type {string} */ a, /** @type {string} */ b) =>
    a === b ? 0 : a > b ? -1 : 1;
  return (/** @type {[number, number]} */ a, /** @type {[number, number]} */ b) =>
    order(tokens[a[0]], tokens[b[0]]) || order(tokens[a[1]], tokens[b[1]]);
}

export const SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/**
 * @typedef {object} Candidate for the next merge of WordPiece
 * @property {number} key @property {number} count @property {number} score
 */

/**
 * The merges that WordPiece learns from a text: of the highest score
 * f(ab) / (f(a) f(b)), of equals the more frequent, then the first in the alphabet.
 * @param {string} text
 * @param {{size: number, lowercase?: boolean, minFrequency?: number}} how
 * @returns {Generator<Merge, WordPiece>}
 */
export function* learnWordPiece(text, { size, lowercase = true, minFrequency = 1 }) {
  const counts = counted(bertWords(text, lowercase));
  if (!counts.size) throw new RangeError(EMPTY);
  const spelled = [...counts.keys()].map((word) =>
    Array.from(word).map((letter, i) => (i ? CONTINUES : "") + letter),
  );
  const pieces = [...new Set(spelled.flat())].sort(compare);
  const room = size - SPECIAL.length;
  if (room < pieces.length) {
    const parts = `${SPECIAL.length} special tokens and ${pieces.length} characters`;
    throw new RangeError(
      `${size} pieces: ${parts} need ${SPECIAL.length + pieces.length}`,
    );
  }
  const number = new Map(pieces.map((piece, n) => [piece, n]));
  const weights = [...counts.values()];
  const numbered = spelled.map((word) => word.map((piece) => number.get(piece) ?? 0));
  /** @type {number[]} how often each piece is there */
  const often = pieces.map(() => 0);
  numbered.forEach((word, n) => word.forEach((piece) => (often[piece] += weights[n])));
  const index = new PairIndex(numbered, weights);
  while (pieces.length < room) {
    const found = bestScore(index, pieces, often, minFrequency);
    if (!found.best) break;
    const { key, count, score } = found.best;
    const [first, second] = pairOf(key);
    const made = joined(pieces[first], pieces[second]);
    const usual = found.frequent && pairOf(found.frequent.key);
    const [firstCount, secondCount] = [often[first], often[second]];
    const id = number.get(made) ?? pieces.push(made) - 1;
    number.set(made, id);
    const merged = index.merge(key, id);
    often[id] = (often[id] ?? 0) + merged;
    often[first] -= merged;
    often[second] -= merged;
    yield {
      ...{ first: pieces[first], second: pieces[second], made, count, score },
      ...{ firstCount, secondCount, tied: found.tied, merged },
      size: SPECIAL.length + pieces.length,
      next: usual && {
        pair: usual.map((piece) => pieces[piece]),
        ...{ count: found.frequent?.count ?? 0, score: found.frequent?.score },
      },
    };
  }
  return new WordPiece([...SPECIAL, ...pieces], lowercase);
}

/** @param {string} first @param {string} second */
function joined(first, second) {
  return first + (second.startsWith(CONTINUES) ? second.slice(2) : second);
}

/**
 * The pair with the highest score, how many others have that score, and the pair that
 * is the most frequent, which BPE would merge.
 * @param {PairIndex} index @param {string[]} pieces @param {number[]} often
 * @param {number} minFrequency
 */
function bestScore(index, pieces, often, minFrequency) {
  /** @type {Candidate | null} */
  let best = null;
  /** @type {Candidate | null} */
  let frequent = null;
  let tied = 0;
  for (const [key, count] of index.counts) {
    if (count < minFrequency || count <= 0) continue;
    const [first, second] = pairOf(key);
    const found = { key, count, score: count / (often[first] * often[second]) };
    if (!frequent || count > frequent.count) frequent = found;
    if (!best || found.score > best.score) [best, tied] = [found, 0];
    else if (found.score === best.score) {
      tied += 1;
      if (isBefore(found, best, pieces)) best = found;
    }
  }
  return { best, frequent, tied };
}

/** @param {Candidate} a @param {Candidate} b @param {string[]} pieces */
function isBefore(a, b, pieces) {
  if (a.count !== b.count) return a.count > b.count;
  const [one, other] = [pairOf(a.key), pairOf(b.key)];
  const order =
    compare(pieces[one[0]], pieces[other[0]]) ||
    compare(pieces[one[1]], pieces[other[1]]);
  return order < 0;
}
