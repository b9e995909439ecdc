"""What is measured of many trajectories together: modes, basins, landscapes, controls; by closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import synthetic
import xarray as xr

from gram.board import Board, Token
from gram.rollout import RolloutError, make
from gramviz import measure

A, B = [1, 1, 1, 1], [1, 1, 2, 2]
START = [0, 0, 0, 0]


def line(tokens: list[list[list[int]]] | np.ndarray, **more: object) -> xr.Dataset:
    """A rollout of one puzzle on a board of free cells without rules: tokens [trajectory, step, position]."""
    boards = np.array(tokens)[None]
    board = Board("free", "Free", "grid", 1, boards.shape[-1], tuple(Token(str(k)) for k in range(6)), blank=(0,))
    return make(board, {"x": np.zeros((1, boards.shape[-1]), int), "tokens": boards, **more})


# ---------------------------------------------------------------------------------------------------------------- modes
def test_modes_by_hand() -> None:
    """8 supervision steps: quick is up to the second. A success that was lost and found again counts from there."""
    right = [[0, 0, 1, 1, 1, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1, 1, 1], [0, 1, 1, 0, 1, 1, 1, 1, 1], [0] + [1] * 7 + [0]]
    data = line(np.zeros((4, 9, 2), int), valid=np.array(right, bool)[None])
    found = measure.modes(data)
    assert found["mode"].values.tolist() == [[0, 1, 1, 2]]
    assert found["since"].values.tolist() == [[2, 3, 4, -1]]
    assert measure.MODES[measure.FAILURE] == "failure"
    assert "rest" not in found
    assert measure.modes(data, quick=0.4)["mode"].values.tolist() == [[0, 0, 1, 2]]
    with pytest.raises(ValueError, match="quick is 1; it must be a share"):
        measure.modes(data, quick=1)
    with pytest.raises(RolloutError, match="no `valid`"):
        measure.modes(data.drop_vars("valid"))


def test_rest_is_the_ratio_of_drifts() -> None:
    lengths = np.array([[4.0, 4, 1, 1, 1, 1], [4, 1, 1, 4, 4, 4], [0, 0, 0, 0, 0, 0], [4, 4, 4, 0, 0, 0]])
    h = np.concatenate([np.zeros((4, 1)), lengths.cumsum(1)], 1)[None, :, :, None, None]
    data = line(np.zeros((4, 7, 1), int), h=h.astype(np.float32))
    np.testing.assert_allclose(measure.rest(data)[0], [0.25, 1, 0, 0])
    assert measure.settled(data)[0].values.tolist() == [False, False, True, True]
    assert np.isnan(measure.rest(data.isel(step=slice(0, 4)))).all()


# --------------------------------------------------------------------------------------------------------------- basins
def test_basins_by_hand() -> None:
    data = line([[START, A]] * 3 + [[START, B]])
    found = measure.basins(data)
    assert found.share.tolist() == [0.75, 0.25]
    assert found.entropy == pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    np.testing.assert_allclose((found.low[0], found.high[0]), (0.3006, 0.9544), atol=1e-4)  # Wilson, 3 of 4
    assert measure.basins(data.isel(trajectory=[0, 1])).entropy == 0


def test_a_plane_of_starts() -> None:
    points = np.array([(column, row) for row in (-1, 0, 1) for column in (-1, 0, 1)], float)
    ends = [A if column < 1 else B for column, _ in points]
    data = line([[START, end] for end in ends])
    data = data.assign_coords(column=("trajectory", points[:, 0]), row=("trajectory", points[:, 1]))
    shuffled = data.isel(trajectory=[4, 0, 8, 1, 7, 2, 6, 3, 5])
    for one in (data, shuffled):
        grid, rows, columns = measure.on_plane(one)
        assert grid.tolist() == [[0, 0, 1]] * 3
        assert rows.tolist() == columns.tolist() == [-1, 0, 1]
    assert measure.border(grid) == pytest.approx(3 / 12)
    assert measure.border(np.zeros((4, 4), int)) == 0
    assert measure.border(np.indices((4, 4)).sum(0) % 2) == 1  # a chequer
    with pytest.raises(RolloutError, match=r"do not start on a plane; gram\.plane\.starts"):
        measure.on_plane(line([[START, A]]))


# ------------------------------------------------------------------------------------------------------------ landscape
def test_the_loss_is_that_of_the_best_right_answer() -> None:
    p = np.full((1, 2, 2, 2, 6), 0.1, np.float32)
    p[0, :, :, :, 1], p[0, :, :, :, 2] = 0.4, 0.2
    p /= p.sum(-1, keepdims=True)
    tokens = np.array([[[[0, 0], [1, 1]], [[0, 0], [2, 1]]]])
    valid = np.array([[[False, False], [False, True]]])
    data = line(tokens[0], probability=p, y=np.array([[2, 2]]), valid=valid)
    one, two = -np.log(p[0, 0, 0, 0, [1, 2]])
    np.testing.assert_allclose(measure.loss(data), (one + two) / 2, rtol=1e-5)  # 2 1, which the third found, fits best
    np.testing.assert_allclose(measure.loss(data.drop_vars("valid")), two, rtol=1e-5)
    assert measure.loss(data).attrs["unit"] == "nats per position"


def test_without_probabilities_rules_are_counted(small: xr.Dataset) -> None:
    found = measure.loss(small.drop_vars("probability"), 1)
    assert found.attrs["unit"] == "violated rules"
    np.testing.assert_array_equal(found, measure.conflicts(small)[1])


def test_shepard_meets_what_is_known_and_is_blank_far_away() -> None:
    places = np.array([[0.0, 0], [1, 0], [0, 1]])
    values = np.array([1.0, 2, 4])
    np.testing.assert_allclose(measure.shepard(places, values, places, 0.1), values)
    middle = measure.shepard(places[:2], values[:2], np.array([[0.5, 0.0], [0.5, 0.7]]), 0.6)
    assert middle[0] == pytest.approx(1.5)
    assert np.isnan(middle[1])


def test_a_landscape_of_states(small: xr.Dataset) -> None:
    found = measure.landscape(small, 1, size=20)
    np.testing.assert_allclose(found["coordinates"], measure.project([small], "h", 1).series[0]["coordinates"][..., :2])
    cost = measure.loss(small, 1)
    assert float(found["loss"].min()) >= float(cost.min()) - 1e-5
    assert float(found["loss"].max()) <= float(cost.max()) + 1e-5
    assert np.ptp(found["row"].values) == pytest.approx(np.ptp(found["column"].values))
    blank = np.isnan(found["loss"].values)
    assert 0 < blank.mean() < 1
    with pytest.raises(RolloutError, match="no `h`; record it with Record"):
        measure.landscape(small.drop_vars("h"))


# -------------------------------------------------------------------------------------------------------------- control
def test_a_walk_moves_as_far_and_nowhere_in_particular(small: xr.Dataset) -> None:
    walk = measure.random_walk(small, seed=3)
    np.testing.assert_allclose(measure.drift(walk), measure.drift(small), rtol=1e-3, equal_nan=True)
    np.testing.assert_array_equal(walk["h"][:, :, 0], small["h"][:, :, 0].astype(np.float32))
    assert walk.identical(measure.random_walk(small, seed=3).assign_attrs(walk.attrs))
    assert not np.array_equal(walk["h"], measure.random_walk(small, seed=4)["h"])
    assert measure.planes([small, walk], "h") == [(0,), (1,)]  # never in one plane


def test_a_long_walk_shows_three_quarters_of_itself() -> None:
    """6 / pi^2 and a quarter of it (Antognini & Sohl-Dickstein 2018), in many dimensions."""
    h = np.zeros((1, 1, 200, 4, 2000), np.float32)
    h[0, 0, :, 0, 0] = np.arange(200)  # a straight line, all of whose variance is in one component
    data = line(np.zeros((1, 200, 4), int), h=h)
    assert measure.project([data]).variance[0] == pytest.approx(1)
    variance = measure.project([measure.random_walk(data)]).variance
    assert float(variance[0]) == pytest.approx(6 / np.pi**2, abs=0.02)
    assert float(variance[1]) == pytest.approx(6 / np.pi**2 / 4, abs=0.02)


def test_every_board_has_them(any_board: xr.Dataset) -> None:
    assert measure.basins(any_board).share.sum() == pytest.approx(1)
    assert np.isfinite(measure.loss(any_board)).all()
    if measure.judged(any_board):
        assert set(np.unique(measure.modes(any_board)["mode"])) <= {0, 1, 2}
    else:
        with pytest.raises(RolloutError, match="a picture is neither right nor wrong"):
            measure.modes(any_board)


def test_a_picture_is_drawn_not_correct() -> None:
    data = synthetic.image()
    valid = data["valid"].values[..., -1]
    drawn, left = measure.DRAWN, measure.NOT_FINISHED
    np.testing.assert_array_equal(measure.outcome(data).values, np.where(valid, drawn, left))
    assert [one.valid for one in measure.answers([data]).found] == [None] * len(measure.answers([data]).found)
    with pytest.raises(RolloutError, match="a picture has no rules"):
        measure.conflicts(data)
