// What branches and patches say; a part of `words`.

import { plural } from "./text.js";

export const branchWords = {
  branches: {
    title: "Branches",
    show: (/** @type {string} */ name) => `Show ${name}`,
    compare: "Compare",
    pin: "Pin",
    rename: "Rename",
    hide: "Hide",
    remove: "Delete",
    /** @type {Record<string, string>} */
    hints: {
      compare: "Show it against the trajectory that it grew from",
      pin: "Keep it shown when another branch needs its place",
      rename: "Another name: Enter takes it, Esc leaves",
      hide: "Keep it in this list alone",
      delete: "Take it out, with what grew from it",
    },
    hidden: "not shown",
    line: (/** @type {string} */ cause, /** @type {string} */ outcome) => `${cause}; ${outcome}`,
  },
  patch: {
    title: "Patch",
    some: (/** @type {string[] | null} */ cells, /** @type {string | null} */ name) => {
      const which = cells ? (cells.length > 3 ? plural(cells.length, "cell") : cells.join(", ")) : "all cells";
      return `Patch ${which} from ${name ?? "the pinned trajectory"}`;
    },
    each: (/** @type {string | null} */ name) => `Patch each cell in turn from ${name ?? "the pinned trajectory"}`,
    value: (/** @type {number} */ value) => value.toFixed(2).replace("-", "−"),
    clear: "Take the effect off the board",
    legend: (/** @type {string} */ source, /** @type {string} */ at) => `effect of patching from ${source} at ${at}`,
    cell: (
      /** @type {string} */ place,
      /** @type {string} */ source,
      /** @type {number} */ value,
      /** @type {number} */ n,
    ) =>
      `Patching ${place} from ${source}: effect ${branchWords.patch.value(value)}, ` +
      `${plural(n, "cell")} of the answer changed.`,
  },
};
