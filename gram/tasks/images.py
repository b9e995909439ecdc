"""Handwritten digits: fill a blank picture, so that the pictures are distributed as the data. GRAM, Table 2 and Fig. 6.

Data: `digits`, the 1,797 pictures of 8 x 8 pixels that scikit-learn carries (UCI, Alpaydin & Kaynak 1998), or `mnist`,
28 x 28 (LeCun & Cortes), read from its four IDX files or Keras' `mnist.npz` (`gram.tasks.image_files`). A pixel is ink
where its gray, as a share of full ink, exceeds `threshold` (the paper: 0.5). A split is one blank puzzle whose
solutions are the pictures of that split; they are examples, not all there are, so `complete` is False. After
thresholding some pictures are equal: each is kept once, and a training picture that is also a test picture is left out
(45 of digits; 24 training and 1 test picture of MNIST).

A token stands for a square of `patch` x `patch` pixels: 0 pad (in a puzzle: blank), then 1 + the pixels, row by row,
read as a binary number. The paper has 14 x 14 tokens of 2 x 2 pixels and a vocabulary of 3 (pad, paper, ink): a
convolution encodes the four pixels of a patch, and each of them is decoded. But 2 x 2 binary pixels make only 16
patterns, and a linear convolution of them is a table of 16 vectors; so for the input nothing is lost by a token per
pattern, whose table is free. For the output, one choice among 16 patterns says more than four independent choices
between paper and ink: both diagonals can be likely without their mixtures being likely.

Left out: gray levels, labels as a condition (they are in `labels`, for measuring), and an exact solver.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gram.board import Board, Token
from gram.tasks.base import SPLITS, Puzzles, Split, Task, TaskError, Tokens, Verdict
from gram.tasks.digests import named
from gram.tasks.files import DataError
from gram.tasks.image_files import mnist_name, read_split
from gram.tasks.written import listed, one_puzzle

PAD = 0
SIDES = {"digits": 8, "mnist": 28}  # pixels
TITLES = {"digits": "handwritten digits, 8 x 8", "mnist": "MNIST, 28 x 28"}
_CORNERS = ("top left", "top right", "bottom left", "bottom right")


@dataclass(frozen=True)
class ImagesConfig:
    """Choices of the data.

    Attributes:
        dataset: `digits` (embedded) or `mnist` (files).
        threshold: a pixel is ink above this share of full ink.
        patch: side of the square of pixels that one token stands for, 1 or 2; 0 means the default, 1 for digits and 2
            for MNIST.
        train_max: at most N training pictures, the first ones; 0 means all.
        train_share, split_seed: the split of digits; MNIST has its own.
        given: share of the pictures of which, when they are trained on, a part is given: rows from one edge on, pixels
            anywhere, or ink alone. Held-out puzzles are blank all the same.
    """

    dataset: str = "digits"
    threshold: float = 0.5
    patch: int = 0
    train_max: int = 0
    train_share: float = 0.8
    split_seed: int = 0
    given: float = 0.0

    def __post_init__(self) -> None:
        if self.dataset not in SIDES:
            raise TaskError(f"unknown dataset {self.dataset!r}; known: {', '.join(SIDES)}")
        if not 0 <= self.threshold < 1:
            raise TaskError(f"threshold is {self.threshold}; it must lie in [0, 1), e.g. 0.5")
        if self.patch not in (0, 1, 2):
            raise TaskError(f"patch is {self.patch}; it must be 1 or 2 pixels, or 0 for the data set's default")
        if self.train_max < 0:
            raise TaskError(f"train_max is {self.train_max}; it must be 0 (all) or more")
        if not 0 < self.train_share < 1:
            raise TaskError(f"train_share is {self.train_share}; it must lie between 0 and 1")
        if self.split_seed < 0:
            raise TaskError(f"split_seed is {self.split_seed}; it must be at least 0")
        if not 0 <= self.given <= 1:
            raise TaskError(f"given is {self.given}; it is a share from 0 to 1")

    @property
    def square(self) -> int:
        """Side of a token's square in pixels."""
        return self.patch or (2 if self.dataset == "mnist" else 1)


class Images(Task):
    """Unconditional generation of binary pictures."""

    name: ClassVar[str] = "images"
    Config: ClassVar[type] = ImagesConfig

    def __init__(self, config: ImagesConfig) -> None:
        self.config = config
        self.board = board(config.dataset, config.square)

    @property
    def blank_puzzle(self) -> Tokens:
        return np.full(self.board.positions, PAD, dtype=np.uint8)

    def puzzles(self, split: Split) -> Puzzles:
        self._known_split(split)
        return Puzzles(self.blank_puzzle[None], (self.encode(self._all[split][0]),), complete=False)

    def labels(self, split: Split) -> NDArray[np.uint8]:
        """The digit [image] that each solution of the split shows, 0 to 9."""
        self._known_split(split)
        return self._all[split][1]

    def source(self) -> str:
        if self.config.dataset == "digits":
            return "embedded: the 1,797 handwritten digits of 8 x 8 pixels in scikit-learn (UCI)"
        names = (mnist_name(split, kind) for split in SPLITS for kind in ("images", "labels"))
        return f"files: {', '.join(map(named, names))}"

    @cached_property
    def _all(self) -> dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        """Pixels [image, row, column] and labels [image] of each split."""
        return self._embedded() if self.config.dataset == "digits" else self._from_files()

    def _embedded(self) -> dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        gray, labels = _digits()
        ink = (gray / 16 > self.config.threshold).view(np.uint8)
        once = np.array(_once(ink, set()))
        order = once[np.random.default_rng(self.config.split_seed).permutation(len(once))]
        cut = round(self.config.train_share * len(order))
        if not 0 < cut < len(order):
            raise TaskError(
                f"train_share {self.config.train_share} leaves a split of {len(order)} pictures empty; choose e.g. 0.8"
            )
        train, test = np.sort(order[:cut])[: self.config.train_max or None], np.sort(order[cut:])
        return {"train": (ink[train], labels[train]), "test": (ink[test], labels[test])}

    def _from_files(self) -> dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
        found = {}
        held_out: set[bytes] = set()
        for split in ("test", "train"):
            gray, labels = read_split(split)
            if len(gray) != len(labels):
                raise DataError(
                    f"MNIST's {split} files hold {len(gray):,} pictures and {len(labels):,} labels; replace them"
                )
            ink = (gray > 255 * self.config.threshold).view(np.uint8)
            rows = _once(ink, held_out)
            if split == "test":
                held_out = set(_keys(ink))
            else:
                rows = rows[: self.config.train_max or None]
            if not rows:
                raise DataError("MNIST's training file holds no picture that is not a test picture too; replace it")
            found[split] = ink[rows], labels[rows]
        return found

    def pixels(self, tokens: NDArray[np.integer]) -> NDArray[np.uint8]:
        """The pixels [..., row, column], 1 for ink, of pictures [..., position]; a blank patch is paper."""
        square, leading = self.config.square, tokens.shape[:-1]
        bits = np.array(
            [[int(bit) for bit in token.symbol or "0" * square**2] for token in self.board.tokens], np.uint8
        )
        patches = bits[tokens].reshape(*leading, self.board.height, self.board.width, square, square)
        return patches.swapaxes(-3, -2).reshape(*leading, self.board.height * square, self.board.width * square)

    def encode(self, pixels: NDArray[np.generic]) -> Tokens:
        """The tokens [..., position] of pictures [..., row, column] whose pixels are 0 or 1; undoes `pixels`."""
        square, side = self.config.square, SIDES[self.config.dataset]
        if pixels.shape[-2:] != (side, side):
            raise TaskError(f"the pictures have shape {pixels.shape}; this board needs {side} rows of {side} pixels")
        leading = pixels.shape[:-2]
        patches = pixels.reshape(*leading, self.board.height, square, self.board.width, square).swapaxes(-3, -2)
        flat = patches.reshape(*leading, self.board.positions, square * square).astype(np.uint8)
        tokens = np.ones(flat.shape[:-1], dtype=np.uint8)
        for at in range(square * square):
            tokens += flat[..., at] << (square * square - 1 - at)
        return tokens

    def augment(self, x: Tokens, y: Tokens, rng: np.random.Generator) -> tuple[Tokens, Tokens]:
        """A part of some pictures given: of each half of its rows, of its pixels, or of its ink, at the most."""
        if not self.config.given:
            return x, y
        rows, size = len(x), self.board.height
        share = rng.random((rows, 1)) / 2
        down = np.arange(self.board.positions) // size
        band = np.where(rng.random((rows, 1)) < 0.5, down, size - 1 - down) < share * size
        spread = rng.random(x.shape) < share
        kind = rng.integers(3, size=(rows, 1))
        shown = np.where(kind == 0, band, spread & ((kind == 1) | (y == len(self.board.tokens) - 1)))
        shown &= rng.random((rows, 1)) < self.config.given
        return np.where(shown, y, x).astype(x.dtype), y

    def parse(self, text: str) -> Tokens:
        side, square = SIDES[self.config.dataset], self.config.square
        lines = listed(one_puzzle(text)).replace("/", "\n").splitlines()
        rows = [row for row in (re.sub(r"[\s,\[\]()\"']", "", line) for line in lines) if row]
        if len(rows) != side or any(len(row) != side for row in rows):
            sizes = sorted({len(row) for row in rows})
            text = f"{len(rows)} rows of {sizes[0]}" + (f" to {sizes[-1]}" if len(sizes) > 1 else "") if rows else "no"
            raise TaskError(f"the picture has {text} characters; this board needs {side} rows of {side}")
        meanings = {"#": 1, "1": 1, ".": 0, "0": 0, "-": 0, "?": 2}
        for at, row in enumerate(rows, 1):
            for character in row:
                if character not in meanings:
                    raise TaskError(f"row {at} holds {character!r}; write # for ink, . for paper and ? for not given")
        drawn = np.array([[meanings[character] for character in row] for row in rows])
        patches = drawn.reshape(self.board.height, square, self.board.width, square).swapaxes(1, 2)
        unknown = (patches == 2).reshape(self.board.positions, -1)
        partly = np.flatnonzero(unknown.any(1) & ~unknown.all(1))
        if len(partly):
            where = self.board.place(int(partly[0]))
            raise TaskError(
                f"the patch at {where} has given pixels and ?; a token is {square} x {square} pixels, give all or none"
            )
        return np.where(unknown.all(1), PAD, self.encode(drawn == 1)).astype(np.uint8)

    def text(self, tokens: Tokens) -> str:
        """The picture [position] as rows of `#` for ink, `.` for paper and `?` for what is blank."""
        square = self.config.square
        blank = (tokens == PAD).reshape(self.board.height, self.board.width)
        drawn = np.where(blank.repeat(square, 0).repeat(square, 1), "?", np.array([".", "#"])[self.pixels(tokens)])
        return "\n".join("".join(row) for row in drawn)

    def check(self, x: Tokens, tokens: Tokens) -> Verdict:
        """Any picture is an answer: valid where no patch is left blank and the given ones are kept."""
        keeps = ((tokens == x) | ~self.board.given(x)).all(-1)
        return Verdict((tokens != PAD).all(-1) & keeps, np.zeros(np.broadcast_shapes(tokens.shape, x.shape), bool))


def board(dataset: str, square: int) -> Board:
    """The board of a data set whose tokens stand for `square` x `square` pixels."""
    side = SIDES[dataset] // square
    symbols = [format(pattern, f"0{square * square}b") for pattern in range(1 << square * square)]
    return Board(
        task="images",
        title=TITLES[dataset],
        kind="image",
        height=side,
        width=side,
        tokens=(Token("blank"), *(Token(_label(symbol), symbol, "pixel") for symbol in symbols)),
        blank=(PAD,),
        patch=square,
    )


def _label(symbol: str) -> str:
    if len(set(symbol)) == 1:
        return "ink" if "1" in symbol else "paper"
    return f"ink {', '.join(corner for corner, bit in zip(_CORNERS, symbol, strict=True) if bit == '1')}"


def _digits() -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """scikit-learn's grays [image, row, column], 0 to 16, and labels [image]."""
    from sklearn.datasets import load_digits  # a second to import, and only this data set needs it

    found = load_digits()
    return found.images, found.target.astype(np.uint8)


def _keys(ink: NDArray[np.generic]) -> list[bytes]:
    """One short text of bytes per picture [image, row, column]; equal pictures have equal texts."""
    return [row.tobytes() for row in np.packbits(ink.reshape(len(ink), -1).astype(bool), axis=1)]


def _once(ink: NDArray[np.generic], without: set[bytes]) -> list[int]:
    """The rows of the pictures [image, row, column] that are not among `without` and equal none before them."""
    seen, rows = set(without), []
    for row, key in enumerate(_keys(ink)):
        if key not in seen:
            seen.add(key)
            rows.append(row)
    return rows
