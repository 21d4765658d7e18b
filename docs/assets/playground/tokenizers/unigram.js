// @ts-check
// The unigram model of SentencePiece, as in `snippets/tokenizers/unigram.py`.

import { checkText, runs, toBytes } from "./bytes.js";
import { SPACES } from "./wordpiece.js";

/** @import { Piece } from "./types.js" */

export const SPACE = "\u2581"; // how a space is written
export const UNKNOWN_PIECE = "<unk>";
export const CONTROL = ["<s>", "</s>", "<pad>"];
export const BYTE = /^<0x([0-9A-F]{2})>$/;
const PENALTY = 10; // a character that no piece spells: this much below the worst piece

/** NFKC, one space between words and one in front, all of them visible.
 * @param {string} text */
export function normalize(text) {
  const words = checkText(text).normalize("NFKC").split(SPACES).filter(Boolean);
  return words.map((word) => SPACE + word).join("");
}

/** The words, each with the visible space before it. @param {string} text */
export function splitAtSpaces(text) {
  return text.match(/\u2581?[^\u2581]+|\u2581/gu) ?? [];
}

/**
 * @typedef {object} Node of the tree of all pieces, a letter on each branch
 * @property {Map<string, Node>} next
 * @property {number} score of the piece that ends here; NaN if none does
 */
/** @typedef {[number, number, number]} Arc a piece in a text: start, end, score */

/** The logarithm of the probability of each piece. */
export class Scores {
  /** @type {Node} */
  #root = { next: new Map(), score: NaN };

  /** @param {Iterable<[string, number]>} scores */
  constructor(scores) {
    /** @type {Map<string, number>} */
    this.of = new Map(scores);
    let worst = Infinity;
    for (const [piece, score] of this.of) {
      if (!Number.isFinite(score)) {
        throw new RangeError(`the score of ${piece} is ${score}`);
      }
      worst = Math.min(worst, score);
      this.#add(piece, score);
    }
    if (this.of.size === 0 || this.of.has("")) {
      throw new RangeError(`${this.of.size} pieces: one at least, none of them empty`);
    }
    this.unknown = worst - PENALTY;
  }

  /** @param {string} piece @param {number} score */
  #add(piece, score) {
    let node = this.#root;
    for (const letter of piece) {
      let next = node.next.get(letter);
      if (!next) node.next.set(letter, (next = { next: new Map(), score: NaN }));
      node = next;
    }
    node.score = score;
  }

  /**
   * Tells every piece found in the text, by start, then by end. Where no piece spells a
   * character, a penalty does.
   * @param {string[]} letters
   * @param {(start: number, end: number, score: number) => void} tell
   */
  arcs(letters, tell) {
    for (let start = 0; start < letters.length; start++) {
      /** @type {Node | undefined} */
      let node = this.#root;
      for (let end = start + 1; end <= letters.length; end++) {
        node = node.next.get(letters[end - 1]);
        const score = node?.score ?? NaN;
        if (!Number.isNaN(score)) tell(start, end, score);
        else if (end === start + 1) tell(start, end, this.unknown);
        if (!node || node.next.size === 0) break;
      }
    }
  }
}

/**
 * The most probable segmentation and its score; of equals, the longest last piece. Sums
 * are rounded to float32, as SentencePiece's are, so that ties fall the same way.
 * @param {string[]} letters @param {Scores} scores
 * @param {boolean} [whole] whether the text itself may be a piece
 */
export function viterbi(letters, scores, whole = true) {
  const best = new Float32Array(letters.length + 1).fill(-Infinity);
  const before = new Int32Array(letters.length + 1);
  best[0] = 0;
  scores.arcs(letters, (start, end, score) => {
    const total = Math.fround(best[start] + score);
    if (total > best[end] && (whole || end - start < letters.length)) {
      best[end] = total;
      before[end] = start;
    }
  });
  const ends = [];
  for (let end = letters.length; end > 0; end = before[end]) ends.push(end);
  const pieces = ends.reverse().map((end) => letters.slice(before[end], end).join(""));
  return { pieces, best, before };
}

export class Unigram {
  kind = /** @type {const} */ ("unigram");

  /**
   * Raises RangeError where `<unk>` is missing, a piece is empty or there twice, or a
   * score is no finite number.
   * @param {[string, number][]} pieces with their scores; a piece's id is its place
   */
  constructor(pieces) {
    this.pieces = pieces;
    this.ids = new Map(pieces.map(([piece], id) => [piece, id]));
    if (this.ids.size < pieces.length) throw new RangeError("a piece is there twice");
    const unknown = this.ids.get(UNKNOWN_PIECE);
    if (unknown === undefined) {
      throw new RangeError(`${UNKNOWN_PIECE} is not among the ${pieces.length} pieces`);
    }
    this.unknownId = unknown;
    const fixed = [UNKNOWN_PIECE, ...CONTROL];
    this.scores = new Scores(
      pieces.filter(([piece]) => !fixed.includes(piece) && !BYTE.test(piece)),
    );
    /** @type {number[]} the ids of the 256 bytes, or none */
    this.byteIds = [];
    for (let byte = 0; byte < 256; byte++) {
      const name = `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
      const id = this.ids.get(name);
      if (id === undefined) break;
      this.byteIds.push(id);
    }
    if (this.byteIds.length < 256) this.byteIds = [];
  }

  get size() {
    return this.pieces.length;
  }

  /** @param {string} text */
  words(text) {
    return splitAtSpaces(normalize(text));
  }

  /** The ids of the most probable segmentation. @param {string} text */
  encode(text) {
    return this.spell(viterbi(Array.from(normalize(text)), this.scores).pieces);
  }

  /** The ids of pieces; others become bytes, or one `<unk>` for a run of them.
   * @param {string[]} pieces */
  spell(pieces) {
    /** @type {number[]} */
    const ids = [];
    for (const piece of pieces) {
      if (this.scores.of.has(piece)) {
        ids.push(/** @type {number} */ (this.ids.get(piece)));
      } else if (this.byteIds.length) {
        for (const byte of toBytes(piece)) ids.push(this.byteIds[byte.charCodeAt(0)]);
      } else if (ids.at(-1) !== this.unknownId) ids.push(this.unknownId);
    }
    return ids;
  }

  /** @param {number} id @returns {Piece} */
  piece(id) {
    const [name] = this.pieces[id];
    const byte = BYTE.exec(name);
    const value = byte ? String.fromCharCode(parseInt(byte[1], 16)) : name;
    if (byte) return { id, bytes: value, runs: [{ isText: false, value: byte[1] }] };
    const isText = this.scores.of.has(name);
    const bytes = isText ? toBytes(name.replaceAll(SPACE, " ")) : null;
    return {
      id,
      bytes,
      runs: isText ? runs(toBytes(name)) : [{ isText, value: name }],
    };
  }

  /** The normalised text of the ids, as SentencePiece decodes.
   * @param {ArrayLike<number>} ids */
  decode(ids) {
    let text = "";
    let loose = "";
    const flush = () => {
      text += loose ? characters(loose) : "";
      loose = "";
    };
    for (const id of Array.from(ids)) {
      const [name] = this.pieces[id];
      const byte = BYTE.exec(name);
      if (byte) {
        loose += String.fromCharCode(parseInt(byte[1], 16));
        continue;
      }
      flush();
      if (name === UNKNOWN_PIECE) text += " \u2047 ";
      else if (!CONTROL.includes(name)) {
        text += (text ? name : name.replace(/^\u2581/, "")).replaceAll(SPACE, " ");
      }
    }
    flush();
    return text;
  }

  /**
   * The lattice of a word: all pieces that fit, and the best way to each place.
   * @param {string} word
   */
  steps(word) {
    const letters = Array.from(word);
    /** @type {Arc[]} */
    const arcs = [];
    this.scores.arcs(letters, (...arc) => arcs.push(arc));
    const { pieces, best, before } = viterbi(letters, this.scores);
    return { letters, arcs, pieces, best: [...best], before: [...before] };
  }
}

/** The text of some bytes, with U+FFFD for each that is in no character.
 * @param {string} loose */
function characters(loose) {
  const parts = runs(loose);
  return parts
    .map(({ isText, value }) => {
      return isText ? value : "\ufffd".repeat(value.split(" ").length);
    })
    .join("");
}
