// The cloud: where the heads are dense. A Gaussian kernel per head, and the lines that hold 50 and 90 % of the density.

import { PLAIN } from "./groups.js";
import { headAt, shownIn } from "./planes.js";

/** @import { Pair, Pen, PlacedPlane, Scene } from "./types.js" */

/** An axis of the grid. @typedef {{ start: number, cell: number }} Axis */
/** @typedef {{ values: Float64Array, axes: Axis[] }} Density rows downward */

const FEWEST_HEADS = 8; // a density of fewer says more about the kernel than about them
const SIDE = 48; // cells of the grid: the cost is the same however far the map is zoomed
const NARROWEST = 7; // px of a kernel: heads in one place are still a ring around it

/** The density of points around them, with kernels of a width at least.
 * @param {Pair[]} points @param {number} [narrowest] @returns {Density} */
export function density(points, narrowest = NARROWEST) {
  const axes = [0, 1].map((axis) => {
    const at = points.map((point) => point[axis]);
    const mean = at.reduce((sum, value) => sum + value, 0) / at.length;
    const spread = Math.sqrt(at.reduce((sum, value) => sum + (value - mean) ** 2, 0) / at.length);
    // half of Scott's: heads form several groups
    const width = Math.max(narrowest, 0.5 * spread * at.length ** (-1 / 6));
    const start = Math.min(...at) - 3.5 * width;
    const cell = (Math.max(...at) + 3.5 * width - start) / (SIDE - 1);
    const bell = (/** @type {number} */ value) =>
      Float64Array.from({ length: SIDE }, (_, k) => Math.exp(-0.5 * ((start + k * cell - value) / width) ** 2));
    return { start, cell, bells: at.map(bell) };
  });
  const values = new Float64Array(SIDE * SIDE);
  axes[1].bells.forEach((down, head) => {
    const across = axes[0].bells[head];
    for (let k = 0, row = 0; row < SIDE; row += 1)
      for (let column = 0; column < SIDE; column += 1, k += 1) values[k] += across[column] * down[row];
  });
  return { values, axes };
}

/** The level above which lies this share of the whole density. @param {Density} density @param {number} share */
export function levelOf({ values }, share) {
  const sorted = Float64Array.from(values).sort().reverse();
  let left = share * sorted.reduce((sum, value) => sum + value, 0);
  for (const value of sorted) {
    left -= value;
    if (left <= 0) return value;
  }
  return 0;
}

/** Pieces [x, y, x, y] of the lines where the density has a level (marching squares).
 * @param {Density} density @param {number} level */
export function contour({ values, axes: [x, y] }, level) {
  const pieces = /** @type {number[][]} */ ([]);
  for (let k = 0; k < values.length - SIDE; k += 1) {
    if (k % SIDE === SIDE - 1) continue;
    const corners = [k, k + 1, k + SIDE + 1, k + SIDE];
    const above = corners.filter((one) => values[one] > level).length;
    if (above % 4 === 0) continue;
    const cuts = corners.flatMap((one, side) => {
      const two = corners[(side + 1) % 4];
      if (values[one] > level === values[two] > level) return [];
      const part = (level - values[one]) / (values[two] - values[one]);
      const between = (/** @type {(at: number) => number} */ pick, /** @type {Axis} */ { start, cell }) =>
        start + cell * (pick(one) + part * (pick(two) - pick(one)));
      return [between((at) => at % SIDE, x), between((at) => Math.floor(at / SIDE), y)];
    });
    for (let at = 0; at < cuts.length; at += 4) pieces.push(cuts.slice(at, at + 4));
  }
  return pieces;
}

/** Polygons that together cover where the density is above a level: runs of whole cells, and what is cut of others.
 * @param {Density} density @param {number} level */
export function regions({ values, axes: [x, y] }, level) {
  const found = /** @type {Pair[][]} */ ([]);
  const at = (/** @type {number} */ column, /** @type {number} */ row) =>
    /** @type {Pair} */ ([x.start + column * x.cell, y.start + row * y.cell]);
  const above = (/** @type {number} */ column, /** @type {number} */ row) => values[row * SIDE + column] > level;
  const whole = (/** @type {number} */ column, /** @type {number} */ row) =>
    [0, 1].every((i) => [0, 1].every((j) => above(column + i, row + j)));
  for (let row = 0; row < SIDE - 1; row += 1)
    for (let column = 0; column < SIDE - 1; column += 1) {
      const from = column;
      while (column < SIDE - 1 && whole(column, row)) column += 1;
      if (column > from) found.push([at(from, row), at(column, row), at(column, row + 1), at(from, row + 1)]);
      if (column === SIDE - 1) continue;
      const corners = /** @type {Pair[]} */ ([
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ]);
      const polygon = corners.flatMap(([i, j], side) => {
        const [k, l] = corners[(side + 1) % 4];
        const here = values[(row + j) * SIDE + column + i];
        const next = values[(row + l) * SIDE + column + k];
        const part = (level - here) / (next - here);
        const own = here > level ? [at(column + i, row + j)] : [];
        return here > level === next > level
          ? own
          : [...own, at(column + i + part * (k - i), row + j + part * (l - j))];
      });
      if (polygon.length > 2) found.push(polygon);
    }
  return found;
}

/** Strokes the cloud of each color group of enough heads: 50 % thick, 90 % thin.
 * @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene */
export function drawCloud(pen, plane, { theme, state, emphasis, colors }) {
  const heads = colors.groups.map(() => /** @type {Pair[]} */ ([]));
  for (const [part, trajectory] of shownIn(plane.parts)) {
    const head = headAt(part, trajectory, state.cursor.step);
    if (emphasis[part.series.letter][trajectory] >= PLAIN && Number.isFinite(head[0] + head[1]))
      heads[colors.of[part.series.letter][trajectory]].push(head);
  }
  heads.forEach((points, group) => {
    if (points.length < FEWEST_HEADS) return;
    const field = density(points);
    pen.strokeStyle = theme.pick(colors.groups[group].color);
    for (const share of [0.9, 0.5]) {
      pen.lineWidth = share > 0.5 ? 1 : 2;
      pen.beginPath();
      for (const [a, b, c, d] of contour(field, levelOf(field, share))) {
        pen.moveTo(a, b);
        pen.lineTo(c, d);
      }
      pen.stroke();
    }
  });
}
