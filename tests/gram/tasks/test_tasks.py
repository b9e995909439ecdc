"""The contract of every registered task, then what is known of each: for queens, the numbers of the literature."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from itertools import combinations, permutations, product
from pathlib import Path

import numpy as np
import pytest

from gram.tasks import SPLITS, TASKS, NQueens, Puzzles, Task, TaskError, contract
from gram.tasks.nqueens import EMPTY, PAD, QUEEN, NQueensConfig, solutions

# A small, quick configuration where the default is slow.
SMALL: dict[str, dict] = {
    "nqueens": {"board_size": 7},
    "coloring": {"vertices": 6, "train_max": 100},
    "sudoku": {"size": 6, "generated": 80},
    "sudoku_generation": {"size": 4},
    "arc": {"canvas": 10, "tasks": 16},
}


@pytest.fixture(scope="module", params=TASKS)
def task(request: pytest.FixtureRequest) -> Task:
    kind = TASKS[request.param]
    return kind(kind.Config(**SMALL.get(request.param, {})))  # type: ignore[call-arg]


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
def test_the_contract_of_every_task(check: Callable[[Task], None], task: Task) -> None:
    check(task)


def test_a_task_is_registered_under_its_own_name(task: Task) -> None:
    assert TASKS[task.name] is type(task)
    assert task.board.ruled is (task.name not in ("arc", "images"))  # there evaluation has the selector `rules`


class Broken(NQueens):
    """Five queens, with a board of another name, a given that may be dropped, and a text that is misread."""

    name = "broken"

    def parse(self, text: str) -> np.ndarray:
        return np.full(25, EMPTY, np.uint8)


def test_a_task_of_others_is_told_what_it_breaks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unmade = "from gram.tasks.nqueens import NQueens\nclass Unmade(NQueens):\n    def __init__(self, config): {}['x']\n"
    (tmp_path / "torn_task.py").write_text("raise RuntimeError('one\\ntwo')\n")
    (tmp_path / "unmade_task.py").write_text(unmade)
    monkeypatch.syspath_prepend(tmp_path)
    place, lines = "gram.tasks:Broken", []

    def run() -> None:
        for line in contract.check(place, ["board_size=5"]):
            lines.append(line)

    monkeypatch.setattr("gram.tasks.Broken", Broken, raising=False)
    with pytest.raises(contract.ContractError, match=r"Broken breaks 3 of 18 promises; the lines above say which"):
        run()
    assert "BROKEN  has the name of its board: its board says task 'nqueens' and its class 'broken'" in lines
    assert any(line.startswith("BROKEN  refuses a text that is no puzzle: `parse` takes ''") for line in lines)
    assert sum(line.startswith("kept") for line in lines) == 15
    for wrong, words in (
        ("gram.tasks:Nothing", "cannot be imported"), ("gram.tasks:Puzzles", "is no task"),
        ("nowhere", "write module:"),
        ("torn_task:Any", r"'torn_task:Any' fails as it is imported \(RuntimeError: one two\); correct it"),
        ("unmade_task:Unmade", r"unmade_task:Unmade cannot be made \(KeyError: 'x'\); correct it"),
    ):  # fmt: skip
        with pytest.raises(contract.ContractError, match=words):
            list(contract.check(wrong))
    with pytest.raises(contract.ContractError, match="did you mean 'board_size'"):
        list(contract.check(place, ["bord_size=5"]))


def test_pairs_list_every_puzzle_with_each_of_its_solutions() -> None:
    puzzles = NQueens(NQueensConfig(board_size=6)).puzzles("train")
    which, y = puzzles.pairs()
    assert len(which) == len(y) == puzzles.counts.sum()
    seen = {(int(puzzle), solution.tobytes()) for puzzle, solution in zip(which, y, strict=True)}
    listed = {(p, s.tobytes()) for p, found in enumerate(puzzles.solutions) for s in found}
    assert seen == listed


def test_take_keeps_the_order_that_was_asked_for() -> None:
    puzzles = NQueens(NQueensConfig(board_size=5)).puzzles("train")
    taken = puzzles.take(np.array([3, 0, 3]))
    np.testing.assert_array_equal(taken.x, puzzles.x[[3, 0, 3]])
    np.testing.assert_array_equal(taken.counts, puzzles.counts[[3, 0, 3]])
    assert taken.rating is None
    assert Puzzles(puzzles.x, puzzles.solutions, complete=False).take([0]).complete is False
    rated = Puzzles(puzzles.x, puzzles.solutions, rating=np.arange(len(puzzles))).take([3, 0, 3])
    assert rated.rating is not None
    assert rated.rating.tolist() == [3, 0, 3]


class TestQueens:
    """What is known of queens."""

    @pytest.mark.parametrize(("n", "count"), [(4, 2), (5, 10), (6, 4), (7, 40), (8, 92), (9, 352), (10, 724)])
    def test_the_number_of_solutions_is_the_known_one(self, n: int, count: int) -> None:
        found = solutions(n)
        assert len(found) == len(set(found)) == count

    @pytest.mark.parametrize("n", [4, 5, 6])
    def test_the_search_equals_brute_force_over_all_permutations(self, n: int) -> None:
        by_hand = [
            columns
            for columns in permutations(range(n))
            if all(abs(columns[a] - columns[b]) != b - a for a, b in combinations(range(n), 2))
        ]
        assert solutions(n) == by_hand  # lexicographic order too

    def test_the_search_keeps_the_givens(self) -> None:
        for givens in product((-1, 0, 1, 2, 3, 4), repeat=2):
            fixed = (*givens, -1, -1, -1)
            fitting = [found for found in solutions(5) if all(g in (-1, c) for g, c in zip(fixed, found, strict=True))]
            assert solutions(5, fixed) == fitting

    def test_the_rule_checker_equals_brute_force_on_every_board_of_four(self) -> None:
        task = NQueens(NQueensConfig(board_size=4))
        boards = np.array(list(product((EMPTY, QUEEN), repeat=16)), dtype=np.uint8)  # 65,536
        verdict = task.check(np.full(16, EMPTY, dtype=np.uint8), boards)
        rows, columns = np.divmod(np.arange(16), 4)
        attack = (
            (rows[:, None] == rows)
            | (columns[:, None] == columns)
            | (abs(rows[:, None] - rows) == abs(columns[:, None] - columns))
        ) & ~np.eye(16, dtype=bool)
        queens = boards == QUEEN
        attacked = queens & ((queens @ attack.astype(int)) > 0)
        np.testing.assert_array_equal(verdict.conflict, attacked)
        np.testing.assert_array_equal(verdict.valid, ~attacked.any(-1) & (queens.sum(-1) == 4))
        assert verdict.valid.sum() == 2

    def test_padding_is_neither_a_given_nor_a_queen(self) -> None:
        task = NQueens(NQueensConfig(board_size=4))
        assert not task.board.given(np.array([PAD, EMPTY])).any()
        assert task.board.given(np.array([QUEEN])).all()

    def test_eight_queens_with_five_to_seven_removed_give_5148_unique_inputs(self, eight: NQueens) -> None:
        x = np.concatenate([eight.puzzles(split).x for split in SPLITS])
        assert len(x) == len(np.unique(x, axis=0)) == 5_148
        left = (x == QUEEN).sum(1)
        assert set(left.tolist()) == {1, 2, 3}

    def test_the_training_split_is_85_percent_of_the_unique_inputs(self, eight: NQueens) -> None:
        assert len(eight.puzzles("train")) == round(0.85 * 5_148)

    def test_split_by_orbit_no_image_of_a_test_input_is_trained_on(self, eight: NQueens) -> None:
        def images(x: np.ndarray) -> set[bytes]:
            boards = x.reshape(-1, 8, 8)
            sides = [np.rot90(side, turns, (1, 2)) for side in (boards, boards.swapaxes(1, 2)) for turns in range(4)]
            return {board.tobytes() for side in sides for board in side}

        orbit = NQueens(NQueensConfig(split="orbit"))
        train, test = (orbit.puzzles(split).x for split in SPLITS)
        assert len(train) + len(test) == 5_148
        assert len(train) / 5_148 == pytest.approx(0.85, abs=0.02)
        assert not images(train) & {x.tobytes() for x in test}
        seen = images(eight.puzzles("train").x)
        assert np.mean([x.tobytes() in seen for x in eight.puzzles("test").x]) > 0.9  # as the paper splits

    def test_one_answer_per_input_cannot_cover_more_than_35_percent(self, eight: NQueens) -> None:
        counts = np.concatenate([eight.puzzles(split).counts for split in SPLITS])
        several = counts[counts >= 2]
        ceiling = len(several) / several.sum()  # = mean of 1/n over the pairs (input, solution)
        assert ceiling == pytest.approx(0.349, abs=5e-4)
        held_out = eight.puzzles("test").counts
        held_out = held_out[held_out >= 2]
        assert len(held_out) / held_out.sum() == pytest.approx(0.35, abs=0.01)

    def test_every_input_lists_all_solutions_that_extend_it(self, eight: NQueens) -> None:
        everything = eight.solve(np.full(64, EMPTY, dtype=np.uint8))
        assert len(everything) == 92
        puzzles = eight.puzzles("test")
        for x, found in zip(puzzles.x[::10], puzzles.solutions[::10], strict=True):
            extending = everything[(everything[:, x == QUEEN] == QUEEN).all(1)]
            np.testing.assert_array_equal(np.unique(found, axis=0), np.unique(extending, axis=0))

    def test_a_board_too_large_to_list_is_sampled_and_solved_exactly(self) -> None:
        config = NQueensConfig(board_size=11, removed_min=5, removed_max=6, inputs_max=20)
        task = NQueens(config)
        both = [task.puzzles(split) for split in SPLITS]
        assert sum(map(len, both)) == 20
        for puzzles in both:
            for x, found in zip(puzzles.x, puzzles.solutions, strict=True):
                assert 5 <= 11 - (x == QUEEN).sum() <= 6
                assert task.check(x, found).valid.all()
                np.testing.assert_array_equal(task.solve(x), found)
        again = NQueens(config).puzzles("train")
        np.testing.assert_array_equal(again.x, both[0].x)

    def test_the_smallest_board_has_both_splits(self) -> None:
        task = NQueens(NQueensConfig(board_size=4))
        assert all(len(task.puzzles(split)) > 0 for split in SPLITS)

    def test_a_share_that_leaves_a_split_empty_is_refused(self) -> None:
        for share in (0.0001, 0.9999):
            with pytest.raises(TaskError, match="train_share"):
                NQueens(NQueensConfig(board_size=4, train_share=share)).puzzles("test")

    def test_another_split_seed_makes_another_split_of_the_same_inputs(self) -> None:
        one, other = (NQueens(NQueensConfig(board_size=6, split_seed=seed)) for seed in (0, 1))
        sets = [{split: {x.tobytes() for x in task.puzzles(split).x} for split in SPLITS} for task in (one, other)]
        assert sets[0]["test"] != sets[1]["test"]
        assert sets[0]["test"] | sets[0]["train"] == sets[1]["test"] | sets[1]["train"]

    @pytest.mark.parametrize(
        "text",
        ["Q.../..../..../....", "q---\n----\n----\n----\n", "1000 / 0000 / 0000 / 0000", " Q . . . /..../..../...."],
    )
    def test_a_board_may_be_written_in_several_ways(self, text: str) -> None:
        x = NQueens(NQueensConfig(board_size=4)).parse(text)
        assert np.flatnonzero(x == QUEEN).tolist() == [0]
        assert (np.delete(x, 0) == EMPTY).all()

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "rows of no characters; this board needs 4 rows of 4"),
            ("Q.../....", "rows of 4, 4 characters; this board needs 4 rows of 4"),
            ("Q..../..../..../....", "rows of 5, 4, 4, 4 characters"),
            ("X.../..../..../....", "row 1 holds 'X'; write Q for a queen and . for an empty cell"),
            ("..../..Z./..../....", "row 2 holds 'Z'"),
            ("QQ../..../..../....", "queens at row 1, column 1 and row 1, column 2 attack each other; remove one"),
            ("Q.../..../..Q./....", "row 1, column 1 and row 3, column 3 attack"),
        ],
    )
    def test_a_text_that_is_no_puzzle_says_what_is_wrong_and_what_to_do(self, text: str, words: str) -> None:
        with pytest.raises(TaskError, match=words):
            NQueens(NQueensConfig(board_size=4)).parse(text)

    @pytest.mark.parametrize("cells", [(0, 1), (0, 4), (0, 5)])
    def test_attacking_givens_have_no_solution(self, cells: tuple[int, int]) -> None:
        x = np.full(16, EMPTY, dtype=np.uint8)
        x[list(cells)] = QUEEN
        assert NQueens(NQueensConfig(board_size=4)).solve(x).shape == (0, 16)

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"board_size": 3}, "board_size is 3; N-Queens is offered from 4 to 20"),
            ({"board_size": 21}, "board_size is 21"),
            ({"removed_min": 7, "removed_max": 5}, "7 to 5; they must rise within 0 to 8"),
            ({"removed_max": 9}, "5 to 9"),
            ({"removed_min": -1}, "-1 to 7"),
            ({"train_share": 1.0}, "train_share is 1.0; it must lie between 0 and 1"),
            ({"inputs_max": 0}, "inputs_max is 0"),
        ],
    )
    def test_an_impossible_choice_of_data_is_refused(self, changes: dict, words: str) -> None:
        with pytest.raises(TaskError, match=words):
            NQueensConfig(**changes)


@pytest.fixture(scope="module")
def eight() -> NQueens:
    return NQueens(NQueensConfig(board_size=8))


def test_tasks_import_no_torch() -> None:
    import subprocess
    import sys

    names = [importlib.import_module(kind.__module__).__name__ for kind in TASKS.values()]
    program = f"import sys, {', '.join(names)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
