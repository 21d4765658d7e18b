// @ts-check
// Definitions beside the terms of the glossary: a style shows them on hover and focus.
// Here, Escape closes one, and a finger's first tap opens it and stays on the page.

export {};

/** @param {Element} box */
function close(box) {
  box.classList.remove("is-open");
  box.classList.add("is-closed");
}

for (const box of document.querySelectorAll(".with-definition")) {
  const link = /** @type {HTMLElement} */ (box.querySelector("a.term"));
  let byTouch = false;
  link.addEventListener("pointerdown", (event) => {
    byTouch = event.pointerType === "touch";
  });
  link.addEventListener("click", (event) => {
    if (!byTouch || box.classList.contains("is-open")) return;
    event.preventDefault();
    box.classList.remove("is-closed");
    box.classList.add("is-open");
  });
  for (const kind of ["pointerleave", "focusout"]) {
    box.addEventListener(kind, () => box.classList.remove("is-closed"));
  }
}

addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const box of document.querySelectorAll(".with-definition")) {
    if (box.matches(":hover, :focus-within, .is-open")) close(box);
  }
});
addEventListener("pointerdown", ({ target }) => {
  for (const box of document.querySelectorAll(".with-definition.is-open")) {
    const isInside = target instanceof Node && box.contains(target);
    if (!isInside) box.classList.remove("is-open");
  }
});
