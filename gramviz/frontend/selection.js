// Selections of trajectories.

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
