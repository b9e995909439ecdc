// Why a cell of a Sudoku changed: what the rules justify, and what is a guess. As gramviz.explain, which tells the
// meaning of each reason; both are checked against tests/vectors/explain.json. A unit's options are sets of digits, as
// bits.

import { changedCells, placeName, tokenLabel } from "./cells.js";
import { contract } from "./contract.js";
import { words } from "./words.js";

/** @import { Board, BoardView, Payload, Pen, Places, Reason, Series, Theme } from "./types.js" */

/** @typedef {{ cells: number[], kind: "box" | "row" | "column" }} Unit */
/** @typedef {{ units: Unit[], unitsOf: Unit[][], peers: number[][], every: number }} Rules */
/** The reason of each cell that changed. @typedef {Map<number, Reason>} Reasons */

const BUDGET = contract.limits.search_boards;
const UNITS = ["box", "row", "column"];
const FOLLOWING = ["given", "naked", ...UNITS, "locked", "rules"];
/** @type {Record<string, string>} */
const SIGNS = {
  given: "=",
  naked: "n",
  box: "h",
  row: "h",
  column: "h",
  locked: "p",
  rules: "r",
  erased: "–",
  contradicts: "!",
  guess: "?",
};
/** For each series the reasons of each "trajectory step". @type {WeakMap<Series, Map<string, Reasons>>} */
const explained = new WeakMap();

/** Whether a board has the boxes that make it a Sudoku. @param {Board} board */
export const isSudoku = (board) =>
  Boolean(board.box) && board.exclusive.length === board.width && board.width === board.height;

/** @param {number} set */
const isSingle = (set) => set !== 0 && (set & (set - 1)) === 0;

/** @param {number} set */
function digits(set) {
  let count = 0;
  for (let rest = set; rest; rest &= rest - 1) count += 1;
  return count;
}

/** @param {Board} board @returns {Rules} */
function rulesOf(board) {
  const units = (board.groups ?? []).map((cells) => {
    const share = (/** @type {(cell: number) => number} */ line) =>
      cells.every((cell) => line(cell) === line(cells[0]));
    const isRow = share((cell) => Math.floor(cell / board.width));
    const isColumn = share((cell) => cell % board.width);
    return /** @type {Unit} */ ({ cells, kind: isRow ? "row" : isColumn ? "column" : "box" });
  });
  units.sort((a, b) => UNITS.indexOf(a.kind) - UNITS.indexOf(b.kind));
  const unitsOf = Array.from({ length: board.size }, (_, cell) => units.filter((unit) => unit.cells.includes(cell)));
  const peers = unitsOf.map((list, cell) => [...new Set(list.flatMap((unit) => unit.cells))].filter((k) => k !== cell));
  return { units, unitsOf, peers, every: 2 ** board.exclusive.length - 1 };
}

/** Whether a cell is the only one of a unit that may hold a digit.
 * @param {number[]} options @param {Unit} unit @param {number} cell @param {number} digit */
const isOnly = (options, unit, cell, digit) => unit.cells.every((k) => Boolean(options[k] & digit) === (k === cell));

/** The options without what pairs and pointing digits exclude, until nothing more does.
 * @param {Rules} rules @param {number[]} options */
function crossOut({ units, every }, options) {
  let left = options;
  for (;;) {
    const out = left.map(() => 0);
    for (const { cells } of units) {
      cells.forEach((a, i) => {
        for (const b of cells.slice(i + 1))
          if (left[a] === left[b] && digits(left[a]) === 2)
            for (const k of cells) if (k !== a && k !== b) out[k] |= left[a];
      });
      for (const other of units) {
        const both = cells.filter((k) => other.cells.includes(k));
        if (both.length < 2 || other.cells === cells) continue;
        const rest = cells.reduce((set, k) => (both.includes(k) ? set : set | left[k]), 0);
        for (const k of other.cells) if (!both.includes(k)) out[k] |= every & ~rest;
      }
    }
    const cut = left.map((set, k) => (digits(set) > 1 ? set & ~out[k] : set));
    if (cut.every((set, k) => set === left[k])) return left;
    left = cut;
  }
}

/** Fills in singles, in place, until none is left; whether each cell and digit has room.
 * @param {Rules} rules @param {number[]} left */
function settleSingles({ units, peers, every }, left) {
  let queue = [...left.keys()].filter((k) => isSingle(left[k]));
  while (queue.length) {
    for (const k of queue)
      for (const peer of peers[k])
        if (left[peer] & left[k]) {
          left[peer] &= ~left[k];
          if (isSingle(left[peer])) queue.push(peer); // grows while it is read
        }
    queue = [];
    for (const { cells } of units) {
      let [once, twice] = [0, 0];
      for (const k of cells) [once, twice] = [once | left[k], twice | (once & left[k])];
      if (once !== every) return false;
      for (const k of cells) {
        const single = left[k] & once & ~twice;
        if (single && left[k] !== single) {
          left[k] = single;
          queue.push(k);
        }
      }
    }
  }
  return left.every(Boolean);
}

/** A solution within the options; [] if there is none, null if the budget did not tell.
 * @param {Rules} rules @param {number[]} options */
function solve(rules, options) {
  let budget = BUDGET;
  /** @param {number[]} left @returns {number[] | null} */
  const search = (left) => {
    budget -= 1;
    if (budget < 0) return null;
    if (!settleSingles(rules, left)) return [];
    let at = -1;
    for (let k = 0; k < left.length; k += 1)
      if (!isSingle(left[k]) && (at < 0 || digits(left[k]) < digits(left[at]))) at = k;
    if (at < 0) return left;
    for (let bit = 1; bit <= rules.every; bit *= 2) {
      const found = left[at] & bit ? search(left.map((set, k) => (k === at ? bit : set))) : [];
      if (found?.length !== 0) return found;
    }
    return [];
  };
  return search([...options]);
}

/** The reason of each cell that changed between two boards of a puzzle x.
 * @param {Board} board @param {ArrayLike<number>} x @param {Uint8Array} before @param {Uint8Array} after
 * @returns {Reasons} */
export function reasons(board, x, before, after) {
  const rules = rulesOf(board);
  const digit = (/** @type {number} */ token) =>
    board.exclusive.includes(token) ? 1 << board.exclusive.indexOf(token) : 0;
  const cells = [...after.keys()];
  const given = cells.map((k) => !board.blank.includes(x[k]));
  const stood = cells.map((k) => (given[k] ? x[k] : before[k]));
  const clashes = (/** @type {ArrayLike<number>} */ tokens, /** @type {number} */ k) =>
    rules.peers[k].some((peer) => tokens[peer] === tokens[k]);
  const known = cells.map((k) => (given[k] || (before[k] === after[k] && !clashes(stood, k)) ? digit(stood[k]) : 0));
  const options = cells.map(
    (k) => known[k] || rules.every & ~rules.peers[k].reduce((set, peer) => set | known[peer], 0),
  );
  const locked = crossOut(rules, options);
  const solved = solve(rules, options);
  /** @param {number} k @returns {Reason} */
  const why = (k) => {
    const mine = digit(after[k]);
    if (given[k]) return after[k] === x[k] ? "given" : "contradicts";
    if (!mine) return "erased";
    if (!(options[k] & mine)) return "contradicts";
    if (options[k] === mine) return "naked";
    const unit = rules.unitsOf[k].find((one) => isOnly(options, one, k, mine));
    if (unit) return unit.kind;
    if (locked[k] === mine || rules.unitsOf[k].some((one) => isOnly(locked, one, k, mine))) return "locked";
    const other = options.map((set, at) => (at === k ? set & ~mine : set));
    if (solved?.[k] === mine && solve(rules, other)?.length === 0) return "rules";
    return clashes(after, k) ? "contradicts" : "guess";
  };
  return new Map(cells.filter((k) => before[k] !== after[k]).map((k) => [k, why(k)]));
}

/** The reasons of a trajectory's step; null where the board is no Sudoku.
 * @param {Payload} payload @param {Series} series @param {number} trajectory @param {number} step
 * @returns {Reasons | null} */
export function reasonsAt(payload, series, trajectory, step) {
  const x = series.x ?? payload.x;
  if (!isSudoku(payload.board) || !x) return null;
  const kept = explained.get(series) ?? /** @type {Map<string, Reasons>} */ (new Map());
  explained.set(series, kept);
  const key = `${trajectory} ${step}`;
  const known = kept.get(key);
  if (known) return known;
  const changed = changedCells(series, trajectory, step).length;
  const found = changed
    ? reasons(payload.board, x, series.tokens(trajectory, step - 1), series.tokens(trajectory, step))
    : null;
  kept.set(key, found ?? new Map());
  return found ?? new Map();
}

/** "Row 4, column 6 became 7: hidden single in its box."
 * @param {Board} board @param {BoardView} view @param {number} cell */
export const reasonSentence = (board, view, cell) =>
  words.explain.became(placeName(board, cell), tokenLabel(board, view.tokens[cell]), view.reasons?.get(cell) ?? "");

/** "3 changes: 2 follow, 1 guess." @param {Reasons} found */
export function tallySentence(found) {
  const counts = /** @type {Record<string, number>} */ ({});
  for (const reason of found.values()) {
    const kind = FOLLOWING.includes(reason) ? "follow" : reason;
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return words.explain.tally(found.size, counts);
}

/** The signs that stand on a board, with what they mean: [[sign, words], ...].
 * @param {Reasons} found */
export const signsOf = (found) => {
  const seen = new Set([...found.values()].map((reason) => (UNITS.includes(reason) ? "hidden" : reason)));
  return [...seen].map((reason) => [
    SIGNS[reason] ?? SIGNS.box,
    words.explain.legend[reason] ?? words.explain.reasons[reason],
  ]);
};

/** A sign in the lower left of each changed cell, thinly cased, so that it shows on a hatch and spares the digit.
 * @param {Pen} pen @param {Places} place @param {BoardView} view @param {Theme} theme @param {string} font */
export function paintReasons(pen, place, view, theme, font) {
  if (place.cell < 24) return;
  pen.font = `700 11px ${font}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (const [cell, reason] of view.reasons ?? []) {
    const { x, y } = place.at(cell);
    /** @type {[string, number, number]} */
    const where = [SIGNS[reason], x - place.cell / 2 + 9, y + place.cell / 2 - 10];
    pen.lineWidth = 2;
    pen.strokeStyle = theme.bg;
    pen.strokeText(...where);
    pen.fillStyle = reason === "contradicts" ? theme[contract.roles.conflict] : theme.ink;
    pen.fillText(...where);
  }
}
