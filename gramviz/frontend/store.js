// The one state. Everything on screen is a function of (payload, state, transient); parts never talk to each other.
//
// `set` changes the state (saved, undoable, sent to the kernel when it has settled), `poke` the transient rest (hover,
// playing, drag), which is never saved. Both only note what changed; one frame later the parts that read it are updated.

import { contract } from "./contract.js";
import { stateRules } from "./state.js";

const SETTLE = 150; // ms without change
const APART = 250; // ms between two messages: at most four a second

/**
 * What is never saved. Its keys are those of `poke`, and the other half of what a part can read.
 * @typedef {object} Transient
 * @property {import("./types.js").Hover | null} hover what is pointed at
 * @property {boolean} playing
 * @property {number} fraction of the way to the next step, while playing
 * @property {boolean} down whether a gesture is going on: nothing settles meanwhile
 * @property {string | null} open the open menu or sheet
 * @property {boolean} lasso whether the next drag on the map is a lasso
 * @property {any} drag what a gesture draws: a box on a lane, a lasso
 * @property {boolean} presenter
 * @property {boolean} blank
 * @property {number | null} from where a loop begins whose end is not chosen yet
 * @property {Record<number, number> | null} edit while the puzzle is edited: position -> token typed there
 * @property {string[]} tall the lanes that are shown high
 * @property {number | null} limit while a quiz asks: the last step that may be shown
 * @property {boolean} asking whether a quiz waits for its answer
 * @property {string} reply what the quiz says of the last answer
 * @property {string | null} said what an action had to say
 * @property {string} copied a text that the clipboard refused
 * @property {boolean} filming
 * @property {boolean} printing
 */
/** @type {Readonly<Transient>} */
const TRANSIENT = Object.freeze({
  hover: null,
  playing: false,
  fraction: 0,
  down: false,
  open: null,
  lasso: false,
  drag: null,
  presenter: false,
  blank: false,
  from: null,
  edit: null,
  tall: [],
  limit: null,
  asking: false,
  reply: "",
  said: null,
  copied: "",
  filming: false,
  printing: false,
});

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/**
 * @param save called with the settled state, at most four times a second
 * @param warn called with a sentence where a saved value had to be changed or a key is unknown
 */
export function createStore(payload, saved, { save, warn }) {
  const last = () => transient.limit ?? payload.steps - 1;
  const { start, narrow, legal } = stateRules(payload, last, warn);
  const listeners = new Set();
  const past = [];
  const future = [];
  let transient = TRANSIENT;
  let state = Object.freeze(legal(saved ?? {}));
  let settled = state;
  let timer = null;
  let sentAt = -Infinity;

  function replace(next, cause) {
    const keys = Object.keys(next).filter((key) => !same(next[key], state[key]));
    if (!keys.length) return;
    state = Object.freeze(next);
    for (const listen of listeners) listen(keys);
    if (cause === "kernel") settled = state;
    else arm();
  }

  function arm() {
    clearTimeout(timer);
    if (transient.playing || transient.down) return;
    timer = setTimeout(settle, Math.max(SETTLE, sentAt + APART - performance.now()));
  }

  function settle() {
    timer = null;
    if (same(state, settled)) return;
    past.push(settled);
    if (past.length > contract.limits.undo) past.shift();
    future.length = 0;
    publish();
  }

  function publish() {
    settled = state;
    sentAt = performance.now();
    save(state);
    for (const listen of listeners) listen(["settled"]);
  }

  /** One step along the undo list; what is not yet settled counts as a step of its own. */
  function travel(from, to) {
    clearTimeout(timer);
    if (from === past && !same(state, settled)) settle();
    if (!from.length) return;
    to.push(state);
    const next = from.pop();
    const keys = Object.keys(next).filter((key) => !same(next[key], state[key]));
    state = next;
    for (const listen of listeners) listen(keys);
    publish();
  }

  return {
    payload,
    start,
    get state() {
      return state;
    },
    /** The last step that may be shown: while a quiz asks, the future is hidden. */
    get last() {
      return last();
    },
    get veiled() {
      return transient.limit !== null;
    },
    get transient() {
      return transient;
    },
    set(patch, cause = "user") {
      replace(narrow(state, patch), cause);
    },
    /** The whole state, as a kernel or a link gives it; what it leaves out takes its default. */
    load(raw) {
      replace(legal(raw ?? {}), "kernel");
    },
    poke(patch) {
      const keys = Object.keys(patch).filter((key) => !same(patch[key], transient[key]));
      if (!keys.length) return;
      transient = Object.freeze({ ...transient, ...patch });
      for (const listen of listeners) listen(keys);
      // Starting to play or drag also calls off what was about to settle; ending it begins the wait anew.
      if (keys.includes("playing") || keys.includes("down")) arm();
    },
    listen(listener) {
      listeners.add(listener);
    },
    /** What is about to settle, at once: before a question, so that the answer starts from it. */
    flush() {
      if (timer === null) return;
      clearTimeout(timer);
      settle();
    },
    undo() {
      travel(past, future);
    },
    redo() {
      travel(future, past);
    },
    dispose() {
      clearTimeout(timer);
      listeners.clear();
    },
  };
}
