// The steps below a map whose axis is time.

import { blocks } from "./steps.js";

/** @import { Pen, PlacedPlane, Scene } from "./types.js" */

const TICKS = 44; // px between two numbers of steps
const WORD = 60; // px right of the last number, for what it counts

/** @param {Pen} pen @param {PlacedPlane} plane @param {Scene} scene */
export function drawTicks(pen, { box, toX }, { payload, theme, font }) {
  pen.font = `11px ${font}`;
  pen.fillStyle = theme.text2;
  pen.textAlign = "center";
  const y = box.y + box.height + 13;
  const ends = [{ name: 0, to: 0 }, ...blocks(payload)];
  const right = toX(payload.steps - 1);
  const every = Math.ceil((TICKS * (ends.length - 1)) / Math.max(1, right - toX(0)));
  ends.forEach(({ name, to }, k) => {
    if (k % every === 0 && toX(to) <= right - (k < ends.length - 1 ? TICKS / 2 : 0))
      pen.fillText(k ? String(name) : "init", toX(to) + (k ? 0 : 4), y);
  });
  if (box.x + box.width - right < WORD) return;
  pen.textAlign = "right";
  pen.fillText(payload.levels[0].toLowerCase().replace("supervision ", ""), box.x + box.width - 4, y);
}
