"""What leaves the page: every export opens elsewhere, and says which step of which rollout it shows."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
import synthetic
from PIL import Image

from gramviz.explorer.freeze import freeze
from gramviz.explorer.pack import pack
from gramviz.explorer.widget import Explorer
from gramviz.export.movie import MovieError, movie

READY = "document.querySelector('main').gramviz"


@pytest.fixture(scope="module")
def short():
    """Two supervision steps of a small Sudoku: a film of it is short."""
    return pack(synthetic.sudoku(5, supervision_steps=2))


def test_the_drawing_looks_as_the_picture(show, short, tmp_path):
    """Both are made by the same draw calls: their pixels agree, but for the edges of letters and lines."""
    shown = show(freeze(short))
    shown.set(cursor={"step": 2, "low": None})
    _, png = shown.export("Picture (PNG)")
    _, svg = shown.export("Drawing (SVG)")
    picture = Image.open(io.BytesIO(png)).convert("L")
    size = (picture.width // 2, picture.height // 2)
    page = shown.page.context.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    (tmp_path / "drawing.svg").write_bytes(svg)
    page.goto((tmp_path / "drawing.svg").as_uri())
    drawn = Image.open(io.BytesIO(page.screenshot())).convert("L")
    page.close()
    assert drawn.size == size
    small = [
        np.asarray(one.resize((size[0] // 4, size[1] // 4), Image.Resampling.BOX), float) for one in (picture, drawn)
    ]
    assert (np.abs(small[0] - small[1]) > 40).mean() < 0.005


def test_hostile_text_stays_text_in_a_drawing(show):
    data = synthetic.sudoku(3, supervision_steps=1, name='<script>alert("1")</script>&amp;')
    _, content = show(freeze(pack(data))).export("Drawing (SVG)")
    root = ET.fromstring(content)
    assert not [node for node in root.iter() if node.tag.endswith("script")]
    assert '<script>alert("1")</script>' in "".join(root.itertext())


def test_the_table_is_inert_and_names_its_rollout(show):
    data = synthetic.sudoku(2, supervision_steps=1, name="=HYPERLINK(1)")
    packed = pack(data)
    _, content = show(freeze(packed)).export("Data (CSV)")
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert len(rows) == 2 * 3
    assert {row["name"] for row in rows} == {"'=HYPERLINK(1)"}
    assert {row["rollout"] for row in rows} == {packed.meta["series"][0]["hash"][:12]}
    tokens = [[int(token) for token in row["tokens"].split()] for row in rows]
    assert (np.array(tokens).reshape(2, 3, -1) == packed.array("tokens")).all()


def test_escape_stops_the_film(show, one):
    shown = show(freeze(one))
    shown.set(speed=1)
    shown.page.locator("[data-menu=export] > button").click()
    shown.page.get_by_role("menuitem", name="Film (WebM)").click()
    shown.until(f"{READY}.state.cursor.step < 3")
    shown.page.keyboard.press("Escape")
    shown.page.locator("[data-part=details]", has_text="The film was stopped").wait_for()
    assert shown.state["cursor"]["step"] == 32


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_python_films_the_page(chromium, short, tmp_path, ending):
    path = movie(Explorer(short).set(speed=16), tmp_path / f"film.{ending}", width=700, scale=0.5)
    film = Image.open(path)
    assert film.n_frames == short.meta["series"][0]["steps"]
    pictures = []
    for k in range(film.n_frames):
        film.seek(k)
        pictures.append(np.asarray(film.convert("L"), float))
    assert all((np.abs(a - b) > 60).any() for a, b in pairwise(pictures))
    assert film.size == (350, film.size[1])


def test_python_says_what_a_film_is(short, tmp_path):
    with pytest.raises(MovieError, match=r"'film[.]mov' is no film; end it in [.]gif, [.]webp, [.]mp4"):
        movie(short, tmp_path / "film.mov")
    with pytest.raises(MovieError, match=r"width 20, scale 1[.]0: choose"):
        movie(short, tmp_path / "film.gif", width=20)
