// "Your puzzle": a puzzle that a person types, clicks or pastes, and the models of the page that are run on it. Hidden
// where the page carries none.

import { make, setText } from "../dom.js";
import { yourWords } from "../think/yourwords.js";
import { randomPuzzle } from "../think/random.js";
import { judgeBoard } from "../think/record.js";
import { solve2 } from "../think/solver.js";
import { CHOICES, drawnBoard } from "../think/thinker.js";
import { readTyped, writeTyped } from "../think/typed.js";

/** @typedef {import("../registry.js").Context} Context */
/** @typedef {import("../think/thinker.js").Thinker} Thinker */

const PATIENCE = 250; // ms without change until a puzzle is solved to say how many solutions it has

/** The puzzle that is typed: tokens (in the transient key `edit`, beside those of the page), and edges of a graph.
 * @param {Context} context @param {Thinker} thinker */
function createPuzzle({ payload, store }, thinker) {
  const known = payload.x ?? [];
  const graph = payload.board.kind === "graph";
  let edges = thinker.edges();
  return {
    graph,
    get edges() {
      return edges;
    },
    x: () => known.map((token, at) => store.transient.edit?.[at] ?? token),
    /** @param {number[]} x @param {number[][]} [others] */
    set(x, others) {
      edges = others ?? edges;
      const changed = x.flatMap((token, at) => (token === known[at] ? [] : [[at, token]]));
      store.poke({ edit: Object.fromEntries(changed), edges: graph ? edges : null });
    },
    board: () => drawnBoard(payload.meta.board, edges),
    /** @param {string} written @returns {import("../think/typed.js").Typed} */
    read: (written) => readTyped(payload.board, written),
    written() {
      return writeTyped(payload.board, this.x(), edges);
    },
  };
}

/** A number that a person chooses. @param {Thinker} thinker @param {import("../think/thinker.js").Choice} name
 * @param {(text: string) => void} say names a number that cannot be had */
function numberField({ settings, choose }, name, say) {
  const [min, max, step] = CHOICES[name];
  const input = make("input", {
    type: "number",
    min,
    max,
    step,
    value: settings[name],
    "data-field": name,
    onchange() {
      choose(name, input.value);
      const taken = settings[name];
      if (Number(input.value) !== taken) say(yourWords.range(yourWords[name], input.value, min, max, taken));
      input.value = `${taken}`;
    },
  });
  return make("label", {}, yourWords[name], input);
}

/** @param {Thinker} thinker */
function modelField({ programs, settings }) {
  const names = programs.length > 1 ? ["", ...programs.map(({ name }) => name)] : [programs[0].name];
  const options = names.map((name) =>
    make("option", { value: name, selected: name === settings.model }, name || yourWords.all),
  );
  const select = make(
    "select",
    {
      "data-field": "model",
      onchange() {
        settings.model = select.value;
      },
    },
    options,
  );
  return make("label", {}, yourWords.model, select);
}

/** What is known of a puzzle: broken rules, or how many solutions it has.
 * @param {ReturnType<typeof createPuzzle>} puzzle */
function verdict(puzzle) {
  const [board, x] = [puzzle.board(), puzzle.x()];
  const broken = judgeBoard({ ...board, required: [] }, x).conflict.filter(Boolean).length;
  if (broken) return yourWords.conflict(broken);
  if (board.kind === "image") return yourWords.free;
  const { found, whole } = solve2(board, x);
  if (found.length > 1) return yourWords.many;
  if (!whole) return yourWords.unknown;
  return found.length ? yourWords.one : yourWords.none;
}

/** The form, which is open while the puzzle is edited. @param {Context} context @param {Thinker} thinker */
function createForm(context, thinker) {
  const { payload, signal, store } = context;
  const puzzle = createPuzzle(context, thinker);
  const { board } = payload;
  const queens = board.tokens.some(({ glyph }) => glyph === "queen");
  const form = { graph: yourWords.graph, image: yourWords.pixels, grid: queens ? yourWords.queens : yourWords.ways }[
    board.kind
  ];
  const said = make("p", { role: "status", class: "note" });
  let unread = false; // what is written is no puzzle of this board
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  signal.addEventListener("abort", () => clearTimeout(timer));
  const say = (/** @type {string} */ text) => {
    clearTimeout(timer);
    setText(said, text);
  };
  /** @param {boolean} problem */
  function refuse(problem) {
    unread = problem;
    area.ariaInvalid = `${problem}`;
  }
  function judge() {
    clearTimeout(timer);
    timer = setTimeout(() => setText(said, verdict(puzzle)), PATIENCE);
  }
  const area = make("textarea", {
    rows: puzzle.graph ? 3 : board.height,
    cols: puzzle.graph ? 30 : board.width + 2,
    spellcheck: "false",
    "aria-label": yourWords.text(form),
    "data-field": "text",
    oninput() {
      const read = puzzle.read(area.value);
      refuse("problem" in read);
      if ("problem" in read) return say(read.problem);
      puzzle.set(read.x, read.edges);
      return judge();
    },
  });
  function run() {
    if (unread) return area.focus();
    clearTimeout(timer);
    const [x, edges] = [puzzle.x(), puzzle.edges];
    store.poke({ edit: null });
    thinker.focused = "stop";
    thinker.run(x, edges);
  }
  /** @param {string} label @param {() => void} onclick @param {string} name */
  const button = (label, onclick, name) => make("button", { onclick, "data-field": name }, label);
  const blank = Math.max(...board.blank);
  function random() {
    const made = randomPuzzle(payload.meta.board, payload.x ?? []);
    puzzle.set(made.x, made.edges);
    fill();
  }
  function clear() {
    puzzle.set(
      (payload.x ?? []).map(() => blank),
      [],
    );
    fill();
  }
  function fill() {
    refuse(false);
    area.value = puzzle.written();
    judge();
  }
  const samples = thinker.programs.some(({ guidance_hidden: guided }) => guided > 0);
  const fields = [
    ...(thinker.programs.length > 1 ? [modelField(thinker)] : []),
    ...(samples ? [numberField(thinker, "trajectories", say)] : []),
    numberField(thinker, "depth", say),
    ...(samples ? [numberField(thinker, "noise", say), numberField(thinker, "seed", say)] : []),
  ];
  const buttons = [
    button(yourWords.run, run, "run"),
    button(yourWords.clear, clear, "clear"),
    button(yourWords.random, random, "random"),
  ];
  const element = make(
    "div",
    {
      class: "typing",
      hidden: true,
      /** Ctrl+Enter runs, as in a notebook. @param {KeyboardEvent} event */
      onkeydown(event) {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
        else if (event.key === "Escape") store.poke({ edit: null });
        else return;
        event.stopPropagation();
      },
    },
    area,
    make(
      "div",
      { class: "choices" },
      make("p", { class: "muted" }, board.kind === "image" ? yourWords.draw : yourWords.how),
      make("div", { class: "fields" }, fields),
      make("div", { class: "fields" }, buttons),
      said,
    ),
  );
  return {
    element,
    run,
    update() {
      const open = store.transient.edit !== null;
      if (element.hidden === open) {
        element.hidden = !open;
        if (open) fill();
      } else if (open && !area.matches(":focus")) {
        const written = puzzle.written();
        if (area.value !== written) fill();
      }
    },
  };
}

/** @param {Context} context @returns {import("../registry.js").Part} */
export function createYours(context) {
  const { payload, store, signal, thinker } = context;
  const title = payload.board.kind === "image" ? yourWords.picture : yourWords.title;
  const element = make("section", { class: "yours", "aria-label": title });
  if (!thinker) return { name: "yours", reads: [], element: make("div", { hidden: true }), update() {} };
  const form = createForm(context, thinker);
  const open = make(
    "button",
    { "data-field": "open", onclick: () => store.poke({ edit: store.transient.edit ? null : {} }) },
    title,
  );
  // While the page is built anew a press and its release may fall on two buttons: the press alone counts.
  const stopping = { "data-field": "stop", onclick: thinker.stop, onpointerdown: thinker.stop };
  const stop = make("button", stopping, yourWords.stop);
  const back = make("button", { "data-field": "back", onclick: thinker.restore }, yourWords.recorded);
  const status = make("span", { role: "status", class: "muted" });
  element.append(make("div", { class: "fields" }, open, stop, back, status), form.element);
  function tell() {
    setText(status, /** @type {Thinker} */ (thinker).status);
    if (!thinker?.busy && stop.matches(":focus")) open.focus();
    stop.hidden = !thinker?.busy;
    back.hidden = !thinker?.own;
  }
  element.addEventListener("focusin", ({ target }) => {
    thinker.focused = /** @type {HTMLElement} */ (target).dataset.field ?? null;
  });
  element.addEventListener("focusout", ({ relatedTarget }) => {
    // Where an element that has the focus goes, the browser gives it to one around it.
    if (relatedTarget && relatedTarget !== context.root) thinker.focused = null;
  });
  thinker.listen(tell, signal);
  tell();
  // The page is built anew with each step: the focus stays where it was.
  requestAnimationFrame(() => {
    const { focused } = thinker;
    const target = element.querySelector(`[data-field=${focused}]:not([hidden])`) ?? open;
    if (focused && !signal.aborted) /** @type {HTMLElement} */ (target).focus();
  });
  return {
    name: "yours",
    reads: ["edit"],
    element,
    /** Enter on the board runs what is typed. */
    capture(event) {
      if (event.key !== "Enter" || !store.transient.edit || store.transient.open) return null;
      const { tagName } = /** @type {Element} */ (event.composedPath()[0]);
      return ["BUTTON", "TEXTAREA", "INPUT", "SELECT"].includes(tagName) ? null : form.run;
    },
    update() {
      open.setAttribute("aria-expanded", String(store.transient.edit !== null));
      if (store.transient.edit) thinker.prepare();
      form.update();
    },
  };
}
