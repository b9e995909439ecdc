// The tree of partings of the focused run: from the common start to its answers, a branch as thick as its paths are many.
// The semantics are those of gramviz.measure.branching; both are held to tests/vectors/branching.json.

import { placeName } from "./cells.js";
import { make, markIcon, setAttribute, setText } from "./dom.js";
import { surface } from "./draw.js";
import { colorGroups, emphasis, FAINT, GREY, HIDDEN, outcomeColor, outcomeShape, runOf } from "./groups.js";
import { address, firstCell, ownSince } from "./steps.js";
import { words } from "./words.js";

const LEAF = 46; // px for an answer's mark, letter and count
const ROOMY = 200; // px that few answers share
const NAMED_FROM = 12; // px per answer from which on each is named

/**
 * The trunk: {paths, parts, at}. Paths of one answer are one branch to the end; of others those are joined first whose
 * pairs part last on average. `at` is that mean: the last state at which they are not yet parted.
 */
export function branching(run) {
  const last = run.steps - 1;
  const byEnd = new Map();
  for (let path = 0; path < run.n; path += 1) {
    const key = run.tokens(path, last).join();
    byEnd.set(key, [...(byEnd.get(key) ?? []), path]);
  }
  const groups = [...byEnd.values()].map((paths) => ({ paths, parts: [], at: last }));
  const ends = groups.map(({ paths }) => run.tokens(paths[0], last));
  const since = groups.map(({ paths }, i) =>
    paths.map((path) => ends.map((end, j) => (i === j ? 0 : ownSince(run, path, last, ends[i], end)))),
  );
  // Over the pairs of two groups, the sum of the states up to which they are together.
  const sums = groups.map((_, i) =>
    groups.map((_, j) => {
      let sum = 0;
      if (i !== j) for (const a of since[i]) for (const b of since[j]) sum += Math.max(a[j], b[i]) - 1;
      return sum;
    }),
  );
  const left = [...groups.keys()];
  while (left.length > 1) {
    let [mean, i, j] = [-Infinity, 0, 0];
    for (let a = 0; a < left.length; a += 1) {
      const [row, size] = [sums[left[a]], groups[left[a]].paths.length];
      for (let b = a + 1; b < left.length; b += 1) {
        const here = row[left[b]] / (size * groups[left[b]].paths.length);
        if (here > mean) [mean, i, j] = [here, left[a], left[b]];
      }
    }
    const parts = [groups[i], groups[j]].sort((a, b) => b.paths.length - a.paths.length || a.paths[0] - b.paths[0]);
    groups[i] = { paths: parts.flatMap(({ paths }) => paths).sort((a, b) => a - b), parts, at: mean };
    for (const k of left) sums[k][i] = sums[i][k] += sums[j][k];
    left.splice(left.indexOf(j), 1);
  }
  return groups[left[0]];
}

/** The cell where most pairs of paths across a fork part for good. */
export function forkCell(run, { parts: [one, other] }) {
  const counts = new Map();
  for (const a of one.paths)
    for (const b of other.paths) {
      const cell = firstCell(run, a, run, b, run.steps - 1);
      counts.set(cell, (counts.get(cell) ?? 0) + 1);
    }
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0][0];
}

/** @param choose({paths: [[run, path], ...]}, event) chooses them, as a row of answers does */
export function createTree(context, choose) {
  const { payload, store } = context;
  const trees = new Map(); // run -> its branches, trunk first, each before its parts
  const caption = make("h4");
  const canvas = make("canvas", { "aria-hidden": "true" });
  const list = make(
    "div",
    {
      class: "tree",
      role: "listbox",
      tabindex: "0",
      "aria-label": words.tree.title,
      "aria-multiselectable": "true",
      "data-part": "tree",
      onpointerleave: leave,
      onblur: leave,
    },
    canvas,
  );
  const el = make("div", { class: "grown", hidden: true }, caption, list);
  let at = null; // the branch that the arrow keys have come to
  let shown = null; // {run, branches, plot, height}

  function branchesOf(run) {
    if (!trees.has(run)) {
      const found = [];
      const visit = (branch, from, parent) => {
        Object.assign(branch, { from, parent });
        found.push(branch);
        for (const part of branch.parts) visit(part, branch.at, branch);
      };
      visit(branching(run), -1, null);
      found.filter(({ parts }) => !parts.length).forEach((leaf, k) => (leaf.level = k));
      for (const branch of [...found].reverse())
        branch.level ??= branch.parts.reduce((sum, part) => sum + part.level, 0) / branch.parts.length;
      trees.set(run, found);
    }
    return trees.get(run);
  }

  function label({ run }, { paths, parts, at: end }) {
    const [path] = paths;
    return parts.length
      ? words.tree.branch(paths.length, address(payload, Math.round(end)))
      : words.tree.leaf(paths.length, payload.answers[run.final(path)]?.letter, words.outcomes[run.outcome(path)]);
  }

  function preview(branch) {
    at = branch;
    const { run } = shown;
    const { paths, parts } = branch;
    branch.note ??= parts.length
      ? words.tree.fork(address(payload, Math.round(branch.at)), placeName(payload.board, forkCell(run, branch)))
      : "";
    store.poke({ hover: { part: "tree", run: run.letter, paths, note: branch.note, preview: [run.letter, paths[0]] } });
  }

  function leave() {
    at = null;
    store.poke({ hover: null });
  }

  const pick = (branch, event) => choose({ paths: branch.paths.map((path) => [shown.run, path]) }, event);

  /** Places the branches of a run, and an option over each. */
  function grow(run, width) {
    const branches = branchesOf(run);
    const leaves = branches.filter(({ parts }) => !parts.length);
    const pitch = Math.min(24, Math.max(3, ROOMY / leaves.length));
    const plot = width - LEAF;
    const x = (state) => ((state + 1) / run.steps) * plot;
    shown = {
      run,
      plot,
      branches,
      x,
      y: (level) => (level + 0.5) * pitch,
      width,
      height: Math.ceil(leaves.length * pitch),
    };
    const options = branches.map((branch, k) => {
      const leaf = !branch.parts.length;
      const named = leaf && pitch >= NAMED_FROM;
      const [path] = branch.paths;
      const option = make(
        "div",
        {
          role: "option",
          id: `branch${k}`,
          "aria-label": label(shown, branch),
          title: label(shown, branch),
          onclick: (event) => pick(branch, event),
          onpointerenter: () => preview(branch),
        },
        named
          ? [
              markIcon(outcomeShape(run.outcome(path))),
              `${payload.answers[run.final(path)]?.letter ?? ""} ${branch.paths.length}`,
            ]
          : null,
      );
      const high = Math.max(8, pitch);
      const left = Math.min(x(branch.from), plot - 6);
      Object.assign(option.style, {
        left: `${left}px`,
        top: `${shown.y(branch.level) - high / 2}px`,
        width: `${Math.max(6, (leaf ? width : x(branch.at)) - left)}px`,
        height: `${high}px`,
        paddingLeft: `${leaf ? plot + 4 - left : 0}px`,
      });
      if (named) option.firstChild.style.color = context.theme.pick(outcomeColor(run.outcome(path)));
      branch.option = option;
      return option;
    });
    list.replaceChildren(canvas, ...options);
  }

  function paint() {
    const { state, transient } = store;
    const { run, branches, x, y, plot, width, height } = shown;
    const { theme } = context;
    const pen = surface(canvas, width, height);
    const { groups, of } = colorGroups(payload, state);
    const level = emphasis(payload, state, transient.hover)[run.letter];
    const line = ({ parent, from, at: end, level: own }, color, thick) => {
      pen.strokeStyle = color;
      pen.lineWidth = thick;
      pen.beginPath();
      pen.moveTo(x(from), y((parent ?? { level: own }).level));
      pen.lineTo(x(from), y(own));
      pen.lineTo(x(end), y(own));
      pen.stroke();
    };
    for (const branch of branches) {
      const { paths } = branch;
      const kinds = new Set(paths.map((path) => of[run.letter][path]));
      const most = Math.max(...paths.map((path) => level[path]));
      const color = most === GREY ? theme.line : kinds.size > 1 ? theme.edge : theme.pick(groups[[...kinds][0]].color);
      pen.globalAlpha = most === FAINT ? 0.25 : most === HIDDEN ? 0 : 1;
      line(branch, color, 1.2 + 5 * Math.sqrt(paths.length / run.n));
      setAttribute(
        branch.option,
        "aria-selected",
        paths.every((path) => state.selected[run.letter]?.includes(path)),
      );
    }
    pen.globalAlpha = 1;
    const [letter, path] = state.focus;
    for (const branch of branches)
      if (letter === run.letter && branch.paths.includes(path)) line(branch, theme.ink, 1.6);
    const now = x(run.held(state.cursor.step));
    pen.setLineDash([2, 3]);
    pen.lineWidth = 1.4;
    pen.strokeStyle = theme.ink;
    pen.beginPath();
    pen.moveTo(Math.min(now, plot - 1), 0);
    pen.lineTo(Math.min(now, plot - 1), height);
    pen.stroke();
    pen.setLineDash([]);
  }

  return {
    element: el,
    /** The arrow keys: left to the trunk, right along the larger part, up and down through all branches. */
    move(dx, dy) {
      const { branches } = shown;
      const next = !at ? branches[0] : dx < 0 ? at.parent : dx > 0 ? at.parts[0] : branches[branches.indexOf(at) + dy];
      if (!next) return;
      preview(next);
      setAttribute(list, "aria-activedescendant", next.option.id);
      next.option.scrollIntoView({ block: "nearest" });
    },
    /** Enter chooses the branch that the keys have come to. */
    choose: (event) => at && pick(at, event),
    update(keys) {
      const { state } = store;
      el.hidden = !state.tree;
      if (el.hidden || !keys.size || (keys.size === 1 && keys.has("fraction"))) return;
      const run = runOf(payload, state.focus[0]);
      const width =
        context.size.width - { wide: context.size.width - 200, medium: 34, narrow: 26, tiny: 26 }[context.size.kind];
      if (!shown || shown.run !== run || keys.has("layout") || keys.has("theme")) grow(run, width);
      const { branches } = shown;
      const forks = branches.filter(({ parts, at: end }) => parts.length && end < state.cursor.step).length;
      setText(caption, words.tree.caption(forks + 1, address(payload, state.cursor.step), (branches.length + 1) / 2));
      for (const { option } of branches) option.classList.toggle("at", option === at?.option);
      paint();
    },
  };
}
