// @ts-check
// The steps of one token through one head of one layer, each with its numbers as bars
// and as text.

import { element } from "../reader/element.js";
import { bars, short } from "./drawings.js";
import { bar, percent, visible } from "./panel.js";
import { ranking, softmax } from "./sampling.js";

/** @import { About } from "./gpt-client.js" */
/** @import { Trace } from "./gpt.js" */
/** @typedef {Trace & {ids: number[]}} Seen */
/**
 * @typedef {object} Shown
 * @property {About} about
 * @property {Seen} seen with the switches as they are
 * @property {Seen} plain as the model was trained
 * @property {number} t the token that is followed
 * @property {number} layer
 * @property {number} head
 * @property {boolean} isCausal
 * @property {number} temperature of the scores
 * @property {Set<string>} open steps whose numbers are open
 */
/** @typedef {Node | string} Content */
/**
 * @typedef {[string, ArrayLike<number>, string?, number?]} Vector
 *     its name, its numbers, the colour of its role, and where heads end
 */

const LISTED = 8; // tokens that may come next

/**
 * @param {string} caption @param {string[]} heads
 * @param {(Content | Content[])[][]} rows each begins with its name
 * @param {number} [own] the row that is marked
 */
export function table(caption, heads, rows, own = -1) {
  const columns = heads.map((name) =>
    element(name ? "th" : "td", name ? { scope: "col" } : {}, name),
  );
  const lines = rows.map(([name, ...cells], n) =>
    element(
      "tr",
      n === own ? { class: "own" } : {},
      element("th", { scope: "row" }, ...[name].flat()),
      ...cells.map((cell) => element("td", {}, ...[cell].flat())),
    ),
  );
  return element(
    "table",
    { class: "play-table" },
    element("caption", {}, caption),
    element("thead", {}, element("tr", {}, ...columns)),
    element("tbody", {}, ...lines),
  );
}

/** @param {string} name @param {string} said @param {...Content} content */
function section(name, said, ...content) {
  const heading = element("h3", {}, name);
  const attributes = { class: "play-step" };
  return element("section", attributes, heading, element("p", {}, said), ...content);
}

/** A step that gives vectors.
 * @param {Shown} shown @param {string} name @param {string} said
 * @param {Vector[]} vectors */
function step({ open }, name, said, vectors) {
  const drawn = vectors.map(([title, numbers, role = "", every]) =>
    element(
      "figure",
      { class: `play-vector ${role}`.trim() },
      element("figcaption", {}, `${title} (${numbers.length})`),
      bars(numbers, title, every),
    ),
  );
  const details = element("details", {}, element("summary", {}, "Numbers"));
  const fill = () => {
    if (!details.open) return void open.delete(name);
    open.add(name);
    if (details.children.length > 1) return;
    for (const [title, numbers] of vectors) {
      const text = Array.from(numbers, short).join(" ");
      details.append(element("p", { class: "play-numbers" }, `${title}: ${text}`));
    }
  };
  details.open = open.has(name);
  fill();
  details.addEventListener("toggle", fill);
  return section(name, said, ...drawn, details);
}

/** Whether a switch is not as the model was trained. @param {Shown} shown */
function isChanged({ isCausal, temperature }) {
  return !isCausal || temperature !== 1;
}

/** @param {Shown} shown @param {number} s */
function nameOf({ about, seen }, s) {
  return visible(about.pieces[seen.ids[s]]);
}

/** Scores, mask and softmax, token by token. @param {Shown} shown */
function weightStep(shown) {
  const { about, seen, plain, t, head, isCausal, temperature } = shown;
  const T = seen.ids.length;
  const { scores, weights } = seen.layers[shown.layer];
  const before = plain.layers[shown.layer].weights;
  const from = (head * T + t) * T;
  const rows = seen.ids.map((_, s) => {
    const isHidden = isCausal && s > t;
    const weight = weights[from + s];
    const cells = [
      `${s + 1}: ${nameOf(shown, s)}`,
      short(scores[from + s]),
      isHidden ? "hides" : "–",
      isHidden ? "0.0 %" : [bar(weight), percent(weight)],
    ];
    return isChanged(shown) ? [...cells, percent(before[from + s])] : cells;
  });
  const heads = ["Token", "Score", "Mask", "Weight"];
  const D = about.config.C / about.config.H;
  const divided = temperature === 1 ? "" : `, and by the temperature ${temperature}`;
  const hides = isCausal
    ? "The mask hides what comes later."
    : "There is no mask: what comes later is seen, too.";
  return section(
    "4. Scores, mask, softmax",
    `The query meets each key in a dot product, divided by √${D}${divided}. ` +
      `${hides} Softmax makes weights of the rest, which sum to one.`,
    table(
      `What token ${t + 1} looks at`,
      isChanged(shown) ? [...heads, "As trained"] : heads,
      rows,
      t,
    ),
  );
}

/** What may come next. @param {Shown} shown */
function nextStep(shown) {
  const { about, seen, plain, t } = shown;
  const { pieces, config } = about;
  const row = (/** @type {Seen} */ one) =>
    one.logits.subarray(t * config.V, t * config.V + pieces.length);
  const logits = row(seen);
  const [odds, before] = [softmax(logits), softmax(row(plain))];
  const likeliest = ranking(logits).slice(0, LISTED);
  const rows = likeliest.map((id) => {
    const share = [bar(odds[id]), percent(odds[id])];
    const cells = [visible(pieces[id]), short(logits[id]), share];
    return isChanged(shown) ? [...cells, percent(before[id])] : cells;
  });
  const heads = ["Next token", "Logit", "Probability"];
  return section(
    "7. After the last layer",
    "The stream is normalised once more. Its dot product with the row of each token " +
      "is that token's logit, and softmax makes probabilities of all of them.",
    table(
      `What may follow token ${t + 1}, ${nameOf(shown, t)}`,
      isChanged(shown) ? [...heads, "As trained"] : heads,
      rows,
    ),
  );
}

/** All steps, from the top to the bottom. @param {Shown} shown */
export function steps(shown) {
  const { about, seen, t, head } = shown;
  const { C, H, rope, rms } = about.config;
  const D = C / H;
  const layer = seen.layers[shown.layer];
  const row = (/** @type {Float32Array} */ all) => all.subarray(t * C, (t + 1) * C);
  const own = (/** @type {Float32Array} */ all) =>
    all.subarray(t * C + head * D, t * C + (head + 1) * D);
  const fed = row(layer.fed);
  const after = row(layer.middle).map((x, i) => x + fed[i]);
  /** @type {Vector[]} */
  const position = rope ? [] : [["position", row(seen.position)]];
  const begins = rope
    ? `has a row of ${C} numbers. It begins the residual stream; its place, ` +
      `${t + 1}, turns its queries and keys.`
    : `has a row of ${C} numbers, and its place, ${t + 1}, another. Their sum begins ` +
      "the residual stream.";
  return [
    step(shown, "1. Embedding", `${nameOf(shown, t)} ${begins}`, [
      ["token", row(seen.token)],
      ...position,
      ["stream", row(seen.layers[0].input)],
    ]),
    step(
      shown,
      `2. Into layer ${shown.layer + 1}`,
      `What arrives there, and the same ${rms ? "at one length" : "normalised"}.`,
      [
        ["stream", row(layer.input)],
        ["normalised", row(layer.normed1)],
      ],
    ),
    step(
      shown,
      `3. Query, key and value of head ${head + 1}`,
      "Three projections of the normalised row: what the token looks for, what it is " +
        "found by, what it hands over.",
      [
        ["query", own(layer.q), "query"],
        ["key", own(layer.k), "key"],
        ["value", own(layer.v), "value"],
      ],
    ),
    weightStep(shown),
    step(
      shown,
      "5. Weighted sum",
      `The values of all tokens, each times its weight, added up. The ${H} heads do ` +
        "the same with numbers of their own, and their results stand side by side.",
      [
        [`head ${head + 1}`, own(layer.mixed), "value"],
        ["all heads", row(layer.mixed), "value", D],
      ],
    ),
    step(
      shown,
      "6. Back into the stream",
      "A projection of all heads is added to the stream, and then what the " +
        "feed-forward layer makes of that.",
      [
        ["attention adds", row(layer.attended)],
        ["feed-forward adds", fed],
        ["stream", after],
      ],
    ),
    nextStep(shown),
  ];
}
