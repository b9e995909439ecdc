"""The explorer's Python side: its state, its methods, what it says when asked for something that is not there."""

from __future__ import annotations

import random
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import synthetic

from gram import rollout
from gramviz.contract import CURVES, LAYERS
from gramviz.explorer.freeze import freeze
from gramviz.explorer.link import FRONTEND
from gramviz.explorer.opening import compare, explore
from gramviz.explorer.pack import pack
from gramviz.explorer.payload import PackError
from gramviz.explorer.source import BranchError
from gramviz.explorer.state import State, StateError
from gramviz.explorer.widget import Explorer


@pytest.fixture(scope="module")
def payload(small):
    return pack(small, puzzle=1)


@pytest.fixture(scope="module")
def pair():
    """One trajectory beside fifty, with a small h: nothing here looks at it."""
    one = synthetic.queens(1, model="trm", checkpoint="synthetic-trm", seed=3, wrong=1.0, features=2)
    return pack([one, synthetic.queens(features=2)])


def test_importing_the_explorer_leaves_torch_alone():
    code = "import sys, gramviz.explorer.widget, gramviz.explorer.freeze; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_explore_takes_a_rollout_or_its_path(small, tmp_path):
    path = rollout.save(small, tmp_path / "small.nc")
    for source in (small, path, str(path)):
        explorer = explore(source, puzzle=1, name="mine")
        assert explorer.meta["puzzle"] == 1
        assert explorer.meta["series"][0]["name"] == "mine"
        assert explorer.state == {"puzzle": 1}
        assert explorer.data


def test_compare_refuses_different_puzzles(small):
    with pytest.raises(PackError, match="different puzzles"):
        compare(small, small, puzzle=(0, 1))


def test_methods_chain_and_fill_the_state(pair):
    explorer = Explorer(pair).go("7.2").pin("A", 0).select("B", [12, 3]).focus("B", 12).select_cells(["r4c6", 0])
    assert explorer.state == {
        "puzzle": 0, "cursor": {"step": 14, "low": None}, "focus": ["B", 12], "pinned": ["A", 0],
        "selected": {"B": [12, 3]}, "cells": [29, 0],
    }  # fmt: skip
    assert explorer.selection == {"B": [12, 3]}
    assert explorer.set(color_by="answer").state["color_by"] == "answer"
    assert explorer.set(selected={"B": [3, 12, 3]}).selection == {"B": [3, 12]}
    assert "gv.compare(trm, gram, puzzle=0)" in explorer.to_python()


@pytest.mark.parametrize(
    ("address", "step"), [("init", 0), ("end", 32), (5, 5), ("1.1", 1), ("7", 14), ("7.2", 14), ("16.2", 32)]
)
def test_go_reads_addresses(pair, address, step):
    assert Explorer(pair).go(address).state["cursor"] == {"step": step, "low": None}


def test_go_reads_low_level_steps(low):
    assert explore(low).go("2.1.3").state["cursor"] == {"step": 3, "low": 3}


@pytest.mark.parametrize("address", ["17.1", "0", "7.3", "7.2.1", "seven", "", "1.1.1.1", 33, -1])
def test_go_says_which_moments_there_are(pair, address):
    with pytest.raises(StateError, match=r"from '1\.1' to '16\.2'|steps 0 to 32"):
        Explorer(pair).go(address)


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda e: e.focus("C"), r"no series 'C'; this explorer shows A \(TRM\), B \(GRAM\)"),
        (lambda e: e.focus("B", 50), "series B has no trajectory 50; choose 0 to 49"),
        (lambda e: e.select("B", [1, 99]), "series B has no trajectory 99; choose 0 to 49"),
        (lambda e: e.select_cells(["r9c1"]), "no cell 'r9c1'; write 'r1c1' to 'r8c8'"),
        (lambda e: e.select_cells(["n1"]), "no cell 'n1'"),
        (
            lambda e: e.set(color="series"),
            r"unknown key 'color' of the state; known: v, .* \(did you mean 'color_by'\?\)",
        ),
        (lambda e: e.set(color_by="pink"), "color_by is 'pink'; allowed: outcome, answer, series"),
        (lambda e: e.set(basis="tree"), r"basis is 'tree'; known: h, river, .*, and cell0"),
        (lambda e: e.set(board=np.arange(3)), r"board is array\(\[0, 1, 2\]\); allowed: "),
        (lambda e: e.set(speed=3), "speed is 3; allowed: 1, 2, 4, 8, 16"),
        (lambda e: e.set(loop=1), "loop is 1; allowed: True, False"),
        (lambda e: e.set(**{"__proto__": {}}), "unknown key '__proto__'"),
        (lambda e: e.set(camera={"x": float("nan"), "y": 0, "k": 1}), "camera is"),
        (lambda e: e.set(camera={"x": 10**400, "y": 0, "k": 1}), "camera is"),
        (lambda e: e.set(cells=[10**5000]), "cells is what is too long or too deep to show"),
        (lambda e: e.set(cells={1, "a"}), "cells is"),
        (lambda e: e.go("³"), "there is no moment"),
        (lambda e: e.go(True), "there is no moment True"),
        (lambda e: e.go("9" * 5000), "there is no moment"),
        (lambda e: e.select_cells(["r" + "9" * 5000 + "c1"]), "there is no cell"),
        (lambda e: freeze(e, state=5), "a state is an object with named keys, not 5"),
        (lambda e: State.from_json("[" * 99_999), "this is not JSON: it nests too deeply"),
        (lambda e: e.set(lanes=["driff"]), r"lanes is \['driff'\]; allowed: a list of certainty"),
    ],
)
def test_errors_give_the_value_and_the_cure(pair, act, says):
    explorer = Explorer(pair)
    before = dict(explorer.state)
    with pytest.raises(StateError, match=says):
        act(explorer)
    assert explorer.state == before


def test_setting_the_trait_is_checked_too(pair):
    explorer = Explorer(pair)
    with pytest.raises(StateError, match="series B has no trajectory 70"):
        explorer.state = {"focus": ["B", 70]}
    seen = []
    explorer.observe(lambda change: seen.append(change["new"]), "state")
    explorer.state = {"focus": ("B", 7)}
    assert seen == [{"focus": ["B", 7]}]


def test_a_view_from_before_pythons_last_word_is_dropped(pair):
    explorer = Explorer(pair)
    opened = explorer.turn
    explorer.set_state({"state": {"focus": ["B", 1]}, "heard": opened})
    assert explorer.state["focus"] == ["B", 1]
    explorer.set_state({"state": {"focus": ["B", 2]}})  # `heard` travels only where it has changed
    assert explorer.state["focus"] == ["B", 2]
    assert explorer.turn == opened, "a page's word is not Python's"
    explorer.focus("B", 3)
    explorer.set_state({"state": {"focus": ["B", 4]}, "speed": 2})
    assert explorer.state["focus"] == ["B", 3]
    explorer.focus("B", 3)
    assert explorer.turn == opened + 1, "nothing new was said"
    explorer.set_state({"state": {"focus": ["B", 5]}, "heard": opened + 1})
    assert explorer.state["focus"] == ["B", 5]


def test_what_python_does_when_a_page_has_told_something_is_pythons_word(pair):
    explorer = Explorer(pair)
    explorer.on_selection(lambda chosen: explorer.focus("B", chosen["B"][0]))
    before = explorer.turn
    explorer.set_state({"state": {"selected": {"B": [7]}}, "heard": before})
    assert explorer.state == {"selected": {"B": [7]}, "focus": ["B", 7]}
    assert explorer.turn == before + 1


def random_state(rng: random.Random) -> dict:
    """Any legal state of a comparison of one trajectory and fifty, with a random set of keys."""
    letter = lambda: rng.choice("AB")  # noqa: E731
    number = lambda: round(rng.uniform(-3, 3), 3)  # noqa: E731
    some = lambda values: rng.sample(values, rng.randint(0, len(values)))  # noqa: E731
    few = lambda: sorted(rng.sample(range(50), rng.randint(1, 6)))  # noqa: E731
    keys = {
        "v": 2, "puzzle": 0, "cursor": {"step": rng.randrange(33), "low": None}, "focus": ["B", rng.randrange(50)],
        "pinned": rng.choice([None, ["A", 0]]), "selected": rng.choice([{}, {"B": few()}, {"A": [0], "B": few()}]),
        "hidden": rng.choice([[], [letter()]]), "cells": some(list(range(64)))[:5], "token": rng.choice([None, 2]),
        "brush": rng.choice([None, {"kind": "lasso", "plane": 0, "points": [[number(), number()] for _ in range(3)]},
                             {"kind": "box", "lane": "drift", "x": [0.25, 0.5], "y": [0, number()]}]),
        "range": rng.choice([None, [2, 9]]), "board": rng.choice(["focus", "differ", "all", "A", "B"]),
        "color_by": rng.choice(["outcome", "answer", "series", "value", "certainty", "step"]),
        "answers_at": rng.choice(["final", "cursor"]), "basis": rng.choice(["h", "answers", "river"]),
        "camera": rng.choice([None, {"x": number(), "y": number(), "k": 2.5}]), "layers": some(list(LAYERS)),
        "lanes": some(list(CURVES)), "speed": rng.choice([1, 2, 4, 8, 16]), "loop": rng.random() < 0.5,
        "theme": rng.choice(["auto", "light", "dark"]), "motion": rng.choice(["auto", "calm"]),
        "panel": rng.choice(["board", "map", "answers"]), "folded": rng.choice([None, [], ["board", "curves"]]),
        "sizes": rng.choice([{}, {"board": 0.4}, {"answers": 0.2, "curves": 0.3}]), "tall": some(list(CURVES))[:2],
    }  # fmt: skip
    return {key: value for key, value in keys.items() if rng.random() < 0.7}


def test_json_and_python_round_trips_are_identities(pair):
    """Over 200 random states; the Python line is run, not compared as text."""
    rng = random.Random(20)
    explorer = Explorer(pair)
    opened = {"compare": lambda trm, gram, puzzle=0: explorer}
    for _ in range(200):
        raw = random_state(rng)
        state = State(**raw)
        assert state.keys == raw
        assert State.from_json(state.to_json()) == state
        explorer.state = {}
        line = state.to_python(pair.meta)
        assert "\n" not in line
        eval(line, {"gv": type("gv", (), opened), "trm": None, "gram": None})
        expected = {k: v for k, v in raw.items() if k not in ("v", "puzzle") and (k != "selected" or v)}
        assert explorer.state == expected, line


def test_the_page_and_python_know_the_same_keys():
    text = (FRONTEND / "state.js").read_text()
    opening = text[text.index("export function initialState") :]
    body = opening[opening.index("return {") : opening.index("\n  };")]
    keys = [
        line.split(":")[0].strip().rstrip(",")
        for line in body.splitlines()[1:]
        if line.startswith("    ") and not line.strip().startswith("//")
    ]
    assert keys == list(State.known())


def test_python_text_is_legal_whatever_the_name():
    meta = {
        "series": [
            {"letter": "A", "name": "class", "steps": 1, "supervision_step": [0], "transition": [0]},
            {"letter": "B", "name": "3 \U0001f600 \u202e", "steps": 1, "supervision_step": [0], "transition": [0]},
        ]
    }
    line = State(puzzle=3, basis="\U0001f600\n'\"\\").to_python(meta)
    compile(line, "line", "eval")
    assert line.startswith("gv.compare(class_a, series_b, puzzle=3)")
    literal = line[line.index("basis=") + 6 : -1]
    assert eval(literal) == "\U0001f600\n'\"\\"


@pytest.mark.parametrize("text", ["{", "[1]", "null", '{"cursor": 3}'])
def test_from_json_says_what_to_paste(text):
    with pytest.raises(StateError, match=r"Copy view \(JSON\)|cursor is 3; allowed"):
        State.from_json(text)


def test_a_reader_sees_what_it_is(pair):
    assert repr(Explorer(pair)) == "Explorer(8 queens, puzzle 1 of 1: A TRM (1 trajectory), B GRAM (50 trajectories))"


def test_the_plane_of_a_cell_is_packed_when_it_is_asked_for(gram, tmp_path):
    explorer = explore(gram)
    before = len(explorer.data)
    explorer.go(3).set(basis="cell9", color_by="series")
    assert explorer.meta["bases"][-1]["name"] == "cell9"
    assert 0 < len(explorer.data) - before < 20_000
    assert explorer.state["cursor"] == {"step": 3, "low": None}
    assert (explorer.state["basis"], explorer.state["color_by"]) == ("cell9", "series")
    held = explorer.data
    assert explorer.set(basis="h").set(basis="cell9").data is held, "packed once"
    explorer.set(basis="cell2")
    assert [basis["name"] for basis in explorer.meta["bases"]][-2:] == ["cell2", "cell9"]
    assert "cell9" in explorer.to_html(tmp_path / "page.html")
    again = eval(State(**explorer.state).to_python(), {"gv": SimpleNamespace(explore=explore), "rollout": gram})
    assert again.state == explorer.state
    assert again.meta["bases"][-1]["name"] == "cell2"
    with pytest.raises(ValueError, match="there is no cell 64"):
        explorer.set(basis="cell64")
    assert explorer.state["basis"] == "cell2"
    with pytest.raises(StateError, match=r"did not pack; open it with gv\.explore\(rollout, planes_of=\[5\]\)"):
        Explorer(pack(gram)).set(basis="cell5")


def test_another_puzzle_follows_python_and_drops_what_was_of_the_one_before(small):
    explorer = explore(small).go("2.1").focus("A", 3).select("A", [1, 2]).set(theme="dark", basis="h")
    assert explorer.set(puzzle=1, speed=8) is explorer
    assert explorer.meta["puzzle"] == 1
    assert explorer.meta["x"] == small["x"].values[1].tolist()
    assert explorer.state == {
        "puzzle": 1, "cursor": {"step": 3, "low": None}, "basis": "h", "speed": 8, "theme": "dark",
    }  # fmt: skip
    explorer._asked(None, {"ask": "puzzle", "puzzle": 0, "id": "1"}, None)
    assert explorer.state["puzzle"] == explorer.meta["puzzle"] == 0
    with pytest.raises(BranchError, match="no puzzle 2; this explorer has 0 to 1"):
        explorer.set(puzzle=2)
    with pytest.raises(StateError, match="has no rollout; open it with"):
        Explorer(pack(small)).set(puzzle=1)
    other = small.isel(puzzle=[1])
    both = compare(small, other, puzzle=(1, 0))
    with pytest.raises(BranchError, match="B does not hold puzzle 0 of A"):
        both.set(puzzle=0)


def test_a_puzzle_that_was_chosen_by_its_index_says_which_it_is(small):
    chosen = small.isel(puzzle=[1]).assign_coords(puzzle_index=("puzzle", [17]))
    assert repr(explore(chosen)).startswith("Explorer(Sudoku 4x4, puzzle #17: A")
    both = small.assign_coords(puzzle_index=("puzzle", [0, 17]))
    assert "puzzle 1 of 2" in repr(explore(both))
    assert "puzzle #17, 2 of 2" in repr(explore(both, puzzle=1))
