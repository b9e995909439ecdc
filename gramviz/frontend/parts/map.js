// The latent map: its layers, its bar and its legend. The geometry is in planes.js, the gestures in gestures.js.

import { anyOf } from "../painter.js";
import { fitText, make, sayAll, setAttribute, setClauses, setText } from "../dom.js";
import { surface } from "../draw.js";
import { arrowOf, withCommand } from "../focus.js";
import { isSolid, listenToMap, shiftMap, stepHead } from "../gestures.js";
import { drawBase } from "../ground.js";
import { seriesOf } from "../groups.js";
import { drawTop } from "../heads.js";
import { drawPast } from "../past.js";
import { isOfAnswers, mapOf, unrelated } from "../planes.js";
import { explainedShare, isHaloForced, isPartial, sceneOf } from "../scene.js";
import { MANY_STATES, statesOf } from "../trajectories.js";
import { isDeep } from "../turn.js";
import { words } from "../words.js";

/** @typedef {import("../registry.js").Context} Context */
/** @typedef {import("../gestures.js").Stage} Stage */
/** @typedef {import("../types.js").PlacedPlane} Plane */
/** @typedef {ReturnType<typeof createLegend>} Legend */

/** What stands below the map: how much of the variance is seen, and what the layers mean. */
function createLegend() {
  const meter = make("i");
  const nodes = {
    share: make("span"),
    gauge: make("span", { class: "meter", "aria-hidden": "true" }, meter),
    here: make("span"),
    halo: make("span", {}, make("i", { class: "key halo" }), words.map.halo),
    land: make("span", { hidden: true }),
    cloud: make("span", { hidden: true }, words.map.cloud),
    hint: make("span", { class: "caption", hidden: true }, words.map.wheel),
    apart: make("b", { class: "apart", hidden: true }),
    answers: make("span", { class: "reading", hidden: true }),
  };
  return { ...nodes, meter, read: "", element: make("div", { class: "legend" }, Object.values(nodes)) };
}

/** The plane of the focused series, and its part in it. @param {Context} context @param {Plane[]} planes */
function focusedPlane({ payload, store }, planes) {
  const series = seriesOf(payload, store.state.focus[0]);
  const plane = planes.find(({ parts }) => parts.some((part) => part.series === series)) ?? planes[0];
  return { series, plane, part: plane?.parts.find((part) => part.series === series) };
}

/** @param {Context} context @param {Stage} stage @param {Legend} legend */
function updateLegend(context, stage, legend) {
  const { payload, store } = context;
  const { focus, cursor, layers } = store.state;
  const { series, plane, part } = focusedPlane(context, stage.planes);
  const solid = isSolid(stage);
  const dims = solid ? 3 : 2;
  const { share, gauge, here, halo, land, cloud, apart, answers } = legend;
  const ofAnswers = !plane || isOfAnswers(plane.basis);
  for (const node of [share, gauge, here, halo, land, cloud]) node.hidden = ofAnswers;
  answers.hidden = !plane || !ofAnswers;
  const readings = stage.planes.map(({ basis }) => words.map.reading(basis, payload.space));
  const room = JSON.stringify([readings, context.size]);
  if (ofAnswers && legend.read !== room) fitText(answers, readings.join(" "));
  legend.read = room;
  apart.hidden = true;
  if (ofAnswers) return;
  const within = explainedShare(plane, dims);
  setText(share, words.map.plane(within, solid, plane.basis.of));
  legend.meter.style.width = `${100 * within}%`;
  const outside = part?.outside?.[focus[1] * series.steps + series.held(cursor.step)];
  const more = isPartial(plane, dims) ? `; ${words.map.outside}` : "";
  setText(here, outside === undefined ? "" : words.map.here(1 - outside / 255) + more);
  halo.hidden = !isHaloShown(context, stage);
  cloud.hidden = !layers.includes("cloud");
  const { landscape } = plane.basis;
  setText(land, solid ? words.map.noDepth : landscape ? words.map.landscape(landscape.unit) : words.map.noLandscape);
  land.hidden = !layers.includes("landscape") || (!landscape && !payload.bases.some((basis) => basis.landscape));
  const shown = plane.parts.map((one) => one.series);
  const strange = unrelated({ basis: plane.basis, series: shown });
  setText(apart, strange ? words.map.apart(shown.map(({ letter }) => letter)) : "");
  apart.hidden = !apart.textContent;
}

/** @param {Context} context @param {Stage} stage */
const isHaloShown = ({ store }, { planes }) => store.state.layers.includes("halo") || isHaloForced(planes, store.state);

/** The lasso that is being drawn, else the one that has chosen. @param {Context} context @param {Stage} stage */
function lassoPoints({ store }, { planes, gesture }) {
  if (gesture?.kind === "lasso") return gesture.points;
  const { brush } = store.state;
  if (brush?.kind !== "lasso") return null;
  const plane = planes[brush.plane ?? 0];
  if (!plane) return null;
  return brush.points.map(([x, y]) => /** @type {import("../types.js").Pair} */ ([plane.toX(x), plane.toY(y)]));
}

const POINTER_RESTS = 120; // ms

/** The three canvases on top of each other, from what changes least. @param {Context} context @param {Stage} stage */
function createLayers(context, stage) {
  const [base, past, top] = ["base", "past", "top"].map((name) =>
    make("canvas", { "aria-hidden": "true", "data-layer": name }),
  );
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  context.signal.addEventListener("abort", () => clearTimeout(waiting));
  /** @param {HTMLCanvasElement} canvas @param {typeof drawBase} drawing */
  function draw(canvas, drawing) {
    const { width, height } = context.size.map;
    const [halo, lasso] = [isHaloShown(context, stage), lassoPoints(context, stage)];
    drawing(surface(canvas, width, height), stage.planes, { ...sceneOf(context), halo, lasso, small: width < 100 });
  }
  function lines() {
    draw(base, drawBase);
    draw(past, drawPast);
  }
  return {
    base,
    elements: [base, past, top],
    /** Returns whether the base was drawn. @param {Set<string>} changed */
    update(changed) {
      const { store } = context;
      const has = anyOf(changed);
      const follows = !["outcome", "answer", "series", "step"].includes(store.state.color_by);
      const score = store.state.basis === "score";
      const all =
        has("layout", "theme", "basis", "camera", "dims", "turn", "selected", "hidden", "color_by", "layers") ||
        has("hover", "token", "limit") ||
        (score && has("cursor", "cells", "focus", "board")) ||
        (follows && has("cursor", "cells")) ||
        (has("cursor") && store.transient.hover?.cell !== undefined);
      const pointing = changed.size === 1 && has("hover") && statesOf(stage.planes) > MANY_STATES;
      if (pointing || all) clearTimeout(waiting);
      if (pointing) waiting = setTimeout(lines, POINTER_RESTS);
      else if (all) lines();
      else if (has("cursor", "cells")) draw(past, drawPast);
      if (all || has("cursor", "cells", "fraction", "focus", "pinned", "drag", "brush", "lasso")) draw(top, drawTop);
      return all;
    },
  };
}

/** The bar above the map. @param {Context} context */
function createBar({ store, actions }) {
  const sub = make("span", { class: "sub" });
  const toggle = () => store.poke({ lasso: !store.transient.lasso });
  const lasso = make("button", { "aria-pressed": "false", onclick: toggle }, words.map.lasso);
  const deep = make("button", { onclick: () => actions.deep() }, words.map.deep);
  const fit = make("button", { onclick: () => actions.fitMap() }, words.map.fit);
  const buttons = make("div", { class: "push" }, lasso, deep, fit);
  return {
    element: make("div", { class: "bar" }, make("h3", {}, words.map.title), sub, buttons),
    text: () => sub.textContent ?? "",
    /** @param {Plane | undefined} plane of the focused series @param {Stage} stage */
    update(plane, stage) {
      setAttribute(lasso, "aria-pressed", store.transient.lasso);
      setAttribute(deep, "aria-pressed", isSolid(stage));
      deep.disabled = !isDeep(stage.planes);
      deep.title = deep.disabled ? words.map.flat : "";
      if (!plane) return setClauses(sub, words.map.none);
      const { label } = plane.basis;
      const letters = plane.parts.map(({ series }) => series.letter);
      const one = letters.length > 1 && plane.basis.name !== "score" ? words.oneBasis(label, letters) : label;
      const each = isOfAnswers(plane.basis)
        ? stage.planes.map(({ basis }) => basis.label).join(", ")
        : words.onePlaneEach(label);
      setClauses(sub, stage.planes.length > 1 ? each : one, "", /(?=, )/);
    },
  };
}

/** @type {import("../registry.js").Key[]} */
const MAP_READS = [
  "layout",
  "theme",
  "panel",
  "basis",
  "camera",
  "dims",
  "turn",
  "selected",
  "hidden",
  "color_by",
  "layers",
  "hover",
  "token",
  "cursor",
  "cells",
  "fraction",
  "focus",
  "board",
  "pinned",
  "drag",
  "brush",
  "lasso",
  "limit",
];

/** @param {Context} context @returns {import("../registry.js").Part} */
export function createMap(context) {
  const { payload, store } = context;
  const legend = createLegend();
  const bar = createBar(context);
  const title = { "aria-label": words.map.title };
  const element = make("div", { class: "stage", tabindex: "0", role: "img", "data-part": "map", ...title });
  /** @type {Stage} */
  const stage = {
    planes: [],
    element,
    pointers: new Map(),
    gesture: null,
    local({ clientX, clientY }) {
      const { left, top } = layers.base.getBoundingClientRect();
      return [clientX - left, clientY - top];
    },
  };
  const layers = createLayers(context, stage);
  element.append(...layers.elements);
  listenToMap(context, stage, legend.hint);

  function describe() {
    const { plane } = focusedPlane(context, stage.planes);
    bar.update(plane, stage);
    updateLegend(context, stage, legend);
    sayAll(legend.element);
    if (!plane) return;
    const tallies = payload.series.map((series) => words.tally(series.letter, series.right, series.n));
    const solid = isSolid(stage);
    const within = explainedShare(plane, solid ? 3 : 2);
    const more = isOfAnswers(plane.basis)
      ? words.ofAnswers(payload.space, legend.answers.textContent ?? "")
      : words.within(within, solid, legend.apart.textContent ?? "");
    setAttribute(element, "aria-label", words.described(words.map.title, bar.text(), tallies, more, solid));
  }

  return {
    name: "map",
    reads: MAP_READS,
    element: make("section", { class: "panel map", ...title }, bar.element, element, legend.element),
    key(event, place) {
      const arrow = arrowOf(event);
      if (place !== "map" || !arrow || event.altKey) return null;
      return () =>
        event.shiftKey ? shiftMap(context, stage, arrow) : stepHead(context, stage, arrow, withCommand(event));
    },
    update(changed) {
      const has = anyOf(changed);
      const { width, height } = context.size.map;
      this.element.classList.toggle("open", store.state.panel === "map");
      if (has("layout", "basis", "camera", "dims", "turn", "limit"))
        stage.planes = mapOf(payload, store.state, width, height, store.veiled);
      if (layers.update(changed) || has("cursor", "focus", "lasso")) describe();
    },
  };
}
