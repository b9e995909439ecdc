// What is named on river and map, and what pointing at a name shows.

import { distancesTo, openTokens } from "./answerspace.js";
import { seriesOf } from "./groups.js";
import { words } from "./words.js";

/** @import { Hit, Hover, Pair, Payload, PlacedPlane, State } from "./types.js" */

/** The name at a point of a plane. @param {PlacedPlane | undefined} plane @param {Pair} point */
export const nameAt = (plane, [x, y]) =>
  plane?.hits.find(({ box }) => x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height);

/** The trajectories of a lane (-1: of none), or those that come to a dense place after the warm-up, by letter.
 * @param {Payload} payload @param {Hit} name */
function membersOf({ series, space }, { kind, index }) {
  const { x, y, reach } = space.places[index] ?? { x: 0, y: 0, reach: 0 };
  return Object.fromEntries(
    series.map((one) => {
      const { xyz } = one.maps.answers;
      const all = [...Array(one.n).keys()];
      const comes = (/** @type {number} */ k) =>
        [...Array(one.steps).keys()].some((step) => {
          const at = 3 * (k * one.steps + step);
          return step >= space.warm_up && Math.hypot(xyz[at] - x, xyz[at + 1] - y) <= reach;
        });
      return [one.letter, all.filter((k) => (kind === "lane" ? one.lane(k, one.steps - 1) === index : comes(k)))];
    }),
  );
}

/** What pointing at a name shows: its trajectories; of a lane its board too, and how far the focus is from it.
 * @param {Payload} payload @param {State} state @param {Hit} name @returns {Hover} */
export function hoverOf(payload, state, name) {
  const { space, board } = payload;
  if (name.kind === "cell") return { part: "map", cell: space.decisive[name.index].cell };
  const members = membersOf(payload, name);
  const lane = name.kind === "lane" ? space.lanes[name.index] : undefined;
  if (!lane) return { part: "map", members };
  const series = seriesOf(payload, state.focus[0]);
  const open = openTokens(space, series, state.focus[1], state.cursor.step);
  const away = distancesTo(space.leaders, open)[name.index];
  const who = words.trajectoryName(series, state.focus[1]);
  return {
    part: "map",
    members,
    preview: lane.lead,
    note: words.map.away(who, away, lane.letter, board.kind === "graph"),
  };
}
