"""What somebody wants to find out, from a fresh page and in at most five actions: those of the gallery, done anew.

The rollouts are the gallery's own, so what is found is what its pictures and docs/explorer.md show.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gram
import gramviz
from gramviz import measure
from gramviz.explorer.freeze import freeze
from gramviz.export.gallery import PICTURES, act

TASKS = {picture.name: picture for picture in PICTURES if picture.name.startswith("task-")}


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    few = {"supervision_steps": 16, "record": gram.Record(every="supervision")}
    return {
        "gv": gramviz,
        "one": gram.sample("nqueens8-trm", 53, trajectories=1, **few),
        "many": gram.sample("nqueens8-gram", 53, trajectories=50, **few),
        "ones": gram.sample("nqueens8-trm", range(48, 56), trajectories=1, **few),
        "manies": gram.sample("nqueens8-gram", range(48, 56), trajectories=20, **few),
    }


@pytest.fixture
def done(show, names):
    """The page of a task after all its actions."""

    def do(name: str) -> Any:
        task = TASKS[name]
        assert len(task.actions) <= 5
        made = eval(task.code, names)
        shown = show(made if isinstance(made, str) else freeze(made))
        for action in task.actions:
            act(shown.page, action)
        return shown

    return do


def test_the_step_and_the_cell_at_which_hypotheses_part(done, names):
    shown = done("task-part")
    letter, rival = shown.state["pinned"]
    assert letter == "A"
    final = names["many"].tokens.isel(puzzle=0, step=-1).values
    assert (final[rival] != final[shown.state["focus"][1]]).any()
    step = shown.state["cursor"]["step"]
    assert "the first difference that lasts is at row" in shown.text()
    boards = names["many"].tokens.isel(puzzle=0).values
    mine, other = boards[shown.state["focus"][1]], boards[rival]
    assert step == measure.parting_of(mine, other).index


def test_the_puzzle_on_which_trm_fails_and_gram_does_not(done, names):
    shown = done("task-puzzle")
    ends = [names[name].valid.isel(step=-1).values for name in ("ones", "manies")]
    gap = ends[1].mean(1) - ends[0].mean(1)
    assert gap.argmax() == 5
    assert "#53" in shown.page.locator(".tile").first.inner_text()
    shown.page.locator(".tile").first.click()
    shown.until(f"{shown.host}.gramviz.payload.puzzle === {int(gap.argmax())}")


def test_the_trajectory_that_was_right_and_left(done, names):
    shown = done("task-left")
    valid = names["many"].valid.isel(puzzle=0).values
    left = valid[:, :-1] & ~valid[:, 1:]
    assert shown.state["selected"] == {"A": np.flatnonzero(left.any(1)).tolist()}
    focus = shown.state["focus"][1]
    assert shown.state["cursor"]["step"] == 1 + int(left[focus].argmax())


def test_another_queen_is_given(done):
    shown = done("task-given")
    shown.until(f"{shown.root}.querySelector('.yours [role=status]').textContent.startsWith('Done')")
    x = shown.page.evaluate(f"{shown.host}.gramviz.payload.x")
    assert x[1] == x[36] != x[0]
    assert [one["n"] for one in shown.page.evaluate(f"{shown.host}.gramviz.payload.series")] == [1, 20]


def test_the_cells_in_which_two_checkpoints_differ(done, names):
    shown = done("task-compare")
    one, many = (names[name].tokens.isel(puzzle=0, step=-1).values for name in ("one", "many"))
    count = int((one[0] != many[shown.state["focus"][1]]).sum())
    assert shown.state["board"] == "differ"
    assert f"differ in {count} cells" in shown.text()
