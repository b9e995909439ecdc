"""Counter-based noise: the numbers that a page draws (`gramviz/kernel/kernel.c`), so that one seed gives the same
trajectories there and here.

Philox 4x32-10 (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3") of the counter (i // 8, 0 or 1,
trajectory, transition) and the key (seed, puzzle), then Box-Muller. It needs no state: the noise of any transition of
any trajectory can be had without that of the others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gram.inference.noise import Key

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox(counter: NDArray[np.unsignedinteger], key: tuple[int, int]) -> NDArray[np.uint32]:
    """Four random words [..., 4] of each counter [..., 4] under a key."""
    c = [counter[..., k].astype(np.uint64) for k in range(4)]
    k0, k1 = key
    for _ in range(10):
        a, b = c[0] * _MULTIPLIERS[0], c[2] * _MULTIPLIERS[1]
        c = [(b >> _HALF) ^ c[1] ^ np.uint64(k0), b & _LOW, (a >> _HALF) ^ c[3] ^ np.uint64(k1), a & _LOW]
        k0, k1 = (k0 + _WEYL[0]) & 0xFFFFFFFF, (k1 + _WEYL[1]) & 0xFFFFFFFF
    return np.stack(c, -1).astype(np.uint32)


def normals(count: int, key: Key, transition: int) -> NDArray[np.float32]:
    """`count` standard normals of one transition, from 0, of the trajectory of a key (seed, puzzle, trajectory).

    Eight come from one counter: four lengths, of the first word each, and four angles of the second give four cosines,
    then four sines.
    """
    seed, puzzle, trajectory = key
    blocks = -(-count // 8)
    counter = np.zeros((blocks, 2, 4), np.uint32)
    counter[..., 0], counter[:, 1, 1] = np.arange(blocks)[:, None], 1
    counter[..., 2], counter[..., 3] = trajectory, transition
    length, angle = np.moveaxis(philox(counter, (seed, puzzle)), 1, 0)
    radius = np.sqrt(-2 * np.log(((length >> 8) + 1) / 2.0**24))
    turn = angle * (2 * np.pi / 2.0**32)
    made = np.concatenate([radius * np.cos(turn), radius * np.sin(turn)], -1)
    return made.reshape(-1)[:count].astype(np.float32)


class PhiloxNoise:
    """Noise of rows by their keys, as `gram.inference.noise.RowGenerators`: each call is the next transition."""

    def __init__(self, keys: Sequence[Key], scale: float = 1.0) -> None:
        self.keys, self.scale, self.transition = keys, scale, 0

    def __call__(self, like: Tensor) -> Tensor:
        count = like[0].numel()
        drawn = np.stack([normals(count, key, self.transition) for key in self.keys])
        self.transition += 1
        return torch.from_numpy(drawn).view(like.shape).to(like.device) * self.scale
