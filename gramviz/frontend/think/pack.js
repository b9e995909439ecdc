// Records that the page computed, as a payload (docs/payload.md): what gramviz.pack does for rollouts.

import { hamming } from "../answerspace.js";
import { contract } from "../contract.js";
import { latentPlane } from "./plane.js";
import { judgeBoard, runnerUp } from "./record.js";
import { answerSpaceOf } from "./space.js";

/** @import { ArrayEntry, BoardMeta, PayloadMeta } from "../types.js" */
/** @import { Record as Run } from "./record.js" */

const { none: NOTHING, certainty_levels: SHADES, format: MAJOR } = contract.payload;
const DRAWN = contract.outcomes.indexOf("drawn");
const REST = 0.05; // of the drift in the first step: a trajectory that moves less in the end has settled
/** @type {Record<string, new (values: ArrayLike<number>) => ArrayBufferView<ArrayBuffer> & { length: number }>} */
const PACKED = { u1: Uint8Array, i1: Int8Array, u2: Uint16Array, i2: Int16Array, f4: Float32Array };

/**
 * What is asked of models: a board, and a puzzle on it.
 * @typedef {object} Puzzle
 * @property {BoardMeta} board
 * @property {number[]} x
 * @property {number[] | null} y the solution, where there is only one
 * @property {number | null} solutions how many are known to exist
 * @property {number} seed
 * @property {number} noise factor on that of the guidance
 */
/** @typedef {{ letter: string, tokens: number[], valid: boolean | null, conflicts: number | null,
 *   counts: Record<string, number> }} Found */

/** Collects the arrays of a payload, each at an offset that is a multiple of 8. */
function createArrays() {
  /** @type {ArrayEntry[]} */
  const entries = [];
  /** @type {Uint8Array[]} */
  const chunks = [];
  let offset = 0;
  /** @param {string} series @param {string} name @param {string} dtype @param {number[]} shape
   * @param {ArrayLike<number>} values @param {Partial<ArrayEntry>} [more] */
  function add(series, name, dtype, shape, values, more) {
    const raw = new PACKED[dtype](values);
    const bytes = new Uint8Array(raw.buffer, 0, raw.byteLength);
    entries.push({
      name,
      series,
      dtype,
      shape,
      offset,
      bytes: bytes.length,
      scale: null,
      zero: null,
      delta: false,
      ...more,
    });
    const padded = new Uint8Array((bytes.length + 7) & ~7);
    padded.set(bytes);
    chunks.push(padded);
    offset += padded.length;
  }
  /** Numbers as u2 with scale and zero. @param {string} series @param {string} name @param {number[]} shape
   * @param {number[]} values */
  function quantized(series, name, shape, values) {
    const finite = values.filter(Number.isFinite);
    const [low, high] = finite.length ? [Math.min(...finite), Math.max(...finite)] : [0, 0];
    const scale = high > low ? (high - low) / (NOTHING - 1) : 1;
    const k = values.map((value) => (Number.isFinite(value) ? Math.round((value - low) / scale) : NOTHING));
    add(series, name, "u2", shape, k, { scale, zero: low });
  }
  function raw() {
    const all = new Uint8Array(offset);
    for (const [k, { offset: at }] of entries.entries()) all.set(chunks[k], at);
    return all.buffer;
  }
  return { add, quantized, entries, raw };
}
/** @typedef {ReturnType<typeof createArrays>} PackedArrays */

/** Values of each trajectory and step, in their order. @template T @param {Run} run
 * @param {(trajectory: number, step: number) => T} value @returns {T[]} */
const each = ({ n, steps }, value) =>
  Array.from({ length: n * steps }, (_, k) => value(Math.floor(k / steps), k % steps));

/** Of each state, by its probabilities: what the payloads of all later steps hold of it again.
 * @type {WeakMap<Float32Array, ReturnType<typeof describeState>>} */
const described = new WeakMap();

/** @param {Run} run @param {Puzzle} puzzle @param {number} i @param {number} t */
function stateOf(run, puzzle, i, t) {
  const key = run.probability[i][t];
  const state = described.get(key) ?? describeState(run, puzzle, i, t);
  described.set(key, state);
  return state;
}

/** How sure a board is, what changed, and the rules; a picture has none.
 * @param {Run} run @param {Puzzle} puzzle @param {number} i @param {number} t */
function describeState(run, { board, x }, i, t) {
  const { size, kinds } = run;
  const tokens = run.tokens[i][t];
  const before = t ? run.tokens[i][t - 1] : null;
  const [changed, certainty, second, secondCertainty] = [0, 1, 2, 3].map(() => new Uint8Array(size));
  let sum = 0;
  for (let at = 0; at < size; at += 1) {
    const share = run.probability[i][t][at * kinds + tokens[at]];
    const [token, next] = runnerUp(run, i, t, at);
    sum += share;
    changed[at] = tokens[at] - (before ? before[at] : 0);
    certainty[at] = Math.round(share * SHADES);
    second[at] = token;
    secondCertainty[at] = Math.round(next * SHADES);
  }
  const { conflict, violations } = judgeBoard(board, tokens);
  const bits = new Uint8Array(Math.ceil(size / 8));
  for (let at = 0; at < size; at += 1) bits[at >> 3] |= conflict[at] << (at & 7);
  const kept = x.every((token, at) => board.blank?.includes(token) || tokens[at] === token);
  const valid = board.kind !== "image" && violations === 0 && kept;
  const moved = before ? hamming(tokens, before) : 0;
  return { changed, certainty, second, secondCertainty, bits, violations, valid, moved, mean: sum / size };
}
/** @typedef {ReturnType<typeof describeState>} Described */

/** Boards, certainty and rules of a series; a picture has no rules.
 * @param {PackedArrays} arrays @param {string} letter @param {Run} run @param {Described[]} states
 * @param {BoardMeta} board */
function addBoards({ add, quantized }, letter, { n, steps }, states, { kind }) {
  /** @param {string} name @param {(state: Described) => Uint8Array} value @param {Partial<ArrayEntry>} [more] */
  function addParts(name, value, more) {
    const size = value(states[0]).length;
    const all = new Uint8Array(n * steps * size);
    for (const [k, state] of states.entries()) all.set(value(state), k * size);
    add(letter, name, "u1", [n, steps, size], all, more);
  }
  const curve = (/** @type {string} */ name, /** @type {(state: Described) => number} */ value) =>
    quantized(letter, `curve_${name}`, [n, steps], states.map(value));
  addParts("tokens", ({ changed }) => changed, { delta: true });
  addParts("certainty", ({ certainty }) => certainty);
  addParts("second", ({ second }) => second);
  addParts("second_certainty", ({ secondCertainty }) => secondCertainty);
  curve("certainty", ({ mean }) => mean);
  curve("changed", ({ moved }) => moved);
  if (kind === "image") return;
  addParts("conflict", ({ bits }) => bits);
  const valid = states.map((state) => Number(state.valid));
  add(letter, "valid", "u1", [n, steps], valid);
  curve("conflicts", ({ violations }) => violations);
}

/** How far h moves. @param {PackedArrays} arrays @param {string} letter @param {Run} run */
function addDrift({ add, quantized }, letter, run) {
  const { n, steps } = run;
  const drift = each(run, (i, t) => run.drift[i][t]);
  quantized(letter, "curve_drift", [n, steps], drift);
  if (n > 1) quantized(letter, "curve_spread", [1, steps], run.spread.slice(0, steps));
  if (steps < 5) return;
  const rests = Array.from({ length: n }, (_, i) => {
    const mine = run.drift[i].slice(0, steps);
    const end = mine.slice(-3).reduce((sum, one) => sum + one / 3, 0);
    return Number(end === 0 || end / mine[1] <= REST);
  });
  add(letter, "settled", "u1", [n], rests);
}

/** The distinct final answers, most frequent first.
 * @param {Run[]} runs @param {string[]} letters @param {Puzzle} puzzle
 * @param {Described[][]} last states of their trajectories */
function answersOf(runs, letters, { board }, last) {
  /** @type {Map<string, Found>} */
  const found = new Map();
  const picture = board.kind === "image";
  for (const [k, run] of runs.entries())
    for (const [i, row] of run.tokens.entries()) {
      const tokens = row[run.steps - 1];
      const key = tokens.join();
      const { valid, violations } = last[k][i];
      const counts = Object.fromEntries(letters.map((letter) => [letter, 0]));
      const one = found.get(key) ?? {
        letter: "",
        tokens: Array.from(tokens),
        valid: picture ? null : valid,
        conflicts: picture ? null : violations,
        counts,
      };
      one.counts[letters[k]] += 1;
      found.set(key, one);
    }
  const total = (/** @type {Found} */ one) => Object.values(one.counts).reduce((sum, count) => sum + count, 0);
  const order = [...found.values()].sort((a, b) => total(b) - total(a) || Number(b.valid) - Number(a.valid));
  for (const [k, one] of order.entries()) one.letter = k < 26 ? String.fromCharCode(97 + k) : "";
  return { answers: order, index: new Map(order.map((one, k) => [one.tokens.join(), k])) };
}

/** @param {Run} run @param {string} letter @param {Puzzle} puzzle @param {Record<string, string>} missing */
function seriesMeta({ program, n, steps }, letter, { seed }, missing) {
  const transitions = Array.from({ length: steps }, (_, t) => t);
  const { high_steps: high, supervision_steps: depth } = program;
  return {
    ...(depth > Math.ceil((steps - 1) / high) && { depth }), // as a kernel's payload says it
    letter,
    name: program.name,
    model: program.model,
    trajectories: n,
    all_trajectories: n,
    kept: null,
    steps,
    checkpoint: program.checkpoint,
    commit: "",
    mode: "prior",
    seed,
    created_at: "",
    hash: "",
    supervision_step: transitions.map((t) => Math.ceil(t / high)),
    transition: transitions.map((t) => (t ? ((t - 1) % high) + 1 : 0)),
    low_steps: 0,
    missing: n > 1 ? missing : { ...missing, spread: "one trajectory has no spread" },
  };
}

/**
 * The payload of what the models have answered so far, as the page reads it: `meta`, and the arrays uncompressed.
 * @param {PayloadMeta} shown the payload of the page, which says what is the same for every puzzle of its board
 * @param {Puzzle} puzzle
 * @param {Run[]} runs
 * @param {Record<string, string>} missing what is not computed, and why
 * @param {boolean} ended whether planes of h, which take a while, are wanted
 */
export function packRuns(shown, puzzle, runs, missing, ended) {
  const { board, x, y, solutions } = puzzle;
  const letters = contract.letters.slice(0, runs.length);
  const arrays = createArrays();
  const states = runs.map((run) => each(run, (i, t) => stateOf(run, puzzle, i, t)));
  const last = states.map((all, k) => all.filter((_, at) => (at + 1) % runs[k].steps === 0));
  const { answers, index } = answersOf(runs, letters, puzzle, last);
  const ends = runs.map((run) => run.tokens.map((row) => index.get(row[run.steps - 1].join()) ?? NOTHING));
  for (const [k, run] of runs.entries()) {
    const { n, steps } = run;
    addBoards(arrays, letters[k], run, states[k], board);
    addDrift(arrays, letters[k], run);
    const at = each(run, (i, t) => index.get(run.tokens[i][t].join()) ?? NOTHING);
    arrays.add(letters[k], "answer", "u2", [n, steps], at);
    arrays.add(letters[k], "final", "u2", [n], ends[k]);
    arrays.add(
      letters[k],
      "outcome",
      "u1",
      [n],
      last[k].map(({ valid }) => (board.kind === "image" ? DRAWN : Number(valid))),
    );
  }
  const right = last.flat().map(({ valid }) => valid);
  const all = ends.flat();
  const space = answerSpaceOf(board, x, runs, letters, right, (i) => answers[all[i]].letter || null);
  addSpace(arrays, runs, letters, space);
  const planes = runs.flatMap((run, k) => (ended && run.keeps ? [addLatent(arrays, letters[k], run)] : []));
  const raw = arrays.raw();
  const bases = [
    ["river", "Answer river"],
    ["answers", space.map.kind === "pca" ? "PCA of answers" : "Answer map"],
    ["score", "Score"],
  ];
  /** @type {PayloadMeta} */
  const meta = {
    ...shown,
    format: [MAJOR, 0],
    board,
    puzzle: 0,
    puzzles: 1,
    puzzle_index: null,
    x,
    y,
    input: null,
    solutions_known: solutions,
    series: runs.map((run, k) => seriesMeta(run, letters[k], puzzle, missing)),
    answers,
    bases: [
      ...bases.map(([name, label]) => ({ name, label, of: space.meta.of, series: letters, variance: [], note: null })),
      ...planes,
    ],
    default_basis: space.opening,
    answer_space: /** @type {any} */ (space.meta),
    missing,
    left_out: [],
    lesson: null,
    arrays: arrays.entries,
    bytes: raw.byteLength,
    sha256: "",
  };
  return { meta, raw };
}

/** @param {PackedArrays} arrays @param {Run[]} runs @param {string[]} letters
 * @param {ReturnType<typeof answerSpaceOf>} space */
function addSpace({ add }, runs, letters, { found, y, spans, map, likely }) {
  const edges = Object.values(spans).flat();
  const [low, high] = [Math.min(...edges), Math.max(...edges)];
  let from = 0;
  for (const [k, run] of runs.entries()) {
    const { n, steps } = run;
    const mine = from;
    const level = each(run, (i, t) => (y[mine + i][t] - low) / (high - low));
    const heights = level.map((one) => Math.round(Math.min(1, Math.max(0, one)) * 65_534));
    add(letters[k], "river", "u2", [n, steps], heights, { scale: (high - low) / 65_534, zero: low });
    add(
      letters[k],
      "lane",
      "i1",
      [n, steps],
      each(run, (i, t) => found.lane[mine + i][t]),
    );
    add(letters[k], "commit", "u2", [n], found.commit.slice(mine, mine + n));
    if (likely)
      addPlaces(
        add,
        letters[k],
        "map_answers",
        [n, steps, 2],
        each(run, (i, t) => map.xy[mine + i][t]),
      );
    from += n;
  }
  add(
    letters[0],
    "answers_m",
    "f4",
    [2, map.mu.length],
    map.m.flatMap((row) => Array.from(row)),
  );
  add(letters[0], "answers_mu", "f4", [map.mu.length], map.mu);
}

/** The plane of h of a series, and what `meta` says of it. @param {PackedArrays} arrays @param {string} letter
 * @param {Run} run */
function addLatent({ add }, letter, run) {
  const { n, steps } = run;
  const { placed, variance } = latentPlane(run.h.map((row) => row.slice(0, steps)));
  addPlaces(
    add,
    letter,
    "map_h",
    [n, steps, 3],
    each(run, (i, t) => placed[i][t].xyz),
  );
  for (const name of /** @type {const} */ (["outside", "beyond"]))
    add(
      letter,
      `${name}_h`,
      "u1",
      [n, steps],
      each(run, (i, t) => Math.round(placed[i][t][name] * 255)),
    );
  const of = "h in the last third of the steps";
  return { name: "h", label: "PCA of h", of, series: [letter], variance, plane: variance[0] + variance[1], note: null };
}

/** Coordinates as i2 with scale and zero of each axis. @param {PackedArrays["add"]} add @param {string} letter
 * @param {string} name @param {number[]} shape @param {number[][]} places */
function addPlaces(add, letter, name, shape, places) {
  const axes = Array.from({ length: shape[2] }, (_, axis) => places.map((place) => place[axis]));
  const ranges = axes.map((values) => [Math.min(...values), Math.max(...values)]);
  const scale = ranges.map(([low, high]) => (high > low ? (high - low) / 65_534 : 1));
  const zero = ranges.map(([low, high]) => (high + low) / 2);
  const k = places.flatMap((place) => place.map((value, axis) => Math.round((value - zero[axis]) / scale[axis])));
  add(letter, name, "i2", shape, k, { scale, zero });
}
