"""Rotary positions (RoPE): queries and keys are turned so that their product depends on how far apart they stand.

Source: Su et al. 2021, "RoFormer" (arXiv 2104.09864), eq. 34; features are paired as in GPT-NeoX and HRM, those of the
first half with those of the second.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

BASE = 10_000.0


class Rotary(nn.Module):
    """Turns the pairs (i, i + d / 2) of d features at position p by the angle p / BASE^(2 i / d)."""

    cos: Tensor
    sin: Tensor

    def __init__(self, positions: int, features: int) -> None:
        super().__init__()
        speed = 1 / BASE ** (torch.arange(0, features, 2) / features)
        angle = torch.outer(torch.arange(positions).float(), speed)
        self.register_buffer("cos", angle.cos(), persistent=False)  # [position, feature / 2]
        self.register_buffer("sin", angle.sin(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """[..., position, feature] -> the same, in the dtype of x."""
        one, other = x.float().chunk(2, -1)
        turned = torch.cat([one * self.cos - other * self.sin, other * self.cos + one * self.sin], -1)
        return turned.to(x.dtype)
