// @ts-check
// Days and spans of time, as readers see them: by the clock of their own place.

/**
 * The day of a moment, so that later days sort later: `2026-11-25`.
 * @param {number} at in milliseconds since 1970
 */
export function dayOf(at) {
  const date = new Date(at);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return parts.map((part) => `${part}`.padStart(2, "0")).join("-");
}

/**
 * The first moment of the next day.
 * @param {number} at
 */
export function tomorrow(at) {
  const date = new Date(at);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime();
}

/**
 * A day in words: `25 November 2026`.
 * @param {number} at
 */
export function spoken(at) {
  const form = /** @type {const} */ ({
    day: "numeric",
    month: "long",
    year: "numeric",
  });
  return new Date(at).toLocaleDateString("en-GB", form);
}

/**
 * A span of time, in the largest unit that fits: `10 min`, `3 days`, `4 months`.
 * @param {number} span in milliseconds
 */
export function length(span) {
  const minutes = Math.max(1, Math.round(span / 60_000));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  if (hours < 24) return hours === 1 ? "1 hour" : `${hours} hours`;
  const days = Math.round(hours / 24);
  if (days < 60) return days === 1 ? "1 day" : `${days} days`;
  return days < 365 ? `${Math.round(days / 30)} months` : "a year";
}
