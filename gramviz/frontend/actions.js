// What buttons and keys both do. Each action is one change of the state; where there is nothing to do, it says why.

import { placeName } from "./cells.js";
import { contract } from "./contract.js";
import { copyPython } from "./export.js";
import { isSudoku } from "./explain.js";
import { colorChoices, nearestTrajectory, seriesOf, shownTrajectory, visibleSeries, whoIs } from "./groups.js";
import { planesOf, zoomed } from "./planes.js";
import { absentFrom, sortedPuzzles } from "./puzzles.js";
import { detailsSentence } from "./sentences.js";
import {
  address,
  changeJump,
  firstCorrect,
  hasTransitions,
  parting,
  rightNoMore,
  rivalOf,
  supervisionJump,
} from "./steps.js";
import { ASIDE, isDeep } from "./turn.js";
import { words } from "./words.js";

export const SPEEDS = contract.state.speed.enum;
const UNIT = { x: 0, y: 0, width: 1, height: 1 };

/** @import { Series } from "./types.js" */
/** @typedef {import("./registry.js").Context} Context */
/** @typedef {ReturnType<typeof createActions>} Actions */

/** @template T @param {T[]} list @param {T} one @returns {T[]} the list without this one, or with it */
const toggled = (list, one) => (list.includes(one) ? list.filter((other) => other !== one) : [...list, one]);

/** Moves along time. @param {Context} context */
function timeActions({ payload, store, clock, say }) {
  const ticks = payload.lead.low_steps ?? 0;
  /** @param {number} step @param {number | null} low */
  function go(step, low = null) {
    clock.pause();
    store.set({ cursor: { step: Math.min(payload.steps - 1, Math.max(0, step)), low } });
  }
  const step = (/** @type {number} */ direction) => go(store.state.cursor.step + direction);
  return {
    go,
    step,
    play: () => (store.transient.playing ? clock.pause() : clock.play()),
    start: () => go(0),
    end: () => go(payload.steps - 1),
    /** @param {number} direction */
    supervision: (direction) =>
      hasTransitions(payload) ? go(supervisionJump(payload, store.state.cursor.step, direction) ?? 0) : step(direction),
    /** Low-level steps run l 1 ... l K, then h, which is the transition's end. @param {number} direction */
    low(direction) {
      if (!ticks) return say(payload.missing.low ?? words.time.noLow);
      const { step: at, low } = store.state.cursor;
      if (direction > 0) {
        if (low === null) return at + 1 < payload.steps ? go(at + 1, 1) : undefined;
        return low < ticks ? go(at, low + 1) : go(at);
      }
      if (low === null) return at > 0 ? go(at, ticks) : undefined;
      return low > 1 ? go(at, low - 1) : go(at - 1);
    },
    /** @param {number} direction */
    speed(direction) {
      const index = SPEEDS.indexOf(store.state.speed) + direction;
      store.set({ speed: SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, index))] });
    },
    loop: () => store.set({ loop: !store.state.loop }),
    /** Enter on the ruler: the first time where a loop begins, the second where it ends. */
    mark() {
      const { step: at } = store.state.cursor;
      const { from } = store.transient;
      store.poke({ from: from === null ? at : null });
      if (from === null) return say(words.time.from(address(payload, at)));
      const [first, last] = [Math.min(from, at), Math.max(from, at)];
      if (first === last) return say(words.time.noLoop);
      store.set({ range: [first, last], loop: true, cursor: { step: first, low: null } });
      return say(words.time.loop(address(payload, first), address(payload, last)));
    },
  };
}

/** Jumps to the moments worth seeing. @param {Context} context @param {(step: number) => void} go */
function jumpActions({ payload, store, say }, go) {
  /** @param {number | null} step @param {string} otherwise */
  const jump = (step, otherwise) => (step === null ? say(otherwise) : go(step));
  const shown = () => shownTrajectory(payload, store.state);
  return {
    change: (direction = 1) => jump(changeJump(...shown(), store.state.cursor.step, direction), words.jump.change),
    correct: () => jump(firstCorrect(...shown()), words.jump.correct(words.trajectoryName(...shown()))),
    left: () => jump(rightNoMore(...shown()), words.jump.left(words.trajectoryName(...shown()))),
    halt() {
      const [series, trajectory] = shown();
      jump(
        series.halted(trajectory) >= 0 ? series.halted(trajectory) : null,
        words.jump.halt(words.trajectoryName(series, trajectory)),
      );
    },
    /** Of the pinned trajectory, else of the one that ends otherwise and parts last, which is pinned then. */
    part() {
      const { state } = store;
      const { focus } = state;
      const own = state.pinned && String(state.pinned) !== String(focus);
      const pinned = own ? state.pinned : rivalOf(payload, state, ...whoIs(payload, focus));
      if (!pinned) return say(words.jump.part);
      store.set({ pinned });
      const [one, other] = [whoIs(payload, pinned), whoIs(payload, focus)];
      const names = /** @type {const} */ ([words.trajectoryName(...one), words.trajectoryName(...other)]);
      const found = parting(...one, ...other);
      if (!found) return say(words.time.same(...names));
      go(found.step);
      return say(words.time.partAt(...names, placeName(payload.board, found.cell)));
    },
  };
}

/** Sets of trajectories that one press selects. @param {Context} context */
function selectActions({ payload, store, say }) {
  /** @param {Record<string, number[]>} selected */
  function select(selected) {
    const count = Object.values(selected).reduce((sum, list) => sum + list.length, 0);
    const rest = store.state.board === "all" ? "focus" : store.state.board;
    store.set({ selected, brush: null, board: count > 1 ? "all" : rest });
  }
  /** Those of which something holds; where there are none, it says so.
   * @param {string} otherwise @param {(series: Series, trajectory: number) => boolean} isOne */
  function those(otherwise, isOne) {
    const visible = visibleSeries(payload, store.state);
    const found = visible.map((series) => [series.letter, [...Array(series.n).keys()].filter((k) => isOne(series, k))]);
    const some = found.filter(([, list]) => list.length);
    return some.length ? select(Object.fromEntries(some)) : say(otherwise);
  }
  return {
    select,
    /** What can be selected now: a label, what it means, and whether it is often wanted. */
    selections() {
      const { focus, cursor, cells, selected } = store.state;
      const [series, trajectory] = whoIs(payload, focus);
      const name = words.trajectoryName(series, trajectory);
      const place = cells.length ? placeName(payload.board, cells[0]) : "";
      const token = series.tokens(trajectory, cursor.step)[cells[0]];
      /** @type {[string, string, string, (one: Series, k: number) => boolean, boolean][]} */
      const sets = [
        [...words.select.right, (one, k) => one.outcome(k) === 1, true],
        [...words.select.answer(name), (one, k) => one.final(k) === series.final(trajectory), true],
        [...words.select.part(name), (one, k) => parting(series, trajectory, one, k)?.step === cursor.step, true],
        [...words.select.cell(name, place), (one, k) => one.tokens(k, cursor.step)[cells[0]] === token, false],
        [...words.select.left, (one, k) => rightNoMore(one, k) !== null, false],
        [...words.select.others, (one, k) => !selected[one.letter]?.includes(k), false],
      ];
      return sets
        .filter(
          (_, k) =>
            (!payload.bare || k === 5) &&
            (![0, 4].includes(k) || payload.series.some(({ valid }) => valid)) &&
            (k !== 3 || cells.length),
        )
        .map(([label, why, otherwise, isOne, often]) => ({ label, why, often, act: () => those(otherwise, isOne) }));
    },
  };
}

/** Which trajectories are shown and chosen. @param {Context} context */
function choiceActions({ payload, store }) {
  const all = (/** @type {{n: number}} */ { n }) => [...Array(n).keys()];
  return {
    nearest() {
      const near = nearestTrajectory(payload, store.state, ...whoIs(payload, store.state.focus));
      if (near) store.set({ focus: [near.series.letter, near.trajectory], board: "focus" });
    },
    pin() {
      const { pinned, focus } = store.state;
      store.set({ pinned: String(pinned) === String(focus) ? null : focus });
    },
    /** Focuses a series; again: its next selected trajectory. @param {string} letter */
    series(letter) {
      const series = seriesOf(payload, letter);
      if (!series) return;
      const { state } = store;
      const { focus, selected, board } = state;
      if (focus[0] !== letter) {
        store.set({ focus: [letter, shownTrajectory(payload, { ...state, board: letter })[1]], board: "focus" });
      } else if (board !== "focus" && board !== letter) store.set({ board: "focus" });
      else {
        const trajectories = selected[letter] ?? all(series);
        store.set({
          focus: [letter, trajectories[(trajectories.indexOf(focus[1]) + 1) % trajectories.length]],
          board: "focus",
        });
      }
    },
    /** @param {string} letter */
    hide(letter) {
      if (seriesOf(payload, letter)) store.set({ hidden: toggled(store.state.hidden, letter) });
    },
    selectAll() {
      const visible = visibleSeries(payload, store.state);
      store.set({ selected: Object.fromEntries(visible.map((series) => [series.letter, all(series)])) });
    },
  };
}

/** How board and map look. @param {Context} context */
function viewActions(context) {
  const { payload, store, say } = context;
  const layer = (/** @type {string} */ name) => store.set({ layers: toggled(store.state.layers, name) });
  return {
    landscape: () => layer("landscape"),
    explain: () => (isSudoku(payload.board) ? layer("explain") : say(words.explain.none)),
    /** The next or previous thing that color shows. @param {number} by */
    color(by) {
      const names = colorChoices(payload, store.state).map(([key]) => key);
      store.set({ color_by: names[(names.indexOf(store.state.color_by) + by + names.length) % names.length] });
    },
    /** Between two and three dimensions; what opens is seen from aside, so that depth shows. */
    deep() {
      const { dims, turn } = store.state;
      if (dims === 3) return store.set({ dims: 2, brush: null });
      if (!isDeep(planesOf(payload, store.state.basis))) return say(words.map.flat);
      return store.set({ dims: 3, turn: turn ?? ASIDE, brush: null });
    },
    /** Around the middle of the map. @param {number} factor */
    zoom(factor) {
      if (planesOf(payload, store.state.basis).length)
        store.set({ camera: zoomed(store.state.camera, UNIT, 0.5, 0.5, factor) });
    },
    fitMap: () => store.set({ camera: null, turn: null }),
    /** Folds a panel, or opens it. @param {string} name */
    fold: (name) => store.set({ folded: toggled(context.size.folded, name) }),
  };
}

/** What lies over the panels, and other puzzles. @param {Context} context */
function sheetActions({ payload, store, kernel, say }) {
  const { list } = payload;
  /** Why a puzzle cannot be shown, or null. @param {number} puzzle */
  function refusalOf(puzzle) {
    const letter = list && absentFrom(list, puzzle);
    return letter ? words.puzzles.absent(letter) : kernel.refusalOf(puzzle);
  }
  /** Asks for a puzzle, or says why it cannot be had. @param {number} puzzle */
  function open(puzzle) {
    const why = refusalOf(puzzle);
    if (why) return say(why);
    if (puzzle !== payload.puzzle) kernel.ask({ ask: "puzzle", puzzle });
  }
  return {
    refusalOf,
    open,
    /** To the next puzzle that can be had. @param {number} by */
    puzzle(by) {
      if (!list) return;
      const order = sortedPuzzles(list, store.state.puzzles_by);
      const ahead = by > 0 ? order : order.reverse();
      const rest = ahead.slice(ahead.indexOf(payload.puzzle) + 1);
      const next = rest.find((puzzle) => !refusalOf(puzzle)) ?? rest[0];
      if (next === undefined) say(words.puzzles.last);
      else open(next);
    },
    /** Opens or closes a sheet. @param {"puzzles" | "samples"} name */
    sheet: (name) => store.set({ sheet: store.state.sheet === name ? null : name }),
  };
}

/** The page as a whole. @param {Context} context */
function pageActions(context) {
  const { payload, store, root, lesson, say } = context;
  /** Board and map large, for a room: full screen where the browser lets us. */
  function present() {
    const on = !store.transient.presenter;
    store.poke({ presenter: on, blank: false, open: null });
    if (on) root.requestFullscreen?.().catch(() => {});
    else if (/** @type {Document | ShadowRoot} */ (root.getRootNode()).fullscreenElement)
      document.exitFullscreen().catch(() => {});
    context.fit();
  }
  /** One step back: a sheet, lasso, loop, brush, cells, selection, filter. False if there was nothing to undo. */
  function stepBack() {
    const { state, transient } = store;
    const board = state.board === "all" ? "focus" : state.board;
    if (transient.filming) store.poke({ filming: false });
    else if (transient.open) store.poke({ open: null });
    else if (transient.asking) return lesson.escape();
    else if (transient.lasso) store.poke({ lasso: false });
    else if (transient.from !== null) store.poke({ from: null });
    else if (state.sheet) store.set({ sheet: null });
    else if (state.range) store.set({ range: null });
    else if (state.brush) store.set({ brush: null, selected: {}, board });
    else if (state.cells.length) store.set({ cells: [] });
    else if (Object.keys(state.selected).length) store.set({ selected: {}, board });
    else if (state.token !== null) store.set({ token: null });
    else if (lesson.escape()) return true;
    else if (transient.presenter) present();
    else return false;
    return true;
  }
  return {
    present,
    escape: stepBack,
    /** Opens or closes a menu or a sheet. @param {string} name */
    toggle: (name) => store.poke({ open: store.transient.open === name ? null : name }),
    /** Has the state read aloud. */
    speak: () => say(detailsSentence(payload, store.state, store.transient, store.veiled)),
    copy: () => copyPython(context),
  };
}

/** @param {Context} context */
export function createActions(context) {
  const time = timeActions(context);
  return {
    ...time,
    ...jumpActions(context, time.go),
    ...choiceActions(context),
    ...selectActions(context),
    ...viewActions(context),
    ...sheetActions(context),
    ...pageActions(context),
  };
}
