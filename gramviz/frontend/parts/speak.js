// The polite live region: a sentence when something has settled, a short one now and then while playing.

import { make } from "../dom.js";
import { shownTrajectory } from "../groups.js";
import { detailsSentence } from "../sentences.js";
import { address } from "../steps.js";
import { words } from "../words.js";

const SPEECH_GAP = 2000; // ms between two announcements while playing

/** @param {import("../registry.js").Context} context @returns {import("../registry.js").Part} */
export function createSpeaker({ payload, store }) {
  const element = make("div", { class: "away", role: "status", "aria-live": "polite" });
  const { lead } = payload;
  let spokenAt = -Infinity;
  /** @type {number | null} */
  let block = null; // the supervision step that was announced

  /** @param {string} text */
  function say(text) {
    if (text !== element.textContent) element.textContent = text;
  }

  function announceStep() {
    const { step } = store.state.cursor;
    const name = lead.supervision_step[Math.min(step, lead.steps - 1)];
    if (name === block || performance.now() - spokenAt < SPEECH_GAP) return;
    [block, spokenAt] = [name, performance.now()];
    const [series, trajectory] = shownTrajectory(payload, store.state);
    const conflicts = series.curves.conflicts
      ? `, ${words.faults(series.curve("conflicts", trajectory, step), payload.board.ruled)}`
      : "";
    say(`${words.time.step(address(payload, step))}${conflicts}`);
  }

  return {
    name: "speak",
    reads: ["said", "settled", "cursor"],
    element,
    update(changed) {
      const { said, playing } = store.transient;
      if (changed.has("said") && said !== null) element.textContent = said; // the same again is read aloud again
      if (changed.has("settled")) say(detailsSentence(payload, store.state, store.transient, store.veiled));
      if (playing && changed.has("cursor")) announceStep();
    },
  };
}
