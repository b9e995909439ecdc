// The frame: where each part stands, and the sizes that canvases are drawn at. The widget's own width decides, never the window's.

import { make } from "./dom.js";

const WIDE = 960;
const MEDIUM = 640;
const TINY = 360;
const GUTTER = { wide: 174, medium: 132, narrow: 72, tiny: 72 };
const ANSWERS = 224;

const ROOM = 1.3; // the map's width for each pixel of the board when it is shown to a room

/** "wide", "medium", "narrow" or "tiny". */
export const kindOf = (width) =>
  width >= WIDE ? "wide" : width >= MEDIUM ? "medium" : width >= TINY ? "narrow" : "tiny";

/** For a room: board and map alone, 1 : 1.3, as large as they can be above caption and ruler. `room` is the window's height. */
function roomSizes(width, board, room) {
  const inner = width - 34;
  const side = Math.max(240, Math.floor(Math.min((inner - 48) / (1 + ROOM), room - 330)));
  const share = Math.max(board.width, board.height);
  const square = board.kind === "graph" || board.input || share > side / 12 ? side : Math.floor(side / share) * share;
  return {
    kind: kindOf(width),
    width,
    board: square,
    across: square,
    map: { width: Math.max(240, inner - square - 38), height: square + 2 },
    plot: Math.max(40, inner - GUTTER[kindOf(width)]),
    lane: 52,
  };
}

/** Sizes in CSS pixels for a widget of this width. One place, so that no part has to measure another. */
export function sizesFor(width, board, room = null) {
  if (room !== null && width >= MEDIUM) return roomSizes(width, board, room);
  const kind = kindOf(width);
  const padding = kind === "wide" || kind === "medium" ? 16 : 12;
  const inner = width - 2 * padding - 2; // the frame has a border
  const side = Math.floor(
    {
      wide: Math.min(340, width * 0.32),
      medium: Math.min(340, width * 0.42 - 36),
      narrow: Math.min(420, inner - 4),
      tiny: inner - 4,
    }[kind],
  );
  const share = Math.max(board.width, board.height);
  // Whole pixels per cell; a graph and a large image take all there is.
  const square = board.kind === "graph" || board.input || share > side / 12 ? side : Math.floor(side / share) * share;
  // Two pictures side by side need more width.
  const pair = { wide: Math.min(520, width * 0.42), medium: width * 0.5 - 36, narrow: inner - 4, tiny: inner - 4 }[kind];
  const across = board.input ? Math.floor(pair) : square;
  const map = { wide: inner - across - 36 - ANSWERS - 1, medium: inner - across - 36 - 1, narrow: inner, tiny: inner }[
    kind
  ];
  return {
    kind,
    width,
    board: square,
    across,
    map: {
      width: Math.max(40, Math.floor(map)),
      height: kind === "narrow" ? Math.min(360, Math.floor(inner * 0.8)) : square + 2,
    },
    plot: Math.max(40, inner - GUTTER[kind]),
    lane: kind === "narrow" ? 40 : 52,
  };
}

/** The playhead: one line through lanes and ruler. It moves by transform alone, which repaints nothing. */
export function createPlayhead(app, time) {
  const el = make("div", { class: "playhead", "aria-hidden": "true" });
  return {
    el,
    update(keys) {
      if (!["cursor", "layout", "fraction", "lanes", "cells"].some((key) => keys.has(key))) return;
      const { payload, store, size } = app;
      const { step, low } = store.state.cursor;
      const ticks = payload.lead.low_steps ?? 0;
      const at = low === null ? step + store.transient.fraction : step - 1 + low / (ticks + 1);
      if (keys.has("layout") || keys.has("lanes") || keys.has("cells")) {
        // It ends at the ruler's lower edge; the one measurement, taken when rows come and go.
        const height = [".lanes", ".history"]
          .map((name) => time.querySelector(name).getBoundingClientRect().height)
          .reduce((sum, one) => sum + one, 18);
        el.style.height = `${height}px`;
        el.style.left = `${(size.kind === "wide" || size.kind === "medium" ? 16 : 12) + GUTTER[size.kind]}px`;
      }
      el.style.transform = `translateX(${payload.steps > 1 ? (at / (payload.steps - 1)) * size.plot - 0.9 : 0}px)`;
    },
  };
}

/** Tells `changed(width)` about the widget's width: rounded, once per frame, and only when it differs. */
export function watchWidth(element, changed, signal) {
  let last = 0;
  const observer = new ResizeObserver(([entry]) => {
    const width = Math.round(entry.contentRect.width);
    if (!width || width === last) return;
    last = width;
    requestAnimationFrame(() => {
      if (!signal.aborted) changed(width);
    });
  });
  observer.observe(element);
  signal.addEventListener("abort", () => observer.disconnect());
}
