// Dragging along time, the same on ruler and lanes: a plain drag moves the cursor, Shift+drag on the ruler sets the loop range.

/** The cursor at a share 0..1 of the ruler. It snaps to transitions; with Alt held it also stops at low-level steps. */
export function cursorAt(payload, share, fine) {
  const exact = Math.min(1, Math.max(0, share)) * (payload.steps - 1);
  const ticks = payload.lead.low_steps ?? 0;
  if (!fine || !ticks || exact === 0) return { step: Math.round(exact), low: null };
  const step = Math.ceil(exact);
  const low = Math.ceil((exact - step + 1) * (ticks + 1));
  return { step, low: low > ticks ? null : low };
}

/** Makes an element scrub. `span()` gives its {left, width} of time on screen; `box`, if given, takes over Shift+drags. */
export function scrubbing(element, context, span, box = null) {
  const { payload, store } = context;
  let drag = null; // {kind: "scrub" | "range" | "box", ...}
  const share = (event) => {
    const { left, width } = span();
    return (event.clientX - left) / Math.max(1, width);
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    element.setPointerCapture(event.pointerId);
    store.poke({ down: true, playing: false });
    if (event.shiftKey && box) drag = { kind: "box", state: box.start(event) };
    else if (event.shiftKey) drag = { kind: "range", from: cursorAt(payload, share(event), false).step };
    else drag = { kind: "scrub" };
    if (drag.kind === "scrub") store.set({ cursor: cursorAt(payload, share(event), event.altKey) });
  });
  element.addEventListener("pointermove", (event) => {
    if (drag?.kind === "scrub") store.set({ cursor: cursorAt(payload, share(event), event.altKey) });
    else if (drag?.kind === "range") store.set({ range: [drag.from, cursorAt(payload, share(event), false).step] });
    else if (drag?.kind === "box") box.move(drag.state, event);
  });
  const release = (event) => {
    if (drag?.kind === "box") box.end(drag.state, event);
    if (drag?.kind === "range" && store.state.range)
      store.set({ loop: true, cursor: { step: store.state.range[0], low: null } });
    drag = null;
    store.poke({ down: false });
  };
  element.addEventListener("pointerup", release);
  element.addEventListener("pointercancel", release);
}
