// The board as numbers: what changed, who conflicts with whom, how a set of trajectories divides over tokens.

/** @import { Board, Pair, Payload, Series, Who } from "./types.js" */

/** The positions whose token differs from the step before.
 * @param {Series} series @param {number} trajectory @param {number} step */
export function changedCells(series, trajectory, step) {
  if (step <= 0 || step >= series.steps) return [];
  const now = series.tokens(trajectory, step);
  const before = series.tokens(trajectory, step - 1);
  const found = [];
  for (let position = 0; position < now.length; position += 1)
    if (now[position] !== before[position]) found.push(position);
  return found;
}

/** The positions that break a rule together with this one: same exclusive token, same group.
 * @param {Board} board @param {ArrayLike<number>} tokens @param {number} position */
export function opponents(board, tokens, position) {
  const token = tokens[position];
  if (!board.exclusive.includes(token)) return [];
  const found = new Set();
  for (const group of board.groupsOf[position])
    for (const other of group) if (other !== position && tokens[other] === token) found.add(other);
  return [...found].sort((a, b) => a - b);
}

/** Counts [position * tokens + token] over trajectories [[series, trajectory], ...] at a step.
 * @param {Payload} payload @param {Who[]} trajectories @param {number} step */
export function distribution(payload, trajectories, step) {
  const kinds = payload.board.tokens.length;
  const counts = new Uint16Array(payload.board.size * kinds);
  for (const [series, trajectory] of trajectories) {
    const tokens = series.tokens(trajectory, step);
    for (let position = 0; position < tokens.length; position += 1) counts[position * kinds + tokens[position]] += 1;
  }
  return counts;
}

/** The tokens of one position, most frequent first: [[token, count], ...], zero counts left out.
 * @param {Uint16Array} counts @param {number} position @param {number} kinds */
export function ranked(counts, position, kinds) {
  const found = /** @type {Pair[]} */ ([]);
  for (let token = 0; token < kinds; token += 1)
    if (counts[position * kinds + token]) found.push([token, counts[position * kinds + token]]);
  return found.sort((a, b) => b[1] - a[1] || a[0] - b[0]);
}

/** The name of a position in words, as gram.board.Board.place says it.
 * @param {Board} board @param {number} position */
export function placeName(board, position) {
  if (board.kind === "graph") return `node ${position + 1}`;
  return `row ${Math.floor(position / board.width) + 1}, column ${(position % board.width) + 1}`;
}

/** The short name of a position, `r4c6` or `n3`: what `cells([...])` takes in Python.
 * @param {Board} board @param {number} position */
export function cellName(board, position) {
  if (board.kind === "graph") return `n${position + 1}`;
  return `r${Math.floor(position / board.width) + 1}c${(position % board.width) + 1}`;
}

/** Whether a token is drawn as nothing: it means "not given", or it has no symbol.
 * @param {Board} board @param {number} token */
export const quiet = (board, token) => board.blank.includes(token) || !board.tokens[token].symbol;

/** What to call a token: its label, which is its digit or its name.
 * @param {Board} board @param {number} token */
export const tokenLabel = (board, token) => board.tokens[token]?.label ?? String(token);
