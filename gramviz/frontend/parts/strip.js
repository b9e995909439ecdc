// Below the panels: what the colors mean, how many trajectories are selected, sets that one press selects, and which
// panels are open.

import { anyOf } from "../painter.js";
import { make, markIcon, setAttribute, setText } from "../dom.js";
import { focusedIn } from "../focus.js";
import { colorChoices } from "../groups.js";
import { panelsOf } from "../layout.js";
import { createMenu } from "../menu.js";
import { shownColors } from "../scene.js";
import { selectionSentence } from "../selection.js";
import { address } from "../steps.js";
import { words } from "../words.js";

/** @typedef {import("../registry.js").Context} Context */
/** @typedef {import("../types.js").ColorGroup & { members: Record<string, number[]>, count: number }} Entry */

const RAMP = 9; // samples of the ramp that stands for time
const ORDER = ["correct", "wrong", "unfinished", "unknown", "drawn"]; // of outcomes; other groups are numbered

/** The groups of trajectories that a color stands for, in order. @param {Context} context @returns {Entry[]} */
function entriesOf({ payload, store }) {
  const { groups, of } = shownColors(payload, store);
  const entries = groups.map((group) => ({ ...group, members: /** @type {Entry["members"]} */ ({}), count: 0 }));
  for (const { letter, n } of payload.series)
    for (let k = 0; k < n && !store.state.hidden.includes(letter); k += 1) {
      const entry = entries[of[letter][k]];
      entry.members[letter] = [...(entry.members[letter] ?? []), k];
      entry.count += 1;
    }
  const rank = (/** @type {Entry} */ { key }) => (typeof key === "number" ? key : ORDER.indexOf(key) + 100);
  return entries.filter(({ count }) => count).sort((a, b) => rank(a) - rank(b));
}

/** What the colors mean; a press selects the trajectories of a color. @param {Context} context */
function createColors(context) {
  const { payload, store, actions } = context;
  const options = () => colorChoices(payload, store.state);
  const menu = createMenu(context, "color", "", () =>
    options().map(([key, label]) => ({
      label,
      radio: true,
      checked: store.state.color_by === key,
      act: () => store.set({ color_by: key }),
    })),
  );
  menu.element.querySelector("button")?.setAttribute("title", words.buttons.color);
  const chips = make("div", { class: "chips", role: "group", "aria-label": words.buttons.color });
  chips.addEventListener("pointerleave", () => store.poke({ hover: null }));

  /** @type {Entry[]} */
  let entries = [];

  /** @param {Entry} entry */
  function chip({ label, color, shape, members, count }) {
    const sample = shape ? make("span", {}, markIcon(shape)) : make("i", { class: "key" });
    sample.style[shape ? "color" : "background"] = context.theme.pick(color);
    const own = {
      class: "chip",
      "data-part": "chip",
      "aria-pressed": "false",
      title: words.select.group(label, count),
    };
    return make(
      "button",
      {
        ...own,
        onclick: () => actions.select(members),
        onpointerenter: () => store.poke({ hover: { part: "strip", members } }),
      },
      sample,
      label,
      make("b", {}, String(count)),
    );
  }

  /** Time runs along one line, so its color is no group: a ramp from the start to the end. */
  function ramp() {
    const samples = Array.from({ length: RAMP }, (_, k) => {
      const sample = make("i", { class: "key" });
      sample.style.background = context.theme.pick(k / (RAMP - 1));
      return sample;
    });
    const [from, to] = [0, payload.steps - 1].map((step) => words.time.step(address(payload, step)));
    return [make("span", {}, from), make("span", { class: "ramp" }, samples), make("span", {}, to)];
  }

  return {
    element: make("div", { class: "colors" }, menu.element, chips),
    menu,
    fill() {
      const { color_by } = store.state;
      const at = [...chips.children].indexOf(focusedIn(chips));
      entries = entriesOf(context);
      menu.setLabel(options().find(([key]) => key === color_by)?.[1] ?? "");
      chips.replaceChildren(...(color_by === "step" || store.veiled ? ramp() : entries.map(chip)));
      /** @type {HTMLElement | undefined} */ (chips.children[at])?.focus();
    },
    /** Marks the color whose trajectories are selected, and no others. */
    mark() {
      const now = JSON.stringify(store.state.selected);
      for (const [k, node] of chips.querySelectorAll(".chip").entries()) {
        const { members } = entries[k];
        const own = payload.series.flatMap(({ letter }) => (members[letter] ? [[letter, members[letter]]] : []));
        setAttribute(node, "aria-pressed", JSON.stringify(Object.fromEntries(own)) === now);
      }
    },
  };
}

/** How many are selected, and what one press selects: as buttons where there is room, else as a menu.
 * @param {Context} context */
function createSelecting(context) {
  const { payload, store, actions } = context;
  const count = make("span", { class: "count selectable", role: "status" });
  const clear = make(
    "button",
    { title: words.select.clearHint, onclick: () => actions.select({}) },
    words.select.clear,
  );
  const often = () => actions.selections().filter((offer) => offer.often);
  const buttons = make("div", { class: "jumps" });
  const menu = createMenu(context, "select", words.select.title, () => actions.selections());
  return {
    element: make("div", { class: "selecting" }, count, clear, buttons, menu.element),
    /** @param {Set<string>} changed */
    update(changed) {
      const some = Object.keys(store.state.selected).length > 0;
      setText(count, selectionSentence(payload, store.state));
      count.classList.toggle("muted", !some);
      clear.disabled = !some;
      menu.update(changed);
      // An offer speaks of the focus and the step of its moment: a button asks anew when it is pressed.
      const few = context.size.roomy ? often() : [];
      if (changed.has("layout"))
        buttons.replaceChildren(
          ...few.map(({ label }, k) => make("button", { onclick: () => often()[k].act() }, label)),
        );
      for (const [k, { why }] of few.entries()) setAttribute(buttons.children[k], "title", why);
    },
  };
}

/** A switch for each panel. @param {Context} context */
function createSwitches({ payload, actions }) {
  const panels = panelsOf(payload);
  const switches = panels.map((name) => make("button", { onclick: () => actions.fold(name) }, words.panels[name]));
  return {
    element: make("div", { class: "switches", role: "group", "aria-label": words.panels.title }, switches),
    /** @param {string[]} folded */
    update(folded) {
      for (const [k, name] of panels.entries()) setAttribute(switches[k], "aria-pressed", !folded.includes(name));
    },
  };
}

/** @param {Context} context @returns {import("../registry.js").Part} */
export function createStrip(context) {
  const { store } = context;
  const colors = createColors(context);
  const selecting = createSelecting(context);
  const switches = createSwitches(context);
  const parts = [colors.element, selecting.element, switches.element];
  return {
    name: "strip",
    reads: ["layout", "theme", "color_by", "basis", "selected", "hidden", "cursor", "cells", "focus", "limit", "open"],
    element: make("div", { class: "strip" }, parts),
    update(changed) {
      const has = anyOf(changed);
      const follows = !["outcome", "answer", "series", "step"].includes(store.state.color_by);
      const refill =
        has("layout", "theme", "color_by", "basis", "hidden", "limit") || (follows && has("cursor", "cells"));
      if (refill) colors.fill();
      if (refill || has("selected")) colors.mark();
      colors.menu.update(changed);
      selecting.update(changed);
      if (has("layout")) switches.update(context.size.folded);
    },
  };
}
