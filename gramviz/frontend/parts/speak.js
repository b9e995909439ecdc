// The polite live region: a sentence when something has settled, a short one now and then while playing.

import { detailsSentence } from "./details.js";
import { make } from "../dom.js";
import { runOf, shownPath } from "../groups.js";
import { address } from "../steps.js";
import { words } from "../words.js";

const SPEECH_GAP = 2000; // ms between two announcements while playing

export function createSpeaker(app) {
  const { payload, store } = app;
  const el = make("div", { class: "away", role: "status", "aria-live": "polite" });
  let last = "";
  let spokenAt = -Infinity;
  let block = null;

  const say = (text) => {
    if (text === last) return;
    last = text;
    el.textContent = text;
  };

  return {
    el,
    say,
    /** Also on demand (key S): the state in full. */
    state() {
      last = "";
      say(detailsSentence(payload, store.state, store.transient, store.veiled));
    },
    update(keys) {
      if (keys.has("settled")) say(detailsSentence(payload, store.state, store.transient, store.veiled));
      if (!store.transient.playing || !keys.has("cursor")) return;
      const { step } = store.state.cursor;
      const name = payload.lead.supervision_step[Math.min(step, payload.lead.steps - 1)];
      if (name === block || performance.now() - spokenAt < SPEECH_GAP) return;
      [block, spokenAt] = [name, performance.now()];
      const [run, path] = shownPath(payload, store.state);
      const conflicts = runOf(payload, run.letter).curves.conflicts
        ? `, ${words.faults(run.curve("conflicts", path, step), payload.board.ruled)}`
        : "";
      say(`${words.time.step(address(payload, step))}${conflicts}`);
    },
  };
}
