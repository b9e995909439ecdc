// What the board shows: one trajectory's answer, the difference of two, or what all trajectories say, at the cursor.

import { changedCells, distribution, placeName, ranked, tokenLabel } from "./cells.js";
import { reasonsAt } from "./explain.js";
import { crowd, otherTrajectory, seriesOf, shownTrajectory } from "./groups.js";
import { number } from "./text.js";
import { words } from "./words.js";

/** @import { BoardView, Payload, Series, State } from "./types.js" */
/** @typedef {Readonly<import("./store.js").Transient>} Transient */

/** What a picture of the board shows. @type {import("./registry.js").Key[]} */
export const VIEW_READS = [
  "layout",
  "theme",
  "panel",
  "cursor",
  "focus",
  "pinned",
  "selected",
  "hidden",
  "cells",
  "token",
  "board",
  "layers",
  "hover",
  "edit",
  "edges",
  "limit",
];
const TRAIL = 3; // transitions over which an older change fades

/** While the puzzle is edited the board shows what is given, with what was typed since; else `view` itself.
 * @param {Payload} payload @param {Transient} transient @param {BoardView} view @returns {BoardView} */
function drafted({ board, x: asked }, { edit, edges }, view) {
  const x = view.series.x ?? asked;
  if (!edit || !x) return view;
  const before = Uint8Array.from(x);
  const tokens = before.map((token, cell) => edit[cell] ?? token);
  return {
    ...view,
    board: edges ? { ...board, edges } : board,
    mode: "one",
    trail: [],
    reasons: null,
    certainty: null,
    second: null,
    pinned: null,
    truth: null,
    draft: true,
    effect: null,
    layer: null,
    moved: null,
    series: { ...view.series, tokens: () => before }, // what was there before a change
    tokens,
    given: Array.from(tokens, (token) => !board.blank.includes(token)),
    changed: new Set(Object.keys(edit).map(Number)),
    conflict: () => false,
    against: () => null,
  };
}

/** What the last further variable among the layers says of each cell at a step; as deep as its largest is anywhere.
 * @param {Payload} payload @param {Series} series @param {number} trajectory @param {number} step
 * @param {string[]} layers
 * @returns {BoardView["layer"]} */
function layerOf({ board, extra }, series, trajectory, step, layers) {
  const name = layers.findLast((one) => series.layers[one]);
  if (!name) return null;
  const { values, most } = series.layers[name];
  const from = (trajectory * series.steps + series.held(step)) * board.size;
  return { title: extra[name].filter(Boolean).join(", "), values: values.subarray(from, from + board.size), most };
}

/**
 * What the board shows now. Also the source of the spoken cells and of the exported picture.
 * @param {Payload} payload
 * @param {State} state
 * @param {Transient} transient
 * @param {boolean} small whether it is a thumbnail
 */
export function boardView(payload, state, transient, small = false) {
  const { hover, effect } = transient;
  const { board } = payload;
  const { pinned, layers, cells, token } = state;
  const { low } = state.cursor;
  const [series, trajectory] = shownTrajectory(payload, state, hover);
  const { given, x = payload.x } = series;
  // At a low-level step h, and so the answer, is that of the transition before.
  const step = low === null ? state.cursor.step : state.cursor.step - 1;
  const other = otherTrajectory(payload, state);
  const preview = Boolean(hover?.trajectory || hover?.preview);
  const mode = preview ? "one" : state.board === "all" ? "all" : state.board === "differ" && other ? "differ" : "one";
  const one = mode === "one";
  const who = mode === "all" ? crowd(payload, state) : [];
  const counts = mode === "all" ? distribution(payload, who, step) : null;
  const top = (/** @type {Uint16Array} */ all) => (/** @type {unknown} */ _, /** @type {number} */ position) =>
    ranked(all, position, board.tokens.length)[0][0];
  const changes = (/** @type {number} */ at) => new Set(changedCells(series, trajectory, at));
  const { conflict, certainty, second, secondCertainty } = series;
  const decoded = counts ? Uint8Array.from({ length: board.size }, top(counts)) : series.tokens(trajectory, step);
  const isGiven = (/** @type {number} */ position) => mode !== "differ" && x !== null && given[position];
  const isPinned = pinned && pinned[0] === series.letter && pinned[1] === trajectory;
  return drafted(payload, transient, {
    board,
    given,
    mode,
    series,
    trajectory,
    step,
    // A given is drawn as the given; what an answer says against it is a mark.
    tokens: decoded.map((token, position) => (x && isGiven(position) ? x[position] : token)),
    against: (position) =>
      one && x && isGiven(position) && decoded[position] !== x[position] ? decoded[position] : null,
    counts,
    crowd: who.length,
    changed: one && low === null ? changes(step) : new Set(),
    trail: one && layers.includes("trail") ? Array.from({ length: TRAIL }, (_, k) => changes(step - 1 - k)) : [],
    pinned: one && pinned && !isPinned ? seriesOf(payload, pinned[0]).tokens(pinned[1], step) : null,
    preview,
    small,
    other: mode === "differ" && other ? other[0].tokens(other[1], step) : null,
    otherName: other ? words.trajectoryName(...other) : "",
    conflict: (position) => one && Boolean(conflict?.(trajectory, step, position)),
    certainty: certainty && ((position) => certainty(trajectory, step, position)),
    second: second && ((position) => second(trajectory, step, position)),
    secondCertainty: secondCertainty && ((position) => secondCertainty(trajectory, step, position)),
    reasons: one && low === null && layers.includes("explain") ? reasonsAt(payload, series, trajectory, step) : null,
    truth: layers.includes("truth") ? payload.y : null,
    moved: low !== null && one && !small ? (series.lowMoved?.(trajectory, state.cursor.step, low - 1) ?? null) : null,
    layer: one && low === null ? layerOf(payload, series, trajectory, step, layers) : null,
    effect: effect?.series === series.letter && effect.trajectory === trajectory && one && !small ? effect : null,
    hover: hover?.cell ?? null,
    cells,
    token,
  });
}

/** What a screen reader says of one cell. @param {Payload} payload @param {BoardView} view @param {number} position */
export function spokenCell(payload, view, position) {
  const parts = [placeName(payload.board, position), tokenLabel(payload.board, view.tokens[position])];
  parts.push(view.given[position] ? words.cell.given : words.cell.guess);
  const against = view.against(position);
  if (against !== null) parts.push(words.cell.against(tokenLabel(payload.board, against)));
  if (view.changed.has(position)) parts.push(words.legend.changed);
  const reason = view.reasons?.get(position);
  if (reason) parts.push(words.explain.reasons[reason]);
  if (view.conflict(position)) parts.push(payload.board.ruled ? `in ${words.legend.conflict}` : words.pair.wrong);
  if (view.mode === "one" && view.certainty)
    parts.push(`${words.legend.certainty} ${Math.round(100 * view.certainty(position))} percent`);
  if (view.layer) parts.push(`${view.layer.title} ${number(view.layer.values[position])}`);
  if (view.pinned && view.pinned[position] !== view.tokens[position])
    parts.push(`pinned has ${tokenLabel(payload.board, view.pinned[position])}`);
  return parts.join(", ");
}
