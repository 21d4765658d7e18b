// @ts-check
// The safetensors format, read and written: eight bytes with the length of the header,
// the header as JSON, and the numbers of all tensors, one after the other. What
// `snippets/safetensors_file.py` does in Python.

/**
 * @typedef {object} Tensor
 * @property {number[]} shape
 * @property {Float32Array} data as many numbers as the shape says, row after row
 */
/**
 * @typedef {object} Entry what the header says of a tensor
 * @property {string} dtype
 * @property {number[]} shape
 * @property {[number, number]} data_offsets
 */

/** A file that cannot be read; its message can be shown to readers. */
export class FileError extends Error {
  name = "FileError";
}

const LONGEST_HEADER = 100_000_000; // bytes, the limit of the library
/** @typedef {{size: number, decode: (raw: ArrayBuffer) => Float32Array}} Dtype */
/** @type {Record<string, Dtype>} */
const DTYPES = {
  F32: { size: 4, decode: (raw) => new Float32Array(raw) },
  F16: { size: 2, decode: fromHalf },
  BF16: { size: 2, decode: fromBfloat16 },
};

/** Half precision, 1 + 5 + 10 bits, as single. @param {ArrayBuffer} raw */
function fromHalf(raw) {
  const halves = new Uint16Array(raw);
  const floats = new Float32Array(halves.length);
  const bits = new Uint32Array(floats.buffer);
  for (let n = 0; n < halves.length; n++) {
    const sign = (halves[n] & 0x8000) << 16;
    const exponent = (halves[n] >> 10) & 31;
    const mantissa = halves[n] & 1023;
    if (exponent === 31) bits[n] = sign | 0x7f800000 | (mantissa << 13);
    else if (exponent) bits[n] = sign | ((exponent + 112) << 23) | (mantissa << 13);
    else floats[n] = (sign ? -1 : 1) * mantissa * 2 ** -24; // subnormal, or zero
  }
  return floats;
}

/** The upper half of the bits of a single. @param {ArrayBuffer} raw */
function fromBfloat16(raw) {
  const bits = Uint32Array.from(new Uint16Array(raw), (upper) => upper << 16);
  return new Float32Array(bits.buffer);
}

/** @param {unknown} value */
function isCount(value) {
  return Number.isSafeInteger(value) && /** @type {number} */ (value) >= 0;
}

/** @param {number[]} shape */
function product(shape) {
  return shape.reduce((a, b) => a * b, 1);
}

/** @param {string} name @param {any} entry @returns {Entry} */
function checkEntry(name, entry) {
  const { dtype, shape, data_offsets: offsets } = entry ?? {};
  const areCounts = [shape, offsets].every((x) => Array.isArray(x) && x.every(isCount));
  if (typeof dtype !== "string" || !areCounts || offsets.length !== 2) {
    const found = JSON.stringify(entry).slice(0, 100);
    throw new FileError(
      `Damaged: ${name} has no dtype, shape and data_offsets: ${found}`,
    );
  }
  if (!Object.hasOwn(DTYPES, dtype)) {
    const known = Object.keys(DTYPES).join(", ");
    throw new FileError(`${name} has the dtype ${dtype}; this page reads ${known}.`);
  }
  const needed = product(shape) * DTYPES[dtype].size;
  if (offsets[1] - offsets[0] !== needed) {
    throw new FileError(
      `Damaged: ${name} has the shape [${shape}] in ${dtype}, which takes ${needed} ` +
        `bytes, and its place is bytes ${offsets[0]} to ${offsets[1]}.`,
    );
  }
  return entry;
}

/**
 * @param {Uint8Array} file
 * @returns {{header: Record<string, unknown>, start: number}}
 */
function readHeader(file) {
  if (file.length < 8) {
    throw new FileError(
      `Not a safetensors file: it has ${file.length} bytes, ` +
        "and the length of the header alone takes 8.",
    );
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > Math.min(LONGEST_HEADER, file.length - 8)) {
    throw new FileError(
      "Damaged, or not a safetensors file: its first bytes announce a header of " +
        `${length} bytes, and the file has ${file.length}.`,
    );
  }
  let header;
  try {
    const bytes = file.subarray(8, 8 + length);
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new FileError("Damaged, or not a safetensors file: its header is not JSON.");
  }
  if (!header || typeof header !== "object" || Array.isArray(header)) {
    throw new FileError("Damaged: its header is not a JSON object.");
  }
  return { header, start: 8 + length };
}

/** @param {unknown} notes @returns {Record<string, string>} */
function checkNotes(notes) {
  if (notes === undefined) return {};
  const isObject = notes && typeof notes === "object" && !Array.isArray(notes);
  if (!isObject || !Object.values(notes).every((text) => typeof text === "string")) {
    throw new FileError("Damaged: its notes (__metadata__) are not texts.");
  }
  return /** @type {Record<string, string>} */ (notes);
}

/**
 * Each byte must belong to exactly one tensor.
 * @param {[string, Entry][]} entries in the order of their places
 * @param {number} length of the data
 */
function checkPlaces(entries, length) {
  let end = 0;
  let before = "the header";
  for (const [name, { data_offsets: offsets }] of entries) {
    if (offsets[0] < end) {
      throw new FileError(
        `Damaged: ${name} overlaps ${before}: it begins at byte ${offsets[0]}, ` +
          `before byte ${end}.`,
      );
    }
    if (offsets[0] > end) {
      throw new FileError(
        `Damaged: bytes ${end} to ${offsets[0]}, before ${name}, belong to no tensor.`,
      );
    }
    if (offsets[1] > length) {
      throw new FileError(
        `Damaged: ${name} ends at byte ${offsets[1]} of ${length}: ` +
          "the file was cut off.",
      );
    }
    end = offsets[1];
    before = name;
  }
  if (end !== length) {
    throw new FileError(
      `Damaged: ${length - end} bytes at the end belong to no tensor.`,
    );
  }
}

/**
 * The tensors of a file as single precision, and the notes of its header. Throws a
 * FileError for a damaged file (each byte must belong to exactly one tensor), and for
 * numbers that are not F32, F16 or BF16.
 * @param {ArrayBuffer | Uint8Array} file
 * @returns {{tensors: Map<string, Tensor>, notes: Record<string, string>}}
 */
export function readSafetensors(file) {
  const bytes = file instanceof Uint8Array ? file : new Uint8Array(file);
  const { header, start } = readHeader(bytes);
  const { __metadata__: given, ...described } = header;
  const notes = checkNotes(given);
  const entries = Object.entries(described).map(
    ([name, entry]) => /** @type {[string, Entry]} */ ([name, checkEntry(name, entry)]),
  );
  entries.sort(([, { data_offsets: a }], [, { data_offsets: b }]) =>
    a[0] === b[0] ? a[1] - b[1] : a[0] - b[0],
  );
  checkPlaces(entries, bytes.length - start);
  const tensors = new Map();
  for (const [name, { dtype, shape, data_offsets: offsets }] of entries) {
    // a copy, since the numbers need not lie at a multiple of their size
    const from = bytes.byteOffset + start;
    const raw = bytes.buffer.slice(from + offsets[0], from + offsets[1]);
    const data = DTYPES[dtype].decode(/** @type {ArrayBuffer} */ (raw));
    tensors.set(name, { shape, data });
  }
  return { tensors, notes };
}

/**
 * The bytes of a file with these tensors in single precision, as the library orders
 * them, and notes. Throws a RangeError for data that do not fit their shape.
 * @param {Map<string, Tensor>} tensors
 * @param {Record<string, string>} [notes]
 */
export function writeSafetensors(tensors, notes = {}) {
  const names = [...tensors.keys()].sort();
  /** @type {[string, unknown][]} */
  const header = Object.keys(notes).length ? [["__metadata__", notes]] : [];
  let end = 0;
  for (const name of names) {
    const { shape, data } = /** @type {Tensor} */ (tensors.get(name));
    if (data.length !== product(shape)) {
      throw new RangeError(`${name}: ${data.length} numbers do not fit [${shape}]`);
    }
    const offsets = [end, (end += data.byteLength)];
    header.push([name, { dtype: "F32", shape, data_offsets: offsets }]);
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const length = Math.ceil(text.length / 8) * 8; // the numbers begin at a multiple of 8
  const file = new Uint8Array(8 + length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.fill(32, 8, 8 + length); // spaces
  file.set(text, 8);
  let at = 8 + length;
  for (const name of names) {
    const { data } = /** @type {Tensor} */ (tensors.get(name));
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}
