// @ts-check
// A heap: the smallest entry first.

/** @template T */
export class Heap {
  /** @type {T[]} */
  #entries = [];
  #compare;

  /** @param {(a: T, b: T) => number} compare */
  constructor(compare) {
    this.#compare = compare;
  }

  get size() {
    return this.#entries.length;
  }

  /** The smallest entry, which stays. */
  peek() {
    return this.#entries[0];
  }

  /** @param {T} entry */
  push(entry) {
    const entries = this.#entries;
    let at = entries.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#compare(entry, entries[parent]) >= 0) break;
      entries[at] = entries[parent];
      at = parent;
    }
    entries[at] = entry;
  }

  /** Take the smallest entry. @returns {T | undefined} */
  pop() {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (entries.length === 0 || last === undefined) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= entries.length) break;
      const other = child + 1;
      if (other < entries.length && this.#compare(entries[other], entries[child]) < 0) {
        child = other;
      }
      if (this.#compare(last, entries[child]) <= 0) break;
      entries[at] = entries[child];
      at = child;
    }
    entries[at] = last;
    return first;
  }
}
