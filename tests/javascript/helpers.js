// @ts-check
// A storage that behaves like the browser's, and can be full.

import { Store } from "../../docs/assets/reader/store.js";

/** @implements {Storage} */
export class FakeStorage {
  /** @type {Map<string, string>} */
  items = new Map();
  room = Infinity; // letters, for all items together

  get length() {
    return this.items.size;
  }

  /** @param {number} index */
  key(index) {
    return [...this.items.keys()][index] ?? null;
  }

  /** @param {string} key */
  getItem(key) {
    return this.items.get(key) ?? null;
  }

  /** @param {string} key
   * @param {string} text */
  setItem(key, text) {
    const others = [...this.items].filter(([name]) => name !== key);
    const taken = others.reduce((sum, [, value]) => sum + value.length, 0);
    if (taken + text.length > this.room) {
      throw new DOMException("full", "QuotaExceededError");
    }
    this.items.set(key, text);
  }

  /** @param {string} key */
  removeItem(key) {
    this.items.delete(key);
  }

  clear() {
    this.items.clear();
  }
}

/** A clock that stands still until it is moved. */
export class Clock {
  time = 1_000;
  read = () => this.time;
}

/**
 * Tabs that share a storage and a clock.
 * @param {number} count
 */
export function tabs(count) {
  const [storage, clock] = [new FakeStorage(), new Clock()];
  const stores = Array.from(
    { length: count },
    () => new Store(() => storage, clock.read),
  );
  return { storage, clock, stores };
}
