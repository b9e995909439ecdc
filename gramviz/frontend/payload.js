// Reads what gramviz.pack wrote (docs/payload.md): one JSON object and one compressed buffer become typed arrays.

import { readSpace } from "./answerspace.js";
import { contract } from "./contract.js";
import { readPuzzles } from "./puzzles.js";
import { clean } from "./text.js";
import { words } from "./words.js";

/** @import { ArrayEntry, Basis, Board, BoardMeta, Curve, NumberArray, Numbers, PackedBasis } from "./types.js" */
/** @import { Payload } from "./types.js" */
/** @import { PayloadMeta, Series, SeriesMap, SeriesMeta } from "./types.js" */

/** By name, those of one series. @typedef {Record<string, NumberArray>} Arrays */

/** @type {Record<string, new (buffer: ArrayBuffer, offset: number, count: number) => Numbers>} */
const TYPES = {
  u1: Uint8Array,
  i1: Int8Array,
  u2: Uint16Array,
  i2: Int16Array,
  u4: Uint32Array,
  i4: Int32Array,
  f4: Float32Array,
};
// `none` is "no answer" and "not a number" in u2, `no_place` "not a number" in the i2 of a map; a certainty is k /
// levels.
const { format: FORMAT, none: NONE, no_place: NO_PLACE, certainty_levels: LEVELS } = contract.payload;
const COUNTS = ["curve_conflicts", "curve_changed"]; // whole numbers, whatever the scale made of them

/** Decodes a payload. Rejects with one readable sentence; nothing half-read is ever returned.
 * @param {PayloadMeta} meta @param {DataView<ArrayBuffer> | Uint8Array<ArrayBuffer>} view
 * @returns {Promise<Payload>} */
export async function readPayload(meta, view) {
  if (meta?.format?.[0] !== FORMAT) throw new Error(words.foreign(meta?.format?.[0], FORMAT));
  let buffer;
  try {
    buffer = await inflate(view);
  } catch {
    throw new Error(words.damaged);
  }
  const sum = await digest(buffer);
  if (buffer.byteLength !== meta.bytes || (sum !== null && sum !== meta.sha256)) throw new Error(words.damaged);
  return describe(meta, buffer);
}

/** Base64 as bytes; `Uint8Array.from` takes four times as long. @param {string} text */
export function bytesOf(text) {
  const held = atob(text);
  const bytes = new Uint8Array(held.length);
  for (let k = 0; k < held.length; k += 1) bytes[k] = held.charCodeAt(k);
  return bytes;
}

/** What a stream of the browser makes of bytes.
 * @param {BufferSource} bytes @param {CompressionStream | DecompressionStream} stream */
export const streamed = (bytes, stream) => new Response(new Response(bytes).body?.pipeThrough(stream)).arrayBuffer();

/** @param {BufferSource} packed */
export const inflate = (packed) => streamed(packed, new DecompressionStream("deflate"));

/** sha256 as hex. Where the browser offers none (an insecure origin), the length must do.
 * @param {ArrayBuffer} buffer */
export async function digest(buffer) {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) return null;
  const bytes = new Uint8Array(await subtle.digest("SHA-256", buffer));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string[] | undefined} list @param {number} [limit] */
const cleaned = (list, limit) => (list ?? []).map((entry) => clean(entry, limit));

/** @param {PayloadMeta} meta @param {ArrayBuffer} buffer @returns {Payload} */
function describe(meta, buffer) {
  const board = readBoard(meta.board);
  if (meta.input) board.input = readInput(meta.board, meta.input);
  const arraysOf = (/** @type {SeriesMeta} */ series) => {
    const own = meta.arrays.filter((entry) => entry.series === series.letter && TYPES[entry.dtype]);
    return Object.fromEntries(own.map((entry) => [entry.name, readArray(entry, buffer)]));
  };
  const arrays = meta.series.map(arraysOf);
  const givenIn = (/** @type {number[] | null | undefined} */ x) =>
    (x ?? []).map((token) => !board.blank.includes(token));
  const series = meta.series.map((series, index) => ({
    ...readSeries(series, index, arrays[index], board.size),
    given: givenIn(series.x ?? meta.x),
  }));
  const lead = series.reduce((best, series) => (series.steps > best.steps ? series : best), series[0]);
  const space = readSpace(meta.answer_space, arrays[0], series, board.tokens.length);
  const levels = [...cleaned(meta.levels, 40), "Supervision step", "Transition", "Low-level step"];
  return {
    meta,
    board,
    series,
    lead,
    steps: lead.steps,
    title: clean(meta.title),
    puzzle: meta.puzzle,
    puzzles: meta.puzzles,
    index: meta.puzzle_index ?? null,
    list: readPuzzles(arrays, series),
    x: meta.x ?? null,
    y: meta.y ?? null,
    given: givenIn(meta.x),
    solutions: meta.solutions_known ?? null,
    levels: levels.slice(0, Math.max(3, meta.levels?.length ?? 0)),
    answers: meta.answers ?? [],
    space,
    extra: Object.fromEntries(
      Object.entries(meta.extra ?? {}).map(([name, said]) => [
        name,
        /** @type {[string, string]} */ (cleaned(said, 40)),
      ]),
    ),
    bare: board.tokens.length === 1,
    bases: (meta.bases ?? []).map((basis) => readBasis(basis, meta.arrays, buffer)),
    leftOut: cleaned(meta.left_out),
    lesson: meta.lesson ?? null,
    missing: meta.missing ?? {},
    provenance: meta.provenance ?? {},
  };
}

/** @param {PackedBasis} basis @param {ArrayEntry[]} arrays @param {ArrayBuffer} buffer @returns {Basis} */
function readBasis(basis, arrays, buffer) {
  const entry = arrays.find(({ name, series }) => name === `landscape_${basis.name}` && series === basis.series[0]);
  const landscape = basis.landscape && entry ? { ...basis.landscape, ...readArray(entry, buffer) } : null;
  return { ...basis, label: clean(basis.label, 60), landscape };
}

/** @param {BoardMeta} board @returns {Board} */
export function readBoard(board) {
  const size = board.height * board.width;
  const groups = Array.from({ length: size }, () => /** @type {number[][]} */ ([]));
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
    ruled: board.kind === "graph" || Boolean(board.groups?.length || board.required?.length),
    edges: board.kind === "graph" ? (board.groups ?? []).filter((group) => group.length === 2) : [],
  };
}

/** The board of a puzzle that stands beside its answer, with what it shows.
 * @param {BoardMeta} board @param {NonNullable<PayloadMeta["input"]>} input */
function readInput(board, { height, width, tokens }) {
  return { ...readBoard({ ...board, height, width }), shown: Uint8Array.from(tokens) };
}

/** @param {ArrayEntry} entry @param {ArrayBuffer} buffer @returns {NumberArray} */
function readArray(entry, buffer) {
  const Type = TYPES[entry.dtype];
  const count = entry.shape.reduce((product, size) => product * size, 1);
  const values = new Type(buffer, entry.offset, count);
  const { shape } = entry;
  if (entry.delta) return { shape, values: undoDelta(values, shape) };
  if (entry.scale === null || entry.scale === undefined) return { shape, values };
  const [scale, zero] = [entry.scale, entry.zero ?? 0].map((one) => (Array.isArray(one) ? one : [one]));
  const decoded = new Float32Array(count);
  for (let k = 0; k < count; k += 1) {
    const missing = values[k] === (entry.dtype === "i2" ? NO_PLACE : NONE);
    const value = values[k] * scale[k % scale.length] + zero[k % zero.length];
    decoded[k] = missing ? NaN : COUNTS.includes(entry.name) ? Math.round(value) : value;
  }
  return { shape, values: decoded };
}

/** Tokens travel as differences (mod 256) along time, which zlib likes; here they become tokens again.
 * @param {Numbers} values @param {number[]} shape */
function undoDelta(values, [n, t, size]) {
  const whole = new Uint8Array(values);
  for (let trajectory = 0; trajectory < n; trajectory += 1) {
    const start = trajectory * t * size;
    for (let k = start + size; k < start + t * size; k += 1) whole[k] += whole[k - size];
  }
  return whole;
}

/** The curves, the layers and the maps among the arrays of a series with n trajectories, each under its own name.
 * @param {Arrays} arrays @param {number} n */
function readNamed(arrays, n) {
  const named = (/** @type {string} */ prefix) =>
    Object.keys(arrays).flatMap((name) =>
      name.startsWith(prefix) && name !== "map_l_low" ? [name.slice(prefix.length)] : [],
    );
  /** @param {NumberArray} array @returns {Curve} */
  const curve = ({ values, shape }) => ({ values, each: shape[0] === n ? 1 : 0 });
  /** @param {string} name @returns {SeriesMap} */
  const map = (name) => ({
    xyz: arrays[`map_${name}`].values,
    outside: arrays[`outside_${name}`]?.values,
    beyond: arrays[`beyond_${name}`]?.values,
    low: arrays[`map_${name}_low`]?.values,
  });
  const maps = Object.fromEntries(named("map_").map((name) => [name, map(name)]));
  const { values: levels, shape } = arrays.river;
  // The river is a map whose first axis is time.
  maps.river = {
    xyz: Float32Array.from(
      { length: 3 * levels.length },
      (_, k) => [(k / 3) % shape[1], levels[(k - 1) / 3], 0][k % 3],
    ),
  };
  /** @param {Numbers} values */
  const layer = (values) => {
    let most = 0;
    for (const value of values) if (Math.abs(value) > most) most = Math.abs(value);
    return { values, most };
  };
  const layers = Object.fromEntries(named("layer_").map((name) => [name, layer(arrays[`layer_${name}`].values)]));
  return {
    curves: Object.fromEntries(named("curve_").map((name) => [name, curve(arrays[`curve_${name}`])])),
    layers,
    maps,
  };
}

/** One series, with accessors so that no other module knows how the bytes lie.
 * @param {SeriesMeta} series @param {number} index @param {Arrays} arrays @param {number} size
 * @returns {Omit<Series, "given">} */
function readSeries(series, index, arrays, size) {
  const [n, t] = arrays.tokens.shape;
  const tokens = /** @type {Uint8Array} */ (arrays.tokens.values);
  const {
    answer,
    lane,
    commit,
    conflict,
    valid,
    outcome,
    settled,
    halted,
    low_drift: lowDrift,
    low_moved: lowMoved,
  } = arrays;
  const { curves, layers, maps } = readNamed(arrays, n);
  const held = (/** @type {number} */ step) => Math.min(step, t - 1);
  const at = (/** @type {number} */ trajectory, /** @type {number} */ step) => trajectory * t + held(step);
  /** A number of each position, as k / levels; undefined where it was not recorded.
   * @param {string} name @returns {((trajectory: number, step: number, position: number) => number) | undefined} */
  const perPosition = (name, levels = 1) => {
    const values = arrays[name]?.values;
    return values && ((trajectory, step, position) => values[at(trajectory, step) * size + position] / levels);
  };
  return {
    ...series,
    index,
    n,
    steps: t,
    name: clean(series.name, 60),
    model: clean(series.model, 60),
    held,
    curves,
    layers,
    maps,
    tokens: (trajectory, step) => tokens.subarray(at(trajectory, step) * size, (at(trajectory, step) + 1) * size),
    certainty: perPosition("certainty", LEVELS),
    second: perPosition("second"),
    secondCertainty: perPosition("second_certainty", LEVELS),
    conflict:
      conflict &&
      ((trajectory, step, position) =>
        (conflict.values[at(trajectory, step) * conflict.shape[2] + (position >> 3)] >> (position & 7)) & 1),
    valid: valid && ((trajectory, step) => valid.values[at(trajectory, step)] === 1),
    answer: (trajectory, step) => {
      const id = answer ? answer.values[at(trajectory, step)] : NONE;
      return id === NONE ? null : id;
    },
    final: (trajectory) => arrays.final.values[trajectory],
    lane: (trajectory, step) => lane.values[at(trajectory, step)],
    commit: (trajectory) => commit.values[trajectory],
    right: valid ? outcome.values.filter((one) => one === 1).length : null,
    outcome: (trajectory) => (outcome ? outcome.values[trajectory] : 3),
    settled: settled && ((trajectory) => settled.values[trajectory] === 1),
    halts: Boolean(halted),
    halted: (trajectory) => (halted ? halted.values[trajectory] : -1),
    curve: (name, trajectory, step) =>
      curves[name] ? curves[name].values[trajectory * curves[name].each * t + held(step)] : Number.NaN,
    lowDrift: lowDrift && ((trajectory, step, low) => lowDrift.values[at(trajectory, step) * series.low_steps + low]),
    lowMoved:
      lowMoved &&
      ((trajectory, step, low) => {
        const start = (at(trajectory, step) * series.low_steps + low) * size;
        return lowMoved.values.subarray(start, start + size);
      }),
  };
}
