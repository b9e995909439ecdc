// The bar under which a puzzle is edited: what is typed goes onto the board, and a model solves it anew.

import { quiet, tokenLabel } from "../cells.js";
import { make, setText } from "../dom.js";
import { withCommand } from "../focus.js";
import { seriesOf } from "../groups.js";
import { address } from "../steps.js";
import { words } from "../words.js";

const MOST_BUTTONS = 12; // tokens that can also be pressed

/**
 * The changes to the puzzle, which live in the transient key `edit`.
 * @param {import("../registry.js").Context} context
 * @param {number} blank the token that means "not given"
 */
function createDraft({ payload, store, kernel, say }, blank) {
  const { board } = payload;
  const series = () => seriesOf(payload, store.state.focus[0]);
  return {
    /** Puts a token into the chosen cells; one that stands there already is no change. @param {number} token */
    put(token) {
      const { cells } = store.state;
      if (!cells.length) return say(words.edit.choose);
      const edit = { ...store.transient.edit };
      const x = series().x ?? payload.x;
      for (const cell of cells)
        if (x?.[cell] === token) delete edit[cell];
        else edit[cell] = token;
      return store.poke({ edit });
    },
    /**
     * Asks for a branch on this puzzle: the whole series anew, or the focused trajectory from the cursor on.
     * @param {boolean} whole
     */
    rerun(whole) {
      const changes = Object.entries(store.transient.edit ?? {});
      if (!changes.length) return say(words.edit.none);
      store.poke({ edit: null });
      const written = (/** @type {number} */ token) =>
        token === blank ? null : board.tokens[token].symbol || board.tokens[token].label;
      const edit = Object.fromEntries(changes.map(([cell, token]) => [cell, written(token)]));
      const { letter, held } = series();
      const { focus, cursor } = store.state;
      const from = whole ? {} : { trajectory: focus[1], step: held(cursor.step) };
      return kernel.ask({ ask: "branch", series: letter, edit, ...from });
    },
    leave: () => store.poke({ edit: null }),
  };
}

/** @param {import("../registry.js").Context} context @returns {import("../registry.js").Part} */
export function createEdit(context) {
  const { payload, store, root, thinker } = context;
  const { board } = payload;
  const blank = Math.max(0, ...board.blank);
  const written = board.kind === "graph" ? board.exclusive : null; // its other tokens are edges
  const visible = written ?? [...board.tokens.keys()].filter((id) => !quiet(board, id));
  const draft = createDraft(context, blank);
  const text = make("div", { role: "status" });
  /** @param {number} id @param {string} label */
  const button = (id, label) => make("button", { onclick: () => draft.put(id) }, label);
  const few = visible.length <= MOST_BUTTONS ? visible : [];
  const options = [...few.map((id) => button(id, tokenLabel(board, id))), button(blank, words.edit.blank)];
  const resume = make("button", { onclick: () => draft.rerun(false) });
  const element = make(
    "section",
    { class: "captions", "aria-label": words.edit.puzzle, hidden: true },
    make("div", { class: "words" }, text, make("div", { class: "options" }, options)),
    make(
      "div",
      { class: "steps", hidden: Boolean(thinker) }, // "Your puzzle" runs it
      make("button", { onclick: () => draft.rerun(true) }, words.edit.rerun),
      resume,
      make("button", { onclick: draft.leave }, words.edit.leave),
    ),
  );
  return {
    name: "edit",
    reads: ["edit", "focus", "cursor"],
    element,
    /** While the puzzle is edited, keys are tokens wherever the focus is. */
    capture(event) {
      const { key } = event;
      if (!store.transient.edit || store.transient.open || withCommand(event) || event.altKey) return null;
      if (key === "Escape") return draft.leave;
      if (key === "Enter") {
        const pressed = /** @type {Element} */ (event.composedPath()[0]).tagName === "BUTTON";
        return pressed || thinker ? null : () => draft.rerun(true);
      }
      const named = (/** @type {number} */ id) => board.tokens[id].symbol.toLowerCase() === key.toLowerCase();
      const found = visible.find(named) ?? visible[Number(key) - 1];
      if (found !== undefined) return () => draft.put(found);
      return ["0", ".", "Backspace", "Delete"].includes(key) ? () => draft.put(blank) : null;
    },
    update() {
      const { edit } = store.transient;
      if (element.hidden === Boolean(edit)) {
        const inside = element.matches(":focus-within");
        element.hidden = !edit;
        // There the arrows go from cell to cell. Who leaves from elsewhere stays there.
        if (edit || inside) /** @type {HTMLElement} */ (root.querySelector("[data-part=board]")).focus();
      }
      if (!edit) return;
      const { focus, cursor } = store.state;
      const series = seriesOf(payload, focus[0]);
      setText(text, (thinker ? words.edit.put : words.edit.how)(Object.keys(edit).length));
      setText(resume, words.edit.resume(words.trajectoryName(series, focus[1]), address(payload, cursor.step)));
    },
  };
}
