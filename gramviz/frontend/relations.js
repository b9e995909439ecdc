// What joins positions of a board: the edges of a graph, and who attacks whom.

import { opponents } from "./cells.js";

/** @typedef {import("./glyphs.js").Ink} Ink */

const MANY_ATTACKS = 12; // pairs; beyond that the lines are a net that hides the board, and the hatch says it all

/**
 * The edges of a graph.
 * @param {Ink} ink
 */
export function paintEdges({ pen, place, view, theme }) {
  const said = (/** @type {number} */ at) => view.against(at) ?? view.tokens[at]; // as conflicts are counted
  for (const [a, b] of view.board.edges) {
    const [from, to] = [place.at(a), place.at(b)];
    const clash = view.mode === "one" && said(a) === said(b) && view.board.exclusive.includes(said(a));
    pen.strokeStyle = clash ? theme.vermilion : theme.edge;
    pen.lineWidth = clash ? 3 : view.small ? 1 : 1.6;
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    const turns = clash ? Math.max(4, Math.round(length / 7)) : 1; // a zigzag tells a clash without color
    for (let k = 1; k < turns; k += 1) {
      const side = (k % 2 ? 3.5 : -3.5) / length;
      pen.lineTo(
        from.x + ((to.x - from.x) * k) / turns - (to.y - from.y) * side,
        from.y + ((to.y - from.y) * k) / turns + (to.x - from.x) * side,
      );
    }
    pen.lineTo(to.x, to.y);
    pen.stroke();
  }
}

/**
 * Who attacks whom: faint between all queens in conflict, in ink from the cell that is pointed at.
 * @param {Ink} ink
 */
export function paintAttacks({ pen, place, view, theme }) {
  const line = (/** @type {number} */ a, /** @type {number} */ b) => {
    const [from, to] = [place.at(a), place.at(b)];
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    const gap = Math.min(place.cell * 0.36, length / 3) / length;
    pen.moveTo(from.x + (to.x - from.x) * gap, from.y + (to.y - from.y) * gap);
    pen.lineTo(to.x - (to.x - from.x) * gap, to.y - (to.y - from.y) * gap);
  };
  const { board } = view;
  if (view.mode === "one" && board.checkered) {
    const pairs = [...Array(board.size).keys()]
      .filter(view.conflict)
      .flatMap((position) => opponents(board, view.tokens, position).map((other) => [position, other]))
      .filter(([position, other]) => other > position);
    if (pairs.length <= MANY_ATTACKS) {
      pen.beginPath();
      for (const [position, other] of pairs) line(position, other);
      pen.strokeStyle = theme.vermilion;
      pen.lineWidth = 1.5;
      pen.setLineDash([4, 3]);
      pen.stroke();
      pen.setLineDash([]);
    }
  }
  const at = view.hover ?? view.cells[0] ?? null;
  if (at === null || view.mode !== "one") return;
  pen.beginPath();
  for (const other of opponents(board, view.tokens, at)) line(at, other);
  pen.strokeStyle = theme.ink;
  pen.lineWidth = 2;
  pen.stroke();
}
