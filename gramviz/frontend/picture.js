// A picture of the widget as it stands: canvases are copied, everything else (text, frames, marks) is painted where the browser laid it out.

import { hatch, mark, recording, roundRect } from "./draw.js";
import { svgFile, svgPen } from "./svg.js";

const SCALE = 2;
const PLAYHEAD = 1.8; // px
const FOOT_LINE = 24; // px for the line of provenance
const LEFT_OUT = ".tools, .transport, .tabs, .away, .over, .sheet, .printed, .push button[aria-pressed], [hidden]";

const opaque = (color) => color && color !== "transparent" && !/^rgba\(.*, 0\)$|\/ 0\)$/.test(color);

/** The size of the picture of a widget: its own, without the transport, with a line of provenance below. */
function frameOf(root) {
  const { left, top, width, height } = root.getBoundingClientRect();
  const transport = root.querySelector(".transport")?.getBoundingClientRect();
  const gone = transport?.height ?? 0;
  return { left, top, width: Math.ceil(width), height: Math.ceil(height - gone + FOOT_LINE), transport, gone };
}

/** Paints the widget: canvases by `paintCanvas(pen, canvas, box)`, the rest as the browser laid it out. */
function paintWidget(pen, { root, theme }, frame, foot, paintCanvas) {
  pen.fillStyle = theme.bg;
  pen.fillRect(0, 0, frame.width, frame.height);
  for (const child of root.children) {
    const box = child.getBoundingClientRect();
    if (child.matches(LEFT_OUT) || box.height <= 1) continue;
    pen.save();
    // The transport is left out, so what lies below it moves up.
    const up = frame.transport && box.top >= frame.transport.bottom - 1 ? frame.gone : 0;
    pen.translate(-frame.left, -frame.top - up);
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

/** The widget as a canvas. `foot` says what it shows: a picture travels without its page. */
export function pictureOf(context, foot, scale = SCALE, canvas = document.createElement("canvas")) {
  const frame = frameOf(context.root);
  canvas.width = Math.round(frame.width * scale);
  canvas.height = Math.round(frame.height * scale);
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  paintWidget(pen, context, frame, foot, (to, from, { left, top, width, height }) =>
    to.drawImage(from, left, top, width, height),
  );
  return canvas;
}

/** The widget as the text of an SVG file: every part draws once more, with a pen that writes. */
export function vectorsOf(context, title, foot) {
  const frame = frameOf(context.root);
  const pens = new Map();
  recording(
    (canvas, width, height) => {
      pens.set(canvas, svgPen(width, height, `p${pens.size}`));
      return pens.get(canvas);
    },
    () => context.redraw(),
  );
  const sheet = svgPen(frame.width, frame.height, "s");
  paintWidget(sheet, context, frame, foot, (to, from, { left, top, width, height }) => {
    if (pens.has(from)) to.place(pens.get(from), left, top, width, height);
  });
  return svgFile(sheet, title, foot);
}

function paintElement(pen, element, theme, paintCanvas) {
  if (element.matches(LEFT_OUT)) return;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  if (style.display === "none" || !box.height || !(box.width || element.matches(".playhead"))) return;
  if (element instanceof HTMLCanvasElement) {
    paintCanvas(pen, element, box);
    return;
  }
  if (element.dataset.shape) {
    mark(pen, element.dataset.shape, box.left + box.width / 2, box.top + box.height / 2, 4, style.color);
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
    if (child.nodeType === Node.TEXT_NODE) copyTextNode(pen, child, style);
    else if (child.nodeType === Node.ELEMENT_NODE) paintElement(pen, child, theme, paintCanvas);
  }
}

/** The small samples of the legends; on screen they are gradients of the style sheet. */
function paintKey(pen, element, theme, { left, top, width, height }) {
  const kind = ["conflict", "certainty", "halo"].find((name) => element.classList.contains(name));
  if (kind === "conflict") {
    pen.fillStyle = theme.bg;
    pen.fillRect(left, top, width, height);
    hatch(pen, left, top, width, theme.vermilion);
  } else if (kind === "certainty") {
    pen.fillStyle = theme.line;
    pen.fillRect(left, top, width, height);
    pen.fillStyle = theme.text2;
    pen.fillRect(left, top, 0.62 * width, height);
  } else if (kind === "halo") {
    mark(pen, "dot", left + width / 2, top + height / 2, width / 2, theme.line);
    mark(pen, "dot", left + width / 2, top + height / 2, 2.4, theme.text2);
  } else paintBox(pen, getComputedStyle(element), { left, top, width, height });
}

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

function copyTextNode(pen, node, style) {
  if (!node.data.trim()) return;
  const range = document.createRange();
  range.selectNodeContents(node);
  pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  pen.fillStyle = style.color;
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  const [line] = range.getClientRects();
  if (line) pen.fillText(node.data.trim(), line.left, line.top + line.height / 2 + 0.5, Math.max(line.width, 1));
}
