// @ts-check
// Tokens for the eye: spaces, line breaks and bytes that are no text can be seen.

import { element } from "../../reader/element.js";
import { hex, runs as runsOf, toArray } from "./bytes.js";

/** @import { Run } from "./bytes.js" */
/** @import { Piece } from "./types.js" */

/** @type {Record<string, string>} */
const SIGNS = { " ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍", "\x7f": "␡" };
const UNSEEN = /[\p{Cc}\p{Cf}\p{Z}\p{Cn}\p{Co}\ufe00-\ufe0f]/u;
const HIDDEN = /([\p{Cc}\p{Cf}\p{Z}\p{Cn}\p{Co}\ufe00-\ufe0f])/u;

/** A character that does not show. @param {string} character */
function sign(character) {
  const code = character.codePointAt(0) ?? 0;
  if (SIGNS[character]) return SIGNS[character];
  if (code < 32) return String.fromCodePoint(0x2400 + code);
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Text of which every character shows. @param {string} text */
export function visible(text) {
  const parts = text.split(HIDDEN).filter(Boolean);
  return parts.map((part) => {
    if (UNSEEN.test(part)) return element("span", { class: "unseen" }, sign(part));
    // an accent without its letter
    return /^\p{M}/u.test(part) ? `\u25cc${part}` : part;
  });
}

/** The same as plain text. @param {string} text */
export function plain(text) {
  const span = element("span", {}, ...visible(text));
  return span.textContent ?? "";
}

/** @param {Run[]} runs */
export function shownRuns(runs) {
  return runs.flatMap(({ isText, value }) =>
    isText ? visible(value) : [element("span", { class: "loose-bytes" }, value)],
  );
}

/** @param {string | null} bytes */
function shownBytes(bytes) {
  if (bytes === null) return "no bytes";
  const numbers = hex(toArray(bytes));
  return numbers.length > 47 ? `${numbers.slice(0, 47)} …` : numbers;
}

/** A list of tokens, numbered from `first` on. @param {Piece[]} pieces
 * @param {number} first */
export function pieceList(pieces, first) {
  const items = pieces.map(({ id, bytes, runs }, n) =>
    element(
      "li",
      { class: `piece piece-${(first + n) % 5}` },
      element("span", { class: "piece-number" }, `${first + n}`),
      element("span", { class: "piece-text" }, ...shownRuns(runs)),
      element("span", { class: "piece-id" }, `${id}`),
      element("span", { class: "piece-bytes" }, shownBytes(bytes)),
    ),
  );
  return element("ol", { class: "pieces", start: `${first}` }, ...items);
}

/** A part of a word as one token. @param {string} name @param {boolean} isBytes
 * @param {string} [kind] a class */
export function token(name, isBytes, kind = "") {
  const runs = isBytes ? runsOf(name) : [{ isText: true, value: name }];
  return element("span", { class: `token ${kind}` }, ...shownRuns(runs));
}
