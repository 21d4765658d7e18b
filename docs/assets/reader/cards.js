// @ts-check
// When a flash card comes back, by FSRS (Ye et al., 2022), and which one is next.
// No DOM.

import { createEmptyCard, fsrs } from "../vendor/ts-fsrs.js";
import { LATEST, MOST_REPS } from "./schema.js";
import { dayOf, tomorrow } from "./time.js";

/** @import { Card } from "./types.js" */

const REVIEW = 2; // the state of a card that is past its first minutes
const AHEAD = 20 * 60_000; // with nothing else to do, a card may come so much earlier
/** @type {Record<string, string>} */
export const GRADES = { 1: "Again", 2: "Hard", 3: "Good", 4: "Easy" };

// no chance in it: the button says what will happen
const scheduler = fsrs({ enable_fuzz: false, maximum_interval: 365 });

/**
 * A card after a rating from 1 (forgotten) to 4 (easy).
 *
 * Where the clock has gone back behind the last rating, no time has passed since then.
 * @param {Card | undefined} old
 * @param {number} grade
 * @param {number} now
 * @returns {Card}
 */
export function rate(old, grade, now) {
  if (!Object.hasOwn(GRADES, grade)) {
    throw new RangeError(`grade=${grade}: it must be 1, 2, 3 or 4`);
  }
  now = Math.min(Math.max(now, 0), LATEST);
  const before = createEmptyCard(new Date(now));
  if (old) {
    Object.assign(before, {
      due: new Date(old.due),
      last_review: new Date(Math.min(old.last, now)),
      reps: old.reps,
      lapses: old.lapses,
      scheduled_days: old.interval ?? 0,
      state: old.state ?? REVIEW,
      learning_steps: old.step ?? 0,
      stability: old.stability ?? 1,
      difficulty: old.difficulty ?? 5,
    });
  }
  const { card } = scheduler.next(before, new Date(now), /** @type {any} */ (grade));
  return {
    due: Math.min(card.due.getTime(), LATEST),
    last: now,
    first: old ? (old.first ?? old.last) : now,
    reps: Math.min(card.reps, MOST_REPS),
    lapses: Math.min(card.lapses, MOST_REPS),
    interval: card.scheduled_days,
    state: card.state,
    step: card.learning_steps,
    stability: card.stability,
    difficulty: card.difficulty,
  };
}

/**
 * What to show next, and how much there is.
 *
 * Cards of the first minutes come when they are due; others on their day; then new
 * ones, as many as the day allows; then, early, those that are due within 20 minutes.
 * A card that was rated on a later day than today is due: the clock has gone back.
 * @param {string[]} ids of the cards to choose from, in their order
 * @param {Record<string, Card>} cards what is known of cards, these and others
 * @param {number} perDay how many new cards a day may bring
 * @param {number} now
 */
export function queue(ids, cards, perDay, now) {
  const started = Object.values(cards).filter(
    (c) => dayOf(c.first ?? c.last) === dayOf(now),
  );
  const known = ids.filter((id) => Object.hasOwn(cards, id));
  const unseen = ids.filter((id) => !Object.hasOwn(cards, id));
  const early = known.filter((id) => (cards[id].state ?? REVIEW) !== REVIEW);
  const midnight = tomorrow(now);
  const isDue = (/** @type {string} */ id) =>
    cards[id].last >= midnight ||
    (early.includes(id) ? cards[id].due <= now : cards[id].due < midnight);
  const byDue = (/** @type {string} */ a, /** @type {string} */ b) =>
    cards[a].due - cards[b].due;
  const due = [
    ...early.filter(isDue).sort(byDue),
    ...known.filter((id) => !early.includes(id) && isDue(id)).sort(byDue),
  ];
  const fresh = unseen.slice(0, Math.max(0, perDay - started.length));
  const waiting = known.filter((id) => !isDue(id)).sort(byDue);
  const soon = waiting.filter(
    (id) => early.includes(id) && cards[id].due <= now + AHEAD,
  );
  const next = waiting.length ? cards[waiting[0]].due : undefined;
  return {
    id: [...due, ...fresh, ...soon].at(0),
    due: due.length + soon.length,
    fresh: fresh.length,
    unseen: unseen.length,
    next,
  };
}
