// What a person does on the map by pointer, wheel and arrow keys: choosing, a lasso, and moving the camera.

import { inside } from "./draw.js";
import { withCommand } from "./focus.js";
import { shownTrajectory } from "./groups.js";
import { framed, headAt, shownIn, nearest, riverLine, zoomed } from "./planes.js";
import { hoverOf, nameAt } from "./named.js";
import { scoreAt } from "./score.js";
import { changeSelection } from "./selection.js";

const FOOTING = 18; // px below a plane that belong to it
const REACH = 12; // px within which the pointer finds a head or a state
const HEAD = 4; // px within which it is on a head
const CLICK = 4; // px that a click may wander
const DEGREES_PER_PX = 0.5; // that a drag of one px turns the map in 3-D
const DEGREES = 10; // that an arrow key turns it
const PAN = 0.08; // of the plane's size, that an arrow key moves it
const WHEEL = 0.0016; // log of the zoom per px that a wheel scrolls
const WHOLE = { x: 0, y: 0, k: 1 }; // the camera that shows everything

/** @typedef {import("./registry.js").Context} Context */
/** @typedef {import("./types.js").PlacedPlane} Plane */
/** @typedef {[number, number]} Point */
/**
 * What is on the stage, and what a person does with it between press and release.
 * @typedef {object} Stage
 * @property {Plane[]} planes
 * @property {HTMLElement} element
 * @property {Map<number, Point>} pointers that are down, by id
 * @property {any} gesture {kind: "pan" | "turn" | "scrub" | "click" | "lasso" | "pinch", ...} or null
 * @property {(event: MouseEvent) => Point} local where an event is, in pixels of the stage
 */

/** Whether the map is seen in three dimensions. @param {Stage} stage */
export const isSolid = ({ planes }) => Boolean(planes[0]?.axes);

/** The plane at a point. @param {Stage} stage @param {ArrayLike<number>} point @returns {Plane} */
const planeAt = ({ planes }, { 0: x, 1: y }) =>
  planes.find(({ box }) => x < box.x + box.width && y < box.y + box.height + FOOTING) ??
  /** @type {Plane} */ (planes.at(-1));

/**
 * Turns the map. A lasso was drawn round what was seen: turned, it would stand round something else.
 * @param {Context} context
 * @param {Point | null} turn
 */
const rotate = ({ store }, turn) =>
  store.set({ turn, ...(store.state.brush?.kind === "lasso" ? { brush: null } : {}) });

/** The name at a point. A head lies in front of the circle that it has come to; while the future is hidden nothing is
 * named.
 * @param {Context} context @param {Stage} stage @param {Point} at */
function nameUnder({ store: { state, veiled } }, stage, at) {
  const plane = planeAt(stage, at);
  const isHead = plane?.parts.some(
    (part) =>
      !state.hidden.includes(part.series.letter) &&
      Array.from({ length: part.series.n }, (_, k) => headAt(part, k, state.cursor.step)).some(
        ([x, y]) => Math.hypot(x - at[0], y - at[1]) < HEAD,
      ),
  );
  return veiled || isHead ? undefined : nameAt(plane, at);
}

/** The head or the state near a point; in the river also the line. @param {Context} context @param {Stage} stage
 * @param {Point} point */
function pick({ store: { state } }, stage, [x, y]) {
  const plane = planeAt(stage, [x, y]);
  if (!plane) return null;
  const allowed = (/** @type {import("./types.js").Series} */ series) => !state.hidden.includes(series.letter);
  const line = plane.basis.name === "river" ? riverLine(plane, x, y, REACH / 2, allowed) : null;
  return line ?? nearest([plane], x, y, state.cursor.step, REACH, allowed);
}

/** The cell and the step of the score at a point. @param {Context} context @param {Stage} stage
 * @param {Point} point */
function pickCell({ payload, store: { state } }, stage, [x, y]) {
  const plane = planeAt(stage, [x, y]);
  return plane?.basis.name === "score" ? scoreAt(plane, payload, shownTrajectory(payload, state), x, y) : null;
}

/**
 * A click on a head or a state, or beside all.
 * @param {Context} context
 * @param {Stage} stage
 * @param {PointerEvent} event
 */
function choose(context, stage, event) {
  const { payload, store } = context;
  const { state } = store;
  const at = stage.local(event);
  const how = { add: withCommand(event), remove: event.altKey };
  const cell = pickCell(context, stage, at);
  if (cell) return store.set({ cells: [cell.cell], cursor: { step: cell.step, low: null } });
  const name = nameUnder(context, stage, at);
  if (name?.kind === "cell") return store.set({ cells: [payload.space.decisive[name.index].cell], color_by: "cell" });
  if (name) {
    const members = Object.entries(hoverOf(payload, state, name).members ?? {});
    const who = members.flatMap(([letter, list]) => list.map((k) => /** @type {[string, number]} */ ([letter, k])));
    return store.set({ selected: changeSelection(state.selected, who, how), board: "all" });
  }
  const found = pick(context, stage, at);
  if (!found && planeAt(stage, at)?.basis.name === "river") return scrub(context, planeAt(stage, at), at[0]);
  if (!found) {
    store.set({ selected: {}, brush: null, board: state.board === "all" ? "focus" : state.board });
    return;
  }
  const who = /** @type {[string, number]} */ ([found.series.letter, found.trajectory]);
  if (found.commit) store.set({ focus: who, board: "focus", cursor: { step: found.step, low: null } });
  else if (how.add || how.remove)
    store.set({ selected: changeSelection(state.selected, [who], { add: true, remove: how.remove }) });
  else if (String(who) === String(state.focus)) store.set({ cursor: { step: found.step, low: null }, board: "focus" });
  else store.set({ focus: who, board: "focus" });
}

/**
 * Chooses the trajectories whose heads are within a lasso.
 * @param {Context} context
 * @param {Stage} stage
 * @param {PointerEvent} event
 */
function finishLasso({ store }, stage, event) {
  const { points } = stage.gesture;
  if (points.length < 3) return;
  const { state } = store;
  const plane = planeAt(stage, points[0]);
  /** @type {[string, number][]} */
  const found = [];
  for (const [part, trajectory] of shownIn(plane.parts, state.hidden))
    if (inside(points, ...headAt(part, trajectory, state.cursor.step))) found.push([part.series.letter, trajectory]);
  const selected = changeSelection(state.selected, found, { add: withCommand(event), remove: event.altKey });
  const count = Object.values(selected).reduce((sum, list) => sum + list.length, 0);
  const outline = points.map((/** @type {Point} */ [x, y]) => [plane.fromX(x), plane.fromY(y)]);
  store.set({
    selected,
    brush: count ? { kind: "lasso", plane: plane.index, points: outline } : null,
    board: count > 1 ? "all" : "focus",
  });
  store.poke({ lasso: false });
}

/** @param {Context} context @param {Stage} stage @param {PointerEvent} event */
function beginGesture({ store }, stage, event) {
  const { camera, turn } = store.state;
  const at = stage.local(event);
  stage.pointers.set(event.pointerId, at);
  store.poke({ down: true, hover: null });
  if (stage.pointers.size === 2) stage.gesture = { kind: "pinch", camera, from: [...stage.pointers.values()] };
  else if (store.transient.lasso || event.shiftKey) stage.gesture = { kind: "lasso", points: [at] };
  else {
    const name = planeAt(stage, at)?.basis.name;
    const kind = name === "river" ? "scrub" : name === "score" ? "click" : isSolid(stage) ? "turn" : "pan";
    stage.gesture = { kind, from: at, camera, turn: turn ?? [0, 0], moved: false };
  }
}

/** The cursor to a place of the river. @param {Context} context @param {Plane} plane @param {number} x */
function scrub({ payload, store, clock }, plane, x) {
  clock.pause();
  store.set({ cursor: { step: Math.min(payload.steps - 1, Math.max(0, Math.round(plane.fromX(x)))), low: null } });
}

/** Two fingers zoom. @param {Context} context @param {Stage} stage */
function pinch({ store }, stage) {
  const [a, b] = stage.pointers.values();
  if (!a || !b) return;
  const [c, d] = stage.gesture.from;
  const factor = Math.hypot(a[0] - b[0], a[1] - b[1]) / Math.max(1, Math.hypot(c[0] - d[0], c[1] - d[1]));
  const middle = [(c[0] + d[0]) / 2, (c[1] + d[1]) / 2];
  store.set({ camera: zoomed(stage.gesture.camera, planeAt(stage, a).box, middle[0], middle[1], factor) });
}

/** A drag moves a flat map, turns a solid one, and goes along the time of a river.
 * @param {Context} context @param {Stage} stage @param {Point} at */
function drag(context, stage, at) {
  const { gesture } = stage;
  const [dx, dy] = [at[0] - gesture.from[0], at[1] - gesture.from[1]];
  gesture.moved ||= Math.hypot(dx, dy) > CLICK;
  if (!gesture.moved || !stage.planes.length) return;
  const [right, down] = gesture.turn;
  if (gesture.kind === "click") return;
  if (gesture.kind === "scrub") return scrub(context, planeAt(stage, gesture.from), at[0]);
  if (gesture.kind === "turn") return rotate(context, [right + dx * DEGREES_PER_PX, down + dy * DEGREES_PER_PX]);
  const { x, y, k } = gesture.camera ?? WHOLE;
  const { box } = planeAt(stage, gesture.from);
  context.store.set({ camera: { k, x: x + dx / box.width, y: y + dy / box.height } });
}

/** What the pointer is on. @param {Context} context @param {Stage} stage @param {Point} at
 * @returns {import("./types.js").Hover | null} */
function underPointer(context, stage, at) {
  const { payload, store } = context;
  const cell = pickCell(context, stage, at);
  if (cell) return { part: "map", cell: cell.cell };
  const name = nameUnder(context, stage, at);
  if (name) return hoverOf(payload, store.state, name);
  const found = pick(context, stage, at);
  return found && { part: "map", trajectory: [found.series.letter, found.trajectory], step: found.step };
}

/** @param {Context} context @param {Stage} stage @param {PointerEvent} event */
function movePointer(context, stage, event) {
  const { store } = context;
  const { gesture, element, pointers } = stage;
  const at = stage.local(event);
  if (!gesture) {
    const hover = event.pointerType === "touch" ? null : underPointer(context, stage, at);
    store.poke({ hover });
    const still = planeAt(stage, at)?.basis.name === "river" ? "ew-resize" : "grab";
    element.style.cursor = store.transient.lasso ? "crosshair" : hover ? "pointer" : still;
    return;
  }
  if (pointers.has(event.pointerId)) pointers.set(event.pointerId, at);
  if (gesture.kind === "lasso") {
    gesture.points.push(at);
    store.poke({ drag: { kind: "lasso", count: gesture.points.length } });
  } else if (gesture.kind === "pinch") pinch(context, stage);
  else drag(context, stage, at);
}

/** @param {Context} context @param {Stage} stage @param {PointerEvent} event */
function endGesture(context, stage, event) {
  const { gesture } = stage;
  stage.pointers.delete(event.pointerId);
  if (gesture?.kind === "lasso") finishLasso(context, stage, event);
  else if (["pan", "turn", "scrub", "click"].includes(gesture?.kind) && !gesture.moved && event.type === "pointerup")
    choose(context, stage, event);
  stage.gesture = null;
  context.store.poke({ down: false, drag: null });
}

/**
 * A double click frames what is selected, else everything.
 * @param {Context} context
 * @param {Stage} stage
 * @param {MouseEvent} event
 */
function frame(context, stage, event) {
  if (isSolid(stage)) return rotate(context, null);
  const { selected, cursor, camera } = context.store.state;
  const plane = planeAt(stage, stage.local(event));
  if (["river", "score"].includes(plane.basis.name)) return;
  const chosen = plane.parts.flatMap((part) =>
    (selected[part.series.letter] ?? []).flatMap((trajectory) => [
      headAt(part, trajectory, cursor.step),
      headAt(part, trajectory, 0),
    ]),
  );
  context.store.set({ camera: framed(camera, plane.box, chosen) });
}

/** @param {Context} context @param {Stage} stage @param {HTMLElement} hint how the wheel zooms */
export function listenToMap(context, stage, hint) {
  const { store } = context;
  const { element } = stage;
  element.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    element.setPointerCapture(event.pointerId);
    beginGesture(context, stage, event);
  });
  element.addEventListener("pointermove", (event) => movePointer(context, stage, event));
  for (const kind of /** @type {const} */ (["pointerup", "pointercancel"]))
    element.addEventListener(kind, (event) => endGesture(context, stage, event));
  element.addEventListener("pointerleave", () => {
    if (!stage.gesture) store.poke({ hover: null });
  });
  /** @param {WheelEvent} event */
  function wheel(event) {
    // The page scrolls, unless the map was chosen first: a wheel that is caught by surprise is a trap.
    if (!element.matches(":focus")) {
      hint.hidden = hint.dataset.seen === "true";
      return;
    }
    event.preventDefault();
    const [x, y] = stage.local(event);
    store.set({
      camera: zoomed(store.state.camera, planeAt(stage, [x, y]).box, x, y, Math.exp(-event.deltaY * WHEEL)),
    });
  }
  element.addEventListener("wheel", wheel, { passive: false });
  element.addEventListener("focus", () => {
    hint.hidden = true;
    hint.dataset.seen = "true";
  });
  element.addEventListener("dblclick", (event) => frame(context, stage, event));
}

/**
 * Arrow keys with Shift, as a drag in their direction: they turn a solid map and move a flat one.
 * @param {Context} context
 * @param {Stage} stage
 * @param {number[]} arrow
 */
export function shiftMap(context, stage, [dx, dy]) {
  const { camera, turn } = context.store.state;
  const [right, down] = turn ?? [0, 0];
  if (isSolid(stage)) return rotate(context, [right + DEGREES * dx, down + DEGREES * dy]);
  const { x, y, k } = camera ?? WHOLE;
  context.store.set({ camera: { k, x: x + PAN * dx, y: y + PAN * dy } });
}

/**
 * Arrow keys: to the nearest head in that direction.
 * @param {Context} context
 * @param {Stage} stage
 * @param {number[]} arrow
 * @param {boolean} add
 */
export function stepHead({ store }, { planes }, [dx, dy], add) {
  const { focus, cursor, hidden, selected } = store.state;
  const plane = planes.find(({ parts }) => parts.some(({ series }) => series.letter === focus[0]));
  const own = plane?.parts.find(({ series }) => series.letter === focus[0]);
  if (!plane || !own) return;
  const [x, y] = headAt(own, focus[1], cursor.step);
  let least = Infinity;
  /** @type {[string, number] | null} */
  let best = null;
  for (const [part, trajectory] of shownIn(plane.parts, hidden)) {
    const [a, b] = headAt(part, trajectory, cursor.step);
    const along = (a - x) * dx + (b - y) * dy;
    const cost = along + 2 * (Math.abs((a - x) * dy) + Math.abs((b - y) * dx));
    if (along > 0.5 && cost < least) [least, best] = [cost, [part.series.letter, trajectory]];
  }
  if (!best) return;
  const more = add ? { selected: changeSelection(selected, [best], { add: true }) } : {};
  store.set({ focus: best, board: "focus", ...more });
}
