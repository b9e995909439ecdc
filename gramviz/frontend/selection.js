// Selections of trajectories.

/** The indices of the trajectories, by letter of their series. @typedef {Record<string, number[]>} Selection */

/**
 * A selection changed by some trajectories: replaced, added to, or taken from.
 * @param {Selection} selected
 * @param {import("./types.js").Trajectory[]} paths
 * @param {{add?: boolean, remove?: boolean}} how
 */
export function changeSelection(selected, paths, { add = false, remove = false }) {
  /** @type {Selection} */
  const next = {};
  const touched = new Set(paths.map(([letter, path]) => `${letter} ${path}`));
  if (add || remove)
    for (const [letter, list] of Object.entries(selected))
      next[letter] = list.filter((path) => !(remove && touched.has(`${letter} ${path}`)));
  if (!remove) for (const [letter, path] of paths) next[letter] = [...(next[letter] ?? []), path];
  return next;
}
