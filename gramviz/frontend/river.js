// The answer river: time across, answers up. A line runs in the trunk while it is near no answer, and into the lane of
// the one it comes to; a ring marks the step from which on it stays.

import { cellName } from "./cells.js";
import { cased } from "./draw.js";
import { HIDDEN, PLAIN } from "./groups.js";
import { clipTo, lightness, strokeTrajectories } from "./trajectories.js";
import { namesOfLane } from "./labels.js";
import { BESIDE, headAt, shownIn } from "./planes.js";
import { drawTicks } from "./ticks.js";
import { words } from "./words.js";

/** @import { ColorToken, Lane, Pen, PlacedPlane, Scene } from "./types.js" */

export const TRUNK = -1;
const BAND = 0.11; // opacity of a lane
const LINE = 13; // px between two names
const RING = 2.6; // px

/** The color of a lane by its verdict. @param {Pick<Lane, "right">} lane @returns {ColorToken} */
export const laneColor = ({ right }) => (right === null ? "text2" : right ? "blue" : "vermilion");

/** @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene */
export function drawRiver(pen, plane, scene) {
  plane.hits = [];
  clipTo(pen, plane.box, () => {
    if (!scene.veiled) drawBands(pen, plane, scene);
    strokeTrajectories(pen, plane, scene, 0, scene.last, 0.26 * lightness(plane));
  });
  if (scene.small) return;
  drawTicks(pen, plane, scene);
  if (scene.veiled) return; // lanes, rings and cells that tell are known in the end only
  drawRings(pen, plane, scene);
  drawNames(pen, plane, scene);
  drawDecisive(pen, plane, scene);
  if (!scene.payload.space.lanes.length) drawSentence(pen, plane, scene, words.map.noLane);
}

/** A sentence above what it is of. @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene
 * @param {string} text */
export function drawSentence(pen, { box }, { theme, font }, text) {
  pen.font = `600 11px ${font}`;
  pen.textAlign = "left";
  cased(pen, text, box.x + 12, box.y + 18, theme.ink, theme.sunk);
}

/** @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene */
function drawBands(pen, plane, { payload: { space, steps }, theme }) {
  const [left, right] = [plane.toX(0), plane.toX(steps - 1)];
  const band = (/** @type {ColorToken} */ color, /** @type {number[]} */ [low, high]) => {
    pen.fillStyle = theme[color];
    pen.fillRect(left, plane.toY(high), right - left, plane.toY(low) - plane.toY(high));
  };
  pen.globalAlpha = BAND;
  for (const lane of space.lanes) band(laneColor(lane), lane.span);
  band("gray", space.trunk.span);
  pen.globalAlpha = 1;
}

/** @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene */
function drawRings(pen, { parts }, { emphasis, theme, colors }) {
  for (const [part, trajectory] of shownIn(parts)) {
    const level = emphasis[part.series.letter][trajectory];
    const commit = part.series.commit(trajectory);
    if (level === HIDDEN || commit >= part.series.steps) continue;
    pen.globalAlpha = level >= PLAIN ? 1 : 0.3;
    pen.beginPath();
    pen.arc(...headAt(part, trajectory, commit), RING, 0, 2 * Math.PI);
    pen.fillStyle = theme.bg;
    pen.fill();
    pen.lineWidth = 1.2;
    pen.strokeStyle = theme.pick(colors.groups[colors.of[part.series.letter][trajectory]].color);
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

/** Each lane by its answer and its trajectories, at the right. @param {Pen} pen @param {PlacedPlane} plane
 * @param {Scene} scene */
function drawNames(pen, plane, { payload, theme, font }) {
  const { series, space, steps } = payload;
  const { box } = plane;
  const x = plane.toX(steps - 1) + BESIDE;
  const names = [space.trunk, ...space.lanes].map((lane, k) => ({
    index: k - 1,
    y: plane.toY((lane.span[0] + lane.span[1]) / 2),
    texts: namesOfLane(space, series, k - 1),
    color: k ? laneColor(space.lanes[k - 1]) : /** @type {ColorToken} */ ("text3"),
  }));
  names.sort((a, b) => a.y - b.y);
  for (let k = 1; k < names.length; k += 1) names[k].y = Math.max(names[k].y, names[k - 1].y + LINE);
  for (let k = names.length - 1, most = box.y + box.height - 8; k >= 0; k -= 1, most -= LINE)
    names[k].y = Math.min(names[k].y, most);
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  for (const { index, y, texts, color } of names) {
    pen.font = index === TRUNK ? `11px ${font}` : `600 12px ${font}`;
    pen.fillStyle = theme[color];
    const fitting = texts.find((text) => x + pen.measureText(text).width < box.x + box.width - 2);
    pen.fillText(fitting ?? texts[2], x, y);
    plane.hits.push({
      kind: "lane",
      index,
      box: { x: x - 6, y: y - LINE / 2, width: box.x + box.width - x + 6, height: LINE },
    });
  }
  pen.textBaseline = "alphabetic";
}

/** Dotted lines where a cell first tells how trajectories end. @param {Pen} pen @param {PlacedPlane} plane
 * @param {Scene} scene */
function drawDecisive(pen, plane, { payload: { board, space }, theme, font, state }) {
  const { box } = plane;
  pen.font = `11px ${font}`;
  pen.textAlign = "left";
  const ends = [-Infinity, -Infinity, -Infinity]; // of the rows of names
  space.decisive.forEach(({ step, cell, share }, index) => {
    const text = words.map.decisive(cellName(board, cell), share);
    const x = plane.toX(step);
    const width = pen.measureText(text).width + 6;
    const left = Math.min(x + 3, box.x + box.width - width);
    const row = ends.findIndex((end) => end + 4 < left);
    const y = box.y + 13 + 13 * Math.max(0, row);
    pen.setLineDash([1.5, 3]);
    pen.lineWidth = 1.2;
    pen.strokeStyle = theme.text2;
    pen.beginPath();
    pen.moveTo(x, y - 8);
    pen.lineTo(x, box.y + box.height);
    pen.stroke();
    pen.setLineDash([]);
    if (row < 0) return; // no room for one more name
    ends[row] = left + width;
    pen.font = `${state.cells.includes(cell) ? 600 : 400} 11px ${font}`;
    cased(pen, text, left, y, theme.ink, theme.sunk);
    plane.hits.push({ kind: "cell", index, box: { x: left - 3, y: y - 10, width, height: 13 } });
  });
}

/** The cursor. @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene */
export function drawNow(pen, { box, toX }, { state, fraction, theme, last }) {
  const x = Math.round(toX(Math.min(last, state.cursor.step + fraction))) + 0.5;
  pen.beginPath();
  pen.moveTo(x, box.y + 28);
  pen.lineTo(x, box.y + box.height - 1);
  pen.lineWidth = 1;
  pen.strokeStyle = theme.ink;
  pen.stroke();
}
