// A picture of the widget as it stands: canvases are copied, everything else (text, frames, marks) is painted where the
// browser laid it out.

import { contract } from "./contract.js";
import { hatch, mark, recording, roundRect } from "./draw.js";
import { svgFile, svgPen } from "./svg.js";

/** @import { Context } from "./registry.js" */
/** @import { Pen, Shape, Theme } from "./types.js" */
/** @typedef {ReturnType<typeof frameOf>} Frame */
/** How the picture of a canvas comes to a box.
 * @typedef {(pen: P, canvas: HTMLCanvasElement, box: DOMRect) => void} PaintCanvas @template {Pen} P */

const SCALE = 2;
const PLAYHEAD = 1.8; // px
const FOOT_LINE = 24; // px for the line of provenance
const LEFT_OUT =
  ".tools, .transport, .tabs, .away, .over, .sheet, .printed, .push button[aria-pressed], .selecting button, " +
  ".switches, .dividers, [hidden]";

/** Whether a color of the style sheet covers what is below. @param {string} color */
const opaque = (color) => color && color !== "transparent" && !/^rgba\(.*, 0\)$|\/ 0\)$/.test(color);

/** The size of the picture of a widget: its own, without the transport, with a line of provenance below.
 * @param {HTMLElement} root */
function frameOf(root) {
  const { left, top, width, height } = root.getBoundingClientRect();
  const transport = root.querySelector(".transport")?.getBoundingClientRect();
  const sentence = root.querySelector(".details")?.getBoundingClientRect();
  const gone = transport && sentence && sentence.top >= transport.bottom - 1 ? transport.height : 0;
  return { left, top, width: Math.ceil(width), height: Math.ceil(height - gone + FOOT_LINE), transport, gone };
}

/** Paints the widget: canvases by `paintCanvas(pen, canvas, box)`, the rest as the browser laid it out.
 * @template {Pen} P
 * @param {P} pen @param {Context} context @param {Frame} frame @param {string} foot
 * @param {PaintCanvas<P>} paintCanvas */
function paintWidget(pen, { root, theme }, frame, foot, paintCanvas) {
  pen.fillStyle = theme.bg;
  pen.fillRect(0, 0, frame.width, frame.height);
  const parts = [...root.children].flatMap((child) => (child.matches(".foot") ? [...child.children] : [child]));
  for (const child of parts) {
    const box = child.getBoundingClientRect();
    if (child.matches(LEFT_OUT) || box.height <= 1) continue;
    pen.save();
    // The transport is left out, so what lies below it moves up, and what stands beside it to the left.
    const up = frame.transport && box.top >= frame.transport.bottom - 1 ? frame.gone : 0;
    const aside = frame.transport && !up && box.left >= frame.transport.right - 1 && box.top >= frame.transport.top - 9;
    pen.translate(-frame.left - (aside ? (frame.transport?.width ?? 0) : 0), -frame.top - up);
    paintElement(pen, child, theme, paintCanvas);
    pen.restore();
  }
  const { fontFamily } = getComputedStyle(root);
  pen.font = `11px ${fontFamily}`;
  pen.fillStyle = theme.text3;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  pen.fillText(foot, 16, frame.height - FOOT_LINE / 2, frame.width - 32);
}

/** The widget as a canvas. `foot` says what it shows: a picture travels without its page.
 * @param {Context} context @param {string} foot */
export function pictureOf(context, foot, scale = SCALE, canvas = document.createElement("canvas")) {
  const frame = frameOf(context.root);
  canvas.width = Math.round(frame.width * scale);
  canvas.height = Math.round(frame.height * scale);
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.scale(scale, scale);
  paintWidget(pen, context, frame, foot, (to, from, { left, top, width, height }) =>
    to.drawImage(from, left, top, width, height),
  );
  return canvas;
}

/** The widget as the text of an SVG file: every part draws once more, with a pen that writes.
 * @param {Context} context @param {string} title @param {string} foot */
export function vectorsOf(context, title, foot) {
  const frame = frameOf(context.root);
  const pens = /** @type {Map<HTMLCanvasElement, ReturnType<typeof svgPen>>} */ (new Map());
  recording(
    (canvas, width, height) => {
      const pen = svgPen(width, height, `p${pens.size}`);
      pens.set(canvas, pen);
      return pen;
    },
    () => context.redraw(),
  );
  const sheet = svgPen(frame.width, frame.height, "s");
  paintWidget(sheet, context, frame, foot, (to, from, { left, top, width, height }) => {
    const pen = pens.get(from);
    if (pen) to.place(pen, left, top, width, height);
  });
  return svgFile(sheet, title, foot);
}

/** @template {Pen} P
 * @param {P} pen @param {Element} element @param {Theme} theme @param {PaintCanvas<P>} paintCanvas */
function paintElement(pen, element, theme, paintCanvas) {
  if (element.matches(LEFT_OUT)) return;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  if (style.display === "none" || !box.height || !(box.width || element.matches(".playhead"))) return;
  const holder = /** @type {Element} */ (element.parentElement);
  if (getComputedStyle(holder).overflowY === "hidden" && box.top >= holder.getBoundingClientRect().bottom - 2) return;
  if (element instanceof HTMLCanvasElement) {
    paintCanvas(pen, element, box);
    return;
  }
  const shape = /** @type {Shape | null} */ (element.getAttribute("data-shape"));
  if (shape) {
    mark(pen, shape, box.left + box.width / 2, box.top + box.height / 2, 4, style.color);
    return;
  }
  if (element.matches(".playhead")) {
    pen.fillStyle = theme.ink;
    pen.fillRect(box.left, box.top, PLAYHEAD, box.height);
    return;
  }
  if (element.matches(".key")) return void paintKey(pen, element, theme, box);
  paintBox(pen, style, box);
  for (const child of element.childNodes) {
    if (child instanceof Text) copyTextNode(pen, child, style);
    else if (child instanceof Element) paintElement(pen, child, theme, paintCanvas);
  }
}

/** The small samples of the legends; on screen they are gradients of the style sheet.
 * @param {Pen} pen @param {Element} element @param {Theme} theme @param {DOMRect} box */
function paintKey(pen, element, theme, box) {
  const { left, top, width, height } = box;
  const kind = ["conflict", "certainty", "halo"].find((name) => element.classList.contains(name));
  if (kind === "conflict") {
    pen.fillStyle = theme.bg;
    pen.fillRect(left, top, width, height);
    hatch(pen, left, top, width, theme[contract.roles.conflict]);
  } else if (kind === "certainty") {
    pen.fillStyle = theme.line;
    pen.fillRect(left, top, width, height);
    pen.fillStyle = theme.text2;
    pen.fillRect(left, top, 0.62 * width, height);
  } else if (kind === "halo") {
    mark(pen, "dot", left + width / 2, top + height / 2, width / 2, theme.line);
    mark(pen, "dot", left + width / 2, top + height / 2, 2.4, theme.text2);
  } else paintBox(pen, getComputedStyle(element), box);
}

/** @param {Pen} pen @param {CSSStyleDeclaration} style @param {DOMRect} box */
function paintBox(pen, style, box) {
  const width = parseFloat(style.borderTopWidth);
  const radius = parseFloat(style.borderTopLeftRadius) || 0;
  roundRect(pen, box.left + width / 2, box.top + width / 2, box.width - width, box.height - width, radius);
  if (opaque(style.backgroundColor)) {
    pen.fillStyle = style.backgroundColor;
    pen.fill();
  }
  if (!width || !opaque(style.borderTopColor) || style.borderTopStyle === "none") return;
  pen.strokeStyle = style.borderTopColor;
  pen.lineWidth = width;
  if (parseFloat(style.borderBottomWidth) && parseFloat(style.borderLeftWidth)) pen.stroke();
  else {
    pen.beginPath();
    pen.moveTo(box.left, box.top + width / 2);
    pen.lineTo(box.right, box.top + width / 2);
    pen.stroke();
  }
}

/** @param {Pen} pen @param {Text} node @param {CSSStyleDeclaration} style */
function copyTextNode(pen, node, style) {
  if (!node.data.trim()) return;
  const range = document.createRange();
  range.selectNodeContents(node);
  pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  pen.fillStyle = style.color;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  const lines = range.getClientRects();
  const write = (/** @type {string} */ text, /** @type {DOMRect} */ { left, top, width, height }) =>
    pen.fillText(text, left, top + height / 2 + 0.5, Math.max(width, 1));
  if (lines.length === 1) return write(node.data.trim(), lines[0]);
  for (const { 0: word, index } of lines.length ? node.data.matchAll(/\S+/g) : []) {
    range.setStart(node, index);
    range.setEnd(node, index + word.length);
    write(word, range.getBoundingClientRect());
  }
}
