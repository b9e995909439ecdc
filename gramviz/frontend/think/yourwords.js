// The sentences of "Your puzzle".

import { joined, plural } from "../text.js";

export const yourWords = {
  title: "Your puzzle",
  picture: "Your picture",
  how: "Click a cell and type, or write the puzzle here.",
  draw: "The model draws what you leave blank. Click a cell and type 1 for ink or 0 for paper, or write here.",
  ways: "rows of digits, with . for a blank",
  queens: "rows of . and Q",
  graph: "edges and colors, as 1-2 2-3 1=B",
  pixels: "rows of # for ink, . for paper and ? for a blank",
  text: (/** @type {string} */ form) => `Puzzle as text: ${form}`,
  clear: "Clear",
  random: "Random",
  run: "Run",
  stop: "Stop",
  recorded: "Recorded run",
  model: "Model",
  all: "All",
  trajectories: "Trajectories",
  depth: "Steps",
  noise: "Noise",
  seed: "Seed",
  range: (
    /** @type {string} */ name,
    /** @type {string} */ written,
    /** @type {number} */ least,
    /** @type {number} */ most,
    /** @type {number} */ taken,
  ) => `${name}: "${written.slice(0, 20)}" is not allowed; ${least} to ${most} is, and ${taken} was taken.`,
  mine: "your puzzle",
  rows: (
    /** @type {number[]} */ sizes,
    /** @type {number} */ height,
    /** @type {number} */ width,
    /** @type {string} */ blank,
  ) =>
    `The puzzle has rows of ${sizes.slice(0, 12).join(", ") || "no"} characters; this board needs ${height} rows of ` +
    `${width}, or all ${height * width} in one line, with ${blank} for a blank.`,
  character: (
    /** @type {string} */ place,
    /** @type {string} */ written,
    /** @type {string[]} */ known,
    /** @type {string} */ blank,
  ) => `${place} holds "${written}"; write ${joined(known)}, or ${blank} for a blank.`,
  node: (/** @type {number} */ node, /** @type {number} */ count) =>
    `${node} is not a node of this graph; its nodes are 1 to ${count}.`,
  long: (/** @type {number} */ length, /** @type {number} */ most) =>
    `This has ${length} characters, and one puzzle at most ${most}; paste one.`,
  table: (/** @type {number} */ count) => `The table has ${count} puzzles; write one of them.`,
  matrix: "The matrix is not symmetric with 0 on its diagonal; an edge joins two nodes.",
  column: (/** @type {number} */ column, /** @type {number} */ width) =>
    `Column ${column} is not on this board; columns are 0 to ${width - 1}, and -1 for no queen.`,
  columns: (/** @type {number} */ count, /** @type {number} */ height) =>
    `The list has ${count} columns; this board needs ${height}, one for each row.`,
  nodes: (/** @type {number} */ found, /** @type {number} */ count) =>
    `The graph has ${found} nodes; this board has ${count}.`,
  color: (/** @type {string} */ color, /** @type {string[]} */ known) =>
    `"${color.slice(0, 20)}" is not a color of this task; known: ${known.join(", ")}.`,
  itself: (/** @type {string} */ piece, /** @type {string} */ node) =>
    `${piece.slice(0, 20)} joins node ${node} to itself; an edge needs two nodes.`,
  twice: (/** @type {string} */ node) => `Node ${node} is given two colors; keep one of them.`,
  piece: (/** @type {string} */ piece) => `"${piece.slice(0, 20)}" is neither an edge, as 1-2, nor a color, as 1=B.`,
  conflict: (/** @type {number} */ count) => `${plural(count, "given")} break a rule; the models may still be run.`,
  link: "The puzzle of this link cannot be read; the recorded run is shown.",
  none: "This puzzle has no solution; the models may still be run.",
  one: "This puzzle has one solution.",
  many: "This puzzle has several solutions.",
  free: "Any picture is an answer; the models draw what they learned.",
  unknown: "Whether this puzzle has one solution was not found out in time.",
  working: (/** @type {number} */ step, /** @type {number} */ depth) => `Step ${step} of ${depth}`,
  done: (/** @type {number} */ depth, /** @type {string} */ seconds) =>
    `Done: ${plural(depth, "step")} in ${seconds} s.`,
  stopped: (/** @type {number} */ step) => `Stopped after ${plural(step, "step")}.`,
  starting: "Starting.",
  damaged: "The weights of this page are damaged (checksum).",
  refused:
    "This browser does not let the page compute (no WebAssembly, or its policy forbids it); the recorded run stays.",
  broken: (/** @type {string} */ why) => `The computation failed: ${why}`,
  whole: "This page runs whole puzzles; a kernel can do more: gv.explore(rollout, rerun=gram.rerun).",
  halt: "The page computes answers alone; halting and value are in a rollout of gram.sample.",
  judged: "A picture is neither right nor wrong.",
  h: "The plane of h is drawn when the series has reached its last step.",
};
