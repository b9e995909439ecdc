// The answer space of records, as gramviz.explorer.answers packs it. Cells that decide and dense places have no names
// here: they need more trajectories than a page computes while somebody waits.

import { renaming } from "../answerspace.js";
import { quantile } from "../bands.js";
import { familiesOf, riverOf, warmUp } from "./families.js";
import { answerMapOf, medoidsOf } from "./plane.js";

/** @import { BoardMeta, Trajectory } from "../types.js" */
/** @import { Record as Run } from "./record.js" */

const MANY_RIGHT = 3; // right answers on a grid from which on the map says more than the river

/** @param {ArrayLike<number>} board @param {number} kinds */
function onehot(board, kinds) {
  const row = new Float32Array(board.length * kinds);
  for (let k = 0; k < board.length; k += 1) row[k * kinds + board[k]] = 1;
  return row;
}

/** States [trajectory][step] of all series; a shorter one keeps its last state.
 * @template T @param {T[][]} rows @param {number} steps */
const held = (rows, steps) =>
  rows.map((row) => Array.from({ length: steps }, (_, t) => row[Math.min(t, row.length - 1)]));

/**
 * @param {BoardMeta} board
 * @param {number[]} x
 * @param {Run[]} runs
 * @param {string[]} letters of the series
 * @param {boolean[]} right of all trajectories, series after series
 * @param {(trajectory: number) => string | null} letterOf of the answer with which one of all trajectories ends
 */
export function answerSpaceOf(board, x, runs, letters, right, letterOf) {
  const kinds = board.tokens.length;
  const open = x.flatMap((token, at) => (board.blank?.includes(token) ? [at] : []));
  const cells = open.length ? open : x.map((_, at) => at);
  const symbols = board.kind === "graph" && cells.length === x.length ? (board.exclusive ?? []) : [];
  const steps = Math.max(...runs.map((run) => run.steps));
  const plain = runs.flatMap((run) =>
    held(
      run.tokens.map((row) => row.slice(0, run.steps)),
      steps,
    ),
  );
  const cut = plain.map((row) => row.map((tokens) => cells.map((cell) => tokens[cell])));
  const names = cut.map((row) => renaming(row[steps - 1], symbols));
  const boards = cut.map((row, i) => row.map((one) => one.map(names[i])));
  const likely = runs.length === 1;
  const states = likely
    ? likelyOf(runs[0], cells, kinds, names)
    : boards.map((row) => row.map((b) => onehot(b, kinds)));
  const start = warmUp(boards);
  const found = familiesOf(boards, right, start);
  const { y, spans } = riverOf(found, start);
  const leaders = found.leaders.map((one) => onehot(one, kinds));
  const map = answerMapOf(states, leaders, found, start);
  const who = runs.flatMap((run, k) =>
    Array.from({ length: run.n }, (_, i) => /** @type {Trajectory} */ ([letters[k], i])),
  );
  const last = found.lane.map((row) => row[steps - 1]);
  const late = map.xy.flatMap((row) => row.slice(start));
  const corner = (/** @type {number} */ share, /** @type {(...values: number[]) => number} */ most) =>
    [0, 1].map((axis) => {
      const values = Float64Array.from(late, (one) => one[axis]).sort();
      return most(quantile(values, share), 0, ...map.anchors.map((one) => one[axis]));
    });
  const meta = {
    of: likely ? "token probabilities" : "one-hot tokens",
    cells,
    symbols,
    radius: found.radius,
    warm_up: start,
    kind: map.kind,
    share: map.share,
    shear: map.shear,
    lanes: found.leads.map((lead, k) => ({
      letter: symbols.length ? String.fromCharCode(97 + k) : letterOf(lead),
      lead: who[lead],
      right: found.right[k],
      size: found.size[k],
      span: spans[k],
      anchor: map.anchors[map.lanes.indexOf(k)] ?? null,
    })),
    trunk: { span: spans[-1], size: last.filter((lane) => lane < 0).length, right: found.others },
    decisive: [],
    places: [],
    medoids: medoidsOf(
      states.map((row) => row.slice(start)),
      last,
    ).map((i) => who[i]),
    extent: [corner(0.005, Math.min), corner(0.995, Math.max)],
  };
  const many = board.kind === "grid" && found.right.filter(Boolean).length >= MANY_RIGHT;
  const opening = who.length === 1 ? "score" : many || !found.size.length ? "answers" : "river";
  return { meta, found, y, spans, map, likely, opening };
}

/** Probabilities [trajectory][step] -> [cell and token], tokens renamed. @param {Run} run @param {number[]} cells
 * @param {number} kinds @param {((token: number) => number)[]} names */
const likelyOf = (run, cells, kinds, names) =>
  run.probability.map((row, i) =>
    row.slice(0, run.steps).map((probability) => {
      const state = new Float32Array(cells.length * kinds);
      for (const [k, cell] of cells.entries())
        for (let token = 0; token < kinds; token += 1)
          state[k * kinds + names[i](token)] = probability[cell * kinds + token];
      return state;
    }),
  );
