// One sentence about what is pointed at, else chosen, else focused; and what a picture says of itself.

import { answerRows, answerWords, groupSentence } from "./answers.js";
import { boardView } from "./board.js";
import { changedCells, opponents, placeName, ranked, tokenLabel } from "./cells.js";
import { reasonSentence, tallySentence } from "./explain.js";
import { crowd, nearestTrajectory, seriesOf, whoIs } from "./groups.js";
import { address } from "./steps.js";
import { clean, number } from "./text.js";
import { words } from "./words.js";

/** @import { Payload, Series, State } from "./types.js" */
/** @typedef {Readonly<import("./store.js").Transient>} Transient */

/** A cell: what stands there, how it came, how sure, and with whom it conflicts.
 * @param {Payload} payload @param {State} state @param {Transient} transient @param {number} position */
function cellSentence(payload, state, transient, position) {
  const view = boardView(payload, state, transient);
  const { board } = payload;
  const place = placeName(board, position);
  if (view.counts) {
    const parts = ranked(view.counts, position, board.tokens.length).map(([token, count]) =>
      words.tokenShare(tokenLabel(board, token), count, view.crowd),
    );
    return words.cell.share(place, parts);
  }
  const { series, trajectory, step, tokens } = view;
  const token = tokens[position];
  const label = (/** @type {number} */ id) => tokenLabel(board, id);
  const against = view.against(position);
  const parts = [];
  parts.push(
    view.changed.has(position) && against === null
      ? words.cell.changed(place, label(series.tokens(trajectory, step - 1)[position]), label(token))
      : words.cell.now(place, label(token)),
  );
  if (view.given[position]) parts.push(words.cell.given);
  if (against !== null) parts.push(words.cell.against(label(against)));
  if (!view.given[position] && view.certainty) {
    const next =
      view.second && view.secondCertainty
        ? ` ${words.cell.next(label(view.second(position)), view.secondCertainty(position))}`
        : "";
    parts.push(words.cell.certainty(view.certainty(position)) + next);
  }
  if (view.layer) parts.push(`${view.layer.title} ${number(view.layer.values[position])}`);
  const sentences = [`${words.trajectoryName(series, trajectory)}: ${parts.join(", ")}.`];
  if (view.reasons?.has(position)) sentences.unshift(reasonSentence(board, view, position));
  const moved = view.effect?.values[position] ?? null;
  if (view.effect && moved !== null)
    sentences.unshift(words.patch.cell(place, view.effect.source, moved, view.effect.changed[position]));
  if (view.conflict(position)) {
    const others = opponents(board, tokens, position).map((other) => placeName(board, other));
    sentences.push(others.length ? words.cell.conflict(others) : board.ruled ? words.cell.breaks : words.cell.wrong);
  }
  const { pinned } = state;
  if (pinned && view.pinned && view.pinned[position] !== token)
    sentences.push(words.cell.other(words.trajectoryName(...whoIs(payload, pinned)), label(view.pinned[position])));
  if (view.other && view.other[position] !== token)
    sentences.push(words.cell.other(view.otherName, label(view.other[position])));
  if (view.truth && view.truth[position] !== token) sentences.push(words.cell.truth(label(view.truth[position])));
  return sentences.join(" ");
}

/** A trajectory: its answer, whether it settled, its drift and certainty at the cursor.
 * @param {Payload} payload @param {State} state @param {Series} series @param {number} trajectory */
function trajectorySentence(payload, state, series, trajectory) {
  const answer = series.final(trajectory);
  const letter = payload.answers[answer]?.letter;
  const parts = payload.bare ? [] : [words.trajectory.answer(letter, answerWords(payload, answer))];
  if (series.settled) parts.push(series.settled(trajectory) ? words.trajectory.settled : words.trajectory.wandering);
  const now = (/** @type {string} */ name) => series.curve(name, trajectory, state.cursor.step);
  const numbers = ["drift", "certainty", "value", ...Object.keys(payload.extra)]
    .filter((name) => Number.isFinite(now(name)))
    .map((name) => `${payload.extra[name]?.[0] ?? name} ${number(now(name))}`);
  const near = nearestTrajectory(payload, state, series, trajectory);
  if (near && !payload.bare)
    numbers.push(words.cell.nearest(words.trajectoryName(near.series, near.trajectory), near.distance));
  const said = [parts.join(", "), ...numbers].filter(Boolean);
  return `${words.trajectoryName(series, trajectory)}: ${said.join("; ")}.`;
}

/** A step of the shown trajectory: what changed, and the conflicts before and after.
 * @param {Payload} payload @param {State} state @param {Transient} transient */
function stepSentence(payload, state, transient) {
  const { series, trajectory, step } = boardView(payload, state, { ...transient, edit: null }); // not what is typed
  const conflicts = (/** @type {number} */ at) =>
    series.curves.conflicts ? series.curve("conflicts", trajectory, at) : null;
  const where = words.time.step(address(payload, step)).toLowerCase();
  const ended =
    state.cursor.step >= series.steps && payload.series.length > 1
      ? ` ${words.time.ended(series.letter, address(payload, series.steps - 1))}.`
      : "";
  const changes = changedCells(series, trajectory, step).length;
  const before = step > 0 ? conflicts(step - 1) : null;
  const after = step >= 0 ? conflicts(step) : null;
  const said = words.settledStep("", changes, before, after, payload.board.ruled).slice(2);
  return `${words.trajectoryName(series, trajectory)}, ${where}: ${said}${ended}`;
}

/** A low-level step of the focused trajectory: how far l moved, and where most; null at the end of a transition.
 * @param {Payload} payload @param {State} state */
function lowSentence(payload, { cursor: { step, low }, focus }) {
  const series = seriesOf(payload, focus[0]);
  if (low === null || !series.lowMoved || !series.lowDrift || step >= series.steps) return null;
  const moved = Array.from(series.lowMoved(focus[1], step, low - 1));
  const most = moved.indexOf(Math.max(...moved));
  const whole = number(series.lowDrift(focus[1], step, low - 1));
  const where = words.lowMost(placeName(payload.board, most), number(moved[most]));
  return `${words.lowStep(words.trajectoryName(series, focus[1]), low, series.low_steps, whole)} ${where} ${words.low}`;
}

/**
 * The trajectories of the pointed-at rows of answers.
 * @param {Payload} payload
 * @param {State} state
 * @param {(number | null)[]} answers
 */
const trajectoriesOf = (payload, state, answers) =>
  answerRows(payload, state).flatMap((row) => (answers.includes(row.id) ? row.trajectories : []));

/** The sentence of the details line. @param {Payload} payload @param {State} state @param {Transient} transient */
export function detailsSentence(payload, state, transient, veiled = false) {
  if (veiled) return words.lesson.locked; // a sentence here could give the answer away
  const { hover } = transient;
  if (hover?.cell !== undefined) return cellSentence(payload, state, transient, hover.cell);
  if (hover?.answers) return groupSentence(payload, trajectoriesOf(payload, state, hover.answers));
  if (hover?.members) {
    const all = crowd(payload, { ...state, selected: hover.members });
    return `${hover.note ?? ""} ${groupSentence(payload, all)}`.trim();
  }
  if (hover?.trajectory) return trajectorySentence(payload, state, ...whoIs(payload, hover.trajectory));
  const cell = state.cells.at(-1);
  if (cell !== undefined) return cellSentence(payload, state, transient, cell);
  if (Object.keys(state.selected).length) return groupSentence(payload, crowd(payload, state));
  const low = lowSentence(payload, state);
  if (low) return low;
  const trajectory = trajectorySentence(payload, state, ...whoIs(payload, state.focus));
  if (payload.bare) return `${words.time.step(address(payload, state.cursor.step))}, ${trajectory}`;
  const rest = trajectory.slice(trajectory.indexOf(": ") + 2); // the step's sentence may have named it already
  const { reasons: found } = boardView(payload, state, transient);
  const why = found ? `${tallySentence(found)}. ` : "";
  const end = state.board === "focus" ? rest[0].toUpperCase() + rest.slice(1) : trajectory;
  return `${why}${stepSentence(payload, state, transient)} ${end}`;
}

/** What a picture or a sheet of paper says of itself: the step, and which series of which checkpoints it shows.
 * @param {Payload} payload @param {State} state */
export function provenance(payload, state) {
  const where = words.time.step(address(payload, state.cursor.step, state.cursor.low));
  const series = payload.series.map((series) => words.provenance(series));
  return clean([`${payload.title}, ${words.puzzle(payload)}. ${where}.`, ...series].join(" "), 2000);
}
