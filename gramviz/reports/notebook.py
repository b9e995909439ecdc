"""A notebook as data: read, its parameters checked, settled after a run, stripped for a commit.

Parameters are checked against the notebook's own `parameters` cell, by name and by type, before anything runs
(papermill would only warn). After a run the notebook is *settled*: widget state, wall-clock times and logs go, so that
two runs with the same parameters differ in nothing but the provenance block.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import json
import os
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from gram.suggest import did_you_mean

_WIDGET = "application/vnd.jupyter.widget-view+json"


class ReportError(ValueError):
    """The input is wrong: one sentence with the value, the allowed and the fix; nothing was written."""


@dataclass(frozen=True)
class Parameter:
    """One line `name: type = default  # help` of a `parameters` cell."""

    name: str
    type: str
    default: Any
    help: str = ""


def read(path: str | os.PathLike[str]) -> NotebookNode:
    """The notebook at `path`.

    Raises:
        ReportError: there is none, or it is not a notebook.
    """
    path = Path(path)
    if not path.is_file():
        near = ", ".join(sorted(str(p) for p in path.parent.glob("*.ipynb"))) if path.parent.is_dir() else ""
        raise ReportError(
            f"there is no notebook {str(path)!r}; "
            + (f"beside it: {near}" if near else "give the path of an .ipynb file")
        )
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises whatever the text provokes: JSON, schema, unicode, key errors
        raise ReportError(f"{path} is not a notebook (nbformat 4): {str(error).splitlines()[0]}") from error


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))


# Parameters -----------------------------------------------------------------------------------------------------------

_TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}


def parameters(notebook: NotebookNode) -> dict[str, Parameter]:
    """The parameters of a notebook in the order of its `parameters` cell; empty if it has none.

    Raises:
        ReportError: the cell holds more than literals, or a type that a command line cannot give.
    """
    found: dict[str, Parameter] = {}
    for cell in notebook.cells:
        if cell.cell_type != "code" or "parameters" not in tags(cell):
            continue
        comments = {
            token.start[0]: token.string.lstrip("# ")
            for token in tokenize.generate_tokens(StringIO(cell.source).readline)
            if token.type == tokenize.COMMENT
        }
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                name, value, declared = node.target.id, node.value, ast.unparse(node.annotation).split("[")[0]
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name, value, declared = node.targets[0].id, node.value, ""
            else:
                raise ReportError(
                    f"the parameters cell may hold only `name: type = literal`, not {ast.unparse(node)!r}"
                )
            try:
                default = ast.literal_eval(value)
            except ValueError as error:
                raise ReportError(
                    f"the default of parameter {name!r} must be a literal, not {ast.unparse(value)!r}"
                ) from error
            kind = declared or type(default).__name__
            if kind not in _TYPES:
                raise ReportError(f"parameter {name!r} has type {kind!r}; known: {', '.join(_TYPES)}")
            found[name] = Parameter(name, kind, default, comments.get(node.end_lineno or 0, ""))
    return found


def assignments(pairs: list[str]) -> dict[str, str]:
    """`["seed=1", ...]` as a dict of texts.

    Raises:
        ReportError: a pair without `=` or a name that is given twice.
    """
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise ReportError(f"{pair!r} is not name=value; write for example -p seed=0")
        if name in given:
            raise ReportError(f"parameter {name!r} is given twice, as {given[name]!r} and {value!r}; give it once")
        given[name] = value
    return given


def check(known: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given values, each of its declared type; a text is read as that type, everything else must already have it.

    Raises:
        ReportError: an unknown name (with the known ones and the nearest) or a value of another type.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            names = ", ".join(known) or "none"
            raise ReportError(f"unknown parameter {name!r}; known: {names}{did_you_mean(name, known)}")
        values[name] = _typed(known[name], value)
    return values


def _typed(parameter: Parameter, value: Any) -> Any:
    kind = _TYPES[parameter.type]
    if isinstance(value, str) and kind is not str:
        text = value.strip()
        with contextlib.suppress(ValueError, SyntaxError):
            # Python's literals and JSON's both, so that true, [1, 2] and {"a": 1} all read as one expects.
            value = json.loads(text) if text in ("true", "false") else ast.literal_eval(text)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:  # not isinstance: True is no int
        allowed, default = parameter.type, parameter.default
        raise ReportError(f"parameter {parameter.name!r} must be {allowed}, not {value!r}; its default is {default!r}")
    return value


# Settling -------------------------------------------------------------------------------------------------------------


def settle(notebook: NotebookNode, log: str = "") -> tuple[NotebookNode, str]:
    """The notebook without what differs between equal runs or dies outside of Jupyter, and the log that was cut out."""
    nb = copy.deepcopy(notebook)
    nb.cells = [cell for cell in nb.cells if "papermill-error-cell-tag" not in tags(cell)]
    nb.metadata.pop("widgets", None)
    nb.metadata.pop("papermill", None)
    # Which patch release of Python ran is provenance.
    nb.metadata.get("language_info", {}).pop("version", None)
    lines = [line for line in log.splitlines() if line.strip() and "running over TCP" not in line]
    for number, cell in enumerate(nb.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in tags(cell):
            cell["id"] = "injected-parameters"
        cell.setdefault("id", f"cell-{number}")
        if cell.cell_type != "code":
            continue
        kept = []
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                lines += [f"[{cell['id']}] {part.split(chr(13))[-1]}" for part in output.text.rstrip().split(chr(10))]
                continue
            if "data" in output:
                # The view of a live widget outranks the frozen frame beside it, and is blank without a kernel.
                # A control that brings no such frame, such as a progress bar, leaves nothing.
                if output.data.pop(_WIDGET, None) is not None and "text/html" not in output.data:
                    continue
                if "text/html" in output.data:  # where a live view would stand; its number is another in every run
                    output.data["text/html"] = re.sub(
                        r'(<gramviz-output) data-child="\w+"', r"\1", output.data["text/html"]
                    )
                if "text/plain" in output.data:
                    output.data["text/plain"] = re.sub(r"\b0x[0-9a-f]{6,16}\b", "0x...", output.data["text/plain"])
            kept.append(output)
        cell.outputs = kept
    return nb, "\n".join(lines)


def strip(notebook: NotebookNode) -> NotebookNode:
    """The notebook as it is committed: no outputs, no counts, no widget state, nothing of the machine it came from."""
    nb = copy.deepcopy(notebook)
    language = nb.metadata.get("language_info", {})
    nb.metadata = NotebookNode(
        {key: value for key, value in nb.metadata.items() if key in ("gram", "kernelspec", "title")}
    )
    nb.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nb.metadata["language_info"] = {"name": language.get("name", "python")}
    for cell in nb.cells:
        cell.metadata = NotebookNode({key: value for key, value in cell.metadata.items() if key in ("tags", "jupyter")})
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nb


def outputs(notebook: NotebookNode, mime: str) -> dict[str, Any]:
    """All dicts of this type that the cells displayed, merged."""
    merged: dict[str, Any] = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            merged |= output.get("data", {}).get(mime, {})
    return merged


def dumps(notebook: NotebookNode) -> str:
    """The notebook as the text of a file."""
    text: str = nbformat.writes(notebook)
    return text if text.endswith("\n") else text + "\n"
