// @ts-check
// How a word becomes tokens, one step after the other.

import { element } from "../../reader/element.js";
import { button, grouped, scrolling } from "./controls.js";
import { plain, token } from "./show-pieces.js";

/** @import { Client } from "./client.js" */
/** @import { BpeSteps, Steps, UnigramSteps, WordPieceSteps } from "./types.js" */
/** @typedef {{words: string, content: (Node | string)[]}} View of a step */

/** @param {string} text */
const quoted = (text) => `“${plain(text)}”`;

/** @param {string} bytes */
function named(bytes) {
  return `“${token(bytes, true).textContent}”`;
}

// ---- byte-pair encoding ---------------------------------------------------------

/** @param {BpeSteps} found @returns {View[]} */
function bpeViews({ steps, ids }) {
  return steps.map(({ parts, ranks, chosen }, n) => {
    const row = element("div", { class: "merge-row" });
    parts.forEach((part, i) => {
      if (i > 0) row.append(rank(ranks[i - 1], i - 1 === chosen));
      const isChosen = chosen >= 0 && (i === chosen || i === chosen + 1);
      row.append(token(part, true, isChosen ? "chosen" : ""));
    });
    return { words: bpeWords(parts, ranks, chosen, ids, n), content: [row] };
  });
}

/** @param {number | null} value @param {boolean} isChosen */
function rank(value, isChosen) {
  const kind = `rank${isChosen ? " chosen" : ""}`;
  const shown = value === null ? "–" : grouped(value);
  return element("span", { class: kind, title: "rank of the pair" }, shown);
}

/** @param {string[]} parts @param {(number | null)[]} ranks @param {number} chosen
 * @param {number[]} ids @param {number} n */
function bpeWords(parts, ranks, chosen, ids, n) {
  if (chosen < 0) {
    const left = parts.length === 1 ? "One token is" : `${parts.length} tokens are`;
    const why = parts.length === 1 ? "" : "No pair of neighbours is a token. ";
    return `${why}${left} left: ${ids.join(", ")}.`;
  }
  const [a, b] = [named(parts[chosen]), named(parts[chosen + 1])];
  const known = ranks.filter((value) => value !== null);
  const pairs = `${ranks.length} ${ranks.length === 1 ? "pair" : "pairs"}`;
  const begins = n === 0 ? `${parts.length} bytes. ` : "";
  const times = known.filter((value) => value === ranks[chosen]).length;
  const first = times > 1 ? ", first where it is met" : "";
  return (
    `${begins}Of ${pairs}, ${known.length} ${known.length === 1 ? "is" : "are"} in ` +
    `the vocabulary. The lowest rank is ${grouped(ranks[chosen] ?? 0)}: ` +
    `${a} and ${b} merge${first}.`
  );
}

// ---- WordPiece ------------------------------------------------------------------

/** @param {WordPieceSteps} found @returns {View[]} */
function wordPieceViews({ words, at, attempts, pieces }) {
  const letters = Array.from(words[at]);
  /** @type {string[]} */
  const done = [];
  const views = attempts.map(({ start, piece, id }) => {
    const size = Array.from(piece).length - (start ? 2 : 0);
    const row = element("div", { class: "merge-row" });
    for (const part of done) row.append(token(part, false));
    const kind = id === null ? "tried" : "chosen";
    row.append(token(letters.slice(start, start + size).join(""), false, kind));
    const rest = letters.slice(start + size).join("");
    if (rest) row.append(token(rest, false, "rest"));
    if (id !== null) done.push(piece);
    const words =
      id === null
        ? `${quoted(piece)} is not in the vocabulary: one letter less.`
        : `${quoted(piece)} is piece ${grouped(id)}: the longest that fits here.`;
    return { words, content: [row] };
  });
  const isUnknown = pieces.length === 1 && pieces[0] === "[UNK]";
  const row = element("div", { class: "merge-row" });
  row.append(...pieces.map((piece) => token(piece, false)));
  const shown = pieces.length === 1 ? "One piece." : `${pieces.length} pieces.`;
  const last = isUnknown
    ? "The word cannot be spelled to its end: all of it is [UNK]."
    : shown;
  return [...views, { words: last, content: [row] }];
}

// ---- the unigram model ----------------------------------------------------------

const SVG = "http://www.w3.org/2000/svg";
const STEP = 44; // from letter to letter

/** @param {string} tag @param {Record<string, string | number>} attributes
 * @param {...(Node | string)} children */
function drawn(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, `${value}`);
  }
  made.append(...children);
  return made;
}

/** The letters, and an arc for each piece that fits.
 * @param {UnigramSteps} found @param {number} upTo pieces that end until there
 * @param {(start: number, end: number) => string} kind the class of an arc */
function lattice({ letters, arcs }, upTo, kind) {
  const longest = Math.max(...arcs.map(([start, end]) => end - start));
  const height = 26 + 15 * Math.min(longest, 12);
  const width = letters.length * STEP + 16;
  const svg = drawn("svg", {
    ...{ viewBox: `0 0 ${width} ${height + 26}`, width, height: height + 26 },
    ...{ class: "lattice", "aria-hidden": "true" },
  });
  for (const [start, end] of arcs) {
    if (end > upTo) continue;
    const [a, b] = [8 + start * STEP, 8 + end * STEP];
    const top = height - 15 * Math.min(end - start, 12) * 1.6;
    const d = `M${a} ${height} C${a} ${top} ${b} ${top} ${b} ${height}`;
    svg.append(drawn("path", { d, class: kind(start, end) }));
  }
  letters.forEach((letter, i) => {
    const x = 8 + (i + 0.5) * STEP;
    svg.append(
      drawn("text", { x, y: height + 18, "text-anchor": "middle" }, plain(letter)),
    );
  });
  for (let i = 0; i <= letters.length; i++) {
    svg.append(drawn("circle", { cx: 8 + i * STEP, cy: height, r: 3 }));
  }
  return element("div", { class: "lattice-box" }, svg);
}

/** @param {UnigramSteps} found @returns {View[]} */
function unigramViews(found) {
  const { letters, arcs, pieces, best, before } = found;
  const views = letters.map((_, i) => {
    const end = i + 1;
    const into = arcs.filter(([, stop]) => stop === end);
    const rows = into.map(([start, , score]) => {
      const piece = letters.slice(start, end).join("");
      const total = Math.fround(best[start] + score);
      const mark = start === before[end] ? "best" : "";
      const cells = [plain(piece), best[start].toFixed(2), score.toFixed(2)];
      return [...cells, total.toFixed(2), mark];
    });
    const winner = letters.slice(before[end], end).join("");
    const ways = into.length === 1 ? "One piece ends" : `${into.length} pieces end`;
    const words =
      `${ways} after ${quoted(letters.slice(0, end).join(""))}. ` +
      `The best way there ends in ${quoted(winner)}: ${best[end].toFixed(2)}.`;
    const kind = (/** @type {number} */ start, /** @type {number} */ stop) =>
      stop !== end ? "arc" : start === before[end] ? "arc chosen" : "arc tried";
    return { words, content: [lattice(found, end, kind), waysTable(rows)] };
  });
  const ends = new Map();
  let place = 0;
  for (const piece of pieces) {
    const start = place;
    place += Array.from(piece).length;
    ends.set(place, start);
  }
  const kind = (/** @type {number} */ start, /** @type {number} */ end) =>
    ends.get(end) === start ? "arc chosen" : "arc";
  const row = element("div", { class: "merge-row" });
  row.append(...pieces.map((piece) => token(piece, false)));
  const words =
    `Back from the end, always to where the best way came from: ` +
    `${pieces.length === 1 ? "one piece" : `${pieces.length} pieces`}, ` +
    `log-probability ${best[letters.length].toFixed(2)}.`;
  return [...views, { words, content: [lattice(found, letters.length, kind), row] }];
}

/** @param {string[][]} rows */
function waysTable(rows) {
  const heads = ["piece", "the way before", "its score", "together", ""];
  const head = heads.map((text) => element("th", { scope: "col" }, text || "choice"));
  const body = rows.map((cells) =>
    element("tr", {}, ...cells.map((cell) => element("td", {}, cell))),
  );
  return element(
    "table",
    { class: "ways" },
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...body),
  );
}

// ---- the steps ------------------------------------------------------------------

/** @param {Steps} found @returns {View[]} */
function viewsOf(found) {
  if (found.kind === "bpe") return bpeViews(found);
  return found.kind === "wordpiece" ? wordPieceViews(found) : unigramViews(found);
}

export class Stepper {
  #select = element("select", { id: "steps-tokenizer" });
  #input = element("input", {
    ...{ id: "steps-text", type: "text", autocomplete: "off", spellcheck: "false" },
    autocapitalize: "off",
  });
  #words = element("select", { id: "steps-word" });
  #range = element("input", { type: "range", id: "steps-at", min: "0", value: "0" });
  #told = element("p", { class: "step-words", role: "status" });
  #content = scrolling("step-content", "The step");
  #controls = element("div", { class: "step-controls" });
  #trouble = element("p", { class: "trouble", role: "alert", hidden: true });
  /** @type {View[]} */
  #views = [];
  #version = 0;

  /** @param {Client} client @param {() => void} changed */
  constructor(client, changed) {
    this.client = client;
    this.changed = changed;
    const label = (/** @type {string} */ id, /** @type {string} */ text) =>
      element("label", { for: id }, text);
    this.#controls.append(
      button("First", () => this.#go(0)),
      button("Back", () => this.#go(this.at - 1)),
      button("Next", () => this.#go(this.at + 1)),
      button("Last", () => this.#go(Infinity)),
      ...[label("steps-at", "Step"), this.#range],
    );
    const choice = element(
      "div",
      { class: "tokenizer-settings" },
      ...[label("steps-tokenizer", "Tokenizer"), this.#select],
      ...[label("steps-text", "Text"), this.#input],
      ...[label("steps-word", "Word of it"), this.#words],
    );
    this.view = element(
      "div",
      { class: "stepper" },
      ...[choice, this.#trouble, this.#controls, this.#told, this.#content],
    );
    this.#select.addEventListener("change", () => this.#load(-1));
    this.#input.addEventListener("input", () => this.#load(-1));
    this.#words.addEventListener("change", () => this.#load(this.#words.selectedIndex));
    this.#range.addEventListener("input", () => this.#go(this.#range.valueAsNumber));
  }

  get at() {
    return this.#range.valueAsNumber;
  }

  get text() {
    return this.#input.value;
  }

  get by() {
    return this.#select.value;
  }

  /** @param {[string, string][]} tokenizers names and titles */
  offer(tokenizers) {
    const before = this.#select.value;
    this.#select.replaceChildren(
      ...tokenizers.map(([value, title]) => element("option", { value }, title)),
    );
    const isThere = tokenizers.some(([name]) => name === before);
    if (isThere) this.#select.value = before;
    if (!isThere || !this.#views.length) this.#load(-1);
  }

  /** @param {string} text @param {string} by @param {number} at */
  async start(text, by, at) {
    this.#input.value = text;
    if ([...this.#select.options].some(({ value }) => value === by)) {
      this.#select.value = by;
    }
    await this.#load(-1);
    this.#go(at);
  }

  /** The tokenizer of a name may have become another one. */
  reload() {
    this.#load(-1);
  }

  /** @param {number} word */
  async #load(word) {
    this.#version += 1;
    const version = this.#version;
    const [name, text] = [this.#select.value, this.#input.value];
    if (!name) return this.#say("Choose a tokenizer above.");
    try {
      // where the tokenizer came with the site, it may not be open yet
      const isKnown = !["trained", "file"].includes(name);
      if (isKnown) await this.client.ask({ do: "open", name });
      const found = await this.client.ask({ do: "steps", name, text, word });
      if (version !== this.#version) return;
      if (found.kind === "other") {
        return this.#say("Steps are shown of the three kinds that the book builds.");
      }
      if (!found.words.length) return this.#say("Write a word.");
      this.#words.replaceChildren(
        ...found.words
          .slice(0, 200)
          .map((/** @type {string} */ one) => element("option", {}, plain(one))),
      );
      this.#words.selectedIndex = found.at;
      this.#trouble.hidden = true;
      this.#views = viewsOf(found);
      this.#range.max = `${this.#views.length - 1}`;
      this.#go(0);
    } catch (error) {
      if (version !== this.#version) return;
      this.#say("");
      const message = error instanceof Error ? error.message : `${error}`;
      this.#trouble.replaceChildren(
        `${message} `,
        button("Try again", () => this.#load(word)),
      );
      this.#trouble.hidden = false;
    }
  }

  /** No steps, and why. @param {string} why */
  #say(why) {
    this.#trouble.hidden = true;
    this.#views = [];
    this.#words.replaceChildren();
    this.#content.replaceChildren();
    this.#told.textContent = why;
    this.#range.max = "0";
    this.#enable();
  }

  #enable() {
    const last = this.#views.length - 1;
    const [first, back, next, end] = this.#controls.querySelectorAll("button");
    first.disabled = back.disabled = this.at <= 0;
    next.disabled = end.disabled = this.at >= last;
    this.#range.disabled = last <= 0;
  }

  /** @param {number} place */
  #go(place) {
    const last = this.#views.length - 1;
    if (last < 0) return;
    const focused = document.activeElement;
    const at = Math.max(0, Math.min(place, last));
    this.#range.value = `${at}`;
    const { words, content } = this.#views[at];
    this.#told.textContent = `${at + 1} of ${last + 1}: ${words}`;
    this.#content.replaceChildren(...content);
    this.#enable();
    // a button that cannot be used any more hands the focus on
    if (focused instanceof HTMLButtonElement && focused.disabled) this.#range.focus();
    this.changed();
  }
}
