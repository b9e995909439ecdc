// The transport: five buttons, where we are, the jumps, speed and loop.

import { icon, make, setAttribute, setText } from "../dom.js";
import { createMenu } from "../menu.js";
import { address, tickName } from "../steps.js";
import { words } from "../words.js";

const SPEEDS = [1, 2, 4, 8, 16];

export function createTransport(app, actions) {
  const { payload, store } = app;
  const one = payload.steps < 2;
  const press = (name, act) => {
    const title = words.buttons[name].replace("transition", tickName(payload).toLowerCase());
    return make("button", { class: name, "aria-label": title, title, disabled: one, onclick: act }, icon(name));
  };
  const play = press("play", () => actions.play());
  const set = make(
    "div",
    { class: "set", role: "group", "aria-label": words.transport },
    press("start", actions.start),
    press("back", () => actions.step(-1)),
    play,
    press("forward", () => actions.step(1)),
    press("end", actions.end),
  );
  const where = make("b");
  const place = make("span", { class: "muted" });
  const jumps = ["change", "correct", "halt", "part"].filter(
    (name) =>
      (name !== "halt" || payload.runs.some((run) => run.halts)) &&
      (name !== "correct" || payload.runs.some((run) => run.valid)),
  );
  const buttons = jumps.map((name) =>
    make("button", { "data-jump": name, disabled: one, onclick: () => actions[name]() }, words.buttons[name]),
  );
  const wide = make("div", { class: "jumps" }, buttons);
  const menu = createMenu(app, "go", words.buttons.go, () =>
    jumps.map((name) => ({ label: words.buttons[name], act: () => actions[name]() })),
  );
  const speed = make("input", {
    type: "range",
    min: 0,
    max: SPEEDS.length - 1,
    step: 1,
    "aria-label": words.buttons.speed,
    oninput: (event) => store.set({ speed: SPEEDS[event.target.valueAsNumber] }),
  });
  const rate = make("span", { class: "rate" });
  const loop = make("input", { type: "checkbox", onchange: () => store.set({ loop: loop.checked }) });
  const loopText = make("span", {}, words.buttons.loop);
  const el = make(
    "div",
    { class: "transport" },
    set,
    make("div", { class: "readout selectable" }, where, place),
    wide,
    menu.el,
    make(
      "div",
      { class: "rest" },
      make("label", {}, make("span", { class: "muted" }, words.buttons.speed), speed, rate),
      make("label", {}, loop, loopText),
    ),
  );

  let shownIcon = "play";
  return {
    el,
    update(keys) {
      const { state, transient } = store;
      if (keys.has("layout")) {
        wide.hidden = app.size.kind !== "wide";
        menu.el.hidden = app.size.kind === "wide";
      }
      menu.update(keys);
      const name = transient.playing ? "pause" : "play";
      if (name !== shownIcon) {
        play.replaceChildren(icon(name));
        for (const attribute of ["aria-label", "title"]) setAttribute(play, attribute, words.buttons[name]);
        shownIcon = name;
      }
      setText(where, words.time.step(address(payload, state.cursor.step, state.cursor.low)));
      setText(place, one ? words.time.one : words.time.of(tickName(payload), state.cursor.step, payload.steps - 1));
      speed.value = String(SPEEDS.indexOf(state.speed));
      setAttribute(speed, "aria-valuetext", words.time.speed(state.speed));
      setText(rate, words.time.speed(state.speed));
      loop.checked = state.loop;
      setText(
        loopText,
        state.range
          ? words.time.loop(address(payload, state.range[0]), address(payload, state.range[1]))
          : words.buttons.loop,
      );
    },
  };
}
