// @ts-check
// Export, import, undo and deletion of the reader's data.

import { timeOf } from "../reader/page.js";
import { loadPlan } from "../reader/plan.js";
import { dateOf, spell } from "../reader/progress.js";
import { empty } from "../reader/schema.js";
import { DAMAGED, KEY, PREVIOUS, store } from "../reader/store.js";
import {
  counts,
  differences,
  fileText,
  markdown,
  outcome,
  readFile,
} from "../reader/transfer.js";

/** @import { Plan } from "../reader/plan-types.js" */
/** @import { Difference } from "../reader/transfer.js" */
/** @import { Kept, Section, State } from "../reader/types.js" */

const MOST_LISTED = 100;
/** @type {Record<Section, [string, string]>} */
const NAMES = {
  tasks: ["ticked task", "ticked tasks"],
  notes: ["note", "notes"],
  start: ["first day", "first days"],
  answers: ["answer", "answers"],
  cards: ["card", "cards"],
};
/** @type {Record<string, string>} */
const REASONS = { import: "the import", undo: "the undo", clear: "the deletion" };

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {(Node | string)[]} children
 */
function make(tag, ...children) {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}

/** @param {string} text
 * @param {() => void} action */
function button(text, action) {
  const made = make("button", text);
  made.type = "button";
  made.className = "md-button";
  made.addEventListener("click", action);
  return made;
}

/** Hand a text to the reader as a file.
 * @param {string} name
 * @param {string} text
 * @param {string} type */
function download(name, text, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** What a state holds, in words.
 * @param {State} state */
function summary(state) {
  const numbers = counts(state);
  const parts = /** @type {Section[]} */ (Object.keys(numbers))
    .filter((section) => numbers[section])
    .map(
      (section) =>
        `${numbers[section]} ${NAMES[section][Number(numbers[section] > 1)]}`,
    );
  return parts.join(", ") || "nothing";
}

/** @param {Kept | undefined} record */
function words(record) {
  if (!record || record.gone) return "none";
  if ("done" in record) return record.done ? "ticked" : "not ticked";
  if (typeof record.date === "string") return spell(record.date);
  const text = `${record.text}`.replace(/\s+/g, " ").trim();
  return `“${text.length > 120 ? `${text.slice(0, 120)}…` : text}”`;
}

class YourData extends HTMLElement {
  /** @type {Plan} */
  #plan = { tracks: [], days: [], pages: {} };
  #holds = make("p");
  #message = make("p");
  #input = make("input");
  #preview = make("div");
  #back = make("div");
  #erase = make("div");
  /** @type {State | undefined} the state of the chosen file */
  #file;
  /** @type {"join" | "replace"} */
  #how = "join";
  #stop = () => {};

  async connectedCallback() {
    this.#message.className = "data-message";
    this.#message.setAttribute("role", "status");
    this.#preview.className = "data-preview";
    this.#input.type = "file";
    this.#input.accept = ".json,application/json";
    this.#input.id = "data-file";
    this.#input.addEventListener("change", () => this.#choose());
    try {
      this.#plan = await loadPlan();
    } catch {
      // without it the ids have to do for titles
    }
    if (!this.isConnected) return;
    try {
      this.#build();
      this.#show();
      this.#stop = store.subscribe(() => this.#show());
    } catch (error) {
      this.#fallBack(`${error}`);
    }
  }

  /** The ways out that need nothing but the text in storage.
   * @param {string} reason */
  #fallBack(reason) {
    const text = () => localStorage.getItem(KEY) ?? "";
    const save = button("Export as it is", () =>
      download("daybook-as-it-is.json", text(), "application/json"),
    );
    const erase = button("Delete everything", () => {
      for (const key of [KEY, PREVIOUS, DAMAGED]) localStorage.removeItem(key);
      location.reload();
    });
    const told = make("p", `What this browser keeps cannot be shown: ${reason}.`);
    told.setAttribute("role", "alert");
    this.replaceChildren(told, make("p", save, " ", erase));
  }

  disconnectedCallback() {
    this.#stop();
  }

  #build() {
    const label = make("label", "A file that was exported here: ");
    label.htmlFor = this.#input.id;
    const exports = make(
      "p",
      button("Export as a file", () => this.#export()),
      " ",
      button("Export as Markdown", () => this.#exportMarkdown()),
    );
    exports.className = "data-buttons";
    const about =
      "The file brings everything back by an import. Markdown has your tasks and" +
      " notes, to print or to paste elsewhere.";
    this.replaceChildren(
      this.#holds,
      make("h2", "Export"),
      exports,
      make("p", about),
      make("h2", "Import"),
      make("p", label, this.#input),
      this.#message,
      this.#preview,
      this.#back,
      this.#erase,
    );
  }

  #show() {
    this.#holds.textContent = `This browser holds ${summary(store.snapshot())}.`;
    this.#showPreview();
    this.#showBack();
    this.#showErase(false);
  }

  /** @param {string} text */
  #say(text) {
    this.#message.textContent = text;
  }

  #export() {
    const name = `daybook-${dateOf(new Date())}.json`;
    download(name, fileText(store.snapshot(), new Date()), "application/json");
    this.#say(`Exported as ${name}.`);
  }

  #exportMarkdown() {
    const date = dateOf(new Date());
    const name = `daybook-${date}.md`;
    download(name, markdown(store.snapshot(), this.#plan, date), "text/markdown");
    this.#say(`Exported as ${name}.`);
  }

  async #choose() {
    const file = this.#input.files?.[0];
    this.#file = undefined;
    this.#showPreview();
    if (!file) return;
    this.#say("Reading the file.");
    const { state, error } = await readFile(file);
    if (error) {
      this.#say(`${file.name} was not imported, and nothing has changed. ${error}`);
    } else {
      this.#file = state;
      this.#how = "join";
      this.#say(`${file.name} can be imported. Nothing has changed yet.`);
      this.#showPreview();
      this.#preview.querySelector("h3")?.focus();
    }
    this.#input.value = ""; // the same file can be chosen again
  }

  #showPreview() {
    if (!this.#file) {
      this.#preview.replaceChildren();
      return;
    }
    const now = store.snapshot();
    const after = outcome(now, this.#file, this.#how);
    const found = differences(now, after);
    const title = make("h3", "What will change");
    title.tabIndex = -1;
    const holds = make("p", `The file holds ${summary(this.#file)}.`);
    const apply = button("Import", () => this.#import());
    const buttons = make("p", found.length ? apply : "", " ");
    buttons.append(button(found.length ? "Cancel" : "Close", () => this.#cancel()));
    buttons.className = "data-buttons";
    this.#preview.replaceChildren(
      title,
      holds,
      this.#choice(),
      this.#list(found),
      buttons,
    );
  }

  #choice() {
    const choices = make("fieldset", make("legend", "How to import"));
    const texts = {
      join: "Join the file with what is here: of two versions the later one stays",
      replace: "Replace what is here by the file",
    };
    for (const how of /** @type {const} */ (["join", "replace"])) {
      const radio = make("input");
      Object.assign(radio, { type: "radio", name: "how", checked: how === this.#how });
      radio.addEventListener("change", () => {
        this.#how = how;
        this.#showPreview();
        const made = this.#preview.querySelector("input:checked");
        if (made instanceof HTMLElement) made.focus();
      });
      choices.append(make("label", radio, ` ${texts[how]}`));
    }
    return choices;
  }

  /** @param {Difference[]} found */
  #list(found) {
    if (!found.length) return make("p", "Nothing: all of this is here already.");
    const list = make("ul");
    for (const one of found.slice(0, MOST_LISTED)) list.append(this.#item(one));
    if (found.length > MOST_LISTED) {
      list.append(make("li", `and ${found.length - MOST_LISTED} more`));
    }
    return list;
  }

  /** @param {Difference} difference */
  #item({ section, id, kind, before, after }) {
    const [name] = NAMES[section];
    const title = this.#title(section, id);
    if (section === "answers" || section === "cards") {
      return make("li", make("strong", kind), ` ${name}: ${title}`);
    }
    const from = kind === "new" ? "" : `${words(before)} becomes `;
    const what = section === "tasks" ? "task" : name;
    return make(
      "li",
      make("strong", kind),
      ` ${what}, ${title}: ${from}${words(after)}`,
    );
  }

  /** @param {Section} section
   * @param {string} id */
  #title(section, id) {
    const tasks = this.#plan.days.flatMap((day) => day.tasks);
    if (section === "tasks") return tasks.find((task) => task.id === id)?.title ?? id;
    if (section === "notes") return this.#plan.pages[id] ?? id;
    if (section === "start")
      return this.#plan.tracks.find((t) => t.id === id)?.title ?? id;
    return id;
  }

  #import() {
    if (!this.#file) return;
    const after = outcome(store.snapshot(), this.#file, this.#how);
    if (!store.replace(after, "import")) {
      this.#say(
        "There is no room for the import in this browser. Nothing has changed.",
      );
      return;
    }
    this.#file = undefined;
    this.#show();
    this.#say("Imported.");
    this.#input.focus();
  }

  #cancel() {
    this.#file = undefined;
    this.#showPreview();
    this.#say("Nothing has changed.");
    this.#input.focus();
  }

  #showBack() {
    const previous = store.previous();
    const parts = [];
    if (previous) {
      const isKnown = Object.hasOwn(REASONS, previous.reason);
      const reason = isKnown ? REASONS[previous.reason] : "a change";
      const held = summary(previous.state);
      const text = `Before ${reason} of ${timeOf(previous.at)} it was ${held}. `;
      const undo = button(`Undo ${reason}`, () => this.#undo());
      const forget = button("Forget the earlier state", () => this.#forget());
      parts.push(make("h2", "Way back"), make("p", text), make("p", undo, " ", forget));
    }
    const damaged = this.#damaged();
    if (damaged) {
      const save = () => download("daybook-damaged.txt", damaged, "text/plain");
      const text = "Data that could not be read were put aside: ";
      parts.push(make("p", text, button("Export the copy", save)));
    }
    this.#back.replaceChildren(...parts);
  }

  #damaged() {
    try {
      return localStorage.getItem(DAMAGED);
    } catch {
      return null;
    }
  }

  #undo() {
    const isDone = store.undo();
    this.#show();
    this.#say(isDone ? "The earlier state is back." : "There was no room to go back.");
    this.#input.focus();
  }

  #forget() {
    store.forget();
    this.#show();
    this.#say("The earlier state is gone for good.");
    this.#input.focus();
  }

  /** @param {boolean} isAsking */
  #showErase(isAsking) {
    if (!isAsking) {
      const ask = button("Delete everything", () => this.#showErase(true));
      this.#erase.replaceChildren(make("h2", "Delete"), make("p", ask));
      return;
    }
    const sure = button("Yes, delete it", () => this.#delete());
    const keep = button("Keep it", () => {
      this.#showErase(false);
      this.#erase.querySelector("button")?.focus();
    });
    const text = `Delete ${summary(store.snapshot())}?`;
    this.#erase.replaceChildren(
      make("h2", "Delete"),
      make("p", text),
      make("p", sure, " ", keep),
    );
    keep.focus();
  }

  #delete() {
    const isDone = store.replace(empty(), "clear");
    this.#show();
    this.#say(
      isDone ? "Deleted. It can still be undone." : "There was no room to undo.",
    );
    this.#input.focus();
  }
}

customElements.define("your-data", YourData);
