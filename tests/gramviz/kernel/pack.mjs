// What a page makes of models' answers: `node pack.mjs REPOSITORY FOLDER`. In: cases.json, and the weights by name. Out,
// of case N: N.json (meta), N.raw (the arrays), and of its series K: N.K.tokens, N.K.probability, N.K.h, as they came.
import fs from "node:fs";

const [root, folder] = process.argv.slice(2);
const think = `${root}/gramviz/frontend/think`;
const { createNetwork } = await import(`${think}/network.js`);
const { addNews, createRecord } = await import(`${think}/record.js`);
const { packRuns } = await import(`${think}/pack.js`);
const { solve2 } = await import(`${think}/solver.js`);
const { readGraph, readGrid } = await import(`${think}/typed.js`);
const module = new WebAssembly.Module(fs.readFileSync(`${root}/gramviz/kernel/kernel.wasm`));

for (const [at, { board, x, edges, series, depth, text }] of JSON.parse(fs.readFileSync(`${folder}/cases.json`)).entries()) {
  const question = { x, blank: board.blank, edges };
  const runs = series.map(({ program, weights, trajectories }) => {
    const halves = new Uint16Array(Uint8Array.from(fs.readFileSync(`${folder}/${weights}`)).buffer);
    const rows = { from: 0, to: trajectories, seed: 3, noise: 1 };
    const network = createNetwork(module, program, halves, question, rows);
    const run = createRecord(program, trajectories, board.tokens.length, depth);
    for (let step = 0; step <= depth; step += 1) {
      if (step) network.step();
      addNews(run, { from: 0, step, logits: network.logits().slice(), h: network.h.slice() });
    }
    return run;
  });
  const { meta, raw } = packRuns({}, { board, x, y: null, solutions: null, seed: 3 }, runs, {}, true);
  meta.solved = solve2(board, x);
  meta.typed = (board.kind === "graph" ? readGraph : readGrid)({ ...board, size: x.length }, text);
  fs.writeFileSync(`${folder}/${at}.json`, JSON.stringify(meta));
  fs.writeFileSync(`${folder}/${at}.raw`, Buffer.from(raw));
  for (const [k, run] of runs.entries())
    for (const name of ["tokens", "probability", "h"]) {
      const all = run[name].flat().map((part) => Buffer.from(part.slice().buffer));
      fs.writeFileSync(`${folder}/${at}.${k}.${name}`, Buffer.concat(all));
    }
}
