// Paints one board picture: cells or nodes, their tokens, and every mark of the design. It decides nothing; `view` says all.

import { contract } from "./contract.js";
import { opponents, quiet, ranked } from "./cells.js";
import { hatch, queen, roundRect } from "./draw.js";
import { ARC } from "./theme.js";

const MANY_ATTACKS = 12; // pairs; beyond that the lines are a net that hides the board, and the hatch says it all
// A node's colors as gramviz.theme.token_color has them: by name, else in order; vermilion is the alarm and never among them.
/** @type {Record<string, string>} */
const HUES = contract.named;
const UNSURE = 0.6; // below this certainty the runner-up is shown

/**
 * @param view {board, given, mode: "one" | "differ" | "all", tokens, conflict(position), certainty?(position),
 *   second?(position), changed: Set, trail: [Set], pinned?, truth?, other?, counts?, crowd, hover, cells, token, small}
 */
export function paintBoard(pen, place, view, theme, font) {
  const { board } = view;
  const ink = { pen, place, view, theme, font };
  if (board.kind === "graph") paintEdges(ink);
  else if (board.tokens.some((token) => token.glyph === "text" || token.glyph === "queen")) paintSquares(ink);
  for (let position = 0; position < board.size; position += 1) paintPosition(ink, position);
  if (board.kind !== "graph") paintLines(ink);
  if (view.mode !== "all" && !view.small) paintAttacks(ink);
  if (!view.small) for (let position = 0; position < board.size; position += 1) paintFrames(ink, position);
}

function corner({ place }, position) {
  const { x, y } = place.at(position);
  return [x - place.cell / 2, y - place.cell / 2, place.cell];
}

function paintSquares(ink) {
  const { pen, view, theme, place } = ink;
  const { board } = view;
  for (let position = 0; position < board.size; position += 1) {
    const [x, y, size] = corner(ink, position);
    const dark = board.checkered && ((position % board.width) + Math.floor(position / board.width)) % 2;
    pen.fillStyle = view.given[position] ? theme.given : dark ? theme.sunk : theme.bg;
    pen.fillRect(x, y, size, size);
    if (view.mode === "all" && !view.given[position]) {
      // Lightness = agreement: the deeper the tint, the more paths show the same token.
      const top = ranked(view.counts, position, board.tokens.length)[0]?.[1] ?? 0;
      pen.globalAlpha = 0.9 * Math.max(0, (top / view.crowd - 0.34) / 0.66) * (board.checkered ? 0.55 : 1);
      pen.fillStyle = theme.given;
      pen.fillRect(x, y, size, size);
      pen.globalAlpha = 1;
    }
  }
  if (view.hover !== null && !view.small) {
    const { x, y } = place.at(view.hover);
    pen.fillStyle = theme.ink;
    pen.globalAlpha = 0.05;
    pen.fillRect(x - place.cell / 2, place.top, place.cell, board.height * place.cell);
    pen.fillRect(place.left, y - place.cell / 2, board.width * place.cell, place.cell);
    pen.globalAlpha = 1;
  }
}

function paintLines(ink) {
  const { pen, place, view, theme } = ink;
  const { board } = view;
  const { left, top, cell } = place;
  const [right, bottom] = [left + board.width * cell, top + board.height * cell];
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
  const every = (count, by) =>
    Array.from({ length: Math.floor(count / by) - (count % by ? 0 : 1) }, (_, k) => (k + 1) * by);
  if (cell > 11 && board.kind !== "image") line(1, theme.line, every(board.width, 1), every(board.height, 1));
  if (board.box) line(2, theme.ink, every(board.width, board.box[1]), every(board.height, board.box[0]));
  pen.lineWidth = view.small ? 1 : 2;
  pen.strokeStyle = board.apart ? theme.edge : theme.ink; // ink around black cells would be part of the picture
  roundRect(pen, left, top, right - left, bottom - top, 3);
  pen.stroke();
}

function paintPosition(ink, position) {
  const { pen, view } = ink;
  const token = view.tokens[position];
  pen.globalAlpha = view.token !== null && token !== view.token ? 0.25 : 1;
  if (view.mode === "all") paintCrowd(ink, position);
  else if (view.mode === "differ") paintDifference(ink, position);
  else paintAnswer(ink, position, token);
  pen.globalAlpha = 1;
}

function paintAnswer(ink, position, token) {
  const { pen, view, theme, place } = ink;
  const [x, y, size] = corner(ink, position);
  const filled = view.board.apart || (view.board.kind !== "graph" && view.board.tokens[token].glyph === "colour");
  if (view.conflict(position) && !view.small && !filled) {
    if (view.board.kind === "graph") {
      pen.beginPath();
      pen.arc(x + size / 2, y + size / 2, size / 2 + 4, 0, 2 * Math.PI);
      pen.strokeStyle = theme.vermilion;
      pen.lineWidth = 2.5;
      pen.stroke();
    } else hatch(pen, x + 0.5, y + 0.5, size - 1, theme.vermilion);
  }
  paintToken(ink, token, x + size / 2, y + size / 2, size, {
    bold: view.given[position],
    node: view.board.kind === "graph",
  });
  if (view.small) return;
  if (filled && view.conflict(position)) paintAlarm(ink, x, y, size);
  const { glyph } = view.board.tokens[token];
  const unseen = quiet(view.board, token);
  const sure = view.certainty?.(position) ?? null;
  if (view.board.kind === "image") {
    paintDoubt(ink, x + size / 2, y + size / 2, sure === null ? 0 : 1 - sure);
    return;
  }
  if (filled && place.cell < 20) paintDoubt(ink, x + size / 2, y + size / 2, sure === null ? 0 : 1 - sure);
  if (place.cell < 20) return;
  if (sure !== null && !view.given[position] && (!unseen || sure < 0.9)) {
    const graph = view.board.kind === "graph";
    const bottom = graph ? y + size + 8 : y + size - 5;
    paintBar(ink, x, bottom, size, sure, glyph === "colour" || graph);
    const next = view.second?.(position) ?? null;
    if (sure < UNSURE && next !== null && size >= 26) {
      if (graph) paintSmall(ink, next, x + size + 6, y + size - 2);
      else paintSmall(ink, next, x + size - 7, y + size - 13);
    }
  }
  if (view.pinned && view.pinned[position] !== token && size >= 26)
    paintSmall(ink, view.pinned[position], x + 7.5, y + 8.5);
  if (view.truth && view.truth[position] !== token) {
    pen.strokeStyle = theme.vermilion;
    pen.lineWidth = 1.5;
    pen.beginPath();
    for (const [from, to] of [
      [-3, 3],
      [3, -3],
    ]) {
      pen.moveTo(x + size - 8 + from, y + size - 8 - 3);
      pen.lineTo(x + size - 8 + to, y + size - 8 + 3);
    }
    pen.stroke();
  }
}

/** A share 0 to 1 as a bar across a cell; cased, it shows on every color and on every edge. */
function paintBar({ pen, theme }, x, y, size, share, cased = true) {
  if (cased) {
    pen.fillStyle = theme.bg;
    pen.fillRect(x + size * 0.24 - 1.5, y - 1.5, size * 0.52 + 3, 4.6);
  }
  pen.fillStyle = theme.line;
  pen.fillRect(x + size * 0.24, y, size * 0.52, 1.6);
  pen.fillStyle = theme.text2;
  pen.fillRect(x + size * 0.24, y, size * 0.52 * share, 1.6);
}

/** On a cell without room for a bar, doubt is a dot of size 1 - p. It is quiet: the picture is what counts. */
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

/** The hatch and the corner of "breaks a rule" on a filled cell: cased, so that they show on every color. */
function paintAlarm({ pen, theme }, x, y, size) {
  const across = size / 2;
  const corner = size < 16 ? size * 0.6 : Math.min(11, size * 0.34);
  pen.save();
  pen.globalAlpha *= 0.8;
  for (const [color, width] of [
    [theme.bg, 2.4],
    [theme.vermilion, 1.2],
  ]) {
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

/** A token at a point. `size` is that of a whole cell; tokens that mean "nothing" draw nothing. */
function paintToken(ink, token, x, y, size, { bold = false, node = false, color = null } = {}) {
  const { pen, view, theme } = ink;
  const { glyph, symbol, label } = view.board.tokens[token];
  const fill = color ?? theme.ink;
  if (node) {
    const hue = glyph === "colour" && !quiet(view.board, token) ? hueOf(view.board, token) : null;
    pen.beginPath();
    pen.arc(x, y, size / 2, 0, 2 * Math.PI);
    pen.fillStyle = hue ? theme[hue] : theme.bg;
    pen.fill();
    pen.lineWidth = bold ? 3.5 : 1.2;
    pen.strokeStyle = theme.ink;
    pen.stroke();
    if (!quiet(view.board, token) && size >= 14)
      paintText(ink, symbol, x, y, Math.min(15, size * 0.5), onHue(theme, hue), 700);
    return;
  }
  if (glyph === "pixel") {
    paintPixels(ink, shades(view.board, token), x, y, size);
    return;
  }
  if (glyph === "colour") {
    const index = [symbol, label].map((text) => (text === "" ? NaN : Number(text))).find(Number.isInteger) ?? token;
    pen.fillStyle = ARC[index % ARC.length];
    pen.fillRect(x - size / 2, y - size / 2, size + 0.5, size + 0.5);
    return;
  }
  if (view.board.kind === "image" || (view.board.apart && quiet(view.board, token))) {
    paintBlank(ink, x, y, size);
    return;
  }
  if (quiet(view.board, token)) return;
  if (glyph === "queen") {
    if (view.small) {
      pen.fillStyle = fill;
      pen.beginPath();
      pen.arc(x, y, size * 0.3, 0, 2 * Math.PI);
      pen.fill();
    } else queen(pen, x - size * 0.38, y - size * 0.37, size * 0.76, fill, bold);
    return;
  }
  if (size >= 12 || view.small) {
    if (size >= 12)
      paintText(ink, symbol, x, y - (bold || view.mode !== "one" ? 0 : 1), size * 0.5, fill, bold ? 700 : 400);
    else {
      pen.fillStyle = fill;
      pen.globalAlpha *= bold ? 0.9 : 0.4;
      pen.fillRect(x - size * 0.22, y - size * 0.22, size * 0.44, size * 0.44);
      pen.globalAlpha = 1;
    }
  }
}

function hueOf(board, token) {
  const hues = Object.values(HUES);
  const order = board.tokens.filter((other) => other.glyph === "colour").indexOf(board.tokens[token]);
  return HUES[board.tokens[token].label.toLowerCase()] ?? hues[order] ?? contract.roles.none;
}

/** The text that reads best on a hue: dark on gold and on all hues of the dark theme, else white. */
function onHue(theme, hue) {
  if (hue === null) return theme.ink;
  return theme.mode === "light" && (hue === "gold" || hue === contract.roles.none) ? theme.ink : theme.bg;
}

/** Light of a token's pixels, row by row: 0 paper to 1 ink; null where it is no pixel. As gramviz.measure.shades. */
function shades(board, token) {
  const { glyph, symbol } = board.tokens[token];
  if (glyph !== "pixel") return null;
  const count = (board.patch ?? 1) ** 2;
  if (symbol.length === count && /^[01]+$/.test(symbol)) return [...symbol].map(Number);
  const greys = board.tokens.filter((other) => other.glyph === "pixel");
  return Array(count).fill(greys.indexOf(board.tokens[token]) / Math.max(1, greys.length - 1));
}

/** A square of pixels, `light` of each row by row, around a point; whole device pixels leave no seams. */
function paintPixels({ pen }, light, x, y, size) {
  const side = Math.sqrt(light.length);
  const edge = (k, middle) => Math.round(middle - size / 2 + (k * size) / side);
  for (const [k, value] of light.entries()) {
    const [row, column] = [Math.floor(k / side), k % side];
    const grey = Math.round(255 * value);
    pen.fillStyle = `rgb(${grey} ${grey} ${grey})`;
    pen.fillRect(edge(column, x), edge(row, y), edge(column + 1, x) - edge(column, x), edge(row + 1, y) - edge(row, y));
  }
}

/** A blank patch is neither paper nor ink: sunk, with a stroke. */
function paintBlank({ pen, theme }, x, y, size) {
  pen.fillStyle = theme.sunk;
  pen.fillRect(x - size / 2, y - size / 2, size, size);
  pen.strokeStyle = theme.edge;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(x - size * 0.2, y + size * 0.2);
  pen.lineTo(x + size * 0.2, y - size * 0.2);
  pen.stroke();
}

function paintText({ pen, font }, text, x, y, size, color, weight) {
  pen.font = `${weight} ${size}px ${font}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillStyle = color;
  pen.fillText(text, x, y + size * 0.06);
}

/** A second token beside the first: the runner-up, or what the pinned path shows. Emptiness is a small ring. */
function paintSmall(ink, token, x, y) {
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
  } else if (view.board.tokens[token].glyph === "queen") queen(pen, x - 6, y - 6, 12, theme.text3, true);
  else paintText(ink, view.board.tokens[token].symbol, x, y, 11, theme.text3, 400);
}

function paintDifference(ink, position) {
  const { pen, view, theme } = ink;
  const [x, y, size] = corner(ink, position);
  const [mine, theirs] = [view.tokens[position], view.other[position]];
  if (mine === theirs) {
    if (view.board.kind === "graph") {
      pen.beginPath(); // no edge shines through a faint node
      pen.arc(x + size / 2, y + size / 2, size / 2, 0, 2 * Math.PI);
      pen.fillStyle = theme.bg;
      pen.fill();
    }
    pen.globalAlpha *= 0.35;
    paintToken(ink, mine, x + size / 2, y + size / 2, size, {
      bold: view.given[position],
      node: view.board.kind === "graph",
    });
    return;
  }
  if (view.board.kind === "graph") {
    paintToken(ink, theirs, x + size * 0.22, y + size * 0.22, size * 0.72, { node: true });
    paintToken(ink, mine, x + size * 0.78, y + size * 0.78, size * 0.72, { node: true });
    return;
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

/** "All": the most frequent token large, up to three others small with their counts; on a node, sectors. */
function paintCrowd(ink, position) {
  const { pen, view, theme, place } = ink;
  const [x, y, size] = corner(ink, position);
  const order = ranked(view.counts, position, view.board.tokens.length);
  const node = view.board.kind === "graph";
  const queens = order.find(([token]) => view.board.tokens[token].glyph === "queen");
  if (queens) {
    // Of a queen only the share matters: its area is the share, its number the count.
    const share = queens[1] / view.crowd;
    queen(
      pen,
      x + size / 2 - size * 0.38 * Math.sqrt(share),
      y + size / 2 - size * 0.38 * Math.sqrt(share),
      size * 0.76 * Math.sqrt(share),
      theme.ink,
      true,
    );
    if (share < 1 && size >= 26) paintText(ink, String(queens[1]), x + size - 9, y + size - 8, 11, theme.text3, 400);
    return;
  }
  if (!order.length) return;
  if (view.board.kind === "image") {
    const drawn = order
      .map(([token, count]) => [shades(view.board, token), count])
      .filter(([light]) => light !== null);
    const all = drawn.reduce((sum, [, count]) => sum + count, 0);
    if (!all) paintBlank(ink, x + size / 2, y + size / 2, size);
    else {
      const mean = drawn[0][0].map((_, k) => drawn.reduce((sum, [light, count]) => sum + light[k] * count, 0) / all);
      paintPixels(ink, mean, x + size / 2, y + size / 2, size);
    }
    return;
  }
  if (view.board.apart) {
    // A filled cell has no room for counts: the bar is the share of the paths that show this color.
    paintToken(ink, order[0][0], x + size / 2, y + size / 2, size);
    if (order.length > 1 && size >= 14) paintBar(ink, x, y + size - 5, size, order[0][1] / view.crowd);
    return;
  }
  const several = order.length > 1 && place.cell >= 26;
  paintToken(
    ink,
    order[0][0],
    x + size / 2,
    y + size * (several && !node ? 0.4 : 0.5),
    size * (several && !node ? 0.86 : 1),
    { bold: view.given[position], node },
  );
  if (node && order.length > 1) paintShares(ink, order, x + size / 2, y + size / 2, size);
  if (!several || node) return;
  const rest = order.slice(1, 4).map(([token, count]) => `${view.board.tokens[token].symbol || "·"} ${count}`);
  pen.font = `400 11px ${ink.font}`;
  while (rest.length && pen.measureText(rest.join("  ")).width > size - 3) rest.pop(); // as many as the cell is wide
  paintText(ink, rest.join("  "), x + size / 2, y + size - 7.5, 11, theme.text3, 400);
}

/** On a node, every token that is shown there as a sector as large as its share, with its letter. */
function paintShares(ink, order, x, y, size) {
  const { pen, view, theme } = ink;
  let from = -Math.PI / 2;
  for (const [token, count] of order) {
    const to = from + 2 * Math.PI * (count / view.crowd);
    const { glyph, symbol } = view.board.tokens[token];
    const hue = glyph === "colour" ? hueOf(view.board, token) : null;
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
    if (size >= 26 && count / view.crowd > 0.12)
      paintText(ink, symbol, x + dx * size * 0.32, y + dy * size * 0.32, 10, onHue(theme, hue), 700);
    from = to;
  }
}

function paintEdges({ pen, place, view, theme }) {
  for (const [a, b] of view.board.edges) {
    const [from, to] = [place.at(a), place.at(b)];
    const clash =
      view.mode === "one" && view.tokens[a] === view.tokens[b] && view.board.exclusive.includes(view.tokens[a]);
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

/** Who attacks whom: faint between all queens in conflict, in ink from the cell that is pointed at. */
function paintAttacks({ pen, place, view, theme }) {
  const line = (a, b) => {
    const [from, to] = [place.at(a), place.at(b)];
    const length = Math.hypot(to.x - from.x, to.y - from.y);
    const gap = Math.min(place.cell * 0.36, length / 3) / length;
    pen.moveTo(from.x + (to.x - from.x) * gap, from.y + (to.y - from.y) * gap);
    pen.lineTo(to.x - (to.x - from.x) * gap, to.y - (to.y - from.y) * gap);
  };
  const { board } = view;
  if (view.mode === "one" && board.checkered) {
    const pairs = Array.from({ length: board.size }, (_, position) => position)
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

function paintFrames(ink, position) {
  const { pen, view, theme, place } = ink;
  const chosen = view.cells.includes(position);
  const age = view.trail.findIndex((set) => set.has(position));
  const width = view.changed.has(position) ? 2 : age >= 0 ? 1.4 - 0.4 * age : 0;
  if (!chosen && !width && view.hover !== position) return;
  const [x, y, size] = corner(ink, position);
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
