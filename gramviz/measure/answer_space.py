"""Answers as a space: everything that river, answer map and their names need, for one puzzle of one or more series.

Definitions and what they leave out stand in `families`, `river`, `answer_map` and `decisive`; here a rollout becomes
their arrays. Series are pooled: all have the same lanes and the same map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gram.board import Board
from gram.rollout import RolloutError, board_of
from gramviz.measure.answer_map import AnswerMap, answer_map
from gramviz.measure.components import one_thread
from gramviz.measure.decisive import Decisive, Place, decisive, medoids, places
from gramviz.measure.families import Families, canonical, families, warm_up
from gramviz.measure.plain import each, judged
from gramviz.measure.positions import probability, shown
from gramviz.measure.reached import Answers
from gramviz.measure.river import River, river
from gramviz.measure.trajectories import CORRECT, NOT_FINISHED, UNKNOWN, WRONG


@dataclass(frozen=True)
class AnswerSpace:
    """What the answers of one puzzle say of its trajectories, of all series in their order.

    Attributes:
        board: what is drawn.
        cells: the positions that the puzzle leaves open.
        symbols: tokens that are interchangeable in this puzzle; each trajectory's are renamed as in `canonical`.
        sizes: trajectories of each series; a series of fewer steps than the longest keeps its last state.
        tokens: boards [trajectory, step, cell] over `cells`, renamed.
        known: what the map is of: `token probabilities`, or `one-hot tokens` where they were not recorded, are not
            finite, and for several models (how sure each is would else be the larger part of the map).
        start: the end of the warm-up, a step.
        judged: whether answers can be right or wrong; right: [trajectory] which end so.
        found, river, map: see there.
        decisive: cells that tell how trajectories end; `cell` counts in `cells`.
        places: of the map, as far as it has no circle there; cells count in `cells`.
        medoids: the typical trajectory of each lane, and of those in none.
    """

    board: Board
    cells: NDArray[np.int64]
    symbols: tuple[int, ...]
    sizes: tuple[int, ...]
    tokens: NDArray[np.integer]
    known: str
    start: int
    judged: bool
    right: NDArray[np.bool_]
    found: Families
    river: River
    map: AnswerMap
    decisive: list[Decisive]
    places: list[Place]
    medoids: list[int]

    @property
    def leads(self) -> list[int]:
        """Of each lane the first trajectory that ends at its leader."""
        return [int(row.argmin()) for row in self.found.distance[:, -1].T]

    @property
    def marks(self) -> NDArray[np.int64]:
        """How trajectories are marked [trajectory], as codes of `outcome`: correct; wrong where one has settled at a
        lane; else not finished, as it comes to no answer. Unknown where nobody can judge."""
        if not self.judged:
            return np.full(len(self.tokens), UNKNOWN)
        return np.where(self.right, CORRECT, np.where(self.found.last >= 0, WRONG, NOT_FINISHED))

    def letters(self, answers: Answers) -> list[str]:
        """The letter of each lane: that of its leader among `answers` of the same series, which may have none ("");
        where symbols are renamed, and several answers are one, by size."""
        final = [int(k) for one in answers.final for k in one.values]
        return [
            chr(ord("a") + k) if self.symbols else answers.found[final[lead]].letter
            for k, lead in enumerate(self.leads)
        ]

    @property
    def extent(self) -> NDArray[np.float64]:
        """What a map shows [low or high, axis]: every state, and every circle."""
        points = np.concatenate([self.map.xy.reshape(-1, 2), [[0, 0]], self.map.anchors])
        return np.stack([points.min(0), points.max(0)])


def answer_space(rollouts: xr.Dataset | Sequence[xr.Dataset], puzzle: int | Sequence[int] = 0) -> AnswerSpace:
    """The answer space of one puzzle, from every recorded state of these series (`ends` of them for one a transition).

    Deterministic; 50 trajectories of 64 states of 81 cells take 0.3 CPU seconds at most.

    Raises:
        RolloutError: there is no series, or they show different boards.
    """
    if isinstance(rollouts, xr.Dataset):
        rollouts = [rollouts]
    boards = {board_of(one): board_of(one).title for one in rollouts}
    if len(boards) != 1:
        raise RolloutError(
            f"the boards are {', '.join(boards.values()) or 'none'}; give one or more rollouts of one board"
        )
    puzzles = zip(rollouts, each(puzzle, rollouts), strict=True)
    chosen = [shown(one.isel(puzzle=slice(p, p + 1 or None))) for one, p in puzzles]  # a list would copy h
    board = board_of(chosen[0])
    xs = np.stack([one["x"].values[0] for one in chosen])  # the puzzle of a branch may have been edited
    cells = np.flatnonzero(np.isin(xs, board.blank).any(0) | (xs != xs[0]).any(0))
    if board.apart or not len(cells):  # nothing of the puzzle is given in the answer
        cells = np.arange(xs.shape[1])
    steps = max(one.sizes["step"] for one in chosen)
    tokens = np.concatenate([_held(_taken(one["tokens"], cells), steps) for one in chosen])
    kinds = len(board.tokens)
    # Colors of a graph without a given one are names: what matters is which nodes share one.
    symbols = board.exclusive if board.kind == "graph" and len(cells) == xs.shape[1] else ()
    names = canonical(tokens, symbols, kinds) if symbols else None
    if names is not None:
        tokens = names[np.arange(len(tokens))[:, None, None], tokens]
    right = np.concatenate(
        [one["valid"].values[0][:, -1] if judged(one) else np.zeros(one.sizes["trajectory"], bool) for one in chosen]
    )
    models = {str(one.attrs.get("checkpoint") or i) for i, one in enumerate(chosen)}
    likely = len(models) == 1 and all("probability" in one or "logits" in one for one in chosen)
    with one_thread():
        states = _likely(chosen, cells, steps, names) if likely else _onehot(tokens, kinds)
        if likely and not np.isfinite(states).all():  # a diverged model: its tokens still have a place
            likely, states = False, _onehot(tokens, kinds)
        start = warm_up(tokens)
        found = families(tokens, right, start)
        plane = answer_map(states, _onehot(found.leaders, kinds), found, start)
        late = states[:, start:]
        called = [token for token in range(kinds) if token not in board.blank] or range(kinds)
        return AnswerSpace(
            board, cells, symbols, tuple(one.sizes["trajectory"] for one in chosen), tokens,
            "token probabilities" if likely else "one-hot tokens", start, any(judged(one) for one in chosen), right,
            found, river(found, start), plane, decisive(tokens, found.last, kinds),
            places(plane.xy[:, start:], late, kinds, called, plane.anchors), medoids(late, found.last),
        )  # fmt: skip


def _taken(states: xr.DataArray, cells: NDArray[np.int64]) -> NDArray[np.generic]:
    """Some cells of the one puzzle of states [puzzle, trajectory, step, position, ...]. Indexing would put the cells
    first in memory, where every sum over them takes many times as long."""
    return states.values[0].take(cells, axis=2)


def _held(states: NDArray[np.generic], steps: int) -> NDArray[np.generic]:
    """States [trajectory, step, ...] up to a number of steps: the last one is kept."""
    missing = steps - states.shape[1]
    return np.concatenate([states, np.repeat(states[:, -1:], missing, 1)], 1) if missing else states


def _likely(
    chosen: Sequence[xr.Dataset], cells: NDArray[np.int64], steps: int, names: NDArray[np.int64] | None
) -> NDArray[np.float32]:
    """Token probabilities [trajectory, step, cell and token]; where `names` renames tokens, theirs too."""
    p = np.concatenate([_held(_taken(probability(one), cells), steps) for one in chosen])
    if names is not None:
        p = np.stack([states[..., np.argsort(row)] for states, row in zip(p, names, strict=True)])
    return p.reshape(*p.shape[:2], -1)


def _onehot(tokens: NDArray[np.integer], kinds: int) -> NDArray[np.float32]:
    """[..., cell] as [..., cell and token]."""
    return (
        (tokens[..., None] == np.arange(kinds)).astype(np.float32).reshape(*tokens.shape[:-1], tokens.shape[-1] * kinds)
    )
