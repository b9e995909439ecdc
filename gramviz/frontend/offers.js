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

/** Another puzzle, and branches from the state that is shown. @param {Context} context @returns {Choice[]} */
export function editOffers({ payload, store, kernel }) {
  const { focus, pinned, cursor } = store.state;
  const series = seriesOf(payload, focus[0]);
  const step = series.held(cursor.step);
  const name = words.trajectoryName(series, focus[1]);
  const branch =
    (more = {}) =>
    () =>
      kernel.ask({ ask: "branch", series: series.letter, trajectory: focus[1], step, ...more });
  const why = kernel.refusal("branch");
  const editing = kernel.refusal("edit") ?? (payload.x ? null : words.edit.beside);
  const { edit } = store.transient;
  const other = pinned && String(pinned) !== String(focus) ? pinned : null;
  const related = other && seriesOf(payload, other[0]).checkpoint === series.checkpoint;
  const towards = words.edit.towards(other ? words.trajectoryName(seriesOf(payload, other[0]), other[1]) : null);
  return [
    { ...offer(words.edit.puzzle, () => store.poke({ edit: edit ? null : {} }), editing), checked: Boolean(edit) },
    offer(words.edit.branch(name, address(payload, step)), branch(), why),
    ...(why
      ? []
      : [
          offer(towards, branch({ towards: other }), related ? null : words.edit.pin),
          ...[1, 2].map((along) => offer(words.edit.along(along), branch({ along }), null)),
        ]),
  ];
}
