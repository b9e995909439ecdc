"""Which views a recording can be drawn by, and what the others would need."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from gramviz.reports.blocks.block import Block, table
from gramviz.views import VIEWS


def drawable(rollout: xr.Dataset) -> list[str]:
    """The names of the views for which everything was recorded."""
    return [name for name, view in VIEWS.items() if set(view.needs) <= set(rollout.data_vars)]


def views_of(recordings: Mapping[str, xr.Dataset]) -> Block:
    """A table of views by recordings: ● drawn, ○ not, with what is absent."""
    rows = []
    for view in VIEWS.values():
        missing = [[name for name in view.needs if name not in one] for one in recordings.values()]
        rows.append([view.title, *(f"○ needs {', '.join(names)}" if names else "●" for names in missing)])
    return Block(
        table(["View", *recordings], rows, "●: can be drawn. ○: something was not recorded."),
        "\n".join(" | ".join(row) for row in rows),
    )
