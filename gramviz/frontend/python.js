// "Copy as Python": the one line that opens this view again. gramviz.explorer.State writes and reads the same.

import { cellName } from "./cells.js";
import { address } from "./steps.js";
import { clean } from "./text.js";

/** @import { Payload, Series, State } from "./types.js" */

const RESERVED = new Set(
  (
    "and as assert async await break class continue def del elif else except finally for from global gv if import in " +
    "is lambda nonlocal not or pass raise return try while with yield"
  ).split(" "),
);

/** A string that is legal in Python and in JSON; what lies beyond the 16-bit plane becomes \\U, as Python wants it.
 * @param {string} text */
function quoted(text) {
  return JSON.stringify(text).replace(/[\ud800-\udbff][\udc00-\udfff]|[^\x20-\x7e]/g, (found) => {
    const code = Number(found.codePointAt(0));
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** A JSON value as Python writes it.
 * @param {unknown} value @returns {string} */
export function literal(value) {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return quoted(value);
  if (Array.isArray(value)) return `[${value.map((entry) => literal(entry)).join(", ")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).map(([key, entry]) => `${quoted(key)}: ${literal(entry)}`);
    return `{${entries.join(", ")}}`;
  }
  return String(value);
}

/** A variable name for each series, from the name that its reader gave it. @param {Series[]} series */
function variables(series) {
  const taken = new Set();
  return series.map((series) => {
    const plain = clean(series.name)
      .toLowerCase()
      .replace(/[^a-z0-9_]+/g, "_")
      .replace(/^[_0-9]+|_+$/g, "");
    const name =
      !plain || RESERVED.has(plain) || taken.has(plain) ? `${plain || "series"}_${series.letter.toLowerCase()}` : plain;
    taken.add(name);
    return name;
  });
}

/** The line for a state; what equals the opening view is left out.
 * @param {Payload} payload @param {State} state @param {State} start */
export function pythonLine(payload, state, start) {
  const differs = (/** @type {keyof State} */ key) => JSON.stringify(state[key]) !== JSON.stringify(start[key]);
  const verb = payload.series.length > 1 ? "compare" : "explore";
  const parts = [`gv.${verb}(${variables(payload.series).join(", ")}, puzzle=${state.puzzle})`];
  if (differs("cursor")) parts.push(`go(${quoted(address(payload, state.cursor.step, state.cursor.low))})`);
  if (differs("pinned")) parts.push(state.pinned ? `pin(${quoted(state.pinned[0])}, ${state.pinned[1]})` : "pin(None)");
  for (const [letter, trajectories] of Object.entries(state.selected))
    parts.push(`select(${quoted(letter)}, ${literal(trajectories)})`);
  if (differs("focus")) parts.push(`focus(${quoted(state.focus[0])}, ${state.focus[1]})`);
  if (differs("cells")) {
    parts.push(`select_cells(${literal(state.cells.map((cell) => cellName(payload.board, cell)))})`);
  }
  const said = new Set(["v", "puzzle", "cursor", "pinned", "selected", "focus", "cells"]);
  const rest = /** @type {(keyof State)[]} */ (Object.keys(state)).filter((key) => !said.has(key) && differs(key));
  const assigned = rest.map((key) => `${key}=${literal(state[key])}`);
  if (rest.length) parts.push(`set(${assigned.join(", ")})`);
  return parts.join(".");
}
