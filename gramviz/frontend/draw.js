// Canvas helpers: a sharp surface, and the marks that mean the same everywhere.

/** @import { Box, Pair, Pen, Recorder, Shape } from "./types.js" */

const MOST = 8e6; // pixels of a backing store

/** While a picture in vectors is made. @type {Recorder | null} */
let recorder = null;

/** What `work` returns; meanwhile every surface is a pen of `record` and no canvas is touched.
 * @template T @param {Recorder} record @param {() => T} work */
export function recording(record, work) {
  recorder = record;
  try {
    return work();
  } finally {
    recorder = null;
  }
}

/** Fits a canvas to `width` x `height` CSS pixels and returns a context that draws in those, cleared.
 * @param {HTMLCanvasElement} canvas @param {number} width @param {number} height @returns {Pen} */
export function surface(canvas, width, height) {
  if (recorder) return recorder(canvas, width, height);
  const ratio = Math.min(globalThis.devicePixelRatio || 1, 3, Math.sqrt(MOST / Math.max(1, width * height)));
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.setTransform(w / width || 1, 0, 0, h / height || 1, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.lineJoin = "round";
  pen.lineCap = "round";
  return pen;
}

/** The family that the widget's text has, for canvas text.
 * @param {Element} root */
export const fontOf = (root) => getComputedStyle(root).fontFamily;

/** Adds one outcome shape to the current path (dot, diamond) or strokes it (cross, ring).
 * @param {Pen} pen @param {Shape} shape @param {number} x @param {number} y @param {number} r @param {string} color */
export function mark(pen, shape, x, y, r, color) {
  pen.beginPath();
  pen.fillStyle = color;
  pen.strokeStyle = color;
  if (shape === "cross") {
    pen.lineWidth = Math.max(1.4, r * 0.52);
    pen.moveTo(x - r * 0.8, y - r * 0.8);
    pen.lineTo(x + r * 0.8, y + r * 0.8);
    pen.moveTo(x + r * 0.8, y - r * 0.8);
    pen.lineTo(x - r * 0.8, y + r * 0.8);
    pen.stroke();
  } else if (shape === "ring") {
    pen.lineWidth = Math.max(1.2, r * 0.4);
    pen.arc(x, y, r * 0.85, 0, 2 * Math.PI);
    pen.stroke();
  } else if (shape === "diamond") {
    pen.moveTo(x, y - r * 1.2);
    pen.lineTo(x + r * 1.2, y);
    pen.lineTo(x, y + r * 1.2);
    pen.lineTo(x - r * 1.2, y);
    pen.fill();
  } else {
    pen.arc(x, y, r, 0, 2 * Math.PI);
    pen.fill();
  }
}

/** 45 degree hatch and a corner triangle: "breaks a rule", legible without color.
 * @param {Pen} pen @param {number} x @param {number} y @param {number} size @param {string} color */
export function hatch(pen, x, y, size, color) {
  pen.save();
  pen.strokeStyle = color;
  pen.globalAlpha = 0.42;
  pen.lineWidth = 1;
  pen.lineCap = "butt";
  pen.beginPath();
  for (let at = 5; at < 2 * size; at += 6) {
    pen.moveTo(x + Math.min(at, size), y + Math.max(0, at - size));
    pen.lineTo(x + Math.max(0, at - size), y + Math.min(at, size));
  }
  pen.stroke();
  pen.globalAlpha = 1;
  const corner = Math.min(10, size * 0.26);
  pen.beginPath();
  pen.moveTo(x + size - corner, y);
  pen.lineTo(x + size, y);
  pen.lineTo(x + size, y + corner);
  pen.closePath();
  pen.fillStyle = color;
  pen.fill();
  pen.restore();
}

/** @param {Pen} pen
 * @param {number} x @param {number} y @param {number} width @param {number} height @param {number} radius */
export function roundRect(pen, x, y, width, height, radius) {
  pen.beginPath();
  pen.roundRect(x, y, width, height, Math.max(0, Math.min(radius, width / 2, height / 2)));
}

/** Adds a closed polygon [[x, y], ...] to a path. @param {Pen} pen @param {number[][]} points */
export function tracePolygon(pen, points) {
  const [[x0, y0], ...rest] = points;
  pen.moveTo(x0, y0);
  for (const [x, y] of rest) pen.lineTo(x, y);
  pen.closePath();
}

/** A queen in the unit square, added to a path: crown, five balls, base. @param {Pen} path */
function traceQueen(path) {
  const crown = [
    [0.25, 0.7],
    [0.13, 0.36],
    [0.32, 0.52],
    [0.32, 0.24],
    [0.43, 0.48],
    [0.5, 0.2],
    [0.57, 0.48],
    [0.68, 0.24],
    [0.68, 0.52],
    [0.87, 0.36],
    [0.75, 0.7],
  ];
  const balls = [
    [0.12, 0.33],
    [0.31, 0.21],
    [0.5, 0.16],
    [0.69, 0.21],
    [0.88, 0.33],
  ];
  tracePolygon(path, crown);
  for (const [x, y] of balls) {
    path.moveTo(x + 0.045, y);
    path.arc(x, y, 0.045, 0, 2 * Math.PI);
  }
  path.roundRect(0.23, 0.75, 0.54, 0.1, 0.03);
}

/** A queen centered in a cell: filled = given, outlined = the model's guess.
 * @param {Pen} pen @param {number} x @param {number} y @param {number} size @param {string} color
 * @param {boolean} filled */
export function queen(pen, x, y, size, color, filled) {
  pen.save();
  pen.translate(x, y);
  pen.scale(size, size);
  pen.fillStyle = color;
  pen.strokeStyle = color;
  pen.lineWidth = 0.045;
  pen.beginPath();
  traceQueen(pen);
  if (filled) pen.fill();
  else pen.stroke();
  pen.restore();
}

/** Text with a casing in the background color, so that it stays legible over lines.
 * @param {Pen} pen @param {string} text @param {number} x @param {number} y @param {string} color
 * @param {string} casing */
export function cased(pen, text, x, y, color, casing) {
  pen.lineWidth = 4;
  pen.strokeStyle = casing;
  pen.strokeText(text, x, y);
  pen.fillStyle = color;
  pen.fillText(text, x, y);
}

/** Whether two boxes share a point. @param {Box} a @param {Box} b */
export const meets = (a, b) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** Whether a point lies inside a polygon [[x, y], ...] (even-odd).
 * @param {Pair[]} polygon @param {number} x @param {number} y */
export function inside(polygon, x, y) {
  let found = false;
  for (let k = 0, before = polygon.length - 1; k < polygon.length; before = k, k += 1) {
    const [ax, ay] = polygon[k];
    const [bx, by] = polygon[before];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) found = !found;
  }
  return found;
}

/** The convex hull of points, counter-clockwise (Andrew's monotone chain). @param {Pair[]} points */
export function hull(points) {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const turn = (/** @type {Pair} */ o, /** @type {Pair} */ a, /** @type {Pair} */ b) =>
    (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
  const chain = (/** @type {Pair[]} */ list) => {
    const kept = /** @type {Pair[]} */ ([]);
    for (const point of list) {
      while (kept.length > 1 && turn(kept[kept.length - 2], kept[kept.length - 1], point) <= 0) kept.pop();
      kept.push(point);
    }
    return kept.slice(0, -1);
  };
  return sorted.length < 3 ? sorted : [...chain(sorted), ...chain(sorted.reverse())];
}
