// The keyboard. Keys are heard on the widget only, and those that it uses never reach the notebook.

import { quiet } from "./cells.js";
import { neighbor } from "./dom.js";
import { copyPython } from "./export.js";
import { colorChoices } from "./groups.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function listenToKeys(app, actions, parts) {
  const { payload, store, root, signal } = app;
  const command = (event) => event.ctrlKey || event.metaKey;
  let tabbed = false; // whether the focus came by Tab, not by a press
  const partOf = () => root.getRootNode().activeElement?.closest("[data-part]")?.dataset.part ?? null;

  function color(by) {
    const names = colorChoices(payload, store.state).map(([key]) => key);
    store.set({ color_by: names[(names.indexOf(store.state.color_by) + by + names.length) % names.length] });
  }

  /** Only this token: a digit means the token of that symbol, else the n-th token that draws something. */
  function filter(digit) {
    const { board } = payload;
    const visible = board.tokens.map((_, id) => id).filter((id) => !quiet(board, id));
    const token = visible.find((id) => board.tokens[id].symbol === digit) ?? visible[Number(digit) - 1];
    if (token !== undefined) store.set({ token: store.state.token === token ? null : token });
  }

  function arrow(event) {
    const [dx, dy] = ARROWS[event.key];
    const add = command(event);
    const part = partOf();
    if (part === "map" && event.shiftKey) return parts.map.turn(dx, dy);
    if (part === "board") parts.board.move(dx, dy, add);
    else if (part === "map") parts.map.move(dx, dy, add);
    else if (part === "marks") parts.answers.move(dx + 13 * dy);
    else if (part === "tree") parts.answers.tree.move(dx, dy);
    else if (part?.startsWith("lane-") && dy) app.lanes.go(event.key);
    else if (event.shiftKey) actions.supervision(dx - dy);
    else actions.step(dx - dy);
  }

  function choose(event) {
    const { state } = store;
    const [letter, path] = state.focus;
    const list = state.selected[letter] ?? [];
    if (partOf() === "board") return; // moving has chosen already
    if (partOf() === "tree") return parts.answers.tree.choose(event);
    if (partOf() === "ruler" && !command(event)) return actions.mark();
    if (parts.answers.add(root.getRootNode().activeElement)) return;
    store.set({
      selected: command(event)
        ? {
            ...state.selected,
            [letter]: list.includes(path) ? list.filter((other) => other !== path) : [...list, path],
          }
        : { [letter]: [path] },
    });
  }

  /** To another tab of the same row, which opens. */
  function turn(tab, key) {
    const next = neighbor([...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")], tab, key);
    next.focus();
    next.click();
  }

  const bare = {
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
    a: () => actions.run("A"),
    b: () => actions.run("B"),
    c: () => actions.run("C"),
    d: () => actions.run("D"),
    m: () => store.set({ board: store.state.board === "all" ? "focus" : "all" }),
    x: () => store.set({ board: store.state.board === "differ" ? "focus" : "differ" }),
    p: actions.pin,
    r: actions.nearest,
    q: () => color(1),
    g: actions.landscape,
    i: actions.explain,
    o: () => actions.deep(),
    z: () => actions.fit(),
    "+": () => parts.map.zoom(1.25),
    "=": () => parts.map.zoom(1.25),
    "-": () => parts.map.zoom(0.8),
    v: () => actions.toggle("view"),
    e: () => actions.toggle("export"),
    t: () => actions.toggle("table"),
    PageUp: () => actions.chapter(-1),
    PageDown: () => actions.chapter(1),
    "?": () => actions.toggle("keys"),
    s: () => app.speaker.state(),
    y: () => copyPython(app),
    0: () => store.set({ token: null }),
  };
  for (const digit of "123456789") bare[digit] = () => filter(digit);
  const shifted = {
    J: () => actions.supervision(-1),
    L: () => actions.supervision(1),
    N: () => actions.change(-1),
    W: () => store.set({ tree: !store.state.tree }),
    P: () => actions.present(),
    Q: () => color(-1),
    A: () => actions.hide("A"),
    B: () => actions.hide("B"),
    C: () => actions.hide("C"),
    D: () => actions.hide("D"),
    "?": bare["?"],
    "+": bare["+"],
  };
  const commands = { a: actions.selectAll, z: () => store.undo(), Z: () => store.redo(), y: () => store.redo() };

  /** What a key does here, or null. Controls keep the keys that are theirs: a button its Space, a slider its arrows. */
  function meaning(event) {
    const target = event.composedPath()[0];
    const tag = target.tagName;
    if (tag === "TEXTAREA" || target.isContentEditable) return event.key === "Escape" ? actions.escape : null;
    const typed = app.edit.key(event);
    if (typed) return typed;
    if (event.key === "Escape") return actions.escape;
    if (event.altKey) return ARROWS[event.key]?.[1] && app.lanes.shift(ARROWS[event.key][1]);
    if (command(event)) {
      if (event.key === "Enter") return () => choose(event);
      if (ARROWS[event.key]) return () => arrow(event);
      return commands[event.key] ?? null;
    }
    if (["BUTTON", "INPUT", "SELECT"].includes(tag) && [" ", "Enter"].includes(event.key)) return null;
    if (target.type === "range" && (ARROWS[event.key] || ["Home", "End"].includes(event.key))) return null;
    if (event.key === "Enter") return () => choose(event);
    // Who has clicked a tab goes on with time; who has come to it by keys goes from tab to tab.
    if (target.getAttribute("role") === "tab" && tabbed && (ARROWS[event.key]?.[0] || ["Home", "End"].includes(event.key)))
      return () => turn(target, event.key);
    if (ARROWS[event.key]) return () => arrow(event);
    return (
      (event.shiftKey ? shifted[event.key] : bare[event.key]) ??
      (event.shiftKey ? bare[event.key.length === 1 && !/[a-z]/i.test(event.key) ? event.key : ""] : null) ??
      null
    );
  }

  root.addEventListener(
    "keydown",
    (event) => {
      const act = meaning(event);
      if (act) {
        const used = act() !== false;
        if (!used) {
          // Escape with nothing left to undo gives the focus back to the notebook.
          root.getRootNode().activeElement?.blur();
          return;
        }
        event.preventDefault();
      }
      // Every key typed in here stays here, used or not: a stray "dd" must not delete a notebook cell.
      if (event.key !== "Tab") event.stopPropagation();
      else tabbed = true;
    },
    { signal },
  );
  root.addEventListener("pointerdown", () => (tabbed = false), { signal });
  // Some hosts listen to key presses and releases as well.
  for (const kind of ["keyup", "keypress"]) root.addEventListener(kind, (event) => event.stopPropagation(), { signal });
}
