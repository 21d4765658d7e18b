// @ts-check
// What the modules of the tokenizers hand each other. Only types: nothing to import.

/** @import { Bpe } from "./bpe.js" */
/** @import { Run } from "./bytes.js" */
/** @import { Unigram } from "./unigram.js" */
/** @import { WordPiece } from "./wordpiece.js" */
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

export {};
