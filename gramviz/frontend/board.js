// What the board shows: one trajectory's answer, the difference of two, or what all trajectories say, at the cursor.

import { changedCells, distribution, placeName, ranked, tokenLabel } from "./cells.js";
import { reasonsAt } from "./explain.js";
import { crowd, otherPath, runOf, shownPath } from "./groups.js";
import { words } from "./words.js";

const TRAIL = 3; // transitions over which an older change fades

/** While the puzzle is edited the board shows what is given, with what was typed since; else `view` itself. */
function drafted(payload, { edit }, view) {
  if (!edit) return view;
  const tokens = Uint8Array.from(payload.x, (token, cell) => edit[cell] ?? token);
  return {
    ...view,
    ...{ mode: "one", trail: [], reasons: null, certainty: null, second: null, pinned: null, truth: null, draft: true },
    run: { ...view.run, tokens: () => payload.x }, // what was there before a change
    tokens,
    given: Array.from(tokens, (token) => !payload.board.blank.includes(token)),
    changed: new Set(Object.keys(edit).map(Number)),
    conflict: () => false,
  };
}

/** What the board shows now. Also the source of the spoken cells and of the exported picture. */
export function boardView(payload, state, transient, small = false) {
  const { hover } = transient;
  const [run, path] = shownPath(payload, state, hover);
  const { low } = state.cursor;
  const step = low === null ? state.cursor.step : state.cursor.step - 1; // h, and so the answer, is that of the transition before
  const other = otherPath(payload, state);
  const preview = Boolean(hover?.path || hover?.preview);
  const mode = preview ? "one" : state.board === "all" ? "all" : state.board === "differ" && other ? "differ" : "one";
  const who = mode === "all" ? crowd(payload, state) : [];
  const counts = mode === "all" ? distribution(payload, who, step) : null;
  const kinds = payload.board.tokens.length;
  const tokens = counts
    ? Uint8Array.from({ length: payload.board.size }, (_, position) => ranked(counts, position, kinds)[0][0])
    : run.tokens(path, step);
  const changed = mode === "one" && low === null ? new Set(changedCells(run, path, step)) : new Set();
  const trail =
    mode === "one" && state.layers.includes("trail")
      ? Array.from({ length: TRAIL }, (_, k) => new Set(changedCells(run, path, step - 1 - k)))
      : [];
  const pinned =
    mode === "one" && state.pinned && !(state.pinned[0] === run.letter && state.pinned[1] === path)
      ? runOf(payload, state.pinned[0]).tokens(state.pinned[1], step)
      : null;
  return drafted(payload, transient, {
    board: payload.board,
    given: payload.given,
    mode,
    run,
    path,
    step,
    tokens,
    counts,
    crowd: who.length,
    changed,
    trail,
    pinned,
    preview,
    small,
    other: mode === "differ" ? other[0].tokens(other[1], step) : null,
    otherName: other ? words.pathName(...other) : "",
    conflict: (position) => mode === "one" && Boolean(run.conflict?.(path, step, position)),
    certainty: run.certainty && ((position) => run.certainty(path, step, position)),
    second: run.second && ((position) => run.second(path, step, position)),
    secondCertainty: run.secondCertainty && ((position) => run.secondCertainty(path, step, position)),
    reasons: mode === "one" && low === null && state.layers.includes("explain") ? reasonsAt(payload, run, path, step) : null,
    truth: state.layers.includes("truth") ? payload.y : null,
    hover: hover?.cell ?? null,
    cells: state.cells,
    token: state.token,
  });
}

/** What a screen reader says of one cell. */
export function spokenCell(payload, view, position) {
  const parts = [placeName(payload.board, position), tokenLabel(payload.board, view.tokens[position])];
  parts.push(view.given[position] ? words.cell.given : words.cell.guess);
  if (view.changed.has(position)) parts.push(words.legend.changed);
  if (view.reasons?.has(position)) parts.push(words.explain.reasons[view.reasons.get(position)]);
  if (view.conflict(position)) parts.push(payload.board.ruled ? `in ${words.legend.conflict}` : words.pair.wrong);
  if (view.mode === "one" && view.certainty)
    parts.push(`${words.legend.certainty} ${Math.round(100 * view.certainty(position))} percent`);
  if (view.pinned && view.pinned[position] !== view.tokens[position])
    parts.push(`pinned has ${tokenLabel(payload.board, view.pinned[position])}`);
  return parts.join(", ");
}
