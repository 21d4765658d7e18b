// @ts-check
// Flash cards as a text file that Anki imports
// (https://docs.ankiweb.net/importing/text-files.html). No DOM.

/** @typedef {{id: string, front: string, back: string, tags: string[]}} Note in HTML */

const HEAD = [
  "#separator:tab",
  "#html:true",
  "#deck:Daybook",
  "#columns:Front\tBack\tTags\tGuid",
  "#tags column:3",
  // a second import changes the cards of the first, and keeps their dates
  "#guid column:4",
];

/**
 * A field in quotation marks, on one line.
 * @param {string} text
 */
function field(text) {
  return `"${text
    .replaceAll('"', '""')
    .replaceAll("\t", " ")
    .replace(/[\r\n]+/g, " ")}"`;
}

/**
 * @param {Note[]} notes
 * @returns {string}
 */
export function ankiFile(notes) {
  const rows = notes.map(({ id, front, back, tags }) =>
    [front, back, tags.join(" "), id].map(field).join("\t"),
  );
  return [...HEAD, ...rows, ""].join("\n");
}

/**
 * A formula as Anki's MathJax reads it.
 * @param {string} tex
 * @param {boolean} isDisplay
 */
export function formula(tex, isDisplay) {
  return isDisplay ? `\\[${tex}\\]` : `\\(${tex}\\)`;
}
