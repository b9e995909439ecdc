"""Layers: blocks of YAML files, what they apply to, and their sum, in which every value keeps the name of its layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gram.config import RunConfig
from gram.safe_yaml import read_yaml
from gram.strict import ConfigError, read, unknown


@dataclass(frozen=True)
class Header:
    """What a block says of itself beside its values.

    Attributes:
        tasks, models: names of the blocks or groups that it applies to; empty: no restriction.
        extends: the model that an experiment varies.
        size: the size of the presets that are named after the block.
    """

    tasks: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    extends: str = ""
    size: str = "laptop"


@dataclass(frozen=True)
class Block:
    """A layer: `label` is FILE.NAME, `values` go by dotted path."""

    label: str
    header: Header
    values: dict[str, Any]

    @classmethod
    def read(cls, label: str, raw: Any) -> Block:
        """A block from plain data; a `ConfigError` says what is wrong with it."""
        if not isinstance(raw, Mapping):
            raise ConfigError(f"{label} is {raw!r}; it must be a block of values by path, e.g. train.steps: 200")
        header = {key: value for key, value in raw.items() if key in Header.__dataclass_fields__}
        values = {key: value for key, value in raw.items() if key not in header}
        names = {"tasks": _names, "models": _names}
        return cls(label, read(Header, header, label, names), dict(flat(values)))


@dataclass(frozen=True)
class Named:
    """A configuration, and by dotted path the layer of each value; what is missing there is a default.

    Attributes:
        layers: the labels of all layers that it is the sum of, in order.
    """

    name: str
    config: RunConfig
    layers: tuple[str, ...]
    origins: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Named:
        """That of a file: one layer, which has the file's name; a `ConfigError` says what is wrong with it."""
        raw = read_yaml(path)
        try:
            return cls(path.stem, RunConfig.from_dict(raw), (path.name,), dict.fromkeys(dict(flat(raw)), path.name))
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from error


class Layers:
    """The blocks of a folder.

    Attributes:
        presets: the names of a preset's task (or nothing) and of its model or experiment, by the preset's name.
    Raises:
        ConfigError: a file or block that cannot be read, or that names what there is not.
    """

    def __init__(self, folder: Path) -> None:
        self.sizes, self.tasks, self.models, self.experiments = (
            _blocks(folder / f"{name}.yaml") for name in ("sizes", "tasks", "models", "experiments")
        )
        self._check_names()
        self.presets: dict[str, tuple[str, str]] = {}
        offers = {name: block for name, block in self._offers.items() if name in self.models or block.header.tasks}
        for task, block in self.tasks.items():
            if not block.header.tasks:
                within = _with_groups({task}, self.tasks, "tasks")
                on = [name for name, offer in offers.items() if _on(offer.header.tasks, within)]
                self.presets |= {f"{task}-{name}": (task, name) for name in on}
        self.presets |= {name: ("", name) for name in self._offers if name not in offers}

    @property
    def _offers(self) -> dict[str, Block]:
        """The blocks that presets are named after."""
        return {name: block for name, block in (self.models | self.experiments).items() if not block.header.models}

    def compose(self, name: str) -> Named:
        """The sum of the layers of the preset `name`."""
        task, model = self.presets[name]
        header = self._offers[model].header
        tasks = _with_groups({task}, self.tasks, "tasks")
        models = _with_groups({model, header.extends}, self.models, "models")
        layers = [self.sizes[header.size]]
        for blocks, key, own in (
            (self.tasks, "tasks", task),
            (self.models, "models", header.extends or model),
            (self.experiments, "models", model),
        ):
            groups = (block for block in blocks.values() if getattr(block.header, key))
            layers += [block for block in groups if _on(block.header.tasks, tasks) and _on(block.header.models, models)]
            layers += [blocks[own]] if own in blocks else []
        origins = {path: layer.label for layer in layers for path in layer.values}
        values = {path: value for layer in layers for path, value in layer.values.items()}
        kinds_first = sorted(values.items(), key=lambda item: not item[0].endswith(".kind"))
        try:
            config = RunConfig().changed(kinds_first)
        except ConfigError as error:
            raise ConfigError(f"preset {name!r}: {error}") from error
        return Named(name, config, tuple(layer.label for layer in layers if layer.values), origins)

    def known(self) -> str:
        """How the names of presets are made, for a reader: there are too many to list one by one."""
        offers: dict[tuple[str, ...], list[str]] = {}
        for name, block in self._offers.items():
            if name in self.models or block.header.tasks:
                offers.setdefault(block.header.tasks, []).append(name)
        groups = {name: block.header.tasks for name, block in self.tasks.items() if block.header.tasks}
        tasks = [f"{name} ({', '.join(groups[name])})" for name in groups if any(name in on for on in offers)]
        members = {member for group in groups.values() for member in group}
        tasks += [name for name in self.tasks if name not in groups and name not in members]
        models = [f"{'on ' + ', '.join(on) + ' also ' if on else ''}{', '.join(offers[on])}" for on in offers]
        alone = [name for name, (task, _) in self.presets.items() if not task]
        return f"TASK-MODEL (tasks: {', '.join(tasks)}; models: {'; '.join(models)}), {', '.join(alone)}"

    def _check_names(self) -> None:
        for name in self.models.keys() & self.experiments.keys():
            raise ConfigError(f"experiments.{name} has the name of a model; choose another")
        for block in (*self.sizes.values(), *self.tasks.values(), *self.models.values(), *self.experiments.values()):
            header = block.header
            for key, names, known in (
                ("tasks", header.tasks, self.tasks),
                ("models", header.models, self.models | self.experiments),
                ("extends", [header.extends] if header.extends else [], self.models),
                ("size", [header.size], self.sizes),
            ):
                for name in names:
                    if name not in known:
                        raise ConfigError(unknown(name, known, what=f"name in {key} of {block.label}"))


def flat(raw: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    """The values of nested mappings with their dotted paths."""
    for name, value in raw.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{where}{name}.")
        else:
            yield f"{where}{name}", value


def _blocks(path: Path) -> dict[str, Block]:
    raw = read_yaml(path)
    if not isinstance(raw, Mapping):
        raise ConfigError(f"{path} is {raw!r}; it must hold named blocks")
    return {str(name): Block.read(f"{path.stem}.{name}", block) for name, block in raw.items()}


def _names(value: Any, place: str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"{place} is {value!r}; it must be a name or a list of names")
    return tuple(names)


def _with_groups(names: set[str], blocks: Mapping[str, Block], key: str) -> set[str]:
    """These names and those of the groups that have them as members, also through other groups."""
    found = set(names)
    while more := {name for name, block in blocks.items() if found & {*getattr(block.header, key)}} - found:
        found |= more
    return found


def _on(wanted: Iterable[str], names: set[str]) -> bool:
    """Whether something of these names is among the wanted; everything is if none is named."""
    return not wanted or bool({*wanted} & names)
