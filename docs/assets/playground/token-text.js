// @ts-check
// A text whose tokens can be marked, by pointer or arrow keys, and coloured.

import { element } from "../reader/element.js";
import { spoken, visible } from "./panel.js";

let lists = 0;

export class TokenText {
  /** @type {HTMLElement[]} */
  #tokens = [];
  #marked = -1;
  #id = `tokens-${(lists += 1)}`;

  /** @param {string} label @param {(place: number) => void} chosen by the reader */
  constructor(label, chosen) {
    this.chosen = chosen;
    this.box = element("div", {
      class: "play-text",
      role: "listbox",
      "aria-label": label,
      "aria-orientation": "horizontal",
      tabindex: "0",
    });
    this.box.addEventListener("click", (event) => {
      const token = /** @type {Element} */ (event.target).closest("[role=option]");
      if (token) this.#choose(this.#tokens.indexOf(/** @type {HTMLElement} */ (token)));
    });
    this.box.addEventListener("keydown", (event) => this.#key(event));
  }

  get length() {
    return this.#tokens.length;
  }

  get marked() {
    return this.#marked;
  }

  /** @param {string} piece @param {string} [kind] `given`: a token of the prompt */
  add(piece, kind = "") {
    const token = element("span", {
      id: `${this.#id}-${this.#tokens.length}`,
      role: "option",
      class: `play-token ${kind}`.trim(),
      "aria-selected": "false",
    });
    if (/^\s*$/.test(piece)) token.setAttribute("aria-label", spoken(piece));
    if (piece.includes("\n")) {
      token.append(element("i", {}, visible(piece)), piece.replace(/[^\n]/g, ""));
    } else token.append(piece);
    this.#tokens.push(token);
    this.box.append(token);
  }

  /** Keep the first tokens only. @param {number} count */
  cut(count) {
    for (const token of this.#tokens.splice(count)) token.remove();
    if (this.#marked >= count) this.mark(-1);
  }

  /** @param {number} place of the token, -1 for none */
  mark(place) {
    this.#tokens[this.#marked]?.setAttribute("aria-selected", "false");
    this.#marked = place;
    const token = this.#tokens[place];
    token?.setAttribute("aria-selected", "true");
    if (token) this.box.setAttribute("aria-activedescendant", token.id);
    else this.box.removeAttribute("aria-activedescendant");
  }

  /** Colour tokens. @param {"likely" | "look"} kind
   * @param {(place: number) => number} share of the colour, 0 … 1 */
  colour(kind, share) {
    this.box.dataset.colours = kind;
    this.#tokens.forEach((token, place) => {
      token.style.setProperty("--share", share(place).toFixed(3));
    });
  }

  /** Colour one token. @param {number} place @param {number} share */
  tint(place, share) {
    this.#tokens[place]?.style.setProperty("--share", share.toFixed(3));
  }

  /** @param {number} place @param {string} kind */
  addClass(place, kind) {
    this.#tokens[place]?.classList.add(kind);
  }

  /** @param {number} place */
  #choose(place) {
    if (place < 0 || place >= this.#tokens.length) return;
    this.mark(place);
    this.chosen(place);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const last = this.#tokens.length - 1;
    const at = this.#marked;
    /** @type {Record<string, number>} */
    const goals = {
      ArrowLeft: at < 0 ? last : Math.max(0, at - 1),
      ArrowRight: Math.min(last, at + 1),
      Home: 0,
      End: last,
    };
    if (!(event.key in goals)) return;
    event.preventDefault();
    event.stopPropagation(); // Material has keys of its own
    this.#choose(goals[event.key]);
    this.#tokens[this.#marked]?.scrollIntoView({ block: "nearest" });
  }
}
