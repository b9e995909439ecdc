"""A notebook's parameters: read from its `parameters` cell, which does not run, and given values checked against them.

Checked by name and by type before anything runs; papermill would only warn. Imports and IPython's own lines
(`%matplotlib inline`, `!ls`) may stand in the cell; they are no parameters.
"""

from __future__ import annotations

import ast
import contextlib
import json
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from gram.safe_yaml import read_yaml
from gram.suggest import did_you_mean
from gramviz.reports.notebook import ReportError, tags

_TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}
# What Python raises for a text that is no literal; one that is nested too deeply is a MemoryError or RecursionError.
_NO_LITERAL = (SyntaxError, ValueError, TypeError, MemoryError, RecursionError)
# An undeclared None says nothing; of a text one cannot tell whether it is a number misspelled, so that is declared.
_ANY = "int | float | bool | list | dict | None"


@dataclass(frozen=True)
class Parameter:
    """One line `name: type = default  # help` of a `parameters` cell; `type` as it is written there."""

    name: str
    type: str
    default: Any
    help: str = ""


def parameters(notebook: NotebookNode) -> dict[str, Parameter]:
    """The parameters of a notebook in the order of its `parameters` cell; empty if it has none.

    Raises:
        ReportError: the cell is not Python, holds more than literals, or a type that a command line cannot give.
    """
    found: dict[str, Parameter] = {}
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and "injected-parameters" not in tags(cell)]
    for number, cell in enumerate(code, 1):
        if "parameters" not in tags(cell):
            continue
        try:
            source = TransformerManager().transform_cell(cell.source)
            body = ast.parse(source).body
            comments = {
                token.start[0]: token.string.lstrip("# ")
                for token in tokenize.generate_tokens(StringIO(source).readline)
                if token.type == tokenize.COMMENT
            }
        except _NO_LITERAL as error:
            line = f"line {error.lineno}: " if isinstance(error, SyntaxError) and error.lineno else ""
            why = getattr(error, "msg", "") or str(error) or "nested too deeply"
            raise ReportError(
                f"the parameters in code cell {number} are not Python: {line}{why}; correct it"
            ) from error
        try:
            read = [_parameter(node, comments.get(node.end_lineno or 0, "")) for node in body if not _aside(node)]
        except ReportError as error:
            raise ReportError(f"code cell {number}: {error}") from error
        found |= {parameter.name: parameter for parameter in read}
    return found


def _aside(node: ast.stmt) -> bool:
    """Whether a statement is no parameter and harms none: an import, a text, a line of IPython."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython"))))):
            return True
    return False


def _parameter(node: ast.stmt, comment: str) -> Parameter:
    match node:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr() as value):
            declared = ast.unparse(annotation)
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            declared = ""
        case _:
            raise ReportError(f"the parameters cell may hold only `name: type = literal`, not {_source(node)}")
    try:
        default = ast.literal_eval(value)
        json.dumps(default), repr(default)  # the record of a run holds it; a number may have too many digits to show
    except _NO_LITERAL as error:
        raise ReportError(f"the default of parameter {name!r} must be a literal, not {_source(value)}") from error
    kind = declared or (_ANY if default is None else type(default).__name__)
    try:
        _allowed(ast.parse(kind, mode="eval").body)
    except _NO_LITERAL as error:
        known = f"{', '.join(_TYPES)}, None, and Optional, Union and Literal of these"
        raise ReportError(f"parameter {name!r} has type {kind!r}; known: {known}") from error
    return Parameter(name, kind, default, comment)


def _source(node: ast.AST) -> str:
    try:
        return _short(ast.unparse(node))
    except (RecursionError, ValueError):
        return "what is too deep or too large to show"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _allowed(annotation: ast.expr) -> tuple[Any, ...]:
    """The types that an annotation allows, and the values of a Literal; of a list or dict, not what is inside."""
    match annotation:
        case ast.Constant(value=None):
            return (type(None),)
        case ast.Constant(value=str(text)):
            return _allowed(ast.parse(text, mode="eval").body)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _allowed(left) + _allowed(right)
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name) as head, slice=inner):
            each = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            if name == "Literal":
                return tuple(ast.literal_eval(one) for one in each)
            if name in ("Optional", "Union"):
                return sum(map(_allowed, each), (type(None),) if name == "Optional" else ())
            return _allowed(head)
        case ast.Name(id=name) | ast.Attribute(attr=name) if name.lower() in _TYPES:  # List and Dict of typing, too
            return (_TYPES[name.lower()],)
    raise ValueError(ast.unparse(annotation))


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


def stored(path: Path) -> dict[str, Any]:
    """The values in a YAML file, by name.

    Raises:
        ConfigError: it cannot be read, or is not YAML.
        ReportError: it holds no mapping.
    """
    values = read_yaml(path)
    if not isinstance(values, dict):
        raise ReportError(f"{path} holds no parameters; write one `name: value` a line")
    return values


def lists(given: Any) -> dict[str, list[Any]]:
    """The lists of values that a sweep goes through, by name; each a list, or its text.

    Raises:
        ReportError: one is no list, or is empty.
    """
    if not isinstance(given, Mapping):
        raise ReportError(f"sweep must name parameters with lists, not {_short(given)}; write sweep: {{seed: [0, 1]}}")
    found = {}
    for name, value in given.items():
        read = next(iter(_literals(value)), value) if isinstance(value, str) else value
        if not isinstance(read, list) or not read:
            raise ReportError(f"the values of {name!r} must be a list, not {_short(read)}; write {name}=[1, 2]")
        found[str(name)] = read
    return found


def check(known: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given values, each of its declared type; a text is read as that type, everything else must already have it.

    Raises:
        ReportError: an unknown name (with the known ones and the nearest) or a value of another type.
    """
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            names = ", ".join(known) or "none"
            raise ReportError(f"unknown parameter {name!r}; known: {names}{did_you_mean(str(name), known)}")
        values[name] = _typed(known[name], value)
    return values


def _typed(parameter: Parameter, value: Any) -> Any:
    allowed = _allowed(ast.parse(parameter.type, mode="eval").body)
    readings = [*_literals(value), value] if isinstance(value, str) else [value]
    for read in readings:
        if type(read) is int and float in allowed and int not in allowed:
            with contextlib.suppress(OverflowError):
                read = float(read)
        # Not isinstance: True is no int.
        if any(
            type(read) is one if isinstance(one, type) else (type(read), read) == (type(one), one) for one in allowed
        ):
            if not _is_json(read):
                raise ReportError(
                    f"parameter {parameter.name!r} cannot be {_short(read)}: give numbers, texts, true, false, null, "
                    "lists, and dicts with texts as keys"
                )
            return read
    raise ReportError(
        f"parameter {parameter.name!r} must be {parameter.type}, not {_short(readings[0])}; "
        f"its default is {_short(parameter.default)}"
    )


def _literals(text: str) -> Iterator[Any]:
    """A text read as JSON and as Python's literal, so that true, [1, 2] and {'a': None} all read as one expects.

    What is text either way stays as it is given, with its quotation marks.
    """
    for read in (lambda text: json.loads(text, parse_constant=ast.literal_eval), ast.literal_eval):
        with contextlib.suppress(*_NO_LITERAL):
            value = read(text.strip())
            repr(value)
            if not isinstance(value, str):
                yield value


def _is_json(value: Any) -> bool:
    """Whether papermill, which writes the value into a cell, and the record of the run keep it as it is."""
    try:
        return bool(json.loads(json.dumps(value, allow_nan=False)) == value)
    except _NO_LITERAL:
        return False
