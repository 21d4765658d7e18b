// @ts-check
// What the modules of the tokenizers hand each other. Only types: nothing to import.

/** @import { Bpe } from "./bpe.js" */
/** @import { Run } from "./bytes.js" */
/** @import { Arc, Unigram } from "./unigram.js" */
/** @import { Attempt, WordPiece } from "./wordpiece.js" */
/**
 * @typedef {object} Piece a token for the eye
 * @property {number} id
 * @property {string | null} bytes what it stands for; none, where that is not known
 * @property {Run[]} runs how it is shown
 */
/**
 * @typedef {object} Step of byte-pair encoding
 * @property {string[]} parts before the step
 * @property {(number | null)[]} ranks of each two neighbours; none if they never merge
 * @property {number} chosen which pair the step merges; -1 in the last step
 */
/**
 * @typedef {object} Merge that training decides
 * @property {string} first @property {string} second its two tokens
 * @property {string} made the new token
 * @property {number} count how often the pair occurs
 * @property {number} tied how many other pairs are as good
 * @property {number} merged how often it was merged: fewer than `count` in "aaa"
 * @property {number} size of the vocabulary, then
 * @property {{pair: string[], count: number, score?: number} | null} next of BPE the
 *   pair that came second, of WordPiece the one that occurs most often
 * @property {number} [score] of WordPiece
 * @property {number} [firstCount] @property {number} [secondCount] of the two tokens
 */
/**
 * @typedef {object} Round of the unigram model's training
 * @property {"seed" | "EM" | "prune"} step
 * @property {number} pieces how many are left
 * @property {number} nats the cost of the text, after EM
 */
/**
 * @typedef {object} Other a tokenizer that another library reads
 * @property {"other"} kind
 * @property {number} size
 * @property {(text: string, allowSpecial?: boolean) => number[]} encode
 * @property {(id: number) => Piece} piece
 * @property {(ids: ArrayLike<number>) => string} decode
 */
/** @typedef {Bpe | WordPiece | Unigram | Other} Tokenizer */
/**
 * @typedef {{do: "open", name: string}
 *   | {do: "read", name: string, json: string}
 *   | {do: "text", text: string}
 *   | {do: "sample", name: string}
 *   | {do: "encode", name: string, special: boolean}
 *   | {do: "page", name: string, from: number, to: number}
 *   | {do: "steps", name: string, text: string, word: number}
 *   | {do: "size", name: string, size: number, text: string}
 *   | {do: "train", kind: "bpe" | "wordpiece" | "unigram", text: string, how: any}
 * } Request what a worker is asked to do
 */
/**
 * @typedef {object} Answer of a worker
 * @property {number} id of the request
 * @property {any} [value] @property {any} [part] of what is still being done
 * @property {string} [error] @property {boolean} [isUnreachable] try again later
 */
/** @typedef {{count: number, bytes: number, isSame: boolean, size: number}} Encoded */
/**
 * @typedef {object} Trained
 * @property {string} json the `tokenizer.json`
 * @property {number} size
 * @property {number} tokens @property {number} bytes of the text
 * @property {[string, number][]} pieces the most probable ones of a unigram model
 */
/**
 * @typedef {{kind: "bpe", words: string[], at: number, steps: Step[], ids: number[]}
 * } BpeSteps
 */
/**
 * @typedef {{kind: "wordpiece", words: string[], at: number, attempts: Attempt[],
 *   pieces: string[]}} WordPieceSteps
 */
/**
 * @typedef {{kind: "unigram", words: string[], at: number, letters: string[],
 *   arcs: Arc[], pieces: string[], best: number[], before: number[]}} UnigramSteps
 */
/** @typedef {BpeSteps | WordPieceSteps | UnigramSteps} Steps */

export {};
