// Time: addresses like "7.2", and the moments worth jumping to. Pure functions of the payload.

import { changedCells } from "./cells.js";
import { seriesOf, visibleSeries, whoIs } from "./groups.js";

/** @import { Payload, Series, State, Trajectory } from "./types.js" */

/** Where a state stands: {supervision, transition} of the longest series, and the words for it.
 * @param {Payload} payload @param {number} step @param {number | null} [low] */
export function address(payload, step, low = null) {
  const { lead } = payload;
  const at = Math.min(step, lead.steps - 1);
  if (at <= 0 && low === null) return "init";
  const parts = [lead.supervision_step[at]];
  if (hasTransitions(payload)) parts.push(lead.transition[at]);
  if (low !== null) parts.push(low);
  return parts.join(".");
}

/** Whether a supervision step holds more than one transition, so that the ruler needs two rows.
 * @param {Payload} payload */
export const hasTransitions = ({ lead }) => lead.transition.some((transition) => transition > 1);

/** The word for one tick of the ruler.
 * @param {Payload} payload */
export const tickName = (payload) => payload.levels[hasTransitions(payload) ? 1 : 0];

/** The supervision steps of the longest series: [{name, from, to}], `from` being the state before it.
 * @param {Payload} payload */
export function blocks({ lead }) {
  const found = /** @type {{ name: number, from: number, to: number }[]} */ ([]);
  for (let step = 1; step < lead.steps; step += 1) {
    const name = lead.supervision_step[step];
    const before = found.at(-1);
    if (before?.name === name) before.to = step;
    else found.push({ name, from: step - 1, to: step });
  }
  return found;
}

/** The last state of the next (or previous) supervision step.
 * @param {Payload} payload @param {number} step @param {number} direction */
export function supervisionJump(payload, step, direction) {
  const ends = [0, ...blocks(payload).map((block) => block.to)];
  return direction > 0 ? (ends.find((end) => end > step) ?? ends.at(-1)) : (ends.findLast((end) => end < step) ?? 0);
}

/** The next (or previous) step at which this trajectory's board changes, or null.
 * @param {Series} series @param {number} trajectory @param {number} step @param {number} direction */
export function changeJump(series, trajectory, step, direction) {
  for (let at = step + direction; at > 0 && at < series.steps; at += direction)
    if (changedCells(series, trajectory, at).length) return at;
  return null;
}

/** The first step whose board obeys every rule, or null.
 * @param {Series} series @param {number} trajectory */
export function firstCorrect(series, trajectory) {
  if (series.valid) for (let step = 0; step < series.steps; step += 1) if (series.valid(trajectory, step)) return step;
  return null;
}

/** The first step at which a board that obeyed every rule does so no more, or null.
 * @param {Series} series @param {number} trajectory */
export function rightNoMore(series, trajectory) {
  if (series.valid)
    for (let step = 1; step < series.steps; step += 1)
      if (series.valid(trajectory, step - 1) && !series.valid(trajectory, step)) return step;
  return null;
}

/** The first step from which, to the end, a trajectory's board is nearer (Hamming) to its own last board than to
 * another.
 * @param {Series} series @param {number} trajectory @param {number} last @param {Uint8Array} own
 * @param {Uint8Array} other */
function ownSince(series, trajectory, last, own, other) {
  let since = last + 1;
  for (; since > 0; since -= 1) {
    const now = series.tokens(trajectory, since - 1);
    let lead = 0;
    for (let cell = 0; cell < now.length; cell += 1) {
      const token = now[cell];
      if (token === own[cell]) lead += 1;
      if (token === other[cell]) lead -= 1;
    }
    if (lead <= 0) break;
  }
  return since;
}

/** The cell whose difference between two trajectories lasts from the earliest step, of equals the first; none if they
 * end alike.
 * @param {Series} series @param {number} trajectory @param {Series} other @param {number} otherTrajectory
 * @param {number} last */
function firstCell(series, trajectory, other, otherTrajectory, last) {
  let cells = [...series.tokens(trajectory, last).keys()];
  for (let step = last; step >= 0; step -= 1) {
    const [mine, theirs] = [series.tokens(trajectory, step), other.tokens(otherTrajectory, step)];
    const differing = cells.filter((cell) => mine[cell] !== theirs[cell]);
    if (!differing.length) return step < last ? cells[0] : undefined;
    cells = differing;
  }
  return cells[0];
}

/**
 * Where two trajectories part: {step, cell}, or null where they end alike. `step` is the smallest from which, to the
 * end, each trajectory's board is nearer (Hamming) to its own final answer than to the other's; `cell` the one whose
 * difference lasts from the earliest time. As gramviz.measure.parting_of; both are checked against
 * tests/vectors/parting.json.
 * @param {Series} series @param {number} trajectory @param {Series} other @param {number} otherTrajectory */
export function parting(series, trajectory, other, otherTrajectory) {
  const last = Math.max(series.steps, other.steps) - 1;
  const mine = series.tokens(trajectory, last);
  const theirs = other.tokens(otherTrajectory, last);
  const cell = firstCell(series, trajectory, other, otherTrajectory, last);
  if (cell === undefined) return null;
  return {
    step: Math.max(
      ownSince(series, trajectory, last, mine, theirs),
      ownSince(other, otherTrajectory, last, theirs, mine),
    ),
    cell,
  };
}

/** The trajectory that ends otherwise and parts from this one last, or null where all that are shown end alike.
 * @param {Payload} payload @param {State} state @param {Series} series @param {number} trajectory
 * @returns {Trajectory | null} */
export function rivalOf(payload, state, series, trajectory) {
  let [rival, latest] = [/** @type {Trajectory | null} */ (null), -1];
  for (const other of visibleSeries(payload, state))
    for (let k = 0; k < other.n; k += 1) {
      const { step } = parting(series, trajectory, other, k) ?? { step: -1 };
      if (step > latest) [rival, latest] = [[other.letter, k], step];
    }
  return rival;
}

/** Marks of the events row: [{step, kind, series, trajectory}], for the pinned and the focused trajectory.
 * @param {Payload} payload @param {State} state */
export function events(payload, state) {
  const found =
    /** @type {{ step: number, kind: "part" | "correct" | "left" | "halt", trajectories: Trajectory[] }[]} */ ([]);
  const { focus, pinned } = state;
  if (pinned && String(pinned) !== String(focus)) {
    const parted = parting(...whoIs(payload, pinned), ...whoIs(payload, focus));
    if (parted) found.push({ step: parted.step, kind: "part", trajectories: [pinned, focus] });
  }
  for (const who of pinned ? [focus, pinned] : [focus]) {
    const series = seriesOf(payload, who[0]);
    const right = firstCorrect(series, who[1]);
    if (right !== null) found.push({ step: right, kind: "correct", trajectories: [who] });
    const left = rightNoMore(series, who[1]);
    if (left !== null) found.push({ step: left, kind: "left", trajectories: [who] });
    if (series.halted(who[1]) >= 0) found.push({ step: series.halted(who[1]), kind: "halt", trajectories: [who] });
  }
  const key = (/** @type {(typeof found)[0]} */ event) => `${event.step} ${event.kind} ${event.trajectories.join()}`;
  return found.filter((event, index) => found.findIndex((other) => key(other) === key(event)) === index);
}
