// @ts-check
// What every page does in the browser: copy buttons, blocks that can be scrolled with
// the keyboard, and, in page.js, what readers tick and write. Pages are complete
// without it.

import "./reader/page.js";

/**
 * The code of a block as a reader wants to paste it: of an interpreter session only
 * what was typed, without the prompts.
 * @param {string} text
 */
export function pasteable(text) {
  const lines = text.replace(/\n$/, "").split("\n");
  if (!lines.some((line) => /^>>>( |$)/.test(line))) return lines.join("\n");
  const typed = lines.filter((line) => /^(>>>|\.\.\.)( |$)/.test(line));
  return typed.map((line) => line.slice(4)).join("\n");
}

/** @param {Element} box the box of a code block, which also holds its output */
function addCopyButton(box) {
  // the code of a lab has its solution folded between two parts
  const parts = [
    ...box.querySelectorAll(":scope > pre > code, :scope > .fold > pre > code"),
  ];
  if (!parts.length || box.querySelector(":scope > .copy")) return;
  const code = () => parts.map((part) => pasteable(part.textContent ?? "")).join("\n");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code());
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  box.append(button);
}

/**
 * A block that scrolls sideways gets a place in the order of the Tab key.
 * @param {Element} wide
 */
function placeInTabOrder(wide) {
  if (wide.scrollWidth > wide.clientWidth) wide.setAttribute("tabindex", "0");
  else wide.removeAttribute("tabindex");
}
const scrolling = new ResizeObserver((entries) =>
  entries.forEach(({ target }) => placeInTabOrder(target)),
);
// By then Material has put tables into boxes that scroll, and letters have their width.
addEventListener("load", () => {
  const wide = document.querySelectorAll(
    "pre > code, math.tml-display, .md-typeset__scrollwrap, .output.rich",
  );
  for (const block of wide) {
    placeInTabOrder(block);
    scrolling.observe(block);
  }
});

for (const box of document.querySelectorAll(".highlight")) addCopyButton(box);

/** @param {unknown} fold */
async function opened(fold) {
  if (!(fold instanceof HTMLDetailsElement && fold.open)) return;
  if (fold.matches(".fold")) (await import("./folds.js")).paintAll(fold);
}
document.querySelectorAll("details[open]").forEach(opened);
// these events do not bubble
document.addEventListener("toggle", ({ target }) => void opened(target), true);
// Material leaves its search dialog without a name, and so the lists of those sections
// of the navigation that have a page of their own.
document.querySelector(".md-search[role=dialog]")?.setAttribute("aria-label", "Search");
for (const list of document.querySelectorAll(
  ".md-nav__item--section > nav, .md-nav__item--nested > nav",
)) {
  const title = list.parentElement?.querySelector(
    ":scope > .md-nav__container > a",
  )?.textContent;
  if (title) {
    list.removeAttribute("aria-labelledby");
    list.setAttribute("aria-label", title.trim());
  }
}

if (document.querySelector("link[rel=manifest]")) import("./offline/register.js");
/** @type {HTMLAnchorElement | null} */
const script = document.querySelector(".opening .downloads a[href$='.py']");
if (script) import("./copy-all.js").then(({ addCopyAll }) => addCopyAll(script));

if (document.querySelector(".with-definition")) import("./terms.js");
if (document.querySelector(".question")) import("./reader/questions.js");

// A widget is a custom element; its module is loaded on pages that hold one.
for (const element of document.querySelectorAll(":not(:defined)")) {
  import(`./widgets/${element.localName}.js`);
}
