// @ts-check
// Trains beside the page, so that the page stays quick; session.js has the run itself.

import { fastest } from "./kernel.js";
import { Session } from "./session.js";
import { readCorpus, TextError } from "./text.js";

/** @import { Settings, Told } from "./session.js" */

/**
 * What the page asks for.
 * @typedef {{do: "start", text: string | Blob | null, settings: Settings}} Start `null`
 *   is the excerpt of Shakespeare
 * @typedef {Start | {do: "pause"} | {do: "resume"} | {do: "finish"}
 *   | {do: "more", seconds: number} | {do: "rate", rate: number}
 *   | {do: "save", date: string}
 *   | {do: "write", prompt: string, count: number, temperature: number, seed: number}
 *   } Asked
 */

const SHAKESPEARE = "tiny Shakespeare, public domain; an excerpt";

/** @type {Session | undefined} */
let session;
/** @type {Session | undefined} the one that is at work */
let working;
let data = "";
let rate = 1; // what the reader multiplies learning rates by

/** @param {Told} told */
function tell(told) {
  const bytes = told.is === "saved" ? [told.weights.buffer] : [];
  postMessage(told, { transfer: bytes });
}

/** @param {string} name of a file beside this one */
async function load(name) {
  const answer = await fetch(new URL(name, import.meta.url));
  if (!answer.ok) throw new TypeError(`${name}: ${answer.status}`);
  return answer;
}

/** A file as text; throws a TextError if it is none. @param {Blob} file */
async function textOf(file) {
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    return decoder.decode(await file.arrayBuffer()).replaceAll("\r\n", "\n");
  } catch {
    throw new TextError("The file is no text in UTF-8. Save it as plain text, UTF-8.");
  }
}

/** @param {string | Blob | null} text @param {number} T */
async function corpusOf(text, T) {
  if (text === null) {
    const names = ["shakespeare.txt", "shakespeare-validation.txt"];
    const files = await Promise.all(names.map(load));
    const [train, validation] = await Promise.all(files.map((file) => file.text()));
    return readCorpus(train, T, validation);
  }
  return readCorpus(typeof text === "string" ? text : await textOf(text), T);
}

/** @param {Start} asked */
async function start({ text, settings }) {
  const corpus = await corpusOf(text, settings.sizes.context_length);
  const bytes = await (await load("simd.wasm")).arrayBuffer();
  data = text === null ? SHAKESPEARE : "a text of the reader's";
  session = new Session(await fastest(bytes), corpus, settings, tell);
  session.rate = rate; // it may have been told while files were loading
  void run(session);
}

/** Work in slices; between them, messages are heard. Timers would be slowed down in a
 * tab that is not in sight, messages to oneself are not. @param {Session} current */
async function run(current) {
  if (working === current) return;
  working = current;
  const { port1, port2 } = new MessageChannel();
  const next = () =>
    new Promise((resolve) => {
      port1.onmessage = resolve;
      port2.postMessage(null);
    });
  while (session === current && !current.isOver && !current.isPaused) {
    current.work();
    await next();
  }
  port1.close();
  if (working === current) working = undefined;
}

/** @param {Asked} asked */
async function answer(asked) {
  if (asked.do === "start") return start(asked);
  if (asked.do === "rate") rate = asked.rate;
  if (!session) return;
  if (asked.do === "pause") session.isPaused = true;
  if (asked.do === "finish") session.finish();
  if (asked.do === "rate") session.rate = asked.rate;
  if (asked.do === "save") session.save(data, asked.date);
  if (asked.do === "write") {
    session.write(asked.prompt, asked.count, asked.temperature, asked.seed);
  }
  if (asked.do === "more") session.more(asked.seconds);
  if (asked.do === "resume") session.isPaused = false;
  if (asked.do === "more" || asked.do === "resume") void run(session);
}

/** What went wrong, in words. @param {unknown} error @returns {Told} */
function trouble(error) {
  const message = error instanceof Error ? error.message : `${error}`;
  if (error instanceof TextError) return { is: "trouble", message, canRetry: false };
  if (error instanceof RangeError) {
    const told = `There is not enough memory for this: ${message}`;
    return { is: "trouble", message: told, canRetry: false };
  }
  const lost = `A file could not be loaded (${message}). Is the connection lost?`;
  return { is: "trouble", message: lost, canRetry: true };
}

addEventListener("message", async ({ data: asked }) => {
  try {
    await answer(asked);
  } catch (error) {
    tell(trouble(error));
  }
});
