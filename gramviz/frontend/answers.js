// Answers: which were reached, by which trajectories, and which one each rule would choose. Pure functions.

import { majority, allOf, visibleSeries } from "./groups.js";
import { percent } from "./text.js";
import { words } from "./words.js";

/** @import { Answer, Payload, Series, State, Who } from "./types.js" */
/**
 * @typedef {object} AnswerRow
 * @property {number | null} id of the answer; null for a board that is no final answer, -1 for several answers
 * @property {(number | null)[]} [ids] the answers of a row of several
 * @property {string | null} letter
 * @property {string} label
 * @property {number} outcome
 * @property {Record<string, number>} counts by letter of the series
 * @property {number} total
 * @property {Who[]} trajectories
 */

/** The outcome of an answer: that of a trajectory which ends in it. 0 wrong, 1 correct, 2 not finished, 3 unknown.
 * @param {Payload} payload @param {number} id */
export function outcomeOf(payload, id) {
  for (const series of payload.series)
    for (let trajectory = 0; trajectory < series.n; trajectory += 1)
      if (series.final(trajectory) === id) return series.outcome(trajectory);
  return 3;
}

/** An answer in words: "correct", "2 conflicts", ... @param {Payload} payload @param {number} id */
export function answerWords(payload, id) {
  const answer = payload.answers[id];
  const outcome = outcomeOf(payload, id);
  if (outcome === 1) return words.answers.right;
  if (outcome === 3 || !answer) return words.answers.unknown;
  if (outcome > 3) return words.outcomes[outcome];
  if (answer.valid) return words.answers.other;
  return outcome === 2 ? words.answers.unfinished : words.answers.conflicts(answer.conflicts ?? 0, payload.board.ruled);
}

/** The answers that are reached, largest first. @param {Payload} payload @param {State} state @returns {AnswerRow[]} */
export function answerRows(payload, state) {
  /** @type {Map<number | null, AnswerRow>} */
  const byId = new Map();
  for (const [series, trajectory] of allOf(visibleSeries(payload, state))) {
    const id = state.answers_at === "final" ? series.final(trajectory) : series.answer(trajectory, state.cursor.step);
    const row = byId.get(id) ?? {
      id,
      letter: id === null ? null : (payload.answers[id]?.letter ?? null),
      label: id === null ? words.answers.between : answerWords(payload, id),
      outcome: id === null ? 2 : outcomeOf(payload, id),
      counts: {},
      total: 0,
      trajectories: [],
    };
    byId.set(id, row);
    row.counts[series.letter] = (row.counts[series.letter] ?? 0) + 1;
    row.total += 1;
    row.trajectories.push([series, trajectory]);
  }
  // Letters are fixed by final size and stay in place during play; "on the way" comes last.
  return [...byId.values()].sort((a, b) => (a.id ?? Infinity) - (b.id ?? Infinity));
}

/** What stands where the rollout cannot say what is right. @param {Payload} payload */
export const unjudged = ({ board }) => words.answers[board.kind === "image" ? "picture" : "noValid"];

/** What each rule of choice takes from the trajectories of a series: the rule, an answer, and a note.
 * @param {Series} series @returns {{ rule: string, id: number, note: string }[]} */
export function choices(series) {
  const found = [];
  if (series.n === 1) return [{ rule: words.answers.alone(series.name), id: series.final(0), note: "" }];
  const [most, votes] = majority(series);
  found.push({ rule: words.answers.majority, id: most, note: `${votes} of ${series.n}` });
  for (const rule of /** @type {const} */ (["value", "halt"])) {
    if (!series.curves[rule]) continue;
    const values = Array.from({ length: series.n }, (_, trajectory) =>
      series.curve(rule, trajectory, series.steps - 1),
    );
    const best = values.reduce(
      (first, value, trajectory) =>
        value > (values[first] ?? -Infinity) || !Number.isFinite(values[first]) ? trajectory : first,
      0,
    );
    if (Number.isFinite(values[best]))
      found.push({ rule: words.answers[rule], id: series.final(best), note: values[best].toFixed(2) });
  }
  if (series.valid) {
    const right = [...Array(series.n).keys()].find((trajectory) => series.outcome(trajectory) === 1);
    found.push({ rule: words.answers.any, id: right === undefined ? most : series.final(right), note: "" });
  }
  return found;
}

/** How many different correct answers the trajectories of this puzzle end in, not of an edited one.
 * @param {Payload} payload */
export function solutionsFound(payload) {
  const letters = payload.series.filter(({ x }) => !x).map(({ letter }) => letter);
  const isFound = (/** @type {Answer} */ { counts }) => letters.some((letter) => counts[letter]);
  return payload.answers.filter((answer, id) => answer.valid && outcomeOf(payload, id) === 1 && isFound(answer)).length;
}

/**
 * What a set of trajectories holds, in words: "9 trajectories: 7 answer b, 2 answer c".
 * @param {Payload} payload
 * @param {Who[]} trajectories
 */
export function groupSentence(payload, trajectories) {
  if (!trajectories.length) return "";
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const [series, trajectory] of trajectories)
    counts.set(series.final(trajectory), (counts.get(series.final(trajectory)) ?? 0) + 1);
  const parts = [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 4)
    .map(([id, n]) => words.answerShare(n, payload.answers[id]?.letter));
  const judged = trajectories.filter(([series]) => series.valid);
  const right = judged.filter(([series, trajectory]) => series.outcome(trajectory) === 1).length;
  return (
    words.map.lassoed(trajectories.length, payload.bare ? [] : parts) +
    (judged.length ? `; ${percent(right / judged.length, 0)} correct.` : ".")
  );
}
