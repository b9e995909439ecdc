// Runs the jobs of a folder on the kernel, as a worker of the page does: `node run.mjs REPOSITORY FOLDER`.
// In: jobs.json, and N.weights of job N. Out: N.out, float32: for each state logits, h and l of all rows.
import fs from "node:fs";

const [root, folder] = process.argv.slice(2);
const { createNetwork } = await import(`${root}/gramviz/frontend/think/network.js`);
const module = new WebAssembly.Module(fs.readFileSync(`${root}/gramviz/kernel/kernel.wasm`));
const processor = () => process.cpuUsage().user / 1e6; // seconds
const copy = (floats) => Buffer.from(floats.slice().buffer);
const times = JSON.parse(fs.readFileSync(`${folder}/jobs.json`, "utf8")).map(({ program, question, rows, depth }, at) => {
  const weights = new Uint16Array(Uint8Array.from(fs.readFileSync(`${folder}/${at}.weights`)).buffer);
  const network = createNetwork(module, program, weights, question, rows);
  const parts = [];
  let least = Number.POSITIVE_INFINITY; // seconds of the processor in a transition
  for (let step = 0; step <= depth; step += 1) {
    const before = processor();
    if (step) network.step();
    if (step) least = Math.min(least, processor() - before);
    parts.push(copy(network.logits()), copy(network.h), copy(network.l));
  }
  fs.writeFileSync(`${folder}/${at}.out`, Buffer.concat(parts));
  return least / network.rows;
});
// Noise alone: the normals of one transition, and Philox of three counters.
const { kernel, memory } = createNetwork(
  module,
  JSON.parse(fs.readFileSync(`${folder}/jobs.json`, "utf8"))[0].program,
  new Uint16Array(Uint8Array.from(fs.readFileSync(`${folder}/0.weights`)).buffer),
  JSON.parse(fs.readFileSync(`${folder}/jobs.json`, "utf8"))[0].question,
  { from: 0, to: 1, seed: 0, noise: 0 },
);
const at = memory.grow(1) * 65_536;
kernel.normals(at, 4096, 7, 0, 3, 11);
const normals = [...new Float32Array(memory.buffer, at, 4096)];
const words = [[0, 0, 0, 0, 0, 0], [-1, -1, -1, -1, -1, -1]].map((counter) => {
  kernel.philox(at, ...counter);
  return [...new Uint32Array(memory.buffer, at, 4)];
});
fs.writeFileSync(`${folder}/said.json`, JSON.stringify({ times, normals, words }));
