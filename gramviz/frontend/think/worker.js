// One worker: runs its rows of a puzzle and posts the state after each transition. It is stopped by ending it.

import { createNetwork } from "./network.js";

/**
 * What a worker is asked.
 * @typedef {object} Job
 * @property {WebAssembly.Module} module
 * @property {import("./network.js").ProgramMeta} program
 * @property {Uint16Array} weights
 * @property {import("./network.js").Question} question
 * @property {{ from: number, to: number, seed: number, noise: number }} rows
 * @property {number} depth transitions
 */
/**
 * What it posts after each transition, and once before the first.
 * @typedef {object} News
 * @property {number} from the first of its rows
 * @property {number} to the one after the last
 * @property {number} step transitions that are done
 * @property {Float32Array} logits [row, place, symbol]; one row before the first transition, when all are equal
 * @property {Float32Array} h [row, place, symbol, feature]
 */

/** @param {MessageEvent<Job>} event */
self.onmessage = ({ data: { module, program, weights, question, rows, depth } }) => {
  const network = createNetwork(module, program, weights, question, rows);
  for (let step = 0; step <= depth; step += 1) {
    if (step) network.step();
    const [logits, h] = [network.logits(), network.h].map((all) =>
      all.slice(0, step ? all.length : all.length / network.rows),
    );
    self.postMessage({ ...rows, step, logits, h }, { transfer: [logits.buffer, h.buffer] });
  }
};
