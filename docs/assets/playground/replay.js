// @ts-check
// A recorded run of the book's GPT (`python -m tools.replay` makes it): read, checked,
// and played a token at a time.

/** @import { Sampling } from "./sampling.js" */
/** @typedef {[token: string, choices: [token: string, probability: number][]]} Step */
/**
 * @typedef {object} Recording
 * @property {string} prompt
 * @property {number} seed
 * @property {Sampling} sampling
 * @property {Step[]} tokens
 */

export const RECORDING = new URL("./replay.json", import.meta.url).href;

/** Fetch the recording. @param {string} [url] @returns {Promise<Recording>} */
export async function loadRecording(url = RECORDING) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return answer.json();
}

/** Plays a recording: calls `draw` with the number of tokens that are written. */
export class Player {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** how many tokens are written */
  place = 0;

  /**
   * @param {number} length of the recording
   * @param {(place: number) => void} draw
   * @param {number} perSecond tokens
   */
  constructor(length, draw, perSecond) {
    this.length = length;
    this.draw = draw;
    this.wait = 1000 / perSecond;
  }

  get isPlaying() {
    return this.#timer !== undefined;
  }

  get isOver() {
    return this.place >= this.length;
  }

  /** From where it is; from the beginning if it is over. */
  play() {
    if (this.isPlaying) return;
    if (this.isOver) this.place = 0;
    this.#timer = setTimeout(() => this.#next(), this.wait);
    this.draw(this.place);
  }

  pause() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.draw(this.place);
  }

  /** All at once, without playing. */
  finish() {
    this.place = this.length;
    this.pause();
  }

  #next() {
    this.place += 1;
    if (this.isOver) return this.pause();
    this.#timer = setTimeout(() => this.#next(), this.wait);
    return this.draw(this.place);
  }
}
