"""One run on several processes: `torchrun --nproc-per-node 2 -m gram.cli train PRESET`, on CPUs (gloo) or GPUs (NCCL).

Lightning Fabric starts the processes and averages the gradients (torch's DDP). Every process draws the same puzzles and
the noise of all rows, and computes an equal share of them, so that the run is that of one process up to rounding.
"""

from __future__ import annotations

import os

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor

from gram import compute
from gram.config import ConfigError, TrainConfig


class LostProcessError(RuntimeError):
    """Another process of this run ended."""


def launch(config: TrainConfig) -> Fabric:
    """The device, the precision, and the other processes that torchrun started with this one, if it did.

    Raises:
        ConfigError: the rows cannot be shared equally.
    """
    world = int(os.environ.get("WORLD_SIZE", 1))
    for name in ("batch", "prior_rows"):
        rows = getattr(config, name)
        if rows % world:
            raise ConfigError(
                f"train.{name} is {rows}, which {world} processes do not divide; choose a multiple of {world}"
            )
    kind = compute.device().type
    half = compute.dtype(config.precision, kind) == torch.bfloat16
    local = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    fabric = Fabric(
        accelerator=kind,
        devices=local,
        num_nodes=world // local,
        # The heads learn alone in the last phase. The buffers are the fixed initial states, equal by the seed.
        strategy=DDPStrategy(find_unused_parameters=True, broadcast_buffers=False) if world > 1 else "auto",
        precision="bf16-mixed" if half else "32-true",
    )
    fabric.launch()
    return fabric


def own(fabric: Fabric, rows: int) -> slice:
    """The share of N rows that this process computes."""
    share = rows // fabric.world_size
    return slice(fabric.global_rank * share, (fabric.global_rank + 1) * share)


def whole(fabric: Fabric, part: Tensor) -> Tensor:
    """The shares [own row, ...] of all processes, joined: [row, ...]."""
    if fabric.world_size == 1:
        return part
    return torch.as_tensor(fabric.all_gather(part)).flatten(0, 1)


def lost(error: RuntimeError) -> bool:
    """Whether a collective operation failed because another process is gone."""
    words = ("closed by peer", "reset by peer", "Broken pipe", "NCCL", "timed out waiting", "Timed out waiting")
    return isinstance(error, torch.distributed.DistError) or any(word in str(error) for word in words)
