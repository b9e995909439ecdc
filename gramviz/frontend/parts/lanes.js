// The curves under the panels: one lane per measure, all on the ruler's time axis.

import { anyOf } from "../painter.js";
import { extent } from "../bands.js";
import { axesOf, drawLane, nearestLine, ticksOf, visibleTrajectories } from "../curves.js";
import { make, neighbor, rove, setAttribute, setText } from "../dom.js";
import { fontOf, surface } from "../draw.js";
import { arrowOf, focusedIn, withCommand } from "../focus.js";
import { emphasis, shownTrajectory } from "../groups.js";
import { shownColors } from "../scene.js";
import { scrubbing } from "../scrub.js";
import { changeSelection } from "../selection.js";
import { blocks, tickName } from "../steps.js";
import { number } from "../text.js";
import { words } from "../words.js";

/** @typedef {import("../registry.js").Context} Context */
/** @typedef {import("../curves.js").Axes} Axes */
/** @typedef {import("../types.js").Pair} Pair */
/**
 * @typedef {object} Lane
 * @property {string} name
 * @property {string} title
 * @property {HTMLElement} root
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLElement} values
 * @property {HTMLElement} scale the numbers of its axis
 * @property {HTMLButtonElement} handle its name, by which it is dragged
 * @property {[number, number]} range
 * @property {Axes} axes
 */
/** @typedef {import("../curves.js").LaneScene} LaneScene */
/** @typedef {Pick<LaneScene, "state" | "colors" | "level" | "groups"> & {veiled: boolean}} Ground */
/**
 * The order of the shown lanes, and how to change it.
 * @typedef {{names: () => string[], place: (name: string, to: number) => void}} Order
 */

const DRAG_LEAST = 3; // px of a box that chooses

/** Opens a lane, with its axis, or closes it. @param {Context} context @param {string} name */
function stretch({ store }, name) {
  const { tall } = store.state;
  store.set({ tall: tall.includes(name) ? tall.filter((other) => other !== name) : [...tall, name] });
}

/**
 * Shift+drag of a box: the trajectories whose line passes through it.
 * @param {Context} context
 * @param {Axes} axes
 * @param {{from: number[], to: number[]}} drag
 * @param {PointerEvent} event
 */
function selectThrough({ payload, store }, axes, { from, to }, event) {
  const [left, right] = [Math.min(from[0], to[0]), Math.max(from[0], to[0])];
  const [top, bottom] = [Math.min(from[1], to[1]), Math.max(from[1], to[1])];
  if (right - left < DRAG_LEAST || bottom - top < DRAG_LEAST) return;
  const steps = [...Array(payload.steps).keys()].filter((step) => axes.x(step) >= left && axes.x(step) <= right);
  const found = visibleTrajectories(payload, store.state)
    .filter(([series, trajectory]) =>
      steps.some((step) => {
        const y = axes.y(series.curve(axes.name, trajectory, step));
        return y >= top && y <= bottom;
      }),
    )
    .map(([series, trajectory]) => /** @type {[string, number]} */ ([series.letter, trajectory]));
  const how = { add: withCommand(event), remove: event.altKey };
  const x = /** @type {Pair} */ ([left / axes.width, right / axes.width]);
  store.set({
    selected: changeSelection(store.state.selected, found, how),
    brush: { kind: "box", lane: axes.name, x, y: [axes.valueAt(bottom), axes.valueAt(top)] },
    board: found.length > 1 ? "all" : store.state.board,
  });
}

/**
 * A drag scrubs, with Shift it is a box; pointing finds the nearest line.
 * @param {Context} context
 * @param {Lane} lane
 */
function listenToCanvas(context, lane) {
  const { payload, store } = context;
  const { canvas, name } = lane;
  /** @param {MouseEvent} event @returns {[number, number]} */
  function at({ clientX, clientY }) {
    const { left, top } = canvas.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }
  scrubbing(canvas, context, () => canvas.getBoundingClientRect(), {
    start: (/** @type {PointerEvent} */ event) => ({ from: at(event), to: at(event) }),
    move(/** @type {any} */ drag, /** @type {PointerEvent} */ event) {
      drag.to = at(event);
      store.poke({ drag: { kind: "box", lane: name, ...drag } });
    },
    end(/** @type {any} */ drag, /** @type {PointerEvent} */ event) {
      selectThrough(context, lane.axes, drag, event);
      store.poke({ drag: null });
    },
  });
  canvas.addEventListener("pointermove", (event) => {
    if (store.transient.down || event.pointerType === "touch") return;
    const [x, y] = at(event);
    const trajectory = nearestLine(lane.axes, visibleTrajectories(payload, store.state), x, y);
    store.poke({ hover: { part: "lane", lane: name, x: Math.round(x), ...(trajectory ? { trajectory } : {}) } });
  });
  canvas.addEventListener("pointerleave", () => store.poke({ hover: null }));
  canvas.addEventListener("dblclick", () => stretch(context, name));
}

/**
 * A lane is dragged by its name; a press that moves nothing opens or closes it.
 * @param {Context} context
 * @param {Map<string, Lane>} lanes
 * @param {Order} order
 * @param {Lane} lane
 */
function listenToHandle(context, lanes, order, { name, handle }) {
  const { store } = context;
  let moved = false;
  /** @param {string} other */
  function middle(other) {
    const box = lanes.get(other)?.root.getBoundingClientRect();
    return box ? box.top + box.height / 2 : 0;
  }
  handle.addEventListener("click", () => {
    if (!moved) stretch(context, name);
  });
  handle.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    store.poke({ down: true });
    const held = event.clientY - middle(name);
    // Heard on the window: an element that changes its place loses the pointer.
    const end = new AbortController();
    const heard = { signal: end.signal };
    /** @param {PointerEvent} event */
    function drag({ clientY }) {
      const above = order.names().filter((other) => other !== name && middle(other) < clientY - held).length;
      if (above !== order.names().indexOf(name)) moved = true;
      order.place(name, above);
    }
    function release() {
      end.abort();
      store.poke({ down: false });
      setTimeout(() => {
        moved = false;
      }); // after the click that ends a drag
    }
    addEventListener("pointermove", drag, heard);
    addEventListener("pointerup", release, heard);
    addEventListener("pointercancel", release, heard);
  });
}

/** @param {Context} context @param {string} name @returns {Lane} */
function createLane(context, name) {
  const { payload } = context;
  const [title, unit] = words.curve(name, payload, tickName(payload).toLowerCase());
  const canvas = make("canvas", { role: "img", "aria-label": title, "data-lane": name });
  const values = make("span", { class: "values" });
  const naming = { class: "name", "data-part": `lane-${name}`, title: words.lane, "aria-expanded": "false" };
  const handle = make("button", naming, title);
  const head = make("div", {}, handle, make("span", { class: "unit" }, unit));
  const scale = make("div", { class: "scale", "aria-hidden": "true" });
  const root = make("div", { class: "lane" }, make("div", { class: "gutter" }, head, values, scale), canvas);
  const range = /** @type {Pair} */ (extent(payload, name));
  const axes = axesOf(name, range, payload.steps, { width: 10, height: 10 });
  return { name, title, root, canvas, values, scale, handle, range, axes };
}

/**
 * The numbers in the gutter: of the shown trajectory, and of those that stand for the other series.
 * @param {Context} context
 * @param {Lane} lane
 */
function updateValues({ payload, store }, { name, title, values, canvas }) {
  const { state } = store;
  const shown = payload.series
    .filter((series) => series.curves[name])
    .map((series) => {
      const [of, trajectory] = shownTrajectory(payload, { ...state, board: series.letter });
      return {
        letter: series.letter,
        who: words.trajectoryName(of, trajectory),
        value: number(series.curve(name, trajectory, state.cursor.step)),
      };
    });
  if (values.childElementCount !== 2 * shown.length)
    values.replaceChildren(...shown.flatMap(() => [make("span"), make("b")]));
  shown.forEach(({ letter, value }, k) => {
    setText(values.children[2 * k], letter);
    setText(values.children[2 * k + 1], value);
  });
  const said = shown.map(({ who, value }) => `${who} ${value}`).join(", ");
  setAttribute(canvas, "aria-label", `${title}: ${said}`);
}

/** What pointing leaves as it is, for it adds a line of its own to the groups that it is compared with: the last one
 * where the state is the same.
 * @param {Context} context @param {Ground | undefined} last @returns {Ground} */
function groundOf({ payload, store }, last) {
  const { state, veiled } = store;
  if (last?.state === state && last.veiled === veiled) return last;
  const level = emphasis(payload, state, null);
  return { state, veiled, colors: shownColors(payload, store), level, groups: new Map() };
}

/**
 * @param {Context} context
 * @param {Lane[]} lanes
 * @param {ReturnType<typeof import("../steps.js").blocks>} supervision
 * @param {Ground} ground
 */
function drawLanes({ payload, store, theme, root }, lanes, supervision, ground) {
  const { transient } = store;
  const scene = { payload, transient, theme, font: fontOf(root), blocks: supervision, ...ground };
  for (const { canvas, axes } of lanes) drawLane(surface(canvas, axes.width, axes.height), axes, scene);
}

/** A number of an axis, where it stands. @param {Axes} axes @param {number} value */
function tickMark(axes, value) {
  const mark = make("span", {}, number(Number(value.toPrecision(6))));
  mark.style.top = `${axes.y(value)}px`;
  return mark;
}

/** The lanes of this page, made when they are first shown. @param {Context} context @param {HTMLElement} element */
function createRack(context, element) {
  const { payload, store, root } = context;
  /** @type {Map<string, Lane>} */
  const lanes = new Map();
  /** @type {Lane[]} */
  let shown = [];
  /** @type {string | null} */
  let current = null; // the lane whose name Tab comes to
  // In the order of the state: several moves of a pointer may come before the next frame.
  const names = () => store.state.lanes.filter((name) => shown.some((lane) => lane.name === name));
  const handles = () => shown.map(({ handle }) => handle);

  /** Puts a lane between others, `to` places from above. @param {string} name @param {number} to */
  function place(name, to) {
    const order = names().filter((other) => other !== name);
    order.splice(to, 0, name);
    if (String(order) !== String(names()))
      store.set({ lanes: [...order, ...store.state.lanes.filter((other) => !order.includes(other))] });
  }

  /** @param {string} name */
  function laneOf(name) {
    const found = lanes.get(name);
    if (found) return found;
    const lane = createLane(context, name);
    lanes.set(name, lane);
    listenToCanvas(context, lane);
    listenToHandle(context, lanes, { names, place }, lane);
    lane.handle.addEventListener("focus", () => {
      current = name;
      rove(handles(), lane.handle);
    });
    return lane;
  }

  function arrange() {
    const { plot, lanes: names, lane: low, tall: high } = context.size;
    shown = names.map(laneOf);
    const roots = shown.map((lane) => lane.root);
    const focused = focusedIn(root);
    if (roots.length !== element.childElementCount || roots.some((one, k) => one !== element.children[k])) {
      element.replaceChildren(...roots);
      if (element.contains(focused)) focused.focus({ preventScroll: true }); // what changes its place loses the focus
    }
    rove(handles(), shown.find(({ name }) => name === current)?.handle);
    for (const lane of shown) {
      const open = store.state.tall.includes(lane.name);
      lane.root.classList.toggle("tall", open);
      setAttribute(lane.handle, "aria-expanded", open);
      lane.axes = axesOf(lane.name, lane.range, payload.steps, { width: plot, height: (open ? high : low) - 3, open });
      lane.scale.replaceChildren(...(open ? ticksOf(lane.range) : []).map((value) => tickMark(lane.axes, value)));
    }
  }

  return { arrange, place, handles, shown: () => shown };
}

/** @param {Context} context @returns {import("../registry.js").Part} */
export function createLanes(context) {
  const { payload, store } = context;
  const supervision = blocks(payload);
  const element = make("div", { class: "lanes", role: "group", "aria-label": words.view.curves });
  const rack = createRack(context, element);
  /** @type {Ground | undefined} */
  let ground;
  return {
    name: "lanes",
    reads: [
      "layout",
      "lanes",
      "tall",
      "theme",
      "color_by",
      "basis",
      "focus",
      "pinned",
      "selected",
      "hidden",
      "hover",
      "drag",
      "cursor",
      "cells",
      "board",
    ],
    element,
    /** On the name of a lane: arrows go to another name, with Alt they move the lane. */
    key(event) {
      const handle = focusedIn(element);
      const at = rack.handles().indexOf(handle);
      const down = arrowOf(event)?.[1];
      if (at < 0 || !down) return null;
      if (event.altKey) return () => rack.place(rack.shown()[at].name, Math.max(0, at + down));
      return () => neighbor(rack.handles(), handle, event.key).focus();
    },
    update(changed) {
      const has = anyOf(changed);
      if (has("lanes", "layout", "tall")) rack.arrange();
      const follows = !["outcome", "answer", "series"].includes(store.state.color_by);
      const others = [...changed].some((key) => !["cursor", "cells", "board"].includes(key));
      if (others || (follows && has("cursor", "cells"))) {
        ground = groundOf(context, ground);
        drawLanes(context, rack.shown(), supervision, ground);
      }
      if (others || has("cursor", "board")) for (const lane of rack.shown()) updateValues(context, lane);
    },
  };
}
