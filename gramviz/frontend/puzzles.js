// The puzzles of a rollout: what each asks, how often it is solved, and in which order they are looked through. Pure.

import { contract } from "./contract.js";
import { percent, plural } from "./text.js";
import { words } from "./words.js";

/** @import { Board, BoardView, Numbers, NumberArray, Payload } from "./types.js" */
/** @import { Series } from "./types.js" */
/**
 * @typedef {object} PuzzleSeries how the trajectories of a series end, for each puzzle
 * @property {string} letter
 * @property {string} name
 * @property {number} n trajectories, also those that are not packed
 * @property {Numbers} right
 * @property {Numbers} agree those that give the most frequent answer
 * @property {Numbers} answers
 */
/**
 * @typedef {object} PuzzleList
 * @property {NumberArray} x what each asks [puzzle, ...]
 * @property {Numbers} [index] in its split
 * @property {Numbers} [rating]
 * @property {Numbers} [solutions]
 * @property {PuzzleSeries[]} series
 */

const UNKNOWN = contract.payload.none;

/** The list, of the arrays of each series; null where there is one puzzle.
 * @param {Record<string, NumberArray>[]} arrays @param {Series[]} series @returns {PuzzleList | null} */
export function readPuzzles(arrays, series) {
  const [first] = arrays;
  if (!first.puzzle_x) return null;
  const counts = (/** @type {Series} */ { letter, name, index, all_trajectories: n = 1 }) => {
    const { puzzle_right: right, puzzle_agree: agree, puzzle_answers: answers } = arrays[index];
    return { letter, name, n, right: right.values, agree: agree.values, answers: answers.values };
  };
  return {
    x: first.puzzle_x,
    index: first.puzzle_index?.values,
    rating: first.puzzle_rating?.values,
    solutions: first.puzzle_solutions_known?.values,
    series: series.map(counts),
  };
}

/** @param {Numbers} values @param {number} at a count of each puzzle; null where nobody knows it */
const countOf = (values, at) => (values[at] === UNKNOWN ? null : values[at]);

/** The share of trajectories that end right. @param {PuzzleSeries} series @param {number} at */
function accuracy({ right, n }, at) {
  const count = countOf(right, at);
  return count === null ? null : count / n;
}

/** Those that do not give the most frequent answer. @param {PuzzleSeries} series @param {number} at */
function disagreement({ agree, n }, at) {
  const count = countOf(agree, at);
  return count === null || n === 1 ? null : 1 - count / n;
}

/** @param {(number | null)[]} values */
function mean(values) {
  const known = values.filter((value) => value !== null);
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
}

/**
 * What the puzzles are sorted by: [key, label, the value of a puzzle]; the greatest value comes first.
 * @param {PuzzleList} list
 * @returns {[string, string, (at: number) => number | null][]}
 */
function orders({ rating, solutions, series }) {
  const judged = series.filter(({ right }) => right.some((one) => one !== UNKNOWN));
  const by = words.puzzles.by;
  /** @type {ReturnType<typeof orders>} */
  const found = [["index", by.index, (at) => -at]];
  if (judged.length)
    found.push(["accuracy", by.accuracy, (at) => -(mean(judged.map((one) => accuracy(one, at))) ?? Number.NaN)]);
  if (series.some(({ n }) => n > 1))
    found.push(["disagreement", by.disagreement, (at) => mean(series.map((one) => disagreement(one, at)))]);
  if (rating) found.push(["difficulty", by.difficulty, (at) => rating[at]]);
  if (solutions?.some((one) => one !== 1)) found.push(["solutions", by.solutions, (at) => solutions[at]]);
  for (const b of judged)
    for (const a of judged)
      if (a !== b) {
        const gap = (/** @type {number} */ at) => (accuracy(b, at) ?? Number.NaN) - (accuracy(a, at) ?? Number.NaN);
        found.push([`${a.letter}<${b.letter}`, words.puzzles.apart(a.name, b.name), gap]);
      }
  return found;
}

/** What the browser of puzzles offers: [[key, label], ...]. @param {PuzzleList} list */
export const puzzleOrders = (list) => orders(list).map(([key, label]) => [key, label]);

/** The puzzles in an order; what is not known comes last. @param {PuzzleList} list @param {string} key */
export function sortedPuzzles(list, key) {
  const all = orders(list);
  const [, , value] = all.find(([name]) => name === key) ?? all[0];
  const values = Array.from({ length: list.x.shape[0] }, (_, at) => value(at) ?? Number.NaN);
  const rank = (/** @type {number} */ at) => (Number.isNaN(values[at]) ? -Infinity : values[at]);
  return [...values.keys()].sort((a, b) => rank(b) - rank(a) || a - b);
}

/** How many puzzles A fails, whatever the trajectory, and B does not, in words; null in another order.
 * @param {PuzzleList} list @param {string} key */
export function failures({ series }, key) {
  const [a, b] = key.split("<").map((letter) => series.find((one) => one.letter === letter));
  if (!a || !b) return null;
  const count = Array.from(a.right).filter((right, at) => right === 0 && countOf(b.right, at)).length;
  return words.puzzles.failed([count, a.right.length], a.name, b.name);
}

/** The letter of a series that does not hold a puzzle, or undefined. @param {PuzzleList} list @param {number} at */
export const absentFrom = ({ series }, at) => series.find(({ answers }) => answers[at] === UNKNOWN)?.letter;

/** What is said of a puzzle, a line each. @param {PuzzleList} list @param {number} at @returns {string[]} */
export function puzzleLines({ rating, solutions, series }, at) {
  const lines = series.map(({ letter, n, right, answers }) => {
    const count = countOf(right, at);
    const ends = countOf(answers, at);
    const said = count !== null ? words.puzzles.right(count, n) : ends === null ? "–" : plural(ends, "answer");
    return series.length > 1 ? `${letter} ${said}` : said;
  });
  const apart = mean(series.map((one) => disagreement(one, at)));
  const more = [
    apart === null ? "" : words.puzzles.disagree(percent(apart, 0)),
    rating ? words.puzzles.rated(rating[at]) : "",
    solutions && solutions[at] !== 1 ? plural(solutions[at], "solution") : "",
  ].filter(Boolean);
  return more.length ? [...lines, more.join(", ")] : lines;
}

/**
 * The board and the tokens of what a puzzle asks. A graph whose edges are tokens has its nodes on a circle; a canvas is
 * cut to what is filled.
 * @param {Payload} payload @param {number} at
 * @returns {{ board: Board, tokens: Uint8Array }}
 */
function asked({ board, list }, at) {
  const { shape, values } = /** @type {PuzzleList} */ (list).x;
  const size = shape.slice(1).reduce((product, length) => product * length);
  const tokens = /** @type {Uint8Array} */ (values.subarray(at * size, (at + 1) * size));
  if (board.kind === "graph") {
    if (size === board.size) return { board, tokens };
    const nodes = [...Array(board.size).keys()];
    const pairs = nodes.flatMap((a) => nodes.slice(a + 1).map((b) => [a, b]));
    return { board: { ...board, xy: null, edges: pairs.filter((_, k) => tokens[board.size + k]) }, tokens };
  }
  if (!board.input) return { board, tokens };
  const filled = [...tokens.keys()].filter((k) => !board.blank.includes(tokens[k]));
  const [rows, columns] = [filled.map((k) => Math.floor(k / shape[2])), filled.map((k) => k % shape[2])];
  const [top, left] = [Math.min(...rows), Math.min(...columns)];
  const [height, width] = [Math.max(...rows) - top + 1, Math.max(...columns) - left + 1];
  const cut = Uint8Array.from(
    { length: height * width },
    (_, k) => tokens[(top + Math.floor(k / width)) * shape[2] + left + (k % width)],
  );
  return { board: { ...board.input, height, width, size: height * width }, tokens: cut };
}

/** The small picture of a puzzle, as `paintBoard` takes it. @param {Payload} payload @param {number} at
 * @returns {BoardView} */
export function puzzleView(payload, at) {
  const { board, tokens } = asked(payload, at);
  return {
    ...{ board, tokens, mode: "one", series: payload.series[0], trajectory: 0, step: 0, small: true },
    ...{ counts: null, crowd: 0, changed: new Set(), trail: [], pinned: null, preview: false, other: null },
    ...{ otherName: "", reasons: null, truth: null, hover: null, cells: [], token: null },
    given: Array.from(tokens, (token) => !board.blank.includes(token)),
    conflict: () => false,
    effect: null,
    moved: null,
    against: () => null,
  };
}
