"""Which models a notebook can report on: those whose task is of a kind that its metadata lists (`gram.tasks`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from gram.run_folder import CONFIG, WEIGHTS, find, folders
from gramviz.reports.notebook import ReportError, read
from gramviz.reports.record import read as read_json

_NAMES = ("artifact", "checkpoint")  # of the parameter that names the model


def model_parameter(names: Collection[str]) -> str | None:
    """Which of a notebook's parameters names the model that it is about."""
    return next((name for name in _NAMES if name in names), None)


def kinds(draft: NotebookNode) -> list[str]:
    """The kinds of tasks that a notebook fits; empty if it does not say."""
    return list(draft.metadata.get("gram", {}).get("tasks", []))


def kind_of(model: Path) -> str:
    """The kind of a model's task."""
    config = read_json(model / CONFIG) or {}
    return str(config.get("task", {}).get("kind", ""))


def models() -> list[Path]:
    """Folders of all models with weights, each name once, sorted by it."""
    found: dict[str, Path] = {}
    for place in folders():
        for weights in place.glob(f"*/{WEIGHTS}"):
            found.setdefault(weights.parent.name, weights.parent)
    return [found[name] for name in sorted(found)]


def check_kind(notebook: Path, draft: NotebookNode, values: Mapping[str, Any]) -> None:
    """Nothing, where the notebook fits its model, or one of both is not known.

    Raises:
        ReportError: it does not; the message names a notebook beside it that does.
    """
    allowed, name = kinds(draft), model_parameter(values)
    model = find(str(values[name])) if allowed and name and values[name] else None
    if model is None or not (kind := kind_of(model)) or kind in allowed:
        return
    fitting = [path.name for path in sorted(notebook.parent.glob("*.ipynb")) if kind in kinds(read(path))]
    fix = f"take {' or '.join(fitting)}" if fitting else "no notebook beside it fits"
    raise ReportError(
        f"{notebook.name} reports on tasks of kind {', '.join(allowed)}; {model.name} was made for {kind}: {fix}"
    )
