// What lies over the panels: the table (T), the keys (?), and a text to copy where the clipboard is refused.

import { answerWords } from "./answers.js";
import { make } from "../dom.js";
import { address } from "../steps.js";
import { number } from "../text.js";
import { words } from "../words.js";

const PAGE = 200; // rows

/** One row per path and step: the same numbers as the pictures, for those who do not see them. */
function tableRows(payload, state) {
  const rows = [];
  for (const run of payload.runs) {
    if (state.hidden.includes(run.letter)) continue;
    for (let path = 0; path < run.n; path += 1)
      for (let step = 0; step < run.steps; step += 1) {
        const id = run.answer(path, step);
        const answer =
          id === null ? words.answers.between : `${payload.answers[id]?.letter ?? id + 1}, ${answerWords(payload, id)}`;
        rows.push({
          step,
          where: address(payload, step),
          path: words.pathName(run, path),
          order: run.index * 1e6 + path,
          answer,
          numbers: ["certainty", "conflicts", "drift"].map((name) => run.curve(name, path, step)),
        });
      }
  }
  return rows;
}

const KEYS = [
  (row) => row.step,
  (row) => row.order,
  (row) => row.answer,
  (row) => row.numbers[0],
  (row) => row.numbers[1],
  (row) => row.numbers[2],
];

export function createOverlay(app) {
  const { payload, store } = app;
  const content = make("div");
  const heading = make("h3", { tabindex: "-1" });
  const close = make("button", { onclick: () => store.poke({ open: null }) }, words.buttons.close);
  const el = make(
    "div",
    { class: "over", role: "dialog", hidden: true },
    make("div", { class: "bar" }, heading, make("div", { class: "push" }, close)),
    content,
  );
  let sort = { column: 0, down: true };
  let page = 0;
  let shown = null;
  let from = null; // what had the focus before the sheet was opened

  function table() {
    const key = KEYS[sort.column];
    const rows = tableRows(payload, store.state).sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      if (x === y || (Number.isNaN(x) && Number.isNaN(y))) return a.order - b.order; // in path order, whichever way it is sorted
      return (x < y || Number.isNaN(y) ? -1 : 1) * (sort.down ? -1 : 1);
    });
    const pages = Math.ceil(rows.length / PAGE);
    page = Math.min(page, pages - 1);
    const turn = (by, label) =>
      make(
        "button",
        {
          disabled: page + by < 0 || page + by >= pages,
          onclick: () => {
            page += by;
            fill();
          },
        },
        label,
      );
    const head = words.table.columns(words.curve("conflicts", payload.board.ruled)[0]).map((name, column) =>
      make(
        "th",
        { scope: "col", "aria-sort": sort.column === column ? (sort.down ? "descending" : "ascending") : "none" },
        make(
          "button",
          {
            onclick: () => {
              sort = { column, down: sort.column === column ? !sort.down : false };
              fill();
            },
          },
          name,
        ),
      ),
    );
    const body = rows.slice(page * PAGE, (page + 1) * PAGE).map((row) =>
      make(
        "tr",
        {},
        [row.where, row.path, row.answer, ...row.numbers.map(number)].map((text) => make("td", {}, text)),
      ),
    );
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
        turn(-1, words.table.previous),
        make("span", {}, words.table.page(page + 1, pages)),
        turn(1, words.table.next),
      ),
    ];
  }

  const contents = {
    table: () => [words.table.title, table()],
    keys: () => [
      words.buttons.keys,
      [
        make(
          "dl",
          {},
          words
            .keyTable(payload.runs.length > 1, payload.lead.low_steps > 0, payload.levels[0].toLowerCase())
            .map(([keys, does]) => make("div", {}, make("dt", {}, keys), make("dd", {}, does))),
        ),
      ],
    ],
    copy: () => {
      const text = make("textarea", { readonly: true, "aria-label": words.exports.refused });
      text.value = app.copied;
      return [words.exports.refused, [text]];
    },
  };

  /** Built anew after a press of one of its own buttons too: the focus stays on that one, or goes to one that still works. */
  function fill() {
    const buttons = () => [...content.querySelectorAll("button")];
    const at = buttons().indexOf(el.getRootNode().activeElement);
    const [title, nodes] = contents[shown]();
    heading.textContent = title;
    el.setAttribute("aria-label", title);
    content.replaceChildren(...nodes);
    if (at < 0) return;
    const again = buttons();
    (again[at].disabled ? (again.filter((button) => !button.disabled).at(-1) ?? heading) : again[at]).focus();
  }

  /** What lies below is out of reach while the sheet is open: no Tab may lead to what nobody sees. */
  function cover(on) {
    for (const part of app.root.children)
      if (part !== el && !part.matches("header, [aria-live]")) part.toggleAttribute("inert", on);
  }

  return {
    el,
    update(keys) {
      if (!keys.has("open") && !(shown === "table" && keys.has("hidden"))) return;
      const wanted = contents[store.transient.open] ? store.transient.open : null;
      if (wanted === shown) return;
      const open = el.getRootNode().activeElement;
      if (!shown && !el.contains(open)) from = open;
      shown = wanted;
      el.hidden = !shown;
      cover(Boolean(shown));
      if (!shown) {
        content.replaceChildren();
        // Back to where it was opened from, so that nobody has to find the way again.
        if (store.transient.open === null) (from?.isConnected ? from : app.root).focus({ preventScroll: true });
        return;
      }
      fill();
      const text = content.querySelector("textarea");
      if (text) {
        text.focus();
        text.select();
      } else heading.focus({ preventScroll: true });
    },
  };
}
