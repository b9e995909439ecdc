// The caption of a chapter, and the buttons of its quiz.

import { quiet } from "../cells.js";
import { make, setAttribute, setText } from "../dom.js";
import { focusedIn } from "../focus.js";
import { answerName } from "../lesson.js";
import { words } from "../words.js";

/** @typedef {import("../registry.js").Context} Context */

/** Text with **bold** and `code`, as nodes: nothing else of it is read. @param {string} text @returns {Node[]} */
function rich(text) {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((piece) => {
    if (/^\*\*.+\*\*$/.test(piece)) return make("b", {}, piece.slice(2, -2));
    if (/^`.+`$/.test(piece)) return make("code", {}, piece.slice(1, -1));
    return document.createTextNode(piece);
  });
}

/**
 * The buttons of a quiz: one for each answer, or one that takes what is chosen in the board or map.
 * @param {Context} context
 * @returns {HTMLElement[]}
 */
function quizButtons({ payload, store, lesson }) {
  const quiz = store.transient.asking ? lesson.current()?.quiz : null;
  if (!quiz) return [];
  /** @param {string} label @param {() => any} given */
  const take = (label, given) => make("button", { onclick: () => lesson.answer(given()) }, label);
  /** @param {any} answer */
  const named = (answer) => take(answerName(payload, quiz, answer), () => answer);
  const lists = {
    token: () => [...payload.board.tokens.keys()].filter((token) => !quiet(payload.board, token)).map(named),
    answer: () => [...payload.answers.keys()].slice(0, 6).map(named),
    choice: () => [...quiz.choices.keys()].map(named),
    cell: () => [take(words.lesson.takeCell, () => store.state.cells.at(-1) ?? null)],
    trajectory: () => [take(words.lesson.takeTrajectory, () => store.state.focus)],
  };
  return [...lists[quiz.kind](), make("span", { class: "note" }, words.lesson.locked)];
}

/** @param {Context} context @returns {import("../registry.js").Part} */
export function createCaptions(context) {
  const { store, lesson, root } = context;
  const caption = make("div", { class: "say selectable", "aria-live": "polite" });
  const reply = make("div", { class: "reply selectable", role: "status" });
  const options = make("div", { class: "options" });
  const count = make("span", { class: "muted" });
  const back = make("button", { onclick: () => lesson.turn(-1) }, words.lesson.back);
  const next = make("button", { onclick: () => lesson.turn(1) }, words.lesson.next);
  const element = make(
    "section",
    { class: "captions", "aria-label": words.lesson.title, hidden: true },
    make("div", { class: "words" }, caption, reply, options),
    make("div", { class: "steps" }, count, back, next),
  );
  let said = ""; // the caption that is on screen: it is read aloud once

  /** @param {number} chapter @param {boolean} asking */
  function updateButtons(chapter, asking) {
    const last = lesson.chapters().length - 1;
    const focused = focusedIn(root);
    setText(count, words.lesson.of(chapter + 1, last + 1));
    setAttribute(back, "disabled", chapter === 0 ? "" : null);
    setAttribute(next, "disabled", chapter === last || asking ? "" : null);
    options.replaceChildren(...quizButtons(context));
    // Whoever turned to the first or the last chapter, or to a quiz, stays here.
    const first = () => (asking ? options.querySelector("button") : null);
    if (focused === next && next.disabled) (first() ?? back).focus();
    else if (focused === back && back.disabled) (first() ?? next).focus();
  }

  return {
    name: "lesson",
    reads: ["layout", "chapter", "asking", "reply"],
    element,
    update(changed) {
      const { chapter } = store.state;
      const { asking } = store.transient;
      const shown = lesson.current();
      element.hidden = !shown;
      root.classList.toggle("asking", Boolean(shown) && asking);
      setAttribute(root, "data-highlight", shown?.highlight?.part ?? null);
      setText(reply, store.transient.reply);
      if (!shown || chapter === null) {
        said = "";
        return;
      }
      const same = changed.has("reply") || (changed.has("layout") && shown.say === said);
      if (changed.size === 1 && same) return; // the button that was pressed keeps the focus
      if (shown.say !== said) caption.replaceChildren(...rich(shown.say));
      said = shown.say;
      updateButtons(chapter, asking);
    },
  };
}
