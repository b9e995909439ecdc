// A button that opens a sheet of choices (ARIA menu). Which one is open is transient state: at most one.

import { make, setAttribute, setText } from "./dom.js";
import { focusedIn } from "./focus.js";

/**
 * @typedef {object} Choice
 * @property {string} label
 * @property {() => void} act
 * @property {boolean} [checked] absent: it is no switch
 * @property {boolean} [radio] whether it is one of several, of which one is checked
 * @property {boolean} [disabled]
 * @property {string | null} [why] why it cannot be chosen, or what to know of it
 * @property {boolean} [stay] whether the sheet stays open
 */
/** @typedef {{heading: string}} Heading */
/** @typedef {Choice | Heading} Item */

/** One choice as a button, and below it why it cannot be had. @param {Choice} item @param {() => void} onclick */
function entries(item, onclick) {
  const { checked, radio, disabled, why, label } = item;
  const entry = make(
    "button",
    {
      role: checked === undefined ? "menuitem" : radio ? "menuitemradio" : "menuitemcheckbox",
      "aria-checked": checked === undefined ? null : String(checked),
      "aria-description": why ?? null,
      "aria-disabled": disabled ? "true" : null, // not `disabled`, which no key could reach
      onclick,
    },
    label,
  );
  return why ? [entry, make("div", { class: "why", "aria-hidden": "true" }, why)] : [entry];
}

/**
 * The groups of a sheet, one for each heading.
 * @param {Item[]} items
 * @param {string} name of the choices before the first heading
 * @param {(item: Choice) => void} act
 */
function groupsOf(items, name, act) {
  const groups = [];
  for (const item of items) {
    if ("heading" in item) {
      const heading = make("div", { class: "heading", "aria-hidden": "true" }, item.heading);
      groups.push(make("div", { role: "group", "aria-label": item.heading }, heading));
    } else {
      if (!groups.length) groups.push(make("div", { role: "group", "aria-label": name }));
      groups.at(-1)?.append(...entries(item, () => act(item)));
    }
  }
  return groups;
}

/**
 * Keeps a sheet inside the widget: to the left where the right has no room, upwards at the bottom.
 * @param {HTMLElement} root
 * @param {HTMLElement} button
 * @param {HTMLElement} sheet
 */
function place(root, button, sheet) {
  sheet.style.left = sheet.style.right = sheet.style.top = sheet.style.bottom = "";
  const frame = root.getBoundingClientRect();
  const anchor = button.getBoundingClientRect();
  const size = sheet.getBoundingClientRect();
  const left = Math.min(Math.max(anchor.right - size.width, frame.left + 8), frame.right - size.width - 8);
  sheet.style.position = "absolute";
  sheet.style.right = "auto";
  sheet.style.left = `${left - anchor.left}px`;
  const below = frame.bottom - anchor.bottom - 10;
  if (size.height > below && anchor.top - frame.top > below) {
    sheet.style.top = "auto";
    sheet.style.bottom = "31px";
    sheet.style.maxHeight = `${Math.min(440, anchor.top - frame.top - 10)}px`;
  } else sheet.style.maxHeight = `${Math.min(440, below)}px`;
}

/**
 * Arrows, Home and End go through the choices; who tabs on leaves the sheet.
 * @param {HTMLElement} sheet
 * @param {() => HTMLElement[]} choices
 * @param {(next: Node) => void} leave
 */
function listenToSheet(sheet, choices, leave) {
  sheet.addEventListener("keydown", (event) => {
    const list = choices();
    const at = list.indexOf(focusedIn(sheet));
    const targets = { ArrowDown: at + 1, ArrowUp: at - 1 + list.length, Home: 0, End: list.length - 1 };
    const next = targets[/** @type {keyof typeof targets} */ (event.key)];
    if (next === undefined) return;
    list[next % list.length].focus();
    event.preventDefault();
    event.stopPropagation();
  });
  // The sheet must not lie over what has the focus then.
  sheet.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget) leave(/** @type {Node} */ (relatedTarget));
  });
}

/**
 * Opens and closes a sheet of choices.
 * @param {HTMLElement} root the widget's element
 * @param {HTMLElement} button that opens it
 * @param {HTMLElement} sheet
 * @param {() => HTMLElement[]} groups
 */
function createSheetOf(root, button, sheet, groups) {
  const choices = () => [...sheet.querySelectorAll("button")]; // those that cannot be chosen too: each says why
  return {
    choices,
    /** What it says anew, with the focus where it was; where nothing differs, nothing is touched. */
    refill() {
      const fresh = groups();
      const { children, scrollTop } = sheet;
      if (fresh.length === children.length && fresh.every((group, k) => group.isEqualNode(children[k]))) return;
      const at = choices().indexOf(focusedIn(sheet));
      sheet.replaceChildren(...fresh);
      sheet.scrollTop = scrollTop;
      choices()[at]?.focus({ preventScroll: true });
    },
    open() {
      sheet.replaceChildren(...groups());
      sheet.hidden = false;
      place(root, button, sheet);
      choices()[0]?.focus();
    },
    /** Closed by Escape or by another menu: the focus must not fall out of the widget. */
    close() {
      const inside = sheet.contains(focusedIn(sheet));
      sheet.hidden = true;
      sheet.replaceChildren();
      if (inside) button.focus();
    },
  };
}

/**
 * @param {import("./registry.js").Context} context
 * @param {string} name of the menu in the transient key `open`
 * @param {string} label of its button
 * @param {() => Item[]} items
 */
export function createMenu({ store, root }, name, label, items) {
  const text = make("span", {}, label);
  const isOpen = () => store.transient.open === name;
  const toggle = () => store.poke({ open: isOpen() ? null : name });
  const button = make("button", { "aria-haspopup": "menu", "aria-expanded": "false", onclick: toggle }, text);
  const sheet = make("div", { class: "sheet", role: "menu", hidden: true });
  const element = make("div", { class: "menu", "data-menu": name }, button, sheet);
  const choices = createSheetOf(root, button, sheet, () => groupsOf(items(), label || name, choose));
  listenToSheet(sheet, choices.choices, (next) => {
    if (!element.contains(next) && isOpen()) store.poke({ open: null });
  });

  /** @param {Choice} item */
  function choose(item) {
    if (item.disabled) return;
    item.act();
    if (item.stay) choices.refill();
    else if (isOpen()) {
      store.poke({ open: null }); // unless the choice itself opened something else
      button.focus();
    }
  }

  return {
    element,
    /** @param {string} value */
    setLabel: (value) => setText(text, value),
    /** @param {Set<string>} changed */
    update(changed) {
      // Python, or another view, may change what an open sheet says.
      if (isOpen() && !sheet.hidden && [...changed].some((key) => key in store.state && key !== "cursor"))
        choices.refill();
      if (!changed.has("open") && !changed.has("layout")) return;
      if (isOpen() && sheet.hidden) choices.open();
      else if (!isOpen() && !sheet.hidden) choices.close();
      setAttribute(button, "aria-expanded", isOpen());
    },
  };
}
