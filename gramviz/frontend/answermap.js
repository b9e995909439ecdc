// The answer map: each answer is a circle, "+" the mean state after the warm-up, and short of a circle is doubt.

import { cellName } from "./cells.js";
import { density, levelOf, regions } from "./cloud.js";
import { cased, meets, roundRect } from "./draw.js";
import { PLAIN } from "./groups.js";
import { namesOfLane, labelAt } from "./labels.js";
import { drawSentence, laneColor } from "./river.js";
import { clipTo, lightness, strokeTrajectories, trace } from "./trajectories.js";
import { words } from "./words.js";

/** @import { Box, Pair, Payload, Pen, PlacedPlane, Scene } from "./types.js" */
/** @typedef {import("./cloud.js").Density} Density */

const CIRCLE = 7; // px
const NAME = 12; // px from the middle of a circle to its name
const MOST_STATES = 4000; // states of a density
const NARROW = 0.025; // of the extent: the kernel of a density at least
const TAIL = 3; // steps behind a head

/** @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene */
export function drawAnswerMap(pen, plane, scene) {
  clipTo(pen, plane.box, () => {
    if (!scene.veiled) drawDensity(pen, plane, scene);
    strokeTrajectories(pen, plane, scene, 0, scene.last, 0.3 * lightness(plane));
    if (scene.small || scene.veiled) return;
    drawMedoids(pen, plane, scene);
  });
  if (scene.small) return;
  const { space } = scene.payload;
  pen.font = `11px ${scene.font}`;
  pen.fillStyle = scene.theme.text2;
  pen.textAlign = "center";
  const { box } = plane;
  pen.fillText(words.map.ofAnswers(space, box.width < 300), box.x + box.width / 2, box.y + box.height + 13);
  if (!space.lanes.length && !scene.veiled) drawSentence(pen, plane, scene, words.map.noLane);
}

/** The last steps before the cursor, strong. @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene */
export function drawTails(pen, plane, scene) {
  const { step } = scene.state.cursor;
  clipTo(pen, plane.box, () =>
    strokeTrajectories(pen, plane, scene, Math.max(0, step - TAIL), step, 0.85 * lightness(plane)),
  );
}

/** @type {WeakMap<Payload, Density>} */
const densities = new WeakMap();

/** The density of all states after the warm-up, in the map's own units. @param {Payload} payload */
function densityOf(payload) {
  const known = densities.get(payload);
  if (known) return known;
  const { series, space } = payload;
  const points = /** @type {Pair[]} */ ([]);
  const every = Math.ceil(series.reduce((sum, one) => sum + one.n * one.steps, 0) / MOST_STATES);
  for (const one of series)
    for (let k = 0; k < one.n * one.steps; k += 1)
      if (k % one.steps >= space.warm_up && (k * 7919) % every === 0)
        points.push([one.maps.answers.xyz[3 * k], one.maps.answers.xyz[3 * k + 1]]);
  const [low, high] = space.extent;
  const made = density(points, NARROW * Math.max(high[0] - low[0], high[1] - low[1]));
  densities.set(payload, made);
  return made;
}

/** Where half and nine tenths of the states are. @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene */
function drawDensity(pen, plane, { payload, theme }) {
  const field = densityOf(payload);
  for (const [share, shade] of /** @type {const} */ ([
    [0.9, 3],
    [0.5, 4],
  ])) {
    pen.fillStyle = theme.landscape[shade];
    pen.beginPath();
    for (const [[x, y], ...rest] of regions(field, levelOf(field, share))) {
      pen.moveTo(plane.toX(x), plane.toY(y));
      for (const [a, b] of rest) pen.lineTo(plane.toX(a), plane.toY(b));
      pen.closePath();
    }
    pen.fill();
  }
}

/** The typical trajectory of each lane, and of those in none. @param {Pen} pen @param {PlacedPlane} plane
 * @param {Scene} scene */
function drawMedoids(pen, plane, { payload, theme, emphasis, colors }) {
  for (const [letter, trajectory] of payload.space.medoids) {
    const part = plane.parts.find(({ series }) => series.letter === letter);
    if (!part || emphasis[letter][trajectory] < PLAIN || part.series.n < 2) continue;
    for (const [color, width] of /** @type {[string, number][]} */ ([
      [theme.sunk, 4],
      [theme.pick(colors.groups[colors.of[letter][trajectory]].color), 1.6],
    ])) {
      pen.beginPath();
      trace(pen, part, trajectory, payload.space.warm_up, part.series.steps - 1);
      pen.strokeStyle = color;
      pen.lineWidth = width;
      pen.stroke();
    }
  }
}

/** "+" and the circles, in front of the heads. @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene */
export function drawMarks(pen, plane, { payload: { space }, theme, veiled, small }) {
  plane.hits = [];
  if (veiled || small) return;
  const [x0, y0] = [plane.toX(0), plane.toY(0)];
  pen.lineWidth = 1.6;
  pen.strokeStyle = theme.ink;
  pen.beginPath();
  pen.moveTo(x0 - 6, y0);
  pen.lineTo(x0 + 6, y0);
  pen.moveTo(x0, y0 - 6);
  pen.lineTo(x0, y0 + 6);
  pen.stroke();
  pen.lineWidth = 1.8;
  for (const [index, { anchor, right }] of space.lanes.entries()) {
    if (!anchor) continue;
    const [x, y] = [plane.toX(anchor[0]), plane.toY(anchor[1])];
    pen.beginPath();
    pen.arc(x, y, CIRCLE, 0, 2 * Math.PI);
    pen.strokeStyle = theme[laneColor({ right })];
    pen.stroke();
    const box = { x: x - CIRCLE, y: y - CIRCLE, width: 2 * CIRCLE, height: 2 * CIRCLE };
    if (meets(box, plane.box)) plane.hits.push({ kind: "lane", index, box });
  }
}

/** What a head that is drawn by itself covers. @param {Pair} head @returns {Box} */
export const around = ([x, y]) => ({ x: x - 10, y: y - 10, width: 20, height: 20 });

/** The names of the circles, and of the dense places. @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene
 * @param {Pair[]} heads drawn by themselves @param {Pair[]} ends where those end */
export function drawNamed(pen, plane, scene, heads, ends) {
  const { space, series } = scene.payload;
  const taken = [...plane.hits.map(({ box }) => box), ...ends.map(around)];
  pen.font = `600 12px ${scene.font}`;
  pen.textAlign = "left";
  for (const { index, box } of [...plane.hits]) {
    const { anchor } = space.lanes[index];
    const center = /** @type {Pair} */ ([box.x + CIRCLE, box.y + CIRCLE]);
    for (const text of namesOfLane(space, series, index)) {
      const size = { width: pen.measureText(text).width + 4, height: 15 };
      const place = labelAt(center, size, NAME, plane.box, taken, anchor ? [anchor[0], -anchor[1]] : undefined);
      if (!place) continue;
      cased(pen, text, place.x + 2, place.y + 11, scene.theme[laneColor(space.lanes[index])], scene.theme.sunk);
      plane.hits.push({ kind: "lane", index, box: place });
      break;
    }
  }
  drawPlaces(pen, plane, scene, heads);
}

/** The dense places, by the cells that tell them; none is named over a head that is drawn by itself.
 * @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene @param {Pair[]} heads */
function drawPlaces(pen, plane, { payload: { board, space }, theme, font, veiled, small }, heads) {
  if (veiled || small) return;
  pen.font = `11px ${font}`;
  pen.textAlign = "left";
  space.places.forEach(({ x, y, names }, index) => {
    const text = names
      .map(([cell, token]) => `${cellName(board, cell)}=${board.tokens[token].symbol || board.tokens[token].label}`)
      .join(", ");
    const width = pen.measureText(text).width + 8;
    const box = { x: plane.toX(x) - width / 2, y: plane.toY(y) - 8, width, height: 16 };
    if (plane.hits.some((hit) => meets(hit.box, box))) return; // the denser one is named
    if (heads.some((head) => meets(around(head), box))) return;
    roundRect(pen, box.x, box.y, width, box.height, 3);
    pen.globalAlpha = 0.88;
    pen.fillStyle = theme.bg;
    pen.fill();
    pen.globalAlpha = 1;
    pen.lineWidth = 1;
    pen.strokeStyle = theme.line;
    pen.stroke();
    pen.fillStyle = theme.ink;
    pen.fillText(text, box.x + 4, box.y + 12);
    plane.hits.push({ kind: "place", index, box });
  });
}
