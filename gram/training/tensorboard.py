"""The lines of metrics.jsonl as TensorBoard events in the run's folder: `tensorboard --logdir runs` shows all runs.

Every process that trains a run writes all lines so far again, with the mark of TensorBoard that what stands in older
files of the folder is void. So a run that was killed and resumed, at an earlier step perhaps, has each step once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from gram.config import ConfigError
from gram.run_folder import flat, lines


class Events:
    """The events of a run; `write` appends a line. Close it in the end (it is a context manager).

    Raises:
        ConfigError: the package tensorboard is not installed.
    """

    def __init__(self, path: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ConfigError("tensorboard is not installed; pip install tensorboard, or train without it") from error
        self._file = SummaryWriter(str(path), purge_step=0)
        past = lines(path)
        self._start = time.time() - (past[-1]["seconds"] if past else 0.0)  # so that its clock is that of training
        for line in past:
            self.write(line)

    def write(self, line: Mapping[str, Any]) -> None:
        """Append what a line measured, each metric under its name."""
        for name, value in flat(line).items():
            if name != "step":
                self._file.add_scalar(name, value, line["step"], walltime=self._start + line["seconds"])
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
