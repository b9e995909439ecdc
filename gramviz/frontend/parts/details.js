// The details line: a sentence about what is pointed at, else chosen, else focused. It never moves the layout.

import { make, setClauses } from "../dom.js";
import { detailsSentence } from "../sentences.js";
import { words } from "../words.js";

/** @param {import("../registry.js").Context} context @returns {import("../registry.js").Part} */
export function createDetails({ payload, store }) {
  const text = make("p", { class: "selectable", "data-part": "details" });
  const keys = /** @type {import("../registry.js").Key[]} */ (Object.keys({ ...store.state, ...store.transient }));
  return {
    name: "details",
    // What an action had to say stays until the next change of anything.
    reads: ["layout", ...keys.filter((key) => key !== "fraction")],
    element: make("div", { class: "details" }, text, make("span", { class: "note" }, words.keysHint)),
    update(changed) {
      const { said } = store.transient;
      const own = changed.has("said") ? said : null;
      setClauses(text, own ?? detailsSentence(payload, store.state, store.transient, store.veiled));
    },
  };
}
