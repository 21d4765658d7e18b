// @ts-nocheck
import assert from "node:assert/strict";
import test from "node:test";

import {
  FileError,
  readSafetensors,
  writeSafetensors,
} from "../../docs/assets/playground/safetensors.js";

/** A file with this header and these numbers of bytes. */
function file(header, size = 0, { announced } = {}) {
  const text = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + text.length + size);
  const length = BigInt(announced ?? text.length);
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  bytes.set(text, 8);
  return bytes;
}

const one = (shape, ...numbers) => ({ shape, data: Float32Array.from(numbers) });
const entry = (begin, end, shape, dtype = "F32") => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

function told(bytes) {
  let message = "";
  assert.throws(
    () => readSafetensors(bytes),
    (error) => {
      message = error.message;
      return error instanceof FileError;
    },
  );
  return message;
}

test("what is written is read again, with shapes, notes and odd names", () => {
  const tensors = new Map([
    ["ü", one([2, 3], 1, -0, NaN, Infinity, 1e-45, 3.4e38)],
    ["__proto__", one([], 7)],
    ["0", one([0, 4])],
  ]);
  const notes = { format: "x", "a\n": '"' };
  const bytes = writeSafetensors(tensors, notes);
  assert.equal(bytes.length % 4, 0);
  const found = readSafetensors(bytes);
  assert.deepEqual({ ...found.notes }, notes);
  assert.deepEqual([...found.tensors.keys()].sort(), [...tensors.keys()].sort());
  for (const [name, { shape, data }] of tensors) {
    assert.deepEqual(found.tensors.get(name).shape, shape);
    assert.deepEqual(
      new Uint32Array(found.tensors.get(name).data.buffer),
      new Uint32Array(data.buffer),
    );
  }
});

test("a file may lie anywhere in memory", () => {
  const bytes = writeSafetensors(new Map([["a", one([1], 2.5)]]));
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  for (const place of [shifted.subarray(3), bytes.buffer, Buffer.from(bytes)]) {
    assert.deepEqual(
      readSafetensors(place).tensors.get("a").data,
      Float32Array.of(2.5),
    );
  }
});

test("writing refuses data that do not fit their shape", () => {
  const wrong = new Map([["a", one([2, 2], 1, 2, 3)]]);
  assert.throws(() => writeSafetensors(wrong), /a: 3 numbers do not fit \[2,2\]/);
});

test("a damaged header is named", () => {
  const html = new TextEncoder().encode("<!doctype html><title>404</title>");
  assert.match(told(new Uint8Array(0)), /it has 0 bytes/);
  assert.match(told(new Uint8Array(7)), /it has 7 bytes/);
  const cut = writeSafetensors(new Map([["a", one([1], 0)]]));
  assert.match(told(cut.subarray(0, 20)), /header of \d+ bytes, and the file has 20/);
  assert.match(told(file("{}", 0, { announced: 2n ** 63n })), /header of 9223372036/);
  assert.match(told(html), /header of/);
  assert.match(told(file("{")), /its header is not JSON/);
  assert.match(told(file("[]")), /not a JSON object/);
  assert.match(told(file("null")), /not a JSON object/);
  assert.match(told(file({ __metadata__: { a: 1 } })), /its notes/);
  assert.match(told(file({ __metadata__: [] })), /its notes/);
});

test("a damaged entry is named", () => {
  for (const wrong of [
    null,
    3,
    {},
    { dtype: "F32", shape: [1] },
    { dtype: "F32", shape: "1", data_offsets: [0, 4] },
    { dtype: 1, shape: [1], data_offsets: [0, 4] },
    { dtype: "F32", shape: [-1], data_offsets: [0, 4] },
    { dtype: "F32", shape: [1.5], data_offsets: [0, 4] },
    { dtype: "F32", shape: [1], data_offsets: [0] },
    { dtype: "F32", shape: [1], data_offsets: [0, 4, 8] },
    { dtype: "F32", shape: [1], data_offsets: [0, "4"] },
  ]) {
    assert.match(told(file({ w: wrong }, 4)), /w has no dtype, shape and data_offsets/);
  }
  assert.match(
    told(file({ w: entry(0, 8, [1], "I64") }, 8)),
    /w has the dtype I64.*F32/,
  );
  assert.match(told(file({ w: entry(0, 8, [1], "constructor") }, 8)), /constructor/);
});

test("sizes and places that do not fit are named", () => {
  const cases = [
    [{ w: entry(0, 8, [3]) }, 8, /w has the shape \[3\] in F32, which takes 12 bytes/],
    [{ w: entry(8, 4, [1]) }, 8, /w has the shape \[1\].*bytes 8 to 4/],
    [{ w: entry(0, 8, [2 ** 40, 2 ** 40]) }, 8, /w has the shape/],
    [
      { a: entry(0, 8, [2]), b: entry(4, 8, [1]) },
      8,
      /b overlaps a.*byte 4, before byte 8/,
    ],
    [{ a: entry(0, 4, [1]), b: entry(0, 4, [1]) }, 4, /b overlaps a/],
    [
      { a: entry(0, 4, [1]), b: entry(8, 12, [1]) },
      12,
      /bytes 4 to 8, before b, belong/,
    ],
    [{ a: entry(4, 8, [1]) }, 8, /bytes 0 to 4, before a, belong/],
    [{ a: entry(0, 8, [2]) }, 5, /a ends at byte 8 of 5: the file was cut off/],
    [{ a: entry(0, 4, [1]) }, 6, /2 bytes at the end belong to no tensor/],
    [{}, 1, /1 bytes at the end/],
  ];
  for (const [header, size, message] of cases) {
    assert.match(told(file(header, size)), message);
  }
});
