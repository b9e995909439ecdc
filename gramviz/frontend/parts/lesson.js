// Lessons: chapters with captions, and quizzes that hide the future. Data, not code: gramviz.chapters checks the YAML.

import { changedCells, cellName, quiet, tokenLabel } from "../cells.js";
import { make, setAttribute, setText } from "../dom.js";
import { runOf, shownPath } from "../groups.js";
import { address, firstCorrect, parting } from "../steps.js";
import { words } from "../words.js";

const TRIES = 2;

/** Four chapters that every rollout has: the start, where paths part, the first correct board, the end. */
function automatic(payload, state) {
  const [run, path] = shownPath(payload, { ...state, board: "focus" });
  const name = words.pathName(run, path);
  const { pinned } = state;
  const parted = pinned && parting(runOf(payload, pinned[0]), pinned[1], run, path);
  const right = firstCorrect(run, path);
  const found = [{ at: 0, say: words.lesson.start }];
  if (parted)
    found.push({ at: parted.step, say: words.lesson.part(words.pathName(runOf(payload, pinned[0]), pinned[1]), name) });
  if (right !== null) found.push({ at: right, say: words.lesson.correct(name) });
  return [...found.sort((a, b) => a.at - b.at), { at: payload.steps - 1, say: words.lesson.end }];
}

/** Text with **bold** and `code`, as elements: nothing else of it is read. */
function rich(text) {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((piece) => {
    if (/^\*\*.+\*\*$/.test(piece)) return make("b", {}, piece.slice(2, -2));
    if (/^`.+`$/.test(piece)) return make("code", {}, piece.slice(1, -1));
    return document.createTextNode(piece);
  });
}

export function createLesson(app, clock) {
  const { payload, store } = app;
  let chapters = payload.lesson?.chapters ?? null;
  const caption = make("div", { class: "say selectable", "aria-live": "polite" });
  const reply = make("div", { class: "reply selectable", role: "status" });
  const options = make("div", { class: "options" });
  const count = make("span", { class: "muted" });
  const back = make("button", { onclick: () => go(store.state.chapter - 1) }, words.lesson.back);
  const next = make("button", { onclick: () => go(store.state.chapter + 1) }, words.lesson.next);
  const el = make(
    "section",
    { class: "captions", "aria-label": words.lesson.title, hidden: true },
    make("div", { class: "words" }, caption, reply, options),
    make("div", { class: "steps" }, count, back, next),
  );
  const score = new Map(); // chapter -> whether it was answered right; kept in this page only
  let tries = 0;
  let shown = null; // the chapter that is on screen

  const current = () => (store.state.chapter === null ? null : (chapters?.[store.state.chapter] ?? null));
  const asking = () => Boolean(current()?.quiz) && !score.has(store.state.chapter);

  function go(index) {
    chapters ??= automatic(payload, store.state);
    if (index < 0 || index >= chapters.length) return;
    clock.pause();
    store.limit = null;
    tries = 0;
    const chapter = chapters[index];
    const at = chapter.at ?? (chapter.quiz ? Math.min(store.state.cursor.step, chapter.quiz.until - 1) : store.state.cursor.step);
    const selected = {};
    for (const [letter, path] of chapter.look?.paths ?? []) selected[letter] = [...(selected[letter] ?? []), path];
    store.set({
      selected,
      cells: chapter.look?.cells ?? [],
      range: chapter.play ? [at, chapter.play.to] : null,
      ...(chapter.play ? { speed: chapter.play.speed, loop: false } : {}),
      ...(chapter.show ?? {}),
      cursor: { step: at, low: null },
      chapter: index,
    });
    if (asking()) store.limit = at;
    app.relayout();
    if (chapter.play) clock.play();
  }

  /** What is right: the lesson's own answer, or what the rollout did. */
  function solution({ kind, answer, until, cell }) {
    if (answer !== "auto") return answer;
    const [run, path] = shownPath(payload, { ...store.state, board: "focus" });
    if (kind === "token") return [run.tokens(path, until)[cell]];
    if (kind === "answer") return [run.final(path)];
    return changedCells(run, path, until);
  }

  const named = {
    cell: (cell) => cellName(payload.board, cell),
    token: (token) => tokenLabel(payload.board, token),
    answer: (id) => words.answer(payload.answers[id]?.letter),
    path: ([letter, path]) => words.pathName(runOf(payload, letter), path),
    choice: (index) => current().quiz.choices[index],
  };

  function answer(given) {
    const { quiz } = current();
    const right = solution(quiz);
    const told = right.length ? words.joined(right.map(named[quiz.kind])) : words.lesson.none;
    const hit = right.some((one) => String(one) === String(given));
    if (!hit && (tries += 1) < TRIES) {
      setText(reply, [words.lesson.again, quiz.hint].filter(Boolean).join(" "));
      return;
    }
    score.set(store.state.chapter, hit);
    const text = (hit ? quiz.right : quiz.wrong) ?? (hit ? words.lesson.right : words.lesson.wrong);
    reveal(text.replaceAll("{answer}", told).replaceAll("{details}", ""));
  }

  function reveal(text) {
    const { quiz } = current();
    const asked = chapters.map((chapter, k) => chapter.quiz && k).filter(Number.isInteger);
    const done = asked.every((k) => score.has(k));
    const hits = [...score.values()].filter(Boolean).length;
    store.limit = null;
    store.set({ cursor: { step: quiz.until, low: null } });
    setText(reply, [text, done ? words.lesson.score(hits, asked.length) : ""].filter(Boolean).join(" "));
    app.root.focus({ preventScroll: true }); // the buttons go, and the keys must stay with us
    app.relayout();
  }

  /** The buttons of a question: one per answer, or one that takes what is chosen in the board or map. */
  function fillOptions() {
    const quiz = asking() ? current().quiz : null;
    const take = (label, given) => make("button", { onclick: () => answer(given()) }, label);
    const lists = {
      token: () =>
        payload.board.tokens
          .map((_, token) => token)
          .filter((token) => !quiet(payload.board, token))
          .map((token) => take(named.token(token), () => token)),
      answer: () => payload.answers.slice(0, 6).map((_, id) => take(named.answer(id), () => id)),
      choice: () => quiz.choices.map((text, index) => take(text, () => index)),
      cell: () => [take(words.lesson.takeCell, () => store.state.cells.at(-1) ?? null)],
      path: () => [take(words.lesson.takePath, () => store.state.focus)],
    };
    options.replaceChildren(...(quiz ? lists[quiz.kind]() : []));
    if (quiz) options.append(make("span", { class: "note" }, words.lesson.locked));
  }

  return {
    el,
    /** Next or previous chapter; opens the lesson where none is open. */
    turn: (by) => go(store.state.chapter === null ? (by > 0 ? 0 : -1) : store.state.chapter + by),
    toggle: () => (store.state.chapter === null ? go(0) : leave()),
    /** Escape: a question is skipped, else the lesson is left. False if there was nothing to leave. */
    escape() {
      if (store.state.chapter === null) return false;
      if (!asking()) return leave();
      score.set(store.state.chapter, false);
      reveal(words.lesson.skipped);
      return true;
    },
    asking,
    update(keys) {
      if (!keys.has("chapter") && !keys.has("layout")) return;
      const chapter = current();
      // A saved view may open inside a lesson: then the chapter is on screen without having been entered.
      if (store.state.chapter !== null && !chapters) chapters = automatic(payload, store.state);
      el.hidden = !current();
      if (!current()) {
        shown = null;
        return;
      }
      if (shown !== store.state.chapter) {
        shown = store.state.chapter;
        caption.replaceChildren(...rich(current().say));
        setText(reply, "");
        if (asking()) store.limit = Math.min(store.state.cursor.step, current().quiz.until - 1);
      }
      setText(count, words.lesson.of(store.state.chapter + 1, chapters.length));
      const focused = el.getRootNode().activeElement;
      setAttribute(back, "disabled", store.state.chapter === 0 ? "" : null);
      setAttribute(next, "disabled", store.state.chapter === chapters.length - 1 || asking() ? "" : null);
      fillOptions();
      // Whoever turned to the first or the last chapter, or to a question, stays here.
      if (focused === next && next.disabled) (asking() ? options.querySelector("button") : back).focus();
      else if (focused === back && back.disabled) (asking() ? options.querySelector("button") : next).focus();
      app.root.classList.toggle("asking", asking());
      const part = chapter?.look?.part ?? null;
      setAttribute(app.root, "data-look", part);
      setAttribute(el, "data-at", address(payload, store.state.cursor.step));
    },
  };

  function leave() {
    store.limit = null;
    app.root.classList.remove("asking");
    app.root.removeAttribute("data-look");
    store.set({ chapter: null, range: null });
    return true;
  }
}
