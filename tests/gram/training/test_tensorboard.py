"""TensorBoard events: every line once, whatever was killed and resumed. Without the package: one sentence."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

from gram.config import ConfigError
from gram.presets import preset
from gram.run_folder import flat, lines
from gram.training.loop import train


class Recorder:
    """In place of torch's SummaryWriter, which needs the package: what a file was made with, and its scalars."""

    files: ClassVar[list[Recorder]] = []

    def __init__(self, folder: str, purge_step: int) -> None:
        self.folder, self.purge_step, self.closed = folder, purge_step, False
        self.scalars: list[tuple[int, str, float, float]] = []
        self.files.append(self)

    def add_scalar(self, name: str, value: float, step: int, walltime: float) -> None:
        self.scalars.append((step, name, value, walltime))

    def flush(self) -> None:
        assert not self.closed

    def close(self) -> None:
        self.closed = True


def test_each_file_holds_every_line_and_voids_those_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Recorder
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    path = tmp_path / "run"
    train(preset("debug"), path, quiet=True, tensorboard=True, watch=lambda line: line["step"] == 6)
    train(preset("debug"), path, quiet=True, tensorboard=True)
    first, second = Recorder.files
    assert {step for step, *_ in first.scalars} == {2, 4, 6}
    assert (second.folder, second.purge_step, second.closed) == (str(path), 0, True)  # nothing before is valid
    wanted = [(line["step"], name, value) for line in lines(path) for name, value in flat(line).items()]
    assert [found[:3] for found in second.scalars] == [one for one in wanted if one[1] != "step"]
    clock = [walltime for *_, walltime in second.scalars]
    assert clock == sorted(clock)


def test_without_the_package_the_fix_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigError, match="tensorboard is not installed; pip install tensorboard"):
        train(preset("debug"), tmp_path / "run", quiet=True, tensorboard=True)
