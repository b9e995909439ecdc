// The tree of branches: names, causes, outcomes, and what can be done with each. The kernel keeps it; without one there
// is none.

import { badge, make } from "../dom.js";
import { clean } from "../text.js";
import { words } from "../words.js";

/** @typedef {import("../branchtypes.js").BranchRow} Row */

/** @param {import("../registry.js").Context} context @returns {import("../registry.js").Part} */
export function createBranches(context) {
  const { store, kernel } = context;
  const said = words.branches;
  const list = make("div", { role: "list", "aria-label": said.title });
  const element = make("section", { class: "branches", "aria-label": said.title, hidden: true }, list);
  list.before(make("h3", {}, said.title));
  /** @type {string | null} */
  let renamed = null; // the name that is being changed

  /** @param {Row} row @param {string} act @param {object} [more] */
  const ask = ({ name }, act, more = {}) => kernel.ask({ ask: "tree", name, act, ...more });

  /** @param {string | null} name */
  function rename(name) {
    renamed = name;
    fill();
    const field = list.querySelector("input");
    field?.select();
    field?.focus();
  }

  /** @param {Row} row */
  function field(row) {
    /** @param {KeyboardEvent} event */
    function press(event) {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.stopPropagation();
      const to = /** @type {HTMLInputElement} */ (event.target).value.trim();
      rename(null);
      if (event.key === "Enter" && to && to !== row.name) ask(row, "rename", { to });
    }
    return make("input", { type: "text", value: row.name, maxlength: 55, "aria-label": said.rename, onkeydown: press });
  }

  /** @param {Row} row */
  function item(row) {
    const { letter, pinned } = row;
    const name = clean(row.name, 60);
    /** @param {string} act @param {string} label @param {() => void} [onclick] @param {boolean} [pressed] */
    const tool = (act, label, onclick = () => ask(row, act), pressed = undefined) =>
      make(
        "button",
        { onclick, title: said.hints[act], "aria-label": `${label}: ${name}`, "aria-pressed": pressed?.toString() },
        label,
      );
    const called = make("button", { class: "called", title: said.show(name), onclick: () => ask(row, "show") }, name);
    const tools = [
      tool("compare", said.compare),
      tool("pin", said.pin, undefined, pinned),
      tool("rename", said.rename, () => rename(row.name)),
      ...(letter ? [tool("hide", said.hide)] : []),
      tool("delete", said.remove),
    ];
    const sign = letter ? badge(letter) : make("span", { class: "badge none", title: said.hidden }, "–");
    const what = make("span", { class: "muted selectable" }, clean(said.line(row.cause, row.outcome), 300));
    return make(
      "div",
      { class: "branch", role: "listitem", style: `padding-left: ${16 * (row.depth - 1)}px` },
      sign,
      renamed === row.name ? field(row) : called,
      what,
      make("span", { class: "tools" }, tools),
    );
  }

  function fill() {
    list.replaceChildren(...store.transient.tree.map(item));
  }

  return {
    name: "branches",
    reads: ["tree", "layout"],
    element,
    update(changed) {
      element.hidden = !store.transient.tree.length;
      if (changed.has("tree") || !list.children.length) fill();
    },
  };
}
