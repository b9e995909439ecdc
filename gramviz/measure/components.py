"""Principal components of the states that some series share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh
from threadpoolctl import ThreadpoolController

from gram.rollout import RolloutError, board_of, need
from gramviz.measure.plain import STATE, each
from gramviz.measure.positions import probability, shown

BASES = ("h", "answers", "steps", "random")
COMPONENTS = 3
SEED = 0  # of the random plane
_CELL = re.compile(r"cell(0|[1-9][0-9]{0,5})")


@dataclass(frozen=True)
class Projection:
    """The states of some series in three principal components that they share.

    Attributes:
        basis: `h`, `answers`, `steps`, `random`, or `cell40` for the position 40.
        label: the basis in words.
        of: what the explained variance is of, in words.
        variance: share of the variance that each component explains [component]; of all states of all trajectories
            given.
        series: per series `coordinates` [trajectory, step, component] and `outside` [trajectory, step], the share of a
            state's energy (squared distance to the mean) that the first two components do not show; `beyond`
            [trajectory, step], the share that all three do not show.
    """

    basis: str
    label: str
    of: str
    variance: xr.DataArray
    series: tuple[xr.Dataset, ...]

    @property
    def explained_2d(self) -> float:
        """Share of the variance that the first two components explain together."""
        return float(self.variance[:2].sum())

    @property
    def axis(self) -> str:
        """What an axis is called before its number: a random direction is no principal component."""
        return axis(self.basis)


def axis(basis: str) -> str:
    """What an axis of a basis is called before its number."""
    return "Direction" if basis == "random" else "PC"


def cell_of(basis: str) -> int | None:
    """The position whose h a basis `cell40` is of; None for every other basis."""
    found = _CELL.fullmatch(basis)
    return int(found[1]) if found else None


def planes(rollouts: Sequence[xr.Dataset], basis: str, share_h: bool = False) -> list[tuple[int, ...]]:
    """The sets of series (by index) that may share one plane of a basis.

    The h of two checkpoints are two unrelated spaces, so a distance in a joint plane of them means nothing: bases `h`
    and `steps` join only series with the same recorded checkpoint, unless `share_h`. Answers are one space for all
    series. Series without `h` (or, for `steps`, with a single state) are left out.
    """
    _known_basis(basis)
    if basis == "answers":
        return [tuple(range(len(rollouts)))]
    able = [i for i, data in enumerate(rollouts) if "h" in data and (basis == "h" or (data["low_step"] == 0).sum() > 1)]
    groups: dict[str, list[int]] = {}
    for i in able:
        checkpoint = str(rollouts[i].attrs.get("checkpoint") or f"unknown, series {i}")
        groups.setdefault("" if share_h else checkpoint, []).append(i)
    return [tuple(group) for group in groups.values()]


def project(rollouts: Sequence[xr.Dataset], basis: str = "h", puzzle: int | Sequence[int] = 0) -> Projection:
    """Principal components of the states of one puzzle, fitted on all states of all trajectories of all series given.

    Args:
        rollouts: series that may share a plane; see `planes`.
        basis: `h` (positions and features flattened), `answers` (token probabilities, or one-hot tokens where a series
            has none), `steps` (differences of h between neighboring states; the initial state has made no step: 0),
            `cell40` (h of the position 40 alone), or `random` (h along three directions at right angles, drawn at
            random
            drew: what any plane would show, so that the others can be checked against it).
        puzzle: index of the puzzle, one for all or one per series.

    Each component's largest loading is positive; those of `random` stand in the order in which they were drawn. States
    with a NaN or infinity are left out of the fit and stay NaN.

    Raises:
        RolloutError: `h` was not recorded, or the series have different numbers per state.
        ValueError: an unknown basis.
    """
    return projections(rollouts, (basis,), puzzle)[basis]


def projections(
    rollouts: Sequence[xr.Dataset], bases: Sequence[str] = BASES, puzzle: int | Sequence[int] = 0
) -> dict[str, Projection]:
    """`project` for several bases; `h` and `steps` read the states, which may be large, only once."""
    chosen = [data.isel(puzzle=p) for data, p in zip(rollouts, each(puzzle, rollouts), strict=True)]
    found = {}
    states: list[NDArray[np.floating]] = []
    trajectories_of_h: _Trajectories | None = None
    for basis in bases:
        _known_basis(basis)
        if basis == "answers":
            known = all("probability" in one or "logits" in one for one in chosen)
            trajectories = _Trajectories([_answer_states(one, known) for one in chosen])
            of = "token probabilities" if known else "one-hot tokens"
        else:
            states = states or [need(one, "h").transpose("trajectory", "step", *STATE).values for one in chosen]
            position = cell_of(basis)
            if position is None:
                trajectories = trajectories_of_h = trajectories_of_h or _Trajectories(states)
                of = "the steps of h" if basis == "steps" else "h"
            else:
                most = min(one.shape[2] for one in states) - 1
                if position > most:
                    raise ValueError(f"there is no position {position}; choose 0 to {most}")
                trajectories = _Trajectories([one[:, :, position : position + 1] for one in states])
                of = f"h of {board_of(chosen[0]).place(position)}"
        with one_thread():
            rng = np.random.default_rng(SEED) if basis == "random" else None
            shares, series = _principal(trajectories, basis == "steps", rng)
        variance = xr.DataArray(shares, dims="component", name="variance")
        found[basis] = Projection(basis, label(basis, chosen[0]), of, variance, series)
    return found


def label(basis: str, data: xr.Dataset) -> str:
    """A basis in words, its cell as the explorer writes it: "PCA of cell r4c6", in a graph "PCA of node n3"."""
    if basis == "random":
        return f"Random plane (seed {SEED})"
    position = cell_of(basis)
    if position is None:
        return f"PCA of {basis}"
    board = board_of(data)
    if board.kind == "graph":
        return f"PCA of node n{position + 1}"
    return f"PCA of cell r{position // board.width + 1}c{position % board.width + 1}"


class _Trajectories:
    """The states of all trajectories as float32 rows around their common mean, and which of them are finite.

    Attributes:
        rows: per trajectory [step, feature]; states that are not finite are 0, so that they cannot poison a product.
        finite: per trajectory [step].
        shapes: (trajectories, steps) of each series.
    """

    def __init__(self, states: Sequence[NDArray[np.floating]]) -> None:
        sizes = sorted({int(np.prod(one.shape[2:])) for one in states})
        if len(sizes) > 1:
            raise RolloutError(
                f"these series have {' and '.join(map(str, sizes))} numbers per state and share no plane"
            )
        self.shapes = [(one.shape[0], one.shape[1]) for one in states]
        self.rows: list[NDArray[np.float32]] = []
        self.finite: list[NDArray[np.bool_]] = []
        total, count = np.zeros(sizes[0]), 0
        # One block for all: it gets large memory pages, which a pass over 50 MB notices.
        block = np.empty((sum(n * t for n, t in self.shapes), sizes[0]), np.float32)
        at = 0
        for trajectory in chain.from_iterable(states):  # one at a time, because one fits into the cache
            rows = block[at : at + len(trajectory)]
            rows[:] = trajectory.reshape(len(trajectory), -1)
            at += len(trajectory)
            finite = np.isfinite(rows.sum(1))
            rows[~finite] = 0
            total += rows.sum(0)
            count += int(finite.sum())
            self.rows.append(rows)
            self.finite.append(finite)
        center = (total / max(count, 1)).astype(np.float32)
        for rows, finite in zip(self.rows, self.finite, strict=True):
            rows[finite] -= center


def _principal(
    trajectories: _Trajectories, differences: bool, rng: np.random.Generator | None
) -> tuple[NDArray[np.float64], tuple[xr.Dataset, ...]]:
    """Explained variance [component], and per series coordinates and energy outside; of states or of their differences.

    With `rng` the directions are not the leading ones but random.
    """
    scatter = _Scatter(trajectories, differences)
    values, loadings = scatter.along(rng) if rng else scatter.leading()
    places, outside, beyond = [], [], []
    for rows, used, energy in zip(trajectories.rows, scatter.used, scatter.energy, strict=True):
        place = scatter.lift(rows @ loadings) - scatter.mean @ loadings
        left = energy[:, None] - (place.astype(np.float64) ** 2).cumsum(1)
        parts = np.divide(left, energy[:, None], out=np.zeros_like(left), where=energy[:, None] > 0).clip(0, 1)
        place, parts = np.where(used[:, None], place, np.nan), np.where(used[:, None], parts, np.nan)
        if differences:  # the initial state has made no step
            place, parts = np.vstack([-scatter.mean @ loadings, place]), np.vstack([np.zeros(COMPONENTS), parts])
        places.append(place.astype(np.float32))
        outside.append(parts[:, 1].astype(np.float32))
        beyond.append(parts[:, 2].astype(np.float32))
    series, at = [], 0
    for count, _ in trajectories.shapes:
        series.append(
            xr.Dataset(
                {
                    "coordinates": (("trajectory", "step", "component"), np.stack(places[at : at + count])),
                    "outside": (("trajectory", "step"), np.stack(outside[at : at + count])),
                    "beyond": (("trajectory", "step"), np.stack(beyond[at : at + count])),
                }
            )
        )
        at += count
    return (values / scatter.total if scatter.total > 0 else np.zeros(COMPONENTS)), tuple(series)


class _Scatter:
    """The scatter matrix of the rows of all trajectories (states, or differences along a trajectory) as an operator on
    vectors.

    It is never formed: it acts trajectory by trajectory, so that each trajectory is read from memory once per product,
    and differences are taken of numbers instead of states. Small problems are solved densely, large ones by Lanczos
    iteration from a fixed start (ARPACK; Lehoucq, Sorensen & Yang 1998): as exact as needed, and the same answer every
    time.
    """

    def __init__(self, trajectories: _Trajectories, differences: bool) -> None:
        self.trajectories, self.differences = trajectories, differences
        self.used = [ok[1:] & ok[:-1] if differences else ok for ok in trajectories.finite]
        self.features = trajectories.rows[0].shape[1]
        self.count = sum(int(used.sum()) for used in self.used)
        self.mean = np.zeros(self.features, np.float32)  # states are centered already
        if differences:
            self.mean = self._adjoint([used.astype(np.float32) for used in self.used]) / np.float32(max(self.count, 1))
        self.energy = []  # per trajectory [row], squared distance to the mean
        for rows, used in zip(trajectories.rows, self.used, strict=True):
            away = self.lift(rows) - self.mean if differences else rows
            self.energy.append(np.where(used, np.einsum("tf,tf->t", away, away), 0).astype(np.float64))
        self.total = float(sum(energy.sum() for energy in self.energy))

    def lift(self, values: NDArray[Any]) -> NDArray[Any]:
        """From values per state [step, ...] to values per row: themselves, or their differences."""
        return values[1:] - values[:-1] if self.differences else values

    def _adjoint(self, weights: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Sum of the rows, weighted per trajectory [row] -> [feature]."""
        total = np.zeros(self.features, np.float32)
        for rows, weight in zip(self.trajectories.rows, weights, strict=True):
            if self.differences:
                edge = np.zeros(1, np.float32)
                weight = np.concatenate([edge, weight]) - np.concatenate([weight, edge])
            total += weight @ rows
        return total

    def product(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scatter matrix times a vector [feature]."""
        vector = vector.ravel()
        weights = [
            self.lift(rows @ vector) * used for rows, used in zip(self.trajectories.rows, self.used, strict=True)
        ]
        return self._adjoint(weights) - self.mean * np.float32(self.count * float(self.mean @ vector))

    def along(self, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Scatter along directions at right angles, drawn uniformly among all such; and their loadings."""
        values, loadings = np.zeros(COMPONENTS), np.zeros((self.features, COMPONENTS), np.float32)
        count = min(COMPONENTS, self.features)
        drawn = np.linalg.qr(rng.standard_normal((self.features, COMPONENTS))[:, :count])[0]
        signs = np.sign(drawn[np.abs(drawn).argmax(0), np.arange(count)])
        loadings[:, :count] = drawn * signs
        if self.total > 0:
            for place in range(count):
                values[place] = loadings[:, place] @ self.product(loadings[:, place])
        return values, loadings

    def leading(self) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Scatter along the leading components [component] and loadings [feature, component]; 0 where there is none."""
        values, loadings = np.zeros(COMPONENTS), np.zeros((self.features, COMPONENTS), np.float32)
        if self.total <= 0:
            return values, loadings
        if min(self.count, self.features) <= 256:
            each = zip(self.trajectories.rows, self.used, strict=True)
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
            if found[i] > 1e-7 * self.total:  # below: rounding, whose direction would be random
                vector = vectors[:, i]
                sign = np.sign(vector[np.abs(vector).argmax()])
                values[place], loadings[:, place] = found[i], sign * vector / np.linalg.norm(vector)
        return values, loadings


@cache
def _thread_pools() -> ThreadpoolController:
    return ThreadpoolController()  # looking the libraries up takes milliseconds: once


def one_thread() -> AbstractContextManager[object]:
    """One BLAS thread. The products are bound by memory (measured on two shared cores: 6 ms each, with two threads 14),
    and so the sums, hence the bytes of a payload, do not depend on the number of cores."""
    return _thread_pools().limit(limits=1, user_api="blas")


def _answer_states(one: xr.Dataset, known: bool) -> NDArray[np.floating]:
    """What the basis `answers` sees of one puzzle's series: [trajectory, step, position, token]."""
    if known:
        return probability(one).transpose("trajectory", "step", "position", "token").values
    tokens = shown(one)["tokens"].transpose("trajectory", "step", "position").values
    return (tokens[..., None] == np.arange(len(board_of(one).tokens))).astype(np.float32)


def _known_basis(basis: str) -> None:
    if basis not in BASES and cell_of(basis) is None:
        raise ValueError(f"unknown basis {basis!r}; known: {', '.join(BASES)}, and cell0, cell1, ... for one position")
