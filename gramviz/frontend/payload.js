// Reads what gramviz.pack wrote (docs/payload.md): one JSON object and one compressed buffer become typed arrays.

import { contract } from "./contract.js";
import { clean } from "./text.js";
import { words } from "./words.js";

const TYPES = {
  u1: Uint8Array,
  i1: Int8Array,
  u2: Uint16Array,
  i2: Int16Array,
  u4: Uint32Array,
  i4: Int32Array,
  f4: Float32Array,
};
// `none` is "no answer" and "not a number" in u2, `no_place` "not a number" in the i2 of a map; a certainty is k / levels.
const { format: FORMAT, none: NONE, no_place: NO_PLACE, certainty_levels: LEVELS } = contract.payload;
const COUNTS = ["curve_conflicts", "curve_changed"]; // whole numbers, whatever the scale made of them

/** Decodes a payload. Rejects with one readable sentence; nothing half-read is ever returned. */
export async function readPayload(meta, view) {
  if (meta?.format?.[0] !== FORMAT) throw new Error(words.newer(meta?.format?.[0]));
  let buffer;
  try {
    const packed = new Blob([view]).stream().pipeThrough(new DecompressionStream("deflate"));
    buffer = await new Response(packed).arrayBuffer();
  } catch {
    throw new Error(words.damaged);
  }
  const sum = await digest(buffer);
  if (buffer.byteLength !== meta.bytes || (sum !== null && sum !== meta.sha256)) throw new Error(words.damaged);
  return describe(meta, buffer);
}

/** sha256 as hex. Where the browser offers none (an insecure origin), the length must do. */
async function digest(buffer) {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) return null;
  const bytes = new Uint8Array(await subtle.digest("SHA-256", buffer));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function describe(meta, buffer) {
  const board = readBoard(meta.board);
  if (meta.input) board.input = readInput(meta.board, meta.input);
  const lands = {}; // "run basis" -> the loss on its plane, [row, column] with rows going up; 255 = blank
  for (const entry of meta.arrays)
    if (entry.name.startsWith("landscape_")) lands[`${entry.run} ${entry.name.slice(10)}`] = readArray(entry, buffer);
  const landOf = (basis) => basis.landscape && lands[`${basis.runs[0]} ${basis.name}`];
  const runs = meta.runs.map((run, index) => {
    const arrays = {};
    for (const entry of meta.arrays)
      if (entry.run === run.letter && TYPES[entry.dtype]) arrays[entry.name] = readArray(entry, buffer);
    return readRun(run, index, arrays, board.size);
  });
  const lead = runs.reduce((best, run) => (run.steps > best.steps ? run : best), runs[0]);
  const text = (list, limit) => (list ?? []).map((entry) => clean(entry, limit));
  return {
    meta,
    board,
    runs,
    lead, // the longest run: its steps make the ruler
    steps: lead.steps,
    title: clean(meta.title),
    puzzle: meta.puzzle,
    puzzles: meta.puzzles,
    x: meta.x ?? null,
    y: meta.y ?? null,
    given: (meta.x ?? []).map((token) => !board.blank.includes(token)),
    solutions: meta.solutions_known ?? null,
    levels: [...text(meta.levels, 40), "Supervision step", "Transition", "Low-level step"].slice(
      0,
      Math.max(3, meta.levels?.length ?? 0),
    ),
    answers: meta.answers ?? [],
    bases: (meta.bases ?? []).map((basis) => ({
      ...basis,
      label: clean(basis.label, 60),
      landscape: landOf(basis) ? { ...basis.landscape, ...landOf(basis) } : null,
    })),
    leftOut: text(meta.left_out),
    lesson: meta.lesson ?? null,
    missing: meta.missing ?? {},
    provenance: meta.provenance ?? {},
  };
}

export function readBoard(board) {
  const size = board.height * board.width;
  const groups = Array.from({ length: size }, () => []);
  for (const group of board.groups ?? []) for (const position of group) groups[position].push(group);
  const tokens = board.tokens.map((token) => ({
    label: clean(token.label, 40),
    symbol: clean(token.symbol, 4),
    glyph: token.glyph ?? "text",
  }));
  return {
    ...board,
    size,
    tokens,
    blank: board.blank ?? [],
    exclusive: board.exclusive ?? [],
    groupsOf: groups,
    ruled: Boolean(board.groups?.length || board.required?.length), // else a marked cell differs from the known answer
    edges: board.kind === "graph" ? (board.groups ?? []).filter((group) => group.length === 2) : [],
  };
}

/** The board of a puzzle that stands beside its answer, with what it shows. */
function readInput(board, { height, width, tokens }) {
  return { ...readBoard({ ...board, height, width }), shown: Uint8Array.from(tokens) };
}

function readArray(entry, buffer) {
  const Type = TYPES[entry.dtype];
  const count = entry.shape.reduce((product, size) => product * size, 1);
  const values = new Type(buffer, entry.offset, count);
  const { shape } = entry;
  if (entry.delta) return { shape, values: undoDelta(values, shape) };
  if (entry.scale === null || entry.scale === undefined) return { shape, values };
  const scale = [].concat(entry.scale);
  const zero = [].concat(entry.zero);
  const decoded = new Float32Array(count);
  for (let k = 0; k < count; k += 1) {
    const missing = values[k] === (entry.dtype === "i2" ? NO_PLACE : NONE);
    const value = values[k] * scale[k % scale.length] + zero[k % zero.length];
    decoded[k] = missing ? NaN : COUNTS.includes(entry.name) ? Math.round(value) : value;
  }
  return { shape, values: decoded };
}

/** Tokens travel as differences (mod 256) along time, which zlib likes; here they become tokens again. */
function undoDelta(values, [n, t, size]) {
  const whole = new Uint8Array(values);
  for (let path = 0; path < n; path += 1) {
    const start = path * t * size;
    for (let k = start + size; k < start + t * size; k += 1) whole[k] += whole[k - size];
  }
  return whole;
}

/** One run, with accessors so that no other module knows how the bytes lie. */
function readRun(run, index, arrays, size) {
  const [n, t] = arrays.tokens.shape;
  const series = (name) => arrays[name] && { values: arrays[name].values, each: arrays[name].shape[0] === n ? 1 : 0 };
  const held = (step) => Math.min(step, t - 1); // a shorter run keeps its last state
  const curves = {};
  for (const name of Object.keys(arrays)) if (name.startsWith("curve_")) curves[name.slice(6)] = series(name);
  const maps = {};
  for (const name of Object.keys(arrays))
    if (name.startsWith("map_"))
      maps[name.slice(4)] = {
        xyz: arrays[name].values,
        outside: arrays[`outside_${name.slice(4)}`]?.values,
        beyond: arrays[`beyond_${name.slice(4)}`]?.values,
      };
  const width = arrays.conflict?.shape[2];
  const level = (name) =>
    arrays[name] && ((path, step, position) => arrays[name].values[(path * t + held(step)) * size + position] / LEVELS);
  return {
    ...run,
    index,
    n,
    steps: t,
    name: clean(run.name, 60),
    model: clean(run.model, 60),
    held,
    curves,
    maps,
    tokens: (path, step) =>
      arrays.tokens.values.subarray((path * t + held(step)) * size, (path * t + held(step) + 1) * size),
    certainty: level("certainty"),
    second:
      arrays.second && ((path, step, position) => arrays.second.values[(path * t + held(step)) * size + position]),
    secondCertainty: level("second_certainty"),
    conflict:
      arrays.conflict &&
      ((path, step, position) =>
        (arrays.conflict.values[(path * t + held(step)) * width + (position >> 3)] >> (position & 7)) & 1),
    valid: arrays.valid && ((path, step) => arrays.valid.values[path * t + held(step)] === 1),
    answer: (path, step) => {
      const id = arrays.answer ? arrays.answer.values[path * t + held(step)] : NONE;
      return id === NONE ? null : id;
    },
    final: (path) => arrays.final.values[path],
    right: arrays.valid ? arrays.outcome.values.reduce((sum, outcome) => sum + (outcome === 1), 0) : null, // null: nobody knows
    outcome: (path) => (arrays.outcome ? arrays.outcome.values[path] : 3),
    settled: arrays.settled && ((path) => arrays.settled.values[path] === 1),
    halts: Boolean(arrays.halted),
    halted: (path) => (arrays.halted ? arrays.halted.values[path] : -1),
    curve: (name, path, step) => (curves[name] ? curves[name].values[path * curves[name].each * t + held(step)] : NaN),
    lowDrift:
      arrays.low_drift && ((path, step, low) => arrays.low_drift.values[(path * t + held(step)) * run.low_steps + low]),
  };
}
