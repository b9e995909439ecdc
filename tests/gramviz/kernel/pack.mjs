// What a page makes of models' answers: `node pack.mjs REPOSITORY FOLDER`. In: cases.json, and the weights by name. Out,
// of case N: N.json (meta), N.raw (the arrays), and N.K.npz, its series K as a rollout; read.json: what it reads in texts.json.
import fs from "node:fs";

const [root, folder] = process.argv.slice(2);
const think = `${root}/gramviz/frontend/think`;
const { createNetwork } = await import(`${think}/network.js`);
const { addNews, createRecord } = await import(`${think}/record.js`);
const { packRuns } = await import(`${think}/pack.js`);
const { rolloutFile } = await import(`${think}/rollout.js`);
const { solve2 } = await import(`${think}/solver.js`);
const { readTyped } = await import(`${think}/typed.js`);
const module = new WebAssembly.Module(fs.readFileSync(`${root}/gramviz/kernel/kernel.wasm`));

/** @returns {import("../../../gramviz/frontend/think/typed.js").Typed} */
const read = (board, size, text) => readTyped({ ...board, size }, text);
const texts = JSON.parse(fs.readFileSync(`${folder}/texts.json`));
fs.writeFileSync(`${folder}/read.json`, JSON.stringify(texts.map(({ board, size, text }) => read(board, size, text))));

for (const [at, { board, x, edges, series, depth, text }] of JSON.parse(fs.readFileSync(`${folder}/cases.json`)).entries()) {
  const question = { x, blank: board.blank, edges };
  const runs = series.map(({ program, weights, trajectories }) => {
    const halves = new Uint16Array(Uint8Array.from(fs.readFileSync(`${folder}/${weights}`)).buffer);
    const rows = { from: 0, to: trajectories, seed: 3, noise: 1 };
    const network = createNetwork(module, program, halves, question, rows);
    const run = createRecord(program, trajectories, board.tokens.length, depth);
    for (let step = 0; step <= depth; step += 1) {
      if (step) network.step();
      addNews(run, { from: 0, to: run.n, step, logits: network.logits().slice(), h: network.h.slice() });
    }
    return run;
  });
  const puzzle = { board, x, y: null, solutions: null, seed: 3, noise: 1 };
  const { meta, raw } = packRuns({}, puzzle, runs, {}, true);
  meta.solved = solve2(board, x);
  meta.typed = read(board, x.length, text);
  fs.writeFileSync(`${folder}/${at}.json`, JSON.stringify(meta));
  fs.writeFileSync(`${folder}/${at}.raw`, Buffer.from(raw));
  for (const [k, run] of runs.entries())
    fs.writeFileSync(`${folder}/${at}.${k}.npz`, Buffer.concat(rolloutFile(puzzle, run, "2026-01-01T00:00:00Z")));
}
