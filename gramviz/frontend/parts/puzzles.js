// The browser of puzzles: what each asks, how often it is solved, and which ones one model fails and another does not.

import { make } from "../dom.js";
import { createGallery } from "../gallery.js";
import { failures, puzzleLines, puzzleOrders, puzzleView, sortedPuzzles } from "../puzzles.js";
import { words } from "../words.js";

/** @param {import("../registry.js").Context} context @returns {import("../registry.js").Part} */
export function createPuzzles(context) {
  const { payload, store, actions } = context;
  const { list } = payload;
  const gallery = createGallery(context, {
    name: "puzzles",
    title: words.puzzles.title,
    by: "puzzles_by",
    orders: list ? puzzleOrders(list) : [],
    view: (key) => puzzleView(payload, Number(key)),
    choose(key) {
      if (!actions.refusalOf(Number(key))) store.set({ sheet: null });
      actions.open(Number(key));
    },
  });

  function show() {
    if (!list) return { tiles: [], note: "" };
    const { puzzles_by: by } = store.state;
    const tiles = sortedPuzzles(list, by).map((at) => {
      const why = actions.refusalOf(at);
      const [name, lines] = [words.puzzles.name(list.index?.[at], at), puzzleLines(list, at)];
      const classes = { focus: at === payload.puzzle, gray: Boolean(why) };
      return { key: String(at), lines: [[make("b", {}, name)], ...lines.map((line) => [line])], why, classes };
    });
    const note = failures(list, by) ?? words.puzzles.count(tiles.length);
    const why = tiles.find((tile) => tile.why)?.why;
    return { tiles, note: why ? `${note}. ${why}` : note };
  }

  return {
    name: "puzzles",
    reads: ["layout", "theme", "sheet", "edit", "puzzles_by", "asking"],
    element: gallery.element,
    key: gallery.key,
    update: (changed) => gallery.update(changed, show),
  };
}
