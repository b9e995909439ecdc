// What leaves the page: a picture, the numbers, and the view as Python or JSON. Nothing is sent anywhere.

import { answerWords } from "./answers.js";
import { provenance } from "./sentences.js";
import { make } from "./dom.js";
import { filmOf, videoKind } from "./movie.js";
import { notedPng, notedWebm } from "./note.js";
import { pictureOf, vectorsOf } from "./picture.js";
import { pythonLine } from "./python.js";
import { address } from "./steps.js";
import { words } from "./words.js";

/** @import { Payload, State } from "./types.js" */
/** @typedef {import("./registry.js").Context} Context */

/**
 * A file name of plain characters, whatever the title was.
 * @param {Payload} payload
 * @param {State} state
 * @param {string} ending
 */
export function fileName(payload, state, ending) {
  const { step, low } = state.cursor;
  const plain = `${payload.title}-puzzle-${payload.puzzle + 1}-step-${address(payload, step, low)}`;
  return `${plain.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[-.]+/, "") || "explorer"}.${ending}`;
}

/** One CSV field. A text that a spreadsheet would read as a formula gets an apostrophe.
 * @param {string | number | null | undefined} value */
function field(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  if (typeof value === "number") return String(Number(value.toPrecision(6)));
  const text = /^[=+\-@\t]/.test(value) ? `'${value}` : value;
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const COLUMNS = ["series", "name", "trajectory", "step", "address", "answer", "ends_as"];

/** Every state of every trajectory: where it is, its answer, its curves and its place on the map.
 * @param {Payload} payload @param {State} state */
export function csvText(payload, state) {
  const curves = [...new Set(payload.series.flatMap((series) => Object.keys(series.curves)))];
  /** @type {(string | number | null | undefined)[][]} */
  const lines = [[...COLUMNS, ...curves, "pc1", "pc2", "rollout", "tokens"]];
  for (const series of payload.series)
    for (let trajectory = 0; trajectory < series.n; trajectory += 1)
      for (let step = 0; step < series.steps; step += 1) {
        const id = series.answer(trajectory, step);
        const map = state.basis === null ? undefined : series.maps[state.basis]?.xyz;
        const at = 3 * (trajectory * series.steps + step);
        lines.push([
          series.letter,
          series.name,
          trajectory,
          step,
          `${series.supervision_step[step]}.${series.transition[step]}`,
          id === null ? "" : (payload.answers[id]?.letter ?? `answer ${id + 1}`),
          answerWords(payload, series.final(trajectory)),
          ...curves.map((name) => series.curve(name, trajectory, step)),
          map?.[at],
          map?.[at + 1],
          String(series.hash ?? "").slice(0, 12),
          series.tokens(trajectory, step).join(" "),
        ]);
      }
  return `${lines.map((line) => line.map(field).join(",")).join("\n")}\n`;
}

/** @param {Context} context @param {Blob} blob @param {string} name */
function download(context, blob, name) {
  const url = URL.createObjectURL(blob);
  const link = make("a", { href: url, download: name });
  context.root.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  context.say(words.exports.saved(name));
}

/** To the clipboard; where that is refused (a sandbox, an old browser) the text is shown, selected.
 * @param {Context} context @param {string} text */
async function copyText(context, text, said = words.exports.copied) {
  try {
    await navigator.clipboard.writeText(text);
    context.say(`${said} ${text}`.slice(0, 300));
  } catch {
    context.store.poke({ open: "copy", copied: text });
  }
}

/** @param {Context} context @param {Blob} content @param {string} ending */
const save = (context, content, ending) =>
  download(context, content, fileName(context.payload, context.store.state, ending));

/** @param {Context} context */
function savePicture(context) {
  const foot = provenance(context.payload, context.store.state);
  context.redraw(); // what was said last ("Saved ...") is not part of the view
  pictureOf(context, foot).toBlob(async (blob) => {
    if (blob) save(context, await notedPng(blob, foot), "png");
  }, "image/png");
}

/** @param {Context} context */
function saveVectors(context) {
  const { payload, store } = context;
  const title = `${payload.title}, ${words.puzzle(payload)}`;
  save(
    context,
    new Blob([vectorsOf(context, title, provenance(payload, store.state))], { type: "image/svg+xml" }),
    "svg",
  );
}

/** @param {Context} context */
async function saveFilm(context) {
  const { payload, store } = context;
  const step = store.state.range?.[1] ?? payload.steps - 1;
  const film = await filmOf(context);
  const foot = provenance(payload, { ...store.state, cursor: { step, low: null } }); // where it ends
  if (film) save(context, await notedWebm(film, foot), "webm");
  else context.say(words.exports.stopped);
}

/** @param {Context} context */
export const copyPython = (context) =>
  copyText(context, pythonLine(context.payload, context.store.state, context.store.start));

/** What "Export" offers. @param {Context} context @returns {import("./menu.js").Choice[]} */
export function exportItems(context) {
  const { payload, store, thinker } = context;
  const video = videoKind();
  return [
    { label: words.exports.png, act: () => savePicture(context) },
    { label: words.exports.svg, act: () => saveVectors(context) },
    {
      label: words.exports.webm,
      disabled: !video || payload.steps < 2,
      why: video ? null : words.exports.noVideo,
      act: () => saveFilm(context),
    },
    {
      label: words.exports.csv,
      act: () => save(context, new Blob([csvText(payload, store.state)], { type: "text/csv" }), "csv"),
    },
    ...(thinker?.rollouts ?? []).map(({ name, file }) => ({
      label: words.exports.rollout(name),
      act: () => save(context, new Blob(/** @type {BlobPart[]} */ (file())), `${name}.npz`),
    })),
    { label: words.exports.python, act: () => copyPython(context) },
    { label: words.exports.json, act: () => copyText(context, JSON.stringify(store.state)) },
    // A palette of 256 colors and its dithering are Python's work; here is the command.
    { label: words.exports.movie, disabled: true, why: words.exports.needsPython, act() {} },
  ];
}
