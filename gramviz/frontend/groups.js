// "Color by": divides the paths into groups, each with a color, a shape and a dash. Pure; the same for map, curves, answers.

import { placeName, tokenLabel } from "./cells.js";
import { contract } from "./contract.js";
import { percent } from "./text.js";
import { words } from "./words.js";

const { roles } = contract;
const OUTCOMES = [
  { key: "wrong", color: roles.wrong, shape: "cross", dash: [5, 3] },
  { key: "correct", color: roles.correct, shape: "dot", dash: [] },
  { key: "unfinished", color: roles.unfinished, shape: "ring", dash: [1, 3] },
  { key: "unknown", color: roles.unknown, shape: "diamond", dash: [] },
  { key: "drawn", color: roles.drawn, shape: "diamond", dash: [] },
];
const CATEGORIES = contract.categories;
const BUCKETS = 5;

export const outcomeShape = (outcome) => OUTCOMES[outcome].shape;
export const outcomeColor = (outcome) => OUTCOMES[outcome].color;

/** What the menu offers: [[key, label], ...]; a variable that was not recorded is absent. */
export function colorChoices(payload, state) {
  const has = (name) => payload.runs.some((run) => run.curves[name]);
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
 */
export function colorGroups(payload, state) {
  const { step } = state.cursor;
  const groups = [];
  const place = new Map();
  const group = (key, style) => {
    if (!place.has(key)) place.set(key, groups.push({ key, dash: [], ...style }) - 1);
    return place.get(key);
  };
  const pick = {
    outcome: (run, path) => {
      const outcome = run.outcome(path);
      return group(outcome, { ...OUTCOMES[outcome], label: words.outcomes[outcome] });
    },
    answer: (run, path) => {
      const id = run.final(path);
      const known = id < CATEGORIES.length;
      return group(known ? id : "rest", {
        label: known ? (payload.answers[id]?.letter ?? "") : words.answers.others(2).slice(2),
        color: known ? CATEGORIES[id] : roles.none,
      });
    },
    run: (run) => group(run.letter, { label: run.letter, color: CATEGORIES[run.index] }),
    // Along time a path runs through the whole ramp; its head has the color of the cursor.
    step: () => group("step", { label: words.colors.step, color: payload.steps > 1 ? step / (payload.steps - 1) : 0 }),
    cell: (run, path) => {
      const token = run.tokens(path, step)[state.cells[0]];
      const order = payload.board.tokens
        .map((_, id) => id)
        .filter((id) => !payload.board.blank.includes(id) || payload.board.tokens.length < 4);
      const at = order.indexOf(token);
      return group(token, {
        label: tokenLabel(payload.board, token),
        color:
          at >= 0 && at < CATEGORIES.length && order.length <= CATEGORIES.length
            ? CATEGORIES[at]
            : order.length > 1 && at >= 0
              ? at / (order.length - 1)
              : roles.none,
      });
    },
  };
  const ramp = (name) => (run, path) => {
    const value = run.curve(name, path, step);
    if (!Number.isFinite(value)) return group("none", { label: "–", color: roles.none });
    const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.floor(value * BUCKETS)));
    return group(bucket, {
      label: `${percent(bucket / BUCKETS, 0)} to ${percent((bucket + 1) / BUCKETS, 0)}`,
      color: bucket / (BUCKETS - 1),
    });
  };
  const choose = pick[state.color_by] ?? ramp(state.color_by);
  const of = {};
  for (const run of payload.runs) of[run.letter] = Uint8Array.from({ length: run.n }, (_, path) => choose(run, path));
  return { groups, of };
}

/** How a path stands out: what the map, lanes and marks all obey. */
export const HIDDEN = 0;
export const GREY = 1; // not selected, or hidden by a filter: grey
export const FAINT = 2; // another path is being pointed at
export const PLAIN = 3;

/** For each run, the emphasis of each path, given selection, hidden runs and what is pointed at. */
export function emphasis(payload, state, hover) {
  const selecting = Object.values(state.selected).some((list) => list.length);
  const shown = shownPath(payload, state, hover);
  const pointed = pointedAt(payload, state, hover, shown);
  const of = {};
  for (const run of payload.runs) {
    const chosen = new Set(state.selected[run.letter] ?? []);
    of[run.letter] = Uint8Array.from({ length: run.n }, (_, path) => {
      if (state.hidden.includes(run.letter)) return HIDDEN;
      if (pointed) return pointed(run, path) ? PLAIN : FAINT;
      return selecting && !chosen.has(path) ? GREY : PLAIN;
    });
  }
  return of;
}

/** Which paths the pointer speaks of: one path, an answer, or those that agree in a cell; null where it rests. */
function pointedAt(payload, state, hover, shown) {
  if (!hover) return null;
  const { step } = state.cursor;
  if (hover.path) return (run, path) => run.letter === hover.path[0] && path === hover.path[1];
  if (hover.paths) return (run, path) => run.letter === hover.run && hover.paths.includes(path);
  if (hover.answers)
    return (run, path) =>
      hover.answers.includes(state.answers_at === "final" ? run.final(path) : run.answer(path, step));
  if (hover.part === "board" && hover.cell !== undefined) {
    const token = shown[0].tokens(shown[1], step)[hover.cell];
    return (run, path) => run.tokens(path, step)[hover.cell] === token;
  }
  return null;
}

export const runOf = (payload, letter) => payload.runs.find((run) => run.letter === letter);

/** The path whose board is shown: [run, path]. Pointing previews, the board's tab decides, else it is the focus. */
export function shownPath(payload, state, hover = null) {
  if (hover?.path) return [runOf(payload, hover.path[0]), hover.path[1]];
  if (hover?.preview) return [runOf(payload, hover.preview[0]), hover.preview[1]];
  const run = runOf(payload, state.board);
  if (!run || run.letter === state.focus[0]) return [runOf(payload, state.focus[0]), state.focus[1]];
  return [run, state.pinned?.[0] === run.letter ? state.pinned[1] : representative(run)];
}

/** The path with which "A ≠ B" compares the shown one: the pinned one, else one of another run; null if there is none. */
export function otherPath(payload, state) {
  if (state.pinned && String(state.pinned) !== String(state.focus))
    return [runOf(payload, state.pinned[0]), state.pinned[1]];
  const run = payload.runs.find((candidate) => candidate.letter !== state.focus[0]);
  return run ? [run, representative(run)] : null;
}

/** The path whose board at a step differs least from this one's: {run, path, distance}, or null where there is no other. */
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
      for (let cell = 0; cell < mine.length; cell += 1) distance += mine[cell] !== theirs[cell];
      if (!best || distance < best.distance) best = { run: other, path: index, distance };
    }
  }
  return best;
}

/** The path that stands for a run: the first that ends in its most frequent answer, which is what a majority vote takes. */
export function representative(run) {
  const counts = new Map();
  for (let path = 0; path < run.n; path += 1) counts.set(run.final(path), (counts.get(run.final(path)) ?? 0) + 1);
  const [answer] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0];
  let path = 0;
  while (run.final(path) !== answer) path += 1;
  return path;
}

/** The paths that "All" speaks of: the selection, else every path of the focused run. */
export function crowd(payload, state) {
  const chosen = payload.runs.flatMap((run) => (state.selected[run.letter] ?? []).map((path) => [run, path]));
  if (chosen.length) return chosen;
  const run = runOf(payload, state.focus[0]);
  return Array.from({ length: run.n }, (_, path) => [run, path]);
}
