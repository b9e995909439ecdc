// Answers: which were reached, by which trajectories, and which one each rule would choose. Pure functions.

import { percent } from "./text.js";
import { words } from "./words.js";

/** @import { Payload, Series, State, Who } from "./types.js" */
/**
 * @typedef {object} AnswerRow
 * @property {number | null} id of the answer; null for a board that is no final answer, -1 for several answers
 * @property {(number | null)[]} [ids] the answers of a row of several
 * @property {string | null} letter
 * @property {string} label
 * @property {number} outcome
 * @property {Record<string, number>} counts by letter of the series
 * @property {number} total
 * @property {Who[]} paths
 */

/** The outcome of an answer: that of a trajectory which ends in it. 0 wrong, 1 correct, 2 not finished, 3 unknown.
 * @param {Payload} payload @param {number} id */
export function outcomeOf(payload, id) {
  for (const run of payload.runs)
    for (let path = 0; path < run.n; path += 1) if (run.final(path) === id) return run.outcome(path);
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
  for (const run of payload.runs) {
    if (state.hidden.includes(run.letter)) continue;
    for (let path = 0; path < run.n; path += 1) {
      const id = state.answers_at === "final" ? run.final(path) : run.answer(path, state.cursor.step);
      const row = byId.get(id) ?? {
        id,
        letter: id === null ? null : (payload.answers[id]?.letter ?? null),
        label: id === null ? words.answers.between : answerWords(payload, id),
        outcome: id === null ? 2 : outcomeOf(payload, id),
        counts: {},
        total: 0,
        paths: [],
      };
      byId.set(id, row);
      row.counts[run.letter] = (row.counts[run.letter] ?? 0) + 1;
      row.total += 1;
      row.paths.push([run, path]);
    }
  }
  // Letters are fixed by final size and stay in place during play; "on the way" comes last.
  return [...byId.values()].sort((a, b) => (a.id ?? Infinity) - (b.id ?? Infinity));
}

/** What each rule of choice takes from the trajectories of a series: the rule, an answer, and a note.
 * @param {Series} run @returns {{ rule: string, id: number, note: string }[]} */
export function choices(run) {
  const found = [];
  if (run.n === 1) return [{ rule: words.answers.alone(run.name), id: run.final(0), note: "" }];
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (let path = 0; path < run.n; path += 1) counts.set(run.final(path), (counts.get(run.final(path)) ?? 0) + 1);
  const [majority, votes] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0];
  found.push({ rule: words.answers.majority, id: majority, note: `${votes} of ${run.n}` });
  if (run.curves.value) {
    const values = Array.from({ length: run.n }, (_, path) => run.curve("value", path, run.steps - 1));
    const best = values.reduce(
      (most, value, path) => (value > (values[most] ?? -Infinity) || !Number.isFinite(values[most]) ? path : most),
      0,
    );
    if (Number.isFinite(values[best]))
      found.push({ rule: words.answers.value, id: run.final(best), note: values[best].toFixed(2) });
  }
  if (run.valid) {
    const right = Array.from({ length: run.n }, (_, path) => path).find((path) => run.outcome(path) === 1);
    found.push({ rule: words.answers.oracle, id: right === undefined ? majority : run.final(right), note: "" });
  }
  return found;
}

/** How many different correct answers the trajectories end in. @param {Payload} payload */
export const solutionsFound = (payload) =>
  payload.answers.filter((answer, id) => answer.valid && outcomeOf(payload, id) === 1).length;

/**
 * What a set of trajectories holds, in words: "9 paths: 7 answer b, 2 answer c".
 * @param {Payload} payload
 * @param {Who[]} paths
 */
export function groupSentence(payload, paths) {
  if (!paths.length) return "";
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const [run, path] of paths) counts.set(run.final(path), (counts.get(run.final(path)) ?? 0) + 1);
  const parts = [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 4)
    .map(([id, n]) => words.answerShare(n, payload.answers[id]?.letter));
  const judged = paths.filter(([run]) => run.valid);
  const right = judged.filter(([run, path]) => run.outcome(path) === 1).length;
  return (
    words.map.lassoed(paths.length, parts) + (judged.length ? `; ${percent(right / judged.length, 0)} correct.` : ".")
  );
}
