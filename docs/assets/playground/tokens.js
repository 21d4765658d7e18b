// @ts-check
// The tokenizers that day 6's programs save with a model: characters, or byte-level BPE
// that was learned from the text. And ids that come one by one, as text.

import { FileError } from "./safetensors.js";

/**
 * @typedef {object} Tokenizer
 * @property {number} size how many ids there are
 * @property {(text: string) => number[]} encode
 *     throws a TextError for what the vocabulary lacks
 * @property {(id: number) => Uint8Array} bytes of a token; maybe a part of a character
 */

/** A text that cannot be used; its message can be shown to readers. */
export class TextError extends Error {
  name = "TextError";
}

const SHOWN = 8; // unknown characters that a message names
const LONELY = /\p{Surrogate}/u;

/** @param {string} character */
function named(character) {
  const code = character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
  return LONELY.test(character) ? `U+${code}` : `“${character}”`;
}

/** @param {string[]} characters each once, in the order of ids @returns {Tokenizer} */
export function characterTokenizer(characters) {
  const ids = new Map(characters.map((character, id) => [character, id]));
  return {
    size: characters.length,
    encode(text) {
      const unknown = [...new Set(text)].filter((character) => !ids.has(character));
      if (unknown.length) {
        const names = unknown.slice(0, SHOWN).map(named).join(" ");
        const more =
          unknown.length > SHOWN ? ` and ${unknown.length - SHOWN} more` : "";
        throw new TextError(
          `The model has never seen ${names}${more}: its vocabulary has ` +
            `${characters.length} characters, and no others can be read.`,
        );
      }
      return [...text].map((character) => /** @type {number} */ (ids.get(character)));
    },
    bytes: (id) => new TextEncoder().encode(characters[id]),
  };
}

// GPT-2's: within a piece merges may happen
const WORDS = new RegExp(
  "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\p{White_Space}\\p{L}\\p{N}]+" +
    "|\\p{White_Space}+$|\\p{White_Space}+(?!\\P{White_Space})|\\p{White_Space}",
  "gu",
);

/** Bytes as a text of characters below 256, which a Map can look up.
 * @param {Uint8Array} bytes */
function asKey(bytes) {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/**
 * Merge the pair of lowest rank, the first of equals, until no pair is a token.
 * @param {string} word a character for each byte @param {Map<string, number>} ranks
 */
function mergeWord(word, ranks) {
  const parts = [...word];
  for (;;) {
    let [lowest, at] = [Infinity, -1];
    for (let i = 0; i + 1 < parts.length; i++) {
      const rank = ranks.get(parts[i] + parts[i + 1]) ?? Infinity;
      if (rank < lowest) [lowest, at] = [rank, i];
    }
    if (at < 0) return parts;
    parts.splice(at, 2, parts[at] + parts[at + 1]);
  }
}

/** @param {string[]} tokens their bytes in base64, in the order of ids
 * @returns {Tokenizer} */
export function bpeTokenizer(tokens) {
  const keys = tokens.map((token) => atob(token)); // a character for each byte
  const ranks = new Map(keys.map((key, rank) => [key, rank]));
  return {
    size: tokens.length,
    encode(text) {
      if (LONELY.test(text)) {
        throw new TextError(
          "The text holds half a character (a lone surrogate), which has no bytes.",
        );
      }
      const words = text.match(WORDS) ?? [];
      const parts = words.flatMap((word) =>
        mergeWord(asKey(new TextEncoder().encode(word)), ranks),
      );
      return parts.map((part) => /** @type {number} */ (ranks.get(part)));
    },
    bytes: (id) => Uint8Array.from(keys[id], (one) => one.charCodeAt(0)),
  };
}

/** @param {unknown} values @returns {values is string[]} */
function areTexts(values) {
  return Array.isArray(values) && values.every((value) => typeof value === "string");
}

/** @param {unknown} tokens @returns {tokens is string[]} */
function areAllBytes(tokens) {
  if (!areTexts(tokens)) return false;
  try {
    const keys = new Set(tokens.map((token) => atob(token)));
    const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
    return keys.size === tokens.length && bytes.every((byte) => keys.has(byte));
  } catch {
    return false; // no base64
  }
}

/**
 * The tokenizer that the notes of a file describe; throws a FileError for any other.
 * @param {any} state as `tokenizer_state` of `snippets/mini_gpt/data.py` writes it
 * @returns {Tokenizer}
 */
export function tokenizerFrom(state) {
  const kind = state?.kind;
  if (kind === "char" && typeof state.characters === "string") {
    return characterTokenizer([...new Set(/** @type {string} */ (state.characters))]);
  }
  if (kind === "bpe" && areAllBytes(state.tokens)) return bpeTokenizer(state.tokens);
  if (kind === "gpt2") {
    throw new FileError(
      "This model has GPT-2's vocabulary of 50,257 tokens, which this page does not " +
        "hold. It opens models trained with --tokenizer char or bpe.",
    );
  }
  throw new FileError(
    `Its tokenizer cannot be read: ${JSON.stringify(state)?.slice(0, 80)}`,
  );
}

/** A token for a list: its text, or its bytes where it is a part of a character.
 * @param {Uint8Array} bytes */
export function pieceOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(bytes, (b) => `\\x${b.toString(16).padStart(2, "0")}`).join("");
  }
}

/** Ids that come one by one, as text up to a stop text: characters come out whole, and
 * what may be the beginning of a stop text is held back. */
export class TextStream {
  #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #held = "";
  ended = false;

  /** @param {Tokenizer} tokenizer @param {string} stop empty: none */
  constructor(tokenizer, stop) {
    this.tokenizer = tokenizer;
    this.stop = stop;
  }

  /** The text that is sure now; sets `ended` where the stop text is complete.
   * @param {number} id */
  feed(id) {
    this.#held += this.#decoder.decode(this.tokenizer.bytes(id), { stream: true });
    const found = this.stop ? this.#held.indexOf(this.stop) : -1;
    this.ended = found >= 0;
    const sure = this.ended ? found : this.#held.length - this.#undecided();
    const text = this.#held.slice(0, sure);
    this.#held = this.#held.slice(sure);
    return text;
  }

  /** The length of the longest end of what is held that begins the stop text. */
  #undecided() {
    const longest = Math.min(this.#held.length, this.stop.length);
    for (let size = longest; size > 0; size--) {
      if (this.stop.startsWith(this.#held.slice(-size))) return size;
    }
    return 0;
  }

  /** What was held back to the end. */
  close() {
    return this.ended ? "" : this.#held + this.#decoder.decode();
  }
}
