// @ts-nocheck
import assert from "node:assert/strict";
import test from "node:test";

import { answered, standing, verdict } from "../../docs/assets/reader/answers.js";

const DAY = 24 * 3600 * 1000;
const monday = new Date(2026, 0, 5, 10).getTime(); // in the place of the reader

/** A question's record after answers, each [right, day]. */
function after(...answers) {
  return answers.reduce(
    (old, [right, day, hour = 0]) =>
      answered(old, [right ? 0 : 1], right, monday + day * DAY + hour * 3600 * 1000),
    undefined,
  );
}

test("the first wrong choice decides, or all right ones", () => {
  assert.equal(verdict([], [1]), undefined);
  assert.equal(verdict([1], [1]), true);
  assert.equal(verdict([0], [1]), false);
  assert.equal(verdict([0], [0, 2]), undefined);
  assert.equal(verdict([2, 0], [0, 2]), true);
  assert.equal(verdict([2, 1], [0, 2]), false);
});

test("an answer is added to those before it, and a hundred are kept", () => {
  const two = after([false, 0], [true, 1]);
  assert.deepEqual(two.choices, [0]);
  assert.equal(two.right, true);
  assert.deepEqual(
    two.history.map((one) => one.right),
    [false, true],
  );
  let many;
  for (let n = 0; n < 150; n++) many = answered(many, [0], true, n);
  assert.equal(many.history.length, 100);
  assert.equal(many.history[99].at, 149);
});

test("where a question stands", () => {
  const now = (day) => monday + day * DAY;
  assert.equal(standing(undefined, now(0)), "new");
  assert.equal(standing(after([true, 0]), now(5)), "right");
  assert.equal(standing(after([false, 0]), now(0)), "wrong");
  assert.equal(standing(after([false, 0]), now(5)), "wrong");
  // right on the day of the mistake: once more, on the next day
  assert.equal(standing(after([false, 0], [true, 0, 1]), now(0)), "later");
  assert.equal(standing(after([false, 0], [true, 0, 1]), now(1)), "wrong");
  assert.equal(standing(after([false, 0], [true, 0, 1], [true, 1]), now(1)), "right");
  assert.equal(standing(after([false, 0], [true, 1]), now(1)), "right");
  // a new mistake counts anew
  assert.equal(standing(after([false, 0], [true, 1], [false, 2]), now(9)), "wrong");
  assert.equal(standing(after([true, 0], [false, 1], [true, 1, 2]), now(1)), "later");
});

test("an answer of a day to come does not stick when the clock goes back", () => {
  const now = (day) => monday + day * DAY;
  const ahead = after([false, 3650], [true, 0]);
  assert.equal(standing(ahead, now(0)), "right");
  assert.equal(standing(after([false, 3650]), now(0)), "wrong");
  // right on the day of the mistake, both by the wrong clock: it comes back today
  assert.equal(standing(after([false, 3650], [true, 3650, 1]), now(0)), "wrong");
  assert.equal(standing(after([false, 3650], [true, 3650], [true, 0]), now(0)), "right");
});

test("days end at midnight, not after 24 hours", () => {
  const late = new Date(2026, 0, 5, 23, 59).getTime();
  const early = new Date(2026, 0, 6, 0, 1).getTime();
  const record = answered(answered(undefined, [1], false, late), [0], true, early);
  assert.equal(standing(record, early), "right");
});
