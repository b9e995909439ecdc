// A pen that writes SVG where a canvas would paint: the same draw calls, so that a print agrees with the picture.
//
// It knows the part of CanvasRenderingContext2D that this explorer uses. `elements()` collects text, never markup of
// others: every string goes through `escaped`.

/** @import { Pen } from "./types.js" */

/** @type {Record<string, string>} */
const ANCHORS = { center: "middle", right: "end", end: "end" };
/** @type {Record<string, string>} */
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** @param {number} value */
const rounded = (value) => Number(value.toFixed(2));
/** @param {unknown} text */
const escaped = (text) => String(text).replace(/[&<>"]/g, (found) => ENTITIES[found]);
/** @param {DOMMatrix} matrix */
const matrixText = ({ a, b, c, d, e, f }) => `matrix(${[a, b, c, d, e, f].map(rounded).join(" ")})`;

/** What `save` keeps: the styles as a canvas has them, the transform, and the id of the clip. */
const START = {
  fillStyle: "#000000",
  strokeStyle: "#000000",
  lineWidth: 1,
  lineJoin: "round",
  lineCap: "round",
  globalAlpha: 1,
  font: "12px sans-serif",
  textAlign: "left",
  textBaseline: "alphabetic",
  dash: /** @type {number[]} */ ([]),
  matrix: /** @type {DOMMatrix | null} */ (null),
  clipId: "",
};

/** Writes the drawing of one surface; @see svgPen */
class SvgPen {
  /** @type {string[]} */
  #found = [];
  /** @type {string[]} */
  #clips = [];
  /** @type {(typeof START)[]} */
  #stack = [];
  /** @type {string[]} */
  #path = [];
  #measure = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(1, 1).getContext("2d"));

  /** @param {number} width @param {number} height @param {string} prefix */
  constructor(width, height, prefix) {
    this.width = width;
    this.height = height;
    this.prefix = prefix;
    this.style = { ...START };
  }

  get #matrix() {
    return this.style.matrix ?? new DOMMatrix();
  }

  /** What every element carries: where it stands, how opaque it is. */
  #common() {
    const parts = this.#matrix.isIdentity ? [] : [`transform="${matrixText(this.#matrix)}"`];
    if (this.style.globalAlpha < 1) parts.push(`opacity="${rounded(this.style.globalAlpha)}"`);
    return parts.join(" ");
  }

  /** A clip stands on a group around the element, because it was set under another transform.
   * @param {string} element */
  #add(element) {
    const { clipId } = this.style;
    this.#found.push(clipId ? `<g clip-path="url(#${clipId})">${element}</g>` : element);
  }

  /** @param {string} paint */
  #shape(paint) {
    if (this.#path.length) this.#add(`<path d="${this.#path.join("")}" ${paint} ${this.#common()}/>`);
  }

  get #fillPaint() {
    return `fill="${escaped(this.style.fillStyle)}"`;
  }

  get #strokePaint() {
    const { strokeStyle, lineWidth, lineJoin, lineCap, dash } = this.style;
    return (
      `fill="none" stroke="${escaped(strokeStyle)}" stroke-width="${rounded(lineWidth)}" ` +
      `stroke-linejoin="${lineJoin}" stroke-linecap="${lineCap}"` +
      (dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : "")
    );
  }

  /** @param {string} text @param {number} x @param {number} y @param {string} paint */
  #write(text, x, y, paint) {
    const { font, textAlign, textBaseline } = this.style;
    this.#measure.font = font;
    this.#measure.textBaseline = /** @type {CanvasTextBaseline} */ (textBaseline);
    // How far below `y` the baseline lies is computed, because viewers disagree about dominant-baseline.
    const baseline = y - this.#measure.measureText("x").alphabeticBaseline;
    this.#add(
      `<text x="${rounded(x)}" y="${rounded(baseline)}" style="font:${escaped(font)}" xml:space="preserve" ` +
        `text-anchor="${ANCHORS[textAlign] ?? "start"}" ${paint} ${this.#common()}>${escaped(text)}</text>`,
    );
  }

  save() {
    this.#stack.push({ ...this.style });
  }
  restore() {
    this.style = this.#stack.pop() ?? this.style;
  }
  /** @param {number} x @param {number} y */
  translate(x, y) {
    this.style.matrix = this.#matrix.translate(x, y);
  }
  /** @param {number} x @param {number} y */
  scale(x, y) {
    this.style.matrix = this.#matrix.scale(x, y);
  }
  /** @param {number} angle */
  rotate(angle) {
    this.style.matrix = this.#matrix.rotate((angle * 180) / Math.PI);
  }
  setTransform() {} // only `surface` sets one, for the density of pixels
  clearRect() {} // a drawing begins empty
  /** @param {Iterable<number>} dash */
  setLineDash(dash) {
    this.style.dash = [...dash];
  }
  beginPath() {
    this.#path = [];
  }
  /** @param {number} x @param {number} y */
  moveTo(x, y) {
    this.#path.push(`M${rounded(x)} ${rounded(y)}`);
  }
  /** @param {number} x @param {number} y */
  lineTo(x, y) {
    this.#path.push(`${this.#path.length ? "L" : "M"}${rounded(x)} ${rounded(y)}`);
  }
  closePath() {
    this.#path.push("Z");
  }
  /** @param {number} x @param {number} y @param {number} w @param {number} h */
  rect(x, y, w, h) {
    this.#path.push(`M${rounded(x)} ${rounded(y)}h${rounded(w)}v${rounded(h)}h${rounded(-w)}Z`);
  }
  /** @param {number} x @param {number} y @param {number} w @param {number} h */
  roundRect(x, y, w, h, r = 0) {
    const k = Math.max(0, Math.min(Number(r), Math.abs(w) / 2, Math.abs(h) / 2));
    const turn = (/** @type {number} */ dx, /** @type {number} */ dy) =>
      `a${rounded(k)} ${rounded(k)} 0 0 1 ${rounded(dx)} ${rounded(dy)}`;
    this.#path.push(
      `M${rounded(x + k)} ${rounded(y)}h${rounded(w - 2 * k)}${turn(k, k)}v${rounded(h - 2 * k)}${turn(-k, k)}` +
        `h${rounded(2 * k - w)}${turn(-k, -k)}v${rounded(2 * k - h)}${turn(k, -k)}Z`,
    );
  }
  /** @param {number} x @param {number} y @param {number} r @param {number} from @param {number} to */
  arc(x, y, r, from, to) {
    const at = (/** @type {number} */ angle) =>
      `${rounded(x + r * Math.cos(angle))} ${rounded(y + r * Math.sin(angle))}`;
    const size = `A${rounded(r)} ${rounded(r)} 0`;
    const before = this.#path.at(-1)?.[0] ?? "Z";
    if (to - from >= 2 * Math.PI - 1e-6)
      this.#path.push(
        `${/[MZ]/.test(before) ? "M" : "L"}${at(from)}${size} 1 1 ${at(from + Math.PI)}${size} 1 1 ${at(from)}Z`,
      );
    else this.#path.push(`${before === "Z" ? "M" : "L"}${at(from)}${size} ${to - from > Math.PI ? 1 : 0} 1 ${at(to)}`);
  }
  fill() {
    this.#shape(this.#fillPaint);
  }
  stroke() {
    this.#shape(this.#strokePaint);
  }
  clip() {
    const id = `${this.prefix}c${this.#clips.length}`;
    const within = this.style.clipId ? ` clip-path="url(#${this.style.clipId})"` : "";
    const path = `<path transform="${matrixText(this.#matrix)}" d="${this.#path.join("")}"/>`;
    this.#clips.push(`<clipPath id="${id}"${within}>${path}</clipPath>`);
    this.style.clipId = id;
  }
  /** @param {number} x @param {number} y @param {number} w @param {number} h */
  fillRect(x, y, w, h) {
    this.#add(
      `<rect x="${rounded(Math.min(x, x + w))}" y="${rounded(Math.min(y, y + h))}" width="${rounded(Math.abs(w))}" ` +
        `height="${rounded(Math.abs(h))}" ${this.#fillPaint} ${this.#common()}/>`,
    );
  }
  /** @param {number} x @param {number} y @param {number} w @param {number} h */
  strokeRect(x, y, w, h) {
    const box = `x="${rounded(x)}" y="${rounded(y)}" width="${rounded(w)}" height="${rounded(h)}"`;
    this.#add(`<rect ${box} ${this.#strokePaint} ${this.#common()}/>`);
  }
  /** @param {string} text @param {number} x @param {number} y */
  fillText(text, x, y) {
    this.#write(text, x, y, this.#fillPaint);
  }
  /** @param {string} text @param {number} x @param {number} y */
  strokeText(text, x, y) {
    this.#write(text, x, y, this.#strokePaint);
  }
  /** @param {string} text */
  measureText(text) {
    this.#measure.font = this.style.font;
    return this.#measure.measureText(text);
  }

  /** Another pen's drawing, stretched to a box as `drawImage` stretches a picture.
   * @param {SvgPen} other @param {number} x @param {number} y @param {number} w @param {number} h */
  place(other, x, y, w, h) {
    this.#add(
      `<g ${this.#common()}><g transform="translate(${rounded(x)} ${rounded(y)}) ` +
        `scale(${w / other.width} ${h / other.height})">${other.elements()}</g></g>`,
    );
  }
  elements() {
    return (this.#clips.length ? `<defs>${this.#clips.join("")}</defs>` : "") + this.#found.join("\n");
  }
}

// The styles are read and set on the pen itself, as on a canvas.
for (const name of /** @type {(keyof typeof START)[]} */ (Object.keys(START)))
  Object.defineProperty(SvgPen.prototype, name, {
    get() {
      return this.style[name];
    },
    set(value) {
      this.style[name] = value;
    },
  });

/** A pen for `width` x `height`; `elements()` is its drawing as SVG text. `prefix` keeps the ids of several pens apart.
 * @param {number} width @param {number} height */
export const svgPen = (width, height, prefix = "") => /** @type {SvgPen & Pen} */ (new SvgPen(width, height, prefix));

/** A whole SVG file around a pen's drawing.
 * @param {SvgPen} pen @param {string} title @param {string} description */
export function svgFile(pen, title, description) {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${pen.width}" height="${pen.height}" ` +
    `viewBox="0 0 ${pen.width} ${pen.height}" role="img">\n` +
    `<title>${escaped(title)}</title>\n<desc>${escaped(description)}</desc>\n${pen.elements()}\n</svg>\n`
  );
}
