// @ts-check
// Random numbers from a seed, so that a run can be repeated.

/** A generator by Bob Jenkins ("small fast", 32 bits). */
export class Random {
  #state = new Uint32Array([0xf1ea5eed, 0, 0, 0]);

  /** @param {number} seed */
  constructor(seed) {
    this.#state.fill(seed, 1);
    for (let n = 0; n < 20; n++) this.#next();
  }

  #next() {
    const s = this.#state;
    const turned = (/** @type {number} */ x, /** @type {number} */ by) =>
      (x << by) | (x >>> (32 - by));
    const first = s[0] - turned(s[1], 27);
    s[0] = s[1] ^ turned(s[2], 17);
    s[1] = s[2] + s[3];
    s[2] = s[3] + first;
    s[3] = first + s[0];
    return s[3];
  }

  /** In [0, 1). */
  uniform() {
    return this.#next() / 2 ** 32;
  }

  /** One of 0 … count - 1. @param {number} count */
  below(count) {
    return Math.floor(this.uniform() * count);
  }

  /** From the normal distribution (Box and Muller). */
  normal() {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
}
