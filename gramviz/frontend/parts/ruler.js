// The ruler: events, supervision steps, transitions (how many cells changed) and low-level steps, on one time axis.

import { changedCells } from "../cells.js";
import { make, setAttribute } from "../dom.js";
import { fontOf, mark, roundRect, surface } from "../draw.js";
import { runOf, shownPath } from "../groups.js";
import { scrubbing } from "../scrub.js";
import { address, events, hasTransitions, tickName } from "../steps.js";
import { words } from "../words.js";

const ROWS = { events: 18, supervision: 24, transition: 22, low: 21 };
const KINDS = ["part", "correct", "halt"]; // priority of labels that would overlap
const EVENT_SHAPES = { part: "triangle", correct: "diamond", halt: "square" };

export function createRuler(app) {
  const { payload, store } = app;
  const canvas = make("canvas", { "aria-hidden": "true" });
  const names = make("div", { class: "names", "aria-hidden": "true" });
  const el = make(
    "div",
    {
      class: "ruler",
      tabindex: "0",
      role: "slider",
      "aria-label": payload.levels[0],
      "aria-valuemin": "0",
      "aria-valuemax": String(payload.steps - 1),
      "data-part": "ruler",
    },
    names,
    canvas,
  );
  const ticks = payload.lead.low_steps ?? 0;
  let lowCells = []; // [{x, width, low}] of the low-level row, for clicks

  const rows = () => [
    "events",
    "supervision",
    ...(hasTransitions(payload) || payload.runs.some((run) => run.curves.changed) ? ["transition"] : []),
    ...(ticks && app.size.kind !== "narrow" && !store.transient.presenter ? ["low"] : []),
  ];
  const top = (row) =>
    rows()
      .slice(0, rows().indexOf(row))
      .reduce((sum, name) => sum + ROWS[name], 0);
  const x = (step) => (payload.steps > 1 ? (step / (payload.steps - 1)) * app.size.plot : 0);

  // A press on a low-level cell chooses it; anywhere else it scrubs. Capturing, so that it comes before the scrub.
  canvas.addEventListener(
    "pointerdown",
    (event) => {
      const box = canvas.getBoundingClientRect();
      const cell =
        event.clientY - box.top >= top("low") &&
        rows().includes("low") &&
        lowCells.find(
          ({ x: left, width }) => event.clientX - box.left >= left && event.clientX - box.left < left + width,
        );
      if (!cell) return;
      event.stopImmediatePropagation();
      store.set({ cursor: { step: store.state.cursor.step, low: cell.low } });
    },
    { capture: true },
  );
  scrubbing(canvas, app, () => canvas.getBoundingClientRect());

  function drawSupervision(pen) {
    const { theme } = app;
    const y = top("supervision");
    const { step } = store.state.cursor;
    const every = Math.ceil(app.blocks.length / Math.max(1, app.size.plot / 22)); // numbers thin out before they touch
    app.blocks.forEach(({ name, from, to }, index) => {
      const current = step > from && step <= to;
      roundRect(pen, x(from) + 1.5, y + 3, Math.max(1, x(to) - x(from) - 3), ROWS.supervision - 7, 3);
      pen.fillStyle = current ? theme.ink : theme.given;
      pen.fill();
      if (index % every && !current) return;
      pen.fillStyle = current ? theme.bg : theme.text2;
      pen.font = `${current ? 700 : 400} 11px ${fontOf(app.root)}`;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      if (x(to) - x(from) > 12 || !(index % every)) pen.fillText(String(name), (x(from) + x(to)) / 2, y + 12);
    });
  }

  function drawTransitions(pen) {
    const { theme } = app;
    const [run, path] = shownPath(payload, store.state);
    const y = top("transition") + ROWS.transition - 3;
    const counts = Array.from({ length: payload.steps }, (_, step) => changedCells(run, path, step).length);
    const most = Math.max(1, ...counts);
    for (let step = 1; step <= store.last; step += 1) {
      const height = counts[step] ? 2 + Math.sqrt(counts[step] / most) * (ROWS.transition - 7) : 1;
      pen.fillStyle = step === store.state.cursor.step ? theme.ink : theme.edge;
      pen.globalAlpha = step >= run.steps ? 0.3 : step === store.state.cursor.step ? 1 : 0.75;
      const width = x(step) - x(step - 1);
      pen.fillRect(
        x(step - 1) + Math.min(1.5, width * 0.15),
        y - height,
        Math.max(1, width - Math.min(3, width * 0.3)),
        height,
      );
    }
    pen.globalAlpha = 1;
  }

  function drawLow(pen) {
    const { theme } = app;
    const { step, low } = store.state.cursor;
    lowCells = [];
    if (step < 1) return;
    const width = Math.min(30, app.size.plot / (ticks + 1));
    const whole = width * (ticks + 1);
    const left = Math.min(app.size.plot - whole, Math.max(0, (x(step - 1) + x(step)) / 2 - whole / 2));
    const y = top("low");
    for (let k = 1; k <= ticks + 1; k += 1) {
      const at = k > ticks ? null : k;
      const current = at === low;
      const cell = { x: left + (k - 1) * width, width, low: at };
      lowCells.push(cell);
      roundRect(pen, cell.x + 1.5, y + 2, width - 3, ROWS.low - 5, 3);
      pen.fillStyle = current ? theme.ink : theme.bg;
      pen.fill();
      pen.lineWidth = 1;
      pen.strokeStyle = current ? theme.ink : theme.edge;
      pen.stroke();
      pen.fillStyle = current ? theme.bg : theme.text2;
      pen.font = `${current ? 700 : 400} 11px ${fontOf(app.root)}`;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      pen.fillText(at === null ? "h" : width >= 22 ? `l ${at}` : String(at), cell.x + width / 2, y + 10);
    }
  }

  function label(event) {
    const [first, second] = event.paths.map(([letter, path]) => words.pathName(runOf(payload, letter), path));
    return {
      part: () => words.time.part(first, second),
      correct: () => words.time.correct(first),
      halt: () => words.time.halts(first),
    }[event.kind]();
  }

  function drawEvents(pen) {
    const { theme } = app;
    const past = events(payload, store.state).filter((event) => !store.veiled || event.step <= store.last);
    const found = past.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
    pen.font = `11px ${fontOf(app.root)}`;
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    const marks = [];
    for (const event of found) {
      let at = Math.min(app.size.plot - 6, Math.max(6, x(event.step)));
      while (marks.some((other) => Math.abs(other - at) < 11)) at += at > app.size.plot - 20 ? -11 : 11; // events of one step stand side by side
      marks.push(at);
    }
    const taken = marks.map((at) => [at - 7, at + 7]);
    for (const [index, event] of found.entries()) {
      const at = marks[index];
      drawSymbol(pen, EVENT_SHAPES[event.kind], at, 9, theme.ink);
      const text = label(event);
      const width = pen.measureText(text).width + 4;
      // To the right of the mark, else to its left, else the mark stands alone.
      const spot = [
        [at + 9, at + 9 + width],
        [at - 9 - width, at - 9],
      ].find(
        ([from, to]) =>
          from >= 0 && to <= app.size.plot && !taken.some(([a, b]) => from < b && to > a && (a + b) / 2 !== at),
      );
      if (!spot || app.size.kind === "narrow") continue;
      taken.push(spot);
      pen.fillStyle = theme.bg; // the playhead passes behind
      pen.fillRect(spot[0] - 2, 1, width, ROWS.events - 2);
      pen.fillStyle = theme.text2;
      pen.fillText(text, spot[0], 9.5);
    }
  }

  function drawSymbol(pen, shape, at, y, color) {
    if (shape === "diamond") return mark(pen, "diamond", at, y, 4, color);
    pen.fillStyle = color;
    pen.beginPath();
    if (shape === "square") pen.rect(at - 4, y - 4, 8, 8);
    else {
      pen.moveTo(at, y - 4.5);
      pen.lineTo(at + 5, y + 4);
      pen.lineTo(at - 5, y + 4);
    }
    return pen.fill();
  }

  function updateNames() {
    const short = app.size.kind === "narrow";
    const labels = short
      ? words.time.short
      : {
          events: words.time.events,
          supervision: payload.levels[0],
          transition:
            hasTransitions(payload) && app.size.kind === "wide"
              ? words.time.changed(payload.levels[1])
              : words.curves.changed[0],
          low: payload.levels[2],
        };
    names.replaceChildren(
      ...rows().map((row) => {
        const span = make("span", { title: labels[row] }, labels[row]);
        span.style.top = `${top(row) + 3}px`;
        return span;
      }),
    );
  }

  function updateSpoken() {
    const { cursor } = store.state;
    const [run, path] = shownPath(payload, store.state);
    const place = words.time.of(tickName(payload), cursor.step, payload.steps - 1);
    const conflicts = run.curves.conflicts ? run.curve("conflicts", path, cursor.step) : null;
    setAttribute(el, "aria-valuenow", cursor.step);
    setAttribute(
      el,
      "aria-valuetext",
      words.time.spoken(
        words.time.step(address(payload, cursor.step, cursor.low)),
        place,
        changedCells(run, path, cursor.step).length,
        conflicts,
        payload.board.ruled,
      ),
    );
  }

  return {
    el,
    update(keys) {
      if (!["layout", "theme", "cursor", "focus", "pinned", "board", "range", "hidden"].some((name) => keys.has(name)))
        return;
      if (keys.has("layout")) updateNames();
      const height = rows().reduce((sum, row) => sum + ROWS[row], 0);
      const pen = surface(canvas, app.size.plot, height);
      const { range } = store.state;
      if (range) {
        pen.fillStyle = app.theme.ink;
        pen.globalAlpha = 0.1;
        pen.fillRect(x(range[0]), 0, x(range[1]) - x(range[0]), height);
        pen.globalAlpha = 1;
      }
      drawEvents(pen);
      drawSupervision(pen);
      if (rows().includes("transition")) drawTransitions(pen);
      if (rows().includes("low")) drawLow(pen);
      updateSpoken();
    },
  };
}
