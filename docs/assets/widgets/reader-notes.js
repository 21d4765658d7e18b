// @ts-check
// All notes of the reader, in the book's order, each with its page and its time.

import { timeOf } from "../reader/page.js";
import { addressOf, loadPlan } from "../reader/plan.js";
import { store } from "../reader/store.js";

/**
 * A note with its page.
 * @param {string} page its address below the site
 * @param {string} title
 * @param {{text: string, at: number}} note
 */
function entry(page, title, { text, at }) {
  const [item, link] = [document.createElement("li"), document.createElement("a")];
  const [time, quote] = [document.createElement("time"), document.createElement("p")];
  link.href = `${addressOf(page)}#reader-note`;
  link.textContent = title;
  time.dateTime = new Date(at).toISOString();
  time.textContent = timeOf(at);
  quote.className = "note-text";
  quote.textContent = text;
  item.append(link, " ", time, quote);
  return item;
}

class ReaderNotes extends HTMLElement {
  #stop = () => {};
  /** @type {Record<string, string>} */
  #titles = {};

  async connectedCallback() {
    try {
      this.#titles = (await loadPlan()).pages;
    } catch {
      // without the titles the addresses have to do
    }
    if (!this.isConnected) return;
    this.#stop = store.subscribe(({ sections }) => {
      if (sections.has("notes")) this.#show();
    });
    this.#show();
  }

  disconnectedCallback() {
    this.#stop();
  }

  #show() {
    const order = Object.keys(this.#titles);
    const place = (/** @type {string} */ page) => (order.indexOf(page) + 1 || 1e9);
    const notes = Object.entries(store.all("notes")).filter(([, n]) => n.text.trim());
    notes.sort(([a], [b]) => place(a) - place(b) || (a < b ? -1 : 1));
    if (!notes.length) {
      const none = document.createElement("p");
      none.textContent = "You have written no notes yet. Each page ends with a field.";
      this.replaceChildren(none);
      return;
    }
    const list = document.createElement("ul");
    list.append(...notes.map(([page, n]) => entry(page, this.#titles[page] ?? page, n)));
    this.replaceChildren(list);
  }
}

customElements.define("reader-notes", ReaderNotes);
