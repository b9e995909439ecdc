// The parts of the page from top to bottom, one line each. A new part is one file in `parts/` and one line here; those
// of other packages stand where PLUGINS does.

import { createAnswers } from "./parts/answers.js";
import { createBoard } from "./parts/board.js";
import { createBranches } from "./parts/branches.js";
import { createDetails } from "./parts/details.js";
import { createDividers } from "./parts/dividers.js";
import { createEdit } from "./parts/edit.js";
import { createHeader } from "./parts/header.js";
import { createHistory } from "./parts/history.js";
import { createLanes } from "./parts/lanes.js";
import { createCaptions } from "./parts/lesson.js";
import { createMap } from "./parts/map.js";
import { createNotes } from "./parts/notes.js";
import { createOverlay } from "./parts/overlay.js";
import { createPlayhead } from "./parts/playhead.js";
import { createPuzzles } from "./parts/puzzles.js";
import { createRuler } from "./parts/ruler.js";
import { createSamples } from "./parts/samples.js";
import { createSpeaker } from "./parts/speak.js";
import { createStrip } from "./parts/strip.js";
import { createThumbs } from "./parts/thumbs.js";
import { createTransport } from "./parts/transport.js";
import { createYours } from "./parts/yours.js";
import { PLUGINS } from "./plugins.js";

/**
 * What every part is given. Parts share the state of the store and these services, and know nothing of each other.
 * @typedef {object} Context made once for each payload, by `page.js`
 * @property {import("./types.js").Payload} payload what is shown
 * @property {import("./store.js").Store} store the state (saved) and the transient state (hover, playing, ...)
 * @property {HTMLElement} root the widget's element
 * @property {AbortSignal} signal ends with the view
 * @property {import("./types.js").Theme} theme the colors to draw with; changes with the key "theme"
 * @property {import("./layout.js").Sizes} size the sizes to draw at; change with the key "layout"
 * @property {import("./actions.js").Actions} actions what buttons and keys both do
 * @property {import("./lesson.js").Lesson} lesson the chapters and their quizzes
 * @property {import("./kernel.js").Kernel} kernel what only a model can answer
 * @property {import("./think/thinker.js").Thinker | null} thinker the models that the page carries
 * @property {ReturnType<typeof import("./clock.js").createClock>} clock
 * @property {(text: string) => void} say shows a sentence in the details line, and has it read aloud
 * @property {() => void} paint draws what has changed, at once
 * @property {() => void} redraw draws everything anew, at once
 * @property {() => void} fit measures the widget anew
 */

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {Key[]} reads keys of the state and of the transient state upon whose change it is updated; besides them
 *   "layout" (the sizes), and "settled" (the state was saved)
 * @property {HTMLElement} element
 * @property {(changed: Set<string>) => void} update draws what depends on these keys, which are among `reads`
 * @property {(event: KeyboardEvent, place: string) => Deed | null} [key] what a key does in the element
 * @property {(event: KeyboardEvent) => Deed | null} [capture] what a key does anywhere, before all else
 */
/** @typedef {keyof import("./types.js").State | keyof import("./store.js").Transient | "layout" | "settled"} Key */
/** What a key does; false if there was nothing to do. @typedef {() => any} Deed */
/** @typedef {(context: Context) => Part} CreatePart */

/**
 * Who makes each part and, where it shares a frame with its neighbors, the class of that frame.
 * @type {[CreatePart, string?][]}
 */
export const PARTS = [
  [createHeader],
  [createYours],
  [createThumbs],
  [createBoard, "panels"],
  [createMap, "panels"],
  [createAnswers, "panels"],
  [createDividers, "panels"],
  [createPuzzles, "panels"],
  [createSamples, "panels"],
  [createStrip],
  [createBranches],
  ...PLUGINS,
  [createEdit],
  [createCaptions],
  [createLanes, "time"],
  [createHistory, "time"],
  [createRuler, "time"],
  [createPlayhead, "time"],
  [createTransport, "foot"],
  [createDetails, "foot"],
  [createNotes],
  [createOverlay],
  [createSpeaker],
];
