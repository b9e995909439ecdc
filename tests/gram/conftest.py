"""Toys of the engine's tests: legal members of the contracts that the real tasks and models keep."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch

torch.set_num_threads(1)


class _Interrupted:
    """A bar at which somebody presses Ctrl+C after so many units."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __enter__(self) -> _Interrupted:
        return self

    def __exit__(self, *_: object) -> None: ...

    def update(self, count: int = 1) -> None:
        self.left -= count
        if self.left <= 0:
            raise KeyboardInterrupt


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`interrupt(module, after=3)`: every call of this module is interrupted after so many units of its bar."""

    def at(module: ModuleType, after: int) -> None:
        monkeypatch.setattr(module, "bar", lambda *_: _Interrupted(after))

    return at
