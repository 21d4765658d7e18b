// @ts-check
// The types of plan.json, which the build writes. Browsers never load this file.

/**
 * @typedef {object} Task
 * @property {string} id
 * @property {string} title
 * @property {number} minutes
 * @property {boolean} optional whether the day is done without it
 * @property {string} url below the site, as `/llm/day-3/llama/`
 */
/**
 * @typedef {object} Day
 * @property {string} id such as `llm-3`
 * @property {string} track
 * @property {number} number from 1
 * @property {string} title
 * @property {string} url
 * @property {Task[]} tasks
 */
/** @typedef {{id: string, title: string, url: string}} Track */
/**
 * `pages`: the title of each page by its address below the site, in the book's order.
 * @typedef {{tracks: Track[], days: Day[], pages: Record<string, string>}} Plan
 */

export {};
