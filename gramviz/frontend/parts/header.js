// The header: what is shown, the series, and the menus.

import { visibleSeries } from "../groups.js";
import { unjudged } from "../answers.js";
import { badge, make, setAttribute, setText } from "../dom.js";
import { isSudoku } from "../explain.js";
import { exportItems } from "../export.js";
import { panelsOf } from "../layout.js";
import { createMenu } from "../menu.js";
import { compareOffers, editOffers, planeOffers } from "../offers.js";
import { planesOf } from "../planes.js";
import { isHaloForced } from "../scene.js";
import { laneNames, layerNames } from "../state.js";
import { yourWords } from "../think/yourwords.js";
import { words } from "../words.js";

/** @typedef {import("../registry.js").Context} Context */
/** @typedef {import("../menu.js").Choice} Choice */
/** @typedef {import("../types.js").State} State */

// The recorded variable behind a curve, where it has another name: that is what `missing` speaks of.
const SOURCES = { certainty: "probability", conflicts: "conflict", drift: "h", spread: "h" };

const ANSWER_LAYERS = ["hulls", "trail", "truth", "explain"]; // layers

/**
 * A choice that takes a name out of a list of the state, or puts it in.
 * @param {Context} context
 * @param {"lanes" | "layers"} key
 * @param {string} name
 */
function toggle({ payload, store }, key, name) {
  // Of the numbers of a cell one is drawn at a time.
  const extra = key === "layers" && name in payload.extra;
  const others = () => store.state[key].filter((other) => other !== name && !(extra && other in payload.extra));
  const checked = store.state[key].includes(name);
  const act = () => store.set({ [key]: store.state[key].includes(name) ? others() : [...store.state[key], name] });
  return { stay: true, checked, act };
}

/**
 * One of several values of a key of the state.
 * @param {Context} context
 * @param {string} label
 * @param {Partial<State>} patch whose first key decides
 * @returns {Choice}
 */
function option({ store }, label, patch) {
  const [key] = /** @type {(keyof State)[]} */ (Object.keys(patch));
  return { label, radio: true, checked: store.state[key] === patch[key], act: () => store.set(patch) };
}

/** @param {Context} context @returns {Choice[]} */
function curveChoices(context) {
  const { payload, store } = context;
  /** @param {string} name */
  const missing = (name) =>
    [payload, ...payload.series]
      .map((holder) => holder.missing?.[SOURCES[/** @type {keyof typeof SOURCES} */ (name)] ?? name])
      .find(Boolean);
  const lanes = laneNames(payload).flatMap((name) => {
    const disabled = !payload.series.some((series) => series.curves[name]);
    const why = disabled ? missing(name) : null;
    if (disabled && !why) return [];
    return [{ label: words.curve(name, payload)[0], disabled, why, ...toggle(context, "lanes", name) }];
  });
  const checked = store.state.lanes.every((name) => store.state.tall.includes(name));
  const tall = { stay: true, checked, act: () => store.set({ tall: checked ? [] : store.state.lanes }) };
  return [...lanes, { label: words.view.tall, ...tall }];
}

/** @param {Context} context @returns {Choice[]} */
const panelChoices = ({ payload, size, actions }) =>
  panelsOf(payload)
    .filter((name) => !isCramped({ size }) || name === "curves")
    .map((name) => ({
      label: words.panels[name],
      stay: true,
      checked: !size.folded.includes(name),
      act: () => actions.fold(name),
    }));

/** @param {Context} context @returns {Choice[]} */
function layerChoices(context) {
  const { payload, store } = context;
  const forced = { checked: true, disabled: true, why: words.haloForced };
  const explain = isSudoku(payload.board) ? { why: words.explain.known } : { disabled: true, why: words.explain.none };
  const isForced = isHaloForced(planesOf(payload, store.state.basis), store.state);
  return layerNames(payload)
    .filter((name) => (name !== "truth" || payload.y) && !(payload.bare && ANSWER_LAYERS.includes(name)))
    .map((name) => ({
      label: payload.extra[name]?.[0] ?? words.layers[/** @type {keyof typeof words.layers} */ (name)],
      ...toggle(context, "layers", name),
      ...(name === "explain" ? explain : name === "halo" && isForced ? forced : {}),
    }));
}

/** @param {Context} context @returns {Choice[]} */
function planeChoices(context) {
  const { payload } = context;
  const bases = [...new Map(payload.bases.map((basis) => [basis.name, basis])).values()];
  return [
    ...bases.map(({ name, label }) => option(context, label, { basis: name, camera: null, brush: null })),
    ...(payload.missing.h ? [{ label: words.map.ofH, act() {}, disabled: true, why: payload.missing.h }] : []),
    ...(payload.bare ? [] : planeOffers(context)),
  ];
}

/** @param {Context} context @returns {Choice[]} */
function otherChoices({ payload, store, actions, lesson }) {
  const { state, transient } = store;
  const calm = state.motion === "calm";
  return [
    {
      label: words.view.calm,
      stay: true,
      checked: calm,
      act: () => store.set({ motion: store.state.motion === "calm" ? "auto" : "calm" }),
    },
    {
      label: payload.lesson ? words.lesson.title : words.lesson.automatic,
      checked: state.chapter !== null,
      act: () => lesson.toggle(),
    },
    { label: words.lesson.presenter, checked: transient.presenter, act: actions.present },
    { label: words.view.table, checked: transient.open === "table", act: () => store.poke({ open: "table" }) },
  ];
}

/** Where there is no room for "+ Compare", "View" offers the same. @param {Pick<Context, "size">} context */
const isCramped = ({ size }) => !["wide", "medium"].includes(size.kind);

/** @param {Context} context @returns {(Choice | import("../menu.js").Heading)[]} */
const viewChoices = (context) => [
  { heading: words.view.curves },
  ...curveChoices(context),
  { heading: words.panels.title },
  ...panelChoices(context),
  { heading: words.view.layers },
  ...layerChoices(context),
  { heading: words.view.basis },
  ...planeChoices(context),
  ...(context.payload.bare ? [] : [{ heading: words.edit.title }, ...editOffers(context)]),
  ...(isCramped(context) ? [{ heading: words.edit.compare }, ...compareOffers(context)] : []),
  { heading: words.view.theme },
  .../** @type {const} */ (["auto", "light", "dark"]).map((theme) => ({
    ...option(context, words.themes[theme], { theme }),
    stay: true,
  })),
  { heading: words.view.also },
  ...otherChoices(context),
];

/** A button for each series. @param {Context} context */
function createSeries(context) {
  const { payload, store, actions } = context;
  const buttons = payload.series.map((series) => {
    const { letter, name, n } = series;
    return make(
      "button",
      {
        class: "series",
        "data-series": letter,
        title: words.seriesHint(series, payload.series.length > 1),
        onclick: (/** @type {MouseEvent} */ event) =>
          event.ctrlKey || event.metaKey ? actions.hide(letter) : actions.series(letter),
      },
      badge(letter),
      make("b", { title: name }, name),
      make("span", { class: "muted count" }, words.trajectories(n)),
    );
  });
  const none = payload.solutions === 0 ? words.answers.found(0, 0) : "";
  /** How many of each series that is shown are right. */
  function counted() {
    const shown = visibleSeries(payload, store.state).filter(({ n, valid }) => n > 1 && valid);
    const depth = isCramped(context) ? () => "" : words.ofDepth;
    const correct = shown.map((series) => words.correct(series.right ?? 0, series.n) + depth(series));
    const judged = payload.bare || payload.series.some((series) => series.valid);
    const said = judged ? correct.join("; ") : unjudged(payload);
    return [said, none].filter(Boolean).join("; ");
  }
  const tally = make("span", { class: "muted selectable tally" });
  return {
    element: make("div", { class: "letters" }, buttons, tally),
    update() {
      const { hidden, focus } = store.state;
      tally.title = counted();
      setText(tally, tally.title);
      tally.hidden = !tally.title;
      buttons.forEach((button, index) => {
        const { letter } = payload.series[index];
        setAttribute(button, "aria-pressed", !hidden.includes(letter));
        button.classList.toggle("focus", focus[0] === letter && payload.series.length > 1);
      });
    },
  };
}

/** What opens the browser of puzzles, the puzzle to be edited, and the contact sheet. @param {Context} context */
function createSheetButtons(context) {
  const { payload, store, actions, thinker } = context;
  const sheet = (/** @type {"puzzles" | "samples"} */ name) =>
    make("button", { "data-sheet": name, onclick: () => actions.sheet(name) }, words[name].title);
  const turn = (/** @type {number} */ by, /** @type {string} */ label, /** @type {string} */ sign) =>
    make("button", { "aria-label": label, title: label, onclick: () => actions.puzzle(by) }, sign);
  const [puzzles, samples] = [sheet("puzzles"), sheet("samples")];
  const { previous, next } = words.puzzles;
  const press = () => editOffers(context)[0].act();
  const edit = make("button", { "data-edit": "", title: words.edit.puzzle, onclick: press }, words.edit.short);
  return {
    puzzles: payload.list
      ? [make("div", { class: "turns" }, turn(-1, previous, "‹"), puzzles, turn(1, next, "›")), edit]
      : [edit],
    samples: !payload.bare && payload.series.some(({ n }) => n > 1) ? [samples] : [],
    update() {
      for (const button of [puzzles, samples])
        setAttribute(button, "aria-pressed", button.dataset.sheet === store.state.sheet);
      edit.hidden = payload.bare || Boolean(thinker || editOffers(context)[0].disabled);
      setAttribute(edit, "aria-pressed", store.transient.edit !== null);
    },
  };
}

/** @param {Context} context @returns {import("../registry.js").Part} */
export function createHeader(context) {
  const { payload, store, actions, thinker } = context;
  const name = thinker?.own ? yourWords.mine : words.puzzle(payload);
  const title = make("h2", { class: "title selectable" }, payload.title, make("span", {}, name));
  const series = createSeries(context);
  const sheets = createSheetButtons(context);
  series.element.prepend(...sheets.puzzles);
  const view = createMenu(context, "view", words.buttons.view, () => viewChoices(context));
  const compare = createMenu(context, "compare", "", () => compareOffers(context));
  compare.element.querySelector("button")?.setAttribute("aria-label", words.edit.compare);
  const save = createMenu(context, "export", words.buttons.export, () => exportItems(context));
  const help = { "aria-label": words.buttons.keys, title: words.buttons.keys, onclick: () => actions.toggle("keys") };
  const menus = [compare, view, save];
  const keys = /** @type {(keyof State)[]} */ (Object.keys(store.state));
  const elements = [...sheets.samples, compare.element, view.element, save.element];
  const tools = make("div", { class: "tools" }, elements, make("button", help, "?"));
  return {
    name: "header",
    // An open menu says what is so now. Of time it says nothing that has to keep up.
    reads: ["layout", "open", "edit", ...keys.filter((key) => key !== "cursor")],
    element: make("header", {}, title, series.element, tools),
    update(changed) {
      const { roomy: wide } = context.size;
      for (const menu of menus) menu.update(changed);
      compare.setLabel(wide ? words.edit.compare : "+");
      compare.element.hidden = isCramped(context);
      series.update();
      sheets.update();
    },
  };
}
