"""Toys of the engine's tests: legal members of the contracts that the real tasks and models keep."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
