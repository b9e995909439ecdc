// The models in the page: it shares a puzzle out to workers, and what they answer becomes the payload that is shown, as
// a kernel's does. One for each page; it outlives what is shown of each payload.

import { digest, streamed } from "../payload.js";
import { recordOf } from "../state.js";
import { nodePlaces } from "./nodes.js";
import { packRuns } from "./pack.js";
import { rolloutFile } from "./rollout.js";
import { readTyped, writeTyped } from "./typed.js";
import { yourWords } from "./yourwords.js";
import { addNews, createRecord } from "./record.js";
import { solve2 } from "./solver.js";
import { unpack } from "./workers.js";

/** @import { Model } from "../kernel.js" */
/** @import { BoardMeta } from "../types.js" */
/** @import { ProgramMeta, Question } from "./network.js" */
/** @import { Puzzle } from "./pack.js" */
/** @import { Record as Run } from "./record.js" */
/** @import { Job, News } from "./worker.js" */
/** @import { Carried } from "./workers.js" */

/** What may be chosen: least, most, and the step between. @type {Record<Choice, [number, number, number]>} */
export const CHOICES = {
  trajectories: [1, 100, 1],
  depth: [1, 64, 1],
  noise: [0, 4, 0.1],
  seed: [0, 4_294_967_295, 1],
};
// Of the state: what means the same in every run.
const KEPT = ["theme", "motion", "lanes", "speed", "loop", "panel", "sheet"];

/**
 * What a person chooses.
 * @typedef {object} Settings
 * @property {string} model the name of one, or "" for all
 * @property {number} trajectories of a model that samples
 * @property {number} depth transitions
 * @property {number} noise
 * @property {number} seed
 */
/** @typedef {"trajectories" | "depth" | "noise" | "seed"} Choice */
/** @typedef {ReturnType<typeof createThinker>} Thinker */
/** @typedef {Awaited<ReturnType<typeof unpack>>} Ready */

/** @type {WeakMap<Model, Thinker>} */
const thinkers = new WeakMap();

/** The thinker of a page; null where it carries no models. @param {Model} model */
export function thinkerOf(model) {
  /** @type {Carried | undefined} */
  const carried = model.frozen ? model.get("thinker") : undefined;
  if (!carried) return null;
  const found = thinkers.get(model) ?? createThinker(model, carried);
  thinkers.set(model, found);
  return found;
}

/** The board of a graph has its edges as groups. @param {BoardMeta} board @param {number[][]} edges */
export const drawnBoard = (board, edges) => (board.kind === "graph" ? { ...board, groups: edges } : board);

/** Rows [from, to) of each of at most `count` equal shares. @param {number} rows @param {number} count */
function shares(rows, count) {
  const parts = Math.min(rows, count);
  return Array.from({ length: parts }, (_, k) => ({
    from: Math.floor((k * rows) / parts),
    to: Math.floor(((k + 1) * rows) / parts),
  }));
}

/** What workers are to do for a puzzle: `lists` of jobs, one for each, and of every job the run that it is of.
 * @param {Ready} ready @param {ProgramMeta[]} programs @param {BoardMeta} board @param {number[]} x
 * @param {number[][]} edges @param {Settings} settings */
function planOf({ module, weights, workers: { count } }, programs, board, x, edges, settings) {
  const { model, trajectories, depth, noise, seed } = settings;
  /** @type {Puzzle} */
  const puzzle = { board, x, seed, noise, y: null, solutions: null };
  const kinds = board.tokens.length;
  /** @type {Question} */
  const question = { x, blank: board.blank ?? [], edges, kinds };
  const chosen = programs.filter(({ name }) => !model || model === name);
  const order = [...chosen].sort((a, b) => Number(a.guidance_hidden > 0) - Number(b.guidance_hidden > 0));
  const runs = order.map((program) =>
    createRecord(program, program.guidance_hidden && noise ? trajectories : 1, kinds, depth),
  );
  /** @type {Map<Job, Run>} */
  const runOf = new Map();
  for (const record of runs)
    for (const share of shares(record.n, count)) {
      const { program } = record;
      const rows = { ...share, seed, noise };
      runOf.set({ module, program, weights: weights[programs.indexOf(program)], question, rows, depth }, record);
    }
  const jobs = [...runOf.keys()];
  const lists = Array.from({ length: Math.min(count, jobs.length) }, (_, k) =>
    jobs.filter((_, at) => at % count === k),
  );
  return { puzzle, runs, runOf, lists };
}

/** @param {Model} model @param {Carried} carried */
function createThinker(model, carried) {
  const recorded = { meta: model.get("meta"), data: model.get("data"), state: model.get("state") };
  const programs = carried.programs.map(({ meta }) => meta);
  const sized = { ...recorded.meta.board, size: recorded.meta.x.length };
  const graph = sized.kind === "graph";
  /** @type {Promise<Ready> | undefined} */
  let unpacked;
  /** @type {(() => void) | null} */
  let end = null; // while workers run
  let turn = 0; // the number of the run
  let published = 0; // steps of it that are shown
  /** @type {Set<() => void>} */
  const listeners = new Set();
  /** @type {Settings} */
  const settings = { model: "", trajectories: 20, depth: programs[0].depth, noise: 1, seed: 0 };
  /** What was published last. @type {{ meta: unknown, puzzle: Puzzle, runs: Run[] } | null} */
  let result = null;
  /** The view that a link asks for when its run has ended. @type {unknown} */
  let linked = null;
  const thinker = {
    programs,
    settings,
    /** The nearest number that may be chosen. @param {Choice} name @param {unknown} value */
    choose(name, value) {
      const [least, most, step] = CHOICES[name];
      const near = Math.min(most, Math.max(least, Number(value) || 0));
      settings[name] = step === 1 ? Math.round(near) : near;
    },
    /** The series that are shown, if they were computed here, and the file of each. */
    get rollouts() {
      if (!result || model.get("meta") !== result.meta) return [];
      const { puzzle, runs } = result;
      const file = (/** @type {Run} */ run) => () => rolloutFile(puzzle, run, new Date().toISOString());
      return runs.map((run) => ({ name: run.program.name, file: file(run) }));
    },
    /** Unpacks and rehearses while a person still types; what fails is said by the run that needs it. */
    prepare() {
      if (unpacked) return;
      unpacked = unpack(carried);
      unpacked.then(rehearse).catch(() => {});
    },
    status: "",
    /** Where the focus was in "Your puzzle" when the page was last built. @type {string | null} */
    focused: null,
    get busy() {
      return end !== null;
    },
    /** Whether what is shown was computed here. */
    get own() {
      return model.get("meta") !== recorded.meta;
    },
    /** The edges of the graph that is shown. @returns {number[][]} */
    edges: () => (graph ? model.get("meta").board.groups : []),
    /** @param {() => void} listener @param {AbortSignal} signal */
    listen(listener, signal) {
      listeners.add(listener);
      signal.addEventListener("abort", () => listeners.delete(listener));
    },
    stop() {
      if (!end) return;
      turn += 1; // what is still being packed is not shown any more
      finish(yourWords.stopped(published));
    },
    /** Shows the recorded run again. */
    restore() {
      turn += 1;
      finish("");
      model.set("run", null);
      model.set("meta", recorded.meta);
      model.set("data", recorded.data);
      model.set("state", recorded.state); // after the data: the run that goes may not have what it names
    },
    run,
  };

  /** What is edited on the board comes as a kernel is asked: for a branch of the whole series.
   * @param {{ id: string, edit?: Record<string, string | null>, trajectory?: number }} question */
  function hear({ id, edit: cells, trajectory }) {
    if (!cells || trajectory !== undefined) return model.emit?.("msg:custom", { id, ok: false, say: yourWords.whole });
    const { board, x } = model.get("meta");
    const written = (/** @type {string | null} */ text) =>
      board.tokens.findIndex((/** @type {import("../types.js").Token} */ token, /** @type {number} */ at) =>
        text === null ? at === Math.max(...board.blank) : text === (token.symbol || token.label),
      );
    run(
      x.map((/** @type {number} */ token, /** @type {number} */ at) => (at in cells ? written(cells[at]) : token)),
      thinker.edges(),
    );
    model.emit?.("msg:custom", { id, ok: true });
  }

  /** @param {string} text */
  function tell(text) {
    thinker.status = text;
    for (const listener of listeners) listener();
  }

  /** @param {string} text */
  function finish(text) {
    end?.();
    end = null;
    tell(text);
  }

  /** Runs the chosen models on a puzzle. @param {number[]} x @param {number[][]} edges of a graph */
  async function run(x, edges) {
    turn += 1;
    published = 0;
    const mine = turn;
    finish(yourWords.starting);
    try {
      unpacked ??= unpack(carried);
      const ready = await unpacked;
      if (mine === turn) begin(ready, mine, x, edges);
    } catch (error) {
      unpacked = undefined;
      const refused = ["CompileError", "ReferenceError", "SecurityError"].includes(/** @type {Error} */ (error).name);
      finish(refused ? yourWords.refused : yourWords.broken(/** @type {Error} */ (error).message));
    }
  }

  /** @param {Ready} ready @param {number} mine @param {number[]} x @param {number[][]} edges */
  function begin(ready, mine, x, edges) {
    const board = drawnBoard(recorded.meta.board, edges);
    model.set("run", { ...settings, text: writeTyped(sized, x, edges) });
    const { puzzle, runs, runOf, lists } = planOf(ready, programs, board, x, edges, settings);
    const hear = follow(mine, puzzle, runs, runOf, settings.depth);
    end = ready.workers.start(lists, hear, (why) => {
      if (mine === turn) finish(why ? yourWords.broken(why) : yourWords.refused);
    });
    // While they compute:
    if (graph && String(edges) !== String(recorded.meta.board.groups)) board.xy = nodePlaces(x.length, edges);
    const { found, whole } = solve2(board, x);
    if (whole && found.length === 1) [puzzle.y] = found;
    if (whole && found.length < 2) puzzle.solutions = found.length;
  }

  /** One step of the recorded puzzle, for nobody: the browser compiles what was run once, so that a person's first step
   * comes sooner; and its workers wait.
   * @param {Ready} ready */
  function rehearse(ready) {
    const { meta } = recorded;
    const once = { ...settings, depth: 1 };
    const { puzzle, runs, runOf, lists } = planOf(ready, programs, meta.board, meta.x, thinker.edges(), once);
    const hear = (/** @type {Job} */ job, /** @type {News} */ news) => {
      addNews(/** @type {Run} */ (runOf.get(job)), news);
      if (runs.every(({ steps }) => steps === 2)) packRuns(meta, puzzle, runs, {}, false);
    };
    ready.workers.start(lists, hear, () => {});
  }

  /** Shows every step that all trajectories have reached, from the first that was computed on; what it returns is to
   * hear of each.
   * @param {number} mine @param {Puzzle} puzzle @param {Run[]} runs @param {Map<Job, Run>} runOf
   * @param {number} depth */
  function follow(mine, puzzle, runs, runOf, depth) {
    const since = performance.now();
    let shown = 0; // steps
    let busy = false;
    const reached = () => Math.min(...runs.map(({ steps }) => steps));
    function next() {
      busy = false;
      show();
    }
    async function show() {
      if (busy || mine !== turn || reached() === shown || reached() < 2) return;
      busy = true;
      const first = shown === 0;
      const began = performance.now();
      shown = reached();
      const done = shown > depth;
      await publish(
        puzzle,
        runs.map((run) => ({ ...run, steps: shown })),
        { first, done },
        () => mine === turn,
      );
      if (mine !== turn) return;
      if (done) finish(yourWords.done(depth, ((performance.now() - since) / 1000).toFixed(1)));
      else {
        tell(yourWords.working(shown - 1, depth));
        // Most of the time is the reader's: what is drawn slowly is drawn less often.
        const drawn = () => setTimeout(next, 2 * (performance.now() - began));
        if (document.hidden) drawn();
        else requestAnimationFrame(() => requestAnimationFrame(drawn));
      }
    }
    return (/** @type {Job} */ job, /** @type {News} */ news) => {
      if (mine !== turn) return;
      addNews(/** @type {Run} */ (runOf.get(job)), news);
      show();
    };
  }

  /** @param {Puzzle} puzzle @param {Run[]} runs @param {{ first: boolean, done: boolean }} which
   * @param {() => boolean} isCurrent */
  async function publish(puzzle, runs, { first, done }, isCurrent) {
    /** @type {Record<string, string>} */
    const rules = puzzle.board.kind === "image" ? { conflict: yourWords.judged, valid: yourWords.judged } : {};
    const missing = { halt: yourWords.halt, value: yourWords.halt, ...rules, ...(done ? {} : { h: yourWords.h }) };
    const { meta, raw } = packRuns(recorded.meta, puzzle, runs, missing, done);
    const data = new Uint8Array(await streamed(raw, new CompressionStream("deflate")));
    meta.sha256 = (await digest(raw)) ?? "";
    if (!isCurrent()) return;
    published = runs[0].steps - 1;
    const state = model.get("state");
    if (first)
      model.set("state", Object.fromEntries(KEPT.filter((key) => key in state).map((key) => [key, state[key]])));
    result = { meta, puzzle, runs };
    model.set("meta", meta);
    model.set("data", data);
    if (done && linked) model.set("state", linked); // after the data: it is a view of these
    if (done) linked = null;
    if (first || done) model.save_changes();
  }

  /** Runs what a link says, and then shows its view. @param {Record<string, unknown>} link */
  function runAgain({ text, model: name, ...numbers }) {
    const read = readTyped(sized, `${text}`);
    if ("problem" in read) return tell(yourWords.link);
    settings.model = programs.find((program) => program.name === name)?.name ?? "";
    for (const choice of /** @type {Choice[]} */ (Object.keys(CHOICES)))
      thinker.choose(choice, numbers[choice] ?? settings[choice]);
    linked = recorded.state;
    run(read.x, read.edges ?? []);
  }

  model.on("ask", hear);
  if (model.get("run")) runAgain(recordOf(model.get("run")));
  return thinker;
}
