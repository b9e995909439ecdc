// The board panel: the picture at the cursor, its tabs, its legend, and the same in words for a screen reader.

import { VIEW_READS, boardView, spokenCell } from "../board.js";
import { number } from "../text.js";
import { make, sayAll, selectTabs, setAttribute, setText } from "../dom.js";
import { fontOf, surface } from "../draw.js";
import { paintReasons, signsOf } from "../explain.js";
import { arrowOf, focusedIn, withCommand } from "../focus.js";
import { crowd, otherTrajectory, shownTrajectory, visibleSeries, whoIs } from "../groups.js";
import { paintBoard } from "../paint.js";
import { paintPair, pairPlaces, spokenInput } from "../pair.js";
import { createMenu } from "../menu.js";
import { patchOffers } from "../offers.js";
import { places } from "../place.js";
import { words } from "../words.js";

/** @typedef {import("../registry.js").Context} Context */
/** @typedef {import("../types.js").BoardView} View */
/** @typedef {import("../types.js").PairPlaces} PairPlaces */

const TIGHT = ["slim", "slimmer", "slimmest"]; // a bar without its title, then with less and less between buttons

/** The accessible twin of the canvas: rows of cells, filled in when settled. @param {Context} context */
function createTwin({ payload }) {
  const { board } = payload;
  const cells = Array.from({ length: board.size }, (_, position) =>
    make("div", { role: "gridcell", id: `cell${position}` }),
  );
  const rows = Array.from({ length: board.height }, (_, row) =>
    make("div", { role: "row" }, cells.slice(row * board.width, (row + 1) * board.width)),
  );
  return {
    element: make("div", { class: "away" }, rows),
    /** @param {View} view */
    update(view) {
      for (const [position, cell] of cells.entries()) setText(cell, spokenCell(payload, view, position));
    },
  };
}

/** Packs a bar until it fits its panel. @param {HTMLElement} bar */
function tighten(bar) {
  const { classList } = /** @type {HTMLElement} */ (bar.parentElement);
  classList.remove(...TIGHT);
  for (const name of TIGHT) if (bar.scrollWidth > bar.clientWidth) classList.add(name);
}

/** The tabs: a trajectory of each series, what differs, and all of them. @param {Context} context */
function createBoardTabs(context) {
  const { payload, store } = context;
  let packed = "";
  const element = make("div", { class: "push", role: "tablist", "aria-label": words.board.title });
  /** @param {string} id @param {string} label @param {string} title */
  const tab = (id, label, title) =>
    make("button", { role: "tab", title, "data-tab": id, onclick: () => store.set({ board: id }) }, label);

  /** @param {import("../types.js").Series} series */
  function seriesTab(series) {
    const { state } = store;
    const [shown, trajectory] = shownTrajectory(payload, state);
    const focused = series.letter === state.focus[0] ? state.focus[1] : null;
    const own =
      series === shown ? trajectory : (focused ?? shownTrajectory(payload, { ...state, board: series.letter })[1]);
    return tab(series.letter, words.trajectoryName(series, own), series.name);
  }

  return {
    element,
    /** @param {View} view */
    update(view) {
      const { state } = store;
      const { board, focus } = state;
      const buttons = visibleSeries(payload, state).map(seriesTab);
      if (otherTrajectory(payload, state)) buttons.push(tab("differ", words.board.differ, words.board.differ));
      const many = crowd(payload, state).length;
      const name = Object.keys(state.selected).length ? words.board.selected(many) : words.board.all(many);
      if (many > 1) buttons.push(tab("all", name, name));
      const chosen = buttons.find(({ dataset: { tab: id } }) => board === id || (board === "focus" && id === focus[0]));
      selectTabs(buttons, chosen);
      const { hover } = store.transient;
      const previews = hover?.trajectory || hover?.preview; // another is shown
      if (chosen && previews) chosen.setAttribute("aria-selected", "false");
      const focused = focusedIn(element)?.dataset?.tab; // keep the focus through the rebuild
      const other = words.trajectoryName(view.series, view.trajectory);
      const preview = view.preview ? [make("span", { class: "caption" }, words.board.preview(other))] : [];
      element.replaceChildren(...preview, ...buttons);
      const room = JSON.stringify([
        context.size,
        state.panel,
        buttons.map((button) => button.textContent),
        chosen?.textContent,
      ]);
      if (room !== packed) tighten(/** @type {HTMLElement} */ (element.parentElement));
      packed = room;
      if (focused) /** @type {HTMLElement | null} */ (element.querySelector(`[data-tab="${focused}"]`))?.focus();
    },
  };
}

/** The colors of an effect with their values. @param {import("../branchtypes.js").Effect} effect */
function effectLegend({ at, source, values }) {
  const known = values.filter((value) => value !== null);
  const most = Math.max(...known.map(Math.abs));
  const end = (/** @type {number} */ value) => make("b", {}, words.patch.value(value));
  const color = (/** @type {string} */ name) => make("i", { class: `key effect ${name}` });
  const less = Math.min(...known) < 0 ? [end(-most), color("less")] : [];
  const bar = make("span", {}, less, "0", color("more"), end(most));
  return [bar, make("span", {}, words.patch.legend(source, at))];
}

/** The color of a number of each cell, with its values. @param {number} most @param {string} what */
function depthLegend(most, what) {
  const bar = make("span", {}, "0", make("i", { class: "key effect more" }), make("b", {}, number(most)));
  return [bar, make("span", {}, what)];
}

/**
 * The marks that stand in a picture, with what they mean.
 * @param {Context} context
 * @param {View} view
 * @returns {(HTMLElement | [string, string])[]} [class of the mark, words]
 */
function legendItems({ payload, store }, view) {
  const { board } = payload;
  const text = (/** @type {string} */ said) => make("span", {}, said);
  const { legend } = words;
  const changed = /** @type {[string, string]} */ (["changed", legend.changed]);
  if (view.draft) return [["given", legend.given], changed];
  if (view.effect) return effectLegend(view.effect);
  if (view.moved) return depthLegend(Math.max(...Array.from(view.moved)), words.moved);
  if (view.layer) return depthLegend(view.layer.most, view.layer.title);
  if (store.state.cursor.low !== null) return [text(words.low)];
  if (view.mode === "differ") {
    const differing = view.tokens.filter((token, k) => token !== view.other?.[k]).length;
    return [text(words.distance(differing, view.otherName, words.trajectoryName(view.series, view.trajectory)))];
  }
  if (view.mode === "all") return [text((view.board.apart ? words.pair : words).agreement(view.crowd))];
  /** @type {ReturnType<typeof legendItems>} */
  const items = [];
  if (view.reasons)
    for (const [sign, meaning] of signsOf(view.reasons)) items.push(make("span", {}, make("b", {}, sign), meaning));
  else if (view.given.some(Boolean)) items.push(["given", legend.given]);
  else if (board.kind !== "graph" && !board.input) items.push(text(words.givens)); // else edges are given, or an input
  items.push(changed);
  if (view.series.conflict) items.push(["conflict", board.ruled ? legend.conflict : words.pair.wrong]);
  const sure = board.kind === "image" ? "doubt" : "certainty";
  if (!view.reasons) items.push(view.certainty ? [sure, legend[sure]] : text(words.noCertainty));
  const { pinned } = store.state;
  if (view.pinned && pinned) items.push(text(words.small(words.trajectoryName(...whoIs(payload, pinned)))));
  return items;
}

/**
 * Pointing, choosing and brushing of cells.
 * @param {Context} context
 * @param {HTMLElement} stage
 * @param {(event: MouseEvent) => number | null} at the cell under the pointer
 */
function listenToStage({ payload, store }, stage, at) {
  /** @type {Set<number> | null} */
  let brush = null; // cells under a drag
  /** @param {number | null} cell */
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
    const { cells } = store.state;
    const adding = withCommand(event);
    const again = !adding && !store.transient.edit && cells.length === 1 && cells[0] === cell;
    brush = new Set(adding ? cells : []);
    if (brush.has(cell)) brush.delete(cell);
    else if (!again) brush.add(cell);
    store.poke({ down: true });
    store.set({ cells: [...brush] });
  });
  function release() {
    brush = null;
    store.poke({ down: false });
  }
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", release);
  stage.addEventListener("dblclick", (event) => {
    const cell = at(event);
    if (cell === null) return;
    const token = boardView(payload, store.state, store.transient).tokens[cell];
    store.set({ token: store.state.token === token ? null : token, cells: [] });
  });
  stage.addEventListener("blur", () => point(null));
}

/**
 * The canvas, and where the positions lie on it.
 * @param {Context} context
 * @param {HTMLCanvasElement} canvas
 */
function createPicture(context, canvas) {
  const { payload, store, root } = context;
  const { board } = payload;
  const pair = board.input ? /** @type {import("../types.js").PairBoard} */ (board) : null;
  let place = places(board, 300);
  return {
    /** @param {MouseEvent} event */
    cellAt({ clientX, clientY }) {
      const { left, top } = canvas.getBoundingClientRect();
      return place.hit(clientX - left, clientY - top);
    },
    layOut() {
      const { board: side, across } = context.size;
      place = pair ? pairPlaces(pair, across, side) : places(board, side);
    },
    /** @param {View} view */
    draw(view) {
      const pen = surface(canvas, place.width, place.height);
      const { theme } = context;
      const font = fontOf(root);
      paintBoard(pen, place, view, theme, font);
      if (view.reasons && !view.draft) paintReasons(pen, place, view, theme, font);
      if (pair) paintPair(pen, /** @type {PairPlaces} */ (place), { ...view, board: pair }, theme, font);
    },
    /**
     * To a cell beside the last chosen one.
     * @param {number[]} arrow
     * @param {boolean} add whether what was chosen stays so
     */
    move([dx, dy], add) {
      const { cells } = store.state;
      const last = cells.at(-1);
      const cell = last === undefined ? 0 : place.move(last, dx, dy);
      store.set({ cells: add ? [...cells.filter((other) => other !== cell), cell] : [cell] });
    },
  };
}

/** @type {import("../registry.js").Key[]} */
const BOARD_READS = [...VIEW_READS, "settled", "effect", "open"];

/** @param {Context} context @returns {import("../registry.js").Part} */
export function createBoard(context) {
  const { payload, store } = context;
  const title = { "aria-label": words.board.title };
  const canvas = make("canvas", { "aria-hidden": "true" });
  const tabs = createBoardTabs(context);
  const twin = createTwin(context);
  const grid = { class: "stage", tabindex: "0", role: "grid", "data-part": "board", ...title };
  const stage = make("div", grid, canvas, twin.element);
  const legend = make("div", { class: "legend" });
  const patch = createMenu(context, "patch", words.patch.title, () => patchOffers(context));
  const bar = make("div", { class: "bar" }, make("h3", {}, words.board.title), patch.element, tabs.element);
  const element = make("section", { class: "panel board open", ...title }, bar, stage, legend);
  const { input } = payload.board;
  if (input) stage.setAttribute("aria-description", spokenInput({ ...payload.board, input }));
  const picture = createPicture(context, canvas);
  listenToStage(context, stage, picture.cellAt);

  function layOut() {
    const { board: side, across } = context.size;
    picture.layOut();
    stage.style.width = `${across + 4}px`;
    stage.style.maxHeight = `${Math.max(side + 4, 120)}px`;
  }

  /** @param {View} view */
  function describe(view) {
    setAttribute(stage, "aria-activedescendant", view.cells.length ? `cell${view.cells.at(-1)}` : null);
    tabs.update(view);
    const key = (/** @type {string[]} */ [name, text]) => make("span", {}, make("i", { class: `key ${name}` }), text);
    legend.replaceChildren(...legendItems(context, view).map((item) => (Array.isArray(item) ? key(item) : item)));
    sayAll(legend);
  }

  return {
    name: "board",
    reads: BOARD_READS,
    element,
    key(event, part) {
      const arrow = arrowOf(event);
      if (part !== "board" || event.altKey) return null;
      if (event.key === "Enter") return () => {}; // moving has chosen already
      return arrow ? () => picture.move(arrow, withCommand(event)) : null;
    },
    update(changed) {
      element.classList.toggle("open", store.state.panel === "board");
      patch.update(changed);
      if (changed.size === 1 && changed.has("open")) return;
      const view = boardView(payload, store.state, store.transient);
      if (changed.has("layout")) layOut();
      if (changed.has("layout") || changed.has("settled")) twin.update(view);
      if (changed.size === 1 && changed.has("settled")) return;
      picture.draw(view);
      describe(view);
    },
  };
}
