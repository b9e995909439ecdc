// The tabs of a narrow cell: one panel is open, and every panel stands in its tab as a small picture that still moves.

import { boardView } from "./board.js";
import { make, selectTabs, setText } from "../dom.js";
import { surface } from "../draw.js";
import { sceneOf } from "./map.js";
import { paintBoard } from "../paint.js";
import { drawBase } from "../ground.js";
import { drawTop } from "../heads.js";
import { drawPast } from "../paths.js";
import { places } from "../place.js";
import { planesOf, project } from "../planes.js";
import { words } from "../words.js";

const THUMB = 64;

export function createThumbs(app, panels) {
  const { payload, store } = app;
  const canvases = { board: make("canvas", { "aria-hidden": "true" }), map: make("canvas", { "aria-hidden": "true" }) };
  const tally = make("b", { class: "tallied" });
  const titles = { board: words.board.title, map: words.map.title, answers: words.answers.title };
  const tabs = Object.keys(titles).map((name) =>
    make(
      "button",
      { role: "tab", "data-panel": name, onclick: () => store.set({ panel: name }) },
      make("span", {}, titles[name]),
      canvases[name] ?? tally,
    ),
  );
  const el = make("div", { class: "tabs", role: "tablist" }, tabs);

  function drawMap() {
    const { state } = store;
    const planes = project(planesOf(payload, state.basis).slice(0, 1), { ...state, camera: null }, THUMB, THUMB + 18); // 18: no axis below
    const scene = { ...sceneOf(app), halo: false, lasso: null, small: true };
    const pen = surface(canvases.map, THUMB, THUMB);
    for (const draw of [drawBase, drawPast, drawTop]) draw(pen, planes, scene);
  }

  return {
    el,
    update(keys) {
      const { state } = store;
      for (const [name, panel] of Object.entries(panels)) panel.el.classList.toggle("open", state.panel === name);
      if (app.size.kind !== "narrow") return;
      selectTabs(tabs, tabs.find((tab) => tab.dataset.panel === state.panel));
      if (keys.size === 1 && keys.has("fraction")) return;
      const sum = (name) => payload.runs.reduce((all, run) => all + run[name], 0);
      setText(tally, payload.runs.some((run) => run.valid) ? `${sum("right")}/${sum("n")}` : String(sum("n")));
      paintBoard(
        surface(canvases.board, THUMB, THUMB),
        places(payload.board, THUMB - 2),
        boardView(payload, state, store.transient, true),
        app.theme,
        "sans-serif",
      );
      drawMap();
    },
  };
}
