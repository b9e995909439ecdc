// Puzzle and answer as two pictures (ARC): the input stands left of the answer, both at one scale. Points hit the
// answer.

import { paintBoard } from "./paint.js";
import { gridAt } from "./place.js";
import { words } from "./words.js";

/** @import { Board, BoardView, PairBoard, PairPlaces, Pen, Theme } from "./types.js" */

const BETWEEN = 36; // px between the pictures, for an arrow
const ABOVE = 20; // px above them
const LABELED = 92; // px that a label needs
const LARGEST_CELL = 44; // px of a cell: a grid of three is not blown up

/** [rows, columns] of the largest full rectangle in the upper left corner; as gram.board.Board.extent finds it.
 * @param {Pick<Board, "width" | "height" | "blank">} board @param {ArrayLike<number>} tokens
 * @returns {[number, number]} */
export function gridSize(board, tokens) {
  let width = board.width;
  /** @type {[number, number]} */
  let best = [0, 0];
  for (let row = 0; row < board.height && width; row += 1) {
    let run = 0;
    while (run < width && !board.blank.includes(tokens[row * board.width + run])) run += 1;
    width = run;
    if ((row + 1) * width > best[0] * best[1]) best = [row + 1, width];
  }
  return best;
}

/** The places of the answer, as `places` gives them, with those of the input as `input`, in a frame of this size.
 * @param {PairBoard} board @param {number} width @param {number} height @returns {PairPlaces} */
export function pairPlaces(board, width, height) {
  const { input } = board;
  const fit = Math.min(
    LARGEST_CELL,
    (width - BETWEEN - 4) / (input.width + board.width),
    (height - ABOVE - 2) / Math.max(input.height, board.height),
  );
  const cell = fit < 3 ? Math.max(1, fit) : Math.floor(fit);
  const left = Math.max(1 + input.width * cell + BETWEEN, LABELED);
  return {
    ...gridAt(board, cell, left, ABOVE),
    input: gridAt(input, cell, 1, ABOVE),
    width: left + Math.max(board.width * cell + 1, LABELED),
    height: ABOVE + Math.max(input.height, board.height) * cell + 2,
  };
}

/** The input with its label, an arrow, and the label of the answer, which names the size that it has now.
 * @param {Pen} pen @param {PairPlaces} place @param {BoardView & { board: PairBoard }} view @param {Theme} theme
 * @param {string} font */
export function paintPair(pen, place, view, theme, font) {
  const { input } = view.board;
  const none = { pinned: null, truth: null, hover: null, cells: [], certainty: null, second: null };
  const one = { mode: /** @type {const} */ ("one"), changed: new Set(), trail: [], conflict: () => false };
  paintBoard(pen, place.input, { ...view, ...none, ...one, board: input, tokens: input.shown, given: [] }, theme, font);
  pen.font = `400 11px ${font}`;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  pen.fillStyle = theme.text2;
  pen.fillText(words.pair.input(input.height, input.width), place.input.left, ABOVE / 2 - 1);
  pen.fillText(words.pair.answer(...gridSize(view.board, view.tokens)), place.left, ABOVE / 2 - 1);
  const y = ABOVE + (Math.min(input.height, view.board.height) * place.cell) / 2;
  const tip = place.left - 8;
  pen.strokeStyle = theme.text3;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(tip - 20, y);
  pen.lineTo(tip, y);
  pen.moveTo(tip - 5, y - 5);
  pen.lineTo(tip, y);
  pen.lineTo(tip - 5, y + 5);
  pen.stroke();
}

/** The input in words, row by row, as its symbols. @param {PairBoard} board */
export function spokenInput({ input, tokens }) {
  const rows = Array.from({ length: input.height }, (_, row) =>
    Array.from(input.shown.slice(row * input.width, (row + 1) * input.width), (token) => tokens[token].symbol).join(
      " ",
    ),
  );
  return `${words.pair.input(input.height, input.width)}: ${rows.join("; ")}`;
}
