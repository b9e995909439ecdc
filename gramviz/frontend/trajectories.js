// The lines of the map: strokes of many trajectories, whole and up to the cursor. The ground and the heads lie below
// and above.

import { roundRect } from "./draw.js";
import { GRAY, HIDDEN, PLAIN, SELECTED } from "./groups.js";
import { shownIn } from "./planes.js";
import { nearness, SLABS } from "./turn.js";

/** @import { Box, ColorGroup, Pen, PlacedPlane, PlacedSeries, Scene } from "./types.js" */

/** Px of a line, where it is no other's. @type {Record<number, number>} */
const WIDTH = { [GRAY]: 0.8, [SELECTED]: 2 };

/** What one stroke draws.
 * @typedef {{ level: number, group: ColorGroup, trajectories: [PlacedSeries, number][] }} Bundle */

/** @type {Record<number, number>} */
const ALPHA = { [GRAY]: 0.4, [PLAIN]: 1, [SELECTED]: 2 };

const MANY = 150; // trajectories, beyond which lines become lighter: where they are dense is what is seen then

/** Beyond this many states lines are one pixel of the screen thin. Without a GPU wider ones are outlined and filled,
 * which takes thirty times as long: 200 ms for 32,000 segments. */
export const MANY_STATES = 8000;

/** @param {Pick<PlacedPlane, "parts">[]} planes */
export const statesOf = (planes) =>
  planes.reduce((sum, { parts }) => sum + parts.reduce((n, { series }) => n + series.n * series.steps, 0), 0);

/** Px of a pixel of the screen. */
const pixel = () => 1 / Math.min(globalThis.devicePixelRatio || 1, 3);

/** How strong the lines of a map of answers are, of its trajectories' number. @param {PlacedPlane} plane */
export const lightness = ({ parts }) => Math.min(1, MANY / parts.reduce((sum, { series }) => sum + series.n, 0));

/** How strongly a trajectory is drawn. Pointing at a cell asks about all trajectories, so the others fade less than
 * behind one.
 * @param {number} level @param {Scene} scene */
export const alphaOf = (level, { hover }) => ALPHA[level] ?? (hover?.cell === undefined ? 0.2 : 0.3);

/** Adds the states from..to of one trajectory to the current canvas path; of a map in 3-D only those segments in
 * `slab`.
 * @param {Pen} pen @param {PlacedSeries} part @param {number} trajectory @param {number} from @param {number} to
 * @param {number | null} [slab] */
export function trace(pen, { series, points, slabs }, trajectory, from, to, slab = null) {
  const start = trajectory * series.steps;
  const last = Math.min(to, series.steps - 1);
  if (last <= from) return;
  if (slab !== null && slabs) {
    for (let k = start + from; k < start + last; k += 1) {
      if (slabs[k] !== slab) continue;
      if (k === start + from || slabs[k - 1] !== slab) pen.moveTo(points[2 * k], points[2 * k + 1]);
      pen.lineTo(points[2 * k + 2], points[2 * k + 3]);
    }
    return;
  }
  pen.moveTo(points[2 * (start + from)], points[2 * (start + from) + 1]);
  for (let step = from + 1; step <= last; step += 1)
    pen.lineTo(points[2 * (start + step)], points[2 * (start + step) + 1]);
}

/** Strokes many trajectories with as few strokes as there are (color, emphasis) pairs; thin lines one by one.
 * @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene @param {number} from @param {number} to
 * @param {number} alpha */
export function strokeTrajectories(pen, plane, scene, from, to, alpha) {
  const { theme, colors, emphasis } = scene;
  const all = statesOf([plane]);
  const bundles = /** @type {Map<string, Bundle>} */ (new Map());
  for (const [part, trajectory] of shownIn(plane.parts)) {
    const level = emphasis[part.series.letter][trajectory];
    if (level === HIDDEN) continue;
    const group = colors.of[part.series.letter][trajectory];
    const key = level === GRAY ? "gray" : `${level} ${group}`;
    const bundle = bundles.get(key) ?? { level, group: colors.groups[group], trajectories: [] };
    bundles.set(key, bundle);
    bundle.trajectories.push([part, trajectory]);
  }
  // Gray first, so that what is selected lies in front; in 3-D the furthest first, and thinner.
  const order = [...bundles.values()].sort((a, b) => a.level - b.level);
  const slabs = plane.axes ? [...Array(SLABS).keys()] : [null];
  if (plane.axes) pen.lineCap = "butt"; // where a line passes into the next slab, its ends must not add up to a dot
  for (const slab of slabs)
    for (const { level, group, trajectories } of order) {
      pen.globalAlpha = Math.min(1, alpha * alphaOf(level, scene));
      const width = (WIDTH[level] ?? 1.15) * (slab === null ? 1 : nearness(slab));
      const isThin = (level === SELECTED ? trajectories.length * scene.steps : all) > MANY_STATES;
      pen.lineWidth = isThin ? Math.min(width, pixel()) : width;
      const along = scene.state.color_by === "step" && level !== GRAY;
      for (let step = from; step < (along ? to : from + 1); step += 1) {
        pen.strokeStyle =
          level === GRAY ? theme.gray : theme.pick(along ? (step + 1) / Math.max(1, scene.steps - 1) : group.color);
        pen.beginPath();
        for (const [part, trajectory] of trajectories) {
          trace(pen, part, trajectory, step, along ? step + 1 : to, slab);
          if (!isThin) continue;
          pen.stroke(); // each by itself: they add up where they are dense
          pen.beginPath();
        }
        pen.stroke();
      }
    }
  pen.lineCap = "round";
  pen.globalAlpha = 1;
}

/** Draws inside the frame of a plane. @param {Pen} pen @param {Box} box @param {() => void} draw */
export function clipTo(pen, { x, y, width, height }, draw) {
  pen.save();
  roundRect(pen, x + 0.5, y + 0.5, width - 1, height - 1, 5);
  pen.clip();
  draw();
  pen.restore();
}
