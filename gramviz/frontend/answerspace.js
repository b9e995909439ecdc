// Answers as a space: what the page works out of it itself. The definitions are those of gramviz.measure.answer_space;
// both are held to tests/vectors/answers.json.

/** @import { AnswerSpace, NumberArray, PackedSpace, Pair, Series } from "./types.js" */

/** Where a board stands on the answer map: M (onehot - mu). @param {Pick<AnswerSpace, "m" | "origin" | "kinds">} space
 * @param {ArrayLike<number>} board tokens of the open cells @returns {Pair} */
export function boardPlace({ m, origin, kinds }, board) {
  let [x, y] = [-origin[0], -origin[1]];
  const half = m.length / 2;
  for (let cell = 0; cell < board.length; cell += 1) {
    const k = cell * kinds + board[cell];
    x += m[k];
    y += m[half + k];
  }
  return [x, y];
}

/** M mu, which is where an empty board stands. @param {ArrayLike<number>} m @param {ArrayLike<number>} mu
 * @returns {Pair} */
export function originOf(m, mu) {
  const sum = [0, 0];
  for (let k = 0; k < mu.length; k += 1) for (const axis of [0, 1]) sum[axis] += m[axis * mu.length + k] * mu[k];
  return /** @type {Pair} */ (sum);
}

/** In how many cells two boards differ. @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export function hamming(a, b) {
  let count = 0;
  for (let cell = 0; cell < a.length; cell += 1) count += Number(a[cell] !== b[cell]);
  return count;
}

/** In how many cells a board differs from each leader. @param {ArrayLike<number>[]} leaders
 * @param {ArrayLike<number>} board */
export const distancesTo = (leaders, board) => leaders.map((leader) => hamming(leader, board));

/** The nearest of some within the radius, of equals the first; -1 for none.
 * @param {number[]} distances @param {number} radius */
export function nearestLane(distances, radius) {
  const least = Math.min(...distances, Infinity);
  return least <= radius ? distances.indexOf(least) : -1;
}

/** The lane of a board. @param {ArrayLike<number>[]} leaders @param {number} radius @param {ArrayLike<number>} board */
export const laneOf = (leaders, radius, board) => nearestLane(distancesTo(leaders, board), radius);

/** What interchangeable symbols are called so that they come in order on the last board of a trajectory; other tokens
 * are called what they are.
 * @param {number[]} end its open cells @param {number[]} symbols @returns {(token: number) => number} */
export function renaming(end, symbols) {
  const order = [...new Set([...end, ...symbols])].filter((token) => symbols.includes(token));
  return (token) => symbols[order.indexOf(token)] ?? token;
}

/** The tokens of the open cells at a step; interchangeable ones in the order in which they stand on the last board.
 * @param {Pick<AnswerSpace, "cells" | "symbols">} space @param {Series} series @param {number} trajectory
 * @param {number} step */
export function openTokens({ cells, symbols }, series, trajectory, step) {
  const [open, end] = [step, series.steps - 1].map((at) => {
    const tokens = series.tokens(trajectory, at);
    return cells.map((cell) => tokens[cell]);
  });
  return symbols.length ? open.map(renaming(end, symbols)) : open;
}

/** The space of a payload; series without a packed place on the map are projected here.
 * @param {PackedSpace} packed @param {Record<string, NumberArray>} arrays of the first series @param {Series[]} series
 * @param {number} kinds of tokens @returns {AnswerSpace} */
export function readSpace(packed, arrays, series, kinds) {
  const m = arrays.answers_m.values;
  const end = ([letter, trajectory] = packed.medoids[0]) => {
    const one = /** @type {Series} */ (series.find((other) => other.letter === letter));
    return openTokens(packed, one, trajectory, one.steps - 1);
  };
  const leaders = packed.lanes.map(({ lead }) => end(lead));
  const space = { ...packed, m, origin: originOf(m, arrays.answers_mu.values), kinds, leaders };
  for (const one of series) {
    const xyz = new Float32Array(3 * one.n * one.steps);
    const flat = one.maps.answers?.xyz;
    for (let k = 0; k < one.n * one.steps; k += 1) {
      const board = flat ? [] : openTokens(space, one, Math.floor(k / one.steps), k % one.steps);
      xyz.set(flat ? flat.subarray(2 * k, 2 * k + 2) : boardPlace(space, board), 3 * k);
    }
    one.maps.answers = { xyz };
  }
  return space;
}

/** How many trajectories of each series end in a lane, -1 for none. @param {Series[]} series @param {number} lane */
export const countsOf = (series, lane) =>
  series.map(
    (one) => Array.from({ length: one.n }, (_, k) => one.lane(k, one.steps - 1)).filter((k) => k === lane).length,
  );
