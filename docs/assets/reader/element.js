// @ts-check
// Small helps for building a part of a page.

/**
 * An element with attributes and what it holds. An attribute that is `false` is left
 * out, one that is `true` is written without a value.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | boolean>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** The styles of questions and cards, where the template has not asked for them. */
export function stylesheet() {
  const href = new URL("./practice.css", import.meta.url).href;
  if ([...document.querySelectorAll("link")].some((link) => link.href === href)) return;
  document.head.append(element("link", { rel: "stylesheet", href }));
}
