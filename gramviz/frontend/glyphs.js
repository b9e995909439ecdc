// What stands in one cell or node: the tokens of a board, each by its glyph.

import { quiet } from "./cells.js";
import { contract } from "./contract.js";
import { queen } from "./draw.js";
import { ARC } from "./theme.js";

/** @import { Board, BoardView, Hue, Pen, Places, Theme } from "./types.js" */
/**
 * What a board is painted with.
 * @typedef {{pen: Pen, place: Places, view: BoardView, theme: Theme, font: string}} Ink
 */
/** @typedef {{bold?: boolean, node?: boolean}} TokenStyle `bold` for what is given, `node` for a circle of a graph */

// A node's colors as gramviz.theme.token_color has them: by name, else in order; vermilion is the alarm.
/** @type {Record<string, Hue>} */
const HUES = contract.named;
const LEAST_TEXT = 12; // px of a cell that holds a symbol

/**
 * @param {Ink} ink
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {number} size
 * @param {string} color
 * @param {number} weight
 */
export function paintText({ pen, font }, text, x, y, size, color, weight) {
  pen.font = `${weight} ${size}px ${font}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = color;
  pen.fillText(text, x, y + size * 0.06);
}

/**
 * The hue of a color of a graph.
 * @param {Board} board
 * @param {number} token
 * @returns {Hue}
 */
export function hueOf(board, token) {
  const hues = Object.values(HUES);
  const order = board.tokens.filter((other) => other.glyph === "color").indexOf(board.tokens[token]);
  return HUES[board.tokens[token].label.toLowerCase()] ?? hues[order] ?? contract.roles.none;
}

/**
 * The text that reads best on a hue: dark on gold and on all hues of the dark theme, else white.
 * @param {Theme} theme
 * @param {Hue | null} hue
 */
export function onHue(theme, hue) {
  if (hue === null) return theme.ink;
  return theme.mode === "light" && (hue === "gold" || hue === contract.roles.none) ? theme.ink : theme.bg;
}

/**
 * Light of a token's pixels, row by row: 0 paper to 1 ink; null where it is no pixel. As gramviz.measure.shades.
 * @param {Board} board
 * @param {number} token
 */
export function shades(board, token) {
  const { glyph, symbol } = board.tokens[token];
  if (glyph !== "pixel") return null;
  const count = (board.patch ?? 1) ** 2;
  if (symbol.length === count && /^[01]+$/.test(symbol)) return [...symbol].map(Number);
  const grays = board.tokens.filter((other) => other.glyph === "pixel");
  return Array(count).fill(grays.indexOf(board.tokens[token]) / Math.max(1, grays.length - 1));
}

/**
 * A square of pixels, `light` of each row by row, around a point; whole device pixels leave no seams.
 * @param {Ink} ink
 * @param {number[]} light
 * @param {number} x
 * @param {number} y
 * @param {number} size
 */
export function paintPixels({ pen }, light, x, y, size) {
  const side = Math.sqrt(light.length);
  const edge = (/** @type {number} */ k, /** @type {number} */ middle) =>
    Math.round(middle - size / 2 + (k * size) / side);
  for (const [k, value] of light.entries()) {
    const [row, column] = [Math.floor(k / side), k % side];
    const gray = Math.round(255 * value);
    pen.fillStyle = `rgb(${gray} ${gray} ${gray})`;
    pen.fillRect(edge(column, x), edge(row, y), edge(column + 1, x) - edge(column, x), edge(row + 1, y) - edge(row, y));
  }
}

/**
 * A blank patch is neither paper nor ink: sunk, with a stroke.
 * @param {Ink} ink
 * @param {number} x
 * @param {number} y
 * @param {number} size
 */
export function paintBlank({ pen, theme }, x, y, size) {
  pen.fillStyle = theme.sunk;
  pen.fillRect(x - size / 2, y - size / 2, size, size);
  pen.strokeStyle = theme.edge;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(x - size * 0.2, y + size * 0.2);
  pen.lineTo(x + size * 0.2, y - size * 0.2);
  pen.stroke();
}

/**
 * A share 0 to 1 as a bar across a cell; cased, it shows on every color and on every edge.
 * @param {Ink} ink
 * @param {number} x
 * @param {number} y
 * @param {number} size
 * @param {number} share
 * @param {boolean} cased
 */
export function paintBar({ pen, theme }, x, y, size, share, cased = true) {
  if (cased) {
    pen.fillStyle = theme.bg;
    pen.fillRect(x + size * 0.24 - 1.5, y - 1.5, size * 0.52 + 3, 4.6);
  }
  pen.fillStyle = theme.line;
  pen.fillRect(x + size * 0.24, y, size * 0.52, 1.6);
  pen.fillStyle = theme.text2;
  pen.fillRect(x + size * 0.24, y, size * 0.52 * share, 1.6);
}

/**
 * A node of a graph: a circle of its color, with its letter.
 * @param {Ink} ink
 * @param {number} token
 * @param {number} x
 * @param {number} y
 * @param {number} size
 * @param {boolean} bold
 */
function paintNode(ink, token, x, y, size, bold) {
  const { pen, view, theme } = ink;
  const { glyph, symbol } = view.board.tokens[token];
  const isQuiet = quiet(view.board, token);
  const hue = glyph === "color" && !isQuiet ? hueOf(view.board, token) : null;
  pen.beginPath();
  pen.arc(x, y, size / 2, 0, 2 * Math.PI);
  pen.fillStyle = hue ? theme[hue] : theme.bg;
  pen.fill();
  pen.lineWidth = bold ? 3.5 : 1.2;
  pen.strokeStyle = theme.ink;
  pen.stroke();
  if (!isQuiet && size >= 14)
    paintText(ink, symbol, x, y, Math.max(view.small ? 0 : 11, Math.min(15, size * 0.5)), onHue(theme, hue), 700);
}

/**
 * A cell that is filled with its color.
 * @param {Ink} ink
 * @param {number} token
 * @param {number} x
 * @param {number} y
 * @param {number} size
 */
function paintColor({ pen, view }, token, x, y, size) {
  const { symbol, label } = view.board.tokens[token];
  const index = [symbol, label].map((text) => (text === "" ? NaN : Number(text))).find(Number.isInteger) ?? token;
  pen.fillStyle = ARC[index % ARC.length];
  pen.fillRect(x - size / 2, y - size / 2, size + 0.5, size + 0.5);
}

/**
 * @param {Ink} ink
 * @param {number} x
 * @param {number} y
 * @param {number} size
 * @param {boolean} bold
 */
function paintQueen({ pen, view, theme }, x, y, size, bold) {
  if (!view.small) return queen(pen, x - size * 0.38, y - size * 0.37, size * 0.76, theme.ink, bold);
  pen.fillStyle = theme.ink;
  pen.beginPath();
  pen.arc(x, y, size * 0.3, 0, 2 * Math.PI);
  return pen.fill();
}

/**
 * A symbol; in a small picture a square.
 * @param {Ink} ink
 * @param {number} token
 * @param {number} x
 * @param {number} y
 * @param {number} size
 * @param {boolean} bold
 */
function paintSymbol(ink, token, x, y, size, bold) {
  const { pen, view, theme } = ink;
  const { symbol } = view.board.tokens[token];
  const up = bold || view.mode !== "one" ? 0 : 1; // above its bar of certainty
  if (size >= LEAST_TEXT) return paintText(ink, symbol, x, y - up, size * 0.5, theme.ink, bold ? 700 : 400);
  if (!view.small) return;
  pen.fillStyle = theme.ink;
  pen.globalAlpha *= bold ? 0.9 : 0.4;
  pen.fillRect(x - size * 0.22, y - size * 0.22, size * 0.44, size * 0.44);
  pen.globalAlpha = 1;
}

/**
 * A token at a point; one that means "nothing" draws nothing.
 * @param {Ink} ink
 * @param {number} token
 * @param {number} x
 * @param {number} y
 * @param {number} size of a whole cell
 * @param {TokenStyle} style
 */
export function paintToken(ink, token, x, y, size, { bold = false, node = false } = {}) {
  const { board } = ink.view;
  const light = shades(board, token);
  if (node) paintNode(ink, token, x, y, size, bold);
  else if (light) paintPixels(ink, light, x, y, size);
  else if (board.tokens[token].glyph === "color") paintColor(ink, token, x, y, size);
  else if (board.kind === "image" || (board.apart && quiet(board, token))) paintBlank(ink, x, y, size);
  else if (quiet(board, token)) return;
  else if (board.tokens[token].glyph === "queen") paintQueen(ink, x, y, size, bold);
  else paintSymbol(ink, token, x, y, size, bold);
}

/**
 * A second token beside the first: the runner-up, or what the pinned trajectory shows. Emptiness is a small ring.
 * @param {Ink} ink
 * @param {number} token
 * @param {number} x
 * @param {number} y
 */
export function paintSmall(ink, token, x, y) {
  const { pen, view, theme } = ink;
  if (view.board.apart && !quiet(view.board, token)) {
    paintToken(ink, token, x, y, 9); // a letter would not show on every color
    pen.lineWidth = 1;
    pen.strokeStyle = theme.bg;
    pen.strokeRect(x - 4.5, y - 4.5, 9, 9);
  } else if (quiet(view.board, token)) {
    pen.beginPath();
    pen.arc(x, y, 2.2, 0, 2 * Math.PI);
    pen.lineWidth = 1;
    pen.strokeStyle = theme.text3;
    pen.stroke();
  } else if (view.board.tokens[token].glyph === "queen") queen(pen, x - 6, y - 6, 11, theme.text3, true);
  else paintText(ink, view.board.tokens[token].symbol, x, y, 11, theme.text3, 400);
}
