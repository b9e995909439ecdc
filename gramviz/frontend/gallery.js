// A sheet of small pictures over the panels, with Play below it. Pictures are drawn as they come into view;
// the grid is one stop of Tab, arrows move in it, Enter chooses, Escape closes.

import { make, rove, selectTabs, setAttribute, setText } from "./dom.js";
import { fontOf, surface } from "./draw.js";
import { arrowOf, focusedIn } from "./focus.js";
import { paintBoard } from "./paint.js";
import { gridAt, places } from "./place.js";
import { words } from "./words.js";

const PICTURE = 128; // px of a picture
const CELL_MOST = 24;

/** @typedef {import("./registry.js").Context} Context */
/**
 * @typedef {object} Tile
 * @property {string} key
 * @property {(Node | string)[][]} lines below the picture, each once
 * @property {string} [group] heading above those that follow each other with it
 * @property {string} [color] of its mark
 * @property {string | null} [why] it cannot be chosen
 * @property {Record<string, boolean>} classes
 */
/**
 * @typedef {object} Contents what a gallery shows
 * @property {"puzzles" | "samples"} name
 * @property {string} title
 * @property {"puzzles_by" | "samples_by"} by
 * @property {string[][]} orders [key, label]
 * @property {(key: string) => import("./types.js").BoardView} view
 * @property {(key: string, event: MouseEvent) => void} choose
 * @property {(key: string | null) => void} [point]
 */

/** @param {Context} context @param {HTMLCanvasElement} canvas @param {import("./types.js").BoardView} view */
function paintPicture({ theme, root }, canvas, view) {
  const { board } = view;
  const pen = surface(canvas, PICTURE, PICTURE);
  const fit = (PICTURE - 2) / Math.max(board.width, board.height);
  const cell = Math.min(CELL_MOST, fit < 2 ? fit : Math.floor(fit));
  const [left, top] = [board.width, board.height].map((count) => (PICTURE - cell * count) / 2);
  const place = board.kind === "graph" ? places(board, PICTURE) : gridAt(board, cell, left, top);
  paintBoard(pen, place, view, theme, fontOf(root));
}

/** The pictures. @param {Context} context @param {Contents} contents */
function createTiles(context, { name, view, choose, point }) {
  const element = make("div", { class: "tiles", "data-part": name, onpointerleave: () => point?.(null) });
  /** @type {Map<string, { button: HTMLButtonElement, canvas: HTMLCanvasElement }>} */
  const made = new Map();
  /** @type {Map<Element, string>} */
  const visible = new Map();
  const draw = (/** @type {string} */ key) => {
    const canvas = made.get(key)?.canvas;
    if (canvas) paintPicture(context, canvas, view(key));
  };
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const { key = "" } = /** @type {HTMLElement} */ (target).dataset;
        const canvas = /** @type {HTMLCanvasElement} */ (target.firstElementChild);
        if (isIntersecting) {
          visible.set(target, key);
          draw(key);
        } else {
          visible.delete(target);
          canvas.width = canvas.height = 0;
        }
      }
    },
    { root: element, rootMargin: "100px" },
  );
  context.signal.addEventListener("abort", () => observer.disconnect());

  /** @param {Tile} tile */
  function tileOf({ key, lines }) {
    const known = made.get(key);
    if (known) return known;
    const canvas = make("canvas", { "aria-hidden": "true" });
    canvas.style.width = canvas.style.height = `${PICTURE}px`;
    const caption = lines.map((line) => make("span", { class: "line" }, line));
    const button = make(
      "button",
      {
        "data-key": key,
        onclick: (/** @type {MouseEvent} */ event) => choose(key, event),
        onpointerenter: () => point?.(key),
      },
      canvas,
      caption,
    );
    observer.observe(button);
    made.set(key, { button, canvas });
    return { button, canvas };
  }

  const buttons = () => /** @type {HTMLElement[]} */ ([...element.querySelectorAll("button")]);
  return {
    element,
    redraw: () => visible.forEach(draw),
    /** @param {Tile[]} tiles @param {boolean} anew whether the order is another one, so that it begins at its top */
    fill(tiles, anew) {
      const nodes = tiles.flatMap((tile, k) => {
        const { button } = tileOf(tile);
        setAttribute(
          button,
          "class",
          ["tile", ...Object.keys(tile.classes).filter((one) => tile.classes[one])].join(" "),
        );
        setAttribute(button, "aria-current", tile.classes.focus ? "true" : null);
        setAttribute(button, "aria-disabled", tile.why ? "true" : null);
        setAttribute(button, "title", tile.why ?? null);
        if (tile.color) button.style.setProperty("--mark", tile.color);
        const heads = tile.group && tile.group !== tiles[k - 1]?.group;
        return heads ? [make("h4", {}, tile.group), button] : [button];
      });
      const same = nodes.length === element.children.length && nodes.every((node, k) => element.children[k] === node);
      if (!same) {
        const focused = focusedIn(element);
        element.replaceChildren(...nodes);
        if (element.contains(focused)) focused.focus();
      }
      const current = element.querySelector("[aria-current]");
      const top = anew ? element.querySelector("button") : current;
      rove(buttons(), /** @type {Element | undefined} */ (top ?? undefined));
      if (anew) element.scrollTop = 0;
    },
    focus() {
      const here = /** @type {HTMLElement | null} */ (element.querySelector("[tabindex='0']"));
      here?.focus({ preventScroll: true });
      here?.scrollIntoView({ block: "nearest" });
    },
    /** To the tile beside, above or below. @param {number[]} arrow */
    move([dx, dy]) {
      const all = buttons();
      const here = /** @type {HTMLElement} */ (focusedIn(element));
      const ahead = all.filter((one) => (one.offsetTop - here.offsetTop) * dy > 0);
      const row = ahead.at(dy > 0 ? 0 : -1)?.offsetTop;
      const away = (/** @type {HTMLElement} */ one) => Math.abs(one.offsetLeft - here.offsetLeft);
      const near = ahead.filter((one) => one.offsetTop === row).sort((a, b) => away(a) - away(b));
      const next = dx ? all[all.indexOf(here) + dx] : near[0];
      if (!next) return;
      rove(all, next);
      next.focus();
    },
  };
}

/** @param {Context} context @param {Contents} contents */
export function createGallery(context, contents) {
  const { store, root } = context;
  const { name, title, by, orders } = contents;
  const tiles = createTiles(context, contents);
  const sub = make("span", { class: "sub" });
  const tabs = orders.map(([key, label]) =>
    make("button", { role: "tab", "data-by": key, onclick: () => store.set({ [by]: key }) }, label),
  );
  const close = make("button", { onclick: () => store.set({ sheet: null }) }, words.buttons.close);
  const order = make("div", { class: "orders", role: "tablist", "aria-label": words.sorted }, tabs);
  // "Close" stands last, and comes before: from the pictures one step back leads to their order.
  const bar = make("div", { class: "bar" }, make("h3", {}, title), sub, close, order);
  // While a model draws, one page follows the other.
  tiles.element.onscroll = () =>
    store.poke({ scrolled: { ...store.transient.scrolled, [name]: tiles.element.scrollTop } });
  const element = make("section", { class: "gallery", "aria-label": title, hidden: true }, bar, tiles.element);
  return {
    element,
    /** @param {KeyboardEvent} event @param {string} place */
    key(event, place) {
      const arrow = arrowOf(event);
      return arrow && place === name ? () => tiles.move(arrow) : null;
    },
    /** Draws what has changed. @param {Set<string>} changed @param {() => { tiles: Tile[], note: string }} show */
    update(changed, show) {
      const closed = element.hidden;
      const { asking, edit } = store.transient; // the board is there to be edited
      element.hidden = store.state.sheet !== name || asking || Boolean(edit);
      if (element.hidden) return;
      selectTabs(
        tabs,
        tabs.find((tab) => tab.dataset.by === store.state[by]),
      );
      const shown = show();
      setText(sub, shown.note);
      tiles.fill(shown.tiles, changed.has(by));
      if (closed) tiles.element.scrollTop = store.transient.scrolled[name] ?? 0;
      // Only who works in the widget is taken along.
      if (closed && (focusedIn(root) || root.matches(":focus"))) tiles.focus();
      else tiles.redraw();
    },
  };
}
