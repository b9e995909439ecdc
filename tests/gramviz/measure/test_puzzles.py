"""What tells the puzzles of a rollout apart, in closed form and on every kind of board."""

from __future__ import annotations

from collections import Counter

import arc_pairs
import colorings
import numpy as np
import pytest
import synthetic
import xarray as xr

from gram import rollout
from gram.board import Board, Token
from gramviz import measure
from gramviz.explorer.pack import pack


def made(answers: list[list[str]]) -> xr.Dataset:
    """Rows of three cells in which no digit may stand twice; each trajectory ends in one of these, for each puzzle."""
    board = Board(
        "rows", "Rows", "grid", 1, 3, (Token("blank"), *(Token(digit, digit) for digit in "123")),
        blank=(0,), groups=((0, 1, 2),), exclusive=(1, 2, 3), required=((1, 1), (2, 1), (3, 1)),
    )  # fmt: skip
    last = np.array([[[int(digit) for digit in answer] for answer in row] for row in answers], np.uint8)
    tokens = np.stack([np.zeros_like(last), last], axis=2)
    return rollout.make(board, {"x": np.zeros((len(answers), 3), np.uint8), "tokens": tokens})


def test_how_often_a_puzzle_is_solved_and_how_far_its_trajectories_agree():
    data = made([["123", "123", "123", "123"], ["123", "321", "123", "112"], ["111", "222", "333", "112"]])
    found = measure.per_puzzle(data)
    assert found["right"].values.tolist() == [1.0, 0.75, 0.0]
    assert found["answers"].values.tolist() == [1, 3, 4]
    assert found["disagreement"].values.tolist() == [0.0, 0.5, 0.75]
    unknown = measure.per_puzzle(data.drop_vars("valid"))
    assert np.isnan(unknown["right"].values).all()
    assert unknown["answers"].equals(found["answers"])


def test_a_puzzle_is_found_again_in_another_rollout():
    data = synthetic.queens(2, puzzles=4, features=2)
    other = data.isel(puzzle=[3, 0, 1, 1])
    assert measure.matched(data, data).tolist() == [0, 1, 2, 3]
    assert measure.matched(data, other).tolist() == [1, 2, -1, 0]
    assert measure.matched(other, data).tolist() == [3, 0, 1, -1], "of two equal ones, the second has no like"


BOARDS = {
    "queens": lambda: synthetic.queens(4, puzzles=3, size=6, features=2, supervision_steps=2),
    "sudoku": lambda: synthetic.sudoku(4, puzzles=3),
    "coloring": lambda: colorings.make(puzzles=(0, 1, 2)),
    "arc": lambda: arc_pairs.make(puzzles=(0, 1, 2)),
    "image": lambda: xr.concat([synthetic.image(3)] * 3, "puzzle"),
}


@pytest.mark.parametrize("name", BOARDS)
def test_the_payload_lists_all_puzzles_of_every_task(name: str):
    data = BOARDS[name]()
    payload, found = pack(data, puzzle=1), measure.per_puzzle(data)
    n = data.sizes["trajectory"]
    assert payload.meta["puzzles"] == 3
    assert payload.array("puzzle_x").shape[0] == 3
    for p in range(3):
        ends = Counter(row.tobytes() for row in data["tokens"].values[p, :, -1])
        assert payload.array("puzzle_answers")[p] == len(ends) == found["answers"][p]
        assert payload.array("puzzle_agree")[p] == max(ends.values())
        right = payload.array("puzzle_right")[p]
        assert right == (65535 if name == "image" else data["valid"].values[p, :, -1].sum())
    assert payload.array("puzzle_agree")[1] / n == pytest.approx(1 - found["disagreement"].values[1])
    if name == "coloring":  # a pair of nodes is joined, or not
        nodes = payload.meta["board"]["width"]
        assert payload.array("puzzle_x")[1, nodes:].sum() == len(payload.meta["board"]["groups"])


def test_a_series_without_a_puzzle_says_so():
    data = synthetic.queens(2, puzzles=3, features=2)
    payload = pack([data, data.isel(puzzle=[2, 0])], puzzle=(0, 1))
    assert payload.array("puzzle_answers", "B").tolist()[1] == 65535
    assert payload.array("puzzle_answers", "B")[0] == payload.array("puzzle_answers", "A")[0]
