// The sizes that canvases are drawn at. The widget's own width and the height that is seen of it decide, never the
// host: what stands around board and map is measured, and they take the rest.

import { shownLanes } from "./curves.js";
import { LEAST } from "./place.js";
import { rulerHeight } from "./timeline.js";

/** @import { Board, Payload, State } from "./types.js" */

export const PANELS = /** @type {const} */ (["board", "map", "answers", "curves"]);
/** The panels that a payload cannot fill: of states without answers board and answers, without vectors the map.
 * @param {Pick<Payload, "bare" | "bases">} payload @returns {string[]} */
const emptyOf = ({ bare, bases }) => (!bare ? [] : bases.length ? ["board", "answers"] : ["board", "answers", "map"]);

/** The panels of a payload. @param {Payload} payload */
export const panelsOf = (payload) => PANELS.filter((name) => !emptyOf(payload).includes(name));

const WIDE = 960;
const ROOMY = 1180; // from which on the sentence stands beside the transport
const MEDIUM = 600;
const TINY = 360;
const GUTTER = { wide: 190, medium: 176, narrow: 108, tiny: 108 };
const SIDES = 24; // px of a panel left and right of what it holds
const FINGER = 10; // px by which a panel's bar is higher where fingers press its buttons
// px of a panel above and below what it holds, without the legend
const FRAME = 47 + (matchMedia("(pointer: coarse)").matches ? FINGER : 0);
const LEGEND = 15; // px of a line of a legend
const SHORTEST = /** @type {const} */ ([180, 242]); // px of board and map, below which the page scrolls
const AROUND = 50; // px of what is seen that belongs to the page around: its margins, and a line below the widget
const MARGIN = 16; // px of it at least
const LOW = 640; // px of height, below which nothing is kept for what may come
const HIGH = 800; // px of height, from which on a narrow map has room for a long legend
const SMALLEST = 400; // px of a box that scrolls, below which it is no place to work in
const BUTTONS = 200; // px of the board's panel, for its buttons
const ANSWERS = { width: 224, height: 116, least: 130 };
const LANE = { low: 22, tall: 104, least: 16 };
const HISTORY = 32; // px kept for the history of a cell, so that choosing one moves nothing
const TIME = 9; // px around lanes and ruler

/** @typedef {"wide" | "medium" | "narrow" | "tiny"} Kind */
/**
 * Sizes in CSS pixels.
 * @typedef {object} Sizes
 * @property {Kind} kind
 * @property {boolean} roomy whether there is room for words beside the controls
 * @property {number} width of the widget
 * @property {number} room the height that is seen at once
 * @property {string[]} folded the panels that are folded
 * @property {string} columns of the panels, for the style sheet
 * @property {boolean} under whether the answers stand below the board
 * @property {number} board the side of the board
 * @property {number} across the width of the board's panel: more than the side where its input stands beside it
 * @property {{width: number, height: number}} map
 * @property {number} answers the height of the lists
 * @property {number} lines of a legend
 * @property {number} legend the height of a legend
 * @property {{board: number | null, answers: number | null}} dividers where panels meet, from the left
 * @property {number} plot the length of the time axis
 * @property {string[]} lanes those that are shown
 * @property {number} lane the height of a lane, and of one that is open:
 * @property {number} tall
 * @property {number} curves the height of all
 */
/**
 * What decides besides width and height.
 * @typedef {object} Shown
 * @property {Payload} payload
 * @property {State} state
 * @property {State} start the state that the payload opens with
 * @property {number} taken px that all that is neither panel nor time takes of the height
 * @property {boolean} presenting whether it is shown to a room: board and map alone
 */

/** @param {number} width @returns {Kind} */
export const kindOf = (width) =>
  width >= WIDE ? "wide" : width >= MEDIUM ? "medium" : width >= TINY ? "narrow" : "tiny";

/** Whether there is room for words beside the controls. @param {number} width */
export const isRoomy = (width) => width >= ROOMY;

/** @param {number} value @param {number} low @param {number} high */
const between = (value, low, high) => Math.max(low, Math.min(high, value));

/** Where the time axis begins, in pixels from the widget's left edge. @param {Kind} kind */
export const edgeOf = (kind) => SIDES / 2 + GUTTER[kind];

/**
 * Whole pixels per cell; a graph and a large image take all there is.
 * @param {Board} board
 * @param {number} side
 */
function sideOf(board, side) {
  const cells = Math.max(board.width, board.height);
  const whole = board.kind !== "graph" && !board.input && cells <= side / 12;
  return Math.floor(whole ? Math.floor(side / cells) * cells : side);
}

/** The least height of board and map: below it the cells of a board have no room for text, and the page scrolls.
 * @param {Board} board */
const shortestOf = ({ width, height }) => between(2 + LEAST * Math.max(width, height), ...SHORTEST);

/** The boxes around an element that scroll, and are large enough to work in. A box that is as high as what it holds
 * bounds nothing, though it may scroll sideways.
 * @param {HTMLElement} element */
export function boundsAround(element) {
  const found = [];
  for (let at = outside(element); at && at !== document.body; at = outside(at)) {
    if (!/auto|scroll/.test(getComputedStyle(at).overflowY) || at.clientHeight < SMALLEST) continue;
    const below = at.getBoundingClientRect().bottom - (at.lastElementChild?.getBoundingClientRect().bottom ?? 0);
    if (at.scrollHeight > at.clientHeight + 1 || below > LANE.low) found.push(at);
  }
  return found;
}

/** @param {HTMLElement} element @returns {HTMLElement | null} */
const outside = (element) =>
  element.parentElement ?? /** @type {any} */ (/** @type {any} */ (element.getRootNode()).host ?? null);

/** The lanes and their heights, and that of all that shares the time axis. Where board and map lack height, lanes are
 * lower, and then fewer, unless somebody chose them.
 * @param {Shown} shown @param {Kind} kind @param {number} room @param {boolean} folded @param {number} [lacking] px */
function timeSizes({ payload, state, start, presenting }, kind, room, folded, lacking = 0) {
  const all = presenting || folded ? [] : shownLanes(payload, state, start, kind);
  const space = all.length * LANE.low - lacking;
  const isOwn = state.tall.length || String(state.lanes) !== String(start.lanes);
  const names = isOwn ? all : all.slice(0, Math.max(1, Math.floor(space / LANE.least)));
  const open = names.filter((name) => state.tall.includes(name)).length;
  const low = names.length - open;
  const { curves: share } = state.sizes;
  const given = share === undefined || !Number.isFinite(room) ? null : share * room;
  const lane =
    given && !open ? between(given / low, LANE.least, room / 8) : between(space / (low || 1), LANE.least, LANE.low);
  const tall = given && open ? between((given - low * lane) / open, 2 * LANE.low, room / 2) : LANE.tall;
  const curves = Math.round(low * lane + open * tall);
  const history = presenting || kind !== "wide" || room < LOW ? 0 : HISTORY;
  const time = kind === "tiny" ? 0 : curves + history + rulerHeight(payload, kind, presenting) + TIME;
  return { lanes: names, lane: Math.floor(lane), tall: Math.round(tall), curves, time };
}

/** Panels one above the other, of which the tabs show one; shown to a room, board and map share the height.
 * @param {number} inner @param {number} free @param {Shown} shown */
function stackedSizes(inner, free, { payload: { board }, presenting }) {
  const height = presenting ? (free - FRAME - 2 * LEGEND) / 2 : free;
  const stage = Math.floor(Math.max(shortestOf(board), Math.min(height, inner)));
  const side = sideOf(board, Math.min(stage, inner - 4));
  const across = board.input ? inner - 4 : side;
  return {
    board: side,
    across,
    stage,
    map: { width: inner, height: stage },
    answers: stage,
    columns: "minmax(0, 1fr)",
  };
}

/** Panels side by side: board, map and, where there is width for them, answers.
 * @param {number} width @param {number} free @param {Shown} shown @param {Kind} kind @param {string[]} folded */
function columnSizes(width, free, { payload: { board }, state: { sizes } }, kind, folded) {
  const has = (/** @type {string} */ name) => !folded.includes(name);
  const inner = width - 2;
  const wide = kind === "wide";
  const answers = wide && has("answers") ? between((sizes.answers ?? 0) * width || ANSWERS.width, 150, width * 0.4) : 0;
  const rest = inner - answers - SIDES - 4;
  const auto = width * (board.input ? 0.45 : wide ? 0.36 : 0.42) - SIDES;
  const wanted = !has("map") ? rest : between(sizes.board ? sizes.board * width - SIDES : auto, 120, rest - 160);
  const beside = has("board") ? rest - wanted - SIDES - 1 : rest;
  const most = Number.isFinite(free) ? Math.max(wanted, beside * (wide ? 0.62 : 1.85)) : wanted;
  const stage = Math.floor(Math.max(shortestOf(board), Math.min(free, most)));
  const side = sideOf(board, Math.min(wanted, stage));
  const across = Math.floor(board.input || (sizes.board && has("map")) ? wanted : side);
  const panel = Math.max(across, BUTTONS) + 4 + SIDES;
  const room = has("board") ? inner - answers - panel - SIDES - 1 : rest + 4;
  const map = { width: Math.max(40, Math.floor(room)), height: stage };
  const columns = [
    has("board") && (has("map") ? `${panel}px` : "minmax(0, 1fr)"),
    has("map") && "minmax(0, 1fr)",
    answers && (has("board") || has("map") ? `${Math.round(answers)}px` : "minmax(0, 1fr)"),
  ];
  const dividers = {
    board: has("board") && has("map") ? panel : null,
    answers: answers && columns.filter(Boolean).length > 1 ? inner - Math.round(answers) : null,
  };
  return { board: side, across, stage, map, answers: stage, columns: columns.filter(Boolean).join(" "), dividers };
}

/**
 * Sizes for a widget of this width, of whose height `room` px are seen at once. One place, so that no part has to
 * measure another.
 * @param {number} width
 * @param {number} room
 * @param {Shown} shown
 * @returns {Sizes}
 */
export function sizesFor(width, room, shown) {
  const { payload, state, taken, presenting } = shown;
  const kind = kindOf(width);
  const roomy = isRoomy(width);
  const lines = (roomy && !presenting) || room < LOW ? 1 : kind === "wide" || room < HIGH ? 2 : 3;
  const legend = lines * LEGEND * (presenting ? 1.5 : 1);
  const chosen = presenting ? ["answers"] : (state.folded ?? ["answers"]);
  const folded = [...new Set([...chosen, ...emptyOf(payload)])];
  const around = presenting ? MARGIN : between(room - LOW, MARGIN, AROUND);
  const rest = room - around - taken - FRAME - legend - 2;
  const timed = (/** @type {number} */ lacking) => timeSizes(shown, kind, room, folded.includes("curves"), lacking);
  const { time, ...lanes } = timed(Math.max(0, shortestOf(payload.board) - rest + timed(0).time));
  const free = rest - time;
  const common = {
    kind,
    roomy,
    width,
    room,
    lines,
    legend,
    ...lanes,
    plot: Math.max(40, width - SIDES - 2 - GUTTER[kind]),
  };
  const none = { board: null, answers: null };
  if (kind === "narrow" || kind === "tiny") {
    const stacked = stackedSizes(width - SIDES - 2, free, shown);
    return { ...common, ...stacked, folded: folded.filter((name) => name === "curves"), under: false, dividers: none };
  }
  const sized = columnSizes(width, free, shown, kind, folded);
  if (kind === "wide") return { ...common, ...sized, folded, under: false };
  // The answers stand below the board where the map is that much higher, else they take a strip below both.
  const below = sized.stage - sized.board - FRAME;
  const under = below >= ANSWERS.least && !folded.includes("map") && !folded.includes("board");
  const open = presenting ? false : state.folded ? !folded.includes("answers") : under;
  if (!open) return { ...common, ...sized, folded, under: false };
  const shownPanels = folded.filter((name) => name !== "answers");
  if (under) return { ...common, ...sized, answers: below, folded: shownPanels, under };
  const strip = columnSizes(width, free - ANSWERS.height - FRAME, shown, kind, folded);
  return { ...common, ...strip, answers: ANSWERS.height, folded: shownPanels, under };
}

/**
 * Reports when the widget's width, the height that is seen of it, or the height of one of its parts is another, once
 * per frame.
 * @param {HTMLElement} element
 * @param {() => unknown} measure what must differ
 * @param {() => void} changed
 * @param {AbortSignal} signal
 */
export function watchSize(element, measure, changed, signal) {
  let last = "";
  function look() {
    const now = element.clientWidth ? JSON.stringify(measure()) : ""; // what was hidden is measured anew
    if (now === last) return;
    last = now;
    if (!now) return;
    requestAnimationFrame(() => {
      if (signal.aborted) return;
      if (element.clientWidth) changed();
      else last = ""; // hidden meanwhile, as by a page that changes its theme
    });
  }
  const observer = new ResizeObserver(look);
  for (const one of [element, ...element.children]) observer.observe(one);
  addEventListener("resize", look, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
}
