// Which answers trajectories settle at, and where they run in the river: gramviz.measure.families and river, in
// JavaScript, for trajectories that the page computes itself. Both are held together by tests/browser/test_think.py.

import { distancesTo, hamming, nearestLane } from "../answerspace.js";
import { quantile } from "../bands.js";

const MOST_LANES = 7;
const NEAR = 0.15; // of the way from the end of the warm-up to the last board
const DROP = 0.5;
const STAY = 3; // steps, and trajectories, that a wrong family needs at least
const LANE_GAP = 2.5; // slots between two lanes
const LEAST_TRUNK = 6; // slots
const TRUNK_GAP = 0.12; // slots between two trajectories in the trunk

/** Boards [trajectory][step] -> tokens of the open cells. @typedef {ArrayLike<number>[][]} Boards */
/**
 * As `gramviz.measure.families.Families`.
 * @typedef {object} Families
 * @property {ArrayLike<number>[]} leaders
 * @property {number[]} leads the trajectory of each leader
 * @property {boolean[]} right
 * @property {number[]} size
 * @property {number} radius
 * @property {number[][][]} distance [trajectory][step][lane]
 * @property {number[][]} lane
 * @property {number[]} commit
 * @property {number} others
 */

/** @param {number[]} values */
const median = (values) => quantile(Float64Array.from(values).sort(), 0.5);

/** Half to even, as Python rounds. @param {number} value */
export function roundEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 ? below + 1 : below;
}

/** The end of the warm-up, a step. @param {Boards} boards */
export function warmUp(boards) {
  const steps = boards[0].length;
  if (steps < 2) return 0;
  const changed = Array.from({ length: steps - 1 }, (_, t) => median(boards.map((row) => hamming(row[t], row[t + 1]))));
  const most = Math.min(Math.max(1, Math.floor(steps / 4)), changed.length - 1);
  let start = 1;
  while (start < most && changed[start] < DROP * changed[start - 1]) start += 1;
  return Math.min(start, steps - 1);
}

/** How often each number from 0 on stands in a list. @param {number[]} list @param {number} length */
const counts = (list, length) =>
  Array.from({ length }, (_, k) => list.reduce((sum, one) => sum + Number(one === k), 0));

/** Trajectories that lead a family, right ones first, then those with most neighbors.
 * @param {number[][]} apart @param {boolean[]} right @param {number} radius */
function leadersOf(apart, right, radius) {
  const near = apart.map((row) => row.filter((d) => d <= radius).length);
  const order = [...right.keys()].sort((a, b) => Number(right[b]) - Number(right[a]) || near[b] - near[a] || a - b);
  /** @type {number[]} */
  const leads = [];
  for (const i of order) if (leads.every((j) => apart[i][j] > (right[i] && right[j] ? 0 : radius))) leads.push(i);
  return leads;
}

/** @param {Boards} boards @param {boolean[]} right @param {number} start @returns {Families} */
export function familiesOf(boards, right, start) {
  const [count, steps] = [boards.length, boards[0].length];
  const final = boards.map((row) => row[steps - 1]);
  const tail = Math.max(STAY, Math.floor(steps / 6));
  const apart = final.map((a) => final.map((b) => hamming(a, b)));
  let radius = Math.max(1, roundEven(NEAR * median(boards.map((row, i) => hamming(row[start], final[i])))));
  const leads = leadersOf(apart, right, radius);
  const answers = leads.filter((i) => right[i]);
  if (answers.length > 1) {
    const pairs = answers.flatMap((i, k) => answers.slice(k + 1).map((j) => apart[i][j]));
    radius = Math.max(0, Math.min(radius, Math.floor((Math.min(...pairs) - 1) / 2)));
  }
  /** @param {number[]} to */
  const distances = (to) => {
    const ends = to.map((i) => final[i]);
    return boards.map((row) => row.map((board) => distancesTo(ends, board)));
  };
  const lanes = (/** @type {number[][][]} */ d) => d.map((row) => row.map((one) => nearestLane(one, radius)));
  const first = lanes(distances(leads));
  const last = first.map((row) => row[steps - 1]);
  const stays = first.map((row, i) => last[i] >= 0 && row.slice(-tail).every((lane) => lane === last[i]));
  const size = counts(last, leads.length);
  const resting = counts(
    last.filter((_, i) => stays[i]),
    leads.length,
  );
  const enough = Math.max(STAY, roundEven(0.06 * count));
  const kept = [...leads.keys()]
    .filter((k) => (right[leads[k]] && size[k]) || resting[k] >= enough || count === 1)
    .sort((a, b) => size[b] - size[a] || a - b)
    .slice(0, MOST_LANES);
  const chosen = kept.map((k) => leads[k]);
  const distance = distances(chosen);
  const lane = lanes(distance);
  const ends = lane.map((row) => row[steps - 1]);
  const commit = lane.map((row, i) => (ends[i] < 0 ? steps : row.findLastIndex((one) => one !== ends[i]) + 1));
  return {
    leaders: chosen.map((i) => final[i]),
    leads: chosen.map((_, k) => distance.findIndex((row) => row[steps - 1][k] === 0)),
    right: chosen.map((i) => right[i]),
    size: counts(ends, kept.length),
    radius,
    distance,
    lane,
    commit,
    others: right.filter((one, i) => one && ends[i] < 0).length,
  };
}

/** All orders of a list. @template T @param {T[]} list @returns {T[][]} */
export const permutations = (list) =>
  list.length < 2
    ? [list]
    : list.flatMap((one, k) => permutations([...list.slice(0, k), ...list.slice(k + 1)]).map((rest) => [one, ...rest]));

/** Right lanes in the order in which the moves between them are shortest.
 * @param {Families} found @param {number[]} lanes */
function shortMoves(found, lanes) {
  /** @type {Record<string, number>} */
  const moves = {};
  for (const row of found.lane)
    for (let t = 1; t < row.length; t += 1) {
      const [a, b] = [row[t - 1], row[t]];
      if (a >= 0 && b >= 0 && a !== b && lanes.includes(a) && lanes.includes(b))
        for (const key of [`${a} ${b}`, `${b} ${a}`]) moves[key] = (moves[key] ?? 0) + 1;
    }
  if (lanes.length < 3 || !Object.keys(moves).length) return lanes;
  const cost = (/** @type {number[]} */ order) =>
    Object.entries(moves).reduce((sum, [key, count]) => {
      const [a, b] = key.split(" ").map(Number);
      return sum + count * Math.abs(order.indexOf(a) - order.indexOf(b));
    }, 0);
  const orders = permutations(lanes);
  const costs = orders.map(cost);
  return orders[costs.indexOf(Math.min(...costs))];
}

/** Where each lane runs (-1: the trunk), its middle, and the slot of each trajectory.
 * @param {Families} found */
function slotsOf(found) {
  const last = found.lane.map((row) => row[row.length - 1]);
  const lanes = [...found.size.keys()];
  const right = shortMoves(
    found,
    lanes.filter((k) => found.right[k]),
  );
  const order = [...lanes.filter((k) => !found.right[k]).reverse(), -1, ...right.reverse()];
  const slot = last.map(() => 0);
  /** @type {Record<number, number>} */
  const middle = {};
  /** @type {Record<number, [number, number]>} */
  const spans = {};
  let y = 0;
  for (const k of order) {
    const members = [...last.keys()].filter((i) => last[i] === k);
    members.sort((a, b) => found.commit[a] - found.commit[b] || a - b);
    const height = k < 0 ? Math.max(Math.floor(members.length / 3), LEAST_TRUNK) : Math.max(members.length, 1);
    if (k >= 0 && found.right[k]) members.reverse();
    for (const [j, i] of members.entries()) slot[i] = y + j + (height - members.length) / 2;
    middle[k] = y + (height - 1) / 2;
    spans[k] = [y - 0.5, y + height - 0.5];
    y += height + LANE_GAP;
  }
  return { last, slot, middle, spans };
}

/** Heights [trajectory][step] in the river, and the spans of its lanes.
 * @param {Families} found @param {number} start */
export function riverOf(found, start) {
  const { last, slot, middle, spans } = slotsOf(found);
  const count = last.length;
  const trunk = last.map(() => 0);
  [...slot.keys()]
    .sort((a, b) => slot[a] - slot[b] || a - b)
    .forEach((i, k) => {
      trunk[i] = middle[-1] + (k - (count - 1) / 2) * TRUNK_GAP;
    });
  const lanes = found.leaders.length;
  if (!lanes) return { y: found.lane.map((row, i) => row.map(() => trunk[i])), spans };
  const near = found.distance.map((row) => row.map((one) => Math.min(...one)));
  const far = Math.max(median(near.map((row) => row[start])), 1);
  const between = found.leaders.flatMap((a) => found.leaders.map((b) => hamming(a, b))).filter((d) => d > 0);
  const tau = lanes > 1 ? Math.max(0.2, Math.min(...between) / 8) : 1;
  const y = found.distance.map((row, i) =>
    row.map((distances, t) => {
      const share = Math.min(1, Math.max(0, 1 - near[i][t] / far));
      const weights = distances.map((d) => Math.exp((near[i][t] - d) / tau));
      const total = weights.reduce((sum, w) => sum + w, 0);
      const level = weights.reduce((sum, w, k) => sum + (w / total) * middle[k], 0);
      const home = last[i] >= 0 && distances.indexOf(near[i][t]) === last[i];
      return (1 - share) * trunk[i] + share * (level + (home ? slot[i] - middle[last[i]] : 0));
    }),
  );
  return { y, spans };
}
