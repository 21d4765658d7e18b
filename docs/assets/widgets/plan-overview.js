// @ts-check
// Both tracks at a glance: how far the reader is, what comes next, what is behind.
// `<plan-overview>` on the plan, with first days. `<plan-overview track="llm">` where a
// track is named already: that track alone, and nothing until the reader has begun it.

import { addressOf, loadPlan } from "../reader/plan.js";
import {
  behind,
  dateOf,
  dateOfDay,
  duration,
  next,
  numberOf,
  sentence,
  spell,
  tally,
} from "../reader/progress.js";
import { FIRST_DATE, LAST_DATE } from "../reader/schema.js";
import { store } from "../reader/store.js";

/** @import { Day, Track } from "../reader/plan-types.js" */

/** @param {string} id */
const isDone = (id) => store.get("tasks", id)?.done ?? false;

/**
 * An element with a class and children.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} name
 * @param {(Node | string)[]} children
 */
function make(tag, name, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children);
  return element;
}

/** @param {string} url
 * @param {string} text */
function link(url, text) {
  const made = make("a", "", text);
  made.href = addressOf(url);
  return made;
}

/** One track of the overview. */
class TrackView {
  /** @type {boolean} */
  #brief;
  #bar = document.createElement("progress");
  #text = make("span", "overview-text");
  #next = make("p", "overview-next");
  #late = make("p", "overview-late");
  #date = make("input", "");
  /** @type {Track} */
  #track;
  /** @type {Day[]} */
  #days;

  /**
   * @param {Track} track
   * @param {Day[]} days
   * @param {boolean} brief
   */
  constructor(track, days, brief) {
    this.#track = track;
    this.#days = days;
    this.#brief = brief;
    this.#bar.setAttribute("aria-hidden", "true"); // the text says the same
    const line = make("p", "overview-line", this.#bar, this.#text);
    this.box = make("div", "", line, this.#next, this.#late);
    this.#text.setAttribute("role", "status");
    Object.assign(this.#date, { type: "date", min: FIRST_DATE, max: LAST_DATE });
    this.#date.addEventListener("change", () => this.#begin());
    if (!brief) {
      this.box.className = "overview-track";
      this.box.prepend(make("p", "overview-title", link(track.url, track.title)));
      const label = make("label", "", "First day (optional) ", this.#date);
      this.box.append(make("p", "overview-start", label));
    }
  }

  #begin() {
    if (!this.#date.validity.valid) return; // also while the year is being typed
    if (this.#date.value)
      store.set("start", this.#track.id, { date: this.#date.value });
    else store.remove("start", this.#track.id);
  }

  /** Whether the reader has begun this track. */
  get begun() {
    const tasks = this.#days.flatMap((day) => day.tasks);
    const dated = store.get("start", this.#track.id) !== undefined;
    return dated || tasks.some(({ id }) => isDone(id));
  }

  show() {
    const sum = tally(
      this.#days.flatMap((day) => day.tasks),
      isDone,
    );
    this.#bar.max = sum.minutes;
    this.#bar.value = sum.minutes - sum.left;
    const text = sentence(sum);
    if (this.#text.textContent !== text) this.#text.textContent = text;
    const begun = sum.done + sum.extraDone > 0;
    const open = sum.extra > sum.extraDone;
    this.#next.replaceChildren(...this.#following(begun, open));
    this.#showDates();
    this.box.hidden = this.#brief && !this.begun;
  }

  /** @param {boolean} begun
   * @param {boolean} optional whether optional tasks are open */
  #following(begun, optional) {
    const found = next(this.#days, isDone);
    if (!found) return [`Everything is done${optional ? " but optional tasks" : ""}.`];
    const { day, task } = found;
    const words = begun ? "Continue" : "Start";
    return [`${words}: day ${day.number}, `, link(task.url, task.title)];
  }

  #showDates() {
    const start = store.get("start", this.#track.id)?.date;
    if (this.#date !== document.activeElement) this.#date.value = start ?? "";
    this.#late.replaceChildren(...(start ? this.#dates(start) : []));
    this.#late.hidden = !start;
  }

  /** @param {string} start
   * @returns {(Node | string)[]} */
  #dates(start) {
    const today = dateOf(new Date());
    const number = numberOf(start, today);
    if (number < 1) return [`Begins on ${spell(start)}.`];
    const day = this.#days.find((one) => one.number === number);
    const end = spell(dateOfDay(start, this.#days.length));
    const where = day
      ? ["Today: ", link(day.url, `day ${number}, ${day.title}`), ". "]
      : [`The ${this.#days.length} days ended on ${end}. `];
    const open = behind(this.#days, start, today, isDone);
    if (!open.length) return [...where, "Nothing is left from earlier days."];
    const { left } = tally(open, isDone);
    const tasks = open.length === 1 ? "1 task" : `${open.length} tasks`;
    const url = `/${this.#track.id}/day-7/catch-up/`;
    return [
      ...where,
      link(url, `${tasks} of earlier days`),
      ` still open, ${duration(left)}.`,
    ];
  }
}

class PlanOverview extends HTMLElement {
  #stop = () => {};
  #timer = 0;

  async connectedCallback() {
    let plan;
    try {
      plan = await loadPlan();
    } catch {
      return; // without the plan there is nothing to show; the page is complete
    }
    if (!this.isConnected) return;
    const only = this.getAttribute("track");
    const tracks = plan.tracks.filter(({ id }) => !only || id === only);
    const views = tracks.map((track) => {
      const days = plan.days.filter((day) => day.track === track.id);
      return new TrackView(track, days, only !== null);
    });
    const show = () => {
      for (const view of views) view.show();
      this.hidden = views.every((view) => view.box.hidden);
    };
    this.replaceChildren(...views.map((view) => view.box));
    show();
    this.#stop = store.subscribe(show);
    // a page that stays open over midnight
    this.#timer = setInterval(show, 60_000);
  }

  disconnectedCallback() {
    this.#stop();
    clearInterval(this.#timer);
  }
}

customElements.define("plan-overview", PlanOverview);
