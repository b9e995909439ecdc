"""Numbers from a rollout, with named dims: what the views draw, what the explorer packs, what a notebook may quote.

Everything takes rollouts (`gram.rollout`) and returns `xarray` objects or small dataclasses of them; nothing draws.
Values that name a moment are labels of the coordinate `step`, so they stay true after `ends` has dropped states.

Where the paper is silent the definition is ours and stands in the docstring: outcome, settled, parting, and that a
path's answer is its last recorded state. Left out: the loss landscape of Fig. 18/19 (it needs the model's loss).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh
from threadpoolctl import ThreadpoolController

from gram.board import Board
from gram.rollout import RolloutError, board_of, need

Every = Literal["transition", "supervision"]
BASES = ("h", "answers", "steps")
OUTCOMES = ("wrong", "correct", "not finished", "unknown")  # index = the code in `outcome` and in the payload
WRONG, CORRECT, NOT_FINISHED, UNKNOWN = range(4)
COMPONENTS = 3
_STATE = ("position", "feature")


# ---------------------------------------------------------------------------------------------------- choosing states
def shades(board: Board) -> NDArray[np.float64]:
    """Light [token, row, column] of the pixels of each token of an image: 0 paper to 1 ink, NaN where it is no pixel.

    A token's symbol lists its pixels (`Board.patch`); tokens without such a symbol are greys in order of their ids.
    """
    ids = [at for at, token in enumerate(board.tokens) if token.glyph == "pixel"]
    found = np.full((len(board.tokens), board.patch, board.patch), np.nan)
    for order, at in enumerate(ids):
        symbol = board.tokens[at].symbol
        listed = len(symbol) == board.patch**2 and set(symbol) <= {"0", "1"}
        grey = order / max(1, len(ids) - 1)
        found[at] = np.reshape([int(bit) for bit in symbol], found.shape[1:]) if listed else grey
    return found


def ends(data: xr.Dataset, every: Every = "transition") -> xr.Dataset:
    """The states at the end of each transition, or only of each supervision step; the initial state always stays."""
    keep: NDArray[np.bool_] = data["low_step"].values == 0
    if every == "supervision":
        supervision = data["supervision_step"].values[keep]
        keep[np.flatnonzero(keep)[:-1][supervision[1:] == supervision[:-1]]] = False
    elif every != "transition":
        raise ValueError(f"every={every!r} is unknown; known: 'transition', 'supervision'")
    return data if keep.all() else data.isel(step=np.flatnonzero(keep))  # indexing by a list would copy h


def address(data: xr.Dataset, index: int) -> str:
    """The step at an index in words: `init`, `7.2` (supervision step.transition) or `7.2.4` (.low-level step)."""
    at = [int(data[name].values[index]) for name in ("supervision_step", "transition", "low_step")]
    if not any(at):
        return "init"
    return f"{at[0]}.{at[1]}" + (f".{at[2]}" if at[2] else "")


def shown(data: xr.Dataset) -> xr.Dataset:
    """The rollout at the positions that are drawn: of a graph whose edges are tokens its nodes, else all.

    The pairs of nodes repeat the puzzle, so certainty, changes and answers are measured at the nodes alone.
    """
    nodes = board_of(data).nodes
    return data.isel(position=slice(nodes)) if nodes else data


# ------------------------------------------------------------------------------------------------------- one position
def probability(data: xr.Dataset) -> xr.DataArray:
    """Probability of each token [puzzle, trajectory, step, position, token], float32; from `logits` if need be.

    As all that is measured per position: at the positions that are drawn, see `shown`.

    Raises:
        RolloutError: neither `probability` nor `logits` was recorded.
    """
    data = shown(data)
    if "probability" not in data and "logits" in data:
        logits = data["logits"].astype(np.float32)
        raised = logits.copy(data=np.exp(logits - logits.max("token")))  # less the largest: exp cannot overflow
        return raised / raised.sum("token")
    return need(data, "probability").astype(np.float32)


def certainty(data: xr.Dataset) -> xr.DataArray:
    """Probability of the shown token [puzzle, trajectory, step, position], 0 to 1."""
    p, tokens = probability(data).values, shown(data)["tokens"]
    return tokens.copy(data=np.take_along_axis(p, tokens.values.astype(np.intp)[..., None], -1)[..., 0]).rename(
        "certainty"
    )


def second(data: xr.Dataset) -> xr.Dataset:
    """The runner-up at each position: `token` and its `probability` [puzzle, trajectory, step, position].

    The runner-up is the most probable token other than the shown one (which need not be the most probable: a model
    may sample); equal ones: the lowest id.
    """
    p = probability(data).values.copy()
    like = shown(data)["tokens"]
    np.put_along_axis(p, like.values.astype(np.intp)[..., None], -1.0, -1)
    token = p.argmax(-1)
    value = np.take_along_axis(p, token[..., None], -1)[..., 0].clip(0)  # with a single token there is no runner-up: 0
    return xr.Dataset({"token": like.copy(data=token.astype(like.dtype)), "probability": like.copy(data=value)})


def entropy(data: xr.Dataset) -> xr.DataArray:
    """Entropy of the token distribution [puzzle, trajectory, step, position], in nats."""
    p = probability(data)
    return -(p * np.log(p.clip(min=np.finfo(np.float32).tiny))).sum("token").rename("entropy")


def changed(data: xr.Dataset) -> xr.DataArray:
    """True where the token differs from the state before [puzzle, trajectory, step, position]; False at step 0."""
    tokens = shown(data)["tokens"]
    return tokens.copy(data=changed_tokens(tokens.values)).rename("changed")


def distribution(
    data: xr.Dataset, step: int = -1, puzzle: int = 0, trajectories: Sequence[int] | None = None
) -> xr.DataArray:
    """How many of the paths (or of the `trajectories` named) show each token at one step: counts [position, token]."""
    tokens = shown(data)["tokens"].isel(puzzle=puzzle, step=step)
    if trajectories is not None:
        tokens = tokens.isel(trajectory=list(trajectories))
    counts = token_counts(tokens.values, len(board_of(data).tokens))
    return xr.DataArray(counts, dims=("position", "token"), name="paths")


# ------------------------------------------------------------------------------------------------------------ one path
def conflicts(data: xr.Dataset) -> xr.DataArray:
    """Number of violated rules [puzzle, trajectory, step]: see `gram.board.Board.violations`.

    Of a graph whose edges are tokens, the rules are the edges of the puzzle, whatever the answer says of them. On a
    board without rules, the number of positions marked in the recorded `conflict`.

    Raises:
        RolloutError: the board has no rules and `conflict` was not recorded.
    """
    board = board_of(data)
    if board.nodes:
        x = data["x"].values[:, None, None]
        return xr.DataArray(
            board.violations(_on_edges(board, x, data["tokens"].values)),
            dims=data["tokens"].dims[:-1],
            name="conflicts",
        )
    if board.groups or board.required:
        return xr.DataArray(board.violations(data["tokens"].values), dims=data["tokens"].dims[:-1], name="conflicts")
    return need(data, "conflict").sum("position").rename("conflicts")


def drift(data: xr.Dataset) -> xr.DataArray:
    """|h(t) - h(t-1)| [puzzle, trajectory, step], Euclidean over positions and features; NaN at step 0.

    Between *recorded* states: take `ends(data)` first to have it per transition.
    """
    h = need(data, "h").transpose("puzzle", "trajectory", "step", *_STATE)
    found = np.full(h.shape[:3], np.nan, np.float32)
    for index in np.ndindex(h.shape[:2]):  # one path at a time: h may be hundreds of MB, and float16 squares overflow
        path = h.values[index].reshape(h.shape[2], -1).astype(np.float32)
        step = path[1:] - path[:-1]
        found[index][1:] = np.sqrt(np.einsum("tf,tf->t", step, step))
    return xr.DataArray(found, dims=("puzzle", "trajectory", "step"), name="drift")


def spread(data: xr.Dataset) -> xr.DataArray:
    """Mean distance of the paths' h to their centre [puzzle, step]; 0 for a single path."""
    h = need(data, "h").transpose("puzzle", "trajectory", "step", *_STATE)
    found = np.zeros((h.shape[0], h.shape[2]), np.float32)
    for puzzle, step in np.ndindex(found.shape):
        states = h.values[puzzle, :, step].reshape(h.shape[1], -1).astype(np.float32)
        states -= states.mean(0)
        found[puzzle, step] = np.sqrt(np.einsum("nf,nf->n", states, states)).mean()
    return xr.DataArray(found, dims=("puzzle", "step"), name="spread")


def halted(data: xr.Dataset) -> xr.DataArray:
    """The first step (label) at which the model says that it is right [puzzle, trajectory], or -1: never.

    `halted_at` if recorded, else the first step with `halt` > 1/2.
    """
    if "halted_at" in data:
        return data["halted_at"].rename("halted")
    return _first(data, need(data, "halt") > 0.5).rename("halted")


def first_correct(data: xr.Dataset) -> xr.DataArray:
    """The first step (label) whose answer is `valid` [puzzle, trajectory], or -1: never. It may become wrong again."""
    return _first(data, need(data, "valid")).rename("first_correct")


def settled(data: xr.Dataset) -> xr.DataArray:
    """True where a path has come to rest [puzzle, trajectory].

    At rest: the mean drift per transition over the last three supervision steps is at most 5 % of that over the first
    (our definition). With fewer than four supervision steps the first is among the last three, so nothing settles.
    """
    states = ends(data)
    supervision = states["supervision_step"].values
    numbers = np.unique(supervision[supervision > 0])
    moved = drift(states)
    if not len(numbers):
        return xr.zeros_like(moved.isel(step=0, drop=True), dtype=bool).rename("settled")
    first = moved.isel(step=supervision == numbers[0]).mean("step")
    last = moved.isel(step=np.isin(supervision, numbers[-3:])).mean("step")
    return (last <= 0.05 * first).rename("settled")


def outcome(data: xr.Dataset) -> xr.DataArray:
    """How each path ended [puzzle, trajectory]: 0 wrong, 1 correct, 2 not finished, 3 unknown (see `OUTCOMES`).

    Correct: the last recorded answer is `valid`. Not finished: it is not, and the model never said that it was right.
    A model without a halting head cannot be unfinished. Unknown: `valid` was not recorded.
    """
    like = data["tokens"].isel(step=-1, position=0, drop=True)
    if "valid" not in data:
        return like.copy(data=np.full(like.shape, UNKNOWN, np.uint8)).rename("outcome")
    valid = data["valid"].isel(step=-1).values
    never = halted(data).values < 0 if {"halted_at", "halt"} & set(map(str, data.data_vars)) else np.zeros_like(valid)
    found = np.where(valid, CORRECT, np.where(never, NOT_FINISHED, WRONG)).astype(np.uint8)
    return like.copy(data=found).rename("outcome")


# -------------------------------------------------------------------------------------------------------------- answers
@dataclass(frozen=True)
class Answer:
    """One distinct final answer.

    Attributes:
        letter: a, b, ... z by size; empty from the 27th on.
        tokens: [position], at the positions that are drawn (see `shown`).
        valid: None where `valid` was not recorded.
        conflicts: violated rules; None where the board has none and nothing was recorded.
        counts: number of paths of each run, in the order of the runs.
    """

    letter: str
    tokens: NDArray[np.integer]
    valid: bool | None
    conflicts: int | None
    counts: tuple[int, ...]

    @property
    def outcome(self) -> str:
        """In words: `correct`, `2 conflicts`, `wrong` or `unknown`."""
        if self.valid is None:
            return "unknown"
        if self.valid:
            return "correct"
        return f"{self.conflicts} conflict{'s' * (self.conflicts != 1)}" if self.conflicts else "wrong"


@dataclass(frozen=True)
class Answers:
    """The distinct final answers of one puzzle over all runs, largest first.

    Attributes:
        found: the answers.
        final: per run, index into `found` [trajectory].
        at: per run, index into `found` of the answer that each state shows [trajectory, step]; -1 for none of them.
    """

    found: tuple[Answer, ...]
    final: tuple[xr.DataArray, ...]
    at: tuple[xr.DataArray, ...]


def answers(rollouts: Sequence[xr.Dataset], puzzle: int | Sequence[int] = 0) -> Answers:
    """The answers that the paths reach, lettered by the number of paths of all runs together.

    Equal numbers: the answer that the first path (in order of runs, then trajectories) reaches comes first.
    """
    chosen = [data.isel(puzzle=p) for data, p in zip(rollouts, _each(puzzle, rollouts), strict=True)]
    board = board_of(rollouts[0])
    rows = [np.ascontiguousarray(one["tokens"].values.astype(np.uint16)) for one in chosen]
    where: dict[bytes, int] = {}
    counts: list[list[int]] = []
    first: list[tuple[int, int]] = []
    for run, tokens in enumerate(rows):
        for path, row in enumerate(tokens[:, -1]):
            key = row.tobytes()
            if key not in where:
                where[key] = len(where)
                counts.append([0] * len(rows))
                first.append((run, path))
            counts[where[key]][run] += 1
    order = sorted(range(len(counts)), key=lambda i: (-sum(counts[i]), i))
    rank = {old: new for new, old in enumerate(order)}
    found = []
    for place, i in enumerate(order):
        run, path = first[i]
        last = chosen[run].isel(trajectory=path, step=-1)
        tokens = last["tokens"].values
        conflicts: int | None = None
        if board.nodes:
            conflicts = int(board.violations(_on_edges(board, last["x"].values, tokens)))
        elif board.groups or board.required:
            conflicts = int(board.violations(tokens))
        elif "conflict" in last:
            conflicts = int(last["conflict"].sum())
        found.append(
            Answer(
                letter=chr(ord("a") + place) if place < 26 else "",
                tokens=tokens[: board.nodes or None],
                valid=bool(last["valid"]) if "valid" in last else None,
                conflicts=conflicts,
                counts=tuple(counts[i]),
            )
        )
    at = [
        np.array([[rank[where[key]] if (key := row.tobytes()) in where else -1 for row in path] for path in tokens])
        for tokens in rows
    ]
    return Answers(
        tuple(found),
        tuple(xr.DataArray(one[:, -1], dims="trajectory", name="answer") for one in at),
        tuple(xr.DataArray(one, dims=("trajectory", "step"), name="answer") for one in at),
    )


# -------------------------------------------------------------------------------------------------------------- parting
@dataclass(frozen=True)
class Parting:
    """Two paths part at state `index`, and first at `position`, whose difference lasts from `position_index` on."""

    index: int
    position: int
    position_index: int


def parting(a: xr.Dataset, i: int, b: xr.Dataset, j: int, puzzle: int | Sequence[int] = 0) -> Parting | None:
    """Where path i of run a and path j of run b part; None if they reach the same answer. See `parting_of`.

    Indices count the states of the longer run; the shorter one keeps its last board.
    """
    p, q = _each(puzzle, (a, b))
    return parting_of(shown(a)["tokens"].values[p, i], shown(b)["tokens"].values[q, j])


def parting_of(a: NDArray[np.integer], b: NDArray[np.integer]) -> Parting | None:
    """Where two sequences of boards [step, position] part, or None if they end alike.

    The parting is the smallest t from which, to the end, each board is strictly nearer (Hamming) to its own last board
    than to the other's. The position is the one whose difference lasts from the earliest time; of equals the first.
    """
    steps = max(len(a), len(b))
    a, b = (np.concatenate([one, np.repeat(one[-1:], steps - len(one), 0)]) for one in (a, b))
    if (a[-1] == b[-1]).all():
        return None
    own = ((a != a[-1]).sum(1) < (a != b[-1]).sum(1)) & ((b != b[-1]).sum(1) < (b != a[-1]).sum(1))
    lasting = _since(a != b)
    position = int(lasting.argmin())
    return Parting(int(_since(own[:, None])[0]), position, int(lasting[position]))


# ----------------------------------------------------------------------------------------------------------- projection
@dataclass(frozen=True)
class Projection:
    """The states of some runs in three principal components that they share.

    Attributes:
        basis: `h`, `answers` or `steps`.
        label: the basis in words.
        of: what the explained variance is of, in words.
        variance: share of the variance that each component explains [component]; of all states of all paths given.
        runs: per run `coordinates` [trajectory, step, component] and `outside` [trajectory, step], the share of a
            state's energy (squared distance to the mean) that the first two components do not show.
    """

    basis: str
    label: str
    of: str
    variance: xr.DataArray
    runs: tuple[xr.Dataset, ...]

    @property
    def plane(self) -> float:
        """Share of the variance that the first two components explain together."""
        return float(self.variance[:2].sum())


def planes(rollouts: Sequence[xr.Dataset], basis: str, share_h: bool = False) -> list[tuple[int, ...]]:
    """The sets of runs (by index) that may share one plane of a basis.

    The h of two checkpoints are two unrelated spaces, so a distance in a joint plane of them means nothing: bases `h`
    and `steps` join only runs with the same recorded checkpoint, unless `share_h`. Answers are one space for all runs.
    Runs without `h` (or, for `steps`, with a single state) are left out.
    """
    _known_basis(basis)
    if basis == "answers":
        return [tuple(range(len(rollouts)))]
    able = [i for i, data in enumerate(rollouts) if "h" in data and (basis == "h" or (data["low_step"] == 0).sum() > 1)]
    groups: dict[str, list[int]] = {}
    for i in able:
        checkpoint = str(rollouts[i].attrs.get("checkpoint") or f"unknown, run {i}")
        groups.setdefault("" if share_h else checkpoint, []).append(i)
    return [tuple(group) for group in groups.values()]


def project(rollouts: Sequence[xr.Dataset], basis: str = "h", puzzle: int | Sequence[int] = 0) -> Projection:
    """Principal components of the states of one puzzle, fitted on all states of all paths of all runs given.

    Args:
        rollouts: runs that may share a plane; see `planes`.
        basis: `h` (positions and features flattened), `answers` (token probabilities, or one-hot tokens where a run has
            none) or `steps` (differences of h between neighbouring states; the initial state has made no step: 0).
        puzzle: index of the puzzle, one for all or one per run.

    Each component's largest loading is positive. States with a NaN or infinity are left out of the fit and stay NaN.

    Raises:
        RolloutError: `h` was not recorded, or the runs have different numbers per state.
        ValueError: an unknown basis.
    """
    return projections(rollouts, (basis,), puzzle)[basis]


def projections(
    rollouts: Sequence[xr.Dataset], bases: Sequence[str] = BASES, puzzle: int | Sequence[int] = 0
) -> dict[str, Projection]:
    """`project` for several bases; `h` and `steps` read the states, which may be large, only once."""
    chosen = [data.isel(puzzle=p) for data, p in zip(rollouts, _each(puzzle, rollouts), strict=True)]
    found = {}
    paths_of_h: _Paths | None = None
    for basis in bases:
        _known_basis(basis)
        if basis == "answers":
            known = all("probability" in one or "logits" in one for one in chosen)
            paths = _Paths([_answer_states(one, known) for one in chosen])
            of = "token probabilities" if known else "one-hot tokens"
        else:
            if paths_of_h is None:
                paths_of_h = _Paths([need(one, "h").transpose("trajectory", "step", *_STATE).values for one in chosen])
            paths, of = paths_of_h, "h" if basis == "h" else "the steps of h"
        with _one_thread():
            shares, runs = _principal(paths, differences=basis == "steps")
        variance = xr.DataArray(shares, dims="component", name="variance")
        found[basis] = Projection(basis, f"PCA of {basis}", of, variance, runs)
    return found


class _Paths:
    """The states of all paths as float32 rows around their common mean, and which of them are finite.

    Attributes:
        rows: per path [step, feature]; states that are not finite are 0, so that they cannot poison a product.
        finite: per path [step].
        shapes: (paths, steps) of each run.
    """

    def __init__(self, states: Sequence[NDArray[np.floating]]) -> None:
        sizes = sorted({int(np.prod(one.shape[2:])) for one in states})
        if len(sizes) > 1:
            raise RolloutError(f"these runs have {' and '.join(map(str, sizes))} numbers per state and share no plane")
        self.shapes = [(one.shape[0], one.shape[1]) for one in states]
        self.rows: list[NDArray[np.float32]] = []
        self.finite: list[NDArray[np.bool_]] = []
        total, count = np.zeros(sizes[0]), 0
        # One block for all: it gets large memory pages, which a pass over 50 MB notices.
        block = np.empty((sum(n * t for n, t in self.shapes), sizes[0]), np.float32)
        at = 0
        for path in (path for one in states for path in one):  # path by path, because a path fits into the cache
            rows = block[at : at + len(path)]
            rows[:] = path.reshape(len(path), -1)
            at += len(path)
            finite = np.isfinite(rows.sum(1))
            rows[~finite] = 0
            total += rows.sum(0)
            count += int(finite.sum())
            self.rows.append(rows)
            self.finite.append(finite)
        centre = (total / max(count, 1)).astype(np.float32)
        for rows, finite in zip(self.rows, self.finite, strict=True):
            rows[finite] -= centre


def _principal(paths: _Paths, differences: bool) -> tuple[NDArray[np.float64], tuple[xr.Dataset, ...]]:
    """Explained variance [component], and per run coordinates and energy outside; of states or of their differences."""
    scatter = _Scatter(paths, differences)
    values, loadings = scatter.leading()
    places, outside = [], []
    for rows, used, energy in zip(paths.rows, scatter.used, scatter.energy, strict=True):
        place = scatter.lift(rows @ loadings) - scatter.mean @ loadings
        shown = (place[:, :2].astype(np.float64) ** 2).sum(1)
        part = np.divide(energy - shown, energy, out=np.zeros_like(energy), where=energy > 0).clip(0, 1)
        place, part = np.where(used[:, None], place, np.nan), np.where(used, part, np.nan)
        if differences:  # the initial state has made no step
            place, part = np.vstack([-scatter.mean @ loadings, place]), np.concatenate([[0.0], part])
        places.append(place.astype(np.float32))
        outside.append(part.astype(np.float32))
    runs, at = [], 0
    for count, _ in paths.shapes:
        runs.append(
            xr.Dataset(
                {
                    "coordinates": (("trajectory", "step", "component"), np.stack(places[at : at + count])),
                    "outside": (("trajectory", "step"), np.stack(outside[at : at + count])),
                }
            )
        )
        at += count
    return (values / scatter.total if scatter.total > 0 else np.zeros(COMPONENTS)), tuple(runs)


class _Scatter:
    """The scatter matrix of the rows of all paths (states, or differences along a path) as an operator on vectors.

    It is never formed: it acts path by path, so that each path is read from memory once per product, and differences
    are taken of numbers instead of states. Small problems are solved densely, large ones by Lanczos iteration from a
    fixed start (ARPACK; Lehoucq, Sorensen & Yang 1998): as exact as needed, and the same answer every time.
    """

    def __init__(self, paths: _Paths, differences: bool) -> None:
        self.paths, self.differences = paths, differences
        self.used = [ok[1:] & ok[:-1] if differences else ok for ok in paths.finite]
        self.features = paths.rows[0].shape[1]
        self.count = sum(int(used.sum()) for used in self.used)
        self.mean = np.zeros(self.features, np.float32)  # states are centred already
        if differences:
            self.mean = self._adjoint([used.astype(np.float32) for used in self.used]) / np.float32(max(self.count, 1))
        self.energy = []  # per path [row], squared distance to the mean
        for rows, used in zip(paths.rows, self.used, strict=True):
            away = self.lift(rows) - self.mean if differences else rows
            self.energy.append(np.where(used, np.einsum("tf,tf->t", away, away), 0).astype(np.float64))
        self.total = float(sum(energy.sum() for energy in self.energy))

    def lift(self, values: NDArray[Any]) -> NDArray[Any]:
        """From values per state [step, ...] to values per row: themselves, or their differences."""
        return values[1:] - values[:-1] if self.differences else values

    def _adjoint(self, weights: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Sum of the rows, weighted per path [row] -> [feature]."""
        total = np.zeros(self.features, np.float32)
        for rows, weight in zip(self.paths.rows, weights, strict=True):
            if self.differences:
                edge = np.zeros(1, np.float32)
                weight = np.concatenate([edge, weight]) - np.concatenate([weight, edge])
            total += weight @ rows
        return total

    def product(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scatter matrix times a vector [feature]."""
        vector = vector.ravel()
        weights = [self.lift(rows @ vector) * used for rows, used in zip(self.paths.rows, self.used, strict=True)]
        return self._adjoint(weights) - self.mean * np.float32(self.count * float(self.mean @ vector))

    def leading(self) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Scatter along the leading components [component] and loadings [feature, component]; 0 where there is none."""
        values, loadings = np.zeros(COMPONENTS), np.zeros((self.features, COMPONENTS), np.float32)
        if self.total <= 0:
            return values, loadings
        if min(self.count, self.features) <= 256:
            each = zip(self.paths.rows, self.used, strict=True)
            rows = np.concatenate([(self.lift(r) - self.mean)[used] for r, used in each]).astype(np.float64)
            if self.count < self.features:  # eigenvectors of the small Gram matrix, carried over
                found, vectors = np.linalg.eigh(rows @ rows.T)
                vectors = rows.T @ vectors[:, -COMPONENTS:]
            else:
                found, vectors = np.linalg.eigh(rows.T @ rows)
                vectors = vectors[:, -COMPONENTS:]
        else:
            operator = LinearOperator((self.features, self.features), matvec=self.product, dtype=np.float32)
            start = np.random.default_rng(0).uniform(-1, 1, (self.features,)).astype(np.float32)
            # Measured on 1650 x 8192: ncv 10 is quickest, and 1e-4 of an eigenvalue costs 2e-6 of the direction.
            found, vectors = eigsh(operator, COMPONENTS, v0=start, ncv=10, tol=1e-4)
        found = found[-COMPONENTS:]
        for place, i in enumerate(np.argsort(found)[::-1]):
            if found[i] > 1e-7 * self.total:  # below: rounding, whose direction would be chance
                vector = vectors[:, i]
                sign = np.sign(vector[np.abs(vector).argmax()])
                values[place], loadings[:, place] = found[i], sign * vector / np.linalg.norm(vector)
        return values, loadings


@cache
def _thread_pools() -> ThreadpoolController:
    return ThreadpoolController()  # looking the libraries up takes milliseconds: once


def _one_thread() -> AbstractContextManager[object]:
    """One BLAS thread. The products are bound by memory (measured on two shared cores: 6 ms each, with two threads 14),
    and so the sums, hence the bytes of a payload, do not depend on the number of cores."""
    return _thread_pools().limit(limits=1, user_api="blas")


# ------------------------------------------------------------------- plain numpy, held to tests/vectors/ with the page
def changed_tokens(tokens: NDArray[np.integer]) -> NDArray[np.bool_]:
    """True where tokens [..., step, position] differ from the step before; False at the first step."""
    found = np.zeros(tokens.shape, bool)
    found[..., 1:, :] = tokens[..., 1:, :] != tokens[..., :-1, :]
    return found


def token_counts(tokens: NDArray[np.integer], vocabulary: int) -> NDArray[np.int64]:
    """How many of the boards [path, position] show each token: [position, token]."""
    return (tokens[..., None] == np.arange(vocabulary)).sum(0)


def band(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """10 %, 50 % and 90 % quantiles over paths [path, step] -> [3, step]; linear between neighbours, NaN left out."""
    found = np.full((3, values.shape[1]), np.nan)
    for step, column in enumerate(np.asarray(values, np.float64).T):
        column = column[~np.isnan(column)]
        if len(column):
            found[:, step] = np.quantile(column, (0.1, 0.5, 0.9))
    return found


def conflict_pairs(board: Board, tokens: NDArray[np.integer]) -> list[tuple[int, int]]:
    """Pairs of positions (a < b, sorted) that share a group and the same exclusive token, on one board [position]."""
    pairs = set()
    for group in board.groups:
        for token in board.exclusive:
            members = sorted(p for p in group if tokens[p] == token)
            pairs |= {(a, b) for k, a in enumerate(members) for b in members[k + 1 :]}
    return sorted(pairs)


# -------------------------------------------------------------------------------------------------------------- helpers
def _first(data: xr.Dataset, true: xr.DataArray) -> xr.DataArray:
    """Label of the first step at which `true` [..., step] holds, or -1."""
    true = true.transpose(..., "step")
    labels = np.where(true.values.any(-1), data["step"].values[true.values.argmax(-1)], -1)
    return xr.DataArray(labels, dims=true.dims[:-1])


def _since(true: NDArray[np.bool_]) -> NDArray[np.int64]:
    """First index from which on `true` [step, ...] holds to the end; the number of steps where it never does."""
    return len(true) - np.logical_and.accumulate(true[::-1], axis=0).sum(0)


def _on_edges(board: Board, x: NDArray[np.integer], tokens: NDArray[np.integer]) -> NDArray[np.integer]:
    """The nodes of answers [..., position] on the edges of the puzzle, in a graph whose edges are tokens."""
    x, tokens = np.broadcast_arrays(x, tokens)
    return np.concatenate([tokens[..., : board.nodes], x[..., board.nodes :]], -1)


def _answer_states(one: xr.Dataset, known: bool) -> NDArray[np.floating]:
    """What the basis `answers` sees of one puzzle's run: [trajectory, step, position, token]."""
    if known:
        return probability(one).transpose("trajectory", "step", "position", "token").values
    tokens = shown(one)["tokens"].transpose("trajectory", "step", "position").values
    return (tokens[..., None] == np.arange(len(board_of(one).tokens))).astype(np.float32)


def _known_basis(basis: str) -> None:
    if basis not in BASES:
        raise ValueError(f"unknown basis {basis!r}; known: {', '.join(BASES)}")


def _each(puzzle: int | Sequence[int], rollouts: Sequence[xr.Dataset]) -> Iterator[int]:
    """The puzzle of each run."""
    if isinstance(puzzle, int | np.integer):
        return iter([int(puzzle)] * len(rollouts))
    if len(puzzle) != len(rollouts):
        raise ValueError(f"{len(puzzle)} puzzle indices for {len(rollouts)} rollouts; give one, or one for each")
    return iter([int(p) for p in puzzle])
