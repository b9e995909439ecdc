// The playhead: one line through lanes and ruler. It moves by transform alone, which repaints nothing.

import { make } from "../dom.js";
import { edgeOf } from "../layout.js";

/** @param {import("../registry.js").Context} context @returns {import("../registry.js").Part} */
export function createPlayhead(context) {
  const { payload, store } = context;
  const element = make("div", { class: "playhead", "aria-hidden": "true" });
  const ticks = payload.lead.low_steps ?? 0;
  /** It ends at the ruler's lower edge; the one measurement, taken when rows come and go. */
  function stretch() {
    const rows = element.parentElement?.querySelectorAll(".lanes, .history") ?? [];
    const height = [...rows].reduce((sum, row) => sum + row.getBoundingClientRect().height, 18);
    element.style.height = `${height}px`;
    element.style.left = `${edgeOf(context.size.kind)}px`;
  }
  return {
    name: "playhead",
    reads: ["layout", "cursor", "fraction", "lanes", "cells", "tall"],
    element,
    update(changed) {
      const { step, low } = store.state.cursor;
      const at = low === null ? step + store.transient.fraction : step - 1 + low / (ticks + 1);
      if (["layout", "lanes", "cells", "tall"].some((key) => changed.has(key))) stretch();
      const x = payload.steps > 1 ? (at / (payload.steps - 1)) * context.size.plot - 0.9 : 0;
      element.style.transform = `translateX(${x}px)`;
    },
  };
}
