"""Graph coloring on the page: the pictured graph, its colors, conflicts, and what it says."""

from __future__ import annotations

import colorings
import pytest

from gram.tasks.coloring import APART, FIRST
from gramviz.explorer.freeze import freeze
from gramviz.explorer.pack import pack
from gramviz.theme import palette

# The color of the board's canvas at a point of the unit square, in which `xy` places the nodes (see place.js).
COLOR = """([x, y, dx, dy, nodes]) => {
  const root = document.querySelector("main").shadowRoot;
  const canvas = root.querySelector("[data-part=board] canvas");
  const side = parseFloat(canvas.style.width), ratio = canvas.width / side;
  const cell = Math.max(14, Math.min(36, side / Math.sqrt(nodes) * 0.36)), rim = cell / 2 + 13;
  const at = (p, d) => Math.round((rim + p * (side - 2 * rim) + d * cell) * ratio);
  const pixel = canvas.getContext("2d").getImageData(at(x, dx), at(y, dy), 1, 1).data;
  return "#" + [...pixel.slice(0, 3)].map(part => part.toString(16).padStart(2, "0")).join("").toUpperCase();
}"""


def color(shown, payload, node: int, dx: float = 0.0, dy: float = -0.4) -> str:
    """The color of a node, above its letter."""
    board = payload.meta["board"]
    return shown.page.evaluate(COLOR, [*board["xy"][node], dx, dy, board["width"]])


@pytest.fixture(scope="module", params=[8, 10])
def payload(request: pytest.FixtureRequest):
    return pack(colorings.make(request.param, (0,), trajectories=3))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nodes_have_the_colors_of_their_tokens_and_never_the_alarm(show, payload, theme):
    shown = show(freeze(payload, state={"theme": theme, "board": "focus", "focus": ["A", 2]}))
    hues = palette(theme)
    wanted = {3: hues.blue, 4: hues.green, 5: hues.gold}
    tokens = payload.array("tokens")[2, -1]
    assert [color(shown, payload, node) for node in range(len(tokens))] == [wanted[int(t)] for t in tokens]


def test_a_conflict_rings_its_nodes(show, payload):
    state = {"theme": "light", "board": "focus", "focus": ["A", 2]}
    shown = show(freeze(payload, state=state))
    tokens = payload.array("tokens")[2, -1]
    broken = {n for a, b in payload.meta["board"]["groups"] if tokens[a] == tokens[b] for n in (a, b)}
    assert broken
    cell = 36  # px, on a board of this size
    rings = [-(0.5 + px / cell) for px in (3, 4, 5)]  # one of which lies whole in the line
    alarm = palette("light").vermilion
    seen = {n for n in range(len(tokens)) if alarm in [color(shown, payload, n, dy=ring) for ring in rings]}
    assert seen == broken


def test_nodes_without_a_color_are_hollow_and_named(show, payload):
    shown = show(freeze(payload, state={"theme": "light", "cursor": {"step": 0, "low": None}, "cells": [0]}))
    assert color(shown, payload, 0) == "#FFFFFF"
    assert "no color" in shown.part("details").inner_text()


def test_the_details_name_the_node_and_whom_it_clashes_with(show, payload):
    tokens = payload.array("tokens")[2, -1]
    a, b = next((a, b) for a, b in payload.meta["board"]["groups"] if tokens[a] == tokens[b])
    shown = show(freeze(payload, state={"board": "focus", "focus": ["A", 2], "cells": [a]}))
    said = shown.part("details").inner_text()
    assert f"node {a + 1}" in said
    assert f"node {b + 1}" in said
    assert ("blue", "green", "yellow")[int(tokens[a]) - 3] in said


def test_all_paths_share_a_node_in_sectors(show, payload):
    middle = {"step": 3, "low": None}
    shown = show(freeze(payload, state={"theme": "light", "board": "all", "cursor": middle}))
    tokens = payload.array("tokens")[:, 3]
    divided = [n for n in range(tokens.shape[1]) if len(set(tokens[:, n].tolist())) == 3]
    agreed = [n for n in range(tokens.shape[1]) if len(set(tokens[:, n].tolist())) == 1]
    around = ((0.38, 0.1), (-0.28, 0.28), (-0.1, -0.38))  # one in each of three equal sectors, beside the letters
    for nodes, kinds in ((divided, 3), (agreed, 1)):
        for node in nodes:
            assert len({color(shown, payload, node, *at) for at in around}) == kinds
    assert divided or agreed


def test_two_runs_compare_and_every_mode_draws(show):
    both = [colorings.make(8, (0,), trajectories=2, seed=1, model="trm"), colorings.make(8, (0,))]
    shown = show(freeze(pack(both), state={"pinned": ["A", 1]}))
    for board in ("differ", "all", "A", "B", "focus"):
        shown.set(board=board)
    shown.set(layers=["hulls", "trail", "truth", "halo", "labels"], cells=[0, 1], color_by="cell")
    shown.page.set_viewport_size({"width": 420, "height": 800})
    shown.drawn()


def test_a_graph_without_edges_has_conflicts_and_no_wrong_cells(show):
    """Its one way to be wrong is a given that the answer changes."""
    data = colorings.make(8, (0,), trajectories=3)
    data["x"][..., 8:], data["tokens"][..., 8:] = APART, APART
    data["x"][..., 0] = FIRST
    data["tokens"][..., 0], data["valid"][...], data["conflict"][...] = FIRST + 1, False, False
    shown = show(freeze(data, state={"focus": ["A", 0]}))
    said = shown.page.locator(".gv").inner_text()
    assert "a given changed or a blank left" in said
    assert "rong cell" not in said
