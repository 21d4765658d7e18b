// @ts-check
// A training run with a clock, as the page asks for it: it tells its losses, writes
// samples as it learns, waits, goes on, and keeps the best weights.

import { cardFile, weightsFile } from "./file.js";
import { size } from "./model.js";
import { Random } from "./random.js";
import { rateFactor } from "./recipe.js";
import { TextError } from "./text.js";
import { Training } from "./training.js";

/** @import { Kernel } from "./kernel.js" */
/** @import { Plan } from "./training.js" */
/** @import { Corpus } from "./text.js" */

/**
 * @typedef {Plan & {seconds: number}} Settings how long the training takes, too
 */
/**
 * What is told of a run.
 * @typedef {"time" | "asked" | "diverged"} Reason why it ended
 * @typedef {{is: "ready", kind: "wasm" | "js", parameters: number,
 *   characters: number, trained: number, heldOut: number}} Ready
 * @typedef {{is: "progress", step: number, seconds: number, loss: number,
 *   perSecond: number, done: number}} Progress
 * @typedef {{is: "validation", step: number, seconds: number, loss: number}} Validation
 * @typedef {{is: "sample", step: number, seconds: number, text: string}} Sample
 * @typedef {{is: "end", reason: Reason, loss: number, found: number,
 *   step: number, best: number}} End `loss` of the weights that are kept, those of step
 *   `best`; `found` is the loss that ended a run that diverged
 * @typedef {{is: "written", text: string}} Written
 * @typedef {{is: "saved", weights: Uint8Array<ArrayBuffer>, card: string}} Saved
 * @typedef {{is: "trouble", message: string, canRetry: boolean}} Trouble
 * @typedef {Ready | Progress | Validation | Sample | End | Written | Saved |
 *   Trouble} Told
 */

const SLICE = 40; // milliseconds of work, then it listens
const TELL = 0.25; // seconds from one progress to the next
const VALIDATE = 40; // times in a run
const WINDOWS = 64; // of validation text, each of these times
const SAMPLE = 160; // characters
const TEMPERATURE = 0.8;
const HOPELESS = 10; // times the loss of guessing

export class Session {
  seconds = 0;
  rate = 1; // the reader's factor of the learning rates
  isPaused = false;
  isOver = false;
  #begun = 0; // when this stretch of training began
  #limit = 0; // how long it takes
  #validateAt = 0;
  #sampleAt = 0;
  #tellAt = 0;
  #best = { loss: Infinity, step: 0, weights: new Float32Array(0) };
  #kept = NaN; // the loss of the best weights on all of the validation text
  #since = { losses: 0, steps: 0, seconds: 0 };

  /**
   * Throws a TextError or RangeError for what cannot be trained.
   * @param {Kernel} kernel
   * @param {Corpus} corpus
   * @param {Settings} settings
   * @param {(told: Told) => void} tell
   * @param {() => number} clock in milliseconds
   */
  constructor(kernel, corpus, settings, tell, clock = () => performance.now()) {
    this.corpus = corpus;
    this.settings = settings;
    this.tell = tell;
    this.clock = clock;
    this.training = new Training(kernel, corpus, settings);
    this.#limit = settings.seconds;
    tell({
      is: "ready",
      kind: kernel.kind,
      parameters: size(this.training.model.sizes),
      characters: corpus.characters.length,
      trained: corpus.train.length,
      heldOut: corpus.validation.length,
    });
  }

  /** The part of this stretch that is done. */
  get #done() {
    return Math.min(1, (this.seconds - this.#begun) / this.#limit);
  }

  /** Train for a moment; the clock stands still between one and the next. */
  work() {
    const start = this.clock();
    const before = this.seconds;
    while (!this.isOver && this.clock() - start < SLICE) {
      this.#one();
      this.seconds = before + (this.clock() - start) / 1000;
    }
  }

  #one() {
    if (this.seconds >= this.#sampleAt) this.#sample();
    if (this.seconds >= this.#validateAt) this.#validate();
    if (this.#done >= 1) return this.#end("time");
    const factor = this.rate * rateFactor(this.#done, this.settings.recipe.cooldown);
    const loss = this.training.train(factor);
    const guessing = Math.log(this.corpus.characters.length);
    if (!(loss <= HOPELESS * guessing)) return this.#end("diverged", loss);
    this.#since.losses += loss;
    this.#since.steps += 1;
    if (this.seconds >= this.#tellAt) this.#progress();
  }

  #progress() {
    const { losses, steps, seconds } = this.#since;
    if (!steps) return;
    const { context_length: T } = this.settings.sizes;
    const passed = this.seconds - seconds;
    this.tell({
      is: "progress",
      step: this.training.step,
      seconds: this.seconds,
      loss: losses / steps,
      perSecond: passed > 0 ? (steps * this.settings.batch * T) / passed : 0,
      done: this.#done,
    });
    this.#since = { losses: 0, steps: 0, seconds: this.seconds };
    this.#tellAt = this.seconds + TELL;
  }

  /** The loss on a part of the validation text; keeps the best weights. */
  #validate() {
    const loss = this.training.validate(WINDOWS);
    const { step } = this.training;
    this.#validateAt = this.seconds + this.#limit / VALIDATE;
    this.tell({ is: "validation", step, seconds: this.seconds, loss });
    if (loss < this.#best.loss) {
      this.#best = { loss, step, weights: this.training.copy() };
    }
  }

  /** A sample now and then: at twice the time of the one before. */
  #sample() {
    const { step } = this.training;
    const text = this.#written(this.#newline, SAMPLE, TEMPERATURE, step);
    this.tell({ is: "sample", step, seconds: this.seconds, text });
    this.#sampleAt = Math.max(this.seconds + this.#limit / 60, 2 * this.seconds);
  }

  /** What a text begins after: the end of a line, if it has lines. */
  get #newline() {
    return [Math.max(0, this.corpus.characters.indexOf("\n"))];
  }

  /** @param {number[]} ids @param {number} count @param {number} temperature
   * @param {number} seed */
  #written(ids, count, temperature, seed) {
    const made = this.training.write(ids, count, temperature, new Random(seed));
    return made.map((id) => this.corpus.characters[id]).join("");
  }

  /** End the run now. */
  finish() {
    if (!this.isOver) this.#end("asked");
  }

  /** Stop, and put the best weights in place. @param {Reason} reason
   * @param {number} [found] */
  #end(reason, found = NaN) {
    this.isOver = true;
    const { step } = this.training;
    if (reason !== "diverged") {
      this.#progress();
      this.#validate();
    }
    this.training.restore(this.#best.weights);
    this.#kept = this.training.validate();
    this.#sample();
    const { step: best } = this.#best;
    this.tell({ is: "end", reason, loss: this.#kept, found, step, best });
  }

  /** Go on from the best weights, with a schedule of its own.
   * @param {number} seconds */
  more(seconds) {
    this.#begun = this.seconds;
    this.#limit = seconds;
    this.isOver = false;
    this.isPaused = false;
  }

  /**
   * Go on with a text of the reader's. Throws a TextError for characters that the model
   * does not know.
   * @param {string} prompt
   * @param {number} count
   * @param {number} temperature
   * @param {number} seed
   */
  write(prompt, count, temperature, seed) {
    const known = new Map(this.corpus.characters.map((c, id) => [c, id]));
    const unknown = [...new Set(prompt)].filter((c) => !known.has(c));
    if (unknown.length) {
      const list = unknown.slice(0, 10).map((c) => JSON.stringify(c));
      throw new TextError(
        `The model does not know ${list.join(", ")}: not in the text it learned from.`,
      );
    }
    const ids = [...prompt].map((c) => known.get(c) ?? 0);
    const from = ids.length ? ids : this.#newline;
    const text = this.#written(from, count, temperature, seed);
    this.tell({ is: "written", text });
  }

  /** The model as files, after the end of its run.
   * @param {string} data where its text is from
   * @param {string} date */
  save(data, date) {
    const { training, settings, corpus } = this;
    const T = settings.sizes.context_length;
    const facts = {
      data,
      made_by: "Daybook, training in the page",
      seed: settings.seed,
      steps: this.#best.step,
      seconds: Math.round(this.seconds),
      recipe: { batch_size: settings.batch, rate: this.rate, ...settings.recipe },
      validation_loss: Number(this.#kept.toFixed(4)),
      validation: `windows of ${T} of held-out text, nats a character`,
      parameters: size(training.model.sizes),
      date,
    };
    this.tell({
      is: "saved",
      weights: weightsFile(training.model, corpus.characters),
      card: cardFile(training.model, facts),
    });
  }
}
