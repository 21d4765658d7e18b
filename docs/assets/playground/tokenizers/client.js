// @ts-check
// A worker that is asked and answers, one request after the other.

/** @import { Answer, Request } from "./types.js" */

/** An error that a worker told; one of the network may pass. */
export class Failed extends Error {
  /** @param {string} message @param {boolean} isUnreachable */
  constructor(message, isUnreachable) {
    super(message);
    this.isUnreachable = isUnreachable;
  }
}

const BROKEN =
  "The scripts of this page could not be loaded. Load the page again when you are " +
  "connected.";

export class Client {
  /** @type {Worker | undefined} */
  #worker;
  #last = 0;
  /** @typedef {{done: (value: any) => void, fail: (error: Failed) => void,
   *   report?: (part: any) => void}} Waiting */
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();

  /** @param {Request} request @param {(part: any) => void} [report]
   * @returns {Promise<any>} */
  ask(request, report) {
    this.#worker ??= this.#start();
    this.#last += 1;
    const id = this.#last;
    return new Promise((done, fail) => {
      this.#waiting.set(id, { done, fail, report });
      this.#worker?.postMessage({ id, request });
    });
  }

  #start() {
    const address = new URL("./worker.js", import.meta.url);
    const worker = new Worker(address, { type: "module" });
    worker.addEventListener("message", ({ data }) => this.#hear(data));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.stop(new Failed(event.message || BROKEN, !event.message));
    });
    return worker;
  }

  /** @param {Answer} answer */
  #hear({ id, value, part, error, isUnreachable = false }) {
    const waiting = this.#waiting.get(id);
    if (part !== undefined) return waiting?.report?.(part);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.done(value);
    else waiting?.fail(new Failed(error, isUnreachable));
  }

  /** End what the worker does; it starts anew when it is asked again.
   * @param {Failed} [reason] */
  stop(reason = new Failed("stopped", false)) {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const { fail } of this.#waiting.values()) fail(reason);
    this.#waiting.clear();
  }
}
