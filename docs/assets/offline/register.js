// @ts-check
// Lets the book be read without a network, by the service worker at its root.

// An author looks at what was built a second ago, not at what was kept before.
const OWN_MACHINE = ["localhost", "127.0.0.1", "[::1]"];

const savesData = () => /** @type {any} */ (navigator).connection?.saveData === true;

/** When the browser has nothing else to do; soon, where it does not tell. */
function idle() {
  return new Promise((resolve) => {
    if ("requestIdleCallback" in globalThis) requestIdleCallback(resolve);
    else setTimeout(resolve, 2000);
  });
}

/** When the page and what it shows is there. */
function loaded() {
  if (document.readyState === "complete") return Promise.resolve();
  return new Promise((resolve) => addEventListener("load", resolve, { once: true }));
}

async function start() {
  if (!("serviceWorker" in navigator)) return;
  if (OWN_MACHINE.includes(location.hostname)) return;
  await loaded();
  await idle();
  const program = new URL("../../sw.js", import.meta.url);
  try {
    await navigator.serviceWorker.register(program, { updateViaCache: "none" });
    const { active } = await navigator.serviceWorker.ready;
    await idle();
    if (!savesData()) active?.postMessage("fill");
  } catch {
    // refused, as in a private window: the book is read from the network
  }
}

start();
