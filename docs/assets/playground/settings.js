// @ts-check
// The settings of a playground: fields with labels, kept in the address of the page, so
// that they can be shared. What the address has that cannot be is left out.

import { element } from "../reader/element.js";
import { SettingError } from "./sampling.js";

/**
 * @typedef {object} Field
 * @property {string} name in the address
 * @property {string} label
 * @property {"range" | "number" | "text" | "area" | "check" | "choice"} kind
 * @property {string} usual
 * @property {number} [min]
 * @property {number} [max]
 * @property {number | "any"} [step]
 * @property {[string, string][]} [choices] values, and what they are called
 * @property {string} [help]
 * @property {number} [longest] characters
 */
/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Input */

const LONGEST = 2000; // characters of a text that the address takes up

/** @param {Field} field @param {string} id @returns {Input} */
function inputOf({ kind, min, max, step, choices = [], usual }, id) {
  if (kind === "choice") {
    const options = choices.map(([value, name]) => element("option", { value }, name));
    return element("select", { id }, ...options);
  }
  if (kind === "area") {
    return element("textarea", { id, rows: "3", spellcheck: "false" });
  }
  const type = kind === "check" ? "checkbox" : kind;
  const made = element("input", { id, type, autocomplete: "off" });
  if (min !== undefined) made.min = `${min}`;
  if (max !== undefined) made.max = `${max}`;
  if (step !== undefined) made.step = `${step}`;
  made.defaultValue = usual;
  return made;
}

export class Settings {
  /** @type {Map<string, {field: Field, input: Input, shown: HTMLElement}>} */
  #fields = new Map();

  /**
   * @param {string} prefix of the ids
   * @param {Field[]} fields
   * @param {(name: string) => void} changed
   */
  constructor(prefix, fields, changed) {
    for (const field of fields) {
      const id = `${prefix}-${field.name.replace("_", "-")}`;
      const input = inputOf(field, id);
      const shown = element("output", { for: id, class: "play-value" });
      this.#fields.set(field.name, { field, input, shown });
      input.addEventListener("input", () => {
        this.#show(field.name);
        changed(field.name);
      });
      input.addEventListener("change", () => this.keep());
    }
    this.read();
    addEventListener("hashchange", () => this.read() && changed(""));
  }

  /** A field with its label. @param {string} name */
  row(name) {
    const { field, input, shown } = this.#field(name);
    const label = element("label", { for: input.id }, field.label);
    const row = element("div", { class: `play-field is-${field.kind}` });
    if (field.kind === "check") row.append(input, label);
    else if (field.kind === "range") row.append(label, shown, input);
    else row.append(label, input);
    if (field.help) {
      const help = element("small", { id: `${input.id}-help` }, field.help);
      input.setAttribute("aria-describedby", help.id);
      row.append(help);
    }
    return row;
  }

  /** @param {string} name @returns {string} */
  text(name) {
    const { field, input } = this.#field(name);
    if (input instanceof HTMLInputElement && field.kind === "check") {
      return input.checked ? "1" : "0";
    }
    return input.value;
  }

  /** A number; throws a SettingError for what is none, or out of range.
   * @param {string} name */
  number(name) {
    const { field, input } = this.#field(name);
    const value = input.value === "" ? NaN : Number(input.value);
    const { min = -Infinity, max = Infinity, step } = field;
    const isWhole = step === "any" || (step ?? 1) < 1 || Number.isInteger(value);
    if (!(value >= min && value <= max) || !isWhole) {
      const kind = step === "any" || (step ?? 1) < 1 ? "a number" : "a whole number";
      throw new SettingError(`${field.label}: give ${kind} from ${min} to ${max}.`);
    }
    return value;
  }

  /** @param {string} name @param {string} value */
  set(name, value) {
    const { field, input } = this.#field(name);
    if (input instanceof HTMLInputElement && field.kind === "check") {
      input.checked = value === "1";
    } else input.value = value;
    this.#show(name);
  }

  /** @param {string} name */
  input(name) {
    return this.#field(name).input;
  }

  /** Take what the address has; returns whether it has anything. */
  read() {
    const given = new URLSearchParams(location.hash.slice(1));
    let isThere = false;
    for (const [name, { field, input }] of this.#fields) {
      const value = given.get(name);
      isThere ||= value !== null;
      this.set(name, value ?? field.usual);
      const isWrong =
        (field.kind === "choice" && input.value !== value) ||
        (["range", "number"].includes(field.kind) && !this.#isNumber(name));
      if (value !== null && isWrong) this.set(name, field.usual);
    }
    return isThere;
  }

  /** Write what differs from the usual into the address. */
  keep() {
    const kept = new URLSearchParams();
    for (const [name, { field }] of this.#fields) {
      const value = this.text(name);
      if (value !== field.usual && value.length <= LONGEST) kept.set(name, value);
    }
    const address = new URL(location.href);
    address.hash = kept.toString();
    history.replaceState(history.state, "", address);
  }

  /** @param {string} name */
  #field(name) {
    const found = this.#fields.get(name);
    if (!found) throw new Error(`no setting ${name}`);
    return found;
  }

  /** @param {string} name */
  #isNumber(name) {
    try {
      return Number.isFinite(this.number(name));
    } catch {
      return false;
    }
  }

  /** @param {string} name */
  #show(name) {
    const { input, shown } = this.#field(name);
    shown.textContent = input.value;
  }
}

/** Refuse a text that is too long for a page, before anything is done with it.
 * @param {string} text @param {string} name @param {number} most characters */
export function checkLength(text, name, most) {
  if (text.length <= most) return;
  const count = text.length.toLocaleString("en");
  const limit = most.toLocaleString("en");
  throw new SettingError(
    `${name} has ${count} characters: ${limit} are the most that this page takes.`,
  );
}
