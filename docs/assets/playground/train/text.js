// @ts-check
// A text as numbers: each character is a token, as with the book's `CharTokenizer`.

/**
 * @typedef {object} Corpus
 * @property {string[]} characters the vocabulary, in the order of code points
 * @property {Uint16Array} train
 * @property {Uint16Array} validation what no model is trained on
 */

/** A text that cannot be trained on; its message can be shown to readers. */
export class TextError extends Error {
  name = "TextError";
}

export const MOST_CHARACTERS = 20_000_000; // of a text
const MOST_DIFFERENT = 1_000;
const HELD_OUT = 0.1; // of a text, at its end
const FEWEST_WINDOWS = 2; // in either part

const whole = new Intl.NumberFormat("en");

/** Throws a TextError for half a character. @param {string} text */
function checkWhole(text) {
  const half = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;
  const found = half.exec(text);
  if (!found) return;
  const code = found[0].charCodeAt(0).toString(16).toUpperCase();
  throw new TextError(
    `The text has half a character (U+${code}, a lone surrogate) at place ` +
      `${whole.format(found.index + 1)}. Delete it, and start again.`,
  );
}

/** A text as code points. @param {string} text */
function codePoints(text) {
  const made = new Uint32Array(text.length);
  let count = 0;
  for (let n = 0; n < text.length; n++) {
    const code = Number(text.codePointAt(n));
    made[count++] = code;
    if (code > 0xffff) n += 1; // it took two units
  }
  return made.subarray(0, count);
}

/** The different code points of texts, in their order. @param {Uint32Array[]} texts */
function different(texts) {
  const isThere = new Uint8Array(0x110000);
  for (const codes of texts) for (const code of codes) isThere[code] = 1;
  const found = [];
  for (const [code, here] of isThere.entries()) if (here) found.push(code);
  return found;
}

/** @param {Uint32Array} codes @param {Uint16Array} ids of each code point */
function encode(codes, ids) {
  const made = new Uint16Array(codes.length);
  for (let n = 0; n < codes.length; n++) made[n] = ids[codes[n]];
  return made;
}

/**
 * A text in two parts, as numbers; the last tenth is held out, unless another text is
 * given for that. Throws a TextError for a text that is too short for windows of
 * `T` characters, for one that is too long, and for what is no text.
 * @param {string} text
 * @param {number} T
 * @param {string} [heldOut]
 * @returns {Corpus}
 */
export function readCorpus(text, T, heldOut) {
  if (!text) throw new TextError("The text is empty. Give one, or choose Shakespeare.");
  if (text.length > MOST_CHARACTERS) {
    throw new TextError(
      `The text has ${whole.format(text.length)} characters; at most ` +
        `${whole.format(MOST_CHARACTERS)} fit here.`,
    );
  }
  checkWhole(text);
  const codes = codePoints(text);
  const others = codePoints(heldOut ?? "");
  const known = different([codes, others]);
  if (known.length > MOST_DIFFERENT) {
    throw new TextError(
      `The text has ${whole.format(known.length)} different characters; at most ` +
        `${whole.format(MOST_DIFFERENT)} can be tokens here.`,
    );
  }
  const ids = new Uint16Array(0x110000);
  for (const [id, code] of known.entries()) ids[code] = id;
  const all = encode(codes, ids);
  const held = heldOut ? 0 : Math.floor(all.length * HELD_OUT);
  const corpus = {
    characters: known.map((code) => String.fromCodePoint(code)),
    train: all.subarray(0, all.length - held),
    validation: heldOut ? encode(others, ids) : all.subarray(all.length - held),
  };
  checkLength(corpus, all.length, T);
  return corpus;
}

/** @param {Corpus} corpus @param {number} length @param {number} T */
function checkLength({ characters, train, validation }, length, T) {
  const needed = FEWEST_WINDOWS * T + 1;
  if (Math.min(train.length, validation.length) < needed) {
    const plural = length === 1 ? "" : "s";
    const found = `${whole.format(length)} character${plural}`;
    const enough = whole.format(Math.ceil(needed / HELD_OUT));
    throw new TextError(
      `The text has ${found}, which is too short. With windows of ${T} it takes ` +
        `${enough}: the last tenth is held out to validate.`,
    );
  }
  if (characters.length < 2) {
    const only = JSON.stringify(characters[0]);
    throw new TextError(`The text is ${only} all over: there is nothing to learn.`);
  }
}
