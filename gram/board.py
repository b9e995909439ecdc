"""How the positions of a task lie in space, what a token means, and which rule is geometric.

A `Board` is everything that a view must know of a task, and nothing that a model needs: numpy only, no torch, and
a JSON round trip, because it travels inside every rollout.

One rule covers the constraint tasks of the paper: *within a group, each exclusive token stands at most once*. Sudoku's
groups are rows, columns and boxes and every digit is exclusive; the queens' groups are ranks, files and diagonals and
the queen is exclusive; a graph's groups are its edges and every color is exclusive. So conflicts are counted here,
once, and the explorer can draw who conflicts with whom without knowing any task.

Every graph of a task has edges of its own, so there the edges are tokens: the positions are the nodes, then every pair
of nodes (0, 1), (0, 2), ... (1, 2), ..., and a pair holds the token `joined` where an edge is. `picture` is the board
of one such puzzle as it is drawn: its nodes, with its edges as groups.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import combinations
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gram.bounded import InputError, parse_json

Kind = Literal["grid", "graph", "image"]
Glyph = Literal["text", "queen", "color", "pixel"]


@dataclass(frozen=True)
class Token:
    """What one token id means: a `label` to read aloud, a `symbol` to draw (may be empty), and how it is drawn."""

    label: str
    symbol: str = ""
    glyph: Glyph = "text"


@dataclass(frozen=True)
class Relation:
    """One way in which positions belong together: every position hears of the members of one group.

    Attributes:
        name: what it is called, e.g. `row`.
        kind: what it shares its weights by; relations that a symmetry of the board exchanges are of one kind.
        members: [group, position], true where a position belongs to a group.
        hears: [position], the group that a position hears of.
    """

    name: str
    kind: str
    members: NDArray[np.bool_]
    hears: NDArray[np.intp]

    @property
    def partition(self) -> bool:
        """Whether every position is in one group; else there are about as many groups as positions (`above`)."""
        return bool((self.members.sum(0) == 1).all())

    @property
    def matrix(self) -> NDArray[np.bool_]:
        """[position, position], true where the first hears of the second."""
        return self.members[self.hears]


NEAR = ("neighbors", "non-neighbors")  # the relations of a graph's nodes that its puzzle decides, each its own kind
AROUND = {"above": (-1, 0), "below": (1, 0), "left": (0, -1), "right": (0, 1)}


@dataclass(frozen=True)
class Board:
    """The geometry of one task.

    Attributes:
        task: registered name of the task, e.g. `nqueens`.
        title: what a reader calls it, e.g. `8 queens`.
        kind: `grid`, `graph` or `image`.
        height, width: rows and columns of a grid or image; for a graph, 1 and the number of its positions.
        tokens: meaning of each token id, in order.
        blank: ids that, in the puzzle `x`, mean "not given".
        groups: tuples of positions in which an exclusive token may stand at most once.
        exclusive: the token ids to which the groups apply.
        required: pairs (token id, count) that a finished board must hold, e.g. eight queens.
        box: rows and columns of a box that thick lines enclose, or None.
        xy: for a graph, the place of each node in the unit square.
        checkered: whether a grid is drawn as a chess board.
        nodes: for a graph whose edges are tokens, the number of its nodes; 0 where every position is a node.
        joined: the token id of an edge, in such a graph.
        patch: for an image, the side of the square of pixels that one token stands for; the symbol of such a token
            lists its pixels row by row, `0` for paper and `1` for ink.
        apart: whether puzzle and answer are two pictures on one canvas, as in ARC: each is a grid of tokens that are
            not `blank`, with the rest of the canvas around it, and nothing of the puzzle is given in the answer.
    """

    task: str
    title: str
    kind: Kind
    height: int
    width: int
    tokens: tuple[Token, ...]
    blank: tuple[int, ...] = ()
    groups: tuple[tuple[int, ...], ...] = field(default=(), repr=False)
    exclusive: tuple[int, ...] = ()
    required: tuple[tuple[int, int], ...] = ()
    box: tuple[int, int] | None = None
    xy: tuple[tuple[float, float], ...] | None = field(default=None, repr=False)
    checkered: bool = False
    nodes: int = 0
    joined: int | None = None
    patch: int = 1
    apart: bool = False

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"kind is {self.kind!r}; known: {', '.join(get_args(Kind))}")
        if not all(isinstance(side, int) and side > 0 for side in (self.height, self.width)):
            raise ValueError(f"the board is {self.height!r} x {self.width!r}; both must be whole numbers from 1")
        for group in self.groups:
            if any(not 0 <= position < self.positions for position in group):
                raise ValueError(f"group {group} leaves the board; positions are 0 to {self.positions - 1}")
        for name, ids in (("blank", self.blank), ("exclusive", self.exclusive), ("required", self.required)):
            for entry in ids:
                token = entry[0] if isinstance(entry, tuple) else entry
                if not 0 <= token < len(self.tokens):
                    raise ValueError(f"{name} names token {token}; known tokens are 0 to {len(self.tokens) - 1}")
        seen = self.nodes or self.positions
        if self.xy is not None and len(self.xy) != seen:
            what = "nodes" if self.nodes else "positions"
            raise ValueError(f"xy places {len(self.xy)} nodes, but the board has {seen} {what}")
        if self.nodes:
            pairs = self.nodes * (self.nodes - 1) // 2
            if self.kind != "graph" or self.positions != self.nodes + pairs:
                raise ValueError(
                    f"a graph of {self.nodes} nodes has {self.nodes + pairs} positions, its nodes and their pairs; "
                    f"this {self.kind} has {self.positions}"
                )
            if self.joined is None or not 0 <= self.joined < len(self.tokens):
                raise ValueError(f"joined is {self.joined}; it must be a token id, 0 to {len(self.tokens) - 1}")
        if self.apart and self.kind != "grid":
            raise ValueError(f"apart is for a board of kind 'grid'; this one is of kind {self.kind!r}")
        if self.patch < 1:
            raise ValueError(f"patch is {self.patch}; it must be at least 1 pixel")

    @property
    def positions(self) -> int:
        """Number of positions, height x width."""
        return self.height * self.width

    def place(self, position: int) -> str:
        """The name of a position in words: `row 4, column 6`, or `node 3` in a graph. Counted from 1."""
        if self.kind == "graph":
            if self.nodes and position >= self.nodes:
                return "nodes {} and {}".format(*(node + 1 for node in self.pairs[position - self.nodes]))
            return f"node {position + 1}"
        row, column = divmod(position, self.width)
        return f"row {row + 1}, column {column + 1}"

    @property
    def symbols(self) -> tuple[int, ...]:
        """The tokens that are interchangeable: the exclusive ones, which one rule treats alike; of pixels, ink.

        Where puzzle and answer are two pictures, their colors: which color does what is a matter of the ARC task.
        """
        if self.apart:
            return tuple(token for token in range(len(self.tokens)) if token not in self.blank)
        return (len(self.tokens) - 1,) if self.kind == "image" and self.patch == 1 else self.exclusive

    @property
    def places(self) -> int:
        """How many positions, the first ones, a puzzle asks about: the nodes of a graph whose edges are tokens."""
        return self.nodes or self.positions

    @property
    def relations(self) -> tuple[Relation, ...]:
        """How the places belong together in every puzzle of this board.

        Grid: its rows and columns; with boxes those, and the pieces of a row or column inside a box; else both
        diagonals. Where puzzle and answer are two pictures, and in an image, the four places around each instead, and
        no two relations are exchanged. Graph: all nodes, and `NEAR`, which where edges are tokens each puzzle decides.
        """
        if self.kind == "graph":
            together = _partition("all", "all", np.zeros(self.places, dtype=np.intp))
            if self.nodes:
                return (together,)
            joined = np.zeros((self.places, self.places), dtype=bool)
            for group in self.groups:
                joined[np.ix_(group, group)] = True
            apart = ~joined
            np.fill_diagonal(joined, False)
            np.fill_diagonal(apart, False)
            at = np.arange(self.places)
            return (together, *(Relation(name, name, who, at) for name, who in zip(NEAR, (joined, apart), strict=True)))
        row, column = (side.ravel() for side in np.indices((self.height, self.width)))
        if self.kind == "image" or self.apart:
            around = []
            for name, (down, right) in AROUND.items():
                inside = (row + down >= 0) & (row + down < self.height)
                inside &= (column + right >= 0) & (column + right < self.width)
                members = np.zeros((self.positions, self.positions), dtype=bool)
                at = np.flatnonzero(inside)
                members[at, at + down * self.width + right] = True
                around.append(Relation(name, name, members, np.arange(self.positions)))
            return (_partition("row", "row", row), _partition("column", "column", column), *around)
        lines = (_partition("row", "line", row), _partition("column", "line", column))
        if self.box is None:
            falling, rising = column - row + self.height - 1, column + row
            return (
                *lines,
                *(_partition(name, "diagonal", d) for name, d in (("falling", falling), ("rising", rising))),
            )
        stack, band = column // self.box[1], row // self.box[0]
        return (
            *lines,
            _partition("box", "box", band * (self.width // self.box[1]) + stack),
            _partition("row piece", "piece", row * (self.width // self.box[1]) + stack),
            _partition("column piece", "piece", column * (self.height // self.box[0]) + band),
        )

    @property
    def ruled(self) -> bool:
        """Whether the board alone can say which answers break a rule."""
        return bool(self.groups or self.required or self.nodes)

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The two nodes of each position after the nodes, in a graph whose edges are tokens."""
        return list(combinations(range(self.nodes), 2))

    def edges(self, x: NDArray[np.integer]) -> list[tuple[int, int]]:
        """The joined pairs of nodes of one graph [position] whose edges are tokens."""
        return [pair for pair, token in zip(self.pairs, x[self.nodes :], strict=True) if token == self.joined]

    def picture(self, x: NDArray[np.integer]) -> Board:
        """The board of the puzzle [position] as it is drawn: of a graph its nodes, which come first, with its edges."""
        if not self.nodes:
            return self
        return replace(self, width=self.nodes, groups=tuple(self.edges(x)), nodes=0, joined=None)

    def given(self, x: NDArray[np.integer]) -> NDArray[np.bool_]:
        """True where the puzzle [..., position] fixes the token."""
        return np.zeros(x.shape, dtype=bool) if self.apart else ~np.isin(x, self.blank)

    def extent(self, tokens: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows and columns [...] of the grid in the upper left corner of canvases [..., position]; 0, 0 for none."""
        filled = ~np.isin(tokens, self.blank)
        return largest(filled.reshape(*tokens.shape[:-1], self.height, self.width))

    def conflict(self, tokens: NDArray[np.integer]) -> NDArray[np.bool_]:
        """True at each position [..., position] whose exclusive token stands again in one of its groups."""
        found = np.zeros(tokens.shape, dtype=bool)
        for group in self.groups:
            here = np.equal.outer(np.array(self.exclusive, tokens.dtype), tokens[..., group])  # [token, ..., member]
            found[..., group] |= (here & (here.sum(-1, keepdims=True) > 1)).any(0)
        if self.nodes:
            broken = self._broken(tokens)
            found[..., self.nodes :] = broken
            for at, pair in enumerate(self.pairs):
                found[..., pair] |= broken[..., at, None]
        return found

    def _broken(self, tokens: NDArray[np.integer]) -> NDArray[np.bool_]:
        """True at each pair [..., pair] that is joined and whose nodes hold the same exclusive token."""
        first, second = (tokens[..., side] for side in np.transpose(self.pairs))
        return (tokens[..., self.nodes :] == self.joined) & (first == second) & np.isin(first, self.exclusive)

    def violations(self, tokens: NDArray[np.integer]) -> NDArray[np.int64]:
        """Number of violated rules [...]: (group, token) pairs with a repetition, and wrong required counts."""
        count = np.zeros(tokens.shape[:-1], dtype=np.int64)
        for group in self.groups:
            here = np.equal.outer(np.array(self.exclusive, tokens.dtype), tokens[..., group])
            count += (here.sum(-1) > 1).sum(0)
        for token, required in self.required:
            count += (tokens == token).sum(-1) != required
        if self.nodes:
            count += self._broken(tokens).sum(-1)
        return count

    def to_json(self) -> str:
        """This board as a JSON text; `from_json` reads it back as an equal board."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Board:
        """Read a board from a JSON text.

        Raises:
            ValueError: not JSON, an unknown or missing key, or an impossible geometry.
        """
        try:
            raw: dict[str, Any] = parse_json(text)
            unknown = set(raw) - {f.name for f in fields(cls)}
            if unknown:
                raise ValueError(f"unknown key {sorted(unknown)[0]!r}")
            raw["tokens"] = tuple(Token(**token) for token in raw["tokens"])
            for name in ("blank", "exclusive"):
                raw[name] = tuple(int(value) for value in raw.get(name, ()))
            for name in ("groups", "required"):
                raw[name] = tuple(tuple(int(value) for value in row) for row in raw.get(name, ()))
            raw["box"] = tuple(raw["box"]) if raw.get("box") else None
            raw["xy"] = tuple((float(a), float(b)) for a, b in raw["xy"]) if raw.get("xy") else None
            return cls(**raw)
        except (TypeError, KeyError, OverflowError, ValueError) as error:
            raise InputError(f"this is not a board: {error}") from error


def _partition(name: str, kind: str, group: NDArray[np.intp]) -> Relation:
    """The relation of positions that share the number of their group [position]."""
    return Relation(name, kind, np.arange(group.max() + 1)[:, None] == group, group)


def largest(filled: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns [...] of the largest full rectangle in the upper left corner of [..., row, column].

    Of equal areas it is the one with fewest rows; 0 and 0 where the corner is empty. The page finds it too (`pair.js`).
    """
    runs = np.logical_and.accumulate(filled, -1).sum(-1)  # [..., row]
    widths = np.minimum.accumulate(runs, -1)
    areas = widths * np.arange(1, filled.shape[-2] + 1)
    best = areas.argmax(-1)
    columns = np.take_along_axis(widths, best[..., None], -1)[..., 0]
    return np.where(columns > 0, best + 1, 0), columns
