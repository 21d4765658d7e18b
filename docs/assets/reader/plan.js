// @ts-check
// The plan as the build wrote it, and addresses within the site.

/** @import { Plan } from "./plan-types.js" */

/** @type {Promise<Plan> | undefined} */
let loading;

/** The plan; fetched once.
 * @returns {Promise<Plan>} */
export function loadPlan() {
  loading ??= fetch(new URL("plan.json", import.meta.url)).then((answer) => {
    if (!answer.ok) throw new Error(`plan.json: ${answer.status}`);
    return answer.json();
  });
  return loading;
}

/** The full address of `/llm/day-3/llama/`, wherever the site stands.
 * @param {string} url */
export function addressOf(url) {
  return new URL(`../..${url}`, import.meta.url).href;
}
