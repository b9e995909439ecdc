// The transport: five buttons, where we are, the jumps, speed and loop.

import { SPEEDS } from "../actions.js";
import { icon, make, setAttribute, setText } from "../dom.js";
import { createMenu } from "../menu.js";
import { address, tickName } from "../steps.js";
import { words } from "../words.js";

/** @typedef {import("../registry.js").Context} Context */

/** The buttons that play and step. @param {Context} context */
function createButtons({ payload, store, actions }) {
  const disabled = payload.steps < 2;
  /** @param {"start" | "back" | "play" | "forward" | "end"} name @param {() => void} onclick */
  function press(name, onclick) {
    const title = words.buttons[name].replace("transition", tickName(payload).toLowerCase());
    return make("button", { class: name, "aria-label": title, title, disabled, onclick }, icon(name));
  }
  const play = press("play", actions.play);
  const element = make(
    "div",
    { class: "set", role: "group", "aria-label": words.transport },
    press("start", actions.start),
    press("back", () => actions.step(-1)),
    play,
    press("forward", () => actions.step(1)),
    press("end", actions.end),
  );
  let shown = "play";
  return {
    element,
    update() {
      const name = store.transient.playing ? "pause" : "play";
      if (name === shown) return;
      play.replaceChildren(icon(name));
      for (const attribute of ["aria-label", "title"]) setAttribute(play, attribute, words.buttons[name]);
      shown = name;
    },
  };
}

/** The jumps. @param {Context} context */
function createJumps(context) {
  const { payload, actions } = context;
  const disabled = payload.steps < 2;
  const names = /** @type {("change" | "correct" | "left" | "halt" | "part")[]} */ ([
    "change",
    "correct",
    "left",
    "halt",
    "part",
  ]).filter(
    (name) =>
      (name !== "halt" || payload.series.some((series) => series.halts)) &&
      (!["correct", "left"].includes(name) || payload.series.some((series) => series.valid)),
  );
  const menu = createMenu(context, "go", words.buttons.go, () =>
    names.map((name) => ({ label: words.buttons[name], disabled, act: () => actions[name]() })),
  );
  menu.element.hidden = payload.bare; // all are of answers
  return menu;
}

/** Speed and loop. @param {Context} context */
function createPace({ payload, store }) {
  const speed = make("input", {
    type: "range",
    min: 0,
    max: SPEEDS.length - 1,
    step: 1,
    "aria-label": words.buttons.speed,
    oninput: () => store.set({ speed: SPEEDS[speed.valueAsNumber] }),
  });
  const rate = make("span", { class: "rate" });
  const loop = make("input", { type: "checkbox", onchange: () => store.set({ loop: loop.checked }) });
  const loopText = make("span", {}, words.buttons.loop);
  const element = make(
    "div",
    { class: "rest" },
    make("label", { title: words.buttons.speed }, speed, rate),
    make("label", {}, loop, loopText),
  );
  return {
    element,
    update() {
      const { state } = store;
      speed.value = String(SPEEDS.indexOf(state.speed));
      setAttribute(speed, "aria-valuetext", words.time.speed(state.speed));
      setText(rate, words.time.speed(state.speed));
      loop.checked = state.loop;
      const { range } = state;
      const place = (/** @type {number} */ step) => address(payload, step);
      setText(loopText, range ? words.time.loop(place(range[0]), place(range[1])) : words.buttons.loop);
    },
  };
}

/** @param {Context} context @returns {import("../registry.js").Part} */
export function createTransport(context) {
  const { payload, store } = context;
  const buttons = createButtons(context);
  const jumps = createJumps(context);
  const pace = createPace(context);
  const where = make("b");
  const place = make("span", { class: "muted place" });
  const readout = make("div", { class: "readout selectable" }, where, place);
  return {
    name: "transport",
    reads: ["layout", "cursor", "playing", "speed", "loop", "range", "open"],
    element: make("div", { class: "transport" }, buttons.element, readout, jumps.element, pace.element),
    update(changed) {
      const { step, low } = store.state.cursor;
      buttons.update();
      jumps.update(changed);
      pace.update();
      setText(where, words.time.step(address(payload, step, low)));
      const last = payload.steps - 1;
      setText(place, last ? words.time.of(tickName(payload), step, last) : words.time.one);
    },
  };
}
