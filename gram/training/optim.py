"""The optimizer, its learning rate over the run, and the moving average of the weights.

AdamW with betas (0.9, 0.95) as in HRM and TRM; warm-up, a plateau, and a cosine over the last part of the run.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from gram.config import OptimConfig


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
