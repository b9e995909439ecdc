// What several trajectories say of a cell: how they divide over tokens, or how one differs from another.

import { ranked } from "./cells.js";
import { queen } from "./draw.js";
import { hueOf, onHue, paintBar, paintBlank, paintPixels, paintText, paintToken, shades } from "./glyphs.js";

/** @typedef {import("./glyphs.js").Ink} Ink */
/** The tokens of a cell, most frequent first. @typedef {[number, number][]} Order [token, count] */
/** @typedef {{x: number, y: number, size: number}} Cell its upper left corner and its side */

/**
 * Of a queen only the share matters: its area is the share, its number the count.
 * @param {Ink} ink
 * @param {number} count
 * @param {Cell} cell
 */
function paintQueens(ink, count, { x, y, size }) {
  const share = count / ink.view.crowd;
  const side = size * 0.76 * Math.sqrt(share);
  queen(ink.pen, x + (size - side) / 2, y + (size - side) / 2, side, ink.theme.ink, true);
  if (share < 1 && size >= 26) paintText(ink, String(count), x + size - 9, y + size - 8, 11, ink.theme.text3, 400);
}

/**
 * The mean of the pixels of all patches.
 * @param {Ink} ink
 * @param {Order} order
 * @param {Cell} cell
 */
function paintMean(ink, order, { x, y, size }) {
  const drawn = order.flatMap(([token, count]) => {
    const light = shades(ink.view.board, token);
    return light ? [{ light, count }] : [];
  });
  const all = drawn.reduce((sum, { count }) => sum + count, 0);
  if (!all) return paintBlank(ink, x + size / 2, y + size / 2, size);
  const mean = drawn[0].light.map((_, k) => drawn.reduce((sum, { light, count }) => sum + light[k] * count, 0) / all);
  return paintPixels(ink, mean, x + size / 2, y + size / 2, size);
}

/**
 * The most frequent token large, up to three others small with their counts; on a node, sectors.
 * @param {Ink} ink
 * @param {Order} order
 * @param {Cell} cell
 * @param {boolean} bold
 */
function paintVotes(ink, order, { x, y, size }, bold) {
  const { pen, view, theme, place } = ink;
  const node = view.board.kind === "graph";
  const several = order.length > 1 && place.cell >= 26 && !node;
  const [[token]] = order;
  const side = size * (several ? 0.86 : 1);
  paintToken(ink, token, x + size / 2, y + size * (several ? 0.4 : 0.5), side, { bold, node });
  if (node && order.length > 1) paintSectors(ink, order, x + size / 2, y + size / 2, size);
  if (!several) return;
  const rest = order.slice(1, 4).map(([other, count]) => `${view.board.tokens[other].symbol || "·"} ${count}`);
  pen.font = `400 11px ${ink.font}`;
  while (rest.length && pen.measureText(rest.join("  ")).width > size - 3) rest.pop(); // as many as the cell is wide
  paintText(ink, rest.join("  "), x + size / 2, y + size - 7.5, 11, theme.text3, 400);
}

/**
 * On a node, every token that is shown there as a sector as large as its share, with its letter.
 * @param {Ink} ink
 * @param {Order} order
 * @param {number} x
 * @param {number} y
 * @param {number} size
 */
function paintSectors(ink, order, x, y, size) {
  const { pen, view, theme } = ink;
  let from = -Math.PI / 2;
  for (const [token, count] of order) {
    const to = from + 2 * Math.PI * (count / view.crowd);
    const { glyph, symbol } = view.board.tokens[token];
    const hue = glyph === "color" ? hueOf(view.board, token) : null;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.arc(x, y, size / 2, from, to);
    pen.closePath();
    pen.fillStyle = hue ? theme[hue] : theme.bg;
    pen.fill();
    pen.lineWidth = 1.2;
    pen.strokeStyle = theme.ink;
    pen.stroke();
    const [dx, dy] = [Math.cos((from + to) / 2), Math.sin((from + to) / 2)];
    if (size >= 30 && count / view.crowd > 0.2)
      paintText(ink, symbol, x + dx * size * 0.32, y + dy * size * 0.32, 11, onHue(theme, hue), 700);
    from = to;
  }
}

/**
 * What all trajectories show in a cell.
 * @param {Ink} ink
 * @param {number} position
 * @param {Cell} cell
 */
export function paintCrowd(ink, position, cell) {
  const { board, counts, crowd, given } = ink.view;
  const order = counts ? ranked(counts, position, board.tokens.length) : [];
  const queens = order.find(([token]) => board.tokens[token].glyph === "queen");
  const { x, y, size } = cell;
  if (queens) return paintQueens(ink, queens[1], cell);
  if (!order.length) return;
  if (board.kind === "image") return paintMean(ink, order, cell);
  if (!board.apart) return paintVotes(ink, order, cell, given[position]);
  // A filled cell has no room for counts: the bar is the share of the trajectories that show this color.
  paintToken(ink, order[0][0], x + size / 2, y + size / 2, size);
  if (order.length > 1 && size >= 14) paintBar(ink, x, y + size - 5, size, order[0][1] / crowd);
}

/**
 * A cell in which two trajectories agree: faint.
 * @param {Ink} ink
 * @param {number} token
 * @param {Cell} cell
 * @param {boolean} bold
 */
function paintAgreement(ink, token, { x, y, size }, bold) {
  const { pen, view, theme } = ink;
  const node = view.board.kind === "graph";
  if (node) {
    pen.beginPath(); // no edge shines through a faint node
    pen.arc(x + size / 2, y + size / 2, size / 2, 0, 2 * Math.PI);
    pen.fillStyle = theme.bg;
    pen.fill();
  }
  pen.globalAlpha *= 0.35;
  paintToken(ink, token, x + size / 2, y + size / 2, size, { bold, node });
}

/**
 * One trajectory against another: both tokens where they differ.
 * @param {Ink} ink
 * @param {number} position
 * @param {Cell} cell
 */
export function paintDifference(ink, position, cell) {
  const { pen, view, theme } = ink;
  const { x, y, size } = cell;
  const mine = view.tokens[position];
  const theirs = view.other?.[position] ?? mine;
  if (mine === theirs) return paintAgreement(ink, mine, cell, view.given[position]);
  if (view.board.kind === "graph") {
    paintToken(ink, theirs, x + size * 0.22, y + size * 0.22, size * 0.72, { node: true });
    return paintToken(ink, mine, x + size * 0.78, y + size * 0.78, size * 0.72, { node: true });
  }
  pen.fillStyle = theme.given;
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(x + size, y);
  pen.lineTo(x, y + size);
  pen.fill();
  pen.strokeStyle = theme.edge;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(x + size, y);
  pen.lineTo(x, y + size);
  pen.stroke();
  paintToken(ink, theirs, x + size * 0.29, y + size * 0.3, size * 0.6, { bold: true });
  paintToken(ink, mine, x + size * 0.71, y + size * 0.72, size * 0.6, { bold: false });
}
