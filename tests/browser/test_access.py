"""Who cannot see or point: colour without hue, forced colours, the keyboard. The rest is in test_acceptance_looks."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pytest

from gramviz.explorer.freeze import freeze
from gramviz.explorer.link import FRONTEND

READY = "document.querySelector('main').gramviz"
ROOT = "document.querySelector('main').shadowRoot"


# Machado, Oliveira & Fernandes 2009, severity 1.0, for linear RGB.
SIGHT = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def oklab(colour: str, sight: str | None) -> np.ndarray:
    """A #rrggbb in OKLab (Ottosson 2020) x 100, as it is seen with this sight."""
    parts = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    if sight:
        linear = (np.array(SIGHT[sight]) @ linear).clip(0, 1)
    cones = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                      [0.0883024619, 0.2817188376, 0.6299787005]]) @ linear  # fmt: skip
    mixed = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                      [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
    return 100 * mixed @ np.cbrt(cones)


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("sight", [None, *SIGHT])
def test_outcomes_are_told_apart_by_every_eye(mode, sight):
    tokens = re.search(rf"{mode}: \{{(.*?)\n  \}}", (FRONTEND / "theme.js").read_text(), re.DOTALL)
    colours = dict(re.findall(r"(\w+): \"(#\w{6})\"", tokens[1]))
    trio = [oklab(colours[name], sight) for name in ("right", "wrong", "other")]
    assert min(np.linalg.norm(a - b) for a, b in combinations(trio, 2)) >= 9


def test_outcomes_differ_in_shape_as_well(show, one):
    shown = show(freeze(one))
    shapes = shown.page.evaluate(
        f"[...{ROOT}.querySelectorAll('.marks > div')].map(d => [d.dataset.path, d.querySelector('svg').dataset.shape])"
    )
    wanted = ["cross", "dot", "ring", "diamond"]
    outcomes = one.array("outcome", "A")
    assert dict(shapes) == {f"A {k}": wanted[o] for k, o in enumerate(outcomes)}
    assert len(set(outcomes.tolist())) >= 2


def test_forced_colours_keep_marks_and_text(show, two):
    shown = show(freeze(two), forced_colors="active")
    try:
        assert "33 of 50 correct" in shown.text()
        ink = shown.page.evaluate(f"getComputedStyle({ROOT}.querySelector('.title')).color")
        ground = shown.page.evaluate(f"getComputedStyle({ROOT}.querySelector('.gv')).backgroundColor")
        assert ink != ground
    finally:
        shown.page.emulate_media(forced_colors="none")


def test_tab_reaches_every_part_and_always_shows_where_it_is(show, two):
    shown = show(freeze(two))
    page = shown.page
    seen, unseen = set(), []
    for _ in range(70):
        page.keyboard.press("Tab")
        at = page.evaluate(
            f"""(() => {{
              const on = {ROOT}.activeElement;
              if (!on) return null;
              const style = getComputedStyle(on);
              const name = on.dataset.part ?? on.getAttribute('aria-label') ?? on.textContent;
              return [name, style.outlineStyle, style.outlineWidth];
            }})()"""
        )
        if at is None:
            if seen:
                break
            continue
        seen.add(at[0])
        if at[1] == "none" or float(at[2][:-2]) < 2:
            unseen.append(at)
    assert {"board", "map", "marks", "ruler", "Play", "Speed", "Keys", "Lasso", "Final"} <= seen
    assert unseen == []


def test_a_row_of_tabs_is_one_stop_and_arrows_turn_it(show, two):
    shown = show(freeze(two))
    board = lambda: shown.state["board"]  # noqa: E731
    shown.page.evaluate(f"{shown.root}.focus()")
    focused = f"{shown.host}.shadowRoot.activeElement"
    while shown.page.evaluate(f"{focused}?.getAttribute('role')") != "tab":
        shown.page.keyboard.press("Tab")
    stops = shown.page.evaluate(f"[...{focused}.parentElement.querySelectorAll('[role=tab]')].map(t => t.tabIndex)")
    assert sorted(stops) == [-1] * (len(stops) - 1) + [0]
    step = shown.state["cursor"]["step"]
    seen = []
    for key in ["Home", *["ArrowRight"] * len(stops), "ArrowLeft", "End"]:
        shown.page.keyboard.press(key)
        shown.drawn()
        assert shown.page.evaluate(f"{focused}.getAttribute('aria-selected')") == "true"
        seen.append(board())
    assert seen == ["A", "B", "differ", "all", "A", "all", "all"]
    assert shown.state["cursor"]["step"] == step
    shown.page.get_by_role("tab", name="A ≠ B").click()
    shown.page.keyboard.press("ArrowLeft")
    shown.drawn()
    assert (board(), shown.state["cursor"]["step"]) == ("differ", step - 1), "who has clicked goes on with time"
    shown.page.keyboard.press("Tab")
    assert shown.page.evaluate(f"{focused}.dataset.part") == "board"


def test_an_open_menu_says_what_is_so_now(show, two):
    """Python may change the view while a sheet is open; the focus stays where it was in it."""
    shown = show(freeze(two))
    shown.page.evaluate(f"{shown.root}.focus()")
    shown.page.keyboard.press("v")
    shown.drawn()
    shown.page.keyboard.press("ArrowDown")
    entry = shown.page.get_by_role("menuitemcheckbox", name="Spread")
    assert entry.get_attribute("aria-checked") == "false"
    shown.page.evaluate(f"window.first_ = {shown.host}.shadowRoot.activeElement")
    shown.page.evaluate(f"{shown.store}.load({{cursor: {{step: 3, low: null}}}})")
    shown.drawn()
    assert shown.page.evaluate(f"first_ === {shown.host}.shadowRoot.activeElement"), "time changes nothing of it"
    shown.page.evaluate(f"{shown.store}.load({{lanes: ['spread'], theme: 'dark'}})")
    shown.drawn()
    assert entry.get_attribute("aria-checked") == "true"
    assert shown.page.get_by_role("menuitemradio", name="Dark").get_attribute("aria-checked") == "true"
    assert shown.page.evaluate(f"{shown.host}.shadowRoot.activeElement.textContent") == shown.page.evaluate(
        "first_.textContent"
    )
