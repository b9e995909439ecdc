// The answers panel: which answers were reached, by which trajectories, and which one each rule would choose.

import { anyOf } from "../painter.js";
import { answerRows, choices, outcomeOf, solutionsFound, unjudged } from "../answers.js";
import { badge, make, markIcon, selectTabs, setAttribute, setText } from "../dom.js";
import { arrowOf, focusedIn, withCommand } from "../focus.js";
import {
  emphasis,
  FAINT,
  GRAY,
  HIDDEN,
  outcomeColor,
  outcomeShape,
  SELECTED,
  allOf,
  visibleSeries,
} from "../groups.js";
import { shownColors } from "../scene.js";
import { address } from "../steps.js";
import { words } from "../words.js";

const ANSWER_ROWS = 6; // answers with a row of their own
const MARKS_SHOWN = 200; // marks; beyond that, evenly chosen ones
const DENSE = 78;
const MARKS_ACROSS = 13;

/** @typedef {import("../registry.js").Context} Context */
/** @typedef {import("../types.js").Payload} Payload */
/** @typedef {import("../types.js").State} State */
/** @typedef {import("../types.js").Who} Who */
/** @typedef {import("../answers.js").AnswerRow} AnswerRow */

/**
 * The trajectory whose head is nearest to the middle of a group's heads: [letter, index]. Without a map, the first.
 * @param {Who[]} trajectories
 * @param {State} state
 * @returns {[string, number]}
 */
function central(trajectories, state) {
  const { step } = state.cursor;
  const basis = state.basis ?? "";
  const placed = trajectories
    .filter(([series]) => series.maps[basis])
    .map(([series, trajectory]) => {
      const at = 3 * (trajectory * series.steps + series.held(step));
      const who = /** @type {[string, number]} */ ([series.letter, trajectory]);
      return { who, point: series.maps[basis].xyz.subarray(at, at + 3) };
    });
  if (!placed.length) return [trajectories[0][0].letter, trajectories[0][1]];
  const middle = [0, 1, 2].map((axis) => placed.reduce((sum, { point }) => sum + point[axis], 0) / placed.length);
  const away = (/** @type {typeof placed[0]} */ { point }) =>
    Math.hypot(...middle.map((value, axis) => value - point[axis]));
  return placed.reduce((best, one) => (away(one) < away(best) ? one : best)).who;
}

/**
 * The rows that are drawn: the largest answers, and the rest as one.
 * @param {AnswerRow[]} all
 * @returns {AnswerRow[]}
 */
function mergedRows(all) {
  if (all.length <= ANSWER_ROWS) return all;
  const rest = all.slice(ANSWER_ROWS - 1);
  /** @type {Record<string, number>} */
  const counts = {};
  for (const row of rest)
    for (const [letter, count] of Object.entries(row.counts)) counts[letter] = (counts[letter] ?? 0) + count;
  const { outcome } = rest[0];
  const merged = {
    id: -1,
    ids: rest.map((row) => row.id),
    letter: null,
    label: words.answers.others(rest.length),
    outcome: rest.every((row) => row.outcome === outcome) ? outcome : 3, // unlike ends have no mark of their own
    counts,
    total: rest.reduce((sum, row) => sum + row.total, 0),
    trajectories: rest.flatMap((row) => row.trajectories),
  };
  return [...all.slice(0, ANSWER_ROWS - 1), merged];
}

/**
 * The series that have a bar of their own: those of one trajectory only where there are no others.
 * @param {Payload} payload
 * @param {State} state
 */
function barLetters(payload, state) {
  const alone = payload.series.length === 1 || payload.series.every((series) => series.n === 1);
  return visibleSeries(payload, state)
    .filter(({ n }) => n > 1 || alone)
    .map((series) => series.letter);
}

/** The bars of a row. @param {Payload} payload @param {AnswerRow} row @param {string[]} letters @param {number} most */
function barsOf(payload, { counts }, letters, most) {
  const share = (/** @type {string} */ letter) => (100 * (counts[letter] ?? 0)) / most;
  const bars = letters.map((letter) => {
    const bar = make("i");
    bar.style.width = `${share(letter)}%`;
    return bar;
  });
  // A single trajectory of another series is a badge at the end of the bar, not a bar of its own.
  const badges = payload.series
    .filter((series) => series.n === 1 && payload.series.length > 1 && counts[series.letter])
    .map((series) => {
      const one = badge(series.letter);
      one.style.left = `min(${Math.max(...letters.map(share), 0)}% + 4px, 38px)`;
      return one;
    });
  return make("span", { class: `bars${letters.length > 1 ? " two" : ""}` }, bars, badges);
}

/**
 * Chooses the trajectories of a row; those that are chosen already are dropped.
 * @param {Context} context
 * @param {{trajectories: Who[]}} row
 * @param {boolean} add
 */
function chooseRow({ store }, { trajectories }, add) {
  const { selected } = store.state;
  const next = add ? { ...selected } : {};
  for (const [series, trajectory] of trajectories) next[series.letter] = [...(next[series.letter] ?? []), trajectory];
  const plain = Object.entries(next).map(([letter, list]) => [letter, [...new Set(list)].sort((a, b) => a - b)]);
  if (JSON.stringify(plain) === JSON.stringify(Object.entries(selected))) store.set({ selected: {}, board: "focus" });
  else store.set({ selected: next, brush: null, board: trajectories.length > 1 ? "all" : "focus" });
}

/**
 * The button of an answer.
 * @param {Context} context
 * @param {AnswerRow} row
 * @param {string[]} letters of the series that have a bar
 * @param {number} most trajectories in a bar
 */
function createRow(context, row, letters, most) {
  const { payload, store, theme } = context;
  const ended = row.id !== null;
  const shape = make("span", {}, markIcon(ended ? outcomeShape(row.outcome) : "ring"));
  const bars = barsOf(payload, row, letters, most);
  shape.style.color = bars.style.color = ended ? theme.pick(outcomeColor(row.outcome)) : theme.gray;
  const total = letters.reduce((sum, letter) => sum + (row.counts[letter] ?? 0), 0);
  const [[series, trajectory]] = row.trajectories;
  /** @type {import("../types.js").Hover} */
  const hover = { part: "answers", answers: row.ids ?? [row.id], preview: [series.letter, trajectory] };
  return make(
    "button",
    {
      class: "row",
      role: "option",
      "data-answer": String(row.id),
      title: row.label,
      onclick: (/** @type {MouseEvent} */ event) => chooseRow(context, row, withCommand(event)),
      ondblclick: () => store.set({ focus: central(row.trajectories, store.state), board: "focus" }),
      onpointerenter: () => store.poke({ hover }),
    },
    shape,
    make("b", {}, row.letter ?? ""),
    make("span", { class: "label" }, row.label),
    bars,
    make("span", { class: "count" }, String(total)),
  );
}

/** One row for each answer. @param {Context} context */
function createRows(context) {
  const { payload, store } = context;
  const element = make("div", {
    class: "rows",
    role: "listbox",
    "aria-label": words.answers.title,
    "aria-multiselectable": "true",
    onpointerleave: () => store.poke({ hover: null }),
  });
  /** @type {AnswerRow[]} */
  let drawn = [];

  return {
    element,
    /** The row that an element stands for. @param {any} node */
    rowAt: (node) => drawn[[...element.children].indexOf(node)],
    fill() {
      const letters = barLetters(payload, store.state);
      drawn = mergedRows(answerRows(payload, store.state));
      const most = Math.max(1, ...drawn.flatMap((row) => letters.map((letter) => row.counts[letter] ?? 0)));
      const focused = focusedIn(element)?.dataset?.answer;
      element.replaceChildren(...drawn.map((row) => createRow(context, row, letters, most)));
      if (focused) /** @type {HTMLElement | null} */ (element.querySelector(`[data-answer="${focused}"]`))?.focus();
    },
    /**
     * Marks the rows that are chosen as a whole. It redraws none, so that a double click finds the element of its
     * first.
     */
    mark() {
      const { selected } = store.state;
      drawn.forEach(({ trajectories }, k) => {
        const chosen = trajectories.every(([series, trajectory]) => selected[series.letter]?.includes(trajectory));
        setAttribute(element.children[k], "aria-selected", chosen);
      });
    },
  };
}

/** All trajectories, by their answers. @param {Payload} payload @returns {Who[]} */
const byAnswer = (payload) =>
  allOf(payload.series).sort(([a, i], [b, k]) => a.final(i) - b.final(k) || a.index - b.index || i - k);

/** A mark for each trajectory. @param {Context} context */
function createMarks(context) {
  const { payload, store } = context;
  const all = byAnswer(payload);
  const some = Math.min(all.length, MARKS_SHOWN);
  const drawn = Array.from({ length: some }, (_, k) => all[Math.floor((k * all.length) / some)]);
  const marks = drawn.map(([series, trajectory]) => {
    const who = /** @type {[string, number]} */ ([series.letter, trajectory]);
    const option = {
      role: "option",
      id: `mark${series.letter}${trajectory}`,
      "data-trajectory": `${series.letter} ${trajectory}`,
      "aria-label": `${words.trajectoryName(series, trajectory)}, ${words.outcomes[series.outcome(trajectory)]}`,
      title: words.trajectoryName(series, trajectory),
      onclick: () => store.set({ focus: who, board: "focus" }),
      onpointerenter: () => store.poke({ hover: { part: "answers", trajectory: who } }),
    };
    return make("div", option, markIcon(outcomeShape(series.outcome(trajectory))));
  });
  const list = {
    class: `marks${drawn.length > DENSE ? " dense" : ""}`,
    role: "listbox",
    tabindex: "0",
    "aria-label": words.answers.title,
    "data-part": "marks",
    onpointerleave: () => store.poke({ hover: null }),
  };
  const element = make("div", list, marks);
  const count = make("h4");

  return {
    elements: [count, element],
    /** To another trajectory along the marks. @param {number} by */
    move(by) {
      const at = drawn.findIndex(
        ([series, trajectory]) => String([series.letter, trajectory]) === String(store.state.focus),
      );
      const [series, trajectory] = drawn[Math.min(drawn.length - 1, Math.max(0, at + by))];
      store.set({ focus: [series.letter, trajectory], board: "focus" });
    },
    update() {
      const { state, transient } = store;
      const { groups, of } = shownColors(payload, store);
      const level = emphasis(payload, state, transient.hover);
      drawn.forEach(([{ letter }, trajectory], k) => {
        const mark = marks[k];
        const here = level[letter][trajectory];
        const name = String([letter, trajectory]);
        const kinds = { focus: name === String(state.focus), pinned: name === String(state.pinned) };
        const shown = { ...kinds, selected: here === SELECTED, gray: here === GRAY, faint: here === FAINT };
        const classes = Object.entries(shown).flatMap(([kind, on]) => (on ? [kind] : []));
        setAttribute(mark, "class", classes.join(" ") || null);
        setAttribute(mark, "aria-selected", Boolean(state.selected[letter]?.includes(trajectory)));
        mark.hidden = here === HIDDEN;
        mark.style.color = context.theme.pick(groups[of[letter][trajectory]].color);
      });
      setAttribute(element, "aria-activedescendant", `mark${state.focus.join("")}`);
      const visible = all.filter(([series]) => !state.hidden.includes(series.letter)).length;
      const some = drawn.length < all.length;
      setText(count, some ? words.answers.some(drawn.length, all.length) : words.answers.sorted(visible));
    },
  };
}

/** What each rule of choice takes, in a line each. @param {Context} context */
function chosenLines({ payload, store, theme }) {
  const several = payload.series.filter((series) => series.n > 1).length > 1;
  // "TRM alone" stands below.
  const order = visibleSeries(payload, store.state).sort((a, b) => Number(b.n > 1) - Number(a.n > 1));
  const lines = order.flatMap((series) => choices(series).map((choice) => ({ series, ...choice })));
  const nodes = lines.flatMap(({ series, rule, id, note }) => {
    const outcome = outcomeOf(payload, id);
    const shape = make("span", {}, markIcon(outcomeShape(outcome)));
    shape.style.color = theme.pick(outcomeColor(outcome));
    const said = [payload.answers[id]?.letter, note].filter(Boolean).join(", ");
    return [
      make("b", {}, several && series.n > 1 ? `${series.letter} ${rule}` : rule),
      shape,
      make("span", { class: "muted" }, said),
    ];
  });
  const note = (/** @type {string} */ text) => make("span", { class: "note" }, text);
  const bound = lines.some(({ rule }) => rule === words.answers.any) ? [note(words.answers.anyNote)] : [];
  return [note(words.answers.chosen), ...nodes, ...bound];
}

/** How many solutions were found, and whether all trajectories agree. @param {Payload} payload */
function foundSentence(payload) {
  const all = byAnswer(payload);
  const known = payload.series.some((series) => series.valid);
  const agree = all.length > 1 && new Set(all.map(([series, trajectory]) => series.final(trajectory))).size === 1;
  const found = known ? words.answers.found(solutionsFound(payload), payload.solutions) : unjudged(payload);
  return [found, agree ? words.answers.same(all.length) : ""].filter(Boolean).join(". ");
}

/** The tabs: final answers, and answers at the cursor. @param {Context} context */
function createAnswerTabs({ payload, store }) {
  /** @param {string} at @param {string} label @param {Partial<State>} patch */
  const tab = (at, label, patch) =>
    make("button", { role: "tab", "data-at": at, onclick: () => store.set(patch) }, label);
  const final = tab("final", words.answers.final, { answers_at: "final" });
  const now = tab("cursor", "", { answers_at: "cursor" });
  return {
    element: make("div", { class: "push", role: "tablist" }, final, now),
    update() {
      const { state } = store;
      setText(now, words.answers.at(address(payload, state.cursor.step)));
      selectTabs([final, now], state.answers_at === "final" ? final : now);
    },
  };
}

/** @type {import("../registry.js").Key[]} */
const ANSWERS_READS = [
  "layout",
  "theme",
  "panel",
  "cursor",
  "answers_at",
  "hidden",
  "selected",
  "color_by",
  "basis",
  "focus",
  "pinned",
  "hover",
  "cells",
  "token",
];

/** @param {Context} context @returns {import("../registry.js").Part} */
export function createAnswers(context) {
  const { payload, store } = context;
  const tabs = createAnswerTabs(context);
  const rows = createRows(context);
  const marks = createMarks(context);
  const chosen = make("div", { class: "chosen selectable" });
  const found = make("div", { class: "found selectable" }, foundSentence(payload));
  const lists = [make("div", {}, rows.element), make("div", {}, marks.elements)];
  const bar = make("div", { class: "bar" }, make("h3", {}, words.answers.title), tabs.element);
  const body = make("div", { class: "body" }, lists, chosen, found);
  const element = make("section", { class: "panel answers", "aria-label": words.answers.title }, bar, body);

  /** @param {KeyboardEvent} event */
  function enter(event) {
    const row = rows.rowAt(focusedIn(element));
    return row && withCommand(event) ? () => chooseRow(context, row, true) : null;
  }

  return {
    name: "answers",
    reads: ANSWERS_READS,
    element,
    key(event, place) {
      const arrow = arrowOf(event);
      if (event.altKey) return null;
      if (place === "marks" && arrow) return () => marks.move(arrow[0] + MARKS_ACROSS * arrow[1]);
      return event.key === "Enter" ? enter(event) : null;
    },
    update(changed) {
      const has = anyOf(changed);
      const { state } = store;
      element.classList.toggle("open", state.panel === "answers");
      tabs.update();
      const refill = has("layout", "theme", "answers_at", "hidden") || (state.answers_at === "cursor" && has("cursor"));
      if (refill) rows.fill();
      if (refill || has("selected")) rows.mark();
      if (has("layout", "theme", "hidden")) chosen.replaceChildren(...chosenLines(context));
      const follows = !["outcome", "answer", "series"].includes(state.color_by);
      if (
        has("layout", "theme", "color_by", "basis", "focus", "pinned", "selected", "hidden", "hover") ||
        (follows && has("cursor", "cells"))
      )
        marks.update();
    },
  };
}
