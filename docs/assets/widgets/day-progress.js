// @ts-check
// Above the table of a day's tasks: how far the reader is, and the day's date.

import {
  dateOf,
  dateOfDay,
  numberOf,
  sentence,
  spell,
  tally,
} from "../reader/progress.js";
import { store } from "../reader/store.js";

/** @param {string} id */
const isDone = (id) => store.get("tasks", id)?.done ?? false;

/** The build writes `<day-progress day="llm-3" tasks="llm-3-llama:90 …">`, a task that
 * is optional as `llm-6-fastai-nlp:60:optional`. */
class DayProgress extends HTMLElement {
  #text = document.createElement("span");
  #bar = document.createElement("progress");
  #when = document.createElement("span");
  #stop = () => {};

  connectedCallback() {
    this.#text.setAttribute("role", "status");
    this.#bar.setAttribute("aria-hidden", "true"); // the text beside it says the same
    this.#when.className = "when";
    this.replaceChildren(this.#bar, this.#text, this.#when);
    this.#stop = store.subscribe(() => this.#show());
    this.#show();
  }

  disconnectedCallback() {
    this.#stop();
  }

  #show() {
    const written = (this.getAttribute("tasks") ?? "").split(" ");
    const tasks = written.map((one) => {
      const [id, minutes, kind] = one.split(":");
      return { id, minutes: Number(minutes), optional: kind === "optional" };
    });
    const sum = tally(tasks, isDone);
    this.#bar.max = sum.all;
    this.#bar.value = sum.done;
    const text = sentence(sum);
    if (this.#text.textContent !== text) this.#text.textContent = text;
    this.#when.textContent = this.#date(sum.done < sum.all);
  }

  /** @param {boolean} isOpen */
  #date(isOpen) {
    const [track, day] = (this.getAttribute("day") ?? "").split("-");
    const start = store.get("start", track)?.date;
    if (!start) return "";
    const date = dateOfDay(start, Number(day));
    const ahead = Number(day) - numberOf(start, dateOf(new Date()));
    let remark = "";
    if (ahead === 0) remark = ", today";
    else if (ahead < 0 && isOpen) remark = ", still open";
    this.classList.toggle("today", ahead === 0);
    this.classList.toggle("behind", ahead < 0 && isOpen);
    return spell(date) + remark;
  }
}

customElements.define("day-progress", DayProgress);
