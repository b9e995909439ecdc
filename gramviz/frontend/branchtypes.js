// The types of experiments, for `tsc`; nothing here runs, and the linker never sees it.

/**
 * @typedef {object} BranchRow a line of the tree of branches, as `gramviz.explorer.branches.Row`
 * @property {string} name
 * @property {string} cause
 * @property {string} outcome
 * @property {string | null} letter null: it is not shown
 * @property {boolean} pinned
 * @property {number} depth
 */
/**
 * @typedef {object} Effect what `Explorer.patch_each` found, by position
 * @property {string} series
 * @property {number} trajectory
 * @property {string} at
 * @property {string} source
 * @property {(number | null)[]} values
 * @property {number[]} changed
 */

export {};
