// The entry: decode once per model, build the parts, run one frame loop, and take everything down again.

import { createActions } from "./actions.js";
import { createAnswers } from "./parts/answers.js";
import { createBoard } from "./parts/board.js";
import { createClock } from "./clock.js";
import { createDetails, provenance } from "./parts/details.js";
import { make } from "./dom.js";
import { createEdit } from "./parts/edit.js";
import { createHeader } from "./parts/header.js";
import { createHistory } from "./parts/history.js";
import { listenToKeys } from "./keys.js";
import { createLanes } from "./parts/lanes.js";
import { createPlayhead, sizesFor, watchWidth } from "./layout.js";
import { createLesson } from "./parts/lesson.js";
import { createMap } from "./parts/map.js";
import { momentsOf, showMoment } from "./movie.js";
import { readPayload } from "./payload.js";
import { createRuler } from "./parts/ruler.js";
import { createSpeaker } from "./parts/speak.js";
import { blocks } from "./steps.js";
import { createStore } from "./store.js";
import { styleText } from "./style.js";
import { createOverlay } from "./parts/overlay.js";
import { applyTheme, readTheme } from "./theme.js";
import { createThumbs } from "./parts/thumbs.js";
import { createTransport } from "./parts/transport.js";
import { clean } from "./text.js";
import { words } from "./words.js";

const PAPER = 680; // px: a sheet of A4 or Letter between its margins
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
  const data = model.get("data");
  const store = createStore(payload, model.get("state"), {
    save(state) {
      if (model.get("data") !== data) return; // the next payload is being read; its view goes on from this one
      if (!store.asking) store.agreed = state;
      model.set("heard", model.get("turn") ?? 0);
      model.set("state", state);
      model.save_changes();
    },
    warn: (sentence) => console.warn(`gramviz: ${sentence}`),
  });
  store.agreed = model.get("state"); // what the kernel knows; while it is asked, what it knew when the question came
  store.asking = false;
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
  /** Every part draws itself anew, at once. */
  app.paint = paint;
  app.redraw = () => {
    look(["layout", "theme"]);
    paint();
  };
  const retheme = () => {
    app.theme = readTheme(store.state.theme, el, model.frozen === true);
    applyTheme(app.theme, root, el);
    look(["theme"]);
  };

  const actions = createActions(app, clock);
  const board = createBoard(app);
  const map = createMap(app, actions);
  const answers = createAnswers(app);
  const lanes = createLanes(app);
  const history = createHistory(app);
  const ruler = createRuler(app);
  const time = make("div", { class: "time" }, lanes.el, history.el, ruler.el);
  const playhead = createPlayhead(app, time);
  time.append(playhead.el);
  const header = createHeader(app, actions);
  const thumbs = createThumbs(app, { board, map, answers });
  const transport = createTransport(app, actions);
  const details = createDetails(app);
  app.lesson = createLesson(app, clock);
  app.edit = createEdit(app, model);
  app.lanes = lanes;
  const speaker = createSpeaker(app);
  const overlay = createOverlay(app);
  app.speaker = speaker;
  app.say = (text) => {
    app.said = text;
    speaker.say(text);
    look(["said"]);
  };
  const tiny = make("p", { class: "narrowest note" }, words.map.narrow);
  const printed = make("p", { class: "printed selectable" }); // on paper only: where we are, and what this is made of
  const left = payload.leftOut.length ? make("p", { class: "left-out note" }, payload.leftOut.join(" ")) : null;
  const parts = [header, thumbs, board, map, answers, app.edit, app.lesson, lanes, history, ruler, playhead, transport, details, overlay, speaker];
  root.append(
    header.el,
    thumbs.el,
    make("div", { class: "panels" }, board.el, map.el, answers.el),
    tiny,
    app.edit.el,
    app.lesson.el,
    time,
    transport.el,
    details.el,
    printed,
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

  /** Whether what had the focus can no longer have it: it was taken out, switched off or hidden. */
  const gone = (node, keys) =>
    !root.contains(node) ||
    node.disabled ||
    node.closest("[hidden], [inert]") ||
    (["layout", "blank"].some((key) => keys.has(key)) && !node.checkVisibility({ visibilityProperty: true }));

  function paint() {
    const keys = new Set(changed);
    const focused = root.getRootNode().activeElement;
    changed.clear();
    for (const part of parts) {
      if (part.broken) continue;
      try {
        part.update(keys);
      } catch (error) {
        fail(part, error);
      }
    }
    // What disappears with the focus on it would drop it into the page, and the next keys would not be heard.
    const now = root.getRootNode().activeElement;
    if (focused && (now ?? focused) === focused && gone(focused, keys)) root.focus({ preventScroll: true });
  }

  function draw(now) {
    frame = null;
    clock.tick(now);
    paint();
    if (clock.moving) frame ??= requestAnimationFrame(draw); // at rest there are no frames
  }

  function resize(width) {
    const room = store.transient.presenter ? globalThis.innerHeight : null;
    root.classList.toggle("presenting", room !== null);
    app.size = sizesFor(width, payload.board, room);
    for (const kind of ["wide", "medium", "narrow", "tiny"])
      root.classList.toggle(kind, app.size.kind === kind || (kind === "narrow" && app.size.kind === "tiny"));
    look(["layout", "theme"]);
  }

  app.fit = () => resize(root.clientWidth);

  /** On paper: light, as wide as a sheet, without controls, with the step and the provenance in words. */
  let screen = null; // the width on screen, while printing
  function print(on) {
    if (on === (screen !== null) || !app.size) return;
    clock.pause();
    if (on) printed.textContent = provenance(payload, store.state);
    root.classList.toggle("printing", on);
    app.theme = readTheme(on ? "light" : store.state.theme, el, model.frozen === true);
    applyTheme(app.theme, root, el);
    const width = on ? PAPER : screen;
    screen = on ? app.size.width : null;
    resize(width);
    paint(); // at once: the browser takes its picture when this event is over
  }

  store.listen((keys) => {
    if (keys.includes("blank")) root.classList.toggle("blank", store.transient.blank);
    if (keys.includes("theme")) retheme();
    look(keys);
  });
  store.heads = map.heads; // where the map's heads are, for tests
  store.moments = () => momentsOf(payload, store.state, false); // these two for gramviz.movie
  store.paint = paint; // for gramviz.bench
  store.film = (moment, scale) => showMoment(app, moment, scale);
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
      if (screen !== null) return;
      if (!app.theme) retheme();
      resize(width);
    },
    signal,
  );
  const themes = new MutationObserver(retheme);
  themes.observe(document.body, { attributes: true, attributeFilter: ["class", "data-jp-theme-light"] });
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"])
    matchMedia(query).addEventListener("change", retheme, { signal });
  addEventListener("beforeprint", () => print(true), { signal });
  addEventListener("afterprint", () => print(false), { signal });
  const seen = new IntersectionObserver(([entry]) => {
    if (!entry.isIntersecting) clock.pause();
  });
  seen.observe(root);
  const fromKernel = () => {
    if (model.get("data") !== data) return; // the state of the next payload, which is being read
    const state = model.get("state");
    if (JSON.stringify(state) === JSON.stringify(store.state)) return; // our own
    store.asking = false;
    store.agreed = state;
    store.load(state);
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

/** What of a view stays for the next payload: what the kernel said nothing new of. Who looked at the end looks at its end. */
function kept({ state, agreed, last }, said, end) {
  const untold = Object.entries(state).filter(([key]) => JSON.stringify(said[key]) === JSON.stringify(agreed[key]));
  const view = Object.fromEntries(untold);
  if (view.cursor?.step === last) view.cursor = { step: end, low: null };
  return view;
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
    let mounted = null; // ends what is shown of one payload; while a model runs, a longer one follows
    const show = async () => {
      const data = model.get("data");
      try {
        const payload = await payloadOf(model);
        if (life.signal.aborted || model.get("data") !== data) return;
        const view = el.gramviz && kept(el.gramviz, model.get("state"), payload.steps - 1);
        mounted?.abort();
        mounted = new AbortController();
        root.replaceChildren();
        root.setAttribute("aria-label", words.region(payload.title, payload.puzzle + 1, payload.runs));
        el.gramviz = mount(model, el, root, payload, mounted.signal);
        if (view) el.gramviz.set(view);
      } catch (error) {
        // One sentence instead of a half-drawn widget.
        mounted?.abort();
        waiting.setAttribute("role", "alert");
        waiting.textContent = error.message;
        root.replaceChildren(waiting);
        report(model, error.stack ?? error.message);
      }
    };
    model.on("change:data", show);
    life.signal.addEventListener("abort", () => {
      model.off("change:data", show);
      mounted?.abort();
      shadow.replaceChildren();
      delete el.gramviz;
    });
    await show();
    return dispose;
  },
};
