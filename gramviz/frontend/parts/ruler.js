// The ruler: the rows of the time axis, on which a press or a drag moves the cursor.

import { changedCells } from "../cells.js";
import { make, setAttribute } from "../dom.js";
import { fontOf, surface } from "../draw.js";
import { withCommand } from "../focus.js";
import { seriesOf, shownTrajectory } from "../groups.js";
import { scrubbing } from "../scrub.js";
import { fillBox } from "../shapes.js";
import { address, blocks, events, hasTransitions, tickName } from "../steps.js";
import { drawEvents, drawLowSteps, drawSupervision, drawTransitions, heightOf, rulerRows } from "../timeline.js";
import { words } from "../words.js";

/** @typedef {import("../registry.js").Context} Context */
/** @typedef {import("../timeline.js").Row} Row */

/** @param {Context} context */
const rowsOf = ({ payload, store, size }) => rulerRows(payload, size.kind, store.transient.presenter);

/** @param {Context} context @returns {import("../timeline.js").Timeline} */
function timelineOf(context) {
  const { payload, size, theme, root } = context;
  const rows = rowsOf(context);
  return {
    width: size.plot,
    x: (step) => (payload.steps > 1 ? (step / (payload.steps - 1)) * size.plot : 0),
    top: (row) => heightOf(rows.slice(0, rows.indexOf(row))),
    theme,
    font: fontOf(root),
  };
}

/** What the rows are called, by row. @param {Context} context @returns {Record<Row, string>} */
function rowNames({ payload, size }) {
  const [supervision, transition, low] = payload.levels;
  if (size.kind === "narrow") return words.time.short;
  const changed =
    hasTransitions(payload) && size.kind === "wide" ? words.time.changed(transition) : words.curves.changed[0];
  return { events: words.time.events, supervision, transition: changed, low };
}

/** The events that may be shown, named. @param {Context} context @returns {import("../timeline.js").Event[]} */
function namedEvents({ payload, store }) {
  return events(payload, store.state)
    .filter(({ step }) => step <= store.last)
    .map(({ step, kind, trajectories }) => {
      const [first, second] = trajectories.map(([letter, trajectory]) =>
        words.trajectoryName(seriesOf(payload, letter), trajectory),
      );
      const label = {
        part: words.time.part(first, second),
        correct: words.time.correct(first),
        left: words.time.left(first),
        halt: words.time.halts(first),
      };
      return { step, kind, label: label[kind] };
    });
}

/** What a screen reader says of the cursor. @param {Context} context */
function spokenTime({ payload, store }) {
  const { step, low } = store.state.cursor;
  const [series, trajectory] = shownTrajectory(payload, store.state);
  return words.time.spoken(
    words.time.step(address(payload, step, low)),
    words.time.of(tickName(payload), step, payload.steps - 1),
    changedCells(series, trajectory, step).length,
    series.curves.conflicts ? series.curve("conflicts", trajectory, step) : null,
    payload.board.ruled,
  );
}

/** The canvas with the rows, and what a press on it does. @param {Context} context */
function createCanvas(context) {
  const { payload, store } = context;
  const supervision = blocks(payload);
  const canvas = make("canvas", { "aria-hidden": "true" });
  /** @type {ReturnType<typeof drawLowSteps>} */
  let lowCells = [];

  /** A press on a low-level cell chooses it; anywhere else it scrubs. @param {PointerEvent} event */
  function press(event) {
    const { left, top } = canvas.getBoundingClientRect();
    const x = event.clientX - left;
    const inRow = event.clientY - top >= timelineOf(context).top("low");
    const cell = inRow && lowCells.find((one) => x >= one.x && x < one.x + one.width);
    if (!cell) return;
    event.stopImmediatePropagation();
    store.set({ cursor: { step: store.state.cursor.step, low: cell.low } });
  }
  canvas.addEventListener("pointerdown", press, { capture: true }); // capturing, so that it comes before the scrub
  scrubbing(canvas, context, () => canvas.getBoundingClientRect());

  function draw() {
    const rows = rowsOf(context);
    const timeline = timelineOf(context);
    const { cursor, range } = store.state;
    const height = heightOf(rows);
    const pen = surface(canvas, timeline.width, height);
    if (range) {
      const [from, to] = range.map(timeline.x);
      fillBox(pen, [from, 0, to - from, height], timeline.theme.ink, 0.1);
    }
    drawEvents(pen, timeline, namedEvents(context), context.size.kind !== "narrow");
    drawSupervision(pen, timeline, supervision, cursor.step);
    if (rows.includes("transition")) {
      const [series, trajectory] = shownTrajectory(payload, store.state);
      const counts = Array.from({ length: payload.steps }, (_, step) => changedCells(series, trajectory, step).length);
      drawTransitions(pen, timeline, counts, { step: cursor.step, last: store.last, end: series.steps });
    }
    lowCells = rows.includes("low") ? drawLowSteps(pen, timeline, payload.lead.low_steps, cursor) : [];
  }

  return { element: canvas, draw };
}

/** @param {Context} context @returns {import("../registry.js").Part} */
export function createRuler(context) {
  const { payload, store, actions } = context;
  const canvas = createCanvas(context);
  const names = make("div", { class: "names", "aria-hidden": "true" });
  const slider = {
    class: "ruler",
    tabindex: "0",
    role: "slider",
    "aria-label": payload.levels[0],
    "aria-valuemin": "0",
    "aria-valuemax": String(payload.steps - 1),
    "data-part": "ruler",
  };
  const element = make("div", slider, names, canvas.element);

  function updateNames() {
    const labels = rowNames(context);
    const { top } = timelineOf(context);
    const spans = rowsOf(context).map((row) => {
      const span = make("span", { title: labels[row] }, labels[row]);
      span.style.top = `${top(row) + 1}px`;
      return span;
    });
    names.replaceChildren(...spans);
  }

  return {
    name: "ruler",
    reads: ["layout", "theme", "cursor", "focus", "pinned", "board", "range", "hidden", "limit"],
    element,
    key: (event, place) =>
      place === "ruler" && event.key === "Enter" && !withCommand(event) && !event.altKey ? actions.mark : null,
    update(changed) {
      if (changed.has("layout")) updateNames();
      canvas.draw();
      setAttribute(element, "aria-valuenow", store.state.cursor.step);
      setAttribute(element, "aria-valuetext", spokenTime(context));
    },
  };
}
