"""Frozen equals live: the page without kernel or network shows, pixel by pixel, what the widget shows in JupyterLab."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic
from lab_server import PATIENCE, jupyter, open_notebook, run_cell, write_notebook
from lab_server import SHOWN as LIVE
from numpy.typing import NDArray
from PIL import Image

from gram import rollout
from gramviz.explorer.freeze import freeze
from gramviz.explorer.opening import compare

pytestmark = pytest.mark.slow  # a server and a kernel

FROZEN = "document.querySelector('main')"
STATES: list[dict[str, Any]] = [
    {},
    {
        "cursor": {"step": 9, "low": None}, "selected": {"B": [1, 3, 12]}, "cells": [3, 29], "board": "all",
        "color_by": "answer", "answers_at": "cursor", "lanes": ["conflicts", "certainty", "drift", "spread"],
    },
]  # fmt: skip
DIFFER = 0.001  # share of the pixels, of explorer.md section 12, behavior 2


# A host may begin at a fraction of a pixel; then every edge is blended otherwise, which is the host's doing.
PLACE = """host => {
  host.style.position = "relative";
  host.style.left = host.style.top = "0px";
  const { x, y } = host.getBoundingClientRect();
  host.style.left = `${Math.round(x) - x}px`;
  host.style.top = `${Math.round(y) - y}px`;
  const box = host.shadowRoot.querySelector(".gv").getBoundingClientRect();
  return { x: box.x, y: box.y, width: Math.floor(box.width), height: Math.floor(box.height) };
}"""

# The height that is seen of a widget at once, which it fits itself into.
ROOM = """host => {
  let at = host.parentElement, room = innerHeight;
  for (; at && at !== document.body; at = at.parentElement)
    if (/auto|scroll/.test(getComputedStyle(at).overflowY) && at.clientHeight >= 400)
      room = Math.min(room, at.clientHeight);
  return room;
}"""


def pixels(page: Any, element: str) -> NDArray[np.uint8]:
    """The widget as it stands on the screen [height, width, 3], with nothing under the pointer and no focus."""
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement?.blur()")
    box = page.evaluate(f"({PLACE})({element})")
    page.wait_for_timeout(600)
    return np.asarray(Image.open(io.BytesIO(page.screenshot(clip=box, animations="disabled"))).convert("RGB"))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two rollouts of one puzzle, and a notebook that compares them."""
    folder = tmp_path_factory.mktemp("same")
    rollout.save(
        synthetic.queens(1, model="trm", checkpoint="synthetic-trm", seed=3, wrong=1.0, features=16), folder / "a.nc"
    )
    rollout.save(synthetic.queens(features=16), folder / "b.nc")
    text = "from gramviz import compare\nexplorer = compare('a.nc', 'b.nc')\nexplorer"
    write_notebook(folder, [text])
    return folder


@pytest.fixture(scope="module")
def live(chromium: Any, source: Path) -> Iterator[Any]:
    """JupyterLab with the widget in it."""
    with jupyter(source) as (address, token):
        context = chromium.new_context(viewport={"width": 1500, "height": 1400}, device_scale_factor=2)
        page = context.new_page()
        open_notebook(page, address, token)
        run_cell(page)
        page.wait_for_function(f"{LIVE}?.gramviz", timeout=PATIENCE)
        yield page
        context.close()


@pytest.fixture(scope="module")
def frozen(chromium: Any, source: Path) -> Iterator[Any]:
    """The frozen page of the same rollouts, with every request refused."""
    freeze(compare(source / "a.nc", source / "b.nc"), source / "page.html")
    context = chromium.new_context(viewport={"width": 1500, "height": 1400}, device_scale_factor=2)
    context.route(lambda url: not url.startswith("file:"), lambda route: route.abort())
    page = context.new_page()
    page.goto((source / "page.html").as_uri())
    for _ in range(600):  # its policy forbids playwright's own way of waiting
        if page.evaluate(f"Boolean({FROZEN}.gramviz)"):
            break
        page.wait_for_timeout(50)
    yield page
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES, ids=["opening", "changed"])
def test_frozen_and_live_are_the_same_picture(live: Any, frozen: Any, state: dict[str, Any], theme: str) -> None:
    width = live.evaluate(f"{LIVE}.getBoundingClientRect().width")
    frozen.set_viewport_size({"width": round(width) + 16, "height": live.evaluate(f"({ROOM})({LIVE})")})
    pictures = []
    for page, element in ((live, LIVE), (frozen, FROZEN)):
        page.evaluate(f"state => {element}.gramviz.set(state)", state | {"theme": theme})
        pictures.append(pixels(page, element))
    assert live.evaluate(f"{LIVE}.gramviz.state") == frozen.evaluate(f"{FROZEN}.gramviz.state")
    if folder := os.environ.get("GRAMVIZ_PICTURES"):
        for name, picture in zip(("live", "frozen"), pictures, strict=True):
            Image.fromarray(picture).save(Path(folder) / f"same-{name}-{len(state)}-{theme}.png")
    one, other = pictures
    assert one.shape == other.shape
    assert (one != other).any(axis=2).mean() <= DIFFER
    # The comparison can fail: a step further, far more differs than that.
    frozen.evaluate(f"{FROZEN}.gramviz.set({{cursor: {{step: 4, low: null}}}})")
    assert (pixels(frozen, FROZEN)[: len(one)] != one[: len(other)]).any(axis=2).mean() > 10 * DIFFER
    frozen.evaluate(f"cursor => {FROZEN}.gramviz.set({{cursor}})", live.evaluate(f"{LIVE}.gramviz.state.cursor"))
