// The curves under the panels: one lane per measure, all on the ruler's time axis.

import { band, extent } from "../bands.js";
import { make, neighbor, rove, setAttribute, setText } from "../dom.js";
import { fontOf, surface } from "../draw.js";
import { colorGroups, emphasis, HIDDEN, PLAIN, runOf, shownPath } from "../groups.js";
import { changeSelection } from "./map.js";
import { scrubbing } from "../scrub.js";
import { tickName } from "../steps.js";
import { number } from "../text.js";
import { words } from "../words.js";

const FEW = 5; // a band of fewer paths would pretend to a distribution: they are drawn one by one
const LINE_REACH = 9; // px within which the pointer finds a line
const PAD = 4;

export function createLanes(app) {
  const { payload, store } = app;
  const el = make("div", { class: "lanes", role: "group", "aria-label": words.view.curves });
  const lanes = new Map();
  let hovered = null;
  let names = []; // of the lanes that are shown, from above
  let current = null; // the lane whose name Tab comes to

  /** The path whose number stands in the gutter for a run: the shown one, else the one that stands for the run. */
  const told = (run) => shownPath(payload, { ...store.state, board: run.letter });

  function createLane(name) {
    const [title, unit] = words.curve(name, payload.board.ruled, tickName(payload).toLowerCase());
    const canvas = make("canvas", { role: "img", "aria-label": title, "data-lane": name });
    const values = make("span", { class: "values" });
    const handle = make("button", { class: "name", "data-part": `lane-${name}`, title: words.lane, "aria-expanded": "false" }, title);
    const root = make(
      "div",
      { class: "lane" },
      make(
        "div",
        { class: "gutter" },
        make("div", {}, handle, make("span", { class: "unit" }, unit)),
        values,
      ),
      canvas,
    );
    const lane = {
      name,
      title,
      root,
      canvas,
      values,
      handle,
      tall: false,
      range: extent(payload, name),
      size: { width: 10, height: 10 },
    };
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    scrubbing(canvas, app, () => canvas.getBoundingClientRect(), {
      start: (event) => ({ from: at(event), to: at(event) }),
      move(drag, event) {
        drag.to = at(event);
        store.poke({ drag: { kind: "box", lane: name, ...drag } });
      },
      end(drag, event) {
        selectThrough(lane, drag, event);
        store.poke({ drag: null });
      },
    });
    canvas.addEventListener("pointermove", (event) => {
      if (store.transient.down || event.pointerType === "touch") return;
      hovered = { lane: name, x: at(event)[0] };
      const found = nearestLine(lane, ...at(event));
      store.poke({
        hover: { part: "lane", lane: name, x: Math.round(at(event)[0]), ...(found ? { path: found } : {}) },
      });
    });
    canvas.addEventListener("pointerleave", () => {
      hovered = null;
      store.poke({ hover: null });
    });
    canvas.addEventListener("dblclick", () => stretch(lane, !lane.tall));
    handle.addEventListener("focus", () => {
      current = name;
      rove(handles(), handle);
    });
    draggable(lane);
    return lane;
  }

  const handles = () => names.map((name) => lanes.get(name).handle);

  /** Puts a lane between others, `to` places from above. */
  function place(name, to) {
    const order = names.filter((other) => other !== name);
    order.splice(to, 0, name);
    if (String(order) !== String(names))
      store.set({ lanes: [...order, ...store.state.lanes.filter((other) => !order.includes(other))] });
  }

  /** A lane is dragged by its name; a press that moves nothing makes it high or low. */
  function draggable(lane) {
    const { name, handle } = lane;
    let moved = false;
    handle.addEventListener("click", () => {
      if (!moved) stretch(lane, !lane.tall);
    });
    handle.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      store.poke({ down: true });
      const middle = (other) => {
        const { top, height } = lanes.get(other).root.getBoundingClientRect();
        return top + height / 2;
      };
      const held = event.clientY - middle(name);
      // Heard on the window: an element that changes its place loses the pointer.
      const end = new AbortController();
      const heard = { signal: end.signal };
      addEventListener(
        "pointermove",
        ({ clientY }) => {
          const above = names.filter((other) => other !== name && middle(other) < clientY - held);
          if (above.length !== names.indexOf(name)) moved = true;
          place(name, above.length);
        },
        heard,
      );
      const release = () => {
        end.abort();
        store.poke({ down: false });
        setTimeout(() => (moved = false)); // after the click that ends a drag
      };
      addEventListener("pointerup", release, heard);
      addEventListener("pointercancel", release, heard);
    });
  }

  function stretch(lane, tall) {
    lane.tall = tall;
    lane.root.classList.toggle("tall", tall);
    setAttribute(lane.handle, "aria-expanded", tall);
    app.relayout();
  }

  const x = (lane, step) => (payload.steps > 1 ? (step / (payload.steps - 1)) * lane.size.width : lane.size.width / 2);
  const y = (lane, value) =>
    lane.size.height - PAD - ((value - lane.range[0]) / (lane.range[1] - lane.range[0])) * (lane.size.height - 2 * PAD);
  const shownPaths = () =>
    payload.runs
      .filter((run) => !store.state.hidden.includes(run.letter))
      .flatMap((run) => Array.from({ length: run.n }, (_, path) => [run, path]));

  function nearestLine(lane, px, py) {
    const step = Math.round((px / lane.size.width) * (payload.steps - 1));
    let best = null;
    let least = LINE_REACH;
    for (const [run, path] of shownPaths()) {
      const value = run.curve(lane.name, path, step);
      const away = Math.abs(y(lane, value) - py);
      if (away < least) [best, least] = [[run.letter, path], away];
    }
    return best;
  }

  /** Shift+drag of a box: the paths whose line passes through it. */
  function selectThrough(lane, { from, to }, event) {
    const [left, right] = [from[0], to[0]].sort((a, b) => a - b);
    const [high, low] = [from[1], to[1]].sort((a, b) => a - b);
    if (right - left < 3 || low - high < 3) return;
    const found = [];
    const passes = (run, path) => {
      for (let step = 0; step < payload.steps; step += 1) {
        const value = y(lane, run.curve(lane.name, path, step));
        if (x(lane, step) >= left && x(lane, step) <= right && value >= high && value <= low) return true;
      }
      return false;
    };
    for (const [run, path] of shownPaths()) if (passes(run, path)) found.push([run.letter, path]);
    const unit = (px) => px / lane.size.width;
    const value = (py) =>
      lane.range[0] + ((lane.size.height - PAD - py) / (lane.size.height - 2 * PAD)) * (lane.range[1] - lane.range[0]);
    store.set({
      selected: changeSelection(store.state.selected, found, {
        add: event.ctrlKey || event.metaKey,
        remove: event.altKey,
      }),
      brush: { kind: "box", lane: lane.name, x: [unit(left), unit(right)], y: [value(low), value(high)] },
      board: found.length > 1 ? "all" : store.state.board,
    });
  }

  function polyline(pen, lane, valueAt) {
    pen.beginPath();
    let open = false;
    for (let step = 0; step < payload.steps; step += 1) {
      const value = valueAt(step);
      if (!Number.isFinite(value))
        open = false; // a missing value breaks the line
      else if (open) pen.lineTo(x(lane, step), y(lane, value));
      else {
        pen.moveTo(x(lane, step), y(lane, value));
        open = true;
      }
    }
    pen.stroke();
  }

  function drawLane(lane, colors, level) {
    const { theme } = app;
    const { width, height } = lane.size;
    const pen = surface(lane.canvas, width, height);
    pen.fillStyle = theme.sunk;
    pen.fillRect(0, 0, width, height);
    pen.strokeStyle = theme.line;
    pen.lineWidth = 1;
    pen.beginPath();
    for (const { to } of app.blocks.slice(0, -1)) {
      if (app.blocks.length > 60) break;
      pen.moveTo(Math.round(x(lane, to)) + 0.5, 0);
      pen.lineTo(Math.round(x(lane, to)) + 0.5, height);
    }
    pen.stroke();
    const members = new Map();
    const seen = new Set([store.state.pinned, store.state.focus].filter(Boolean).map(String));
    for (const [run, path] of shownPaths()) {
      if (level[run.letter][path] !== PLAIN || !run.curves[lane.name]) continue;
      if (run.n === 1 && seen.has(String([run.letter, path]))) continue; // drawn on its own, below
      const group = colors.of[run.letter][path];
      if (!members.has(group)) members.set(group, []);
      members.get(group).push([run, path]);
    }
    for (const [group, paths] of members) {
      const { color, dash } = colors.groups[group];
      pen.strokeStyle = pen.fillStyle = theme.pick(color);
      pen.setLineDash(dash);
      if (paths.length < FEW) {
        pen.lineWidth = 1.3;
        for (const [run, path] of paths) polyline(pen, lane, (step) => run.curve(lane.name, path, step));
        continue;
      }
      const lines = band(paths, lane.name, payload.steps);
      fillBand(pen, lane, lines);
      pen.lineWidth = 1.6;
      polyline(pen, lane, (step) => lines.median[step]);
    }
    pen.setLineDash([]);
    const single = (who, color, thick) => {
      const run = who && runOf(payload, who[0]);
      if (!run?.curves[lane.name] || level[run.letter][who[1]] === HIDDEN) return;
      pen.lineWidth = thick + 2;
      pen.strokeStyle = theme.sunk;
      polyline(pen, lane, (step) => run.curve(lane.name, who[1], step));
      pen.lineWidth = thick;
      pen.strokeStyle = color;
      polyline(pen, lane, (step) => run.curve(lane.name, who[1], step));
    };
    const { focus, pinned } = store.state;
    const { hover } = store.transient;
    single(pinned, theme.ink, 2);
    if (String(focus) !== String(pinned))
      single(focus, theme.pick(colors.groups[colors.of[focus[0]][focus[1]]].color), 2);
    if (hover?.path) single(hover.path, theme.text2, 1.5);
    if (hover?.part === "board" && lane.name === "certainty") drawCellCurve(pen, lane, hover.cell);
    drawHoverNotes(pen, lane);
  }

  function fillBand(pen, lane, { low, high }) {
    pen.globalAlpha = 0.18;
    pen.beginPath();
    const steps = Array.from({ length: payload.steps }, (_, step) => step).filter((step) => Number.isFinite(low[step]));
    steps.forEach((step, k) =>
      k ? pen.lineTo(x(lane, step), y(lane, high[step])) : pen.moveTo(x(lane, step), y(lane, high[step])),
    );
    for (const step of steps.reverse()) pen.lineTo(x(lane, step), y(lane, low[step]));
    pen.fill();
    pen.globalAlpha = 1;
  }

  /** Pointing at a cell adds its own certainty, thin, to the lane of certainty. */
  function drawCellCurve(pen, lane, cell) {
    const [run, path] = shownPath(payload, store.state);
    if (!run.certainty) return;
    pen.strokeStyle = app.theme.ink;
    pen.lineWidth = 1;
    polyline(pen, lane, (step) => run.certainty(path, step, cell));
  }

  function drawHoverNotes(pen, lane) {
    const { drag } = store.transient;
    const { theme } = app;
    if (drag?.kind === "box" && drag.lane === lane.name) {
      pen.strokeStyle = theme.ink;
      pen.setLineDash([4, 3]);
      pen.lineWidth = 1.2;
      pen.strokeRect(
        Math.min(drag.from[0], drag.to[0]),
        Math.min(drag.from[1], drag.to[1]),
        Math.abs(drag.to[0] - drag.from[0]),
        Math.abs(drag.to[1] - drag.from[1]),
      );
      pen.setLineDash([]);
    }
    if (hovered?.lane !== lane.name || !store.transient.hover) return;
    pen.fillStyle = theme.text3;
    pen.font = `11px ${fontOf(app.root)}`;
    pen.textAlign = "right";
    pen.textBaseline = "top";
    pen.fillText(number(lane.range[1]), lane.size.width - 3, 2);
    pen.textBaseline = "bottom";
    pen.fillText(number(lane.range[0]), lane.size.width - 3, lane.size.height - 1);
    const step = Math.round((hovered.x / lane.size.width) * (payload.steps - 1));
    pen.strokeStyle = theme.text3;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x(lane, step), 0);
    pen.lineTo(x(lane, step), lane.size.height);
    pen.stroke();
    const who = store.transient.hover.path;
    if (!who) return;
    const run = runOf(payload, who[0]);
    const value = run.curve(lane.name, who[1], step);
    const left = x(lane, step) > lane.size.width * 0.8;
    pen.textAlign = left ? "right" : "left";
    pen.textBaseline = "middle";
    pen.fillStyle = theme.ink;
    pen.font = `600 11px ${fontOf(app.root)}`;
    pen.fillText(
      `${words.pathName(run, who[1])}  ${number(value)}`,
      x(lane, step) + (left ? -6 : 6),
      Math.min(lane.size.height - 8, Math.max(8, y(lane, value) - 9)),
    );
  }

  function updateValues(lane) {
    const { cursor } = store.state;
    const pairs = payload.runs
      .filter((run) => run.curves[lane.name])
      .map((run) => [run, run.curve(lane.name, told(run)[1], cursor.step)]);
    if (lane.values.childElementCount !== 2 * pairs.length)
      lane.values.replaceChildren(...pairs.flatMap(() => [make("span"), make("b")]));
    pairs.forEach(([run, value], k) => {
      setText(lane.values.children[2 * k], run.letter);
      setText(lane.values.children[2 * k + 1], number(value));
    });
    const said = pairs.map(([run, value]) => `${words.pathName(...told(run))} ${number(value)}`).join(", ");
    setAttribute(lane.canvas, "aria-label", `${lane.title}: ${said}`);
  }

  return {
    el,
    /** Whether every lane is high; `stretch(true)` makes them so, as a double click does with one. */
    tall: () => [...lanes.values()].every((lane) => lane.tall),
    stretch(tall) {
      for (const lane of lanes.values()) stretch(lane, tall);
    },
    /** To the name of another lane. */
    go(key) {
      neighbor(handles(), lanes.get(current).handle, key).focus();
    },
    /** What moves the lane whose name has the focus up or down; null where none has it. */
    shift(by) {
      const has = app.root.getRootNode().activeElement;
      const at = names.findIndex((name) => lanes.get(name).handle === has);
      return at < 0 ? null : () => place(names[at], Math.max(0, at + by));
    },
    update(keys) {
      const has = (...names) => names.some((name) => keys.has(name));
      const { state } = store;
      // A narrow cell opens with two lanes; whoever asked for others gets them.
      const wanted =
        app.size.kind === "wide" || String(state.lanes) !== String(store.start.lanes)
          ? state.lanes
          : state.lanes.slice(0, 2);
      names = wanted.filter((name) => payload.runs.some((run) => run.curves[name]));
      if (has("lanes", "layout")) {
        for (const name of names) if (!lanes.has(name)) lanes.set(name, createLane(name));
        const focused = app.root.getRootNode().activeElement;
        const roots = names.map((name) => lanes.get(name).root);
        if (roots.length !== el.childElementCount || roots.some((root, k) => root !== el.children[k])) {
          el.replaceChildren(...roots);
          if (el.contains(focused)) focused.focus({ preventScroll: true }); // what changes its place loses the focus
        }
        rove(handles(), names.includes(current) ? lanes.get(current).handle : undefined);
        // One read of the layout for all lanes, before anything is drawn.
        const width = app.size.plot;
        for (const name of names)
          lanes.get(name).size = { width, height: (lanes.get(name).tall ? 3 : 1) * app.size.lane - 6 };
      }
      const redraw =
        has("layout", "lanes", "theme", "color_by", "focus", "pinned", "selected", "hidden", "hover", "drag") ||
        (has("cursor", "cells") && !["outcome", "answer", "run"].includes(state.color_by));
      if (redraw) {
        const colors = colorGroups(payload, state);
        // Pointing adds its own line and takes nothing away: the groups are what it is compared with.
        const level = emphasis(payload, state, null);
        for (const name of names) drawLane(lanes.get(name), colors, level);
      }
      if (redraw || has("cursor", "board")) for (const name of names) updateValues(lanes.get(name));
    },
  };
}
