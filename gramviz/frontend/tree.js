// The tree of answers of the focused series: a branch is as thick as its trajectories are many.

import { forkCell, placedBranches } from "./branching.js";
import { placeName } from "./cells.js";
import { make, markIcon, setAttribute, setText } from "./dom.js";
import { surface } from "./draw.js";
import { colorGroups, emphasis, FAINT, GRAY, HIDDEN, outcomeColor, outcomeShape, runOf } from "./groups.js";
import { address } from "./steps.js";
import { words } from "./words.js";

/** @import { PlacedBranch } from "./branching.js" */
/** @import { Context } from "./registry.js" */
/** @import { Payload, Series, Trajectory, Who } from "./types.js" */

/**
 * @typedef {object} Grown the branches of a series, placed
 * @property {Series} run
 * @property {PlacedBranch[]} branches
 * @property {HTMLElement[]} options one over each branch
 * @property {(state: number) => number} x
 * @property {(level: number) => number} y
 * @property {number} plot px up to the leaves' marks
 * @property {number} pitch px between two leaves
 * @property {number} width
 * @property {number} height
 */

const LEAF = 46; // px for an answer's mark, letter and count
const ROOMY = 200; // px that few answers share
const NAMED_FROM = 12; // px per answer from which on each is named
const INSET = { medium: 34, narrow: 26, tiny: 26 }; // px of the panel around it; a wide one has a column of its own
const COLUMN = 200;

/** @param {Series} run @param {PlacedBranch[]} branches @param {number} width @returns {Grown} */
function grow(run, branches, width) {
  const leaves = branches.filter(({ parts }) => !parts.length).length;
  const pitch = Math.min(24, Math.max(3, ROOMY / leaves));
  const plot = width - LEAF;
  return {
    run,
    branches,
    options: [],
    x: (state) => ((state + 1) / run.steps) * plot,
    y: (level) => (level + 0.5) * pitch,
    plot,
    pitch,
    width,
    height: Math.ceil(leaves * pitch),
  };
}

/** What a branch is called. @param {Payload} payload @param {Series} run @param {PlacedBranch} branch */
function branchLabel(payload, run, { paths, parts, at }) {
  const [path] = paths;
  return parts.length
    ? words.tree.branch(paths.length, address(payload, Math.round(at)))
    : words.tree.leaf(paths.length, payload.answers[run.final(path)]?.letter, words.outcomes[run.outcome(path)]);
}

/** The option over a branch; that of a leaf shows its mark, letter and count where there is room.
 * @param {Context} context @param {Grown} grown @param {PlacedBranch} branch
 * @param {{ onclick: (event: MouseEvent) => void, onpointerenter: () => void }} listeners */
function branchOption({ payload, theme }, { run, branches, x, y, plot, pitch, width }, branch, listeners) {
  const isLeaf = !branch.parts.length;
  const [path] = branch.paths;
  const label = branchLabel(payload, run, branch);
  const option = make("div", {
    role: "option",
    id: `branch${branches.indexOf(branch)}`,
    "aria-label": label,
    title: label,
    ...listeners,
  });
  if (isLeaf && pitch >= NAMED_FROM) {
    const icon = markIcon(outcomeShape(run.outcome(path)));
    icon.style.color = theme.pick(outcomeColor(run.outcome(path)));
    option.append(icon, `${payload.answers[run.final(path)]?.letter ?? ""} ${branch.paths.length}`);
  }
  const high = Math.max(8, pitch);
  const left = Math.min(x(branch.from), plot - 6);
  Object.assign(option.style, {
    left: `${left}px`,
    top: `${y(branch.level) - high / 2}px`,
    width: `${Math.max(6, (isLeaf ? width : x(branch.at)) - left)}px`,
    height: `${high}px`,
    paddingLeft: `${isLeaf ? plot + 4 - left : 0}px`,
  });
  return option;
}

/** Draws the branches, the focused trajectory in ink, and the cursor.
 * @param {Context} context @param {HTMLCanvasElement} canvas @param {Grown} grown */
function paintTree({ payload, store, theme }, canvas, { run, branches, x, y, plot, width, height }) {
  const { state, transient } = store;
  const pen = surface(canvas, width, height);
  const { groups, of } = colorGroups(payload, state);
  const level = emphasis(payload, state, transient.hover)[run.letter];
  /** @param {PlacedBranch} branch @param {string} color @param {number} thickness */
  const line = (branch, color, thickness) => {
    pen.strokeStyle = color;
    pen.lineWidth = thickness;
    pen.beginPath();
    pen.moveTo(x(branch.from), y((branch.parent ?? branch).level));
    pen.lineTo(x(branch.from), y(branch.level));
    pen.lineTo(x(branch.at), y(branch.level));
    pen.stroke();
  };
  for (const branch of branches) {
    const kinds = new Set(branch.paths.map((path) => of[run.letter][path]));
    const most = Math.max(...branch.paths.map((path) => level[path]));
    const color = most === GRAY ? theme.line : kinds.size > 1 ? theme.edge : theme.pick(groups[[...kinds][0]].color);
    pen.globalAlpha = most === FAINT ? 0.25 : most === HIDDEN ? 0 : 1;
    line(branch, color, 1.2 + 5 * Math.sqrt(branch.paths.length / run.n));
  }
  pen.globalAlpha = 1;
  const [letter, path] = state.focus;
  if (letter === run.letter)
    for (const branch of branches) if (branch.paths.includes(path)) line(branch, theme.ink, 1.6);
  const now = Math.min(x(run.held(state.cursor.step)), plot - 1);
  pen.setLineDash([2, 3]);
  pen.lineWidth = 1.4;
  pen.strokeStyle = theme.ink;
  pen.beginPath();
  pen.moveTo(now, 0);
  pen.lineTo(now, height);
  pen.stroke();
  pen.setLineDash([]);
}

/** The width that the tree has. @param {Context} context */
const widthOf = ({ size }) => (size.kind === "wide" ? COLUMN : size.width - INSET[size.kind]);

/** Notes of forks: the cell in them takes long to find. @type {WeakMap<PlacedBranch, string>} */
const notes = new WeakMap();

/** What a branch that is pointed at shows elsewhere.
 * @param {Payload} payload @param {Series} run @param {PlacedBranch} branch */
function hoverOf(payload, run, branch) {
  const { paths, parts } = branch;
  const cell = () => placeName(payload.board, forkCell(run, branch));
  const sentence = () => (parts.length ? words.tree.fork(address(payload, Math.round(branch.at)), cell()) : "");
  const note = notes.get(branch) ?? sentence();
  notes.set(branch, note);
  return { part: "tree", run: run.letter, paths, note, preview: /** @type {Trajectory} */ ([run.letter, paths[0]]) };
}

/** @type {WeakMap<Series, PlacedBranch[]>} */
const trees = new WeakMap();

/** The branches of a series with their options.
 * @param {Context} context @param {Series} run
 * @param {(run: Series, branch: PlacedBranch, event: MouseEvent) => void} pick
 * @param {(run: Series, branch: PlacedBranch) => void} preview */
function growOptions(context, run, pick, preview) {
  const branches = trees.get(run) ?? placedBranches(run);
  trees.set(run, branches);
  const grown = grow(run, branches, widthOf(context));
  grown.options = branches.map((branch) =>
    branchOption(context, grown, branch, {
      onclick: (event) => pick(run, branch, event),
      onpointerenter: () => preview(run, branch),
    }),
  );
  return grown;
}

/** Marks the options of what is selected, and of what the arrow keys have come to.
 * @param {Grown} grown @param {number[] | undefined} selected @param {PlacedBranch | null} at */
function markOptions({ branches, options }, selected, at) {
  branches.forEach((branch, k) => {
    setAttribute(
      options[k],
      "aria-selected",
      branch.paths.every((path) => selected?.includes(path)),
    );
    options[k].classList.toggle("at", branch === at);
  });
}

/** Where an arrow key leads: left to the trunk, right along the larger part, up and down through all branches.
 * @param {PlacedBranch[]} branches @param {PlacedBranch} at @param {number} dx @param {number} dy */
const besideBranch = (branches, at, dx, dy) =>
  dx < 0 ? at.parent : dx > 0 ? at.parts[0] : branches[branches.indexOf(at) + dy];

/** The box of the tree, with a heading and a canvas below the options. @param {() => void} onleave */
function makeFrame(onleave) {
  const caption = make("h4");
  const canvas = make("canvas", { "aria-hidden": "true" });
  const attributes = { class: "tree", role: "listbox", tabindex: "0", "data-part": "tree" };
  const aria = { "aria-label": words.tree.title, "aria-multiselectable": "true" };
  const list = make("div", { ...attributes, ...aria, onpointerleave: onleave, onblur: onleave }, canvas);
  return { caption, canvas, list, element: make("div", { class: "grown", hidden: true }, caption, list) };
}

/**
 * @param {Context} context
 * @param {(row: { paths: Who[] }, event: KeyboardEvent | MouseEvent) => void} choose chooses trajectories, as a row of
 *   answers does
 */
export function createTree(context, choose) {
  const { payload, store } = context;
  let at = /** @type {PlacedBranch | null} */ (null); // the branch that the arrow keys have come to
  let grown = /** @type {Grown | null} */ (null);
  const { caption, canvas, list, element } = makeFrame(() => {
    at = null;
    store.poke({ hover: null });
  });

  /** @param {Series} run @param {PlacedBranch} branch */
  function preview(run, branch) {
    at = branch;
    store.poke({ hover: hoverOf(payload, run, branch) });
  }

  /** @param {Series} run @param {PlacedBranch} branch @param {KeyboardEvent | MouseEvent} event */
  const pick = (run, branch, event) => choose({ paths: branch.paths.map((path) => [run, path]) }, event);

  /** @param {Set<string>} keys */
  function update(keys) {
    const { state } = store;
    element.hidden = !state.tree;
    if (element.hidden || !keys.size || (keys.size === 1 && keys.has("fraction"))) return;
    const run = runOf(payload, state.focus[0]);
    if (!grown || grown.run !== run || keys.has("layout") || keys.has("theme")) {
      grown = growOptions(context, run, pick, preview);
      list.replaceChildren(canvas, ...grown.options);
    }
    const { branches } = grown;
    const forks = branches.filter(({ parts, at: end }) => parts.length && end < state.cursor.step).length;
    setText(caption, words.tree.caption(forks + 1, address(payload, state.cursor.step), (branches.length + 1) / 2));
    markOptions(grown, state.selected[run.letter], at);
    paintTree(context, canvas, grown);
  }

  /** @param {number} dx @param {number} dy */
  function move(dx, dy) {
    if (!grown) return;
    const { branches, options, run } = grown;
    const next = at ? besideBranch(branches, at, dx, dy) : branches[0];
    if (!next) return;
    preview(run, next);
    const option = options[branches.indexOf(next)];
    setAttribute(list, "aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  /** Enter chooses the branch that the keys have come to. @param {KeyboardEvent} event */
  function chooseHere(event) {
    if (grown && at) pick(grown.run, at, event);
  }

  return { element, move, choose: chooseHere, update };
}
