// @ts-check
// The questions of a track: those that were answered wrong are shown to be answered
// again, the others on demand. Each stands in a `noscript`, of which a browser with
// scripts makes no elements: here it becomes some when it is shown.

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

/** A question, and its elements once it has been shown. */
class Question {
  /** @type {HTMLElement} */
  #source;
  /** @type {HTMLElement | null} */
  #section = null;

  /** @param {HTMLElement} source the `noscript` that holds it */
  constructor(source) {
    this.#source = source;
    this.id = source.dataset.question ?? "";
  }

  get standing() {
    return standing(store.get("answers", this.id), Date.now());
  }

  /** @param {boolean} isShown */
  show(isShown) {
    if (isShown) this.#section ??= this.#made();
    if (this.#section) this.#section.hidden = !isShown;
  }

  #made() {
    const text = this.#source.textContent ?? "";
    const section = new DOMParser().parseFromString(text, "text/html").querySelector(
      "section",
    );
    if (!section) throw new Error(`the question ${this.id} cannot be read`);
    this.#source.after(section);
    practise(section, true);
    return section;
  }
}

class WrongQuestions extends HTMLElement {
  /** @type {Question[]} */
  #questions = [];
  /** @type {Map<keyof typeof SHOWN, HTMLButtonElement>} */
  #buttons = new Map();
  #status = element("p", { role: "status" });
  /** @type {keyof typeof SHOWN} */
  #shown = "wrong";

  connectedCallback() {
    if (this.#questions.length) return;
    /** @type {NodeListOf<HTMLElement>} */
    const sources = this.querySelectorAll("noscript[data-question]");
    this.#questions = [...sources].map((source) => new Question(source));
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

  /**
   * Choose which questions stand on the page. One that is answered stays until the next
   * choice, so that its explanation can be read.
   * @param {keyof typeof SHOWN} name
   */
  #show(name) {
    this.#shown = name;
    for (const question of this.#questions) {
      question.show(name === "all" || question.standing === name);
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
    for (const question of this.#questions) counts[question.standing] += 1;
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
