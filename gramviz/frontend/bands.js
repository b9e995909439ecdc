// Medians and bands of a set of trajectories, for the lanes. Quantiles as numpy computes them (linear), so that both
// sides agree.

/** @import { Payload, Who } from "./types.js" */

/** The q-quantile of numbers sorted ascending. @param {ArrayLike<number>} sorted
 * @param {number} q */
export function quantile(sorted, q) {
  if (!sorted.length) return NaN;
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

/** {median, low, high} along time of one curve over trajectories [[series, trajectory], ...]; NaN where none has a
 * value.
 * @param {Who[]} trajectories @param {string} curve @param {number} steps */
export function band(trajectories, curve, steps) {
  const lines = { median: new Float32Array(steps), low: new Float32Array(steps), high: new Float32Array(steps) };
  const all = new Float64Array(trajectories.length); // sorted many times as fast as a list
  for (let step = 0; step < steps; step += 1) {
    let known = 0;
    for (const [series, trajectory] of trajectories) {
      const value = series.curve(curve, trajectory, step);
      if (Number.isFinite(value)) all[known++] = value;
    }
    const values = all.subarray(0, known).sort();
    lines.median[step] = quantile(values, 0.5);
    lines.low[step] = quantile(values, 0.1);
    lines.high[step] = quantile(values, 0.9);
  }
  return lines;
}

const FROM_DATA = ["halt", "kl", "value"]; // curves whose zero is far from what they show

/** The range of a curve over all series: the same axis for every series, from 0 unless the curve says otherwise.
 * @param {Payload} payload @param {string} curve */
export function extent(payload, curve) {
  let [low, high] = [Infinity, -Infinity];
  for (const series of payload.series)
    for (const value of series.curves[curve]?.values ?? [])
      if (Number.isFinite(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
  if (low > high) return [0, 1];
  const far = FROM_DATA.includes(curve) || (curve.startsWith("extra.") && low > high - low);
  const from = far ? low : Math.min(0, low);
  return high > from ? [from, high] : [from, from + 1];
}
