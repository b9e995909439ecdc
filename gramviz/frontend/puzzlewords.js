// What the browser of puzzles and the contact sheet say.

import { plural } from "./text.js";

/** @import { Payload } from "./types.js" */

export const puzzleWords = {
  /** As gramviz.explorer.puzzles.puzzle_name. @param {Payload} payload */
  puzzle: ({ puzzle, puzzles, index }) => {
    const place = `${puzzle + 1} of ${puzzles}`;
    if (index === null || index === puzzle) return `puzzle ${place}`;
    return puzzles > 1 ? `puzzle #${index}, ${place}` : `puzzle #${index}`;
  },
  puzzles: {
    title: "Puzzles",
    by: {
      index: "In order",
      accuracy: "Fewest right",
      disagreement: "Most disagreement",
      difficulty: "Hardest",
      solutions: "Most solutions",
    },
    apart: (/** @type {string} */ a, /** @type {string} */ b) => `${a} fails, ${b} does not`,
    failed: (/** @type {number[]} */ [count, all], /** @type {string} */ a, /** @type {string} */ b) =>
      `${count} of ${all}: no trajectory of ${a} is right, some of ${b} are`,
    right: (/** @type {number} */ right, /** @type {number} */ all) => `${right} of ${all} right`,
    disagree: (/** @type {string} */ share) => `${share} disagree`,
    rated: (/** @type {number} */ rating) => `rating ${rating}`,
    name: (/** @type {number | undefined} */ index, /** @type {number} */ at) =>
      index === undefined || index === at ? `${at + 1}` : `#${index}`,
    count: (/** @type {number} */ count) => plural(count, "puzzle"),
    previous: "Previous puzzle",
    next: "Next puzzle",
    last: "There is no further puzzle in this order.",
    absent: (/** @type {string} */ letter) => `${letter} does not hold this puzzle.`,
    held: (/** @type {number} */ count) =>
      `This page holds ${plural(count, "puzzle")}; the others need a kernel: open the rollout in JupyterLab.`,
    reading: "Reading the puzzle …",
  },
  samples: {
    title: "Samples",
    by: { trajectory: "By number", outcome: "By outcome", answer: "By answer", value: "By value" },
    at: (/** @type {number} */ count, /** @type {string} */ address) =>
      `${plural(count, "trajectory", "trajectories")}, at ${address}`,
    group: (/** @type {string} */ name, /** @type {number} */ count) => `${name}: ${count}`,
  },
};
