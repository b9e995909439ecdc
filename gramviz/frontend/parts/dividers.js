// Between the panels, and between them and the time axis: what is dragged, or moved by arrows, to give one more room.

import { make, setAttribute } from "../dom.js";
import { arrowOf } from "../focus.js";
import { words } from "../words.js";

const STEP = 0.02; // of the width or the height, that an arrow moves

/** @typedef {"board" | "answers" | "curves"} Side what a divider sizes */

/** @param {import("../registry.js").Context} context @returns {import("../registry.js").Part} */
export function createDividers(context) {
  const { store } = context;
  /** The share that a side has now. @param {Side} side */
  function shareOf(side) {
    const { size } = context;
    if (side === "curves") return size.curves / size.room;
    return (side === "board" ? (size.dividers.board ?? 0) : size.width - (size.dividers.answers ?? 0)) / size.width;
  }
  /** @param {Side} side @param {number | null} share null for automatic */
  function set(side, share) {
    const { [side]: _, ...rest } = store.state.sizes;
    store.set({ sizes: share === null ? rest : { ...rest, [side]: Math.max(0, share) } });
  }

  /** @param {Side} side */
  function divider(side) {
    const level = side === "curves";
    const grows = side === "board" ? 1 : -1; // with a move to the right or down
    const element = make("div", {
      class: `divider at-${side}`,
      role: "separator",
      tabindex: "0",
      "aria-orientation": level ? "horizontal" : "vertical",
      "aria-label": words.panels.divider[side],
      "aria-valuemin": "0",
      "aria-valuemax": "100",
      "data-part": `divider-${side}`,
      title: words.panels.dividerHint,
      ondblclick: () => set(side, null),
    });
    element.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      const { size } = context;
      const [from, share] = [level ? event.clientY : event.clientX, shareOf(side)];
      element.setPointerCapture(event.pointerId);
      store.poke({ down: true });
      const move = (/** @type {PointerEvent} */ moved) =>
        set(
          side,
          share + (grows * ((level ? moved.clientY : moved.clientX) - from)) / (level ? size.room : size.width),
        );
      element.addEventListener("pointermove", move);
      element.addEventListener(
        "lostpointercapture",
        () => {
          element.removeEventListener("pointermove", move);
          store.poke({ down: false });
        },
        { once: true },
      );
    });
    return { side, element, level, grows };
  }

  const dividers = /** @type {const} */ (["board", "answers", "curves"]).map(divider);
  return {
    name: "dividers",
    reads: ["layout"],
    element: make(
      "div",
      { class: "dividers" },
      dividers.map(({ element }) => element),
    ),
    key(event, place) {
      const found = dividers.find(({ side }) => place === `divider-${side}`);
      const by = arrowOf(event)?.[found?.level ? 1 : 0];
      if (!found || event.altKey) return null;
      if (event.key === "Enter") return () => set(found.side, null);
      return by ? () => set(found.side, shareOf(found.side) + by * found.grows * STEP) : null;
    },
    update() {
      const { dividers: at, curves } = context.size;
      for (const { side, element } of dividers) {
        element.hidden = side === "curves" ? !curves : at[side] === null;
        if (side !== "curves") element.style.left = `${at[side] ?? 0}px`;
        setAttribute(element, "aria-valuenow", Math.round(100 * shareOf(side)));
      }
    },
  };
}
