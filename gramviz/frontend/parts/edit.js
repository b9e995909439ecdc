// What only a model can answer: another puzzle, typed on the board, or a branch from the state that is shown. The page
// asks the kernel, once, on a person's wish; a frozen page says what it would take.

import { cellName, quiet, tokenLabel } from "../cells.js";
import { make, setText } from "../dom.js";
import { runOf } from "../groups.js";
import { address } from "../steps.js";
import { clean } from "../text.js";
import { words } from "../words.js";

const SILENCE = 10_000; // ms until a kernel that has not even said that it heard is told of
const MOST_RUNS = 4;
const MOST_BUTTONS = 12; // tokens that can also be pressed

/** While the puzzle is edited the board shows what is given, with what was typed since; else `view` itself. */
export function drafted(payload, { edit }, view) {
  if (!edit) return view;
  const tokens = Uint8Array.from(payload.x, (token, cell) => edit[cell] ?? token);
  return {
    ...view,
    ...{ mode: "one", trail: [], reasons: null, certainty: null, second: null, pinned: null, truth: null, draft: true },
    run: { ...view.run, tokens: () => payload.x }, // what was there before a change
    tokens,
    given: Array.from(tokens, (token) => !payload.board.blank.includes(token)),
    changed: new Set(Object.keys(edit).map(Number)),
    conflict: () => false,
  };
}

export function createEdit(app, model) {
  const { payload, store, signal } = app;
  const { board } = payload;
  const blank = Math.max(0, ...board.blank);
  const visible = board.tokens.map((_, id) => id).filter((id) => !quiet(board, id));
  let asked = null; // the id of the last question
  let timer = null;

  const heard = (answer) => {
    if (asked === null || answer?.id !== asked) return;
    clearTimeout(timer);
    if (answer.busy) return app.say(words.edit.busy);
    if (answer.ok) return; // what it comes with may still be on its way
    store.asking = false;
    store.agreed = model.get("state");
    app.say(clean(answer.say, 400));
  };
  model.on("msg:custom", heard);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    model.off("msg:custom", heard);
  });
  function ask(question) {
    store.flush();
    store.asking = true;
    asked = `${Math.random()}`;
    app.say(words.edit.asked);
    clearTimeout(timer);
    timer = setTimeout(() => app.say(words.edit.silent), SILENCE);
    model.send({ ...question, id: asked });
  }

  /** Puts a token into the chosen cells; one that stands there already is no change. */
  function put(token) {
    const { cells } = store.state;
    if (!cells.length) return app.say(words.edit.choose);
    const edit = { ...store.transient.edit };
    for (const cell of cells)
      if (payload.x[cell] === token) delete edit[cell];
      else edit[cell] = token;
    return store.poke({ edit });
  }
  function rerun() {
    const changes = Object.entries(store.transient.edit);
    if (!changes.length) return app.say(words.edit.none);
    store.poke({ edit: null });
    const written = (token) => (token === blank ? null : board.tokens[token].symbol || board.tokens[token].label);
    return ask({ ask: "edit", cells: Object.fromEntries(changes.map(([cell, token]) => [cell, written(token)])) });
  }
  const leave = () => store.poke({ edit: null });

  const text = make("div", { role: "status" });
  const token = (id, label) => make("button", { onclick: () => put(id) }, label);
  const el = make(
    "section",
    { class: "captions", "aria-label": words.edit.puzzle, hidden: true },
    make(
      "div",
      { class: "words" },
      text,
      make(
        "div",
        { class: "options" },
        ...(visible.length <= MOST_BUTTONS ? visible.map((id) => token(id, tokenLabel(board, id))) : []),
        token(blank, words.edit.blank),
      ),
    ),
    make(
      "div",
      { class: "steps" },
      make("button", { onclick: rerun }, words.edit.rerun),
      make("button", { onclick: leave }, words.edit.leave),
    ),
  );

  /** Why the kernel cannot be asked for this, or null. */
  const refusal = (what) =>
    model.frozen || !model.get("asks") ? words.edit.kernel : model.get("asks").includes(what) ? null : words.edit.model;

  return {
    el,
    /** What "View" offers of planes that the page does not hold: that of the chosen cell, if the kernel packs it. */
    planes() {
      const [cell] = store.state.cells;
      if (cell !== undefined && payload.bases.some((basis) => basis.name === `cell${cell}`)) return [];
      const why =
        payload.missing.h ??
        (refusal("cell") === words.edit.model ? words.edit.rollout : refusal("cell")) ??
        (cell === undefined ? words.edit.plane : null);
      const name = cell === undefined ? null : `${board.kind === "graph" ? "node" : "cell"} ${cellName(board, cell)}`;
      return [{ label: words.edit.cell(name), act: () => ask({ ask: "cell", cell }), why, disabled: Boolean(why) }];
    },
    /** What "+ Compare" offers: the runs that the kernel was lent, by number. */
    others() {
      const names = (!model.frozen && model.get("others")) || [];
      const lent = refusal("compare");
      const why =
        lent === words.edit.model ? words.edit.lend : (lent ?? (payload.runs.length === MOST_RUNS ? words.edit.full : null));
      const offer = (label, other) => ({ label, act: () => ask({ ask: "compare", other }), why, disabled: Boolean(why) });
      return names.length ? names.map((name, other) => offer(clean(name, 60), other)) : [offer(words.edit.other)];
    },
    /** What "View" offers. */
    items() {
      const { focus, pinned, cursor } = store.state;
      const run = runOf(payload, focus[0]);
      const step = run.held(cursor.step);
      const name = words.pathName(run, focus[1]);
      const branch = (more = {}) => () => ask({ ask: "branch", run: run.letter, path: focus[1], step, ...more });
      const why = refusal("branch");
      const editing = refusal("edit") ?? (payload.x ? null : words.edit.beside);
      const offer = (label, act, why) => ({ label, act, why, disabled: Boolean(why) });
      const { edit } = store.transient;
      const other = pinned && String(pinned) !== String(focus) ? pinned : null;
      const kin = other && runOf(payload, other[0]).checkpoint === run.checkpoint;
      return [
        { ...offer(words.edit.puzzle, () => store.poke({ edit: edit ? null : {} }), editing), checked: Boolean(edit) },
        offer(words.edit.branch(name, address(payload, step)), branch(), why),
        ...(why
          ? []
          : [
              offer(
                words.edit.towards(other ? words.pathName(runOf(payload, other[0]), other[1]) : null),
                branch({ towards: other }),
                kin ? null : words.edit.pin,
              ),
              ...[1, 2].map((along) => offer(words.edit.along(along), branch({ along }), null)),
            ]),
      ];
    },
    /** What a key does while the puzzle is edited; null where it keeps its meaning. */
    key(event) {
      if (!store.transient.edit || store.transient.open || event.ctrlKey || event.metaKey || event.altKey) return null;
      if (event.key === "Escape") return leave;
      if (event.key === "Enter") return event.composedPath()[0].tagName === "BUTTON" ? null : rerun;
      const { key } = event;
      const found =
        visible.find((id) => board.tokens[id].symbol.toLowerCase() === key.toLowerCase()) ?? visible[Number(key) - 1];
      if (found !== undefined) return () => put(found);
      return ["0", ".", "Backspace", "Delete"].includes(key) ? () => put(blank) : null;
    },
    update(keys) {
      const { edit } = store.transient;
      if (keys.has("edit") && el.hidden === Boolean(edit)) {
        el.hidden = !edit;
        app.root.querySelector("[data-part=board]").focus(); // where the arrows are that go from cell to cell
      }
      if (edit) setText(text, words.edit.how(Object.keys(edit).length));
    },
  };
}
