// @ts-check
// A recorded run of the book's GPT, played when it comes into sight: the text as it is
// written, and what else might come at each place. A button makes it live: the model is
// loaded and goes on from there. Without scripts, what stands in the element is shown.

import { GptClient, SHIPPED } from "../playground/gpt-client.js";
import { bar, button, stylesheet, Trouble, visible } from "../playground/panel.js";
import { loadRecording, Player } from "../playground/replay.js";
import { element } from "../reader/element.js";

/** @import { Part } from "../playground/gpt-client.js" */
/** @import { Recording } from "../playground/replay.js" */

const PER_SECOND = 12; // tokens that are played
const LIVE = 250; // tokens that the model writes

class GptReplay extends HTMLElement {
  #client = new GptClient();
  #trouble = new Trouble();
  #text = element("p", { class: "replay-text" });
  #choices = element("div", { class: "replay-choices", "aria-hidden": "true" });
  #play = button("Pause", () => this.#toggle());
  #live = button("Let the model go on, here", () => this.#goLive());
  #status = element("p", { class: "play-status", role: "status" });
  /** @type {Recording | undefined} */
  #recording;
  /** @type {Player | undefined} */
  #player;
  #isLive = false;

  async connectedCallback() {
    if (this.#player) return;
    try {
      this.#recording = await loadRecording();
    } catch {
      return; // what stands in the element stays
    }
    stylesheet();
    const { tokens } = this.#recording;
    this.#player = new Player(tokens.length, (place) => this.#draw(place), PER_SECOND);
    const name = "A small GPT writes, a character at a time";
    this.replaceChildren(
      element(
        "figure",
        { class: "replay", role: "group", "aria-label": name },
        this.#text,
        this.#choices,
        this.#trouble.box,
        element("div", { class: "play-bar" }, this.#live, this.#play),
        this.#status,
      ),
    );
    this.#live.className = "main";
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.#player.finish();
    else this.#playInSight();
  }

  disconnectedCallback() {
    this.#player?.pause();
    this.#client.close("its page was left");
  }

  #playInSight() {
    const watcher = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watcher.disconnect();
      this.#player?.play();
    });
    watcher.observe(this);
    this.#player?.draw(0);
  }

  #toggle() {
    if (this.#isLive) this.#client.call("stop", {});
    else if (this.#player?.isPlaying) this.#player.pause();
    else this.#player?.play();
  }

  /** @param {number} place how many tokens are written */
  #draw(place) {
    const { prompt, tokens } = /** @type {Recording} */ (this.#recording);
    const text = tokens.slice(0, place).map(([token]) => token);
    this.#text.replaceChildren(element("b", {}, prompt + text.join("")));
    this.#list(tokens[Math.min(place, tokens.length - 1)][1]);
    const player = this.#player;
    const again = player?.isOver ? "Play again" : "Play";
    this.#play.textContent = player?.isPlaying ? "Pause" : again;
  }

  /** @param {[string, number][]} choices */
  #list(choices) {
    const rows = choices.slice(0, 5);
    this.#choices.replaceChildren(
      ...rows.flatMap(([token, share]) => [
        element("span", {}, visible(token)),
        bar(share),
      ]),
    );
  }

  /** The model goes on from what is written. */
  async #goLive() {
    const { prompt, seed, sampling, tokens } = /** @type {Recording} */ (
      this.#recording
    );
    this.#trouble.clear();
    this.#player?.pause();
    const place = this.#player?.place ?? 0;
    const written = tokens.slice(0, place).map(([token]) => token);
    let text = prompt + written.join("");
    this.#live.disabled = true;
    this.#status.textContent = "Loading the model (1.7 MB) …";
    try {
      const { pieces } = await this.#client.call("open", { url: SHIPPED });
      const ids = await this.#client.call("encode", { text });
      this.#isLive = true;
      this.#play.textContent = "Stop";
      const given = { ids, sampling, seed, count: LIVE, stop: "", perSecond: 0 };
      const hear = (/** @type {Part} */ part) => {
        text += part.tokens.map(({ id }) => pieces[id]).join("");
        this.#text.replaceChildren(element("b", {}, text));
        const found = part.last?.choices ?? [];
        this.#list(found.map(({ id, model }) => [pieces[id], model]));
      };
      const { made, seconds } = await this.#client.call("write", given, hear);
      const rate = Math.round(made / Math.max(seconds, 0.001)).toLocaleString("en");
      this.#status.textContent = `${made} tokens, ${rate} a second in this browser.`;
    } catch (error) {
      this.#status.textContent = "";
      this.#trouble.show(error, () => this.#goLive());
    }
    this.#isLive = false;
    this.#live.disabled = false;
    this.#play.textContent = "Play again";
    if (this.#player) this.#player.place = this.#player.length; // over
  }
}

customElements.define("gpt-replay", GptReplay);
