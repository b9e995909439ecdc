"""Where two trajectories part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gramviz.measure.plain import each, since
from gramviz.measure.positions import shown


@dataclass(frozen=True)
class Parting:
    """Two trajectories part at state `index`, and first at `position`, whose difference lasts from `position_index`
    on."""

    index: int
    position: int
    position_index: int


def parting(a: xr.Dataset, i: int, b: xr.Dataset, j: int, puzzle: int | Sequence[int] = 0) -> Parting | None:
    """Where trajectory i of series a and trajectory j of series b part; None if they reach the same answer. See
    `parting_of`.

    Indices count the states of the longer series; the shorter one keeps its last board.
    """
    p, q = each(puzzle, (a, b))
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
    lasting = since(a != b)
    position = int(lasting.argmin())
    return Parting(int(since(own[:, None])[0]), position, int(lasting[position]))
