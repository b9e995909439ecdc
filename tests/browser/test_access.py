"""Who cannot see, point, or wait: an automatic check of the whole page, colour without hue, paper, and the keyboard."""

from __future__ import annotations

import importlib.util
import re
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

from gramviz.freeze import freeze
from gramviz.link import FRONTEND

READY = "document.querySelector('main').gramviz"
ROOT = "document.querySelector('main').shadowRoot"


@pytest.fixture(scope="module")
def axe() -> str:
    """The text of axe-core, which the package axe-playwright-python carries."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("the check needs axe-core: pip install axe-playwright-python")
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(show, two, axe, scheme):
    shown = show(freeze(two), color_scheme=scheme)
    shown.page.evaluate(axe)
    found = []
    for sheet in [None, "view", "export", "colour", "keys", "table"]:
        shown.page.evaluate(f"open => {READY}.poke({{ open }})", sheet)
        shown.drawn()
        checked = shown.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        assert len(checked["passes"]) > 10, "the check must have looked into the shadow root"
        for fault in checked["violations"]:
            if fault["impact"] in ("serious", "critical"):
                found.append((sheet, fault["id"], fault["nodes"][0]["target"], fault["nodes"][0]["failureSummary"]))
    assert found == []


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


def test_paper_is_one_light_page_with_its_provenance(show, two):
    shown = show(freeze(two), color_scheme="dark")
    page = shown.page
    shown.set(cursor={"step": 13, "low": None})
    before = page.evaluate(f"{ROOT}.querySelector('.gv').className")
    sheet = page.pdf(
        format="A4", print_background=True, margin=dict.fromkeys(("top", "bottom", "left", "right"), "15mm")
    )
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", sheet)) == 1
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    said = shown.text()
    assert "Step 7.1" in said
    for run in two.meta["runs"]:
        assert run["hash"][:12] in said
        assert run["checkpoint"][:12] in said
    for control in ("Play", "Lasso", "Export", "Next change"):
        assert not page.get_by_role("button", name=control, exact=True).is_visible()
    assert page.evaluate(f"getComputedStyle({ROOT}.querySelector('.gv')).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    shown.drawn()
    assert page.evaluate(f"{ROOT}.querySelector('.gv').className") == before
    assert page.get_by_role("button", name="Play").is_visible()
    assert page.evaluate(f"getComputedStyle({ROOT}.querySelector('.gv')).backgroundColor") == "rgb(18, 23, 31)"


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


def test_while_playing_few_words_are_spoken(show, one):
    shown = show(freeze(one))
    shown.set(cursor={"step": 0, "low": None}, speed=16)
    shown.page.evaluate(
        f"""(() => {{
          const live = {ROOT}.querySelector('[role=status][aria-live]');
          window.spoken = [];
          new MutationObserver(() => spoken.push([performance.now(), live.textContent]))
            .observe(live, {{ childList: true, characterData: true, subtree: true }});
        }})()"""
    )
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press(" ")
    shown.until(f"!{READY}.transient.playing && {READY}.state.cursor.step === 32")
    shown.until("location.hash.length > 3")
    spoken = shown.page.evaluate("spoken")
    during = [said for said in spoken if re.match(r"Step \d", said[1])]
    assert during, "it must have heard something"
    assert all(re.fullmatch(r"Step [\d.]+, \d+ conflicts?", said) for _, said in during)
    assert all(later[0] - earlier[0] >= 1900 for earlier, later in pairwise(during))
