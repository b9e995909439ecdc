"""What a notebook keeps of an explorer: a page, a picture and words, and no view that needs a kernel."""

from __future__ import annotations

import io
import json
import re
from base64 import b64decode
from dataclasses import replace

import arc_pairs
import pytest
import synthetic
from PIL import Image, ImageColor

from gramviz.explorer import output
from gramviz.explorer.frame import summary
from gramviz.explorer.pack import pack
from gramviz.explorer.picture import picture
from gramviz.explorer.widget import Explorer
from gramviz.theme import PALETTES

VIEW = "application/vnd.jupyter.widget-view+json"
HOSTS = {
    "JupyterLab": ({"JPY_SESSION_NAME": "one.ipynb"}, False),
    "a terminal of VS Code": ({"JPY_SESSION_NAME": "one.ipynb", "VSCODE_PID": "1"}, False),
    "nbclient": ({}, False),
    "VS Code": ({"VSCODE_PID": "1"}, True),
    "VS Code on a server": ({"JPY_SESSION_NAME": "one-jvsc-1b.ipynb"}, True),
}


@pytest.fixture(scope="module")
def payload(small):
    return pack(small)


@pytest.fixture(autouse=True)
def jupyter(monkeypatch):
    monkeypatch.delenv("VSCODE_PID", raising=False)
    monkeypatch.setenv("JPY_SESSION_NAME", "one.ipynb")


@pytest.mark.parametrize("host", HOSTS)
def test_the_mime_type_of_widgets_is_kept_where_a_host_needs_it_and_falls_back(host, payload, monkeypatch):
    environment, wanted = HOSTS[host]
    monkeypatch.delenv("JPY_SESSION_NAME")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    data, _ = Explorer(payload)._repr_mimebundle_()
    assert (VIEW in data) == wanted
    assert data["text/plain"].startswith("Explorer(")


def test_the_frozen_page_is_sandboxed_and_hides_the_picture(payload):
    explorer = Explorer(payload)
    html = explorer._repr_mimebundle_()[0]["text/html"]
    assert html.startswith(f'<gramviz-output data-child="{explorer.model_id}"><iframe srcdoc=')
    assert 'sandbox="allow-scripts allow-downloads"' in html
    assert "allow-same-origin" not in html
    assert html.count("<style>gramviz-output > .gramviz-picture { display: none }</style>") == 1


def test_without_frames_styles_and_own_elements_a_picture_and_its_sentence_are_left(payload):
    data, metadata = Explorer(payload)._repr_mimebundle_()
    left = re.sub(r"<style>.*?</style>|</?(?:gramviz-output|iframe)\b[^>]*>", "", data["text/html"])
    sentence, said, png = re.fullmatch(
        r'<div class="gramviz-picture"><p>(.*)</p><img width="760" alt="(.*)" src="data:image/png;base64,(.*)"></div>',
        left,
    ).groups()
    assert "trust it" in sentence
    assert said == summary(payload)
    plain, captioned = (Image.open(io.BytesIO(b64decode(one))) for one in (png, data["image/png"]))
    assert plain.width == captioned.width == 2 * metadata["image/png"]["width"]
    assert plain.height < captioned.height


def test_a_page_over_the_limit_is_left_out_and_the_picture_says_so(payload, monkeypatch):
    monkeypatch.setattr(output, "LARGEST", 1000)
    html = Explorer(payload)._repr_mimebundle_()[0]["text/html"]
    assert "<iframe" not in html
    assert "<style" not in html
    assert "more than the 0 MB that are kept in a notebook" in html
    assert len(html) < 100_000


def test_hostile_titles_stay_text(payload):
    meta = json.loads(json.dumps(payload.meta))
    meta["title"] = meta["series"][0]["name"] = '"><script>alert(1)</script>'
    html = Explorer(replace(payload, meta=meta))._repr_mimebundle_()[0]["text/html"]
    assert "<script" not in html


@pytest.mark.parametrize("make", [synthetic.graph, synthetic.colors, synthetic.image, arc_pairs.make])
def test_every_kind_of_board_has_its_picture(make):
    for theme, colors in PALETTES.items():
        drawn = Image.open(io.BytesIO(picture(pack(make()), "A sentence.", theme)[0])).convert("RGB")
        assert len(drawn.getcolors(1 << 20)) > 8
        assert ImageColor.getrgb(colors.bg) == drawn.getpixel((0, 0))


def test_equal_input_gives_an_equal_picture(payload):
    assert picture(payload, "A sentence.") == picture(payload, "A sentence.")
