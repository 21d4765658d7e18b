// @ts-check
// The page's side of `gpt-worker.js`: calls with answers, and messages for readers.

/** @import { Config, Trace } from "./gpt.js" */
/** @import { Choice, Sampling } from "./sampling.js" */
/**
 * @typedef {object} About what is known of the open model
 * @property {string} architecture
 * @property {number} parameters
 * @property {Config} config
 * @property {string[]} pieces each token as text
 */
/**
 * @typedef {object} Look what the model saw and thought before the token at a place
 * @property {number} place
 * @property {number} start the first token that it saw
 * @property {Choice[]} choices
 * @property {Float32Array} attention of the token before, (L, H, place - start)
 */
/** @typedef {{id: number, model: number, drawn: number}} Written */
/**
 * @typedef {object} Part of a text that is being written
 * @property {Written[]} tokens
 * @property {Look} [last] at the last of them
 * @property {number} made so far
 * @property {number} seconds that the model took so far
 */
/** @typedef {{made: number, seconds: number, stopped: boolean}} Ended */
/**
 * @typedef {object} Calls
 * @property {[{url?: string, file?: File}, About]} open
 * @property {[{text: string}, number[]]} encode
 * @property {[{ids: number[]}, string]} decode
 * @property {[{ids: number[], place: number, sampling: Sampling}, Look]} look
 * @property {[{text: string, switches: {causal: boolean, temperature: number}},
 *   Trace & {ids: number[]}]} trace
 * @property {[{ids: number[], sampling: Sampling, seed: number, count: number,
 *   stop: string, perSecond: number}, Ended]} write
 * @property {[{}, void]} stop
 */
/** @typedef {{ticket: number, call: keyof Calls, given: unknown}} Request */
/**
 * @typedef {object} Waiting
 * @property {(value: any) => void} resolve
 * @property {(error: Error) => void} reject
 * @property {((part: Part) => void) | undefined} hear
 */

export const SHIPPED = new URL("./model/mini-gpt.safetensors", import.meta.url).href;

// those whose messages are written for readers
const TOLD = ["FileError", "TextError", "SettingError", "LoadError"];

/** What to tell a reader of an error. @param {unknown} error */
export function told(error) {
  const { name, message } = error instanceof Error ? error : new Error(`${error}`);
  return TOLD.includes(name) ? message : `This page has failed: ${message}`;
}

/** @param {unknown} error */
export function canTryAgain(error) {
  return error instanceof Error && error.name === "LoadError";
}

/** A model in a thread of its own. */
export class GptClient {
  /** @type {Worker | undefined} */
  #worker;
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();
  #tickets = 0;

  #start() {
    const url = new URL("./gpt-worker.js", import.meta.url);
    const worker = new Worker(url, { type: "module" });
    worker.addEventListener("message", ({ data }) => this.#hear(data));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.close(event.message || "its scripts could not be loaded");
    });
    return worker;
  }

  /** @param {{ticket: number, part?: Part, result?: unknown, error?: Error}} data */
  #hear({ ticket, part, result, error }) {
    const waiting = this.#waiting.get(ticket);
    if (part) return waiting?.hear?.(part);
    this.#waiting.delete(ticket);
    if (!error) return waiting?.resolve(result);
    const made = new Error(error.message);
    made.name = error.name;
    return waiting?.reject(made);
  }

  /**
   * @template {keyof Calls} T
   * @param {T} call
   * @param {Calls[T][0]} given
   * @param {(part: Part) => void} [hear]
   * @returns {Promise<Calls[T][1]>}
   */
  call(call, given, hear) {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    return new Promise((resolve, reject) => {
      const ticket = (this.#tickets += 1);
      this.#waiting.set(ticket, { resolve, reject, hear });
      worker.postMessage({ ticket, call, given });
    });
  }

  /** End the thread; what it owes is refused, and the next call starts another one.
   * @param {string} reason */
  close(reason) {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) {
      const error = new Error(`The model cannot run: ${reason}.`);
      error.name = "LoadError";
      reject(error);
    }
    this.#waiting.clear();
  }
}
