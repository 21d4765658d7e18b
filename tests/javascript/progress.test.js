// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  behind,
  dateOf,
  dateOfDay,
  duration,
  next,
  numberOf,
  sentence,
  spell,
  tally,
} from "../../docs/assets/reader/progress.js";

/** @param {number} number
 * @param {[string, number][]} tasks */
const day = (number, tasks) => ({
  id: `llm-${number}`,
  track: "llm",
  number,
  title: "",
  url: "",
  tasks: tasks.map(([id, minutes]) => ({ id, minutes, title: id, url: "" })),
});
const DAYS = [
  day(1, [["a", 60]]),
  day(2, [
    ["b", 30],
    ["c", 45],
  ]),
  day(3, [["d", 90]]),
];
/** @param {string[]} ids
 * @returns {(id: string) => boolean} */
const done =
  (...ids) =>
  (id) =>
    ids.includes(id);

test("a tally counts tasks and minutes", () => {
  const tasks = DAYS.flatMap((one) => one.tasks);
  const sum = tally(tasks, done("a", "c"));
  assert.deepEqual(sum, { all: 4, done: 2, minutes: 225, left: 120 });
  assert.equal(sentence(sum), "2 of 4 done, 2 h left");
  assert.equal(sentence(tally(tasks, () => true)), "all 4 done");
  assert.equal(sentence(tally([], () => true)), "all 0 done");
});

test("durations are in hours and minutes", () => {
  const made = [0, 45, 60, 61, 1480].map(duration);
  assert.deepEqual(made, ["0 min", "45 min", "1 h", "1 h 1 min", "24 h 40 min"]);
});

test("next is the first task that is not done, whatever is done after it", () => {
  assert.equal(next(DAYS, done("a", "d"))?.task.id, "b");
  assert.equal(next(DAYS, done())?.day.number, 1);
  assert.equal(
    next(DAYS, () => true),
    undefined,
  );
});

test("days are counted over months, years and summer time", () => {
  assert.equal(dateOfDay("2026-10-24", 3), "2026-10-26"); // clocks change in Europe
  assert.equal(dateOfDay("2026-12-28", 7), "2027-01-03");
  assert.equal(dateOfDay("2028-02-28", 2), "2028-02-29");
  assert.equal(numberOf("2026-10-24", "2026-10-26"), 3);
  assert.equal(numberOf("2026-11-25", "2026-11-25"), 1);
  assert.equal(numberOf("2026-11-25", "2026-11-24"), 0);
  for (let number = 1; number <= 400; number += 1) {
    assert.equal(numberOf("2026-11-25", dateOfDay("2026-11-25", number)), number);
  }
});

test("the date is the reader's own, just before and just after midnight", () => {
  assert.equal(dateOf(new Date(2026, 10, 25, 23, 59)), "2026-11-25");
  assert.equal(dateOf(new Date(2026, 10, 26, 0, 1)), "2026-11-26");
});

test("behind is what is open of the days before today", () => {
  const open = (/** @type {string} */ date, /** @type {string[]} */ ...ids) =>
    behind(DAYS, "2026-11-25", date, done(...ids)).map(({ id }) => id);
  assert.deepEqual(open("2026-11-25"), []);
  assert.deepEqual(open("2026-11-26"), ["a"]);
  assert.deepEqual(open("2026-11-27", "a"), ["b", "c"]);
  assert.deepEqual(open("2027-01-01", "a", "c"), ["b", "d"]);
  assert.deepEqual(open("2026-11-01"), []);
});

test("dates in words", () => {
  assert.equal(spell("2026-11-25"), "Wed 25 November");
});
