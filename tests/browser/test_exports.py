"""What leaves the page: every export opens elsewhere, and says which step of which rollout it shows."""

from __future__ import annotations

import base64
import csv
import io
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
import synthetic
from PIL import Image

from gramviz.explorer import Explorer
from gramviz.freeze import freeze
from gramviz.movie import MovieError, movie
from gramviz.pack import pack

READY = "document.querySelector('main').gramviz"


@pytest.fixture(scope="module")
def short():
    """Two supervision steps of a small Sudoku: a film of it is short."""
    return pack(synthetic.sudoku(5, supervision_steps=2))


def exported(shown, item):
    """The bytes of a download that the menu starts."""
    shown.page.locator("[data-menu=export] > button").click()
    with shown.page.expect_download() as got:
        shown.page.get_by_role("menuitem", name=item).click()
    return got.value.suggested_filename, got.value.path().read_bytes()


def test_the_drawing_is_svg_with_step_and_hash(show, two):
    shown = show(freeze(two))
    shown.set(cursor={"step": 13, "low": None})
    name, content = exported(shown, "Drawing (SVG)")
    assert name == "8-queens-puzzle-1-step-7.1.svg"
    root = ET.fromstring(content)  # well-formed, or this raises
    space = "{http://www.w3.org/2000/svg}"
    words = [text.text for text in root.iter(f"{space}text")]
    assert any("Step 7.1" in word for word in words)
    assert all(any(run["hash"][:12] in word for word in words) for run in two.meta["runs"])
    assert {"Certainty", "Map", "Answers", "PC 1   41.9 % of variance"} <= set(words)
    assert len(list(root.iter(f"{space}path"))) > 100  # paths of the map, queens, marks: drawn, not pasted as a picture
    assert not list(root.iter(f"{space}image"))
    assert not list(root.iter(f"{space}script"))


def test_30_a_picture_carries_its_step_and_hash(show, two):
    shown = show(freeze(two))
    shown.set(cursor={"step": 13, "low": None})
    _, content = exported(shown, "Picture (PNG)")
    picture = Image.open(io.BytesIO(content))
    picture.load()  # every chunk's checksum is looked at
    said = picture.text["Description"]
    assert "Step 7.1." in said
    assert all(f"rollout {run['hash'][:12]}" in said for run in two.meta["runs"])
    drawn = {text.text for text in ET.fromstring(exported(shown, "Drawing (SVG)")[1]).iter()}
    assert said in drawn, "as the line at its foot has it"


def test_30_a_film_carries_where_it_ends_and_still_plays(show, short):
    shown = show(freeze(short))
    shown.set(speed=16, cursor={"step": 0, "low": None})
    _, content = exported(shown, "Film (WebM)")
    said = tag(content, "DESCRIPTION")
    assert "Step 2.2." in said
    assert f"rollout {short.meta['runs'][0]['hash'][:12]}" in said
    page = shown.page.context.new_page()
    playing = """async bytes => {
      const film = document.createElement("video");
      film.muted = true;
      film.src = URL.createObjectURL(new Blob([Uint8Array.from(atob(bytes), c => c.charCodeAt(0))]));
      await film.play();
      await new Promise((done) => film.requestVideoFrameCallback(done));
      return [film.videoWidth, film.error];
    }"""
    width, error = page.evaluate(playing, base64.b64encode(content).decode())
    assert width == round(1.5 * shown.page.evaluate(f"{shown.root}.clientWidth + 2"))  # with its frame
    assert error is None
    page.close()


def tag(film: bytes, name: str) -> str:
    """A tag of a WebM, read element by element from its start: what is skipped has to have the length that it says."""
    inside = [0x18538067, 0x1254C367, 0x7373, 0x67C8]  # segment, tags, tag, simple tag
    at, found = 0, ""
    while at < len(film):
        width = 9 - film[at].bit_length()
        number, at = int.from_bytes(film[at : at + width], "big"), at + width
        width = 9 - film[at].bit_length()
        length, at = int.from_bytes(film[at : at + width], "big") - (1 << 7 * width), at + width
        if number == 0x1F43B675:
            break  # the pictures
        if number == 0x45A3:
            found = film[at : at + length].decode()
        if number == 0x4487 and found == name:
            return film[at : at + length].decode()
        at += 0 if number in inside else length
    raise AssertionError(f"no tag {name}")


def test_the_drawing_looks_as_the_picture(show, short, tmp_path):
    """Both are made by the same draw calls: their pixels agree, but for the edges of letters and lines."""
    shown = show(freeze(short))
    shown.set(cursor={"step": 2, "low": None})
    _, png = exported(shown, "Picture (PNG)")
    _, svg = exported(shown, "Drawing (SVG)")
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
    _, content = exported(show(freeze(pack(data))), "Drawing (SVG)")
    root = ET.fromstring(content)
    assert not [node for node in root.iter() if node.tag.endswith("script")]
    assert '<script>alert("1")</script>' in "".join(root.itertext())


def test_the_table_is_inert_and_names_its_rollout(show):
    data = synthetic.sudoku(2, supervision_steps=1, name="=HYPERLINK(1)")
    packed = pack(data)
    _, content = exported(show(freeze(packed)), "Data (CSV)")
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert len(rows) == 2 * 3
    assert {row["name"] for row in rows} == {"'=HYPERLINK(1)"}
    assert {row["rollout"] for row in rows} == {packed.meta["runs"][0]["hash"][:12]}
    tokens = [[int(token) for token in row["tokens"].split()] for row in rows]
    assert (np.array(tokens).reshape(2, 3, -1) == packed.array("tokens")).all()


def test_the_film_plays_every_step_and_then_nothing_has_changed(show, short):
    shown = show(freeze(short))
    shown.set(speed=16)
    before = shown.state
    name, content = exported(shown, "Film (WebM)")
    assert name.endswith(".webm")
    assert content[:4] == b"\x1aE\xdf\xa3"  # EBML, of which WebM is a kind
    assert b"webm" in content[:64]
    assert len(content) > 5000
    shown.until(f"!{READY}.transient.down")
    assert shown.state == before


def test_escape_stops_the_film(show, one):
    shown = show(freeze(one))
    shown.set(speed=1)
    shown.page.locator("[data-menu=export] > button").click()
    shown.page.get_by_role("menuitem", name="Film (WebM)").click()
    shown.until(f"{READY}.state.cursor.step < 3")
    shown.page.keyboard.press("Escape")
    shown.until(f"!{READY}.transient.down")
    assert "The film was stopped" in shown.part("details").inner_text()
    assert shown.state["cursor"]["step"] == 32


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_python_films_the_page(chromium, short, tmp_path, ending):
    path = movie(Explorer(short).set(speed=16), tmp_path / f"film.{ending}", width=700, scale=0.5)
    film = Image.open(path)
    assert film.n_frames == short.meta["runs"][0]["steps"]
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
