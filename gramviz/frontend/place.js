// Where the positions of a board lie on screen: squares of a grid, or nodes of a graph. Pure geometry.

/** @import { Board, GridPlaces, Places, Token } from "./types.js" */

export const LEAST = 22; // px of a cell that holds text, which is half as high; a larger board scrolls inside its panel

/** {width, height, cell, at(position) -> {x, y} center, hit(x, y) -> position or null, move(position, dx, dy)}.
 * @param {Board} board @param {number} side @returns {Places} */
export function places(board, side) {
  return board.kind === "graph" ? nodes(board, side) : squares(board, side);
}

/** @param {Board} board @param {number} side */
function squares(board, side) {
  // Colors need no letters; only what is read needs a cell of that size.
  const read = (/** @type {Token} */ token) => token.glyph === "text" || token.glyph === "queen";
  const text = board.tokens.some(read) && !board.tokens.some((token) => token.glyph === "color");
  const fit = Math.floor(side / Math.max(board.width, board.height));
  const cell =
    text && board.size <= 1600 && side > 100
      ? Math.max(LEAST, fit)
      : Math.max(1, side / Math.max(board.width, board.height));
  return gridAt(board, cell, 1, 1);
}

/** A grid whose upper left corner is at (left, top); the outer frame takes a pixel on each side.
 * @param {Board} board @param {number} cell @param {number} left @param {number} top @returns {GridPlaces} */
export function gridAt(board, cell, left, top) {
  return {
    cell,
    left,
    top,
    width: cell * board.width + 2,
    height: cell * board.height + 2,
    at: (position) => ({
      x: left + ((position % board.width) + 0.5) * cell,
      y: top + (Math.floor(position / board.width) + 0.5) * cell,
    }),
    hit(x, y) {
      const [column, row] = [Math.floor((x - left) / cell), Math.floor((y - top) / cell)];
      return column >= 0 && row >= 0 && column < board.width && row < board.height ? row * board.width + column : null;
    },
    move(position, dx, dy) {
      const column = Math.min(board.width - 1, Math.max(0, (position % board.width) + dx));
      const row = Math.min(board.height - 1, Math.max(0, Math.floor(position / board.width) + dy));
      return row * board.width + column;
    },
  };
}

/** @param {Board} board @param {number} side @returns {Places} */
function nodes(board, side) {
  const cell = Math.max(side < 100 ? 6 : 14, Math.min(36, (side / Math.sqrt(board.size)) * 0.36));
  const rim = cell / 2 + (side < 100 ? 2 : 13); // half a node, and what stands around it: its number, a ring, a bar
  const circle = (/** @type {number} */ k) => [
    0.5 + 0.5 * Math.sin((2 * Math.PI * k) / board.size),
    0.5 - 0.5 * Math.cos((2 * Math.PI * k) / board.size),
  ];
  const at = (/** @type {number} */ position) => {
    const [x, y] = board.xy?.[position] ?? circle(position);
    return { x: rim + x * (side - 2 * rim), y: rim + y * (side - 2 * rim) };
  };
  const all = Array.from({ length: board.size }, (_, position) => ({ position, ...at(position) }));
  return {
    cell,
    width: side,
    height: side,
    at,
    hit: (x, y) => all.find((node) => Math.hypot(node.x - x, node.y - y) < cell / 2 + 3)?.position ?? null,
    /** The nearest node in a direction, so that arrow keys work on a graph too. */
    move(position, dx, dy) {
      const from = at(position);
      const ahead = all
        .map((node) => ({
          ...node,
          along: (node.x - from.x) * dx + (node.y - from.y) * dy,
          aside: Math.abs((node.x - from.x) * dy) + Math.abs((node.y - from.y) * dx),
        }))
        .filter((node) => node.along > 1 && node.aside <= node.along * 1.5);
      return ahead.sort((a, b) => a.along + 2 * a.aside - b.along - 2 * b.aside)[0]?.position ?? position;
    },
  };
}
