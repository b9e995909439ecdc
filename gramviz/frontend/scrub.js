// Dragging along time, the same on ruler and lanes: a plain drag moves the cursor, Shift+drag on the ruler sets the
// loop range.

/** @import { Context } from "./registry.js" */
/** @import { Payload, State } from "./types.js" */

/**
 * What takes over Shift+drags, with a value of its own from start to end.
 * @template T
 * @typedef {object} BoxDrag
 * @property {(event: PointerEvent) => T} start
 * @property {(value: T, event: PointerEvent) => void} move
 * @property {(value: T, event: PointerEvent) => void} end
 */

/** The cursor at a share 0..1 of the ruler. It snaps to transitions; with Alt held it also stops at low-level steps.
 * @param {Payload} payload @param {number} share @param {boolean} fine @returns {State["cursor"]} */
export function cursorAt(payload, share, fine) {
  const exact = Math.min(1, Math.max(0, share)) * (payload.steps - 1);
  const ticks = payload.lead.low_steps ?? 0;
  if (!fine || !ticks || exact === 0) return { step: Math.round(exact), low: null };
  const step = Math.ceil(exact);
  const low = Math.ceil((exact - step + 1) * (ticks + 1));
  return { step, low: low > ticks ? null : low };
}

/** Makes an element scrub. `span()` gives its {left, width} of time on screen; `box`, if given, takes over Shift+drags.
 * @template T
 * @param {HTMLElement} element @param {Context} context @param {() => { left: number, width: number }} span
 * @param {BoxDrag<T> | null} [box] */
export function scrubbing(element, context, span, box = null) {
  const { payload, store } = context;
  /** @type {{ move: (event: PointerEvent) => void, end: (event: PointerEvent) => void } | null} */
  let drag = null;
  /** @param {PointerEvent} event @param {boolean} fine */
  const at = (event, fine) => {
    const { left, width } = span();
    return cursorAt(payload, (event.clientX - left) / Math.max(1, width), fine);
  };
  /** @param {PointerEvent} event */
  const toCursor = (event) => store.set({ cursor: at(event, event.altKey) });

  /** @param {PointerEvent} event @param {BoxDrag<T>} taker */
  function startBox(event, taker) {
    const value = taker.start(event);
    return {
      move: (/** @type {PointerEvent} */ next) => taker.move(value, next),
      end: (/** @type {PointerEvent} */ last) => taker.end(value, last),
    };
  }

  /** @param {PointerEvent} event */
  function startRange(event) {
    const from = at(event, false).step;
    return {
      move: (/** @type {PointerEvent} */ next) => store.set({ range: [from, at(next, false).step] }),
      end() {
        const { range } = store.state;
        if (range) store.set({ loop: true, cursor: { step: range[0], low: null } });
      },
    };
  }

  element.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    element.setPointerCapture(event.pointerId);
    store.poke({ down: true, playing: false });
    if (event.shiftKey) drag = box ? startBox(event, box) : startRange(event);
    else {
      drag = { move: toCursor, end() {} };
      toCursor(event);
    }
  });
  element.addEventListener("pointermove", (event) => drag?.move(event));
  const release = (/** @type {PointerEvent} */ event) => {
    drag?.end(event);
    drag = null;
    store.poke({ down: false });
  };
  element.addEventListener("pointerup", release);
  element.addEventListener("pointercancel", release);
}
