// @ts-check
// A sentence of the reader's goes through the book's GPT, and every step of it is
// shown, as numbers and as a picture: for one token, one layer, one head.

import { heatMap, short, stamp } from "../playground/drawings.js";
import { GptClient } from "../playground/gpt-client.js";
import {
  button,
  ModelLine,
  percent,
  spoken,
  stylesheet,
  Trouble,
  visible,
} from "../playground/panel.js";
import { ranking } from "../playground/sampling.js";
import { checkLength, Settings } from "../playground/settings.js";
import { steps, table } from "../playground/steps.js";
import { TokenText } from "../playground/token-text.js";
import { element } from "../reader/element.js";

/** @import { About } from "../playground/gpt-client.js" */
/** @import { Field } from "../playground/settings.js" */
/** @import { Seen } from "../playground/steps.js" */

const PREFIX = "attention";
const LONGEST = 32; // tokens: what a picture can show on a phone
/** @type {Field[]} */
const FIELDS = [
  { name: "text", label: "Text", kind: "text", usual: "To be, or not to b" },
  {
    name: "layer",
    label: "Layer",
    kind: "number",
    usual: "1",
    min: 1,
    max: 99,
    step: 1,
  },
  { name: "head", label: "Head", kind: "number", usual: "2", min: 1, max: 99, step: 1 },
  { name: "mask", label: "Causal mask", kind: "check", usual: "1" },
  {
    name: "temperature",
    label: "Temperature of scores",
    kind: "range",
    usual: "1",
    min: 0.1,
    max: 4,
    step: 0.1,
  },
];

class AttentionPlayground extends HTMLElement {
  #client = new GptClient();
  #trouble = new Trouble();
  #settings = new Settings(PREFIX, FIELDS, (name) => this.#changed(name));
  #model = new ModelLine(this.#client, this.#trouble, PREFIX, () => this.#run());
  #tokens = new TokenText("The tokens of the text", (place) => this.#mark(place));
  #start = button("Run it through the model", () => this.#run());
  #status = element("p", { class: "play-status", role: "status" });
  #stamps = element("div", { class: "play-stamps" });
  #map = element("div", { class: "play-maps" });
  #steps = element("div", { class: "play-steps" });
  /** with the switches, and as the model was trained @type {Seen | undefined} */
  #seen;
  /** @type {Seen | undefined} */
  #plain;
  #marked = -1;
  #runs = 0;
  #isTableOpen = false;
  /** steps whose numbers are open @type {Set<string>} */
  #open = new Set();

  connectedCallback() {
    if (this.#start.isConnected) return;
    stylesheet();
    this.#start.className = "main";
    const row = (/** @type {string} */ name) => this.#settings.row(name);
    const aside = element(
      "div",
      { class: "play-aside" },
      this.#tokens.box,
      this.#status,
      element("div", { class: "play-settings" }, row("layer"), row("head")),
      this.#stamps,
      this.#map,
    );
    this.replaceChildren(
      this.#model.box,
      row("text"),
      element("div", { class: "play-settings" }, row("mask"), row("temperature")),
      element("div", { class: "play-bar" }, this.#start),
      this.#trouble.box,
      element("div", { class: "play-follow" }, aside, this.#steps),
    );
  }

  disconnectedCallback() {
    this.#client.close("its page was left");
  }

  /** @param {string} name of a setting */
  #changed(name) {
    if (!this.#seen) return;
    if (name === "layer" || name === "head") this.#draw();
    else this.#run();
  }

  /** The text through the model. The last of several runs counts. */
  async #run() {
    const run = (this.#runs += 1);
    this.#trouble.clear();
    try {
      const text = this.#settings.text("text");
      if (!text) throw wrong("The text is empty: give at least one character.");
      checkLength(text, "The text", 2000);
      const { isCausal: causal, temperature } = this.#switches();
      const { config } = await this.#model.ready();
      const ids = await this.#client.call("encode", { text });
      const most = Math.min(LONGEST, config.context);
      if (ids.length > most) {
        throw wrong(
          `The text has ${ids.length} tokens; the pictures have room for ${most}.`,
        );
      }
      const trace = (/** @type {{causal: boolean, temperature: number}} */ switches) =>
        this.#client.call("trace", { text, switches });
      const seen = await trace({ causal, temperature });
      const plain = await trace({ causal: true, temperature: 1 });
      if (run !== this.#runs) return;
      this.#take(seen, plain);
    } catch (error) {
      if (run === this.#runs) this.#trouble.show(error, () => this.#run());
    }
  }

  /** @param {Seen} seen @param {Seen} plain */
  #take(seen, plain) {
    const isSame = `${this.#seen?.ids}` === `${seen.ids}`;
    this.#seen = seen;
    this.#plain = plain;
    if (!isSame) {
      const { pieces } = this.#about;
      this.#tokens.cut(0);
      for (const id of seen.ids) this.#tokens.add(pieces[id]);
      this.#marked = seen.ids.length - 1;
      this.#tokens.mark(this.#marked);
    }
    this.#draw();
  }

  /** @param {number} place */
  #mark(place) {
    this.#marked = place;
    this.#draw();
  }

  get #about() {
    return /** @type {About} */ (this.#model.about);
  }

  /** The layer and the head that are chosen, counted from 0, as the model has them. */
  #chosen() {
    const { H, L } = this.#about.config;
    return {
      layer: Math.min(this.#settings.number("layer"), L) - 1,
      head: Math.min(this.#settings.number("head"), H) - 1,
    };
  }

  #switches() {
    return {
      isCausal: this.#settings.text("mask") === "1",
      temperature: this.#settings.number("temperature"),
    };
  }

  #draw() {
    const [seen, plain, t] = [this.#seen, this.#plain, this.#marked];
    if (!seen || !plain) return;
    this.#trouble.clear();
    try {
      const chosen = this.#chosen();
      const T = seen.ids.length;
      const { weights } = seen.layers[chosen.layer];
      const from = chosen.head * T * T;
      this.#drawStamps(seen, chosen);
      this.#drawMap(weights, from);
      const row = weights.subarray(from + t * T, from + (t + 1) * T);
      const largest = Math.max(...row);
      this.#tokens.colour("look", (s) => row[s] / largest);
      this.#say(row);
      const shown = { about: this.#about, seen, plain, t, ...chosen, open: this.#open };
      this.#steps.replaceChildren(...steps({ ...shown, ...this.#switches() }));
    } catch (error) {
      this.#trouble.show(error);
    }
  }

  /** @param {number} s */
  #piece(s) {
    return this.#about.pieces[this.#seen?.ids[s] ?? 0];
  }

  /** What the marked token looks at most, in a sentence. @param {Float32Array} row */
  #say(row) {
    const [first] = ranking(row);
    const own = `Token ${this.#marked + 1}, ${spoken(this.#piece(this.#marked))},`;
    const other = `token ${first + 1}, ${spoken(this.#piece(first))}`;
    this.#status.textContent = `${own} looks most at ${other}: ${percent(row[first])}.`;
  }

  /** All heads of all layers, each a button.
   * @param {Seen} seen @param {{layer: number, head: number}} chosen */
  #drawStamps({ layers, ids }, chosen) {
    const { H } = this.#about.config;
    const T = ids.length;
    const old = [...this.#stamps.children];
    const focused = old.findIndex((one) => one === document.activeElement);
    const buttons = layers.flatMap(({ weights }, layer) =>
      Array.from({ length: H }, (_, head) => {
        const choose = () => this.#chooseHead(layer, head);
        const made = button("", choose, `Layer ${layer + 1}, head ${head + 1}`);
        const isChosen = layer === chosen.layer && head === chosen.head;
        made.setAttribute("aria-pressed", `${isChosen}`);
        made.append(stamp(weights, head * T * T, T));
        return made;
      }),
    );
    this.#stamps.style.setProperty("--heads", `${H}`);
    this.#stamps.replaceChildren(...buttons);
    buttons[focused]?.focus();
  }

  /** @param {number} layer @param {number} head */
  #chooseHead(layer, head) {
    this.#settings.set("layer", `${layer + 1}`);
    this.#settings.set("head", `${head + 1}`);
    this.#settings.keep();
    this.#draw();
  }

  /** @param {Float32Array} weights @param {number} from */
  #drawMap(weights, from) {
    const T = this.#seen?.ids.length ?? 0;
    const names = Array.from({ length: T }, (_, s) => visible(this.#piece(s)));
    const label = "A row for each token, a column for each token that it looks at";
    const map = heatMap(weights, from, names, this.#marked, label);
    map.addEventListener("click", (event) => {
      const box = map.getBoundingClientRect();
      const share = (event.clientY - box.top) / box.height;
      const row = Math.floor(share * (T + 1.1) - 1);
      if (row < 0 || row >= T) return;
      this.#tokens.mark(row);
      this.#mark(row);
    });
    this.#map.replaceChildren(map, this.#mapAsTable(weights, from, names));
  }

  /** @param {Float32Array} weights @param {number} from @param {string[]} names */
  #mapAsTable(weights, from, names) {
    const T = names.length;
    const summary = element("summary", {}, "The same as a table");
    const details = element("details", {}, summary);
    const fill = () => {
      this.#isTableOpen = details.open;
      if (!details.open || details.children.length > 1) return;
      const rows = names.map((name, t) => {
        const at = from + t * T;
        return [name, ...Array.from(weights.subarray(at, at + T), short)];
      });
      const name = "Weights, a row for each token";
      details.append(
        element(
          "div",
          { class: "play-wide", tabindex: "0", role: "region", "aria-label": name },
          table(name, ["", ...names], rows, this.#marked),
        ),
      );
    };
    details.open = this.#isTableOpen;
    fill();
    details.addEventListener("toggle", fill);
    return details;
  }
}

/** @param {string} message for the reader */
function wrong(message) {
  const error = new Error(message);
  error.name = "SettingError";
  return error;
}

customElements.define("attention-playground", AttentionPlayground);
