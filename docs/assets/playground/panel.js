// @ts-check
// What the playgrounds of the model share on the page: the line that says which model
// is open, a field for a file of the reader, messages, bars.

import { element } from "../reader/element.js";
import { canTryAgain, SHIPPED, told } from "./gpt-client.js";

/** @import { About, GptClient } from "./gpt-client.js" */

/** The styles of the playgrounds of the model. */
export function stylesheet() {
  const href = new URL("./gpt.css", import.meta.url).href;
  if (document.querySelector(`link[href="${href}"]`)) return;
  document.head.append(element("link", { rel: "stylesheet", href }));
}

/** @param {string} label @param {() => void} action @param {string} [name] */
export function button(label, action, name) {
  const attributes = { type: "button", "aria-label": name ?? false };
  const made = element("button", attributes, label);
  made.addEventListener("click", action);
  return made;
}

/** A share of one, for readers. @param {number} share */
export function percent(share) {
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  return `${(100 * share).toFixed(1)} %`;
}

const NAMES = new Map([
  ["\n", "new line"],
  [" ", "space"],
  ["\t", "tab"],
]);
const SIGNS = new Map([
  ["\n", "⏎"],
  ["\t", "⇥"],
]);

/** A token as a word that can be spoken. @param {string} piece */
export function spoken(piece) {
  return NAMES.get(piece) ?? piece;
}

/** A token with all of it in sight. @param {string} piece */
export function visible(piece) {
  return [...piece].map((one) => SIGNS.get(one) ?? (one === " " ? "␣" : one)).join("");
}

/** A text on one line, the ends of its lines in sight. @param {string} text */
export function onOneLine(text) {
  return [...text].map((one) => SIGNS.get(one) ?? one).join("");
}

/** A bar as long as a share of one. @param {number} share */
export function bar(share) {
  const made = element("span", { class: "play-share" });
  made.style.setProperty("--share", share.toFixed(4));
  return made;
}

/** Place for a message of something that went wrong. */
export class Trouble {
  box = element("div", { class: "play-trouble", role: "alert" });

  clear() {
    this.box.replaceChildren();
  }

  /** @param {unknown} error @param {() => void} [again] offered where it may help */
  show(error, again) {
    const parts = [element("p", {}, told(error))];
    const box = element("div", { class: "trouble" }, ...parts);
    if (again && canTryAgain(error)) box.append(button("Try again", again));
    this.box.replaceChildren(box);
  }
}

/** What is open, in a line. @param {About} about */
export function describe({ architecture, parameters, config, pieces }) {
  const kind = architecture === "gpt2" ? "GPT-2" : "of day 6's newer parts";
  const count = (/** @type {number} */ n, /** @type {string} */ name) =>
    `${n.toLocaleString("en")} ${name}${n === 1 ? "" : "s"}`;
  return (
    `${kind}: ${count(parameters, "parameter")}, ${count(config.L, "layer")} of ` +
    `${count(config.H, "head")}, ${count(config.C, "channel")}, a context of ` +
    `${config.context}, ${count(pieces.length, "token")} in the vocabulary`
  );
}

/** Which model is open, and how to open another one. */
export class ModelLine {
  /** @type {About | undefined} */
  about;
  #name = element("span");
  #input = element("input", { type: "file", accept: ".safetensors,.json" });
  #own = button("The book's model", () => this.#open());

  /**
   * @param {GptClient} client @param {Trouble} trouble
   * @param {string} prefix of ids
   * @param {() => void} changed another model is open
   */
  constructor(client, trouble, prefix, changed) {
    this.client = client;
    this.trouble = trouble;
    this.changed = changed;
    this.#input.id = `${prefix}-file`;
    this.#input.multiple = true;
    this.#input.addEventListener("change", () => this.#openFiles());
    this.#own.hidden = true;
    this.#name.textContent = "The book's model is loaded when you first use it.";
    this.box = element(
      "div",
      { class: "play-model" },
      element("p", { role: "status" }, this.#name),
      element(
        "details",
        {},
        element("summary", {}, "Open a model that you trained"),
        element(
          "p",
          {},
          "A file of ",
          element("code", {}, "python -m snippets.mini_gpt.convert pack"),
          ", with its card if it has one. It stays on your computer.",
        ),
        element("label", { for: this.#input.id }, "Model (.safetensors)"),
        this.#input,
        this.#own,
      ),
    );
  }

  /** The open model; loads the book's if there is none.
   * @returns {Promise<About>} */
  async ready() {
    if (this.about) return this.about;
    this.#name.textContent = "Loading the book's model (1.7 MB) …";
    try {
      this.about = await this.client.call("open", { url: SHIPPED });
    } catch (error) {
      this.#name.textContent = "No model is open.";
      throw error;
    }
    this.#say("The book's model", this.about);
    return this.about;
  }

  /** @param {string} name @param {About} about @param {string} [note] */
  #say(name, about, note = "") {
    this.#name.textContent = `${name}, ${describe(about)}${note}.`;
  }

  async #openFiles() {
    const files = [...(this.#input.files ?? [])];
    if (!files.length) return;
    const card = files.find(({ name }) => name.toLowerCase().endsWith(".json"));
    const file = files.find((one) => one !== card) ?? card;
    this.trouble.clear();
    try {
      const about = await this.client.call("open", { file });
      this.about = about;
      this.#say(`${file?.name}`, about, await noteOf(card === file ? undefined : card));
      this.#own.hidden = false;
      this.changed();
    } catch (error) {
      const named = error instanceof Error ? error : new Error(`${error}`);
      named.message = `${file?.name}: ${named.message}`;
      this.trouble.show(named);
    }
    this.#input.value = ""; // so that the same file can be chosen again
  }

  /** Go back to the model of the book. */
  async #open() {
    this.trouble.clear();
    const before = this.about;
    this.about = undefined;
    try {
      await this.ready();
      this.#own.hidden = true;
      this.changed();
    } catch (error) {
      this.about = before;
      this.trouble.show(error, () => this.#open());
    }
  }
}

/** What the card of a model says of its training. @param {File | undefined} card */
async function noteOf(card) {
  if (!card) return "";
  try {
    const loss = JSON.parse(await card.text()).validation_loss;
    if (Number.isFinite(loss)) return `; validation loss ${loss} by its card`;
  } catch {
    // told below
  }
  return `; its card ${card.name} gives no validation loss`;
}
