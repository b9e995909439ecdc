// Elements without markup strings: text goes in as text nodes, so nothing that a file says can become markup.

/** @import { Shape } from "./types.js" */

const SVG = "http://www.w3.org/2000/svg";

/** A listener (`onclick`), a flag (`disabled: true`), or a text; null and false leave the attribute out.
 * @typedef {string | number | boolean | null | undefined | ((event: never) => void)} Attribute */
/** @typedef {Node | string | null | undefined} Child */

/**
 * @template {Element} E
 * @param {E} element @param {Record<string, Attribute> | undefined} attributes @param {(Child | Child[])[]} children
 */
function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function")
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value)); // onclick -> click
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat()) if (child !== null && child !== undefined) element.append(child);
  return element;
}

/** An HTML element: `make("button", {class: "quiet", onclick: f}, "Play")`.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Record<string, Attribute>} [attributes] @param {(Child | Child[])[]} children */
export const make = (tag, attributes, ...children) => build(document.createElement(tag), attributes, children);

/** @param {string} tag @param {Record<string, Attribute>} attributes @param {(Child | Child[])[]} children */
const svg = (tag, attributes, ...children) => build(document.createElementNS(SVG, tag), attributes, children);

/** Sets text only where it differs, so that a selection in it survives and screen readers stay quiet.
 * @param {Node} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Names all that a row holds in its title: not all of it may have room. @param {HTMLElement} row */
export function sayAll(row) {
  const shown = /** @type {HTMLElement[]} */ ([...row.children]).filter((one) => !one.hidden && one.textContent);
  row.title = shown.map((one) => one.textContent).join(", ");
}

/** Sets a text as clauses, of which those that have no room are left out whole; the title says all.
 * @param {HTMLElement} element @param {string} text @param {string} [gap] between clauses @param {RegExp} [at] */
export function setClauses(element, text, gap = " ", at = /(?<=[.;]) /) {
  if (element.title === text) return;
  element.title = text;
  const spaced = text.split(at).flatMap((clause) => [gap, make("span", { class: "clause" }, clause)]);
  element.replaceChildren(...spaced.slice(1));
}

/** Sets a text without those of its last clauses that have no room; the title says all. It measures.
 * @param {HTMLElement} element @param {string} text */
export function fitText(element, text) {
  const clauses = text.split(/(?<=[.;]) /);
  element.title = text;
  do element.textContent = clauses.join(" ").replace(/;$/, ".");
  while (element.scrollHeight > element.clientHeight && clauses.pop() && clauses.length);
}

/** Sets an attribute where it differs (`false` is a value of aria-*), or removes it with null.
 * @param {Element} element @param {string} name @param {string | number | boolean | null} value */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

/** One of several, at most one of which is chosen: Tab stops at `here` alone, arrows go on from it (ARIA's roving
 * tabindex).
 * @param {Element[]} items @param {Element} [here] */
export function rove(items, here) {
  for (const item of items) setAttribute(item, "tabindex", item === (here ?? items[0]) ? 0 : -1);
}

/** Marks the chosen tab of a row. @param {Element[]} tabs @param {Element} [chosen] */
export function selectTabs(tabs, chosen) {
  for (const tab of tabs) setAttribute(tab, "aria-selected", tab === chosen);
  rove(tabs, chosen);
}

/** What an arrow, Home or End comes to from one of `items`, round and round.
 * @template T @param {T[]} items @param {T} item @param {string} key */
export function neighbor(items, item, key) {
  if (key === "Home") return items[0];
  if (key === "End") return items[items.length - 1];
  const by = ["ArrowRight", "ArrowDown"].includes(key) ? 1 : -1;
  return items[(items.indexOf(item) + by + items.length) % items.length];
}

/** The letter of a series, drawn so that series are distinguished without color. @param {string} letter */
export const badge = (letter) => make("span", { class: `badge ${letter}` }, letter);

/** @type {Record<Shape, [string, Record<string, Attribute>][]>} */
const MARKS = {
  dot: [["circle", { cx: 6, cy: 6, r: 4, fill: "currentColor" }]],
  cross: [["path", { d: "M2.5 2.5l7 7M9.5 2.5l-7 7", stroke: "currentColor", "stroke-width": 2, fill: "none" }]],
  ring: [["circle", { cx: 6, cy: 6, r: 3.6, fill: "none", stroke: "currentColor", "stroke-width": 1.6 }]],
  diamond: [["path", { d: "M6 1.5L10.5 6L6 10.5L1.5 6Z", fill: "currentColor" }]],
};

/** The outcome of a trajectory as a small drawing; the color is that of the text around it. @param {Shape} shape */
export function markIcon(shape) {
  const parts = MARKS[shape].map(([tag, attributes]) => svg(tag, attributes));
  return svg(
    "svg",
    { viewBox: "0 0 12 12", width: 12, height: 12, class: "mark", "data-shape": shape, "aria-hidden": "true" },
    parts,
  );
}

const ICONS = {
  start: "M3 3v10M13 3l-7 5l7 5z",
  back: "M11 3l-7 5l7 5z",
  play: "M4.5 2.5l9 5.5l-9 5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  forward: "M5 3l7 5l-7 5z",
  end: "M13 3v10M3 3l7 5l-7 5z",
};

/** A transport icon, 16 x 16. @param {keyof typeof ICONS} name */
export function icon(name) {
  const path = svg("path", {
    d: ICONS[name],
    fill: "currentColor",
    stroke: "currentColor",
    "stroke-width": 1.4,
    "stroke-linejoin": "round",
  });
  return svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, path);
}
