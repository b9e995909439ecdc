"""Puzzle and answer as two pictures: what is cut from the canvas, how it is packed, what the view places where."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import arc_pairs
import numpy as np
import plotly.graph_objects as go
import pytest
import synthetic
import xarray as xr

from gram.board import Board
from gram.rollout import board_of
from gram.tasks.arc_grids import decode, encode, shifted
from gramviz import measure
from gramviz.explorer.opening import explore
from gramviz.explorer.pack import pack
from gramviz.measure.pair import pair
from gramviz.theme import ARC
from gramviz.views import Cursor, board


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    """A grid of 3 x 3 that becomes one of 9 x 9; one trajectory ends right, one has a wrong corner, one lacks a row."""
    return arc_pairs.make(puzzles=(9, 0))


def grid(canvas: np.ndarray) -> np.ndarray:
    found = decode(canvas)
    assert found is not None
    return found


def test_the_extent_of_a_canvas(vectors: Path) -> None:
    for case in json.loads((vectors / "extent.json").read_text())["cases"]:
        height = len(case["tokens"]) // case["width"]
        canvas = replace(arc_pairs.task().board, height=height, width=case["width"])
        found = canvas.extent(np.array(case["tokens"]))
        assert [int(side) for side in found] == case["expect"], case["why"]


def test_nothing_of_the_input_is_given_in_the_answer_and_the_flag_travels() -> None:
    canvas = arc_pairs.task().board
    assert not canvas.given(np.arange(12)).any()
    assert Board.from_json(canvas.to_json()).apart
    with pytest.raises(ValueError, match="apart is for a board of kind 'grid'"):
        replace(canvas, kind="image")


def test_other_boards_are_no_pair() -> None:
    assert pair([synthetic.sudoku()]) is None


def test_both_grids_are_cut_from_their_canvas(data: xr.Dataset) -> None:
    both = pair([data])
    assert both is not None
    given, tokens = both.input
    x, y = grid(data["x"].values[0]), grid(data["y"].values[0])
    np.testing.assert_array_equal(tokens.reshape(given.height, given.width), x + 2)
    cut = both.cut(data)
    assert (both.board.height, both.board.width) == y.shape
    assert board_of(cut) == both.board
    np.testing.assert_array_equal(cut["y"].values[0].reshape(y.shape), y + 2)
    np.testing.assert_array_equal(cut["tokens"].values[0, 0, -1], (y + 2).ravel())
    assert "h" not in cut


def test_an_answer_that_is_too_large_is_seen_in_full(data: xr.Dataset) -> None:
    large = data.copy(deep=True)
    large["tokens"].values[0, 4, -1] = encode(np.ones((11, 4), np.uint8), 12)
    both = pair([data, large])
    assert both is not None
    assert both.size == (11, 9)
    unknown = pair([synthetic.without(data, "y")])  # the answers alone
    assert unknown is not None
    assert unknown.size == (9, 9)


def test_a_pair_that_was_moved_on_its_canvas(data: xr.Dataset) -> None:
    moved = data.isel(puzzle=[1]).copy(deep=True)
    down, right = np.array([2]), np.array([1])
    for name in ("x", "y", "tokens"):
        flat = moved[name].values.reshape(-1, 144)
        moved[name].values = shifted(flat, down, right).reshape(moved[name].shape)
    here, there = pair([data], 1), pair([moved])
    assert here is not None
    assert there is not None
    np.testing.assert_array_equal(there.input[1], here.input[1])
    np.testing.assert_array_equal(there.cut(moved)["y"].values[0], here.cut(data)["y"].values[1])


def test_a_canvas_without_any_grid_still_has_a_cell(data: xr.Dataset) -> None:
    empty = synthetic.without(data, "y").copy(deep=True)
    empty["tokens"].values[:] = 0
    both = pair([empty])
    assert both is not None
    assert both.size == (1, 1)
    assert board.draw(empty).layout.annotations[1].text == "answer, no grid"


def test_a_payload_holds_what_is_drawn(data: xr.Dataset) -> None:
    payload = pack(data)
    meta = payload.meta
    x, y = grid(data["x"].values[0]), grid(data["y"].values[0])
    assert meta["input"] == {"height": 3, "width": 3, "tokens": (x + 2).ravel().tolist()}
    assert meta["x"] is None
    assert meta["y"] == (y + 2).ravel().tolist()
    tokens = payload.array("tokens")
    assert tokens.shape == (6, 7, 81)
    assert [answer["conflicts"] for answer in meta["answers"]] == [0, 1, 9]
    # The counts that lanes draw are those of the cells that are drawn.
    changed = measure.changed_tokens(tokens).sum(-1)
    np.testing.assert_allclose(payload.values("curve_changed"), changed, atol=0.01)
    marked = np.unpackbits(payload.array("conflict"), axis=-1, bitorder="little").sum(-1)
    np.testing.assert_allclose(payload.values("curve_conflicts"), marked, atol=0.01)
    assert pack(synthetic.sudoku()).meta["input"] is None


def test_the_plane_of_a_cell_is_that_of_its_place_on_the_canvas(data: xr.Dataset) -> None:
    """The canvas is 12 wide and this answer 9, so the cell in row 2, column 3 has two numbers."""
    cell, place = 9 + 2, 12 + 2
    payload = pack(data, planes_of=[cell])
    (found,) = [basis for basis in payload.meta["bases"] if basis["name"] == f"cell{cell}"]
    wanted = measure.project([data], f"cell{place}", late=True)
    assert found["label"] == wanted.label == "PCA of cell r2c3"
    assert found["of"] == wanted.of
    np.testing.assert_allclose(found["variance"], wanted.variance, atol=1e-6)
    expected = wanted.series[0]["coordinates"].values
    np.testing.assert_allclose(payload.values(f"map_cell{cell}"), expected, atol=1e-4 * np.abs(expected).max())
    with pytest.raises(ValueError, match="there is no cell 81; choose 0 to 80"):
        pack(data, planes_of=[81])


def test_a_cell_stays_where_it_is_when_a_wider_answer_comes_beside(data: xr.Dataset) -> None:
    wide = data.assign_attrs(checkpoint="another", model="trm").copy(deep=True)
    wide["tokens"].values[0, 4, -1] = encode(np.ones((9, 11), np.uint8), 12)
    explorer = explore(data, planes_of=[9 + 2]).select_cells(["r2c3", "r9c1"])
    explorer.compare(wide)
    assert explorer.meta["board"]["width"] == 11
    assert explorer.state["cells"] == [11 + 2, 88]
    assert {basis["label"] for basis in explorer.meta["bases"] if basis["name"] == "cell13"} == {"PCA of cell r2c3"}
    assert all(basis["name"] != "cell11" for basis in explorer.meta["bases"])


def test_the_view_places_the_input_left_of_the_answer(data: xr.Dataset) -> None:
    def cells(figure: go.Figure, color: str) -> int:
        return sum(int(np.isnan(t.x).sum()) for t in figure.data if t.fillcolor == color and "input" in t.meta)

    figure = board.draw(data, Cursor(trajectory=2, step=-1))
    assert [one.text for one in figure.layout.annotations] == ["input, 3 × 3", "answer, 8 × 9"]
    x = grid(data["x"].values[0])
    for color in np.unique(x):
        assert cells(figure, ARC[color]) == (x == color).sum()
    for trace in figure.data:
        places = np.array([value for value in trace.x if value is not None], np.float64)
        if str(trace.meta).startswith("input"):
            assert np.nanmax(places) < 0
    assert "9 wrong cells" in figure.layout.title.subtitle.text
    assert sum(int(np.isnan(t.x).sum()) for t in figure.data if t.meta == "blank") == 9  # the row that is missing


def test_the_frame_of_the_view_is_steady(data: xr.Dataset) -> None:
    frames = {
        (figure.layout.width, figure.layout.height, figure.layout.xaxis.range)
        for figure in (board.draw(data, Cursor(trajectory=k, step=s)) for k in range(3) for s in (0, 3, 6))
    }
    assert len(frames) == 1
