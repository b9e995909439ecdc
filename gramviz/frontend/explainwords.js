// What is said of the reasons for a change; a part of `words`.

import { plural } from "./text.js";

export const explainWords = {
  none: "Only Sudoku has rules that this explains.",
  known: "Known are the givens, and the cells free of conflict that the step leaves as they are.",
  /** @type {Record<string, string>} */
  reasons: {
    given: "the given again",
    erased: "erased",
    contradicts: "contradicts another cell",
    naked: "naked single",
    box: "hidden single in its box",
    row: "hidden single in its row",
    column: "hidden single in its column",
    locked: "single after pairs and pointing",
    rules: "follows from the rules, by search",
    guess: "guess",
  },
  /** @type {Record<string, string>} */
  legend: { contradicts: "contradicts", hidden: "hidden single", locked: "after pairs", rules: "by search" },
  became: (/** @type {string} */ place, /** @type {string} */ label, /** @type {string} */ reason) =>
    `${place[0].toUpperCase()}${place.slice(1)} became ${label}: ${explainWords.reasons[reason]}.`,
  /** @param {number} all @param {{ [kind: string]: number }} kinds */
  tally: (all, { follow, erased, contradicts, guess }) => {
    const parts = [
      follow && `${follow} follow${follow > 1 ? "" : "s"}`,
      erased && `${erased} erased`,
      contradicts && `${contradicts} contradict${contradicts > 1 ? "" : "s"}`,
      guess && plural(guess, "guess", "guesses"),
    ].filter(Boolean);
    return `${plural(all, "change")}${parts.length ? ": " : ""}${parts.join(", ")}`;
  },
};
