// The one state. Everything on screen is a function of (payload, state, transient); parts never talk to each other.
//
// `set` changes the state (saved, undoable, sent to the kernel when it has settled), `poke` the transient rest (hover,
// playing, drag), which is never saved. Both only note what changed; one frame later the parts that read it are updated.

import { representative } from "./groups.js";
import { legalTurn } from "./turn.js";
import { words } from "./words.js";

const SETTLE = 150; // ms without change
const APART = 250; // ms between two messages: at most four a second
const UNDO = 50;
const AUTOMATIC = 4; // chapters that a rollout without a lesson has at most
const LANES = ["certainty", "conflicts", "drift", "changed", "halt", "value", "kl", "spread"];
const LAYERS = ["halo", "labels", "landscape", "cloud", "hulls", "trail", "truth", "explain"];

export const laneNames = LANES;
export const layerNames = LAYERS;

/** The state that a payload opens with: the final step, complete and legible, nothing selected. */
export function initialState(payload) {
  const widest = payload.runs.reduce((best, run) => (run.n > best.n ? run : best), payload.runs[0]);
  const [first] = payload.runs;
  const lanes = ["certainty", "conflicts", "drift"].filter((name) => payload.runs.some((run) => run.curves[name]));
  return {
    v: 1,
    puzzle: payload.puzzle,
    cursor: { step: payload.steps - 1, low: null },
    focus: [widest.letter, representative(widest)],
    // One path beside many is what a comparison looks at: it stays in ink.
    pinned: payload.runs.length > 1 && first.n === 1 && widest !== first ? [first.letter, 0] : null,
    selected: {},
    hidden: [],
    cells: [],
    token: null,
    brush: null,
    range: null,
    board: "focus",
    color_by: payload.runs.some((run) => run.valid) ? "outcome" : "answer",
    answers_at: "final",
    tree: false,
    basis: payload.meta.default_basis ?? payload.bases[0]?.name ?? null,
    dims: 2,
    camera: null,
    turn: null,
    layers: ["halo", "labels", "landscape"],
    lanes,
    speed: 4,
    loop: false,
    theme: "auto",
    motion: "auto",
    panel: "board",
    chapter: null,
  };
}

const within = (value, low, high) => Math.min(high, Math.max(low, Math.round(Number(value) || 0)));
const oneOf = (value, allowed, fallback) => (allowed.includes(value) ? value : fallback);
const listOf = (value, allowed) => (Array.isArray(value) ? allowed.filter((name) => value.includes(name)) : []);

/** One checker per key: the nearest legal value. Saved views come from files, so nothing is taken on trust. */
function checkers(payload, start, limit) {
  const letters = payload.runs.map((run) => run.letter);
  const path = (value, fallback) => {
    const run = payload.runs.find((candidate) => candidate.letter === value?.[0]);
    return run ? [run.letter, within(value[1], 0, run.n - 1)] : fallback;
  };
  const steps = (value) => within(value, 0, limit() ?? payload.steps - 1);
  const finite = (values) => values.every(Number.isFinite);
  return {
    v: () => 1,
    puzzle: () => payload.puzzle,
    cursor: (value) => {
      const step = steps(value?.step);
      const most = payload.lead.low_steps ?? 0;
      return { step, low: value?.low && most && step > 0 ? within(value.low, 1, most) : null };
    },
    focus: (value) => path(value, start.focus),
    pinned: (value) => path(value, null),
    selected: (value) => {
      const chosen = {};
      for (const run of payload.runs) {
        const list = [
          ...new Set(
            (value?.[run.letter] ?? []).filter((index) => Number.isInteger(index) && index >= 0 && index < run.n),
          ),
        ];
        if (list.length) chosen[run.letter] = list.sort((a, b) => a - b);
      }
      return chosen;
    },
    hidden: (value) => {
      const hidden = listOf(value, letters);
      return hidden.length === letters.length ? [] : hidden;
    },
    cells: (value) =>
      Array.isArray(value)
        ? [...new Set(value)].filter((cell) => Number.isInteger(cell) && cell >= 0 && cell < payload.board.size)
        : [],
    token: (value) => (Number.isInteger(value) && payload.board.tokens[value] ? value : null),
    brush: (value) => {
      if (value?.kind === "lasso" && Array.isArray(value.points) && finite(value.points.flat())) return value;
      if (value?.kind === "box" && LANES.includes(value.lane) && finite([...(value.x ?? [NaN]), ...(value.y ?? [NaN])]))
        return value;
      return null;
    },
    range: (value) => {
      if (!Array.isArray(value)) return null;
      const [from, to] = value.map(steps).sort((a, b) => a - b);
      return to > from ? [from, to] : null;
    },
    board: (value) => oneOf(value, ["focus", "differ", "all", ...letters], "focus"),
    color_by: (value) =>
      oneOf(value, ["outcome", "answer", "run", "value", "certainty", "step", "cell"], start.color_by),
    answers_at: (value) => oneOf(value, ["final", "cursor"], "final"),
    tree: Boolean,
    basis: (value) =>
      oneOf(
        value,
        payload.bases.map((basis) => basis.name),
        start.basis,
      ),
    dims: (value) => oneOf(value, [2, 3], 2),
    camera: (value) =>
      value && finite([value.x, value.y, value.k])
        ? { x: value.x, y: value.y, k: Math.min(20, Math.max(0.5, value.k)) }
        : null,
    turn: (value) => (Array.isArray(value) && value.length === 2 && finite(value) ? legalTurn(value) : null),
    layers: (value) => listOf(value, LAYERS),
    lanes: (value) => (Array.isArray(value) ? [...new Set(value)].filter((name) => LANES.includes(name)) : []),
    speed: (value) => oneOf(value, [1, 2, 4, 8, 16], 4),
    loop: Boolean,
    theme: (value) => oneOf(value, ["auto", "light", "dark"], "auto"),
    motion: (value) => oneOf(value, ["auto", "calm"], "auto"),
    panel: (value) => oneOf(value, ["board", "map", "answers"], "board"),
    chapter: (value) =>
      Number.isInteger(value) ? within(value, 0, (payload.lesson?.chapters.length ?? AUTOMATIC) - 1) : null,
  };
}

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
  const start = initialState(payload);
  const check = checkers(payload, start, () => transient.limit);
  const listeners = new Set();
  const past = [];
  const future = [];
  let transient = TRANSIENT;
  let state = Object.freeze(legal(saved ?? {}));
  let settled = state;
  let timer = null;
  let sentAt = -Infinity;

  function legal(raw) {
    const next = { ...start };
    for (const [key, value] of Object.entries(raw)) {
      if (!check[key]) warn(`unknown key of the state: ${key}`);
      else next[key] = check[key](value);
      if (check[key] && value !== null && ["focus", "cursor"].includes(key) && !same(next[key], value))
        warn(words.clamped(key));
    }
    return consistent(next);
  }

  /** Keys that lean on each other: a colour of a cell needs a cell. */
  function consistent(next) {
    return next.color_by === "cell" && !next.cells.length ? { ...next, color_by: start.color_by } : next;
  }

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
    if (past.length > UNDO) past.shift();
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
      return transient.limit ?? payload.steps - 1;
    },
    get veiled() {
      return transient.limit !== null;
    },
    get transient() {
      return transient;
    },
    set(patch, cause = "user") {
      const next = { ...state };
      for (const [key, value] of Object.entries(patch)) {
        if (check[key]) next[key] = check[key](value);
        else warn(`unknown key of the state: ${key}`);
      }
      replace(consistent(next), cause);
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
