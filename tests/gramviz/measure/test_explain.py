"""Why a cell changed: closed cases, the exact search against brute force, and the vectors that the page is held to."""

from __future__ import annotations

import json
import sys
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import gramviz as gv
from gram.board import Board, Token
from gramviz.measure.explain import FOLLOWS, ExplainError, Reason, reasons, sudoku

EXPLAIN = sys.modules[reasons.__module__]  # `gramviz.explain` is the function
REMAKE = False  # True once, to write tests/vectors/explain.json anew after a change of the definition


def board_of(high: int, wide: int) -> Board:
    """The Sudoku of boxes of `high` x `wide` cells; tokens: pad, blank, then the digits."""
    side = high * wide
    cell = np.arange(side * side).reshape(side, side)
    boxes = cell.reshape(wide, high, high, wide).swapaxes(1, 2).reshape(side, side)
    return Board(
        "sudoku", f"{side} x {side} Sudoku", "grid", side, side,
        (Token("pad"), Token("blank", "."), *(Token(str(d), str(d)) for d in range(1, side + 1))),
        blank=(0, 1), groups=tuple(tuple(map(int, unit)) for unit in (*cell, *cell.T, *boxes)),
        exclusive=tuple(range(2, side + 2)), box=(high, wide),
    )  # fmt: skip


BOARDS = {4: board_of(2, 2), 6: board_of(2, 3), 9: board_of(3, 3)}


def read(text: str) -> NDArray[np.int64]:
    """A board from digits, with a dot for blank; spaces only help the eye."""
    return np.array([1 if c == "." else int(c) + 1 for c in text.replace(" ", "")])


# (why, x, before, after, [(cell, reason)]) on 4 x 4: rows are written apart, boxes are 2 x 2
SMALL = [
    ("one digit is left", "12.. 3... .... ....", None, "12.. 34.. .... ....", [(5, "naked")]),
    ("the box has one place for 1", "1... .... ...1 ....", None, "1... ..1. ...1 ....", [(6, "box")]),
    ("the row has one place for 1", ".... 3..2 ..1. ....", None, ".... 31.2 ..1. ....", [(5, "row")]),
    ("the column has one place for 1", ".3.. .... ..1. .2..", None, ".3.. .1.. ..1. .2..", [(5, "column")]),
    ("it stands in the box and the column", ".... .... .... ..13", None, ".... .... ..3. ..13", [(10, "contradicts")]),
    ("a column, not a box", ".4.. .... .... ...4", None, ".4.. .... 4... ...4", [(8, "box")]),
    ("it stands in the row", "1... .... .... ....", None, "1..1 .... .... ....", [(3, "contradicts")]),
    ("a given is broken, then shown", "1... .... .... ....", "2... .... .... ....", "3... .... .... ....",
     [(0, "contradicts")]),
    ("a given comes back", "1... .... .... ....", "2... .... .... ....", "1... .... .... ....", [(0, "given")]),
    ("a digit is taken away", "1... .... .... ....", "1.3. .... .... ....", "1... .... .... ....", [(2, "erased")]),
    ("nothing is known", ".... .... .... ....", None, "1... .... .... ....", [(0, "guess")]),
    ("two guesses that clash", ".... .... .... ....", None, "1..1 .... .... ....",
     [(0, "contradicts"), (3, "contradicts")]),
    ("what was in conflict is not known", "1... .... .... ....", "12.. 22.. .... ....", "1234 22.. .... ....",
     [(2, "guess"), (3, "guess")]),
    ("what the step gives up is not known", ".... .... .... ....", "12.. 3... .... ....", "21.. 34.. .... ....",
     [(0, "guess"), (1, "guess"), (5, "guess")]),
    ("a free cell that stood counts", "1... 3... .... ....", "12.. 3... .... ....", "12.. 34.. .... ....",
     [(5, "naked")]),
    ("nothing changes", "..12 .... .... ....", None, "..12 .... .... ....", []),
]  # fmt: skip


def found(size: int, x: str, before: str | None, after: str) -> list[tuple[int, str]]:
    start = read(x if before is None else before)
    return [(change.cell, change.reason) for change in reasons(BOARDS[size], read(x), start, read(after))]


@pytest.mark.parametrize(("why", "x", "before", "after", "expect"), SMALL, ids=[case[0] for case in SMALL])
def test_closed_cases(why: str, x: str, before: str | None, after: str, expect: list[tuple[int, str]]) -> None:
    assert found(4, x, before, after) == expect


def solutions(x: NDArray[np.int64]) -> NDArray[np.int64]:
    """Every full 4 x 4 board [board, position] that holds the digits of x; by trying all rows, without deduction."""
    rows = [row for row in product(range(2, 6), repeat=4) if len(set(row)) == 4]
    columns = lambda four: all(len(set(column)) == 4 for column in zip(*four, strict=True))  # noqa: E731
    boards = np.array([sum(four, ()) for four in product(rows, repeat=4) if columns(four)])
    legal = [all(len(set(board[list(unit)])) == 4 for unit in BOARDS[4].groups) for board in boards]
    full = boards[legal]
    return full[((full == x) | (x < 2)).all(1)]


EVERY = solutions(np.ones(16, int))


def test_there_are_288_full_boards_of_four() -> None:
    assert len(EVERY) == 288


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_what_follows_is_what_every_solution_has(data: st.DataObject) -> None:
    """On 4 x 4, where all boards can be listed: a change follows just if what was known leaves no other digit."""
    board = BOARDS[4]
    full = EVERY[data.draw(st.integers(0, 287))]
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=16, max_size=16)))
    x = np.where(mask, full, 1)
    tokens = st.lists(st.integers(0, 5), min_size=16, max_size=16).map(np.array)
    before = np.where(data.draw(st.booleans()), x, data.draw(tokens))
    after = np.where(data.draw(tokens) < 3, before, data.draw(tokens))
    changes = reasons(board, x, before, after)
    assert [change.cell for change in changes] == np.flatnonzero(before != after).tolist()
    stood = np.where(mask, x, before)
    free = [all(stood[k] != stood[p] for u in board.groups if k in u for p in u if p != k) for k in range(16)]
    known = np.where(mask | (np.array(free) & (before == after)), stood, 1)
    fitting = EVERY[((known == EVERY) | (known < 2)).all(1)]
    for change in changes:
        assert (change.old, change.new) == (before[change.cell], after[change.cell])
        seen = {p for unit in board.groups if change.cell in unit for p in unit} - {change.cell}
        forced = len(fitting) > 0 and (fitting[:, change.cell] == change.new).all()
        if mask[change.cell]:
            assert change.reason == ("given" if change.new == x[change.cell] else "contradicts")
        elif change.new < 2:
            assert change.reason == "erased"
        elif any(known[p] == change.new for p in seen):
            assert change.reason == "contradicts"
        elif len(fitting):
            clash = any(after[p] == change.new for p in seen)
            assert change.reason in (FOLLOWS if forced else ("contradicts",) if clash else ("guess",))
        else:
            assert change.reason != "rules", "nothing follows by search from what has no solution"


def test_the_search_solves_and_refutes() -> None:
    """A puzzle rated hard on the public lists (Golden Nugget): one solution, which is the known one; none beside it."""
    x = read(".......39.....1..5..3.5.8....8.9...6.7...2...1..4.......9.8..5..2....6..4..7.....")
    rules = EXPLAIN._Rules(BOARDS[9])
    options = rules.options([rules.digit(token) for token in x])
    solved = rules.solve(options)
    assert solved
    for unit in BOARDS[9].groups:
        assert sum(solved[k] for k in unit) == 511
    assert all(rules.digit(token) in (0, bit) for token, bit in zip(x, solved, strict=True))
    assert rules.solve([o & ~s if k == 0 else o for k, (o, s) in enumerate(zip(options, solved, strict=True))]) == []


def test_a_search_that_gives_up_makes_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    case = next(case for case in vectors_of_nine() if any(reason == "rules" for _, reason in case["expect"]))
    given_: Any = [BOARDS[9], *(np.array(case[key]) for key in ("x", "before", "after"))]
    rules = {change.cell for change in reasons(*given_) if change.reason == "rules"}
    monkeypatch.setattr(EXPLAIN, "NODES", 0)
    assert all(change.reason == "guess" for change in reasons(*given_) if change.cell in rules)


# ----------------------------------------------------------------------------------------- vectors shared with the page
def vectors_of_nine() -> list[dict[str, Any]]:
    folder = Path(__file__).resolve().parents[2] / "vectors"
    return [case for case in json.loads((folder / "explain.json").read_text())["cases"] if case["size"] == 9]


def made() -> list[dict[str, Any]]:
    """The closed cases, and boards that are drawn at random around solutions of 4, 6 and 9 digits."""
    cases: list[dict[str, Any]] = [
        {"why": why, "size": 4, "x": read(x), "before": read(x if before is None else before), "after": read(after)}
        for why, x, before, after, _ in SMALL
    ]
    rng = np.random.default_rng(6)
    for size, (high, wide) in {4: (2, 2), 6: (2, 3), 9: (3, 3)}.items():
        for k in range(12):
            row, column = np.divmod(np.arange(size * size), size)
            full = rng.permutation(size)[(wide * (row % high) + row // high + column) % size] + 2
            x = np.where(rng.random(full.size) < (0.3, 0.38, 0.45)[k % 3], full, 1)
            guess = rng.integers(1, size + 2, full.size)
            before = np.where(x > 1, x, np.where(rng.random(full.size) < 0.3, np.where(k % 2, guess, full), 1))
            moved = np.where(rng.random(full.size) < 0.8, full, guess)
            after = np.where((rng.random(full.size) < 0.4) & (x == 1), moved, before)
            cases.append({"why": f"drawn at random, {k}", "size": size, "x": x, "before": before, "after": after})
    for case in cases:
        changes = reasons(BOARDS[case["size"]], case["x"], case["before"], case["after"])
        case |= {key: case[key].tolist() for key in ("x", "before", "after")}
        case["expect"] = [[change.cell, change.reason] for change in changes]
    return cases


def test_vectors_explain(vectors: Path) -> None:
    cases = made()
    if REMAKE:
        boards = {size: json.loads(board.to_json()) for size, board in BOARDS.items()}
        what = "Boards [position] before and after a step of puzzle x; expect [cell, reason]: gramviz.explain.reasons."
        head = f'{{\n"what": {json.dumps(what)},\n"boards": {json.dumps(boards, separators=(",", ":"))},\n"cases": [\n'
        lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
        (vectors / "explain.json").write_text(f"{head}{lines}\n]}}\n")
    kept = json.loads((vectors / "explain.json").read_text())["cases"]
    assert cases == kept
    assert {reason for case in kept for _, reason in case["expect"]} == set(get_args(Reason)), "every reason is held to"


# ------------------------------------------------------------------------------------------------------------ rollouts
def test_a_rollout_by_step_and_by_address() -> None:
    rollout = synthetic.sudoku(3, box=3, low_steps=2, puzzles=2)
    states = gv.measure.ends(rollout)
    for step in range(states.sizes["step"]):
        changes = gv.explain(rollout, 1, step, puzzle=1)
        assert changes == gv.explain(rollout, 1, gv.measure.address(states, step), puzzle=1)
        tokens = states["tokens"].values[1, 1]
        before = tokens[max(step - 1, 0)]
        assert [change.cell for change in changes] == np.flatnonzero(tokens[step] != before).tolist()
        for change in changes:
            row, column = divmod(change.cell, 9)
            assert change.text.startswith(f"Row {row + 1}, column {column + 1} became ")
    assert gv.explain(rollout, 0, "init") == []


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: gv.explain(synthetic.queens(2), 0, 1), r"the task is 'nqueens'; only Sudoku has rules"),
        (lambda: gv.explain(synthetic.sudoku(2), 2, 1), r"there is no trajectory 2; this rollout has 0 to 1"),
        (lambda: gv.explain(synthetic.sudoku(2), 0, 1, 1), r"there is no puzzle 1; this rollout has 0 to 0"),
        (lambda: gv.explain(synthetic.sudoku(2), 0, 13), r"there is no step 13; write 0 to 12, or .* like '6\.2'"),
        (lambda: gv.explain(synthetic.sudoku(2), 0, "9.1"), r"there is no step '9\.1'"),
    ],
    ids=["task", "trajectory", "puzzle", "step", "address"],
)  # fmt: skip
def test_names_what_it_cannot_explain(call: Any, says: str) -> None:
    with pytest.raises(ExplainError, match=says):
        call()


def test_only_boards_with_boxes_are_sudoku() -> None:
    assert all(map(sudoku, BOARDS.values()))
    assert not sudoku(synthetic.queens_board())
