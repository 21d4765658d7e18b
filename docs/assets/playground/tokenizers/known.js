// @ts-check
// The tokenizers that the site brings along, by name.

import { Bpe, readPacked } from "./bpe.js";
import { mustBeOfTheBook, parse } from "./hugging-face.js";
import { CL100K, GPT2, O200K } from "./patterns.js";

/** @import { Tokenizer } from "./types.js" */
/**
 * @typedef {object} Known
 * @property {string} file
 * @property {string} [pattern] of a vocabulary of tiktoken's
 * @property {Record<string, number>} [special] and its special tokens
 */

/** @type {Record<string, Known>} */
const KNOWN = {
  bpe: { file: "bpe.json" },
  wordpiece: { file: "wordpiece.json" },
  unigram: { file: "unigram.json" },
  gpt2: {
    file: "r50k_base.ranks",
    pattern: GPT2,
    special: { "<|endoftext|>": 50256 },
  },
  cl100k: {
    file: "cl100k_base.ranks",
    pattern: CL100K,
    special: {
      "<|endoftext|>": 100257,
      "<|fim_prefix|>": 100258,
      "<|fim_middle|>": 100259,
      "<|fim_suffix|>": 100260,
      "<|endofprompt|>": 100276,
    },
  },
  o200k: {
    file: "o200k_base.ranks",
    pattern: O200K,
    special: { "<|endoftext|>": 199999, "<|endofprompt|>": 200018 },
  },
};

/**
 * @param {string} name @param {(file: string) => Promise<Uint8Array>} fetched
 * @returns {Promise<Tokenizer>}
 */
export async function open(name, fetched) {
  const known = KNOWN[name];
  const content = await unpacked(await fetched(known.file));
  if (!known.pattern) return mustBeOfTheBook(parse(new TextDecoder().decode(content)));
  const special = new Map(Object.entries(known.special ?? {}));
  return new Bpe(readPacked(content), known.pattern, special);
}

/** The content of a file that may be compressed: some servers send it unpacked.
 * @param {Uint8Array} content */
async function unpacked(content) {
  if (content[0] !== 0x1f || content[1] !== 0x8b) return content;
  const packed = new Blob([/** @type {BlobPart} */ (content)]).stream();
  const stream = packed.pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
