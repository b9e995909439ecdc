"""How the cost of sampling grows: `gram bench growth`.

From a common point (16 trajectories of one 9 x 9 board, 4 supervision steps of 4 applications of a block) one
quantity at a time is changed. Weights are random and boards blank, as neither changes what is computed.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from gram import compute
from gram.board import Board, Token
from gram.evaluation.evaluate import answer
from gram.models import MODELS, Model
from gram.models.blocks import NetworkConfig
from gram.models.gram import GRAMConfig
from gram.strict import ConfigError, unknown
from gram.tasks import Puzzles

NETWORKS = {
    "relations": NetworkConfig(
        features=32, hidden=64, blocks=1, mixing="relations", symbols="shared", positions="none", peer_attention=2
    ),
    "attention": NetworkConfig(features=128, hidden=256, blocks=1),
}


@dataclass(frozen=True)
class Point:
    """What is computed: N trajectories and steps, a board of this side, `features` times the usual width."""

    trajectories: int = 16
    depth: int = 4
    board: int = 9
    features: float = 1.0


AXES: dict[str, tuple[float, ...]] = {
    "trajectories": (1, 4, 16, 64, 256),
    "depth": (1, 4, 16, 64),
    "board": (4, 9, 16, 25),
    "features": (0.5, 1.0, 2.0, 4.0),
}


def curves(axes: list[str], *, mixing: str, rounds: int) -> dict[str, Any]:
    """Seconds at the points of each axis, and the exponent between neighbors: 1 is in proportion, 2 to the square.

    All points take turns, and the least of each counts. On a CPU they are seconds of the processor, so that what else
    runs on the machine does not count.

    Raises:
        ConfigError: an unknown axis or kind of mixing.
    """
    if mixing not in NETWORKS:
        raise ConfigError(unknown(mixing, NETWORKS, what="mixing"))
    for axis in axes:
        if axis not in AXES:
            raise ConfigError(unknown(axis, AXES, what="axis"))
    chosen = {axis: AXES[axis] for axis in axes or AXES}
    points = {replace(Point(), **{axis: value}) for axis, values in chosen.items() for value in values}  # type: ignore[arg-type]
    runs = {point: (model(point, mixing), blank(point)) for point in points}
    seconds = {point: min(_timed(point, *run) for _ in range(1 + rounds)) for point, run in runs.items()}
    found = {}
    for axis, values in chosen.items():
        costs = [seconds[replace(Point(), **{axis: value})] for value in values]  # type: ignore[arg-type]
        exponents = [
            math.log(after / before) / math.log(larger / smaller)
            for before, after, smaller, larger in zip(costs, costs[1:], values, values[1:], strict=False)
        ]
        found[axis] = {
            "values": list(values),
            "seconds": [round(cost, 4) for cost in costs],
            "exponents": [round(one, 2) for one in exponents],
        }
    return {"mixing": mixing, "curves": found}


def board(side: int) -> Board:
    """A Sudoku board of this side, a square number."""
    box = math.isqrt(side)
    tokens = (Token("pad"), Token("blank", "."), *(Token(str(digit), str(digit)) for digit in range(1, side + 1)))
    return Board(
        "sudoku", f"{side} x {side}", "grid", side, side, tokens, blank=(0, 1), exclusive=tuple(range(2, 2 + side)),
        box=(box, box),
    )  # fmt: skip


def blank(point: Point) -> Puzzles:
    """One blank board."""
    return Puzzles(np.ones((1, point.board**2), np.uint8), (np.zeros((0, point.board**2), np.uint8),), complete=False)


def model(point: Point, mixing: str) -> Model:
    """A GRAM with random weights."""
    network = NETWORKS[mixing]
    network = replace(
        network, features=round(network.features * point.features), hidden=round(network.hidden * point.features)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = MODELS["gram"](
            GRAMConfig(network=network, low_steps=3, high_steps=1, guidance_hidden=network.features),
            board(point.board),
        )
    return made.to(compute.device()).eval().requires_grad_(False)


def _timed(point: Point, network: Model, puzzles: Puzzles) -> float:
    clock = time.process_time if compute.device().type == "cpu" else time.perf_counter
    start = clock()
    answer(network, puzzles, [0], trajectories=point.trajectories, depths=[point.depth], halting=False, seed=0)
    return clock() - start


def table(found: dict[str, Any]) -> str:
    """`curves` for a reader."""
    lines = [f"mixing {found['mixing']}; CPU seconds, and the exponent from the point before"]
    for axis, curve in found["curves"].items():
        exponents = ["", *(f" ({one:.2f})" for one in curve["exponents"])]
        cells = [f"{cost:.3f}{more}" for cost, more in zip(curve["seconds"], exponents, strict=True)]
        heads = " | ".join(f"{value:g}" for value in curve["values"])
        lines += ["", f"| {axis} | {heads} |", "|---" * (1 + len(cells)) + "|", f"| CPU s | {' | '.join(cells)} |"]
    return "\n".join(lines)
