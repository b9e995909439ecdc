"""The gallery: every view has its picture, the index says what was run, and the shipped files are the index's."""

from __future__ import annotations

import io
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import synthetic
import xarray as xr
from PIL import Image

from gramviz import measure
from gramviz.browser import driven
from gramviz.export import gallery as module
from gramviz.export.gallery import LESSON, PICTURES, GalleryError, gallery, page
from gramviz.export.recording import RecordingError
from gramviz.views import VIEWS

DOCS = Path(__file__).resolve().parents[3] / "docs"
MOST, ALL = 150_000, 2_500_000  # bytes of one picture and of them all


def test_every_view_has_a_picture() -> None:
    drawn = {found for picture in PICTURES for found in re.findall(r"views[.](\w+)[.]draw", picture.code)}
    assert drawn == {*VIEWS, "training"}  # which draws a folder, not a rollout
    assert any(picture.code.startswith("lyapunov.draw(") for picture in PICTURES)
    assert len({picture.name for picture in PICTURES}) == len(PICTURES)


def test_the_shipped_index_and_pictures_are_those_of_today() -> None:
    text = (DOCS / "gallery.md").read_text()
    assert text == page("pictures"), "run `gramviz gallery -o docs/pictures`"
    shown = re.findall(r"\]\((pictures/[^)]+)\)", text)
    assert {f"pictures/{path.name}" for path in (DOCS / "pictures").iterdir()} == set(shown)
    sizes = [(DOCS / name).stat().st_size for name in shown]
    assert max(sizes) <= MOST
    assert sum(sizes) <= ALL
    for name in shown:
        picture = np.asarray(Image.open(DOCS / name).convert("L"), float)
        assert picture.shape[1] > 500
        assert picture.std() > 8, f"{name} is blank"


def seen(rollout: xr.Dataset) -> Any:
    """What a probe of a model holds, for rollouts that no model made."""
    rng = np.random.default_rng(0)
    states = measure.ends(rollout)
    size = (1, 1, states.sizes["trajectory"], states.sizes["step"])
    dims = ("puzzle", "direction", "trajectory", "step")
    exponents = xr.Dataset({"exponent": (dims, rng.normal(size=size)), "growth": (dims, rng.normal(size=size))})
    return SimpleNamespace(rollout=rollout, exponents=exponents)


@pytest.mark.browser
def test_explorers_and_figures_are_drawn_and_drawn_again(chromium: object, tmp_path: Path) -> None:
    (tmp_path / "lesson.yaml").write_text(LESSON)
    one = synthetic.queens(1, model="trm", checkpoint="synthetic-trm", seed=3, wrong=1.0, features=16)
    many = synthetic.queens(12, features=16)
    names = {"one": one, "many": many, "probe": seen(many), "lesson": tmp_path / "lesson.yaml"}
    chosen = [picture for picture in PICTURES if picture.name in ("lesson", "modes", "lyapunov")]
    drawn = dict(_drawn(chosen, names))
    for png in drawn.values():
        picture = Image.open(io.BytesIO(png))
        assert picture.format == "PNG"
        assert picture.width > 500
        assert np.asarray(picture.convert("L"), float).std() > 8
        assert len(png) < MOST
    assert dict(_drawn(chosen[1:], names)) == {name: drawn[name] for name in ("modes", "lyapunov")}


def _drawn(pictures: list[module.Picture], names: dict[str, Any]) -> list[tuple[str, bytes]]:
    """Name and bytes; in a thread of its own, as the command does it."""
    found = module.aside(lambda: list(module.draw(pictures, names, driven())))
    return [(picture.name, png) for picture, png in found]


def test_a_palette_keeps_the_few_pixels_that_matter() -> None:
    """Vermilion says "wrong", and stands in few pixels among many grays and blues."""
    rng = np.random.default_rng(0)
    gray = np.repeat(rng.integers(90, 250, (300, 400, 1)), 3, axis=2)
    gray[:, 200:, 2] = rng.integers(100, 255, (300, 200))
    gray[100:106, 100:106] = vermilion = (0xC0, 0x4A, 0x00)
    png = io.BytesIO()
    Image.fromarray(gray.astype(np.uint8)).save(png, "PNG")
    small = np.asarray(Image.open(io.BytesIO(module.small(png.getvalue()))).convert("RGB"), int)
    assert np.abs(small[100:106, 100:106] - vermilion).max() < 24


def test_what_cannot_be_made_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GalleryError, match=r"no picture 'modus'; choose of explorer-light, .*modes"):
        gallery(tmp_path / "p", tmp_path / "gallery.md", only=["modus"])
    with pytest.raises(GalleryError, match="does not lie beside or below"):
        gallery(tmp_path / "p", tmp_path / "deeper" / "gallery.md")
    monkeypatch.setattr(module, "RECORD", "raise ValueError('no such checkpoint')\n")
    with pytest.raises(RecordingError, match="could not be recorded: ValueError: no such checkpoint; `gram list`"):
        module.record(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_recording_runs_the_models_that_ship(tmp_path: Path, one_thread: None) -> None:
    names = module.record(tmp_path)
    assert {name: names[name].attrs["model"] for name in module.ROLLOUTS} == {
        "one": "trm", "many": "gram", "ones": "trm", "manies": "gram", "graph": "gram", "sudoku": "gram",
    }  # fmt: skip
    assert names["many"].sizes["trajectory"] == 50
    assert {"exponent", "growth"} <= set(names["probe"].exponents)
    assert measure.on_plane(names["probe"].starts)[0].size == 121
