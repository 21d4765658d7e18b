// @ts-nocheck
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { readSafetensors } from "../../docs/assets/playground/safetensors.js";
import { compiled, fastest, plain } from "../../docs/assets/playground/train/kernel.js";
import { Model, problem } from "../../docs/assets/playground/train/model.js";
import { Random } from "../../docs/assets/playground/train/random.js";
import { rateFactor } from "../../docs/assets/playground/train/recipe.js";
import { Session } from "../../docs/assets/playground/train/session.js";
import {
  readAddress,
  settings,
  USUAL,
  writeAddress,
} from "../../docs/assets/playground/train/settings.js";
import { readCorpus } from "../../docs/assets/playground/train/text.js";
import { Training } from "../../docs/assets/playground/train/training.js";

const FOLDER = "../../docs/assets/playground/train/";
const file = (name) => readFileSync(new URL(FOLDER + name, import.meta.url));
const kernel = () => compiled(file("simd.wasm"));
const SMALL = { context_length: 16, d_model: 32, n_heads: 1, n_layers: 1 };
const RHYME = "the rain in spain stays mainly in the plain, ".repeat(40);
const DIGITS = "0123456789".repeat(40);

/** A run of a small model whose clock goes on by 10 ms whenever it is read. */
async function small({ text = RHYME, rate = 1, seconds = 3, on = kernel } = {}) {
  const told = [];
  let time = 0;
  const plan = { ...settings({ ...USUAL, seconds }), sizes: SMALL, batch: 4 };
  const clock = () => (time += 10);
  const corpus = readCorpus(text, SMALL.context_length);
  const session = new Session(await on(), corpus, plan, (t) => told.push(t), clock);
  session.rate = rate;
  return { session, told, all: (is) => told.filter((t) => t.is === is) };
}

function runThrough(session) {
  for (let n = 0; n < 10_000 && !session.isOver; n++) session.work();
  assert.ok(session.isOver);
}

test("the last tenth of a text is held out, and ids follow code points", () => {
  const corpus = readCorpus(DIGITS, 16);
  assert.equal(corpus.characters.join(""), "0123456789");
  assert.equal(corpus.train.length, 360);
  assert.deepEqual([...corpus.validation.slice(0, 3)], [0, 1, 2]);
  // by UTF-16 units the emoji, D83D…, would come before U+FF01
  const mixed = readCorpus("\u{1F600}！a".repeat(200), 16);
  assert.deepEqual(mixed.characters, ["a", "！", "\u{1F600}"]);
  assert.equal(mixed.train.length, 540); // characters, not units
});

test("another text is held out where one is given", () => {
  const corpus = readCorpus(DIGITS, 16, "x".repeat(99));
  assert.equal(corpus.train.length, 400);
  assert.deepEqual([...new Set(corpus.validation)], [10]);
});

test("a text that cannot be trained on is refused in words", () => {
  const refused = (text, words) =>
    assert.throws(() => readCorpus(text, 64), { name: "TextError", message: words });
  refused("", /is empty/);
  refused("a", /has 1 character, which is too short.* it takes 1,290:/);
  refused("ab".repeat(400), /has 800 characters, which is too short/);
  refused("a".repeat(2000), /is "a" all over/);
  refused(`abc\uD83D${RHYME}`, /half a character \(U\+D83D, .* at place 4\b/);
  refused(`${RHYME}\uDE00`, /U\+DE00/);
  refused("a".repeat(20_000_001), /20,000,001 characters; at most 20,000,000/);
  const many = Array.from({ length: 2000 }, (_, n) => String.fromCodePoint(0x4e00 + n));
  refused(many.join(""), /2,000 different characters; at most 1,000/);
});

test("ten million characters are read within seconds, and are all there", () => {
  const corpus = readCorpus("abcdefghij".repeat(1_000_000), 64);
  assert.equal(corpus.train.length + corpus.validation.length, 10_000_000);
});

test("random numbers repeat with the seed, and have the right distribution", () => {
  const draws = (seed, draw) => {
    const random = new Random(seed);
    return Array.from({ length: 20_000 }, () => draw(random));
  };
  const mean = (values) => values.reduce((a, b) => a + b) / values.length;
  const normal = draws(1, (r) => r.normal());
  assert.deepEqual(
    draws(1, (r) => r.normal()),
    normal,
  );
  assert.notDeepEqual(
    draws(2, (r) => r.normal()),
    normal,
  );
  assert.ok(Math.abs(mean(normal)) < 0.03);
  assert.ok(Math.abs(mean(normal.map((x) => x * x)) - 1) < 0.05);
  const dice = draws(3, (r) => r.below(6));
  for (let side = 0; side < 6; side++) {
    const part = dice.filter((found) => found === side).length / dice.length;
    assert.ok(Math.abs(part - 1 / 6) < 0.015);
  }
});

test("learning rates are constant, then fall to zero", () => {
  assert.deepEqual(
    [0, 0.3, 0.65, 1, 1.1].map((done) => rateFactor(done, 0.7)),
    [1, 1, (1 - 0.65) / 0.7, 0, 0],
  );
});

test("sizes that do not divide are refused with their values", async () => {
  const sizes = { ...SMALL, vocab_size: 9, d_model: 36 };
  assert.match(problem(sizes), /d_model=36 must divide by 8 × n_heads=1/);
  const made = await kernel();
  assert.throws(() => new Model(made, sizes, 4), RangeError);
  assert.match(problem({ ...sizes, n_layers: 0 }), /n_layers=0/);
});

test("the compiled functions are taken, and JavaScript where they fail", async () => {
  assert.equal((await fastest(file("simd.wasm"))).kind, "wasm");
  assert.equal((await fastest(file("shakespeare.txt"))).kind, "js");
});

for (const [name, on] of [
  ["WebAssembly", kernel],
  ["JavaScript", async () => plain()],
]) {
  test(`a run learns a rhyme, in ${name}`, async () => {
    const { session, all } = await small({ on });
    runThrough(session);
    const losses = all("validation").map((told) => told.loss);
    const { characters } = session.corpus;
    assert.ok(Math.abs(losses[0] - Math.log(characters.length)) < 1e-4);
    assert.ok(losses.at(-1) < 0.5);
    const [end] = all("end");
    assert.equal(end.reason, "time");
    assert.equal(all("ready")[0].kind, name === "JavaScript" ? "js" : "wasm");
    assert.match(all("sample").at(-1).text, /rain|plain|stays|mainly/);
    assert.ok(Math.abs(all("progress").at(-1).seconds - 3) < 0.1);
  });
}

test("the same seed makes the same run", async () => {
  const losses = async () => {
    const { session, all } = await small({ seconds: 1 });
    runThrough(session);
    return all("validation").map((told) => told.loss);
  };
  assert.deepEqual(await losses(), await losses());
});

test("a run that diverges stops, and keeps the last good weights", async () => {
  const { session, all } = await small({ rate: 1e6, seconds: 30 });
  runThrough(session);
  const [end] = all("end");
  assert.equal(end.reason, "diverged");
  assert.ok(!(end.found < 10 * Math.log(session.corpus.characters.length)));
  assert.ok(end.loss <= Math.log(session.corpus.characters.length) + 1e-4);
  assert.ok(session.training.copy().every(Number.isFinite));
});

test("weights that became no numbers are not kept either", async () => {
  const { session, all } = await small({ seconds: 30 });
  for (let n = 0; n < 20; n++) session.work();
  session.training.model.view(session.training.model.parameters[1])[0] = NaN;
  runThrough(session);
  const [end] = all("end");
  assert.equal(end.reason, "diverged");
  assert.ok(Number.isNaN(end.found) && Number.isFinite(end.loss));
  assert.ok(session.training.copy().every(Number.isFinite));
});

test("a run can be ended early, and gone on with", async () => {
  const { session, all } = await small({ seconds: 30 });
  session.work();
  session.finish();
  assert.equal(all("end")[0].reason, "asked");
  const steps = session.training.step;
  session.more(2);
  runThrough(session);
  assert.ok(session.training.step > steps);
  assert.equal(all("end")[1].reason, "time");
  session.finish(); // nothing is left to end
  assert.equal(all("end").length, 2);
});

test("a prompt is gone on with; characters that are not known are named", async () => {
  const { session, all } = await small();
  runThrough(session);
  session.write("the rain in sp", 6, 0.1, 1);
  assert.equal(all("written")[0].text, "ain st");
  session.write("", 5, 1, 1);
  assert.equal(all("written")[1].text.length, 5);
  assert.throws(() => session.write("Öl!", 5, 1, 1), {
    name: "TextError",
    message: /does not know "Ö", "!"/,
  });
  session.write("the rain in spain stays mainly in the pl", 3, 0.1, 1); // over a window
  assert.equal(all("written")[2].text, "ain");
});

test("what is saved are the weights, and a card that says how they were made", async () => {
  const { session, all } = await small();
  runThrough(session);
  session.save("a rhyme", "2026-11-30");
  const [{ weights, card }] = all("saved");
  const { tensors, notes } = readSafetensors(weights);
  const { model } = session.training;
  assert.equal(tensors.size, model.parameters.length);
  for (const parameter of model.parameters) {
    const { shape, data } = tensors.get(parameter.name);
    assert.deepEqual(shape, parameter.shape);
    assert.deepEqual(data, model.view(parameter).slice());
  }
  assert.equal(notes.architecture, "modern");
  const told = JSON.parse(card);
  assert.equal(told.data, "a rhyme");
  assert.equal(told.date, "2026-11-30");
  assert.ok(Math.abs(told.validation_loss - all("end")[0].loss) < 1e-4);
  assert.equal(told.model.vocab_size, session.corpus.characters.length);
});

test("the weights at the start are those of the lesson", async () => {
  const corpus = readCorpus(RHYME, 64);
  const plan = settings(USUAL);
  const { model } = new Training(await kernel(), corpus, plan);
  const deviation = (name) => {
    const parameter = model.parameters.find((p) => p.name.endsWith(name));
    const weights = model.view(parameter);
    return Math.sqrt(weights.reduce((sum, w) => sum + w * w, 0) / weights.length);
  };
  assert.ok(Math.abs(deviation("token.weight") - 1) < 0.1);
  assert.ok(Math.abs(deviation("qkv.weight") - 0.5 / 8) < 0.002);
  assert.ok(Math.abs(deviation("up.weight") - 0.5 / 8) < 0.002);
  for (const name of ["out.weight", "down.weight", "head.weight"]) {
    assert.equal(deviation(name), 0);
  }
});

test("choices go into the address and come back; nonsense is the usual", () => {
  assert.equal(writeAddress(USUAL), "");
  const chosen = { size: 0, rate: 10, seconds: 300, optimizer: "adamw", seed: 7 };
  assert.deepEqual(readAddress(writeAddress(chosen)), chosen);
  assert.deepEqual(
    readAddress("?size=99&rate=-1&seconds=7&optimizer=x&seed=1.5"),
    USUAL,
  );
  assert.deepEqual(readAddress("?size=&rate=NaN&seed=1e99"), USUAL);
});
