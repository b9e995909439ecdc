// What the page computes with: WebAssembly, weights, and workers, which are kept for the next puzzle.

import { bytesOf, digest, inflate } from "../payload.js";
import { yourWords } from "./yourwords.js";

/** @import { ProgramMeta } from "./network.js" */
/** @import { Job, News } from "./worker.js" */

/** What the page carries, deflated, in base64: weights (all low bytes, then all high ones), WebAssembly, and the text
 * of the worker.
 * @typedef {{ programs: { meta: ProgramMeta, weights: string }[], wasm: string, worker: string }} Carried */

const MOST_WORKERS = 4;

/** The WebAssembly, the weights of each program, checked, and workers. @param {Carried} carried */
export async function unpack({ wasm, programs, worker }) {
  const open = (/** @type {string} */ text) =>
    inflate(bytesOf(text)).catch(() => {
      throw new Error(yourWords.damaged);
    });
  const module = await WebAssembly.compile(await open(wasm));
  const weights = await Promise.all(
    programs.map(async ({ meta, weights: text }) => {
      const bytes = new Uint8Array(await open(text));
      const halves = new Uint16Array(bytes.length >> 1);
      for (let k = 0; k < halves.length; k += 1) halves[k] = bytes[k] | (bytes[halves.length + k] << 8);
      const sum = await digest(halves.buffer);
      if (sum !== null && sum !== meta.sha256) throw new Error(yourWords.damaged);
      return halves;
    }),
  );
  return { module, weights, workers: createWorkers(await open(worker)) };
}

/** @param {ArrayBuffer} text of a worker */
function createWorkers(text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const count = Math.max(1, Math.min(MOST_WORKERS, (navigator.hardwareConcurrency || 2) - 1));
  /** @type {Set<Worker>} */
  const waiting = new Set();
  return {
    count,
    /** Does jobs, of which each worker does its own one after another; returns what ends them.
     * @param {Job[][]} jobs a list for each worker
     * @param {(job: Job, news: News) => void} hear
     * @param {(why: string) => void} fail */
    start(jobs, hear, fail) {
      const busy = jobs.map((list) => {
        const [worker = new Worker(address)] = waiting;
        waiting.delete(worker);
        let at = 0;
        worker.onmessage = ({ data }) => {
          const job = list[at];
          if (data.step === job.depth) {
            at += 1;
            if (list[at]) worker.postMessage(list[at]);
            else waiting.add(worker);
          }
          hear(job, data);
        };
        worker.onerror = (event) => fail(event.message ?? ""); // a forbidden one says nothing
        worker.postMessage(list[0]);
        return worker;
      });
      return () => {
        for (const worker of busy) if (!waiting.has(worker)) worker.terminate();
      };
    },
  };
}
