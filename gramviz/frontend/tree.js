// The tree of answers of the focused series: a branch is as thick as its trajectories are many.

import { forkCell, placedBranches } from "./branching.js";
import { placeName } from "./cells.js";
import { make, markIcon, setAttribute, setText } from "./dom.js";
import { surface } from "./draw.js";
import { colorGroups, emphasis, FAINT, GRAY, HIDDEN, outcomeColor, outcomeShape, seriesOf } from "./groups.js";
import { address } from "./steps.js";
import { words } from "./words.js";

/** @import { PlacedBranch } from "./branching.js" */
/** @import { Context } from "./registry.js" */
/** @import { Payload, Series, Trajectory, Who } from "./types.js" */

/**
 * @typedef {object} Grown the branches of a series, placed
 * @property {Series} series
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

/** @param {Series} series @param {PlacedBranch[]} branches @param {number} width @returns {Grown} */
function grow(series, branches, width) {
  const leaves = branches.filter(({ parts }) => !parts.length).length;
  const pitch = Math.min(24, Math.max(3, ROOMY / leaves));
  const plot = width - LEAF;
  return {
    series,
    branches,
    options: [],
    x: (state) => ((state + 1) / series.steps) * plot,
    y: (level) => (level + 0.5) * pitch,
    plot,
    pitch,
    width,
    height: Math.ceil(leaves * pitch),
  };
}

/** What a branch is called. @param {Payload} payload @param {Series} series @param {PlacedBranch} branch */
function branchLabel(payload, series, { trajectories, parts, at }) {
  const [trajectory] = trajectories;
  return parts.length
    ? words.tree.branch(trajectories.length, address(payload, Math.round(at)))
    : words.tree.leaf(
        trajectories.length,
        payload.answers[series.final(trajectory)]?.letter,
        words.outcomes[series.outcome(trajectory)],
      );
}

/** The option over a branch; that of a leaf shows its mark, letter and count where there is room.
 * @param {Context} context @param {Grown} grown @param {PlacedBranch} branch
 * @param {{ onclick: (event: MouseEvent) => void, onpointerenter: () => void }} listeners */
function branchOption({ payload, theme }, { series, branches, x, y, plot, pitch, width }, branch, listeners) {
  const isLeaf = !branch.parts.length;
  const [trajectory] = branch.trajectories;
  const label = branchLabel(payload, series, branch);
  const option = make("div", {
    role: "option",
    id: `branch${branches.indexOf(branch)}`,
    "aria-label": label,
    title: label,
    ...listeners,
  });
  if (isLeaf && pitch >= NAMED_FROM) {
    const icon = markIcon(outcomeShape(series.outcome(trajectory)));
    icon.style.color = theme.pick(outcomeColor(series.outcome(trajectory)));
    option.append(icon, `${payload.answers[series.final(trajectory)]?.letter ?? ""} ${branch.trajectories.length}`);
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
function paintTree({ payload, store, theme }, canvas, { series, branches, x, y, plot, width, height }) {
  const { state, transient } = store;
  const pen = surface(canvas, width, height);
  const { groups, of } = colorGroups(payload, state);
  const level = emphasis(payload, state, transient.hover)[series.letter];
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
    const kinds = new Set(branch.trajectories.map((trajectory) => of[series.letter][trajectory]));
    const most = Math.max(...branch.trajectories.map((trajectory) => level[trajectory]));
    const color = most === GRAY ? theme.line : kinds.size > 1 ? theme.edge : theme.pick(groups[[...kinds][0]].color);
    pen.globalAlpha = most === FAINT ? 0.25 : most === HIDDEN ? 0 : 1;
    line(branch, color, 1.2 + 5 * Math.sqrt(branch.trajectories.length / series.n));
  }
  pen.globalAlpha = 1;
  const [letter, trajectory] = state.focus;
  if (letter === series.letter)
    for (const branch of branches) if (branch.trajectories.includes(trajectory)) line(branch, theme.ink, 1.6);
  const now = Math.min(x(series.held(state.cursor.step)), plot - 1);
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
 * @param {Payload} payload @param {Series} series @param {PlacedBranch} branch */
function hoverOf(payload, series, branch) {
  const { trajectories, parts } = branch;
  const cell = () => placeName(payload.board, forkCell(series, branch));
  const sentence = () => (parts.length ? words.tree.fork(address(payload, Math.round(branch.at)), cell()) : "");
  const note = notes.get(branch) ?? sentence();
  notes.set(branch, note);
  return {
    part: "tree",
    series: series.letter,
    trajectories,
    note,
    preview: /** @type {Trajectory} */ ([series.letter, trajectories[0]]),
  };
}

/** @type {WeakMap<Series, PlacedBranch[]>} */
const trees = new WeakMap();

/** The branches of a series with their options.
 * @param {Context} context @param {Series} series
 * @param {(series: Series, branch: PlacedBranch, event: MouseEvent) => void} pick
 * @param {(series: Series, branch: PlacedBranch) => void} preview */
function growOptions(context, series, pick, preview) {
  const branches = trees.get(series) ?? placedBranches(series);
  trees.set(series, branches);
  const grown = grow(series, branches, widthOf(context));
  grown.options = branches.map((branch) =>
    branchOption(context, grown, branch, {
      onclick: (event) => pick(series, branch, event),
      onpointerenter: () => preview(series, branch),
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
      branch.trajectories.every((trajectory) => selected?.includes(trajectory)),
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
 * @param {(row: { trajectories: Who[] }, event: KeyboardEvent | MouseEvent) => void} choose chooses trajectories, as a
 *   row of answers does
 */
export function createTree(context, choose) {
  const { payload, store } = context;
  let at = /** @type {PlacedBranch | null} */ (null); // the branch that the arrow keys have come to
  let grown = /** @type {Grown | null} */ (null);
  const { caption, canvas, list, element } = makeFrame(() => {
    at = null;
    store.poke({ hover: null });
  });

  /** @param {Series} series @param {PlacedBranch} branch */
  function preview(series, branch) {
    at = branch;
    store.poke({ hover: hoverOf(payload, series, branch) });
  }

  /** @param {Series} series @param {PlacedBranch} branch @param {KeyboardEvent | MouseEvent} event */
  const pick = (series, branch, event) =>
    choose({ trajectories: branch.trajectories.map((trajectory) => [series, trajectory]) }, event);

  /** @param {Set<string>} keys */
  function update(keys) {
    const { state } = store;
    element.hidden = !state.tree;
    if (element.hidden || !keys.size || (keys.size === 1 && keys.has("fraction"))) return;
    const series = seriesOf(payload, state.focus[0]);
    if (!grown || grown.series !== series || keys.has("layout") || keys.has("theme")) {
      grown = growOptions(context, series, pick, preview);
      list.replaceChildren(canvas, ...grown.options);
    }
    const { branches } = grown;
    const forks = branches.filter(({ parts, at: end }) => parts.length && end < state.cursor.step).length;
    setText(caption, words.tree.caption(forks + 1, address(payload, state.cursor.step), (branches.length + 1) / 2));
    markOptions(grown, state.selected[series.letter], at);
    paintTree(context, canvas, grown);
  }

  /** @param {number} dx @param {number} dy */
  function move(dx, dy) {
    if (!grown) return;
    const { branches, options, series } = grown;
    const next = at ? besideBranch(branches, at, dx, dy) : branches[0];
    if (!next) return;
    preview(series, next);
    const option = options[branches.indexOf(next)];
    setAttribute(list, "aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  /** Enter chooses the branch that the keys have come to. @param {KeyboardEvent} event */
  function chooseHere(event) {
    if (grown && at) pick(grown.series, at, event);
  }

  return { element, move, choose: chooseHere, update };
}
