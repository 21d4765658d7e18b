// @ts-check
// A model that reads a text and goes on with it, as `snippets/mini_gpt/generate.py`
// does: what stays in the window is read once.

/** @import { GPT } from "./gpt.js" */
/** @import { Sampling } from "./sampling.js" */

import { choose, probabilities } from "./sampling.js";

/**
 * From which token on the model sees a text of `length` tokens. From the first, while
 * they fit. Then half a context is let go at once: with a cache, each token let go
 * costs all the others, since their places change.
 * @param {number} length @param {number} context
 */
export function windowStart(length, context) {
  const step = Math.max(1, Math.floor(context / 2));
  return Math.max(0, Math.ceil((length - context) / step)) * step;
}

/** Reads texts; what two of them have in common is read once. */
export class Reader {
  #start = 0;
  /** the tokens whose keys and values the model holds @type {number[]} */
  #held = [];

  /** @param {GPT} model */
  constructor(model) {
    this.model = model;
  }

  /** The logits after a text; the attention of its last token is the model's then.
   * @param {readonly number[]} ids at least one */
  read(ids) {
    if (!ids.length) throw new RangeError("a text without tokens");
    const start = windowStart(ids.length, this.model.config.context);
    if (start !== this.#start) this.#held = [];
    this.#start = start;
    const last = ids.length - start - 1;
    let same = 0;
    while (same < last && this.#held[same] === ids[start + same]) same += 1;
    this.model.seen = same;
    let logits = new Float32Array(0);
    for (let at = same; at <= last; at++) {
      const id = ids[start + at];
      logits = this.model.step(id);
      if (this.#held[at] !== id) this.#held.length = at;
      this.#held[at] = id;
    }
    return { logits, start };
  }
}

/**
 * The next token of a text.
 * @param {Reader} reader @param {readonly number[]} ids @param {Sampling} sampling
 * @param {number} u drawn from [0, 1)
 * @param {number} [size] only ids below are drawn
 */
export function writeNext(reader, ids, sampling, u, size) {
  const { logits: all, start } = reader.read(ids);
  const logits = all.subarray(0, size);
  const drawn = probabilities(logits, sampling);
  return { id: choose(drawn, u), logits, drawn, start };
}
