// The keys of the state: what a payload opens with, and what of a saved state it can show. Pure; gramviz.state in
// Python.

import { contract, fits } from "./contract.js";
import { representative } from "./groups.js";
import { puzzleOrders } from "./puzzles.js";
import { legalTurn } from "./turn.js";
import { words } from "./words.js";

/** @import { Payload, Schema, State, StateRules, Trajectory } from "./types.js" */

/** The curves and the layers that a payload may have, those of further variables last. @param {Payload} payload */
export const laneNames = ({ extra, series }) => [
  ...contract.defs.curve.enum,
  ...Object.keys(extra).filter((name) => series.some(({ curves }) => curves[name])),
];
/** @param {Payload} payload */
export const layerNames = ({ extra, series }) => [
  ...contract.defs.layer.enum,
  ...Object.keys(extra).filter((name) => series.some(({ layers }) => layers[name])),
];

const LANES = 5; // that a page opens with

const SCHEMAS = /** @type {Record<string, Schema>} */ (contract.state);

/** The state that a payload opens with: the final step, complete and legible, nothing selected.
 * @param {Payload} payload @returns {State} */
export function initialState(payload) {
  const widest = payload.series.reduce((best, series) => (series.n > best.n ? series : best), payload.series[0]);
  const [first] = payload.series;
  const lanes = ["certainty", "conflicts", "drift", ...laneNames(payload).filter((name) => payload.extra[name])]
    .filter((name) => payload.series.some((series) => series.curves[name]))
    .slice(0, LANES);
  return {
    v: contract.state.v.enum[0],
    puzzle: payload.puzzle,
    cursor: { step: payload.steps - 1, low: null },
    focus: [widest.letter, representative(widest)],
    // One trajectory beside many is what a comparison looks at: it stays in ink.
    pinned: payload.series.length > 1 && first.n === 1 && widest !== first ? [first.letter, 0] : null,
    selected: {},
    hidden: [],
    cells: [],
    token: null,
    brush: null,
    range: null,
    board: "focus",
    color_by: payload.bare ? "step" : payload.series.some((series) => series.valid) ? "outcome" : "answer",
    answers_at: "final",
    basis: payload.meta.default_basis ?? payload.bases[0]?.name ?? null,
    dims: 2,
    camera: null,
    turn: null,
    layers: ["halo", "labels"],
    lanes,
    speed: 4,
    loop: false,
    theme: "auto",
    motion: "auto",
    panel: payload.bare ? "map" : "board",
    folded: null,
    sizes: {},
    tall: payload.bases.length ? [] : lanes, // nothing else is shown
    sheet: null,
    puzzles_by: "index",
    samples_by: "answer",
    chapter: null,
  };
}

/** @param {number} value @param {number} low @param {number} high */
const within = (value, low, high) => Math.min(high, Math.max(low, Math.round(value)));

/** What stands where a state should, from a link, a file or a kernel: its keys, none if it is no object.
 * @param {unknown} found @returns {Record<string, unknown>} */
export const recordOf = (found) =>
  typeof found === "object" && found !== null && !Array.isArray(found)
    ? /** @type {Record<string, unknown>} */ (found)
    : {};

/** Keys that depend on the payload, each with the nearest value that it can show; the others stay as they are.
 * @param {Payload} payload @param {State} start @param {() => number} last @returns {StateRules} */
function narrowing(payload, start, last) {
  const letters = payload.series.map((series) => series.letter);
  /** @param {Trajectory | null} value */
  const trajectory = (value) => {
    const series = payload.series.find((candidate) => candidate.letter === value?.[0]);
    return series && value ? /** @type {Trajectory} */ ([series.letter, within(value[1], 0, series.n - 1)]) : null;
  };
  return {
    puzzle: () => payload.puzzle,
    cursor: ({ step: wanted, low }) => {
      const step = within(wanted, 0, last());
      const most = payload.lead.low_steps ?? 0;
      return { step, low: low && most && step > 0 ? within(low, 1, most) : null };
    },
    focus: (value) => trajectory(value) ?? start.focus,
    pinned: trajectory,
    selected: (value) => {
      const lists = payload.series.map((series) => {
        const inside = (value[series.letter] ?? []).filter((index) => index >= 0 && index < series.n);
        return /** @type {const} */ ([series.letter, [...new Set(inside)].sort((a, b) => a - b)]);
      });
      return Object.fromEntries(lists.filter(([, list]) => list.length));
    },
    hidden: (value) => {
      const hidden = letters.filter((letter) => value.includes(letter));
      return hidden.length === letters.length ? [] : hidden;
    },
    cells: (value) => [...new Set(value)].filter((cell) => cell >= 0 && cell < payload.board.size),
    token: (value) => (value !== null && payload.board.tokens[value] ? value : null),
    range: (value) => {
      const [from, to] = (value ?? []).map((step) => within(step, 0, last())).sort((a, b) => a - b);
      return to > from ? [from, to] : null;
    },
    board: (value) => (["focus", "differ", "all", ...letters].includes(value) ? value : "focus"),
    basis: (value) => (payload.bases.some((basis) => basis.name === value) ? value : start.basis),
    camera: (value) => value && { ...value, k: Math.min(20, Math.max(0.5, value.k)) },
    turn: (value) => value && legalTurn(value),
    layers: (value) => layerNames(payload).filter((name) => value.includes(name)),
    lanes: (value) => [...new Set(value)],
    folded: (value) => value && [...new Set(value)],
    sizes: (value) => Object.fromEntries(Object.entries(value).map(([name, share]) => [name, Math.min(1, share)])),
    tall: (value) => [...new Set(value)],
    sheet: (value) => (value === "puzzles" && !payload.list ? null : value),
    puzzles_by: (value) =>
      payload.list && puzzleOrders(payload.list).some(([key]) => key === value) ? value : "index",
    chapter: (value) => {
      const chapters = payload.lesson?.chapters.length ?? contract.limits.automatic_chapters;
      return value === null ? null : within(value, 0, chapters - 1);
    },
  };
}

/**
 * What the state of a payload may become: `narrow` takes a patch, `legal` a whole state from a file, link or kernel.
 * Nothing is taken on trust: a value that no view can have is left out, with a sentence.
 * @param {Payload} payload @param {() => number} last the last step that may be shown
 * @param {(sentence: string) => void} warn
 */
export function stateRules(payload, last, warn) {
  const start = initialState(payload);
  const rules = /** @type {Record<string, (value: unknown) => unknown>} */ (narrowing(payload, start, last));

  /** @param {State} state @param {Record<string, unknown>} patch @returns {State} */
  function narrow(state, patch) {
    const next = { ...state };
    for (const [key, value] of Object.entries(patch))
      if (!Object.hasOwn(SCHEMAS, key)) warn(words.unknownKey(key));
      else if (!fits(value, SCHEMAS[key])) warn(words.refused(key));
      else Object.assign(next, { [key]: rules[key] ? rules[key](value) : value });
    // A color of a cell needs a cell.
    return next.color_by === "cell" && !next.cells.length ? { ...next, color_by: start.color_by } : next;
  }

  /** @param {unknown} found @returns {State} */
  function legal(found) {
    const raw = recordOf(found);
    if (raw !== found && found !== null && found !== undefined) warn(words.noState);
    const state = narrow(start, raw);
    for (const key of /** @type {const} */ (["focus", "cursor"]))
      if (key in raw && JSON.stringify(state[key]) !== JSON.stringify(raw[key])) warn(words.clamped(key));
    return state;
  }

  return { start, narrow, legal };
}
