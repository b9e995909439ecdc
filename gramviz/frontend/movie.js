// A film of the widget, made in the page: every transition is drawn and recorded in real time (MediaRecorder, WebM).

import { provenance } from "./sentences.js";
import { pictureOf } from "./picture.js";
import { words } from "./words.js";

/** @typedef {import("./registry.js").Context} Context */
/** A place in a film: between a step and the next. @typedef {{step: number, fraction: number}} Moment */

const RATE = 12; // pictures per second
const SLICE = 200; // ms between two pieces of the recording
const HEADER = 1000; // bytes; a WebM without pictures is smaller
const LAST_PICTURE = 500; // ms
const FILM_SCALE = 1.5;
const VIDEO_KINDS = ["video/webm;codecs=vp8", "video/webm"]; // vp9 is smaller, and too slow to record beside a training

/** The kind of video that this browser can record, or null. */
export const videoKind = () =>
  globalThis.MediaRecorder ? (VIDEO_KINDS.find((kind) => MediaRecorder.isTypeSupported(kind)) ?? null) : null;

/**
 * The moments of a film, from the loop's first step to its last, at the speed of the state.
 * @param {import("./types.js").Payload} payload
 * @param {import("./types.js").State} state
 * @param {boolean} calm
 * @returns {Moment[]}
 */
export function momentsOf(payload, state, calm) {
  const [first, last] = state.range ?? [0, payload.steps - 1];
  const each = calm ? 1 : Math.max(1, Math.round(RATE / state.speed));
  /** @type {Moment[]} */
  const moments = [];
  for (let step = first; step < last; step += 1)
    for (let k = 0; k < each; k += 1) moments.push({ step, fraction: k / each });
  return [...moments, { step: last, fraction: 0 }];
}

/**
 * Puts the widget at a moment and returns its picture.
 * @param {Context} context
 * @param {Moment} moment
 * @param {number} scale
 * @param {HTMLCanvasElement} [canvas] to draw it on
 */
export function showMoment(context, { step, fraction }, scale, canvas) {
  context.store.set({ cursor: { step, low: null } });
  context.store.poke({ fraction });
  context.paint();
  return pictureOf(context, provenance(context.payload, context.store.state), scale, canvas);
}

/** Records the film; resolves to a Blob, or null where Escape has ended it. @param {Context} context */
export async function filmOf(context) {
  const { payload, store } = context;
  const back = store.state.cursor;
  const moments = momentsOf(payload, store.state, false);
  const wait = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));
  const canvas = document.createElement("canvas");
  store.poke({ down: true, playing: false, hover: null, filming: true }); // a gesture that lasts: nothing settles
  try {
    showMoment(context, moments[0], FILM_SCALE, canvas);
    const stream = canvas.captureStream(RATE);
    const recorder = new MediaRecorder(stream, { mimeType: videoKind() ?? undefined, videoBitsPerSecond: 6e6 });
    /** @type {Blob[]} */
    const pieces = [];
    recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
    const ended = new Promise((done) => recorder.addEventListener("stop", done));
    recorder.start(SLICE);
    for (const [index, moment] of moments.entries()) {
      if (!store.transient.filming || context.signal.aborted) break;
      const began = performance.now();
      showMoment(context, moment, FILM_SCALE, canvas);
      if (index % RATE === 0) context.say(words.exports.filming(index, moments.length));
      await new Promise(requestAnimationFrame); // a canvas hands its picture over when a frame ends
      await wait(Math.max(0, 1000 / RATE - (performance.now() - began)));
    }
    if (store.transient.filming) await wait(LAST_PICTURE);
    // A busy machine encodes late: without this the file could be a header alone.
    const isLate = () => store.transient.filming && pieces.reduce((sum, piece) => sum + piece.size, 0) < HEADER;
    for (let k = 0; k < 40 && isLate(); k += 1) await wait(SLICE);
    recorder.stop();
    await ended;
    for (const track of stream.getTracks()) track.stop();
    return store.transient.filming ? new Blob(pieces, { type: "video/webm" }) : null;
  } finally {
    store.set({ cursor: back });
    store.poke({ down: false, fraction: 0, filming: false });
  }
}
