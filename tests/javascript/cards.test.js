// @ts-nocheck
import assert from "node:assert/strict";
import test from "node:test";

import { queue, rate } from "../../docs/assets/reader/cards.js";
import { dayOf, length, spoken, tomorrow } from "../../docs/assets/reader/time.js";
import { LATEST, MOST_REPS, wrongRecord } from "../../docs/assets/reader/schema.js";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const monday = new Date(2026, 0, 5, 12).getTime();

test("a card goes as in the reference implementation", () => {
  // ratings, and then days and minutes, stability, difficulty and state, as given by
  // `fsrs` 6.3.2 of PyPI: Scheduler(enable_fuzzing=False, maximum_interval=365)
  const expected = [
    [3, 0, 10, 2.3065, 2.1181, 1],
    [3, 2, 0, 2.3065, 2.1112, 2],
    [3, 11, 0, 10.971, 2.1043, 2],
    [3, 46, 0, 46.3169, 2.0975, 2],
    [1, 0, 10, 2.9338, 7.3877, 3],
    [3, 3, 0, 2.9338, 7.3756, 2],
    [3, 8, 0, 7.7991, 7.3634, 2],
    [2, 14, 0, 14.4451, 8.2349, 2],
    [4, 40, 0, 39.7019, 7.6304, 2],
    [3, 79, 0, 78.9439, 7.618, 2],
  ];
  let card;
  let now = Date.UTC(2026, 0, 5, 12);
  for (const [grade, days, minutes, stability, difficulty, state] of expected) {
    card = rate(card, grade, now);
    assert.equal(card.due - now, days * DAY + minutes * MINUTE);
    assert.ok(Math.abs(card.stability - stability) < 1e-4);
    assert.ok(Math.abs(card.difficulty - difficulty) < 1e-4);
    assert.equal(card.state, state);
    assert.equal(card.last, now);
    now = card.due;
  }
  assert.equal(card.reps, expected.length);
  assert.equal(card.lapses, 1);
  assert.equal(card.first, Date.UTC(2026, 0, 5, 12));
});

test("every card fits the schema", () => {
  let card;
  for (const grade of [1, 2, 3, 4, 1, 3]) {
    card = rate(card, grade, monday);
    assert.equal(wrongRecord("cards", "llm-1-fact", { ...card, at: monday }), "");
  }
});

/** A source of chance that is the same each time (mulberry32). */
function chance(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const TIMES = [0, 1, monday - DAY, monday, monday + 7 * MINUTE, LATEST - 1, LATEST];
const VALUES = {
  due: [-1, 0.5, NaN, Infinity, LATEST + 1, ...TIMES],
  last: [-1, 0.5, "1", LATEST + 1, ...TIMES],
  reps: [-1, 0.5, 0, 1, MOST_REPS, MOST_REPS + 1],
  lapses: [-1, 0, 1, MOST_REPS, MOST_REPS + 1],
  first: [undefined, -1, ...TIMES],
  interval: [undefined, -1, 0.5, 0, 1, 36_500, 36_501],
  state: [undefined, -1, 0, 1, 2, 3, 4, 1.5],
  step: [undefined, -1, 0, 1, 2, 99, 100],
  stability: [undefined, -1, 0, 1e-9, 0.001, 1, 36_500, 1e300, NaN],
  difficulty: [undefined, 0, 0.9, 1, 5.5, 10, 10.1, Infinity],
  ease: [undefined, -1, 0, 2.5, 100, Infinity],
};

test("each card that the schema accepts can be rated, whatever the clock says", () => {
  const draw = chance(1);
  const pick = (values) => values[Math.floor(draw() * values.length)];
  // mostly what is right, so that many pass
  const usual = known(monday, 2);
  let accepted = 0;
  for (let n = 0; n < 20_000; n += 1) {
    const card = { ...usual };
    for (const [name, values] of Object.entries(VALUES)) {
      const value = draw() < 0.5 ? pick(values) : usual[name];
      if (value === undefined) delete card[name];
      else card[name] = value;
    }
    if (wrongRecord("cards", "a", { ...card, at: monday })) continue;
    accepted += 1;
    const now = pick([-5 * DAY, 8.64e15, card.last - 1, card.due + DAY, ...TIMES]);
    for (const grade of [1, 2, 3, 4]) {
      const after = rate(card, grade, now);
      const wrong = wrongRecord("cards", "a", { ...after, at: monday });
      assert.equal(wrong, "", JSON.stringify({ card, grade, now, after }));
      queue(["a"], { a: after }, 1, now);
    }
  }
  assert.ok(accepted > 1000, `${accepted}`);
});

test("a card is refused whose due is before its last, and one out of its range", () => {
  const card = { ...known(monday), at: monday };
  assert.equal(wrongRecord("cards", "a", card), "");
  const early = { ...card, due: card.last - 1 };
  assert.equal(wrongRecord("cards", "a", early), "its due is before its last");
  for (const [name, value] of [
    ...[["state", 4], ["stability", 0], ["stability", -1], ["difficulty", 0.5]],
    ...[["difficulty", 11], ["interval", 1.5], ["due", LATEST + 1], ["step", 100]],
  ]) {
    const reason = wrongRecord("cards", "a", { ...card, [name]: value });
    assert.ok(reason.startsWith(`its ${name} is`), `${name}=${value}: ${reason}`);
  }
});

test("a clock that has gone back is as one that stood still", () => {
  const fast = Date.parse("2026-06-02T00:05Z"); // seven minutes, and another day
  const now = Date.parse("2026-06-01T23:58Z");
  const again = rate(undefined, 1, fast);
  for (const grade of [1, 2, 3, 4]) {
    const [after, still] = [rate(again, grade, now), rate(again, grade, fast)];
    assert.equal(after.last, now);
    assert.equal(after.due - now, still.due - fast);
    assert.equal(after.stability, still.stability);
  }
});

test("a card that was rated years ahead is due today, and then on its day", () => {
  const ahead = rate(undefined, 4, monday + 3650 * DAY);
  const today = queue(["a"], { a: ahead }, 1, monday);
  assert.deepEqual([today.id, today.due], ["a", 1]);
  const after = rate(ahead, 3, monday);
  assert.ok(after.due < monday + 30 * DAY);
  assert.equal(queue(["a"], { a: after }, 1, monday).id, undefined);
});

test("a card that another program wrote, without optional fields, can be rated", () => {
  const card = rate({ due: monday, last: monday - DAY, reps: 1, lapses: 0 }, 3, monday);
  assert.ok(card.due > monday);
});

test("a rating that is none is named", () => {
  for (const grade of [0, 5, NaN]) {
    const message = `grade=${grade}: it must be 1, 2, 3 or 4`;
    assert.throws(() => rate(undefined, grade, monday), {
      name: "RangeError",
      message,
    });
  }
});

test("no interval is longer than a year, and a day for each better rating", () => {
  let card;
  let now = monday;
  for (let n = 0; n < 12; n++) {
    card = rate(card, 4, now);
    assert.ok(card.due - now <= 367 * DAY);
    now = card.due;
  }
  assert.ok(card.due - card.last > 300 * DAY);
});

const IDS = ["a", "b", "c", "d"];
const known = (due, state = 2, first = monday - 9 * DAY) => ({
  ...{ due, state, first, last: first, reps: 2, lapses: 0 },
});

test("new cards come in their order, as many as the day allows", () => {
  assert.deepEqual(queue(IDS, {}, 2, monday), {
    ...{ id: "a", due: 0, fresh: 2, unseen: 4, next: undefined },
  });
  const started = { a: rate(undefined, 4, monday) };
  const then = queue(IDS, started, 2, monday + MINUTE);
  assert.deepEqual([then.id, then.fresh, then.unseen], ["b", 1, 3]);
  assert.equal(queue(IDS, started, 1, monday + MINUTE).id, undefined);
  assert.equal(queue(IDS, started, 1, monday + DAY).id, "b"); // another day
  assert.equal(queue(IDS, {}, 0, monday).id, undefined);
});

test("a card of another choice counts for the day too", () => {
  const elsewhere = { z: rate(undefined, 4, monday) };
  assert.equal(queue(IDS, elsewhere, 1, monday + MINUTE).fresh, 0);
});

test("a card is due on its day, from the morning on, before new ones", () => {
  const cards = { b: known(monday + 5 * 60 * MINUTE), c: known(monday - 3 * DAY) };
  const now = queue(IDS, cards, 5, monday);
  assert.deepEqual([now.id, now.due, now.fresh], ["c", 2, 2]);
  const foreign = {
    b: { due: monday + 60 * MINUTE, last: monday, reps: 1, lapses: 0 },
  };
  assert.equal(queue(IDS, foreign, 0, monday).id, "b"); // without a state
  const before = queue(IDS, { b: known(monday + DAY) }, 0, monday);
  assert.deepEqual([before.id, before.due, before.next], [undefined, 0, monday + DAY]);
});

test("a card of the first minutes waits for them, unless nothing else is left", () => {
  const cards = { a: rate(undefined, 1, monday) }; // in a minute
  assert.equal(queue(IDS, cards, 5, monday + 1).id, "b");
  assert.equal(queue(IDS, cards, 5, monday + 2 * MINUTE).id, "a");
  assert.equal(queue(IDS, cards, 1, monday + 1).id, "a"); // no new ones left
  assert.equal(
    queue(["a"], { a: known(monday + 60 * MINUTE, 1) }, 1, monday).id,
    undefined,
  );
});

test("days and spans in words", () => {
  assert.equal(dayOf(new Date(2026, 8, 3, 23, 59).getTime()), "2026-09-03");
  assert.equal(
    tomorrow(new Date(2026, 11, 31, 5).getTime()),
    new Date(2027, 0, 1).getTime(),
  );
  assert.equal(spoken(new Date(2026, 10, 25).getTime()), "25 November 2026");
  const spans = [1, 10, 59, 60, 180, 24 * 60, 3 * 24 * 60, 90 * 24 * 60, 365 * 24 * 60];
  assert.deepEqual(
    spans.map((minutes) => length(minutes * MINUTE)),
    [
      "1 min",
      "10 min",
      "59 min",
      "1 hour",
      "3 hours",
      "1 day",
      "3 days",
      "3 months",
      "a year",
    ],
  );
});
