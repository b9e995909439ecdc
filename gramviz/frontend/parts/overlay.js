// What lies over the panels: the table (T), the keys (?), and a text to copy where the clipboard is refused.

import { visibleSeries } from "../groups.js";
import { answerWords } from "../answers.js";
import { make } from "../dom.js";
import { focusedIn } from "../focus.js";
import { address } from "../steps.js";
import { number } from "../text.js";
import { laneNames } from "../state.js";
import { words } from "../words.js";

/** @typedef {import("../registry.js").Context} Context */
/**
 * @typedef {{step: number, where: string, trajectory: string, order: number, answer: string, numbers: number[]}} Row
 */

const PAGE = 200; // rows

/** The curves of the table. @param {import("../types.js").Payload} payload */
const curvesOf = (payload) => [
  ...(payload.bare ? [] : ["certainty", "conflicts"]),
  "drift",
  ...laneNames(payload).filter((name) => payload.extra[name]),
];

/**
 * One row per trajectory and step: the same numbers as the pictures, for those who do not see them.
 * @param {import("../types.js").Payload} payload
 * @param {import("../types.js").State} state
 * @returns {Row[]}
 */
function tableRows(payload, state) {
  const names = curvesOf(payload);
  const visible = visibleSeries(payload, state);
  return visible.flatMap((series) =>
    [...Array(series.n).keys()].flatMap((trajectory) =>
      [...Array(series.steps).keys()].map((step) => {
        const id = series.answer(trajectory, step);
        return {
          step,
          where: address(payload, step),
          trajectory: words.trajectoryName(series, trajectory),
          order: series.index * 1e6 + trajectory,
          answer: payload.bare
            ? "–"
            : id === null
              ? words.answers.between
              : `${payload.answers[id]?.letter ?? id + 1}, ${answerWords(payload, id)}`,
          numbers: names.map((name) => series.curve(name, trajectory, step)),
        };
      }),
    ),
  );
}

/** @type {((row: Row) => any)[]} what each column is sorted by */
const KEYS = [(row) => row.step, (row) => row.order, (row) => row.answer];

/**
 * Rows by a column; those that are equal in it in the order of their trajectories.
 * @param {Row[]} rows
 * @param {{column: number, down: boolean}} sort
 */
function sorted(rows, { column, down }) {
  const key = KEYS[column] ?? ((/** @type {Row} */ row) => row.numbers[column - KEYS.length]);
  return rows.sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === y || (Number.isNaN(x) && Number.isNaN(y))) return a.order - b.order;
    return (x < y || Number.isNaN(y) ? -1 : 1) * (down ? -1 : 1);
  });
}

/** The table, a page at a time. @param {Context} context @param {() => void} fill builds the sheet anew */
function createTable({ payload, store }, fill) {
  let sort = { column: 0, down: true };
  let page = 0;

  /** @param {string} name @param {number} column */
  function heading(name, column) {
    const own = sort.column === column;
    function onclick() {
      sort = { column, down: own ? !sort.down : false };
      fill();
    }
    const order = own ? (sort.down ? "descending" : "ascending") : "none";
    return make("th", { scope: "col", "aria-sort": order }, make("button", { onclick }, name));
  }

  /** @param {number} by @param {string} label @param {number} pages */
  function turn(by, label, pages) {
    function onclick() {
      page += by;
      fill();
    }
    return make("button", { disabled: page + by < 0 || page + by >= pages, onclick }, label);
  }

  return () => {
    const rows = sorted(tableRows(payload, store.state), sort);
    const pages = Math.ceil(rows.length / PAGE);
    page = Math.min(page, pages - 1);
    const titles = curvesOf(payload).map((name) => words.curve(name, payload)[0]);
    const head = [...words.table.columns, ...titles].map(heading);
    const body = rows.slice(page * PAGE, (page + 1) * PAGE).map((row) => {
      const cells = [row.where, row.trajectory, row.answer, ...row.numbers.map((value) => number(value))];
      return make(
        "tr",
        {},
        cells.map((text) => make("td", {}, text)),
      );
    });
    return [
      make(
        "table",
        {},
        make("caption", { class: "away" }, words.table.title),
        make("thead", {}, make("tr", {}, head)),
        make("tbody", {}, body),
      ),
      make(
        "div",
        { class: "bar" },
        turn(-1, words.table.previous, pages),
        make("span", {}, words.table.page(page + 1, pages)),
        turn(1, words.table.next, pages),
      ),
    ];
  };
}

/** @param {Context} context */
function keyList({ payload: { series, lead, levels, list } }) {
  const has = { several: series.length > 1, low: lead.low_steps > 0, many: list !== null };
  const rows = words.keyTable(has, levels[0].toLowerCase());
  return make(
    "dl",
    {},
    rows.map(([keys, does]) => make("div", {}, make("dt", {}, keys), make("dd", {}, does))),
  );
}

/** @param {string} text */
function copyField(text) {
  const field = make("textarea", { readonly: true, "aria-label": words.exports.refused });
  field.value = text;
  return field;
}

/**
 * The sheet that is open, and what it says.
 * @param {Context} context
 * @param {HTMLElement} element
 * @param {HTMLElement} heading
 * @param {HTMLElement} content
 */
function createSheet(context, element, heading, content) {
  const { store } = context;
  const table = createTable(context, fill);
  /** @type {Record<string, () => [string, HTMLElement[]]>} */
  const sheets = {
    table: () => [words.table.title, table()],
    keys: () => [words.buttons.keys, [keyList(context)]],
    copy: () => [words.exports.refused, [copyField(store.transient.copied)]],
  };
  /** @type {string | null} */
  let shown = null;

  /** Built anew by its own buttons too: the focus stays on the pressed one, or goes to one that still works. */
  function fill() {
    if (!shown) return;
    const buttons = () => [...content.querySelectorAll("button")];
    const at = buttons().indexOf(focusedIn(element));
    const [title, nodes] = sheets[shown]();
    heading.textContent = title;
    element.setAttribute("aria-label", title);
    content.replaceChildren(...nodes);
    if (at < 0) return;
    const again = buttons();
    const next = again[at].disabled ? again.filter((button) => !button.disabled).at(-1) : again[at];
    (next ?? heading).focus();
  }

  return {
    /** Returns whether it is another one now. */
    turn() {
      const { open } = store.transient;
      const wanted = open !== null && open in sheets ? open : null;
      const differs = wanted !== shown;
      shown = wanted;
      element.hidden = !shown;
      if (differs && shown) fill();
      if (!shown) content.replaceChildren();
      return differs;
    },
  };
}

/** @param {Context} context @returns {import("../registry.js").Part} */
export function createOverlay(context) {
  const { store, root } = context;
  const content = make("div");
  const heading = make("h3", { tabindex: "-1" });
  const close = make("button", { onclick: () => store.poke({ open: null }) }, words.buttons.close);
  const bar = make("div", { class: "bar" }, heading, make("div", { class: "push" }, close));
  const element = make("div", { class: "over", role: "dialog", hidden: true }, bar, content);
  const sheet = createSheet(context, element, heading, content);
  /** @type {HTMLElement | null} */
  let from = null; // what had the focus before the sheet was opened

  /** What lies below is out of reach while a sheet is open: no Tab may lead to what nobody sees. */
  function cover() {
    for (const other of root.children)
      if (other !== element && !other.matches("header, [aria-live]")) other.toggleAttribute("inert", !element.hidden);
  }

  return {
    name: "overlay",
    reads: ["open"],
    element,
    update() {
      const focused = focusedIn(element);
      const closed = element.hidden;
      if (!sheet.turn()) return;
      if (closed && !element.contains(focused)) from = focused;
      cover();
      // The header stays in reach, however many rows it has.
      const top = root.querySelector("header")?.offsetHeight ?? 0;
      element.style.top = context.size.kind === "narrow" ? "" : `${top}px`;
      const text = content.querySelector("textarea");
      text?.select();
      if (!element.hidden) (text ?? heading).focus({ preventScroll: true });
      // Back to where it was opened from, so that nobody has to find the way again.
      else if (store.transient.open === null) (from?.isConnected ? from : root).focus({ preventScroll: true });
    },
  };
}
