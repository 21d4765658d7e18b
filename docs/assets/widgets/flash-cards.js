// @ts-check
// The key facts of all pages, which this element holds as a list, one at a time as
// flash cards; each comes back when FSRS says so. And all of them as a file for Anki.

import { ankiFile, formula } from "../reader/anki.js";
import { GRADES, queue, rate } from "../reader/cards.js";
import { element, stylesheet } from "../reader/element.js";
import { store } from "../reader/store.js";
import { length, spoken } from "../reader/time.js";
import { attempt } from "../reader/trouble.js";

/** @import { Card, Stamped } from "../reader/types.js" */
/**
 * @typedef {object} Fact
 * @property {string} id
 * @property {HTMLElement} list where it stands in the list of all
 * @property {string} day `llm-3`
 * @property {string[]} tasks the tasks that its page serves
 * @property {HTMLAnchorElement} link to its page
 */

// which cards, and how many new ones a day: of this browser only
const SETTINGS = "daybook.cards";
const MOST_NEW = 200;

/** @returns {{deck: string, perDay: number}} */
function settings() {
  const usual = { deck: "", perDay: 10 };
  try {
    const { deck, perDay } = JSON.parse(localStorage.getItem(SETTINGS) ?? "{}");
    if (typeof deck === "string") usual.deck = deck;
    if (Number.isInteger(perDay) && perDay >= 0 && perDay <= MOST_NEW)
      usual.perDay = perDay;
  } catch {
    // damaged, or storage is blocked: as at first
  }
  return usual;
}

/** What is inside an element, without the question of a fact. @param {Element} list */
function parts(list) {
  const summary = /** @type {Element} */ (list.querySelector("summary"));
  const copy = (/** @type {ChildNode} */ node) => node.cloneNode(true);
  const answer = [...list.childNodes].filter((node) => node !== summary);
  return { question: [...summary.childNodes].map(copy), answer: answer.map(copy) };
}

/** Line ends as elements. @param {Element} code */
function breakLines(code) {
  const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(/** @type {Text} */ (walker.currentNode));
  for (const text of texts) {
    const lines = text.data.split("\n");
    text.replaceWith(
      ...lines.flatMap((line, n) => (n ? [element("br"), line] : [line])),
    );
  }
}

/** HTML that means the same in Anki: formulas as TeX, whole addresses.
 * @param {Node[]} nodes */
function portable(nodes) {
  const box = element("div", {}, ...nodes);
  for (const math of box.querySelectorAll("math")) {
    const isDisplay = math.getAttribute("display") === "block";
    math.replaceWith(formula(math.getAttribute("data-tex") ?? "", isDisplay));
  }
  for (const code of box.querySelectorAll("pre")) breakLines(code); // a card is a line
  for (const link of box.querySelectorAll("a")) link.setAttribute("href", link.href);
  return box.outerHTML.slice("<div>".length, -"</div>".length).trim();
}

class FlashCards extends HTMLElement {
  /** @type {Fact[]} */
  #facts = [];
  #settings = settings();
  /** @type {Fact | undefined} the card on the table */
  #fact;
  /** @type {string} what was known of it when it was laid there */
  #seen = "";
  #isOpen = false;
  /** @type {{id: string, before: Stamped<Card> | undefined}[]} */
  #rated = [];

  #deck = element("select", { id: "cards-deck" });
  #perDay = element("input", {
    id: "cards-new",
    type: "number",
    min: "0",
    max: `${MOST_NEW}`,
  });
  #counts = element("p", { class: "cards-counts" });
  #card = element("div", { class: "card", role: "group", "aria-label": "Flash card" });
  #status = element("p", { class: "cards-status", role: "status" });
  #undo = element(
    "button",
    { type: "button", "aria-keyshortcuts": "u" },
    "Undo the last rating",
  );
  #export = element("button", { type: "button" });

  connectedCallback() {
    if (this.#facts.length) return;
    stylesheet();
    this.#facts = [...this.querySelectorAll("details.fact")].map((list) =>
      this.#read(list),
    );
    this.#fillDecks();
    this.#perDay.value = `${this.#settings.perDay}`;
    const tools = element("div", { class: "practice-bar" }, this.#undo, this.#export);
    this.prepend(
      element(
        "div",
        { class: "cards-settings" },
        element("label", { for: "cards-deck" }, "Cards of"),
        this.#deck,
        element("label", { for: "cards-new" }, "New cards a day"),
        this.#perDay,
      ),
      ...[this.#counts, this.#card, this.#status, tools],
    );
    this.#deck.addEventListener("change", () => this.#choose());
    this.#perDay.addEventListener("change", () => this.#choose());
    this.#undo.addEventListener("click", () => this.#takeBack());
    this.#export.addEventListener("click", () => this.#download());
    this.#card.addEventListener("keydown", (event) => this.#key(event));
    store.subscribe(() => this.#deal());
    // a new day, or a minute later
    document.addEventListener("visibilitychange", () => this.#deal());
    setInterval(() => this.#fact || this.#deal(), 30_000);
    this.#deal();
  }

  /** @param {Element} list @returns {Fact} */
  #read(list) {
    const page = list.closest(".gathered-page");
    const day = list.closest(".gathered-day")?.getAttribute("data-day") ?? "";
    return {
      id: list.id,
      list: /** @type {HTMLElement} */ (list),
      day,
      tasks: (page?.getAttribute("data-tasks") ?? "").split(" ").filter(Boolean),
      link: /** @type {HTMLAnchorElement} */ (page?.querySelector("a.gathered-link")),
    };
  }

  /** The choices of the first list: all, what was done, a track, a day. */
  #fillDecks() {
    const option = (/** @type {string} */ value, /** @type {string | null} */ text) =>
      element("option", { value }, text ?? "");
    this.#deck.append(
      option("all", "all pages"),
      option("done", "pages ticked in the plan"),
    );
    for (const track of this.querySelectorAll(".gathered-track")) {
      const name = track.getAttribute("data-track") ?? "";
      this.#deck.append(
        option(name, `${track.querySelector("h2")?.firstChild?.textContent}`),
      );
      for (const day of track.querySelectorAll(".gathered-day")) {
        const title = day.querySelector("h3")?.firstChild?.textContent ?? "";
        this.#deck.append(option(day.getAttribute("data-day") ?? "", `\u2003${title}`));
      }
    }
    const isKnown = [...this.#deck.options].some(
      (o) => o.value === this.#settings.deck,
    );
    const usual = this.#facts.some((fact) => this.#isDone(fact)) ? "done" : "all";
    this.#deck.value = isKnown ? this.#settings.deck : usual;
  }

  /** @param {Fact} fact */
  #isDone(fact) {
    return fact.tasks.some((task) => store.get("tasks", task)?.done);
  }

  /** @param {Fact} fact */
  #isChosen(fact) {
    const deck = this.#deck.value;
    if (deck === "done") return this.#isDone(fact);
    return deck === "all" || fact.day === deck || fact.day.startsWith(`${deck}-`);
  }

  /** The reader has changed what to learn. */
  #choose() {
    const given = Math.round(Number(this.#perDay.value));
    const perDay = Math.min(MOST_NEW, Math.max(0, given || 0));
    this.#perDay.value = `${perDay}`;
    this.#settings = { deck: this.#deck.value, perDay };
    try {
      localStorage.setItem(SETTINGS, JSON.stringify(this.#settings));
    } catch {
      // it holds as long as the page
    }
    this.#status.textContent = "";
    this.#fact = undefined;
    this.#deal();
  }

  /** Lay the next card, unless the one on the table still is what it was. */
  #deal() {
    const chosen = this.#facts.filter((fact) => this.#isChosen(fact));
    const ids = chosen.map((fact) => fact.id);
    const { id, due, fresh, unseen, next } = queue(
      ids,
      store.all("cards"),
      this.#settings.perDay,
      Date.now(),
    );
    this.#filterList();
    const all = `${chosen.length} ${chosen.length === 1 ? "card" : "cards"}`;
    this.#counts.textContent =
      `Today: ${due} to repeat, ${fresh} new. ` + `Of ${all}, ${unseen} not seen yet.`;
    this.#export.textContent = `Download ${all} for Anki`;
    this.#export.disabled = chosen.length === 0;
    this.#undo.disabled = this.#rated.length === 0;
    const current = this.#fact;
    const stays =
      current && ids.includes(current.id) && this.#known(current.id) === this.#seen;
    if (stays) return;
    const hadFocus = this.#card.contains(document.activeElement);
    this.#fact = chosen.find((fact) => fact.id === id);
    this.#seen = id ? this.#known(id) : "";
    this.#isOpen = false;
    this.#draw(chosen.length === 0, next);
    if (hadFocus) this.#focus(".card-question, .card-done");
  }

  /** @param {string} id */
  #known(id) {
    return JSON.stringify(store.get("cards", id) ?? null);
  }

  /** @param {string} selector */
  #focus(selector) {
    const place = this.#card.querySelector(selector);
    if (place instanceof HTMLElement) place.focus();
  }

  /** In the list of all facts, those of the choice. */
  #filterList() {
    for (const fact of this.#facts) fact.list.hidden = !this.#isChosen(fact);
    for (const group of this.querySelectorAll("section[class^=gathered]")) {
      if (group instanceof HTMLElement) {
        group.hidden = !group.querySelector(".fact:not([hidden])");
      }
    }
  }

  /**
   * @param {boolean} isEmpty whether the choice has no cards at all
   * @param {number | undefined} next when the next card is due
   */
  #draw(isEmpty, next) {
    this.#card.replaceChildren();
    const fact = this.#fact;
    if (!fact) {
      const done = element("p", { class: "card-done", tabindex: "-1" });
      done.textContent = isEmpty
        ? "No page of these is ticked in the plan yet. Tick one, or choose other cards."
        : `Done for today.${next ? ` The next card is due on ${spoken(next)}.` : ""}`;
      this.#card.append(done);
      return;
    }
    const { question, answer } = parts(fact.list);
    const source = /** @type {HTMLElement} */ (fact.link.cloneNode(true));
    this.#card.append(
      element("div", { class: "card-question", tabindex: "-1" }, ...question),
      element("div", { class: "card-answer", tabindex: "-1", hidden: true }, ...answer),
      element("div", { class: "card-buttons" }, this.#showButton()),
      element("p", { class: "card-source" }, "From ", source),
    );
  }

  #showButton() {
    const keys = { type: "button", class: "card-show", "aria-keyshortcuts": "Space" };
    const button = element(
      "button",
      keys,
      "Show the answer ",
      element("kbd", {}, "Space"),
    );
    button.addEventListener("click", () => this.#open());
    return button;
  }

  #open() {
    const fact = this.#fact;
    if (!fact || this.#isOpen) return;
    this.#isOpen = true;
    const answer = /** @type {HTMLElement} */ (
      this.#card.querySelector(".card-answer")
    );
    answer.hidden = false;
    this.#attempt(fact, () => this.#offer(fact));
    answer.focus();
  }

  /** Do something with what is kept of a card. @param {Fact} fact
   * @param {() => void} action */
  #attempt(fact, action) {
    const place = /** @type {Element} */ (this.#card.querySelector(".card-buttons"));
    attempt(place, "cards", fact.id, action);
  }

  /** The buttons of the ratings, with what each will do. @param {Fact} fact */
  #offer(fact) {
    const now = Date.now();
    const old = store.get("cards", fact.id);
    const buttons = Object.entries(GRADES).map(([grade, name]) => {
      const due = rate(old, Number(grade), now).due;
      const keys = { type: "button", "aria-keyshortcuts": grade };
      const wait = element("small", {}, length(due - now));
      const button = element(
        "button",
        keys,
        element("kbd", {}, grade),
        ` ${name} `,
        wait,
      );
      button.addEventListener("click", () => this.#rate(Number(grade)));
      return button;
    });
    this.#card.querySelector(".card-buttons")?.replaceChildren(...buttons);
  }

  /** @param {number} grade */
  #rate(grade) {
    const fact = this.#fact;
    if (!fact || !this.#isOpen) return;
    this.#attempt(fact, () => this.#keep(fact, grade));
  }

  /** @param {Fact} fact @param {number} grade */
  #keep(fact, grade) {
    const now = Date.now();
    const before = store.get("cards", fact.id);
    const after = rate(before, grade, now);
    this.#rated.push({ id: fact.id, before });
    const wait = length(after.due - now);
    this.#status.textContent = `${GRADES[grade]}: comes back in ${wait}.`;
    store.set("cards", fact.id, after); // and lays the next card
    this.#focus(".card-question, .card-done");
  }

  #takeBack() {
    const last = this.#rated.pop();
    if (!last) return;
    const { id, before } = last;
    this.#fact = undefined;
    if (before) {
      const { at: _, ...card } = before;
      store.set("cards", id, card);
    } else {
      store.remove("cards", id);
    }
    this.#fact = this.#facts.find((fact) => fact.id === id);
    this.#seen = this.#known(id);
    this.#isOpen = false;
    this.#draw(false, undefined);
    this.#status.textContent = "The last rating is undone.";
    this.#focus(".card-question");
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const isOnControl =
      event.target instanceof Element && event.target.closest("button, a");
    if (event.key === " " && !this.#isOpen && !isOnControl) this.#open();
    else if (Object.hasOwn(GRADES, event.key) && this.#isOpen)
      this.#rate(Number(event.key));
    else if (event.key === "u" && this.#rated.length) this.#takeBack();
    else return;
    event.preventDefault();
    event.stopPropagation(); // Material has keys of its own
  }

  #download() {
    const notes = this.#facts
      .filter((fact) => this.#isChosen(fact))
      .map((fact) => {
        const { question, answer } = parts(fact.list);
        const source = element(
          "a",
          { href: fact.link.href },
          fact.link.textContent ?? "",
        );
        const back = `${portable(answer)}<p>${source.outerHTML}</p>`;
        const tags = ["daybook", `daybook::${fact.day.replace("-", "::day-")}`];
        return { id: fact.id, front: portable(question), back, tags };
      });
    const file = new Blob([ankiFile(notes)], { type: "text/plain;charset=utf-8" });
    const link = element("a", { href: URL.createObjectURL(file) });
    link.download = "daybook-flash-cards.txt";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    this.#status.textContent = `${notes.length} cards are in ${link.download}.`;
  }
}

customElements.define("flash-cards", FlashCards);
