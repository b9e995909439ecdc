"""Sudoku: the solver against brute force and against public lists, what is held out, symmetries, texts and tables."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from full import tries
from hypothesis import given, settings
from hypothesis import strategies as st

from gram.board import Board
from gram.tasks import SPLITS, TaskError, own
from gram.tasks import files as data
from gram.tasks import sudoku as sudoku_module
from gram.tasks import sudoku_solver as solver
from gram.tasks.sudoku import BLANK, Sudoku, SudokuConfig, SudokuGeneration, SudokuGenerationConfig
from gram.tasks.sudoku_files import read
from gram.tasks.sudoku_solver import (
    board_classes,
    dig,
    options,
    propagate,
    puzzle_classes,
    random_boards,
    search,
    symmetric,
    units,
    unseen_kinds,
)

SIZES = (4, 6, 9)
CLASSIC = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
CLASSIC_ANSWER = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
# No digit can stand in row 5, column 6 (P. Norvig, "Solving Every Sudoku Puzzle"): singles alone find that very late.
IMPOSSIBLE = ".....5.8....6.1.43..........1.5........1.6...3.......553.....61........4........."


@pytest.fixture(scope="module", params=SIZES)
def task(request: pytest.FixtureRequest) -> Sudoku:
    return Sudoku(SudokuConfig(size=request.param, generated=60))


@pytest.fixture(scope="module")
def nine() -> Sudoku:
    return Sudoku(SudokuConfig(generated=12))


@pytest.fixture(scope="module")
def grids4() -> np.ndarray:
    """All boards of 4 x 4 [board, cell], tried one by one: four rows in any order of the digits."""
    rows = list(permutations(range(1, 5)))
    found = []
    for first, second in product(rows, rows):
        if len({*first[:2], *second[:2]}) == 4:
            for third, fourth in product(rows, rows):
                columns = all(len(set(column)) == 4 for column in zip(first, second, third, fourth, strict=True))
                if columns and len({*third[:2], *fourth[:2]}) == 4:
                    found.append(first + second + third + fourth)
    return np.array(found, dtype=np.uint8)


@pytest.fixture(scope="module")
def files() -> None:
    """The files of public lists, or a reason why these tests are left out."""
    if not os.environ.get("GRAM_DATA") and not os.environ.get("CI"):
        pytest.skip("needs the Sudoku files: set GRAM_DATA to the folder that holds sudoku/train.csv.gz")


def digits_of(text: str) -> np.ndarray:
    """A text of digits and dots as digits [1, cell], 0 for a dot."""
    return np.array([[int(character) for character in text.replace(".", "0")]], dtype=np.uint8)


def outcome(call: Callable[..., Any], *arguments: Any) -> Any:
    """What the call gives, or the sentence with which it refuses."""
    try:
        return call(*arguments)
    except TaskError as error:
        return str(error)


def full_boards(digits: np.ndarray, size: int) -> bool:
    return bool((np.sort(digits[:, units(size)], axis=-1) == np.arange(1, size + 1)).all())


class TestSolver:
    """The search is exact, and its rating is that of the lists."""

    def test_it_finds_all_288_boards_of_4_x_4(self, grids4: np.ndarray) -> None:
        found = search(options(np.zeros((1, 16), dtype=np.uint8), 4), 4)
        assert found.count.tolist() == [288]
        np.testing.assert_array_equal(np.unique(found.digits, axis=0), np.unique(grids4, axis=0))

    def test_it_counts_the_boards_of_6_x_6_with_a_given_first_row(self) -> None:
        """There are 28,200,960 boards of 6 x 6, and each order of the first row has the same share."""
        first = np.zeros((1, 36), dtype=np.uint8)
        first[0, :6] = range(1, 7)
        assert search(options(first, 6), 6).count.tolist() == [28_200_960 // 720]

    def test_random_4_x_4_puzzles_have_as_many_solutions_as_brute_force_says(self, grids4: np.ndarray) -> None:
        rng = np.random.default_rng(0)
        puzzles = rng.integers(1, 5, (3_000, 16), dtype=np.uint8)
        kept = grids4[rng.integers(288, size=1_500)]
        puzzles[:1_500] = kept  # half of them come from a board, so that one solution is common
        puzzles[rng.random(puzzles.shape) < rng.uniform(0.4, 1, (3_000, 1))] = 0
        found = search(options(puzzles, 4), 4)
        fits = ((grids4 == puzzles[:, None]) | (puzzles[:, None] == 0)).all(-1)
        np.testing.assert_array_equal(found.count, fits.sum(1))
        assert all((found.count == number).sum() > 100 for number in (0, 1, 2))
        for puzzle in np.flatnonzero(found.count)[:300]:
            listed = found.digits[found.board == puzzle]
            np.testing.assert_array_equal(np.unique(listed, axis=0), np.unique(grids4[fits[puzzle]], axis=0))

    def test_what_is_found_does_not_depend_on_the_batch(self, nine: Sudoku, monkeypatch: pytest.MonkeyPatch) -> None:
        puzzles = np.concatenate([nine.puzzles(split).x for split in SPLITS]) - 1
        puzzles[::2, 40:] = 0
        puzzles[::2] = np.where(np.arange(81) < 30, nine.puzzles("train").solutions[0] - 1, 0)
        puzzles[::2, :9] = 0
        together = search(options(puzzles[1::2], 9), 9)
        monkeypatch.setattr(solver, "CHUNK", 3)
        apart = [search(options(puzzle[None], 9), 9) for puzzle in puzzles[1::2]]
        assert together.contradictions.tolist() == [int(one.contradictions[0]) for one in apart]
        np.testing.assert_array_equal(together.digits, np.concatenate([one.digits for one in apart]))

    def test_a_limit_is_kept_board_by_board(self) -> None:
        puzzles = np.concatenate([digits_of(CLASSIC), np.zeros((2, 81), dtype=np.uint8), digits_of(CLASSIC)])
        puzzles[3, 2] = 5  # a second 5 in its row
        found = search(options(puzzles, 9), 9, limit=7)
        assert found.count.tolist() == [1, 7, 7, 0]
        assert found.board.tolist() == [0] + [1] * 7 + [2] * 7
        assert full_boards(found.digits, 9)
        assert len(np.unique(found.digits[1:8], axis=0)) == 7
        assert search(options(puzzles, 9), 9, limit=0).count.tolist() == [0, 0, 0, 0]
        assert search(options(puzzles[:0], 9), 9).digits.shape == (0, 81)

    def test_the_classic_puzzle_needs_no_guess(self) -> None:
        found = search(options(digits_of(CLASSIC), 9), 9)
        np.testing.assert_array_equal(found.digits, digits_of(CLASSIC_ANSWER))
        assert found.contradictions.tolist() == [0]

    @pytest.mark.parametrize(
        ("cells", "digits"),
        [
            ((0, 8), (5, 5)),  # twice in a row
            ((0, 72), (5, 5)),  # twice in a column
            ((0, 20), (5, 5)),  # twice in a box
            ((0, 1, 2, 3, 4, 5, 6, 7, 17), (1, 2, 3, 4, 5, 6, 7, 8, 9)),  # no digit is left for row 1, column 9
            ((9, 22, 6, 7, 8), (1, 1, 2, 3, 4)),  # no place is left for 1 in row 1
        ],
    )
    def test_singles_see_a_contradiction(self, cells: tuple[int, ...], digits: tuple[int, ...]) -> None:
        puzzle = np.zeros((1, 81), dtype=np.uint8)
        puzzle[0, list(cells)] = digits
        assert propagate(options(puzzle, 9), 9)[1].tolist() == [True]
        found = search(options(puzzle, 9), 9)
        assert found.count.tolist() == [0]
        assert found.contradictions.tolist() == [1]

    def test_1000_puzzles_of_the_lists_have_their_answers_and_no_other(self, files: None) -> None:
        x, y, rating = read(data.path("sudoku/test.csv.gz"), all_lists=True)
        found = search(options(x[:1_000] - 1, 9), 9)
        assert (found.count == 1).all()
        np.testing.assert_array_equal(found.digits, y[:1_000] - 1)
        # The file's rating is a mean over eight presentations of the puzzle, so only its zeros are the same.
        np.testing.assert_array_equal(found.contradictions == 0, rating[:1_000] == 0)
        assert found.contradictions.mean() == pytest.approx(rating[:1_000].mean(), rel=0.1)

    def test_a_search_without_end_is_given_up(self, nine: Sudoku, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sudoku_module, "EFFORT", 10_000)
        with pytest.raises(TaskError, match="given up after 10000 boards; give more digits, or ask for fewer"):
            nine.solve(nine.parse(IMPOSSIBLE), 1)


class TestRandomBoards:
    """Boards and puzzles that are made here."""

    @pytest.mark.parametrize("size", SIZES)
    def test_random_boards_are_full_different_and_repeatable(self, size: int) -> None:
        one, other = (random_boards(size, 50, np.random.default_rng(3)) for _ in range(2))
        assert full_boards(one, size)
        np.testing.assert_array_equal(one, other)
        assert len(np.unique(one, axis=0)) > 30

    def test_every_board_of_4_x_4_occurs(self) -> None:
        assert len(np.unique(random_boards(4, 6_000, np.random.default_rng(0)), axis=0)) == 288

    def test_kinds_are_unseen_only_where_no_symmetry_leads_to_a_training_board(self) -> None:
        boards = np.array(random_boards(6, 40, np.random.default_rng(1)))
        relabeled = (boards[:1] % 6) + 1
        kinds = board_classes(boards, 6)
        other = boards[kinds != kinds[0]][:1]
        assert [unseen_kinds(one, boards[:1], 6, 50)[0] for one in (relabeled, other)] == [0, 1]

    @pytest.mark.parametrize("size", SIZES)
    def test_digging_ends_at_one_solution_and_no_digit_to_spare(self, size: int) -> None:
        rng = np.random.default_rng(1)
        full = random_boards(size, 10, rng)
        puzzles = dig(full, np.zeros(10, dtype=int), size, rng)
        np.testing.assert_array_equal(search(options(puzzles, size), size).digits, full)
        for puzzle in puzzles:
            fewer = np.repeat(puzzle[None], (puzzle > 0).sum(), axis=0)
            fewer[np.arange(len(fewer)), np.flatnonzero(puzzle)] = 0
            assert (search(options(fewer, size), size, limit=2).count == 2).all()

    def test_digging_stops_at_the_wished_number_of_clues(self) -> None:
        rng = np.random.default_rng(1)
        puzzles = dig(random_boards(9, 4, rng), np.array([30, 40, 50, 81]), 9, rng)
        assert (puzzles > 0).sum(1).tolist() == [30, 40, 50, 81]


class TestClasses:
    """What is the same up to symmetry."""

    def test_the_classes_of_minimal_4_x_4_puzzles_are_those_of_the_literature(self) -> None:
        """13 of four clues, 22 of five and 1 of six (Wikipedia, "Mathematics of Sudoku")."""
        rng = np.random.default_rng(0)
        puzzles = dig(random_boards(4, 1_500, rng), np.zeros(1_500, dtype=int), 4, rng)
        kinds, clues = puzzle_classes(puzzles), (puzzles > 0).sum(1)
        assert [len(np.unique(kinds[clues == number])) for number in (4, 5, 6)] == [13, 22, 1]

    def test_there_are_two_classes_of_4_x_4_boards_and_at_most_49_of_6_x_6(self, grids4: np.ndarray) -> None:
        assert np.bincount(board_classes(grids4, 4)).tolist() in ([96, 192], [192, 96])
        assert 30 <= len(np.unique(board_classes(random_boards(6, 3_000, np.random.default_rng(0)), 6))) <= 49

    @settings(max_examples=25, deadline=None)
    @given(size=st.sampled_from(SIZES), seed=st.integers(0, 2**32))
    def test_a_symmetric_copy_is_of_the_same_class(self, size: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        full = random_boards(size, 8, rng) + np.uint8(BLANK)
        x = np.where(rng.random(full.shape) < 0.5, full, BLANK).astype(np.uint8)
        other_x, other = symmetric(x, full, size, rng)
        kinds = board_classes(np.concatenate([full, other]) - 1, size)
        np.testing.assert_array_equal(kinds[:8], kinds[8:])
        if size == 4:
            np.testing.assert_array_equal(puzzle_classes(x - 1), puzzle_classes(other_x - 1))

    def test_9_x_9_boards_that_are_not_copies_are_told_apart(self) -> None:
        assert len(np.unique(board_classes(random_boards(9, 500, np.random.default_rng(0)), 9))) == 500


class TestGenerated:
    """The generated sets of every size."""

    def test_every_puzzle_has_exactly_its_one_answer(self, task: Sudoku) -> None:
        size = task.config.size
        for split in SPLITS:
            puzzles = task.puzzles(split)
            y = np.concatenate(puzzles.solutions)
            assert puzzles.complete
            assert puzzles.x.dtype == y.dtype == np.uint8
            assert (puzzles.counts == 1).all()
            assert puzzles.solutions[0].base is puzzles.solutions[-1].base
            found = search(options(puzzles.x - 1, size), size)
            assert (found.count == 1).all()
            np.testing.assert_array_equal(found.digits + 1, y)
            assert task.check(puzzles.x, y).valid.all()
            np.testing.assert_array_equal(task.solve(puzzles.x[0]), puzzles.solutions[0])

    def test_no_test_puzzle_is_a_symmetric_copy_of_a_training_puzzle(self, task: Sudoku) -> None:
        train, test = (task.puzzles(split) for split in SPLITS)
        assert len(train) + len(test) == 60
        assert 1 <= len(test) <= 8
        if task.config.size == 4:
            kinds = puzzle_classes(np.concatenate([train.x, test.x]) - 1)
        else:
            kinds = board_classes(np.concatenate([*train.solutions, *test.solutions]) - 1, task.config.size)
        assert not set(kinds[: len(train)].tolist()) & set(kinds[len(train) :].tolist())

    def test_equal_configurations_give_equal_data_and_another_seed_other(self, task: Sudoku) -> None:
        size = task.config.size
        again, other = (Sudoku(SudokuConfig(size=size, generated=60, seed=seed)) for seed in (0, 1))
        for split in SPLITS:
            np.testing.assert_array_equal(task.puzzles(split).x, again.puzzles(split).x)
        assert {x.tobytes() for x in task.puzzles("train").x} != {x.tobytes() for x in other.puzzles("train").x}

    def test_clues_and_rating_are_as_wished(self) -> None:
        config = SudokuConfig(generated=40, clues_min=24, clues_max=30, rating_min=1, rating_max=9)
        task = Sudoku(config)
        x = np.concatenate([task.puzzles(split).x for split in SPLITS])
        clues = (x > BLANK).sum(1)
        assert 24 <= clues.min() < clues.max() <= 30
        rating = search(options(x - 1, 9), 9).contradictions
        assert 1 <= rating.min() < rating.max() <= 9

    def test_a_split_may_be_cut_short(self) -> None:
        whole, short = (
            Sudoku(SudokuConfig(size=6, generated=60, train_max=most, test_max=most)).puzzles("train")
            for most in (0, 7)
        )
        assert len(short) == 7
        np.testing.assert_array_equal(short.x, whole.x[:7])

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"size": 4, "rating_min": 5}, "only 0 of 2000 generated puzzles are new and as wished, rated at least 5"),
            ({"size": 6, "clues_max": 7}, "rated at least 0, with 0 to 7 clues; widen one of these ranges"),
            ({"size": 4, "generated": 2, "seed": 2, "train_share": 0.9, "clues_min": 15}, "leave a split empty"),
        ],
    )
    def test_a_wish_that_cannot_be_met_is_said(self, changes: dict, words: str) -> None:
        with pytest.raises(TaskError, match=words):
            Sudoku(SudokuConfig(**changes)).puzzles("train")

    def test_the_source_says_what_is_held_out(self) -> None:
        assert (
            "puzzles (not solutions, which have two classes) held out by classes"
            in Sudoku(SudokuConfig(size=4)).source()
        )
        assert "solutions held out by classes" in Sudoku(SudokuConfig(size=6)).source()


class TestRules:
    """The board, and what counts as an answer."""

    @pytest.mark.parametrize("size", [*SIZES, 16])
    def test_the_board_is_the_one_everybody_knows(self, size: int) -> None:
        board = Sudoku(SudokuConfig(size=size)).board
        assert Board.from_json(board.to_json()) == board
        assert len(board.tokens) == size + 2
        assert board.box == {4: (2, 2), 6: (2, 3), 9: (3, 3), 16: (4, 4)}[size]
        assert len(board.groups) == 3 * size
        assert all(len(set(group)) == size for group in board.groups)
        assert all(sum(position in group for group in board.groups) == 3 for position in range(size * size))
        high, wide = board.box
        last = [divmod(position, size) for position in board.groups[-1]]
        assert {row for row, _ in last} == set(range(size - high, size))
        assert {column for _, column in last} == set(range(size - wide, size))

    def test_digits_above_nine_are_letters(self) -> None:
        large = Sudoku(SudokuConfig(size=16, generated=20))
        puzzles = large.puzzles("test")
        x, y = puzzles.x[0], puzzles.solutions[0][0]
        text = large.text(x)
        assert "G" in large.text(y)
        digits = np.where(x > BLANK, x - BLANK, 0)
        for written in (text, text.lower(), text.replace("\n", ""), " ".join(text)):
            np.testing.assert_array_equal(large.parse(written), x)
        np.testing.assert_array_equal(own.read(large, [digits]).x[0], x)
        with pytest.raises(TaskError, match=r"whole numbers from 0 \(a blank\) to 16"):
            own.read(large, [np.where(x > BLANK, 17, 0)])
        assert (x > BLANK).sum() == 120
        np.testing.assert_array_equal(large.solve(x), y[None])
        with pytest.raises(TaskError, match=r"holds 'H'; write a digit from 1 to 9 or A to G, or \. for a blank"):
            large.parse("H" + "." * 255)
        with pytest.raises(TaskError, match="holds the digit G twice, at row 1, column 1 and row 1, column 2"):
            large.parse("GG" + "." * 254)
        with pytest.raises(TaskError, match="clues_max is 90; of size 16 it must be at least 120, or 0"):
            Sudoku(SudokuConfig(size=16, clues_max=90))

    @pytest.mark.parametrize("token", [0, 1])
    def test_an_unfinished_board_is_no_answer_though_nothing_conflicts(self, nine: Sudoku, token: int) -> None:
        puzzles = nine.puzzles("test")
        x, y = puzzles.x[0], puzzles.solutions[0][0].copy()
        assert nine.check(x, y).valid
        y[np.flatnonzero(x == BLANK)[0]] = token
        verdict = nine.check(x, y)
        assert not verdict.valid
        assert not verdict.conflict.any()
        assert not nine.check(x, x).valid

    def test_a_wrong_digit_conflicts_and_a_changed_given_is_no_answer(self, nine: Sudoku) -> None:
        x, y = nine.parse(CLASSIC), nine.parse(CLASSIC_ANSWER)
        wrong = y.copy()
        wrong[2] = y[3]
        assert nine.check(x, y).valid
        assert {2, 3} <= set(np.flatnonzero(nine.check(x, wrong).conflict).tolist())
        swapped = y.copy()
        swapped[y == 2], swapped[y == 3] = 3, 2
        assert not nine.check(x, swapped).conflict.any()
        assert not nine.check(x, swapped).valid

    def test_solving_stops_at_its_limit_and_refuses_to_list_without_end(self, nine: Sudoku) -> None:
        blank = np.full(81, BLANK, dtype=np.uint8)
        found = nine.solve(blank, 30)
        assert len(np.unique(found, axis=0)) == 30
        assert nine.check(blank, found).valid.all()
        with pytest.raises(TaskError, match="more than 20000 solutions; give a limit"):
            nine.solve(blank)
        twice = blank.copy()
        twice[:2] = 4
        assert nine.solve(twice).shape == (0, 81)


class TestAugment:
    """Symmetric copies stay right."""

    @settings(max_examples=30, deadline=None)
    @given(seed=st.integers(0, 2**32))
    def test_a_copy_is_valid_keeps_its_givens_and_has_one_solution(self, task: Sudoku, seed: int) -> None:
        puzzles, size = task.puzzles("train"), task.config.size
        x, y = puzzles.x, np.concatenate(puzzles.solutions)
        other_x, other_y = task.augment(x, y, np.random.default_rng(seed))
        assert other_x.dtype == other_y.dtype == np.uint8
        assert task.check(other_x, other_y).valid.all()
        np.testing.assert_array_equal((other_x == BLANK).sum(1), (x == BLANK).sum(1))
        found = search(options(other_x - 1, size), size, limit=2)
        assert (found.count == 1).all()
        np.testing.assert_array_equal(found.digits + 1, other_y)

    def test_every_kind_of_symmetry_is_used_row_by_row(self) -> None:
        """128 arrangements, which a pattern of clues without symmetry tells apart, times 24 orders of the digits."""
        task = Sudoku(SudokuConfig(size=4))
        y = np.tile(task.parse("1234341221434321"), (60_000, 1))
        x = np.where(np.isin(np.arange(16), (0, 2, 9)), y, BLANK).astype(np.uint8)
        other_x, other_y = task.augment(x, y, np.random.default_rng(0))
        assert len(np.unique(other_y, axis=0)) == 96
        assert len(np.unique(other_x > BLANK, axis=0)) == 128
        assert len(np.unique(np.concatenate([other_x, other_y], axis=1), axis=0)) == 128 * 24

    def test_boxes_that_are_not_square_are_not_transposed(self) -> None:
        task = Sudoku(SudokuConfig(size=6, generated=20))
        x = np.full((2_000, 36), BLANK, dtype=np.uint8)
        x[:, :6] = range(2, 8)
        y = np.tile(task.solve(x[0], 1), (2_000, 1))
        given = task.augment(x, y, np.random.default_rng(0))[0].reshape(-1, 6, 6) > BLANK
        assert (given.all(2).sum(1) == 1).all()

    def test_hints_give_a_random_part_of_the_missing_digits_to_a_share_of_the_rows(self) -> None:
        task = Sudoku(SudokuConfig(size=4, augment=False, hints=0.6))
        x = np.full((4_000, 16), BLANK, dtype=np.uint8)
        y = np.resize(task.puzzles("train").pairs()[1], x.shape)
        easier, same = task.augment(x, y, np.random.default_rng(0))
        assert np.array_equal(same, y)
        given = easier != BLANK
        assert np.array_equal(easier[given], y[given])
        share = given.mean(1)
        # None is given in 4 of 10 rows and, by chance, in 1 / 17 of the others; the mean of the others is a half.
        assert (share == 0).mean() == pytest.approx(0.4 + 0.6 / 17, abs=0.03)
        assert share.mean() == pytest.approx(0.3, abs=0.02)

    def test_without_augmentation_nothing_changes(self) -> None:
        task = Sudoku(SudokuConfig(size=4, augment=False))
        puzzles = task.puzzles("test")
        x, y = task.augment(puzzles.x, puzzles.x, np.random.default_rng(0))
        assert x is y is puzzles.x


class TestText:
    """Boards as people paste them."""

    @pytest.mark.parametrize(
        "text",
        [
            CLASSIC,
            CLASSIC.replace(".", "0"),
            CLASSIC.replace(".", "_") + "\n",
            " ".join(CLASSIC.replace(".", "*")),
            "\r\n".join(CLASSIC[at : at + 9] for at in range(0, 81, 9)),
            " / ".join(CLASSIC[at : at + 9] for at in range(0, 81, 9)),
            """
            +-------+-------+-------+
            | 5 3 . | . 7 . | . . . |
            | 6 . . | 1 9 5 | . . . |
            | . 9 8 | . . . | . 6 . |
            +-------+-------+-------+
            | 8 . . | . 6 . | . . 3 |
            | 4 . . | 8 . 3 | . . 1 |
            | 7 . . | . 2 . | . . 6 |
            +-------+-------+-------+
            | . 6 . | . . . | 2 8 . |
            | . . . | 4 1 9 | . . 5 |
            | . . . | . 8 . | . 7 9 |
            +-------+-------+-------+
            """,
        ],
    )
    def test_a_board_may_be_written_in_several_ways(self, nine: Sudoku, text: str) -> None:
        np.testing.assert_array_equal(nine.parse(text) - 1, digits_of(CLASSIC)[0])

    @settings(max_examples=60, deadline=None)
    @given(size=st.sampled_from(SIZES), seed=st.integers(0, 2**32))
    def test_what_is_written_is_read_back(self, size: int, seed: int) -> None:
        task, rng = Sudoku(SudokuConfig(size=size)), np.random.default_rng(seed)
        x = random_boards(size, 1, rng)[0] + np.uint8(BLANK)
        x[rng.random(len(x)) < rng.random()] = BLANK
        np.testing.assert_array_equal(task.parse(task.text(x)), x)
        np.testing.assert_array_equal(task.parse(task.text(x).replace("\n", "")), x)

    @pytest.mark.parametrize(
        ("size", "text", "words"),
        [
            (9, "", "rows of no characters; this board needs 9 rows of 9, or all 81 in one line"),
            (9, "1" * 80, "rows of 80 characters"),
            (4, CLASSIC, "rows of 81 characters; this board needs 4 rows of 4, or all 16 in one line"),
            (4, "12/34/12/34", "rows of 2, 2, 2, 2 characters"),
            (4, "1\n" * 99, "rows of 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, ... characters"),
            (4, "z...............", "row 1, column 1 holds 'z'; write a digit from 1 to 4, or . for a blank"),
            (4, ".....5..........", "row 2, column 2 holds '5'; write a digit from 1 to 4"),
            (6, "..../..../..../....", "this board needs 6 rows of 6"),
            (9, CLASSIC.replace("7", "٧", 1), "row 1, column 5 holds '٧'"),
            (
                4,
                "1..1............",
                "row 1 holds the digit 1 twice, at row 1, column 1 and row 1, column 4; remove one",
            ),
            (4, "2...........2...", "column 1 holds the digit 2 twice, at row 1, column 1 and row 4, column 1"),
            (6, "......" * 4 + "...3.." + ".....3", "box 6 holds the digit 3 twice, at row 5, column 4 and row 6, col"),
        ],
    )
    def test_a_text_that_is_no_puzzle_says_what_is_wrong_and_what_to_do(self, size: int, text: str, words: str) -> None:
        with pytest.raises(TaskError) as caught:
            Sudoku(SudokuConfig(size=size)).parse(text)
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_mangled_texts_are_read_or_refused_in_one_sentence(self) -> None:
        rng = np.random.default_rng(0)
        tasks = {size: Sudoku(SudokuConfig(size=size)) for size in SIZES}
        letters = list("0123456789.._*|-+ /\n\r\t\x00x:=│é٣\u2028🙂")
        seen = {True: 0, False: 0}
        trials = tries(1_000, 10_000)
        for _ in range(trials):
            size = int(rng.choice(SIZES))
            task = tasks[size]
            text = list(CLASSIC if size == 9 else "." * size**2)
            if rng.random() < 0.5:
                text = list("\n".join("".join(text[at : at + size]) for at in range(0, size * size, size)))
            for _ in range(rng.integers(1, 3)):
                at = int(rng.integers(len(text) + 1))
                text[at : at + int(rng.integers(0, 3))] = [letters[rng.integers(len(letters))]] * int(
                    rng.integers(0, 3)
                )
            x = outcome(task.parse, "".join(text))
            seen[isinstance(x, str)] += 1
            if isinstance(x, str):
                assert len(x.splitlines()) == 1
            else:
                assert not task.board.conflict(x).any()
                signs = [sign for sign in "".join(text) if sign in "0123456789._*x"]
                if "-" not in text:  # a ruler, or a blank
                    assert [0 if sign in "._*x" else int(sign) for sign in signs] == (x - 1).tolist()
        assert min(seen.values()) > trials / 10


def test_many_puzzles_are_searched_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    task, searches = Sudoku(SudokuConfig(size=4, generated=40)), []
    x = task.puzzles("train").x[:5]
    alone = [task.solve(one, 3) for one in x]

    def search(*arguments: object) -> object:
        searches.append(arguments)
        return solver.search(*arguments)

    monkeypatch.setattr(sudoku_module, "search", search)
    monkeypatch.setattr(sudoku_module, "TOGETHER", 2)
    for found, expected in zip(task.solve_each(x, 3), alone, strict=True):
        np.testing.assert_array_equal(found, expected)
    assert len(searches) == 3


HEADER = "source,question,answer,rating"
ROW = f"puzzles_a,{CLASSIC},{CLASSIC_ANSWER},0"
FOREIGN = f"other,{CLASSIC_ANSWER[:80]}.,{CLASSIC_ANSWER},3"


def table(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


class TestTable:
    """The file of puzzles, whole and mangled."""

    def test_a_table_is_read_and_lists_are_chosen(self, tmp_path: Path) -> None:
        path = table(tmp_path, HEADER, ROW, FOREIGN, ROW, "")
        x, y, rating = read(path, all_lists=True)
        assert x.dtype == y.dtype == np.uint8
        np.testing.assert_array_equal(x[[0]] - 1, digits_of(CLASSIC))
        np.testing.assert_array_equal(y[[1]] - 1, digits_of(CLASSIC_ANSWER))
        assert rating.tolist() == [0, 3, 0]
        assert read(path, all_lists=False)[2].tolist() == [0, 0]

    def test_columns_may_stand_in_another_order_with_others_between(self, tmp_path: Path) -> None:
        path = table(tmp_path, "rating,x,answer,question,source", f"7,,{CLASSIC_ANSWER},{CLASSIC},puzzles")
        x, _, rating = read(path, all_lists=False)
        assert rating.tolist() == [7]
        np.testing.assert_array_equal(x - 1, digits_of(CLASSIC))

    @pytest.mark.parametrize(
        ("lines", "words"),
        [
            ((), "row 1: the column 'source' is missing; the columns are source, question, answer, rating"),
            (("source,question,rating",), "row 1: the column 'answer' is missing"),
            ((HEADER,), "row 1: no puzzle of the wished lists stands here"),
            ((HEADER, FOREIGN), "row 2: no puzzle of the wished lists stands here"),
            ((HEADER, ROW, ROW[:90]), "row 3: 2 fields stand under 4 columns"),
            ((HEADER, ROW + ",1"), "row 2: 5 fields stand under 4 columns"),
            ((HEADER, ROW.replace("53", "5", 1)), "row 2: the question is not 81 digits or dots, but '5..7"),
            ((HEADER, ROW.replace("79,", "7é,", 1)), "row 2: the question is not 81 digits"),
            ((HEADER, ROW, ROW.replace("53", "5x", 1)), "row 3: the question holds other characters than digits and"),
            ((HEADER, ROW, ROW.replace("534", "5.4")), "row 3: the answer does not hold every digit once in each row"),
            ((HEADER, ROW.replace("534", "354")), "row 2: the answer does not hold every digit once"),
            ((HEADER, ROW.replace("53..7", "53.17")), "row 2: the answer contradicts its question"),
            ((HEADER, ROW[:-1] + "hard"), "row 2: the rating is 'hard', not a whole number from 0"),
            ((HEADER, ROW[:-1] + "-1"), "row 2: the rating is '-1'"),
            ((HEADER, ROW, 'puzzles,"' + ROW), "row 2: the file cannot be read further: unexpected end of data"),
        ],
    )
    def test_a_mangled_table_names_its_row(self, tmp_path: Path, lines: tuple[str, ...], words: str) -> None:
        path = table(tmp_path, *lines)
        with pytest.raises(TaskError) as caught:
            read(path, all_lists=False)
        message = str(caught.value)
        assert message.startswith(f"{path}, {words}")
        assert message.endswith("; restore the file and read it again")

    @pytest.mark.parametrize("kind", ["truncated", "not UTF-8", "absent", "empty"])
    def test_a_broken_file_is_one_sentence(self, tmp_path: Path, kind: str) -> None:
        path = table(tmp_path, HEADER, *[ROW] * 500)
        packed = path.read_bytes()
        if kind == "absent":
            path.unlink()
        else:
            broken = {
                "truncated": packed[:-30],
                "not UTF-8": gzip.compress(gzip.decompress(packed)[:-3] + b"\xff,0"),
                "empty": b"",
            }
            path.write_bytes(broken[kind])
        with pytest.raises(TaskError, match=r"^\S+, row \d+: .*; restore the file and read it again$"):
            read(path, all_lists=False)

    def test_mangled_files_are_read_or_refused_in_one_sentence(self, tmp_path: Path) -> None:
        trials = tries(1_000, 10_000)
        rng = np.random.default_rng(0)
        path = tmp_path / "table.csv.gz"
        plain = "\n".join([HEADER, ROW, FOREIGN, ROW]).encode()
        packed = gzip.compress(plain, mtime=0)
        answer = digits_of(CLASSIC_ANSWER)
        seen = {True: 0, False: 0}
        for trial in range(trials):
            bent = bytearray(plain if trial % 2 else packed)
            for _ in range(rng.integers(1, 4)):
                at = int(rng.integers(len(bent)))
                bent[at : at + int(rng.integers(0, 3))] = rng.bytes(int(rng.integers(0, 3)))
            path.write_bytes(gzip.compress(bytes(bent), 0) if trial % 2 else bytes(bent))
            found = outcome(read, path, True)
            seen[isinstance(found, str)] += 1
            if isinstance(found, str):
                assert len(found.splitlines()) == 1
            else:
                x, y, rating = found
                assert len(x) == len(y) == len(rating) > 0
                assert ((x == y) | (x == BLANK)).all()
                np.testing.assert_array_equal(y - 1, np.repeat(answer, len(y), axis=0))
        assert min(seen.values()) > trials / 100

    @pytest.mark.parametrize(
        ("all_lists", "train", "test"),
        [(False, 43_858 + 208 + 867 + 44_129, 4_133 + 94 + 590 + 4_957), (True, 185_294, 19_932)],
    )
    def test_the_files_hold_what_their_readme_says(self, files: None, all_lists: bool, train: int, test: int) -> None:
        task = Sudoku(SudokuConfig(dataset="extreme", all_lists=all_lists))
        for split, rows in zip(SPLITS, (train, test), strict=True):
            puzzles = task.puzzles(split)
            assert len(puzzles) == rows
            assert puzzles.complete
            assert puzzles.solutions[5].shape == (1, 81)
            assert puzzles.solutions[5].base is puzzles.solutions[7].base
            assert len({x.tobytes() for x in puzzles.x}) == rows
            assert task.check(puzzles.x[:500], np.concatenate(puzzles.solutions[:500])).valid.all()
        assert ("also those of repositories under the GPL" in task.source()) == all_lists
        assert "not that set" in task.source()

    def test_puzzles_carry_their_rating(self, files: None) -> None:
        puzzles = Sudoku(SudokuConfig(dataset="extreme", rating_min=3, rating_max=20, test_max=50)).puzzles("test")
        x, _, rating = read(data.path("sudoku/test.csv.gz"), all_lists=False)
        known = {row.tobytes(): int(rated) for row, rated in zip(x, rating, strict=True)}
        assert puzzles.rating is not None
        assert puzzles.rating.tolist() == [known[row.tobytes()] for row in puzzles.x]
        assert len(puzzles) == 50
        assert len(set(puzzles.rating.tolist())) > 5

    def test_the_files_can_be_cut_by_rating_and_number(self, files: None) -> None:
        task = Sudoku(SudokuConfig(dataset="extreme", all_lists=True, rating_min=1_000, train_max=7))
        assert [len(task.puzzles(split)) for split in SPLITS] == [7, 9]
        with pytest.raises(TaskError, match="no puzzle of test is rated at least 5000; ratings are 0 to"):
            Sudoku(SudokuConfig(dataset="extreme", rating_min=5_000)).puzzles("test")


class TestGeneration:
    """Boards from the blank one."""

    @pytest.mark.parametrize(("size", "grids"), [(4, 0), (6, 500), (9, 500)])
    def test_each_split_is_the_blank_puzzle_with_its_known_boards(self, size: int, grids: int) -> None:
        config = SudokuGenerationConfig(size=size, grids=grids)
        one, other = SudokuGeneration(config), SudokuGeneration(config)
        known = {}
        for split, rows in zip(SPLITS, (grids or 262, (grids or 262) // 10), strict=True):
            puzzles = one.puzzles(split)
            assert not puzzles.complete
            assert puzzles.x.shape == (1, size * size)
            assert (puzzles.x == BLANK).all()
            (boards,) = puzzles.solutions
            assert boards.dtype == np.uint8
            assert len(boards) == len(np.unique(boards, axis=0)) == rows
            assert one.check(puzzles.x, boards).valid.all()
            np.testing.assert_array_equal(boards, other.puzzles(split).solutions[0])
            known[split] = boards - 1
        together = np.concatenate([known[split] for split in SPLITS])
        assert len(np.unique(together, axis=0)) == len(together)
        if size == 4:
            assert len(together) == 288
        else:
            kinds = board_classes(together, size)
            assert not set(kinds[:grids].tolist()) & set(kinds[grids:].tolist())

    def test_a_board_counts_by_its_rules_alone(self) -> None:
        task = SudokuGeneration(SudokuGenerationConfig(grids=10))
        blank = task.puzzles("test").x
        assert task.check(blank, task.parse(CLASSIC_ANSWER)[None]).valid.all()
        assert not task.check(blank, task.parse(CLASSIC)[None]).valid.any()
        assert task.check(blank, task.solve(blank[0], 20)).valid.all()
        np.testing.assert_array_equal(task.parse(task.text(blank[0])), blank[0])

    def test_the_answers_of_the_lists_are_boards_too(self, files: None) -> None:
        task = SudokuGeneration(SudokuGenerationConfig(dataset="extreme", grids=9_000))
        boards = [task.puzzles(split).solutions[0] for split in SPLITS]
        assert [len(some) for some in boards] == [9_000, 900]
        assert full_boards(np.concatenate(boards) - 1, 9)
        assert "only the lists named puzzles*" in task.source()
        with pytest.raises(TaskError, match=r"grids is 200000, but extreme has .* different boards of train"):
            SudokuGeneration(SudokuGenerationConfig(dataset="extreme", grids=200_000)).puzzles("train")

    def test_the_source_says_how_many_boards_were_searched(self) -> None:
        assert (
            "copies of 5000 random boards of 9 x 9, not uniform" in SudokuGeneration(SudokuGenerationConfig()).source()
        )
        assert "the 288 boards" in SudokuGeneration(SudokuGenerationConfig(size=4)).source()


@pytest.mark.parametrize(
    ("config", "changes", "words"),
    [
        (SudokuConfig, {"size": 5}, "size is 5; it is offered for 4, 6, 9, 16"),
        (SudokuConfig, {"dataset": "kaggle"}, "unknown dataset 'kaggle'; known: generated, extreme"),
        (SudokuConfig, {"dataset": "extreme", "size": 6}, "boards of size 9, not 6"),
        (SudokuConfig, {"dataset": "extreme", "clues_max": 20}, "leave them 0 for dataset extreme"),
        (SudokuConfig, {"train_max": -1}, "train_max is -1; it must be 0"),
        (SudokuConfig, {"test_max": -5}, "test_max is -5"),
        (SudokuConfig, {"rating_min": 5, "rating_max": 4}, "5 to 4; they must rise from 0 or end in -1"),
        (SudokuConfig, {"rating_min": -1}, "-1 to -1"),
        (SudokuConfig, {"rating_max": -2}, "0 to -2"),
        (SudokuConfig, {"generated": 1}, "generated is 1; it must be 2 to 20000"),
        (SudokuConfig, {"clues_min": 20, "clues_max": 10}, "20 to 10; they must rise within 0 to 80"),
        (SudokuConfig, {"size": 4, "clues_max": 16}, "0 to 16; they must rise within 0 to 15"),
        (SudokuConfig, {"clues_min": -1}, "-1 to 0"),
        (SudokuConfig, {"train_share": 1.0}, "train_share is 1.0; it must lie between 0 and 1"),
        (SudokuConfig, {"seed": -1}, "seed is -1; it must be at least 0"),
        (SudokuGenerationConfig, {"size": 16}, "size is 16"),
        (SudokuGenerationConfig, {"dataset": "extreme", "size": 4}, "boards of size 9, not 4"),
        (SudokuGenerationConfig, {"grids": 5}, "grids is 5; it must be 10 to 200000, or 0 for the default"),
        (SudokuGenerationConfig, {"size": 4, "grids": 288}, "grids is 288; it must be 10 to 262"),
        (SudokuConfig, {"hints": 1.5}, "hints is 1.5; it is a share from 0 to 1"),
        (SudokuGenerationConfig, {"size": 4, "augment": True}, "augment would make the held-out boards of 4 x 4"),
    ],
)
def test_an_impossible_choice_of_data_is_refused(config: type, changes: dict, words: str) -> None:
    with pytest.raises(TaskError) as caught:
        config(**changes)
    assert words in str(caught.value)


@pytest.mark.parametrize("task", [Sudoku(SudokuConfig()), SudokuGeneration(SudokuGenerationConfig())])
def test_an_unknown_split_names_the_known(task: Sudoku | SudokuGeneration) -> None:
    with pytest.raises(TaskError, match="unknown split 'validation'; known: train, test"):
        task.puzzles("validation")  # type: ignore[arg-type]
