// The types that modules share, for `tsc`; nothing here runs, and the linker never sees it.

/** [x, y, z] of a state in the basis of a map, or an angle, a size, a middle. @typedef {[number, number, number]} Vector */
/** [x, y] on screen, or [right, down] in degrees. @typedef {[number, number]} Pair */

export {};
