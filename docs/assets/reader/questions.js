// @ts-check
// Questions to check oneself. A page shows each as a list of choices that unfold; here
// the first choice that the reader unfolds becomes the answer, and is remembered.

import { answered, standing, verdict } from "./answers.js";
import { element, stylesheet } from "./element.js";
import { store } from "./store.js";
import { spoken } from "./time.js";
import { attempt } from "./trouble.js";

/** What is said after an answer, by where the question stands then. */
const SAID = {
  new: "",
  right: "Right.",
  later: "Right. You had it wrong today, so it comes back once more on day 7.",
  wrong: "Not right. The question comes back on day 7.",
};
const SAID_AGAIN = {
  new: "",
  right: "Right. It leaves this list.",
  later: "Right. You had it wrong today, so it comes back once more, tomorrow.",
  wrong: "Not right. It stays on this list.",
};

/**
 * Remember how a question is answered.
 * @param {HTMLElement} section the question, with its id
 * @param {boolean} again hide earlier answers: the question is asked once more
 */
export function practise(section, again = false) {
  const choices = [...section.querySelectorAll(".choices > li")];
  const right = choices.flatMap((choice, number) =>
    choice.getAttribute("data-right") === "true" ? [number] : [],
  );
  const status = element("span", { role: "status" });
  const retry = element("button", { type: "button", hidden: true }, "Answer again");
  const track = section.id.split("-")[0];
  const where = new URL(`../../${track}/day-7/questions-again/`, import.meta.url).href;
  const list = element("a", { href: where, hidden: true }, "Questions again");
  const line = element("div", { class: "question-status" });
  /** @type {number[]} */
  let opened = [];
  let isOver = false;

  /** @param {number[]} chosen */
  function mark(chosen) {
    for (const [number, choice] of choices.entries()) {
      const summary = /** @type {HTMLElement} */ (choice.querySelector("summary"));
      const has = summary.querySelector(".yours");
      if (!chosen.includes(number)) has?.remove();
      else if (!has)
        summary.append(" ", element("span", { class: "yours" }, "your answer"));
    }
    retry.hidden = !isOver;
    const stands = standing(store.get("answers", section.id), Date.now());
    list.hidden = again || !isOver || stands === "right";
  }

  /** @param {() => void} action */
  const guarded = (action) => attempt(line, "answers", section.id, action, recall);

  /** What earlier visits, or other tabs, have left. */
  function recall() {
    line.replaceChildren(status, " ", list, " ", retry);
    guarded(show);
  }

  function show() {
    const kept = store.get("answers", section.id);
    opened = [];
    isOver = kept !== undefined && !again;
    const verb = kept?.right ? "right" : "not right";
    status.textContent = kept ? `You answered on ${spoken(kept.at)}: ${verb}.` : "";
    mark(isOver && kept ? kept.choices : []);
  }

  /** @param {number} number */
  function choose(number) {
    if (isOver || opened.includes(number)) return;
    opened.push(number);
    const isRight = verdict(opened, right);
    if (isRight !== undefined) {
      isOver = true;
      const now = Date.now();
      store.update("answers", section.id, (old) => answered(old, opened, isRight, now));
      const stands = standing(store.get("answers", section.id), now);
      const wasWrong = store
        .get("answers", section.id)
        ?.history.some((one) => !one.right);
      status.textContent = (again && wasWrong ? SAID_AGAIN : SAID)[stands];
    }
    mark(opened);
  }

  for (const [number, choice] of choices.entries()) {
    const details = /** @type {HTMLDetailsElement} */ (choice.querySelector("details"));
    // a click, also by a key; not each `toggle`: search and print open choices too
    details.querySelector("summary")?.addEventListener("click", () => {
      if (!details.open) guarded(() => choose(number));
    });
  }
  retry.addEventListener("click", () => {
    opened = [];
    isOver = false;
    status.textContent = "";
    for (const details of section.querySelectorAll("details")) details.open = false;
    mark([]);
    section.querySelector("summary")?.focus();
  });
  store.subscribe(({ sections, elsewhere }) => {
    if (sections.has("answers") && elsewhere && !opened.length) recall();
  });
  recall();
  section.append(line);
}

stylesheet();
for (const section of document.querySelectorAll(".question")) {
  if (section instanceof HTMLElement && !section.closest("wrong-questions"))
    practise(section);
}
