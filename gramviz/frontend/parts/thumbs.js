// The tabs of a narrow cell: one panel is open, and every panel stands in its tab as a small picture that still moves.

import { VIEW_READS, boardView } from "../board.js";
import { make, selectTabs, setText } from "../dom.js";
import { surface } from "../draw.js";
import { paintBoard } from "../paint.js";
import { drawBase } from "../ground.js";
import { drawTop } from "../heads.js";
import { drawPast } from "../past.js";
import { panelsOf } from "../layout.js";
import { places } from "../place.js";
import { mapOf } from "../planes.js";
import { sceneOf } from "../scene.js";
import { words } from "../words.js";

const THUMB = 40;
const AXIS = 18; // px below a plane, which the small picture leaves out

/** @type {import("../registry.js").Key[]} */
const THUMBS_READS = [...VIEW_READS, "color_by", "basis", "dims", "turn"];

/** @param {import("../registry.js").Context} context @returns {import("../registry.js").Part} */
export function createThumbs(context) {
  const { payload, store } = context;
  const board = make("canvas", { "aria-hidden": "true" });
  const map = make("canvas", { "aria-hidden": "true" });
  const tally = make("b", { class: "tallied" });
  const panels = /** @type {[string, string, HTMLElement][]} */ ([
    ["board", words.board.title, board],
    ["map", words.map.title, map],
    ["answers", words.answers.title, tally],
  ]);
  const shown = panels.filter(([name]) => /** @type {string[]} */ (panelsOf(payload)).includes(name));
  const tabs = shown.map(([name, title, picture]) =>
    make(
      "button",
      { role: "tab", "data-panel": name, onclick: () => store.set({ panel: name, sheet: null }) },
      make("span", {}, title),
      picture,
    ),
  );

  function drawBoard() {
    const view = boardView(payload, store.state, store.transient, true);
    paintBoard(surface(board, THUMB, THUMB), places(payload.board, THUMB - 2), view, context.theme, "sans-serif");
  }

  function drawMap() {
    const { state } = store;
    const planes = mapOf(payload, { ...state, camera: null }, THUMB, THUMB + AXIS, store.veiled).slice(0, 1);
    const scene = { ...sceneOf(context), halo: false, lasso: null, small: true };
    const pen = surface(map, THUMB, THUMB);
    for (const draw of [drawBase, drawPast, drawTop]) draw(pen, planes, scene);
  }

  return {
    name: "thumbs",
    reads: THUMBS_READS,
    element: make("div", { class: "tabs", role: "tablist" }, tabs),
    update() {
      if (context.size.kind !== "narrow") return;
      selectTabs(
        tabs,
        tabs.find((tab) => tab.dataset.panel === store.state.panel),
      );
      const sum = (/** @type {"right" | "n"} */ name) =>
        payload.series.reduce((all, series) => all + (series[name] ?? 0), 0);
      setText(tally, payload.series.some((series) => series.valid) ? `${sum("right")}/${sum("n")}` : String(sum("n")));
      drawBoard();
      drawMap();
    },
  };
}
