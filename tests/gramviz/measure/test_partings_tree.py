"""The tree of partings that the page draws: vectors for `gramviz.measure.branching` and `frontend/branching.js`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import synthetic

from gram.board import Board, Token
from gram.rollout import make
from gramviz import measure
from gramviz.explorer.state import State

REMAKE = False  # True once, to write tests/vectors/branching.json anew after a change of the definition

START, NEAR = [0, 0, 0, 0], [1, 1, 1, 0]
A, B, C = [1, 1, 1, 1], [1, 1, 2, 2], [3, 3, 1, 1]
BY_HAND = [
    ("one trajectory does not part", [[START, A]]),
    ("one answer has no fork", [[START, A], [START, NEAR], [START, A]][::2]),
    (
        "three answers, by hand: C leaves first, then B",
        [[START, NEAR, A, A], [START, [1, 1, 0, 0], B, B], [START, C, C, C], [START, NEAR, A, A]],
    ),
    ("parted from the start", [[A, A], [B, B], [C, C]]),
    ("ties: the first pair is joined first", [[START, A], [START, B], [START, C], [START, NEAR]]),
]


def expected(tokens: list[Any]) -> dict[str, Any]:
    """The forks, from the last to the first, and the order of the leaves, as JSON has them."""
    boards = np.array(tokens)[None]
    board = Board("free", "Free", "grid", 1, boards.shape[-1], tuple(Token(str(k)) for k in range(12)), blank=(0,))
    found = measure.branching(make(board, {"x": np.zeros((1, boards.shape[-1]), int), "tokens": boards}))
    forks = [[fork.index, [list(part) for part in fork.parts], fork.position] for fork in found.forks]
    return {"forks": forks, "order": list(found.order)}


def made() -> list[dict[str, Any]]:
    """Cases by hand, small ones drawn at random (with many ties), and trajectories of the synthetic queens."""
    cases: list[dict[str, Any]] = [{"why": why, "tokens": tokens} for why, tokens in BY_HAND]
    rng = np.random.default_rng(7)
    for k in range(12):
        count, steps, size = rng.integers(2, 9), rng.integers(1, 7), rng.integers(1, 6)
        cases.append({"why": f"drawn at random, {k}", "tokens": rng.integers(0, 3, (count, steps, size)).tolist()})
    queens = synthetic.queens(12, size=6, givens=1, supervision_steps=5, features=2, wrong=0.7)
    cases.append({"why": "twelve trajectories of six queens", "tokens": queens["tokens"].values[0].tolist()})
    return [case | {"expect": expected(case["tokens"])} for case in cases]


def test_vectors_branching(vectors: Path) -> None:
    cases = made()
    if REMAKE:
        what = (
            "Boards [trajectory][step][position]; forks [index, parts, position] from the last, and the leaves' order."
        )
        lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
        (vectors / "branching.json").write_text(f'{{\n"what": {json.dumps(what)},\n"cases": [\n{lines}\n]}}\n')
    assert cases == json.loads((vectors / "branching.json").read_text())["cases"]
    assert max(len(case["expect"]["forks"]) for case in cases) >= 5


def test_the_switch_is_a_key_of_the_state() -> None:
    state = State(tree=True, layers=["explain"])
    assert State.from_json(state.to_json()) == state
    assert state.to_python() == 'gv.explore(rollout).set(tree=True, layers=["explain"])'
