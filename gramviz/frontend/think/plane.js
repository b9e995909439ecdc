// Planes: the answer map, in which each answer has a place of its own, and principal components. The definitions are
// those of gramviz.measure.answer_map and components; components come from power iteration here.

import { permutations } from "./families.js";

/** @import { Families } from "./families.js" */

const SHEAR = 2.5;
const RIDGE = 0.01;
const FEWEST_ENDS = 2; // trajectories that give an answer a place of its own
const ROUNDS = 300; // of power iteration, at most
const NEARLY = 0.999; // of the largest loading, of which the first is positive
const SAME = 1e-13; // of a direction: it has converged

/** A row of numbers. @typedef {Float32Array | Float64Array} Row */

/** @param {Row} a @param {Row} b */
function dot(a, b) {
  let sum = 0;
  for (let k = 0; k < a.length; k += 1) sum += a[k] * b[k];
  return sum;
}

/** The mean of rows. @param {Row[]} rows */
export function meanOf(rows) {
  const mean = new Float64Array(rows[0].length);
  for (const row of rows) for (let k = 0; k < mean.length; k += 1) mean[k] += row[k];
  return mean.map((value) => value / rows.length);
}

/** Squared distance. @param {Row} a @param {Row} b */
function apart2(a, b) {
  let sum = 0;
  for (let k = 0; k < a.length; k += 1) sum += (a[k] - b[k]) ** 2;
  return sum;
}

/** @param {Row} a @param {Row} b */
const minus = (a, b) => new Float64Array(a).map((value, k) => value - b[k]);

/** A row less its parts along orthonormal ones. @param {Row | number[]} row @param {Row[]} basis */
function without(row, basis) {
  const rest = Float64Array.from(row);
  for (const one of basis) {
    const along = dot(rest, one);
    for (let k = 0; k < rest.length; k += 1) rest[k] -= along * one[k];
  }
  return rest;
}

/** Leading eigenvectors of a symmetric matrix by power iteration, each made orthogonal to those before.
 * @param {Float64Array[]} matrix @param {number} count @returns {{ value: number, vector: Float64Array }[]} */
function eigenvectors(matrix, count) {
  const size = matrix.length;
  /** @type {{ value: number, vector: Float64Array }[]} */
  const found = [];
  for (let k = 0; k < Math.min(count, size); k += 1) {
    let vector = Float64Array.from({ length: size }, (_, i) => Math.sin(1 + i * (k + 1))); // any start
    let value = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const next = without(
        matrix.map((row) => dot(row, vector)),
        found.map((other) => other.vector),
      );
      value = Math.sqrt(dot(next, next));
      if (!(value > 0)) break;
      const turned = 1 - Math.abs(dot(next, vector)) / (value * Math.sqrt(dot(vector, vector)));
      vector = next.map((one) => one / value);
      if (turned < SAME) break;
    }
    if (!(value > 1e-7 * (found[0]?.value ?? value)) || !(value > 0)) break;
    found.push({ value, vector });
  }
  return found.sort((a, b) => b.value - a.value);
}

/** Leading principal components of centered rows, by the rows' inner products; largest loading positive.
 * @param {Row[]} rows @param {number} count @returns {{ value: number, vector: Float64Array }[]} */
export function componentsOf(rows, count) {
  const gram = rows.map(() => new Float64Array(rows.length));
  for (let i = 0; i < rows.length; i += 1)
    for (let j = 0; j <= i; j += 1) gram[i][j] = gram[j][i] = dot(rows[i], rows[j]);
  return eigenvectors(gram, count).map(({ value, vector: weights }) => {
    const vector = new Float64Array(rows[0].length);
    for (const [i, row] of rows.entries()) for (let k = 0; k < vector.length; k += 1) vector[k] += weights[i] * row[k];
    const length = Math.sqrt(dot(vector, vector));
    const most = vector.reduce((found, one) => Math.max(found, Math.abs(one)), 0);
    const sign = Math.sign(vector.find((one) => Math.abs(one) >= NEARLY * most) ?? 1);
    return { value, vector: vector.map((one) => (sign * one) / length) };
  });
}

/** Solves A x = b for a small matrix; `b` has several columns, [row][column]. @param {number[][]} a @param {Row[]} b */
function solveSystem(a, b) {
  const size = a.length;
  const left = a.map((row) => [...row]);
  const right = b.map((row) => Float64Array.from(row));
  for (let k = 0; k < size; k += 1) {
    // The matrix is a Gram matrix with a ridge: positive definite, so no pivot is needed.
    for (let i = k + 1; i < size; i += 1) {
      const by = left[i][k] / left[k][k];
      for (let j = k; j < size; j += 1) left[i][j] -= by * left[k][j];
      for (let j = 0; j < right[i].length; j += 1) right[i][j] -= by * right[k][j];
    }
  }
  for (let k = size - 1; k >= 0; k -= 1)
    for (let j = 0; j < right[k].length; j += 1) {
      for (let i = k + 1; i < size; i += 1) right[k][j] -= left[k][i] * right[i][j];
      right[k][j] /= left[k][k];
    }
  return right;
}

/** Places on a regular polygon, clockwise from the top along the shortest tour of the arms. @param {Row[]} arms */
function polygon(arms) {
  const count = arms.length;
  const apart = arms.map((a) => arms.map((b) => minus(a, b).reduce((sum, one) => sum + Math.abs(one), 0)));
  const rest = Array.from({ length: count - 1 }, (_, k) => k + 1);
  const tours = permutations(rest).filter((tour) => tour[0] < tour[tour.length - 1]);
  const length = (/** @type {number[]} */ tour) =>
    [0, ...tour].reduce((sum, one, k, all) => sum + apart[one][all[(k + 1) % count]], 0);
  const lengths = tours.map(length);
  const tour = [0, ...tours[lengths.indexOf(Math.min(...lengths))]];
  const places = /** @type {[number, number][]} */ (arms.map(() => [0, 0]));
  for (const [k, one] of tour.entries()) {
    const angle = Math.PI / 2 - (2 * Math.PI * k) / count;
    places[one] = [Math.cos(angle), Math.sin(angle)];
  }
  return places;
}

/** Largest over smallest singular value of two rows. @param {Row[]} m */
function shearOf([a, b]) {
  const [p, q, r] = [dot(a, a), dot(b, b), dot(a, b)];
  const root = Math.sqrt(((p - q) / 2) ** 2 + r ** 2);
  const [large, small] = [(p + q) / 2 + root, Math.max(0, (p + q) / 2 - root)];
  return small > 1e-12 * large ? Math.sqrt(large / small) : Infinity;
}

/** Rows made orthonormal; those that add nothing are left out. @param {Row[]} rows */
function orthonormal(rows) {
  /** @type {Float64Array[]} */
  const basis = [];
  for (const row of rows) {
    const rest = without(row, basis);
    const length = Math.sqrt(dot(rest, rest));
    if (length > 1e-9) basis.push(rest.map((value) => value / length));
  }
  return basis;
}

/** M that takes each arm near its place. @param {Row[]} arms @param {[number, number][]} places @param {Row[]} late */
function through(arms, places, late) {
  const gram = arms.map((a) => arms.map((b) => dot(a, b)));
  const ridge = (RIDGE * gram.reduce((sum, row, k) => sum + row[k], 0)) / arms.length;
  const solved = solveSystem(
    gram.map((row, k) => row.map((one, j) => one + (j === k ? ridge : 0))),
    arms,
  );
  const m = [0, 1].map((axis) =>
    Float64Array.from(solved[0], (_, j) => places.reduce((sum, place, k) => sum + place[axis] * solved[k][j], 0)),
  );
  if (arms.length < 3) {
    const span = orthonormal(arms);
    const left = late.map((row) => without(row, span));
    const length = Math.sqrt(dot(m[0], m[0]));
    m[1] = componentsOf(left, 1)[0]?.vector.map((one) => one * length) ?? m[1].map(() => 0);
  }
  return m;
}

/**
 * The answer map of states [trajectory][step] -> [cell and token]; `leaders` are one-hot.
 * @param {Row[][]} states @param {Row[]} leaders @param {Families} found @param {number} start
 */
export function answerMapOf(states, leaders, found, start) {
  const mu = meanOf(states.map((row) => row[start]));
  const later = states.flatMap((row) => row.slice(start));
  const center = meanOf(later);
  const late = later.map((row) => minus(row, center));
  const total = late.reduce((sum, row) => sum + dot(row, row), 0);
  let lanes = [...found.size.keys()].filter((k) => found.size[k] >= FEWEST_ENDS || found.size.length === 1);
  const arms = lanes.map((k) => minus(leaders[k], mu));
  /** @type {{ kind: string, anchors: [number, number][], shear: number, m: Float64Array[] }} */
  let made = { kind: "pca", anchors: [], shear: 1, m: [] };
  if (arms.reduce((sum, arm) => sum + dot(arm, arm), 0) > 1e-6) {
    /** @type {[number, number][]} */
    const line = [
      [-1, 0],
      [1, 0],
    ];
    const anchors = arms.length > 2 ? polygon(arms) : line.slice(-arms.length);
    const m = through(arms, anchors, late);
    const shear = arms.length > 2 ? shearOf(m) : 1;
    if (shear <= SHEAR) made = { kind: arms.length > 2 ? "star" : "line", anchors, shear, m };
  }
  if (made.kind === "pca") {
    lanes = [];
    const found2 = componentsOf(late, 2).map(({ vector }) => vector);
    const two = [0, 1].map((k) => found2[k] ?? new Float64Array(mu.length));
    const reach = Math.max(...late.flatMap((row) => two.map((one) => Math.abs(dot(row, one)))), 0);
    made.m = two.map((one) => one.map((value) => (reach > 0 ? value / reach : value)));
  }
  const basis = orthonormal(made.m);
  const seen = late.reduce((sum, row) => sum + basis.reduce((part, one) => part + dot(row, one) ** 2, 0), 0);
  const xy = states.map((row) =>
    row.map((state) => {
      const moved = minus(state, mu);
      return /** @type {[number, number]} */ (made.m.map((one) => dot(moved, one)));
    }),
  );
  return { xy, mu, lanes, share: total > 0 ? seen / total : 0, ...made };
}

/**
 * Principal components of latent states [trajectory][step], fitted on the last third of the steps: the place of each
 * state, and the shares of its energy outside of two and of three components.
 * @param {Float32Array[][]} states
 */
export function latentPlane(states) {
  const from = Math.floor((2 * states[0].length) / 3);
  const late = states.flatMap((row) => row.slice(from));
  const center = Float32Array.from(meanOf(late));
  const around = (/** @type {Float32Array} */ state) => state.map((value, k) => value - center[k]);
  const rows = late.map(around);
  const total = rows.reduce((sum, row) => sum + dot(row, row), 0);
  const found = componentsOf(rows, 3);
  const share = (/** @type {number} */ part, /** @type {number} */ all) =>
    all > 0 ? Math.min(1, Math.max(0, part / all)) : 0;
  const placed = states.map((row) =>
    row.map((state) => {
      const moved = around(state);
      const xyz = [0, 1, 2].map((k) => (found[k] ? dot(moved, found[k].vector) : 0));
      const energy = dot(moved, moved);
      const outside = energy - xyz[0] ** 2 - xyz[1] ** 2;
      return { xyz, outside: share(outside, energy), beyond: share(outside - xyz[2] ** 2, energy) };
    }),
  );
  return { placed, variance: [0, 1, 2].map((k) => share(found[k]?.value ?? 0, total)) };
}

/** The typical trajectory of each lane (-1: of none): least sum of squared distances to the others.
 * @param {Row[][]} states from the warm-up on @param {number[]} last */
export function medoidsOf(states, last) {
  return [...new Set(last)]
    .sort((a, b) => a - b)
    .map((lane) => {
      const members = [...last.keys()].filter((i) => last[i] === lane);
      const apart = (/** @type {number} */ i, /** @type {number} */ j) =>
        states[i].reduce((sum, row, t) => sum + apart2(row, states[j][t]), 0);
      const sums = members.map((i) => members.reduce((sum, j) => sum + apart(i, j), 0));
      return members[sums.indexOf(Math.min(...sums))];
    });
}
