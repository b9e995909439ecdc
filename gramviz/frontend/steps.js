// Time: addresses like "7.2", and the moments worth jumping to. Pure functions of the payload.

import { changedCells } from "./cells.js";
import { runOf } from "./groups.js";

/** @import { Payload, Series, State, Trajectory } from "./types.js" */

/** Where a state stands: {supervision, transition} of the longest run, and the words for it.
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

/** The supervision steps of the longest run: [{name, from, to}], `from` being the state before it.
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

/** The next (or previous) step at which this path's board changes, or null.
 * @param {Series} run @param {number} path @param {number} step @param {number} direction */
export function changeJump(run, path, step, direction) {
  for (let at = step + direction; at > 0 && at < run.steps; at += direction)
    if (changedCells(run, path, at).length) return at;
  return null;
}

/** The first step whose board obeys every rule, or null.
 * @param {Series} run @param {number} path */
export function firstCorrect(run, path) {
  if (run.valid) for (let step = 0; step < run.steps; step += 1) if (run.valid(path, step)) return step;
  return null;
}

/** The first step from which, to the end, a path's board is nearer (Hamming) to its own last board than to another.
 * @param {Series} run @param {number} path @param {number} last @param {Uint8Array} own @param {Uint8Array} other */
export function ownSince(run, path, last, own, other) {
  let since = last + 1;
  for (; since > 0; since -= 1) {
    const now = run.tokens(path, since - 1);
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

/** The cell whose difference between two paths lasts from the earliest step, of equals the first; none if they end
 * alike.
 * @param {Series} run @param {number} path @param {Series} other @param {number} otherPath @param {number} last */
export function firstCell(run, path, other, otherPath, last) {
  let cells = [...run.tokens(path, last).keys()];
  for (let step = last; step >= 0; step -= 1) {
    const [mine, theirs] = [run.tokens(path, step), other.tokens(otherPath, step)];
    const differing = cells.filter((cell) => mine[cell] !== theirs[cell]);
    if (!differing.length) return step < last ? cells[0] : undefined;
    cells = differing;
  }
  return cells[0];
}

/**
 * Where two paths part: {step, cell}, or null where they end alike. `step` is the smallest from which, to the end, each
 * path's board is nearer (Hamming) to its own final answer than to the other's; `cell` the one whose difference lasts
 * from the earliest time. As gramviz.measure.parting_of; both are checked against tests/vectors/parting.json.
 * @param {Series} run @param {number} path @param {Series} other @param {number} otherPath */
export function parting(run, path, other, otherPath) {
  const last = Math.max(run.steps, other.steps) - 1;
  const mine = run.tokens(path, last);
  const theirs = other.tokens(otherPath, last);
  const cell = firstCell(run, path, other, otherPath, last);
  if (cell === undefined) return null;
  return {
    step: Math.max(ownSince(run, path, last, mine, theirs), ownSince(other, otherPath, last, theirs, mine)),
    cell,
  };
}

/** Marks of the events row: [{step, kind, run, path}], for the pinned and the focused path.
 * @param {Payload} payload @param {State} state */
export function events(payload, state) {
  const found = /** @type {{ step: number, kind: "part" | "correct" | "halt", paths: Trajectory[] }[]} */ ([]);
  const { focus, pinned } = state;
  if (pinned && String(pinned) !== String(focus)) {
    const parted = parting(runOf(payload, pinned[0]), pinned[1], runOf(payload, focus[0]), focus[1]);
    if (parted) found.push({ step: parted.step, kind: "part", paths: [pinned, focus] });
  }
  for (const who of pinned ? [focus, pinned] : [focus]) {
    const run = runOf(payload, who[0]);
    const right = firstCorrect(run, who[1]);
    if (right !== null) found.push({ step: right, kind: "correct", paths: [who] });
    if (run.halted(who[1]) >= 0) found.push({ step: run.halted(who[1]), kind: "halt", paths: [who] });
  }
  const key = (/** @type {(typeof found)[0]} */ event) => `${event.step} ${event.kind} ${event.paths.join()}`;
  return found.filter((event, index) => found.findIndex((other) => key(other) === key(event)) === index);
}
