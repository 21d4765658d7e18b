// @ts-check
// The book's GPT writes: with settings, with the choices at each place, another of
// which can be taken, and with what the model looked at.

import { GptClient } from "../playground/gpt-client.js";
import {
  bar,
  button,
  ModelLine,
  onOneLine,
  percent,
  stylesheet,
  Trouble,
  visible,
} from "../playground/panel.js";
import { checkLength, Settings } from "../playground/settings.js";
import { TokenText } from "../playground/token-text.js";
import { element } from "../reader/element.js";

/** @import { About, Look, Part, Written } from "../playground/gpt-client.js" */
/** @import { Field } from "../playground/settings.js" */

const PREFIX = "gpt";
const LONGEST_PROMPT = 5000; // characters
const LONGEST_TEXT = 10_000; // tokens
const REDRAW = 100; // milliseconds between two lists while a text is written
/** @type {Field[]} */
const FIELDS = [
  { name: "prompt", label: "Prompt", kind: "area", usual: "ROMEO:\n" },
  {
    name: "temperature",
    label: "Temperature",
    kind: "range",
    usual: "0.8",
    min: 0,
    max: 2,
    step: 0.05,
  },
  {
    name: "top_p",
    label: "Top-p",
    kind: "range",
    usual: "1",
    min: 0.05,
    max: 1,
    step: 0.05,
  },
  {
    name: "top_k",
    label: "Top-k (0: all)",
    kind: "number",
    usual: "0",
    min: 0,
    max: 100_000,
    step: 1,
  },
  {
    name: "seed",
    label: "Seed",
    kind: "number",
    usual: "1",
    min: 0,
    max: 2 ** 31 - 1,
    step: 1,
  },
  {
    name: "tokens",
    label: "Tokens",
    kind: "number",
    usual: "300",
    min: 1,
    max: 2000,
    step: 1,
  },
  { name: "stop", label: "Stop before", kind: "text", usual: "" },
  {
    name: "pace",
    label: "Pace",
    kind: "choice",
    usual: "0",
    choices: [
      ["0", "as fast as it can"],
      ["10", "10 tokens a second"],
      ["3", "3 tokens a second"],
    ],
  },
  {
    name: "colours",
    label: "Colours show",
    kind: "choice",
    usual: "likely",
    choices: [
      ["likely", "how unlikely each token was"],
      ["look", "what the model looked at for the marked token"],
    ],
  },
];

/** @param {number} made @param {number} seconds */
function speed(made, seconds) {
  const rate = Math.round(made / Math.max(seconds, 0.001)).toLocaleString("en");
  return `${made} ${made === 1 ? "token" : "tokens"} written, ${rate} a second.`;
}

class MiniGptPlayground extends HTMLElement {
  #client = new GptClient();
  #trouble = new Trouble();
  #settings = new Settings(PREFIX, FIELDS, (name) => this.#changed(name));
  #model = new ModelLine(this.#client, this.#trouble, PREFIX, () => this.#reset());
  #text = new TokenText("The text, token by token", (place) => this.#look(place));
  #status = element("p", { class: "play-status", role: "status" });
  #write = button("Write", () => (this.#isWriting ? this.#stop() : this.#start()));
  #more = button("Go on", () => this.#goOn(() => this.#settings.number("tokens")));
  #one = button("One token", () => this.#goOn(() => 1));
  #copy = button("Copy the text", () => this.#copyText());
  #layer = element("select", { id: `${PREFIX}-layer` });
  #head = element("select", { id: `${PREFIX}-head` });
  #heads = element("div", { class: "play-settings" });
  #choices = element("div", { class: "play-choices" });

  /** @type {number[]} */
  #ids = [];
  /** what the model thought of each token @type {(Written | undefined)[]} */
  #written = [];
  /** @type {Look | undefined} */
  #seen;
  #isWriting = false;
  #prompt = ""; // that the text begins with
  #shown = 0; // when the list was last drawn

  connectedCallback() {
    if (this.#write.isConnected) return;
    stylesheet();
    const row = (/** @type {string} */ name) => this.#settings.row(name);
    const settings = [
      "temperature",
      "top_p",
      "top_k",
      "seed",
      "tokens",
      "stop",
      "pace",
    ];
    this.#heads.append(
      element("label", { for: this.#layer.id }, "Layer"),
      this.#layer,
      element("label", { for: this.#head.id }, "Head"),
      this.#head,
    );
    for (const select of [this.#layer, this.#head]) {
      select.addEventListener("change", () => this.#colour());
    }
    this.replaceChildren(
      this.#model.box,
      row("prompt"),
      element("div", { class: "play-settings" }, ...settings.map(row)),
      element(
        "div",
        { class: "play-bar" },
        this.#write,
        this.#more,
        this.#one,
        this.#copy,
      ),
      this.#trouble.box,
      this.#status,
      element("div", { class: "play-stage" }, this.#text.box, this.#choices),
      element("div", { class: "play-settings" }, row("colours"), this.#heads),
    );
    this.#write.className = "main";
    this.#colour();
    this.#reset();
  }

  disconnectedCallback() {
    this.#client.close("its page was left");
  }

  /** Another model: its vocabulary is another one, so the text goes. */
  #reset() {
    this.#stop();
    this.#ids = [];
    this.#written = [];
    this.#seen = undefined;
    this.#text.cut(0);
    this.#choices.replaceChildren();
    this.#status.textContent = "";
    this.#fillHeads();
    this.#buttons();
  }

  #fillHeads() {
    const { L, H } = this.#model.about?.config ?? { L: 0, H: 0 };
    for (const [select, count] of /** @type {const} */ ([
      [this.#layer, L],
      [this.#head, H],
    ])) {
      const options = Array.from({ length: count }, (_, n) =>
        element("option", { value: `${n}` }, `${n + 1}`),
      );
      select.replaceChildren(element("option", { value: "" }, "all"), ...options);
    }
  }

  #buttons() {
    this.#write.textContent = this.#isWriting ? "Stop" : "Write";
    this.#more.disabled = this.#isWriting || !this.#ids.length;
    this.#one.disabled = this.#isWriting;
    this.#copy.disabled = !this.#ids.length;
    this.#heads.hidden = !this.#looks;
  }

  /** @param {string} name of a setting */
  #changed(name) {
    if (name === "colours") {
      this.#buttons();
      this.#colour();
    }
    const shapes = ["temperature", "top_p", "top_k"].includes(name);
    if (shapes && this.#seen && !this.#isWriting) this.#look(this.#seen.place);
  }

  /** Throws a SettingError for what cannot be. */
  #sampling() {
    return {
      temperature: this.#settings.number("temperature"),
      topK: this.#settings.number("top_k"),
      topP: this.#settings.number("top_p"),
    };
  }

  /** Do something; what goes wrong is told, and can be tried again if that may help.
   * @param {() => Promise<void>} action */
  async #attempt(action) {
    this.#trouble.clear();
    try {
      await action();
    } catch (error) {
      this.#trouble.show(error, () => this.#attempt(action));
    }
  }

  /** Put the prompt in place of the text. */
  async #begin() {
    const prompt = this.#settings.text("prompt");
    if (!prompt) {
      const empty = new Error("The prompt is empty: give at least one character.");
      empty.name = "SettingError";
      throw empty;
    }
    checkLength(prompt, "The prompt", LONGEST_PROMPT);
    const hadModel = this.#model.about;
    const { pieces } = await this.#model.ready();
    if (!hadModel) this.#fillHeads();
    const ids = await this.#client.call("encode", { text: prompt });
    this.#prompt = prompt;
    this.#text.cut(0);
    this.#ids = ids;
    this.#written = ids.map(() => undefined);
    this.#seen = undefined;
    this.#choices.replaceChildren();
    for (const id of ids) this.#text.add(pieces[id], "given");
  }

  #start() {
    return this.#attempt(async () => {
      this.#settings.number("tokens");
      this.#sampling();
      await this.#begin();
      await this.#run(this.#settings.number("tokens"));
    });
  }

  /** @param {() => number} count of tokens to write */
  #goOn(count) {
    return this.#attempt(async () => {
      this.#sampling();
      const isNew = this.#settings.text("prompt") !== this.#prompt;
      if (!this.#ids.length || isNew) await this.#begin();
      await this.#run(count());
    });
  }

  /** @param {number} count of tokens to write */
  async #run(count) {
    const room = LONGEST_TEXT - this.#ids.length;
    const stop = this.#settings.text("stop").replaceAll("\\n", "\n");
    const given = {
      ids: this.#ids.slice(),
      sampling: this.#sampling(),
      seed: this.#settings.number("seed"),
      count: Math.min(count, room),
      stop,
      perSecond: Number(this.#settings.text("pace")),
    };
    this.#isWriting = true;
    this.#buttons();
    if (count > 1) this.#write.focus();
    this.#status.setAttribute("aria-live", "off"); // until it has ended
    try {
      const hear = (/** @type {Part} */ part) => this.#take(part);
      const { made, seconds, stopped } = await this.#client.call("write", given, hear);
      this.#status.removeAttribute("aria-live");
      const ends = stopped ? ` It ended at “${visible(stop)}”.` : "";
      const full = made === room ? " The text is as long as it may be." : "";
      this.#status.textContent = `${speed(made, seconds)}${ends}${full}`;
    } finally {
      this.#isWriting = false;
      this.#buttons();
    }
    if (this.#seen) this.#show(this.#seen);
  }

  #stop() {
    if (this.#isWriting) this.#client.call("stop", {});
  }

  /** @param {Part} part */
  #take({ tokens, last, made, seconds }) {
    const pieces = this.#model.about?.pieces ?? [];
    for (const token of tokens) {
      this.#ids.push(token.id);
      this.#written.push(token);
      this.#text.add(pieces[token.id]);
      if (!this.#looks) this.#text.tint(this.#ids.length - 1, 1 - token.model);
    }
    this.#text.box.scrollTop = this.#text.box.scrollHeight;
    this.#status.textContent = speed(made, seconds);
    this.#seen = last ?? this.#seen;
    if (last && performance.now() - this.#shown > REDRAW) this.#show(last);
  }

  /** @param {number} place that the reader has marked */
  #look(place) {
    return this.#attempt(async () => {
      if (place === 0) {
        this.#seen = undefined;
        this.#colour();
        this.#choices.replaceChildren(
          element("p", {}, "The first token is given: the model had nothing to go by."),
        );
        return;
      }
      const given = { ids: this.#ids, place, sampling: this.#sampling() };
      this.#show(await this.#client.call("look", given));
    });
  }

  /** @param {Look} seen */
  #show(seen) {
    this.#seen = seen;
    this.#shown = performance.now();
    this.#text.mark(seen.place);
    if (this.#looks) this.#colour();
    else this.#list(seen);
  }

  /** Whether colours show attention. */
  get #looks() {
    return this.#settings.text("colours") === "look";
  }

  #colour() {
    if (!this.#looks) {
      this.#text.colour("likely", (place) => 1 - (this.#written[place]?.model ?? 1));
      if (this.#seen) this.#list(this.#seen);
      return;
    }
    const weights = this.#seen ? this.#weights(this.#seen) : [];
    const largest = Math.max(...weights, 1e-9);
    const start = this.#seen?.start ?? 0;
    this.#text.colour("look", (place) => (weights[place - start] ?? 0) / largest);
    if (this.#seen) this.#list(this.#seen);
  }

  /** The mean weights of the chosen layers and heads. @param {Look} seen */
  #weights({ place, start, attention }) {
    const { L, H } = /** @type {About} */ (this.#model.about).config;
    const count = place - start;
    const mean = new Array(count).fill(0);
    let rows = 0;
    for (let layer = 0; layer < L; layer++) {
      if (this.#layer.value && this.#layer.value !== `${layer}`) continue;
      for (let head = 0; head < H; head++) {
        if (this.#head.value && this.#head.value !== `${head}`) continue;
        const from = (layer * H + head) * count;
        for (let s = 0; s < count; s++) mean[s] += attention[from + s];
        rows += 1;
      }
    }
    return mean.map((weight) => weight / rows);
  }

  /** What the model thought at a place. @param {Look} seen */
  #list(seen) {
    const { pieces } = /** @type {About} */ (this.#model.about);
    const own = this.#ids[seen.place];
    const rows = seen.choices.map(({ id, model, drawn }) => {
      const name = visible(pieces[id]);
      const take = button(
        "Take it",
        () => this.#takeOther(seen.place, id),
        `Take ${name} and go on`,
      );
      return element(
        "tr",
        id === own ? { class: "own" } : {},
        element("th", { scope: "row" }, name, id === own ? " ✓" : ""),
        element("td", {}, bar(model), percent(model)),
        element("td", {}, drawn ? percent(drawn) : "cut off"),
        element("td", {}, id === own || this.#isWriting ? "" : take),
      );
    });
    const before = this.#ids.slice(Math.max(0, seen.place - 24), seen.place);
    const past = onOneLine(before.map((id) => pieces[id]).join(""));
    const heading = element("tr", {});
    for (const name of ["Token", "Model", "Drawn with", ""]) {
      heading.append(element(name ? "th" : "td", name ? { scope: "col" } : {}, name));
    }
    this.#choices.replaceChildren(
      element(
        "table",
        { class: "play-table" },
        element("caption", {}, `Place ${seen.place + 1}, after “${past}”`),
        element("thead", {}, heading),
        element("tbody", {}, ...rows),
      ),
      ...this.#lookedAt(seen),
    );
  }

  /** In words, what the model looked at. @param {Look} seen */
  #lookedAt(seen) {
    if (!this.#looks) return [];
    const { pieces } = /** @type {About} */ (this.#model.about);
    const weights = this.#weights(seen);
    const order = weights.map((_, s) => s).sort((a, b) => weights[b] - weights[a]);
    const items = order.slice(0, 5).map((s) => {
      const piece = visible(pieces[this.#ids[seen.start + s]]);
      return `${piece} at place ${seen.start + s + 1}: ${percent(weights[s])}`;
    });
    return [element("p", {}, `Looked at most: ${items.join("; ")}.`)];
  }

  /** Another token at a place, and on from there. @param {number} place
   * @param {number} id */
  #takeOther(place, id) {
    return this.#attempt(async () => {
      const { pieces } = await this.#model.ready();
      const { model, drawn } = this.#seen?.choices.find((c) => c.id === id) ?? {
        model: 0,
        drawn: 0,
      };
      this.#ids = [...this.#ids.slice(0, place), id];
      this.#written = [...this.#written.slice(0, place), { id, model, drawn }];
      this.#text.cut(place);
      this.#text.add(pieces[id], "taken");
      await this.#run(this.#settings.number("tokens"));
    });
  }

  async #copyText() {
    try {
      const text = await this.#client.call("decode", { ids: this.#ids });
      await navigator.clipboard.writeText(text);
      this.#copy.textContent = "Copied";
    } catch {
      this.#copy.textContent = "Not allowed";
    }
    setTimeout(() => (this.#copy.textContent = "Copy the text"), 1500);
  }
}

customElements.define("mini-gpt-playground", MiniGptPlayground);
