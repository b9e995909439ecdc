"""Named runs: the experiments of the paper at the size of a laptop, and `debug`, which takes seconds.

`gram train PRESET key=value ...` starts from one of these; `gram show PRESET` prints it with the layer of each value.
A preset is a sum of layers. A layer is a block of a YAML file in this folder, and overrides those before it by path:

    defaults (the `Config` classes) < sizes.yaml < tasks.yaml < models.yaml < experiments.yaml

Within a file, groups (blocks that say to which `tasks` or `models` they apply) come before the block that the preset is
named after. There is a preset TASK-MODEL for each task and each model that is offered on it. A new experiment is one
block. This one, appended to experiments.yaml, makes the presets sudoku6-gram-wide and sudoku9-gram-wide:

    gram-wide:
      tasks: [sudoku6, sudoku9]
      extends: gram
      model.network: {features: 256, hidden: 512}
      train.steps: 4000
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from gram.config import RunConfig
from gram.presets.layers import Layers, Named
from gram.strict import ConfigError
from gram.suggest import did_you_mean

LAYERS = Layers(Path(__file__).parent)
PRESETS: dict[str, RunConfig] = {name: LAYERS.compose(name).config for name in LAYERS.presets}


def preset(name: str | PathLike[str]) -> RunConfig:
    """The run of this name, or in this YAML file (a path that ends in .yaml or .yml, or that is a file).

    Raises:
        ConfigError: unknown name, with how names are made and the nearest; or a file that is no configuration.
    """
    return find(name).config


def find(name: str | PathLike[str]) -> Named:
    """What `preset` gives, with the layer that set each value; errors as there."""
    path, name = Path(name), str(name)
    if name in LAYERS.presets:
        return LAYERS.compose(name)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return Named.read(path)
    hint = did_you_mean(name, LAYERS.presets)
    raise ConfigError(f"unknown preset {name!r}{hint}; known: {LAYERS.known()}, or give a YAML file")
