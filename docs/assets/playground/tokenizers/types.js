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
 * @typedef {object} Other a tokenizer that another library reads
 * @property {"other"} kind
 * @property {number} size
 * @property {(text: string, allowSpecial?: boolean) => number[]} encode
 * @property {(id: number) => Piece} piece
 * @property {(ids: ArrayLike<number>) => string} decode
 */
/** @typedef {Bpe | WordPiece | Unigram | Other} Tokenizer */

export {};
