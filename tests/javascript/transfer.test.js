// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { LATEST, empty, wrongRecord } from "../../docs/assets/reader/schema.js";
import {
  MOST_BYTES,
  counts,
  differences,
  fileText,
  markdown,
  outcome,
  readFile,
  readText,
} from "../../docs/assets/reader/transfer.js";

const MOMENT = new Date("2026-11-25T12:00:00Z");

/** A state with something in each section. */
function full() {
  const state = empty();
  state.tasks["llm-1-a"] = { done: true, at: 1 };
  state.tasks["llm-1-b"] = { done: false, at: 2 };
  state.notes["/llm/"] = { text: "Why?\r\n\n# Not a heading", at: 3 };
  state.notes["/gone/"] = { gone: true, at: 3 };
  state.start.llm = { date: "2026-11-25", at: 4 };
  state.answers["llm-1-q"] = { choices: [1], right: false, history: [], at: 5 };
  state.cards["llm-1-f"] = { due: 9, last: 6, reps: 1, lapses: 0, at: 6 };
  return state;
}

/** @param {unknown} value */
const refusal = (value) => readText(JSON.stringify(value)).error;

test("an exported file reads back as what was exported", () => {
  const state = full();
  assert.deepEqual(readText(fileText(state, MOMENT)), { state, error: "" });
});

test("each kind of bad file gets its own message", async () => {
  assert.match(readText("").error, /not JSON/);
  assert.match(readText('{"format": "daybook-rea').error, /cut off/);
  for (const value of [null, 1, "x", [], {}, { format: "other", version: 1 }]) {
    assert.match(refusal(value), /not an export of this site/);
  }
  assert.match(refusal({ ...full(), version: 2 }), /newer version of this site \(2\)/);
  assert.match(refusal({ ...full(), version: 0 }), /damaged: version 0/);
  assert.match(refusal({ ...full(), notes: undefined }), /damaged: notes/);
  assert.match(refusal({ ...full(), extra: 1 }), /damaged: extra/);
  const large = { size: 20_000_000, text: () => assert.fail("must not be read") };
  const { error } = await readFile(large);
  assert.equal(error, "It is too large: 20.0 MB, and an export has at most 16.0 MB.");
  const broken = { size: MOST_BYTES, text: () => Promise.reject(new Error()) };
  assert.match((await readFile(broken)).error, /could not read it/);
});

test("one wrong record, and the whole file is refused, the record named", () => {
  const cases = /** @type {[string, string, unknown, string][]} */ ([
    ["tasks", "llm-1-a", { done: 1, at: 1 }, "its done is missing or wrong"],
    ["tasks", "llm-1-a", { done: true }, "its time at is missing or wrong"],
    ["tasks", "llm-1-a", { done: true, at: -1 }, "its time at is missing or wrong"],
    ["tasks", "llm-1-a", { done: true, at: 1, x: 1 }, "it has an unknown field x"],
    ["tasks", "LLM 1", { done: true, at: 1 }, "its id cannot be"],
    ["tasks", "constructor!", { done: true, at: 1 }, "its id cannot be"],
    ["notes", "plan", { text: "x", at: 1 }, "its id cannot be"],
    ["notes", "/", { text: "x".repeat(50_001), at: 1 }, "its text is missing or wrong"],
    ["start", "llm", { date: "2026-02-30", at: 1 }, "its date is missing or wrong"],
    ["start", "llm", { date: "25.11.2026", at: 1 }, "its date is missing or wrong"],
    ["start", "llm", { date: "0202-11-25", at: 1 }, "its date is missing or wrong"],
    ["start", "llm", { date: "9999-12-31", at: 1 }, "its date is missing or wrong"],
    ["tasks", "llm-1-a", { done: true, at: 8.64e15 }, "its time at is missing or wrong"],
    ["cards", "a", { due: 1, last: 2, reps: 1, lapses: 0, at: 1 }, "its due is before"],
    [
      "cards",
      "a",
      { due: 1, last: 1, reps: 1, lapses: 0, at: 1, state: 4 },
      "its state is wrong",
    ],
    [
      "cards",
      "a",
      { due: 1, last: 1, reps: 1, lapses: 0, at: 1, stability: -1 },
      "its stability is wrong",
    ],
    ["cards", "a", { due: 1, last: 1, reps: 1.5, lapses: 0, at: 1 }, "its reps is"],
    [
      "cards",
      "a",
      { due: 1, last: 1, reps: 1, lapses: 0, at: 1, ease: "2" },
      "its ease",
    ],
    ["answers", "a", { choices: 1, right: true, history: [], at: 1 }, "its choices is"],
    ["answers", "a", { choices: [], right: true, history: [1], at: 1 }, "its history"],
    ["answers", "a", null, "it is not an object"],
    ["answers", "a", { gone: true, at: 1, right: true }, "its choices is missing"],
  ]);
  for (const [section, id, record, message] of cases) {
    const state = /** @type {any} */ (full());
    state[section] = { ...state[section], [id]: record };
    const text = refusal(state);
    assert.ok(text.startsWith(`It is damaged: ${section}, ${id}: ${message}`), text);
  }
});

test("a file cannot reach the prototype of objects", () => {
  const text = fileText(full(), MOMENT).replace(
    '"llm-1-a"',
    '"__proto__": {"done": true, "at": 1}, "llm-1-a"',
  );
  assert.match(readText(text).error, /tasks, __proto__: its id cannot be/);
  assert.equal(wrongRecord("tasks", "constructor", { done: true, at: 1 }), "");
  assert.equal(/** @type {any} */ ({}).done, undefined);
});

test("what can be kept can be exported, and imported again", () => {
  const state = full();
  for (let n = 0; n <= 9000; n += 1) state.tasks[`a-${n}`] = { done: true, at: 1 };
  const emoji = "\u{1F642}".repeat(50_000);
  for (let n = 0; n < 25; n += 1) state.notes[`/${n}/`] = { text: emoji, at: LATEST };
  const text = fileText(state, MOMENT);
  assert.ok(JSON.stringify(state).length < 5 * 2 ** 20 && text.length < MOST_BYTES);
  assert.deepEqual(readText(text), { state, error: "" });
  state.notes["/0/"].text += "x";
  assert.match(refusal(state), /notes, \/0\/: its text/);
});

test("joining keeps the later of each record, replacing the file alone", () => {
  const [now, file] = [full(), full()];
  now.epoch = 100;
  now.tasks["llm-1-a"] = { done: false, at: 10 };
  file.notes["/llm/"] = { text: "later", at: 20 };
  delete file.cards["llm-1-f"];
  const joined = outcome(now, file, "join");
  assert.equal(joined.tasks["llm-1-a"].done, false);
  assert.equal(joined.notes["/llm/"].text, "later");
  assert.ok(joined.cards["llm-1-f"]);
  assert.deepEqual(outcome(now, file, "replace"), file);
});

test("differences are what a reader would see, not times", () => {
  const [before, after] = [full(), full()];
  after.tasks["llm-1-a"] = { at: 99, done: true };
  assert.deepEqual(differences(before, after), []);
  after.tasks["llm-1-b"] = { done: true, at: 99 };
  after.tasks["llm-1-c"] = { done: true, at: 99 };
  after.notes["/llm/"] = { gone: true, at: 99 };
  delete after.start.llm;
  const found = differences(before, after);
  assert.deepEqual(
    found.map(({ section, id, kind }) => `${section} ${id} ${kind}`),
    [
      "tasks llm-1-b changed",
      "tasks llm-1-c new",
      "notes /llm/ removed",
      "start llm removed",
    ],
  );
});

test("counts leave out what is removed, and tasks that are not ticked", () => {
  const expected = { tasks: 1, notes: 1, start: 1, answers: 1, cards: 1 };
  assert.deepEqual(counts(full()), expected);
});

test("Markdown has all tasks and the notes, which stay quotes", () => {
  const task = (/** @type {string} */ id, optional = false) => ({
    ...{ id, title: id, minutes: 30, url: "/" },
    optional,
  });
  const plan = {
    tracks: [{ id: "llm", title: "LLM track", url: "/llm/" }],
    days: [
      {
        ...{ id: "llm-1", track: "llm", number: 1, title: "Paper", url: "/" },
        tasks: [task("llm-1-a"), task("llm-1-b"), task("llm-1-c", true)],
      },
    ],
    pages: { "/llm/": "The track", "/plan/": "The plan" },
  };
  assert.equal(
    markdown(full(), plan, "2026-11-25"),
    [
      ...["# Daybook", "", "Wed 25 November 2026", "", "## LLM track", ""],
      ...["1 of 2 done, 30 min left; 0 of 1 optional.", "", "### Day 1: Paper", ""],
      ...["- [x] llm-1-a (30 min)", "- [ ] llm-1-b (30 min)"],
      ...["- [ ] llm-1-c (30 min)", "", "## Notes", ""],
      ...["### The track", "", "> Why?", ">", "> # Not a heading", ""],
    ].join("\n"),
  );
  assert.match(markdown(empty(), plan, "2026-11-25"), /## Notes\n\nNone yet\.\n$/);
});

test("what is kept of an id that the book has no more stays in the export", () => {
  const state = full();
  state.cards["llm-1-retired"] = { due: 9, last: 6, reps: 1, lapses: 0, at: 6 };
  state.answers["llm-1-retired"] = { choices: [1], right: false, history: [], at: 5 };
  assert.deepEqual(readText(fileText(state, MOMENT)), { state, error: "" });
});
