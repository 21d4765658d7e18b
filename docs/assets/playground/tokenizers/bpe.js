// @ts-check
// Byte-level byte-pair encoding, as in `snippets/tokenizers/bpe_encoding.py`.

import { BYTES, checkText, runs, toBytes, toText } from "./bytes.js";
import { Heap } from "./heap.js";
import { toJavaScript, words } from "./patterns.js";

const LONG = 200; // bytes from which on a heap is quicker than looking at every pair
const CACHED = 1 << 16; // words whose ids are kept

/** @typedef {Map<string, number>} Ranks the rank of each token, which is also its id */
/** @import { Piece, Step } from "./types.js" */

/** The bytes of a word, merged by rank. @param {string} word @param {Ranks} ranks */
export function mergeWord(word, ranks) {
  const parts = Array.from(word);
  for (;;) {
    const i = lowest(parts, ranks);
    if (i < 0) return parts;
    parts.splice(i, 2, parts[i] + parts[i + 1]);
  }
}

/** Where the pair of lowest rank starts, the first of equals; -1 if there is none.
 * @param {string[]} parts @param {Ranks} ranks */
function lowest(parts, ranks) {
  let [best, place] = [Infinity, -1];
  for (let i = 0; i + 1 < parts.length; i++) {
    const rank = ranks.get(parts[i] + parts[i + 1]);
    if (rank !== undefined && rank < best) [best, place] = [rank, i];
  }
  return place;
}

/**
 * The same in O(n log n): a heap of pairs, and parts linked to their neighbours.
 * @param {string} word @param {Ranks} ranks
 */
export function mergeLongWord(word, ranks) {
  const n = word.length;
  const end = Int32Array.from({ length: n }, (_, i) => i + 1); // 0: merged away
  const before = Int32Array.from({ length: n + 1 }, (_, i) => i - 1);
  /** @type {Heap<[number, number, number]>} rank, start, end */
  const heap = new Heap((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
  const add = (/** @type {number} */ start, /** @type {number} */ stop) => {
    const rank = ranks.get(word.slice(start, stop));
    if (rank !== undefined) heap.push([rank, start, stop]);
  };
  for (let i = 0; i + 1 < n; i++) add(i, i + 2);
  for (let entry; (entry = heap.pop());) {
    const [, i, stop] = entry;
    const j = end[i];
    // one of the two may have been merged since
    if (j === 0 || j === n || end[j] !== stop) continue;
    [end[i], end[j], before[stop]] = [stop, 0, i];
    if (before[i] >= 0) add(before[i], stop);
    if (stop < n) add(i, end[stop]);
  }
  const parts = [];
  for (let i = 0; i < n; i = end[i]) parts.push(word.slice(i, end[i]));
  return parts;
}

export class Bpe {
  kind = /** @type {const} */ ("bpe");
  /** @type {Map<string, number[]>} */
  #ids = new Map();
  #pattern;
  #special;

  /**
   * Raises RangeError where a byte is missing, a token is empty, or two share an id.
   * @param {Ranks} ranks @param {string} pattern
   * @param {Map<string, number>} [special] special tokens and their ids
   * @param {"python" | "oniguruma"} [dialect] how the pattern is spelled
   */
  constructor(ranks, pattern, special = new Map(), dialect = "python") {
    const missing = BYTES.filter((byte) => !ranks.has(byte));
    if (missing.length) {
      const first = missing[0].charCodeAt(0).toString(16).padStart(2, "0");
      throw new RangeError(`${missing.length} bytes have no token, first ${first}`);
    }
    if (ranks.has("")) throw new RangeError("a token is empty");
    /** @type {string[]} the bytes of each id */
    this.tokens = [];
    for (const [token, id] of [...ranks, ...special]) {
      if (!Number.isInteger(id) || id < 0) {
        throw new RangeError(`the id ${id} is not a whole number from 0 on`);
      }
      if (this.tokens[id] !== undefined) {
        throw new RangeError(`the id ${id} belongs to two tokens`);
      }
      this.tokens[id] = special.get(token) === id ? toBytes(token) : token;
    }
    this.ranks = ranks;
    this.pattern = pattern;
    this.special = special;
    this.#pattern = toJavaScript(pattern, dialect);
    this.#special = anyOf(special.keys());
  }

  get size() {
    return this.tokens.length;
  }

  /**
   * The ids of a text; special tokens in it become their ids only where they may.
   * @param {string} text @param {boolean} [allowSpecial]
   */
  encode(text, allowSpecial = false) {
    checkText(text);
    /** @type {number[]} */
    const ids = [];
    const parts = allowSpecial ? text.split(this.#special) : [text];
    parts.forEach((part, n) => {
      if (n % 2) ids.push(/** @type {number} */ (this.special.get(part)));
      else
        for (const word of words(this.#pattern, part)) {
          for (const id of this.wordIds(word)) ids.push(id);
        }
    });
    return ids;
  }

  /** The words within which merges happen. @param {string} text */
  words(text) {
    return words(this.#pattern, checkText(text));
  }

  /** @param {string} text a word */
  wordIds(text) {
    const kept = this.#ids.get(text);
    if (kept) return kept;
    const word = toBytes(text);
    const merge = word.length < LONG ? mergeWord : mergeLongWord;
    const parts = this.ranks.has(word) ? [word] : merge(word, this.ranks);
    const ids = parts.map((part) => /** @type {number} */ (this.ranks.get(part)));
    if (word.length < LONG) {
      if (this.#ids.size >= CACHED) this.#ids.clear();
      this.#ids.set(text, ids);
    }
    return ids;
  }

  /** @param {number} id @returns {Piece} */
  piece(id) {
    const bytes = this.tokens[id];
    return { id, bytes, runs: runs(bytes) };
  }

  /** The text of ids; bytes that are not UTF-8 become U+FFFD.
   * @param {ArrayLike<number>} ids */
  decode(ids) {
    return toText(Array.from(ids, (id) => this.tokens[id]).join(""));
  }

  /**
   * How a word becomes tokens, one merge a step. A step has the parts before it, the
   * rank of each pair of neighbours, and which pair it merges: of the last step, none.
   * @param {string} text a word
   */
  steps(text) {
    let parts = Array.from(toBytes(checkText(text)));
    /** @type {Step[]} */
    const steps = [];
    for (;;) {
      const ranks = parts
        .slice(1)
        .map((part, i) => this.ranks.get(parts[i] + part) ?? null);
      const chosen = lowest(parts, this.ranks);
      steps.push({ parts, ranks, chosen });
      if (chosen < 0) return steps;
      parts = [...parts];
      parts.splice(chosen, 2, parts[chosen] + parts[chosen + 1]);
    }
  }
}

/** A pattern for special tokens: where one starts with another, the longest.
 * @param {Iterable<string>} names */
export function anyOf(names) {
  const longestFirst = [...names].sort((a, b) => b.length - a.length);
  const escaped = longestFirst.map((name) =>
    name.replace(/[\^$\\.*+?()[\]{}|]/g, "\\$&"),
  );
  return new RegExp(`(${escaped.join("|") || "(?!)"})`);
}

/** The two tokens that merge into this one: what earlier merges make of it; others, if
 * no two do.
 * @param {string} token @param {Ranks} ranks */
export function splitToken(token, ranks) {
  const own = ranks.get(token) ?? Infinity;
  const parts = Array.from(token);
  while (parts.length > 2) {
    const i = lowest(parts, ranks);
    const rank = i < 0 ? Infinity : (ranks.get(parts[i] + parts[i + 1]) ?? Infinity);
    if (rank >= own) break;
    parts.splice(i, 2, parts[i] + parts[i + 1]);
  }
  return parts;
}

/**
 * The ranks in a file of this site: of each token the number of its bytes, and these.
 * @param {Uint8Array} packed @returns {Ranks}
 */
export function readPacked(packed) {
  /** @type {Ranks} */
  const ranks = new Map();
  let at = 0;
  while (at < packed.length) {
    const end = at + 1 + packed[at];
    if (end > packed.length) throw new RangeError("the vocabulary ends within a token");
    ranks.set(String.fromCharCode(...packed.subarray(at + 1, end)), ranks.size);
    at = end;
  }
  return ranks;
}
