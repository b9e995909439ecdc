// What a model answered so far: boards, probabilities and latent states of each trajectory, and what follows from them
// by the rules. The definitions are those of gramviz.measure.

/** @import { BoardMeta } from "../types.js" */
/** @import { ProgramMeta } from "./network.js" */

const NEVER = -1e4; // the logit of a token that cannot be
const MOST_BYTES = 2e8; // of all h of a series, that a page keeps
const GONE = new Float32Array(0);

/**
 * One series while it is computed.
 * @typedef {object} Record
 * @property {ProgramMeta} program
 * @property {number} n trajectories
 * @property {number} steps states that all trajectories have, the initial one included
 * @property {number} size positions
 * @property {number} kinds tokens
 * @property {Uint8Array[][]} tokens [trajectory][step] -> [position]
 * @property {Float32Array[][]} probability [trajectory][step] -> [position, token]
 * @property {Float32Array[][]} h [trajectory][step] -> [place, symbol, feature]
 * @property {number[][]} drift [trajectory][step] how far h moved; NaN at first
 * @property {number[]} spread [step] mean distance of h to its center
 * @property {boolean} keeps whether all h are kept; else only those that the next drift and spread need
 */

/** @param {ProgramMeta} program @param {number} n @param {number} kinds @param {number} depth transitions
 * @returns {Record} */
export function createRecord(program, n, kinds, depth) {
  /** @returns {any[][]} */
  const none = () => Array.from({ length: n }, () => []);
  const { places: size } = program.relations;
  const bytes = 4 * n * (depth + 1) * size * program.symbols.length * program.features;
  return {
    program,
    n,
    steps: 0,
    size,
    kinds,
    tokens: none(),
    probability: none(),
    h: none(),
    drift: none(),
    spread: [],
    keeps: bytes <= MOST_BYTES,
  };
}

/** Adds the state of some rows, which come in the order of their steps. @param {Record} record
 * @param {import("./worker.js").News} news */
export function addNews(record, { from, to, step, logits, h }) {
  const { size, program, n, drift } = record;
  const count = size * program.symbols.length;
  const width = count * program.features;
  const rows = Array.from({ length: logits.length / count }, (_, row) => ({
    answer: decodeLogits(record, logits.subarray(row * count, (row + 1) * count)),
    state: h.subarray(row * width, (row + 1) * width),
  }));
  for (let k = from; k < to; k += 1) {
    const { answer, state } = rows[(k - from) % rows.length];
    const states = record.h[k];
    record.tokens[k].push(answer[0]);
    record.probability[k].push(answer[1]);
    drift[k].push(step ? distance(state, states[step - 1]) : NaN);
    states.push(state);
  }
  const reached = Math.min(...Array.from({ length: n }, (_, k) => record.tokens[k].length));
  for (; record.steps < reached; record.steps += 1)
    record.spread.push(record.steps ? spreadOf(record.h.map((states) => states[record.steps])) : 0);
  if (record.keeps) return;
  for (const states of record.h) states.fill(GONE, 0, Math.min(record.steps, states.length - 1));
}

/** The most probable token of each position, and the probabilities of all. @param {Record} record
 * @param {Float32Array} logits [place, symbol] @returns {[Uint8Array, Float32Array]} */
function decodeLogits({ program: { symbols, tokens: others }, size, kinds }, logits) {
  const tokens = new Uint8Array(size);
  const probability = new Float32Array(size * kinds);
  const values = new Float64Array(kinds).fill(NEVER);
  const shares = new Float64Array(kinds);
  for (const [token, logit] of Object.entries(others)) values[Number(token)] = logit;
  for (let at = 0; at < size; at += 1) {
    for (let k = 0; k < symbols.length; k += 1) values[symbols[k]] = logits[at * symbols.length + k];
    let top = 0;
    for (let token = 1; token < kinds; token += 1) if (values[token] > values[top]) top = token;
    tokens[at] = top;
    let sum = 0;
    for (let token = 0; token < kinds; token += 1) sum += shares[token] = Math.exp(values[token] - values[top]);
    for (let token = 0; token < kinds; token += 1) probability[at * kinds + token] = shares[token] / sum;
  }
  return [tokens, probability];
}

/** The runner-up of a position: the most probable token that is not shown, of equals the first.
 * @param {Record} record @param {number} trajectory @param {number} step @param {number} at */
export function runnerUp({ tokens, probability, kinds }, trajectory, step, at) {
  const shown = tokens[trajectory][step][at];
  const all = probability[trajectory][step];
  let best = shown === 0 ? 1 : 0;
  for (let token = best + 1; token < kinds; token += 1)
    if (token !== shown && all[at * kinds + token] > all[at * kinds + best]) best = token;
  return /** @type {[number, number]} */ ([best, all[at * kinds + best]]);
}

/** Positions that break a rule, and how many rules are broken: (group, token) pairs with a repetition, and wrong
 * counts.
 * @param {BoardMeta} board @param {ArrayLike<number>} tokens */
export function judgeBoard(board, tokens) {
  const conflict = new Uint8Array(tokens.length);
  let violations = 0;
  for (const group of board.groups ?? []) {
    const seen = new Map();
    for (const at of group) {
      const token = tokens[at];
      if (!board.exclusive?.includes(token)) continue;
      const members = seen.get(token) ?? [];
      members.push(at);
      seen.set(token, members);
    }
    for (const members of seen.values())
      if (members.length > 1) {
        violations += 1;
        for (const at of members) conflict[at] = 1;
      }
  }
  for (const [token, count] of board.required ?? [])
    violations += Number(Array.from(tokens).filter((one) => one === token).length !== count);
  return { conflict, violations };
}

/** Euclidean distance. @param {Float32Array} a @param {Float32Array} b */
function distance(a, b) {
  let sum = 0;
  for (let k = 0; k < a.length; k += 1) {
    const apart = a[k] - b[k];
    sum += apart * apart;
  }
  return Math.sqrt(sum);
}

/** Mean distance of states to their center. @param {Float32Array[]} states */
function spreadOf(states) {
  const center = new Float32Array(states[0].length);
  for (const state of states) for (let k = 0; k < center.length; k += 1) center[k] += state[k] / states.length;
  return states.reduce((sum, state) => sum + distance(state, center), 0) / states.length;
}
