"""YAML from people, read safely: plain data, no aliases, no repeated keys, no depth, no huge file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from gram.bounded import InputError, content
from gram.strict import ConfigError

MAX_BYTES = 100_000
"""A configuration has two thousand."""
DEEPEST = 50


class YamlError(InputError):
    """A text that is not YAML as it is read here; `line` counts from 1."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: this is not YAML that is read here: {why}")
        self.line = line


class BoundedLoader(yaml.SafeLoader):
    """Refuses aliases, a few lines of which expand to billions of values, and what nests deeper than `DEEPEST`."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(None, None, "aliases (*name) are not read", self.peek_event().start_mark)
        if self.depth == DEEPEST:
            raise yaml.MarkedYAMLError(None, None, f"it nests more than {DEEPEST} deep", self.peek_event().start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Loader(BoundedLoader):
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
        return parse_yaml(content(path, MAX_BYTES), _Loader)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; give a YAML file") from error
    except YamlError as error:
        raise ConfigError(f"{path}, {error}") from error


def parse_yaml(text: bytes, loader: type[BoundedLoader]) -> Any:
    """The plain data of a YAML text.

    Raises:
        YamlError: it is not YAML, or `loader` refuses it.
    """
    reader = None
    try:
        text.decode()  # here, because yaml counts its fault in blocks
        reader = loader(text)
        return reader.get_single_data()
    except UnicodeDecodeError as error:
        raise YamlError(text.count(b"\n", 0, error.start) + 1, f"{error.reason}; save it as UTF-8 text") from error
    except yaml.MarkedYAMLError as error:
        raise YamlError(error.problem_mark.line + 1 if error.problem_mark else 1, str(error.problem)) from error
    except yaml.reader.ReaderError as error:
        line = text.decode().count("\n", 0, error.position) + 1
        raise YamlError(line, f"the character {chr(error.character)!r} is not allowed") from error
    except (ValueError, OverflowError, AttributeError) as error:  # what its constructors of numbers and dates raise
        raise YamlError(reader.line + 1 if reader else 1, " ".join(str(error).split())) from error


def write_scalar(value: Any) -> str:
    """One value as YAML on one line, which `read_yaml` gives back."""
    return yaml.safe_dump([value], default_flow_style=True, width=float("inf"))[1:-2]
