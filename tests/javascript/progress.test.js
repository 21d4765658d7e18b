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
 * @param {[string, number, string?][]} tasks */
const day = (number, tasks) => ({
  id: `llm-${number}`,
  track: "llm",
  number,
  title: "",
  url: "",
  tasks: tasks.map(([id, minutes, kind]) => ({
    ...{ id, minutes, title: id, url: "" },
    optional: kind === "optional",
  })),
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
  const extra = { extra: 0, extraDone: 0 };
  assert.deepEqual(sum, { all: 4, done: 2, minutes: 225, left: 120, ...extra });
  assert.equal(sentence(sum), "2 of 4 done, 2 h left");
  assert.equal(sentence(tally(tasks, () => true)), "all 4 done");
  assert.equal(sentence(tally([], () => true)), "all 0 done");
});

test("optional tasks are counted apart, and cost no minutes", () => {
  const { tasks } = day(1, [
    ["a", 60],
    ["b", 500, "optional"],
    ["c", 30],
    ["d", 0, "optional"],
  ]);
  const sum = tally(tasks, done("a", "b"));
  const extra = { extra: 2, extraDone: 1 };
  assert.deepEqual(sum, { all: 2, done: 1, minutes: 90, left: 30, ...extra });
  assert.equal(sentence(sum), "1 of 2 done, 30 min left; 1 of 2 optional");
  assert.equal(sentence(tally(tasks, done("a", "c"))), "all 2 done; 0 of 2 optional");
});

test("optional tasks are neither next nor behind", () => {
  const days = [day(1, [["a", 60, "optional"]]), day(2, [["b", 30]])];
  assert.equal(next(days, done())?.task.id, "b");
  assert.equal(next(days, done("b")), undefined);
  const open = behind(days, "2026-11-25", "2026-12-25", done());
  assert.deepEqual(
    open.map(({ id }) => id),
    ["b"],
  );
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
