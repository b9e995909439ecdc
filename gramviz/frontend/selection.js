// Selections of trajectories.

import { visibleSeries } from "./groups.js";
import { words } from "./words.js";

/** The indices of the trajectories, by letter of their series. @typedef {Record<string, number[]>} Selection */

/**
 * A selection changed by some trajectories: replaced, added to, or taken from.
 * @param {Selection} selected
 * @param {import("./types.js").Trajectory[]} trajectories
 * @param {{add?: boolean, remove?: boolean}} how
 */
export function changeSelection(selected, trajectories, { add = false, remove = false }) {
  /** @type {Selection} */
  const next = {};
  const touched = new Set(trajectories.map(([letter, trajectory]) => `${letter} ${trajectory}`));
  if (add || remove)
    for (const [letter, list] of Object.entries(selected))
      next[letter] = list.filter((trajectory) => !(remove && touched.has(`${letter} ${trajectory}`)));
  if (!remove) for (const [letter, trajectory] of trajectories) next[letter] = [...(next[letter] ?? []), trajectory];
  return next;
}

/** "9 of 50 selected: 7 right".
 * @param {import("./types.js").Payload} payload @param {import("./types.js").State} state */
export function selectionSentence(payload, state) {
  const visible = visibleSeries(payload, state);
  const all = visible.reduce((sum, { n }) => sum + n, 0);
  const judged = visible.every(({ valid }) => valid);
  let [count, right] = [0, 0];
  for (const series of payload.series)
    for (const trajectory of state.selected[series.letter] ?? []) {
      count += 1;
      right += Number(series.outcome(trajectory) === 1);
    }
  return words.select.count(count, all, judged ? right : null);
}
