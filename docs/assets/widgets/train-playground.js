// @ts-check
// A small GPT, trained in the page: the reader chooses a text, a size and a learning
// rate, watches the loss fall and the samples change, and takes the model along.

import { draw } from "../playground/train/chart.js";
import { size as countOf } from "../playground/train/model.js";
import { RECIPE } from "../playground/train/recipe.js";
import {
  RATES,
  readAddress,
  SECONDS,
  SEEDS,
  settings,
  SIZES,
  writeAddress,
} from "../playground/train/settings.js";
import { element } from "../reader/element.js";

/** @import { Losses } from "../playground/train/chart.js" */
/** @import { End, Sample, Told, Validation } from "../playground/train/session.js" */
/** @import { Asked } from "../playground/train/worker.js" */

const STYLES = new URL("../playground/train-playground.css", import.meta.url).href;
const WORKER = new URL("../playground/train/worker.js", import.meta.url);
const VOCABULARY = 63; // of the excerpt of Shakespeare
const WRITTEN = 300; // characters
const MOST_SAMPLES = 20;
const whole = new Intl.NumberFormat("en");

/** @typedef {"idle" | "loading" | "training" | "paused" | "over"} State */

/** @param {number} seconds */
function spoken(seconds) {
  if (seconds < 60) return `${seconds} seconds`;
  return seconds === 60 ? "1 minute" : `${seconds / 60} minutes`;
}

/** What stands in front of a control. @param {string} name
 * @param {HTMLElement} control @param {...(Node | string)} more */
function field(name, control, ...more) {
  const label = element("label", { for: control.id }, name);
  return element("div", { class: "train-field" }, label, control, ...more);
}

/** @param {string} id @param {[string, string][]} options */
function select(id, options) {
  const choices = options.map(([value, text]) => element("option", { value }, text));
  return element("select", { id }, ...choices);
}

/** @param {string} id @param {number} max @param {Record<string, string>} [more] */
function slider(id, max, more = {}) {
  return element("input", { id, type: "range", min: "0", max: `${max}`, ...more });
}

/** @param {string} text @param {() => void} action */
function button(text, action) {
  const made = element("button", { type: "button", class: "md-button" }, text);
  made.addEventListener("click", action);
  return made;
}

/** Hand bytes or a text to the reader as a file. @param {string} name
 * @param {BlobPart} content @param {string} type */
function download(name, content, type) {
  const href = URL.createObjectURL(new Blob([content], { type }));
  element("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

class TrainPlayground extends HTMLElement {
  #choices = readAddress(location.search);
  /** @type {State} */
  #state = "idle";
  /** @type {Worker | undefined} */
  #worker;
  /** @type {Losses} */
  #losses = { train: [], validation: [], guessing: Math.log(VOCABULARY), until: 60 };
  #isDrawn = false; // or will be, in the next frame
  #vocabulary = VOCABULARY; // to say how large a model is
  /** @type {"weights" | "card"} what is being saved */
  #part = "weights";

  #source = select("train-text", [
    ["shakespeare", "Shakespeare"],
    ["own", "your text"],
    ["file", "a file of yours"],
  ]);
  #text = element("textarea", { id: "train-own", rows: "6", spellcheck: "false" });
  #file = element("input", { id: "train-file", type: "file", accept: ".txt,text/*" });
  #size = slider("train-size", SIZES.length - 1);
  #sizeTold = element("span", { class: "train-told" });
  #rate = slider("train-rate", RATES.length - 1);
  #rateTold = element("span", { class: "train-told" });
  #seconds = select(
    "train-seconds",
    SECONDS.map((seconds) => [`${seconds}`, spoken(seconds)]),
  );
  #optimizer = select("train-optimizer", [
    ["muon", "Muon and AdamW"],
    ["adamw", "AdamW alone"],
  ]);
  #seed = element("input", {
    ...{ id: "train-seed", type: "number", min: "0", max: `${SEEDS - 1}` },
  });
  #setup = element("fieldset", { class: "train-setup" });

  #main = button("Train", () => this.#go());
  #finish = button("Finish now", () => this.#ask({ do: "finish" }));
  #anew = button("Start over", () => this.#reset());
  #status = element("p", { class: "train-status", role: "status" });
  #numbers = element("p", { class: "train-numbers" });
  #picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  #rows = element("tbody");
  #samples = element("ol", {
    ...{ class: "train-samples", tabindex: "0", "aria-label": "Samples" },
    reversed: true,
  });
  #results = element("div", { class: "train-results", hidden: true });

  #prompt = element("input", { id: "train-prompt", type: "text", maxlength: "1000" });
  #temperature = element("input", {
    ...{ id: "train-temperature", type: "range", min: "0.1", max: "1.5" },
    step: "0.1",
  });
  #temperatureTold = element("span", { class: "train-told" });
  #write = button("Write", () => this.#askToWrite());
  #written = element("pre", { class: "train-written" });
  #weights = button("Save the weights", () => this.#save("weights"));
  #card = button("Save the card", () => this.#save("card"));

  connectedCallback() {
    if (this.#setup.childElementCount) return;
    if (!document.querySelector(`link[href="${STYLES}"]`)) {
      document.head.append(element("link", { rel: "stylesheet", href: STYLES }));
    }
    this.#show();
    this.#build();
    this.#update();
    const again = () => this.#draw();
    new ResizeObserver(again).observe(this.#picture);
    document.addEventListener("visibilitychange", again);
  }

  disconnectedCallback() {
    this.#worker?.terminate();
  }

  /** Put the choices into the controls. */
  #show() {
    const { size, rate, seconds, optimizer, seed } = this.#choices;
    this.#size.value = `${size}`;
    this.#rate.value = `${rate}`;
    this.#seconds.value = `${seconds}`;
    this.#optimizer.value = optimizer;
    this.#seed.value = `${seed}`;
    this.#temperature.value = "0.8";
  }

  #build() {
    this.#setup.append(
      element("legend", {}, "What to train"),
      field("Text", this.#source),
      field("Your text", this.#text),
      field("Your file", this.#file),
      field("Size", this.#size, this.#sizeTold),
      field("Time", this.#seconds),
      field("Optimizer", this.#optimizer),
      field("Seed", this.#seed),
    );
    this.#buildResults();
    const buttons = [this.#main, this.#finish, this.#anew];
    this.replaceChildren(
      this.#setup,
      field("Learning rate", this.#rate, this.#rateTold),
      element("div", { class: "train-buttons" }, ...buttons),
      this.#status,
      this.#results,
    );
    this.#setup.addEventListener("input", () => this.#choose());
    this.#rate.addEventListener("input", () => this.#choose());
    this.#temperature.addEventListener("input", () => this.#update());
  }

  #buildResults() {
    this.#picture.setAttribute("class", "train-chart");
    this.#picture.setAttribute("role", "img");
    const heads = ["seconds", "steps", "validation loss"].map((name) =>
      element("th", { scope: "col" }, name),
    );
    const table = element(
      "table",
      {},
      element("thead", {}, element("tr", {}, ...heads)),
      this.#rows,
    );
    const key = (/** @type {string} */ kind, /** @type {string} */ text) =>
      element("span", { class: `chart-key chart-key-${kind}` }, text);
    this.#results.append(
      element("h2", {}, "Loss"),
      this.#numbers,
      element(
        "p",
        { class: "chart-keys" },
        key("train", "training text"),
        key("validation", "validation text, held out"),
      ),
      this.#picture,
      element(
        "details",
        {},
        element("summary", {}, "The losses as a table"),
        element(
          "div",
          {
            class: "train-table",
            tabindex: "0",
            role: "group",
            "aria-label": "Losses",
          },
          table,
        ),
      ),
      element("h2", {}, "Samples as it learns"),
      this.#samples,
      element("h2", {}, "Let it write"),
      field("Beginning", this.#prompt),
      field("Temperature", this.#temperature, this.#temperatureTold),
      element("div", { class: "train-buttons" }, this.#write),
      this.#written,
      element("div", { class: "train-buttons" }, this.#weights, this.#card),
    );
  }

  /** The reader has changed a setting. */
  #choose() {
    const seed = Math.floor(Number(this.#seed.value));
    this.#choices = {
      size: Number(this.#size.value),
      rate: Number(this.#rate.value),
      seconds: Number(this.#seconds.value),
      optimizer: this.#optimizer.value === "adamw" ? "adamw" : "muon",
      seed: seed >= 0 && seed < SEEDS ? seed : 0,
    };
    const query = writeAddress(this.#choices);
    const address = `${location.pathname}${query}${location.hash}`;
    history.replaceState(history.state, "", address);
    this.#ask({ do: "rate", rate: RATES[this.#choices.rate] });
    this.#update();
  }

  /** Bring what is seen in line with the choices and the state. */
  #update() {
    const state = this.#state;
    const sizes = SIZES[this.#choices.size];
    const count = countOf({ vocab_size: this.#vocabulary, ...sizes });
    this.#sizeTold.textContent =
      `${whole.format(count)} parameters: ${sizes.n_layers} ` +
      `${sizes.n_layers === 1 ? "layer" : "layers"} of ${sizes.d_model} channels`;
    const factor = RATES[this.#choices.rate];
    const rates = [RECIPE.matrix_lr, RECIPE.lr].map((rate) =>
      Number((rate * factor).toPrecision(1)),
    );
    const [muon, adamw] = rates;
    const isMuon = this.#choices.optimizer === "muon";
    this.#rateTold.textContent =
      `× ${factor}: ` + (isMuon ? `Muon ${muon}, AdamW ${adamw}` : `AdamW ${adamw}`);
    this.#rate.setAttribute("aria-valuetext", `${this.#rateTold.textContent}`);
    this.#size.setAttribute("aria-valuetext", `${this.#sizeTold.textContent}`);
    this.#temperatureTold.textContent = this.#temperature.value;
    const source = this.#source.value;
    const hide = (
      /** @type {HTMLElement} */ control,
      /** @type {boolean} */ isHidden,
    ) => control.parentElement?.toggleAttribute("hidden", isHidden);
    hide(this.#text, source !== "own");
    hide(this.#file, source !== "file");
    const again = `Train on for ${spoken(this.#choices.seconds)}`;
    const labels = { training: "Pause", paused: "Go on", over: again };
    this.#main.textContent = { idle: "Train", loading: "Train", ...labels }[state];
    this.#main.classList.toggle("md-button--primary", state !== "training");
    const isRunning = state === "training" || state === "paused";
    this.#setup.disabled = state !== "idle";
    this.#main.disabled = state === "loading";
    this.#finish.disabled = !isRunning;
    this.#anew.disabled = state === "idle";
    this.#write.disabled = !isRunning && state !== "over";
    this.#weights.disabled = this.#card.disabled = state !== "over";
  }

  /** @param {Asked} asked */
  #ask(asked) {
    this.#worker?.postMessage(asked);
  }

  /** @param {State} state @param {string} told */
  #become(state, told) {
    this.#state = state;
    this.#status.textContent = told;
    this.#status.classList.remove("train-trouble");
    this.#update();
  }

  /** The main button: start, wait, go on. */
  #go() {
    const { seconds } = this.#choices;
    if (this.#state === "idle") this.#start();
    else if (this.#state === "training") {
      this.#ask({ do: "pause" });
      this.#become("paused", "Paused. Nothing is lost.");
    } else if (this.#state === "paused") {
      this.#ask({ do: "resume" });
      this.#become("training", "Training.");
    } else if (this.#state === "over") {
      this.#losses.until += seconds;
      this.#ask({ do: "more", seconds });
      this.#become("training", `Training for ${spoken(seconds)} more.`);
    }
  }

  /** What to train on; null is Shakespeare. */
  #chosenText() {
    if (this.#source.value === "shakespeare") return null;
    if (this.#source.value === "own") return this.#text.value;
    return this.#file.files?.[0];
  }

  #start() {
    const text = this.#chosenText();
    if (text === undefined) {
      this.#fail("Choose a file first.", false);
      return;
    }
    this.#become("loading", "Loading.");
    this.#worker?.terminate();
    this.#worker = new Worker(WORKER, { type: "module" });
    this.#worker.addEventListener("message", ({ data }) => this.#hear(data));
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      const message = "The training program could not be loaded, or broke off.";
      this.#fail(`${message} Is the connection lost?`, true);
    });
    this.#ask({ do: "start", text, settings: settings(this.#choices) });
    this.#ask({ do: "rate", rate: RATES[this.#choices.rate] });
  }

  /** Say what went wrong. @param {string} message
   * @param {boolean} canRetry whether the same may work the next time */
  #fail(message, canRetry) {
    if (this.#state === "loading") {
      this.#worker?.terminate();
      this.#worker = undefined;
      this.#become("idle", message);
    }
    this.#status.textContent = message;
    this.#status.classList.add("train-trouble");
    if (canRetry) {
      const retry = button("Try again", () => {
        this.#main.focus();
        this.#start();
      });
      this.#status.append(" ", retry);
    }
  }

  #reset() {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#results.hidden = true;
    this.#vocabulary = VOCABULARY;
    this.#become("idle", "");
    this.#main.focus();
  }

  /** @param {Told} told */
  #hear(told) {
    if (told.is === "ready") this.#begin(told.kind, told.characters);
    if (told.is === "progress") {
      this.#losses.train.push(told);
      this.#numbers.textContent =
        `${told.seconds.toFixed(0)} s, step ${whole.format(told.step)}, ` +
        `${whole.format(Number(told.perSecond.toPrecision(2)))} characters a second. ` +
        `Training loss ${told.loss.toFixed(2)} nats a character.`;
      this.#draw();
    }
    if (told.is === "validation") this.#validated(told);
    if (told.is === "sample") this.#sampled(told);
    if (told.is === "end") this.#end(told);
    if (told.is === "written") {
      this.#written.textContent = this.#prompt.value + told.text;
    }
    if (told.is === "saved") {
      if (this.#part === "card") download("my-gpt.json", told.card, "application/json");
      else download("my-gpt.safetensors", told.weights, "application/octet-stream");
    }
    if (told.is === "trouble") this.#fail(told.message, told.canRetry);
  }

  /** @param {"wasm" | "js"} kind @param {number} characters different ones */
  #begin(kind, characters) {
    const guessing = Math.log(characters);
    const until = this.#choices.seconds;
    this.#losses = { train: [], validation: [], guessing, until };
    this.#vocabulary = characters;
    this.#rows.replaceChildren();
    this.#samples.replaceChildren();
    this.#written.textContent = "";
    this.#numbers.textContent = "";
    this.#results.hidden = false;
    const slow =
      " This browser has no WebAssembly with vectors: plain JavaScript does the " +
      "same, many times slower.";
    this.#become("training", `Training.${kind === "js" ? slow : ""}`);
    this.#draw();
  }

  /** @param {Validation} told */
  #validated(told) {
    this.#losses.validation.push(told);
    const cells = [told.seconds.toFixed(1), whole.format(told.step)];
    const row = [...cells, told.loss.toFixed(3)].map((cell) => element("td", {}, cell));
    this.#rows.append(element("tr", {}, ...row));
    this.#draw();
  }

  /** @param {Sample} told */
  #sampled({ seconds, step, text }) {
    const when = `After ${seconds.toFixed(1)} s, ${whole.format(step)} steps`;
    const item = element(
      "li",
      {},
      element("span", { class: "train-when" }, when),
      element("pre", {}, text),
    );
    this.#samples.prepend(item);
    while (this.#samples.childElementCount > MOST_SAMPLES) {
      this.#samples.lastElementChild?.remove();
    }
  }

  /** @param {End} told */
  #end({ reason, loss, found, step, best }) {
    const value = `${loss.toFixed(3)} nats a character`;
    const steps = whole.format(step);
    const kept =
      best < step
        ? ` Kept are the best weights, those of step ${whole.format(best)}.`
        : "";
    if (reason === "diverged") {
      const much = Number.isFinite(found)
        ? `became ${found.toFixed(0)}`
        : "is no number";
      const message =
        `Stopped: at step ${steps} the loss ${much}, so the training has diverged. ` +
        "The learning rate is too high: lower it, and start over." +
        ` Kept are the last good weights, of step ${whole.format(best)}: ${value}.`;
      this.#become("over", "");
      this.#fail(message, false);
      this.#main.disabled = true;
      return;
    }
    this.#become("over", `Done: validation loss ${value} after ${steps} steps.${kept}`);
  }

  #askToWrite() {
    const seed = Math.floor(Math.random() * SEEDS);
    const temperature = Number(this.#temperature.value);
    const prompt = this.#prompt.value;
    this.#ask({ do: "write", prompt, count: WRITTEN, temperature, seed });
  }

  /** @param {"weights" | "card"} part */
  #save(part) {
    this.#part = part;
    this.#ask({ do: "save", date: new Date().toISOString().slice(0, 10) });
  }

  /** Draw in the next frame; while the page is out of sight there is none. */
  #draw() {
    if (this.#isDrawn || this.#results.hidden) return;
    this.#isDrawn = true;
    requestAnimationFrame(() => {
      this.#isDrawn = false;
      draw(this.#picture, this.#losses);
    });
  }
}

customElements.define("train-playground", TrainPlayground);
