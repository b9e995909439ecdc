"""The task of generating pictures: its tokens, its texts, its files, and what mangled ones do."""

from __future__ import annotations

import gzip
import os
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from full import tries

from gram.board import Board
from gram.config import ConfigError
from gram.tasks.base import SPLITS, TaskError
from gram.tasks.files import DataError
from gram.tasks.image_files import read_images, read_labels
from gram.tasks.images import PAD, Images, ImagesConfig

GIVEN = os.environ.get("GRAM_DATA")
Write = Callable[..., Path]


@pytest.fixture(scope="module", params=[1, 2])
def digits(request: pytest.FixtureRequest) -> Images:
    return Images(ImagesConfig(patch=request.param))


class TestDigits:
    @pytest.mark.parametrize("split", SPLITS)
    def test_a_split_is_one_blank_puzzle_whose_solutions_are_its_pictures(self, digits: Images, split: Any) -> None:
        puzzles = digits.puzzles(split)
        assert puzzles.x.shape == (1, digits.board.positions)
        assert not puzzles.x.any()
        assert not puzzles.complete
        found = puzzles.solutions[0]
        assert found.dtype == np.uint8
        assert found.min() > PAD
        assert found.max() < len(digits.board.tokens)
        verdict = digits.check(puzzles.x[0], found)
        assert verdict.valid.all()
        assert not verdict.conflict.any()
        assert digits.labels(split).shape == (len(found),)
        assert set(digits.labels(split).tolist()) == set(range(10))

    def test_no_picture_stands_twice_nor_in_both_splits(self, digits: Images) -> None:
        both = np.concatenate([digits.puzzles(split).solutions[0] for split in SPLITS])
        assert len(np.unique(both, axis=0)) == len(both) == 1_752

    def test_the_labels_belong_to_the_pictures(self) -> None:
        from sklearn.datasets import load_digits

        known = load_digits()
        label = {(gray > 8).tobytes(): int(digit) for gray, digit in zip(known.images, known.target, strict=True)}
        task = Images(ImagesConfig())
        for split in SPLITS:
            pixels = task.pixels(task.puzzles(split).solutions[0]).astype(bool)
            assert [label[picture.tobytes()] for picture in pixels] == task.labels(split).tolist()

    def test_equal_configurations_give_equal_data_and_another_seed_another_split(self) -> None:
        one, again, other = (Images(ImagesConfig(split_seed=seed)) for seed in (0, 0, 1))
        for split in SPLITS:
            np.testing.assert_array_equal(one.puzzles(split).solutions[0], again.puzzles(split).solutions[0])
        assert one.puzzles("test").solutions[0].tobytes() != other.puzzles("test").solutions[0].tobytes()

    def test_train_max_keeps_the_first_and_leaves_the_test_pictures_alone(self) -> None:
        few, all_of_them = Images(ImagesConfig(train_max=50)), Images(ImagesConfig())
        np.testing.assert_array_equal(few.puzzles("train").solutions[0], all_of_them.puzzles("train").solutions[0][:50])
        np.testing.assert_array_equal(few.labels("train"), all_of_them.labels("train")[:50])
        np.testing.assert_array_equal(few.puzzles("test").solutions[0], all_of_them.puzzles("test").solutions[0])

    def test_a_higher_threshold_leaves_less_ink(self) -> None:
        ink = [
            Images(ImagesConfig(threshold=at)).pixels(Images(ImagesConfig(threshold=at)).puzzles("train").solutions[0])
            for at in (0.0, 0.5, 0.9)
        ]
        assert ink[0].mean() > ink[1].mean() > ink[2].mean() > 0


class TestTokens:
    def test_a_token_is_its_pixels_row_by_row(self) -> None:
        task = Images(ImagesConfig(patch=2))
        for token, meaning in enumerate(task.board.tokens[1:], 1):
            tokens = np.ones(16, dtype=np.uint8)
            tokens[0] = token
            pixels = task.pixels(tokens)
            assert "".join(map(str, pixels[:2, :2].reshape(-1))) == meaning.symbol
            assert pixels.sum() == meaning.symbol.count("1")
        assert task.board.tokens[0b0110 + 1].symbol == "0110"
        assert task.board.tokens[0b0110 + 1].label == "ink top right, bottom left"
        assert len({token.label for token in task.board.tokens}) == 17

    @pytest.mark.parametrize(("dataset", "patch", "positions", "vocabulary"), [
        ("digits", 0, 64, 3), ("digits", 2, 16, 17), ("mnist", 0, 196, 17), ("mnist", 1, 784, 3),
    ])  # fmt: skip
    def test_the_board_has_the_sizes_of_its_data(
        self, dataset: str, patch: int, positions: int, vocabulary: int
    ) -> None:
        board = Images(ImagesConfig(dataset, patch=patch)).board
        assert (board.positions, len(board.tokens), board.kind) == (positions, vocabulary, "image")
        assert Board.from_json(board.to_json()) == board

    def test_pixels_and_encode_undo_each_other(self, digits: Images) -> None:
        rng = np.random.default_rng(0)
        pixels = rng.integers(2, size=(3, 5, 8, 8)).astype(np.uint8)
        np.testing.assert_array_equal(digits.pixels(digits.encode(pixels)), pixels)
        np.testing.assert_array_equal(digits.encode(pixels.astype(bool)), digits.encode(pixels))
        tokens = rng.integers(1, len(digits.board.tokens), size=(7, digits.board.positions)).astype(np.uint8)
        np.testing.assert_array_equal(digits.encode(digits.pixels(tokens)), tokens)

    def test_a_blank_patch_is_paper(self, digits: Images) -> None:
        assert not digits.pixels(digits.puzzles("train").x).any()

    def test_pictures_of_another_size_are_refused(self, digits: Images) -> None:
        with pytest.raises(TaskError, match="this board needs 8 rows of 8 pixels"):
            digits.encode(np.zeros((2, 28, 28), np.uint8))

    def test_an_answer_is_valid_without_blanks_and_with_what_was_given(self, digits: Images) -> None:
        answer = digits.puzzles("test").solutions[0][0]
        x = np.where(np.arange(digits.board.positions) < 5, answer, PAD).astype(np.uint8)
        other = answer.copy()
        other[0] = answer[0] % (len(digits.board.tokens) - 1) + 1
        holed = answer.copy()
        holed[-1] = PAD
        verdict = digits.check(x, np.stack([answer, other, holed, x]))
        assert verdict.valid.tolist() == [True, False, False, False]
        assert verdict.conflict.shape == (4, digits.board.positions)
        assert digits.check(x[None, None], np.stack([answer, other])[None]).valid.shape == (1, 2)

    def test_what_is_given_of_a_picture_in_training_is_of_that_picture(self, digits: Images) -> None:
        """As often as `given` says; never all of it; and with the ink alone, of a third of these, only ink."""
        task = Images(ImagesConfig(patch=1, given=0.5))
        y = task.puzzles("train").pairs()[1]
        x, same = task.augment(np.tile(task.blank_puzzle, (len(y), 1)), y, np.random.default_rng(0))
        shown = x != PAD
        assert (same == y).all()
        assert (x[shown] == y[shown]).all()
        assert 0.35 < shown.any(1).mean() < 0.5  # of some that are chosen nothing is shown
        assert shown.mean(1).max() < 0.8
        ink_alone = (y[shown.any(1)][:, :] == 2) | ~shown[shown.any(1)]
        assert 0.2 < ink_alone.all(1).mean() < 0.5
        assert digits.augment(x, y, np.random.default_rng(0))[0] is x

    def test_there_is_no_solver(self, digits: Images) -> None:
        with pytest.raises(TaskError, match="images has no exact solver"):
            digits.solve(digits.puzzles("test").x[0])


class TestTexts:
    def test_a_picture_written_as_text_is_read_back(self, digits: Images) -> None:
        for tokens in (digits.puzzles("train").x[0], *digits.puzzles("test").solutions[0][:50]):
            text = digits.text(tokens)
            assert [len(row) for row in text.splitlines()] == [8] * 8
            np.testing.assert_array_equal(digits.parse(text), tokens)
            np.testing.assert_array_equal(digits.parse(text.replace("\n", "/")), tokens)

    def test_a_picture_may_be_given_in_part(self, digits: Images) -> None:
        tokens = digits.parse("##....../........" + "/????????" * 6)
        assert digits.board.given(tokens).sum() == (16 if digits.config.square == 1 else 4)
        assert digits.text(tokens).startswith("##......\n........\n????????")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "the picture has no characters; this board needs 8 rows of 8"),
            ("##\n##", "the picture has 2 rows of 2 characters"),
            ("########\n#", "the picture has 2 rows of 1 to 8 characters"),
            ("/".join(["........"] * 7 + ["...x...."]), "row 8 holds 'x'; write # for ink, . for paper"),
        ],
    )
    def test_a_text_that_is_no_picture_says_what_is_wrong(self, digits: Images, text: str, words: str) -> None:
        with pytest.raises(TaskError, match=words) as caught:
            digits.parse(text)
        assert "\n" not in str(caught.value)

    def test_a_patch_that_is_given_in_part_is_refused(self) -> None:
        with pytest.raises(TaskError, match=r"the patch at row 1, column 4 has given pixels and \?"):
            Images(ImagesConfig(patch=2)).parse("/".join([".......?"] + ["........"] * 7))

    def test_mangled_texts_end_in_an_error_or_a_picture(self, digits: Images) -> None:
        rng = np.random.default_rng(1)
        good = digits.text(digits.puzzles("test").solutions[0][0])
        read = 0
        trials = tries(1_000, 10_000)
        for _ in range(trials):
            characters = list(good)
            for _ in range(int(rng.integers(1, 4))):
                at = int(rng.integers(len(characters)))
                match rng.integers(3):
                    case 0:
                        characters[at] = str(rng.choice(list("#.?01-/ Q\u2603\n\0")))
                    case 1:
                        del characters[at]
                    case _:
                        characters.insert(at, str(rng.choice(list("#.?/\n ö"))))
            try:
                tokens = digits.parse("".join(characters))
            except TaskError:
                continue
            read += 1
            np.testing.assert_array_equal(digits.parse(digits.text(tokens)), tokens)
        assert read > trials / 100


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dataset": "emnist"}, "unknown dataset 'emnist'; known: digits, mnist"),
        ({"threshold": 1.0}, r"threshold is 1.0; it must lie in \[0, 1\)"),
        ({"threshold": -0.1}, "threshold is -0.1"),
        ({"patch": 3}, "patch is 3; it must be 1 or 2 pixels"),
        ({"train_max": -1}, "train_max is -1"),
        ({"train_share": 1.0}, "train_share is 1.0"),
        ({"split_seed": -1}, "split_seed is -1"),
    ],
)
def test_an_impossible_choice_of_data_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(TaskError, match=words):
        ImagesConfig(**changes)


def test_a_share_that_leaves_a_split_empty_is_refused() -> None:
    for share in (1e-5, 1 - 1e-5):
        with pytest.raises(TaskError, match="leaves a split of 1752 pictures empty"):
            Images(ImagesConfig(train_share=share)).puzzles("test")


def test_its_configuration_survives_json(monkeypatch: pytest.MonkeyPatch) -> None:
    from gram.config import RunConfig
    from gram.tasks import TASKS

    monkeypatch.setitem(TASKS, "images", Images)
    config = RunConfig(task=ImagesConfig("mnist", threshold=0.25, patch=1, train_max=7))
    assert RunConfig.from_json(config.to_json()) == config
    with pytest.raises(ConfigError, match=r"did you mean 'task\.patch'"):
        config.override(["task.patsh=2"])


# ----------------------------------------------------------------------------------------------------------- IDX files
def _idx(magic: int, *sizes: int, content: bytes) -> bytes:
    return gzip.compress(struct.pack(f">{1 + len(sizes)}I", magic, *sizes) + content, mtime=0)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a small MNIST into `$GRAM_DATA`, with files replaced by others."""
    monkeypatch.setenv("GRAM_DATA", str(tmp_path))
    monkeypatch.setenv("GRAM_CACHE", str(tmp_path / "cache"))

    def make(**others: bytes) -> Path:
        (tmp_path / "mnist").mkdir(exist_ok=True)
        rng = np.random.default_rng(0)
        for name, count in (("train", 30), ("t10k", 10)):
            pixels, labels = rng.integers(256, size=(count, 784)), np.arange(count) % 10
            images = _idx(2051, count, 28, 28, content=pixels.astype(np.uint8).tobytes())
            files = {f"{name}_images": images, f"{name}_labels": _idx(2049, count, content=bytes(labels.tolist()))}
            for key, content in (files | {k: v for k, v in others.items() if k in files}).items():
                kind = key.split("_")[1]
                (tmp_path / "mnist" / f"{name}-{kind}-idx{3 if kind == 'images' else 1}-ubyte.gz").write_bytes(content)
        return tmp_path

    return make


class TestFiles:
    def test_a_small_mnist_is_read_to_the_bit(self, write: Write) -> None:
        write()
        task = Images(ImagesConfig("mnist"))
        gray = np.random.default_rng(0).integers(256, size=(30, 784)).reshape(30, 28, 28)
        np.testing.assert_array_equal(task.pixels(task.puzzles("train").solutions[0]), gray > 127.5)
        assert task.labels("train").tolist() == [*range(10)] * 3
        assert len(task.puzzles("test").solutions[0]) == 10
        assert task.source().startswith("files: your file mnist/train-images-idx3-ubyte.gz (sha256 ")

    def test_equal_pictures_are_kept_once_and_test_pictures_not_trained_on(self, write: Write) -> None:
        test = np.random.default_rng(5).integers(256, size=(3, 784)).astype(np.uint8)
        train = np.concatenate([test[:1], 255 - test[:1], 255 - test[:1], 255 - test[1:2]])
        write(
            t10k_images=_idx(2051, 4, 28, 28, content=np.concatenate([test, test[:1]]).tobytes()),
            t10k_labels=_idx(2049, 4, content=b"\1\2\3\4"),
            train_images=_idx(2051, 4, 28, 28, content=train.tobytes()),
            train_labels=_idx(2049, 4, content=b"\5\6\7\x08"),
        )
        task = Images(ImagesConfig("mnist"))
        assert task.labels("test").tolist() == [1, 2, 3]
        assert task.labels("train").tolist() == [6, 8]
        assert Images(ImagesConfig("mnist", train_max=1)).labels("train").tolist() == [6]

    def test_a_missing_file_says_how_to_get_it(self, write: Write) -> None:
        (write() / "mnist" / "train-labels-idx1-ubyte.gz").unlink()
        with pytest.raises(DataError, match=r"there is no mnist/train-labels-idx1-ubyte\.gz") as caught:
            Images(ImagesConfig("mnist")).puzzles("train")
        assert caught.value.missing == "mnist/train-labels-idx1-ubyte.gz"

    @pytest.mark.parametrize(
        ("others", "words"),
        [
            ({"train_images": b"\x1f\x8b no gzip"}, "is not a readable gzip file"),
            ({"train_images": b"no pictures, but some text"}, "begins with 1852776560; an IDX file"),
            ({"train_images": b""}, "ends within its IDX header"),
            ({"train_images": gzip.compress(b"\0\0")}, "ends within its IDX header"),
            ({"train_images": _idx(2049, 30, content=b"")}, "ends within its IDX header"),
            ({"train_images": _idx(2050, 1, 28, 28, content=bytes(784))}, "begins with 2050; .* begins with 2051"),
            ({"train_images": _idx(2051, 1, 27, 28, content=bytes(756))}, "is of size 1 x 27 x 28; allowed are 1 to"),
            ({"train_images": _idx(2051, 0, 28, 28, content=b"")}, "is of size 0 x 28 x 28"),
            ({"train_images": _idx(2051, 2**32 - 1, 28, 28, content=b"")}, "is of size 4294967295 x 28 x 28"),
            ({"train_images": _idx(2051, 2, 28, 28, content=bytes(1567))}, "holds fewer bytes than the 2 entries"),
            ({"train_images": _idx(2051, 1, 28, 28, content=bytes(785))}, "holds more bytes than the 1 entries"),
            ({"train_labels": _idx(2049, 30, content=bytes([10] * 30))}, "holds the label 10; MNIST's are 0 to 9"),
            ({"train_labels": _idx(2049, 31, content=bytes(31))}, "hold 30 pictures and 31 labels"),
        ],
    )
    def test_a_damaged_file_says_what_is_wrong(self, write: Write, others: dict[str, bytes], words: str) -> None:
        write(**others)
        with pytest.raises(DataError, match=words) as caught:
            Images(ImagesConfig("mnist")).puzzles("train")
        assert "\n" not in str(caught.value)

    def test_a_file_that_unpacks_to_much_more_is_not_held(self, tmp_path: Path) -> None:
        path = tmp_path / "bomb.gz"
        path.write_bytes(_idx(2051, 1, 28, 28, content=bytes(50_000_000)))
        tracemalloc.start()
        with pytest.raises(DataError, match="holds more bytes"):
            read_images(path)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
        tracemalloc.stop()

    def test_mangled_files_end_in_an_error_or_a_right_reading(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(2)
        labels = struct.pack(">2I", 2049, 40) + bytes(rng.integers(10, size=40).tolist())
        pixels = struct.pack(">4I", 2051, 2, 28, 28) + rng.bytes(2 * 784)
        path = tmp_path / "mangled.gz"
        read = 0
        trials = tries(1_000, 10_000)
        for turn in range(trials):
            plain, reader = (labels, read_labels) if turn % 2 else (pixels, read_images)
            inside = bool(rng.integers(2))  # the content, or its gzip wrapping
            content = bytearray(plain if inside else gzip.compress(plain, 1, mtime=0))
            for _ in range(int(rng.integers(1, 4))):
                at = int(rng.integers(min(len(content), 24) if rng.integers(2) else len(content)))
                match rng.integers(4):
                    case 0:
                        content[at] = int(rng.integers(256))
                    case 1:
                        del content[at : at + int(rng.integers(1, 9))]
                    case 2:
                        content[at:at] = rng.bytes(int(rng.integers(1, 9)))
                    case _:
                        del content[at:]
                if not content:
                    break
            path.write_bytes(gzip.compress(bytes(content), 1, mtime=0) if inside else bytes(content))
            try:
                found = reader(path)
            except DataError:
                continue
            read += 1
            header = 8 if reader is read_labels else 16
            assert found.tobytes() == gzip.decompress(path.read_bytes())[header:]
            assert found.shape[1:] == (() if reader is read_labels else (28, 28))
        assert read > trials / 100


@pytest.fixture(scope="module")
def mnist() -> Images:
    return Images(ImagesConfig("mnist"))


@pytest.mark.skipif(not GIVEN and not os.environ.get("CI"), reason="GRAM_DATA is not set")
class TestMNIST:
    def test_it_has_the_known_sizes_less_the_equal_pictures(self, mnist: Images) -> None:
        assert [len(mnist.puzzles(split).solutions[0]) for split in SPLITS] == [59_976, 9_999]
        assert np.bincount(mnist.labels("test")).tolist() == [980, 1134, 1032, 1010, 982, 892, 958, 1028, 974, 1009]

    def test_every_pattern_of_a_patch_occurs(self, mnist: Images) -> None:
        assert np.unique(mnist.puzzles("train").solutions[0]).tolist() == list(range(1, 17))

    def test_its_first_test_picture_is_a_seven(self, mnist: Images) -> None:
        assert mnist.labels("test")[0] == 7
        rows = mnist.text(mnist.puzzles("test").solutions[0][0]).splitlines()
        assert "######" in rows[8]
        assert rows[0] == "." * 28
