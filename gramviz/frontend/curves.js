// The picture of one lane: bands and lines of a curve, on the ruler's time axis.

import { band } from "./bands.js";
import { drawLine, drawText, fillArea, fillBox } from "./shapes.js";
import { GRAY, HIDDEN, SELECTED, seriesOf, shownTrajectory, allOf, visibleSeries } from "./groups.js";
import { number } from "./text.js";
import { words } from "./words.js";

const FEW = 5; // a band of fewer trajectories would pretend to a distribution: they are drawn one by one
const LINE_REACH = 9; // px within which the pointer finds a line
const LONE = 12; // selected trajectories, beyond which they are a band too
const PAD = 4;
/** What is not selected is gray, whatever it is, and solid: dots mean "not finished".
 * @type {{color: "gray", dash: number[]}} */
const UNSELECTED = { color: "gray", dash: [] };
const MANY_BLOCKS = 60; // more supervision steps are not separated by lines

/** @typedef {import("./types.js").Payload} Payload */
/** @typedef {import("./types.js").Series} Series */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Pen} Pen */
/**
 * How a lane measures: pixels of its canvas for steps and values.
 * @typedef {object} Axes
 * @property {string} name of the curve
 * @property {number} width
 * @property {number} height
 * @property {[number, number]} range of values
 * @property {boolean} open whether the lane shows its axis
 * @property {(step: number) => number} x
 * @property {(value: number) => number} y
 * @property {(x: number) => number} stepAt
 * @property {(y: number) => number} valueAt
 */
/**
 * Trajectories that are drawn alike: few by themselves, many as a band.
 * @typedef {{ level: number, group: number, trajectories: import("./types.js").Who[], band?: ReturnType<typeof band> }}
 *   Bundle
 */
/**
 * What the drawing of all lanes needs besides.
 * @typedef {object} LaneScene
 * @property {Payload} payload
 * @property {Readonly<State>} state
 * @property {Readonly<import("./store.js").Transient>} transient
 * @property {import("./types.js").Theme} theme
 * @property {string} font
 * @property {ReturnType<typeof import("./steps.js").blocks>} blocks
 * @property {import("./types.js").ColorGroups} colors
 * @property {import("./types.js").Emphasis} level how strongly each trajectory is drawn
 * @property {Map<string, Bundle[]>} groups of each lane drawn so far
 */

/** The lanes that are shown, from above. A small widget opens with two; whoever asked for others gets them.
 * @param {Payload} payload @param {Readonly<State>} state @param {State} start @param {string} kind of the layout */
export function shownLanes(payload, { lanes }, start, kind) {
  if (kind === "tiny") return [];
  const opening = kind === "narrow" && String(lanes) === String(start.lanes);
  return (opening ? lanes.slice(0, 2) : lanes).filter((name) => payload.series.some((series) => series.curves[name]));
}

/** Round values of an axis, a handful of them, within its range.
 * @param {[number, number]} range @param {number} [most] */
export function ticksOf([low, high], most = 5) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * /** @type {number} */ ([1, 2, 5, 10].find((factor) => factor * power >= rough));
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, k) => (first + k) * step);
}

/**
 * @param {string} name
 * @param {[number, number]} range
 * @param {number} steps
 * @param {{width: number, height: number, open?: boolean}} size
 * @returns {Axes}
 */
export function axesOf(name, range, steps, { width, height, open = false }) {
  const [low, high] = range;
  const pad = Math.min(PAD, height / 10);
  const inner = height - 2 * pad;
  return {
    name,
    width,
    height,
    range,
    open,
    x: (step) => (steps > 1 ? (step / (steps - 1)) * width : width / 2),
    y: (value) => height - pad - ((value - low) / (high - low)) * inner,
    stepAt: (x) => Math.round((x / width) * (steps - 1)),
    valueAt: (y) => low + ((height - pad - y) / inner) * (high - low),
  };
}

/** The trajectories of the series that are shown. @param {Payload} payload @param {State} state */
export const visibleTrajectories = (payload, state) => allOf(visibleSeries(payload, state));

/**
 * The trajectory whose line is nearest to a point: [letter, index] or null.
 * @param {Axes} axes
 * @param {import("./types.js").Who[]} trajectories
 * @param {number} px
 * @param {number} py
 */
export function nearestLine(axes, trajectories, px, py) {
  const step = axes.stepAt(px);
  /** @type {[string, number] | null} */
  let best = null;
  let least = LINE_REACH;
  for (const [series, trajectory] of trajectories) {
    const away = Math.abs(axes.y(series.curve(axes.name, trajectory, step)) - py);
    if (away < least) [best, least] = [[series.letter, trajectory], away];
  }
  return best;
}

/** @param {Axes} axes @param {number} steps @param {(step: number) => number} value */
const lineOf = (axes, steps, value) => Array.from({ length: steps }, (_, step) => [axes.x(step), axes.y(value(step))]);

/**
 * The trajectories that a lane draws in groups, by emphasis and color, gray first; those drawn alone are left out.
 * @param {Axes} axes
 * @param {LaneScene} scene
 */
function grouped({ name }, { payload, state, level, colors }) {
  /** @type {Map<string, Bundle>} */
  const bundles = new Map();
  const single = [state.pinned, state.focus].filter(Boolean).map(String);
  for (const [series, trajectory] of visibleTrajectories(payload, state)) {
    const here = level[series.letter][trajectory];
    if (here === HIDDEN || !series.curves[name]) continue;
    if (series.n === 1 && single.includes(String([series.letter, trajectory]))) continue;
    const group = colors.of[series.letter][trajectory];
    const key = here === GRAY ? "gray" : `${here} ${group}`;
    const bundle = bundles.get(key) ?? { level: here, group, trajectories: [] };
    bundles.set(key, bundle);
    bundle.trajectories.push([series, trajectory]);
  }
  const found = [...bundles.values()].sort((a, b) => a.level - b.level);
  for (const bundle of found) {
    const { length } = bundle.trajectories;
    if (length >= FEW && (bundle.level !== SELECTED || length > LONE))
      bundle.band = band(bundle.trajectories, name, payload.steps);
  }
  return found;
}

/** @param {Pen} pen @param {Axes} axes @param {LaneScene} scene */
function drawGroups(pen, axes, scene) {
  const { steps } = scene.payload;
  const groups = scene.groups.get(axes.name) ?? grouped(axes, scene);
  scene.groups.set(axes.name, groups);
  for (const { group, level, trajectories, band: found } of groups) {
    const { color: hue, dash } = level === GRAY ? UNSELECTED : scene.colors.groups[group];
    const color = scene.theme.pick(hue);
    if (!found) {
      for (const [series, trajectory] of trajectories)
        drawLine(
          pen,
          lineOf(axes, steps, (step) => series.curve(axes.name, trajectory, step)),
          color,
          level === GRAY ? 0.6 : 1.3,
          dash,
        );
      continue;
    }
    const { low, high, median } = found;
    const isKnown = (/** @type {number[]} */ [, y]) => Number.isFinite(y);
    const upper = lineOf(axes, steps, (step) => high[step]).filter(isKnown);
    const lower = lineOf(axes, steps, (step) => low[step]).filter(isKnown);
    fillArea(pen, [...upper, ...lower.reverse()], color, level === GRAY ? 0.12 : 0.18);
    if (level === GRAY) continue;
    drawLine(
      pen,
      lineOf(axes, steps, (step) => median[step]),
      color,
      level === SELECTED ? 2 : 1.6,
      dash,
    );
  }
}

/** How far l moves in each low-level update, each at its place between two transitions.
 * @param {Axes} axes @param {Series} series @param {number} trajectory */
function lowLine(axes, { steps, low_steps: ticks, lowDrift }, trajectory) {
  const updates = Array.from({ length: (steps - 1) * ticks }, (_, k) => [1 + Math.floor(k / ticks), k % ticks]);
  const x = (/** @type {number} */ step, /** @type {number} */ k) => axes.x(step - 1 + (k + 1) / (ticks + 1));
  return updates.map(([step, k]) => [x(step, k), axes.y(lowDrift?.(trajectory, step, k) ?? 0)]);
}

/**
 * The pinned, the focused and the pointed-at trajectory, each cased.
 * @param {Pen} pen
 * @param {Axes} axes
 * @param {LaneScene} scene
 */
function drawSingles(pen, axes, { payload, state, transient, theme, colors, level }) {
  const { focus, pinned } = state;
  /** @param {[string, number] | null | undefined} who @param {string} color @param {number} width */
  function single(who, color, width) {
    if (!who) return;
    const [letter, trajectory] = who;
    const series = seriesOf(payload, letter);
    if (!series.curves[axes.name] || level[letter][trajectory] === HIDDEN) return;
    const line = lineOf(axes, payload.steps, (step) => series.curve(axes.name, trajectory, step));
    const through = axes.name === "low" ? lowLine(axes, series, trajectory) : line;
    drawLine(pen, through, theme.sunk, width + 2);
    drawLine(pen, through, color, width);
  }
  single(pinned, theme.ink, 2);
  const { color } = colors.groups[colors.of[focus[0]][focus[1]]];
  if (String(focus) !== String(pinned)) single(focus, theme.pick(color), 2);
  single(transient.hover?.trajectory, theme.text2, 1.5);
}

/**
 * Pointing at a cell adds its own certainty, thin, to the lane of certainty.
 * @param {Pen} pen
 * @param {Axes} axes
 * @param {LaneScene} scene
 */
function drawCell(pen, axes, { payload, state, transient: { hover }, theme }) {
  const [series, trajectory] = shownTrajectory(payload, state);
  const { certainty } = series;
  const cell = hover?.cell;
  if (hover?.part !== "board" || cell === undefined || axes.name !== "certainty" || !certainty) return;
  drawLine(
    pen,
    lineOf(axes, payload.steps, (step) => certainty(trajectory, step, cell)),
    theme.ink,
  );
}

/** The box that a gesture draws. @param {Pen} pen @param {Axes} axes @param {LaneScene} scene */
function drawBox(pen, { name }, { transient: { drag }, theme }) {
  if (drag?.kind !== "box" || drag.lane !== name) return;
  const [[a, b], [c, d]] = [drag.from, drag.to];
  drawLine(
    pen,
    [
      [a, b],
      [c, b],
      [c, d],
      [a, d],
      [a, b],
    ],
    theme.ink,
    1.2,
    [4, 3],
  );
}

/**
 * Where the pointer is in this lane: the ends of the axis, the step, and the value of the line that it is on.
 * @param {Pen} pen
 * @param {Axes} axes
 * @param {LaneScene} scene
 */
function drawPointer(pen, axes, { payload, transient: { hover }, theme, font }) {
  if (hover?.lane !== axes.name || hover.x === undefined) return;
  const { width, height } = axes;
  const step = axes.stepAt(hover.x);
  const style = { font: `11px ${font}`, align: /** @type {const} */ ("right") };
  drawLine(
    pen,
    [
      [axes.x(step), 0],
      [axes.x(step), height],
    ],
    theme.text3,
  );
  if (!hover.trajectory) return;
  const [letter, trajectory] = hover.trajectory;
  const series = seriesOf(payload, letter);
  const value = series.curve(axes.name, trajectory, step);
  const left = axes.x(step) > width * 0.8;
  const y = Math.min(height - 8, Math.max(8, axes.y(value) - 9));
  const label = `${words.trajectoryName(series, trajectory)}  ${number(value)}`;
  const align = left ? /** @type {const} */ ("right") : /** @type {const} */ ("left");
  drawText(pen, label, axes.x(step) + (left ? -6 : 6), y, theme.ink, { font: `600 ${style.font}`, align });
}

/** @param {Pen} pen @param {Axes} axes @param {LaneScene} scene */
export function drawLane(pen, axes, scene) {
  const { blocks, theme } = scene;
  fillBox(pen, [0, 0, axes.width, axes.height], theme.sunk);
  for (const { to } of blocks.length > MANY_BLOCKS ? [] : blocks.slice(0, -1)) {
    const x = Math.round(axes.x(to)) + 0.5;
    drawLine(
      pen,
      [
        [x, 0],
        [x, axes.height],
      ],
      theme.line,
    );
  }
  for (const value of axes.open ? ticksOf(axes.range) : []) {
    const y = Math.round(axes.y(value)) + 0.5;
    drawLine(
      pen,
      [
        [0, y],
        [axes.width, y],
      ],
      theme.line,
    );
  }
  drawGroups(pen, axes, scene);
  drawSingles(pen, axes, scene);
  drawCell(pen, axes, scene);
  drawBox(pen, axes, scene);
  drawPointer(pen, axes, scene);
}
