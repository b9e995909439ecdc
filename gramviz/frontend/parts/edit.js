// The bar under which a puzzle is edited: what is typed goes onto the board, and a model solves it anew.

import { quiet, tokenLabel } from "../cells.js";
import { make, setText } from "../dom.js";
import { withCommand } from "../focus.js";
import { words } from "../words.js";

const MOST_BUTTONS = 12; // tokens that can also be pressed

/**
 * The changes to the puzzle, which live in the transient key `edit`.
 * @param {import("../registry.js").Context} context
 * @param {number} blank the token that means "not given"
 */
function createDraft({ payload, store, kernel, say }, blank) {
  const { x, board } = payload;
  return {
    /** Puts a token into the chosen cells; one that stands there already is no change. @param {number} token */
    put(token) {
      const { cells } = store.state;
      if (!cells.length) return say(words.edit.choose);
      const edit = { ...store.transient.edit };
      for (const cell of cells)
        if (x?.[cell] === token) delete edit[cell];
        else edit[cell] = token;
      return store.poke({ edit });
    },
    rerun() {
      const changes = Object.entries(store.transient.edit ?? {});
      if (!changes.length) return say(words.edit.none);
      store.poke({ edit: null });
      const written = (/** @type {number} */ token) =>
        token === blank ? null : board.tokens[token].symbol || board.tokens[token].label;
      const cells = Object.fromEntries(changes.map(([cell, token]) => [cell, written(token)]));
      return kernel.ask({ ask: "edit", cells });
    },
    leave: () => store.poke({ edit: null }),
  };
}

/** @param {import("../registry.js").Context} context @returns {import("../registry.js").Part} */
export function createEdit(context) {
  const { payload, store, root } = context;
  const { board } = payload;
  const blank = Math.max(0, ...board.blank);
  const visible = [...board.tokens.keys()].filter((id) => !quiet(board, id));
  const draft = createDraft(context, blank);
  const text = make("div", { role: "status" });
  /** @param {number} id @param {string} label */
  const button = (id, label) => make("button", { onclick: () => draft.put(id) }, label);
  const few = visible.length <= MOST_BUTTONS ? visible : [];
  const options = [...few.map((id) => button(id, tokenLabel(board, id))), button(blank, words.edit.blank)];
  const element = make(
    "section",
    { class: "captions", "aria-label": words.edit.puzzle, hidden: true },
    make("div", { class: "words" }, text, make("div", { class: "options" }, options)),
    make(
      "div",
      { class: "steps" },
      make("button", { onclick: draft.rerun }, words.edit.rerun),
      make("button", { onclick: draft.leave }, words.edit.leave),
    ),
  );
  return {
    name: "edit",
    reads: ["edit"],
    element,
    /** While the puzzle is edited, keys are tokens wherever the focus is. */
    capture(event) {
      const { key } = event;
      if (!store.transient.edit || store.transient.open || withCommand(event) || event.altKey) return null;
      if (key === "Escape") return draft.leave;
      if (key === "Enter")
        return /** @type {Element} */ (event.composedPath()[0]).tagName === "BUTTON" ? null : draft.rerun;
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
      if (edit) setText(text, words.edit.how(Object.keys(edit).length));
    },
  };
}
