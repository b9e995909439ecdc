// A pen that writes SVG where a canvas would paint: the same draw calls, so that a print agrees with the picture.
//
// It knows the part of CanvasRenderingContext2D that this explorer uses. `el(...)` collects text, never markup of others:
// every string goes through `escaped`.

const ANCHORS = { center: "middle", right: "end", end: "end" };
const rounded = (value) => Number(value.toFixed(2));

function escaped(text) {
  const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return String(text).replace(/[&<>"]/g, (found) => entities[found]);
}

/** A pen for `width` x `height`; `elements()` is its drawing as SVG text. `prefix` keeps the ids of several pens apart. */
export function svgPen(width, height, prefix = "") {
  const found = [];
  const clips = [];
  const stack = [];
  const measure = new OffscreenCanvas(1, 1).getContext("2d");
  let path = [];
  let state = {
    fillStyle: "#000000",
    strokeStyle: "#000000",
    lineWidth: 1,
    lineJoin: "round",
    lineCap: "round",
    globalAlpha: 1,
    font: "12px sans-serif",
    textAlign: "left",
    textBaseline: "alphabetic",
    dash: [],
    matrix: new DOMMatrix(),
    clip: null,
  };

  /** What every element carries: where it stands, what cuts it, how opaque it is. */
  function common() {
    const { a, b, c, d, e, f, isIdentity } = state.matrix;
    const parts = isIdentity ? [] : [`transform="matrix(${[a, b, c, d, e, f].map(rounded).join(" ")})"`];
    if (state.globalAlpha < 1) parts.push(`opacity="${rounded(state.globalAlpha)}"`);
    return parts.join(" ");
  }
  /** A clip stands on a group around the element, because it was set under another transform. */
  const add = (element) => found.push(state.clip ? `<g clip-path="url(#${state.clip})">${element}</g>` : element);
  const shape = (paint) => path.length && add(`<path d="${path.join("")}" ${paint} ${common()}/>`);
  const strokePaint = () =>
    `fill="none" stroke="${escaped(state.strokeStyle)}" stroke-width="${rounded(state.lineWidth)}" ` +
    `stroke-linejoin="${state.lineJoin}" stroke-linecap="${state.lineCap}"` +
    (state.dash.length ? ` stroke-dasharray="${state.dash.join(" ")}"` : "");
  /** How far below `y` the alphabetic baseline lies. Computed, because viewers disagree about dominant-baseline. */
  function drop() {
    measure.font = state.font;
    measure.textBaseline = state.textBaseline;
    const { alphabeticBaseline } = measure.measureText("x");
    return -alphabeticBaseline;
  }
  const write = (text, x, y, paint) =>
    add(
      `<text x="${rounded(x)}" y="${rounded(y + drop())}" style="font:${escaped(state.font)}" xml:space="preserve" ` +
        `text-anchor="${ANCHORS[state.textAlign] ?? "start"}" ${paint} ${common()}>${escaped(text)}</text>`,
    );

  const pen = {
    vector: true,
    save() {
      stack.push({ ...state });
    },
    restore() {
      state = stack.pop() ?? state;
    },
    translate(x, y) {
      state.matrix = state.matrix.translate(x, y);
    },
    scale(x, y) {
      state.matrix = state.matrix.scale(x, y);
    },
    rotate(angle) {
      state.matrix = state.matrix.rotate((angle * 180) / Math.PI);
    },
    setTransform() {}, // only `surface` sets one, for the density of pixels
    clearRect() {}, // a drawing begins empty
    setLineDash(dash) {
      state.dash = [...dash];
    },
    beginPath() {
      path = [];
    },
    moveTo: (x, y) => path.push(`M${rounded(x)} ${rounded(y)}`),
    lineTo: (x, y) => path.push(`${path.length ? "L" : "M"}${rounded(x)} ${rounded(y)}`),
    closePath: () => path.push("Z"),
    rect: (x, y, w, h) => path.push(`M${rounded(x)} ${rounded(y)}h${rounded(w)}v${rounded(h)}h${rounded(-w)}Z`),
    roundRect(x, y, w, h, r = 0) {
      const k = Math.max(0, Math.min(r, Math.abs(w) / 2, Math.abs(h) / 2));
      const turn = (dx, dy) => `a${rounded(k)} ${rounded(k)} 0 0 1 ${rounded(dx)} ${rounded(dy)}`;
      path.push(
        `M${rounded(x + k)} ${rounded(y)}h${rounded(w - 2 * k)}${turn(k, k)}v${rounded(h - 2 * k)}${turn(-k, k)}` +
          `h${rounded(2 * k - w)}${turn(-k, -k)}v${rounded(2 * k - h)}${turn(k, -k)}Z`,
      );
    },
    arc(x, y, r, from, to) {
      const at = (angle) => `${rounded(x + r * Math.cos(angle))} ${rounded(y + r * Math.sin(angle))}`;
      const begin = `${path.length && !/[MZ]/.test(path.at(-1)[0]) ? "L" : "M"}${at(from)}`;
      const size = `A${rounded(r)} ${rounded(r)} 0`;
      if (to - from >= 2 * Math.PI - 1e-6)
        path.push(`${begin}${size} 1 1 ${at(from + Math.PI)}${size} 1 1 ${at(from)}Z`);
      else
        path.push(
          `${path.length && path.at(-1)[0] !== "Z" ? "L" : "M"}${at(from)}${size} ${to - from > Math.PI ? 1 : 0} 1 ${at(to)}`,
        );
    },
    fill: () => shape(`fill="${escaped(state.fillStyle)}"`),
    stroke: () => shape(strokePaint()),
    clip() {
      const id = `${prefix}c${clips.length}`;
      const within = state.clip ? ` clip-path="url(#${state.clip})"` : "";
      const { a, b, c, d, e, f } = state.matrix;
      const matrix = [a, b, c, d, e, f].map(rounded).join(" ");
      clips.push(`<clipPath id="${id}"${within}><path transform="matrix(${matrix})" d="${path.join("")}"/></clipPath>`);
      state.clip = id;
    },
    fillRect(x, y, w, h) {
      add(
        `<rect x="${rounded(Math.min(x, x + w))}" y="${rounded(Math.min(y, y + h))}" width="${rounded(Math.abs(w))}" ` +
          `height="${rounded(Math.abs(h))}" fill="${escaped(state.fillStyle)}" ${common()}/>`,
      );
    },
    strokeRect(x, y, w, h) {
      add(
        `<rect x="${rounded(x)}" y="${rounded(y)}" width="${rounded(w)}" height="${rounded(h)}" ${strokePaint()} ${common()}/>`,
      );
    },
    fillText: (text, x, y) => write(text, x, y, `fill="${escaped(state.fillStyle)}"`),
    strokeText: (text, x, y) => write(text, x, y, strokePaint()),
    measureText(text) {
      measure.font = state.font;
      return measure.measureText(text);
    },
    /** Another pen's drawing, stretched to a box as `drawImage` stretches a picture. */
    place(other, x, y, w, h) {
      add(
        `<g ${common()}><g transform="translate(${rounded(x)} ${rounded(y)}) ` +
          `scale(${w / other.width} ${h / other.height})">${other.elements()}</g></g>`,
      );
    },
    width,
    height,
    elements: () => (clips.length ? `<defs>${clips.join("")}</defs>` : "") + found.join("\n"),
  };
  for (const name of [
    "fillStyle",
    "strokeStyle",
    "lineWidth",
    "lineJoin",
    "lineCap",
    "globalAlpha",
    "font",
    "textAlign",
    "textBaseline",
  ])
    Object.defineProperty(pen, name, {
      get: () => state[name],
      set(value) {
        state[name] = value;
      },
    });
  return pen;
}

/** A whole SVG file around a pen's drawing. */
export function svgFile(pen, title, description) {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${pen.width}" height="${pen.height}" ` +
    `viewBox="0 0 ${pen.width} ${pen.height}" role="img">\n` +
    `<title>${escaped(title)}</title>\n<desc>${escaped(description)}</desc>\n${pen.elements()}\n</svg>\n`
  );
}
