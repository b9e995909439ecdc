"""The optimizers, their learning rate over the run, and the moving average of the weights.

AdamW with betas (0.9, 0.95) as in HRM and TRM; warm-up, a plateau, and a cosine over the last part of the run. With
`muon_lr` the matrices of the recursive network move by Muon (Jordan et al. 2024; `torch.optim.Muon`), which makes an
update orthogonal before it is added, and AdamW moves the rest. (torch orthogonalizes one matrix at a time, which takes
1.7 to 2.5 ms of the 30 to 100 ms of an optimizer step of our small networks; together they would take half.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from gram.models.blocks import Network


@dataclass(frozen=True)
class OptimConfig:
    """How the weights move.

    Attributes:
        lr: learning rate on the plateau.
        weight_decay: of AdamW, on every weight that it moves.
        beta2: of AdamW, decay of its average of squared gradients.
        muon_lr: learning rate of Muon on the plateau, on the matrices of the recursive network, e.g. 0.02; 0: AdamW
            moves them too.
        muon_weight_decay: of Muon.
        clip: largest gradient norm.
        warmup: optimizer steps of linear warm-up.
        decay_from: share of the run after which the cosine begins.
        lr_floor: learning rate at the end, as a share of `lr`.
        ema: decay of the weight average that is evaluated and exported.
    """

    lr: float = 1e-3
    weight_decay: float = 0.1
    beta2: float = 0.95
    muon_lr: float = 0.0
    muon_weight_decay: float = 0.01
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
        if not self.muon_lr >= 0:
            raise ValueError(f"muon_lr is {self.muon_lr}; it must be 0 (AdamW alone) or positive, e.g. 0.02")
        if not 0 <= self.beta2 < 1:
            raise ValueError(f"beta2 is {self.beta2}; it must lie in [0, 1), e.g. 0.98")
        if not self.clip > 0:
            raise ValueError(f"clip is {self.clip}; it must be positive, e.g. 1.0")
        if self.warmup < 0:
            raise ValueError(f"warmup is {self.warmup}; it must be at least 0")


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
    taken = {id(weight) for weight in matrices}
    rest = [weight for weight in model.parameters() if id(weight) not in taken]
    made: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            rest, lr=config.lr, betas=(0.9, config.beta2), weight_decay=config.weight_decay, fused=True
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
