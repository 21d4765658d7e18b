// @ts-check
// The line above the page that says why the reader's data are not kept, or that a
// script has failed on them.

import { addressOf } from "./plan.js";

const WORDS = {
  "": "",
  blocked:
    "This browser keeps no data for this site, perhaps in private mode. What you tick" +
    " and write is lost when you leave the page.",
  full:
    "The browser's storage for this site is full. What you tick and write now is lost" +
    " when you leave the page.",
  newer:
    "Your data were written by a newer version of this site. Reload the page; until" +
    " then nothing is saved.",
  damaged:
    "Some of your data could not be read. What could be read is kept, and a copy of" +
    " all of it was put aside.",
  failed:
    "A part of this page does not work: a script has failed, perhaps on what this" +
    " browser keeps of you. You can export your data, and delete them, on the page",
};

/** @param {{problem: keyof typeof WORDS}} status */
export function showNotice({ problem }) {
  let box = document.querySelector("#reader-notice");
  if (!box) {
    box = document.createElement("div");
    box.id = "reader-notice";
    box.setAttribute("role", "alert");
    document.querySelector(".md-content__inner")?.prepend(box);
  }
  if (box.getAttribute("data-problem") === problem) return;
  box.setAttribute("data-problem", problem);
  const link = document.createElement("a");
  link.href = addressOf("/your-data/");
  link.textContent = "Your data";
  box.replaceChildren(WORDS[problem], " ", link);
}
