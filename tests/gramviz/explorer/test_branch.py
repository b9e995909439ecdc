"""Branches and edited puzzles: which state is handed to the model, what is shown of the answer, and what is refused.

The model here is a stand-in that keeps every request and answers with a legal rollout; the real one is in
`tests/gram/test_continue.py`, and both together in `tests/browser/test_branch.py`.
"""

from __future__ import annotations

from pathlib import Path

import arc_pairs
import numpy as np
import pytest
import synthetic
import xarray as xr

from gram import rollout
from gramviz import measure
from gramviz.explorer.branch import along_component, changed, to_trajectory
from gramviz.explorer.opening import compare, explore
from gramviz.explorer.pack import pack
from gramviz.explorer.source import BranchError
from gramviz.explorer.state import StateError
from gramviz.explorer.widget import Explorer


class Lent:
    """A `rerun` that remembers what it was asked: it gives the recorded trajectories again, or the puzzle changed."""

    def __init__(self) -> None:
        self.asked: list[dict] = []

    def __call__(self, rollout: xr.Dataset, **how: object) -> xr.Dataset:
        self.asked.append({"rollout": rollout, **how})
        if how.get("x") is not None:
            return rollout.assign(x=(("puzzle", "position"), how["x"][None]))
        return rollout.isel(trajectory=slice(how.get("trajectories"))).assign_attrs(seed=how["seed"])


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    """A 4 x 4 Sudoku with h and l, two puzzles."""
    made = synthetic.sudoku(9, puzzles=2)
    return made.assign(l=made["h"] * 2)


@pytest.fixture
def lent() -> Lent:
    return Lent()


@pytest.fixture
def shown(data: xr.Dataset, lent: Lent) -> Explorer:
    return explore(data, puzzle=1, rerun=lent)


def test_it_hands_over_the_recorded_state_and_shows_a_further_run(shown: Explorer, lent: Lent, data: xr.Dataset):
    shown.select("A", [1, 2])
    found = shown.branch("A", 5, "3.1", trajectories=4)
    (asked,) = lent.asked
    assert asked["rollout"].identical(data.isel(puzzle=[1]))
    assert {key: asked[key] for key in ("trajectory", "step", "trajectories", "supervision_steps", "seed")} == {
        "trajectory": 5, "step": 5, "trajectories": 4, "supervision_steps": None, "seed": 1,
    }  # fmt: skip
    assert "h" not in asked
    assert "l" not in asked
    assert found.attrs["name"] == "A #5 from 3.1"
    assert [series["name"] for series in shown.meta["series"]][1:] == ["A #5 from 3.1"]
    assert shown.state["focus"] == ["B", 0]
    assert shown.state["pinned"] == ["A", 5]
    assert shown.state["cursor"] == {"step": 5, "low": None}
    assert shown.state["selected"] == {"A": [1, 2]}
    assert shown.state["puzzle"] == 1
    shown.branch("B", 2, 4)
    assert lent.asked[-1]["seed"] == 3, "each branch throws dice of its own"
    assert lent.asked[-1]["rollout"].identical(found)


def test_half_way_to_another_path(shown: Explorer, lent: Lent, data: xr.Dataset):
    shown.branch("A", 5, "3.1", towards=("A", 2), by=0.25)
    for name in ("h", "l"):
        here, there = (data[name].values[1, trajectory, 5].astype(np.float32) for trajectory in (5, 2))
        assert np.allclose(lent.asked[0][name], 0.75 * here + 0.25 * there)
    assert shown.meta["series"][1]["name"] == "A #5 from 3.1, 0.25 to A #2"


def test_along_a_component_moves_it_there_and_nowhere_else(shown: Explorer, lent: Lent, data: xr.Dataset):
    """Projected on the same components, the moved state has another second coordinate and the same first and third."""
    shown.branch("A", 5, "3.1", along=2, by=1.5)
    one = data.isel(puzzle=[1])
    late = measure.late_from(one.sizes["step"])
    places = measure.project([one], "h", late=True).series[0]["coordinates"].values[:, late:]
    states = one["h"].values[0][:, late:].reshape(-1, lent.asked[0]["h"].size).astype(np.float64)
    away = (lent.asked[0]["h"].ravel() - one["h"].values[0, 5, 5].ravel()).astype(np.float64)
    scores = places.reshape(-1, 3).astype(np.float64)
    directions = np.linalg.lstsq(scores, states - states.mean(0), rcond=None)[0]
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    assert directions @ away == pytest.approx([0, 1.5 * scores[:, 1].std(), 0], abs=1e-2 * np.linalg.norm(away))
    assert np.linalg.norm(away) == pytest.approx(1.5 * scores[:, 1].std(), rel=1e-2)
    assert shown.meta["series"][1]["name"] == "A #5 from 3.1, PC 2 +1.5"


def test_thinned_paths_and_steps_are_found_again(data: xr.Dataset, lent: Lent):
    shown = explore(data, rerun=lent, trajectories=3, every="supervision")
    assert shown.meta["series"][0]["kept"] == [0, 3, 6]
    shown.branch("A", 2, 2)
    assert (lent.asked[0]["trajectory"], lent.asked[0]["step"]) == (6, 4)
    assert shown.state["cursor"]["step"] == 2


def test_low_level_records_branch_from_ends_of_transitions(low: xr.Dataset, lent: Lent):
    shown = explore(low, rerun=lent)
    shown.branch("A", 0, "2.1")
    assert low["low_step"].values[lent.asked[0]["step"]] == 0
    assert low["supervision_step"].values[lent.asked[0]["step"]] == 2
    with pytest.raises(StateError, match=r"'2\.1\.3' lies within a transition; branch from its end, '2\.1'"):
        shown.branch("A", 0, "2.1.3")


def test_the_last_branch_makes_room(data: xr.Dataset, lent: Lent):
    shown = compare(data, data, names=["one", "two"], rerun=lent)
    for step in (1, 2, 3):
        shown.branch("A", 0, step)
    assert [series["name"] for series in shown.meta["series"]] == ["one", "two", "A #0 from 1.1", "A #0 from 2.1"]
    four = compare(data, data, data, data, rerun=lent)
    with pytest.raises(BranchError, match="shows 4 series already; open fewer, then branch"):
        four.branch("A", 0, 1)
    assert len(four.meta["series"]) == 4


def test_an_edited_puzzle_has_every_run_drawn_anew(data: xr.Dataset, lent: Lent):
    shown = compare(data, data, names=["one", "two"], puzzle=1, rerun=lent)
    shown.branch("A", 0, 3)
    shown.set(theme="dark", token=3).focus("C", 1).select_cells(["r1c1"])
    before = data["x"].values[1]
    blank = int(np.flatnonzero(before == 1)[0])
    given = int(np.flatnonzero(before != 1)[0])
    found = shown.edit({blank: 3, f"r{given // 4 + 1}c{given % 4 + 1}": None})
    wanted = before.copy()
    wanted[blank], wanted[given] = 4, 1
    assert len(found) == 2
    assert all((one["x"].values[0] == wanted).all() for one in found)
    assert [asked["seed"] for asked in lent.asked[1:]] == [None, None]
    assert shown.meta["x"] == wanted.tolist()
    assert [series["name"] for series in shown.meta["series"]] == ["one, edited", "two, edited"]
    assert shown.state == {"puzzle": 0, "theme": "dark", "hidden": [], "cells": [0]}
    shown.edit({blank: None})
    assert [series["name"] for series in shown.meta["series"]] == ["one, edited", "two, edited"]


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda e: e.branch("A", 99, 1), "series A has no trajectory 99"),
        (lambda e: e.branch("A", 0, "9.9"), "no moment '9.9'"),
        (
            lambda e: e.branch("A", 0, 1, by=2),
            r"by is 2, but nothing says where to; give towards=\(series, trajectory\)",
        ),
        (lambda e: e.branch("A", 0, 1, towards=("A", 1), along=1), "not both; leave one out"),
        (lambda e: e.branch("A", 0, 1, along=4), "along is 4; choose a component from 1 to 3"),
        (lambda e: e.branch("A", 0, 1, towards=("C", 1)), "there is no series 'C'"),
        (lambda e: e.edit({}), r"cells is empty; give at least one, e\.g\. \{'r1c1': 2\}"),
        (lambda e: e.edit({"r9c1": 1}), "no cell 'r9c1'"),
        (lambda e: e.edit({"r1c1": 7}), r"7 is no token of this board; write 1, 2, 3, 4, or None for a blank"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(shown: Explorer, lent: Lent, act, says: str):
    before = shown.meta
    with pytest.raises((BranchError, StateError), match=says):
        act(shown)
    assert shown.meta is before
    assert lent.asked == []


def test_without_a_model_it_says_how_to_lend_one(data: xr.Dataset):
    shown = explore(data)
    assert shown.asks == ["puzzle", "cell"]
    for act in (lambda: shown.branch("A", 0, 1), lambda: shown.edit({"r1c1": 2})):
        with pytest.raises(BranchError, match=r"knows no model; .* gv\.explore\(rollout, rerun=gram\.rerun\)"):
            act()


def test_states_of_two_checkpoints_have_no_way_between_them(data: xr.Dataset):
    other = data.assign_attrs(checkpoint="another")
    with pytest.raises(BranchError, match="different checkpoints, whose states have nothing in common"):
        to_trajectory(data, 0, other, 0, 1, 0.5)
    with pytest.raises(BranchError, match="the other trajectory has no step 12; it ends at 5"):
        to_trajectory(data, 0, data.isel(step=slice(6)), 0, 12, 0.5)


def test_states_on_a_line_have_no_second_component(data: xr.Dataset):
    line = data["h"].values[:, :1, :, :1, :1] * np.ones(data["h"].shape)
    flat = data.assign(h=(data["h"].dims, line)).isel(puzzle=[0])
    with pytest.raises(BranchError, match="do not differ along component 2; choose a lower one"):
        along_component([flat], flat, 0, 2, 1, 1.0)


def test_a_puzzle_beside_its_answer_cannot_be_edited():
    with pytest.raises(BranchError, match="stands beside its answer, which has no cells to be given"):
        changed(arc_pairs.make(trajectories=2).isel(puzzle=[0]), {0: 1})


# ------------------------------------------------------------------------------------------------- asked from the page
def test_the_page_hears_first_that_the_kernel_lives_and_then_how_it_went(shown: Explorer, lent: Lent):
    said: list[dict] = []
    shown.send = said.append  # type: ignore[method-assign]
    shown._asked(shown, {"ask": "branch", "id": 7, "series": "A", "trajectory": 3, "step": 4, "towards": ["A", 1]}, [])
    assert said == [{"id": 7, "busy": True}, {"id": 7, "ok": True}]
    assert lent.asked[0]["step"] == 4
    assert shown.meta["series"][1]["name"] == "A #3 from 2.2, 0.5 to A #1"
    said.clear()
    shown._asked(shown, {"ask": "edit", "id": 8, "cells": {"0": "9"}}, [])
    assert said[0] == {"id": 8, "busy": True}
    assert said[1]["ok"] is False
    assert "'9' is no token of this board" in said[1]["say"]
    said.clear()
    for noise in ({"ask": "import os"}, "branch", None, {}):
        shown._asked(shown, noise, [])
    assert said == []


def test_a_frozen_page_offers_nothing(shown: Explorer, tmp_path: Path):
    assert shown.asks == ["puzzle", "cell", "branch", "edit", "compare"]
    assert '"asks":' not in shown.to_html(tmp_path / "page.html")


def other_model(data: xr.Dataset, checkpoint: str = "another") -> xr.Dataset:
    """The same puzzles, the other way round, by a model of its own."""
    found = data.isel(puzzle=[1, 0], trajectory=[2])
    return found.assign_attrs(checkpoint=checkpoint, model="trm", name="trm")


def test_another_run_stands_beside(shown: Explorer, data: xr.Dataset, tmp_path: Path):
    shown.select("A", [1, 2]).set(basis="h")
    found = shown.compare(other_model(data), name="TRM")
    assert [series["name"] for series in shown.meta["series"]][1:] == ["TRM"]
    assert found.sizes["puzzle"] == 2
    assert shown.meta["puzzle"] == 1
    assert shown.meta["series"][1]["trajectories"] == 1
    assert shown.state["basis"] == shown.meta["default_basis"], "their h are two unrelated spaces"
    assert shown.state["selected"] == {"A": [1, 2]}
    page = rollout.save(other_model(data, "third"), tmp_path / "third.nc")
    shown.compare(page)
    shown.compare(lambda one: other_model(data, "fourth"), name="<b>4</b>")
    assert [series["letter"] for series in shown.meta["series"]] == ["A", "B", "C", "D"]
    with pytest.raises(BranchError, match="shows 4 series already"):
        shown.compare(other_model(data))
    assert shown.to_python().startswith("gv.compare(")


def test_other_dice_of_the_same_model_are_always_at_hand(shown: Explorer, lent: Lent):
    assert shown.others == ["The same model, other seed"]
    shown.compare("The same model, other seed")
    shown.compare("The same model, other seed")
    assert [asked["seed"] for asked in lent.asked] == [1, 2]
    assert [series["name"].rpartition(", ")[2] for series in shown.meta["series"]][1:] == ["seed 1", "seed 2"]
    assert [basis["series"] for basis in shown.meta["bases"] if basis["name"] == "h"] == [["A", "B", "C"]]


def test_a_compared_run_is_drawn_anew_with_the_puzzle(shown: Explorer, lent: Lent, data: xr.Dataset):
    shown.compare(other_model(data), name="TRM")
    cell = int(np.flatnonzero(data["x"].values[1] == 1)[0])
    assert len(shown.edit({cell: 1 + int(data["y"].values[1, cell] == 2)})) == 2
    assert len(lent.asked) == 2


def test_what_cannot_be_compared_is_refused_and_nothing_changes(data: xr.Dataset):
    shown = explore(data, others={"elsewhere": data.assign(x=data["x"] * 0 + 1), "gone": "/no/such/file.nc"})
    assert shown.asks == ["puzzle", "cell", "compare"]
    before, replies = shown.data, []
    shown.send = replies.append  # type: ignore[method-assign]
    with pytest.raises(BranchError, match="elsewhere does not hold this puzzle"):
        shown.compare("elsewhere")
    for question in (1, 7, "gone", None, "/etc/passwd"):
        shown._asked(None, {"ask": "compare", "other": question, "id": "1"}, [])
        assert replies[-1]["ok"] is False
    with pytest.raises(BranchError, match="does not hold this puzzle"):
        shown.compare(synthetic.queens(2, features=2))
    assert shown.data is before
    assert explore(data).asks == ["cell"]
    with pytest.raises(BranchError, match=r"gv\.explore\(rollout\)"):
        Explorer(pack(data)).compare(data)
