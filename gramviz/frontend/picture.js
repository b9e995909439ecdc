// A picture of the widget as it stands: canvases are copied, everything else (text, frames, marks) is painted where the browser laid it out.

import { mark, roundRect } from "./draw.js";

const SCALE = 2;
const LEFT_OUT = ".tools, .transport, .tabs, .away, .over, .sheet, .push button[aria-pressed], [hidden]";

const opaque = (colour) => colour && colour !== "transparent" && !/(, 0|\/ 0)\)$/.test(colour);

/** Draws `root` (the widget) to a new canvas. */
export function pictureOf(root, theme) {
  const frame = root.getBoundingClientRect();
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(frame.width * SCALE);
  const shown = [...root.children].filter(
    (child) => !child.matches(LEFT_OUT) && child.getBoundingClientRect().height > 1,
  );
  // The transport is left out, so what lies below it moves up.
  const transport = root.querySelector(".transport")?.getBoundingClientRect();
  canvas.height = Math.round((frame.height - (transport?.height ?? 0)) * SCALE);
  const pen = canvas.getContext("2d");
  pen.scale(SCALE, SCALE);
  pen.fillStyle = theme.bg;
  pen.fillRect(0, 0, frame.width, frame.height);
  for (const child of shown) {
    pen.save();
    pen.translate(
      -frame.left,
      -frame.top - (transport && child.getBoundingClientRect().top >= transport.bottom - 1 ? transport.height : 0),
    );
    paintElement(pen, child);
    pen.restore();
  }
  return canvas;
}

function paintElement(pen, element) {
  if (element.matches(LEFT_OUT)) return;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  if (style.display === "none" || !box.width || !box.height) return;
  if (element instanceof HTMLCanvasElement) {
    pen.drawImage(element, box.left, box.top, box.width, box.height);
    return;
  }
  if (element.dataset.shape) {
    mark(pen, element.dataset.shape, box.left + box.width / 2, box.top + box.height / 2, 4, style.color);
    return;
  }
  paintBox(pen, style, box);
  for (const child of element.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) copyTextNode(pen, child, style);
    else if (child.nodeType === Node.ELEMENT_NODE) paintElement(pen, child);
  }
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
