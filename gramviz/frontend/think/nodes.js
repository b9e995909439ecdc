// Where the nodes of a typed graph stand: one node after another is moved, first far, then near, while that makes the
// picture clearer. What is unclear costs as in gramviz.measure.graph; every start is a circle, the order of its nodes
// another. The same edges always give the same places.

/** @import { Pair } from "../types.js" */

const NODE_STARTS = 3;
const EFFORT = 100_000; // moves times what each costs: edges times nodes and edges
const NODE_MOVES = [100, 500]; // of each start, at least and at most
const [NEAREST, FARTHEST] = [0.02, 0.6]; // of the unit square: how far a node is moved
const FREE_RIM = 0.06; // of it that stays free
const CROWDED = 0.2; // nodes nearer than this look crowded
const CLEAR = 0.09; // an edge nearer than this to a foreign node seems to end there
const CROSSING = 3; // cost of a crossing

/** On which side of the line from a to b a point lies. @param {Pair} a @param {Pair} b @param {Pair} point */
const handOf = ([ax, ay], [bx, by], [x, y]) => Math.sign((bx - ax) * (y - ay) - (by - ay) * (x - ax));

/** @param {Pair} a @param {Pair} b */
const farFrom = ([ax, ay], [bx, by]) => Math.hypot(bx - ax, by - ay);

/** How hard a layout is to read. @param {Pair[]} at @param {number[][]} edges */
function unclear(at, edges) {
  let cost = 0;
  for (const [k, one] of at.entries())
    for (const other of at.slice(k + 1)) cost += 5 * Math.max(0, 1 - farFrom(one, other) / CROWDED);
  for (const [k, [a, b]] of edges.entries()) {
    const [from, to] = [at[a], at[b]];
    const length = farFrom(from, to);
    cost += 0.05 * length;
    for (const [node, [x, y]] of at.entries()) {
      if (node === a || node === b) continue;
      const along = ((x - from[0]) * (to[0] - from[0]) + (y - from[1]) * (to[1] - from[1])) / (length * length || 1);
      const share = Math.min(1, Math.max(0, along));
      const foot = /** @type {Pair} */ (from.map((start, axis) => start + share * (to[axis] - start)));
      cost += 5 * Math.max(0, 1 - farFrom(foot, [x, y]) / CLEAR);
    }
    for (const [c, d] of edges.slice(k + 1)) {
      if (c === a || c === b || d === a || d === b) continue;
      const parts = handOf(from, to, at[c]) * handOf(from, to, at[d]);
      if (parts < 0 && handOf(at[c], at[d], from) * handOf(at[c], at[d], to) < 0) cost += CROSSING;
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
  const [fewest, most] = NODE_MOVES;
  const moves = Math.max(fewest, Math.min(most, EFFORT / (edges.length * (edges.length + count) + 1)));
  let best = /** @type {Pair[]} */ ([]);
  let least = Infinity;
  for (let start = 0; start < NODE_STARTS; start += 1) {
    const order = Array.from({ length: count }, (_, k) => [start ? random() : k, k]).sort((a, b) => a[0] - b[0]);
    let at = /** @type {Pair[]} */ ([]);
    for (const [k, [, node]] of order.entries())
      at[node] = /** @type {Pair} */ (
        [0, 0.25].map((turn) => 0.5 + (0.5 - FREE_RIM) * Math.cos(2 * Math.PI * (k / count + turn)))
      );
    let cost = unclear(at, edges);
    for (let move = 0; move < moves; move += 1) {
      const reach = FARTHEST * (NEAREST / FARTHEST) ** (move / moves);
      const node = Math.floor(random() * count);
      const moved = [...at];
      moved[node] = /** @type {Pair} */ (
        at[node].map((place) => Math.min(1 - FREE_RIM, Math.max(FREE_RIM, place + reach * (2 * random() - 1))))
      );
      const now = unclear(moved, edges);
      if (now < cost) [at, cost] = [moved, now];
    }
    if (cost < least) [best, least] = [at, cost];
  }
  const low = [0, 1].map((axis) => Math.min(...best.map((place) => place[axis])));
  const span = [0, 1].map((axis) => Math.max(...best.map((place) => place[axis])) - low[axis] || 1);
  const spread = (/** @type {number} */ place, /** @type {number} */ axis) =>
    FREE_RIM + ((1 - 2 * FREE_RIM) * (place - low[axis])) / span[axis];
  return best.map((place) => /** @type {Pair} */ (place.map(spread)));
}
