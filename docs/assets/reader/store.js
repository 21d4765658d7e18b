// @ts-check
// The reader's data in the reader's browser: one JSON text in localStorage, the same in
// every tab. How to use it is written in types.js, which browsers need not load.

import { LATEST, SECTIONS, empty, parse, wrongRecord } from "./schema.js";

/**
 * @import { Change, Kept, Previous, Section, Stamped, State, Status, Values }
 *   from "./types.js"
 */

export const KEY = "daybook";
export const PREVIOUS = "daybook.previous";
export const DAMAGED = "daybook.damaged";

/**
 * Of each record the later one. Of different epochs, the later one alone.
 * @param {State} one
 * @param {State} other
 * @returns {State}
 */
export function merge(one, other) {
  if (one.epoch !== other.epoch) return one.epoch > other.epoch ? one : other;
  const merged = { ...empty(), epoch: one.epoch };
  for (const section of SECTIONS) {
    const [a, b] = [one[section], other[section]];
    for (const id of Object.keys({ ...a, ...b }).sort()) {
      merged[section][id] = later(a[id], b[id]);
    }
  }
  return merged;
}

/** @type {(a: Kept | undefined, b: Kept | undefined) => Kept} */
function later(a, b) {
  if (!a || !b) return /** @type {Kept} */ (a ?? b);
  if (a.at !== b.at) return a.at > b.at ? a : b;
  // either would do, but all tabs must take the same
  return JSON.stringify(a) > JSON.stringify(b) ? a : b;
}

/** @type {(one: State, other: State) => Set<Section>} */
function different(one, other) {
  const text = JSON.stringify;
  return new Set(SECTIONS.filter((name) => text(one[name]) !== text(other[name])));
}

/** A moment as records may have it, whatever the clock says.
 * @param {number} moment */
function inRange(moment) {
  return Math.min(Math.max(Math.trunc(moment) || 0, 0), LATEST);
}

/** @type {(epoch: number, now: number) => number} */
const nextEpoch = (epoch, now) => (epoch < LATEST ? Math.max(now, epoch + 1) : now);

/** The reader's data, and the storage behind it. */
export class Store {
  /** @type {State} */
  #state = empty();
  /** @type {Storage | undefined} */
  #storage;
  /** @type {string | null} what storage held when we last looked */
  #seen = null;
  /** @type {Previous | undefined} where storage cannot hold it */
  #previous;
  /** @type {Set<(change: Change) => void>} */
  #listeners = new Set();
  #now;
  /** @type {Status} */
  status = { kept: true, problem: "" };

  /**
   * @param {() => Storage | undefined} storage may throw, as `localStorage` does where
   *   it is blocked
   * @param {() => number} now
   */
  constructor(storage, now = Date.now) {
    this.#now = now;
    try {
      this.#storage = storage();
    } catch {
      this.#storage = undefined;
    }
    if (this.#storage) this.#look();
    else this.status = { kept: false, problem: "blocked" };
  }

  /**
   * @template {Section} S
   * @param {S} section
   * @param {string} id
   * @returns {Stamped<Values[S]> | undefined}
   */
  get(section, id) {
    const records = this.#state[section];
    const record = Object.hasOwn(records, id) ? records[id] : undefined;
    return record?.gone ? undefined : /** @type {any} */ (structuredClone(record));
  }

  /**
   * @template {Section} S
   * @param {S} section
   * @returns {Record<string, Stamped<Values[S]>>}
   */
  all(section) {
    const present = Object.entries(this.#state[section]).filter(([, r]) => !r.gone);
    return /** @type {any} */ (structuredClone(Object.fromEntries(present)));
  }

  /**
   * @template {Section} S
   * @param {S} section
   * @param {string} id
   * @param {Values[S]} value
   */
  set(section, id, value) {
    this.update(section, id, () => value);
  }

  /**
   * Change a record; `change` gets the newest one and returns the new one, or undefined
   * to remove it. Throws `TypeError` for a record that schema.js does not allow.
   * @template {Section} S
   * @param {S} section
   * @param {string} id
   * @param {(old: Stamped<Values[S]> | undefined) => Values[S] | undefined} change
   */
  update(section, id, change) {
    const before = this.#state;
    this.#look();
    const value = change(this.get(section, id));
    const [now, last] = [inRange(this.#now()), this.#state[section][id]?.at ?? -1];
    const isFull = last >= LATEST; // no moment is left after it: a new epoch begins
    const at = isFull ? now : Math.max(now, last + 1);
    const epoch = isFull ? nextEpoch(this.#state.epoch, now) : this.#state.epoch;
    const record = value === undefined ? { gone: true, at } : { ...value, at };
    const wrong = wrongRecord(section, id, record);
    if (wrong) throw new TypeError(`${section}, ${id}: ${wrong}`);
    const records = { ...this.#state[section], [id]: structuredClone(record) };
    this.#state = { ...this.#state, epoch, [section]: records };
    this.#write();
    this.#tell(before, false);
  }

  /**
   * @param {Section} section
   * @param {string} id
   */
  remove(section, id) {
    if (this.get(section, id)) this.update(section, id, () => undefined);
  }

  /**
   * @param {(change: Change) => void} listener
   * @returns {() => void} ends the subscription
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Everything, as a copy.
   * @returns {State} */
  snapshot() {
    return structuredClone(this.#state);
  }

  /**
   * Put another state in place of this one, in all tabs. What was there before is kept
   * for `undo`. If storage cannot hold both, nothing changes, and the result is false.
   * @param {State} state
   * @param {string} reason shown to the reader beside *Undo*: `import`, `undo`, `clear`
   */
  replace(state, reason) {
    this.#look();
    const before = this.#state;
    const at = inRange(this.#now());
    const previous = { at, reason, state: before };
    const older = this.#storage?.getItem(PREVIOUS) ?? null;
    this.#state = structuredClone(state);
    this.#state.epoch = nextEpoch(before.epoch, at);
    if (this.#isWritable()) {
      try {
        this.#storage?.setItem(PREVIOUS, JSON.stringify(previous));
        this.#put();
        this.status = { kept: true, problem: "" };
      } catch {
        this.#restore(PREVIOUS, older);
        if (this.status.kept) {
          this.#state = before;
          return false;
        }
      }
    }
    this.#previous = previous;
    this.#tell(before, false);
    return true;
  }

  /** What the last `replace` replaced.
   * @returns {Previous | undefined} */
  previous() {
    if (!this.status.kept) return this.#previous;
    try {
      const { at, reason, state } = JSON.parse(this.#storage?.getItem(PREVIOUS) ?? "");
      const read = parse(state);
      if (read.problem || at !== inRange(at)) return undefined;
      return { at, reason: `${reason}`, state: read.state };
    } catch {
      return undefined;
    }
  }

  /** Back to what the last `replace` replaced; false if there is nothing. */
  undo() {
    const previous = this.previous();
    return previous ? this.replace(previous.state, "undo") : false;
  }

  /** Drop what `previous` would give, and the copy of damaged data. */
  forget() {
    this.#previous = undefined;
    this.#restore(PREVIOUS, null);
    this.#restore(DAMAGED, null);
  }

  /** Take over what other tabs have written. Called when they say so. */
  refresh() {
    const [before, status] = [this.#state, this.status];
    this.#look();
    // what of ours is later than theirs goes back to them
    if (this.status.kept && this.#seen !== null && this.#text() !== this.#seen) {
      this.#write();
    }
    this.#tell(before, true, status !== this.status);
  }

  /** Join what is in storage with what is here. */
  #look() {
    if (!this.#storage || !this.#isWritable()) return;
    let text;
    try {
      text = this.#storage.getItem(KEY);
    } catch {
      this.#storage = undefined;
      this.status = { kept: false, problem: "blocked" };
      return;
    }
    if (text === this.#seen) return;
    this.#seen = text;
    if (text === null) {
      // cleared by the reader, in another tab or in the settings
      this.#state = empty();
      return;
    }
    let read;
    try {
      read = parse(JSON.parse(text));
    } catch {
      read = parse(undefined);
    }
    if (read.problem === "newer") {
      this.status = { kept: false, problem: "newer" };
    } else {
      if (read.problem || read.wrong.length) {
        this.#restore(DAMAGED, text);
        this.status = { kept: true, problem: "damaged" };
      }
      this.#state = merge(this.#state, read.state);
    }
  }

  #isWritable() {
    return this.#storage !== undefined && this.status.problem !== "newer";
  }

  /** The text that goes into storage: the same for the same data. */
  #text() {
    return JSON.stringify(merge(this.#state, this.#state));
  }

  #put() {
    const text = this.#text();
    this.#storage?.setItem(KEY, text);
    this.#seen = text;
  }

  #write() {
    if (!this.#isWritable()) return;
    try {
      this.#put();
      if (!this.status.kept) this.status = { kept: true, problem: "" };
    } catch {
      this.status = { kept: false, problem: "full" };
    }
  }

  /** @type {(key: string, text: string | null) => void} */
  #restore(key, text) {
    try {
      if (text === null) this.#storage?.removeItem(key);
      else this.#storage?.setItem(key, text);
    } catch {
      // storage is full: the copy is lost, the data are not
    }
  }

  /** @type {(before: State, elsewhere: boolean, always?: boolean) => void} */
  #tell(before, elsewhere, always = false) {
    const sections = different(before, this.#state);
    if (!sections.size && !always) return;
    for (const listener of [...this.#listeners]) {
      try {
        listener({ sections, elsewhere });
      } catch (error) {
        globalThis.reportError?.(error); // page.js tells the reader; the others go on
      }
    }
  }
}

/** The one of this page. */
export const store = new Store(() => globalThis.localStorage);

globalThis.addEventListener?.("storage", ({ key }) => {
  if (key === KEY || key === null) store.refresh();
});
// a page that slept, or comes back by the Back button, has missed what others wrote
globalThis.addEventListener?.("pageshow", () => store.refresh());
globalThis.document?.addEventListener("visibilitychange", () => store.refresh());
