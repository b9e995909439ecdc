// What the map's drawing needs, apart from the geometry.

import { fontOf } from "./draw.js";
import { colorGroups, emphasis, HIDDEN, laneShape, outcomeShape } from "./groups.js";
import { headAt, isOfAnswers, mapOf } from "./planes.js";
import { isDeep } from "./turn.js";

/** @import { Plane, Scene, Shape, State } from "./types.js" */
/** @typedef {import("./registry.js").Context} Context */

const HALO_BELOW = 0.8; // halos cannot be switched off where less than this lies in the plane

/** Everything that the drawing needs, apart from the geometry. @param {Context} context @returns {Scene} */
export function sceneOf(context) {
  const { payload, store } = context;
  const { state, transient } = store;
  return {
    payload,
    state,
    theme: context.theme,
    font: fontOf(context.root),
    steps: payload.steps,
    last: store.last,
    veiled: store.veiled,
    answers: payload.answers,
    hover: transient.hover,
    fraction: transient.fraction,
    colors: shownColors(payload, store),
    emphasis: emphasis(payload, state, transient.hover),
    small: false,
  };
}

/** The colors of map, curves, answers and legend. How a trajectory ends is its color and its shape: neither is shown
 * while a quiz hides the future.
 * @param {import("./types.js").Payload} payload @param {import("./store.js").Store} store */
export const shownColors = (payload, { state, veiled }) =>
  colorGroups(payload, veiled ? { ...state, color_by: "step" } : settledOnly(state));

/** What marks a trajectory: on a map of answers hollow where it settles at none.
 * @param {{ name: string }} basis @returns {(series: import("./types.js").Series, trajectory: number) => Shape} */
export const shapeOf = (basis) =>
  isOfAnswers(basis) ? laneShape : (series, trajectory) => outcomeShape(series.outcome(trajectory));

/** On a map of answers who settles at none is gray, right or wrong. @param {State} state */
const settledOnly = (state) =>
  isOfAnswers({ name: state.basis ?? "" }) && state.color_by === "outcome" ? { ...state, color_by: "lane" } : state;

/** The share of the variance that the first two or three components of a plane show.
 * @param {Pick<Plane, "basis">} plane @param {number} dims */
export const explainedShare = ({ basis }, dims) =>
  dims === 2 && basis.plane !== undefined
    ? basis.plane
    : (basis.variance ?? []).slice(0, dims).reduce((sum, share) => sum + share, 0);

/**
 * Whether little of the variance lies in what is shown of a plane.
 * @param {Pick<Plane, "basis">} plane
 * @param {number} dims
 */
export const isPartial = (plane, dims) => explainedShare(plane, dims) < HALO_BELOW;

/** Whether halos are shown whatever the layers say: where they are most needed.
 * @param {Pick<Plane, "basis">[]} planes @param {State} state */
export function isHaloForced(planes, { dims }) {
  const seen = dims === 3 && isDeep(planes) ? 3 : 2;
  return planes.some((plane) => !isOfAnswers(plane.basis) && isPartial(plane, seen));
}

/** Where the map's heads are, in CSS pixels of its stage. @param {Context} context */
export function headsOf({ payload, store: { state, transient, veiled }, size }) {
  const levels = emphasis(payload, state, transient.hover);
  const planes = mapOf(payload, state, size.map.width, size.map.height, veiled);
  // Beside the river the map shows the same heads again.
  const parts = (state.basis === "river" ? planes.slice(0, 1) : planes).flatMap((plane) => plane.parts);
  const heads = parts.flatMap((part) =>
    Array.from({ length: part.series.n }, (_, trajectory) => ({
      series: part.series.letter,
      trajectory,
      at: headAt(part, trajectory, state.cursor.step),
      emphasis: levels[part.series.letter][trajectory],
    })),
  );
  return heads.filter((head) => head.emphasis !== HIDDEN);
}
