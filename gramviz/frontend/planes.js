// The geometry of the map: which planes are drawn, where, and where each state of each trajectory falls. No drawing, no
// events.

import { namesOfLane } from "./labels.js";
import { scoreGrid } from "./score.js";
import { isDeep, nearness, slabOf, turning } from "./turn.js";

/** @import { Basis, Box, Camera, Pair, Payload, PlacedPlane, PlacedSeries, Plane } from "./types.js" */
/** @import { Series, State, Vector } from "./types.js" */

const GAP = 10; // px between planes side by side
const FOOT = 18; // px below a plane for its axis
const PAIR = 500; // px from which on river and map stand side by side
const TALL = 380; // px from which on the one stands above the other, where there is no such width
const RIVER = 0.58; // of the width or the height, then
/** Px around the river: its lanes are named at the right, by 7 px a letter; cells above it. */
const SHORE = { left: 10, letter: 7, top: 46, bottom: 8 };
export const BESIDE = 12; // px between the end of a river and its names
const SMALL = 100; // px of a thumbnail, which names nothing

/** Px kept free around the states, for halos and labels. @param {Box} box @param {boolean} named */
const margin = (box, named = false) => Math.min(named ? 40 : 30, box.width / (named ? 6 : 12));

/** The bases of the chosen name, one plane each: several where series have unrelated spaces.
 * @param {Payload} payload @param {string | null} name @returns {Plane[]} */
export function planesOf(payload, name) {
  const entries = payload.bases.filter((basis) => basis.name === name);
  return entries
    .map((basis) => ({
      basis,
      series: payload.series.filter(
        (series) => basis.series.includes(series.letter) && (name === "score" || series.maps[basis.name]),
      ),
    }))
    .filter((plane) => plane.series.length);
}

/** Whether a plane's series are of different checkpoints, in a space that only one of them knows.
 * @param {Plane} plane */
export function unrelated({ basis, series }) {
  return !isOfAnswers(basis) && new Set(series.map((series) => series.checkpoint ?? series.letter)).size > 1;
}

/** Whether a basis is of answers, which all models share. @param {Pick<Basis, "name">} basis */
export const isOfAnswers = ({ name }) => ["river", "answers", "score"].includes(name);

/** The chosen map in width x height: with the river, where there is room beside or below it, the answer map.
 * @param {Payload} payload @param {Pick<State, "basis" | "camera" | "dims" | "turn">} state @param {number} width
 * @param {number} height @param {boolean} veiled while the future is hidden, and with it where trajectories end
 * @returns {PlacedPlane[]} */
export function mapOf(payload, state, width, height, veiled = false) {
  const room = width >= PAIR ? "beside" : height >= TALL && height > width ? "below" : null;
  const pair = state.basis === "river" && payload.space.lanes.length ? room : null;
  const planes = (pair ? ["river", "answers"] : [state.basis]).flatMap((name) => planesOf(payload, name));
  const inner = width - GAP * (planes.length - 1);
  let [x, y] = [0, 0];
  return planes.map((plane, index) => {
    const share = pair ? [RIVER, 1 - RIVER][index] : 1 / planes.length;
    const below = pair === "below";
    const box = { x, y, width: below ? width : Math.floor(inner * share), height: height - FOOT };
    if (below) box.height = Math.round((height - 2 * FOOT) * share);
    if (below) y += box.height + FOOT;
    else x += box.width + GAP;
    const { name } = plane.basis;
    if (name === "score") {
      const { left, across } = scoreGrid(box, 1, payload.steps, box.width < SMALL);
      return { ...framedBy(plane, index, box, left + across / 2, 0, across, 1), parts: [] };
    }
    return name === "river"
      ? placeRiver(payload, plane, index, box, veiled)
      : placePlane(payload, plane, index, box, state);
  });
}

/** A plane whose point (x, y) of its basis lies at the px (x0, y0), with px per unit across and up.
 * @param {Plane} plane @param {number} index @param {Box} box @param {number} x0 @param {number} y0
 * @param {number} across @param {number} up */
const framedBy = ({ basis }, index, box, x0, y0, across, up) => ({
  basis,
  index,
  box,
  scale: across,
  axes: null,
  hits: [],
  labels: [],
  fromX: (/** @type {number} */ x) => (x - x0) / across,
  fromY: (/** @type {number} */ y) => (y0 - y) / up,
  toX: (/** @type {number} */ value) => x0 + value * across,
  toY: (/** @type {number} */ value) => y0 - value * up,
});

/** The river: time across, answers up. While the future is hidden all are in the trunk, unsorted.
 * @param {Payload} payload @param {Plane} plane @param {number} index @param {Box} box @param {boolean} veiled
 * @returns {PlacedPlane} */
function placeRiver({ space, steps }, plane, index, box, veiled) {
  const small = box.width < SMALL;
  const named = [space.trunk, ...space.lanes].map((_, k) => namesOfLane(space, plane.series, k - 1)[0].length);
  const shore = Math.min(0.4 * box.width, BESIDE + 8 + SHORE.letter * Math.max(...named));
  const { left, right, top, bottom } = small ? { left: 3, right: 3, top: 3, bottom: 3 } : { ...SHORE, right: shore };
  const spans = [...space.lanes, space.trunk].flatMap(({ span }) => span);
  const [low, high] = [Math.min(...spans), Math.max(...spans)];
  const across = (box.width - left - right) / Math.max(1, steps - 1);
  const up = (box.height - top - bottom) / (high - low);
  const placed = framedBy(plane, index, box, box.x + left, box.y + box.height - bottom + low * up, across, up);
  const all = plane.series.reduce((sum, series) => sum + series.n, 0);
  let before = 0;
  const parts = plane.series.map((series) => {
    const { xyz } = series.maps.river;
    const points = new Float32Array(2 * series.n * series.steps);
    for (let k = 0; k < series.n * series.steps; k += 1) {
      const level = low + ((before + Math.floor(k / series.steps) + 0.5) / all) * (high - low);
      points[2 * k] = placed.toX(xyz[3 * k]);
      points[2 * k + 1] = placed.toY(veiled ? level : xyz[3 * k + 1]);
    }
    before += series.n;
    return { series, points, outside: undefined, depth: null, slabs: null };
  });
  return { ...placed, parts };
}

/** A plane of two components, or a view of three, through the camera of the state.
 * @param {Payload} payload @param {Plane} plane @param {number} index @param {Box} box
 * @param {Pick<State, "camera" | "dims" | "turn">} state @returns {PlacedPlane} */
function placePlane({ space }, plane, index, box, { camera, dims, turn }) {
  const { basis } = plane;
  const deep = dims === 3 && isDeep([plane]);
  const named = basis.name === "answers" && box.width >= SMALL;
  const circles = basis.name === "answers" ? space.lanes.flatMap(({ anchor }) => (anchor ? [anchor] : [])) : [];
  const flat = boundsOf(plane, circles);
  // Rotated about the middle, inside the sphere that holds all states: rotating changes no size.
  const bounds = deep ? { x: 0, y: 0, width: 2 * flat.reach, height: 2 * flat.reach } : flat;
  /** @type {(x: number, y: number, z: number) => Vector} */
  const turned = deep ? turning(turn, flat.middle) : (x, y) => [x, y, 0];
  // One scale for all components: a distance means the same in every direction.
  const free = 2 * margin(box, named);
  const scale = Math.min((box.width - free) / bounds.width, (box.height - free) / bounds.height) * (camera?.k ?? 1);
  const x0 = box.x + box.width / 2 + (camera?.x ?? 0) * box.width - bounds.x * scale;
  const y0 = box.y + box.height / 2 + (camera?.y ?? 0) * box.height + bounds.y * scale;
  const placed = framedBy(plane, index, box, x0, y0, scale, scale);
  const parts = plane.series.map((series) => {
    const { xyz, low: between, ...halos } = series.maps[basis.name];
    const outside = deep ? halos.beyond : halos.outside; // what the two, or three, components that are seen leave out
    const count = series.n * series.steps;
    const points = new Float32Array(count * 2);
    const depth = deep ? new Float32Array(count) : null; // -1 behind to 1 in front
    for (let k = 0; k < count; k += 1) {
      const [across, up, near] = turned(xyz[3 * k], xyz[3 * k + 1], xyz[3 * k + 2]);
      points[2 * k] = placed.toX(across);
      points[2 * k + 1] = placed.toY(up);
      if (depth) depth[k] = near / flat.reach;
    }
    // The slab of the segment that begins at each state; that of a trajectory's last one is never asked for.
    const lows = between && new Float32Array((2 * between.length) / 3);
    for (let k = 0; lows && k < lows.length / 2; k += 1) {
      const [across, up] = turned(between[3 * k], between[3 * k + 1], between[3 * k + 2]);
      lows[2 * k] = placed.toX(across);
      lows[2 * k + 1] = placed.toY(up);
    }
    const slabs = depth && Uint8Array.from(depth, (near, k) => slabOf((near + (depth[k + 1] ?? near)) / 2));
    return { series, points, lows: lows ?? null, outside, depth, slabs };
  });
  const unit = turning(turn, [0, 0, 0]);
  return { ...placed, parts, axes: deep ? [unit(1, 0, 0), unit(0, 1, 0), unit(0, 0, 1)] : null };
}

/** The extent of a plane's states and of what else is drawn on it; of all three components the middle, and how far from
 * it the furthest state lies.
 * @param {Plane} plane @param {Pair[]} more @returns {Box & { middle: Vector, reach: number }} */
function boundsOf({ basis: { name }, series: shown }, more) {
  const axes = [0, 1, 2];
  const [low, high] = [Math.min, Math.max].map((most) =>
    axes.map((axis) => most(...more.map((point) => point[axis] ?? 0), most())),
  );
  for (const series of shown) {
    const { xyz } = series.maps[name];
    for (let k = 0; k < xyz.length; k += 1)
      if (Number.isFinite(xyz[k])) {
        low[k % 3] = Math.min(low[k % 3], xyz[k]);
        high[k % 3] = Math.max(high[k % 3], xyz[k]);
      }
  }
  if (low[0] > high[0]) return { x: 0, y: 0, width: 1, height: 1, middle: [0, 0, 0], reach: 1 };
  const size = axes.map((axis) => Math.max(high[axis] - low[axis], 1e-6)); // a trajectory that never moves is a point
  const middle = /** @type {Vector} */ (axes.map((axis) => (low[axis] + high[axis]) / 2));
  let reach = 1e-6;
  for (const series of shown) {
    const { xyz } = series.maps[name];
    for (let k = 0; k < xyz.length; k += 3)
      reach = Math.max(reach, Math.hypot(...axes.map((axis) => xyz[k + axis] - middle[axis])) || 0);
  }
  return { x: middle[0], y: middle[1], width: size[0], height: size[1], middle, reach };
}

/** How near a head is to the eye, 0.45 to 1.35; 1 in two dimensions.
 * @param {PlacedSeries} part @param {number} trajectory @param {number} step */
export function nearOf({ series, depth }, trajectory, step) {
  return depth ? nearness(slabOf(depth[trajectory * series.steps + series.held(step)])) : 1;
}

/** Every trajectory that a plane shows, by its part. @param {PlacedSeries[]} parts
 * @param {string[]} [hidden] letters of series to leave out @returns {Generator<[PlacedSeries, number]>} */
export function* shownIn(parts, hidden = []) {
  for (const part of parts)
    for (let trajectory = 0; trajectory < part.series.n && !hidden.includes(part.series.letter); trajectory += 1)
      yield [part, trajectory];
}

/** Where the head of a trajectory is: at the cursor, or on its way to the next transition; on a map of l, after the
 * low-level update `low`.
 * @param {PlacedSeries} part @param {number} trajectory @param {number} step @param {number} [fraction]
 * @param {number | null} [low] @returns {Pair} */
export function headAt({ series, points, lows }, trajectory, step, fraction = 0, low = null) {
  if (lows && low !== null && step < series.steps) {
    const at = 2 * ((trajectory * series.steps + step) * series.low_steps + low - 1);
    return [lows[at], lows[at + 1]];
  }
  const now = 2 * (trajectory * series.steps + series.held(step));
  const next = 2 * (trajectory * series.steps + series.held(step + (fraction > 0 ? 1 : 0)));
  return [
    points[now] + fraction * (points[next] - points[now]),
    points[now + 1] + fraction * (points[next + 1] - points[now + 1]),
  ];
}

/** @typedef {{ series: Series, trajectory: number, step: number, commit?: boolean }} Found */
/** The nearest head, else the nearest state, within `reach` px: {series, trajectory, step} or null.
 * `allowed(series, trajectory)` filters.
 * @param {PlacedPlane[]} planes @param {number} x @param {number} y @param {number} step @param {number} reach
 * @param {(series: Series, trajectory: number) => boolean} allowed */
export function nearest(planes, x, y, step, reach, allowed) {
  /** @type {Found | null} */
  let best = null;
  let least = reach * reach;
  /** @param {Series} series @param {number} trajectory @param {number} at @param {number} px @param {number} py */
  const offer = (series, trajectory, at, px, py) => {
    const distance = (px - x) ** 2 + (py - y) ** 2;
    if (distance >= least) return;
    best = { series, trajectory, step: at };
    least = distance;
  };
  for (const plane of planes)
    for (const [part, trajectory] of shownIn(plane.parts)) {
      if (allowed(part.series, trajectory))
        offer(part.series, trajectory, part.series.held(step), ...headAt(part, trajectory, step));
    }
  if (best) return /** @type {Found} */ (best); // heads lie in front of the lines
  for (const plane of planes)
    for (const { series, points } of plane.parts)
      for (let trajectory = 0; trajectory < series.n; trajectory += 1) {
        if (!allowed(series, trajectory)) continue;
        const start = trajectory * series.steps;
        for (let at = 0; at < series.steps; at += 1)
          offer(series, trajectory, at, points[2 * (start + at)], points[2 * (start + at) + 1]);
      }
  return /** @type {Found | null} */ (best);
}

/** The line of a river at a point, or the ring at which it commits: the nearest within `reach` px, or null.
 * @param {PlacedPlane} plane @param {number} x @param {number} y @param {number} reach
 * @param {(series: Series, trajectory: number) => boolean} allowed */
export function riverLine({ parts, fromX }, x, y, reach, allowed) {
  const time = fromX(x);
  /** @type {(Found & { commit: boolean }) | null} */
  let best = null;
  let least = reach;
  for (const [part, trajectory] of shownIn(parts)) {
    const { series } = part;
    if (time < 0 || time > series.steps - 1 || !allowed(series, trajectory)) continue;
    const step = Math.floor(time);
    const away = Math.abs(headAt(part, trajectory, step, time - step)[1] - y);
    const commit = series.commit(trajectory);
    const [a, b] = headAt(part, trajectory, Math.min(commit, series.steps - 1));
    const ring = commit < series.steps && Math.hypot(a - x, b - y) < reach;
    const distance = ring ? 0 : away;
    if (distance >= least) continue;
    best = { series, trajectory, step: ring ? commit : Math.round(time), commit: ring };
    least = distance;
  }
  return /** @type {(Found & { commit: boolean }) | null} */ (best);
}

/** The camera after zooming by `factor` around a point of a plane.
 * @param {Camera | null} camera @param {Box} box @param {number} x @param {number} y @param {number} factor */
export function zoomed(camera, box, x, y, factor) {
  const from = camera ?? { x: 0, y: 0, k: 1 };
  const k = Math.min(20, Math.max(0.5, from.k * factor));
  const ratio = k / from.k;
  const about = { x: (x - box.x) / box.width - 0.5, y: (y - box.y) / box.height - 0.5 };
  return { x: about.x - (about.x - from.x) * ratio, y: about.y - (about.y - from.y) * ratio, k };
}

/** The camera that shows the given points of one plane large, or null for none.
 * @param {Camera | null} camera @param {Box} box @param {Pair[]} points */
export function framed(camera, box, points) {
  if (!points.length) return null;
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const factor = Math.min(
    (box.width - 2 * margin(box)) / Math.max(right - left, 40),
    (box.height - 2 * margin(box)) / Math.max(bottom - top, 40),
  );
  const from = camera ?? { x: 0, y: 0, k: 1 };
  const k = Math.min(20, Math.max(0.5, from.k * factor));
  const about = {
    x: ((left + right) / 2 - box.x) / box.width - 0.5,
    y: ((top + bottom) / 2 - box.y) / box.height - 0.5,
  };
  return { x: ((from.x - about.x) * k) / from.k, y: ((from.y - about.y) * k) / from.k, k };
}
