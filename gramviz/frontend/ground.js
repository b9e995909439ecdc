// The ground of the map: frame, axes, landscape, answer outlines and every whole trajectory, faint. Independent of the
// cursor.

import { drawAnswerMap } from "./answermap.js";
import { cased, hull, roundRect, tracePolygon } from "./draw.js";
import { HIDDEN } from "./groups.js";
import { clipTo, strokeTrajectories } from "./trajectories.js";
import { labelAt } from "./labels.js";
import { headAt, shownIn } from "./planes.js";
import { drawRiver } from "./river.js";
import { drawScore } from "./score.js";
import { number } from "./text.js";
import { words } from "./words.js";

/** @import { Pair, Pen, PlacedPlane, Scene } from "./types.js" */

const BLANK = 255;
/** @type {Record<string, (pen: Pen, plane: PlacedPlane, scene: Scene) => void>} */
const OF_ANSWERS = { river: drawRiver, answers: drawAnswerMap, score: drawScore };

/** The base layer: frame, axes, answer outlines and every whole trajectory, faint. Independent of the cursor.
 * @param {Pen} pen @param {PlacedPlane[]} planes @param {Scene} scene */
export function drawBase(pen, planes, scene) {
  const { theme, font } = scene;
  for (const plane of planes) {
    const { box } = plane;
    plane.labels = [];
    roundRect(pen, box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1, 5);
    pen.fillStyle = theme.sunk;
    pen.fill();
    pen.lineWidth = 1;
    pen.strokeStyle = theme.line;
    pen.stroke();
    const draw = OF_ANSWERS[plane.basis.name];
    if (draw) {
      draw(pen, plane, scene);
      continue;
    }
    clipTo(pen, box, () => {
      if (scene.state.layers.includes("landscape") && !plane.axes) drawLandscape(pen, plane, scene);
      if (scene.state.layers.includes("hulls")) drawHulls(pen, plane, scene);
      strokeTrajectories(pen, plane, scene, 0, scene.last, 0.26);
    });
    if (scene.small) continue;
    pen.font = `11px ${font}`;
    pen.fillStyle = theme.text2;
    pen.textBaseline = "alphabetic";
    pen.textAlign = "center";
    const shares = plane.basis.variance ?? [];
    const many = planes.length > 1 ? `${plane.parts.map(({ series }) => series.letter).join(", ")}   ` : "";
    const foot = plane.axes
      ? words.map.axes(shares, box.width < 330, plane.basis)
      : words.map.axis(1, shares[0] ?? NaN, plane.basis);
    pen.fillText(many + foot, box.x + box.width / 2, box.y + box.height + 14);
    if (plane.axes) {
      drawAxes(pen, plane, scene);
      drawScale(pen, plane, scene);
      continue;
    }
    pen.save();
    pen.translate(box.x + 13, box.y + box.height / 2);
    pen.rotate(-Math.PI / 2);
    cased(
      pen,
      words.map.axis(2, shares[1] ?? NaN, plane.basis).replace(/ of variance$/, ""),
      0,
      0,
      theme.text2,
      theme.sunk,
    );
    pen.restore();
    drawScale(pen, plane, scene);
  }
}

/** Which way the three components run: a small tripod, what points away from the eye thinner.
 * @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene */
function drawAxes(pen, { box, axes, basis, labels }, { theme }) {
  const [x, y] = [box.x + 58, box.y + box.height - 48];
  labels.push({ x: x - 50, y: y - 44, width: 100, height: 88 });
  pen.textBaseline = "middle";
  axes?.forEach(([across, up, near], axis) => {
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x + 28 * across, y - 28 * up);
    pen.strokeStyle = theme.text3;
    pen.lineWidth = 1.4 * (1 + near / 2);
    pen.stroke();
    if (Math.hypot(across, up) > 0.3)
      cased(pen, words.map.component(axis + 1, basis), x + 40 * across, y - 37 * up, theme.text2, theme.sunk);
  });
  pen.textBaseline = "alphabetic";
}

/** Five grays of the loss, darker = lower, with lines between them. Runs of equal gray in a row are one rectangle.
 * @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene */
function drawLandscape(pen, plane, { theme, veiled }) {
  const land = plane.basis.landscape;
  if (!land || veiled) return; // it knows the answer
  const [rows, columns] = land.shape;
  const step = [0, 1].map((axis) => (land.high[axis] - land.low[axis]) / [columns, rows][axis]);
  const shades = theme.landscape.length;
  const shade = (/** @type {number} */ row, /** @type {number} */ column) => {
    const value = row < rows && column < columns ? land.values[row * columns + column] : BLANK;
    return value === BLANK ? null : Math.min(shades - 1, Math.floor(((BLANK - 1 - value) / BLANK) * shades));
  };
  /** @param {number} row @param {number} column @returns {Pair} */
  const at = (row, column) => [plane.toX(land.low[0] + column * step[0]), plane.toY(land.low[1] + row * step[1])];
  const edges = /** @type {[Pair, Pair][]} */ ([]);
  for (let row = 0; row < rows; row += 1) {
    let from = 0;
    for (let column = 1; column <= columns; column += 1) {
      const here = shade(row, column - 1);
      const up = shade(row + 1, column - 1);
      if (here !== null && up !== null && here !== up) edges.push([at(row + 1, column - 1), at(row + 1, column)]);
      if (column < columns && shade(row, column) === here) continue;
      const right = shade(row, column);
      if (here !== null && right !== null) edges.push([at(row, column), at(row + 1, column)]);
      if (here !== null) {
        const [[left, bottom], [end, top]] = [at(row, from), at(row + 1, column)];
        pen.fillStyle = theme.landscape[here];
        pen.fillRect(left, top, end - left + 0.5, bottom - top + 0.5);
      }
      from = column;
    }
  }
  pen.strokeStyle = theme.line;
  pen.lineWidth = 1;
  pen.beginPath();
  for (const [from, to] of edges) {
    pen.moveTo(...from);
    pen.lineTo(...to);
  }
  pen.stroke();
}

/** A bar of a round length: the axes carry no ticks, because their zero and direction mean nothing.
 * @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene */
function drawScale(pen, { basis, box, scale }, { theme }) {
  const power = 10 ** Math.floor(Math.log10(90 / scale));
  const length = [5, 2, 1].map((factor) => factor * power).find((value) => value * scale <= 90) ?? power;
  const [x, y] = [box.x + box.width - 14, box.y + box.height - 12];
  pen.strokeStyle = theme.text3;
  pen.lineWidth = 1.2;
  pen.beginPath();
  pen.moveTo(x - length * scale, y - 3);
  pen.lineTo(x - length * scale, y);
  pen.lineTo(x, y);
  pen.lineTo(x, y - 3);
  pen.stroke();
  pen.textAlign = "right";
  cased(pen, `|Δ${basis.name === "l" ? "l" : "h"}| = ${number(length)}`, x, y - 6, theme.text3, theme.sunk);
}

/** @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene */
function drawHulls(pen, plane, scene) {
  const byAnswer = /** @type {Map<number, Pair[]>} */ (new Map());
  for (const [part, trajectory] of shownIn(plane.parts)) {
    if (scene.emphasis[part.series.letter][trajectory] === HIDDEN) continue;
    const answer = part.series.final(trajectory);
    byAnswer.set(answer, [...(byAnswer.get(answer) ?? []), headAt(part, trajectory, scene.steps - 1)]);
  }
  pen.font = `600 11px ${scene.font}`;
  pen.textAlign = "left";
  for (const [answer, points] of [...byAnswer].sort((a, b) => a[0] - b[0])) {
    const letter = scene.answers[answer]?.letter;
    if (!letter || points.length < 3) continue;
    const around = hull(
      points.flatMap(([x, y]) =>
        Array.from({ length: 8 }, (_, k) => [
          x + 12 * Math.cos((k * Math.PI) / 4),
          y + 12 * Math.sin((k * Math.PI) / 4),
        ]),
      ),
    );
    pen.beginPath();
    tracePolygon(pen, around);
    pen.setLineDash([4, 3]);
    pen.lineWidth = 1;
    pen.strokeStyle = scene.theme.edge;
    pen.stroke();
    pen.setLineDash([]);
    const top = around.reduce((best, point) => (point[1] < best[1] ? point : best));
    const text = words.answer(letter);
    const size = { width: pen.measureText(text).width + 4, height: 15 };
    const box = labelAt(top, size, 3, plane.box, plane.labels, [0, -1]);
    if (box) cased(pen, text, box.x + 2, box.y + 11, scene.theme.text2, scene.theme.sunk);
  }
}
