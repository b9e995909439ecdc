// The pictures of the ruler: events, supervision steps, transitions (how many cells changed) and low-level steps.

import { mark, roundRect } from "./draw.js";
import { drawText, fillArea, fillBox } from "./shapes.js";
import { hasTransitions } from "./steps.js";

/** Heights of the rows in pixels. */
export const ROWS = { events: 17, supervision: 20, transition: 18, low: 19 };

const PRIORITY = ["part", "correct", "left", "halt"]; // of labels that would overlap
const EVENT_SHAPES = { part: "triangle", correct: "diamond", left: "cross", halt: "square" };
const ASIDE_BY = 11; // px between the marks of events of one step

/** @typedef {keyof typeof ROWS} Row */
/** @typedef {{step: number, kind: keyof typeof EVENT_SHAPES, label: string}} Event */
/**
 * @typedef {object} Timeline
 * @property {number} width
 * @property {(step: number) => number} x
 * @property {(row: Row) => number} top
 * @property {import("./types.js").Theme} theme
 * @property {string} font
 */
/** @typedef {import("./types.js").Pen} Pen */

/** The rows that are shown, from above.
 * @param {import("./types.js").Payload} payload @param {string} kind of the layout @param {boolean} presenting
 * @returns {Row[]} */
export function rulerRows(payload, kind, presenting) {
  const transitions = hasTransitions(payload) || payload.series.some((series) => series.curves.changed);
  const low = payload.lead.low_steps && kind !== "narrow" && !presenting;
  return [
    "events",
    "supervision",
    .../** @type {Row[]} */ (transitions ? ["transition"] : []),
    .../** @type {Row[]} */ (low ? ["low"] : []),
  ];
}

/** @param {Row[]} rows */
export const heightOf = (rows) => rows.reduce((sum, row) => sum + ROWS[row], 0);

/** @param {import("./types.js").Payload} payload @param {string} kind @param {boolean} presenting */
export const rulerHeight = (payload, kind, presenting) => heightOf(rulerRows(payload, kind, presenting));

/**
 * A rounded box with text in it.
 * @param {Pen} pen
 * @param {number[]} box
 * @param {string} fill
 * @param {string | null} edge
 */
function drawBlock(pen, [x, y, width, height], fill, edge = null) {
  roundRect(pen, x, y, width, height, 3);
  pen.fillStyle = fill;
  pen.fill();
  if (edge === null) return;
  pen.lineWidth = 1;
  pen.strokeStyle = edge;
  pen.stroke();
}

/** @param {Timeline} timeline @param {boolean} current */
const textStyle = ({ font }, current) => ({ font: `${current ? 700 : 400} 11px ${font}` });

/**
 * @param {Pen} pen
 * @param {Timeline} timeline
 * @param {ReturnType<typeof import("./steps.js").blocks>} blocks
 * @param {number} step of the cursor
 */
export function drawSupervision(pen, timeline, blocks, step) {
  const { x, theme, width } = timeline;
  const y = timeline.top("supervision");
  // So wide are numbers, which thin out before they touch.
  const digits = String(blocks.at(-1)?.name ?? "").length;
  const every = Math.ceil(blocks.length / Math.max(1, width / Math.max(22, 8 + 7 * digits)));
  blocks.forEach(({ name, from, to }, index) => {
    const current = step > from && step <= to;
    const box = [x(from) + 1.5, y + 1, Math.max(1, x(to) - x(from) - 3), ROWS.supervision - 4];
    drawBlock(pen, box, current ? theme.ink : theme.given);
    if (index % every && (!current || x(to) - x(from) <= 12)) return;
    drawText(
      pen,
      String(name),
      (x(from) + x(to)) / 2,
      y + ROWS.supervision / 2 - 0.5,
      current ? theme.bg : theme.text2,
      textStyle(timeline, current),
    );
  });
}

/**
 * @param {Pen} pen
 * @param {Timeline} timeline
 * @param {number[]} counts of changed cells, by step
 * @param {{step: number, last: number, end: number}} at the cursor, the last step shown, the end of the series
 */
export function drawTransitions(pen, { x, theme, top }, counts, { step, last, end }) {
  const y = top("transition") + ROWS.transition - 2;
  const most = Math.max(1, ...counts);
  for (let at = 1; at <= last; at += 1) {
    const height = counts[at] ? 2 + Math.sqrt(counts[at] / most) * (ROWS.transition - 5) : 1;
    const width = x(at) - x(at - 1);
    const left = x(at - 1) + Math.min(1.5, width * 0.15);
    const alpha = at >= end ? 0.3 : at === step ? 1 : 0.75;
    const inner = Math.max(1, width - Math.min(3, width * 0.3));
    fillBox(pen, [left, y - height, inner, height], at === step ? theme.ink : theme.edge, alpha);
  }
}

/**
 * Returns the cells that were drawn, for clicks: `low` is null for h, the transition's end.
 * @param {Pen} pen
 * @param {Timeline} timeline
 * @param {number} ticks low-level steps in a transition
 * @param {import("./types.js").State["cursor"]} cursor
 */
export function drawLowSteps(pen, timeline, ticks, { step, low }) {
  const { x, theme } = timeline;
  const width = Math.min(30, timeline.width / (ticks + 1));
  const whole = width * (ticks + 1);
  const left = Math.min(timeline.width - whole, Math.max(0, (x(step - 1) + x(step)) / 2 - whole / 2));
  const y = timeline.top("low");
  return Array.from({ length: step < 1 ? 0 : ticks + 1 }, (_, k) => {
    const cell = { x: left + k * width, width, low: k < ticks ? k + 1 : null };
    const current = cell.low === low;
    const box = [cell.x + 1.5, y + 1, width - 3, ROWS.low - 3];
    drawBlock(pen, box, current ? theme.ink : theme.bg, current ? theme.ink : theme.edge);
    const name = cell.low === null ? "h" : width >= 22 ? `l ${cell.low}` : String(cell.low);
    drawText(
      pen,
      name,
      cell.x + width / 2,
      y + ROWS.low / 2,
      current ? theme.bg : theme.text2,
      textStyle(timeline, current),
    );
    return cell;
  });
}

/** @param {Pen} pen @param {string} shape @param {number} x @param {number} y @param {string} color */
function drawSymbol(pen, shape, x, y, color) {
  if (shape === "diamond" || shape === "cross") mark(pen, shape, x, y, 4, color);
  else if (shape === "square") fillBox(pen, [x - 4, y - 4, 8, 8], color);
  else
    fillArea(
      pen,
      [
        [x, y - 4.5],
        [x + 5, y + 4],
        [x - 5, y + 4],
      ],
      color,
    );
}

/**
 * Where the marks stand: events of one step side by side.
 * @param {Timeline} timeline
 * @param {Event[]} events
 */
function placeMarks({ x, width }, events) {
  /** @type {number[]} */
  const marks = [];
  for (const event of events) {
    let at = Math.min(width - 6, Math.max(6, x(event.step)));
    const taken = () => marks.some((other) => Math.abs(other - at) < ASIDE_BY);
    while (taken()) at += at > width - 20 ? -ASIDE_BY : ASIDE_BY;
    marks.push(at);
  }
  return marks;
}

/**
 * @param {Pen} pen
 * @param {Timeline} timeline
 * @param {Event[]} events
 * @param {boolean} named whether there is room for labels
 */
export function drawEvents(pen, timeline, events, named) {
  const { theme, width } = timeline;
  const style = { font: `11px ${timeline.font}`, align: /** @type {const} */ ("left") };
  const order = [...events].sort((a, b) => PRIORITY.indexOf(a.kind) - PRIORITY.indexOf(b.kind));
  const marks = placeMarks(timeline, order);
  const taken = marks.map((at) => [at - 7, at + 7]);
  pen.font = style.font;
  order.forEach(({ kind, label }, index) => {
    const at = marks[index];
    drawSymbol(pen, EVENT_SHAPES[kind], at, 9, theme.ink);
    const length = pen.measureText(label).width + 4;
    // To the right of the mark, else to its left, else the mark stands alone.
    const spots = [
      [at + 9, at + 9 + length],
      [at - 9 - length, at - 9],
    ];
    const isFree = (/** @type {number[]} */ [from, to]) =>
      !taken.some(([a, b]) => from < b && to > a && (a + b) / 2 !== at);
    const spot = spots.find((one) => one[0] >= 0 && one[1] <= width && isFree(one));
    if (!spot || !named) return;
    taken.push(spot);
    fillBox(pen, [spot[0] - 2, 1, length, ROWS.events - 2], theme.bg); // the playhead passes behind
    drawText(pen, label, spot[0], 9.5, theme.text2, style);
  });
}
