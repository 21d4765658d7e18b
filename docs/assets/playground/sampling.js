// @ts-check
// From logits to a token, as in `snippets/mini_gpt/generate.py`: temperature, top-k and
// top-p, in this order; each sees what the one before has left.

/**
 * @typedef {object} Sampling
 * @property {number} temperature 0: always the likeliest
 * @property {number} topK of the k likeliest only; 0: of all
 * @property {number} topP of the likeliest that together have this probability
 */
/**
 * @typedef {object} Choice a token that the model may write next
 * @property {number} id
 * @property {number} model its probability, as the model gives it
 * @property {number} drawn its probability in the draw, after all settings
 */

/** Settings that make no sense; its message can be shown to readers. */
export class SettingError extends Error {
  name = "SettingError";
}

/** Throws a SettingError that names the first value that cannot be.
 * @param {Sampling} sampling */
export function checkSampling({ temperature, topK, topP }) {
  if (!(temperature >= 0 && temperature < Infinity)) {
    throw new SettingError(`temperature=${temperature}: it must be 0 or more`);
  }
  if (!(Number.isInteger(topK) && topK >= 0)) {
    throw new SettingError(`top_k=${topK}: it must be a whole number, or 0 for all`);
  }
  if (!(topP > 0 && topP <= 1)) {
    throw new SettingError(`top_p=${topP}: it must be above 0, and 1 at most`);
  }
}

/** @param {ArrayLike<number>} scores @returns {Float64Array} */
export function softmax(scores) {
  const odds = Float64Array.from(scores);
  const largest = odds.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (let i = 0; i < odds.length; i++) sum += odds[i] = Math.exp(odds[i] - largest);
  for (let i = 0; i < odds.length; i++) odds[i] /= sum;
  return odds;
}

/** The ids of scores, the largest first. @param {ArrayLike<number>} scores */
export function ranking(scores) {
  const ids = Array.from({ length: scores.length }, (_, id) => id);
  return ids.sort((a, b) => scores[b] - scores[a]);
}

/** -Infinity for all but the k largest; ties with the k-th stay.
 * @param {Float64Array} scores @param {number} k */
function keepTopK(scores, k) {
  const smallest = scores.slice().sort().at(-Math.min(k, scores.length)) ?? -Infinity;
  return scores.map((score) => (score < smallest ? -Infinity : score));
}

/** -Infinity for all but the fewest that have probability p together.
 * @param {Float64Array} scores @param {number} p */
function keepTopP(scores, p) {
  const odds = softmax(scores);
  const kept = new Float64Array(scores.length).fill(-Infinity);
  let before = 0;
  for (const id of ranking(scores)) {
    if (before >= p) break; // the first never goes: it has 0 before it
    kept[id] = scores[id];
    before += odds[id];
  }
  return kept;
}

/**
 * What is drawn from: a probability for each token. With temperature 0 the likeliest
 * has all of it.
 * @param {Float32Array} logits
 * @param {Sampling} sampling
 */
export function probabilities(logits, { temperature, topK, topP }) {
  if (temperature === 0) {
    const sure = new Float64Array(logits.length);
    sure[logits.indexOf(logits.reduce((a, b) => Math.max(a, b), -Infinity))] = 1;
    return sure;
  }
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  let scores = Float64Array.from(logits, (logit) => (logit - largest) / temperature);
  if (topK) scores = keepTopK(scores, topK);
  if (topP < 1) scores = keepTopP(scores, topP);
  return softmax(scores);
}

/**
 * The first id at which the sum of the probabilities so far is larger than `u`.
 * @param {Float64Array} odds @param {number} u drawn from [0, 1)
 */
export function choose(odds, u) {
  let sum = 0;
  let last = 0;
  for (let id = 0; id < odds.length; id++) {
    if (odds[id] > 0) last = id;
    sum += odds[id];
    if (sum > u) break;
  }
  return last; // of those that can be drawn, where rounding left the sum below u
}

/**
 * A number in [0, 1), the n-th of a seed (mulberry32). So each place of a text has a
 * draw of its own, whatever was chosen before it.
 * @param {number} seed @param {number} n
 */
export function uniform(seed, n) {
  const state = (seed + Math.imul(n + 1, 0x6d2b79f5)) | 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/**
 * The likeliest tokens, and the one that was written if it is not among them.
 * @param {Float32Array} logits @param {Float64Array} drawn @param {number} count
 * @param {number} [written]
 * @returns {Choice[]}
 */
export function choices(logits, drawn, count, written) {
  const model = softmax(logits);
  const ids = ranking(logits).slice(0, count);
  if (written !== undefined && !ids.includes(written)) ids.push(written);
  return ids.map((id) => ({ id, model: model[id], drawn: drawn[id] }));
}
