// A puzzle at random.

import { solve2 } from "./solver.js";

/** @import { BoardMeta } from "../types.js" */

const EDGES = 0.6; // probability of each
const STROKE = 5; // steps
const HELP = 1 / 6; // of the cells at most are given beside those of the known puzzle

/** @template T @param {T[]} list @returns {T[]} */
function shuffled(list) {
  const order = [...list];
  for (let k = order.length - 1; k > 0; k -= 1) {
    const j = Math.floor(Math.random() * (k + 1));
    [order[k], order[j]] = [order[j], order[k]];
  }
  return order;
}

/** Numbers from 0 on. @param {number} count */
const range = (count) => Array.from({ length: count }, (_, k) => k);

/** The rows of a grid in another order, that of boxes and within them. @param {number} count @param {number} box */
const lines = (count, box) =>
  shuffled(range(count / box)).flatMap((band) => shuffled(range(box)).map((row) => band * box + row));

/** A known puzzle under a random symmetry, with some more givens: as hard as it is, or easier.
 * @param {BoardMeta} board @param {number[]} known */
function symmetric(board, known) {
  const { width, height, box, exclusive = [] } = board;
  const x = [...known];
  const [solution] = solve2(board, known).found;
  const more = shuffled(range(x.length)).slice(0, Math.floor(Math.random() * HELP * x.length));
  if (solution) for (const at of more) x[at] = solution[at];
  const [rows, columns] = [lines(height, box?.[0] ?? 1), lines(width, box?.[1] ?? 1)];
  const names = new Map(shuffled(exclusive).map((token, k) => [exclusive[k], token]));
  return rows.flatMap((row) => columns.map((column) => names.get(x[row * width + column]) ?? x[row * width + column]));
}

/** Some queens of a random solution. @param {BoardMeta} board @param {number[]} empty */
function queens(board, empty) {
  const x = [...empty];
  const [queen] = board.exclusive ?? [];
  const many = 1 + Math.floor(Math.random() * (board.height / 2));
  for (const at of shuffled(range(x.length))) {
    const next = x.with(at, queen);
    if (next.filter((token) => token === queen).length > many) break;
    if (solve2(board, next).found.length) x[at] = queen;
  }
  return x;
}

/** A graph that can be colored. @param {BoardMeta} board @param {number[]} empty */
function graph(board, empty) {
  const pairs = range(empty.length).flatMap((a) => range(a).map((b) => [b, a]));
  for (;;) {
    const edges = pairs.filter(() => Math.random() < EDGES);
    if (solve2({ ...board, groups: edges }, empty).found.length) return edges;
  }
}

/** A stroke of ink, from somewhere in the middle. @param {BoardMeta} board @param {number[]} empty */
function stroke({ width, height, tokens }, empty) {
  const x = [...empty];
  let at =
    Math.floor(height / 4 + (Math.random() * height) / 2) * width + Math.floor((width * (1 + Math.random())) / 3);
  for (let k = 0; k < STROKE; k += 1) {
    x[at] = tokens.length - 1;
    const beside = (/** @type {number} */ to) => empty[to] !== undefined && Math.abs((to % width) - (at % width)) < 2;
    [at] = shuffled([at - width, at - 1, at + 1, at + width]).filter(beside);
  }
  return x;
}

/**
 * @param {BoardMeta} board
 * @param {number[]} known a puzzle of this board
 * @returns {{ x: number[], edges: number[][] }}
 */
export function randomPuzzle(board, known) {
  const empty = known.map(() => Math.max(...(board.blank ?? [0])));
  if (board.kind === "graph") return { x: empty, edges: graph(board, empty) };
  if (board.kind === "image") return { x: stroke(board, empty), edges: [] };
  return { x: board.box ? symmetric(board, known) : queens(board, empty), edges: [] };
}
