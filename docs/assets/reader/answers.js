// @ts-check
// What counts as an answer to a question, and when a question comes back. No DOM.

import { dayOf } from "./time.js";

/** @import { Answer } from "./types.js" */

const MOST = 100; // answers that are remembered of a question

/**
 * Whether the choices opened so far answer a question: `false` with the first wrong
 * one, `true` when all right ones are open, `undefined` before that.
 * @param {number[]} opened
 * @param {number[]} right
 * @returns {boolean | undefined}
 */
export function verdict(opened, right) {
  if (opened.some((choice) => !right.includes(choice))) return false;
  return right.every((choice) => opened.includes(choice)) || undefined;
}

/**
 * The record of a question after another answer.
 * @param {Answer | undefined} old
 * @param {number[]} choices
 * @param {boolean} right
 * @param {number} at
 * @returns {Answer}
 */
export function answered(old, choices, right, at) {
  return {
    choices,
    right,
    history: [...(old?.history ?? []), { right, at }].slice(-MOST),
  };
}

/**
 * Where a question stands.
 *
 * - `new`: not answered yet;
 * - `wrong`: to be answered again;
 * - `later`: right, but on the very day of a wrong answer, when its explanation had
 *   just been read: it comes back on the next day;
 * - `right`: never wrong, or right on another day than the last wrong answer.
 *
 * The order of answers counts, not their times: the clock may have gone back.
 * @param {Answer | undefined} answer
 * @param {number} now
 * @returns {"new" | "wrong" | "later" | "right"}
 */
export function standing(answer, now) {
  const last = answer?.history.at(-1);
  if (!answer || !last) return "new";
  const mistake = answer.history.filter((one) => !one.right).at(-1);
  if (!mistake) return "right";
  if (!last.right) return "wrong";
  if (dayOf(last.at) !== dayOf(mistake.at)) return "right";
  return dayOf(now) !== dayOf(mistake.at) ? "wrong" : "later";
}
