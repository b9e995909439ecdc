// The header: what is shown, the runs, and three menus.

import { badge, make, setAttribute } from "../dom.js";
import { isSudoku } from "../explain.js";
import { exportItems } from "../export.js";
import { colorChoices } from "../groups.js";
import { createMenu } from "../menu.js";
import { laneNames, layerNames } from "../state.js";
import { words } from "../words.js";

// The recorded variable behind a curve, where it has another name: that is what `missing` speaks of.
const SOURCES = { certainty: "probability", conflicts: "conflict", drift: "h", spread: "h" };

export function createHeader(app, actions) {
  const { payload, store } = app;
  const title = make(
    "h2",
    { class: "title selectable" },
    payload.title,
    make("span", {}, words.puzzle(payload.puzzle, payload.puzzles)),
  );
  const runs = payload.runs.map((run) =>
    make(
      "button",
      {
        class: "run",
        "data-run": run.letter,
        title: words.runHint(run.name, payload.runs.length > 1),
        onclick: (event) => (event.ctrlKey || event.metaKey ? actions.hide(run.letter) : actions.run(run.letter)),
      },
      badge(run.letter),
      make("b", {}, run.name),
      make("span", { class: "muted count" }, words.paths(run.n)),
    ),
  );

  const cramped = () => !["wide", "medium"].includes(app.size.kind);
  const color = createMenu(app, "color", "", () =>
    colorChoices(payload, store.state).map(([key, label]) => ({
      label,
      radio: true,
      checked: store.state.color_by === key,
      act: () => store.set({ color_by: key }),
    })),
  );
  const view = createMenu(app, "view", words.buttons.view, viewItems);
  const compare = createMenu(app, "compare", "", () => app.edit.others());
  compare.el.querySelector("button").setAttribute("aria-label", words.edit.compare);
  const save = createMenu(app, "export", words.buttons.export, () => exportItems(app));
  const keys = make(
    "button",
    { "aria-label": words.buttons.keys, title: words.buttons.keys, onclick: () => actions.toggle("keys") },
    "?",
  );
  const colorLabel = make("span", { class: "muted" }, words.buttons.color);
  const right = payload.runs.filter((run) => run.n > 1 && run.valid).map((run) => words.correct(run.right, run.n));
  const tally = right.length ? make("span", { class: "muted selectable tally" }, right.join("; ")) : null;
  const el = make(
    "header",
    {},
    title,
    make("div", { class: "runs" }, runs, tally),
    make("div", { class: "tools" }, compare.el, colorLabel, color.el, view.el, save.el, keys),
  );

  function viewItems() {
    const { state } = store;
    const toggle = (key, name) => ({
      stay: true,
      checked: state[key].includes(name),
      act: () =>
        store.set({
          [key]: store.state[key].includes(name)
            ? store.state[key].filter((other) => other !== name)
            : [...store.state[key], name],
        }),
    });
    const missing = (name) =>
      [payload, ...payload.runs].map((holder) => holder.missing?.[SOURCES[name] ?? name]).find(Boolean);
    const bases = [...new Map(payload.bases.map((basis) => [basis.name, basis])).values()];
    return [
      { heading: words.view.curves },
      ...laneNames
        .filter((name) => payload.runs.some((run) => run.curves[name]) || missing(name))
        .map((name) => {
          const there = payload.runs.some((run) => run.curves[name]);
          return {
            label: words.curve(name, payload.board.ruled)[0],
            disabled: !there,
            why: there ? null : missing(name),
            ...toggle("lanes", name),
          };
        }),
      { label: words.view.tall, stay: true, checked: app.lanes.tall(), act: () => app.lanes.stretch(!app.lanes.tall()) },
      { heading: words.view.layers },
      ...layerNames
        .filter((name) => name !== "truth" || payload.y)
        .map((name) => ({
          label: words.layers[name],
          ...toggle("layers", name),
          ...(name !== "explain" ? {} : isSudoku(payload.board) ? { why: words.explain.known } : { disabled: true, why: words.explain.none }),
          ...(name === "halo" && app.haloForced() ? { checked: true, disabled: true, why: words.haloForced } : {}),
        })),
      { heading: words.view.basis },
      ...bases.map((basis) => ({
        label: basis.label,
        radio: true,
        checked: state.basis === basis.name,
        act: () => store.set({ basis: basis.name, camera: null, brush: null }),
      })),
      ...app.edit.planes(),
      { heading: words.edit.title },
      ...app.edit.items(),
      ...(cramped() ? [{ heading: words.edit.compare }, ...app.edit.others()] : []),
      { heading: words.view.theme },
      ...["auto", "light", "dark"].map((name) => ({
        label: words.themes[name],
        radio: true,
        stay: true,
        checked: state.theme === name,
        act: () => store.set({ theme: name }),
      })),
      { heading: words.view.also },
      {
        label: words.view.calm,
        stay: true,
        checked: state.motion === "calm",
        act: () => store.set({ motion: store.state.motion === "calm" ? "auto" : "calm" }),
      },
      {
        label: payload.lesson ? words.lesson.title : words.lesson.automatic,
        checked: state.chapter !== null,
        act: () => app.lesson.toggle(),
      },
      { label: words.lesson.presenter, checked: store.transient.presenter, act: () => actions.present() },
      { label: words.view.table, checked: store.transient.open === "table", act: () => store.poke({ open: "table" }) },
    ];
  }

  return {
    el,
    update(changed) {
      const { state } = store;
      for (const menu of [compare, color, view, save]) menu.update(changed);
      colorLabel.hidden = app.size.kind !== "wide";
      compare.setLabel(app.size.kind === "wide" ? words.edit.compare : "+");
      compare.el.hidden = cramped(); // no room: "View" offers the same there
      color.setLabel(colorChoices(payload, state).find(([key]) => key === state.color_by)?.[1] ?? "");
      runs.forEach((button, index) => {
        const { letter } = payload.runs[index];
        setAttribute(button, "aria-pressed", !state.hidden.includes(letter));
        button.classList.toggle("focus", state.focus[0] === letter && payload.runs.length > 1);
      });
    },
  };
}
