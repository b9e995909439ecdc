// Playing: turns frames into steps. The speed is data, so motion between transitions is linear and never eased.

/** @import { Store } from "./store.js" */
/** @import { State } from "./types.js" */

const WAIT = 600; // ms at the end before a loop starts again
const CALM = 2; // transitions per second at most with calm motion

/** Whether motion is to be avoided, by the view or by the reader's system. @param {State} state */
export const isCalm = (state) => state.motion === "calm" || matchMedia("(prefers-reduced-motion: reduce)").matches;

/** @param {Store} store */
export function createClock(store) {
  let before = /** @type {number | null} */ (null); // time of the last frame
  let waited = 0;
  let progress = 0; // share of the way to the next transition
  const last = () => store.state.range?.[1] ?? store.last;
  const first = () => store.state.range?.[0] ?? 0;

  return {
    play() {
      if (store.payload.steps < 2) return;
      const { step } = store.state.cursor;
      if (step >= last() || step < first() || store.state.cursor.low !== null)
        store.set({ cursor: { step: step >= last() || step < first() ? first() : step, low: null } });
      before = null;
      waited = 0;
      progress = 0;
      store.poke({ playing: true, fraction: 0, hover: null });
    },
    pause() {
      store.poke({ playing: false, fraction: 0 });
    },
    get moving() {
      return store.transient.playing;
    },
    /** One frame. Long gaps (a hidden tab) count as one short frame: nothing jumps when the page comes back. */
    tick(/** @type {number} */ now) {
      if (!store.transient.playing) {
        before = null;
        return;
      }
      const passed = before === null ? 0 : Math.min(100, now - before);
      before = now;
      const { step } = store.state.cursor;
      if (step >= last()) {
        waited += passed;
        if (!store.state.loop) this.pause();
        else if (waited >= WAIT) {
          waited = 0;
          store.set({ cursor: { step: first(), low: null } });
        }
        return;
      }
      const calm = isCalm(store.state);
      const speed = calm ? Math.min(CALM, store.state.speed) : store.state.speed;
      progress += (passed * speed) / 1000;
      const whole = Math.floor(progress);
      progress -= whole;
      const to = Math.min(last(), step + whole);
      if (whole) store.set({ cursor: { step: to, low: null } });
      // With calm motion the heads jump per transition.
      store.poke({ fraction: calm || to >= last() ? 0 : progress });
    },
  };
}
