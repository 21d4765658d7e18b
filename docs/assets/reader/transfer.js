// @ts-check
// The reader's data as files: read with care, compared, written. Loaded by the page
// *Your data* only.

import { sentence, spell, tally } from "./progress.js";
import { SECTIONS, parse } from "./schema.js";
import { merge } from "./store.js";

/** @import { Plan } from "./plan-types.js" */
/** @import { Kept, Section, State } from "./types.js" */
/** @typedef {"new" | "changed" | "removed"} Kind */
/**
 * @typedef {object} Difference
 * @property {Section} section
 * @property {string} id
 * @property {Kind} kind
 * @property {Kept | undefined} before
 * @property {Kept | undefined} after
 */

export const MOST_BYTES = 16_000_000; // more than a browser keeps for a site

/** A size in words.
 * @param {number} bytes */
function size(bytes) {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/**
 * The state in a file, or why it cannot be taken.
 * @param {string} text
 * @returns {{state: State, error: ""} | {state: undefined, error: string}}
 */
export function readText(text) {
  const refuse = (/** @type {string} */ error) => ({ state: undefined, error });
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse("It is not JSON: another kind of file, or one that was cut off.");
  }
  const { state, problem, wrong } = parse(value);
  if (problem === "foreign") {
    return refuse("It is JSON, but not an export of this site.");
  }
  if (problem === "newer") {
    const { version } = value;
    return refuse(
      `It was written by a newer version of this site (${version}). Reload this page;` +
        " if that does not help, import it where it was exported.",
    );
  }
  if (wrong.length) {
    const others = wrong.length > 1 ? `, and ${wrong.length - 1} more` : "";
    return refuse(`It is damaged: ${wrong[0]}${others}.`);
  }
  return { state, error: "" };
}

/**
 * Read a file that the reader has chosen.
 * @param {{size: number, text: () => Promise<string>}} file
 */
export async function readFile(file) {
  if (file.size > MOST_BYTES) {
    const most = `an export has at most ${size(MOST_BYTES)}`;
    const error = `It is too large: ${size(file.size)}, and ${most}.`;
    return { state: undefined, error };
  }
  try {
    return readText(await file.text());
  } catch {
    return { state: undefined, error: "The browser could not read it." };
  }
}

/**
 * The state after an import: joined, the later record stays; or the file's alone.
 * @param {State} now
 * @param {State} file
 * @param {"join" | "replace"} how
 * @returns {State}
 */
export function outcome(now, file, how) {
  if (how === "replace") return file;
  return merge({ ...now, epoch: 0 }, { ...file, epoch: 0 });
}

/** @type {(record: Kept | undefined) => string} */
function content(record) {
  if (!record || record.gone) return "";
  const { at, ...value } = record;
  return JSON.stringify(value, Object.keys(value).sort());
}

/**
 * What would be different for the reader; times alone do not count.
 * @param {State} before
 * @param {State} after
 * @returns {Difference[]}
 */
export function differences(before, after) {
  /** @type {Difference[]} */
  const found = [];
  for (const section of SECTIONS) {
    const [old, now] = [before[section], after[section]];
    for (const id of Object.keys({ ...old, ...now }).sort()) {
      const [was, is] = [content(old[id]), content(now[id])];
      if (was === is) continue;
      const kind = was ? (is ? "changed" : "removed") : "new";
      found.push({ section, id, kind, before: old[id], after: now[id] });
    }
  }
  return found;
}

/** How many records of each section there are.
 * @param {State} state
 * @returns {Record<Section, number>} */
export function counts(state) {
  const made = /** @type {Record<Section, number>} */ ({});
  for (const section of SECTIONS) {
    const records = Object.values(state[section]).filter((record) => !record.gone);
    const shown = section === "tasks" ? records.filter(({ done }) => done) : records;
    made[section] = shown.length;
  }
  return made;
}

/**
 * The text of an exported file.
 * @param {State} state
 * @param {Date} moment
 */
export function fileText(state, moment) {
  const { format, version, ...rest } = state;
  const saved = moment.toISOString();
  return `${JSON.stringify({ format, version, saved, ...rest }, null, 1)}\n`;
}

/**
 * Tasks and notes as Markdown, to print or to paste elsewhere.
 * @param {State} state
 * @param {Plan} plan
 * @param {string} date
 */
export function markdown(state, plan, date) {
  const isDone = (/** @type {string} */ id) => state.tasks[id]?.done === true;
  const lines = ["# Daybook", "", `${spell(date)} ${date.slice(0, 4)}`];
  for (const track of plan.tracks) {
    const days = plan.days.filter((day) => day.track === track.id);
    const sum = tally(
      days.flatMap((day) => day.tasks),
      isDone,
    );
    lines.push("", `## ${track.title}`, "");
    lines.push(`${sentence(sum)}.`);
    for (const day of days) {
      lines.push("", `### Day ${day.number}: ${day.title}`, "");
      for (const { id, title, minutes } of day.tasks) {
        lines.push(`- [${isDone(id) ? "x" : " "}] ${title} (${minutes} min)`);
      }
    }
  }
  lines.push(...notes(state, plan));
  return `${lines.join("\n")}\n`;
}

/** @type {(state: State, plan: Plan) => string[]} */
function notes(state, plan) {
  const pages = Object.keys({ ...plan.pages, ...state.notes });
  const lines = ["", "## Notes"];
  for (const page of pages) {
    const text = state.notes[page]?.text;
    if (typeof text !== "string" || !text.trim()) continue;
    const quoted = text
      .trim()
      .split(/\r?\n/)
      .map((line) => `> ${line}`.trimEnd());
    lines.push("", `### ${plan.pages[page] ?? page}`, "", ...quoted);
  }
  return lines.length > 2 ? lines : [...lines, "", "None yet."];
}
