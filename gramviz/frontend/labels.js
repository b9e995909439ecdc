// Where names stand: beside their point, inside a box, over nothing. One without a place is left out; pointing says it.

import { countsOf } from "./answerspace.js";
import { meets } from "./draw.js";
import { words } from "./words.js";

/** @import { AnswerSpace, Box, Pair, Series } from "./types.js" */

/** Right, left, above, below and between. @type {Pair[]} */
const WAYS = [
  [1, -1],
  [1, 1],
  [-1, -1],
  [-1, 1],
  [0, -1],
  [0, 1],
  [1, 0],
  [-1, 0],
];
const REACHES = [1, 1.8, 3]; // times `away`

/** Where a name of a width and a height stands, `away` px from its point or farther, or undefined; from then on its box
 * is among those that are taken.
 * @param {Pair} point @param {Pick<Box, "width" | "height">} size @param {number} away @param {Box} box
 * @param {Box[]} taken @param {Pair} [outward] the half plane it is kept to @returns {Box | undefined} */
export function labelAt([x, y], size, away, box, taken, outward = [0, 0]) {
  const along = (/** @type {Pair} */ [dx, dy]) => (dx * outward[0] + dy * outward[1]) / Math.hypot(dx, dy);
  const ways = WAYS.filter((way) => along(way) > -0.1).sort((a, b) => along(b) - along(a));
  const found = REACHES.flatMap((reach) =>
    ways.map(([dx, dy]) => {
      const far = (reach * away) / Math.hypot(dx, dy);
      return {
        x: x + dx * far + ((dx - 1) / 2) * size.width,
        y: y + dy * far + ((dy - 1) / 2) * size.height,
        ...size,
      };
    }),
  ).find((one) => {
    const wide = { x: one.x - 2, y: one.y - 2, width: one.width + 4, height: one.height + 4 };
    const [right, bottom] = [box.x + box.width - wide.width, box.y + box.height - wide.height];
    const within = wide.x > box.x && wide.y > box.y && wide.x < right && wide.y < bottom;
    return within && !taken.some((other) => meets(wide, other));
  });
  if (found) taken.push(found);
  return found;
}

/** The name of a lane, -1 for the trunk, with the trajectories of each series; shorter, with those of all; and alone.
 * @param {AnswerSpace} space @param {Series[]} series @param {number} index */
export function namesOfLane({ lanes, trunk }, series, index) {
  const counts = countsOf(series, index);
  const names = [counts.join(" / "), String(counts.reduce((sum, count) => sum + count, 0))].map((count) =>
    index < 0 ? words.map.trunk(trunk, count) : words.map.lane(lanes[index], count),
  );
  return [...names, names[0].split(" ×")[0]];
}
