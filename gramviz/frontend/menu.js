// A button that opens a sheet of choices (ARIA menu). The open sheet is part of the transient state, so that only one is.

import { make, setAttribute, setText } from "./dom.js";

/** @param items () -> [{heading} | {label, act, checked?, disabled?, why?, stay?}] */
export function createMenu(app, name, label, items) {
  const { store } = app;
  const text = make("span", {}, label);
  const button = make(
    "button",
    {
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      onclick: () => store.poke({ open: store.transient.open === name ? null : name }),
    },
    text,
  );
  const sheet = make("div", { class: "sheet", role: "menu", hidden: true });
  const el = make("div", { class: "menu", "data-menu": name }, button, sheet);
  const choices = () => [...sheet.querySelectorAll("button")]; // those that cannot be chosen too: each says why

  sheet.addEventListener("keydown", (event) => {
    const list = choices();
    const at = list.indexOf(el.getRootNode().activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1 + list.length, Home: 0, End: list.length - 1 }[event.key];
    if (next === undefined) return;
    list[next % list.length].focus();
    event.preventDefault();
    event.stopPropagation();
  });
  // Whoever tabs on leaves the sheet: it must not lie over what has the focus then.
  sheet.addEventListener("focusout", ({ relatedTarget: next }) => {
    if (next && !el.contains(next) && store.transient.open === name) store.poke({ open: null });
  });

  /** One entry, and below it why it cannot be chosen, if it cannot. */
  function entries(item) {
    const act = () => {
      if (item.disabled) return;
      item.act();
      if (item.stay) refill();
      else if (store.transient.open === name) {
        store.poke({ open: null }); // unless the choice itself opened something else
        button.focus();
      }
    };
    const entry = make(
      "button",
      {
        role: item.checked === undefined ? "menuitem" : item.radio ? "menuitemradio" : "menuitemcheckbox",
        "aria-checked": item.checked === undefined ? null : String(Boolean(item.checked)),
        "aria-description": item.why ?? null,
        "aria-disabled": item.disabled ? "true" : null, // not `disabled`, which no key could reach
        onclick: act,
      },
      item.label,
    );
    return item.why ? [entry, make("div", { class: "why", "aria-hidden": "true" }, item.why)] : [entry];
  }

  function grouped() {
    const groups = [];
    for (const item of items()) {
      if (item.heading) {
        const heading = make("div", { class: "heading", "aria-hidden": "true" }, item.heading);
        groups.push(make("div", { role: "group", "aria-label": item.heading }, heading));
      } else {
        if (!groups.length) groups.push(make("div", { role: "group", "aria-label": label || name }));
        groups.at(-1).append(...entries(item));
      }
    }
    return groups;
  }

  /** What an open sheet says anew, with the focus where it was; where nothing differs, nothing is touched. */
  function refill() {
    const groups = grouped();
    const { children } = sheet;
    if (groups.length === children.length && groups.every((group, k) => group.isEqualNode(children[k]))) return;
    const at = choices().indexOf(el.getRootNode().activeElement);
    const { scrollTop } = sheet;
    sheet.replaceChildren(...groups);
    sheet.scrollTop = scrollTop;
    choices()[at]?.focus({ preventScroll: true });
  }

  return {
    el,
    setLabel: (value) => setText(text, value),
    update(keys) {
      const open = store.transient.open === name;
      // Python, or another view, may change what an open sheet says. Of time it says nothing that has to keep up.
      if (open && !sheet.hidden && [...keys].some((key) => key in store.state && key !== "cursor")) refill();
      if (!keys.has("open") && !keys.has("layout")) return;
      if (open && sheet.hidden) {
        sheet.replaceChildren(...grouped());
        sheet.hidden = false;
        place();
        choices()[0]?.focus();
      } else if (!open && !sheet.hidden) {
        // Closed by Escape or by another menu: the focus must not fall out of the widget.
        const inside = sheet.contains(el.getRootNode().activeElement);
        sheet.hidden = true;
        sheet.replaceChildren();
        if (inside) button.focus();
      }
      setAttribute(button, "aria-expanded", open);
    },
  };

  /** Keeps the sheet inside the widget: to the left where the right has no room, upwards at the bottom. */
  function place() {
    sheet.style.left = sheet.style.right = sheet.style.top = sheet.style.bottom = "";
    const frame = app.root.getBoundingClientRect();
    const anchor = button.getBoundingClientRect();
    const size = sheet.getBoundingClientRect();
    const left = Math.min(Math.max(anchor.right - size.width, frame.left + 8), frame.right - size.width - 8);
    sheet.style.position = "absolute";
    sheet.style.right = "auto";
    sheet.style.left = `${left - el.getBoundingClientRect().left}px`;
    const below = frame.bottom - anchor.bottom - 10;
    if (size.height > below && anchor.top - frame.top > below) {
      sheet.style.top = "auto";
      sheet.style.bottom = "31px";
      sheet.style.maxHeight = `${Math.min(440, anchor.top - frame.top - 10)}px`;
    } else sheet.style.maxHeight = `${Math.min(440, below)}px`;
  }
}
