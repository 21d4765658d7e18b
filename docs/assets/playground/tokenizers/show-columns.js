// @ts-check
// Several tokenizers side by side: which ones, and what each makes of the text.

import { element } from "../../reader/element.js";
import { Failed } from "./client.js";
import { button, grouped } from "./controls.js";
import { TITLES } from "./titles.js";
import { pieceList } from "./show-pieces.js";

/** @import { Client } from "./client.js" */
/** @import { Encoded, Piece } from "./types.js" */

const PAGE = 100; // tokens shown at once
/** What one tokenizer makes of the text. */
class Column {
  #numbers = element("p", { class: "column-numbers" });
  #pieces = element("div", { class: "column-pieces" });
  #pages = element("div", { class: "column-pages", role: "group" });
  #trouble = element("p", { class: "trouble", role: "alert", hidden: true });
  #from = 0;
  #count = 0;

  /** @param {string} name @param {string} title @param {string} about
   * @param {Client} client @param {() => void} again */
  constructor(name, title, about, client, again) {
    this.name = name;
    this.title = title;
    this.client = client;
    this.again = again;
    this.#pages.setAttribute("aria-label", `Tokens of ${title}`);
    this.#numbers.textContent = "…";
    this.box = element(
      "section",
      { class: "column", "aria-label": title },
      element("h3", {}, title),
      element("p", { class: "column-about" }, about),
      ...[this.#numbers, this.#trouble, this.#pieces, this.#pages],
    );
  }

  /** @param {boolean} special @param {() => boolean} isOld */
  async update(special, isOld) {
    try {
      if (TITLES[this.name]) await this.client.ask({ do: "open", name: this.name });
      if (isOld()) return;
      const found = await this.client.ask({ do: "encode", name: this.name, special });
      if (isOld()) return;
      this.#tell(found);
      this.#count = found.count;
      await this.#show(0);
    } catch (error) {
      if (!isOld()) this.#fail(error);
    }
  }

  /** @param {Encoded} found */
  #tell({ count, bytes, isSame, size }) {
    this.#trouble.hidden = true;
    const each = count ? `${(bytes / count).toFixed(2)} bytes a token` : "no text";
    const back = isSame ? "the text comes back whole" : "decoding gives another text";
    this.#numbers.replaceChildren(
      element("strong", {}, `${grouped(count)} ${count === 1 ? "token" : "tokens"}`),
      ` · ${each} · vocabulary ${grouped(size)}${count ? ` · ${back}` : ""}`,
    );
  }

  /** @param {number} from */
  async #show(from) {
    const to = from + PAGE;
    const request = { do: /** @type {const} */ ("page"), name: this.name, from, to };
    /** @type {Piece[]} */
    const pieces = await this.client.ask(request);
    this.#from = from;
    this.#pieces.replaceChildren(pieceList(pieces, from + 1));
    this.#turn();
  }

  /** The buttons that turn the pages, where there are several. */
  #turn() {
    const [from, count] = [this.#from, this.#count];
    if (count <= PAGE) return this.#pages.replaceChildren();
    const had = this.#pages.contains(document.activeElement)
      ? document.activeElement?.textContent
      : null;
    const to = Math.min(from + PAGE, count);
    const turn = (/** @type {string} */ text, /** @type {number} */ place) => {
      const made = button(text, () => this.#show(place).catch((e) => this.#fail(e)));
      made.disabled = place < 0 || place >= count || place === from;
      return made;
    };
    const buttons = [turn("Back", from - PAGE), turn("Next", from + PAGE)];
    const where = `${grouped(from + 1)} to ${grouped(to)} of ${grouped(count)}`;
    this.#pages.replaceChildren(element("span", {}, where), ...buttons);
    if (had)
      (
        buttons.find((b) => b.textContent === had && !b.disabled) ??
        buttons.find((b) => !b.disabled)
      )?.focus();
  }

  /** @param {unknown} error */
  #fail(error) {
    const message = error instanceof Error ? error.message : `${error}`;
    this.#trouble.replaceChildren(`${this.title}: ${message} `);
    if (error instanceof Failed && error.isUnreachable) {
      this.#trouble.append(button("Try again", this.again));
    }
    this.#trouble.hidden = false;
    this.#numbers.textContent = "";
    this.#count = 0;
    this.#pieces.replaceChildren();
    this.#pages.replaceChildren();
  }
}

const PARTS = { ids: "ids", bytes: "bytes", numbers: "numbers" };

export class Columns {
  /** @type {Map<string, Column>} */
  #columns = new Map();
  /** @type {Map<string, {title: string, about: string, box: HTMLInputElement}>} */
  #choices = new Map();
  #list = element("div", { class: "choice-list" });
  #special = element("input", { type: "checkbox", id: "tokenizer-special" });
  #results = element("div", { class: "columns show-ids" });
  #status = element("p", { class: "for-screen-readers", role: "status" });
  #version = 0;

  /** @param {Client} client @param {() => void} changed */
  constructor(client, changed) {
    this.client = client;
    this.changed = changed;
    for (const [name, { title, about }] of Object.entries(TITLES)) {
      this.add(name, title, about);
    }
    this.#special.addEventListener("change", () => this.refresh());
    const legend = element("legend", {}, "Tokenizers");
    this.choice = element(
      "fieldset",
      { class: "tokenizer-choice" },
      legend,
      this.#list,
    );
    this.view = element("div", {}, this.#show(), this.#results, this.#status);
  }

  /** What to show of each token. */
  #show() {
    const box = element("div", { class: "tokenizer-show" }, "Show ");
    for (const [name, title] of Object.entries(PARTS)) {
      const input = element("input", {
        type: "checkbox",
        id: `tokenizer-show-${name}`,
      });
      input.checked = name === "ids";
      input.addEventListener("change", () => {
        this.#results.classList.toggle(`show-${name}`, input.checked);
      });
      box.append(element("label", {}, input, ` ${title}`));
    }
    const about = " special tokens in the text as what they are";
    box.append(element("label", {}, this.#special, about));
    return box;
  }

  /** Offer a tokenizer; one that was offered before is replaced.
   * @param {string} name @param {string} title @param {string} about */
  add(name, title, about) {
    const old = this.#choices.get(name);
    this.#columns.get(name)?.box.remove();
    this.#columns.delete(name);
    const id = `tokenizer-${name}`;
    const box = element("input", { type: "checkbox", id });
    box.checked = old?.box.checked ?? false;
    box.addEventListener("change", () => {
      this.#arrange();
      this.changed();
    });
    const label = element("label", { for: id }, title);
    const row = element("span", { class: "choice" }, box, label);
    if (old) old.box.parentElement?.replaceWith(row);
    else this.#list.append(row);
    this.#choices.set(name, { title, about, box });
    if (box.checked) this.#arrange();
  }

  /** Which are chosen, with their titles. @returns {[string, string][]} */
  get chosen() {
    return [...this.#choices]
      .filter(([, { box }]) => box.checked)
      .map(([name, { title }]) => [name, title]);
  }

  /** @param {string[]} names */
  choose(names) {
    for (const [name, { box }] of this.#choices) box.checked = names.includes(name);
    this.#arrange();
    this.changed();
  }

  /** A column for each that is chosen, in the order of the choice. */
  #arrange() {
    const shown = [];
    let isNew = false;
    for (const [name, { title, about, box }] of this.#choices) {
      if (!box.checked) {
        this.#columns.get(name)?.box.remove();
        this.#columns.delete(name);
        continue;
      }
      let column = this.#columns.get(name);
      if (!column) {
        column = new Column(name, title, about, this.client, () => this.refresh());
        this.#columns.set(name, column);
        isNew = true;
      }
      shown.push(column.box);
    }
    this.#results.replaceChildren(...shown);
    if (isNew) this.refresh();
  }

  /** Tokenize the text again, with all that are chosen. */
  async refresh() {
    this.#version += 1;
    const version = this.#version;
    const isOld = () => version !== this.#version;
    await new Promise((resume) => setTimeout(resume)); // once for several changes
    if (isOld()) return;
    const columns = [...this.#columns.values()];
    const isSpecial = this.#special.checked;
    await Promise.all(columns.map((column) => column.update(isSpecial, isOld)));
    if (isOld()) return;
    const counts = columns.map(({ box, title }) => {
      return `${title}: ${box.querySelector("strong")?.textContent ?? "nothing"}`;
    });
    this.#status.textContent = `${counts.join("; ")}.`;
  }
}
