// @ts-check
// A text through several tokenizers side by side, the steps of a word, and a tokenizer
// learned from the reader's own text. All work is done by a worker.

import { Client } from "../playground/tokenizers/client.js";
import { button, grouped, select } from "../playground/tokenizers/controls.js";
import { Columns } from "../playground/tokenizers/show-columns.js";
import { Stepper } from "../playground/tokenizers/show-steps.js";
import { Trainer } from "../playground/tokenizers/show-training.js";
import { checkText } from "../playground/tokenizers/bytes.js";
import { element } from "../reader/element.js";

const EDITABLE = 20_000; // characters that a field holds without being slow
const SHOWN = 1000; // characters of a longer text that are shown
const MOST = 2_000_000; // characters
const MOST_FILE = 40_000_000; // bytes of a tokenizer.json
const IN_ADDRESS = 2000; // characters
const PAUSE = 120; // milliseconds after the last key
const FIRST = "The lighthouse keeper  couldn't tokenize naïve 猫 👍🏽.\n\tx = 3.14159";

/** @type {Record<string, string>} */
const SAMPLES = {
  English: "It was the best of times, it was the unhappiest of times.",
  German: "Der Hund schläft unter dem Tisch, und die Katze sieht ihm dabei zu.",
  Python: "def mean(xs: list[float]) -> float:\n    return sum(xs) / len(xs)\n",
  Chinese: "我喜欢读书。今天天气很好，我们去公园吧！",
  Numbers: "7 42 365 2026 31415 271828 1,000,000 3.14159",
  "Emoji, accents": "👍🏽 👩‍👩‍👧‍👦 🇩🇪 naïve café e\u0301 Z͑͊algo",
  Spaces: "a b  c   d\t\te \n\n\n f\u00a0g\u3000h ",
};

/** The settings in the address. */
function fromAddress() {
  const hash = location.hash.slice(1);
  return new URLSearchParams(hash.includes("=") ? hash : "");
}

class TokenizerPlayground extends HTMLElement {
  #client = new Client();
  #text = "";
  #isLong = false;
  #timer = 0;
  #isReady = false;
  #field = element("textarea", {
    ...{ id: "tokenizer-text", rows: "5", spellcheck: "false", autocapitalize: "off" },
    autocomplete: "off",
  });
  #about = element("p", { class: "text-about" });
  #trouble = element("p", { class: "trouble", role: "alert", hidden: true });
  #columns = new Columns(this.#client, () => this.#offer());
  #stepper = new Stepper(this.#client, () => this.#keep());
  #trainer = new Trainer(
    this.#client,
    () => this.#text,
    (json, title, about) => this.#use("trained", json, title, about),
    () => this.#keep(),
  );

  connectedCallback() {
    if (this.#isReady) return;
    const href = new URL("../playground/tokenizers.css", import.meta.url).href;
    this.append(element("link", { rel: "stylesheet", href }));
    const parts = [
      this.#textPart(),
      this.#columns.choice,
      element("h2", { id: "side-by-side" }, "Side by side"),
      this.#columns.view,
      element("h2", { id: "step-by-step" }, "Step by step"),
      this.#stepper.view,
      element("h2", { id: "train-your-own" }, "Train your own"),
      this.#trainer.view,
    ];
    const box = element("div", { class: "playground" }, ...parts);
    this.replaceChildren(...this.querySelectorAll("link"), box);
    this.#restore();
    addEventListener("hashchange", () => fromAddress().size && this.#restore());
  }

  // ---- the text -----------------------------------------------------------------

  #textPart() {
    const samples = { "": "Examples", ...SAMPLES };
    const titles = Object.fromEntries(
      Object.keys(samples).map((name) => [name, name || "Examples"]),
    );
    const choice = select("tokenizer-sample", titles);
    choice.setAttribute("aria-label", "Examples");
    choice.addEventListener("change", () => {
      if (choice.value) this.#setText(SAMPLES[choice.value]);
      choice.value = "";
    });
    this.#field.addEventListener("input", () => this.#typed());
    for (const kind of /** @type {const} */ (["paste", "drop"])) {
      this.#field.addEventListener(kind, (event) => this.#given(event));
    }
    const tools = element(
      "div",
      { class: "step-controls" },
      choice,
      this.#fileButton("Open a text", ".txt,text/*", (file) => this.#openText(file)),
      this.#fileButton("Open a tokenizer.json", ".json", (file) =>
        this.#openJson(file),
      ),
    );
    return element(
      "div",
      { class: "tokenizer-text" },
      element("label", { for: "tokenizer-text" }, "Text"),
      ...[this.#field, this.#about, this.#trouble, tools],
    );
  }

  /** @param {string} title @param {string} accept
   * @param {(file: File) => Promise<void>} open */
  #fileButton(title, accept, open) {
    const input = element("input", { type: "file", accept, hidden: true });
    input.setAttribute("aria-label", title);
    input.addEventListener("change", async () => {
      const file = input.files?.[0];
      input.value = ""; // so that the same file can be opened again
      if (file) await open(file);
    });
    return element(
      "span",
      {},
      button(title, () => input.click()),
      input,
    );
  }

  #typed() {
    if (this.#isLong) return;
    const { value } = this.#field;
    clearTimeout(this.#timer);
    if (value.length > EDITABLE) return this.#setText(value);
    this.#timer = setTimeout(() => this.#accept(value), PAUSE);
  }

  /** A long text does not go into the field, which it would make slow.
   * @param {ClipboardEvent | DragEvent} event */
  #given(event) {
    const source = "clipboardData" in event ? event.clipboardData : event.dataTransfer;
    const text = source?.getData("text/plain") ?? "";
    if (!this.#isLong && text.length + this.#field.value.length <= EDITABLE) return;
    event.preventDefault();
    const { selectionStart: start, selectionEnd: end } = this.#field;
    const old = this.#isLong ? "" : this.#field.value;
    this.#setText(old.slice(0, start) + text + old.slice(end));
  }

  /** Show a text and tokenize it. @param {string} text */
  #setText(text) {
    clearTimeout(this.#timer);
    if (!this.#accept(text)) return;
    this.#isLong = text.length > EDITABLE;
    this.#field.value = this.#isLong ? this.#text.slice(0, SHOWN) : text;
    this.#field.readOnly = this.#isLong;
    this.#about.replaceChildren();
    if (!this.#isLong) return;
    const size = grouped(text.length);
    this.#about.append(
      `${size} characters; the field shows how they begin. `,
      button("Write another text", () => {
        this.#setText("");
        this.#field.focus();
      }),
    );
  }

  /** Whether the text can be taken; what is wrong with it is told.
   * @param {string} text */
  #accept(text) {
    if (text.length > MOST) {
      return this.#fail(
        `The text has ${grouped(text.length)} characters; ${grouped(MOST)} fit here. ` +
          "Take a part of it.",
      );
    }
    try {
      checkText(text);
    } catch (error) {
      const message = error instanceof Error ? error.message : `${error}`;
      this.#fail(`${message}. Nothing was tokenized: remove it, or `);
      this.#trouble.append(
        button("put U+FFFD there", () =>
          this.#setText(text.replace(/[\ud800-\udfff]/gu, "\ufffd")),
        ),
      );
      return false;
    }
    this.#trouble.hidden = true;
    this.#text = text;
    this.#client.ask({ do: "text", text }).catch((error) => this.#fail(error.message));
    this.#columns.refresh();
    this.#keep();
    return true;
  }

  /** @param {string} message @returns {false} */
  #fail(message) {
    this.#trouble.textContent = message;
    this.#trouble.hidden = false;
    return false;
  }

  // ---- files --------------------------------------------------------------------

  /** @param {File} file */
  async #openText(file) {
    if (file.size > 4 * MOST) {
      return void this.#fail(
        `${file.name} has ${grouped(file.size)} bytes; ${grouped(MOST)} characters ` +
          "fit here. Take a part of it.",
      );
    }
    try {
      const content = await file.arrayBuffer();
      this.#setText(new TextDecoder("utf-8", { fatal: true }).decode(content));
    } catch {
      this.#fail(
        `${file.name} is not UTF-8: save it as UTF-8 text, and open it again.`,
      );
    }
  }

  /** @param {File} file */
  async #openJson(file) {
    if (file.size > MOST_FILE) {
      return void this.#fail(
        `${file.name} has ${grouped(file.size)} bytes; ${grouped(MOST_FILE)} fit here.`,
      );
    }
    try {
      const json = await file.text();
      const found = await this.#client.ask({ do: "read", name: "file", json });
      const reader = found.kind === "other" ? "🤗 tokenizers.js" : "the book’s code";
      const about = `${grouped(found.size)} tokens, read by ${reader}`;
      this.#offerNew("file", file.name, about);
      this.#trouble.hidden = true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : `${error}`;
      this.#fail(`${file.name} cannot be used: ${reason}.`);
    }
  }

  /** @param {string} name @param {string} json @param {string} title
   * @param {string} about */
  async #use(name, json, title, about) {
    await this.#client.ask({ do: "read", name, json });
    this.#offerNew(name, title, about);
    this.#columns.view.scrollIntoView({ block: "nearest" });
  }

  /** @param {string} name @param {string} title @param {string} about */
  #offerNew(name, title, about) {
    this.#columns.add(name, title, about);
    const others = this.#columns.chosen.map(([chosen]) => chosen);
    this.#columns.choose([...others.filter((other) => other !== name), name]);
    this.#stepper.reload();
  }

  // ---- the address --------------------------------------------------------------

  #restore() {
    this.#isReady = false;
    const given = fromAddress();
    this.#setText(given.get("text") ?? FIRST);
    this.#trainer.kind = /** @type {any} */ (given.get("learn") ?? "bpe");
    this.#trainer.size = given.get("size") ?? "500";
    this.#columns.choose((given.get("with") ?? "bpe,wordpiece,unigram").split(","));
    const word = given.get("word") ?? " lighthouse";
    this.#stepper.start(word, given.get("by") ?? "bpe", Number(given.get("step") ?? 0));
    this.#isReady = true;
  }

  /** The tokenizers of the steps are those that are compared. */
  #offer() {
    this.#stepper.offer(this.#columns.chosen);
    this.#keep();
  }

  /** Text and settings are kept in the address, which can be shared. */
  #keep() {
    if (!this.#isReady) return;
    const kept = new URLSearchParams();
    if (this.#text.length <= IN_ADDRESS) kept.set("text", this.#text);
    kept.set("with", this.#columns.chosen.map(([name]) => name).join(","));
    kept.set("word", this.#stepper.text);
    kept.set("by", this.#stepper.by);
    kept.set("step", `${this.#stepper.at}`);
    kept.set("learn", this.#trainer.kind);
    kept.set("size", this.#trainer.size);
    history.replaceState(history.state, "", `#${kept}`);
  }
}

customElements.define("tokenizer-playground", TokenizerPlayground);
