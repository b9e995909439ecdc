// What the menus offer of things that only a model can answer: each offer, or why it cannot be had.

import { cellName } from "./cells.js";
import { seriesOf } from "./groups.js";
import { address } from "./steps.js";
import { clean } from "./text.js";
import { words } from "./words.js";

const MOST_SERIES = 4;

/** @typedef {import("./registry.js").Context} Context */
/** @typedef {import("./menu.js").Choice} Choice */

/** @param {string} label @param {() => void} act @param {string | null} why @returns {Choice} */
const offer = (label, act, why) => ({ label, act, why, disabled: Boolean(why) });

/** Planes that the page does not hold: that of the chosen cell, if the kernel packs it. @param {Context} context */
export function planeOffers({ payload, store, kernel }) {
  const [cell] = store.state.cells;
  if (cell !== undefined && payload.bases.some((basis) => basis.name === `cell${cell}`)) return [];
  const refusal = kernel.refusal("cell");
  const why =
    payload.missing.h ??
    (refusal === words.edit.model ? words.edit.rollout : refusal) ??
    (cell === undefined ? words.edit.plane : null);
  const kind = payload.board.kind === "graph" ? "node" : "cell";
  const name = cell === undefined ? null : `${kind} ${cellName(payload.board, cell)}`;
  return [offer(words.edit.cell(name), () => kernel.ask({ ask: "cell", cell }), why)];
}

/** The rollouts that the kernel was lent, by number. @param {Context} context */
export function compareOffers({ payload, kernel }) {
  const names = kernel.others();
  const refusal = kernel.refusal("compare");
  const why =
    refusal === words.edit.model
      ? words.edit.lend
      : (refusal ?? (payload.series.length === MOST_SERIES ? words.edit.full : null));
  return (names.length ? names.map((name) => clean(name, 60)) : [words.edit.other]).map((label, other) =>
    offer(label, () => kernel.ask(names.length ? { ask: "compare", other } : { ask: "compare" }), why),
  );
}

/**
 * The pinned trajectory, if its states can stand in the place of the focused one's, and its name.
 * @param {Pick<Context, "payload" | "store">} context
 */
function sourceOf({ payload, store }) {
  const { focus, pinned } = store.state;
  if (!pinned || String(pinned) === String(focus)) return { other: null, name: null };
  const [mine, theirs] = [focus, pinned].map(([letter]) => seriesOf(payload, letter));
  const related = theirs.checkpoint === mine.checkpoint;
  return { other: related ? pinned : null, name: words.trajectoryName(theirs, pinned[1]) };
}

/** Activation patching, from the pinned trajectory into the focused one.
 * @param {Context} context @returns {Choice[]} */
export function patchOffers({ payload, store, kernel }) {
  const { focus, cursor, cells } = store.state;
  const series = seriesOf(payload, focus[0]);
  const { other, name } = sourceOf({ payload, store });
  const question = { series: series.letter, trajectory: focus[1], step: series.held(cursor.step), patch: other };
  const why = (/** @type {string} */ what) => kernel.refusal(what) ?? (other ? null : words.edit.pin);
  const chosen = cells.length ? cells : null;
  const { patch } = words;
  const names = chosen?.map((cell) => cellName(payload.board, cell)) ?? null;
  const { effect } = store.transient;
  return [
    offer(patch.some(names, name), () => kernel.ask({ ask: "branch", ...question, cells: chosen }), why("branch")),
    offer(patch.each(name), () => kernel.ask({ ask: "each", ...question }), why("each")),
    ...(effect ? [offer(patch.clear, () => kernel.clearEffect(store), null)] : []),
  ];
}

/** Another puzzle, and branches from the state that is shown. @param {Context} context @returns {Choice[]} */
export function editOffers({ payload, store, kernel }) {
  const { focus, cursor } = store.state;
  const series = seriesOf(payload, focus[0]);
  const step = series.held(cursor.step);
  const name = words.trajectoryName(series, focus[1]);
  const branch =
    (more = {}) =>
    () =>
      kernel.ask({ ask: "branch", series: series.letter, trajectory: focus[1], step, ...more });
  const why = kernel.refusal("branch");
  const editing = why ?? (payload.x ? null : words.edit.beside);
  const { edit } = store.transient;
  const { other, name: from } = sourceOf({ payload, store });
  return [
    { ...offer(words.edit.puzzle, () => store.poke({ edit: edit ? null : {} }), editing), checked: Boolean(edit) },
    offer(words.edit.branch(name, address(payload, step)), branch(), why),
    ...(why
      ? []
      : [
          offer(words.edit.towards(from), branch({ patch: other, by: 0.5 }), other ? null : words.edit.pin),
          ...[1, 2].map((along) => offer(words.edit.along(along), branch({ nudge: [along, 1] }), null)),
        ]),
  ];
}
