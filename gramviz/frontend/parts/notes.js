// What stands below all parts: on paper where we are and what this is made of, and what the payload had no room for.

import { make, setText } from "../dom.js";
import { provenance } from "../sentences.js";

/** @param {import("../registry.js").Context} context @returns {import("../registry.js").Part} */
export function createNotes({ payload, store }) {
  const printed = make("p", { class: "printed selectable" });
  const left = payload.leftOut.length ? make("p", { class: "left-out note" }, payload.leftOut.join(" ")) : null;
  return {
    name: "notes",
    reads: ["printing"],
    element: make("div", {}, printed, left),
    update() {
      if (store.transient.printing) setText(printed, provenance(payload, store.state));
    },
  };
}
