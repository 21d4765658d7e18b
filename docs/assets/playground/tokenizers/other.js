// @ts-check
// A `tokenizer.json` that none of the book's tokenizers can read, by the library that
// 🤗 has for browsers: ids and tokens, but no steps.

import { Tokenizer } from "../../vendor/huggingface-tokenizers.js";
import { checkText, runs, toBytes, unprintable } from "./bytes.js";
import { BYTE, SPACE } from "./unigram.js";

/** @import { Json } from "./hugging-face.js" */
/** @import { Other } from "./types.js" */

/** @param {Json} content of the file @returns {Other} */
export function other(content) {
  const library = opened(content);
  const { vocab } = content.model;
  /** @type {string[]} */
  const names = [];
  if (Array.isArray(vocab)) vocab.forEach(([name], id) => (names[id] = name));
  else for (const [name, id] of Object.entries(vocab)) names[id] = name;
  for (const token of content.added_tokens ?? []) names[token.id] = token.content;
  const isBytes = JSON.stringify(content.decoder ?? null).includes('"ByteLevel"');
  return {
    kind: "other",
    size: names.length,
    encode: (text) =>
      library.encode(checkText(text), { add_special_tokens: false }).ids,
    decode: (ids) => library.decode(Array.from(ids), { skip_special_tokens: false }),
    piece(id) {
      const name = names[id] ?? `id ${id}`;
      const byte = BYTE.exec(name);
      if (byte) {
        const bytes = String.fromCharCode(parseInt(byte[1], 16));
        return { id, bytes, runs: [{ isText: false, value: byte[1] }] };
      }
      if (!isBytes) {
        const bytes = toBytes(name.replaceAll(SPACE, " "));
        return { id, bytes, runs: [{ isText: true, value: name }] };
      }
      const bytes = unprintable(name);
      return { id, bytes, runs: runs(bytes) };
    },
  };
}

/** @param {Json} content */
function opened(content) {
  try {
    return new Tokenizer(content, {});
  } catch (error) {
    const reason = error instanceof Error ? error.message : `${error}`;
    throw new RangeError(`🤗 tokenizers.js cannot read it: ${reason}`);
  }
}
