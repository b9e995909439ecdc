// The one state. Everything on screen is a function of (payload, state, transient); parts never talk to each other.
//
// `set` changes the state (saved, undoable, sent to the kernel when it has settled), `poke` the transient rest (hover,
// playing, drag), which is never saved. Both only note what changed; the parts are updated in the next frame.

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
 * @property {number[][] | null} edges of the graph that is typed
 * @property {import("./branchtypes.js").BranchRow[]} tree the branches, as the kernel keeps them
 * @property {import("./branchtypes.js").Effect | null} effect of patching each cell, as the kernel found it
 * @property {number | null} limit while a quiz asks: the last step that may be shown
 * @property {boolean} asking whether a quiz waits for its answer
 * @property {string} reply what the quiz says of the last answer
 * @property {string | null} said what an action had to say
 * @property {string} copied a text that the clipboard refused
 * @property {Record<string, number>} scrolled how far each sheet of pictures is scrolled, px
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
  edges: null,
  tree: [],
  effect: null,
  limit: null,
  asking: false,
  reply: "",
  said: null,
  copied: "",
  scrolled: {},
  filming: false,
  printing: false,
});

/** @typedef {import("./types.js").State} State */
/** @typedef {Readonly<State>} Settled */
/** @typedef {ReturnType<typeof createStore>} Store */
/** @typedef {(keys: string[]) => void} Listener */

/** @param {unknown} a @param {unknown} b */
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/**
 * The keys whose values are not those of another object.
 * @template {object} T
 * @param {Partial<T>} next
 * @param {T} before
 */
const changedKeys = (next, before) =>
  /** @type {(keyof T & string)[]} */ (Object.keys(next)).filter((key) => !same(next[key], before[key]));

/**
 * Saves what has settled, and steps back and forth among what was saved.
 * @param {object} host
 * @param {() => Settled} host.current
 * @param {() => boolean} host.isBusy whether nothing may settle now
 * @param {(state: Settled) => void} host.show puts a saved state back
 * @param {(state: Settled) => void} host.save
 */
function createJournal({ current, isBusy, show, save }) {
  /** @type {Settled[]} */
  const past = [];
  /** @type {Settled[]} */
  const future = [];
  let settled = current();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let sentAt = -Infinity;

  function publish() {
    settled = current();
    sentAt = performance.now();
    save(settled);
  }

  function settle() {
    timer = undefined;
    if (same(current(), settled)) return;
    past.push(settled);
    if (past.length > contract.limits.undo) past.shift();
    future.length = 0;
    publish();
  }

  /**
   * One step along the undo list; what is not yet settled counts as a step of its own.
   * @param {Settled[]} from
   * @param {Settled[]} to
   */
  function travel(from, to) {
    clearTimeout(timer);
    if (from === past && !same(current(), settled)) settle();
    const next = from.pop();
    if (!next) return;
    to.push(current());
    show(next);
    publish();
  }

  return {
    /** Begins the wait anew. */
    arm() {
      clearTimeout(timer);
      if (!isBusy()) timer = setTimeout(settle, Math.max(SETTLE, sentAt + APART - performance.now()));
    },
    /** What is shown now is saved elsewhere already. */
    adopt() {
      settled = current();
    },
    flush() {
      if (timer === undefined) return;
      clearTimeout(timer);
      settle();
    },
    undo: () => travel(past, future),
    redo: () => travel(future, past),
    dispose: () => clearTimeout(timer),
  };
}

/**
 * What is shown now, and who is shown when it changes.
 * @param {import("./types.js").Payload} payload
 * @param {unknown} saved the state to open with
 * @param {(sentence: string) => void} warn
 */
function createHolder(payload, saved, warn) {
  const last = () => transient.limit ?? payload.steps - 1;
  const { start, narrow, legal } = stateRules(payload, last, warn);
  /** @type {Set<Listener>} */
  const listeners = new Set();
  let transient = TRANSIENT;
  /** @type {Settled} */
  let state = Object.freeze(legal(saved));
  /** @param {string[]} keys */
  function notify(keys) {
    for (const listen of listeners) listen(keys);
  }
  return {
    start,
    last,
    narrow,
    legal,
    listeners,
    notify,
    state: () => state,
    transient: () => transient,
    /** Returns whether anything differs. @param {Settled} next */
    replace(next) {
      const keys = changedKeys(next, state);
      if (!keys.length) return false;
      state = Object.freeze(next);
      notify(keys);
      return true;
    },
    /** Returns the keys that differ. @param {Partial<Transient>} patch @returns {string[]} */
    poke(patch) {
      const keys = changedKeys(patch, transient);
      transient = Object.freeze({ ...transient, ...patch });
      if (keys.length) notify(keys);
      return keys;
    },
  };
}

/**
 * @param {import("./types.js").Payload} payload
 * @param {unknown} saved the state to open with
 * @param {object} host
 * @param {(state: Settled) => void} host.save called with the settled state, at most four times a second
 * @param {(sentence: string) => void} host.warn called where a saved value had to be changed or a key is unknown
 */
export function createStore(payload, saved, { save, warn }) {
  const { start, last, narrow, legal, listeners, notify, state, transient, replace, poke } = createHolder(
    payload,
    saved,
    warn,
  );
  const journal = createJournal({
    current: state,
    isBusy: () => transient().playing || transient().down,
    show: replace,
    save(settled) {
      save(settled);
      notify(["settled"]);
    },
  });
  return {
    payload,
    start,
    get state() {
      return state();
    },
    /** The last step that may be shown: while a quiz asks, the future is hidden. */
    get last() {
      return last();
    },
    get veiled() {
      return transient().limit !== null;
    },
    get transient() {
      return transient();
    },
    /** @param {Partial<State>} patch */
    set(patch) {
      if (replace(narrow(state(), patch))) journal.arm();
    },
    /** The whole state, as a kernel or a link gives it; what it leaves out takes its default. */
    load(/** @type {unknown} */ raw) {
      if (replace(legal(raw))) journal.adopt();
    },
    /** @param {Partial<Transient>} patch */
    poke(patch) {
      // Starting to play or drag also calls off what was about to settle; ending it begins the wait anew.
      if (poke(patch).some((key) => key === "playing" || key === "down")) journal.arm();
    },
    listen: (/** @type {Listener} */ listener) => void listeners.add(listener),
    /** What is about to settle, at once: before a question, so that the answer starts from it. */
    flush: journal.flush,
    undo: journal.undo,
    redo: journal.redo,
    dispose() {
      journal.dispose();
      listeners.clear();
    },
  };
}
