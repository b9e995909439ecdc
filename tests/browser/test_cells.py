"""One cell over time and over the trajectories, and the nearest trajectory: numbers that numpy gives as well."""

from __future__ import annotations

import numpy as np
from stages import RECORD

from gramviz.explorer.freeze import freeze

ROOT = "document.querySelector('main').shadowRoot"


def test_the_history_of_a_cell_says_how_the_paths_divide(show, one):
    shown = show(freeze(one))
    tokens = one.array("tokens", "A")
    cell = int(np.argmax((tokens[:, 8] == 2).mean(0) * (tokens[:, 8] != 2).mean(0)))  # where they disagree most
    history = shown.page.locator("[data-part=history]")
    assert not history.is_visible()
    shown.set(cells=[cell], cursor={"step": 8, "low": None})
    assert history.is_visible()
    said = history.get_attribute("aria-label")
    labels = [token["label"] for token in one.meta["board"]["tokens"]]
    for token, count in zip(*np.unique(tokens[:, 8, cell], return_counts=True), strict=True):
        assert f"{labels[token]} {100 * count / 50:.0f} %" in said
    row, column = divmod(cell, 8)
    assert f"row {row + 1}, column {column + 1} over 50 trajectories" in said
    assert f"Cell r{row + 1}c{column + 1}" in shown.text()
    whole = shown.pixels("[data-part=history]")
    shown.set(selected={"A": [1, 4, 9, 30]})
    few = tokens[[1, 4, 9, 30], 8, cell]
    for token, count in zip(*np.unique(few, return_counts=True), strict=True):
        assert f"{labels[token]} {100 * count / 4:.0f} %" in history.get_attribute("aria-label")
    assert shown.pixels("[data-part=history]") != whole
    shown.page.evaluate(RECORD)
    shown.set(selected={}, cells=[22])  # empty in all at the start, a queen in all from the first step on
    texts = shown.page.evaluate("record_.stop(), record_.log.filter(({ kind }) => kind === 'text')")
    first, second = sorted(text["box"] for text in texts if text["text"] in labels)
    assert first[1][0] < second[0][0]
    shown.set(cells=[])
    assert not history.is_visible()


def test_the_playhead_reaches_through_the_history(show, one):
    shown = show(freeze(one))
    height = f"{ROOT}.querySelector('.playhead').getBoundingClientRect().height"
    before = shown.page.evaluate(height)
    shown.set(cells=[3])
    assert shown.page.evaluate(height) == before + 32


def test_r_goes_to_the_path_with_the_fewest_different_cells(show, two):
    shown = show(freeze(two))
    shown.set(cursor={"step": 6, "low": None}, focus=["B", 7])
    boards = {("A", 0): two.array("tokens", "A")[0, 6]} | {
        ("B", k): board for k, board in enumerate(two.array("tokens", "B")[:, 6])
    }
    mine = boards.pop(("B", 7))
    away = {who: int((board != mine).sum()) for who, board in boards.items()}
    shown.page.mouse.move(5, 5)
    shown.drawn()
    assert f"{min(away.values())} cell" in shown.part("details").inner_text()
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("r")
    assert away[tuple(shown.state["focus"])] == min(away.values())
