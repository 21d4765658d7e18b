// @ts-check
// A button that copies all code of a page: its script, which runs alone in an empty
// folder, since the snippets that it imports are put into it.

/** @param {string} url @returns {Promise<string>} */
async function textOf(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return answer.text();
}

/**
 * Some browsers let a page write only while it answers a click: they are given the text
 * as a promise. The others are given the text once it is there.
 * @param {Promise<string>} text
 */
async function copy(text) {
  if (typeof ClipboardItem === "undefined") {
    await navigator.clipboard.writeText(await text);
    return;
  }
  const blob = text.then((found) => new Blob([found], { type: "text/plain" }));
  await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
}

/** @param {HTMLAnchorElement} script the link to a page's script */
export function addCopyAll(script) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy-all";
  button.textContent = "Copy all code";
  const status = document.createElement("span");
  status.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    try {
      await copy(textOf(script.href));
      status.textContent = " Copied.";
    } catch {
      status.textContent = " Not allowed here: take the script instead.";
    }
  });
  script.after(" · ", button, status);
}
