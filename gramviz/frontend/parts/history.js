// The history of the chosen cell, on the lanes' time axis: how the paths divide over tokens, and how sure the shown one is.

import { cellName, placeName, tokenLabel } from "../cells.js";
import { make, setAttribute, setText } from "../dom.js";
import { fontOf, surface } from "../draw.js";
import { crowd, shownPath } from "../groups.js";
import { percent } from "../text.js";
import { words } from "../words.js";

const HEIGHT = 64; // px
const BANDS = 5; // tokens with a band of their own; the rest share one
const ALPHAS = [0.5, 0.34, 0.24, 0.17, 0.11, 0.06]; // the more frequent a token, the darker its band: no color is used twice

/** Shares of tokens in one cell over paths [[run, path], ...]: {order: [token], share(token, step)}; -1 is "all others". */
export function cellShares(payload, paths, cell) {
  const kinds = payload.board.tokens.length;
  const counts = new Uint16Array(payload.steps * kinds);
  for (const [run, path] of paths)
    for (let step = 0; step < payload.steps; step += 1) counts[step * kinds + run.tokens(path, step)[cell]] += 1;
  const totals = Array.from({ length: kinds }, (_, token) => {
    let sum = 0;
    for (let step = 0; step < payload.steps; step += 1) sum += counts[step * kinds + token];
    return [token, sum];
  });
  const present = totals
    .filter(([, sum]) => sum)
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .map(([token]) => token);
  const own = present.slice(0, BANDS);
  const share = (token, step) =>
    (token < 0
      ? present.slice(BANDS).reduce((sum, other) => sum + counts[step * kinds + other], 0)
      : counts[step * kinds + token]) / paths.length;
  return { order: present.length > BANDS ? [...own, -1] : own, share };
}

export function createHistory(app) {
  const { payload, store } = app;
  const title = make("b");
  const values = make("span", { class: "values" });
  const canvas = make("canvas", { role: "img", "data-part": "history" });
  const el = make(
    "div",
    { class: "lane history", hidden: true },
    make("div", { class: "gutter" }, make("div", {}, title, make("span", { class: "unit" }, words.history.unit)), values),
    canvas,
  );
  let found = null;

  const name = (token) => (token < 0 ? words.history.others : tokenLabel(payload.board, token));
  const x = (step) => (payload.steps > 1 ? (step / (payload.steps - 1)) * app.size.plot : app.size.plot / 2);

  function draw(cell) {
    const pen = surface(canvas, app.size.plot, HEIGHT - 6);
    const { theme } = app;
    const height = HEIGHT - 6;
    const steps = Array.from({ length: store.last + 1 }, (_, step) => step);
    pen.fillStyle = theme.sunk;
    pen.fillRect(0, 0, app.size.plot, height);
    const below = new Float32Array(payload.steps); // shares stacked so far, from the bottom
    pen.font = `600 11px ${fontOf(app.root)}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const labels = [];
    found.order.forEach((token, rank) => {
      const top = steps.map((step) => below[step] + found.share(token, step));
      pen.beginPath();
      steps.forEach((step) => pen[step ? "lineTo" : "moveTo"](x(step), height * (1 - below[step])));
      for (const step of [...steps].reverse()) pen.lineTo(x(step), height * (1 - top[step]));
      pen.closePath();
      pen.fillStyle = theme.ink;
      pen.globalAlpha = ALPHAS[rank];
      pen.fill();
      pen.globalAlpha = 1;
      pen.lineWidth = 1;
      pen.strokeStyle = theme.bg;
      pen.stroke();
      // Its name stands where the band is widest, if it fits there.
      const widest = steps.reduce((best, step) => (top[step] - below[step] > top[best] - below[best] ? step : best), 0);
      if ((top[widest] - below[widest]) * height > 13)
        labels.push([name(token), x(widest), height * (1 - (top[widest] + below[widest]) / 2), rank]);
      steps.forEach((step) => (below[step] = top[step]));
    });
    for (const [text, at, y, rank] of labels) {
      const half = pen.measureText(text).width / 2 + 4;
      pen.fillStyle = rank ? theme.ink : theme.mode === "light" ? theme.ink : theme.bg;
      pen.fillText(text, Math.min(app.size.plot - half, Math.max(half, at)), y);
    }
    const [run, path] = shownPath(payload, store.state);
    if (!run.certainty) return;
    pen.lineWidth = 1.6;
    pen.strokeStyle = theme.ink;
    pen.setLineDash([5, 3]);
    pen.beginPath();
    for (const step of steps)
      pen[step ? "lineTo" : "moveTo"](x(step), 2 + (height - 4) * (1 - run.certainty(path, step, cell)));
    pen.stroke();
    pen.setLineDash([]);
  }

  return {
    el,
    update(keys) {
      const { state } = store;
      const cell = state.cells.at(-1) ?? null;
      el.hidden = cell === null;
      if (cell === null) return;
      if (!["cells", "selected", "focus", "board", "cursor", "theme", "layout", "chapter"].some((key) => keys.has(key))) return;
      const paths = crowd(payload, state);
      if (!found || keys.has("cells") || keys.has("selected") || keys.has("focus") || keys.has("layout"))
        found = cellShares(payload, paths, cell);
      setText(title, words.history.title(cellName(payload.board, cell)));
      const now = found.order
        .map((token) => [name(token), found.share(token, Math.min(state.cursor.step, payload.steps - 1))])
        .filter(([, share]) => share > 0)
        .sort((a, b) => b[1] - a[1]);
      values.replaceChildren(
        ...now.slice(0, 2).flatMap(([label, share]) => [make("span", {}, label), make("b", {}, percent(share, 0))]),
      );
      setAttribute(
        canvas,
        "aria-label",
        words.history.spoken(
          placeName(payload.board, cell),
          paths.length,
          now.map(([label, share]) => `${label} ${percent(share, 0)}`),
        ),
      );
      // The picture does not depend on the cursor: the playhead alone moves over it.
      if (keys.size === 1 && keys.has("cursor")) return;
      draw(cell);
    },
  };
}
