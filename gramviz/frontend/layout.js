// The sizes that canvases are drawn at. The widget's own width decides, never the window's.

const WIDE = 960;
const MEDIUM = 640;
const TINY = 360;
const GUTTER = { wide: 174, medium: 132, narrow: 72, tiny: 72 };
const ANSWERS = 224;
const ROOM = 1.3; // the map's width for each pixel of the board when it is shown to a room

/** @typedef {"wide" | "medium" | "narrow" | "tiny"} Kind */
/**
 * Sizes in CSS pixels.
 * @typedef {object} Sizes
 * @property {Kind} kind
 * @property {number} width of the widget
 * @property {number} board the side of the board
 * @property {number} across the width of the board's panel: more than the side where its input stands beside it
 * @property {{width: number, height: number}} map
 * @property {number} plot the length of the time axis
 * @property {number} lane the height of a lane
 */

/** @param {number} width @returns {Kind} */
const kindOf = (width) => (width >= WIDE ? "wide" : width >= MEDIUM ? "medium" : width >= TINY ? "narrow" : "tiny");

/** @param {Kind} kind */
const padding = (kind) => (kind === "wide" || kind === "medium" ? 16 : 12);

/** Where the time axis begins, in pixels from the widget's left edge. @param {Kind} kind */
export const edgeOf = (kind) => padding(kind) + GUTTER[kind];

/**
 * Whole pixels per cell; a graph and a large image take all there is.
 * @param {import("./types.js").Board} board
 * @param {number} side
 */
function sideOf(board, side) {
  const cells = Math.max(board.width, board.height);
  return board.kind === "graph" || board.input || cells > side / 12 ? side : Math.floor(side / cells) * cells;
}

/**
 * For a room: board and map alone, 1 : 1.3, as large as they can be above caption and ruler.
 * @param {number} width
 * @param {import("./types.js").Board} board
 * @param {number} room the window's height
 * @returns {Sizes}
 */
function roomSizes(width, board, room) {
  const kind = kindOf(width);
  const inner = width - 34;
  const square = sideOf(board, Math.max(240, Math.floor(Math.min((inner - 48) / (1 + ROOM), room - 330))));
  const map = { width: Math.max(240, inner - square - 38), height: square + 2 };
  return { kind, width, board: square, across: square, map, plot: Math.max(40, inner - GUTTER[kind]), lane: 52 };
}

/**
 * Sizes for a widget of this width. One place, so that no part has to measure another.
 * @param {number} width
 * @param {import("./types.js").Board} board
 * @param {number | null} room the window's height, where the page is shown to a room
 * @returns {Sizes}
 */
export function sizesFor(width, board, room = null) {
  if (room !== null && width >= MEDIUM) return roomSizes(width, board, room);
  const kind = kindOf(width);
  const inner = width - 2 * padding(kind) - 2; // the frame has a border
  const side = {
    wide: Math.min(340, width * 0.32),
    medium: Math.min(340, width * 0.42 - 36),
    narrow: Math.min(420, inner - 4),
    tiny: inner - 4,
  }[kind];
  const square = sideOf(board, Math.floor(side));
  // Two pictures side by side need more width.
  const pair = { wide: Math.min(520, width * 0.42), medium: width * 0.5 - 36, narrow: inner - 4, tiny: inner - 4 }[
    kind
  ];
  const across = board.input ? Math.floor(pair) : square;
  const beside = inner - across - 36 - 1;
  const map = { wide: beside - ANSWERS, medium: beside, narrow: inner, tiny: inner }[kind];
  const height = kind === "narrow" ? Math.min(360, Math.floor(inner * 0.8)) : square + 2;
  return {
    kind,
    width,
    board: square,
    across,
    map: { width: Math.max(40, Math.floor(map)), height },
    plot: Math.max(40, inner - GUTTER[kind]),
    lane: kind === "narrow" ? 40 : 52,
  };
}

/**
 * Reports the widget's width: rounded, once per frame, and only when it differs.
 * @param {HTMLElement} element
 * @param {(width: number) => void} changed
 * @param {AbortSignal} signal
 */
export function watchWidth(element, changed, signal) {
  let last = 0;
  const observer = new ResizeObserver(([entry]) => {
    const width = Math.round(entry?.contentRect.width ?? 0);
    if (!width || width === last) return;
    last = width;
    requestAnimationFrame(() => {
      if (!signal.aborted) changed(width);
    });
  });
  observer.observe(element);
  signal.addEventListener("abort", () => observer.disconnect());
}
