// @ts-check
// The model in a thread of its own, so that the page stays quick. It answers the calls
// of `gpt-client.js`; a call that takes long sends parts of its answer as it goes.

import { checkName, openModel } from "./open-model.js";
import { checkSampling, choices, softmax, uniform } from "./sampling.js";
import { pieceOf, TextStream } from "./tokens.js";
import { Reader, writeNext } from "./writer.js";

/** @import { About, Look, Part, Request, Written } from "./gpt-client.js" */
/** @import { OpenModel } from "./open-model.js" */
/** @import { Sampling } from "./sampling.js" */

const SLICE = 25; // milliseconds of writing, after which the page gets what there is
const LISTED = 10; // choices at a place

/** @type {OpenModel & {reader: Reader} | undefined} */
let current;
let writing = 0; // the ticket of the text that is being written

/** The file could not be fetched; trying again may help. */
class LoadError extends Error {
  name = "LoadError";
}

function opened() {
  if (!current) throw new Error("no model is open");
  return current;
}

/** @param {string} url */
async function fetched(url) {
  try {
    const answer = await fetch(url);
    if (answer.ok) return await answer.arrayBuffer();
    throw new Error(`the server answered ${answer.status}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : `${error}`;
    throw new LoadError(`The model could not be loaded (${reason}).`);
  }
}

/** Let messages in. */
function breathe() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve(undefined);
    };
    port2.postMessage("");
  });
}

/** @param {number} seconds */
function pause(seconds) {
  return new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
}

/** @returns {About} */
function about() {
  const { model, tokenizer, architecture, parameters } = opened();
  const pieces = Array.from({ length: tokenizer.size }, (_, id) =>
    pieceOf(tokenizer.bytes(id)),
  );
  return { architecture, parameters, config: model.config, pieces };
}

/**
 * What the model saw and thought before the token at a place.
 * @param {readonly number[]} ids @param {number} start @param {Float32Array} logits
 * @param {Float64Array} drawn @param {number} place @returns {Look}
 */
function look(ids, start, logits, drawn, place) {
  const list = choices(logits, drawn, LISTED, ids[place]);
  return { place, start, choices: list, attention: opened().model.attention() };
}

const calls = {
  /** Open a model at an address, or a file of the reader.
   * @param {{url?: string, file?: File}} which */
  async open({ url, file }) {
    if (file) checkName(file.name, file.size);
    const content = await (file ? file.arrayBuffer() : fetched(url ?? ""));
    const made = openModel(content); // an error leaves the old one in place
    current = { ...made, reader: new Reader(made.model) };
    return about();
  },

  /** @param {{text: string}} which */
  encode({ text }) {
    return opened().tokenizer.encode(text);
  },

  /** The text of tokens. @param {{ids: number[]}} which */
  decode({ ids }) {
    const stream = new TextStream(opened().tokenizer, "");
    return ids.map((id) => stream.feed(id)).join("") + stream.close();
  },

  /** @param {{ids: number[], place: number, sampling: Sampling}} which */
  look({ ids, place, sampling }) {
    checkSampling(sampling);
    const { reader, tokenizer } = opened();
    const before = ids.slice(0, place);
    const { logits, drawn, start } = writeNext(
      reader,
      before,
      sampling,
      0,
      tokenizer.size,
    );
    return look(ids, start, logits, drawn, place);
  },

  /** @param {{text: string, switches: {causal: boolean, temperature: number}}} which */
  trace({ text, switches }) {
    const { model, tokenizer } = opened();
    const ids = tokenizer.encode(text);
    return { ids, ...model.trace(ids, switches) };
  },

  /**
   * Go on with a text, in parts.
   * @param {{ids: number[], sampling: Sampling, seed: number, count: number,
   *   stop: string, perSecond: number}} which
   * @param {(part: Part) => void} send
   * @param {number} ticket
   */
  async write({ ids, sampling, seed, count, stop, perSecond }, send, ticket) {
    checkSampling(sampling);
    writing = ticket;
    const { reader, tokenizer } = opened();
    const stream = new TextStream(tokenizer, stop);
    const all = ids.slice();
    let seconds = 0;
    let made = 0;
    while (made < count && writing === ticket && !stream.ended) {
      const started = performance.now();
      /** @type {Written[]} */
      const tokens = [];
      /** @type {Look | undefined} */
      let last;
      while (made < count && !stream.ended) {
        const u = uniform(seed, all.length);
        const { id, logits, drawn, start } = writeNext(
          reader,
          all,
          sampling,
          u,
          tokenizer.size,
        );
        all.push(id);
        made += 1;
        stream.feed(id);
        tokens.push({ id, model: softmax(logits)[id], drawn: drawn[id] });
        const isLate = performance.now() - started > SLICE || perSecond > 0;
        if (isLate || made === count || stream.ended) {
          last = look(all, start, logits, drawn, all.length - 1);
          break;
        }
      }
      seconds += (performance.now() - started) / 1000;
      send({ tokens, last, made, seconds });
      await (perSecond > 0 ? pause(1 / perSecond) : breathe());
    }
    return { made, seconds, stopped: stream.ended, held: stream.close() };
  },

  stop() {
    writing = 0;
  },
};

self.onmessage = async (/** @type {MessageEvent<Request>} */ { data }) => {
  const { ticket, call, given } = data;
  const send = (/** @type {Part} */ part) => self.postMessage({ ticket, part });
  try {
    const run = /** @type {Function} */ (calls[call]);
    self.postMessage({ ticket, result: await run(given, send, ticket) });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(`${error}`);
    self.postMessage({ ticket, error: { name, message } });
  }
};
