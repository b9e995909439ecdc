"""A notebook as data: read, settled after a run, stripped for a commit.

After a run the notebook is *settled*: widget state, wall-clock times and logs go, so that two runs with the same
parameters differ in nothing but the provenance block.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from jsonschema import Draft7Validator
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_output
from nbformat.validator import iter_validate

from gram.bounded import InputError, content

MAX_BYTES = 200_000_000
_WIDGET, _WIDGETS = (f"application/vnd.jupyter.widget-{what}+json" for what in ("view", "state"))
FIGURE = "application/vnd.plotly.v1+json"
# What a page can show (plotly's figures become HTML there), or reads.
_HELD = {"text/html", "text/markdown", "text/latex", "image/svg+xml", "image/png", "image/jpeg", FIGURE}
_HELD |= {"application/javascript", *(f"application/vnd.gramviz.{kind}+json" for kind in ("metrics", "provenance"))}

_NAMES = {"type": "array", "items": {"type": "string"}}
# Of a notebook's own metadata, which its format leaves open, what is read here.
_METADATA = {
    "properties": {
        "gram": {"type": "object", "properties": dict.fromkeys(("tasks", "artifacts", "needs"), _NAMES)},
        "widgets": {
            "type": "object",
            "properties": {_WIDGETS: {"type": "object", "properties": {"state": {"type": "object"}}}},
        },
    }
}


class ReportError(InputError):
    """The input is wrong: one sentence with the value, the allowed and the fix; nothing was written."""


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
    try:  # not nbformat.read, which logs what is wrong and goes on
        stored = nbformat.reader.reads(content(path, MAX_BYTES).decode())
        unnamed = nbformat.reader.get_version(stored) < (4, 5)
        notebook = nbformat.v4.upgrade(nbformat.convert(stored, 4))
        # Names of cells that a notebook lacks or repeats are made here: nbformat would draw them at random.
        names: list[str] = []
        for number, cell in enumerate(notebook.cells):
            if unnamed or cell.get("id") in (None, *names):
                cell["id"] = f"cell-{number}"
            names.append(cell["id"])
        fault = next(_faults(notebook), None)
    except Exception as error:  # nbformat raises whatever the text provokes: JSON, unicode, key errors
        why = (str(error) or type(error).__name__).splitlines()[0]
        raise ReportError(f"{path} is not a notebook (nbformat 4): {why[:200]}") from error
    if fault:
        raise ReportError(f"{path} is not a notebook (nbformat 4): {fault[:300]}; correct it there")
    return notebook


def _faults(notebook: NotebookNode) -> Iterator[str]:
    """Where a notebook breaks its format, and how; what earlier outputs hold does not matter."""
    cells = notebook.cells
    bare = {**notebook, "cells": [{**cell, "outputs": []} if cell.get("outputs") else cell for cell in cells]}
    for error in iter_validate(bare, relax_add_props=True):
        match list(error.relative_path):
            case ["cells", number]:
                known = cells[number].get("cell_type") in ("code", "markdown", "raw")
                yield f"cell {number + 1}: {error.message if known else 'cell_type is none of code, markdown, raw'}"
            case ["cells", number, *inside]:
                yield f"cell {number + 1}, {'.'.join(map(str, inside))}: {error.message}"
            case inside:
                yield f"{'.'.join(map(str, inside)) or 'the file'}: {error.message}"
    for error in Draft7Validator(_METADATA).iter_errors(notebook.metadata):
        yield f"metadata.{'.'.join(map(str, error.path))}: {error.message}"
    for number, cell in enumerate(cells, 1):
        try:
            cell.source.encode()
        except UnicodeEncodeError as error:
            yield f"cell {number}: it holds half of a character ({error.object[error.start]!r})"


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))


# Settling -------------------------------------------------------------------------------------------------------------


def ends(output: NotebookNode) -> bool:
    """Whether an output is the `sys.exit()` of a notebook that ends itself and has not failed."""
    return output.output_type == "error" and output.ename == "SystemExit" and output.evalue in ("", "0", "None")


def _undated(explorer: str) -> str:
    """An explorer without the number of its live view, and the time at which its rollout was made."""
    explorer = re.sub(r'(<gramviz-output) data-child="\w+"', r"\1", explorer)
    return re.sub(r"(created_at&(?:amp;)?quot;: ?&(?:amp;)?quot;)[^&]*", r"\1", explorer)


def settle(notebook: NotebookNode, log: str = "") -> tuple[NotebookNode, str]:
    """The notebook without what differs between equal runs or dies outside of Jupyter, and the log that was cut out.

    Raises:
        ReportError: a cell shows what has no form outside of Jupyter.
    """
    from nbconvert.preprocessors import CoalesceStreamsPreprocessor

    nb = copy.deepcopy(notebook)
    nb.cells = [cell for cell in nb.cells if "papermill-error-cell-tag" not in tags(cell)]
    widgets = nb.metadata.pop("widgets", {}).get(_WIDGETS, {}).get("state", {})
    nb.metadata.pop("papermill", None)
    # Which patch release of Python ran is provenance.
    nb.metadata.get("language_info", {}).pop("version", None)
    lines = [line for line in log.splitlines() if line.strip() and "running over TCP" not in line]
    code = 0
    for cell in nb.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in tags(cell):
            cell["id"] = "injected-parameters"
        if cell.cell_type != "code":
            continue
        code += "injected-parameters" not in tags(cell)
        kept = []
        for output in _unfolded(cell.outputs, widgets, f"code cell {code}"):
            if output.output_type == "stream" and output.name == "stderr":
                lines += [f"[{cell['id']}] {part.split(chr(13))[-1]}" for part in output.text.rstrip().split(chr(10))]
                continue
            if ends(output) and "raises-exception" not in tags(cell):
                output = new_output("display_data", {"text/html": f"<p><em>{_ENDED}</em></p>", "text/plain": _ENDED})
            if "data" in output:
                if "<gramviz-output" in output.data.get("text/html", ""):
                    output.data["text/html"] = _undated(output.data["text/html"])
                if "text/plain" in output.data:
                    output.data["text/plain"] = re.sub(r"\b0x[0-9a-f]{6,16}\b", "0x...", output.data["text/plain"])
            kept.append(output)
        cell.outputs = kept
        # How a kernel cut a text into pieces differs between runs; \r overwrites a line, as in a terminal.
        CoalesceStreamsPreprocessor().preprocess_cell(cell, {}, 0)
    return nb, "\n".join(lines)


def _unfolded(outputs: list[NotebookNode], widgets: dict[str, Any], where: str) -> Iterator[NotebookNode]:
    """Outputs in which frozen frames, texts and what was printed inside stand for live widgets; a bare control leaves
    nothing."""
    for output in outputs:
        view = output.get("data", {}).pop(_WIDGET, None)
        # The view of a live widget outranks the frozen frame beside it, and is blank without a kernel.
        if view is None or "text/html" in output.data:
            kinds = output.get("data", {}).keys() - {"text/plain"}
            if kinds and not kinds & _HELD:
                raise ReportError(
                    f"{where} shows {min(kinds)}, which no page can hold; show a picture, a figure or HTML"
                )
            yield output
        else:
            yield from _shown(view["model_id"], widgets, where)


def _shown(model: str, widgets: dict[str, Any], where: str) -> Iterator[NotebookNode]:
    widget = widgets.get(model.removeprefix("IPY_MODEL_"), {})
    state = widget.get("state", {})
    match widget.get("model_name", ""):
        case "OutputModel":
            yield from _unfolded([from_dict(output) for output in state["outputs"]], widgets, where)
        case "HTMLModel" | "HTMLMathModel":
            yield new_output("display_data", {"text/html": state["value"]})
        case "LabelModel":
            yield new_output("display_data", {"text/plain": state["value"]})
        case name if not widget.get("model_module", "@jupyter-widgets/").startswith("@jupyter-widgets/"):
            raise ReportError(
                f"{where} shows a widget ({state.get('_view_name', name)}) that no page can hold; show a figure"
            )
    for child in state.get("children", []):
        yield from _shown(child, widgets, where)


_ENDED = "The notebook ended itself here (sys.exit). The cells below did not run."


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
