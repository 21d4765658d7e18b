// @ts-check
// Around the task tables of a track: shows only what was open when the page was opened.
// What is ticked here stays until then, so that a slip can be taken back.

import { duration, tally } from "../reader/progress.js";
import { store } from "../reader/store.js";

/** @param {string} id */
const isDone = (id) => store.get("tasks", id)?.done ?? false;

class CatchUp extends HTMLElement {
  #text = document.createElement("p");
  /** @type {Set<string>} tasks that were ticked on this page */
  #ticked = new Set();
  #stop = () => {};

  connectedCallback() {
    this.#text.className = "catch-up-text";
    this.#text.setAttribute("role", "status");
    this.prepend(this.#text);
    this.addEventListener("change", ({ target }) => {
      if (target instanceof HTMLInputElement) this.#ticked.add(target.value);
      this.#show();
    });
    this.#stop = store.subscribe(() => this.#show());
    this.#show();
  }

  disconnectedCallback() {
    this.#stop();
  }

  #show() {
    const tasks = [];
    for (const table of this.querySelectorAll("table")) {
      let shown = 0;
      for (const row of table.querySelectorAll("tr.task")) {
        const id = row.id;
        const minutes = Number(row.getAttribute("data-minutes"));
        const isShown = !isDone(id) || this.#ticked.has(id);
        row.toggleAttribute("hidden", !isShown);
        tasks.push({ id, minutes, optional: row.hasAttribute("data-optional") });
        shown += Number(isShown);
      }
      this.#toggleDay(table, shown > 0);
    }
    const sum = tally(tasks, isDone);
    const open = sum.all - sum.done;
    const words = open === 1 ? "1 task is" : `${open} tasks are`;
    let text = open
      ? `${words} open, ${duration(sum.left)} left. The earliest comes first.`
      : "Nothing is open: every task of this track is done.";
    const extra = sum.extra - sum.extraDone;
    if (extra) text += ` Beside them, ${extra} optional.`;
    if (this.#text.textContent !== text) this.#text.textContent = text;
  }

  /** Show or hide a day: its table, and what stands above it.
   * @param {Element} table
   * @param {boolean} isShown */
  #toggleDay(table, isShown) {
    /** @type {Element | null} */
    let part = table;
    while (part && part.parentElement !== this) part = part.parentElement;
    for (; part && part !== this.#text; part = part.previousElementSibling) {
      part.toggleAttribute("hidden", !isShown);
      if (/^H\d$/.test(part.tagName)) break;
    }
  }
}

customElements.define("catch-up", CatchUp);
