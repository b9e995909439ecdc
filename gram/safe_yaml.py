"""YAML from people, read safely: plain data, no aliases, no repeated keys, no huge file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from gram.strict import ConfigError

MAX_BYTES = 100_000
"""A configuration has two thousand."""


class NoAliases(yaml.SafeLoader):
    """Refuses aliases: a few lines of them expand to billions of values."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(None, None, "aliases (*name) are not read", self.peek_event().start_mark)
        return super().compose_node(parent, index)


class _Loader(NoAliases):
    """Refuses keys that stand twice in a mapping, too."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value]
        for at, (key, _) in enumerate(node.value):
            if isinstance(key.value, str) and key.value in names[:at]:
                raise yaml.MarkedYAMLError(None, None, f"key {key.value!r} stands twice", key.start_mark)
        return super().construct_mapping(node, deep)


# YAML 1.1 takes 1e-3 for a word; YAML 1.2, JSON and everybody take it for a number.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def read_yaml(path: Path) -> Any:
    """The plain data of a YAML file.

    Raises:
        ConfigError: the file cannot be read, is too large, is not YAML, or holds an alias, a tag or a repeated key.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; give a YAML file") from error
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path} has more than {MAX_BYTES:,} bytes; a configuration is smaller")
    try:
        return yaml.load(content, _Loader)
    except yaml.MarkedYAMLError as error:
        where = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{path}{where} is not YAML that is read here: {error.problem}") from error
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from error


def write_scalar(value: Any) -> str:
    """One value as YAML on one line, which `read_yaml` gives back."""
    return yaml.safe_dump([value], default_flow_style=True, width=float("inf"))[1:-2]
