// "Color by": divides the trajectories into groups, each with a color, a shape and a dash. Pure; the same for map,
// curves, answers.

import { placeName, tokenLabel } from "./cells.js";
import { contract } from "./contract.js";
import { percent } from "./text.js";
import { words } from "./words.js";

/** @import { ColorGroup, ColorGroups, ColorToken, Emphasis, Grouping, Hover, Payload, Series } from "./types.js" */
/** @import { Shape, State, Trajectory, Who } from "./types.js" */

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

const [CORRECT, UNFINISHED] = [1, 2];

/** Whether a trajectory is wrong and settles at no answer. @param {Series} series @param {number} trajectory */
const isHomeless = (series, trajectory) =>
  series.outcome(trajectory) < UNFINISHED &&
  series.outcome(trajectory) !== CORRECT &&
  series.lane(trajectory, series.steps - 1) < 0;

/** The mark of a trajectory on a map of answers: hollow where it settles at none.
 * @param {Series} series @param {number} trajectory */
export const laneShape = (series, trajectory) =>
  isHomeless(series, trajectory) ? "ring" : outcomeShape(series.outcome(trajectory));

/** @param {number} outcome */
export const outcomeShape = (outcome) => OUTCOMES[outcome].shape;
/** @param {number} outcome */
export const outcomeColor = (outcome) => OUTCOMES[outcome].color;

/** What the menu offers: [[key, label], ...]; a variable that was not recorded is absent.
 * @param {Payload} payload @param {State} state */
export function colorChoices(payload, state) {
  const has = (/** @type {string} */ name) => payload.series.some((series) => series.curves[name]);
  const ofAnswers = [
    ["outcome", words.colors.outcome],
    ["answer", words.colors.answer],
  ];
  const choices = payload.bare ? [] : ofAnswers;
  if (payload.series.length > 1) choices.push(["series", words.colors.series]);
  if (has("value")) choices.push(["value", words.colors.value]);
  if (has("certainty")) choices.push(["certainty", words.colors.certainty]);
  choices.push(["step", words.colors.step]);
  if (state.cells.length) choices.push(["cell", words.colors.cell(placeName(payload.board, state.cells[0]))]);
  return choices;
}

/**
 * The groups, and for each series the group of each trajectory: {groups: [{label, color, dash}], of: {A: Uint8Array}}.
 * `color` is the name of a theme token, or a number 0..1 on the sequential ramp.
 * @param {Payload} payload @param {State} state @returns {ColorGroups}
 */
export function colorGroups(payload, state) {
  const groups = /** @type {ColorGroup[]} */ ([]);
  const place = /** @type {Map<string | number, number>} */ (new Map());
  const choose = GROUPINGS[state.color_by] ?? byCurve(state.color_by);
  const groupOf = (/** @type {Series} */ series, /** @type {number} */ trajectory) => {
    const group = { dash: [], ...choose(series, trajectory, payload, state) };
    const known = place.get(group.key) ?? groups.push(group) - 1;
    place.set(group.key, known);
    return known;
  };
  const lists = payload.series.map((series) =>
    Uint8Array.from({ length: series.n }, (_, trajectory) => groupOf(series, trajectory)),
  );
  return { groups, of: Object.fromEntries(payload.series.map((series, index) => [series.letter, lists[index]])) };
}

/** The group of a trajectory, by what it is colored by. @type {Record<string, Grouping>} */
const GROUPINGS = {
  outcome: (/** @type {Series} */ series, /** @type {number} */ trajectory) => ({
    ...OUTCOMES[series.outcome(trajectory)],
    label: words.outcomes[series.outcome(trajectory)],
  }),
  lane: (/** @type {Series} */ series, /** @type {number} */ trajectory) => {
    if (isHomeless(series, trajectory) || series.outcome(trajectory) === UNFINISHED)
      return { ...OUTCOMES[UNFINISHED], label: words.map.homeless };
    return { ...OUTCOMES[series.outcome(trajectory)], label: words.outcomes[series.outcome(trajectory)] };
  },
  answer: (/** @type {Series} */ series, /** @type {number} */ trajectory, /** @type {Payload} */ payload) => {
    const id = series.final(trajectory);
    return id < CATEGORIES.length
      ? { key: id, label: payload.answers[id]?.letter ?? "", color: CATEGORIES[id] }
      : { key: "rest", label: words.answers.others(2).slice(2), color: roles.none };
  },
  series: (/** @type {Series} */ series) => ({
    key: series.letter,
    label: series.letter,
    color: CATEGORIES[series.index],
  }),
  // Along time a trajectory runs through the whole ramp; its head has the color of the cursor.
  step: (_series, _trajectory, { steps }, { cursor: { step } }) => ({
    key: "step",
    label: words.colors.step,
    color: steps > 1 ? step / (steps - 1) : 0,
  }),
  cell: (/** @type {Series} */ series, /** @type {number} */ trajectory, { board }, { cursor: { step }, cells }) => {
    const token = series.tokens(trajectory, step)[cells[0]];
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
  (series, trajectory, _payload, { cursor }) => {
    const value = series.curve(name, trajectory, cursor.step);
    if (!Number.isFinite(value)) return { key: "none", label: "–", color: roles.none };
    const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.floor(value * BUCKETS)));
    return {
      key: bucket,
      label: `${percent(bucket / BUCKETS, 0)} to ${percent((bucket + 1) / BUCKETS, 0)}`,
      color: bucket / (BUCKETS - 1),
    };
  };

/** How a trajectory stands out: what the map, lanes and marks all obey. */
export const HIDDEN = 0;
export const GRAY = 1; // not selected: gray, thin and small
export const FAINT = 2; // another trajectory is being pointed at
export const PLAIN = 3;
export const SELECTED = 4; // thick, its head in a ring

/** For each series, the emphasis of each trajectory, given selection, hidden series and what is pointed at.
 * @param {Payload} payload @param {State} state @param {Hover | null} hover @returns {Emphasis} */
export function emphasis(payload, state, hover) {
  const selecting = Object.values(state.selected).some((list) => list.length);
  const shown = shownTrajectory(payload, state, hover);
  const pointed = pointedAt(state, hover, shown);
  const of = /** @type {Emphasis} */ ({});
  for (const series of payload.series) {
    const chosen = new Set(state.selected[series.letter] ?? []);
    of[series.letter] = Uint8Array.from({ length: series.n }, (_, trajectory) => {
      if (state.hidden.includes(series.letter)) return HIDDEN;
      const strong = chosen.has(trajectory) ? SELECTED : PLAIN;
      // One that is pointed at is drawn by itself: it need not hide what is selected.
      if (pointed && !(selecting && hover?.trajectory)) return pointed(series, trajectory) ? strong : FAINT;
      return selecting && strong === PLAIN ? GRAY : strong;
    });
  }
  return of;
}

/** Which trajectories the pointer speaks of: one trajectory, an answer, or those that agree in a cell; null where it
 * rests.
 * @param {State} state @param {Hover | null} hover @param {Who} shown
 * @returns {((series: Series, trajectory: number) => boolean) | null} */
function pointedAt(state, hover, shown) {
  if (!hover) return null;
  const { trajectory: one, members, answers, cell } = hover;
  const { step } = state.cursor;
  if (one) return (series, trajectory) => series.letter === one[0] && trajectory === one[1];
  if (members) return (series, trajectory) => Boolean(members[series.letter]?.includes(trajectory));
  if (answers)
    return (series, trajectory) =>
      answers.includes(state.answers_at === "final" ? series.final(trajectory) : series.answer(trajectory, step));
  if (hover.part === "board" && cell !== undefined) {
    const token = shown[0].tokens(shown[1], step)[cell];
    return (series, trajectory) => series.tokens(trajectory, step)[cell] === token;
  }
  return null;
}

/** The series of a letter that is shown. @param {Payload} payload @param {string} letter */
export const seriesOf = (payload, letter) =>
  /** @type {Series} */ (payload.series.find((series) => series.letter === letter));

/** The series that are not hidden. @param {Payload} payload @param {Pick<State, "hidden">} state */
export const visibleSeries = (payload, { hidden }) => payload.series.filter(({ letter }) => !hidden.includes(letter));

/** Every trajectory of some series. @param {Series[]} list */
export const allOf = (list) =>
  list.flatMap((series) => Array.from({ length: series.n }, (_, k) => /** @type {Who} */ ([series, k])));

/** A trajectory, by its series. @param {Payload} payload @param {Trajectory} name @returns {Who} */
export const whoIs = (payload, [letter, trajectory]) => [seriesOf(payload, letter), trajectory];

/** The trajectory whose board is shown: [series, trajectory]. Pointing previews, the board's tab decides, else it is
 * the focus.
 * @param {Payload} payload @param {State} state @param {Hover | null} [hover] @returns {Who} */
export function shownTrajectory(payload, state, hover = null) {
  if (hover?.trajectory) return whoIs(payload, hover.trajectory);
  if (hover?.preview) return whoIs(payload, hover.preview);
  const series = payload.series.find(({ letter }) => letter === state.board);
  if (!series || series.letter === state.focus[0]) return whoIs(payload, state.focus);
  return [series, state.pinned?.[0] === series.letter ? state.pinned[1] : representative(series)];
}

/** The trajectory with which "A ≠ B" compares the shown one: the pinned one, else one of another series; null if
 * there is none.
 * @param {Payload} payload @param {State} state @returns {Who | null} */
export function otherTrajectory(payload, state) {
  if (state.pinned && String(state.pinned) !== String(state.focus)) return whoIs(payload, state.pinned);
  const series = payload.series.find((candidate) => candidate.letter !== state.focus[0]);
  return series ? [series, representative(series)] : null;
}

/** The trajectory whose board at a step differs least from this one's: {series, trajectory, distance}, or null where
 * there is no other.
 * @param {Payload} payload @param {State} state @param {Series} series @param {number} trajectory */
export function nearestTrajectory(payload, state, series, trajectory) {
  const { step } = state.cursor;
  const mine = series.tokens(trajectory, step);
  let best = null;
  for (const other of visibleSeries(payload, state)) {
    for (let index = 0; index < other.n; index += 1) {
      if (other === series && index === trajectory) continue;
      const theirs = other.tokens(index, step);
      let distance = 0;
      for (let cell = 0; cell < mine.length; cell += 1) distance += Number(mine[cell] !== theirs[cell]);
      if (!best || distance < best.distance) best = { series: other, trajectory: index, distance };
    }
  }
  return best;
}

/** The most frequent final answer of a series, and how often it is reached.
 * @param {Series} series @returns {[number, number]} */
export function majority(series) {
  const counts = new Map();
  for (let trajectory = 0; trajectory < series.n; trajectory += 1)
    counts.set(series.final(trajectory), (counts.get(series.final(trajectory)) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0];
}

/** The trajectory that stands for a series: the first that ends in its most frequent answer, which is what a majority
 * vote takes.
 * @param {Series} series */
export function representative(series) {
  const [answer] = majority(series);
  let trajectory = 0;
  while (series.final(trajectory) !== answer) trajectory += 1;
  return trajectory;
}

/** The trajectories that "All" speaks of: the selection, else every trajectory of the focused series.
 * @param {Payload} payload @param {State} state @returns {Who[]} */
export function crowd(payload, state) {
  const chosen = payload.series.flatMap((series) =>
    (state.selected[series.letter] ?? []).map((trajectory) => /** @type {Who} */ ([series, trajectory])),
  );
  if (chosen.length) return chosen;
  return allOf([seriesOf(payload, state.focus[0])]);
}
