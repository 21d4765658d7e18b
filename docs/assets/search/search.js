// @ts-check
// Finds the pages that explain what a reader asks for. The weights of words were all
// computed while the site was built (literate/showing/search.py); here they are added
// up over the words of the query.

/** @typedef {(name: string) => Promise<any>} Read */
/**
 * Pages by address and title; sections by the number of their page, anchor and title.
 * @typedef {{
 *   parts: number,
 *   pages: [string, string][],
 *   sections: [number, string, string][],
 * }} Index
 */
/**
 * @typedef {{
 *   location: string,
 *   title: string,
 *   text: string,
 *   score: number,
 *   terms: Record<string, boolean>,
 * }} Found
 */
/** @typedef {{page: number, sections: Map<number, number>}} Page */
/** @typedef {{word: string, shown: string, needed: boolean}} Term */

const MOST_PAGES = 20;
const MOST_LINES = 4; // of a section that was found
const BEGINNING = 0.4; // what a word counts that only begins as the query's
const OTHERS = 0.15; // what a page's further sections count
const SMALL =
  "a an and are as at be by can do does for from how i in is it of on or that the to" +
  " what when which why with";
const STOP = new Set(SMALL.split(" "));

/** A word as the index has it. @param {string} word */
export function stem(word) {
  const small = word.toLowerCase();
  const isPlural = small.length > 3 && /[^sui]s$/u.test(small);
  return isPlural ? small.slice(0, -1) : small;
}

/**
 * The words of a query. Of a name with dots, `torch.nn.functional.cross_entropy`, the
 * last part is what is looked for; the others may help.
 * @param {string} query
 * @returns {Term[]}
 */
export function terms(query) {
  const found = [...query.matchAll(/[\p{L}\p{N}_]+/gu)].map((match) => {
    const after = query.slice(match.index + match[0].length);
    const isPath = /^\.[\p{L}_]/u.test(after);
    const isSmall = STOP.has(match[0].toLowerCase());
    return { word: stem(match[0]), shown: match[0], needed: !isPath && !isSmall };
  });
  if (!found.some(({ needed }) => needed)) for (const term of found) term.needed = true;
  return found;
}

/** The part of the index that has a word, as `part_of` in search.py.
 * @param {string} word @param {number} parts */
export function partOf(word, parts) {
  const [first, second] = [...word];
  const sum = (first.codePointAt(0) ?? 0) + 7 * (second?.codePointAt(0) ?? 0);
  return sum % parts;
}

/** @param {string} text */
const escaped = (text) =>
  text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

export class Search {
  /** @type {Map<string, Promise<any>>} */
  #files = new Map();

  /** @param {Read} read @param {Index} index */
  constructor(read, index) {
    this.read = read;
    this.index = index;
  }

  /** @param {Read} read */
  static async load(read) {
    return new Search(read, await read("index.json"));
  }

  /** A file of the index, fetched once. @param {string} name */
  #file(name) {
    const kept = this.#files.get(name) ?? this.read(name);
    this.#files.set(name, kept);
    kept.catch(() => this.#files.delete(name));
    return kept;
  }

  /**
   * The weight of each section for a word of the query: of the word itself, or of a
   * word that begins with it.
   * @param {string} word
   * @returns {Promise<Map<number, number>>}
   */
  async #weights(word) {
    /** @type {Map<number, number>} */
    const found = new Map();
    if ([...word].length < 2) return found;
    const part = await this.#file(`words/${partOf(word, this.index.parts)}.json`);
    for (const [known, weights] of Object.entries(part)) {
      if (!known.startsWith(word)) continue;
      const factor = known === word ? 1 : BEGINNING;
      for (let i = 0; i < weights.length; i += 2) {
        const before = found.get(weights[i]) ?? 0;
        found.set(weights[i], Math.max(before, factor * weights[i + 1]));
      }
    }
    return found;
  }

  /**
   * The pages that a query finds, the best first; each as Material shows it, the page
   * and then its sections.
   * @param {string} query
   * @returns {Promise<Found[][]>}
   */
  async find(query) {
    const asked = terms(query);
    const weights = await Promise.all(asked.map(({ word }) => this.#weights(word)));
    const pages = this.#pages(asked, weights);
    const best = [...pages].sort((a, b) => b.score - a.score).slice(0, MOST_PAGES);
    return Promise.all(best.map((page) => this.#shown(page, asked, weights)));
  }

  /**
   * Pages that have all words that are needed, or, where none has, most of them.
   * @param {Term[]} asked
   * @param {Map<number, number>[]} weights
   */
  #pages(asked, weights) {
    /** @type {Map<number, Page & {has: Set<number>}>} */
    const pages = new Map();
    for (const [at, of] of weights.entries()) {
      for (const [section, weight] of of) {
        const [page] = this.index.sections[section];
        const entry = pages.get(page) ?? { page, sections: new Map(), has: new Set() };
        pages.set(page, entry);
        entry.has.add(at);
        entry.sections.set(section, (entry.sections.get(section) ?? 0) + weight);
      }
    }
    const scored = [...pages.values()].map(({ page, sections, has }) => {
      const needed = asked.filter((term, at) => term.needed && has.has(at)).length;
      const sorted = [...sections.values()].sort((a, b) => b - a);
      const others = sorted.slice(1).reduce((sum, weight) => sum + weight, 0);
      return { page, sections, needed, score: sorted[0] + OTHERS * others };
    });
    const most = Math.max(0, ...scored.map(({ needed }) => needed));
    return most ? scored.filter(({ needed }) => needed === most) : [];
  }

  /**
   * @param {Page} page
   * @param {Term[]} asked
   * @param {Map<number, number>[]} weights
   * @returns {Promise<Found[]>}
   */
  async #shown({ page, sections }, asked, weights) {
    const texts = await this.#file(`texts/${page}.json`);
    const first = this.index.sections.findIndex(([of]) => of === page);
    const [address, title] = this.index.pages[page];
    const numbers = [...sections.keys()].filter((number) => number !== first);
    numbers.sort((a, b) => (sections.get(b) ?? 0) - (sections.get(a) ?? 0));
    const best = sections.get(numbers[0]) ?? 0;
    /** @param {number[]} among */
    const having = (among) =>
      Object.fromEntries(
        asked.flatMap(({ shown, needed }, at) =>
          needed ? [[shown, among.some((number) => weights[at].has(number))]] : [],
        ),
      );
    return [
      {
        location: address,
        title: marked(title, asked),
        text: excerpt(texts[0], asked),
        score: best,
        terms: having([...sections.keys()]),
      },
      ...numbers.map((number, rank) => ({
        location: `${address}#${this.index.sections[number][1]}`,
        title: marked(this.index.sections[number][2], asked),
        text: excerpt(texts[number - first], asked),
        score: rank ? 0 : best, // what is below the first one's Material folds
        terms: having([number]),
      })),
    ];
  }
}

/** A pattern for the words of a query, and what begins with them.
 * @param {Term[]} asked */
function pattern(asked) {
  const shown = asked.filter(({ needed }) => needed).map(({ word }) => word);
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${shown.join("|")})`, "giu");
}

/** Text as HTML, with the words of the query marked.
 * @param {string} text @param {Term[]} asked */
export function marked(text, asked) {
  let made = "";
  let at = 0;
  for (const match of text.matchAll(pattern(asked))) {
    made += `${escaped(text.slice(at, match.index))}<mark>${escaped(match[0])}</mark>`;
    at = match.index + match[0].length;
  }
  return made + escaped(text.slice(at));
}

/**
 * The first lines of a section that have a word of the query.
 * @param {[number, string][]} lines each with 1 if it is code
 * @param {Term[]} asked
 */
export function excerpt(lines, asked) {
  const found = lines.filter(([, text]) => text.search(pattern(asked)) >= 0);
  const shown = found.length ? found : lines.filter(([isCode]) => !isCode).slice(0, 1);
  return shown
    .slice(0, MOST_LINES)
    .map(([isCode, text]) => {
      const line = marked(text, asked);
      return isCode ? `<pre><code>${line}</code></pre>` : `<p>${line}</p>`;
    })
    .join("");
}
