// The parts of the page from top to bottom, one line each. A new part is one file in `parts/` and one line here.

import { createAnswers } from "./parts/answers.js";
import { createBoard } from "./parts/board.js";
import { createCaptions } from "./parts/lesson.js";
import { createDetails } from "./parts/details.js";
import { createEdit } from "./parts/edit.js";
import { createHeader } from "./parts/header.js";
import { createHistory } from "./parts/history.js";
import { createLanes } from "./parts/lanes.js";
import { createMap } from "./parts/map.js";
import { createNotes } from "./parts/notes.js";
import { createOverlay } from "./parts/overlay.js";
import { createPlayhead } from "./parts/playhead.js";
import { createRuler } from "./parts/ruler.js";
import { createSpeaker } from "./parts/speak.js";
import { createThumbs } from "./parts/thumbs.js";
import { createTransport } from "./parts/transport.js";

/**
 * @typedef {object} Part
 * @property {string} name
 * @property {string[]} reads keys of the state and of the transient state upon whose change it is updated; besides them
 *   "layout" (the sizes), and "settled" (the state was saved)
 * @property {HTMLElement} element
 * @property {(changed: Set<string>) => void} update draws what depends on these keys, which are among `reads`
 * @property {(event: KeyboardEvent, place: string) => Deed | null} [key] what a key does while the focus is in the element
 * @property {(event: KeyboardEvent) => Deed | null} [capture] what a key does wherever the focus is, before anything else
 */
/** What a key does; false if there was nothing to do. @typedef {() => any} Deed */
/** @typedef {(context: import("./context.js").Context) => Part} CreatePart */

/**
 * Who makes each part and, where it shares a frame with its neighbors, the class of that frame.
 * @type {[CreatePart, string?][]}
 */
export const PARTS = [
  [createHeader],
  [createThumbs],
  [createBoard, "panels"],
  [createMap, "panels"],
  [createAnswers, "panels"],
  [createEdit],
  [createCaptions],
  [createLanes, "time"],
  [createHistory, "time"],
  [createRuler, "time"],
  [createPlayhead, "time"],
  [createTransport],
  [createDetails],
  [createNotes],
  [createOverlay],
  [createSpeaker],
];
