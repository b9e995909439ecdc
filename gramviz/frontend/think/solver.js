// How many solutions a puzzle has, by exact search within a budget: 0, 1, or more than one. A choice is a token at a
// position; what a choice excludes follows from the board's groups, so one search serves Sudoku, queens and coloring.

/** @import { BoardMeta } from "../types.js" */

const MOST_CHOICES = 20_000; // choices that are tried until the search is given up

/** What is asked of a search: sets of choices, of each of which exactly one is taken. A choice is position * kinds +
 * token. @param {BoardMeta} board @param {ArrayLike<number>} x @returns {number[][]} */
function decisionsOf({ width, height, exclusive = [], required, blank = [], tokens }, x) {
  const free = (/** @type {number} */ at) => blank.includes(x[at]);
  const choice = (/** @type {number} */ at, /** @type {number} */ token) => at * tokens.length + token;
  const [queen] = exclusive;
  if (exclusive.length === 1 && required?.some(([token, count]) => token === queen && count === height))
    return Array.from({ length: height }, (_, row) => {
      const line = Array.from({ length: width }, (_, column) => row * width + column);
      const given = line.filter((at) => x[at] === queen);
      return (given.length ? given : line.filter(free)).map((at) => choice(at, queen));
    });
  return Array.from(x, (token, at) => (free(at) ? exclusive : [token]).map((one) => choice(at, one)));
}

/**
 * Solutions of a puzzle, at most two of them; `whole` says whether the search came to its end.
 * @param {BoardMeta} board @param {ArrayLike<number>} x
 */
export function solve2(board, x) {
  const kinds = board.tokens.length;
  const groups = Array.from(x, (_, at) => (board.groups ?? []).filter((group) => group.includes(at)));
  /** @type {number[][]} */
  const found = [];
  let budget = MOST_CHOICES;

  /** @param {number[][]} open @param {number[]} taken */
  function search(open, taken) {
    if (found.length > 1 || budget <= 0) return;
    if (!open.length) {
      const y = Array.from(x);
      for (const one of taken) y[Math.floor(one / kinds)] = one % kinds;
      found.push(y);
      return;
    }
    let least = 0;
    for (let k = 1; k < open.length; k += 1) if (open[k].length < open[least].length) least = k;
    for (const one of open[least]) {
      budget -= 1;
      const token = one % kinds;
      const at = Math.floor(one / kinds);
      const out = new Set(groups[at].flat().flatMap((other) => (other === at ? [] : [other * kinds + token])));
      const rest = open.flatMap((set, k) => (k === least ? [] : [set.filter((other) => !out.has(other))]));
      if (rest.every((set) => set.length)) search(rest, [...taken, one]);
    }
  }
  search(decisionsOf(board, x), []);
  return { found, whole: budget > 0 };
}
