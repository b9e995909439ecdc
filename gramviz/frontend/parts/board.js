// The board panel: one path's answer, the difference of two, or what all paths say, at the cursor.

import { changedCells, distribution, placeName, ranked, tokenLabel } from "../cells.js";
import { make, selectTabs, setAttribute, setText } from "../dom.js";
import { fontOf, surface } from "../draw.js";
import { drafted } from "./edit.js";
import { paintReasons, reasonsAt, signsOf } from "../explain.js";
import { crowd, otherPath, runOf, shownPath } from "../groups.js";
import { paintBoard } from "../paint.js";
import { pairPlaces, paintPair, spokenInput } from "../pair.js";
import { places } from "../place.js";
import { words } from "../words.js";

const TRAIL = 3; // transitions over which an older change fades

/** What the board shows now. Also the source of the spoken cells and of the exported picture. */
export function boardView(payload, state, transient, small = false) {
  const { hover } = transient;
  const [run, path] = shownPath(payload, state, hover);
  const { low } = state.cursor;
  const step = low === null ? state.cursor.step : state.cursor.step - 1; // h, and so the answer, is that of the transition before
  const other = otherPath(payload, state);
  const preview = Boolean(hover?.path || hover?.preview);
  const mode = preview ? "one" : state.board === "all" ? "all" : state.board === "differ" && other ? "differ" : "one";
  const who = mode === "all" ? crowd(payload, state) : [];
  const counts = mode === "all" ? distribution(payload, who, step) : null;
  const kinds = payload.board.tokens.length;
  const tokens = counts
    ? Uint8Array.from({ length: payload.board.size }, (_, position) => ranked(counts, position, kinds)[0][0])
    : run.tokens(path, step);
  const changed = mode === "one" && low === null ? new Set(changedCells(run, path, step)) : new Set();
  const trail =
    mode === "one" && state.layers.includes("trail")
      ? Array.from({ length: TRAIL }, (_, k) => new Set(changedCells(run, path, step - 1 - k)))
      : [];
  const pinned =
    mode === "one" && state.pinned && !(state.pinned[0] === run.letter && state.pinned[1] === path)
      ? runOf(payload, state.pinned[0]).tokens(state.pinned[1], step)
      : null;
  return drafted(payload, transient, {
    board: payload.board,
    given: payload.given,
    mode,
    run,
    path,
    step,
    tokens,
    counts,
    crowd: who.length,
    changed,
    trail,
    pinned,
    preview,
    small,
    other: mode === "differ" ? other[0].tokens(other[1], step) : null,
    otherName: other ? words.pathName(...other) : "",
    conflict: (position) => mode === "one" && Boolean(run.conflict?.(path, step, position)),
    certainty: run.certainty && ((position) => run.certainty(path, step, position)),
    second: run.second && ((position) => run.second(path, step, position)),
    secondCertainty: run.secondCertainty && ((position) => run.secondCertainty(path, step, position)),
    reasons: mode === "one" && low === null && state.layers.includes("explain") ? reasonsAt(payload, run, path, step) : null,
    truth: state.layers.includes("truth") ? payload.y : null,
    hover: hover?.cell ?? null,
    cells: state.cells,
    token: state.token,
  });
}

/** What a screen reader says of one cell. */
export function spokenCell(payload, view, position) {
  const parts = [placeName(payload.board, position), tokenLabel(payload.board, view.tokens[position])];
  parts.push(view.given[position] ? words.cell.given : words.cell.guess);
  if (view.changed.has(position)) parts.push(words.legend.changed);
  if (view.reasons?.has(position)) parts.push(words.explain.reasons[view.reasons.get(position)]);
  if (view.conflict(position)) parts.push(payload.board.ruled ? `in ${words.legend.conflict}` : words.pair.wrong);
  if (view.mode === "one" && view.certainty)
    parts.push(`${words.legend.certainty} ${Math.round(100 * view.certainty(position))} percent`);
  if (view.pinned && view.pinned[position] !== view.tokens[position])
    parts.push(`pinned has ${tokenLabel(payload.board, view.pinned[position])}`);
  return parts.join(", ");
}

export function createBoard(app) {
  const { payload, store } = app;
  const canvas = make("canvas", { "aria-hidden": "true" });
  const tabs = make("div", { class: "push", role: "tablist", "aria-label": words.board.title });
  const twin = make("div", { class: "away" }); // the accessible twin: rows of cells, filled in when settled
  const stage = make(
    "div",
    { class: "stage", tabindex: "0", role: "grid", "aria-label": words.board.title, "data-part": "board" },
    canvas,
    twin,
  );
  const legend = make("div", { class: "legend" });
  const el = make(
    "section",
    { class: "panel board open", "aria-label": words.board.title },
    make("div", { class: "bar" }, make("h3", {}, words.board.title), tabs),
    stage,
    legend,
  );
  if (payload.board.input) stage.setAttribute("aria-description", spokenInput(payload.board));
  let place = places(payload.board, 300);
  let brush = null; // cells under a drag

  const twinCells = Array.from({ length: payload.board.size }, (_, position) =>
    make("div", { role: "gridcell", id: `cell${position}` }),
  );
  for (let row = 0; row < payload.board.height; row += 1)
    twin.append(
      make("div", { role: "row" }, twinCells.slice(row * payload.board.width, (row + 1) * payload.board.width)),
    );

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return place.hit(event.clientX - box.left, event.clientY - box.top);
  };
  const point = (cell) => store.poke({ hover: cell === null ? null : { part: "board", cell } });

  stage.addEventListener("pointermove", (event) => {
    const cell = at(event);
    if (brush && cell !== null && !brush.has(cell)) {
      brush.add(cell);
      store.set({ cells: [...brush] });
    }
    if (event.pointerType !== "touch" || brush) point(cell);
  });
  stage.addEventListener("pointerleave", () => {
    if (!brush) point(null);
  });
  stage.addEventListener("pointerdown", (event) => {
    const cell = at(event);
    if (event.button || cell === null) return;
    stage.setPointerCapture(event.pointerId);
    const adding = event.ctrlKey || event.metaKey;
    brush = new Set(adding ? store.state.cells : []);
    const again = !adding && store.state.cells.length === 1 && store.state.cells[0] === cell;
    if (brush.has(cell)) brush.delete(cell);
    else if (!again) brush.add(cell);
    store.poke({ down: true });
    store.set({ cells: [...brush] });
  });
  const release = () => {
    brush = null;
    store.poke({ down: false });
  };
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", release);
  stage.addEventListener("dblclick", (event) => {
    const cell = at(event);
    if (cell === null) return;
    const token = boardView(payload, store.state, store.transient).tokens[cell];
    store.set({ token: store.state.token === token ? null : token, cells: [] });
  });
  stage.addEventListener("blur", () => point(null));

  function tab(id, label, title) {
    return make(
      "button",
      { role: "tab", title, "data-tab": id, onclick: () => store.set({ board: id }) },
      label,
    );
  }
  function isChosen(id) {
    const { board, focus } = store.state;
    return board === id || (id === focus[0] && board === "focus");
  }

  function updateTabs(view) {
    const { state } = store;
    const [run, path] = shownPath(payload, state);
    const buttons = payload.runs
      .filter((candidate) => !state.hidden.includes(candidate.letter))
      .map((candidate) => {
        const mine =
          candidate === run
            ? path
            : candidate.letter === state.focus[0]
              ? state.focus[1]
              : shownPath(payload, { ...state, board: candidate.letter })[1];
        return tab(candidate.letter, words.pathName(candidate, mine), `${candidate.name}`);
      });
    if (otherPath(payload, state)) buttons.push(tab("differ", words.board.differ, words.board.differ));
    const many = crowd(payload, state).length;
    if (many > 1) buttons.push(tab("all", words.board.all(many), words.board.all(many)));
    const chosen = buttons.find((button) => isChosen(button.dataset.tab));
    selectTabs(buttons, chosen);
    const { hover } = store.transient;
    if (chosen && (hover?.path || hover?.preview)) chosen.setAttribute("aria-selected", "false"); // another is shown
    const focused = app.root.getRootNode().activeElement?.dataset?.tab; // keep the focus through the rebuild
    const preview = view.preview && make("span", { class: "caption" }, words.board.preview(words.pathName(view.run, view.path)));
    tabs.replaceChildren(...(preview ? [preview] : []), ...buttons);
    if (focused) tabs.querySelector(`[data-tab="${focused}"]`)?.focus();
  }

  function updateLegend(view) {
    const key = (name, text = words.legend[name]) => make("span", {}, make("i", { class: `key ${name}` }), text);
    const items = [];
    if (view.draft) items.push(key("given"), key("changed"));
    else if (store.state.cursor.low !== null) items.push(make("span", {}, words.low));
    else if (view.mode === "differ")
      items.push(
        make(
          "span",
          {},
          words.distance(
            view.tokens.filter((token, k) => token !== view.other[k]).length,
            view.otherName,
            words.pathName(view.run, view.path),
          ),
        ),
      );
    else if (view.mode === "all") items.push(make("span", {}, (view.board.apart ? words.pair : words).agreement(view.crowd)));
    else {
      if (view.reasons) for (const [sign, text] of signsOf(view.reasons)) items.push(make("span", {}, make("b", {}, sign), text));
      else if (view.given.some(Boolean)) items.push(key("given"));
      else if (view.board.kind !== "graph" && !view.board.input)
        items.push(make("span", {}, words.givens)); // a graph's edges are given, and an input beside the answer
      items.push(key("changed"));
      if (view.run.conflict) items.push(key("conflict", payload.board.ruled ? words.legend.conflict : words.pair.wrong));
      if (!view.reasons) items.push(view.certainty ? key(view.board.kind === "image" ? "doubt" : "certainty") : make("span", {}, words.noCertainty));
      if (view.pinned)
        items.push(
          make("span", {}, words.small(words.pathName(runOf(payload, store.state.pinned[0]), store.state.pinned[1]))),
        );
    }
    legend.replaceChildren(...items);
  }

  function updateTwin(view) {
    twinCells.forEach((cell, position) => setText(cell, spokenCell(payload, view, position)));
  }

  return {
    el,
    /** The arrow keys inside the board; `add` keeps what was chosen. */
    move(dx, dy, add) {
      const from = store.state.cells.at(-1) ?? 0;
      const cell = store.state.cells.length ? place.move(from, dx, dy) : 0;
      store.set({ cells: add ? [...new Set([...store.state.cells.filter((other) => other !== cell), cell])] : [cell] });
    },
    update(keys) {
      const { state, transient, size } = { state: store.state, transient: store.transient, size: app.size };
      if (keys.has("settled") && !keys.has("layout")) {
        updateTwin(boardView(payload, state, transient));
        if (keys.size === 1) return;
      }
      if (
        ![..."cursor focus pinned selected hidden cells token board layers hover theme layout edit".split(" ")].some((key) =>
          keys.has(key),
        )
      )
        return;
      const view = boardView(payload, state, transient);
      setAttribute(stage, "aria-activedescendant", view.cells.length ? `cell${view.cells.at(-1)}` : null);
      if (keys.has("layout")) {
        place = payload.board.input
          ? pairPlaces(payload.board, size.across, size.board)
          : places(payload.board, size.board);
        stage.style.width = `${size.across + 4}px`;
        stage.style.maxHeight = `${Math.max(size.board + 4, 120)}px`;
        el.style.width = size.kind === "wide" || size.kind === "medium" ? `${size.across + 36}px` : "";
        updateTwin(view);
      }
      const pen = surface(canvas, place.width, place.height);
      paintBoard(pen, place, view, app.theme, fontOf(app.root));
      if (view.reasons && !view.draft) paintReasons(pen, place, view, app.theme, fontOf(app.root));
      if (place.input) paintPair(pen, place, view, app.theme, fontOf(app.root));
      updateTabs(view);
      updateLegend(view);
    },
  };
}
