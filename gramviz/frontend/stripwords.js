// What the strip below the map says of selection and panels; a part of `words`.

import { plural } from "./text.js";

export const stripWords = {
  select: {
    title: "Select",
    clear: "Clear",
    clearHint: "Selects nothing (Esc)",
    group: (/** @type {string} */ label, /** @type {number} */ count) =>
      `${label}: ${plural(count, "trajectory", "trajectories")}; a press selects them`,
    count: (/** @type {number} */ count, /** @type {number} */ all, /** @type {number | null} */ right) => {
      if (!count) return "None selected";
      return right === null ? `${count} of ${all} selected` : `${count} of ${all} selected: ${right} right`;
    },
    // A label, what it means, and what is said where there are none.
    /** @type {[string, string, string]} */
    right: ["Right ones", "Selects the trajectories that end right", "No trajectory ends right."],
    /** @type {(name: string) => [string, string, string]} */
    answer: (name) => ["Same answer", `Selects those that end as ${name} does`, "None."],
    /** @type {(name: string) => [string, string, string]} */
    part: (name) => [
      "Part here",
      `Selects those that part from ${name} at this step`,
      `No trajectory parts from ${name} at this step.`,
    ],
    /** @type {(name: string, place: string) => [string, string, string]} */
    cell: (name, place) => ["Same token", `Selects those that have in ${place} what ${name} has`, "None."],
    /** @type {[string, string, string]} */
    left: [
      "Right, then wrong",
      "Selects those that were right at a step and not at the next",
      "None was right and left.",
    ],
    /** @type {[string, string, string]} */
    others: ["The others", "Selects what is not selected", "All are selected."],
  },
  panels: {
    title: "Panels",
    board: "Board",
    map: "Map",
    answers: "Answers",
    curves: "Curves",
    divider: { board: "Width of the board", answers: "Width of the answers", curves: "Height of the curves" },
    dividerHint: "Drag, or press an arrow key; double-click or Enter: automatic",
  },
};
