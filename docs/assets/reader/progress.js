// @ts-check
// What follows from the plan, the ticks and a first day. Dates are `2026-11-25`,
// counted in whole days, so that neither time zones nor summer time move them.

/** @import { Day, Task } from "./plan-types.js" */
/**
 * @typedef {object} Tally
 * @property {number} all tasks that are not optional
 * @property {number} done
 * @property {number} minutes
 * @property {number} left
 * @property {number} extra optional tasks
 * @property {number} extraDone
 */
/** @typedef {(id: string) => boolean} IsDone */

const DAY = 86_400_000;

/**
 * How many tasks there are, how many are done, and the minutes of all and of the rest.
 * Optional ones are counted apart, and cost no minutes.
 * @param {Pick<Task, "id" | "minutes" | "optional">[]} tasks
 * @param {IsDone} isDone
 * @returns {Tally}
 */
export function tally(tasks, isDone) {
  const sum = { all: 0, done: 0, minutes: 0, left: 0, extra: 0, extraDone: 0 };
  for (const { id, minutes, optional } of tasks) {
    if (optional) {
      sum.extra += 1;
      if (isDone(id)) sum.extraDone += 1;
      continue;
    }
    sum.all += 1;
    sum.minutes += minutes;
    if (isDone(id)) sum.done += 1;
    else sum.left += minutes;
  }
  return sum;
}

/** @param {number} minutes */
export function duration(minutes) {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (!hours) return `${rest} min`;
  return rest ? `${hours} h ${rest} min` : `${hours} h`;
}

/** A tally as text, such as `2 of 3 done, 1 h 20 min left; 1 of 2 optional`.
 * @param {Tally} sum */
export function sentence({ all, done, left, extra, extraDone }) {
  const text =
    all === done ? `all ${all} done` : `${done} of ${all} done, ${duration(left)} left`;
  return extra ? `${text}; ${extraDone} of ${extra} optional` : text;
}

/**
 * The first task that is not done, or undefined; optional ones are not asked for.
 * @param {Day[]} days
 * @param {IsDone} isDone
 */
export function next(days, isDone) {
  for (const day of days) {
    const task = day.tasks.find(({ id, optional }) => !optional && !isDone(id));
    if (task) return { day, task };
  }
  return undefined;
}

/** The reader's own date of a moment.
 * @param {Date} moment */
export function dateOf(moment) {
  const [year, month, day] = [
    moment.getFullYear(),
    moment.getMonth(),
    moment.getDate(),
  ];
  return new Date(Date.UTC(year, month, day)).toISOString().slice(0, 10);
}

/** The date of a day of the track, the first being 1.
 * @param {string} start
 * @param {number} number */
export function dateOfDay(start, number) {
  return new Date(Date.parse(start) + (number - 1) * DAY).toISOString().slice(0, 10);
}

/** Which day of the track a date is: 1 at the start, 0 or less before it.
 * @param {string} start
 * @param {string} date */
export function numberOf(start, date) {
  return Math.round((Date.parse(date) - Date.parse(start)) / DAY) + 1;
}

/**
 * The tasks of days before `date` that are not done, without optional ones.
 * @param {Day[]} days
 * @param {string} start
 * @param {string} date
 * @param {IsDone} isDone
 */
export function behind(days, start, date, isDone) {
  const number = numberOf(start, date);
  const past = days.filter((day) => day.number < number).flatMap((day) => day.tasks);
  return past.filter(({ id, optional }) => !optional && !isDone(id));
}

/** A date in words, such as `Wed 25 November`.
 * @param {string} date */
export function spell(date) {
  const words = { weekday: "short", day: "numeric", month: "long", timeZone: "UTC" };
  const format = /** @type {Intl.DateTimeFormatOptions} */ (words);
  return new Date(date).toLocaleDateString("en-GB", format).replace(",", "");
}
