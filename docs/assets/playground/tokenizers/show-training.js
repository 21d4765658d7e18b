// @ts-check
// A tokenizer learned from the reader's text: each merge as it is decided.

import { element } from "../../reader/element.js";
import { Client } from "./client.js";
import { button, grouped, labelled, scrolling, select } from "./controls.js";
import { GPT2, WHOLE } from "./patterns.js";
import { pieceList, token } from "./show-pieces.js";

/** @import { Merge, Piece, Round, Trained } from "./types.js" */
/** @typedef {"bpe" | "wordpiece" | "unigram"} Kind */

const LEAST = { bpe: 257, wordpiece: 40, unigram: 40 };
const MOST = 20_000; // tokens of a vocabulary
const AROUND = 5; // merges shown before and after the one of the slider
const SAMPLE = 300; // characters that are tokenized again as the slider moves
const TITLES = {
  bpe: "byte-level BPE",
  wordpiece: "WordPiece",
  unigram: "the unigram model",
};

/** @param {number} score */
const scored = (score) => Number(score.toPrecision(3)).toString();

export class Trainer {
  /** @type {Client | undefined} a worker of its own, which can be stopped */
  #worker;
  #kind = select("train-kind", TITLES);
  #from = select("train-from", { tales: "the book’s tales", text: "the text above" });
  #size = element("input", { type: "number", id: "train-size", value: "500" });
  #least = element("input", {
    type: "number",
    id: "train-least",
    value: "2",
    min: "1",
  });
  #ties = select("train-ties", {
    "smaller ids": "smaller ids first",
    "greater pair": "greater bytes first",
  });
  #words = select("train-words", {
    [GPT2]: "as in GPT-2, at spaces and signs",
    [WHOLE]: "nowhere: merges may cross words",
  });
  #lowercase = select("train-case", { yes: "in lower case", no: "as written" });
  #bytes = select("train-bytes", { yes: "spelled in bytes", no: "<unk>" });
  #start = button("Train", () => this.#train());
  #stop = button("Stop", () => this.#worker?.stop());
  #trouble = element("p", { class: "trouble", role: "alert", hidden: true });
  #status = element("p", { class: "train-status", role: "status" });
  #slider = element("input", { type: "range", id: "train-at", min: "0", value: "0" });
  #sliderBox = element("div", { class: "step-controls", hidden: true });
  #at = element("p", { class: "train-at" });
  #table = scrolling("train-table", "What was decided");
  #sample = element("div", { class: "column-pieces" });
  #uses = element("div", { class: "step-controls", hidden: true });
  /** @type {Merge[]} */
  #merges = [];
  /** @type {Round[]} */
  #rounds = [];
  /** @type {Kind} of what is shown */
  #shown = "bpe";
  /** @type {Trained | undefined} */
  #trained;
  #text = "";
  #rule = "smaller ids"; // by which ties were decided

  /**
   * @param {Client} client of the page
   * @param {() => string} text of the reader
   * @param {(json: string, title: string, about: string) => Promise<void>} use
   * @param {() => void} changed
   */
  constructor(client, text, use, changed) {
    this.client = client;
    this.text = text;
    this.use = use;
    this.changed = changed;
    this.#size.max = `${MOST}`;
    this.#stop.disabled = true;
    this.#sliderBox.append(
      element("label", { for: "train-at" }, "Vocabulary"),
      this.#slider,
    );
    this.#uses.append(
      button("Save tokenizer.json", () => this.#save()),
      button("Compare it above", () => this.#use()),
    );
    const settings = element("div", { class: "tokenizer-settings" });
    const rows = {
      ...{ Learn: this.#kind, from: this.#from, "Vocabulary size": this.#size },
      ...{ "Pairs that occur at least": this.#least },
    };
    for (const [name, field] of Object.entries(rows)) {
      settings.append(labelled(name, field));
    }
    /** @type {[string, HTMLElement, Kind][]} */
    const special = [
      ["Of equally frequent pairs", this.#ties, "bpe"],
      ["Words end", this.#words, "bpe"],
      ["Letters", this.#lowercase, "wordpiece"],
      ["Unknown characters", this.#bytes, "unigram"],
    ];
    const fields = special.map(([name, field, kind]) => {
      const box = labelled(name, field);
      settings.append(box);
      return { box, kind };
    });
    const arrange = () => {
      for (const { box, kind } of fields) box.hidden = kind !== this.kind;
      const least = this.#least.parentElement;
      if (least) least.hidden = this.kind === "unigram";
      this.#size.min = `${LEAST[this.kind]}`;
    };
    arrange();
    this.#kind.addEventListener("change", () => {
      arrange();
      this.changed();
    });
    this.#slider.addEventListener("input", () => this.#draw());
    const act = element("div", { class: "step-controls" }, this.#start, this.#stop);
    this.view = element(
      "div",
      { class: "trainer" },
      ...[settings, act, this.#trouble, this.#status, this.#sliderBox, this.#at],
      ...[this.#sample, this.#table, this.#uses],
    );
  }

  get kind() {
    return /** @type {Kind} */ (this.#kind.value);
  }

  set kind(kind) {
    if (!(kind in LEAST)) return;
    this.#kind.value = kind;
    this.#kind.dispatchEvent(new Event("change"));
  }

  get size() {
    return this.#size.value;
  }

  set size(size) {
    if (/^\d+$/.test(size)) this.#size.value = size;
  }

  /** What was given, or a message that says what is wrong with it. */
  #settings() {
    const size = Number(this.#size.value);
    const least = Number(this.#least.value);
    const [low, whole] = [LEAST[this.kind], "give a whole number from"];
    if (!Number.isInteger(size) || size < low || size > MOST) {
      const given = this.#size.value || "nothing";
      return `Vocabulary size ${given}: ${whole} ${low} to ${grouped(MOST)}.`;
    }
    if (!Number.isInteger(least) || least < 1) {
      return `Occur at least ${this.#least.value || "nothing"}: ${whole} 1 on.`;
    }
    return {
      ...{ size, minFrequency: least, ties: this.#ties.value },
      ...{ pattern: this.#words.value, lowercase: this.#lowercase.value === "yes" },
      byteFallback: this.#bytes.value === "yes",
    };
  }

  /** @param {string} message */
  #fail(message) {
    this.#trouble.textContent = message;
    this.#trouble.hidden = false;
    this.#status.textContent = "";
  }

  async #train() {
    const how = this.#settings();
    if (typeof how === "string") return this.#fail(how);
    this.#trouble.hidden = true;
    this.#start.disabled = true;
    this.#stop.disabled = false;
    this.#status.textContent = "Reading the text.";
    try {
      const isTales = this.#from.value === "tales";
      const request = { do: /** @type {const} */ ("sample"), name: "tales.txt" };
      const text = isTales ? await this.client.ask(request) : this.text();
      await this.#learn(text, how);
    } catch (error) {
      const message = error instanceof Error ? error.message : `${error}`;
      const isStopped = message === "stopped";
      this.#fail(isStopped ? "Stopped. What was learned before is kept." : message);
    } finally {
      this.#start.disabled = false;
      this.#stop.disabled = true;
    }
  }

  /** @param {string} text @param {object} how */
  async #learn(text, how) {
    const kind = this.kind;
    /** @type {any[]} */
    const told = [];
    const report = (/** @type {any[]} */ part) => {
      for (const one of part) told.push(one);
      this.#status.textContent = this.#progress(told);
    };
    this.#worker ??= new Client();
    const found = await this.#worker.ask({ do: "train", kind, text, how }, report);
    await this.client.ask({ do: "read", name: "trained", json: found.json });
    this.#trained = found;
    this.#shown = kind;
    this.#text = text;
    this.#rule = "ties" in how ? `${how.ties}` : this.#rule;
    this.#merges = kind === "unigram" ? [] : told;
    this.#rounds = kind === "unigram" ? told : [];
    this.#tell(found);
    await this.#draw();
  }

  /** @param {any[]} told */
  #progress(told) {
    const last = told.at(-1);
    if (!last) return "Counting.";
    if ("step" in last) {
      return `Round ${told.length}, ${last.step}: ${grouped(last.pieces)} pieces left.`;
    }
    return `${grouped(told.length)} merges.`;
  }

  /** @param {Trained} found */
  #tell({ size, tokens, bytes }) {
    const asked = Number(this.#size.value);
    const fewer =
      size < asked ? ` No more: no pair is left that occurs often enough.` : "";
    const each = (bytes / tokens).toFixed(2);
    this.#status.textContent =
      `Learned ${grouped(size)} tokens from ${grouped(bytes)} bytes: ` +
      `${each} bytes a token on this text.${fewer}`;
    const merges = this.#merges.length;
    this.#slider.max = `${merges}`;
    this.#slider.value = `${merges}`;
    this.#sliderBox.hidden = merges === 0;
    this.#uses.hidden = false;
  }

  /** The vocabulary at the place of the slider. */
  async #draw() {
    if (!this.#trained) return;
    const place = this.#slider.valueAsNumber;
    if (this.#shown === "unigram") {
      this.#at.textContent = "";
      this.#table.replaceChildren(this.#roundTable(), this.#pieceTable());
    } else {
      this.#table.replaceChildren(this.#mergeTable(place));
      this.#at.textContent = this.#where(place);
    }
    const size = this.#merges[place - 1]?.size ?? this.#firstSize;
    const request = {
      ...{ do: /** @type {const} */ ("size"), name: "trained", size },
      text: Array.from(this.#text.slice(0, SAMPLE))
        .slice(0, SAMPLE - 1)
        .join(""),
    };
    /** @type {Piece[]} */
    const pieces = await this.client.ask(request);
    if (place === this.#slider.valueAsNumber) {
      this.#sample.replaceChildren(pieceList(pieces, 1));
    }
  }

  /** Tokens before the first merge. */
  get #firstSize() {
    const [first] = this.#merges;
    if (!first) return this.#trained?.size ?? 0;
    return this.#shown === "bpe" ? 256 : first.size - 1;
  }

  /** @param {number} place */
  #where(place) {
    const left = this.#merges
      .slice(place)
      .reduce((sum, { merged }) => sum + merged, this.#trained?.tokens ?? 0);
    const size = this.#merges[place - 1]?.size ?? this.#firstSize;
    const bytes = this.#trained?.bytes ?? 0;
    return (
      `${grouped(size)} tokens, ${grouped(place)} of ${grouped(this.#merges.length)} ` +
      `merges: the text has ${grouped(left)} tokens, ${(bytes / left).toFixed(2)} ` +
      `bytes each. It begins:`
    );
  }

  /** @param {number} place */
  #mergeTable(place) {
    const first = Math.max(0, Math.min(place, this.#merges.length) - AROUND - 1);
    const some = this.#merges.slice(first, first + 2 * AROUND + 1);
    const isBpe = this.#shown === "bpe";
    const rows = some.map((merge, n) => {
      const number = first + n + 1;
      const cells = [
        grouped(number),
        element(
          "span",
          {},
          token(merge.first, isBpe),
          " + ",
          token(merge.second, isBpe),
        ),
        isBpe ? grouped(merge.count) : score(merge),
        isBpe ? tie(merge, this.#rule) : usual(merge),
      ];
      const isChosen = number === place;
      const kind = { class: isChosen && "chosen", "aria-current": isChosen && "true" };
      return element("tr", kind, ...cells.map((cell) => element("td", {}, cell)));
    });
    const heads = isBpe
      ? ["merge", "pair", "times", "what came second"]
      : ["merge", "pair", "score", "most frequent, which BPE would merge"];
    return table(heads, rows);
  }

  #roundTable() {
    const size = Array.from(this.#text).length;
    // the last of the rounds of EM before pieces are pruned, and the very last
    const last = this.#rounds.filter(({ step }, n) => {
      return step === "EM" && this.#rounds[n + 1]?.step !== "EM";
    });
    const rows = last.map(({ pieces, nats }, n) => {
      const bits = (nats / Math.LN2 / size).toFixed(3);
      const cells = [`${n + 1}`, grouped(pieces), bits];
      return element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
    });
    return table(["EM, then pruning", "pieces after EM", "bits a character"], rows);
  }

  #pieceTable() {
    const rows = (this.#trained?.pieces ?? []).map(([piece, score]) => {
      const cells = [token(piece, false), score.toFixed(3), Math.exp(score).toFixed(4)];
      return element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
    });
    return table(["piece", "score", "probability"], rows);
  }

  #save() {
    if (!this.#trained) return;
    const file = new Blob([this.#trained.json], { type: "application/json" });
    const link = element("a", { href: URL.createObjectURL(file) });
    link.download = "tokenizer.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    this.#status.textContent =
      "Saved as tokenizer.json; Tokenizer.from_file of 🤗 tokenizers loads it.";
  }

  #use() {
    if (!this.#trained) return;
    const title = `Yours: ${TITLES[this.#shown]}`;
    this.use(this.#trained.json, title, `${grouped(this.#trained.size)} tokens`);
  }
}

/** @param {string[]} heads @param {HTMLElement[]} rows */
function table(heads, rows) {
  const cells = heads.map((text) => element("th", { scope: "col" }, text));
  return element(
    "table",
    { class: "merges" },
    element("thead", {}, element("tr", {}, ...cells)),
    element("tbody", {}, ...rows),
  );
}

/** @param {number} n */
const pairs = (n) => (n === 1 ? "one pair" : `${grouped(n)} pairs`);

/** @param {Merge} merge */
function score({ score: value = 0, count, firstCount, secondCount, tied }) {
  const product = `${grouped(firstCount ?? 0)} × ${grouped(secondCount ?? 0)}`;
  const rule = tied ? ` (a tie with ${pairs(tied)}: the more frequent first)` : "";
  return `${grouped(count)} / (${product}) = ${scored(value)}${rule}`;
}

/** How BPE decided. @param {Merge} merge @param {string} ties */
function tie({ tied, next }, ties) {
  if (!next) return "no other pair";
  const pair = element("span", {}, token(next.pair[0], true), " + ");
  pair.append(token(next.pair[1], true), `, ${grouped(next.count)}`);
  if (!tied) return pair;
  const rule = ties === "greater pair" ? "greater bytes" : "smaller ids";
  pair.append(` (a tie with ${pairs(tied)}: ${rule} first)`);
  return pair;
}

/** What BPE would have done. @param {Merge} merge */
function usual({ next }) {
  if (!next) return "";
  const pair = element("span", {}, token(next.pair[0], false), " + ");
  const times = `${grouped(next.count)} times, score ${scored(next.score ?? 0)}`;
  pair.append(token(next.pair[1], false), `, ${times}`);
  return pair;
}
