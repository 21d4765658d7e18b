// @ts-check
// What the reader's browser keeps, version 1: five sections, each a map from an id to a
// record. What passes here, all of the site can use; the scheduler of cards sets the
// limits of their fields. types.js has the types; `schema.json` says the same for other
// programs, and a test compares the two.

/** @import { Kept, Section, State } from "./types.js" */

export const FORMAT = "daybook-reader";
export const VERSION = 1;
export const MOST_LETTERS = 50_000; // in a note
export const LATEST = Date.UTC(10_000, 0) - 1; // the last moment of the year 9999
export const FIRST_DATE = "1970-01-01";
export const LAST_DATE = "2999-12-31";
export const MOST_REPS = 1_000_000; // ratings of a card
const MOST_DAYS = 36_500; // between two ratings, as in FSRS
const SLUG = /^[a-z0-9][a-z0-9-]{0,99}$/;
const ADDRESS = /^\/[\w/.-]{0,199}$/;

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
/** @type {(value: unknown, most?: number) => boolean} */
const isCount = (value, most = LATEST) =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= most;
/** @type {(least: number, most: number) => (value: unknown) => boolean} */
const isWithin = (least, most) => (value) =>
  typeof value === "number" && value >= least && value <= most;
/** @type {(value: unknown) => boolean} */
const isBoolean = (value) => typeof value === "boolean";

/** @type {(value: unknown) => boolean} */
function isDate(value) {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\d$/.test(value)) return false;
  if (value < FIRST_DATE || value > LAST_DATE) return false;
  const day = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value);
}

/** @type {(value: unknown) => boolean} */
function isHistory(value) {
  const isOne = (/** @type {unknown} */ one) =>
    isObject(one) &&
    Object.keys(one).length === 2 &&
    isBoolean(one.right) &&
    isCount(one.at);
  return Array.isArray(value) && value.length <= 100 && value.every(isOne);
}

/** Letters as readers count them: an emoji is one.
 * @type {(value: unknown) => boolean} */
const isNote = (value) =>
  typeof value === "string" &&
  value.length <= 2 * MOST_LETTERS &&
  (value.length <= MOST_LETTERS || [...value].length <= MOST_LETTERS);

/**
 * Of each section: what its ids look like, what its fields must be.
 * @type {Record<Section, {id: RegExp, fields: Record<string, (v: unknown) => boolean>,
 *   optional?: Record<string, (v: unknown) => boolean>}>}
 */
export const RULES = {
  tasks: { id: SLUG, fields: { done: isBoolean } },
  notes: {
    id: ADDRESS,
    fields: { text: isNote },
  },
  start: { id: SLUG, fields: { date: isDate } },
  answers: {
    id: SLUG,
    fields: {
      choices: (v) =>
        Array.isArray(v) && v.length <= 20 && v.every((one) => isCount(one, 99)),
      right: isBoolean,
      history: isHistory,
    },
  },
  cards: {
    id: SLUG,
    fields: {
      due: isCount,
      last: isCount,
      reps: (v) => isCount(v, MOST_REPS),
      lapses: (v) => isCount(v, MOST_REPS),
    },
    optional: {
      first: isCount,
      interval: (v) => isCount(v, MOST_DAYS),
      state: (v) => isCount(v, 3),
      step: (v) => isCount(v, 99),
      stability: isWithin(0.001, MOST_DAYS),
      difficulty: isWithin(1, 10),
      ease: isWithin(0, 100),
    },
  },
};
export const SECTIONS = /** @type {Section[]} */ (Object.keys(RULES));

/** A state with nothing in it.
 * @returns {State} */
export function empty() {
  return {
    format: FORMAT,
    version: VERSION,
    epoch: 0,
    ...{ tasks: {}, notes: {}, start: {}, answers: {}, cards: {} },
  };
}

/**
 * What is wrong with a record, in a few words; empty if nothing is.
 * @param {Section} section
 * @param {string} id
 * @param {unknown} record
 */
export function wrongRecord(section, id, record) {
  const { id: pattern, fields, optional = {} } = RULES[section];
  if (!pattern.test(id)) return "its id cannot be";
  if (!isObject(record)) return "it is not an object";
  if (!isCount(record.at)) return "its time at is missing or wrong";
  const names = Object.keys(record).filter((name) => name !== "at");
  if (record.gone === true && names.length === 1) return "";
  for (const name of Object.keys(fields)) {
    if (!fields[name](record[name])) return `its ${name} is missing or wrong`;
  }
  for (const name of names) {
    if (Object.hasOwn(fields, name)) continue;
    if (!Object.hasOwn(optional, name)) return `it has an unknown field ${name}`;
    if (!optional[name](record[name])) return `its ${name} is wrong`;
  }
  const isEarly = section === "cards" && Number(record.due) < Number(record.last);
  return isEarly ? "its due is before its last" : "";
}

/**
 * Read a state from a parsed file or from storage.
 *
 * `problem` is `foreign` (not ours), `newer` (of a later version) or empty; `wrong`
 * names every record that was left out of `state`.
 * @param {unknown} value
 * @returns {{state: State, problem: "" | "foreign" | "newer", wrong: string[]}}
 */
export function parse(value) {
  const state = empty();
  if (!isObject(value) || value.format !== FORMAT || !isCount(value.version)) {
    return { state, problem: "foreign", wrong: [] };
  }
  if (Number(value.version) > VERSION) return { state, problem: "newer", wrong: [] };
  const wrong = [];
  if (value.version !== VERSION) wrong.push(`version ${value.version}`);
  if (isCount(value.epoch)) state.epoch = Number(value.epoch);
  else wrong.push("epoch");
  for (const name of Object.keys(value)) {
    const isKnown = Object.hasOwn(state, name) || name === "saved";
    if (!isKnown) wrong.push(name.slice(0, 40));
  }
  for (const section of SECTIONS) {
    const records = value[section];
    if (!isObject(records)) {
      wrong.push(section);
      continue;
    }
    for (const [id, record] of Object.entries(records)) {
      const reason = wrongRecord(section, id, record);
      if (reason) wrong.push(`${section}, ${id.slice(0, 40)}: ${reason}`);
      else state[section][id] = /** @type {Kept} */ (record);
    }
  }
  return { state, problem: "", wrong };
}
