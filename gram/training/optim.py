"""The optimizer, its learning rate over the run, and the moving average of the weights.

AdamW with betas (0.9, 0.95) as in HRM and TRM; warm-up, a plateau, and a cosine over the last part of the run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn


@dataclass(frozen=True)
class OptimConfig:
    """How the weights move.

    Attributes:
        lr: learning rate on the plateau.
        weight_decay: of AdamW, on every weight.
        clip: largest gradient norm.
        warmup: optimizer steps of linear warm-up.
        decay_from: share of the run after which the cosine begins.
        lr_floor: learning rate at the end, as a share of `lr`.
        ema: decay of the weight average that is evaluated and shipped.
    """

    lr: float = 1e-3
    weight_decay: float = 0.1
    clip: float = 1.0
    warmup: int = 200
    decay_from: float = 0.5
    lr_floor: float = 0.05
    ema: float = 0.999

    def __post_init__(self) -> None:
        if not 0 <= self.ema < 1:
            raise ValueError(f"ema is {self.ema}; it must lie in [0, 1), e.g. 0.999")
        if not self.lr > 0:
            raise ValueError(f"lr is {self.lr}; it must be positive, e.g. 1e-3")
        if not self.clip > 0:
            raise ValueError(f"clip is {self.clip}; it must be positive, e.g. 1.0")
        if self.warmup < 0:
            raise ValueError(f"warmup is {self.warmup}; it must be at least 0")


def learning_rate(config: OptimConfig, step: int, steps: int) -> float:
    """The learning rate of optimizer step `step` (from 0) of a run of `steps`."""
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    start = config.decay_from * steps
    if step <= start or steps <= start:
        return config.lr
    way = min(1.0, (step - start) / (steps - start))
    return config.lr * (config.lr_floor + (1 - config.lr_floor) * 0.5 * (1 + math.cos(math.pi * way)))


def optimizer(model: nn.Module, config: OptimConfig) -> torch.optim.AdamW:
    """AdamW over all weights of the model."""
    return torch.optim.AdamW(
        model.parameters(), lr=config.lr, betas=(0.9, 0.95), weight_decay=config.weight_decay, fused=True
    )


def average(model: nn.Module, config: OptimConfig) -> AveragedModel:
    """The exponential moving average of the weights; `average.module` is a model of its own."""
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.ema))
