"""ARC: find the rule that a few pairs of colored grids share, and apply it. GRAM, Section 5.1 and Table 8.

Data: ARC-AGI-1, ARC-AGI-2 and ConceptARC from their official JSON (`arc_files.py`), or small ARC tasks of our own
(`arc_practice.py`). The protocol is HRM's and TRM's: a model sees no demonstrations beside its input but learns them,
with a few vectors for each ARC task (its puzzle embedding, `Puzzles.identifier`). So the training split holds the
demonstrations of every task, evaluation ones included, and the tests of the training ones; the test split holds the
tests of the evaluation ones.

Augmentation (`arc_grids.py`): a changed task is another rule, so it has an identifier of its own: task x
(augmentations + 1) + version, version 0 unchanged. A task that the canvas cannot hold, or that has fewer different
versions, leaves its identifiers unused, so a number means the same rule at every canvas. The versions are made once, in
`puzzles("train")`; `augment` only moves a pair on its canvas, which changes no rule.

No rule can judge an answer: it is right if its grid is the known one. `judge` compares with the solutions beside the
puzzles, `check` with those of the same input in the data. The grid is read as HRM and TRM read it: the largest
rectangle of colors at the corner where the grid belongs; the end markers need not be there.

ARC-AGI-2's training tasks hold 391 of ARC-AGI-1's training tasks and 376 of its evaluation tasks, so what was trained
on one must not be measured on the other. Left out: test-time training, and synthetic data such as re-arc.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gram.board import Board, Token
from gram.bounded import parse_json
from gram.tasks import arc_practice
from gram.tasks import files as data
from gram.tasks.arc_files import SIDE, ArcTask, Grid, Pair, read, read_grid
from gram.tasks.arc_grids import (
    END,
    PAD,
    Augmentation,
    augmentations,
    changed,
    corner,
    decode,
    encode,
    shifted,
    sizes,
    tidy,
)
from gram.tasks.base import Puzzles, Split, Task, TaskError, Tokens, Verdict
from gram.tasks.digests import named

COLORS = ("black", "blue", "red", "green", "yellow", "gray", "magenta", "orange", "azure", "maroon")  # ARC's palette
STAYS = 0.25  # share of the drawn pairs that `augment` leaves in the corner; HRM leaves one pair of each task
LARGEST = 4 * 2**30  # bytes of a split that is made


@dataclass(frozen=True)
class _Official:
    """A published data set: its name, its ARC tasks for training and evaluation, and its origin."""

    title: str
    training: int
    evaluation: int
    origin: str


OFFICIAL = {
    "arc-agi-1": _Official("ARC-AGI-1", 400, 400, "fchollet/ARC-AGI, Apache-2.0"),
    "arc-agi-2": _Official("ARC-AGI-2", 1_000, 120, "arcprize/ARC-AGI-2, Apache-2.0"),
    "conceptarc": _Official("ConceptARC", 16, 160, "victorvikram/ConceptARC, MIT"),
}
DATASETS = ("practice", *OFFICIAL)


@dataclass(frozen=True)
class ARCConfig:
    """Choices of the data.

    Attributes:
        dataset: `practice`, or the official data set that is read from its archive.
        canvas: rows and columns of the canvas; tasks with a larger grid are left out.
        augmentations: versions of each task beside itself that are trained on; HRM and TRM take 1,000.
        translate: whether `augment` moves the grids about on the canvas.
        seed: of the augmentations, and of the practice grids.
        tasks, demonstrations, tests: size of the practice set, and pairs of each of its tasks.
    """

    dataset: str = "practice"
    canvas: int = SIDE
    augmentations: int = 0
    translate: bool = True
    seed: int = 0
    tasks: int = 32
    demonstrations: int = 16
    tests: int = 2

    def __post_init__(self) -> None:
        if self.dataset not in DATASETS:
            raise TaskError(f"dataset is {self.dataset!r}; known: {', '.join(DATASETS)}")
        most = sum(len(rule.parameters) for rule in arc_practice.RULES.values())
        for name, low, high in (
            ("canvas", 6, SIDE), ("augmentations", 0, 1_000), ("seed", 0, 2**63 - 1), ("tasks", 1, most),
            ("demonstrations", 1, 1_000), ("tests", 1, 100),
        ):  # fmt: skip
            value = getattr(self, name)
            if not low <= value <= high:
                raise TaskError(f"{name} is {value}; it must be a whole number from {low} to {high}")


class ARC(Task):
    """The Abstraction and Reasoning Corpus, and practice for it."""

    name: ClassVar[str] = "arc"
    Config: ClassVar[type] = ARCConfig
    ruled: ClassVar[bool] = False

    def __init__(self, config: ARCConfig) -> None:
        self.config = config
        self.board = board(
            config.canvas, OFFICIAL[config.dataset].title if config.dataset in OFFICIAL else "ARC practice"
        )
        official = OFFICIAL.get(config.dataset)
        count = official.training + official.evaluation if official else config.tasks
        self.identifiers = count * (config.augmentations + 1)  # known before any file is read

    def puzzles(self, split: Split) -> Puzzles:
        self._known_split(split)
        return self._train if split == "train" else self.versions(0)[0]

    def versions(self, augmentations: int | None = None) -> tuple[Puzzles, NDArray[np.int64]]:
        """The test split under the first of its tasks' versions, and for each row the number of its test puzzle.

        Args:
            augmentations: versions of each task beside itself; default: all that were trained on.
        """
        most = self.config.augmentations if augmentations is None else augmentations
        if not 0 <= most <= self.config.augmentations:
            raise TaskError(f"augmentations is {most}; this configuration has 0 to {self.config.augmentations}")
        tested = [(at, arc_task.tests) for at, arc_task in self._fitting if not arc_task.training]
        first = np.cumsum([0, *(len(pairs) for _, pairs in tested)])
        puzzles, of = self._encoded(tested, most)
        return puzzles, of[:, 0] + first[of[:, 1]]

    def attempts(
        self, puzzles: Puzzles, of: NDArray[np.integer], tokens: Tokens, value: NDArray[np.floating] | None = None,
        count: int = 2,
    ) -> list[list[Grid]]:  # fmt: skip
        """At most `count` grids per test puzzle: the answers to all its versions, changed back, then put to the vote.

        An answer that cannot be read is no vote; TRM counts it as an empty grid, which can only waste an attempt.

        Args:
            puzzles, of: as `versions` gives them.
            tokens: [row, trajectory, position] answers.
            value: [row, trajectory] how much each is worth where votes are equal.
        """
        ballots: list[list[tuple[Grid, float]]] = [[] for _ in range(int(of.max()) + 1)]
        assert puzzles.identifier is not None
        for row, identifier in enumerate(puzzles.identifier.tolist()):
            at, which = divmod(identifier, self.config.augmentations + 1)
            version = self._versions(at)[which]
            for trajectory, answer in enumerate(tokens[row]):
                grid = decode(answer)
                if grid is not None:
                    worth = 0.0 if value is None else float(value[row, trajectory])
                    ballots[of[row]].append((version.invert(grid), worth))
        return [vote([grid for grid, _ in cast], [worth for _, worth in cast], count) for cast in ballots]

    def parse(self, text: str) -> Tokens:
        """The canvas of a grid, written as rows of digits (lines, or separated by /) or as a JSON list of lists."""
        text = text.strip()
        if text.startswith("["):
            try:
                raw = parse_json(text)
            except ValueError:
                raise TaskError("the grid begins like JSON but is none; write e.g. [[0, 1], [2, 0]]") from None
            return encode(read_grid(raw, "the grid"), self.config.canvas)
        rows = ["".join(row.split()) for row in text.replace("/", "\n").splitlines()]
        if not any(rows):
            raise TaskError("the grid has no rows; write rows of digits 0 to 9, or a JSON list of lists")
        for at, row in enumerate(rows, 1):
            for character in row:
                if character not in "0123456789":
                    raise TaskError(f"row {at} holds {character!r}; write rows of digits, each the number of a color")
            if len(row) != len(rows[0]) or not row:
                raise TaskError(f"row {at} has {len(row)} cells and row 1 has {len(rows[0])}; make them equal")
        if max(len(rows), len(rows[0])) > SIDE:
            raise TaskError(f"the grid is {len(rows)} x {len(rows[0])}; a grid has at most {SIDE} x {SIDE} cells")
        return encode(np.array([[int(character) for character in row] for row in rows], np.uint8), self.config.canvas)

    def text(self, tokens: Tokens) -> str:
        """The grid as rows of digits; a canvas that is no plain grid in full, with . for pad and | for end."""
        grid = decode(tokens)
        if grid is None or not np.array_equal(encode(grid, self.config.canvas), tokens):
            return super().text(tokens)
        return "\n".join("".join(map(str, row)) for row in grid.tolist())

    def source(self) -> str:
        names = f"{len(self._fitting)} tasks"
        out = len(self._tasks) - len(self._fitting)
        left = f"; {out} more have a grid larger than the canvas" if out else ""
        official = OFFICIAL.get(self.config.dataset)
        if official is None:
            return (
                f"generated: {names} of {min(len(arc_practice.RULES), len(self._tasks))} kinds, with random grids{left}"
            )
        warning = "; ARC-AGI-2 training holds most of ARC-AGI-1, so never train on one and measure on the other"
        if self.config.dataset == "conceptarc":
            warning = ""
        source = named(f"arc/{self.config.dataset}.zip")
        return f"{names} from {source}, {official.title} ({official.origin}){left}{warning}"

    def augment(self, x: Tokens, y: Tokens, rng: np.random.Generator) -> tuple[Tokens, Tokens]:
        """The grids of each pair moved on their canvas, both alike; every move that keeps them on it is as likely."""
        if not self.config.translate:
            return x, y
        room = self.config.canvas - np.maximum(sizes(x), sizes(y))  # [2, row]
        moves = rng.random(len(x)) >= STAYS
        down, right = (rng.integers(0, most + 1) * moves for most in room)
        return shifted(x, down, right), shifted(y, down, right)

    def canonical(self, x: Tokens, tokens: Tokens) -> Tokens:
        """The answers [..., position] written as `encode` writes them, so that equal answers are equal tokens."""
        return tidy(tokens)

    def judge(self, puzzles: Puzzles, tokens: Tokens) -> Verdict:
        """Whether answers [puzzle, ..., position] are the known ones; `conflict` marks what differs from the nearest.

        Raises:
            TaskError: a puzzle without a known answer.
        """
        which = np.arange(len(puzzles)).reshape(len(puzzles), *[1] * (tokens.ndim - 2))
        return _compared(puzzles, np.broadcast_to(which, tokens.shape[:-1]), tokens)

    def check(self, x: Tokens, tokens: Tokens) -> Verdict:
        """As `judge`, by the answers that the data know for these inputs, in whichever task.

        Raises:
            TaskError: an input that is not among the data.
        """
        inputs = x.reshape(-1, self.board.positions)
        known = self.known(inputs)
        shape = np.broadcast_shapes(x.shape[:-1], tokens.shape[:-1])
        which = np.broadcast_to(np.arange(len(inputs)).reshape(x.shape[:-1]), shape)
        return _compared(known, which, np.broadcast_to(tokens, (*shape, self.board.positions)))

    def known(self, x: Tokens) -> Puzzles:
        """The inputs [puzzle, position], wherever on the canvas, with every answer that the data have for each.

        Raises:
            TaskError: an input that is not among the data.
        """
        found = []
        down, right = corner(x)
        for at, home in enumerate(tidy(shifted(x, -down, -right))):
            answers = self._answers.get(_key(home))
            if answers is None:
                raise TaskError(
                    f"the answer to input {at} is not known: it is in neither split of this {self.name} data"
                )
            found.append(np.unique(np.stack(answers), axis=0))
        return Puzzles(x, tuple(shifted(y, down[at], right[at]) for at, y in enumerate(found)))

    def task_of(self, identifier: int) -> ArcTask:
        """The ARC task that an identifier is a version of."""
        return self._tasks[identifier // (self.config.augmentations + 1)]

    @property
    def task_names(self) -> list[str]:
        """The name of each task, e.g. `007bbfb7`, in the order of its identifiers."""
        return [arc_task.name for arc_task in self._tasks]

    @cached_property
    def _tasks(self) -> list[ArcTask]:
        config = self.config
        if config.dataset == "practice":
            return arc_practice.tasks(config.tasks, config.demonstrations, config.tests, config.canvas, config.seed)
        found, official = read(data.path(f"arc/{config.dataset}.zip")), OFFICIAL[config.dataset]
        if (sum(one.training for one in found), len(found)) != (
            official.training, official.training + official.evaluation,
        ):  # fmt: skip
            learned = sum(one.training for one in found)
            raise TaskError(
                f"arc/{config.dataset}.zip holds {len(found)} tasks, {learned} of them for training; "
                f"{official.title} has {official.training} and {official.evaluation} for evaluation, replace it"
            )
        return found

    def own(self, path: Path) -> Puzzles:
        """The tests of the ARC tasks in an archive, a folder or a JSON file, as `arc_files.read` reads them.

        Raises:
            TaskError: a task that this configuration does not name, as a model knows a task by its embedding alone.
        """
        numbers = {name: at for at, name in enumerate(self.task_names)}
        found = read(path)
        unknown = [one.name for one in found if one.name not in numbers]
        if unknown:
            raise TaskError(
                f"{path} holds {', '.join(unknown[:3])} and so {len(unknown)} of {len(found)} tasks that are not in "
                f"{self.config.dataset}; a model knows an ARC task by its puzzle embedding, so train it on them first"
            )
        large = [one for one in found if one.side > self.config.canvas]
        if large:
            raise TaskError(
                f"{path} holds {large[0].name}, a task of side {large[0].side}; this canvas has {self.config.canvas}"
            )
        return self._encoded([(numbers[one.name], one.tests) for one in found], 0)[0]

    @cached_property
    def _fitting(self) -> list[tuple[int, ArcTask]]:
        """The tasks that the canvas can hold, each with its number among all of them."""
        found = [(at, arc_task) for at, arc_task in enumerate(self._tasks) if arc_task.side <= self.config.canvas]
        if all(arc_task.training for _, arc_task in found):
            raise TaskError(f"a canvas of {self.config.canvas} leaves no task for evaluation; take {SIDE}")
        return found

    @cached_property
    def _train(self) -> Puzzles:
        self._affordable()
        taught = [
            (at, _once(arc_task.pairs if arc_task.training else arc_task.demonstrations))
            for at, arc_task in self._fitting
        ]
        return self._encoded(taught, self.config.augmentations)[0]

    def _affordable(self) -> None:
        pairs = sum(
            len(arc_task.pairs) if arc_task.training else len(arc_task.demonstrations) for _, arc_task in self._fitting
        )
        size = 2 * pairs * (self.config.augmentations + 1) * self.board.positions
        if size > LARGEST:
            fewer = self.config.augmentations * LARGEST // size
            raise TaskError(
                f"augmentations is {self.config.augmentations}, which makes {size / 1e9:.1f} GB of puzzles; at most "
                f"{LARGEST / 1e9:.1f} GB are made, so take {fewer} or a smaller canvas"
            )

    @cached_property
    def _answers(self) -> dict[bytes, list[Tokens]]:
        """Every known answer of each input, by a digest of the input."""
        found: dict[bytes, list[Tokens]] = {}
        for puzzles in (self._train, self.versions()[0]):
            for x, y in zip(puzzles.x, puzzles.solutions, strict=True):
                found.setdefault(_key(x), []).append(y[0])
        return found

    def _versions(self, at: int) -> list[Augmentation]:
        """The versions of one task, itself first; fewer than asked for where it has no more."""
        if at not in self._made:
            self._made[at] = augmentations(self._tasks[at], self.config.augmentations, self.config.seed)
        return self._made[at]

    @cached_property
    def _made(self) -> dict[int, list[Augmentation]]:
        return {}

    def _encoded(self, chosen: Sequence[tuple[int, Sequence[Pair]]], most: int) -> tuple[Puzzles, NDArray[np.int64]]:
        """Puzzles of (number of the ARC task, pairs) in the first versions of each; row -> number of pair, entry."""
        canvas = self.config.canvas
        versions = [self._versions(at)[: most + 1] if most else [Augmentation()] for at, _ in chosen]
        count = sum(len(made) * len(pairs) for made, (_, pairs) in zip(versions, chosen, strict=True))
        x = np.zeros((count, canvas * canvas), dtype=np.uint8)
        y = np.zeros_like(x)
        identifier = np.zeros(count, dtype=np.int32)
        of = np.zeros((count, 2), dtype=np.int64)
        start = 0
        for entry, (made, (at, pairs)) in enumerate(zip(versions, chosen, strict=True)):
            rows = start + np.arange(len(made) * len(pairs)).reshape(len(made), len(pairs))
            for number, pair in enumerate(pairs):
                for tokens, grid in zip((x, y), pair, strict=True):
                    for which, versions_of in changed(grid, made):
                        tokens[rows[which, number]] = encode(versions_of, canvas)
                identifier[rows[:, number]] = at * (self.config.augmentations + 1) + np.arange(len(made))
                of[rows[:, number]] = number, entry
            start += rows.size
        return Puzzles(x, tuple(y[:, None]), identifier=identifier), of


def board(canvas: int, title: str) -> Board:
    """The canvas. `blank` holds pad and end: they are no part of a grid; and the input is no part of the answer."""
    colors = tuple(Token(label, str(color), "color") for color, label in enumerate(COLORS))
    return Board(
        task="arc",
        title=title,
        kind="grid",
        height=canvas,
        width=canvas,
        tokens=(Token("pad", "."), Token("end", "|"), *colors),
        blank=(PAD, END),
        apart=True,
    )


# ---------------------------------------------------------------------------------------------------------- the scoring
def vote(grids: Sequence[Grid], values: Sequence[float] | None = None, attempts: int = 2) -> list[Grid]:
    """The `attempts` most frequent grids; of equals the one with the higher mean value, then the one that came first.

    Source: TRM, `evaluators/arc.py`, which ranks by (votes, mean of the halting head).
    """
    cast: dict[tuple[tuple[int, ...], bytes], tuple[Grid, list[float]]] = {}
    for grid, value in zip(grids, values or [0.0] * len(grids), strict=True):
        cast.setdefault((grid.shape, grid.tobytes()), (grid, []))[1].append(value)
    ranked = sorted(cast.values(), key=lambda entry: (-len(entry[1]), -float(np.mean(entry[1]))))
    return [grid for grid, _ in ranked[:attempts]]


def solved(attempts: Sequence[Sequence[Grid]], puzzles: Puzzles) -> NDArray[np.bool_]:
    """For each puzzle, whether one of the grids that are handed in, at most two by ARC's rules, is its answer."""
    right = [[decode(answer) for answer in found] for found in puzzles.solutions]
    tried = zip(attempts, right, strict=True)
    return np.array([any(np.array_equal(grid, one) for grid in few for one in known) for few, known in tried])  # type: ignore[arg-type]


def score(attempts: Sequence[Sequence[Grid]], puzzles: Puzzles) -> float:
    """ARC's score, 0 to 1: the mean over tasks of the share of their test inputs that an attempt solves exactly."""
    each, of = solved(attempts, puzzles), puzzles.identifier
    return float(np.mean([each[of == arc_task].mean() for arc_task in np.unique(of)]))  # type: ignore[arg-type]


# --------------------------------------------------------------------------------------------------------- small things
def _compared(puzzles: Puzzles, which: NDArray[np.integer], tokens: Tokens) -> Verdict:
    """Answers [..., position] to the puzzles `which` [...], compared with the nearest known answer of each."""
    if not puzzles.counts.all():
        raise TaskError("a puzzle without a known answer cannot be judged; take one from the data")
    shape, which = tokens.shape, which.reshape(-1)
    down, right = (move[which] for move in corner(puzzles.x))
    home = tidy(shifted(tokens.reshape(-1, shape[-1]), -down, -right))
    back = tuple(-move for move in corner(puzzles.x))
    nearest = np.ones(home.shape, dtype=bool)
    for k in range(int(puzzles.counts.max())):
        target = np.stack([found[min(k, len(found) - 1)] for found in puzzles.solutions])
        wrong = home != tidy(shifted(target, *back))[which]
        nearer = wrong.sum(-1) < nearest.sum(-1)
        nearest[nearer] = wrong[nearer]
    conflict = shifted(nearest, down, right)
    return Verdict(np.reshape(~nearest.any(-1), shape[:-1]), conflict.reshape(shape))


def _once(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs without those that repeat an input; ConceptARC's CenterMinimal has one."""
    return list({(given.shape, given.tobytes()): (given, answer) for given, answer in pairs}.values())


def _key(tokens: Tokens) -> bytes:
    return hashlib.blake2b(tokens.tobytes(), digest_size=16).digest()
