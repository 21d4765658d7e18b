// @ts-check
// A `tokenizer.json` of 🤗 tokenizers, read and written: as one of the book's
// tokenizers, where one of these does what the file says.

import { Bpe, splitToken } from "./bpe.js";
import { BYTES, printable, unprintable } from "./bytes.js";
import { GPT2 } from "./patterns.js";
import { BYTE, CONTROL, SPACE, UNKNOWN_PIECE, Unigram } from "./unigram.js";
import { CONTINUES, UNKNOWN, WordPiece } from "./wordpiece.js";

/** @typedef {any} Json what a file holds, whatever it is */

const KINDS = ["BPE", "WordPiece", "Unigram"];

/** What a file holds. Raises SyntaxError or RangeError if it is no `tokenizer.json`.
 * @param {string} text @returns {Json} */
export function parse(text) {
  let content;
  try {
    content = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : `${error}`;
    throw new SyntaxError(`it is not JSON: ${reason}`);
  }
  const model = content?.model;
  if (typeof model !== "object" || model === null) {
    throw new RangeError("it has no model, as a tokenizer.json has");
  }
  // older files do not say which
  model.type ??= Array.isArray(model.vocab) ? "Unigram" : model.merges ? "BPE" : "";
  if (!KINDS.includes(model.type)) {
    const named = JSON.stringify(model.type);
    throw new RangeError(`its model is ${named}; ${KINDS.join(", ")} can be read`);
  }
  if (typeof model.vocab !== "object" || model.vocab === null) {
    throw new RangeError("its model has no vocab");
  }
  if (model.type === "BPE" && !Array.isArray(model.merges)) {
    throw new RangeError("its model is BPE and has no merges");
  }
  return content;
}

/**
 * The book's tokenizer that does what the file says; none where the book has none.
 * Raises RangeError for a vocabulary that no tokenizer can have.
 * @param {Json} content
 */
export function ofTheBook(content) {
  const { type } = content.model;
  if (type === "BPE") return readBpe(content);
  return type === "WordPiece" ? readWordPiece(content) : readUnigram(content);
}

/** @param {Json} content */
export function mustBeOfTheBook(content) {
  const found = ofTheBook(content);
  if (!found) throw new RangeError("it is none of the book's tokenizers");
  return found;
}

/** Whether a part of a file is just this. @param {Json} found @param {Json} wanted
 * @returns {boolean} */
function same(found, wanted) {
  if (typeof wanted !== "object" || wanted === null) return (found ?? null) === wanted;
  if (typeof found !== "object" || found === null) return false;
  return Object.entries(wanted).every(([key, value]) => same(found[key], value));
}

/** The special tokens of a file; none where one has rules of its own.
 * @param {Json} content @returns {Map<string, number> | null} */
function specialTokens(content) {
  /** @type {Map<string, number>} */
  const special = new Map();
  for (const token of content.added_tokens ?? []) {
    if (token.single_word || token.lstrip || token.rstrip) return null;
    special.set(token.content, token.id);
  }
  return special;
}

const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false };
const AS_BYTES = { ...BYTE_LEVEL, use_regex: false };

/** How a file's words are cut. @param {Json} before its pre-tokenizer
 * @returns {["python" | "oniguruma", string] | null} */
function patternOf(before) {
  if (same(before, BYTE_LEVEL) && before.use_regex !== false) return ["python", GPT2];
  const parts = before?.pretokenizers;
  const split = { type: "Split", behavior: "Isolated", invert: false };
  const isSplit = parts?.length === 2 && same(parts[0], split);
  const pattern = parts?.[0]?.pattern?.Regex;
  if (!isSplit || typeof pattern !== "string" || !same(parts[1], AS_BYTES)) return null;
  return ["oniguruma", pattern];
}

/** @param {Json} content */
function readBpe(content) {
  const { model } = content;
  const plain = {
    ...{ dropout: null, continuing_subword_prefix: null, end_of_word_suffix: null },
  };
  const cut = patternOf(content.pre_tokenizer);
  const special = specialTokens(content);
  const isPlain = same(model, plain) && !model.byte_fallback && !content.normalizer;
  if (!isPlain || !cut || !special) return null;
  const ranks = new Map();
  for (const [name, id] of Object.entries(model.vocab)) {
    if (!special.has(name)) ranks.set(unprintable(name), id);
  }
  if (!BYTES.every((byte) => ranks.has(byte))) return null;
  if (!areMerges(model.merges, ranks)) return null;
  const [dialect, pattern] = cut;
  return new Bpe(ranks, pattern, special, dialect);
}

/**
 * Whether the ids rise in the order of the merges, and each merge is what its token is
 * made of: then ids and merges say the same.
 * @param {(string | [string, string])[]} merges @param {Map<string, number>} ranks
 */
function areMerges(merges, ranks) {
  const longer = [...ranks].filter(([token]) => token.length > 1);
  const tokens = longer.sort((a, b) => a[1] - b[1]);
  if (tokens.length !== merges.length) return false;
  return tokens.every(([token], n) => {
    const parts = typeof merges[n] === "string" ? merges[n].split(" ") : merges[n];
    const found = splitToken(token, ranks).map(printable);
    return found.length === 2 && found[0] === parts[0] && found[1] === parts[1];
  });
}

/** @param {Json} content */
function readWordPiece(content) {
  const { model, normalizer } = content;
  const wanted = {
    model: {
      ...{ unk_token: UNKNOWN, continuing_subword_prefix: CONTINUES },
      max_input_chars_per_word: 100,
    },
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
  };
  const lowercase = normalizer?.lowercase;
  const accents = normalizer?.strip_accents ?? lowercase;
  if (!same(content, wanted) || accents !== lowercase) return null;
  const special = specialTokens(content);
  const pieces = inOrder(model.vocab);
  return pieces && special && new WordPiece(pieces, lowercase, special);
}

/** The pieces by id; none where ids are left out.
 * @param {Record<string, number>} vocab */
function inOrder(vocab) {
  /** @type {string[]} */
  const pieces = [];
  for (const [piece, id] of Object.entries(vocab)) pieces[id] = piece;
  const isWhole = pieces.length === Object.keys(vocab).length;
  return isWhole && pieces.every((piece) => piece !== undefined) ? pieces : null;
}

/** @param {Json} content */
function readUnigram(content) {
  const { model } = content;
  const isKnown = same(content.normalizer, NORMALIZER) && !content.added_tokens?.length;
  if (!isKnown || model.vocab[model.unk_id]?.[0] !== UNKNOWN_PIECE) return null;
  const found = new Unigram(model.vocab);
  const isSame = same(content.pre_tokenizer, cutsOf(found));
  const spells = Boolean(model.byte_fallback) === found.byteIds.length > 0;
  return isSame && spells ? found : null;
}

// ---- writing -----------------------------------------------------------------------

/**
 * @param {Bpe | WordPiece | Unigram} tokenizer
 * @returns {string} the text of a `tokenizer.json`, as the book's Python writes it
 */
export function toJson(tokenizer) {
  const parts =
    tokenizer instanceof Bpe
      ? writeBpe(tokenizer)
      : tokenizer instanceof WordPiece
        ? writeWordPiece(tokenizer)
        : writeUnigram(tokenizer);
  const none = { truncation: null, padding: null, added_tokens: [] };
  const order = {
    ...none,
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
  };
  return `${JSON.stringify({ version: "1.0", ...order, ...parts }, null, 1)}\n`;
}

const HOW = { trim_offsets: true, use_regex: true };

/** @param {Bpe} tokenizer */
function writeBpe({ ranks, pattern }) {
  const tokens = [...ranks].sort((a, b) => a[1] - b[1]);
  const merged = tokens.filter(([token]) => token.length > 1);
  // where Oniguruma means something else: a $ before the last line break, {1,3}+
  const regex = pattern.replace(/(\{\d,\d\})\+/g, "$1").replace(/\$(?=\||$)/g, "\\Z");
  const split = { type: "Split", pattern: { Regex: regex } };
  return {
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { ...split, behavior: "Isolated", invert: false },
        { ...AS_BYTES, trim_offsets: true },
      ],
    },
    decoder: { type: "ByteLevel", add_prefix_space: true, ...HOW },
    model: {
      ...{ type: "BPE", dropout: null, unk_token: null },
      ...{ continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: true },
      vocab: Object.fromEntries(tokens.map(([token, id]) => [printable(token), id])),
      merges: merged.map(([token]) => splitToken(token, ranks).map(printable)),
    },
  };
}

/** @param {WordPiece} tokenizer */
function writeWordPiece({ ids, lowercase }) {
  const normalizer = {
    ...{ type: "BertNormalizer", clean_text: true, handle_chinese_chars: true },
    ...{ strip_accents: null, lowercase },
  };
  return {
    normalizer,
    pre_tokenizer: { type: "BertPreTokenizer" },
    decoder: { type: "WordPiece", prefix: CONTINUES, cleanup: false },
    model: {
      ...{ type: "WordPiece", unk_token: UNKNOWN },
      ...{ continuing_subword_prefix: CONTINUES, max_input_chars_per_word: 100 },
      vocab: Object.fromEntries(ids),
    },
  };
}

const SPACES =
  "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005" +
  "\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";
const NORMALIZER = {
  type: "Sequence",
  normalizers: [
    { type: "NFKC" },
    { type: "Replace", pattern: { Regex: `[${SPACES}]+` }, content: " " },
    { type: "Strip", strip_left: true, strip_right: true },
    { type: "Prepend", prepend: SPACE },
    { type: "Replace", pattern: { String: " " }, content: SPACE },
  ],
};

/** @param {Unigram} tokenizer */
function writeUnigram(tokenizer) {
  const { pieces, unknownId, byteIds } = tokenizer;
  return {
    normalizer: NORMALIZER,
    pre_tokenizer: cutsOf(tokenizer),
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: SPACE }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 2 ** 30, stop: 0 },
      ],
    },
    model: {
      ...{ type: "Unigram", unk_id: unknownId, vocab: pieces },
      byte_fallback: byteIds.length > 0,
    },
  };
}

/**
 * 🤗 tokenizers would take `<s>` in a text for the piece of that name. Cut in two, it
 * is text. Raises RangeError where the cut would change other pieces, too.
 * @param {Unigram} tokenizer
 */
function cutsOf(tokenizer) {
  const cuts = [];
  for (const name of [UNKNOWN_PIECE, ...CONTROL]) {
    if (!tokenizer.ids.has(name)) continue;
    const i = cutPlace(name, tokenizer);
    cuts.push(`(?<=${name.slice(0, i)})(?=${name.slice(i)})`);
  }
  if (tokenizer.pieces.some(([piece]) => BYTE.test(piece))) {
    const i = cutPlace("<0x", tokenizer);
    cuts.push(`(?<=${"<0x".slice(0, i)})(?=${"<0x".slice(i)}[0-9A-F]{2}>)`);
  }
  const pattern = { Regex: cuts.join("|") };
  return { type: "Split", pattern, behavior: "Isolated", invert: false };
}

/** Where no piece reaches across, and no run of unknown characters.
 * @param {string} name @param {Unigram} tokenizer */
function cutPlace(name, { scores, byteIds }) {
  const pieces = [...scores.of.keys()];
  for (let i = 1; i < name.length; i++) {
    const [a, b] = [name[i - 1], name[i]];
    const isKnown = byteIds.length > 0 || scores.of.has(a) || scores.of.has(b);
    if (isKnown && !pieces.some((piece) => piece.includes(a + b))) return i;
  }
  throw new RangeError(`a text with ${name} would have other ids in 🤗 tokenizers`);
}
