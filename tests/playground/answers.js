// @ts-nocheck
// Answers of the playground, for the tests in Python: reads a question as JSON
// from standard input, writes its answer as JSON.

import { readFileSync } from "node:fs";

import { openModel } from "../../docs/assets/playground/open-model.js";
import {
  choose,
  probabilities,
  uniform,
} from "../../docs/assets/playground/sampling.js";
import {
  bpeTokenizer,
  characterTokenizer,
  TextStream,
} from "../../docs/assets/playground/tokens.js";
import { Reader, windowStart, writeNext } from "../../docs/assets/playground/writer.js";

const plain = (value) =>
  ArrayBuffer.isView(value)
    ? [...value]
    : Array.isArray(value)
      ? value.map(plain)
      : typeof value === "object"
        ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]))
        : value;

const answers = {
  /** Logits and attention of a text, read token by token. */
  steps({ file, ids }) {
    const { model } = openModel(readFileSync(file));
    const logits = [];
    const attention = [];
    for (const id of ids) {
      logits.push([...model.step(id)]);
      attention.push([...model.attention()]);
    }
    return { logits, attention };
  },

  trace({ file, ids, switches }) {
    return plain(openModel(readFileSync(file)).model.trace(ids, switches));
  },

  /** Texts that a model writes from given draws. */
  write({ file, texts }) {
    const { model, tokenizer } = openModel(readFileSync(file));
    const reader = new Reader(model);
    return texts.map(({ prompt, sampling, draws, stop }) => {
      const ids = tokenizer.encode(prompt);
      const stream = new TextStream(tokenizer, stop);
      let text = "";
      for (const u of draws) {
        const { id } = writeNext(reader, ids, sampling, u, tokenizer.size);
        ids.push(id);
        text += stream.feed(id);
        if (stream.ended) break;
      }
      return text + stream.close();
    });
  },

  probabilities: (rows) =>
    rows.map(({ logits, sampling, u }) => {
      const odds = probabilities(Float32Array.from(logits), sampling);
      return { odds: [...odds], id: choose(odds, u) };
    }),

  uniform: (pairs) => pairs.map(([seed, n]) => uniform(seed, n)),

  windows: (pairs) => pairs.map(([length, context]) => windowStart(length, context)),

  encode({ state, texts }) {
    const tokenizer =
      state.kind === "char"
        ? characterTokenizer([...state.characters])
        : bpeTokenizer(state.tokens);
    return texts.map((text) => {
      const ids = tokenizer.encode(text);
      return { ids, bytes: ids.flatMap((id) => [...tokenizer.bytes(id)]) };
    });
  },

  /** The message with which each file is refused; empty if it is opened. */
  refusals: (files) =>
    files.map((file) => {
      try {
        openModel(readFileSync(file));
        return "";
      } catch (error) {
        if (error.name !== "FileError") throw error;
        return error.message;
      }
    }),
};

const { about, question } = JSON.parse(await new Response(process.stdin).text());
process.stdout.write(JSON.stringify(answers[about](question)));
