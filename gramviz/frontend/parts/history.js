// The history of the chosen cell, on the lanes' time axis: its tokens, and how sure the shown trajectory is.

import { cellName, placeName, tokenLabel } from "../cells.js";
import { make, setAttribute, setText } from "../dom.js";
import { fontOf, surface } from "../draw.js";
import { crowd, shownTrajectory } from "../groups.js";
import { cellShares, drawShares } from "../shares.js";
import { percent } from "../text.js";
import { words } from "../words.js";

const HEIGHT = 28; // px

/** @param {import("../registry.js").Context} context @returns {import("../registry.js").Part} */
export function createHistory(context) {
  const { payload, store, root } = context;
  const { board, steps } = payload;
  const [title, values] = [make("b"), make("span", { class: "values" })];
  const canvas = make("canvas", { role: "img", "data-part": "history" });
  const unit = make("span", { class: "unit" }, words.history.unit);
  const gutter = make("div", { class: "gutter" }, make("div", {}, title, unit), values);
  const element = make("div", { class: "lane history", hidden: true }, gutter, canvas);
  /** @type {import("../shares.js").Shares | null} */
  let shares = null;
  const name = (/** @type {number} */ token) => (token < 0 ? words.history.others : tokenLabel(board, token));

  /** @param {import("../shares.js").Shares} found @param {number} cell */
  function draw(found, cell) {
    const width = context.size.plot;
    const [{ certainty }, trajectory] = shownTrajectory(payload, store.state);
    drawShares(surface(canvas, width, HEIGHT), found, {
      last: store.last,
      x: (step) => (steps > 1 ? (step / (steps - 1)) * width : width / 2),
      width,
      height: HEIGHT,
      theme: context.theme,
      font: fontOf(root),
      name,
      certainty: certainty ? (step) => certainty(trajectory, step, cell) : null,
    });
  }

  /** @param {import("../shares.js").Shares} found @param {number} cell @param {number} count of trajectories */
  function describe(found, cell, count) {
    const step = Math.min(store.state.cursor.step, steps - 1);
    const now = found.order
      .map((token) => /** @type {[string, number]} */ ([name(token), found.share(token, step)]))
      .filter(([, share]) => share > 0)
      .sort((a, b) => b[1] - a[1]);
    setText(title, words.history.title(cellName(board, cell)));
    values.replaceChildren(
      ...now.slice(0, 2).flatMap(([label, share]) => [make("span", {}, label), make("b", {}, percent(share, 0))]),
    );
    const parts = now.map(([label, share]) => `${label} ${percent(share, 0)}`);
    values.title = parts.join(", ");
    setAttribute(canvas, "aria-label", words.history.spoken(placeName(board, cell), count, parts));
  }

  return {
    name: "history",
    reads: ["layout", "theme", "cells", "selected", "focus", "board", "cursor", "limit"],
    element,
    update(changed) {
      const cell = store.state.cells.at(-1);
      element.hidden = cell === undefined;
      if (cell === undefined) return;
      const trajectories = crowd(payload, store.state);
      if (!shares || ["cells", "selected", "focus", "layout"].some((key) => changed.has(key)))
        shares = cellShares(payload, trajectories, cell);
      describe(shares, cell, trajectories.length);
      // The picture does not depend on the cursor: the playhead alone moves over it.
      if (changed.size > 1 || !changed.has("cursor")) draw(shares, cell);
    },
  };
}
