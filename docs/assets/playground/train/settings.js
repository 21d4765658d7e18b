// @ts-check
// What a reader can choose for a training, and how the address of the page holds it.

import { RECIPE } from "./recipe.js";

/** @import { Settings } from "./session.js" */

/**
 * @typedef {object} Choices
 * @property {number} size a place in SIZES
 * @property {number} rate a place in RATES
 * @property {number} seconds one of SECONDS
 * @property {"muon" | "adamw"} optimizer
 * @property {number} seed
 */

/** From small to large: layers, and channels in heads of 32. */
export const SIZES = [
  { n_layers: 1, d_model: 32 },
  { n_layers: 2, d_model: 32 },
  { n_layers: 2, d_model: 64 },
  { n_layers: 3, d_model: 64 },
  { n_layers: 3, d_model: 96 },
  { n_layers: 4, d_model: 128 },
].map((size) => ({ ...size, n_heads: size.d_model / 32, context_length: 64 }));

/** Factors of the recipe's learning rates: two for each power of ten. */
export const RATES = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000];
export const SECONDS = [15, 30, 60, 120, 300];
export const SEEDS = 1_000_000;
const BATCH = 16;

/** @type {Choices} */
export const USUAL = { size: 2, rate: 4, seconds: 60, optimizer: "muon", seed: 0 };

/** The settings of a run. @param {Choices} choices @returns {Settings} */
export function settings({ size, seconds, optimizer, seed }) {
  const recipe = { ...RECIPE, optimizer };
  return { sizes: SIZES[size], batch: BATCH, seed, seconds, recipe };
}

/** The choices that an address holds; the usual one for each that makes no sense.
 * @param {string} query @returns {Choices} */
export function readAddress(query) {
  const given = new URLSearchParams(query);
  /** @param {string} name @param {number} usual
   * @param {(value: number) => boolean} isKnown */
  const number = (name, usual, isKnown) => {
    const text = given.get(name) ?? "";
    return /^\d{1,6}$/.test(text) && isKnown(Number(text)) ? Number(text) : usual;
  };
  return {
    size: number("size", USUAL.size, (n) => n in SIZES),
    rate: number("rate", USUAL.rate, (n) => n in RATES),
    seconds: number("seconds", USUAL.seconds, (n) => SECONDS.includes(n)),
    optimizer: given.get("optimizer") === "adamw" ? "adamw" : USUAL.optimizer,
    seed: number("seed", USUAL.seed, (n) => n >= 0 && n < SEEDS),
  };
}

/** The part of an address that holds choices; empty for the usual ones.
 * @param {Choices} choices */
export function writeAddress(choices) {
  const made = new URLSearchParams();
  for (const [name, value] of Object.entries(choices)) {
    if (value !== USUAL[/** @type {keyof Choices} */ (name)])
      made.set(name, `${value}`);
  }
  const text = made.toString();
  return text ? `?${text}` : "";
}
