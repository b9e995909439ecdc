// The score of one trajectory: a row for each open cell, a column for each step. Rows stand in the order in which cells
// change for the last time; blue is the token that stays, vermilion another, as deep as it is certain.

import { cellName } from "./cells.js";
import { mark, roundRect } from "./draw.js";
import { shownTrajectory } from "./groups.js";
import { drawTicks } from "./ticks.js";
import { words } from "./words.js";

/** @import { Box, Payload, Pen, PlacedPlane, Scene, Series, Who } from "./types.js" */

const LEFT = 40; // px for the names of cells
const TOP = 54; // px for the distance to the end
const FEWEST = 12; // px of a row, or a column, that has room for text
const RIGHT = 16; // px for the crosses

/** The cells of a score, the first to rest on top: by the step of the last change, then by the number of changes. Where
 * a board has few tokens that say something, as with queens, cells that never held one are left out.
 * @param {Payload} payload @param {Series} series @param {number} trajectory */
export function scoreRows({ space, board }, series, trajectory) {
  const sparse = board.tokens.filter((_, token) => !board.blank.includes(token)).length < 3;
  const rows = space.cells.map((cell) => {
    let [last, changes, held] = [0, 0, false];
    for (let step = 0; step < series.steps; step += 1) {
      const token = series.tokens(trajectory, step)[cell];
      held ||= board.exclusive.includes(token);
      if (step && token !== series.tokens(trajectory, step - 1)[cell]) [last, changes] = [step, changes + 1];
    }
    return { cell, last, changes, held };
  });
  return rows
    .filter(({ held }) => held || !sparse || !board.exclusive.length)
    .sort((a, b) => a.last - b.last || a.changes - b.changes || a.cell - b.cell);
}

/** Where rows and columns of a score are. @param {Box} box @param {number} rows @param {number} steps
 * @param {boolean} small */
export function scoreGrid(box, rows, steps, small) {
  const [left, top, right] = small ? [2, 2, 2] : [LEFT, TOP, RIGHT];
  const across = (box.width - left - right) / steps;
  const high = Math.min(24, (box.height - top - 4) / Math.max(1, rows));
  return { left: box.x + left, top: box.y + top, across, high };
}

/** The cell and the step of a score at a point, or null. @param {PlacedPlane} plane @param {Payload} payload
 * @param {Who} who @param {number} x @param {number} y */
export function scoreAt({ box }, payload, [series, trajectory], x, y) {
  const rows = scoreRows(payload, series, trajectory);
  const { left, top, across, high } = scoreGrid(box, rows.length, payload.steps, false);
  const [row, step] = [Math.floor((y - top) / high), Math.floor((x - left) / across)];
  return rows[row] && step >= 0 && step < series.steps ? { cell: rows[row].cell, step } : null;
}

/** @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene */
export function drawScore(pen, plane, scene) {
  const { payload, state, theme, font, hover, small, last } = scene;
  const [series, trajectory] = shownTrajectory(payload, state, hover);
  const rows = scoreRows(payload, series, trajectory);
  const { left, top, across, high } = scoreGrid(plane.box, rows.length, payload.steps, small);
  const until = Math.min(last, series.steps - 1);
  const end = series.tokens(trajectory, until);
  pen.textBaseline = "middle";
  rows.forEach(({ cell }, row) => {
    const y = top + row * high;
    for (let step = 0; step <= until; step += 1) {
      const token = series.tokens(trajectory, step)[cell];
      pen.globalAlpha = 0.15 + 0.75 * (series.certainty?.(trajectory, step, cell) ?? 1);
      pen.fillStyle = token === end[cell] ? theme.blue : theme.vermilion;
      pen.fillRect(left + step * across, y, across - 0.5, high - 0.5);
      pen.globalAlpha = 1;
      const changed = step === 0 || token !== series.tokens(trajectory, step - 1)[cell];
      const { symbol, label } = payload.board.tokens[token];
      if (!changed || small || high < FEWEST || across < FEWEST || payload.board.blank.includes(token)) continue;
      pen.font = `600 11px ${font}`;
      pen.textAlign = "center";
      pen.fillStyle = theme.bg;
      pen.fillText(symbol || label[0], left + (step + 0.5) * across, y + high / 2);
    }
    if (small) return;
    const right = left + series.steps * across;
    nameRow(pen, scene, cell, { x: left, y, width: right - left, height: high });
    if (isWrong(scene, series, trajectory, cell, until))
      mark(pen, "cross", right + 8, y + high / 2, Math.min(3.4, high / 2), theme.vermilion);
  });
  pen.textBaseline = "alphabetic";
  if (small) return;
  drawTicks(pen, plane, scene);
  drawDistance(pen, plane, scene, series, trajectory, { left, top, across });
  pen.lineWidth = 1.5;
  pen.strokeStyle = theme.ink;
  roundRect(pen, left + series.held(state.cursor.step) * across - 1, top - 2, across + 1, rows.length * high + 3, 2);
  pen.stroke();
}

/** A row by its cell, where there is room or it is pointed at; framed where it is chosen.
 * @param {Pen} pen @param {Scene} scene @param {number} cell @param {Box} row */
function nameRow(pen, { payload, state, theme, font, hover }, cell, { x, y, width, height }) {
  const chosen = state.cells.includes(cell);
  if (height >= FEWEST || chosen || hover?.cell === cell) {
    pen.font = `${chosen || hover?.cell === cell ? 600 : 400} 11px ${font}`;
    pen.textAlign = "right";
    pen.fillStyle = theme.text2;
    pen.fillText(cellName(payload.board, cell), x - 5, y + height / 2);
  }
  if (!chosen) return;
  pen.lineWidth = 1.5;
  pen.strokeStyle = theme.ink;
  pen.beginPath();
  pen.rect(x - 0.5, y - 0.5, width, height);
  pen.stroke();
}

/** Whether a cell is wrong in the end: it breaks a rule, or where there is one solution, it is not as in that.
 * @param {Scene} scene @param {Series} series @param {number} trajectory @param {number} cell @param {number} step */
function isWrong({ payload, veiled }, series, trajectory, cell, step) {
  if (veiled || series.outcome(trajectory) === 1) return false;
  const known = payload.solutions === 1 && payload.y;
  return known
    ? known[cell] !== series.tokens(trajectory, step)[cell]
    : Boolean(series.conflict?.(trajectory, step, cell));
}

/** In how many cells each board differs from the last one, above the score.
 * @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene @param {Series} series @param {number} trajectory
 * @param {{ left: number, top: number, across: number }} grid */
function drawDistance(
  pen,
  { box },
  { payload: { space }, theme, font, last },
  series,
  trajectory,
  { left, top, across },
) {
  const until = Math.min(last, series.steps - 1);
  const end = series.tokens(trajectory, until);
  const apart = Array.from({ length: until + 1 }, (_, step) => {
    const tokens = series.tokens(trajectory, step);
    return space.cells.filter((cell) => tokens[cell] !== end[cell]).length;
  });
  const most = Math.max(1, ...apart);
  pen.beginPath();
  apart.forEach((count, step) => {
    const [x, y] = [left + (step + 0.5) * across, top - 6 - (count / most) * (TOP - 26)];
    if (step) pen.lineTo(x, y);
    else pen.moveTo(x, y);
  });
  pen.lineWidth = 1.5;
  pen.strokeStyle = theme.text2;
  pen.stroke();
  pen.font = `11px ${font}`;
  pen.fillStyle = theme.text2;
  pen.textAlign = "right";
  pen.fillText(String(most), left - 5, top - TOP + 26);
  pen.fillText("0", left - 5, top - 4);
  pen.textAlign = "left";
  pen.fillText(words.map.toEnd, left, box.y + 12);
}
