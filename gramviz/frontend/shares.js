// How trajectories divide over the tokens of one cell along time, and the picture of it.

import { drawLine, drawText, fillArea, fillBox } from "./shapes.js";

const BANDS = 5; // tokens with a band of their own; the rest share one
const ALPHAS = [0.5, 0.34, 0.24, 0.17, 0.11, 0.06]; // the more frequent a token, the darker its band
const NAMED_BAND = 13; // px of a band that holds its name

/** @typedef {import("./types.js").Who} Who */
/** @typedef {{order: number[], share: (token: number, step: number) => number}} Shares -1 is "all others" */

/**
 * Shares of tokens in one cell.
 * @param {import("./types.js").Payload} payload
 * @param {Who[]} trajectories
 * @param {number} cell
 * @returns {Shares}
 */
export function cellShares(payload, trajectories, cell) {
  const kinds = payload.board.tokens.length;
  const counts = new Uint16Array(payload.steps * kinds);
  for (const [series, trajectory] of trajectories)
    for (let step = 0; step < payload.steps; step += 1)
      counts[step * kinds + series.tokens(trajectory, step)[cell]] += 1;
  const totals = Array.from({ length: kinds }, (_, token) => {
    let sum = 0;
    for (let step = 0; step < payload.steps; step += 1) sum += counts[step * kinds + token];
    return [token, sum];
  });
  const present = totals
    .filter(([, sum]) => sum)
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .map(([token]) => token);
  const others = present.slice(BANDS);
  const count = (/** @type {number} */ token, /** @type {number} */ step) => counts[step * kinds + token];
  return {
    order: others.length ? [...present.slice(0, BANDS), -1] : present,
    share: (token, step) =>
      (token < 0 ? others.reduce((sum, other) => sum + count(other, step), 0) : count(token, step)) /
      trajectories.length,
  };
}

/**
 * The shares as bands on top of each other, each with its name where it is widest, and the certainty of one trajectory.
 * @param {import("./types.js").Pen} pen
 * @param {Shares} shares
 * @param {object} scene
 * @param {number} scene.last the last step that may be shown
 * @param {(step: number) => number} scene.x
 * @param {number} scene.width
 * @param {number} scene.height
 * @param {import("./types.js").Theme} scene.theme
 * @param {string} scene.font
 * @param {(token: number) => string} scene.name
 * @param {((step: number) => number) | null} scene.certainty
 */
export function drawShares(pen, shares, { last, x, width, height, theme, font, name, certainty }) {
  const steps = [...Array(last + 1).keys()];
  const y = (/** @type {number} */ share) => height * (1 - share);
  const below = new Float32Array(last + 1); // shares stacked so far, from the bottom
  fillBox(pen, [0, 0, width, height], theme.sunk);
  /** @type {[string, number, number, string][]} */
  const labels = [];
  shares.order.forEach((token, rank) => {
    const top = steps.map((step) => below[step] + shares.share(token, step));
    const lower = steps.map((step) => [x(step), y(below[step])]);
    const upper = steps.map((step) => [x(step), y(top[step])]);
    const outline = [...lower, ...upper.reverse()];
    fillArea(pen, outline, theme.ink, ALPHAS[rank]);
    drawLine(pen, [...outline, outline[0]], theme.bg);
    const most = Math.max(...steps.map((step) => top[step] - below[step]));
    const there = steps.filter((step) => top[step] - below[step] === most);
    const widest = there[there.length >> 1]; // amid them: two bands are often as wide one step after the other
    const color = rank || theme.mode === "light" ? theme.ink : theme.bg;
    if ((top[widest] - below[widest]) * height > NAMED_BAND)
      labels.push([name(token), x(widest), y((top[widest] + below[widest]) / 2), color]);
    below.set(top);
  });
  const style = { font: `600 11px ${font}` };
  pen.font = style.font;
  for (const [text, at, middle, color] of labels) {
    const half = pen.measureText(text).width / 2 + 4;
    drawText(pen, text, Math.min(width - half, Math.max(half, at)), middle, color, style);
  }
  if (certainty)
    drawLine(
      pen,
      steps.map((step) => [x(step), 2 + (height - 4) * (1 - certainty(step))]),
      theme.ink,
      1.6,
      [5, 3],
    );
}
