"""The loss under the trajectories: packed once, drawn for its own plane only, and silent where nobody has been."""

from __future__ import annotations

import numpy as np
import pytest
import synthetic

from gramviz import measure
from gramviz.explorer.freeze import freeze
from gramviz.explorer.pack import pack

READY = "document.querySelector('main').gramviz"
BASE = "[data-layer=base]"


def test_it_is_blank_beyond_six_percent_of_the_diagonal(one, gram):
    land = next(basis["landscape"] for basis in one.meta["bases"] if basis["name"] == "h")
    shade = one.array("landscape_h")
    states = one.values("map_h").reshape(-1, 3)[:, :2]
    low, high = np.array(land["low"]), np.array(land["high"])
    rows, columns = shade.shape
    x = low[0] + (np.arange(columns) + 0.5) / columns * (high[0] - low[0])
    y = low[1] + (np.arange(rows) + 0.5) / rows * (high[1] - low[1])
    away = np.stack(np.meshgrid(x, y), -1)[:, :, None] - states
    nearest = np.hypot(away[..., 0], away[..., 1]).min(-1) / np.hypot(*np.ptp(states, axis=0))
    assert (shade[nearest > 0.061] == 255).all()
    assert (shade[nearest < 0.059] < 255).all()
    assert land["unit"] == measure.loss(gram).attrs["unit"]
    assert land["range"] == pytest.approx([float(measure.loss(gram).min()), float(measure.loss(gram).max())])


def test_g_shows_and_hides_it_and_other_planes_have_none(show, gram):
    shown = show(freeze(pack(gram, planes_of=[20])))
    shown.set(basis="h")
    said = "between recorded states; blank where none came near"
    assert said not in shown.text()
    before = shown.pixels(BASE)
    shown.page.keyboard.press("Tab")
    shown.page.keyboard.press("g")
    shown.drawn()
    assert said in shown.text()
    assert shown.pixels(BASE) != before
    shown.set(basis="cell20")
    assert "No landscape for this plane." in shown.text()
    shown.set(basis="h")
    shown.page.keyboard.press("g")
    shown.drawn()
    assert shown.pixels(BASE) == before


def test_unrelated_spaces_share_no_landscape(trm, gram):
    apart = pack([trm, gram], share_h=True)
    lands = {basis["name"]: basis["landscape"] for basis in apart.meta["bases"]}
    assert set(lands.values()) == {None}


def test_where_no_loss_can_be_told_nothing_is_said(show):
    data = synthetic.sudoku(4, supervision_steps=2)
    data = data.drop_vars([name for name in ("y", "valid", "conflict", "probability", "logits") if name in data])
    packed = pack(data)
    if all(basis["landscape"] is None for basis in packed.meta["bases"]):
        assert "landscape" not in show(freeze(packed)).text().lower()
