// @ts-check
// Counts of the pairs of neighbours in words, kept up to date while pairs merge: as
// `snippets/tokenizers/pair_index.py`, and how many pairs tie.

import { Heap } from "./heap.js";

const SPAN = 2 ** 26; // more than there are tokens: a pair is one number

/** @param {number} key @returns {[number, number]} */
export const pairOf = (key) => [Math.floor(key / SPAN), key % SPAN];
/** @param {number} first @param {number} second */
const keyOf = (first, second) => first * SPAN + second;

/** @typedef {{count: number, key: number}} Entry */

export class PairIndex {
  /** @type {Map<number, number>} */
  counts = new Map();
  /** @type {Map<number, Set<number>>} in which words a pair is, or was */
  places = new Map();
  /** @type {Map<number, number>} how many pairs have a count */
  tied = new Map();
  /** @type {Heap<Entry>} */
  #heap;

  /**
   * @param {number[][]} words @param {number[]} weights
   * @param {(a: [number, number], b: [number, number]) => number} [order] which of
   *   equally frequent pairs comes first; the one with the smaller ids, if not given
   */
  constructor(words, weights, order) {
    this.words = words;
    this.weights = weights;
    const first = order ?? ((a, b) => a[0] - b[0] || a[1] - b[1]);
    this.#heap = new Heap(
      (a, b) => b.count - a.count || first(pairOf(a.key), pairOf(b.key)),
    );
    words.forEach((word, number) => {
      for (let i = 0; i + 1 < word.length; i++) {
        this.#add(keyOf(word[i], word[i + 1]), weights[number], number);
      }
    });
    for (const [key, count] of this.counts) {
      this.#tie(count, 1);
      this.#heap.push({ count, key });
    }
  }

  /** @param {number} count @param {number} more */
  #tie(count, more) {
    this.tied.set(count, (this.tied.get(count) ?? 0) + more);
    if (this.tied.get(count) === 0) this.tied.delete(count);
  }

  /** @param {number} key @param {number} weight @param {number} number of the word */
  #add(key, weight, number) {
    this.counts.set(key, (this.counts.get(key) ?? 0) + weight);
    const places = this.places.get(key);
    if (places) places.add(number);
    else this.places.set(key, new Set([number]));
  }

  /** The pair to merge next, which stays; entries of the heap may be out of date. */
  mostFrequent() {
    for (let entry; (entry = this.#heap.peek());) {
      const count = this.counts.get(entry.key) ?? 0;
      if (count === entry.count && count > 0) return entry;
      this.#heap.pop();
      if (count > 0) this.#heap.push({ count, key: entry.key });
    }
    return undefined;
  }

  /** The pair after that one. */
  runnerUp() {
    const first = this.#heap.pop();
    let second = this.mostFrequent();
    // a pair may be in the heap twice
    while (first && second?.key === first.key) {
      this.#heap.pop();
      second = this.mostFrequent();
    }
    if (first) this.#heap.push(first);
    return second;
  }

  /**
   * Replace a pair by the token `token` in every word, from left to right; returns how
   * often that was.
   * @param {number} key @param {number} token
   */
  merge(key, token) {
    /** @type {Map<number, number>} what counts were before */
    const before = new Map([[key, this.counts.get(key) ?? 0]]);
    let merged = 0;
    for (const number of this.places.get(key) ?? []) {
      merged += this.#mergeIn(number, key, token, before);
    }
    this.places.delete(key);
    this.counts.delete(key);
    for (const [changed, old] of before) {
      const now = this.counts.get(changed) ?? 0;
      if (now === old) continue;
      if (old > 0) this.#tie(old, -1);
      if (now > 0) this.#tie(now, 1);
      if (now > old) this.#heap.push({ count: now, key: changed });
    }
    return merged;
  }

  /**
   * @param {number} number of the word @param {number} key @param {number} token
   * @param {Map<number, number>} before
   */
  #mergeIn(number, key, token, before) {
    const [word, weight] = [this.words[number], this.weights[number]];
    const [first, second] = pairOf(key);
    const change = (/** @type {number} */ pair, /** @type {number} */ more) => {
      const old = this.counts.get(pair) ?? 0;
      if (!before.has(pair)) before.set(pair, old);
      if (more > 0) this.#add(pair, more, number);
      else this.counts.set(pair, old + more);
    };
    let [merged, end] = [0, 0]; // the word is written anew, up to `end`
    for (let i = 0; i < word.length; i++) {
      if (word[i] !== first || i + 1 === word.length || word[i + 1] !== second) {
        word[end++] = word[i];
        continue;
      }
      merged += weight;
      if (end > 0) {
        change(keyOf(word[end - 1], first), -weight);
        change(keyOf(word[end - 1], token), weight);
      }
      i += 1;
      if (i + 1 < word.length) {
        change(keyOf(second, word[i + 1]), -weight);
        change(keyOf(token, word[i + 1]), weight);
      }
      word[end++] = token;
    }
    word.length = end;
    return merged;
  }
}
