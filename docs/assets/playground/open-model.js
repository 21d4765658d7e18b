// @ts-check
// A trained model from its file, as `python -m snippets.mini_gpt.convert pack` writes
// it: safetensors, whose notes say how the model is built. Everything is checked before
// it is used, and a message says what does not fit.

import { GPT } from "./gpt.js";
import { FileError, readSafetensors } from "./safetensors.js";
import { tokenizerFrom } from "./tokens.js";

/** @import { Config } from "./gpt.js" */
/** @import { Tensor } from "./safetensors.js" */
/** @import { Tokenizer } from "./tokens.js" */
/**
 * @typedef {object} OpenModel
 * @property {GPT} model
 * @property {Tokenizer} tokenizer
 * @property {string} architecture
 * @property {number} parameters
 */

const FORMAT = "daybook-mini-gpt-1";
const PACK = "python -m snippets.mini_gpt.convert pack best.pt small.safetensors";
const MOST = 200_000_000; // bytes; more does not fit the memory of a page

/** @param {string} name @param {string | undefined} text @returns {any} */
function parsed(name, text) {
  try {
    return JSON.parse(text ?? "");
  } catch {
    throw new FileError(`It describes no model: its note ${name} is not JSON.`);
  }
}

/** @param {any} sizes @param {string} name @param {number} [usual] @returns {number} */
function size(sizes, name, usual) {
  const value = sizes?.[name] ?? usual;
  if (!Number.isInteger(value) || value < 1) {
    throw new FileError(`It describes no model: ${name}=${JSON.stringify(value)}.`);
  }
  return value;
}

/** @template T @param {any} sizes @param {string} name @param {T[]} known
 * @returns {T} the first is the usual one */
function oneOf(sizes, name, known) {
  const value = sizes[name] ?? known[0];
  if (!known.includes(value)) {
    throw new FileError(
      `It describes no model: ${name}=${JSON.stringify(value)}, ` +
        `where there are ${known.join(", ")}.`,
    );
  }
  return value;
}

/** @param {string | undefined} architecture @param {any} sizes
 * @returns {{config: Config, rows: number}} rows: of the embedding */
function configFrom(architecture, sizes) {
  const common = {
    V: size(sizes, "vocab_size"),
    context: size(sizes, "context_length"),
    C: size(sizes, "d_model"),
    H: size(sizes, "n_heads"),
    L: size(sizes, "n_layers"),
  };
  if (common.C % common.H) {
    throw new FileError(`d_model=${common.C} is not divisible by n_heads=${common.H}.`);
  }
  if (architecture === "gpt2") {
    const multiple = size(sizes, "vocab_multiple", 64);
    const plain = {
      rope: false,
      rms: false,
      qkNorm: false,
      convolution: 1,
      tied: true,
    };
    const activation = oneOf(sizes, "gelu", /** @type {const} */ (["tanh", "none"]));
    const rows = Math.ceil(common.V / multiple) * multiple;
    return { config: { ...common, ...plain, activation }, rows };
  }
  if (architecture !== "modern") {
    throw new FileError(
      `The architecture ${JSON.stringify(architecture ?? "")} is not known here: ` +
        "this page runs gpt2 and modern, those of day 6's program.",
    );
  }
  const on = (/** @type {string} */ name) => oneOf(sizes, name, [true, false]);
  const config = {
    ...common,
    rope: on("rope"),
    rms: on("rms_norm"),
    qkNorm: on("qk_norm"),
    activation: on("squared_relu")
      ? /** @type {const} */ ("relu2")
      : /** @type {const} */ ("none"),
    convolution: size(sizes, "convolution", 3),
    tied: oneOf(sizes, "tied", [false, true]),
  };
  if (config.rope && (common.C / common.H) % 2) {
    throw new FileError(`RoPE turns pairs: ${common.C / common.H} channels a head.`);
  }
  return { config, rows: common.V };
}

/** The shape of each tensor that a model needs, and may have.
 * @param {Config} config @param {number} rows @param {boolean} bias */
function shapes({ V, C, L, context, rope, rms, convolution, tied }, rows, bias) {
  /** @type {Map<string, number[]>} */
  const found = new Map([["token.weight", [rows, C]]]);
  const linear = (/** @type {string} */ name, /** @type {number[]} */ ...shape) => {
    found.set(`${name}.weight`, shape);
    if (bias) found.set(`${name}.bias`, [shape[0]]);
  };
  if (!rope) found.set("position.weight", [context, C]);
  if (!rms) linear("norm", C);
  if (!tied) found.set("head.weight", [V, C]);
  for (let n = 0; n < L; n++) {
    const block = `blocks.${n}`;
    if (!rms) linear(`${block}.norm1`, C);
    if (!rms) linear(`${block}.norm2`, C);
    linear(`${block}.attention.qkv`, 3 * C, C);
    linear(`${block}.attention.out`, C, C);
    linear(`${block}.up`, 4 * C, C);
    linear(`${block}.down`, C, 4 * C);
    const mix = `${block}.attention.mix.weight`;
    if (convolution > 1) found.set(mix, [convolution, 3 * C]);
  }
  return found;
}

/** @param {Map<string, Tensor>} tensors @param {Map<string, number[]>} needed */
function checkTensors(tensors, needed) {
  for (const [name, shape] of needed) {
    const found = tensors.get(name);
    if (!found) throw new FileError(`The weights ${name} [${shape}] are missing.`);
    if (`${found.shape}` !== `${shape}`) {
      throw new FileError(
        `The weights ${name} have the shape [${found.shape}], and its sizes ask for ` +
          `[${shape}].`,
      );
    }
  }
  for (const [name, { data }] of tensors) {
    if (!needed.has(name)) {
      throw new FileError(`The weights ${name} belong to no part of this model.`);
    }
    if (!data.every(Number.isFinite)) {
      throw new FileError(`The weights ${name} are not finite: they are broken.`);
    }
  }
}

/** Names that the layers once had. @param {Map<string, Tensor>} tensors */
function renamed(tensors) {
  const entries = [...tensors].map(
    ([name, tensor]) =>
      /** @type {const} */ ([name.replace(".feed_forward.", "."), tensor]),
  );
  return new Map(entries);
}

/**
 * Throws a FileError for a file that is damaged, of another program, or of a model that
 * this page cannot run.
 * @param {ArrayBuffer | Uint8Array} file
 * @returns {OpenModel}
 */
export function openModel(file) {
  const { tensors: found, notes } = readSafetensors(file);
  if (notes.format !== FORMAT) {
    throw new FileError(
      "It does not say how to build its model: it is not a file of day 6's program, " +
        `which writes one with \`${PACK}\`.`,
    );
  }
  const sizes = parsed("model_config", notes.model_config);
  const { config, rows } = configFrom(notes.architecture, sizes);
  const tokenizer = tokenizerFrom(parsed("tokenizer", notes.tokenizer));
  if (tokenizer.size > config.V) {
    throw new FileError(
      `Its tokenizer has ${tokenizer.size} tokens, and the model scores ${config.V}.`,
    );
  }
  const bias = notes.architecture === "gpt2" && oneOf(sizes, "bias", [true, false]);
  const tensors = renamed(found);
  checkTensors(tensors, shapes(config, rows, bias));
  let parameters = 0;
  for (const { data } of tensors.values()) parameters += data.length;
  const model = new GPT(config, tensors);
  return { model, tokenizer, architecture: notes.architecture, parameters };
}

/**
 * Throws a FileError for a file that cannot be a model, by its name and size, before it
 * is read.
 * @param {string} name @param {number} length bytes
 */
export function checkName(name, length) {
  if (/\.(pt|pth|ckpt|bin)$/i.test(name)) {
    throw new FileError(
      `${name} is a checkpoint of PyTorch, which a page cannot read. Turn it into a ` +
        `file that it can: \`${PACK}\`.`,
    );
  }
  if (length > MOST) {
    const size = Math.round(length / 1e6);
    throw new FileError(
      `${name} has ${size} MB; a page can run a model of ${MOST / 1e6} MB at most.`,
    );
  }
}
