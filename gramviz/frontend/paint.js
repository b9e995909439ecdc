// Paints one board picture: cells or nodes, their tokens, and every mark. It decides nothing; `view` says all.

import { quiet, ranked } from "./cells.js";
import { paintCrowd, paintDifference } from "./crowd.js";
import { cased, hatch, roundRect } from "./draw.js";
import { paintBar, paintSmall, paintToken } from "./glyphs.js";
import { paintAttacks, paintEdges } from "./relations.js";

/** @import { BoardView, Pen, Places, Theme } from "./types.js" */
/** @typedef {import("./glyphs.js").Ink} Ink */
/** @typedef {import("./crowd.js").Cell} Cell */

const EFFECT = 0.55; // opacity of the largest effect of a patch, which leaves what stands in the cell legible
const UNSURE = 0.6; // below this certainty the runner-up is shown
const LEAST_MARK = 20; // px of a cell that has room for marks
const LEAST_SMALL = 26; // px of one that has room for a second token

/**
 * @param {Pen} pen
 * @param {Places} place
 * @param {BoardView} view
 * @param {Theme} theme
 * @param {string} font
 */
export function paintBoard(pen, place, view, theme, font) {
  const { board } = view;
  const ink = { pen, place, view, theme, font };
  if (board.kind === "graph") paintEdges(ink);
  else if (board.tokens.some((token) => token.glyph === "text" || token.glyph === "queen")) paintSquares(ink);
  const filled = board.kind === "image" || board.apart;
  const depths = view.moved ?? view.effect?.values ?? view.layer?.values;
  const most = depths && depths === view.layer?.values ? view.layer.most : 0;
  if (depths && !filled) paintDepths(ink, Array.from(depths), most);
  for (let position = 0; position < board.size; position += 1) paintPosition(ink, position);
  if (depths && filled) paintDepths(ink, Array.from(depths), most);
  if (board.kind !== "graph") paintLines(ink);
  if (view.mode !== "all" && !view.small) paintAttacks(ink);
  if (view.small) return;
  for (let position = 0; position < board.size; position += 1) {
    paintFrames(ink, position);
    if (board.kind === "graph" && place.cell >= LEAST_MARK) paintBeside(ink, String(position + 1), position, 1);
  }
}

/** A text above a node, to its left (-1) or its right (1).
 * @param {Ink} ink @param {string} text @param {number} position @param {number} side */
function paintBeside({ pen, place, theme, font }, text, position, side) {
  const { x, y } = place.at(position);
  const away = 0.35 * place.cell + 6;
  pen.font = `11px ${font}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  cased(pen, text, x + side * away, y - away, theme.text2, theme.bg);
}

/** @param {Ink} ink @param {number} position @returns {Cell} */
function cellOf({ place }, position) {
  const { x, y } = place.at(position);
  return { x: x - place.cell / 2, y: y - place.cell / 2, size: place.cell };
}

/**
 * @param {Ink} ink
 */
function paintSquares(ink) {
  const { pen, view, theme, place } = ink;
  const { board } = view;
  for (let position = 0; position < board.size; position += 1) {
    const { x, y, size } = cellOf(ink, position);
    const dark = board.checkered && ((position % board.width) + Math.floor(position / board.width)) % 2;
    pen.fillStyle = view.given[position] ? theme.given : dark ? theme.sunk : theme.bg;
    pen.fillRect(x, y, size, size);
    if (view.counts && !view.given[position]) {
      // Lightness = agreement: the deeper the tint, the more trajectories show the same token.
      const top = ranked(view.counts, position, board.tokens.length)[0]?.[1] ?? 0;
      pen.globalAlpha = 0.9 * Math.max(0, (top / view.crowd - 0.34) / 0.66) * (board.checkered ? 0.55 : 1);
      pen.fillStyle = theme.given;
      pen.fillRect(x, y, size, size);
      pen.globalAlpha = 1;
    }
  }
  if (view.hover !== null && !view.small) {
    const { left = 0, top = 0 } = place;
    const { x, y } = place.at(view.hover);
    pen.fillStyle = theme.ink;
    pen.globalAlpha = 0.05;
    pen.fillRect(x - place.cell / 2, top, place.cell, board.height * place.cell);
    pen.fillRect(left, y - place.cell / 2, board.width * place.cell, place.cell);
    pen.globalAlpha = 1;
  }
}

/**
 * @param {Ink} ink
 */
function paintLines(ink) {
  const { pen, place, view, theme } = ink;
  const { board } = view;
  const { left = 0, top = 0, cell } = place;
  const [right, bottom] = [left + board.width * cell, top + board.height * cell];
  /** @param {number} width @param {string} color @param {number[]} columns @param {number[]} rows */
  const line = (width, color, columns, rows) => {
    pen.lineWidth = width;
    pen.strokeStyle = color;
    pen.beginPath();
    for (const column of columns) {
      pen.moveTo(Math.round(left + column * cell) + (width % 2) / 2, top);
      pen.lineTo(Math.round(left + column * cell) + (width % 2) / 2, bottom);
    }
    for (const row of rows) {
      pen.moveTo(left, Math.round(top + row * cell) + (width % 2) / 2);
      pen.lineTo(right, Math.round(top + row * cell) + (width % 2) / 2);
    }
    pen.stroke();
  };
  const every = (/** @type {number} */ count, /** @type {number} */ by) =>
    Array.from({ length: Math.floor(count / by) - (count % by ? 0 : 1) }, (_, k) => (k + 1) * by);
  if (cell > 11 && board.kind !== "image") line(1, theme.line, every(board.width, 1), every(board.height, 1));
  if (board.box) line(2, theme.ink, every(board.width, board.box[1]), every(board.height, board.box[0]));
  pen.lineWidth = view.small ? 1 : 2;
  pen.strokeStyle = board.apart ? theme.edge : theme.ink; // ink around black cells would be part of the picture
  roundRect(pen, left, top, right - left, bottom - top, 3);
  pen.stroke();
}

/**
 * A number of each cell, the deeper the color, the larger: the effect of patching it (how far the answer moves to the
 * source's, in the other color away from it), how far l moved, or a further variable.
 * @param {Ink} ink
 * @param {(number | null)[]} values
 * @param {number} deepest the largest there may be; 0: that of these values
 */
function paintDepths(ink, values, deepest) {
  const { pen, view, theme } = ink;
  const most = deepest || Math.max(...values.map((value) => Math.abs(value ?? 0))) || 1;
  for (const [position, value] of values.entries()) {
    if (position >= view.board.size || !value) continue;
    const { x, y, size } = cellOf(ink, position);
    pen.globalAlpha = (EFFECT * Math.abs(value)) / most;
    pen.fillStyle = value > 0 ? theme.purple : theme.gold;
    pen.beginPath();
    if (view.board.kind === "graph") pen.arc(x + size / 2, y + size / 2, size / 2 + 6, 0, 2 * Math.PI);
    else pen.rect(x, y, size, size);
    pen.fill();
  }
  pen.globalAlpha = 1;
}

/** @param {Ink} ink @param {number} position */
function paintPosition(ink, position) {
  const { pen, view } = ink;
  const token = view.tokens[position];
  const cell = cellOf(ink, position);
  pen.globalAlpha = view.token !== null && token !== view.token ? 0.25 : 1;
  if (view.mode === "all") paintCrowd(ink, position, cell);
  else if (view.mode === "differ") paintDifference(ink, position, cell);
  else paintAnswer(ink, position, cell);
  pen.globalAlpha = 1;
}

/**
 * "Breaks a rule" on a cell that is not filled: a ring around a node, else a hatch.
 * @param {Ink} ink
 * @param {Cell} cell
 */
function paintConflict({ pen, view, theme }, { x, y, size }) {
  if (view.board.kind !== "graph") return hatch(pen, x + 0.5, y + 0.5, size - 1, theme.vermilion);
  pen.beginPath();
  pen.arc(x + size / 2, y + size / 2, size / 2 + 4, 0, 2 * Math.PI);
  pen.strokeStyle = theme.vermilion;
  pen.lineWidth = 2.5;
  return pen.stroke();
}

/** The answer of one trajectory. @param {Ink} ink @param {number} position @param {Cell} cell */
function paintAnswer(ink, position, cell) {
  const { view, place } = ink;
  const { board } = view;
  const { x, y, size } = cell;
  const token = view.tokens[position];
  const node = board.kind === "graph";
  const filled = board.apart || (!node && board.tokens[token].glyph === "color");
  const against = view.against(position);
  const conflict = !view.small && (view.conflict(position) || against !== null);
  if (conflict && !filled) paintConflict(ink, cell);
  paintToken(ink, token, x + size / 2, y + size / 2, size, { bold: view.given[position], node });
  if (view.small) return;
  if (filled && conflict) paintAlarm(ink, x, y, size);
  const sure = view.certainty?.(position) ?? null;
  if (board.kind === "image" || (filled && place.cell < LEAST_MARK))
    paintDoubt(ink, x + size / 2, y + size / 2, sure === null ? 0 : 1 - sure);
  if (board.kind === "image" || place.cell < LEAST_MARK) return;
  if (sure !== null && !view.given[position] && (!quiet(board, token) || sure < 0.9))
    paintCertainty(ink, position, cell, sure);
  if (against !== null && size >= LEAST_SMALL) paintSmall(ink, against, x + size - 5.5, y + size - 7);
  const pinned = view.pinned?.[position] ?? token;
  if (pinned !== token && size >= LEAST_SMALL) {
    if (node) paintBeside(ink, board.tokens[pinned].symbol, position, -1);
    else paintSmall(ink, pinned, x + 5.5, y + 7);
  }
  if (view.truth && view.truth[position] !== token) paintWrong(ink, cell);
}

/**
 * How sure a model is, and below a limit what it would say else.
 * @param {Ink} ink
 * @param {number} position
 * @param {Cell} cell
 * @param {number} sure
 */
function paintCertainty(ink, position, { x, y, size }, sure) {
  const { view } = ink;
  const graph = view.board.kind === "graph";
  const { glyph } = view.board.tokens[view.tokens[position]];
  paintBar(ink, x, graph ? y + size + 8 : y + size - 5, size, sure, glyph === "color" || graph);
  const next = view.second?.(position) ?? null;
  if (sure >= UNSURE || next === null || size < LEAST_SMALL) return;
  if (graph) paintSmall(ink, next, x + size + 6, y + size - 2);
  else paintSmall(ink, next, x + size - 5.5, y + size - 11.5);
}

/** A cross in the lower right: not the known answer. @param {Ink} ink @param {Cell} cell */
function paintWrong({ pen, theme }, { x, y, size }) {
  pen.strokeStyle = theme.vermilion;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (const by of [-3, 3]) {
    pen.moveTo(x + size - 8 + by, y + size - 8 - 3);
    pen.lineTo(x + size - 8 - by, y + size - 8 + 3);
  }
  pen.stroke();
}

/**
 * On a cell without room for a bar, doubt is a dot of size 1 - p. It is quiet: the picture is what counts.
 * @param {Ink} ink
 * @param {number} x
 * @param {number} y
 * @param {number} doubt
 */
function paintDoubt({ pen, theme, place }, x, y, doubt) {
  if (doubt < 0.1 || place.cell < 6) return;
  pen.save();
  pen.globalAlpha *= 0.7;
  pen.beginPath();
  pen.arc(x, y, place.cell * 0.25 * doubt, 0, 2 * Math.PI);
  pen.fillStyle = theme.gold;
  pen.fill();
  pen.restore();
}

/**
 * The hatch and the corner of "breaks a rule" on a filled cell: cased, so that they show on every color.
 * @param {Ink} ink
 * @param {number} x
 * @param {number} y
 * @param {number} size
 */
function paintAlarm({ pen, theme }, x, y, size) {
  const across = size / 2;
  const corner = size < 16 ? size * 0.6 : Math.min(11, size * 0.34);
  pen.save();
  pen.globalAlpha *= 0.8;
  for (const [color, width] of /** @type {[string, number][]} */ ([
    [theme.bg, 2.4],
    [theme.vermilion, 1.2],
  ])) {
    if (size < 16) break; // the corner alone: a hatch would hide the colors
    pen.strokeStyle = color;
    pen.lineWidth = width;
    pen.beginPath();
    for (let at = across; at < 2 * size - 2; at += across) {
      pen.moveTo(x + Math.min(at, size - 1), y + Math.max(1, at - size));
      pen.lineTo(x + Math.max(1, at - size), y + Math.min(at, size - 1));
    }
    pen.stroke();
  }
  pen.restore();
  pen.beginPath();
  pen.moveTo(x + size - corner, y);
  pen.lineTo(x + size, y);
  pen.lineTo(x + size, y + corner);
  pen.closePath();
  pen.strokeStyle = theme.bg;
  pen.lineWidth = 1.5;
  pen.stroke();
  pen.fillStyle = theme.vermilion;
  pen.fill();
}

/**
 * Frames around what has changed, what is chosen, and what is pointed at.
 * @param {Ink} ink
 * @param {number} position
 */
function paintFrames(ink, position) {
  const { pen, view, theme, place } = ink;
  const chosen = view.cells.includes(position);
  const age = view.trail.findIndex((set) => set.has(position));
  const width = view.changed.has(position) ? 2 : age >= 0 ? 1.4 - 0.4 * age : 0;
  if (!chosen && !width && view.hover !== position) return;
  const { x, y, size } = cellOf(ink, position);
  const round = view.board.kind === "graph" ? size : size < 14 ? 1 : 5;
  const inset = size < 14 ? 1.5 : 2.5;
  pen.strokeStyle = theme.ink;
  if (width) {
    if (view.board.kind === "image" || view.board.apart) {
      pen.strokeStyle = theme.bg; // ink alone is lost on a dark pixel
      pen.lineWidth = width + 2;
      roundRect(pen, x + inset, y + inset, size - 2 * inset, size - 2 * inset, round);
      pen.stroke();
      pen.strokeStyle = theme.ink;
    }
    pen.lineWidth = width;
    pen.globalAlpha = view.changed.has(position) ? 1 : 0.5;
    roundRect(pen, x + inset, y + inset, size - 2 * inset, size - 2 * inset, round);
    pen.stroke();
    pen.globalAlpha = 1;
  }
  if (chosen || view.hover === position) {
    pen.lineWidth = chosen ? 2.6 : 1.2;
    const out = place.cell > 12 ? -0.5 : -1;
    roundRect(pen, x + out, y + out, size - 2 * out, size - 2 * out, view.board.kind === "graph" ? size : 4);
    pen.stroke();
  }
}
