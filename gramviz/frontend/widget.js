// The entry: decode once per model, build the parts, run one frame loop, and take everything down again.

import { createActions } from "./actions.js";
import { createAnswers } from "./answers.js";
import { createBoard } from "./board.js";
import { createClock } from "./clock.js";
import { createDetails } from "./details.js";
import { make } from "./dom.js";
import { createHeader } from "./header.js";
import { listenToKeys } from "./keys.js";
import { createLanes } from "./lanes.js";
import { createPlayhead, sizesFor, watchWidth } from "./layout.js";
import { createMap } from "./map.js";
import { readPayload } from "./payload.js";
import { createRuler } from "./ruler.js";
import { createSpeaker } from "./speak.js";
import { blocks } from "./steps.js";
import { createStore } from "./store.js";
import { styleText } from "./style.js";
import { createOverlay } from "./table.js";
import { applyTheme, readTheme } from "./theme.js";
import { createThumbs } from "./thumbs.js";
import { createTransport } from "./transport.js";
import { clean, words } from "./words.js";

const decoded = new WeakMap(); // the model's data -> its payload: views of one model share it

function payloadOf(model) {
  const data = model.get("data");
  if (!decoded.has(data)) decoded.set(data, readPayload(model.get("meta"), data));
  return decoded.get(data);
}

function report(model, text) {
  try {
    model.set("status", clean(text, 2000));
    model.save_changes();
  } catch {
    console.error(text); // the kernel is gone; the page still tells
  }
}

/** Builds the widget in `root` and returns its store. Everything that it starts ends with `signal`. */
function mount(model, el, root, payload, signal) {
  const store = createStore(payload, model.get("state"), {
    save(state) {
      model.set("state", state);
      model.save_changes();
    },
    warn: (sentence) => console.warn(`gramviz: ${sentence}`),
  });
  const clock = createClock(store);
  const app = { payload, store, root, signal, said: "", copied: "", theme: null, size: null, blocks: blocks(payload) };
  app.haloForced = () => payload.bases.some((basis) => basis.name === store.state.basis && (basis.plane ?? 1) < 0.8);

  let frame = null;
  const changed = new Set();
  const look = (keys) => {
    for (const key of keys) changed.add(key);
    if (app.size) frame ??= requestAnimationFrame(draw);
  };
  app.relayout = () => look(["layout"]);
  const retheme = () => {
    app.theme = readTheme(store.state.theme, el, model.frozen === true);
    applyTheme(app.theme, root, el);
    look(["theme"]);
  };

  const actions = createActions(app, clock);
  const board = createBoard(app);
  const map = createMap(app);
  const answers = createAnswers(app);
  const lanes = createLanes(app);
  const ruler = createRuler(app);
  const time = make("div", { class: "time" }, lanes.el, ruler.el);
  const playhead = createPlayhead(app, time);
  time.append(playhead.el);
  const header = createHeader(app, actions);
  const thumbs = createThumbs(app, { board, map, answers });
  const transport = createTransport(app, actions);
  const details = createDetails(app);
  const speaker = createSpeaker(app);
  const overlay = createOverlay(app);
  app.speaker = speaker;
  app.say = (text) => {
    app.said = text;
    speaker.say(text);
    look(["said"]);
  };
  const tiny = make("p", { class: "narrowest note" }, words.map.narrow);
  const left = payload.leftOut.length ? make("p", { class: "left-out note" }, payload.leftOut.join(" ")) : null;
  const parts = [header, thumbs, board, map, answers, lanes, ruler, playhead, transport, details, overlay, speaker];
  root.append(
    header.el,
    thumbs.el,
    make("div", { class: "panels" }, board.el, map.el, answers.el),
    tiny,
    time,
    transport.el,
    details.el,
    ...(left ? [left] : []),
    overlay.el,
    speaker.el,
  );

  function fail(part, error) {
    part.broken = true;
    const sentence = words.failed(clean(error.message, 300));
    console.error(error);
    part.el.append(make("div", { class: "trouble", role: "alert" }, sentence));
    report(model, `${sentence}\n${error.stack}`);
  }

  function draw(now) {
    frame = null;
    clock.tick(now);
    const keys = new Set(changed);
    changed.clear();
    for (const part of parts) {
      if (part.broken) continue;
      try {
        part.update(keys);
      } catch (error) {
        fail(part, error);
      }
    }
    if (clock.moving) frame ??= requestAnimationFrame(draw); // at rest there are no frames
  }

  store.listen((keys) => {
    if (keys.includes("theme")) retheme();
    look(keys);
  });
  store.heads = map.heads; // where the map's heads are, for tests
  listenToKeys(app, actions, { board, map, answers });
  root.addEventListener(
    "pointerdown",
    (event) => {
      // A press outside an open sheet closes it.
      if (
        store.transient.open &&
        !event.composedPath().some((node) => node.classList?.contains("menu") || node.classList?.contains("over"))
      )
        store.poke({ open: null });
    },
    { signal },
  );
  watchWidth(
    root,
    (width) => {
      app.size = sizesFor(width, payload.board);
      for (const kind of ["wide", "medium", "narrow", "tiny"])
        root.classList.toggle(kind, app.size.kind === kind || (kind === "narrow" && app.size.kind === "tiny"));
      if (!app.theme) retheme();
      look(["layout", "theme"]);
    },
    signal,
  );
  const themes = new MutationObserver(retheme);
  themes.observe(document.body, { attributes: true, attributeFilter: ["class", "data-jp-theme-light"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", retheme, { signal });
  const seen = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) clock.pause();
  });
  seen.observe(root);
  const fromKernel = () => {
    const state = model.get("state");
    if (JSON.stringify(state) !== JSON.stringify(store.state)) store.load(state); // not the echo of our own
  };
  model.on("change:state", fromKernel);

  signal.addEventListener("abort", () => {
    if (frame !== null) cancelAnimationFrame(frame);
    frame = 0; // nothing is drawn after this
    model.off("change:state", fromKernel);
    themes.disconnect();
    seen.disconnect();
    store.dispose();
    for (const canvas of root.querySelectorAll("canvas")) canvas.width = canvas.height = 0;
  });
  return store;
}

export default {
  async render({ model, el, signal }) {
    const life = new AbortController();
    signal?.addEventListener("abort", () => life.abort());
    const shadow = el.shadowRoot ?? el.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styleText);
    shadow.adoptedStyleSheets = [sheet];
    el.setAttribute("data-lm-suppress-shortcuts", "true"); // JupyterLab: keys in here are ours
    const waiting = make("p", { class: "trouble", role: "status" }, words.reading);
    const root = make("div", { class: "gv", role: "region", tabindex: "0" }, waiting);
    shadow.replaceChildren(root);
    // Hosts end a view by their signal, by what render returned, or by both.
    const dispose = () => life.abort();
    life.signal.addEventListener("abort", () => {
      shadow.replaceChildren();
      delete el.gramviz;
    });
    try {
      const payload = await payloadOf(model);
      if (life.signal.aborted) return dispose;
      root.setAttribute("aria-label", words.region(payload.title, payload.puzzle + 1, payload.runs));
      waiting.remove();
      el.gramviz = mount(model, el, root, payload, life.signal);
    } catch (error) {
      // One sentence instead of a half-drawn widget.
      waiting.setAttribute("role", "alert");
      waiting.textContent = error.message;
      report(model, error.stack ?? error.message);
    }
    return dispose;
  },
};
