// @ts-check
// How to use the store, and the types of store.js and schema.js. Browsers never load
// this file.
//
//   import { store } from "../reader/store.js";
//
//   store.get("tasks", "llm-3-llama")           // {done: true, at: 1764…} or undefined
//   store.all("notes")                          // {"/plan/": {text: "…", at: 176…}}
//   store.set("tasks", id, { done: true })      // `at` is added; throws if it is wrong
//   store.update("answers", id, (old) => ({…})) // from the newest record, or undefined
//   store.remove("cards", id)                   // as if it had never been there
//   const stop = store.subscribe((change) => render());
//     // after each change of data or status, here or in another tab
//     // (`change.elsewhere`); `change.sections` is the set of sections that changed
//   store.status                                // {kept, problem}, see `Status`
//
// All of these work at once and never fail for lack of storage: without it the data
// lives as long as the page, and `status` says so (`notice.js` shows it on every page).
// A section is declared in schema.js, with its type and its rules, and in schema.json.
//
// Of two records with one id the later one holds, by its time `at`. So tabs agree, and
// so do browsers that exchange files. A removed record is kept as {gone: true, at}, and
// is neither in `get` nor in `all`.
//
//   store.snapshot()                            // all of it, to export
//   store.replace(state, "import")              // all of it, at once or not at all
//   store.previous()                            // what `replace` replaced, if any
//   store.undo()                                // back to that; again: forth
//   store.forget()                              // no way back any more
//   merge(one, other)                           // of each record the later one

/** @typedef {{done: boolean}} Task a task of the plan; id: the task's */
/** @typedef {{text: string}} Note id: the page's address below the site, as `/plan/` */
/** @typedef {{date: string}} Start id: the track; `2026-11-25` */
/**
 * An answered question; id: the question's.
 * @typedef {object} Answer
 * @property {number[]} choices the choices taken last, counted from 0
 * @property {boolean} right whether they were right
 * @property {{right: boolean, at: number}[]} history earlier answers too, oldest first
 */
/**
 * A flash card; id: the fact's. Fields that a scheduler has no use for stay out.
 * @typedef {object} Card
 * @property {number} due when to show it next, in milliseconds since 1970
 * @property {number} last when it was shown last
 * @property {number} reps how often it was rated
 * @property {number} lapses how often it was forgotten
 * @property {number} [first] when it was rated first
 * @property {number} [interval] days between `last` and `due`
 * @property {number} [state] the scheduler's own: new, learning, review, relearning
 * @property {number} [step] the scheduler's own: the step within learning
 * @property {number} [stability] of FSRS
 * @property {number} [difficulty] of FSRS
 * @property {number} [ease] of SM-2
 */
/**
 * @typedef {object} Values
 * @property {Task} tasks
 * @property {Note} notes
 * @property {Start} start
 * @property {Answer} answers
 * @property {Card} cards
 */
/** @typedef {keyof Values} Section */
/**
 * A record as it is kept. `at`: when it was written; `gone`: it was removed.
 * @typedef {{at: number, gone?: true, [field: string]: unknown}} Kept
 */
/** @typedef {Record<Section, Record<string, Kept>>} Sections */
/**
 * `epoch` grows when everything is replaced: by an import, by undo. Of two states the
 * one of the later epoch holds; within an epoch the later record holds.
 * @typedef {{format: string, version: number, epoch: number} & Sections} State
 */
/**
 * @template T
 * @typedef {T & {at: number}} Stamped a record as it is read
 */
/** @typedef {{sections: Set<Section>, elsewhere: boolean}} Change */
/**
 * `kept`: whether changes outlive the page. `problem`, otherwise or beside:
 * `blocked` (the browser keeps nothing), `full`, `newer` (written by a later version of
 * the site), `damaged` (could not be read; a copy is under `daybook.damaged`).
 * @typedef {object} Status
 * @property {boolean} kept
 * @property {"" | "blocked" | "full" | "newer" | "damaged"} problem
 */
/** @typedef {{at: number, reason: string, state: State}} Previous */

export {};
