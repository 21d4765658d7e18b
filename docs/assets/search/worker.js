// @ts-check
// Answers Material's search box in a worker: says once that it is ready, and finds what
// is asked. Material makes workers that are no modules, so the search is imported.

const engine = import("./search.js").then(({ Search }) => {
  const folder = new URL("../../search/", self.location.href);
  /** @param {string} name */
  const read = async (name) => {
    const answer = await fetch(new URL(name, folder));
    if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
    return answer.json();
  };
  return Search.load(read);
});

const SETUP = 0;
const READY = 1;
const QUERY = 2;
const RESULT = 3;

/** @param {{type: number, data: any}} message */
async function answer({ type, data }) {
  const search = await engine;
  if (type === SETUP) return { type: READY };
  if (type !== QUERY) throw new TypeError(`unknown message ${type}`);
  const items = await search.find(String(data));
  return { type: RESULT, data: { items, suggest: [] } };
}

// One after the other: what was asked last must be answered last.
let last = Promise.resolve();
addEventListener("message", ({ data }) => {
  last = last
    .then(() => answer(data))
    .catch((error) => {
      console.error(error);
      return { type: RESULT, data: { items: [] } };
    })
    .then((made) => postMessage(made));
});
