// @ts-check
// Numbers as pictures, in the ink of the page: a vector as a row of bars, up for what
// is positive and down for what is negative; weights as squares, darker for more.

const SVG = "http://www.w3.org/2000/svg";
const LEVELS = 10; // of darkness

/** @param {string} tag @param {Record<string, string>} attributes
 * @param {...(Node | string)} children */
function svg(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes))
    made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** @param {ArrayLike<number>} numbers */
function span(numbers) {
  const all = Array.from(numbers);
  return { low: Math.min(...all), high: Math.max(...all) };
}

/** A number in few digits. @param {number} value */
export function short(value) {
  const text = value.toFixed(2);
  return (text === "-0.00" ? "0.00" : text).replace("-", "−");
}

/**
 * A vector as bars.
 * @param {ArrayLike<number>} numbers
 * @param {string} name for those who do not see it
 * @param {number} [every] a line after so many numbers: where a head ends
 */
export function bars(numbers, name, every = 0) {
  const { low, high } = span(numbers);
  const largest = Math.max(-low, high, 1e-9);
  const path = Array.from(numbers, (value, n) => {
    const height = (-value / largest).toFixed(3);
    return `M${n + 0.1} 1v${height}h.8V1z`;
  }).join("");
  const n = numbers.length;
  const lines = every
    ? Array.from({ length: n / every - 1 }, (_, i) => `M${(i + 1) * every} 0v2`).join(
        "",
      )
    : "";
  const label = `${name}: ${n} numbers from ${short(low)} to ${short(high)}`;
  return svg(
    "svg",
    {
      class: "play-bars",
      viewBox: `0 0 ${n} 2`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": label,
    },
    svg("path", { class: "axis", d: `M0 1H${n}${lines}` }),
    svg("path", { d: path }),
  );
}

/**
 * Squares of a matrix of weights, (T, T) from a place on: a row for each query.
 * @param {Float32Array} weights @param {number} from @param {number} T
 * @param {number} x @param {number} y where they begin
 */
function squares(weights, from, T, x, y) {
  const paths = Array.from({ length: LEVELS }, () => "");
  for (let t = 0; t < T; t++) {
    for (let s = 0; s < T; s++) {
      const level = Math.ceil(weights[from + t * T + s] * LEVELS - 0.2);
      if (level > 0) {
        paths[Math.min(level, LEVELS) - 1] += `M${x + s} ${y + t}h1v1h-1z`;
      }
    }
  }
  return paths.map((d, n) =>
    svg("path", { d, "fill-opacity": `${(n + 1) / LEVELS}`, class: "weight" }),
  );
}

/** A heat map as small as a stamp.
 * @param {Float32Array} weights @param {number} from @param {number} T */
export function stamp(weights, from, T) {
  const attributes = { class: "play-stamp", viewBox: `0 0 ${T} ${T}` };
  return svg(
    "svg",
    { ...attributes, "aria-hidden": "true" },
    ...squares(weights, from, T, 0, 0),
  );
}

/**
 * A heat map with tokens along both sides, and one row marked.
 * @param {Float32Array} weights @param {number} from
 * @param {string[]} names of the tokens @param {number} marked
 * @param {string} label
 */
export function heatMap(weights, from, names, marked, label) {
  const T = names.length;
  const letters = names.flatMap((name, n) => {
    const bold = n === marked ? "bold" : "normal";
    return [
      svg("text", { x: "0.5", y: `${n + 1.75}`, "font-weight": bold }, name),
      svg("text", { x: `${n + 1.5}`, y: "0.75" }, name),
    ];
  });
  const row = { x: "1", y: `${marked + 1}`, width: `${T}`, height: "1" };
  return svg(
    "svg",
    {
      class: "play-map",
      viewBox: `0 0 ${T + 1.1} ${T + 1.1}`,
      role: "img",
      "aria-label": label,
    },
    svg("rect", { class: "frame", x: "1", y: "1", width: `${T}`, height: `${T}` }),
    ...squares(weights, from, T, 1, 1),
    svg("rect", { class: "marked", ...row }),
    ...letters,
  );
}
