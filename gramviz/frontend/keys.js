// The keyboard. Keys are heard on the widget, on a page of our own anywhere; those that it uses never reach a notebook.

import { quiet } from "./cells.js";
import { neighbor } from "./dom.js";
import { arrowOf, focusedIn, placeOf, withCommand } from "./focus.js";

/** @typedef {import("./registry.js").Context} Context */
/** @typedef {import("./registry.js").Part} Part */
/** @typedef {import("./registry.js").Deed} Deed */

const SCROLLING = ["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"]; // the page's own, while it is focused

/**
 * Only this token: a digit means the token of that symbol, else the n-th token that draws something.
 * @param {Context} context
 * @param {string} digit
 */
function filter({ payload: { board }, store }, digit) {
  const visible = [...board.tokens.keys()].filter((id) => !quiet(board, id));
  const token = visible.find((id) => board.tokens[id].symbol === digit) ?? visible[Number(digit) - 1];
  if (token !== undefined) store.set({ token: store.state.token === token ? null : token });
}

/** Keys without Shift. @param {Context} context @returns {Record<string, Deed>} */
function bareKeys(context) {
  const { payload, store, actions, lesson } = context;
  const board = (/** @type {string} */ name) => store.set({ board: store.state.board === name ? "focus" : name });
  const page = (/** @type {number} */ by) =>
    payload.list && !payload.lesson && store.state.chapter === null && !store.transient.presenter
      ? actions.puzzle(by)
      : lesson.turn(by);
  const digits = [..."123456789"].map((digit) => [digit, () => filter(context, digit)]);
  return {
    ...Object.fromEntries(digits),
    0: () => store.set({ token: null }),
    " ": actions.play,
    k: actions.play,
    j: () => actions.step(-1),
    l: () => actions.step(1),
    ",": () => actions.low(-1),
    // With a clicker in hand there are no low-level steps, and the full stop is the key that blanks the wall.
    ".": () => (store.transient.presenter ? store.poke({ blank: !store.transient.blank }) : actions.low(1)),
    Home: actions.start,
    End: actions.end,
    n: () => actions.change(1),
    f: actions.correct,
    h: actions.halt,
    w: actions.part,
    "[": () => actions.speed(-1),
    "]": () => actions.speed(1),
    u: actions.loop,
    a: () => actions.series("A"),
    b: () => actions.series("B"),
    c: () => actions.series("C"),
    d: () => actions.series("D"),
    m: () => board("all"),
    x: () => board("differ"),
    p: actions.pin,
    r: actions.nearest,
    q: () => actions.color(1),
    g: actions.landscape,
    i: actions.explain,
    o: actions.deep,
    z: actions.fitMap,
    "+": () => actions.zoom(1.25),
    "=": () => actions.zoom(1.25),
    "-": () => actions.zoom(0.8),
    v: () => actions.toggle("view"),
    e: () => actions.toggle("export"),
    t: () => actions.toggle("table"),
    "?": () => actions.toggle("keys"),
    PageUp: () => page(-1),
    PageDown: () => page(1),
    s: actions.speak,
    y: actions.copy,
  };
}

/** Keys with Shift. @param {Context} context @returns {Record<string, Deed>} */
const shiftedKeys = ({ actions }) => ({
  J: () => actions.supervision(-1),
  L: () => actions.supervision(1),
  N: () => actions.change(-1),
  P: actions.present,
  S: () => actions.sheet("samples"),
  T: () => actions.sheet("puzzles"),
  Q: () => actions.color(-1),
  A: () => actions.hide("A"),
  B: () => actions.hide("B"),
  C: () => actions.hide("C"),
  D: () => actions.hide("D"),
});

/**
 * Enter where no part has a meaning for it: the focused trajectory is chosen.
 * @param {Context} context
 * @param {boolean} add
 */
function chooseFocus({ store }, add) {
  const { selected, focus } = store.state;
  const [letter, trajectory] = focus;
  const list = selected[letter] ?? [];
  const changed = list.includes(trajectory) ? list.filter((other) => other !== trajectory) : [...list, trajectory];
  store.set({ selected: add ? { ...selected, [letter]: changed } : { [letter]: [trajectory] } });
}

/** To another tab of the same row, which opens. @param {HTMLElement} tab @param {string} key */
function turn(tab, key) {
  const row = /** @type {HTMLElement} */ (tab.closest("[role=tablist]"));
  const next = neighbor(/** @type {HTMLElement[]} */ ([...row.querySelectorAll("[role=tab]")]), tab, key);
  next.focus();
  next.click();
}

/**
 * What a key does here, or null. Controls keep the keys that are theirs: a button its Space, a slider its arrows.
 * @param {Context} context
 * @param {Part[]} parts
 * @returns {(event: KeyboardEvent, tabbed: boolean) => Deed | null} `tabbed`: whether the focus came by Tab
 */
function createMeaning(context, parts) {
  const { store, root, actions } = context;
  const bare = bareKeys(context);
  const shifted = shiftedKeys(context);
  /** @type {Record<string, Deed>} */
  const commands = { a: actions.selectAll, z: store.undo, Z: store.redo, y: store.redo };

  /** What the part in which the focus is does with a key. @param {KeyboardEvent} event */
  function inPart(event) {
    const focused = focusedIn(root);
    const part = parts.find(({ element }) => element.contains(focused));
    return part?.key?.(event, placeOf(focused)) ?? null;
  }

  /** Arrows and Enter, which move and choose where nothing nearer wants them. @param {KeyboardEvent} event */
  function movement(event) {
    const arrow = arrowOf(event);
    if (arrow) {
      const by = arrow[0] - arrow[1];
      return inPart(event) ?? (() => (event.shiftKey ? actions.supervision(by) : actions.step(by)));
    }
    return event.key === "Enter" ? (inPart(event) ?? (() => chooseFocus(context, withCommand(event)))) : null;
  }

  return (event, tabbed) => {
    const { key } = event;
    const target = /** @type {any} */ (event.composedPath()[0]);
    const tag = target.tagName;
    if (tag === "TEXTAREA" || tag === "SELECT" || ["text", "number"].includes(target.type) || target.isContentEditable)
      return key === "Escape" ? actions.escape : null;
    for (const part of parts) {
      const captured = part.capture?.(event);
      if (captured) return captured;
    }
    if (key === "Escape") return actions.escape;
    if (event.altKey) return inPart(event);
    if (withCommand(event)) return movement(event) ?? commands[key] ?? null;
    if (["BUTTON", "INPUT", "SELECT"].includes(tag) && [" ", "Enter"].includes(key)) return null;
    const along = arrowOf(event)?.[0] || ["Home", "End"].includes(key);
    if (target.type === "range" && (arrowOf(event) || along)) return null;
    // Who has clicked a tab resumes with time; who has come to it by keys goes from tab to tab.
    if (target.getAttribute("role") === "tab" && tabbed && along) return () => turn(target, key);
    const moved = movement(event);
    if (moved) return moved;
    if (!event.shiftKey) return bare[key] ?? null;
    // What a keyboard has on Shift, such as "?" and "+", is no letter.
    return shifted[key] ?? (key.length === 1 && !/[a-z]/i.test(key) ? bare[key] : null) ?? null;
  };
}

/** A page of our own has its keys also where nothing is focused: just opened, or pressed beside the explorer.
 * @param {Context} context @param {Part[]} parts @param {boolean} own whether the page around is our own */
export function listenToKeys(context, parts, own) {
  const { root, signal } = context;
  const meaning = createMeaning(context, parts);
  let tabbed = false;
  /** @param {KeyboardEvent} event */
  function press(event) {
    const act = meaning(event, tabbed);
    if (act) {
      if (act() === false) {
        // Escape with nothing left to undo gives the focus back to the notebook.
        focusedIn(root)?.blur();
        return;
      }
      event.preventDefault();
    }
    // Every key typed in here stays here, used or not: a stray "dd" must not delete a notebook cell.
    if (event.key !== "Tab") event.stopPropagation();
    else tabbed = true;
  }
  root.addEventListener("keydown", press, { signal });
  if (own)
    document.body.addEventListener(
      "keydown",
      (event) => {
        if (event.target === document.body && !SCROLLING.includes(event.key)) press(event);
      },
      { signal },
    );
  root.addEventListener(
    "pointerdown",
    () => {
      tabbed = false;
    },
    { signal },
  );
  // Some hosts listen to key presses and releases as well.
  for (const kind of ["keyup", "keypress"]) root.addEventListener(kind, (event) => event.stopPropagation(), { signal });
}
