// A series that the page computed, as a rollout that Python reads (`gram.rollout.load`): a zip of arrays, as `np.savez`
// writes it, with the attributes as JSON. Python judges the answers itself.

import { crc, utf8 } from "../note.js";

/** @import { Puzzle } from "./pack.js" */
/** @import { Record as Run } from "./record.js" */

/** @typedef {Uint8Array | Int32Array | Float32Array} Part */
/** @type {Record<string, new (values: ArrayLike<number>) => Part>} */
const SAVED = { "|u1": Uint8Array, "<i4": Int32Array, "<f4": Float32Array };
const WHOLE_LINE = 64; // bytes: the header of an array fills as many, or a multiple
const DAY = 33; // 1980-01-01, where the time of a zip begins

/** @param {Uint8Array[]} parts */
const sizeOf = (parts) => parts.reduce((sum, part) => sum + part.length, 0);

/** Numbers, little-endian. @param {[number, number][]} fields bytes and value of each */
const little = (...fields) =>
  Uint8Array.from(fields.flatMap(([size, value]) => Array.from({ length: size }, (_, k) => (value / 256 ** k) & 255)));

/** A zip of files that are not compressed. @param {Record<string, Uint8Array[]>} files */
function zipOf(files) {
  /** @type {Uint8Array[]} */
  const all = [];
  /** @type {Uint8Array[]} */
  const directory = [];
  let at = 0;
  for (const [name, parts] of Object.entries(files)) {
    const [written, size] = [utf8(name), sizeOf(parts)];
    const kind = little([2, 20], [2, 0], [2, 0], [2, 0], [2, DAY], [4, crc(parts)], [4, size], [4, size]);
    const named = little([2, written.length], [2, 0]);
    directory.push(little([4, 0x02014b50], [2, 20]), kind, named, little([6, 0], [4, 0], [4, at]), written);
    const entry = [little([4, 0x04034b50]), kind, named, written, ...parts];
    all.push(...entry);
    at += sizeOf(entry);
  }
  const count = Object.keys(files).length;
  const end = little([4, 0x06054b50], [4, 0], [2, count], [2, count], [4, sizeOf(directory)], [4, at], [2, 0]);
  return [...all, ...directory, end];
}

/** An array as `np.save` writes it. @param {string} dtype @param {number[]} shape @param {ArrayLike<number>[]} values
 * its parts, one after another */
function npy(dtype, shape, values) {
  const said = `{'descr': '${dtype}', 'fortran_order': False, 'shape': (${shape.join()},)}`;
  const header = said.padEnd(Math.ceil((said.length + 11) / WHOLE_LINE) * WHOLE_LINE - 11);
  const start = [0x93, ...utf8("NUMPY"), 1, 0, ...little([2, header.length + 1]), ...utf8(`${header}\n`)];
  const parts = values.map((part) => (part instanceof SAVED[dtype] ? part : new SAVED[dtype](part)));
  return [
    Uint8Array.from(start),
    ...parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength)),
  ];
}

/**
 * The parts of the file, one after another.
 * @param {Puzzle} puzzle
 * @param {Run} run
 * @param {string} created when, in ISO 8601
 */
export function rolloutFile({ board, x, y, solutions, seed, noise }, run, created) {
  const { program, n, steps, size, kinds } = run;
  const { high_steps: high, symbols, features } = program;
  const time = Array.from({ length: steps }, (_, t) => t);
  const coordinate = (/** @type {(t: number) => number} */ at) => npy("<i4", [steps], [time.map(at)]);
  /** @param {string} dtype @param {ArrayLike<number>[][]} rows @param {number[]} shape of a state */
  const states = (dtype, rows, ...shape) =>
    npy(
      dtype,
      [1, n, steps, ...shape],
      rows.flatMap((row) => row.slice(0, steps)),
    );
  const attrs = {
    board: JSON.stringify(board),
    model: program.model,
    name: `${program.name}, in a page`,
    checkpoint: program.checkpoint,
    seed,
    sampling_noise: JSON.stringify({ noise }),
    created_at: created,
  };
  return zipOf({
    "attrs.json": [utf8(JSON.stringify(attrs))],
    "supervision_step.npy": coordinate((t) => Math.ceil(t / high)),
    "transition.npy": coordinate((t) => (t ? ((t - 1) % high) + 1 : 0)),
    "x.npy": npy("|u1", [1, size], [x]),
    "tokens.npy": states("|u1", run.tokens, size),
    "probability.npy": states("<f4", run.probability, size, kinds),
    ...(run.keeps ? { "h.npy": states("<f4", run.h, size, symbols.length * features) } : {}),
    ...(y ? { "y.npy": npy("|u1", [1, size], [y]) } : {}),
    ...(solutions === null ? {} : { "solutions_known.npy": npy("<i4", [1], [[solutions]]) }),
  });
}
