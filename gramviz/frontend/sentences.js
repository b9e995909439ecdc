// One sentence about what is pointed at, else chosen, else focused; and what a picture says of itself.

import { answerWords, groupSentence } from "./answers.js";
import { boardView } from "./board.js";
import { changedCells, opponents, placeName, ranked, tokenLabel } from "./cells.js";
import { reasonSentence, tallySentence } from "./explain.js";
import { nearestPath, runOf } from "./groups.js";
import { address } from "./steps.js";
import { clean, number, percent } from "./text.js";
import { words } from "./words.js";

/** A cell: what stands there, how it came, how sure, and with whom it conflicts. */
function cellSentence(payload, state, transient, position) {
  const view = boardView(payload, state, transient);
  const { board } = payload;
  const place = placeName(board, position);
  if (view.mode === "all") {
    const parts = ranked(view.counts, position, board.tokens.length).map(([token, count]) =>
      words.tokenShare(tokenLabel(board, token), count, view.crowd),
    );
    return words.cell.share(place, parts);
  }
  const { run, path, step, tokens } = view;
  const token = tokens[position];
  const label = (id) => tokenLabel(board, id);
  const parts = [];
  parts.push(
    view.changed.has(position)
      ? words.cell.changed(place, label(run.tokens(path, step - 1)[position]), label(token))
      : words.cell.now(place, label(token)),
  );
  if (view.given[position]) parts.push(words.cell.given);
  else if (view.certainty) {
    const next =
      view.second && view.secondCertainty
        ? ` ${words.cell.next(label(view.second(position)), view.secondCertainty(position))}`
        : "";
    parts.push(words.cell.certainty(view.certainty(position)) + next);
  }
  const sentences = [`${words.pathName(run, path)}: ${parts.join(", ")}.`];
  if (view.reasons?.has(position)) sentences.unshift(reasonSentence(board, view, position));
  if (view.conflict(position)) {
    const others = opponents(board, tokens, position).map((other) => placeName(board, other));
    sentences.push(others.length ? words.cell.conflict(others) : board.ruled ? words.cell.breaks : words.cell.wrong);
  }
  if (view.pinned && view.pinned[position] !== token)
    sentences.push(
      words.cell.other(words.pathName(runOf(payload, state.pinned[0]), state.pinned[1]), label(view.pinned[position])),
    );
  if (view.other && view.other[position] !== token)
    sentences.push(words.cell.other(view.otherName, label(view.other[position])));
  if (view.truth && view.truth[position] !== token) sentences.push(words.cell.truth(label(view.truth[position])));
  return sentences.join(" ");
}

/** A path: its answer, whether it settled, its drift and certainty at the cursor. */
function pathSentence(payload, state, run, path) {
  const parts = [words.path.answer(payload.answers[run.final(path)]?.letter, answerWords(payload, run.final(path)))];
  if (run.settled) parts.push(run.settled(path) ? words.path.settled : words.path.wandering);
  const numbers = ["drift", "certainty", "value"]
    .filter((name) => Number.isFinite(run.curve(name, path, state.cursor.step)))
    .map((name) => `${name} ${number(run.curve(name, path, state.cursor.step))}`);
  const near = nearestPath(payload, state, run, path);
  if (near) numbers.push(words.cell.nearest(words.pathName(near.run, near.path), near.distance));
  return `${words.pathName(run, path)}: ${[parts.join(", "), ...numbers].join("; ")}.`;
}

/** A step of the shown path: what changed, and the conflicts before and after. */
function stepSentence(payload, state, transient) {
  const { run, path, step } = boardView(payload, state, transient);
  const conflicts = (at) => (run.curves.conflicts && at >= 0 ? run.curve("conflicts", path, at) : null);
  const where = words.time.step(address(payload, step));
  const ended =
    state.cursor.step >= run.steps && payload.runs.length > 1
      ? ` ${words.time.ended(run.letter, address(payload, run.steps - 1))}.`
      : "";
  return `${words.pathName(run, path)}, ${where.toLowerCase()}: ${words.settledStep("", changedCells(run, path, step).length, step ? conflicts(step - 1) : null, conflicts(step), payload.board.ruled).slice(2)}${ended}`;
}

/** The sentence of the details line. */
export function detailsSentence(payload, state, transient, veiled = false) {
  if (veiled) return words.lesson.locked; // a sentence here could give the answer away
  const { hover } = transient;
  if (hover?.cell !== undefined) return cellSentence(payload, state, transient, hover.cell);
  if (hover?.answers) return groupSentence(payload, state, hover.answers);
  if (hover?.paths) return `${groupSentence(payload, state, null, hover)} ${hover.note}`;
  if (hover?.path) return pathSentence(payload, state, runOf(payload, hover.path[0]), hover.path[1]);
  if (state.cells.length) return cellSentence(payload, state, transient, state.cells.at(-1));
  if (Object.keys(state.selected).length) return groupSentence(payload, state);
  const path = pathSentence(payload, state, runOf(payload, state.focus[0]), state.focus[1]);
  const [, rest] = /^[^:]*: (.*)$/s.exec(path); // the step's sentence has named the path already, if it is the same
  const { reasons: found } = boardView(payload, state, transient);
  const why = found ? `${tallySentence(found)}. ` : "";
  return `${why}${stepSentence(payload, state, transient)} ${state.board === "focus" ? rest[0].toUpperCase() + rest.slice(1) : path}`;
}

/** What a picture or a sheet of paper says of itself: the step, and which runs of which checkpoints it shows. */
export function provenance(payload, state) {
  const where = words.time.step(address(payload, state.cursor.step, state.cursor.low));
  const runs = payload.runs.map((run) => words.provenance(run));
  return clean([`${payload.title}, ${words.puzzle(payload.puzzle, payload.puzzles)}. ${where}.`, ...runs].join(" "), 2000);
}
