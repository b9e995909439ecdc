"""The maps of answers: what they open with, say and name, and what a pointer does on river and score."""

from __future__ import annotations

import numpy as np
import pytest
import synthetic

from gramviz.explorer.freeze import freeze
from gramviz.explorer.pack import pack

HOVER = "document.querySelector('main').gramviz.transient.hover"


@pytest.fixture(scope="module")
def sudoku():
    """A payload of thirty trajectories on one Sudoku, some of which break a rule in the end."""
    return pack(synthetic.sudoku(30, box=3, supervision_steps=12, transitions=1))


def stage(shown):
    """The left and top edge of the map's stage, its width and its height."""
    box = shown.page.locator("[data-part=map]").bounding_box()
    return box["x"], box["y"], box["width"], box["height"]


def test_the_river_is_time_names_and_rings(show, sudoku):
    shown = show(freeze(sudoku))
    space = sudoku.meta["answer_space"]
    assert shown.state["basis"] == "river"
    text = shown.text()
    assert "Ring: it stays from here" in text
    assert "Circle: an answer, short of it is doubt" in text, "there is room for the map beside it"
    label = shown.part("map").get_attribute("aria-label")
    assert "Answer river, Answer map" in label
    left, top, _, height = stage(shown)
    heads = {head["trajectory"]: head["at"] for head in shown.heads()}
    np.testing.assert_allclose({x for x, _ in heads.values()}.pop(), [x for x, _ in heads.values()], atol=0.1)
    mouse = shown.page.mouse
    end = left + heads[0][0]  # the last step
    mouse.move(end - 20, top + height - 40)
    mouse.down()
    mouse.move(left + 12, top + height - 40, steps=3)
    mouse.up()
    shown.drawn()
    assert shown.state["cursor"]["step"] == 0, "a drag is time"
    for y in range(int(top) + 40, int(top + height) - 20, 6):  # the names stand right of the last step
        mouse.move(end + 24, y)
        shown.drawn()
        hover = shown.page.evaluate(HOVER)
        if hover and hover.get("members"):
            break
    members = np.flatnonzero(sudoku.array("lane")[:, -1] == 0).tolist()
    assert hover["members"]["A"] == members
    assert len(members) == space["lanes"][0]["size"]
    assert f"answer {space['lanes'][0]['letter']}" in shown.text()
    mouse.click(end + 24, y)
    shown.drawn()
    assert shown.state["selected"] == {"A": members}
    shown.set(selected={}, board="focus", cursor={"step": 3, "low": None})
    commit = sudoku.array("commit")
    trajectory = int(np.flatnonzero((commit > 3) & (commit < 13))[0])
    shown.set(cursor={"step": int(commit[trajectory]), "low": None})
    x, y = next(head["at"] for head in shown.heads() if head["trajectory"] == trajectory)
    shown.set(cursor={"step": 0, "low": None})
    mouse.click(left + x, top + y)
    shown.drawn()
    assert shown.state["cursor"]["step"] == commit[trajectory], "a ring goes there"
    assert commit[shown.state["focus"][1]] == commit[trajectory]


def test_where_none_stays_it_says_so_and_one_trajectory_has_a_score(show, sudoku, trm):
    lost = synthetic.sudoku(6, supervision_steps=6, transitions=1)
    lost["tokens"].values[:] = np.random.default_rng(0).integers(2, 6, lost["tokens"].shape)
    lost["valid"].values[:] = False
    shown = show(freeze(pack(lost)))
    assert shown.state["basis"] == "answers"
    assert "PCA of answers" in shown.text()
    with shown.page.expect_download() as waiting:
        shown.page.keyboard.press("Tab")
        shown.page.keyboard.press("e")
        shown.page.get_by_role("menuitem", name="Drawing (SVG)").click()
    assert "No trajectory stays at an answer." in waiting.value.path().read_text()
    shown = show(freeze(pack(trm)))
    assert shown.state["basis"] == "score"
    assert "Blue: the token that stays" in shown.text()
    left, top, width, height = stage(shown)
    shown.page.mouse.click(left + width / 2, top + height / 2)
    shown.drawn()
    assert len(shown.state["cells"]) == 1
    assert 10 < shown.state["cursor"]["step"] < 22
