// What leaves the page: a picture, the numbers, and the view as Python or JSON. Nothing is sent anywhere.

import { answerWords } from "./parts/answers.js";
import { provenance } from "./parts/details.js";
import { make } from "./dom.js";
import { filmOf, momentsOf, videoKind } from "./movie.js";
import { notedPng, notedWebm } from "./note.js";
import { pictureOf, vectorsOf } from "./picture.js";
import { pythonLine } from "./python.js";
import { address } from "./steps.js";
import { words } from "./words.js";

/** A file name of plain characters, whatever the title was. */
export function fileName(payload, state, ending) {
  const plain = `${payload.title}-puzzle-${payload.puzzle + 1}-step-${address(payload, state.cursor.step, state.cursor.low)}`;
  return `${plain.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[-.]+/, "") || "explorer"}.${ending}`;
}

/** One CSV field. A text that a spreadsheet would read as a formula gets an apostrophe. */
function field(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  if (typeof value === "number") return String(Number(value.toPrecision(6)));
  const text = /^[=+\-@\t]/.test(value) ? `'${value}` : value;
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Every state of every path: where it is, its answer, its curves and its place on the map. */
export function csvText(payload, state) {
  const curves = [...new Set(payload.runs.flatMap((run) => Object.keys(run.curves)))];
  const lines = [
    ["run", "name", "trajectory", "step", "address", "answer", "ends_as", ...curves, "pc1", "pc2", "rollout", "tokens"],
  ];
  for (const run of payload.runs)
    for (let path = 0; path < run.n; path += 1)
      for (let step = 0; step < run.steps; step += 1) {
        const id = run.answer(path, step);
        const map = run.maps[state.basis]?.xyz;
        const at = 3 * (path * run.steps + step);
        lines.push([
          run.letter,
          run.name,
          path,
          step,
          `${run.supervision_step[step]}.${run.transition[step]}`,
          id === null ? "" : (payload.answers[id]?.letter ?? `answer ${id + 1}`),
          answerWords(payload, run.final(path)),
          ...curves.map((name) => run.curve(name, path, step)),
          map?.[at],
          map?.[at + 1],
          String(run.hash ?? "").slice(0, 12),
          run.tokens(path, step).join(" "),
        ]);
      }
  return `${lines.map((line) => line.map(field).join(",")).join("\n")}\n`;
}

function download(app, blob, name) {
  const url = URL.createObjectURL(blob);
  const link = make("a", { href: url, download: name });
  app.root.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  app.say(words.exports.saved(name));
}

/** To the clipboard; where that is refused (a sandbox, an old browser) the text is shown, selected. */
export async function copyText(app, text, said = words.exports.copied) {
  try {
    await navigator.clipboard.writeText(text);
    app.say(`${said} ${text}`.slice(0, 300));
  } catch {
    app.copied = text;
    app.store.poke({ open: "copy" });
  }
}

const save = (app, content, ending) => download(app, content, fileName(app.payload, app.store.state, ending));

export function savePicture(app) {
  const foot = provenance(app.payload, app.store.state);
  app.redraw(); // what was said last ("Saved ...") is not part of the view
  pictureOf(app, foot).toBlob(async (blob) => save(app, await notedPng(blob, foot), "png"), "image/png");
}

function saveVectors(app) {
  const { payload, store } = app;
  const title = `${payload.title}, ${words.puzzle(payload.puzzle, payload.puzzles)}`;
  save(app, new Blob([vectorsOf(app, title, provenance(payload, store.state))], { type: "image/svg+xml" }), "svg");
}

async function saveFilm(app) {
  const { payload, store } = app;
  const { step } = momentsOf(payload, store.state, false).at(-1);
  const film = await filmOf(app);
  const foot = provenance(payload, { ...store.state, cursor: { step, low: null } }); // where it ends
  if (film) save(app, await notedWebm(film, foot), "webm");
  else app.say(words.exports.stopped);
}

export const copyPython = (app) => copyText(app, pythonLine(app.payload, app.store.state, app.store.start));

export function exportItems(app) {
  const { payload, store } = app;
  const video = videoKind();
  return [
    { label: words.exports.png, act: () => savePicture(app) },
    { label: words.exports.svg, act: () => saveVectors(app) },
    {
      label: words.exports.webm,
      disabled: !video || payload.steps < 2,
      why: video ? null : words.exports.noVideo,
      act: () => saveFilm(app),
    },
    {
      label: words.exports.csv,
      act: () => save(app, new Blob([csvText(payload, store.state)], { type: "text/csv" }), "csv"),
    },
    { label: words.exports.python, act: () => copyPython(app) },
    { label: words.exports.json, act: () => copyText(app, JSON.stringify(store.state)) },
    // A palette of 256 colors and its dithering are Python's work; here is the command.
    { label: words.exports.movie, disabled: true, why: words.exports.needsPython, act() {} },
  ];
}
