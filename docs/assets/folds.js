// @ts-check
// The colours of folded code, when it is opened.

/**
 * Folded code is plain text until it is opened: most of it never is, and each colour
 * costs an element.
 * @param {Element} code with a note of its colours: `k4 3 nf6`, class and length
 */
function paint(code) {
  const text = code.textContent ?? "";
  let at = 0;
  const runs = (code.getAttribute("data-colours") ?? "").split(" ").map((run) => {
    const colour = run.replace(/\d+$/, "");
    const piece = text.slice(at, (at += Number(run.slice(colour.length))));
    if (!colour) return piece;
    const span = document.createElement("span");
    span.className = colour;
    span.textContent = piece;
    return span;
  });
  code.removeAttribute("data-colours");
  code.replaceChildren(...runs);
}
/** @param {Element} fold */
export function paintAll(fold) {
  fold.querySelectorAll("code[data-colours]").forEach(paint);
}
