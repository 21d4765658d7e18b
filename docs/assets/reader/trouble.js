// @ts-check
// What stands on a page in place of something that failed on a record of the reader:
// what happened, and two ways out.

import { element } from "./element.js";
import { addressOf } from "./plan.js";
import { store } from "./store.js";

const NAMES = { answers: "question", cards: "card" };

/**
 * Do something with a record. If it fails, show so in `place`, with a link to the
 * export and a button that forgets the record, after which `again` is called.
 * @param {Element} place what it holds is replaced
 * @param {keyof typeof NAMES} section
 * @param {string} id
 * @param {() => void} action
 * @param {() => void} again
 */
export function attempt(place, section, id, action, again = () => {}) {
  try {
    action();
  } catch (error) {
    if (!store.get(section, id)) throw error; // the record is not at fault
    const reason = error instanceof Error ? error.message : `${error}`;
    const reset = element(
      "button",
      { type: "button" },
      `Forget what is kept of this ${NAMES[section]}`,
    );
    reset.addEventListener("click", () => {
      store.remove(section, id);
      again();
    });
    const data = element("a", { href: addressOf("/your-data/") }, "Export your data");
    place.replaceChildren(
      element(
        "div",
        { class: "trouble", role: "alert" },
        `What this browser keeps of this ${NAMES[section]} cannot be used: ${reason}. `,
        data,
        " if you want to keep it. ",
        reset,
      ),
    );
  }
}
