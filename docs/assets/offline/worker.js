// @ts-check
// The service worker: what was brought once is read without a network. The build writes
// it to `sw.js`, after two lines with the site's files, each with the digest of what is
// in it, and those of them that are kept only once they were used.
//
// Contents are kept by their digest, so a new version brings only what has changed, and
// one that cannot bring all of it does not begin: the old one stays, whole. What
// readers write is elsewhere, and is never touched here.

/** @type {Record<string, string>} */
const FILES = /** @type {any} */ (self).files;
const WHEN_USED = new Set(/** @type {string[]} */ (/** @type {any} */ (self).whenUsed));
const worker = /** @type {any} */ (self); // its types are in a library without the DOM
/** @type {string} */
const SCOPE = worker.registration.scope;
const NAME = `daybook ${SCOPE}`; // other books may have the same origin
const LIST = `${SCOPE}.kept/list`;
const AT_ONCE = 4; // requests
let askedToTakeOver = false;
/** @type {Promise<void> | null} */
let filling = null;

/** Where a content is kept. The ending stays, since it tells the type.
 * @param {string} path @param {string} digest */
function place(path, digest) {
  return `${SCOPE}.kept/${digest}${/\.\w+$/.exec(path)?.[0] ?? ""}`;
}

/** @param {string} path */
function addressOf(path) {
  return new URL(encodeURI(path).replace(/(^|\/)index\.html$/, "$1"), SCOPE).href;
}

/** The file that an address stands for; null for what is none of the site's.
 * @param {Request} request */
function pathOf({ method, url }) {
  const address = url.split(/[?#]/)[0];
  if (method !== "GET" || !address.startsWith(SCOPE)) return null;
  try {
    return decodeURI(address.slice(SCOPE.length)).replace(/(^|\/)$/, "$1index.html");
  } catch {
    return null; // no text in UTF-8
  }
}

/** @param {ArrayBuffer} bytes */
async function digestOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const text = btoa(String.fromCharCode(...digest));
  return text.replaceAll("+", "-").replaceAll("/", "_").slice(0, 22);
}

/** Keep an answer if it is the content of this version; whether it is.
 * @param {Cache} cache @param {string} path @param {Response} answer */
async function keep(cache, path, answer) {
  const bytes = await answer.arrayBuffer();
  if ((await digestOf(bytes)) !== FILES[path]) return false;
  const type = answer.headers.get("Content-Type") ?? "application/octet-stream";
  const kept = new Response(bytes, { headers: { "Content-Type": type } });
  await cache.put(place(path, FILES[path]), kept);
  return true;
}

/** Bring a file; throws where the server does not answer with it.
 * @param {Cache} cache @param {string} path */
async function bring(cache, path) {
  const answer = await fetch(addressOf(path), { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  if (!(await keep(cache, path, answer))) throw new RangeError(`${path}: changed`);
}

/** @param {string[]} paths @param {(path: string) => Promise<void>} act */
async function each(paths, act) {
  const left = [...paths];
  const one = async () => {
    for (let path = left.shift(); path !== undefined; path = left.shift()) {
      await act(path);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

/** The places of all that is kept. @param {Cache} cache */
async function placesIn(cache) {
  return new Set((await cache.keys()).map(({ url }) => url));
}

const inAdvance = Object.keys(FILES).filter((path) => !WHEN_USED.has(path));
const savesData = () => /** @type {any} */ (navigator).connection?.saveData === true;

/** What the version before has kept, this one brings before it begins. */
async function install() {
  const cache = await caches.open(NAME);
  const list = await cache.match(LIST);
  if (!list || savesData()) return;
  /** @type {{ files: Record<string, string>, inAdvance: string[] }} */
  const before = await list.json();
  const places = await placesIn(cache);
  /** @param {string} path */
  const had = (path) =>
    path in before.files && places.has(place(path, before.files[path]));
  const wasWhole = before.inAdvance.every(had);
  const wanted = Object.keys(FILES).filter(
    (path) => had(path) || (wasWhole && !WHEN_USED.has(path)),
  );
  const missing = wanted.filter((path) => !places.has(place(path, FILES[path])));
  await each(missing, (path) => bring(cache, path));
}

/** From now on this version answers; contents of others go. */
async function activate() {
  const cache = await caches.open(NAME);
  await cache.put(LIST, Response.json({ files: FILES, inAdvance }));
  const own = new Set(Object.entries(FILES).map(([path, it]) => place(path, it)));
  for (const url of await placesIn(cache)) {
    if (url !== LIST && !own.has(url)) await cache.delete(url);
  }
  await worker.clients.claim();
}

/** Bring what is not there yet, as far as the network lets us. */
async function fill() {
  const cache = await caches.open(NAME);
  const places = await placesIn(cache);
  const missing = inAdvance.filter((path) => !places.has(place(path, FILES[path])));
  let isOld = false;
  try {
    await each(missing, async (path) => {
      try {
        await bring(cache, path);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        isOld = true; // the server has a newer version
      }
    });
  } catch {
    // no network, or no room: the next page goes on
  }
  if (isOld) await worker.registration.update().catch(() => undefined);
}

/** Whether a newer version that waits was asked to begin, before a page is opened.
 * Not while another page is open, which would get parts of both. */
async function handsOver() {
  const { waiting } = worker.registration;
  if (!waiting || askedToTakeOver) return false;
  const open = await worker.clients.matchAll({ type: "window" });
  if (open.length > 1) return false;
  askedToTakeOver = true;
  waiting.postMessage("take over");
  return true;
}

/** @param {Cache} cache */
async function missing(cache) {
  const page = await cache.match(place("404.html", FILES["404.html"]));
  if (!page) return Response.error();
  return new Response(page.body, { status: 404, headers: page.headers });
}

/** @param {any} event @param {string} path */
async function answer(event, path) {
  /** @type {Request} */
  const request = event.request;
  const isPage = request.mode === "navigate";
  if (isPage && (await handsOver())) {
    return new Response("", { headers: { Refresh: "0", "Content-Type": "text/html" } });
  }
  const cache = await caches.open(NAME);
  const isFile = Object.hasOwn(FILES, path);
  const kept = isFile && (await cache.match(place(path, FILES[path])));
  if (kept) return kept;
  if (!isFile && Object.hasOwn(FILES, `${path}/index.html`)) {
    return Response.redirect(`${SCOPE}${encodeURI(path)}/`);
  }
  try {
    const brought = await fetch(request);
    if (isFile && brought.ok) {
      const copy = brought.clone();
      event.waitUntil(keep(cache, path, copy).catch(() => false)); // or no room
    }
    return brought;
  } catch {
    return isPage ? missing(cache) : Response.error();
  }
}

worker.addEventListener("install", (/** @type {any} */ event) => {
  event.waitUntil(install());
});
worker.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(activate());
});
worker.addEventListener("message", (/** @type {any} */ event) => {
  if (event.data === "take over") event.waitUntil(worker.skipWaiting());
  if (event.data === "fill") {
    filling ??= fill().finally(() => (filling = null));
    event.waitUntil(filling);
  }
});
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const path = pathOf(event.request);
  if (path !== null && path !== "sw.js") event.respondWith(answer(event, path));
});
