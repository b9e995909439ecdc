// The part of another package (`gram.plugins`), run as a script of its own; a page without such parts lacks this file.
// A mistake in it, also one that keeps it from being read, leaves the page whole and a sentence in the part's place.

import { make } from "./dom.js";
import { clean } from "./text.js";
import { words } from "./words.js";

/**
 * What makes a part, from the text of a module as `gramviz/explorer/link.py` writes it: it returns the maker.
 * @param {string} name
 * @param {string} text
 * @param {Record<string, unknown>} imports what the module imports, by name
 * @returns {import("./registry.js").CreatePart}
 */
export function isolated(name, text, imports) {
  return (context) => {
    try {
      return makerOf(name, text, imports)(context);
    } catch (error) {
      const sentence = words.failed(clean(`${name}: ${error}`, 300));
      console.error(error);
      return { name, reads: [], element: make("div", { class: "trouble", role: "alert" }, sentence), update() {} };
    }
  };
}

/** @param {string} name @param {string} text @param {Record<string, unknown>} imports */
function makerOf(name, text, imports) {
  const head = `"use strict"; document.currentScript.run = ({ ${Object.keys(imports).join(", ")} }) => {`;
  const script = /** @type {any} */ (make("script", {}, `${head}\n${text}\n};\n//# sourceURL=${name}.js`));
  let said = "it was not run";
  const hear = (/** @type {ErrorEvent} */ event) => {
    said = event.message.replace("Uncaught ", "");
  };
  addEventListener("error", hear);
  document.head.append(script); // runs it at once
  removeEventListener("error", hear);
  script.remove();
  if (!script.run) throw said;
  return script.run(imports);
}
