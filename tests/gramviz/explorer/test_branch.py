"""Branches and edited puzzles: which state is handed to the model, what is shown of the answer, and what is refused.

The model here is a stand-in that keeps every request and answers with a legal rollout; the real one is in
`tests/gram/test_continue.py`, and both together in `tests/browser/test_branch.py`.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import arc_pairs
import numpy as np
import pytest
import synthetic
import xarray as xr

from gram import rollout
from gram.patching import InterventionError, edited
from gram.rollout import board_of
from gramviz import measure
from gramviz.explorer.experiment import deviation
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
            rollout = rollout.assign(x=(("puzzle", "position"), how["x"][None]))
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
    branch = shown.branch("A", 5, "3.1", trajectories=4)
    (asked,) = lent.asked
    assert asked.pop("rollout").identical(data.isel(puzzle=[1]))
    assert asked == {
        "trajectory": 5, "step": 5, "trajectories": 4, "supervision_steps": None, "seed": 1, "noise": 1.0,
    }  # fmt: skip
    assert [series["name"] for series in shown.meta["series"]][1:] == [branch.name] == ["A #5: seed 1 at 3.1"]
    assert (branch.cause, branch.origin, branch.letter) == ("seed 1 at 3.1", "A #5", "B")
    assert branch.rollout.attrs["name"] == branch.name
    assert shown.state["focus"] == ["B", 0]
    assert shown.state["pinned"] == ["A", 5]
    assert shown.state["cursor"] == {"step": 5, "low": None}
    assert shown.state["selected"] == {"A": [1, 2]}
    assert shown.state["puzzle"] == 1
    child = shown.branch("B", 2, 4)
    assert lent.asked[-1]["seed"] == 3, "each branch has noise of its own"
    assert lent.asked[-1]["rollout"].identical(branch.rollout)
    assert child.parent is branch
    assert branch.children == [child]


def test_half_way_to_another_trajectory(shown: Explorer, lent: Lent, data: xr.Dataset):
    branch = shown.branch("A", 5, "3.1", patch=("A", 2), by=0.25)
    for name in ("h", "l"):
        here, there = (data[name].values[1, trajectory, 5].astype(np.float32) for trajectory in (5, 2))
        assert np.allclose(lent.asked[0][name], 0.75 * here + 0.25 * there)
    assert branch.cause == "patched 0.25 of the way from A #2 at 3.1"
    assert branch.name == "A #5: all 0.25 from A #2 at 3.1"


def test_cells_are_patched_from_another_trajectory_and_from_another_puzzle(
    shown: Explorer, lent: Lent, data: xr.Dataset
):
    shown.branch("A", 5, "3.1", patch=("A", 2), cells=["r1c2", 7])
    here, there = (data["h"].values[1, trajectory, 5].astype(np.float32) for trajectory in (5, 2))
    changed = (lent.asked[0]["h"] != here).any(-1)
    assert np.flatnonzero(changed).tolist() == [1, 7]
    assert np.array_equal(lent.asked[0]["h"][[1, 7]], there[[1, 7]])
    assert shown.branches["A #5: r1c2 r2c4 from A #2 at 3.1"].cause == (
        "row 1, column 2 and row 2, column 4 patched from A #2 at 3.1"
    )
    branch = shown.branch("A", 5, "3.1", patch=("A", 2, 0))
    assert np.array_equal(lent.asked[1]["h"], data["h"].values[0, 2, 5].astype(np.float32))
    assert branch.cause == "patched from A #2 of puzzle 1 at 3.1"


def test_a_nudge_along_a_component_moves_it_there_and_nowhere_else(shown: Explorer, lent: Lent, data: xr.Dataset):
    """Projected on the same components, the moved state has another second coordinate and the same first and third."""
    branch = shown.branch("A", 5, "3.1", nudge=(2, 1.5))
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
    assert branch.cause == "nudged along PC 2 by +1.5 at 3.1"


def test_a_whole_series_resumes_each_from_its_own_state(shown: Explorer, lent: Lent, data: xr.Dataset):
    many = list(range(data.sizes["trajectory"]))
    again = shown.branch("A", at="3.1", noise=2)
    assert lent.asked[0]["trajectory"] == many
    assert (lent.asked[0]["step"], lent.asked[0]["noise"], again.cause) == (5, 2, "noise x 2 at 3.1")
    shown.branch("A", at="3.1", patch=("A", 2))
    assert lent.asked[1]["h"].shape == (len(many), *data["h"].shape[-2:])
    shown.branch("A", noise=2)
    assert "step" not in lent.asked[2]
    assert lent.asked[2]["seed"] == 0, "only the noise is another, not its numbers"
    assert shown.branch("A").cause == "seed 4 at init"


def test_thinned_trajectories_and_steps_are_found_again(data: xr.Dataset, lent: Lent):
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


def test_an_edited_puzzle_stands_beside_the_original(shown: Explorer, lent: Lent, data: xr.Dataset):
    shown.set(theme="dark").select_cells(["r1c1"])
    before = data["x"].values[1]
    free = int(np.flatnonzero(before == 1)[0])
    given = int(np.flatnonzero(before != 1)[0])
    named = f"r{given // 4 + 1}c{given % 4 + 1}"
    branch = shown.branch(edit={free: 3, named: None})
    wanted = before.copy()
    wanted[free], wanted[given] = 4, 1
    assert (branch.rollout["x"].values[0] == wanted).all()
    assert (lent.asked[0]["x"] == wanted).all()
    assert shown.meta["x"] == before.tolist()
    assert [series.get("x") for series in shown.meta["series"]] == [None, wanted.tolist()]
    assert {free, given} <= set(shown.meta["answer_space"]["cells"]), "what is open in one of them is compared"
    assert (shown.state["theme"], shown.state["cells"]) == ("dark", [0])
    place = board_of(data).place
    assert branch.cause == f"{place(free)} set to 3, {place(given)} erased at init"
    assert branch.outcome.startswith("0 of 9 followed the edit, "), "the stand-in knows of no edit"
    deeper = shown.branch("B", 0, "3.1", edit={given: None, free: None})
    assert (deeper.rollout["x"].values[0] == before).sum() == len(before) - 1


# ------------------------------------------------------------------------------------------------------------- the tree
def test_the_tree_keeps_what_is_not_shown(data: xr.Dataset, lent: Lent):
    shown = compare(data, data, names=["one", "two"], rerun=lent)
    first, second, third = (shown.branch("A", 0, step) for step in (1, 2, 3))
    assert [series["name"] for series in shown.meta["series"]] == ["one", "two", first.name, third.name]
    assert list(shown.branches) == [first.name, second.name, third.name]
    assert second.letter is None
    with pytest.raises(StateError, match=r"is not shown; show it first: explorer\.branches\["):
        shown.branch(second.name, 0, 1)
    third.pin()
    second.show()
    assert (first.letter, third.letter, second.letter) == (None, "C", "D")
    assert shown.state["focus"] == ["D", 0]
    assert shown.state["cursor"]["step"] == 2
    second.pin()
    with pytest.raises(BranchError, match="shows 4 series already; unpin a branch"):
        first.show()
    before = len(lent.asked)
    with pytest.raises(BranchError, match="unpin a branch"):
        shown.branch("A", 0, 1)
    assert len(lent.asked) == before, "nothing is drawn that could not be shown"
    second.pin(False)
    text = repr(shown.branches).splitlines()
    assert text[:2] == ["A one", "B two"]
    assert text[2].startswith("  - A #0: seed 1 at 1.1: A #0: seed 1 at 1.1; 2 of 8 reach another answer, ")
    assert text[4].endswith(", pinned")
    four = compare(data, data, data, data, rerun=lent)
    with pytest.raises(BranchError, match="shows 4 series already; open fewer, then branch"):
        four.branch("A", 0, 1)
    assert len(four.meta["series"]) == 4


def test_after_delete_letters_close_up_and_the_view_follows(shown: Explorer, lent: Lent):
    first = shown.branch("A", 5, "3.1", name="first")
    child = shown.branch("first", 0, "3.2", name="child")
    other = shown.branch("A", 1, "2.1", name="other")
    assert [one.letter for one in (first, child, other)] == ["B", "C", "D"]
    shown.focus("D", 2).pin("D", 1).select("D", [1]).select("B", [0]).set(hidden=["C"], board="D")
    first.delete()
    assert list(shown.branches) == ["other"], "with what grew from it"
    assert [series["name"] for series in shown.meta["series"]][1:] == ["other"]
    keys = {key: shown.state[key] for key in ("focus", "pinned", "selected", "hidden", "board")}
    assert keys == {"focus": ["B", 2], "pinned": ["B", 1], "selected": {"B": [1]}, "hidden": [], "board": "B"}
    other.hide()
    assert (shown.state["focus"], shown.state["pinned"], shown.state["board"]) == (["A", 0], None, "focus")
    assert other.letter is None
    other.compare()
    assert (shown.state["focus"], shown.state["pinned"], shown.state["board"]) == (["B", 0], ["A", 1], "differ")
    with pytest.raises(KeyError, match="there is no branch 'first'; known: other"):
        shown.branches["first"]
    assert shown.tree == [
        {
            "name": "other", "cause": "A #1: seed 3 at 2.1", "outcome": other.outcome, "letter": "B", "pinned": False,
            "depth": 1,
        }
    ]  # fmt: skip


def test_a_branch_is_renamed_and_replayed_and_written_as_python(shown: Explorer, lent: Lent):
    branch = shown.branch("A", 5, "3.1", patch=("A", 2), cells=["r1c2"], name="why")
    child = shown.branch("why", 1, "3.2", seed=8)
    line = "explorer.branch('A', 5, '3.1', patch=('A', 2), cells=['r1c2'], seed=1, name='why')"
    assert branch.to_python() == line
    assert child.cause == "seed 8 at 3.2"
    branch.rename("because").rename("because")
    assert shown.meta["series"][1]["name"] == "because"
    assert child.to_python().startswith("explorer.branch('because', 1, '3.2', seed=8")
    again = branch.replay()
    assert lent.asked[-1].keys() == lent.asked[0].keys()
    assert (lent.asked[-1]["h"] == lent.asked[0]["h"]).all()
    assert again is branch.rollout
    twin = eval(line, {"explorer": shown})  # the line is Python
    assert (lent.asked[-1]["h"] == lent.asked[0]["h"]).all()
    assert twin.name == "why"
    assert shown.branch("A", 5, "3.1", name="why").name == "why (2)"


def test_each_cell_in_turn_is_drawn_on_the_board(shown: Explorer, data: xr.Dataset):
    """The model here answers with the second cell of its state alone: only that cell's patch changes the answer."""
    one = data.isel(puzzle=[1])

    def rerun(rollout: xr.Dataset, *, trajectory, keys, step: int, h=None, l=None, seed: int) -> xr.Dataset:
        assert set(keys) == {5}, "one noise for all"
        h = rollout["h"].values[0, list(trajectory), step].astype(np.float32) if h is None else h
        like = np.abs(h[:, None, 1] - rollout["h"].values[0, [5, 2], step][None, :, 1]).sum(-1).argmin(1)
        found = rollout.isel(trajectory=np.array([5, 2])[like])
        return found

    shown._rerun = rerun
    last = data["tokens"].values[1, :, -1]
    assert (last[5] != last[2]).any()
    found = shown.patch_each("A", 5, "3.1", ("A", 2))
    np.testing.assert_allclose(found["effect"].values, np.eye(16)[1], atol=1e-6)
    assert found["changed"].values.tolist() == [0, int((last[5] != last[2]).sum()), *[0] * 14]
    assert shown.effect["values"] == [0, 1, *[0] * 14]
    assert (shown.effect["series"], shown.effect["trajectory"], shown.effect["source"]) == ("A", 5, "A #2")
    with pytest.raises(BranchError, match=r"A #5 and A #5 reach the same answer from 3\.1, so no cell decides"):
        shown.patch_each("A", 5, "3.1", ("A", 5))
    assert one.sizes["position"] == 16


def test_the_lines_of_the_documentation_run():
    """Those of docs/explorer.md, "Ask the model again", with a stand-in that resumes whom it is asked to."""
    text = (Path(__file__).resolve().parents[3] / "docs" / "explorer.md").read_text()
    lines = text.partition("## Ask the model again")[2].partition("```python")[2].partition("```")[0]
    made = synthetic.sudoku(13, box=3, supervision_steps=8)
    last = made["tokens"].values[0, :, -1]
    order = np.argsort((last != last[3]).any(-1), kind="stable")  # trajectory 12 ends otherwise than 3
    rollout = made.assign(l=made["h"] * 2).isel(trajectory=order)

    def rerun(rollout: xr.Dataset, *, trajectory=0, trajectories=None, seed=0, x=None, **how: object) -> xr.Dataset:
        several = [trajectory] * (trajectories or 1) if isinstance(trajectory, int) else list(trajectory)
        found = rollout.isel(trajectory=several).assign_attrs(seed=seed)
        return found if x is None else found.assign(x=(("puzzle", "position"), x[None]))

    names = {"gv": SimpleNamespace(explore=explore), "gram": SimpleNamespace(rerun=rerun), "rollout": rollout}
    exec(lines, names | {"a": rollout})


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda e: e.branch("A", 99, 1), "series A has no trajectory 99"),
        (lambda e: e.branch("A", 0, "9.9"), "no moment '9.9'"),
        (lambda e: e.branch("A", 0, 1, by=2), r"by say what is patched; give patch=\(series, trajectory\) too"),
        (lambda e: e.branch("A", 0, 1, cells=["r1c1"]), "cells and by say what is patched"),
        (lambda e: e.branch("A", 0, 1, patch=("A", 1), nudge=(1, 1.0)), "not both; leave one out"),
        (lambda e: e.branch("A", 0, 1, nudge=(4, 1.0)), "the component is 4; choose one from 1 to 3"),
        (lambda e: e.branch("A", 0, 1, patch=("C", 1)), "there is no series 'C'"),
        (lambda e: e.branch("A", 0, 1, patch=("A", 1, 2)), "A has no puzzle 2; choose 0 to 1"),
        (lambda e: e.branch("A", 0, 1, patch=("A", 1), cells=["r9c1"]), "no cell 'r9c1'"),
        (lambda e: e.branch(edit={}), "the edit is empty; give at least one cell and its token"),
        (lambda e: e.branch(edit={"r9c1": 1}), "no cell 'r9c1'"),
        (lambda e: e.branch(edit={"r1c1": 7}), r"7 is no token of this board; write 1, 2, 3, 4, or None for a blank"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(shown: Explorer, lent: Lent, act, says: str):
    before = shown.meta
    with pytest.raises((BranchError, StateError, InterventionError), match=says):
        act(shown)
    assert shown.meta is before
    assert lent.asked == []
    assert not shown.branches


def test_without_a_model_it_says_how_to_lend_one(data: xr.Dataset):
    shown = explore(data)
    assert shown.asks == ["puzzle", "cell", "tree"]
    for act in (lambda: shown.branch("A", 0, 1), lambda: shown.patch_each("A", 0, 1, ("A", 1))):
        with pytest.raises(BranchError, match=r"knows no model; .* gv\.explore\(rollout, rerun=gram\.rerun\)"):
            act()


def test_states_on_a_line_have_no_second_component(data: xr.Dataset):
    line = data["h"].values[:, :1, :, :1, :1] * np.ones(data["h"].shape)
    flat = data.assign(h=(data["h"].dims, line)).isel(puzzle=[0])
    with pytest.raises(BranchError, match="do not differ along component 2; choose a lower one"):
        deviation([flat], 2)


def test_a_puzzle_beside_its_answer_cannot_be_edited():
    with pytest.raises(InterventionError, match="stands beside its answer, which has no cells to be given"):
        edited(arc_pairs.make(trajectories=2).isel(puzzle=[0]), {0: 1})


# ------------------------------------------------------------------------------------------------- asked from the page
def test_the_page_hears_first_that_the_kernel_lives_and_then_how_it_went(shown: Explorer, lent: Lent):
    said: list[dict] = []
    shown.send = said.append  # type: ignore[method-assign]
    question = {"ask": "branch", "id": 7, "series": "A", "trajectory": 3, "step": 4, "patch": ["A", 1], "by": 0.5}
    shown._asked(shown, question, [])
    assert said == [{"id": 7, "busy": True}, {"id": 7, "ok": True}]
    assert lent.asked[0]["step"] == 4
    (name,) = shown.branches
    assert shown.meta["series"][1]["name"] == name == "A #3: all 0.5 from A #1 at 2.2"
    said.clear()
    for act in ({"act": "pin"}, {"act": "rename", "to": "mine"}, {"act": "hide"}, {"act": "delete"}, {"act": "eval"}):
        shown._asked(shown, {"ask": "tree", "id": 9, "name": next(iter(shown.branches), "mine"), **act}, [])
    assert [reply.get("ok") for reply in said] == [None, True, None, True, None, True, None, True, None, False]
    assert said[1]["say"] == "", "no other payload follows, so the page hears that it is done"
    assert "there is no branch 'mine'" in said[-1]["say"]
    said.clear()
    shown.patch_each = lambda *_: xr.Dataset({"effect": ("position", [0.25, np.nan, 0.5])})  # type: ignore[method-assign]
    shown._asked(shown, question | {"ask": "each"}, [])
    assert said[1]["say"] == "Row 1, column 3 decides most: patched alone, its effect is 0.50."
    said.clear()
    shown._asked(shown, {"ask": "branch", "id": 8, "series": "A", "edit": {"0": "9"}}, [])
    assert said[0] == {"id": 8, "busy": True}
    assert said[1]["ok"] is False
    assert "'9' is no token of this board" in said[1]["say"]
    said.clear()
    for noise in ({"ask": "import os"}, "branch", None, {}):
        shown._asked(shown, noise, [])
    assert said == []


def test_a_frozen_page_offers_nothing(shown: Explorer, tmp_path: Path):
    assert shown.asks == ["puzzle", "cell", "tree", "branch", "each", "compare"]
    assert '"asks":' not in shown.to_html(tmp_path / "page.html")


def other_model(data: xr.Dataset, checkpoint: str = "another") -> xr.Dataset:
    """The same puzzles, the other way round, by a model of its own."""
    found = data.isel(puzzle=[1, 0], trajectory=[2])
    return found.assign_attrs(checkpoint=checkpoint, model="trm", name="trm")


def test_another_run_stands_beside(shown: Explorer, data: xr.Dataset, tmp_path: Path):
    shown.select("A", [1, 2]).set(basis="h")
    found = shown.compare(other_model(data), name="TRM").rollout
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
    shown.compare(other_model(data), name="fifth")
    assert [series["name"] for series in shown.meta["series"]][1:] == ["TRM", "trm", "fifth"], "the last made room"
    assert shown.to_python().startswith("gv.compare(")


def test_other_noise_of_the_same_model_are_always_at_hand(shown: Explorer, lent: Lent):
    assert shown.others == ["The same model, other seed"]
    shown.compare("The same model, other seed")
    shown.compare("The same model, other seed")
    assert [asked["seed"] for asked in lent.asked] == [1, 2]
    assert [branch.cause for branch in shown.branches.values()] == ["seed 1 at init", "seed 2 at init"]
    assert [basis["series"] for basis in shown.meta["bases"] if basis["name"] == "h"] == [["A", "B", "C"]]


def test_a_compared_run_is_a_branch_that_grew_from_nothing(shown: Explorer, data: xr.Dataset):
    branch = shown.compare(other_model(data), name="TRM")
    assert repr(branch) == "Branch(B TRM: compared; 0 of 1 right)"
    assert branch.to_python() == "explorer.compare(rollout, name='TRM')"
    with pytest.raises(BranchError, match="'TRM' was compared, not drawn here, so there is nothing to replay"):
        branch.replay()
    branch.delete()
    assert len(shown.meta["series"]) == 1


def test_what_cannot_be_compared_is_refused_and_nothing_changes(data: xr.Dataset):
    shown = explore(data, others={"elsewhere": data.assign(x=data["x"] * 0 + 1), "gone": "/no/such/file.nc"})
    assert shown.asks == ["puzzle", "cell", "tree", "compare"]
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
    assert explore(data).asks == ["puzzle", "cell", "tree"]
    with pytest.raises(BranchError, match=r"gv\.explore\(rollout\)"):
        Explorer(pack(data)).compare(data)
