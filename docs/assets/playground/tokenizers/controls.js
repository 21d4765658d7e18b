// @ts-check
// What the parts of the playground have in common.

import { element } from "../../reader/element.js";

/** @param {number} n */
export const grouped = (n) => n.toLocaleString("en");

/** @param {string} text @param {() => void} act */
export function button(text, act) {
  const made = element("button", { type: "button" }, text);
  made.addEventListener("click", act);
  return made;
}

/** A list to choose from. @param {string} id @param {Record<string, string>} options */
export function select(id, options) {
  const items = Object.entries(options).map(([value, text]) =>
    element("option", { value }, text),
  );
  return element("select", { id }, ...items);
}

/** A box that may scroll sideways, and so can be reached with the Tab key.
 * @param {string} kind a class @param {string} label what is in it */
export function scrolling(kind, label) {
  const about = { role: "group", "aria-label": label, tabindex: "0" };
  return element("div", { class: kind, ...about });
}

/** A field with its name. @param {string} text @param {HTMLElement} field */
export function labelled(text, field) {
  const label = element("label", { for: field.id }, text);
  return element("span", { class: "field" }, label, field);
}
