// The latent map: events, camera, lasso and the meter. Geometry is in planes.js, drawing in paths.js.

import { make, setAttribute, setText } from "../dom.js";
import { fontOf, inside, surface } from "../draw.js";
import { colorGroups, emphasis, HIDDEN, runOf } from "../groups.js";
import { drawBase } from "../ground.js";
import { drawTop } from "../heads.js";
import { drawPast } from "../paths.js";
import { framed, headAt, nearest, planesOf, project, unrelated, zoomed } from "../planes.js";
import { isDeep } from "../turn.js";
import { words } from "../words.js";

const REACH = 12; // px within which the pointer finds a head or a state
const CLICK = 4; // px that a click may wander
const DEGREES_PER_PX = 0.5; // that a drag of one px turns the map in 3-D
const PAN = 0.08; // of the plane's size, that an arrow key moves it
const HALO_BELOW = 0.8; // halos cannot be switched off where less than this lies in the plane

/** Everything that the drawing needs, apart from the geometry. */
export function sceneOf(app) {
  const { payload, store } = app;
  const { state, transient } = store;
  return {
    state,
    theme: app.theme,
    font: fontOf(app.root),
    steps: payload.steps,
    last: store.last,
    veiled: store.veiled,
    answers: payload.answers,
    hover: transient.hover,
    fraction: transient.fraction,
    // How a path ends is its color and its shape: neither is shown while a quiz hides the future.
    colors: colorGroups(payload, store.veiled ? { ...state, color_by: "step" } : state),
    emphasis: emphasis(payload, state, transient.hover),
    small: false,
  };
}

/** A selection changed by `paths` [[letter, index], ...]: replaced, added to, or taken from. */
export function changeSelection(selected, paths, { add = false, remove = false }) {
  const next = {};
  const touched = new Set(paths.map(([letter, path]) => `${letter} ${path}`));
  if (add || remove)
    for (const [letter, list] of Object.entries(selected))
      next[letter] = list.filter((path) => !(remove && touched.has(`${letter} ${path}`)));
  if (!remove) for (const [letter, path] of paths) next[letter] = [...(next[letter] ?? []), path];
  return next;
}

/** The share of the variance that the first two or three components of a plane show. */
const shown = ({ basis }, dims) =>
  dims === 2 && basis.plane !== undefined
    ? basis.plane
    : (basis.variance ?? []).slice(0, dims).reduce((sum, share) => sum + share, 0);

export function createMap(app, actions) {
  const { payload, store } = app;
  const [base, past, top] = ["base", "past", "top"].map((name) =>
    make("canvas", { "aria-hidden": "true", "data-layer": name }),
  );
  const stage = make(
    "div",
    { class: "stage", tabindex: "0", role: "img", "data-part": "map", "aria-label": words.map.title },
    base,
    past,
    top,
  );
  const sub = make("span", { class: "sub" });
  const lassoButton = make(
    "button",
    { "aria-pressed": "false", onclick: () => store.poke({ lasso: !store.transient.lasso }) },
    words.map.lasso,
  );
  const deepButton = make("button", { onclick: () => actions.deep() }, words.map.deep);
  const fitButton = make("button", { onclick: () => actions.fit() }, words.map.fit);
  const meter = make("i");
  const share = make("span");
  const here = make("span");
  const haloKey = make("span", {}, make("i", { class: "key halo" }), words.map.halo);
  const land = make("span", { hidden: true });
  const cloud = make("span", { hidden: true }, words.map.cloud);
  const hint = make("span", { class: "caption", hidden: true }, words.map.wheel);
  const apart = make("b", { class: "apart", hidden: true });
  const instead = make("span", { class: "apart", hidden: true }, words.map.noH);
  const legend = make(
    "div",
    { class: "legend" },
    share,
    make("span", { class: "meter", "aria-hidden": "true" }, meter),
    here,
    haloKey,
    land,
    cloud,
    hint,
    apart,
    instead,
  );
  const el = make(
    "section",
    { class: "panel map", "aria-label": words.map.title },
    make(
      "div",
      { class: "bar" },
      make("h3", {}, words.map.title),
      sub,
      make("div", { class: "push" }, lassoButton, deepButton, fitButton),
    ),
    stage,
    legend,
  );

  let planes = [];
  const pointers = new Map(); // pointers that are down: id -> [x, y]
  let gesture = null; // {kind: "pan" | "lasso" | "pinch", ...} between press and release

  const local = (event) => {
    const box = base.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const deep = () => Boolean(planes[0]?.axes);
  /** Turns the map. A lasso was drawn round what was seen: turned, it would stand round something else. */
  const look = (turn) => store.set({ turn, ...(store.state.brush?.kind === "lasso" ? { brush: null } : {}) });
  const visible = (run) => !store.state.hidden.includes(run.letter);
  const planeAt = (x) => planes.find((plane) => x < plane.box.x + plane.box.width) ?? planes.at(-1);
  const pick = (x, y) => nearest(planes, x, y, store.state.cursor.step, REACH, visible);

  function choose(found, event) {
    const { state } = store;
    if (!found) {
      store.set({ selected: {}, brush: null, board: state.board === "all" ? "focus" : state.board });
      return;
    }
    const who = [found.run.letter, found.path];
    if (event.ctrlKey || event.metaKey || event.altKey)
      store.set({ selected: changeSelection(state.selected, [who], { add: true, remove: event.altKey }) });
    else if (String(who) === String(state.focus))
      store.set({ cursor: { step: found.step, low: null }, board: "focus" });
    else store.set({ focus: who, board: "focus" });
  }

  function finishLasso(event) {
    const { points } = gesture;
    if (points.length < 3) return;
    const { state } = store;
    const plane = planeAt(points[0][0]);
    const found = [];
    for (const part of planes.flatMap((one) => one.runs))
      for (let path = 0; path < part.run.n; path += 1) {
        if (visible(part.run) && inside(points, ...headAt(part, path, state.cursor.step)))
          found.push([part.run.letter, path]);
      }
    const selected = changeSelection(state.selected, found, {
      add: event.ctrlKey || event.metaKey,
      remove: event.altKey,
    });
    const count = Object.values(selected).reduce((sum, list) => sum + list.length, 0);
    store.set({
      selected,
      brush: count
        ? { kind: "lasso", plane: plane.index, points: points.map(([x, y]) => [plane.fromX(x), plane.fromY(y)]) }
        : null,
      board: count > 1 ? "all" : "focus",
    });
    store.poke({ lasso: false });
  }

  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    stage.setPointerCapture(event.pointerId);
    const at = local(event);
    pointers.set(event.pointerId, at);
    store.poke({ down: true, hover: null });
    if (pointers.size === 2) gesture = { kind: "pinch", camera: store.state.camera, from: [...pointers.values()] };
    else if (store.transient.lasso || event.shiftKey) gesture = { kind: "lasso", points: [at] };
    else {
      const { camera, turn } = store.state;
      gesture = { kind: deep() ? "turn" : "pan", from: at, camera, turn: turn ?? [0, 0], moved: false };
    }
  });
  stage.addEventListener("pointermove", (event) => {
    const at = local(event);
    if (!gesture) {
      const found = event.pointerType === "touch" ? null : pick(...at);
      store.poke({ hover: found ? { part: "map", path: [found.run.letter, found.path], step: found.step } : null });
      stage.style.cursor = store.transient.lasso ? "crosshair" : found ? "pointer" : "grab";
      return;
    }
    if (pointers.has(event.pointerId)) pointers.set(event.pointerId, at);
    if (gesture.kind === "lasso") {
      gesture.points.push(at);
      store.poke({ drag: { kind: "lasso", count: gesture.points.length } });
    } else if (gesture.kind === "pinch" && pointers.size === 2) {
      const [a, b] = [...pointers.values()];
      const [c, d] = gesture.from;
      const factor = Math.hypot(a[0] - b[0], a[1] - b[1]) / Math.max(1, Math.hypot(c[0] - d[0], c[1] - d[1]));
      store.set({ camera: zoomed(gesture.camera, planeAt(a[0]).box, (c[0] + d[0]) / 2, (c[1] + d[1]) / 2, factor) });
    } else if (gesture.from && gesture.kind !== "pinch") {
      const [dx, dy] = [at[0] - gesture.from[0], at[1] - gesture.from[1]];
      gesture.moved ||= Math.hypot(dx, dy) > CLICK;
      if (!gesture.moved || !planes.length) return;
      if (gesture.kind === "turn") {
        look([gesture.turn[0] + dx * DEGREES_PER_PX, gesture.turn[1] + dy * DEGREES_PER_PX]);
        return;
      }
      const from = gesture.camera ?? { x: 0, y: 0, k: 1 };
      const { box } = planeAt(gesture.from[0]);
      store.set({
        camera: {
          k: from.k,
          x: from.x + dx / box.width,
          y: from.y + dy / box.height,
        },
      });
    }
  });
  const release = (event) => {
    pointers.delete(event.pointerId);
    if (gesture?.kind === "lasso") finishLasso(event);
    else if (["pan", "turn"].includes(gesture?.kind) && !gesture.moved && event.type === "pointerup")
      choose(pick(...local(event)), event);
    gesture = null;
    store.poke({ down: false, drag: null });
  };
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", release);
  stage.addEventListener("pointerleave", () => {
    if (!gesture) store.poke({ hover: null });
  });
  stage.addEventListener(
    "wheel",
    (event) => {
      // The page scrolls, unless the map was chosen first: a wheel that is caught by surprise is a trap.
      if (!stage.matches(":focus")) {
        hint.hidden = hint.dataset.seen === "true";
        return;
      }
      event.preventDefault();
      const [x, y] = local(event);
      store.set({ camera: zoomed(store.state.camera, planeAt(x).box, x, y, Math.exp(-event.deltaY * 0.0016)) });
    },
    { passive: false },
  );
  stage.addEventListener("focus", () => {
    hint.hidden = true;
    hint.dataset.seen = "true";
  });
  stage.addEventListener("dblclick", (event) => {
    if (deep()) {
      look(null);
      return;
    }
    const plane = planeAt(local(event)[0]);
    const chosen = plane.runs.flatMap((part) =>
      (store.state.selected[part.run.letter] ?? []).flatMap((path) => [
        headAt(part, path, store.state.cursor.step),
        headAt(part, path, 0),
      ]),
    );
    store.set({ camera: framed(store.state.camera, plane.box, chosen) });
  });

  function describe() {
    const { state } = store;
    const run = runOf(payload, state.focus[0]);
    const plane = planes.find((one) => one.runs.some((part) => part.run === run)) ?? planes[0];
    setAttribute(lassoButton, "aria-pressed", store.transient.lasso);
    setAttribute(deepButton, "aria-pressed", deep());
    deepButton.disabled = !isDeep(planes);
    deepButton.title = deepButton.disabled ? words.map.flat : "";
    if (!plane) {
      setText(sub, words.map.none);
      for (const node of [share, here, haloKey, land, meter.parentElement]) node.hidden = true;
      return;
    }
    const letters = plane.runs.map((part) => part.run.letter);
    setText(
      sub,
      planes.length > 1
        ? words.onePlaneEach(plane.basis.label)
        : letters.length > 1
          ? words.oneBasis(plane.basis.label, letters)
          : plane.basis.label,
    );
    const solid = deep();
    const within = shown(plane, solid ? 3 : 2);
    setText(share, words.map.plane(within, solid));
    meter.style.width = `${100 * within}%`;
    const part = plane.runs.find((one) => one.run === run);
    const outside = part?.outside?.[state.focus[1] * run.steps + run.held(state.cursor.step)];
    setText(
      here,
      outside === undefined
        ? ""
        : words.map.here(1 - outside / 255) + (within < HALO_BELOW ? `; ${words.map.outside}` : ""),
    );
    instead.hidden = !payload.missing.h;
    haloKey.hidden = !haloShown();
    cloud.hidden = !state.layers.includes("cloud");
    const { landscape } = plane.basis;
    const wanted = state.layers.includes("landscape");
    setText(land, solid ? words.map.noDepth : landscape ? words.map.landscape(landscape.unit) : words.map.noLandscape);
    land.hidden = !wanted || (!landscape && !payload.bases.some((basis) => basis.landscape));
    const tallies = payload.runs.map((one) => words.tally(one.letter, one.right, one.n));
    setText(
      apart,
      unrelated({ basis: plane.basis, runs: plane.runs.map((one) => one.run) }) ? words.map.apart(letters) : "",
    );
    apart.hidden = !apart.textContent;
    setAttribute(
      stage,
      "aria-label",
      words.described(words.map.title, sub.textContent, tallies, within, apart.textContent, solid),
    );
  }

  const haloShown = () =>
    store.state.layers.includes("halo") || planes.some((plane) => shown(plane, deep() ? 3 : 2) < HALO_BELOW);

  function lassoPoints() {
    if (gesture?.kind === "lasso") return gesture.points;
    const { brush } = store.state;
    const plane = planes[brush?.plane ?? 0];
    return brush?.kind === "lasso" && plane ? brush.points.map(([x, y]) => [plane.toX(x), plane.toY(y)]) : null;
  }

  return {
    el,
    /** Zoom by keys, around the middle. */
    zoom(factor) {
      const box = planes[0]?.box;
      if (box)
        store.set({ camera: zoomed(store.state.camera, box, box.x + box.width / 2, box.y + box.height / 2, factor) });
    },
    /** Arrow keys with Shift, as a drag in their direction: they turn a map in 3-D and move a flat one. */
    turn(dx, dy) {
      const { camera, turn } = store.state;
      if (deep()) {
        const [right, down] = turn ?? [0, 0];
        look([right + 10 * dx, down + 10 * dy]);
      } else {
        const { x, y, k } = camera ?? { x: 0, y: 0, k: 1 };
        store.set({ camera: { k, x: x + PAN * dx, y: y + PAN * dy } });
      }
    },
    /** Arrow keys: to the nearest head in that direction. */
    move(dx, dy, add) {
      const { state } = store;
      const plane = planes.find((one) => one.runs.some((part) => part.run.letter === state.focus[0]));
      if (!plane) return;
      const [x, y] = headAt(
        plane.runs.find((part) => part.run.letter === state.focus[0]),
        state.focus[1],
        state.cursor.step,
      );
      let best = null;
      for (const part of plane.runs)
        for (let path = 0; path < part.run.n && visible(part.run); path += 1) {
          const [a, b] = headAt(part, path, state.cursor.step);
          const along = (a - x) * dx + (b - y) * dy;
          const aside = Math.abs((a - x) * dy) + Math.abs((b - y) * dx);
          if (along > 0.5 && (!best || along + 2 * aside < best.cost))
            best = { cost: along + 2 * aside, who: [part.run.letter, path] };
        }
      if (!best) return;
      store.set({
        focus: best.who,
        board: "focus",
        ...(add ? { selected: changeSelection(state.selected, [best.who], { add: true }) } : {}),
      });
    },
    update(keys) {
      const has = (...names) => names.some((name) => keys.has(name));
      const { width, height } = app.size.map;
      if (has("layout", "basis", "camera", "dims", "turn"))
        planes = project(planesOf(payload, store.state.basis), store.state, width, height);
      const scene = sceneOf(app);
      scene.halo = haloShown();
      scene.lasso = lassoPoints();
      scene.small = width < 100;
      const view =
        has("layout", "theme", "basis", "camera", "dims", "turn", "selected", "hidden", "color_by", "layers", "hover", "token") ||
        (has("cursor", "cells") && !["outcome", "answer", "run", "step"].includes(store.state.color_by)) ||
        (has("cursor") && store.transient.hover?.cell !== undefined);
      if (view) drawBase(surface(base, width, height), planes, scene);
      if (view || has("cursor", "cells")) drawPast(surface(past, width, height), planes, scene);
      if (view || has("cursor", "cells", "fraction", "focus", "pinned", "drag", "brush", "lasso"))
        drawTop(surface(top, width, height), planes, scene);
      if (view || has("cursor", "focus", "lasso")) describe();
    },
    /** For tests and hit-free automation: where the heads are, in CSS pixels of the stage. */
    heads: () =>
      planes
        .flatMap((plane) =>
          plane.runs.flatMap((part) =>
            Array.from({ length: part.run.n }, (_, path) => ({
              run: part.run.letter,
              path,
              at: headAt(part, path, store.state.cursor.step),
              emphasis: emphasis(payload, store.state, store.transient.hover)[part.run.letter][path],
            })),
          ),
        )
        .filter((head) => head.emphasis !== HIDDEN),
  };
}
