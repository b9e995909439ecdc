// What buttons and keys both do. Each action is one change of the state; where there is nothing to do, it says why.

import { placeName } from "./cells.js";
import { isSudoku } from "./explain.js";
import { nearestPath, runOf, shownPath } from "./groups.js";
import { planesOf } from "./planes.js";
import { address, changeJump, firstCorrect, hasTransitions, parting, supervisionJump } from "./steps.js";
import { ASIDE, isDeep } from "./turn.js";
import { words } from "./words.js";

export function createActions(app, clock) {
  const { payload, store } = app;
  const go = (step, low = null) => {
    clock.pause();
    store.set({ cursor: { step: Math.min(payload.steps - 1, Math.max(0, step)), low } });
  };
  const jump = (step, otherwise) => (step === null ? app.say(otherwise) : go(step));
  const shown = () => shownPath(payload, store.state);
  const ticks = payload.lead.low_steps ?? 0;

  function layer(name) {
    const { layers } = store.state;
    store.set({ layers: layers.includes(name) ? layers.filter((other) => other !== name) : [...layers, name] });
  }

  return {
    play: () => (store.transient.playing ? clock.pause() : clock.play()),
    start: () => go(0),
    end: () => go(payload.steps - 1),
    step: (direction) => go(store.state.cursor.step + direction),
    supervision: (direction) =>
      hasTransitions(payload)
        ? go(supervisionJump(payload, store.state.cursor.step, direction))
        : go(store.state.cursor.step + direction),
    /** Low-level steps run l 1 ... l K, then h, which is the transition's end. */
    low(direction) {
      if (!ticks) return app.say(words.time.noLow);
      const { step, low } = store.state.cursor;
      if (direction > 0) {
        if (low === null) return step + 1 < payload.steps ? go(step + 1, 1) : undefined;
        return low < ticks ? go(step, low + 1) : go(step);
      }
      if (low === null) return step > 0 ? go(step, ticks) : undefined;
      return low > 1 ? go(step, low - 1) : go(step - 1);
    },
    change(direction = 1) {
      jump(changeJump(...shown(), store.state.cursor.step, direction), words.jump.change);
    },
    correct() {
      jump(firstCorrect(...shown()), words.jump.correct(words.pathName(...shown())));
    },
    halt() {
      const [run, path] = shown();
      jump(run.halted(path) >= 0 ? run.halted(path) : null, words.jump.halt(words.pathName(run, path)));
    },
    part() {
      const { pinned, focus } = store.state;
      if (!pinned || String(pinned) === String(focus)) return app.say(words.jump.part);
      const [one, other] = [pinned, focus].map(([letter]) => runOf(payload, letter));
      const names = [words.pathName(one, pinned[1]), words.pathName(other, focus[1])];
      const found = parting(one, pinned[1], other, focus[1]);
      if (!found) return app.say(words.time.same(...names));
      go(found.step);
      return app.say(words.time.partAt(...names, placeName(payload.board, found.cell)));
    },
    nearest() {
      const { focus } = store.state;
      const near = nearestPath(payload, store.state, runOf(payload, focus[0]), focus[1]);
      if (near) store.set({ focus: [near.run.letter, near.path], board: "focus" });
    },
    pin() {
      const { pinned, focus } = store.state;
      store.set({ pinned: String(pinned) === String(focus) ? null : focus });
    },
    landscape: () => layer("landscape"),
    explain: () => (isSudoku(payload.board) ? layer("explain") : app.say(words.explain.none)),
    /** Between two and three dimensions; what opens is seen from aside, so that depth shows. */
    deep() {
      const { dims, turn } = store.state;
      if (dims === 3) return store.set({ dims: 2, brush: null });
      if (!isDeep(planesOf(payload, store.state.basis))) return app.say(words.map.flat);
      return store.set({ dims: 3, turn: turn ?? ASIDE, brush: null });
    },
    fit: () => store.set({ camera: null, turn: null }),
    speed(direction) {
      const speeds = [1, 2, 4, 8, 16];
      store.set({ speed: speeds[Math.min(4, Math.max(0, speeds.indexOf(store.state.speed) + direction))] });
    },
    loop: () => store.set({ loop: !store.state.loop }),
    /** Enter on the ruler: the first time where a loop begins, the second where it ends. */
    mark() {
      const { step } = store.state.cursor;
      const { from } = store.transient;
      store.poke({ from: from === null ? step : null });
      if (from === null) return app.say(words.time.from(address(payload, step)));
      const range = [from, step].sort((a, b) => a - b);
      if (range[0] === range[1]) return app.say(words.time.noLoop);
      store.set({ range, loop: true, cursor: { step: range[0], low: null } });
      return app.say(words.time.loop(...range.map((end) => address(payload, end))));
    },
    /** Focus a run; again: its next selected path. */
    run(letter) {
      const run = runOf(payload, letter);
      if (!run) return;
      const { focus, selected, board } = store.state;
      if (focus[0] !== letter || (board !== "focus" && board !== letter)) {
        store.set({
          focus: focus[0] === letter ? focus : [letter, shownPath(payload, { ...store.state, board: letter })[1]],
          board: "focus",
        });
        return;
      }
      const paths = selected[letter] ?? Array.from({ length: run.n }, (_, path) => path);
      store.set({ focus: [letter, paths[(paths.indexOf(focus[1]) + 1) % paths.length]], board: "focus" });
    },
    hide(letter) {
      const { hidden } = store.state;
      if (runOf(payload, letter))
        store.set({
          hidden: hidden.includes(letter) ? hidden.filter((other) => other !== letter) : [...hidden, letter],
        });
    },
    selectAll: () =>
      store.set({
        selected: Object.fromEntries(
          payload.runs
            .filter((run) => !store.state.hidden.includes(run.letter))
            .map((run) => [run.letter, Array.from({ length: run.n }, (_, path) => path)]),
        ),
      }),
    /** One step back: a sheet, lasso, loop, brush, cells, selection, filter. False if there was nothing to undo. */
    escape() {
      const { state, transient } = store;
      if (app.filming) app.filming = false;
      else if (transient.open) store.poke({ open: null });
      else if (app.lesson.asking()) return app.lesson.escape();
      else if (transient.lasso) store.poke({ lasso: false });
      else if (transient.from !== null) store.poke({ from: null });
      else if (state.range) store.set({ range: null });
      else if (state.brush)
        store.set({ brush: null, selected: {}, board: state.board === "all" ? "focus" : state.board });
      else if (state.cells.length) store.set({ cells: [] });
      else if (Object.keys(state.selected).length)
        store.set({ selected: {}, board: state.board === "all" ? "focus" : state.board });
      else if (state.token !== null) store.set({ token: null });
      else if (app.lesson.escape()) return true;
      else if (transient.presenter) this.present();
      else return false;
      return true;
    },
    chapter: (by) => app.lesson.turn(by),
    /** Board and map large, for a room: full screen where the browser lets us. */
    present() {
      const on = !store.transient.presenter;
      store.poke({ presenter: on, blank: false, open: null });
      if (on) app.root.requestFullscreen?.().catch(() => {});
      else if (app.root.getRootNode().fullscreenElement) document.exitFullscreen().catch(() => {});
      app.fit();
    },
    toggle: (name) => store.poke({ open: store.transient.open === name ? null : name }),
  };
}
