"""The optimizers, their learning rate over the run, and the moving average of the weights.

AdamW with betas (0.9, 0.95) as in HRM and TRM; warm-up, a plateau, and a cosine over the last part of the run. With
`muon_lr` the matrices of the recursive network move by Muon (Jordan et al. 2024; `torch.optim.Muon`), which makes an
update orthogonal before it is added, and AdamW moves the rest. (torch orthogonalizes one matrix at a time, which takes
1.7 to 2.5 ms of the 30 to 100 ms of an optimizer step of our small networks; together they would take half.)
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from gram.config import OptimConfig
from gram.models.base import PuzzleEmbedding
from gram.models.blocks import Network


def decay(config: OptimConfig, step: int, steps: int) -> float:
    """The learning rate of optimizer step `step` (from 0) of a run of `steps`, after warm-up, as a share of `lr`."""
    start = config.decay_from * steps
    if step <= start or steps <= start:
        return 1.0
    way = min(1.0, (step - start) / (steps - start))
    return config.lr_floor + (1 - config.lr_floor) * 0.5 * (1 + math.cos(math.pi * way))


def schedule(config: OptimConfig, step: int, steps: int) -> float:
    """`decay`, or the part of the warm-up that is done: the factor on the learning rate of every optimizer."""
    return (step + 1) / config.warmup if step < config.warmup else decay(config, step, steps)


def optimizers(model: nn.Module, config: OptimConfig) -> list[torch.optim.Optimizer]:
    """AdamW, and with `muon_lr` Muon for the matrices of the recursive network.

    Each of their parameter groups holds its rate on the plateau as `peak`.
    """
    matrices = block_matrices(model) if config.muon_lr else []
    books = [
        weight for part in model.modules() if config.puzzle_lr and isinstance(part, PuzzleEmbedding)
        for weight in part.parameters()
    ]  # fmt: skip
    taken = {id(weight) for weight in (*matrices, *books)}
    groups: list[dict[str, Any]] = [{"params": [weight for weight in model.parameters() if id(weight) not in taken]}]
    if books:
        groups.append({"params": books, "lr": config.puzzle_lr, "weight_decay": 0.0})
    made: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            groups, lr=config.lr, betas=(0.9, config.beta2), weight_decay=config.weight_decay, fused=True
        )
    ]  # fmt: skip
    if matrices:
        made.append(
            torch.optim.Muon(
                matrices, lr=config.muon_lr, weight_decay=config.muon_weight_decay, adjust_lr_fn="original"
            )
        )
    for one in made:
        for group in one.param_groups:
            group["peak"] = group["lr"]
    return made


def block_matrices(model: nn.Module) -> list[Tensor]:
    """The weights [out, in] of the linear layers within the recursive networks of a model, each once.

    Embeddings, the decoder, the guidance and the heads are none of them.
    """
    networks = [part for part in model.modules() if isinstance(part, Network)]
    layers = [part for network in networks for part in network.modules() if isinstance(part, nn.Linear)]
    return [layer.weight for layer in dict.fromkeys(layers)]


def average(model: nn.Module, config: OptimConfig) -> AveragedModel:
    """The exponential moving average of the weights; `average.module` is a model of its own."""
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.ema))
