// How many solutions a puzzle has, by exact search within a budget: none, one, or several. A choice is a token at a
// position; what it excludes follows from the board's groups, so one search serves Sudoku, queens and coloring.

/** @import { BoardMeta } from "../types.js" */

const MOST_CHOICES = 4000; // that are tried until the search is given up

/**
 * Sets of choices, of each of which a solution takes exactly one; a choice is position * tokens + token. Every cell of
 * a Sudoku has a digit, and every digit has a place in each row, column and box; every rank and file has a queen.
 * @param {BoardMeta} board @param {ArrayLike<number>} x @returns {number[][]}
 */
function decisionsOf({ width, height, exclusive = [], required = [], blank = [], tokens, groups = [] }, x) {
  const can = (/** @type {number} */ at, /** @type {number} */ token) => x[at] === token || blank.includes(x[at]);
  const choices = (/** @type {number[]} */ places, /** @type {number[]} */ some) =>
    places.flatMap((at) => some.filter((token) => can(at, token)).map((token) => at * tokens.length + token));
  const cells = Array.from(x, (_, at) => at);
  if (required.some(([token, count]) => exclusive.includes(token) && count === height)) {
    const given = (/** @type {number[]} */ places) => places.filter((at) => exclusive.includes(x[at]));
    const line = (/** @type {(at: number) => number} */ of) =>
      Array.from({ length: height }, (_, k) => {
        const places = cells.filter((at) => of(at) === k);
        return choices(given(places).length ? given(places) : places, exclusive);
      });
    return [...line((at) => Math.floor(at / width)), ...line((at) => at % width)];
  }
  const full = groups.filter((group) => group.length === exclusive.length && exclusive.length > 2 && height > 1);
  return [
    ...cells.map((at) => (blank.includes(x[at]) ? choices([at], exclusive) : [at * tokens.length + x[at]])),
    ...full.flatMap((group) => exclusive.map((token) => choices(group, [token]))),
  ];
}

/**
 * Solutions of a puzzle, at most two of them; `whole` says whether the search came to its end.
 * @param {BoardMeta} board @param {ArrayLike<number>} x
 */
export function solve2(board, x) {
  if (!board.exclusive?.length) return { found: [], whole: false }; // a picture has no rules
  const kinds = board.tokens.length;
  const groups = Array.from(x, (_, at) => (board.groups ?? []).filter((group) => group.includes(at)).flat());
  /** @type {number[][]} */
  const found = [];
  let budget = MOST_CHOICES;

  /** Whether two choices exclude each other. @param {number} one @returns {(other: number) => boolean} */
  function excludes(one) {
    const at = Math.floor(one / kinds);
    const out = new Set(groups[at].map((other) => other * kinds + (one % kinds)));
    return (other) => other !== one && (out.has(other) || Math.floor(other / kinds) === at);
  }

  /** @param {number[][]} open @param {number[]} taken */
  function search(open, taken) {
    if (!open.length) {
      const y = Array.from(x);
      for (const one of taken) y[Math.floor(one / kinds)] = one % kinds;
      found.push(y);
    }
    let least = 0;
    for (let k = 1; k < open.length; k += 1) if (open[k].length < open[least].length) least = k;
    for (const one of open[least] ?? []) {
      budget -= 1;
      if (found.length > 1 || budget <= 0) return;
      const out = excludes(one);
      const rest = open.filter((set) => !set.includes(one)).map((set) => set.filter((other) => !out(other)));
      if (rest.every((set) => set.length)) search(rest, [...taken, one]);
    }
  }
  search(decisionsOf(board, x), []);
  return { found, whole: budget > 0 };
}
