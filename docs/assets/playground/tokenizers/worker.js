// @ts-check
// Tokenizing and training, apart from the page: that stays quick with long texts.

import { Bpe } from "./bpe.js";
import { byteLength } from "./bytes.js";
import { ofTheBook, parse, toJson } from "./hugging-face.js";
import { open } from "./known.js";
import { learnBpe, learnWordPiece } from "./training.js";
import { learnUnigram } from "./unigram-training.js";
import { WordPiece } from "./wordpiece.js";

/** @import { Answer, Request, Tokenizer } from "./types.js" */

const DATA = new URL("./data/", import.meta.url);
const OFTEN = 100; // milliseconds between two reports of a training

/** @type {Map<string, Tokenizer>} */
const opened = new Map();
/** @type {Map<string, number[]>} the ids of the text, by tokenizer */
const encoded = new Map();
let text = "";

/** What the reader can do about an error. */
class Unreachable extends Error {}

/** @param {string} file */
async function fetched(file) {
  try {
    const answer = await fetch(new URL(file, DATA));
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    return new Uint8Array(await answer.arrayBuffer());
  } catch (error) {
    const reason = error instanceof Error ? error.message : `${error}`;
    throw new Unreachable(`It could not be loaded: ${reason}.`);
  }
}

/** @type {Map<string, Promise<void>>} */
const coming = new Map();

/** Open a tokenizer of the site, once however often it is asked for.
 * @param {string} name */
function opening(name) {
  const asked =
    coming.get(name) ??
    open(name, fetched).then((tokenizer) => void opened.set(name, tokenizer));
  coming.set(name, asked);
  asked.catch(() => coming.delete(name)); // so that it can be tried again
  return asked;
}

/** @param {string} name */
function known(name) {
  const tokenizer = opened.get(name);
  if (!tokenizer) throw new Error(`the tokenizer ${name} is not open`);
  return tokenizer;
}

/** What a tokenizer makes of the text. @param {string} name @param {boolean} special */
function encode(name, special) {
  const tokenizer = known(name);
  const ids = tokenizer.encode(text, special);
  encoded.set(name, ids);
  const isSame = ids.length > 0 && tokenizer.decode(ids) === text;
  return { count: ids.length, bytes: byteLength(text), isSame, size: tokenizer.size };
}

/** The pieces of a part of the text. @param {string} name
 * @param {number} from @param {number} to */
function page(name, from, to) {
  const tokenizer = known(name);
  return (encoded.get(name) ?? []).slice(from, to).map((id) => tokenizer.piece(id));
}

/** @param {string} json @param {string} name */
async function read(json, name) {
  const content = parse(json);
  /** @type {Tokenizer | null} */
  let tokenizer = ofTheBook(content);
  if (!tokenizer) tokenizer = (await import("./other.js")).other(content);
  tokenizer.encode("a ä 猫"); // what it cannot do is told now
  opened.set(name, tokenizer);
  return { kind: tokenizer.kind, size: tokenizer.size };
}

/** The words of a text and, of one of them, how it becomes tokens.
 * @param {string} name @param {string} given @param {number} number of the word */
function steps(name, given, number) {
  const tokenizer = known(name);
  if (tokenizer.kind === "other") return { kind: tokenizer.kind, words: [] };
  const words = [...tokenizer.words(given)];
  const at = number >= 0 && number < words.length ? number : longest(words);
  if (!words.length) return { kind: tokenizer.kind, words };
  const word = words[at];
  if (byteLength(word) > 100) {
    throw new RangeError(
      `A word of ${byteLength(word)} bytes: steps are shown of words up to 100 bytes.`,
    );
  }
  if (tokenizer.kind === "bpe") {
    const found = tokenizer.steps(word);
    const ids = tokenizer.wordIds(word);
    return { kind: tokenizer.kind, words, at, steps: found, ids };
  }
  if (tokenizer.kind === "wordpiece") {
    return { kind: tokenizer.kind, words, at, ...tokenizer.steps(word) };
  }
  return { kind: tokenizer.kind, words, at, ...tokenizer.steps(word) };
}

/** @param {string[]} words */
function longest(words) {
  const sizes = words.map((word) => word.trim().length);
  return sizes.indexOf(Math.max(...sizes));
}

/** The pieces of a text with only the first tokens of a vocabulary.
 * @param {string} name @param {number} size @param {string} sample */
function atSize(name, size, sample) {
  const whole = known(name);
  /** @type {Tokenizer} */
  let tokenizer = whole;
  if (whole.kind === "bpe") {
    const first = [...whole.ranks].filter(([, id]) => id < size);
    tokenizer = new Bpe(new Map(first), whole.pattern);
  } else if (whole.kind === "wordpiece") {
    tokenizer = new WordPiece(whole.pieces.slice(0, size), whole.lowercase);
  }
  return tokenizer.encode(sample).map((id) => tokenizer.piece(id));
}

const LEARN = { bpe: learnBpe, wordpiece: learnWordPiece, unigram: learnUnigram };

/** @param {Extract<Request, {do: "train"}>} request
 * @param {(part: unknown) => void} report */
function train({ kind, how, text: given }, report) {
  /** @type {Generator<unknown, any>} */
  const learning = LEARN[kind](given, how);
  let told = [];
  let last = performance.now();
  let step = learning.next();
  for (; !step.done; step = learning.next()) {
    told.push(step.value);
    if (performance.now() - last < OFTEN) continue;
    report(told);
    told = [];
    last = performance.now();
  }
  report(told);
  const tokenizer = step.value;
  const tokens = tokenizer.encode(given).length;
  return {
    ...{ json: toJson(tokenizer), size: tokenizer.size, tokens },
    bytes: byteLength(given),
    pieces: tokenizer.kind === "unigram" ? [...tokenizer.scores.of].slice(0, 12) : [],
  };
}

/** @param {Request} request @param {(part: unknown) => void} report */
async function answer(request, report) {
  switch (request.do) {
    case "open":
      await opening(request.name);
      return known(request.name).kind;
    case "read":
      return read(request.json, request.name);
    case "text":
      text = request.text;
      return encoded.clear();
    case "sample":
      return new TextDecoder().decode(await fetched(request.name));
    case "encode":
      return encode(request.name, request.special);
    case "page":
      return page(request.name, request.from, request.to);
    case "steps":
      return steps(request.name, request.text, request.word);
    case "size":
      return atSize(request.name, request.size, request.text);
    case "train":
      return train(request, report);
  }
}

addEventListener("message", async ({ data }) => {
  const { id, request } = data;
  const post = (/** @type {Answer} */ answered) => postMessage(answered);
  try {
    const value = await answer(request, (part) => post({ id, part }));
    post({ id, value });
  } catch (error) {
    const message = error instanceof Error ? error.message : `${error}`;
    post({ id, error: message, isUnreachable: error instanceof Unreachable });
  }
});
