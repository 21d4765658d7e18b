// @ts-check
// Patterns that cut a text into words, from the spelling of Python, of tiktoken and of
// 🤗 tokenizers into that of JavaScript. What might mean something else is refused.

export const GPT2 =
  "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++" +
  "|\\s++$|\\s+(?!\\S)|\\s";
export const CL100K =
  "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+" +
  "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s";
const BEGINNING = "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const ENDING = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
const CONTRACTION = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?";
export const O200K =
  `${BEGINNING}*${ENDING}+${CONTRACTION}|${BEGINNING}+${ENDING}*${CONTRACTION}` +
  "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
/** Everything is one word. */
export const WHOLE = "[\\s\\S]+";

const ESCAPES = new Map([
  ["\\s", "\\p{White_Space}"],
  ["\\S", "\\P{White_Space}"],
  ["\\d", "\\p{Nd}"],
  ["\\Z", "$"],
]);
const KEPT = /^\\(?:[pP]\{\w+\}|[rnt])$/;
const SYNTAX = "^$\\.*+?()[]{}|/";
const ATOM = /\\[pP]\{\w+\}|\\[^]|\[(?:\\[^]|[^\]\\])+\]|\(\?(?:[:=!i]|<[=!]):?|[^]/uy;
const QUANTIFIER = /(?:[+*?]|\{\d+(?:,\d*)?\})(?<mode>[+?]?)/y;
// what else is the same letter, written small or large
/** @type {Record<string, string>} */
const FOLDS = { s: "\u017f", k: "\u212a" };

/**
 * A pattern of Python (as tiktoken's are) or of Oniguruma (as in a `tokenizer.json`).
 * @param {string} pattern @param {"python" | "oniguruma"} dialect
 */
export function toJavaScript(pattern, dialect = "python") {
  return new RegExp(new Translation(pattern, dialect).text(), "gu");
}

class Translation {
  #at = 0;
  #groups = 0;

  /** @param {string} pattern @param {string} dialect */
  constructor(pattern, dialect) {
    this.pattern = pattern;
    this.dialect = dialect;
  }

  text() {
    const found = this.#alternatives(false, true);
    if (this.#at < this.pattern.length) this.#refuse(this.#at);
    return found;
  }

  /** @param {number} at @returns {never} */
  #refuse(at) {
    const part = this.pattern.slice(at, at + 8);
    throw new RangeError(
      `the pattern ${this.pattern} has ${part} at ${at}, which this page cannot read`,
    );
  }

  /** @param {boolean} anyCase @param {boolean} isOuter */
  #alternatives(anyCase, isOuter) {
    let found = "";
    while (this.#at < this.pattern.length && this.pattern[this.#at] !== ")") {
      if (this.pattern[this.#at] === "|") {
        found += "|";
        this.#at += 1;
      } else found += this.#repeated(anyCase, isOuter);
    }
    return found;
  }

  /** An atom with its quantifier. @param {boolean} anyCase @param {boolean} isOuter */
  #repeated(anyCase, isOuter) {
    const atom = this.#atom(anyCase);
    QUANTIFIER.lastIndex = this.#at;
    const match = QUANTIFIER.exec(this.pattern);
    if (!match) return atom;
    const start = this.#at;
    this.#at += match[0].length;
    if (match.groups?.mode !== "+") return atom + match[0];
    // behind {1,3}, Oniguruma repeats once more
    if (this.dialect === "oniguruma" && match[0].startsWith("{")) this.#refuse(start);
    const greedy = atom + match[0].slice(0, -1);
    const next = this.pattern[this.#at];
    // nothing follows for which the loop could step back
    if (isOuter && (next === undefined || next === "|")) return greedy;
    this.#groups += 1;
    return `(?=(${greedy}))\\${this.#groups}`;
  }

  /** @param {boolean} anyCase @returns {string} */
  #atom(anyCase) {
    ATOM.lastIndex = this.#at;
    const start = this.#at;
    const part = ATOM.exec(this.pattern)?.[0] ?? this.#refuse(start);
    this.#at += part.length;
    if (part.startsWith("(?")) return this.#group(part, anyCase, start);
    if (part.startsWith("[") && part.length > 1) {
      return this.#set(part, anyCase, start);
    }
    if (part.startsWith("\\")) return this.#escape(part, start);
    if (part === "$") return "$";
    if (SYNTAX.includes(part) && part !== "/") this.#refuse(start);
    return anyCase ? `[${bothCases(part)}]` : part === "/" ? "\\/" : part;
  }

  /** @param {string} open @param {boolean} anyCase @param {number} start */
  #group(open, anyCase, start) {
    if (open.startsWith("(?i") && open !== "(?i:") this.#refuse(start);
    if (!open.startsWith("(?i") && open.length > 3 && open.endsWith(":")) {
      this.#at -= 1; // (?=: is a lookahead for a colon
      open = open.slice(0, -1);
    }
    const inside = this.#alternatives(anyCase || open === "(?i:", false);
    if (this.pattern[this.#at] !== ")") this.#refuse(start);
    this.#at += 1;
    return `${open === "(?i:" ? "(?:" : open}${inside})`;
  }

  /** @param {string} set @param {boolean} anyCase @param {number} start */
  #set(set, anyCase, start) {
    const isNot = set.startsWith("[^");
    const inside = set.slice(isNot ? 2 : 1, -1);
    if (/&&|\[|--|~~/.test(inside)) this.#refuse(start);
    const parts = inside.match(/\\[pP]\{\w+\}|\\[^]|[^]/gu) ?? [];
    const made = parts.map((part) => {
      if (part.startsWith("\\")) return this.#escape(part, start);
      if (anyCase) return bothCases(part);
      return part !== "-" && SYNTAX.includes(part) ? `\\${part}` : part;
    });
    return `[${isNot ? "^" : ""}${made.join("")}]`;
  }

  /** @param {string} part @param {number} start */
  #escape(part, start) {
    const known = ESCAPES.get(part);
    if (known) return known;
    if (KEPT.test(part)) return part;
    const sign = part.slice(1);
    if (/[\w]/.test(sign)) this.#refuse(start);
    return SYNTAX.includes(sign) || sign === "-" ? `\\${sign}` : sign;
  }
}

/** @param {string} letter */
function bothCases(letter) {
  const [small, large] = [letter.toLowerCase(), letter.toUpperCase()];
  return (small === large ? letter : small + large) + (FOLDS[small] ?? "");
}

/**
 * The words of a text. Raises RangeError if the pattern leaves a part of it out.
 * @param {RegExp} pattern @param {string} text
 */
export function* words(pattern, text) {
  pattern.lastIndex = 0;
  let end = 0;
  for (let found; end < text.length && (found = pattern.exec(text));) {
    if (found.index !== end || found[0] === "") break;
    end = pattern.lastIndex;
    yield found[0];
  }
  if (end < text.length) {
    const part = JSON.stringify(text.slice(end, end + 10));
    throw new RangeError(`the pattern leaves out parts of the text, first ${part}`);
  }
}
