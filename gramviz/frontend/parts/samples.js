// The contact sheet: what every trajectory shows at this step, sorted by how it ends.

import { answerWords } from "../answers.js";
import { boardView } from "../board.js";
import { make, markIcon } from "../dom.js";
import { withCommand } from "../focus.js";
import { createGallery } from "../gallery.js";
import { colorGroups, emphasis, GRAY, HIDDEN, outcomeShape, allOf } from "../groups.js";
import { address } from "../steps.js";
import { words } from "../words.js";

/** @typedef {import("../types.js").Who} Who */

/** What the trajectories are sorted by, the least first, and the group of each. @type {Record<string, Sorting>} */
const SORTINGS = {
  trajectory: { rank: () => 0 },
  outcome: {
    rank: ([series, one]) => [1, 0, 2, 3, 4][series.outcome(one)],
    group: ([series, one]) => words.outcomes[series.outcome(one)],
  },
  answer: {
    rank: ([series, one]) => series.final(one),
    group: ([series, one], payload) => {
      const id = series.final(one);
      return `${words.answer(payload.answers[id]?.letter)}, ${answerWords(payload, id)}`;
    },
  },
  value: { rank: ([series, one], step) => -series.curve("value", one, step) },
};
/**
 * @typedef {object} Sorting
 * @property {(who: Who, step: number) => number} rank
 * @property {(who: Who, payload: import("../types.js").Payload) => string} [group]
 */

/** @type {import("../registry.js").Key[]} */
const SAMPLES_READS = [
  "layout",
  "theme",
  "sheet",
  "edit",
  "samples_by",
  "asking",
  "cursor",
  "focus",
  "selected",
  "hidden",
  "color_by",
  "cells",
  "token",
  "limit",
];

/** @param {import("../registry.js").Context} context @returns {import("../registry.js").Part} */
export function createSamples(context) {
  const { payload, store } = context;
  const keyOf = (/** @type {Who} */ [series, one]) => `${series.letter} ${one}`;
  const all = allOf(payload.series);
  /** @param {string} key @returns {[string, number]} */
  const whoOf = (key) => [key[0], Number(key.slice(2))];
  const has = (/** @type {string} */ key) => key !== "value" || payload.series.some(({ curves }) => curves.value);
  const gallery = createGallery(context, {
    name: "samples",
    title: words.samples.title,
    by: "samples_by",
    orders: Object.entries(words.samples.by).filter(([key]) => has(key)),
    view(key) {
      const state = { ...store.state, focus: whoOf(key), board: "focus", pinned: null, layers: [] };
      return boardView(payload, state, { ...store.transient, hover: null, edit: null }, true);
    },
    /** Enter or a click on what has the focus already shows it large. */
    choose(key, event) {
      const [letter, one] = whoOf(key);
      const { focus, selected } = store.state;
      const list = selected[letter] ?? [];
      const toggled = list.includes(one) ? list.filter((other) => other !== one) : [...list, one];
      if (withCommand(event)) store.set({ selected: { ...selected, [letter]: toggled } });
      else if (String(focus) === `${letter},${one}`) store.set({ sheet: null });
      else store.set({ focus: [letter, one], board: "focus" });
    },
    point: (key) => store.poke({ hover: key === null ? null : { part: "samples", trajectory: whoOf(key) } }),
  });

  function show() {
    const { state } = store;
    const { step } = state.cursor;
    const { rank, group } = SORTINGS[has(state.samples_by) ? state.samples_by : "answer"];
    const { groups, of } = colorGroups(payload, state);
    const level = emphasis(payload, state, null);
    const visible = all.filter(([series, one]) => level[series.letter][one] !== HIDDEN);
    const sorted = visible.sort((a, b) => rank(a, step) - rank(b, step) || 0); // NaN where there is no value
    const heads = sorted.map((who) => group?.(who, payload));
    const many = new Set(heads).size > sorted.length / 2; // a heading above every picture says nothing
    const tiles = sorted.map(([series, one], k) => ({
      key: keyOf([series, one]),
      lines: [[markIcon(outcomeShape(series.outcome(one))), make("b", {}, words.trajectoryName(series, one))]],
      group:
        many || !heads[k] ? undefined : words.samples.group(heads[k], heads.filter((head) => head === heads[k]).length),
      color: context.theme.pick(groups[of[series.letter][one]].color),
      classes: {
        focus: String(state.focus) === `${series.letter},${one}`,
        gray: level[series.letter][one] === GRAY,
      },
    }));
    return { tiles, note: words.samples.at(sorted.length, address(payload, step)) };
  }

  return {
    name: "samples",
    reads: SAMPLES_READS,
    element: gallery.element,
    key: gallery.key,
    update: (changed) => gallery.update(changed, show),
  };
}
