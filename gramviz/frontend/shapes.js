// What charts are made of, each in one call: lines, areas, boxes and text on a canvas or in a picture of vectors.

import { tracePolygon } from "./draw.js";

/** @import { Pen } from "./types.js" */

/**
 * Strokes a line, broken where a point is not finite.
 * @param {Pen} pen
 * @param {number[][]} points [x, y]
 * @param {string} color
 * @param {number} width
 * @param {number[]} dash
 */
export function drawLine(pen, points, color, width = 1, dash = []) {
  let open = false;
  pen.beginPath();
  for (const [x, y] of points) {
    if (!Number.isFinite(x + y)) open = false;
    else if (open) pen.lineTo(x, y);
    else {
      pen.moveTo(x, y);
      open = true;
    }
  }
  pen.strokeStyle = color;
  pen.lineWidth = width;
  pen.setLineDash(dash);
  pen.stroke();
  pen.setLineDash([]);
}

/**
 * Fills the area within points.
 * @param {Pen} pen
 * @param {number[][]} points [x, y]
 * @param {string} color
 * @param {number} alpha
 */
export function fillArea(pen, points, color, alpha = 1) {
  if (!points.length) return;
  pen.beginPath();
  tracePolygon(pen, points);
  pen.fillStyle = color;
  pen.globalAlpha = alpha;
  pen.fill();
  pen.globalAlpha = 1;
}

/**
 * Fills a rectangle.
 * @param {Pen} pen
 * @param {number[]} box [x, y, width, height]
 * @param {string} color
 * @param {number} alpha
 */
export function fillBox(pen, [x, y, width, height], color, alpha = 1) {
  pen.fillStyle = color;
  pen.globalAlpha = alpha;
  pen.fillRect(x, y, width, height);
  pen.globalAlpha = 1;
}

/** @typedef {{font: string, align?: CanvasTextAlign, baseline?: CanvasTextBaseline}} TextStyle */

/**
 * Text beside or around a point.
 * @param {Pen} pen
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {string} color
 * @param {TextStyle} style
 */
export function drawText(pen, text, x, y, color, { font, align = "center", baseline = "middle" }) {
  pen.font = font;
  pen.textAlign = align;
  pen.textBaseline = baseline;
  pen.fillStyle = color;
  pen.fillText(text, x, y);
}
