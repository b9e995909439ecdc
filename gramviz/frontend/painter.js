// Draws what has changed: every part that reads a changed key, once per frame at most. While paused there are no
// frames.

import { focusedIn } from "./focus.js";

/** @typedef {import("./registry.js").Part} Part */

/** Whether one of some keys is among those that changed. @param {Set<string>} changed */
export const anyOf =
  (changed) =>
  (/** @type {string[]} */ ...keys) =>
    keys.some((key) => changed.has(key));

/**
 * Whether what had the focus can no longer have it: it was taken out, switched off or hidden.
 * @param {HTMLElement} root
 * @param {any} node
 * @param {Set<string>} keys
 */
const isGone = (root, node, keys) =>
  !root.contains(node) ||
  node.disabled ||
  node.closest("[hidden], [inert]") ||
  (["layout", "blank"].some((key) => keys.has(key)) && !node.checkVisibility({ visibilityProperty: true }));

/**
 * @param {HTMLElement} root
 * @param {ReturnType<typeof import("./clock.js").createClock>} clock
 * @param {(part: Part, error: any) => void} fail reports a part that threw; it is not updated again
 * @param {AbortSignal} signal after which nothing is drawn
 */
export function createPainter(root, clock, fail, signal) {
  /** @type {Part[]} */
  let parts = []; // none until the first size is known
  /** @type {Set<Part>} */
  const broken = new Set();
  /** @type {Set<string>} */
  const changed = new Set();
  let frame = 0;
  signal.addEventListener("abort", () => cancelAnimationFrame(frame));

  function request() {
    if (parts.length && !signal.aborted) frame ||= requestAnimationFrame(draw);
  }

  /** @param {number} now */
  function draw(now) {
    frame = 0;
    clock.tick(now);
    paint();
    if (clock.moving) request();
  }

  function paint() {
    if (!parts.length) return;
    const keys = new Set(changed);
    const focused = focusedIn(root);
    changed.clear();
    for (const part of parts) {
      const own = new Set(part.reads.filter((key) => keys.has(key)));
      if (!own.size || broken.has(part)) continue;
      try {
        part.update(own);
      } catch (error) {
        broken.add(part);
        fail(part, error);
      }
    }
    // What disappears with the focus on it would drop it into the page, and the next keys would not be heard.
    if (focused && (focusedIn(root) ?? focused) === focused && isGone(root, focused, keys))
      root.focus({ preventScroll: true });
  }

  return {
    /** Draws these parts from now on. @param {Part[]} ready */
    start(ready) {
      parts = ready;
      request();
    },
    /** Notes that these keys have changed, for the next frame. @param {Iterable<string>} keys */
    invalidate(keys) {
      for (const key of keys) changed.add(key);
      request();
    },
    paint,
  };
}
