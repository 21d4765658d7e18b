// @ts-check
// Texts and their bytes, as the tokenizers of day 4 have them. Bytes are kept in
// strings of which each character is one byte: these can be cut, joined and looked up
// quickly.

/** @type {number[]} GPT-2's printable bytes, whose character is their own */
const PRINTABLE = [];
for (let byte = 0; byte < 256; byte++) {
  const prints = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  if (prints) PRINTABLE.push(byte);
}
const OTHERS = Array.from({ length: 256 }, (_, byte) => byte).filter(
  (byte) => !PRINTABLE.includes(byte),
);
/** The 256 bytes in GPT-2's order; a byte's id is its place. */
export const BYTES = [...PRINTABLE, ...OTHERS].map((byte) => String.fromCharCode(byte));

/** @type {Map<string, string>} */
const SHOWN = new Map(
  PRINTABLE.map((b) => [String.fromCharCode(b), String.fromCharCode(b)]),
);
OTHERS.forEach((b, n) =>
  SHOWN.set(String.fromCharCode(b), String.fromCharCode(256 + n)),
);
const HIDDEN = new Map([...SHOWN].map(([byte, shown]) => [shown, byte]));

/** Bytes in GPT-2's way of writing: those that do not print, from U+0100 on.
 * @param {string} bytes */
export function printable(bytes) {
  return Array.from(bytes, (byte) => SHOWN.get(byte)).join("");
}

/** The bytes that `printable` wrote so; of any other name, its UTF-8.
 * @param {string} name */
export function unprintable(name) {
  const letters = Array.from(name);
  if (!letters.every((letter) => HIDDEN.has(letter))) return toBytes(name);
  return letters.map((letter) => HIDDEN.get(letter)).join("");
}

const HALF = /[\ud800-\udfff]/u;

/** The text. Raises RangeError for half of a surrogate pair: it has no UTF-8.
 * @param {string} text */
export function checkText(text) {
  const found = HALF.exec(text);
  if (!found) return text;
  const code = found[0].charCodeAt(0).toString(16).toUpperCase();
  const place = Array.from(text.slice(0, found.index)).length;
  throw new RangeError(`U+${code} at ${place} is a lone surrogate: half a character`);
}

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });
const PLAIN = /^[\0-\x7f]*$/;

/** The UTF-8 of a text. @param {string} text */
export function toBytes(text) {
  return PLAIN.test(text) ? text : fromArray(encoder.encode(text));
}

/** @param {Uint8Array} array */
export function fromArray(array) {
  const parts = [];
  for (let start = 0; start < array.length; start += 8192) {
    parts.push(String.fromCharCode(...array.subarray(start, start + 8192)));
  }
  return parts.join("");
}

/** @param {string} bytes */
export function toArray(bytes) {
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0));
}

/** The text of bytes; what is not UTF-8 becomes U+FFFD. @param {string} bytes */
export function toText(bytes) {
  return PLAIN.test(bytes) ? bytes : lenient.decode(toArray(bytes));
}

/** How many bytes a text has in UTF-8. @param {string} text */
export function byteLength(text) {
  let size = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // each half of a pair stands for two of its four bytes
    const isHalf = code >= 0xd800 && code <= 0xdfff;
    size += code < 0x80 ? 1 : code < 0x800 || isHalf ? 2 : 3;
  }
  return size;
}

/**
 * @typedef {object} Run some bytes that belong together
 * @property {boolean} isText whether they are UTF-8
 * @property {string} value the text, or the bytes as `E2 80`
 */

/** Bytes for the eye: text where they are UTF-8, and numbers where they are not.
 * @param {string} bytes @returns {Run[]} */
export function runs(bytes) {
  if (PLAIN.test(bytes)) return [{ isText: true, value: bytes }];
  const array = toArray(bytes);
  /** @type {Run[]} */
  const found = [];
  for (let start = 0; start < array.length;) {
    const size = sizeOf(array[start]);
    const isWhole = size > 0 && isUtf8(array.subarray(start, start + size), size);
    const end = isWhole ? start + size : start + 1;
    const part = array.subarray(start, end);
    const value = isWhole ? strict.decode(part) : hex(part);
    const last = found.at(-1);
    if (last?.isText === isWhole) last.value += (isWhole ? "" : " ") + value;
    else found.push({ isText: isWhole, value });
    start = end;
  }
  return found;
}

/** How many bytes a character has that starts with this one. @param {number} first */
function sizeOf(first) {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

/** @param {Uint8Array} part @param {number} size */
function isUtf8(part, size) {
  if (part.length < size) return false;
  try {
    strict.decode(part);
    return true;
  } catch {
    return false;
  }
}

/** @param {Iterable<number>} array */
export function hex(array) {
  const two = (/** @type {number} */ byte) => byte.toString(16).padStart(2, "0");
  return Array.from(array, two).join(" ").toUpperCase();
}

/** Compares texts by their code points, as Python does.
 * @param {string} a @param {string} b */
export function compare(a, b) {
  const size = Math.min(a.length, b.length);
  for (let i = 0; i < size; i++) {
    let [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x === y) continue;
    // halves of pairs stand for what comes after all others
    if (x >= 0xd800 && y >= 0xd800) {
      if (x >= 0xe000) x -= 0x2000;
      else x += 0x2000;
      if (y >= 0xe000) y -= 0x2000;
      else y += 0x2000;
    }
    return x - y;
  }
  return a.length - b.length;
}
