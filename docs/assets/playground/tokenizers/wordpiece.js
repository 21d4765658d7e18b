// @ts-check
// WordPiece, the tokenizer of BERT, as in `snippets/tokenizers/wordpiece.py`.

import { anyOf } from "./bpe.js";
import { checkText, toBytes } from "./bytes.js";

/** @import { Piece } from "./types.js" */

export const UNKNOWN = "[UNK]";
export const CONTINUES = "##"; // how a piece starts that continues a word
const LONGEST_WORD = 100; // characters; longer words become [UNK]

const DROPPED = /[\p{Cc}\p{Cf}\p{Co}\ufffd]/gu;
const ACCENTS = /\p{Mn}/gu;
const SIGNS = /[!-/:-@[-`{-~\p{P}]/gu;
// the blocks of CJK ideographs that BERT names; neither kana nor hangul
const CHINESE = new RegExp(
  "[\\u{4e00}-\\u{9fff}\\u{3400}-\\u{4dbf}\\u{20000}-\\u{2a6df}\\u{2a700}-\\u{2b73f}" +
    "\\u{2b740}-\\u{2b81f}\\u{2b920}-\\u{2ceaf}\\u{f900}-\\u{faff}" +
    "\\u{2f800}-\\u{2fa1f}]",
  "gu",
);
/** Where Python's `str.split` cuts. */
export const SPACES =
  /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;

/** Words and punctuation marks, the way BERT splits a text.
 * @param {string} text @param {boolean} lowercase */
export function bertWords(text, lowercase) {
  let made = checkText(text)
    .replace(/[\t\n\r]/g, " ")
    .replace(DROPPED, "")
    .replace(/\p{Zs}/gu, " ")
    .replace(CHINESE, " $& ");
  if (lowercase) {
    // each letter by itself: a Σ that ends a word becomes σ
    made = made.normalize("NFD").replace(ACCENTS, "");
    made = made.replace(/\p{Changes_When_Lowercased}/gu, (letter) =>
      letter.toLowerCase(),
    );
  }
  return made.replace(SIGNS, " $& ").split(SPACES).filter(Boolean);
}

/**
 * @typedef {object} Attempt a look at the vocabulary
 * @property {number} start where the part starts, in characters
 * @property {string} piece
 * @property {number | null} id none where it is not in the vocabulary
 */

/**
 * The longest piece that starts the word, then that starts the rest, and so on; a word
 * that cannot be spelled to its end is [UNK] as a whole.
 * @param {string} word @param {Map<string, number>} ids
 * @param {Attempt[]} [attempts] takes what was tried
 */
export function longestMatch(word, ids, attempts) {
  const letters = Array.from(word);
  const pieces = [];
  let start = 0;
  while (start < letters.length && letters.length <= LONGEST_WORD) {
    const mark = start ? CONTINUES : "";
    let end = letters.length;
    for (; end > start; end--) {
      const piece = mark + letters.slice(start, end).join("");
      const id = ids.get(piece) ?? null;
      attempts?.push({ start, piece, id });
      if (id === null) continue;
      pieces.push(piece);
      break;
    }
    if (end === start) return [UNKNOWN];
    start = end;
  }
  return pieces.length ? pieces : [UNKNOWN];
}

export class WordPiece {
  kind = /** @type {const} */ ("wordpiece");
  /** @type {Map<string, number[]>} */
  #words = new Map();
  #special;

  /**
   * Raises RangeError if [UNK] is missing, or a piece is empty or there twice.
   * @param {string[]} pieces a piece's id is its place @param {boolean} [lowercase]
   * @param {Map<string, number>} [special] what may stand for itself in a text
   */
  constructor(pieces, lowercase = true, special = new Map()) {
    this.pieces = pieces;
    this.special = special;
    this.#special = anyOf(special.keys());
    this.lowercase = lowercase;
    this.ids = new Map(pieces.map((piece, id) => [piece, id]));
    if (this.ids.size < pieces.length) throw new RangeError("a piece is there twice");
    if (this.ids.has("")) throw new RangeError("a piece is empty");
    if (!this.ids.has(UNKNOWN)) {
      throw new RangeError(`${UNKNOWN} is not among the ${pieces.length} pieces`);
    }
  }

  get size() {
    return this.pieces.length;
  }

  /** @param {string} text */
  words(text) {
    return bertWords(text, this.lowercase);
  }

  /**
   * The ids of a text; special tokens in it become their ids only where they may.
   * @param {string} text @param {boolean} [allowSpecial]
   */
  encode(text, allowSpecial = false) {
    if (!allowSpecial) return this.#ordinary(text);
    return text.split(this.#special).flatMap((part, n) => {
      return n % 2 ? [this.special.get(part) ?? 0] : this.#ordinary(part);
    });
  }

  /** @param {string} text */
  #ordinary(text) {
    const ids = [];
    for (const word of this.words(text)) {
      let found = this.#words.get(word);
      if (!found) {
        const pieces = longestMatch(word, this.ids);
        found = pieces.map((piece) => /** @type {number} */ (this.ids.get(piece)));
        if (word.length < LONGEST_WORD) this.#words.set(word, found);
      }
      for (const id of found) ids.push(id);
    }
    return ids;
  }

  /** @param {number} id @returns {Piece} */
  piece(id) {
    const value = this.pieces[id];
    const isPart = value !== UNKNOWN && !/^\[[A-Z]+\]$/.test(value);
    const bytes = isPart ? toBytes(value.replace(/^##(?=.)/u, "")) : null;
    return { id, bytes, runs: [{ isText: true, value }] };
  }

  /** The words with one space between: how the text was spaced is lost.
   * @param {ArrayLike<number>} ids */
  decode(ids) {
    const pieces = Array.from(ids, (id) => this.pieces[id]);
    return pieces.join(" ").replaceAll(` ${CONTINUES}`, "");
  }

  /** What is looked up for a word, in order. @param {string} word */
  steps(word) {
    /** @type {Attempt[]} */
    const attempts = [];
    const pieces = longestMatch(word, this.ids, attempts);
    return { attempts, pieces };
  }
}
