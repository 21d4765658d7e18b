// @ts-nocheck
import assert from "node:assert/strict";
import test from "node:test";

import { GPT } from "../../docs/assets/playground/gpt.js";
import { checkName } from "../../docs/assets/playground/open-model.js";
import {
  checkSampling,
  choices,
  choose,
  probabilities,
  SettingError,
  uniform,
} from "../../docs/assets/playground/sampling.js";
import {
  bpeTokenizer,
  characterTokenizer,
  pieceOf,
  TextError,
  TextStream,
} from "../../docs/assets/playground/tokens.js";
import { Reader, writeNext } from "../../docs/assets/playground/writer.js";

const CONFIG = {
  V: 7,
  context: 8,
  C: 6,
  H: 2,
  L: 2,
  rope: false,
  rms: false,
  qkNorm: false,
  activation: "tanh",
  convolution: 1,
  tied: true,
};

/** A model with weights from a fixed draw; of newer parts if asked. */
function model(isModern) {
  const config = isModern
    ? { ...CONFIG, rope: false, rms: true, convolution: 3, activation: "relu2" }
    : CONFIG;
  const tensors = new Map();
  const add = (name, ...shape) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const data = Float32Array.from({ length: size }, (_, n) => {
      return 3 * (uniform(tensors.size + 1, n) - 0.5);
    });
    tensors.set(name, { shape, data });
  };
  const { V, C, L, context } = config;
  add("token.weight", V, C);
  add("position.weight", context, C);
  const norm = (name) => !isModern && add(`${name}.weight`, C);
  norm("norm");
  for (let n = 0; n < L; n++) {
    norm(`blocks.${n}.norm1`);
    norm(`blocks.${n}.norm2`);
    add(`blocks.${n}.attention.qkv.weight`, 3 * C, C);
    add(`blocks.${n}.attention.out.weight`, C, C);
    add(`blocks.${n}.up.weight`, 4 * C, C);
    add(`blocks.${n}.down.weight`, C, 4 * C);
    if (isModern) add(`blocks.${n}.attention.mix.weight`, 3, 3 * C);
  }
  return new GPT(config, tensors);
}

for (const isModern of [false, true]) {
  test(`what was read before changes nothing (${isModern ? "modern" : "gpt2"})`, () => {
    const reader = new Reader(model(isModern));
    const texts = [
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5, 6], // one more
      [1, 2, 3], // back
      [1, 2, 3, 4, 5, 6], // and forth
      [1, 2, 0, 4, 5, 6], // another choice in the middle
      [1, 2, 0, 4, 5, 6, 1, 2, 3, 4], // the window moves
      [1, 2, 0, 4, 5, 6, 1, 2, 3, 4, 5],
      [1, 2, 0, 4], // and back
      [6],
    ];
    for (const ids of texts) {
      const fresh = new Reader(model(isModern)).read(ids);
      const { logits, start } = reader.read(ids);
      assert.deepEqual(logits, fresh.logits);
      assert.equal(start, fresh.start);
    }
  });
}

test("going back to an earlier place gives the attention of that place", () => {
  const reader = new Reader(model());
  reader.read([1, 2, 3]);
  const before = reader.model.attention();
  reader.read([1, 2, 3, 4, 5]);
  reader.read([1, 2, 3]);
  assert.deepEqual(reader.model.attention(), before);
  assert.equal(before.length, 2 * 2 * 3);
});

test("a token that is read again is one step", () => {
  const reader = new Reader(model());
  let steps = 0;
  const step = reader.model.step.bind(reader.model);
  reader.model.step = (id) => ((steps += 1), step(id));
  reader.read([1, 2, 3, 4, 5]);
  assert.equal(steps, 5);
  reader.read([1, 2, 3, 4, 5, 6]);
  reader.read([1, 2, 3, 4]);
  assert.equal(steps, 7);
});

test("tokens that cannot be are named", () => {
  const one = model();
  assert.throws(() => one.step(7), /id 7: ids lie in 0 … 6/);
  assert.throws(() => one.step(-1), /id -1/);
  assert.throws(() => one.step(0.5), /id 0.5/);
  for (let n = 0; n < 8; n++) one.step(n % 7);
  assert.throws(() => one.step(0), /the context of 8 is full/);
  assert.throws(() => one.trace([]), /0 tokens: 1 … 8 fit/);
  assert.throws(() => one.trace(Array(9).fill(0)), /9 tokens/);
  assert.throws(() => new Reader(one).read([]), /without tokens/);
});

test("only ids of the tokenizer are drawn", () => {
  const reader = new Reader(model());
  for (let n = 0; n < 50; n++) {
    const sampling = { temperature: 5, topK: 0, topP: 1 };
    assert.ok(writeNext(reader, [1, n % 7], sampling, uniform(1, n), 2).id < 2);
  }
});

test("settings that make no sense are named", () => {
  const fine = { temperature: 1, topK: 0, topP: 1 };
  checkSampling(fine);
  checkSampling({ temperature: 0, topK: 3, topP: 0.01 });
  for (const [wrong, message] of [
    [{ temperature: -1 }, /temperature=-1: it must be 0 or more/],
    [{ temperature: NaN }, /temperature=NaN/],
    [{ temperature: Infinity }, /temperature=Infinity/],
    [{ topK: -1 }, /top_k=-1/],
    [{ topK: 1.5 }, /top_k=1.5/],
    [{ topP: 0 }, /top_p=0: it must be above 0/],
    [{ topP: 1.1 }, /top_p=1.1/],
  ]) {
    assert.throws(
      () => checkSampling({ ...fine, ...wrong }),
      (error) => error instanceof SettingError && message.test(error.message),
    );
  }
});

test("draws are as even as they should be, and differ by seed and place", () => {
  const bins = new Array(10).fill(0);
  for (let n = 0; n < 10_000; n++) bins[Math.floor(10 * uniform(3, n))] += 1;
  for (const count of bins) assert.ok(count > 850 && count < 1150, `${bins}`);
  const seeds = Array.from({ length: 1000 }, (_, seed) => uniform(seed, 0));
  assert.equal(new Set(seeds).size, 1000);
  assert.ok(seeds.filter((u) => u < 0.5).length > 400);
  assert.equal(uniform(2 ** 31, 5), uniform(-(2 ** 31), 5)); // 32 bits of it
});

test("a draw never takes what has no probability", () => {
  assert.equal(choose(Float64Array.of(0, 0.3, 0, 0.7 - 1e-9, 0), 0.9999999999), 3);
  assert.equal(choose(Float64Array.of(0, 0.3, 0, 0.7), 0), 1);
  assert.equal(choose(Float64Array.of(0, 0.3, 0, 0.7), 0.3), 3);
});

test("the list of choices has what was written, likely or not", () => {
  const logits = Float32Array.of(0, 3, 1, 2);
  const drawn = probabilities(logits, { temperature: 1, topK: 2, topP: 1 });
  const list = choices(logits, drawn, 2, 0);
  assert.deepEqual(
    list.map(({ id }) => id),
    [1, 3, 0],
  );
  assert.equal(list[2].drawn, 0);
  assert.ok(list[2].model > 0);
  assert.deepEqual(choices(logits, drawn, 9, 1).length, 4);
});

test("what the vocabulary lacks is named", () => {
  const letters = characterTokenizer([..."ab🙂"]);
  assert.deepEqual(letters.encode("🙂ab"), [2, 0, 1]);
  const refuse = (text, message) =>
    assert.throws(
      () => letters.encode(text),
      (error) => error instanceof TextError && message.test(error.message),
    );
  refuse("aéb", /has never seen “é”: its vocabulary has 3 characters/);
  refuse("a\ud83d", /has never seen U\+D83D/);
  refuse("0123456789", /“7” and 2 more/);
});

const BYTES = Array.from({ length: 256 }, (_, n) => btoa(String.fromCharCode(n)));

test("half a character has no bytes", () => {
  assert.throws(() => bpeTokenizer(BYTES).encode("a\udc00"), /lone surrogate/);
});

test("characters come out whole, and a stop text not at all", () => {
  const bytes = bpeTokenizer(BYTES);
  const all = (text, stop) => {
    const stream = new TextStream(bytes, stop);
    const pieces = [];
    for (const id of bytes.encode(text)) {
      pieces.push(stream.feed(id));
      if (stream.ended) break;
    }
    return [...pieces, stream.close()];
  };
  assert.deepEqual(all("é🙂", ""), ["", "é", "", "", "", "🙂", ""]);
  assert.deepEqual(all("aababc", "abc"), ["", "a", "", "ab", "", "", ""]);
  assert.deepEqual(all("xab", "abc"), ["x", "", "", "ab"]);
  const cut = new TextStream(bytes, "");
  assert.equal(cut.feed(0xf0) + cut.close(), "\ufffd");
});

test("a token that is a part of a character is shown by its bytes", () => {
  assert.equal(pieceOf(Uint8Array.of(0xf0, 0x9f)), "\\xf0\\x9f");
  assert.equal(pieceOf(new TextEncoder().encode("\ufeffa")), "\ufeffa");
});

test("files are refused by name and size before they are read", () => {
  checkName("small.safetensors", 1000);
  assert.throws(() => checkName("best.pt", 1), /best.pt is a checkpoint.*convert pack/);
  assert.throws(() => checkName("a.safetensors", 3e8), /300 MB.*200 MB at most/);
});
