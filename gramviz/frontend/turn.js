// The map in three dimensions: an orthographic view that is rotated by hand, and never rotates by itself. Pure
// geometry.

/** @import { Pair, Vector } from "./types.js" */

export const SLABS = 8; // slices of depth: what lies in a further one is drawn first, and thinner
/** Degrees: how 3-D opens, so that depth is seen at once. @type {Pair} */
export const ASIDE = [32, 18];

/** A rotation [to the right, down] in degrees, made legal: all the way round, and never upside down.
 * @param {readonly number[]} turn @returns {Pair} */
export const legalTurn = ([right, down]) => [
  Math.round((((right % 360) + 540) % 360) - 180),
  Math.round(Math.min(90, Math.max(-90, down))),
];

/** Whether the states of these planes fill a third component.
 * @param {{ basis: { variance?: number[] } }[]} planes */
export const isDeep = (planes) => planes.length > 0 && planes.every(({ basis }) => (basis.variance?.[2] ?? 0) > 0);

/** (x, y, z) around `center`, rotated: [across, up, towards the eye].
 * @param {Pair | null} turn @param {Vector} center @returns {(x: number, y: number, z: number) => Vector} */
export function turning(turn, center) {
  const [a, b] = (turn ?? [0, 0]).map((degrees) => (degrees * Math.PI) / 180);
  const [sa, ca, sb, cb] = [Math.sin(a), Math.cos(a), Math.sin(b), Math.cos(b)];
  return (x, y, z) => {
    const [dx, dy, dz] = [x - center[0], y - center[1], z - center[2]];
    const near = ca * dz - sa * dx;
    return [ca * dx + sa * dz, cb * dy - sb * near, sb * dy + cb * near];
  };
}

/** How thick a line, or how large a head, is in a slab: 0 is furthest. @param {number} slab */
export const nearness = (slab) => 0.45 + (0.9 * slab) / (SLABS - 1);

/** The slab of a depth from -1 (behind) to 1 (in front). @param {number} depth */
export const slabOf = (depth) => Math.min(SLABS - 1, Math.max(0, Math.floor(((depth + 1) / 2) * SLABS)));
