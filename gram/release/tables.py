"""What the tables of results are: `tables.yaml`, read strictly. No number of ours stands there but the targets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gram.evaluation import fidelity
from gram.evaluation.paper import published
from gram.evaluation.select import SELECTORS, VOTES
from gram.safe_yaml import read_yaml
from gram.strict import ConfigError, one_of, read, require, typed, unknown

FILE = Path(__file__).with_name("tables.yaml")
IS, FID = fidelity.IS, fidelity.FID
METRICS = (
    "accuracy", "coverage", "conflicts", *(f"best by {name}" for name in (*SELECTORS, VOTES)),
    "input as answer", "colors as answer", "valid", "distinct", "copies", "held out", IS, FID,
)  # fmt: skip
LOWER = ("conflicts", "copies", FID)  # of these, less is better


@dataclass(frozen=True)
class Pass:
    """One evaluation: the largest number of trajectories and the largest depth are run, the other cells are within.

    Attributes:
        trajectories: samples per input, one column of cells for each.
        depths: supervision steps, one row of cells for each; none: the checkpoint's own.
        halting: default: the checkpoint's.
        limit: on only N held-out inputs, evenly chosen; 0: all. Of a generator: N samples.
        quick: as `limit`, for `--quick`; 0: the card's metrics are shown.
    """

    trajectories: tuple[int, ...] = (20,)
    depths: tuple[int, ...] = ()
    halting: bool | None = None
    limit: int = 0
    quick: int = 0

    def __post_init__(self) -> None:
        require(self, "trajectories", bool(self.trajectories) and min(self.trajectories) > 0, "give numbers from 1")
        require(self, "depths", min(self.depths, default=1) > 0, "give numbers from 1")
        for name in ("limit", "quick"):
            require(self, name, getattr(self, name) >= 0, "it must be at least 0")

    @property
    def single(self) -> bool:
        """Whether it has one cell, at the checkpoint's own depth."""
        return len(self.trajectories) == 1 and not self.depths


@dataclass(frozen=True)
class Row:
    """A model of a table.

    Attributes:
        artifact, words: which, and what sets it apart.
        paper: its row in the paper's table.
        anew: as of the table.
    """

    artifact: str
    words: str = ""
    paper: str = ""
    anew: bool = True


@dataclass(frozen=True)
class Cell:
    """One figure of a table.

    Attributes:
        artifact, metric: whose, and which.
        trajectories, supervision_steps: at which of its cells; 0: at the first that fits.
    """

    artifact: str
    metric: str
    trajectories: int = 0
    supervision_steps: int = 0

    def __post_init__(self) -> None:
        one_of(self, "metric", METRICS)


@dataclass(frozen=True)
class Target:
    """A figure that was to be reached, and where it was missed, why.

    Attributes:
        cell: which figure.
        at_least, at_most: one of them.
        limits: what limits it.
        tried: pairs of what was tried and its effect.
    """

    cell: Cell
    at_least: float | None = None
    at_most: float | None = None
    limits: str = ""
    tried: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(f"at_least is {self.at_least} and at_most is {self.at_most}; give one of them")


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        title, text: its heading, and what stands before it.
        columns: the metrics that the page shows.
        passes: how its rows are measured; none: as `gram export` does by itself.
        anew: whether `gram results` measures them; if not, because it takes too long, the cards' metrics are shown.
        rows: in the order of the page.
        paper: the paper's table, task as registered, and board size; none: nothing to compare with.
        by_rating: the metric that a second table shows by the puzzles' ratings.
        targets, notes: what was to be reached; what stands after the table.
    """

    title: str
    text: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    passes: tuple[Pass, ...] = ()
    anew: bool = True
    paper: tuple[str, str, int] | None = None
    by_rating: str = ""
    targets: tuple[Target, ...] = ()
    notes: str = ""

    def __post_init__(self) -> None:
        for metric in (*self.columns, *([self.by_rating] if self.by_rating else [])):
            if metric not in METRICS:
                raise ValueError(unknown(metric, METRICS, what="metric"))
        if self.anew and not self.passes:
            raise ValueError("passes is empty; say how its rows are measured, or anew: false")
        theirs = published(*self.paper) if self.paper else {}
        names = [row.artifact for row in self.rows]
        for row in self.rows:
            if row.paper and row.paper not in theirs:
                raise ValueError(unknown(row.paper, theirs, what=f"row of the paper for {row.artifact}"))
            if names.count(row.artifact) > 1:
                raise ValueError(f"{row.artifact} stands twice; a table has one row for each artifact")
        for target in self.targets:
            if target.cell.artifact not in names:
                raise ValueError(unknown(target.cell.artifact, names, what="artifact of a target"))

    def published(self, row: Row) -> dict[str, float]:
        """The paper's values of a row by metric; empty if there are none."""
        return published(*self.paper)[row.paper] if self.paper and row.paper else {}


@dataclass(frozen=True)
class Comparison:
    """Two figures of one table, the first of which shall be better."""

    table: str
    better: Cell
    than: Cell


@dataclass(frozen=True)
class Claim:
    """A claim of the paper: it holds where all its comparisons do."""

    title: str
    compare: tuple[Comparison, ...]


@dataclass(frozen=True)
class Tables:
    """All of the file: what stands first on the page, the tables and the claims by their ids, what stands last."""

    intro: str
    tables: dict[str, Table]
    claims: dict[str, Claim]
    notes: str = ""

    def __post_init__(self) -> None:
        for name, claim in self.claims.items():
            for one in claim.compare:
                if one.table not in self.tables:
                    raise ValueError(unknown(one.table, self.tables, what=f"table of the claim {name}"))
                names = [row.artifact for row in self.tables[one.table].rows]
                for cell in (one.better, one.than):
                    if cell.artifact not in names:
                        raise ValueError(unknown(cell.artifact, names, what=f"artifact of the claim {name}"))

    def passes(self, artifact: str) -> list[Pass]:
        """How an artifact is measured in all tables that list it, each pass once."""
        listed = [one for one in self.tables.values() if artifact in (row.artifact for row in one.rows)]
        return list(dict.fromkeys(step for table in listed for step in table.passes))

    def choose(self, names: Iterable[str]) -> list[str]:
        """The ids of tables, checked; none: all.

        Raises:
            ConfigError: an unknown one.
        """
        for name in names:
            if name not in self.tables:
                raise ConfigError(unknown(name, self.tables, what="table"))
        return list(names) or list(self.tables)


def load(path: Path = FILE) -> Tables:
    """The tables of a file.

    Raises:
        ConfigError: no YAML, an unknown key, metric, table or row of the paper, or a value that cannot be.
    """
    cell = _reader(Cell)
    target = _reader(Target, cell=cell, tried=_several(_pair))
    numbers = _several(lambda value, place: typed(value, int, place))
    texts = _several(lambda value, place: typed(value, str, place))
    passes = _several(_reader(Pass, trajectories=numbers, depths=numbers))
    table = _reader(
        Table, columns=texts, rows=_several(_reader(Row)), passes=passes, paper=_paper, targets=_several(target)
    )
    claim = _reader(Claim, compare=_several(_reader(Comparison, better=cell, than=cell)))
    return _reader(Tables, tables=_named(table), claims=_named(claim))(read_yaml(path), "")


Reader = Callable[[Any, str], Any]


def _reader(cls: type, **parts: Reader) -> Reader:
    def one(raw: Any, place: str) -> Any:
        try:
            return read(cls, raw, place, parts)
        except TypeError as error:  # a field without a default is absent
            raise ConfigError(f"{place or FILE.name}: {str(error).partition('() ')[2]}; add it") from error

    return one


def _several(one: Reader) -> Reader:
    def many(raw: Any, place: str) -> tuple[Any, ...]:
        return tuple(one(value, f"{place}[{at}]") for at, value in enumerate(typed(raw, list, place)))

    return many


def _named(one: Reader) -> Reader:
    def many(raw: Any, place: str) -> dict[str, Any]:
        return {name: one(value, f"{place}.{name}") for name, value in typed(raw, dict, place).items()}

    return many


def _pair(raw: Any, place: str) -> tuple[str, str]:
    if not (isinstance(raw, list) and len(raw) == 2 and all(isinstance(part, str) for part in raw)):
        raise ConfigError(f"{place} is {raw!r}; give what was tried and its effect, e.g. [twice the width, '+0.01']")
    return raw[0], raw[1]


def _paper(raw: Any, place: str) -> tuple[str, str, int]:
    if not (isinstance(raw, list) and len(raw) == 3 and published(*raw)):
        raise ConfigError(
            f"{place} is {raw!r}; give table, task and size of gram/evaluation/paper.py, e.g. ['1', nqueens, 8]"
        )
    return raw[0], raw[1], raw[2]
