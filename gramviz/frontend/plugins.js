// Parts that other packages bring (`gram.plugins`). `gramviz/explorer/link.py` writes them into the list below when the
// page is linked; as it stands here there are none.

import { make } from "./dom.js";
import { clean } from "./text.js";
import { words } from "./words.js";

/**
 * What makes a part of a package; where that fails, a sentence stands in the part's place.
 * @param {string} name
 * @param {import("./registry.js").CreatePart} create
 * @returns {import("./registry.js").CreatePart}
 */
export function guarded(name, create) {
  return (context) => {
    try {
      return create(context);
    } catch (error) {
      const sentence = words.failed(clean(`${name}: ${error}`, 300));
      console.error(error);
      return { name, reads: [], element: make("div", { class: "trouble", role: "alert" }, sentence), update() {} };
    }
  };
}

/** @type {[import("./registry.js").CreatePart, string?][]} */
export const PLUGINS = [];
