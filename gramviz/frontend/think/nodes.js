// Where the nodes of a typed graph stand: from random places one node after another is moved, first far, then near,
// while that makes the picture clearer. What is unclear costs as in gramviz.measure.graph. The same edges always give
// the same places.

/** @import { Pair } from "../types.js" */

const NODE_STARTS = 6;
const EFFORT = 100_000; // moves of a start times what each costs, at least 100 and at most 500
const CROWDED = 0.2; // of the unit square: nodes nearer than this look so
const CLEAR = 0.09; // an edge nearer than this to a foreign node seems to end there

/** On which side of the line from a to b a point lies. @param {Pair} a @param {Pair} b @param {Pair} point */
const handOf = ([ax, ay], [bx, by], [x, y]) => Math.sign((bx - ax) * (y - ay) - (by - ay) * (x - ax));

/** How hard a layout is to read. @param {Pair[]} at @param {number[][]} edges */
function unclear(at, edges) {
  let cost = 0;
  /** @param {number} x @param {number} y @param {number} least */
  const near = (x, y, least) => {
    cost += 5 * Math.max(0, 1 - Math.hypot(x, y) / least);
  };
  for (const [k, [x, y]] of at.entries()) for (const [a, b] of at.slice(k + 1)) near(a - x, b - y, CROWDED);
  for (const [k, ends] of edges.entries()) {
    const [from, to] = ends.map((node) => at[node]);
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    const square = dx * dx + dy * dy || 1;
    cost += 0.05 * Math.sqrt(square);
    for (const [node, place] of at.entries()) {
      if (ends.includes(node)) continue;
      const [x, y] = [place[0] - from[0], place[1] - from[1]];
      const along = Math.min(1, Math.max(0, (x * dx + y * dy) / square));
      near(x - along * dx, y - along * dy, CLEAR);
    }
    for (const others of edges.slice(k + 1)) {
      const [c, d] = others.map((node) => at[node]);
      const apart = handOf(from, to, c) * handOf(from, to, d) >= 0 || handOf(c, d, from) * handOf(c, d, to) >= 0;
      if (!apart) cost += 3; // a crossing; edges of one node have none
    }
  }
  return cost;
}

/** A place (x, y) in the unit square for each node, y down. @param {number} count @param {number[][]} edges
 * @returns {Pair[]} */
export function nodePlaces(count, edges) {
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  const moves = Math.max(100, Math.min(500, EFFORT / (edges.length * (edges.length + count) + 1)));
  let best = /** @type {Pair[]} */ ([]);
  let least = Infinity;
  for (let start = 0; start < NODE_STARTS; start += 1) {
    let at = Array.from({ length: count }, () => /** @type {Pair} */ ([random(), random()]));
    let cost = unclear(at, edges);
    for (let move = 0; move < moves; move += 1) {
      const reach = 0.6 * 0.03 ** (move / moves);
      const moved = [...at];
      const node = Math.floor(random() * count);
      const shift = (/** @type {number} */ place) => Math.min(1, Math.max(0, place + reach * (2 * random() - 1)));
      moved[node] = /** @type {Pair} */ (at[node].map(shift));
      const now = unclear(moved, edges);
      if (now < cost) [at, cost] = [moved, now];
    }
    if (cost < least) [best, least] = [at, cost];
  }
  const [low, high] = [Math.min, Math.max].map((most) => [0, 1].map((axis) => most(...best.map((one) => one[axis]))));
  const spread = (/** @type {number} */ place, /** @type {number} */ axis) =>
    (place - low[axis]) / (high[axis] - low[axis] || 1);
  return best.map((place) => /** @type {Pair} */ (place.map(spread)));
}
