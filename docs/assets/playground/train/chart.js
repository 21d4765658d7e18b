// @ts-check
// The losses of a run as a picture: a line for training text, one for validation text.

/**
 * @typedef {{seconds: number, loss: number}} Point
 * @typedef {object} Losses
 * @property {Point[]} train
 * @property {Point[]} validation
 * @property {number} guessing the loss of who gives all characters the same chance
 * @property {number} until seconds
 */

const MARGIN = { left: 34, right: 10, top: 10, bottom: 34 };
const NAMESPACE = "http://www.w3.org/2000/svg";
const MOST_POINTS = 600; // of a line

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...(Node | string)} children
 */
function shape(tag, attributes, ...children) {
  const made = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, `${value}`);
  }
  made.append(...children);
  return made;
}

/** Round numbers from 0 on, up to eight of them. @param {number} until */
function marks(until) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600];
  const step = steps.find((candidate) => until / candidate <= 6) ?? until / 6;
  return Array.from({ length: Math.floor(until / step) + 1 }, (_, n) => n * step);
}

/** Where the losses lie. @param {Losses} losses @returns {[number, number]} */
function range({ train, validation, guessing }) {
  const all = [...train, ...validation].map((point) => point.loss);
  const low = Math.min(guessing, ...all);
  const high = Math.max(guessing, ...all.slice(-20));
  const top = Math.min(Math.max(guessing, high), 3 * guessing);
  return [Math.floor(low * 2) / 2, Math.ceil(top * 2) / 2];
}

/** Fewer points: means of neighbours. @param {Point[]} points */
function thinned(points) {
  const group = Math.ceil(points.length / MOST_POINTS);
  if (group < 2) return points;
  const made = [];
  for (let n = 0; n < points.length; n += group) {
    const part = points.slice(n, n + group);
    const loss = part.reduce((sum, point) => sum + point.loss, 0) / part.length;
    made.push({ seconds: part[part.length - 1].seconds, loss });
  }
  return made;
}

/** The axes: marks, their labels, names. @param {number} width @param {number} height
 * @param {[number, number]} losses @param {number} until
 * @param {(seconds: number) => number} x @param {(loss: number) => number} y */
function axes(width, height, [low, high], until, x, y) {
  const group = shape("g", { class: "chart-axes" });
  const step = high - low > 6 ? 2 : high - low > 2.5 ? 1 : 0.5;
  for (let loss = Math.ceil(low / step) * step; loss <= high; loss += step) {
    const at = { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(loss), y2: y(loss) };
    const place = { x: MARGIN.left - 6, y: y(loss) + 4, "text-anchor": "end" };
    group.append(shape("line", at), shape("text", place, `${loss}`));
  }
  for (const seconds of marks(until)) {
    const place = { x: x(seconds), y: height - MARGIN.bottom + 16 };
    group.append(shape("text", { ...place, "text-anchor": "middle" }, `${seconds}`));
  }
  const name = { x: width - MARGIN.right, y: height - 4, "text-anchor": "end" };
  group.append(shape("text", name, "seconds"));
  return group;
}

/** What the picture shows, in words. @param {Losses} losses */
function words({ train, validation }) {
  const last = (/** @type {Point[]} */ points) => points[points.length - 1];
  if (!validation.length) return "Loss against seconds of training: nothing yet.";
  const first = validation[0];
  const { seconds, loss } = last(validation);
  const trained = train.length
    ? `, on training text ${last(train).loss.toFixed(2)}`
    : "";
  return (
    "Loss against seconds of training: on validation text from " +
    `${first.loss.toFixed(2)} to ${loss.toFixed(2)} ` +
    `after ${Math.round(seconds)} seconds${trained}.`
  );
}

/**
 * Draw the losses into an element that is empty, or holds an older picture.
 * @param {SVGSVGElement} picture
 * @param {Losses} losses
 */
export function draw(picture, losses) {
  const width = Math.max(240, picture.clientWidth || 640);
  const height = Math.round(Math.min(320, Math.max(200, width * 0.5)));
  const [low, high] = range(losses);
  const last = losses.validation[losses.validation.length - 1];
  const until = Math.max(losses.until, last?.seconds ?? 0);
  const right = width - MARGIN.right;
  const bottom = height - MARGIN.bottom;
  const x = (/** @type {number} */ seconds) =>
    MARGIN.left + (seconds / until) * (right - MARGIN.left);
  const y = (/** @type {number} */ loss) =>
    MARGIN.top + ((high - Math.min(loss, high)) / (high - low)) * (bottom - MARGIN.top);
  const line = (/** @type {Point[]} */ points) =>
    points
      .map(({ seconds, loss }, n) => {
        return `${n ? "L" : "M"}${x(seconds).toFixed(1)} ${y(loss).toFixed(1)}`;
      })
      .join("");
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.setAttribute("aria-label", words(losses));
  const level = y(losses.guessing);
  const dots = losses.validation.map(({ seconds, loss }) =>
    shape("circle", { cx: x(seconds).toFixed(1), cy: y(loss).toFixed(1), r: 2.5 }),
  );
  const guess = { x1: MARGIN.left, x2: right, y1: level, y2: level };
  const name = {
    x: right - 4,
    y: level - 5,
    "text-anchor": "end",
    class: "chart-name",
  };
  picture.replaceChildren(
    axes(width, height, [low, high], until, x, y),
    shape("line", { ...guess, class: "chart-guessing" }),
    shape("text", name, "guessing"),
    shape("path", { d: line(thinned(losses.train)), class: "chart-train" }),
    shape("path", { d: line(losses.validation), class: "chart-validation" }),
    shape("g", { class: "chart-dots" }, ...dots),
  );
}
