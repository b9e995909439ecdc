"""What all tests share: small trained checkpoints, made once for a session. torch is imported only by who asks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Several test processes and a few cores: more threads than this only get in each other's way. Subprocesses inherit it.
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(scope="session")
def one_thread() -> None:
    """torch on one thread: the models here are too small to share."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def debug_checkpoint(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a GRAM trained by the preset `debug`; read only, copy it to change it."""
    return _trained("debug", tmp_path_factory)


@pytest.fixture(scope="session")
def debug_trm_checkpoint(one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a TRM trained by the preset `debug-trm`; read only, copy it to change it."""
    return _trained("debug-trm", tmp_path_factory)


def _trained(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from gram.presets import preset
    from gram.train import train

    return train(preset(name), tmp_path_factory.mktemp("checkpoints") / name, quiet=True)
