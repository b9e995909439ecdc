// Draws the map's three layers: whole paths (faint, the future), the past up to the cursor, and heads with everything on top.

import { drawCloud } from "./cloud.js";
import { cased, hull, mark, roundRect, tracePolygon } from "./draw.js";
import { FAINT, GREY, HIDDEN, outcomeShape, PLAIN } from "./groups.js";
import { headAt, nearOf } from "./planes.js";
import { nearness, SLABS } from "./turn.js";
import { number } from "./text.js";
import { words } from "./words.js";

const BLANK = 255;
const HALO = 0.13; // opacity of a halo
const ALPHA = { [GREY]: 0.55, [PLAIN]: 1 };

/** How strongly a path is drawn. Pointing at a cell asks about all paths, so the others fade less than behind one path. */
const alphaOf = (level, { hover }) => ALPHA[level] ?? (hover?.cell === undefined ? 0.2 : 0.3);

/** Adds the states from..to of one path to the current canvas path; of a map in 3-D only those segments in `slab`. */
function trace(pen, { run, points, slabs }, path, from, to, slab = null) {
  const start = path * run.steps;
  const last = Math.min(to, run.steps - 1);
  if (last <= from) return;
  if (slab !== null) {
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

/** Strokes many paths with as few strokes as there are (color, emphasis) pairs. */
function strokePaths(pen, plane, scene, from, to, alpha) {
  const { theme, colors, emphasis } = scene;
  const bundles = new Map();
  for (const part of plane.runs)
    for (let path = 0; path < part.run.n; path += 1) {
      const level = emphasis[part.run.letter][path];
      if (level === HIDDEN) continue;
      const key = level === GREY ? "grey" : `${level} ${colors.of[part.run.letter][path]}`;
      if (!bundles.has(key))
        bundles.set(key, { level, group: colors.groups[colors.of[part.run.letter][path]], paths: [] });
      bundles.get(key).paths.push([part, path]);
    }
  // Grey first, so that what is selected lies in front; in 3-D the furthest first, and thinner.
  const order = [...bundles.values()].sort((a, b) => a.level - b.level);
  const slabs = plane.axes ? Array.from({ length: SLABS }, (_, slab) => slab) : [null];
  if (plane.axes) pen.lineCap = "butt"; // where a path passes into the next slab, its ends must not add up to a dot
  for (const slab of slabs)
    for (const { level, group, paths } of order) {
      pen.globalAlpha = alpha * alphaOf(level, scene);
      pen.lineWidth = 1.15 * (slab === null ? 1 : nearness(slab));
      const along = scene.state.color_by === "step" && level !== GREY;
      for (let step = from; step < (along ? to : from + 1); step += 1) {
        pen.strokeStyle =
          level === GREY ? theme.grey : theme.pick(along ? (step + 1) / Math.max(1, scene.steps - 1) : group.color);
        pen.beginPath();
        for (const [part, path] of paths) trace(pen, part, path, step, along ? step + 1 : to, slab);
        pen.stroke();
      }
    }
  pen.lineCap = "round";
  pen.globalAlpha = 1;
}

function clipTo(pen, { x, y, width, height }, draw) {
  pen.save();
  roundRect(pen, x + 0.5, y + 0.5, width - 1, height - 1, 5);
  pen.clip();
  draw();
  pen.restore();
}

/** The base layer: frame, axes, answer outlines and every whole path, faint. Independent of the cursor. */
export function drawBase(pen, planes, scene) {
  const { theme, font } = scene;
  for (const plane of planes) {
    const { box } = plane;
    roundRect(pen, box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1, 5);
    pen.fillStyle = theme.sunk;
    pen.fill();
    pen.lineWidth = 1;
    pen.strokeStyle = theme.line;
    pen.stroke();
    clipTo(pen, box, () => {
      if (scene.state.layers.includes("landscape") && !plane.axes) drawLandscape(pen, plane, scene);
      if (scene.state.layers.includes("hulls")) drawHulls(pen, plane, scene);
      strokePaths(pen, plane, scene, 0, scene.last, 0.26);
    });
    if (scene.small) continue;
    pen.font = `11px ${font}`;
    pen.fillStyle = theme.text2;
    pen.textBaseline = "alphabetic";
    pen.textAlign = "center";
    const shares = plane.basis.variance ?? [];
    const many = planes.length > 1 ? `${plane.runs.map((run) => run.run.letter).join(", ")}   ` : "";
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

/** Which way the three components run: a small tripod, what points away from the eye thinner. */
function drawAxes(pen, { box, axes, basis }, { theme }) {
  const [x, y] = [box.x + 58, box.y + box.height - 48];
  pen.textBaseline = "middle";
  axes.forEach(([across, up, near], axis) => {
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

/** Five greys of the loss, darker = lower, with lines between them. Runs of equal grey in a row are one rectangle. */
function drawLandscape(pen, plane, { theme, veiled }) {
  const land = plane.basis.landscape;
  if (!land || veiled) return; // it knows the answer
  const [rows, columns] = land.shape;
  const step = [0, 1].map((axis) => (land.high[axis] - land.low[axis]) / [columns, rows][axis]);
  const shades = theme.landscape.length;
  const shade = (row, column) => {
    const value = row < rows && column < columns ? land.values[row * columns + column] : BLANK;
    return value === BLANK ? null : Math.min(shades - 1, Math.floor(((BLANK - 1 - value) / BLANK) * shades));
  };
  const at = (row, column) => [plane.toX(land.low[0] + column * step[0]), plane.toY(land.low[1] + row * step[1])];
  const edges = [];
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

/** A bar of a round length: the axes carry no ticks, because their zero and direction mean nothing. */
function drawScale(pen, { box, scale, basis }, { theme }) {
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
  cased(
    pen,
    `${["answers", "steps"].includes(basis.name) ? "distance" : "|Δh|"} = ${number(length)}`,
    x,
    y - 6,
    theme.text3,
    theme.sunk,
  );
}

function drawHulls(pen, plane, scene) {
  const byAnswer = new Map();
  for (const part of plane.runs)
    for (let path = 0; path < part.run.n; path += 1) {
      if (scene.emphasis[part.run.letter][path] === HIDDEN) continue;
      const answer = part.run.final(path);
      if (!byAnswer.has(answer)) byAnswer.set(answer, []);
      byAnswer.get(answer).push(headAt(part, path, scene.steps - 1));
    }
  const named = [];
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
    const at = [top[0], Math.max(plane.box.y + 14, top[1] - 5)];
    if (named.some(([x, y]) => Math.abs(x - at[0]) < 56 && Math.abs(y - at[1]) < 14)) continue; // the outline stays, the crowded name goes
    named.push(at);
    pen.font = `600 11px ${scene.font}`;
    pen.textAlign = "center";
    cased(pen, words.answer(letter), ...at, scene.theme.text2, scene.theme.sunk);
  }
}

/** The past of all paths, up to the cursor. Drawn whole: 50 paths take under 2 ms, and there is no half-state to go stale.
 * The cloud is that of the cursor, so it is computed once per transition and not in every frame between two. */
export function drawPast(pen, planes, scene) {
  for (const plane of planes)
    clipTo(pen, plane.box, () => {
      strokePaths(pen, plane, scene, 0, scene.state.cursor.step, 0.6);
      if (scene.state.layers.includes("cloud")) drawCloud(pen, plane, scene);
    });
}

/** Heads, halos, the special paths and their labels. Redrawn on every frame while something moves. */
export function drawTop(pen, planes, scene) {
  for (const plane of planes)
    clipTo(pen, plane.box, () => {
      drawHeads(pen, plane, scene);
      for (const special of specials(plane, scene)) drawSpecial(pen, special, scene);
      if (!scene.small) drawInit(pen, plane, scene);
      if (scene.state.layers.includes("labels") && !scene.small) drawLabels(pen, plane, scene);
    });
  if (scene.lasso) drawLasso(pen, scene.lasso, scene.theme);
}

/** The paths drawn apart from the cloud: pinned (ink), focused (color), pointed at. */
function specials(plane, { state, hover }) {
  const found = [];
  const add = (who, kind) => {
    const part = plane.runs.find(({ run }) => run.letter === who?.[0]);
    if (part && !state.hidden.includes(who[0]) && !found.some((other) => other.part === part && other.path === who[1]))
      found.push({ part, path: who[1], kind });
  };
  add(state.pinned, "pinned");
  add(state.focus, "focus");
  add(hover?.path, "hover");
  return found;
}

function drawSpecial(pen, { part, path, kind }, scene) {
  const { theme, state, fraction, colors } = scene;
  const { run, points } = part;
  const step = run.held(state.cursor.step);
  const color = kind === "pinned" ? theme.ink : theme.pick(colors.groups[colors.of[run.letter][path]].color);
  const width = kind === "pinned" ? 3 : 2.6;
  const head = headAt(part, path, state.cursor.step, fraction);
  const faint = scene.emphasis[run.letter][path] === FAINT;
  pen.globalAlpha = faint ? 0.3 : 1;
  const line = (style, thick) => {
    pen.beginPath();
    trace(pen, part, path, 0, step);
    if (step === 0) pen.moveTo(points[2 * path * run.steps], points[2 * path * run.steps + 1]);
    pen.lineTo(...head);
    pen.strokeStyle = style;
    pen.lineWidth = thick;
    pen.stroke();
  };
  line(theme.sunk, width + 3.2);
  line(color, width);
  pen.setLineDash([2, 4]);
  pen.beginPath();
  trace(pen, part, path, step, scene.last);
  pen.lineWidth = 1.6;
  pen.stroke();
  pen.setLineDash([]);
  for (let at = 1; at <= step; at += 1) {
    if (run.supervision_step[at] === run.supervision_step[at + 1]) continue; // a dot per supervision step
    const k = 2 * (path * run.steps + at);
    pen.beginPath();
    pen.arc(points[k], points[k + 1], 2.1, 0, 2 * Math.PI);
    pen.fillStyle = theme.bg;
    pen.fill();
    pen.lineWidth = 1;
    pen.stroke();
  }
  if (!scene.small) {
    pen.beginPath();
    pen.arc(...head, 8.5, 0, 2 * Math.PI);
    pen.fillStyle = theme.bg;
    pen.fill();
    pen.lineWidth = kind === "hover" ? 1.2 : 2.2;
    pen.strokeStyle = theme.ink;
    pen.stroke();
  }
  mark(pen, scene.veiled ? "ring" : outcomeShape(run.outcome(path)), ...head, scene.small ? 3.4 : 4.8, color);
  pen.globalAlpha = 1;
}

/** Discs of radius 3 + 12 sqrt(energy outside the components that are seen). One fill per color, so that overlaps do not add up to a claim. */
function drawHalos(pen, plane, scene, level) {
  const { theme, state, emphasis, colors, fraction } = scene;
  const discs = new Map();
  for (const part of plane.runs)
    for (let path = 0; path < part.run.n; path += 1) {
      if (emphasis[part.run.letter][path] !== level || !part.outside) continue;
      const group = colors.of[part.run.letter][path];
      const outside = part.outside[path * part.run.steps + part.run.held(state.cursor.step)] / 255;
      if (!discs.has(group)) discs.set(group, []);
      discs.get(group).push([...headAt(part, path, state.cursor.step, fraction), 3 + 12 * Math.sqrt(outside)]);
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

function drawHeads(pen, plane, scene) {
  const { theme, state, emphasis, colors, fraction } = scene;
  if (scene.halo) for (const level of [FAINT, PLAIN]) drawHalos(pen, plane, scene, level);
  for (const level of [GREY, FAINT, PLAIN])
    for (const part of plane.runs)
      for (let path = 0; path < part.run.n; path += 1) {
        if (emphasis[part.run.letter][path] !== level) continue;
        const [x, y] = headAt(part, path, state.cursor.step, fraction);
        const color = level === GREY ? theme.grey : theme.pick(colors.groups[colors.of[part.run.letter][path]].color);
        pen.globalAlpha = level === GREY ? 0.6 : alphaOf(level, scene);
        const shape = scene.veiled ? "ring" : outcomeShape(part.run.outcome(path));
        mark(pen, shape, x, y, (scene.small ? 1.6 : 3.4) * nearOf(part, path, state.cursor.step), color);
      }
  pen.globalAlpha = 1;
}

/** The start: one diamond, or one per distinct starting point. */
function drawInit(pen, plane, scene) {
  const done = [];
  for (const part of plane.runs)
    for (let path = 0; path < part.run.n; path += 1) {
      if (scene.emphasis[part.run.letter][path] === HIDDEN) continue;
      const [x, y] = headAt(part, path, 0);
      if (done.some(([a, b]) => Math.hypot(a - x, b - y) < 6)) continue;
      if (done.length < 6) mark(pen, "diamond", x, y, 4.6, scene.theme.ink);
      done.push([x, y]);
    }
  if (done.length !== 1) return;
  pen.font = `11px ${scene.font}`;
  pen.textAlign = "center";
  cased(pen, "init", done[0][0], done[0][1] + 20, scene.theme.text2, scene.theme.sunk);
}

/** Names beside the heads of the special paths, moved about until they cover no head and no other name. */
function drawLabels(pen, plane, scene) {
  const { theme, state, fraction, font } = scene;
  pen.font = `600 11px ${font}`;
  pen.textBaseline = "middle";
  const list = specials(plane, scene).map((special) => ({
    ...special,
    head: headAt(special.part, special.path, state.cursor.step, fraction),
  }));
  const taken = list.map(({ head: [x, y] }) => ({ x: x - 10, y: y - 10, width: 20, height: 20 }));
  taken.push({
    x: plane.box.x + plane.box.width - 110,
    y: plane.box.y + plane.box.height - 34,
    width: 110,
    height: 34,
  }); // the scale bar
  const meets = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
  for (const { part, path, kind, head } of list) {
    const { run } = part;
    const text = run.n === 1 ? `${run.letter} ${run.name}` : `${run.letter} #${path}`;
    const size = { width: pen.measureText(text).width + 12, height: 18 };
    const places = [
      [14, -26],
      [14, 10],
      [-14 - size.width, -26],
      [-14 - size.width, 10],
      [-size.width / 2, -34],
      [-size.width / 2, 16],
      [18, -9],
      [-18 - size.width, -9],
    ];
    const boxes = places.map(([dx, dy]) => ({ x: head[0] + dx, y: head[1] + dy, ...size }));
    const fits = (box) =>
      box.x > plane.box.x + 20 &&
      box.y > plane.box.y + 3 &&
      box.x + box.width < plane.box.x + plane.box.width - 3 &&
      box.y + box.height < plane.box.y + plane.box.height - 3;
    const box =
      boxes.find((candidate) => fits(candidate) && !taken.some((other) => meets(candidate, other))) ??
      boxes.find(fits) ??
      boxes[0];
    taken.push(box);
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
