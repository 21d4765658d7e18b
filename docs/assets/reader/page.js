// @ts-check
// What the reader's data do on every page: the boxes of tasks, and the note.

import { store } from "./store.js";

/** @type {NodeListOf<HTMLInputElement>} */
const boxes = document.querySelectorAll(".task input");
const field = /** @type {HTMLTextAreaElement | null} */ (
  document.querySelector("#reader-note")
);
const state = /** @type {HTMLElement} */ (document.querySelector("#reader-note-state"));

function showTasks() {
  for (const box of boxes) {
    box.checked = store.get("tasks", box.value)?.done ?? false;
    box.closest(".task")?.classList.toggle("done", box.checked);
  }
}

/** The time of a moment; with the date, if it was not today.
 * @param {number} moment */
export function timeOf(moment) {
  const at = new Date(moment);
  const isToday = at.toDateString() === new Date().toDateString();
  const date = isToday ? undefined : "medium";
  return at.toLocaleString("en-GB", { dateStyle: date, timeStyle: "short" });
}

/** @param {boolean} elsewhere */
function showNote(elsewhere) {
  if (!field) return;
  const note = store.get("notes", field.name);
  const text = note?.text ?? "";
  if (field.value !== text) {
    const { selectionStart, selectionEnd } = field;
    field.value = text;
    field.setSelectionRange(selectionStart, selectionEnd);
  }
  if (!note) state.textContent = "";
  else if (!store.status.kept) state.textContent = "Not saved: kept until you leave";
  else state.textContent = `Saved ${timeOf(note.at)}${elsewhere ? ", elsewhere" : ""}`;
}

async function showProblem() {
  if (!store.status.problem) return;
  const { showNotice } = await import("./notice.js");
  showNotice(store.status);
}

let hasTold = false;

/**
 * Tell the reader of an error in a script that uses their data. One that the network
 * could not bring is no such error.
 * @param {unknown} error
 */
async function tell(error) {
  if (hasTold || !(error instanceof Error) || /module/i.test(error.message)) return;
  if (!/\/assets\/(reader|widgets)\//.test(error.stack ?? "")) return;
  hasTold = true;
  const { showNotice } = await import("./notice.js");
  showNotice({ problem: "failed" });
}
addEventListener("error", ({ error }) => void tell(error));
addEventListener("unhandledrejection", ({ reason }) => void tell(reason));

for (const box of boxes) {
  box.disabled = false;
  box.addEventListener("change", () => {
    store.set("tasks", box.value, { done: box.checked });
  });
}
/** A note that was written when the page had another address comes along.
 * @param {HTMLTextAreaElement} field */
function bringNote({ name, dataset }) {
  for (const former of (dataset.former ?? "").split(" ").filter(Boolean)) {
    const note = store.get("notes", former);
    if (!note || store.get("notes", name)) continue;
    store.set("notes", name, { text: note.text });
    store.remove("notes", former);
  }
}

if (field) {
  bringNote(field);
  field.closest("section")?.removeAttribute("hidden");
  field.addEventListener("input", () => {
    if (field.value) store.set("notes", field.name, { text: field.value });
    else store.remove("notes", field.name);
  });
}
store.subscribe(({ sections, elsewhere }) => {
  if (sections.has("tasks")) showTasks();
  if (sections.has("notes")) showNote(elsewhere);
  showProblem();
});
showTasks();
showNote(false);
showProblem();
