// "Color by": divides the paths into groups, each with a color, a shape and a dash. Pure; the same for map, curves,
// answers.

import { placeName, tokenLabel } from "./cells.js";
import { contract } from "./contract.js";
import { percent } from "./text.js";
import { words } from "./words.js";

/** @import { ColorGroup, ColorGroups, ColorToken, Emphasis, Grouping, Hover, Payload, Series } from "./types.js" */
/** @import { Shape, State, Who } from "./types.js" */

const { roles } = contract;
/** @type {{ key: string, color: ColorToken, shape: Shape, dash: number[] }[]} */
const OUTCOMES = [
  { key: "wrong", color: roles.wrong, shape: "cross", dash: [5, 3] },
  { key: "correct", color: roles.correct, shape: "dot", dash: [] },
  { key: "unfinished", color: roles.unfinished, shape: "ring", dash: [1, 3] },
  { key: "unknown", color: roles.unknown, shape: "diamond", dash: [] },
  { key: "drawn", color: roles.drawn, shape: "diamond", dash: [] },
];
const CATEGORIES = contract.categories;
const BUCKETS = 5;

/** @param {number} outcome */
export const outcomeShape = (outcome) => OUTCOMES[outcome].shape;
/** @param {number} outcome */
export const outcomeColor = (outcome) => OUTCOMES[outcome].color;

/** What the menu offers: [[key, label], ...]; a variable that was not recorded is absent.
 * @param {Payload} payload @param {State} state */
export function colorChoices(payload, state) {
  const has = (/** @type {string} */ name) => payload.runs.some((run) => run.curves[name]);
  const choices = [
    ["outcome", words.colors.outcome],
    ["answer", words.colors.answer],
  ];
  if (payload.runs.length > 1) choices.push(["run", words.colors.run]);
  if (has("value")) choices.push(["value", words.colors.value]);
  if (has("certainty")) choices.push(["certainty", words.colors.certainty]);
  choices.push(["step", words.colors.step]);
  if (state.cells.length) choices.push(["cell", words.colors.cell(placeName(payload.board, state.cells[0]))]);
  return choices;
}

/**
 * The groups, and for each run the group of each path: {groups: [{label, color, dash}], of: {A: Uint8Array}}.
 * `color` is the name of a theme token, or a number 0..1 on the sequential ramp.
 * @param {Payload} payload @param {State} state @returns {ColorGroups}
 */
export function colorGroups(payload, state) {
  const groups = /** @type {ColorGroup[]} */ ([]);
  const place = /** @type {Map<string | number, number>} */ (new Map());
  const choose = GROUPINGS[state.color_by] ?? byCurve(state.color_by);
  const groupOf = (/** @type {Series} */ run, /** @type {number} */ path) => {
    const group = { dash: [], ...choose(run, path, payload, state) };
    const known = place.get(group.key) ?? groups.push(group) - 1;
    place.set(group.key, known);
    return known;
  };
  const lists = payload.runs.map((run) => Uint8Array.from({ length: run.n }, (_, path) => groupOf(run, path)));
  return { groups, of: Object.fromEntries(payload.runs.map((run, index) => [run.letter, lists[index]])) };
}

/** The group of a trajectory, by what it is colored by. @type {Record<string, Grouping>} */
const GROUPINGS = {
  outcome: (/** @type {Series} */ run, /** @type {number} */ path) => ({
    ...OUTCOMES[run.outcome(path)],
    label: words.outcomes[run.outcome(path)],
  }),
  answer: (/** @type {Series} */ run, /** @type {number} */ path, /** @type {Payload} */ payload) => {
    const id = run.final(path);
    return id < CATEGORIES.length
      ? { key: id, label: payload.answers[id]?.letter ?? "", color: CATEGORIES[id] }
      : { key: "rest", label: words.answers.others(2).slice(2), color: roles.none };
  },
  run: (/** @type {Series} */ run) => ({ key: run.letter, label: run.letter, color: CATEGORIES[run.index] }),
  // Along time a path runs through the whole ramp; its head has the color of the cursor.
  step: (_run, _path, { steps }, { cursor: { step } }) => ({
    key: "step",
    label: words.colors.step,
    color: steps > 1 ? step / (steps - 1) : 0,
  }),
  cell: (/** @type {Series} */ run, /** @type {number} */ path, { board }, { cursor: { step }, cells }) => {
    const token = run.tokens(path, step)[cells[0]];
    const order = [...board.tokens.keys()].filter((id) => !board.blank.includes(id) || board.tokens.length < 4);
    const at = order.indexOf(token);
    const few = order.length <= CATEGORIES.length;
    const ramp = order.length > 1 ? at / (order.length - 1) : roles.none;
    return { key: token, label: tokenLabel(board, token), color: at < 0 ? roles.none : few ? CATEGORIES[at] : ramp };
  },
};

/** Groups by the value of a curve, a fifth of the way from 0 to 1 each. @param {string} name @returns {Grouping} */
const byCurve =
  (name) =>
  (run, path, _payload, { cursor }) => {
    const value = run.curve(name, path, cursor.step);
    if (!Number.isFinite(value)) return { key: "none", label: "–", color: roles.none };
    const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.floor(value * BUCKETS)));
    return {
      key: bucket,
      label: `${percent(bucket / BUCKETS, 0)} to ${percent((bucket + 1) / BUCKETS, 0)}`,
      color: bucket / (BUCKETS - 1),
    };
  };

/** How a path stands out: what the map, lanes and marks all obey. */
export const HIDDEN = 0;
export const GRAY = 1; // not selected, or hidden by a filter: gray
export const FAINT = 2; // another path is being pointed at
export const PLAIN = 3;

/** For each run, the emphasis of each path, given selection, hidden runs and what is pointed at.
 * @param {Payload} payload @param {State} state @param {Hover | null} hover @returns {Emphasis} */
export function emphasis(payload, state, hover) {
  const selecting = Object.values(state.selected).some((list) => list.length);
  const shown = shownPath(payload, state, hover);
  const pointed = pointedAt(state, hover, shown);
  const of = /** @type {Emphasis} */ ({});
  for (const run of payload.runs) {
    const chosen = new Set(state.selected[run.letter] ?? []);
    of[run.letter] = Uint8Array.from({ length: run.n }, (_, path) => {
      if (state.hidden.includes(run.letter)) return HIDDEN;
      if (pointed) return pointed(run, path) ? PLAIN : FAINT;
      return selecting && !chosen.has(path) ? GRAY : PLAIN;
    });
  }
  return of;
}

/** Which paths the pointer speaks of: one path, an answer, or those that agree in a cell; null where it rests.
 * @param {State} state @param {Hover | null} hover @param {Who} shown
 * @returns {((run: Series, path: number) => boolean) | null} */
function pointedAt(state, hover, shown) {
  if (!hover) return null;
  const { path: one, paths, answers, cell } = hover;
  const { step } = state.cursor;
  if (one) return (run, path) => run.letter === one[0] && path === one[1];
  if (paths) return (run, path) => run.letter === hover.run && paths.includes(path);
  if (answers)
    return (run, path) => answers.includes(state.answers_at === "final" ? run.final(path) : run.answer(path, step));
  if (hover.part === "board" && cell !== undefined) {
    const token = shown[0].tokens(shown[1], step)[cell];
    return (run, path) => run.tokens(path, step)[cell] === token;
  }
  return null;
}

/** The series of a letter that is shown. @param {Payload} payload @param {string} letter */
export const runOf = (payload, letter) => /** @type {Series} */ (payload.runs.find((run) => run.letter === letter));

/** The path whose board is shown: [run, path]. Pointing previews, the board's tab decides, else it is the focus.
 * @param {Payload} payload @param {State} state @param {Hover | null} [hover] @returns {Who} */
export function shownPath(payload, state, hover = null) {
  if (hover?.path) return [runOf(payload, hover.path[0]), hover.path[1]];
  if (hover?.preview) return [runOf(payload, hover.preview[0]), hover.preview[1]];
  const run = payload.runs.find(({ letter }) => letter === state.board);
  if (!run || run.letter === state.focus[0]) return [runOf(payload, state.focus[0]), state.focus[1]];
  return [run, state.pinned?.[0] === run.letter ? state.pinned[1] : representative(run)];
}

/** The path with which "A ≠ B" compares the shown one: the pinned one, else one of another run; null if there is none.
 * @param {Payload} payload @param {State} state @returns {Who | null} */
export function otherPath(payload, state) {
  if (state.pinned && String(state.pinned) !== String(state.focus))
    return [runOf(payload, state.pinned[0]), state.pinned[1]];
  const run = payload.runs.find((candidate) => candidate.letter !== state.focus[0]);
  return run ? [run, representative(run)] : null;
}

/** The path whose board at a step differs least from this one's: {run, path, distance}, or null where there is no
 * other.
 * @param {Payload} payload @param {State} state @param {Series} run @param {number} path */
export function nearestPath(payload, state, run, path) {
  const { step } = state.cursor;
  const mine = run.tokens(path, step);
  let best = null;
  for (const other of payload.runs) {
    if (state.hidden.includes(other.letter)) continue;
    for (let index = 0; index < other.n; index += 1) {
      if (other === run && index === path) continue;
      const theirs = other.tokens(index, step);
      let distance = 0;
      for (let cell = 0; cell < mine.length; cell += 1) distance += Number(mine[cell] !== theirs[cell]);
      if (!best || distance < best.distance) best = { run: other, path: index, distance };
    }
  }
  return best;
}

/** The path that stands for a run: the first that ends in its most frequent answer, which is what a majority vote
 * takes.
 * @param {Series} run */
export function representative(run) {
  const counts = new Map();
  for (let path = 0; path < run.n; path += 1) counts.set(run.final(path), (counts.get(run.final(path)) ?? 0) + 1);
  const [answer] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0];
  let path = 0;
  while (run.final(path) !== answer) path += 1;
  return path;
}

/** The paths that "All" speaks of: the selection, else every path of the focused run.
 * @param {Payload} payload @param {State} state @returns {Who[]} */
export function crowd(payload, state) {
  const chosen = payload.runs.flatMap((run) =>
    (state.selected[run.letter] ?? []).map((path) => /** @type {Who} */ ([run, path])),
  );
  if (chosen.length) return chosen;
  const run = runOf(payload, state.focus[0]);
  return Array.from({ length: run.n }, (_, path) => [run, path]);
}
