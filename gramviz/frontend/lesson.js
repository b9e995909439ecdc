// A lesson in progress: chapters, and quizzes that hide the future. Data, not code: gramviz.chapters checks the YAML.

import { cellName, changedCells, tokenLabel } from "./cells.js";
import { seriesOf, shownTrajectory, whoIs } from "./groups.js";
import { firstCorrect, parting } from "./steps.js";
import { joined } from "./text.js";
import { words } from "./words.js";

const TRIES = 2;

/** @typedef {import("./types.js").Payload} Payload */
/** @typedef {import("./types.js").Chapter} Chapter */
/** @typedef {import("./types.js").Quiz} Quiz */
/** @typedef {ReturnType<typeof createLesson>} Lesson */

/**
 * Up to four chapters that every rollout has: the start, a separation, the first correct board, the end.
 * @param {Payload} payload
 * @param {import("./types.js").State} state
 * @returns {Chapter[]}
 */
function automatic(payload, state) {
  const [series, trajectory] = shownTrajectory(payload, { ...state, board: "focus" });
  const name = words.trajectoryName(series, trajectory);
  const { pinned } = state;
  /** @type {{at: number, say: string}[]} */
  const found = [{ at: 0, say: words.lesson.start }];
  if (pinned) {
    const other = seriesOf(payload, pinned[0]);
    const separated = parting(other, pinned[1], series, trajectory);
    if (separated)
      found.push({ at: separated.step, say: words.lesson.part(words.trajectoryName(other, pinned[1]), name) });
  }
  const right = firstCorrect(series, trajectory);
  if (right !== null) found.push({ at: right, say: words.lesson.correct(name) });
  return [...found.sort((a, b) => a.at - b.at), { at: payload.steps - 1, say: words.lesson.end }];
}

/**
 * What an answer to a quiz is called, by the kind of the quiz.
 * @param {Payload} payload
 * @param {Quiz} quiz
 * @param {any} answer a position, a token, the number of an answer or of a choice, or [letter, index]
 * @returns {string}
 */
export function answerName(payload, quiz, answer) {
  if (quiz.kind === "cell") return cellName(payload.board, answer);
  if (quiz.kind === "token") return tokenLabel(payload.board, answer);
  if (quiz.kind === "answer") return words.answer(payload.answers[answer]?.letter);
  if (quiz.kind === "trajectory") return words.trajectoryName(...whoIs(payload, answer));
  return quiz.choices[answer];
}

/**
 * The answers that are right: the lesson's own, or what the rollout did.
 * @param {Payload} payload
 * @param {import("./types.js").State} state
 * @param {Quiz} quiz
 * @returns {any[]}
 */
function rightAnswers(payload, state, { kind, answer, until, cell }) {
  if (answer !== "auto") return answer;
  const [series, trajectory] = shownTrajectory(payload, { ...state, board: "focus" });
  if (kind === "token") return [series.tokens(trajectory, until)[cell]];
  if (kind === "answer") return [series.final(trajectory)];
  return changedCells(series, trajectory, until);
}

/**
 * The state that a chapter sets.
 * @param {Chapter} chapter
 * @param {number} step where its cursor stands
 * @returns {Partial<import("./types.js").State>}
 */
function chapterView(chapter, step) {
  /** @type {Record<string, number[]>} */
  const selected = {};
  for (const [letter, trajectory] of chapter.highlight?.trajectories ?? [])
    selected[letter] = [...(selected[letter] ?? []), trajectory];
  return {
    selected,
    cells: chapter.highlight?.cells ?? [],
    range: chapter.play ? [step, chapter.play.to] : null,
    ...(chapter.play ? { speed: chapter.play.speed, loop: false } : {}),
    ...(chapter.show ?? {}),
    cursor: { step, low: null },
  };
}

/**
 * The quizzes: what is right, how often one may try, and the score. Writes `asking`, `limit` and `reply`.
 * @param {Payload} payload
 * @param {import("./store.js").Store} store
 * @param {() => Chapter[]} chapters
 */
function createQuizzes(payload, store, chapters) {
  /** @type {Map<number, boolean>} */
  const score = new Map(); // chapter -> whether it was answered right; kept in this page only
  let tries = 0;

  /**
   * Ends a quiz: shows what it hid.
   * @param {Quiz} quiz
   * @param {boolean} hit
   * @param {string} text
   */
  function reveal(quiz, hit, text) {
    score.set(store.state.chapter ?? 0, hit);
    const asked = chapters().flatMap((chapter, k) => (chapter.quiz ? [k] : []));
    const hits = [...score.values()].filter(Boolean).length;
    const done = asked.every((k) => score.has(k)) ? words.lesson.score(hits, asked.length) : "";
    store.poke({ asking: false, limit: null, reply: [text, done].filter(Boolean).join(" ") });
    store.set({ cursor: { step: quiz.until, low: null } });
  }

  return {
    /** A chapter opens: its quiz hides what comes after it, unless it was answered before. */
    open() {
      const { chapter, cursor } = store.state;
      const quiz = chapter === null || score.has(chapter) ? null : chapters()[chapter]?.quiz;
      tries = 0;
      store.poke({ reply: "", asking: Boolean(quiz), limit: quiz ? Math.min(cursor.step, quiz.until - 1) : null });
    },
    /** @param {Quiz} quiz */
    skip: (quiz) => reveal(quiz, false, words.lesson.skipped),
    /** @param {Quiz} quiz @param {any} given see `answerName` */
    answer(quiz, given) {
      const right = rightAnswers(payload, store.state, quiz);
      const hit = right.some((one) => String(one) === String(given));
      if (!hit) tries += 1;
      if (!hit && tries < TRIES) {
        store.poke({ reply: [words.lesson.again, quiz.hint].filter(Boolean).join(" ") });
        return;
      }
      const names = right.map((one) => answerName(payload, quiz, one));
      const text = (hit ? quiz.right : quiz.wrong) ?? (hit ? words.lesson.right : words.lesson.wrong);
      const shown = names.length ? joined(names) : words.lesson.none;
      reveal(quiz, hit, text.replaceAll("{answer}", shown).replaceAll("{details}", ""));
    },
  };
}

/**
 * @param {Payload} payload
 * @param {import("./store.js").Store} store
 * @param {ReturnType<typeof import("./clock.js").createClock>} clock
 */
export function createLesson(payload, store, clock) {
  let chapters = payload.lesson?.chapters;
  function list() {
    chapters ??= automatic(payload, store.state);
    return chapters;
  }
  const quizzes = createQuizzes(payload, store, list);
  let entered = /** @type {number | null} */ (null);
  const current = () => (store.state.chapter === null ? null : (list()[store.state.chapter] ?? null));

  /** Whichever way a chapter is reached: by a button, an undo, or a saved view. */
  function enter() {
    if (store.state.chapter === entered) return;
    entered = store.state.chapter;
    quizzes.open();
  }
  store.listen((keys) => {
    if (keys.includes("chapter")) enter();
  });
  enter();

  /** @param {number} index */
  function go(index) {
    const chapter = list()[index];
    if (!chapter) return;
    const { quiz, play } = chapter;
    const { step } = store.state.cursor;
    clock.pause();
    store.poke({ limit: null });
    const at = chapter.at ?? (quiz ? Math.min(step, quiz.until - 1) : step);
    store.set({ ...chapterView(chapter, at), chapter: index });
    if (play) clock.play();
  }

  function leave() {
    store.set({ chapter: null, range: null });
    return true;
  }

  return {
    current,
    chapters: list,
    /** Next or previous chapter; opens the lesson where none is open. @param {number} by */
    turn: (by) => go(store.state.chapter === null ? (by > 0 ? 0 : -1) : store.state.chapter + by),
    toggle: () => (store.state.chapter === null ? go(0) : leave()),
    /** Escape: a quiz is skipped, else the lesson is left. False if there was nothing to leave. */
    escape() {
      const quiz = current()?.quiz;
      if (store.state.chapter === null) return false;
      if (!store.transient.asking || !quiz) return leave();
      quizzes.skip(quiz);
      return true;
    },
    /** @param {any} given see `answerName` */
    answer(given) {
      const quiz = current()?.quiz;
      if (quiz) quizzes.answer(quiz, given);
    },
  };
}
