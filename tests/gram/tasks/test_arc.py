"""ARC: encoding, augmentation, protocol and scores in closed form; the official archives; mangled inputs."""

from __future__ import annotations

import io
import json
import os
import random
import warnings
import zipfile
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gram import rollout
from gram.board import Board
from gram.tasks import Puzzles, TaskError
from gram.tasks import arc as module
from gram.tasks import files as data
from gram.tasks.arc import ARC, COLORS, OFFICIAL, ARCConfig, score, vote
from gram.tasks.arc_files import ENTRIES, ArcTask, parse_task, read
from gram.tasks.arc_grids import (
    END,
    FIRST,
    PAD,
    Augmentation,
    augmentations,
    corner,
    decode,
    encode,
    shifted,
    sizes,
    tidy,
)  # fmt: skip
from gram.tasks.arc_practice import RULES, tasks

NAMES = tuple(OFFICIAL)
quick = settings(deadline=None)  # a busy machine is no failure
GOOD = {"train": [{"input": [[0, 1]], "output": [[1, 0]]}], "test": [{"input": [[2, 3]], "output": [[3, 2]]}]}
grids = arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 30)), elements=st.integers(0, 9))
changes = st.builds(
    lambda symmetry, colors: Augmentation(symmetry, (0, *colors)), st.integers(0, 7), st.permutations(range(1, 10))
)


def grid(*rows: str) -> np.ndarray:
    return np.array([[int(character) for character in row] for row in rows], dtype=np.uint8)


def one_sentence(caught: pytest.ExceptionInfo[TaskError]) -> str:
    held([caught.value])
    return str(caught.value)


def held(refused: list[TaskError]) -> None:
    """Every message is one sentence of a bearable length."""
    assert all(0 < len(str(error)) < 400 and str(error).isprintable() for error in refused)


@pytest.fixture(scope="module", params=NAMES)
def official(request: pytest.FixtureRequest) -> ARC:
    """A task of an official data set without augmentations; skips where its file is not here, save in CI."""
    try:
        data.path(f"arc/{request.param}.zip")
    except data.DataError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    return ARC(ARCConfig(dataset=request.param))


@pytest.fixture(scope="module")
def practice() -> ARC:
    return ARC(ARCConfig(canvas=12, tasks=20, demonstrations=3, tests=2, augmentations=4))


class TestEncoding:
    """Canvases, as HRM and TRM write and read them."""

    def test_a_grid_stands_in_the_corner_between_its_end_markers(self) -> None:
        tokens = encode(grid("019", "820"), 6).reshape(6, 6)
        expected = np.zeros((6, 6), dtype=np.uint8)
        expected[:2, :3] = [[2, 3, 11], [10, 4, 2]]
        expected[2, :3] = END
        expected[:2, 3] = END
        np.testing.assert_array_equal(tokens, expected)

    def test_a_grid_that_fills_the_canvas_needs_no_end_marker(self) -> None:
        full = np.arange(36, dtype=np.uint8).reshape(6, 6) % 10
        assert (encode(full, 6) >= FIRST).all()
        np.testing.assert_array_equal(decode(encode(full, 6)), full)

    @quick
    @given(grids)
    def test_every_grid_is_read_back(self, one: np.ndarray) -> None:
        tokens = encode(one)
        assert tokens.dtype == np.uint8
        read_back = decode(tokens)
        assert read_back is not None
        assert read_back.dtype == np.uint8
        np.testing.assert_array_equal(read_back, one)

    def test_every_grid_of_the_official_tasks_is_read_back(self, official: ARC) -> None:
        count = 0
        for arc_task in official._tasks:
            for one in (one for pair in arc_task.pairs for one in pair):
                np.testing.assert_array_equal(decode(encode(one)), one)
                np.testing.assert_array_equal(official.parse(official.text(encode(one))), encode(one))
                count += 1
        assert count == 2 * sum(len(arc_task.pairs) for arc_task in official._tasks)

    def test_a_grid_larger_than_the_canvas_is_refused(self) -> None:
        with pytest.raises(TaskError, match="the grid is 7 x 2; this canvas holds at most 6 x 6"):
            encode(np.zeros((7, 2), np.uint8), 6)

    @quick
    @given(arrays(np.uint8, (5, 36), elements=st.sampled_from((0, 1, 2, 3, 3, 4, 11))))
    def test_of_a_malformed_canvas_the_largest_rectangle_of_colors_in_the_corner_is_read(
        self, many: np.ndarray
    ) -> None:
        for tokens, rows, columns, clean in zip(many, *sizes(many), tidy(many), strict=True):
            canvas = tokens.reshape(6, 6)
            areas = {
                (r, c): r * c for r, c in product(range(1, 7), repeat=2) if (canvas[:r, :c] >= FIRST).all()
            }  # every rectangle that could be read
            found = decode(tokens)
            if not areas:
                assert found is None
                assert (rows, columns) == (0, 0)
                assert (clean == PAD).all()
                continue
            best = min((size for size, area in areas.items() if area == max(areas.values())))
            assert (rows, columns) == best
            np.testing.assert_array_equal(found, canvas[: best[0], : best[1]] - FIRST)
            np.testing.assert_array_equal(clean, encode(found, 6))
            np.testing.assert_array_equal(tidy(clean), clean)

    @quick
    @given(arrays(np.uint8, (3, 36), elements=st.integers(0, 11)), st.integers(-7, 7), st.integers(-7, 7))
    def test_moving_a_canvas_equals_moving_each_cell(self, many: np.ndarray, down: int, right: int) -> None:
        moved = shifted(many, np.full(3, down), np.full(3, right)).reshape(3, 6, 6)
        for row, column in product(range(6), repeat=2):
            from_row, from_column = row - down, column - right
            inside = 0 <= from_row < 6 and 0 <= from_column < 6
            expected = many.reshape(3, 6, 6)[:, from_row, from_column] if inside else PAD
            np.testing.assert_array_equal(moved[:, row, column], expected)

    def test_the_board_names_arcs_palette(self) -> None:
        board = ARC(ARCConfig()).board
        assert board.kind == "grid"
        assert (board.height, board.width, len(board.tokens)) == (30, 30, 12)
        assert [token.label for token in board.tokens] == ["pad", "end", *COLORS]
        assert [token.symbol for token in board.tokens[FIRST:]] == list("0123456789")
        assert {token.glyph for token in board.tokens[FIRST:]} == {"color"}
        assert Board.from_json(board.to_json()) == board


class TestAugmentation:
    """The symmetries of the square and new colors."""

    @quick
    @given(grids, changes)
    def test_the_inverse_brings_back_the_grid(self, one: np.ndarray, change: Augmentation) -> None:
        np.testing.assert_array_equal(change.invert(change.apply(one)), one)
        np.testing.assert_array_equal(change.apply(change.invert(one)), one)

    @pytest.mark.parametrize("symmetry", range(8))
    def test_all_eight_symmetries_are_undone_with_every_swap_of_colors(self, symmetry: int) -> None:
        one = grid("0123", "4567", "8901")
        for a, b in product(range(1, 10), repeat=2):
            colors = list(range(10))
            colors[a], colors[b] = b, a
            change = Augmentation(symmetry, tuple(colors))
            np.testing.assert_array_equal(change.invert(change.apply(one)), one)

    def test_the_symmetries_are_hrms(self) -> None:
        one = grid("12", "34")
        seen = ["/".join("".join(map(str, row)) for row in Augmentation(s).apply(one).tolist()) for s in range(8)]
        assert seen == ["12/34", "24/13", "43/21", "31/42", "21/43", "34/12", "13/24", "42/31"]

    @quick
    @given(grids, changes)
    def test_black_stays_black(self, one: np.ndarray, change: Augmentation) -> None:
        assert (change.apply(one) == 0).sum() == (one == 0).sum()

    def test_no_two_versions_of_a_rule_book_are_equal(self, practice: ARC) -> None:
        for arc_task in practice._tasks:
            made = augmentations(arc_task, 30, 0)
            assert made[0] == Augmentation()
            looks = {
                tuple((one.shape, one.tobytes()) for pair in arc_task.pairs for one in map(version.apply, pair))
                for version in made
            }
            assert len(looks) == len(made) <= 31
            assert made == augmentations(arc_task, 30, 0)
            assert made != augmentations(arc_task, 30, 1)
            assert augmentations(arc_task, 0, 0) == [Augmentation()]

    def test_a_rule_book_with_few_versions_has_fewer(self) -> None:
        black, blue = np.zeros((2, 2), np.uint8), np.ones((2, 2), np.uint8)
        made = augmentations(ArcTask("flat", ((black, blue),), ((black, blue),), False), 100, 0)
        assert len(made) == 9  # blue may become any color, and no symmetry shows
        assert {version.colors[1] for version in made} == set(range(1, 10))

    def test_moving_a_pair_about_moves_both_alike_to_every_place_that_has_room(self, practice: ARC) -> None:
        x, y = np.stack([encode(grid("12", "34"), 12)] * 3_000), np.stack([encode(grid("123456789"), 12)] * 3_000)
        moved_x, moved_y = practice.augment(x, y, np.random.default_rng(0))
        places = list(zip(*corner(moved_x), strict=True))
        assert places == list(zip(*corner(moved_y), strict=True))
        assert set(places) == set(product(range(11), range(4)))  # 12 - 2 + 1 rows, 12 - 9 + 1 columns
        assert 0.25 < np.mean([place == (0, 0) for place in places]) < 0.30  # STAYS, and 1/44 of the others
        back = shifted(moved_x, *(-move for move in corner(moved_x)))
        np.testing.assert_array_equal(tidy(back), x)
        assert practice.judge(Puzzles(moved_x, tuple(moved_y[:, None])), moved_y).valid.all()

    def test_without_translation_nothing_moves(self) -> None:
        task = ARC(ARCConfig(canvas=8, translate=False))
        x = task.puzzles("train").x
        assert task.augment(x, x, np.random.default_rng(0)) == (x, x)


class TestProtocol:
    """Who is trained on what, and under which identifier."""

    def test_official_splits_have_the_known_sizes(self, official: ARC) -> None:
        # From the counts of pairs in the data's README: all demonstrations, and the tests of training tasks.
        train, test = {
            "arc-agi-1": (1_302 + 416 + 1_363, 419),
            "arc-agi-2": (3_232 + 1_076 + 359, 167),
            "conceptarc": (520, 480),  # one demonstration of CenterMinimal is its test again
        }[official.config.dataset]
        assert len(official.puzzles("train")) == train
        assert len(official.puzzles("test")) == test
        kind = OFFICIAL[official.config.dataset]
        assert official.identifiers == kind.training + kind.evaluation == len(official._tasks)
        assert official.config.dataset in official.source()

    def test_demonstrations_of_evaluation_tasks_are_trained_on_and_their_tests_are_not(self, official: ARC) -> None:
        train, test = official.puzzles("train"), official.puzzles("test")
        keys = [
            {(int(arc_task), x.tobytes()) for arc_task, x in zip(puzzles.identifier, puzzles.x, strict=True)}
            for puzzles in (train, test)
        ]
        assert len(keys[0]) == len(train)
        assert len(keys[1]) == len(test)
        assert not keys[0] & keys[1]
        assert set(test.identifier.tolist()) <= set(train.identifier.tolist())
        assert all(not official._tasks[arc_task].training for arc_task in set(test.identifier.tolist()))

    def test_a_smaller_canvas_keeps_the_tasks_that_fit_under_their_own_numbers(self, official: ARC) -> None:
        small = ARC(ARCConfig(dataset=official.config.dataset, canvas=10))
        fit = [at for at, arc_task in enumerate(official._tasks) if arc_task.side <= 10]
        assert len(fit) == {"arc-agi-1": 255, "arc-agi-2": 303, "conceptarc": 50}[official.config.dataset]
        assert set(small.puzzles("train").identifier.tolist()) == set(fit)
        assert f"{len(official._tasks) - len(fit)} more have a grid larger than the canvas" in small.source()
        assert small.identifiers == official.identifiers

    def test_a_changed_rule_book_has_an_identifier_of_its_own(self, practice: ARC) -> None:
        train = practice.puzzles("train")
        assert practice.identifiers == 20 * 5
        assert train.identifier.dtype == np.int32
        for arc_task, which in product(range(20), range(5)):
            version = practice._versions(arc_task)[which]
            rows = np.flatnonzero(train.identifier == arc_task * 5 + which)
            assert len(rows) == 3
            for row, (before, after) in zip(rows, practice._tasks[arc_task].demonstrations, strict=True):
                np.testing.assert_array_equal(decode(train.x[row]), version.apply(before))
                np.testing.assert_array_equal(decode(train.solutions[row][0]), version.apply(after))
        assert (practice.puzzles("test").identifier % 5 == 0).all()

    def test_a_canvas_that_no_task_fits_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        task = ARC(ARCConfig(dataset="conceptarc", canvas=6))
        monkeypatch.setattr(ARC, "_tasks", [parse_task(json.dumps(GOOD), "only", True)])
        with pytest.raises(TaskError, match="a canvas of 6 leaves no task for evaluation; take 30"):
            task.puzzles("test")

    def test_more_puzzles_than_memory_are_refused_before_they_are_made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "LARGEST", 10**6)
        task = ARC(ARCConfig(augmentations=500))
        with pytest.raises(
            TaskError, match=r"augmentations is 500, which makes 0.5 GB .* so take 1 or a smaller canvas"
        ):
            task.puzzles("train")

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"dataset": "arc-agi-3"}, "dataset is 'arc-agi-3'; known: practice, arc-agi-1"),
            ({"canvas": 5}, "canvas is 5; it must be a whole number from 6 to 30"),
            ({"canvas": 31}, "canvas is 31"),
            ({"augmentations": -1}, "augmentations is -1; it must be a whole number from 0 to 1000"),
            ({"tasks": 170}, "tasks is 170; it must be a whole number from 1 to 169"),
            ({"demonstrations": 0}, "demonstrations is 0"),
            ({"tests": 0}, "tests is 0"),
            ({"seed": -1}, "seed is -1"),
        ],
    )
    def test_an_impossible_choice_of_data_is_refused(self, wrong: dict, words: str) -> None:
        with pytest.raises(TaskError, match=words) as caught:
            ARCConfig(**wrong)
        one_sentence(caught)


class TestJudging:
    """Right is what is known to be right."""

    def test_a_known_answer_is_right_and_any_other_is_not(self, practice: ARC) -> None:
        for puzzles in (practice.puzzles("train"), practice.puzzles("test")):
            known = np.concatenate(puzzles.solutions)
            verdict = practice.judge(puzzles, known)
            assert verdict.valid.all()
            assert not verdict.conflict.any()
            assert not practice.judge(puzzles, puzzles.x).valid.any()  # every rule of the practice set does something
            assert practice.check(puzzles.x, known).valid.all()

    def test_a_wrong_cell_is_marked_and_what_lies_outside_the_grid_does_not_count(self) -> None:
        task = ARC(ARCConfig(canvas=6))
        puzzles = Puzzles(encode(grid("12"), 6)[None], (encode(grid("12", "34"), 6)[None],))
        answer = encode(grid("12", "35"), 6)
        verdict = task.judge(puzzles, answer[None])
        assert verdict.valid.tolist() == [False]
        assert np.flatnonzero(verdict.conflict[0]).tolist() == [7]
        loose = encode(grid("12", "34"), 6)
        loose[loose == END] = PAD
        loose[35] = FIRST
        verdict = task.judge(puzzles, loose[None])
        assert verdict.valid.all()
        assert not verdict.conflict.any()

    def test_right_answers_that_differ_outside_the_grid_are_one_answer(self, practice: ARC) -> None:
        puzzles = practice.puzzles("test").take([0])
        answers = np.repeat(puzzles.solutions[0], 50, axis=0)
        free = np.flatnonzero(answers[0] == PAD)[12:]  # below the line of end markers, where nothing is read
        answers[:, free] = np.random.default_rng(0).integers(0, 12, (50, len(free)))
        assert practice.judge(puzzles, answers[None]).valid.all()
        assert len(np.unique(answers, axis=0)) == 50
        np.testing.assert_array_equal(
            np.unique(practice.canonical(puzzles.x[0], answers), axis=0), puzzles.solutions[0]
        )

    def test_the_answer_must_stand_where_the_puzzle_stands(self) -> None:
        task = ARC(ARCConfig(canvas=6))
        x, y = encode(grid("12"), 6)[None], encode(grid("21"), 6)[None]
        for by in ((0, 0), (2, 3)):
            moved = [shifted(tokens, *np.array(by)) for tokens in (x, y)]
            for at in ((0, 0), (2, 3)):
                answer = shifted(y, *np.array(at))
                assert task.judge(Puzzles(moved[0], (moved[1],)), answer).valid.all() == (by == at)

    def test_answers_of_many_trajectories_are_judged_at_once(self, practice: ARC) -> None:
        puzzles = practice.puzzles("test").take(range(5))
        answers = np.random.default_rng(0).integers(0, 12, (5, 3, 2, 144)).astype(np.uint8)
        answers[:, 1, 1] = np.concatenate(puzzles.solutions)
        together = practice.judge(puzzles, answers)
        assert together.valid.shape == (5, 3, 2)
        assert together.conflict.shape == answers.shape
        assert together.valid.sum() == together.valid[:, 1, 1].sum() == 5
        alike = practice.check(puzzles.x[:, None, None], answers)
        np.testing.assert_array_equal(alike.valid, together.valid)
        np.testing.assert_array_equal(alike.conflict, together.conflict)
        for p, n, s in np.ndindex(5, 3, 2):
            alone = practice.check(puzzles.x[p], answers[p, n, s])
            assert alone.valid.shape == ()
            assert alone.valid == together.valid[p, n, s]
            np.testing.assert_array_equal(alone.conflict, together.conflict[p, n, s])

    def test_of_several_known_answers_the_nearest_counts(self) -> None:
        task = ARC(ARCConfig(canvas=6))
        both = np.stack([encode(grid("11"), 6), encode(grid("22"), 6)])
        puzzles = Puzzles(encode(grid("12"), 6)[None], (both,))
        answers = np.stack([*both, encode(grid("23"), 6)])[None]
        verdict = task.judge(puzzles, answers)
        assert verdict.valid.tolist() == [[True, True, False]]
        assert np.flatnonzero(verdict.conflict[0, 2]).tolist() == [1]

    def test_what_is_not_known_is_not_judged(self, practice: ARC) -> None:
        x = practice.parse("1234567890")
        with pytest.raises(TaskError, match="the answer to input 0 is not known"):
            practice.check(x, x)
        nothing = Puzzles(x[None], (np.zeros((0, 144), np.uint8),))
        with pytest.raises(TaskError, match="without a known answer cannot be judged"):
            practice.judge(nothing, x[None])
        with pytest.raises(TaskError, match="arc has no exact solver"):
            practice.solve(x)


class TestScoring:
    """Two attempts, and votes over versions."""

    def test_the_most_frequent_grids_are_handed_in(self) -> None:
        a, b, c = grid("1"), grid("2"), grid("1", "1")
        chosen = vote([a, b, c, b, c, b])
        assert [one.tolist() for one in chosen] == [b.tolist(), c.tolist()]
        assert [one.tolist() for one in vote([a, b, c, b], attempts=1)] == [b.tolist()]
        assert vote([]) == []

    def test_equal_votes_are_ranked_by_their_mean_value_and_then_by_age(self) -> None:
        a, b, c = grid("1"), grid("2"), grid("3")
        assert [int(one[0, 0]) for one in vote([a, b, c], [0.1, 0.3, 0.2])] == [2, 3]
        assert [int(one[0, 0]) for one in vote([a, b, a, b], [0.0, 0.3, 0.8, 0.3])] == [1, 2]  # means 0.4, 0.3
        assert [int(one[0, 0]) for one in vote([b, a, c])] == [2, 1]

    def test_a_task_with_several_test_inputs_scores_their_mean(self) -> None:
        y = [grid("1"), grid("2"), grid("3")]
        puzzles = Puzzles(
            np.stack([encode(one, 6) for one in y]),
            tuple(encode(one, 6)[None] for one in y),
            identifier=np.array([0, 0, 7], dtype=np.int32),
        )
        no = grid("9")
        assert score([[y[0]], [no, y[1]], [y[2], no]], puzzles) == 1.0
        assert score([[y[0]], [no, no], [y[2]]], puzzles) == 0.75  # (1/2 + 1) / 2
        assert score([[no], [y[1]], [no, y[0]]], puzzles) == 0.25
        assert score([[], [], [y[2]]], puzzles) == 0.5
        assert score([[grid("11")], [grid("2", "2")], []], puzzles) == 0.0

    def test_right_answers_to_all_versions_give_a_full_score(self, practice: ARC) -> None:
        puzzles, of = practice.versions()
        test = practice.puzzles("test")
        assert len(puzzles) == 5 * len(test) == len(of)
        assert sorted(set(of.tolist())) == list(range(len(test)))
        answers = np.concatenate(puzzles.solutions)[:, None]
        assert score(practice.attempts(puzzles, of, answers), test) == 1.0
        # Two of five versions wrong, each in its own way: outvoted.
        answers[puzzles.identifier % 5 >= 3] = encode(grid("1"), 12)
        attempts = practice.attempts(puzzles, of, answers, np.ones(answers.shape[:2]), count=1)
        assert all(len(tried) == 1 for tried in attempts)
        assert score(attempts, test) == 1.0

    def test_an_answer_that_cannot_be_read_is_no_attempt(self, practice: ARC) -> None:
        puzzles, of = practice.versions(0)
        np.testing.assert_array_equal(puzzles.x, practice.puzzles("test").x)
        attempts = practice.attempts(puzzles, of, np.zeros((len(puzzles), 2, 144), np.uint8))
        assert attempts == [[]] * len(puzzles)
        assert score(attempts, puzzles) == 0.0

    def test_more_versions_than_were_trained_on_are_refused(self, practice: ARC) -> None:
        with pytest.raises(TaskError, match="augmentations is 5; this configuration has 0 to 4"):
            practice.versions(5)


class TestText:
    """A grid as a person writes it."""

    @quick
    @given(grids)
    def test_a_grid_written_as_text_is_read_back(self, one: np.ndarray) -> None:
        task = ARC(ARCConfig())
        x = encode(one)
        np.testing.assert_array_equal(task.parse(task.text(x)), x)
        np.testing.assert_array_equal(task.parse(json.dumps(one.tolist())), x)
        np.testing.assert_array_equal(task.parse(" / ".join(" ".join(map(str, row)) for row in one.tolist())), x)

    def test_a_malformed_answer_is_written_in_full(self) -> None:
        task = ARC(ARCConfig(canvas=6))
        assert task.text(encode(grid("12", "30"), 6)) == "12\n30"
        loose = encode(grid("12", "30"), 6)
        loose[-1] = FIRST + 5
        assert task.text(loose) == "12|...\n30|...\n||....\n......\n......\n.....5"

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "the grid has no rows"),
            ("//", "the grid has no rows"),
            ("12/3", "row 2 has 1 cells and row 1 has 2"),
            ("12\n\n34", "row 2 has 0 cells"),
            ("1a", "row 1 holds 'a'; write rows of digits"),
            ("1²", "row 1 holds '²'"),
            ("1" * 31, "the grid is 1 x 31; a grid has at most 30 x 30"),
            ("1234567", "the grid is 1 x 7; this canvas holds at most 6 x 6"),
            ("[[1, 2], [3]]", "row 2 has 1 cells and row 1 has 2"),
            ("[[1, 2", "begins like JSON but is none"),
            ("[[10]]", "row 1 holds 10; a color is a whole number from 0 to 9"),
            ("[[true]]", "row 1 holds true"),
            ("[[1.0]]", "row 1 holds 1.0"),
            ("[]", "a list of 1 to 30 rows; this one is a list of 0"),
            ("[3]", "row 1 must be a list of 1 to 30 colors; it is 3"),
            ("[" * 100_000, "begins like JSON but is none"),
            ("[[" + "1" * 5_000 + "]]", "begins like JSON but is none"),
        ],
    )
    def test_a_text_that_is_no_grid_says_what_is_wrong(self, text: str, words: str) -> None:
        with pytest.raises(TaskError, match=words.replace("(", r"\(")) as caught:
            ARC(ARCConfig(canvas=6)).parse(text)
        one_sentence(caught)


class TestPractice:
    """Our own tasks."""

    @pytest.mark.parametrize(
        ("name", "parameters", "before", "after"),
        [
            ("mirror", (1,), "120/003", "021/300"),
            ("mirror", (0,), "120/003", "003/120"),
            ("turn", (1,), "12/34/56", "246/135"),
            ("recolor", (1, 2), "1230/2100", "2130/1200"),
            ("fall", (0,), "102/030/040", "000/030/142"),
            ("fall", (1,), "102/030/040", "012/003/004"),
            ("fall", (2,), "000/030/142", "132/040/000"),
            ("fall", (3,), "102/030/040", "120/300/400"),
            ("slide", (1, -1), "123/456", "564/231"),
            ("outline", (7,), "00000/00100/00000/00000", "07770/07170/07770/00000"),
            ("fill", (3, 4), "33300/30300/33330/00303/00033", "33300/34300/33330/00343/00033"),
            ("fill", (3, 4), "3330/3030/3030/0030", "3330/3030/3030/0030"),  # open below
            ("crop", (), "0000/0100/0020/0000", "10/02"),
            ("count", (5,), "505/010/005", "555"),
            ("enlarge", (2,), "12/03", "1122/1122/0033/0033"),
            ("rays", (0,), "000/010/200", "210/210/210"),
            ("rays", (1,), "000/010/200", "000/111/222"),
            ("majority", (), "110/222/002", "2"),
            ("overlap", (8,), "1105303/0115020", "800/080"),
            ("complete", (1,), "1200/0300", "1221/0330"),
            ("complete", (0,), "12/00", "12/12"),
            ("clean", (), "1102/0003/4444/5060", "1100/0000/4444/0000"),
            ("frame", (6,), "1234/5678/9012", "6666/6676/6666"),
        ],
    )
    def test_a_rule_does_what_it_says(self, name: str, parameters: tuple, before: str, after: str) -> None:
        found = RULES[name].apply(grid(*before.split("/")), *parameters)
        assert "/".join("".join(map(str, row)) for row in found.tolist()) == after

    def test_every_kind_of_rule_has_an_example_above(self) -> None:
        assert len(RULES) >= 10
        marks = [mark for mark in type(self).test_a_rule_does_what_it_says.pytestmark if mark.name == "parametrize"]
        assert {case[0] for case in marks[0].args[1]} == set(RULES)

    @pytest.mark.parametrize("canvas", [6, 9, 30])
    def test_all_task_names_differ_and_no_input_occurs_twice(self, canvas: int) -> None:
        made = tasks(169, 4, 1, canvas, seed=3)
        assert len({arc_task.name for arc_task in made}) == 169
        inputs = [(given.shape, given.tobytes()) for arc_task in made for given, _ in arc_task.pairs]
        assert len(set(inputs)) == len(inputs) == 169 * 5
        for arc_task in made:
            assert len(arc_task.demonstrations) == 4
            assert len(arc_task.tests) == 1
            assert not arc_task.training
            assert 1 <= arc_task.side <= min(canvas, 10)
            name, *parameters = arc_task.name.split("-", 1)
            rule = RULES[name]
            values = next(p for p in rule.parameters if "-".join(map(str, p)) == "".join(parameters))
            for before, after in arc_task.pairs:
                assert before.max() <= 9
                assert not np.array_equal(before, after)
                np.testing.assert_array_equal(rule.apply(before, *values), after)

    def test_the_first_task_names_are_one_of_each_kind(self) -> None:
        assert {arc_task.name.split("-")[0] for arc_task in tasks(16, 1, 1, 10, 0)} == set(RULES)

    def test_another_seed_gives_other_grids(self) -> None:
        one, same, other = (ARC(ARCConfig(canvas=8, seed=seed)).puzzles("test") for seed in (0, 0, 1))
        np.testing.assert_array_equal(one.x, same.x)
        assert not np.array_equal(one.x, other.x)

    def test_more_pairs_than_the_canvas_has_inputs_are_refused(self) -> None:
        with pytest.raises(TaskError, match=r"1001 pairs per task are too many for \w+ on canvas 3; ask for fewer"):
            tasks(16, 1_000, 1, 3, 0)

    def test_it_says_where_its_puzzles_come_from(self) -> None:
        assert ARC(ARCConfig()).source() == "generated: 32 tasks of 16 kinds, with random grids"


class TestReading:
    """The official JSON in a zip archive, whole and mangled."""

    def test_an_archive_is_read_in_the_order_of_its_names(self, tmp_path: Path) -> None:
        path = packed(tmp_path, {"data/evaluation/a.json": GOOD, "data/training/b.json": GOOD, "LICENSE": "free"})
        found = read(path)
        assert [(arc_task.name, arc_task.training) for arc_task in found] == [("b", True), ("a", False)]
        np.testing.assert_array_equal(found[0].demonstrations[0][1], grid("10"))
        np.testing.assert_array_equal(found[0].tests[0][0], grid("23"))

    def test_a_name_beside_the_pairs_is_left_alone(self) -> None:
        assert len(parse_task(json.dumps({"name": "x", **GOOD}), "x", True).pairs) == 2

    @pytest.mark.parametrize(
        ("entries", "words"),
        [
            ({}, "holds no ARC task"),
            ({"LICENSE": "free"}, "holds no ARC task; its JSON files must lie in data/training"),
            ({"../data/training/a.json": GOOD}, "ARC tasks lie in data/training"),
            ({"/data/training/a.json": GOOD}, "ARC tasks lie in"),
            ({"data/training/../../a.json": GOOD}, "ARC tasks lie in"),
            ({"data\\training\\a.json": GOOD}, "ARC tasks lie in|holds no ARC task"),
            ({"data/training/deep/a.json": GOOD}, "ARC tasks lie in"),
            ({"data/training/\n.json": GOOD}, "ARC tasks lie in"),
            ({"corpus/x.json": GOOD}, "ARC tasks lie in"),
            ({"data/training/a.json": GOOD, "data/evaluation/a.json": GOOD}, "holds two tasks named a"),
            ({"data/training/a.json": " " * 1_048_577}, "has 1,048,577 bytes; a task has at most 1,048,576"),
            ({"data/training/a.json": "{"}, "data/training/a.json: this is not JSON"),
            ({"data/training/a.json": b"\xff\xfe\x00"}, "a.json: this is not JSON"),
            ({"data/training/a.json": "[" * 200_000}, "a.json: this is not JSON"),
            ({"data/training/a.json": "[]"}, "an ARC task is an object with 'train' and 'test'"),
            ({"data/training/a.json": {"train": []}}, "an ARC task is an object"),
            (
                {"data/training/a.json": GOOD | {"train": []}},
                "'train' must be a list of 1 to 100 pairs; this one is a list",
            ),
            (
                {"data/training/a.json": GOOD | {"test": {}}},
                "'test' must be a list of 1 to 100 pairs; this one is an obj",
            ),
            ({"data/training/a.json": GOOD | {"test": [3]}}, "test pair 1 must be an object with 'input' and 'output'"),
            ({"data/training/a.json": GOOD | {"test": [{"input": [[1]]}]}}, "test pair 1 must be an object"),
        ],
    )
    def test_a_mangled_archive_names_the_fault(self, tmp_path: Path, entries: dict, words: str) -> None:
        with pytest.raises(TaskError, match=words) as caught:
            read(packed(tmp_path, entries))
        assert "a.zip" in one_sentence(caught)

    @pytest.mark.parametrize(
        ("raw", "words"),
        [
            ([], "a grid is a list of 1 to 30 rows; this one is a list of 0"),
            ([[0]] * 31, "this one is a list of 31"),
            ([[0] * 31], "row 1 must be a list of 1 to 30 colors; it is a list of 31"),
            ([[]], "row 1 must be a list"),
            ([[0], "0"], 'row 2 must be a list of 1 to 30 colors; it is "0"'),
            ([[0, 1], [0]], "row 2 has 1 cells and row 1 has 2; make them equal"),
            ([[0, 10]], "row 1 holds 10; a color is a whole number from 0 to 9"),
            ([[-1]], "row 1 holds -1"),
            ([[1.0]], "row 1 holds 1.0"),
            ([[True]], "row 1 holds true"),
            ([[None]], "row 1 holds null"),
            ([["1"]], 'row 1 holds "1"'),
            ([[float("nan")]], "row 1 holds NaN"),
            ([["x" * 99]], r'row 1 holds "x{26}\.\.\.'),
            ([[[[1]]]], "row 1 holds a list of 1"),
            (7, "a grid is a list of 1 to 30 rows; this one is 7"),
        ],
    )
    def test_a_mangled_grid_names_the_place(self, tmp_path: Path, raw: object, words: str) -> None:
        broken = {**GOOD, "train": [*GOOD["train"], {"input": [[1]], "output": raw}]}
        with pytest.raises(TaskError, match=words) as caught:
            read(packed(tmp_path, {"data/training/0a.json": broken}))
        assert one_sentence(caught).startswith("a.zip: data/training/0a.json: train pair 2, output: ")

    def test_two_outputs_of_one_input_are_refused(self) -> None:
        twice = {"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[1]], "output": [[3]]}]}
        with pytest.raises(TaskError, match="pair 2 gives another output to an input that came before"):
            parse_task(json.dumps(twice), "x", True)

    def test_a_bomb_is_refused_before_it_is_opened(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = packed(tmp_path, {f"data/training/t{n}.json": " " * 1_000_000 for n in range(70)})
        assert path.stat().st_size < 200_000
        monkeypatch.setattr(zipfile.ZipFile, "open", None)
        with pytest.raises(TaskError, match="unpacks to 70,000,000 bytes; at most 67,108,864 are read"):
            read(path)

    def test_a_size_that_lies_does_not_help(self, tmp_path: Path) -> None:
        path = packed(tmp_path, {"data/training/a.json": " " * 30_000_000 + json.dumps(GOOD)})
        raw = path.read_bytes()
        size = (30_000_000 + len(json.dumps(GOOD))).to_bytes(4, "little")
        path.write_bytes(raw.replace(size, (1_000).to_bytes(4, "little")))
        with pytest.raises(TaskError) as caught:
            read(path)
        one_sentence(caught)

    def test_too_many_files_are_refused(self, tmp_path: Path) -> None:
        path = packed(tmp_path, {f"data/training/t{n}.json": "" for n in range(ENTRIES + 1)})
        with pytest.raises(TaskError, match="holds 10,001 JSON files; at most 10,000 are read"):
            read(path)

    def test_what_is_no_archive_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.zip"
        with pytest.raises(TaskError, match=r"cannot read .*No such file"):
            read(path)
        with pytest.raises(TaskError, match=r"holds no ARC task; its JSON files must lie in"):
            read(tmp_path)
        path.write_bytes(b"PK")
        with pytest.raises(TaskError, match=r"a\.zip is not a readable zip archive"):
            read(path)

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_a_method_that_may_ask_for_much_memory_is_refused(self, tmp_path: Path, method: int) -> None:
        with pytest.raises(TaskError, match=f"t.json is packed by method {method}; pack it by deflate"):
            read(packed(tmp_path, {"data/training/t.json": GOOD}, method))

    def test_an_encrypted_entry_is_refused(self, tmp_path: Path) -> None:
        path = packed(tmp_path, {"data/training/a.json": GOOD})
        raw = bytearray(path.read_bytes())
        raw[6] |= 1  # the flag in the local header and in the directory
        raw[raw.rindex(b"PK\x01\x02") + 8] |= 1
        path.write_bytes(bytes(raw))
        with pytest.raises(TaskError, match=r"a\.json is encrypted; pack it without a password") as caught:
            read(path)
        one_sentence(caught)


class TestMangled:
    """Ten thousand inputs that somebody or something broke: read rightly, or refused in one sentence."""

    def test_texts(self) -> None:
        dice = random.Random(0)
        task = ARC(ARCConfig(canvas=8))
        seeds = ["012/345", "[[0, 1], [2, 3]]", "0 1\n2 3", "[[0,1],\n[9,9]]", "11111111/22222222"]
        letters = '0123456789 /\n[],.-+eE"nulltrue{}:²٣\x00\u2028ö|'
        refused = []
        for _ in range(5_000):
            text = mangled(dice, dice.choice(seeds), letters)
            try:
                x = task.parse(text)
            except TaskError as error:
                refused.append(error)
                continue
            one = decode(x)
            assert one is not None
            digits = "".join(character for character in text if character in "0123456789")
            assert "".join(map(str, one.reshape(-1).tolist())) == digits
        assert 100 < len(refused) < 4_900
        held(refused)

    def test_json(self) -> None:
        dice = random.Random(1)
        text = json.dumps(GOOD)
        refused = []
        for _ in range(5_000):
            broken = mangled(dice, text, '0123456789,[]{}:"-.eEnulltrainputs \x00ö')
            try:
                arc_task = parse_task(broken, "x", True)
            except TaskError as error:
                refused.append(error)
                continue
            raw = json.loads(broken)
            for part, pairs in (("train", arc_task.demonstrations), ("test", arc_task.tests)):
                assert [[before.tolist(), after.tolist()] for before, after in pairs] == [
                    [pair["input"], pair["output"]] for pair in raw[part]
                ]
        assert 100 < len(refused) < 4_900
        held(refused)

    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    def test_archives(self, tmp_path: Path, method: int) -> None:
        dice = random.Random(2)
        whole = packed(tmp_path, {f"data/training/t{n}.json": GOOD for n in range(3)}, method).read_bytes()
        path = tmp_path / "broken.zip"
        right = parse_task(json.dumps(GOOD), "t0", True).pairs
        refused = []
        for _ in range(2_000):
            raw = bytearray(whole)
            for _ in range(dice.randint(1, 4)):
                at = dice.randrange(len(raw))
                kind = dice.randrange(4)
                if kind == 0:
                    raw[at] = dice.randrange(256)
                elif kind == 1:
                    del raw[at : at + dice.randint(1, 40)]
                elif kind == 2:
                    raw[at:at] = dice.randbytes(dice.randint(1, 8))
                else:
                    raw[at : at + 4] = dice.choice([b"\xff" * 4, b"\x00" * 4, b"\xff\xff\xff\x7f"])
            path.write_bytes(bytes(raw))
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)  # zipfile warns of two entries with one name
                    found = read(path)
            except TaskError as error:
                refused.append(error)
                continue
            for arc_task in found:  # what the checksums of the archive let through is whole
                for one, other in zip(arc_task.pairs, right, strict=True):
                    np.testing.assert_array_equal(np.concatenate(one), np.concatenate(other))
        assert len(refused) > 500
        held(refused)


def test_a_record_of_real_pairs_is_a_legal_rollout(practice: ARC, tmp_path: Path) -> None:
    puzzles = practice.puzzles("test").take([0, 1])
    goal = np.concatenate(puzzles.solutions)
    steps = np.stack([puzzles.x, goal], axis=1)[:, None]  # [puzzle, trajectory, step, position]
    verdict = practice.judge(puzzles, steps)
    record = rollout.make(
        practice.board,
        {"x": puzzles.x, "y": goal, "tokens": steps, "valid": verdict.valid, "conflict": verdict.conflict},
    )
    again = rollout.load(rollout.save(record, tmp_path / "arc.nc"))
    assert again["valid"].values.tolist() == [[[False, True]]] * 2
    assert rollout.board_of(again) == practice.board


def packed(folder: Path, entries: dict, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """An archive `a.zip` of entries: name -> text, bytes, or what becomes JSON."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content if isinstance(content, str | bytes) else json.dumps(content))
    path = folder / "a.zip"
    path.write_bytes(buffer.getvalue())
    return path


def mangled(dice: random.Random, text: str, letters: str) -> str:
    """The text after up to three characters were replaced, removed, put in, or doubled."""
    for _ in range(dice.randint(0, 3)):
        at = dice.randrange(len(text) + 1)
        kind = dice.randrange(4)
        if kind == 0:
            text = text[:at] + dice.choice(letters) + text[at + 1 :]
        elif kind == 1:
            text = text[:at] + text[at + dice.randint(1, 5) :]
        elif kind == 2:
            text = text[:at] + dice.choice(letters) * dice.choice([1, 1, 1, 40]) + text[at:]
        else:
            text = text[:at] + text[max(0, at - dice.randint(1, 30)) : at] + text[at:]
    return text
