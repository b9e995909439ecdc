// The answers panel: which answers were reached, by which paths, and which one each rule would choose.

import { badge, make, markIcon, selectTabs, setAttribute, setText } from "../dom.js";
import { colorGroups, crowd, emphasis, FAINT, GREY, HIDDEN, outcomeColor, outcomeShape, runOf } from "../groups.js";
import { address } from "../steps.js";
import { createTree } from "../tree.js";
import { percent } from "../text.js";
import { words } from "../words.js";

const ANSWER_ROWS = 6; // answers with a row of their own
const MARKS_SHOWN = 200; // marks; beyond that, evenly chosen ones
const DENSE = 78;

/** The outcome of an answer: that of a path which ends in it. 0 wrong, 1 correct, 2 not finished, 3 unknown. */
function outcomeOf(payload, id) {
  for (const run of payload.runs)
    for (let path = 0; path < run.n; path += 1) if (run.final(path) === id) return run.outcome(path);
  return 3;
}

/** An answer in words: "correct", "2 conflicts", ... */
export function answerWords(payload, id) {
  const answer = payload.answers[id];
  const outcome = outcomeOf(payload, id);
  if (outcome === 1) return words.answers.right;
  if (outcome === 3 || !answer) return words.answers.unknown;
  if (outcome > 3) return words.outcomes[outcome];
  if (answer.valid) return words.answers.other;
  return outcome === 2 ? words.answers.unfinished : words.answers.conflicts(answer.conflicts ?? 0, payload.board.ruled);
}

/** Rows, largest first: [{id, letter, label, outcome, counts: {A: 1}, total, paths}]; id null = a board that is no final answer. */
export function answerRows(payload, state) {
  const byId = new Map();
  for (const run of payload.runs) {
    if (state.hidden.includes(run.letter)) continue;
    for (let path = 0; path < run.n; path += 1) {
      const id = state.answers_at === "final" ? run.final(path) : run.answer(path, state.cursor.step);
      if (!byId.has(id))
        byId.set(id, {
          id,
          letter: id === null ? null : (payload.answers[id]?.letter ?? null),
          label: id === null ? words.answers.between : answerWords(payload, id),
          outcome: id === null ? 2 : outcomeOf(payload, id),
          counts: {},
          total: 0,
          paths: [],
        });
      const row = byId.get(id);
      row.counts[run.letter] = (row.counts[run.letter] ?? 0) + 1;
      row.total += 1;
      row.paths.push([run, path]);
    }
  }
  // Letters are fixed by final size and stay in place during play; "on the way" comes last.
  return [...byId.values()].sort((a, b) => (a.id ?? Infinity) - (b.id ?? Infinity));
}

/** What each rule of choice takes from the paths of a run: [{rule, id, note}]. */
export function choices(payload, run) {
  const found = [];
  if (run.n === 1) return [{ rule: words.answers.alone(run.name), id: run.final(0), note: "" }];
  const counts = new Map();
  for (let path = 0; path < run.n; path += 1) counts.set(run.final(path), (counts.get(run.final(path)) ?? 0) + 1);
  const [majority, votes] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0];
  found.push({ rule: words.answers.majority, id: majority, note: `${votes} of ${run.n}` });
  if (run.curves.value) {
    const values = Array.from({ length: run.n }, (_, path) => run.curve("value", path, run.steps - 1));
    const best = values.reduce(
      (most, value, path) => (value > (values[most] ?? -Infinity) || !Number.isFinite(values[most]) ? path : most),
      0,
    );
    if (Number.isFinite(values[best]))
      found.push({ rule: words.answers.value, id: run.final(best), note: values[best].toFixed(2) });
  }
  if (run.valid) {
    const right = Array.from({ length: run.n }, (_, path) => path).find((path) => run.outcome(path) === 1);
    found.push({ rule: words.answers.oracle, id: right === undefined ? majority : run.final(right), note: "" });
  }
  return found;
}

/** The path whose head is nearest to the middle of a group's heads: [letter, index]. Without a map, the first. */
function central(paths, state) {
  const { step } = state.cursor;
  const placed = paths
    .filter(([run]) => run.maps[state.basis])
    .map(([run, path]) => {
      const at = 3 * (path * run.steps + run.held(step));
      return { who: [run.letter, path], point: run.maps[state.basis].xyz.subarray(at, at + 3) };
    });
  if (!placed.length) return [paths[0][0].letter, paths[0][1]];
  const middle = [0, 1, 2].map((axis) => placed.reduce((sum, { point }) => sum + point[axis], 0) / placed.length);
  const away = ({ point }) => Math.hypot(...middle.map((value, axis) => value - point[axis]));
  return placed.reduce((best, one) => (away(one) < away(best) ? one : best)).who;
}

/** How many different correct answers a set of paths ends in. */
const solutionsFound = (payload) =>
  payload.answers.filter((answer, id) => answer.valid && outcomeOf(payload, id) === 1).length;

export function createAnswers(app) {
  const { payload, store } = app;
  const at = make("button", { role: "tab", "data-at": "cursor", onclick: () => store.set({ answers_at: "cursor", tree: false }) });
  const final = make(
    "button",
    { role: "tab", "data-at": "final", onclick: () => store.set({ answers_at: "final", tree: false }) },
    words.answers.final,
  );
  const rows = make("div", {
    class: "rows",
    role: "listbox",
    "aria-label": words.answers.title,
    "aria-multiselectable": "true",
  });
  const count = make("h4");
  const marks = make("div", {
    class: "marks",
    role: "listbox",
    tabindex: "0",
    "aria-label": words.answers.title,
    "data-part": "marks",
  });
  const chosen = make("div", { class: "chosen selectable" });
  const found = make("div", { class: "found selectable" });
  const branches = make("button", { role: "tab", "data-at": "tree", onclick: () => store.set({ tree: true }) }, words.tree.title);
  const tree = createTree(app, choose);
  const lists = [make("div", {}, rows), make("div", {}, count, marks)];
  const body = make("div", { class: "body" }, lists, tree.el, chosen, found);
  const el = make(
    "section",
    { class: "panel answers", "aria-label": words.answers.title },
    make(
      "div",
      { class: "bar" },
      make("h3", {}, words.answers.title),
      make("div", { class: "push", role: "tablist" }, final, at, branches),
    ),
    body,
  );
  const seen = payload.runs
    .flatMap((run) => Array.from({ length: run.n }, (_, path) => [run, path]))
    .sort(([a, i], [b, k]) => a.final(i) - b.final(k) || a.index - b.index || i - k);
  const drawn =
    seen.length <= MARKS_SHOWN
      ? seen
      : Array.from({ length: MARKS_SHOWN }, (_, k) => seen[Math.floor((k * seen.length) / MARKS_SHOWN)]);
  let cells = [];
  let drawnRows = [];

  marks.append(
    ...drawn.map(([run, path]) => {
      const who = [run.letter, path];
      const cell = make(
        "div",
        {
          role: "option",
          id: `mark${run.letter}${path}`,
          "data-path": `${run.letter} ${path}`,
          "aria-label": `${words.pathName(run, path)}, ${words.outcomes[run.outcome(path)]}`,
          title: words.pathName(run, path),
          onclick: () => store.set({ focus: who, board: "focus" }),
          onpointerenter: () => store.poke({ hover: { part: "answers", path: who } }),
        },
        markIcon(outcomeShape(run.outcome(path))),
      );
      cells.push({ cell, run, path });
      return cell;
    }),
  );
  marks.classList.toggle("dense", drawn.length > DENSE);
  for (const node of [rows, marks]) node.addEventListener("pointerleave", () => store.poke({ hover: null }));
  cells = Object.freeze(cells);

  function choose(row, event) {
    const { selected } = store.state;
    const next = event.ctrlKey || event.metaKey ? { ...selected } : {};
    for (const [run, path] of row.paths) next[run.letter] = [...(next[run.letter] ?? []), path];
    const same =
      JSON.stringify(
        Object.entries(next).map(([letter, list]) => [letter, [...new Set(list)].sort((a, b) => a - b)]),
      ) === JSON.stringify(Object.entries(selected));
    store.set(
      same
        ? { selected: {}, board: "focus" }
        : { selected: next, brush: null, board: row.paths.length > 1 ? "all" : "focus" },
    );
  }

  function rowOf(row, most, many) {
    const color = app.theme.pick(outcomeColor(row.outcome));
    const shape = make("span", {}, markIcon(row.id === null ? "ring" : outcomeShape(row.outcome)));
    const bars = make("span", { class: `bars${many.length > 1 ? " two" : ""}` });
    for (const letter of many) {
      const bar = make("i");
      bar.style.width = `${(100 * (row.counts[letter] ?? 0)) / most}%`;
      bars.append(bar);
    }
    shape.style.color = bars.style.color = row.id === null ? app.theme.grey : color;
    // A single path of another run is a badge at the end of the bar, not a bar of its own.
    for (const run of payload.runs)
      if (run.n === 1 && payload.runs.length > 1 && row.counts[run.letter]) {
        const one = badge(run.letter);
        one.style.left = `min(${(100 * Math.max(...many.map((letter) => row.counts[letter] ?? 0), 0)) / most}% + 4px, 38px)`;
        bars.append(one);
      }
    const total = many.reduce((sum, letter) => sum + (row.counts[letter] ?? 0), 0);
    return make(
      "button",
      {
        class: "row",
        role: "option",
        "data-answer": String(row.id),
        title: row.label,
        onclick: (event) => choose(row, event),
        ondblclick: () => store.set({ focus: central(row.paths, store.state), board: "focus" }),
        onpointerenter: () =>
          store.poke({
            hover: { part: "answers", answers: row.ids ?? [row.id], preview: [row.paths[0][0].letter, row.paths[0][1]] },
          }),
      },
      shape,
      make("b", {}, row.letter ?? ""),
      make("span", { class: "label" }, row.label),
      bars,
      make("span", { class: "count" }, String(total)),
    );
  }

  function updateRows() {
    const { state } = store;
    const all = answerRows(payload, state);
    const many = payload.runs
      .filter(
        (run) =>
          !state.hidden.includes(run.letter) &&
          (run.n > 1 || payload.runs.length === 1 || payload.runs.every((other) => other.n === 1)),
      )
      .map((run) => run.letter);
    const shown = all.slice(0, all.length > ANSWER_ROWS ? ANSWER_ROWS - 1 : ANSWER_ROWS);
    const rest = all.slice(shown.length);
    if (rest.length) {
      const merged = {
        id: -1,
        ids: rest.map((row) => row.id),
        letter: null,
        label: words.answers.others(rest.length),
        outcome: rest.every(({ outcome }) => outcome === rest[0].outcome) ? rest[0].outcome : 3, // unlike ends have no mark of their own
        counts: {},
        total: 0,
        paths: rest.flatMap((row) => row.paths),
      };
      for (const row of rest)
        for (const [letter, n] of Object.entries(row.counts)) merged.counts[letter] = (merged.counts[letter] ?? 0) + n;
      shown.push(merged);
    }
    const most = Math.max(1, ...shown.flatMap((row) => many.map((letter) => row.counts[letter] ?? 0)));
    drawnRows = shown;
    const focused = el.getRootNode().activeElement?.dataset?.answer;
    rows.replaceChildren(...shown.map((row) => rowOf(row, most, many)));
    if (focused) rows.querySelector(`[data-answer="${focused}"]`)?.focus();
  }

  /** Which rows are chosen as a whole. Apart from drawing them, so that a double click finds the element of its first. */
  function updateChoice() {
    const { selected } = store.state;
    drawnRows.forEach((row, k) =>
      setAttribute(
        rows.children[k],
        "aria-selected",
        row.paths.every(([run, path]) => selected[run.letter]?.includes(path)),
      ),
    );
  }

  function updateMarks() {
    const { state, transient } = store;
    const { groups, of } = colorGroups(payload, state);
    const level = emphasis(payload, state, transient.hover);
    for (const { cell, run, path } of cells) {
      const here = level[run.letter][path];
      const name = `${run.letter},${path}`;
      const kinds = [
        name === String(state.focus) && "focus",
        name === String(state.pinned) && "pinned",
        here === GREY && "grey",
        here === FAINT && "faint",
      ]
        .filter(Boolean)
        .join(" ");
      setAttribute(cell, "class", kinds || null);
      setAttribute(cell, "aria-selected", Boolean(state.selected[run.letter]?.includes(path)));
      cell.hidden = here === HIDDEN;
      cell.style.color = app.theme.pick(groups[of[run.letter][path]].color);
    }
    setAttribute(marks, "aria-activedescendant", `mark${state.focus.join("")}`);
    const paths = seen.filter(([run]) => !state.hidden.includes(run.letter)).length;
    setText(
      count,
      drawn.length < seen.length ? words.answers.some(drawn.length, seen.length) : words.answers.sorted(paths),
    );
  }

  function updateChosen() {
    const order = [...payload.runs].sort((a, b) => (b.n > 1) - (a.n > 1)); // many paths first, "TRM alone" below
    const lines = order
      .filter((run) => !store.state.hidden.includes(run.letter))
      .flatMap((run) => choices(payload, run).map((choice) => ({ run, ...choice })));
    const several = payload.runs.filter((run) => run.n > 1).length > 1;
    chosen.replaceChildren(
      make("span", { class: "note" }, words.answers.chosen),
      ...lines.flatMap(({ run, rule, id, note }) => {
        const outcome = outcomeOf(payload, id);
        const shape = make("span", {}, markIcon(outcomeShape(outcome)));
        shape.style.color = app.theme.pick(outcomeColor(outcome));
        return [
          make("b", {}, several && run.n > 1 ? `${run.letter} ${rule}` : rule),
          shape,
          make("span", { class: "muted" }, [payload.answers[id]?.letter, note].filter(Boolean).join(", ")),
        ];
      }),
      ...(lines.some(({ rule }) => rule === words.answers.oracle)
        ? [make("span", { class: "note" }, words.answers.oracleNote)]
        : []),
    );
    const known = payload.runs.some((run) => run.valid);
    const right = solutionsFound(payload);
    const [only] =
      new Set(seen.map(([run, path]) => run.final(path))).size === 1 && seen.length > 1
        ? [words.answers.same(seen.length)]
        : [""];
    setText(
      found,
      [known ? words.answers.found(right, payload.solutions) : words.answers[payload.board.kind === "image" ? "picture" : "noValid"], only].filter(Boolean).join(". "),
    );
  }

  return {
    el,
    tree,
    /** Ctrl+Enter on a row: its paths are added to the choice. False for anything else. */
    add(node) {
      const row = drawnRows[[...rows.children].indexOf(node)];
      if (row) choose(row, { ctrlKey: true });
      return Boolean(row);
    },
    /** Arrow keys inside the marks: along the row of paths. */
    move(by) {
      const at = drawn.findIndex(([run, path]) => String([run.letter, path]) === String(store.state.focus));
      const [run, path] = drawn[Math.min(drawn.length - 1, Math.max(0, at + by))];
      store.set({ focus: [run.letter, path], board: "focus" });
    },
    update(keys) {
      const has = (...names) => names.some((name) => keys.has(name));
      const { state } = store;
      const following = state.answers_at === "cursor" && has("cursor");
      setText(at, words.answers.at(address(payload, state.cursor.step)));
      selectTabs([final, at, branches], state.tree ? branches : state.answers_at === "final" ? final : at);
      for (const list of lists) list.hidden = state.tree;
      tree.update(keys);
      const redraw = has("layout", "theme", "answers_at", "hidden") || following;
      if (redraw) updateRows();
      if (redraw || has("selected")) updateChoice();
      if (has("layout", "theme", "hidden")) updateChosen();
      if (
        has("layout", "theme", "color_by", "focus", "pinned", "selected", "hidden", "hover") ||
        (has("cursor", "cells") && !["outcome", "answer", "run"].includes(state.color_by))
      )
        updateMarks();
    },
  };
}

/** What the pointed-at rows, else the selection, hold, in words: "9 paths: 7 answer b, 2 answer c". */
export function groupSentence(payload, state, answers = null, branch = null) {
  const rows = answers && answerRows(payload, state).filter((row) => answers.includes(row.id));
  const paths = branch
    ? branch.paths.map((path) => [runOf(payload, branch.run), path])
    : rows
      ? rows.flatMap((row) => row.paths)
      : crowd(payload, state);
  if (!paths.length) return "";
  const counts = new Map();
  for (const [run, path] of paths) counts.set(run.final(path), (counts.get(run.final(path)) ?? 0) + 1);
  const parts = [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 4)
    .map(([id, n]) => words.answerShare(n, payload.answers[id]?.letter));
  const judged = paths.filter(([run]) => run.valid);
  const right = judged.filter(([run, path]) => run.outcome(path) === 1).length;
  return words.map.lassoed(paths.length, parts) + (judged.length ? `; ${percent(right / judged.length, 0)} correct.` : ".");
}
