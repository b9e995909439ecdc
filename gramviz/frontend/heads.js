// What moves on the map: heads, halos, the special trajectories and their labels. Redrawn on every frame of a motion.

import { around, drawMarks, drawNamed } from "./answermap.js";
import { cased, mark, roundRect, tracePolygon } from "./draw.js";
import { FAINT, GRAY, HIDDEN, PLAIN, SELECTED } from "./groups.js";
import { labelAt } from "./labels.js";
import { alphaOf, clipTo, trace } from "./trajectories.js";
import { headAt, shownIn, isOfAnswers, nearOf } from "./planes.js";
import { drawNow } from "./river.js";
import { shapeOf } from "./scene.js";

/** @import { Box, Pair, Pen, PlacedPlane, PlacedSeries, Scene, Series, Shape, Theme, Trajectory } from "./types.js" */

/** A trajectory that is drawn by itself.
 * @typedef {{ part: PlacedSeries, trajectory: number, kind: "pinned" | "focus" | "hover" }} Special */

const HALO = 0.13; // opacity of a halo

/** Heads, halos, the special trajectories and their labels. Redrawn on every frame while something moves.
 * @param {Pen} pen @param {PlacedPlane[]} planes @param {Scene} scene */
export function drawTop(pen, planes, scene) {
  for (const plane of planes)
    clipTo(pen, plane.box, () => {
      if (plane.basis.name === "river" && !scene.small) drawNow(pen, plane, scene);
      drawHeads(pen, plane, scene);
      if (plane.basis.name === "answers") drawMarks(pen, plane, scene);
      const alone = specials(plane, scene);
      for (const special of alone) drawSpecial(pen, special, scene, headShape(plane, scene));
      if (plane.basis.name === "answers") {
        const { state, fraction, last } = scene;
        const at = (/** @type {number} */ step) =>
          alone.map(({ part, trajectory }) => headAt(part, trajectory, step, fraction, state.cursor.low));
        drawNamed(pen, plane, scene, at(state.cursor.step), at(last));
      }
      const taken = [...plane.labels];
      if (!scene.small && !isOfAnswers(plane.basis)) drawInit(pen, plane, scene, taken);
      if (scene.state.layers.includes("labels") && !scene.small) drawLabels(pen, plane, scene, taken);
    });
  if (scene.lasso) drawLasso(pen, scene.lasso, scene.theme);
}

/** The trajectories drawn apart from the cloud: pinned (ink), focused (color), pointed at.
 * @param {PlacedPlane} plane @param {Scene} scene */
function specials(plane, { state, hover }) {
  const found = /** @type {Special[]} */ ([]);
  /** @param {Trajectory | null | undefined} who @param {Special["kind"]} kind */
  const add = (who, kind) => {
    if (!who) return;
    const part = plane.parts.find(({ series }) => series.letter === who[0]);
    if (
      part &&
      !state.hidden.includes(who[0]) &&
      !found.some((other) => other.part === part && other.trajectory === who[1])
    )
      found.push({ part, trajectory: who[1], kind });
  };
  add(state.pinned, "pinned");
  add(state.focus, "focus");
  add(hover?.trajectory, "hover");
  return found;
}

/** What marks a head of a plane. @param {PlacedPlane} plane @param {Scene} scene
 * @returns {(series: Series, trajectory: number) => Shape} */
const headShape = ({ basis }, { veiled }) => (veiled ? () => "ring" : shapeOf(basis));

/** @param {Pen} pen @param {Special} special @param {Scene} scene
 * @param {(series: Series, trajectory: number) => Shape} shape */
function drawSpecial(pen, { part, trajectory, kind }, scene, shape) {
  const { theme, state, fraction, colors } = scene;
  const { series, points } = part;
  const { low } = state.cursor;
  // After a low-level update the line ends where the transition began, and from there goes through the updates so far.
  const step = series.held(state.cursor.step - (part.lows && low !== null ? 1 : 0));
  const color = kind === "pinned" ? theme.ink : theme.pick(colors.groups[colors.of[series.letter][trajectory]].color);
  const width = kind === "pinned" ? 3 : 2.6;
  const head = headAt(part, trajectory, state.cursor.step, fraction, state.cursor.low);
  const faint = scene.emphasis[series.letter][trajectory] === FAINT;
  pen.globalAlpha = faint ? 0.3 : 1;
  const line = (/** @type {string} */ style, /** @type {number} */ thick) => {
    pen.beginPath();
    trace(pen, part, trajectory, 0, step);
    if (step === 0) pen.moveTo(points[2 * trajectory * series.steps], points[2 * trajectory * series.steps + 1]);
    for (let k = 1; part.lows && low !== null && k < low; k += 1)
      pen.lineTo(...headAt(part, trajectory, state.cursor.step, 0, k));
    pen.lineTo(...head);
    pen.strokeStyle = style;
    pen.lineWidth = thick;
    pen.stroke();
  };
  line(theme.sunk, width + 3.2);
  line(color, width);
  pen.setLineDash([2, 4]);
  pen.beginPath();
  trace(pen, part, trajectory, step, scene.last);
  pen.lineWidth = 1.6;
  pen.stroke();
  pen.setLineDash([]);
  for (let at = 1; at <= step; at += 1) {
    if (series.supervision_step[at] === series.supervision_step[at + 1]) continue; // a dot per supervision step
    const k = 2 * (trajectory * series.steps + at);
    pen.beginPath();
    pen.arc(points[k], points[k + 1], 2.1, 0, 2 * Math.PI);
    pen.fillStyle = theme.bg;
    pen.fill();
    pen.lineWidth = 1;
    pen.stroke();
  }
  if (!scene.small) {
    // The pinned head stands in a square, the focus in a ring, and what is pointed at in a broken one.
    if (kind === "pinned") roundRect(pen, head[0] - 8, head[1] - 8, 16, 16, 2);
    else {
      pen.beginPath();
      pen.arc(...head, 8.5, 0, 2 * Math.PI);
    }
    pen.setLineDash(kind === "hover" ? [3, 2.3] : []);
    pen.fillStyle = theme.bg;
    pen.fill();
    pen.lineWidth = kind === "hover" ? 1.6 : 2.2;
    pen.strokeStyle = theme.ink;
    pen.stroke();
    pen.setLineDash([]);
  }
  mark(pen, shape(series, trajectory), ...head, scene.small ? 3.4 : 4.8, color);
  pen.globalAlpha = 1;
}

/** Discs of radius 3 + 12 sqrt(energy outside the components that are seen). One fill per color, so that overlaps do
 * not add up to a claim.
 * @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene @param {number} level */
function drawHalos(pen, plane, scene, level) {
  const { theme, state, emphasis, colors, fraction } = scene;
  const discs = new Map();
  for (const [part, trajectory] of shownIn(plane.parts)) {
    if (emphasis[part.series.letter][trajectory] !== level || !part.outside) continue;
    const group = colors.of[part.series.letter][trajectory];
    const outside = part.outside[trajectory * part.series.steps + part.series.held(state.cursor.step)] / 255;
    if (!discs.has(group)) discs.set(group, []);
    discs
      .get(group)
      .push([...headAt(part, trajectory, state.cursor.step, fraction, state.cursor.low), 3 + 12 * Math.sqrt(outside)]);
  }
  pen.globalAlpha = HALO * alphaOf(level, scene);
  for (const [group, list] of discs) {
    pen.beginPath();
    for (const [x, y, r] of list) {
      pen.moveTo(x + r, y);
      pen.arc(x, y, r, 0, 2 * Math.PI);
    }
    pen.fillStyle = theme.pick(colors.groups[group].color);
    pen.fill();
  }
}

/** @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene */
function drawHeads(pen, plane, scene) {
  const { theme, state, emphasis, colors, fraction } = scene;
  const shape = headShape(plane, scene);
  if (scene.halo) for (const level of [FAINT, PLAIN, SELECTED]) drawHalos(pen, plane, scene, level);
  for (const level of [GRAY, FAINT, PLAIN, SELECTED])
    for (const [part, trajectory] of shownIn(plane.parts)) {
      if (emphasis[part.series.letter][trajectory] !== level) continue;
      const [x, y] = headAt(part, trajectory, state.cursor.step, fraction, state.cursor.low);
      const color =
        level === GRAY ? theme.gray : theme.pick(colors.groups[colors.of[part.series.letter][trajectory]].color);
      const radius = (scene.small ? 1.6 : level === GRAY ? 2.2 : 3.4) * nearOf(part, trajectory, state.cursor.step);
      pen.globalAlpha = level === GRAY ? 0.6 : Math.min(1, alphaOf(level, scene));
      mark(pen, shape(part.series, trajectory), x, y, radius, color);
      if (level === SELECTED && !scene.small) ringHead(pen, x, y, radius + 2.4, theme.ink);
    }
  pen.globalAlpha = 1;
}

/** The ring of a selected head. @param {Pen} pen @param {number} x @param {number} y @param {number} radius
 * @param {string} color */
function ringHead(pen, x, y, radius, color) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.lineWidth = 1.3;
  pen.strokeStyle = color;
  pen.stroke();
}

/** The start: one diamond, or one per distinct starting point.
 * @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene @param {Box[]} taken */
function drawInit(pen, plane, scene, taken) {
  const done = /** @type {Pair[]} */ ([]);
  for (const [part, trajectory] of shownIn(plane.parts)) {
    if (scene.emphasis[part.series.letter][trajectory] === HIDDEN) continue;
    const [x, y] = headAt(part, trajectory, 0);
    if (done.some(([a, b]) => Math.hypot(a - x, b - y) < 6)) continue;
    if (done.length < 6) mark(pen, "diamond", x, y, 4.6, scene.theme.ink);
    done.push([x, y]);
  }
  if (done.length !== 1) return;
  pen.font = `11px ${scene.font}`;
  pen.textAlign = "left";
  const box = labelAt(done[0], { width: 24, height: 15 }, 9, plane.box, taken, [0, 1]);
  if (box) cased(pen, "init", box.x + 2, box.y + 11, scene.theme.text2, scene.theme.sunk);
}

/** Names beside the heads of the special trajectories, moved about until they cover no head and no other name.
 * @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene @param {Box[]} taken */
function drawLabels(pen, plane, scene, taken) {
  const { theme, state, fraction, font } = scene;
  pen.font = `600 11px ${font}`;
  pen.textBaseline = "middle";
  const list = specials(plane, scene).map((special) => ({
    ...special,
    head: headAt(special.part, special.trajectory, state.cursor.step, fraction, state.cursor.low),
  }));
  taken.push(...list.map(({ head }) => around(head)));
  taken.push({
    x: plane.box.x + plane.box.width - 110,
    y: plane.box.y + plane.box.height - 34,
    width: 110,
    height: 34,
  }); // the scale bar
  taken.push(...plane.hits.map(({ box }) => box));
  for (const { part, trajectory, kind, head } of list) {
    const { series } = part;
    const text = series.n === 1 ? `${series.letter} ${series.name}` : `${series.letter} #${trajectory}`;
    const size = { width: pen.measureText(text).width + 12, height: 18 };
    const box = labelAt(head, size, 17, plane.box, taken);
    if (!box) continue;
    roundRect(pen, box.x, box.y, box.width, box.height, 4);
    pen.fillStyle = kind === "pinned" ? theme.ink : theme.bg;
    pen.fill();
    pen.lineWidth = 1.2;
    pen.strokeStyle = theme.ink;
    pen.stroke();
    pen.textAlign = "left";
    pen.fillStyle = kind === "pinned" ? theme.bg : theme.ink;
    pen.fillText(text, box.x + 6, box.y + 9.5);
  }
  pen.textBaseline = "alphabetic";
}

/** @param {Pen} pen @param {Pair[]} points @param {Theme} theme */
function drawLasso(pen, points, theme) {
  if (points.length < 2) return;
  pen.beginPath();
  tracePolygon(pen, points);
  pen.globalAlpha = 0.08;
  pen.fillStyle = theme.ink;
  pen.fill();
  pen.globalAlpha = 1;
  pen.setLineDash([4, 3]);
  pen.lineWidth = 1.4;
  pen.strokeStyle = theme.ink;
  pen.stroke();
  pen.setLineDash([]);
}
