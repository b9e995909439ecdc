// Theme and sizes: what the page around, the window and the printer decide.

import { boundsAround, isRoomy, kindOf, PANELS, sizesFor, watchSize } from "./layout.js";
import { applyTheme, readTheme } from "./theme.js";

const PAPER = 680; // px: a sheet of A4 or Letter between its margins

/**
 * @typedef {object} Surroundings
 * @property {HTMLElement} host the element that the notebook gave us
 * @property {HTMLElement} root the widget's element in it
 * @property {import("./types.js").Payload} payload
 * @property {import("./store.js").Store} store
 * @property {boolean} frozen whether the page around is our own
 * @property {(keys: string[]) => void} invalidate
 * @property {() => void} paint
 * @property {AbortSignal} signal
 */

/**
 * Calls `changed` when the page around, or the system, changes its colors.
 * @param {() => void} changed
 * @param {AbortSignal} signal
 */
function watchThemes(changed, signal) {
  const themes = new MutationObserver(changed);
  themes.observe(document.body, { attributes: true, attributeFilter: ["class", "data-jp-theme-light"] });
  signal.addEventListener("abort", () => themes.disconnect());
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"])
    matchMedia(query).addEventListener("change", changed, { signal });
}

/** What the style sheet reads: a tiny widget is a narrow one too. @param {HTMLElement} root @param {number} width */
function markKind(root, width) {
  const kind = kindOf(width);
  root.classList.toggle("roomy", isRoomy(width));
  for (const name of ["wide", "medium", "narrow", "tiny"])
    root.classList.toggle(name, kind === name || (name === "narrow" && kind === "tiny"));
}

/** The height of all parts that stand between panels and time axis, above and below. @param {HTMLElement} root */
function takenBy(root) {
  const others = [...root.children].filter((child) => !child.matches(".panels, .time, .over, .away"));
  return others.reduce((sum, child) => sum + child.getBoundingClientRect().height, 0);
}

/** What the style sheet reads of the sizes. @param {HTMLElement} root @param {import("./layout.js").Sizes} size */
function markSizes(root, size) {
  for (const name of ["legend", "lane", "tall", "answers"])
    root.style.setProperty(`--${name}`, `${size[/** @type {"lane"} */ (name)]}px`);
  root.style.setProperty("--columns", size.columns);
  root.classList.toggle("under", size.under);
  for (const name of PANELS) root.classList.toggle(`no-${name}`, size.folded.includes(name));
}

/** @param {Surroundings} surroundings */
export function createAppearance({ host, root, payload, store, frozen, invalidate, paint, signal }) {
  /** @type {import("./types.js").Theme | undefined} */
  let theme;
  /** @type {import("./layout.js").Sizes | undefined} */
  let size;
  /** @type {number | null} */
  let screen = null; // the width on screen, while printing

  /** @type {HTMLElement[] | null} */
  let bounds = null; // known once the widget stands in its page

  /** The height that is seen of the widget at once; in a frame that follows its height, what the page says. */
  function seen() {
    const fixed = Number(document.body.dataset.room);
    if (fixed && !document.fullscreenElement) return fixed;
    if (root.clientWidth) bounds ??= boundsAround(host);
    return Math.min(globalThis.innerHeight, ...(bounds ?? []).map((box) => box.clientHeight));
  }

  function retheme() {
    theme = readTheme(screen === null ? store.state.theme : "light", host, frozen);
    applyTheme(theme, root, host);
    invalidate(["theme"]);
  }

  /** @param {number} width */
  function resize(width) {
    const presenting = store.transient.presenter;
    const room = screen === null ? seen() : Infinity;
    const { state, start } = store;
    root.classList.toggle("presenting", presenting);
    markKind(root, width); // first, as heights are measured of what it makes of them
    size = sizesFor(width, room, { payload, state, start, taken: takenBy(root), presenting });
    markSizes(root, size);
    invalidate(["layout", "theme"]);
  }

  /** On paper: light, as wide as a sheet, without controls. @param {boolean} on */
  function print(on) {
    if (on === (screen !== null) || !size) return;
    store.poke({ playing: false, fraction: 0, printing: on });
    root.classList.toggle("printing", on);
    const width = screen ?? PAPER;
    screen = on ? size.width : null;
    retheme();
    resize(width);
    paint(); // at once: the browser takes its picture when this event is over
  }

  watchThemes(retheme, signal);
  for (const kind of ["beforeprint", "afterprint"])
    addEventListener(kind, () => print(kind === "beforeprint"), { signal });

  return {
    /** The colors; undefined until `watch` has seen the first width. */
    theme: () => theme,
    size: () => size,
    retheme,
    fit() {
      if (size && root.clientWidth) resize(root.clientWidth);
    },
    /** Follows the widget's width and the height that is seen of it from now on.
     * @param {() => void} ready called when the first are known */
    watch(ready) {
      function follow() {
        if (screen !== null) return;
        if (!theme) retheme();
        const first = !size;
        resize(root.clientWidth);
        if (first) ready();
      }
      const measure = () => [root.clientWidth, seen(), takenBy(root)].map(Math.round);
      watchSize(root, measure, follow, signal);
    },
  };
}
