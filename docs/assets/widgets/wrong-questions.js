// @ts-check
// The questions of a track, all of them on the page: those that were answered wrong are
// shown to be answered again, the others on demand.

import { standing } from "../reader/answers.js";
import { element } from "../reader/element.js";
import { practise } from "../reader/questions.js";
import { store } from "../reader/store.js";

const SHOWN = {
  wrong: "To answer again",
  new: "Not answered yet",
  all: "All",
};

/** @param {number} n @param {string} one @param {string} many */
const counted = (n, one, many) => `${n} ${n === 1 ? one : many}`;

class WrongQuestions extends HTMLElement {
  /** @type {HTMLElement[]} */
  #questions = [];
  /** @type {Map<keyof typeof SHOWN, HTMLButtonElement>} */
  #buttons = new Map();
  #status = element("p", { role: "status" });
  /** @type {keyof typeof SHOWN} */
  #shown = "wrong";

  connectedCallback() {
    if (this.#questions.length) return;
    this.#questions = [...this.querySelectorAll("section.question")].filter(
      (section) => section instanceof HTMLElement,
    );
    for (const question of this.#questions) practise(question, true);
    const bar = element("div", { class: "practice-bar", role: "group" });
    bar.setAttribute("aria-label", "Which questions to show");
    for (const name of /** @type {(keyof typeof SHOWN)[]} */ (Object.keys(SHOWN))) {
      const button = element("button", { type: "button" });
      button.addEventListener("click", () => this.#show(name));
      this.#buttons.set(name, button);
      bar.append(button);
    }
    this.prepend(bar, this.#status);
    this.#show("wrong");
    store.subscribe(({ sections, elsewhere }) => {
      if (!sections.has("answers")) return;
      if (elsewhere) this.#show(this.#shown);
      else this.#count();
    });
  }

  /** @param {HTMLElement} question */
  #standing(question) {
    return standing(store.get("answers", question.id), Date.now());
  }

  /**
   * Choose which questions stand on the page. One that is answered stays until the next
   * choice, so that its explanation can be read.
   * @param {keyof typeof SHOWN} name
   */
  #show(name) {
    this.#shown = name;
    for (const question of this.#questions) {
      question.hidden = name !== "all" && this.#standing(question) !== name;
    }
    for (const group of this.querySelectorAll(".gathered-page, .gathered-day")) {
      if (group instanceof HTMLElement) {
        group.hidden = !group.querySelector(".question:not([hidden])");
      }
    }
    for (const [other, button] of this.#buttons) {
      button.setAttribute("aria-pressed", `${other === name}`);
    }
    this.#count();
  }

  #count() {
    const counts = { new: 0, wrong: 0, later: 0, right: 0 };
    for (const question of this.#questions) counts[this.#standing(question)] += 1;
    const numbers = { ...counts, all: this.#questions.length };
    for (const [name, button] of this.#buttons) {
      button.textContent = `${SHOWN[name]} (${numbers[name]})`;
    }
    const parts = [
      counts.wrong
        ? `${counted(counts.wrong, "question", "questions")} to answer again.`
        : "No question is to be answered again today.",
      counts.later ? `${counted(counts.later, "comes", "come")} back tomorrow.` : "",
      counts.new ? `${counts.new} not answered yet.` : "",
    ];
    this.#status.textContent = parts.filter(Boolean).join(" ");
  }
}

customElements.define("wrong-questions", WrongQuestions);
