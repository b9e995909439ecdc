// One payload on screen: its store, its services and its parts. Everything that it starts ends with its signal.

import { createActions } from "./actions.js";
import { createAppearance } from "./appearance.js";
import { createClock } from "./clock.js";
import { contract } from "./contract.js";
import { make } from "./dom.js";
import { createKernel } from "./kernel.js";
import { listenToKeys } from "./keys.js";
import { createLesson } from "./lesson.js";
import { momentsOf, showMoment } from "./movie.js";
import { createPainter } from "./painter.js";
import { PARTS } from "./registry.js";
import { headsOf } from "./scene.js";
import { recordOf } from "./state.js";
import { createStore } from "./store.js";
import { clean } from "./text.js";
import { thinkerOf } from "./think/thinker.js";
import { words } from "./words.js";

/** @typedef {import("./registry.js").Context} Context */
/** @typedef {import("./registry.js").Part} Part */

/**
 * What the host's element offers as `element.gramviz`: to tests, to `gramviz.movie` and to `gramviz.bench`.
 * @typedef {object} Handle
 * @property {import("./types.js").Payload} payload what is shown
 * @property {import("./types.js").State} start the state that the payload opens with
 * @property {import("./types.js").State} state the state now
 * @property {Readonly<import("./store.js").Transient>} transient the transient state now
 * @property {import("./store.js").Store["set"]} set changes keys of the state, as a person does
 * @property {import("./store.js").Store["load"]} load sets the whole state, as the kernel does
 * @property {import("./store.js").Store["poke"]} poke changes keys of the transient state
 * @property {import("./store.js").Store["flush"]} flush saves now what is about to be saved
 * @property {import("./store.js").Store["listen"]} listen tells which keys have changed
 * @property {() => ReturnType<typeof headsOf>} heads where the map's heads are, in CSS pixels of its stage
 * @property {() => ReturnType<typeof momentsOf>} moments the moments of a film of this view
 * @property {(moment: import("./movie.js").Moment, scale: number) => HTMLCanvasElement} film the picture of a moment
 * @property {() => void} paint draws what has changed, at once
 */

/**
 * Tells the kernel what went wrong, or the console where no kernel is left.
 * @param {import("./kernel.js").Model} model
 * @param {string} text
 */
export function report(model, text) {
  try {
    model.set("status", clean(text, 2000));
    model.save_changes();
  } catch {
    console.error(text);
  }
}

/**
 * Puts the parts into the page, neighbors of the same frame into that.
 * @param {HTMLElement} root
 * @param {Part[]} parts
 */
function arrange(root, parts) {
  parts.forEach((part, k) => {
    const frame = PARTS[k]?.[1];
    const last = root.lastElementChild;
    if (!frame) root.append(part.element);
    else if (last?.className === frame) last.append(part.element);
    else root.append(make("div", { class: frame }, part.element));
  });
  root.querySelector(".panels")?.after(make("p", { class: "narrowest note" }, words.map.narrow));
}

/**
 * The context, with the appearance and the painter behind it.
 * @param {import("./kernel.js").Model} model
 * @param {HTMLElement} host
 * @param {HTMLElement} root
 * @param {import("./types.js").Payload} payload
 * @param {AbortSignal} signal
 */
function createContext(model, host, root, payload, signal) {
  const kernel = createKernel(model);
  const store = createStore(payload, model.get("state"), {
    save: kernel.save,
    warn: (sentence) => console.warn(`gramviz: ${sentence}`),
  });
  const clock = createClock(store);
  /** @param {Part} part @param {Error} error */
  function fail(part, error) {
    const sentence = words.failed(clean(error.message, 300));
    console.error(error);
    part.element.append(make("div", { class: "trouble", role: "alert" }, sentence));
    report(model, `${sentence}\n${error.stack}`);
  }
  const painter = createPainter(root, clock, fail, signal);
  const { invalidate, paint } = painter;
  const frozen = model.frozen === true;
  const appearance = createAppearance({ host, root, payload, store, frozen, invalidate, paint, signal });
  /** @param {string} text */
  function say(text) {
    store.poke({ said: null }); // the same sentence again is said again
    store.poke({ said: text });
  }
  kernel.connect(store, say, signal);
  const lesson = createLesson(payload, store, clock);
  const thinker = thinkerOf(model);
  const services = { payload, store, root, signal, kernel, thinker, lesson, clock, say, paint, fit: appearance.fit };
  const context = /** @type {Context} */ ({
    ...services,
    get theme() {
      return appearance.theme();
    },
    get size() {
      return appearance.size();
    },
    redraw() {
      invalidate(["layout", "theme"]);
      paint();
    },
  });
  context.actions = createActions(context);
  return { context, painter, appearance };
}

/**
 * Listens to what changes the page apart from its parts.
 * @param {Context} context
 * @param {ReturnType<typeof createPainter>} painter
 * @param {ReturnType<typeof createAppearance>} appearance
 */
function listen({ root, store, clock, signal }, painter, appearance) {
  store.listen((keys) => {
    if (keys.includes("blank")) root.classList.toggle("blank", store.transient.blank);
    if (keys.includes("theme")) appearance.retheme();
    if (["folded", "sizes", "lanes", "tall"].some((key) => keys.includes(key))) appearance.fit();
    painter.invalidate(keys);
  });
  /** A press outside an open sheet closes it. @param {PointerEvent} event */
  function press(event) {
    const inSheet = (/** @type {any} */ node) => node.classList?.contains("menu") || node.classList?.contains("over");
    if (store.transient.open && !event.composedPath().some(inSheet)) store.poke({ open: null });
  }
  root.addEventListener("pointerdown", press, { signal });
  const seen = new IntersectionObserver(([entry]) => {
    if (!entry?.isIntersecting) clock.pause();
  });
  seen.observe(root);
  signal.addEventListener("abort", () => {
    seen.disconnect();
    store.dispose();
    for (const canvas of root.querySelectorAll("canvas")) canvas.width = canvas.height = 0;
  });
}

/**
 * Builds the page in `root`. Returns its handle, and what the page after it needs: see `keptView`.
 * @param {import("./kernel.js").Model} model
 * @param {HTMLElement} host
 * @param {HTMLElement} root
 * @param {import("./types.js").Payload} payload
 * @param {AbortSignal} signal
 */
export function mount(model, host, root, payload, signal) {
  const { context, painter, appearance } = createContext(model, host, root, payload, signal);
  const { store, kernel } = context;
  const parts = PARTS.map(([create]) => create(context));
  arrange(root, parts);
  listen(context, painter, appearance);
  listenToKeys(context, parts, model.frozen === true);
  appearance.watch(() => painter.start(parts));
  /** @type {Handle} */
  const handle = {
    payload,
    start: store.start,
    get state() {
      return store.state;
    },
    get transient() {
      return store.transient;
    },
    set: store.set,
    load: store.load,
    poke: store.poke,
    flush: store.flush,
    listen: store.listen,
    heads: () => headsOf(context),
    moments: () => momentsOf(payload, store.state, false),
    film: (moment, scale) => showMoment(context, moment, scale),
    paint: context.paint,
  };
  return { handle, store, kernel };
}

/**
 * What of a view stays for the next payload: what the kernel said nothing new of, and for another puzzle what means the
 * same there. A cursor at the end stays there.
 * @param {Pick<ReturnType<typeof mount>, "store" | "kernel">} before
 * @param {unknown} saying the state that comes with the next payload
 * @param {import("./types.js").Payload} next
 * @returns {Partial<import("./types.js").State>}
 */
export function keptView({ store, kernel }, saying, next) {
  const said = recordOf(saying);
  const known = recordOf(kernel.agreed());
  const same = (/** @type {string} */ key) => JSON.stringify(said[key]) === JSON.stringify(known[key]);
  const lasts = (/** @type {string} */ key) => contract.lasting.includes(key) && (!(key in said) || same(key));
  const keeps = next.puzzle === store.payload.puzzle ? same : lasts;
  const own = Object.entries(store.state).filter(([key]) => keeps(key));
  /** @type {Partial<import("./types.js").State>} */
  const view = Object.fromEntries(own);
  if (view.cursor?.step === store.last) view.cursor = { step: next.steps - 1, low: null };
  return view;
}
