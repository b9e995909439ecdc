// How the trajectories of a series separate: from the common start to its answers, joined two by two. Pure. The
// semantics are those of gramviz.measure.branching; both are checked against tests/vectors/branching.json.

import { firstCell, ownSince } from "./steps.js";

/** @import { Series } from "./types.js" */

/** Some trajectories, up to the state `at` together; a leaf has no parts.
 * @typedef {{ trajectories: number[], parts: Branch[], at: number }} Branch */
/**
 * @typedef {object} PlacedBranch
 * @property {number[]} trajectories
 * @property {PlacedBranch[]} parts
 * @property {PlacedBranch | null} parent
 * @property {number} from the state at which it leaves its parent
 * @property {number} at
 * @property {number} level of a leaf its rank from above, of others the mean of their parts
 */

/**
 * The trunk. Trajectories of one answer are one branch to the end; of others those are joined first whose pairs part
 * last on average. `at` is that mean: the last state at which they are not yet parted.
 * @param {Series} series @returns {Branch}
 */
export function branching(series) {
  const last = series.steps - 1;
  const byEnd = /** @type {Map<string, number[]>} */ (new Map());
  for (let trajectory = 0; trajectory < series.n; trajectory += 1) {
    const key = series.tokens(trajectory, last).join();
    byEnd.set(key, [...(byEnd.get(key) ?? []), trajectory]);
  }
  const groups = [...byEnd.values()].map(
    (trajectories) => /** @type {Branch} */ ({ trajectories, parts: [], at: last }),
  );
  const ends = groups.map(({ trajectories }) => series.tokens(trajectories[0], last));
  const since = groups.map(({ trajectories }, i) =>
    trajectories.map((trajectory) =>
      ends.map((end, j) => (i === j ? 0 : ownSince(series, trajectory, last, ends[i], end))),
    ),
  );
  // Over the pairs of two groups, the sum of the states up to which they are together.
  const sums = groups.map((_, i) =>
    groups.map((_, j) => {
      let sum = 0;
      if (i !== j) for (const a of since[i]) for (const b of since[j]) sum += Math.max(a[j], b[i]) - 1;
      return sum;
    }),
  );
  const left = [...groups.keys()];
  while (left.length > 1) {
    let [mean, i, j] = [-Infinity, 0, 0];
    for (let a = 0; a < left.length; a += 1) {
      const [row, size] = [sums[left[a]], groups[left[a]].trajectories.length];
      for (let b = a + 1; b < left.length; b += 1) {
        const here = row[left[b]] / (size * groups[left[b]].trajectories.length);
        if (here > mean) [mean, i, j] = [here, left[a], left[b]];
      }
    }
    const parts = [groups[i], groups[j]].sort(
      (a, b) => b.trajectories.length - a.trajectories.length || a.trajectories[0] - b.trajectories[0],
    );
    groups[i] = {
      trajectories: parts.flatMap(({ trajectories }) => trajectories).sort((a, b) => a - b),
      parts,
      at: mean,
    };
    for (const k of left) {
      sums[i][k] += sums[j][k];
      sums[k][i] = sums[i][k];
    }
    left.splice(left.indexOf(j), 1);
  }
  return groups[left[0]];
}

/** The branches of a series, trunk first, each before its parts. @param {Series} series */
export function placedBranches(series) {
  const found = /** @type {PlacedBranch[]} */ ([]);
  let leaves = 0;
  /** @param {Branch} branch @param {number} from @param {PlacedBranch | null} parent @returns {PlacedBranch} */
  const visit = ({ trajectories, parts, at }, from, parent) => {
    const placed = /** @type {PlacedBranch} */ ({ trajectories, parts: [], parent, from, at, level: 0 });
    found.push(placed);
    placed.parts = parts.map((part) => visit(part, at, placed));
    const levels = placed.parts.map((part) => part.level);
    placed.level = levels.length ? levels.reduce((sum, level) => sum + level, 0) / levels.length : leaves++;
    return placed;
  };
  visit(branching(series), -1, null);
  return found;
}

/** The cell where most pairs across a fork part for good. @param {Series} series @param {Branch} fork */
export function forkCell(series, { parts: [one, other] }) {
  const counts = /** @type {Map<number, number>} */ (new Map());
  for (const a of one.trajectories)
    for (const b of other.trajectories) {
      const cell = firstCell(series, a, series, b, series.steps - 1) ?? 0;
      counts.set(cell, (counts.get(cell) ?? 0) + 1);
    }
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0][0];
}
