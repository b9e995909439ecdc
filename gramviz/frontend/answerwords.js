// What river, answer map and score say; a part of `words`.

import { percent, plural } from "./text.js";

/** @import { AnswerSpace, Basis, Lane } from "./types.js" */

export const answerMapWords = {
  lane: (/** @type {Lane} */ { letter, right }, /** @type {string} */ count) =>
    `${letter ?? (right ? "right" : "wrong")} × ${count}`,
  trunk: (/** @type {AnswerSpace["trunk"]} */ { right }, /** @type {string} */ count) =>
    `${right ? "others" : "no answer"} × ${count}`,
  decisive: (/** @type {string} */ cell, /** @type {number} */ share) => `${cell} tells ${percent(share, 0)}`,
  homeless: "no answer",
  ofH: "PCA of h",
  noLane: "No trajectory stays at an answer.",
  toEnd: "cells that differ from its last board",
  ofAnswers: (/** @type {AnswerSpace} */ { share, shear, kind }, /** @type {boolean} */ short) => {
    const [what, rest] = short ? ["answers", ""] : ["answers, not latent", " of the variance"];
    const sheared = kind === "star" ? `, shear ${shear.toFixed(1)}` : "";
    return `${what}: ${share ? percent(share, 0) + rest : "nothing varies"}${sheared}`;
  },
  /** How a map of answers is read. @param {Pick<Basis, "name">} basis @param {AnswerSpace} space */
  reading: ({ name }, { kind, warm_up, symbols, lanes }) => {
    const circle = kind === "pca" ? "" : "Circle: an answer, short of it is doubt; ";
    const below = lanes.some(({ right }) => right === false) ? "; wrong answers lie below" : "";
    const across = kind === "line" ? "; across: what varies most besides" : "";
    /** @type {Record<string, string>} */
    const texts = {
      river: `Ring: it stays from here${below}.`,
      answers: `${circle}+: mean after the warm-up (step ${warm_up})${across}.`,
      score: "Blue: the token that stays, vermilion: another, as deep as it is certain; ×: wrong in the end.",
    };
    return texts[name] + (symbols.length && name === "river" ? " Colors are named by the last board." : "");
  },
  away: (
    /** @type {string} */ who,
    /** @type {number} */ cells,
    /** @type {string | null} */ letter,
    /** @type {boolean} */ graph,
  ) => `${who} is ${plural(cells, graph ? "node" : "cell")} from ${letter ? ["answer", letter].join(" ") : "it"}.`,
};
