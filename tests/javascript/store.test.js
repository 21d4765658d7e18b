// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";

import { LATEST, empty, parse } from "../../docs/assets/reader/schema.js";
import {
  DAMAGED,
  KEY,
  PREVIOUS,
  Store,
  merge,
} from "../../docs/assets/reader/store.js";
import { tabs } from "./helpers.js";

/** @param {any} text */
const read = (text) => JSON.parse(text);

test("what one tab writes, a new tab and an open tab read", () => {
  const { storage, clock, stores } = tabs(2);
  const [one, other] = stores;
  one.set("tasks", "llm-3-llama", { done: true });
  assert.deepEqual(new Store(() => storage).get("tasks", "llm-3-llama"), {
    done: true,
    at: clock.time,
  });
  assert.equal(other.get("tasks", "llm-3-llama"), undefined);
  other.refresh();
  assert.equal(other.get("tasks", "llm-3-llama")?.done, true);
});

test("two tabs that write before they hear of each other keep both records", () => {
  const [one, other] = tabs(2).stores;
  one.set("notes", "/plan/", { text: "first" });
  other.set("notes", "/llm/", { text: "second" });
  one.refresh();
  assert.deepEqual(one.snapshot(), other.snapshot());
  assert.deepEqual(Object.keys(one.all("notes")), ["/llm/", "/plan/"]);
});

test("a record that another tab has overwritten goes back into storage", () => {
  const { storage, stores } = tabs(2);
  const [one, other] = stores;
  one.set("tasks", "llm-1-a", { done: true });
  const before = storage.getItem(KEY);
  one.set("tasks", "llm-1-b", { done: true });
  storage.setItem(KEY, String(before)); // as a process that has not seen it would
  one.refresh();
  other.refresh();
  assert.equal(other.get("tasks", "llm-1-b")?.done, true);
});

test("the last writer wins, also when its clock is behind", () => {
  const { clock, stores } = tabs(2);
  const [one, other] = stores;
  clock.time = 5_000;
  one.set("notes", "/plan/", { text: "old" });
  clock.time = 1_000;
  other.set("notes", "/plan/", { text: "new" });
  one.refresh();
  assert.deepEqual(one.get("notes", "/plan/"), { text: "new", at: 5_001 });
});

test("no time that a record may have makes it stick", () => {
  for (const at of [0, 1_000, LATEST - 1, LATEST]) {
    for (const epoch of [0, LATEST]) {
      for (const time of [-1, 0.5, 1_000, LATEST, 8.64e15]) {
        const { storage, clock, stores } = tabs(1);
        clock.time = time;
        const kept = { ...empty(), epoch, tasks: { "llm-1-a": { done: true, at } } };
        storage.setItem(KEY, JSON.stringify(kept));
        stores[0].refresh();
        assert.equal(stores[0].get("tasks", "llm-1-a")?.done, true);
        stores[0].set("tasks", "llm-1-a", { done: false });
        const open = new Store(() => storage, clock.read);
        assert.deepEqual(open.status, { kept: true, problem: "" });
        assert.equal(open.get("tasks", "llm-1-a")?.done, false);
        assert.ok(open.replace(empty(), "clear"));
        const after = new Store(() => storage, clock.read);
        assert.deepEqual([after.status.problem, after.all("tasks")], ["", {}]);
      }
    }
  }
});

test("a listener that fails keeps nobody else from hearing", () => {
  const [store] = tabs(1).stores;
  /** @type {number[]} */
  const told = [];
  store.subscribe(() => {
    throw new Error("of this listener");
  });
  store.subscribe(() => told.push(1));
  store.set("tasks", "llm-1-a", { done: true });
  assert.deepEqual(told, [1]);
});

test("of two records of one moment every tab takes the same", () => {
  const [a, b] = [empty(), empty()];
  a.notes["/"] = { text: "a", at: 1 };
  b.notes["/"] = { text: "b", at: 1 };
  assert.deepEqual(merge(a, b), merge(b, a));
  assert.deepEqual(merge(a, merge(a, b)), merge(a, b));
});

test("what is removed stays removed in all tabs, and can come back", () => {
  const { clock, stores } = tabs(2);
  const [one, other] = stores;
  one.set("cards", "llm-1-fact", { due: 1, last: 1, reps: 1, lapses: 0 });
  other.refresh();
  clock.time += 1;
  one.remove("cards", "llm-1-fact");
  other.refresh();
  assert.equal(other.get("cards", "llm-1-fact"), undefined);
  assert.deepEqual(other.all("cards"), {});
  other.set("cards", "llm-1-fact", { due: 2, last: 2, reps: 1, lapses: 0 });
  one.refresh();
  assert.equal(one.get("cards", "llm-1-fact")?.due, 2);
});

test("removing what is not there writes nothing", () => {
  const { storage, stores } = tabs(1);
  stores[0].remove("tasks", "llm-1-a");
  assert.equal(storage.getItem(KEY), null);
});

test("update gets the newest record, from whichever tab", () => {
  const { stores } = tabs(2);
  for (const store of [stores[0], stores[1], stores[0]]) {
    store.update("answers", "llm-1-q", (old) => ({
      choices: [0],
      right: true,
      history: [...(old?.history ?? []), { right: true, at: 1 }],
    }));
  }
  assert.equal(stores[0].get("answers", "llm-1-q")?.history.length, 3);
});

test("a wrong record is refused by name, and changes nothing", () => {
  const { storage, stores } = tabs(1);
  const wrong = /** @type {any} */ ({ done: "yes" });
  assert.throws(() => stores[0].set("tasks", "llm-1-a", wrong), {
    name: "TypeError",
    message: "tasks, llm-1-a: its done is missing or wrong",
  });
  assert.throws(() => stores[0].set("tasks", "__proto__", { done: true }), TypeError);
  assert.equal(storage.getItem(KEY), null);
  assert.deepEqual(stores[0].snapshot(), empty());
});

test("what is read cannot be used to change the store", () => {
  const [store] = tabs(1).stores;
  store.set("notes", "/", { text: "kept" });
  /** @type {any} */ (store.get("notes", "/")).text = "changed";
  store.all("notes")["/"].text = "changed";
  store.snapshot().notes["/"].text = "changed";
  assert.equal(store.get("notes", "/")?.text, "kept");
});

test("listeners hear what changed, here or elsewhere, and only then", () => {
  const [one, other] = tabs(2).stores;
  /** @type {[string[], boolean][]} */
  const heard = [];
  const stop = one.subscribe(({ sections, elsewhere }) =>
    heard.push([[...sections], elsewhere]),
  );
  one.set("tasks", "llm-1-a", { done: true });
  other.refresh();
  other.set("notes", "/", { text: "x" });
  one.refresh();
  one.refresh();
  assert.deepEqual(heard, [
    [["tasks"], false],
    [["notes"], true],
  ]);
  stop();
  one.set("tasks", "llm-1-a", { done: false });
  assert.equal(heard.length, 2);
});

test("without storage everything works until the page is left", () => {
  const blocked = new Store(() => {
    throw new DOMException("denied", "SecurityError");
  });
  assert.deepEqual(blocked.status, { kept: false, problem: "blocked" });
  blocked.set("notes", "/", { text: "x" });
  assert.equal(blocked.get("notes", "/")?.text, "x");
  assert.ok(blocked.replace(empty(), "clear"));
  assert.equal(blocked.get("notes", "/"), undefined);
  assert.ok(blocked.undo());
  assert.equal(blocked.get("notes", "/")?.text, "x");
});

test("storage that fails while the page is open is as good as none", () => {
  const { storage, stores } = tabs(1);
  storage.getItem = () => {
    throw new DOMException("denied", "SecurityError");
  };
  stores[0].set("notes", "/", { text: "x" });
  assert.equal(stores[0].get("notes", "/")?.text, "x");
  assert.deepEqual(stores[0].status, { kept: false, problem: "blocked" });
});

test("a full storage is told, and what was written goes in when there is room", () => {
  const { storage, stores } = tabs(1);
  const [store] = stores;
  store.set("notes", "/", { text: "kept" });
  storage.room = 200;
  store.set("notes", "/plan/", { text: "x".repeat(300) });
  assert.deepEqual(store.status, { kept: false, problem: "full" });
  assert.equal(store.get("notes", "/plan/")?.text.length, 300);
  assert.equal(Object.keys(read(storage.getItem(KEY)).notes).length, 1);
  storage.room = Infinity;
  store.set("tasks", "llm-1-a", { done: true });
  assert.deepEqual(store.status, { kept: true, problem: "" });
  assert.equal(read(storage.getItem(KEY)).notes["/plan/"].text.length, 300);
});

test("damaged data are put aside, and what can be read is kept", () => {
  const { storage } = tabs(0);
  for (const [text, notes] of /** @type {const} */ ([
    ["{cut o", 0],
    ['{"format":"other","version":1}', 0],
    [
      JSON.stringify({
        ...empty(),
        notes: { "/": { text: "x", at: 1 }, "/plan/": { text: 1, at: 1 } },
      }),
      1,
    ],
  ])) {
    storage.setItem(KEY, text);
    const store = new Store(() => storage);
    assert.deepEqual(store.status, { kept: true, problem: "damaged" });
    assert.equal(storage.getItem(DAMAGED), text);
    assert.equal(Object.keys(store.all("notes")).length, notes);
    store.refresh();
    assert.equal(parse(read(storage.getItem(KEY))).wrong.length, 0);
    assert.equal(new Store(() => storage).status.problem, "");
  }
});

test("what a newer version has written is never overwritten", () => {
  const { storage, stores } = tabs(1);
  const text = JSON.stringify({ format: "daybook-reader", version: 2, tasks: [] });
  storage.setItem(KEY, text);
  let told = 0;
  stores[0].subscribe(() => (told += 1));
  stores[0].refresh();
  assert.deepEqual(stores[0].status, { kept: false, problem: "newer" });
  assert.equal(told, 1);
  stores[0].set("tasks", "llm-1-a", { done: true });
  assert.ok(stores[0].replace(empty(), "import"));
  assert.equal(storage.getItem(KEY), text);
});

test("when the reader clears the storage, open tabs forget too", () => {
  const { storage, stores } = tabs(1);
  stores[0].set("tasks", "llm-1-a", { done: true });
  storage.clear();
  stores[0].refresh();
  assert.deepEqual(stores[0].all("tasks"), {});
  assert.equal(storage.getItem(KEY), null);
});

test("replacing holds in all tabs, and undo goes back and forth", () => {
  const { clock, stores } = tabs(2);
  const [one, other] = stores;
  one.set("tasks", "llm-1-a", { done: true });
  other.refresh();
  clock.time = 9_000;
  const state = empty();
  state.tasks["llm-2-b"] = { done: true, at: 5 };
  assert.ok(one.replace(state, "import"));
  other.refresh();
  assert.deepEqual(Object.keys(other.all("tasks")), ["llm-2-b"]);
  assert.equal(other.previous()?.reason, "import");
  assert.equal(other.previous()?.at, 9_000);
  assert.ok(other.undo());
  one.refresh();
  assert.deepEqual(Object.keys(one.all("tasks")), ["llm-1-a"]);
  assert.ok(one.undo());
  other.refresh();
  assert.deepEqual(Object.keys(other.all("tasks")), ["llm-2-b"]);
  one.forget();
  assert.equal(other.previous(), undefined);
  assert.equal(one.undo(), false);
});

test("a tab that has not heard of a replacement does not bring old data back", () => {
  const [one, other] = tabs(2).stores;
  one.set("tasks", "llm-1-a", { done: true });
  other.refresh();
  one.replace(empty(), "clear");
  other.set("tasks", "llm-1-b", { done: true });
  one.refresh();
  assert.deepEqual(Object.keys(one.all("tasks")), ["llm-1-b"]);
});

test("a replacement that does not fit changes nothing at all", () => {
  const { storage, stores } = tabs(1);
  const [store] = stores;
  store.set("notes", "/", { text: "kept" });
  const before = [...storage.items];
  const state = empty();
  state.notes["/plan/"] = { text: "x".repeat(1000), at: 1 };
  for (const room of [150, 600]) {
    storage.room = room; // no room for the earlier state; room for that one only
    assert.equal(store.replace(state, "import"), false);
    assert.deepEqual([...storage.items], before);
    assert.equal(store.get("notes", "/")?.text, "kept");
    assert.equal(store.previous(), undefined);
  }
  assert.equal(storage.getItem(PREVIOUS), null);
});
