"""Seeing recursive models reason: a linked explorer, pure plotly views, frozen pages and reproducible reports.

    import gramviz as gv
    gv.explore(rollout)                 # the explorer, in a notebook
    gv.compare(trm, gram, puzzle=0)     # TRM's one path beside GRAM's fifty
    gv.live(gram.watch, gram.names())   # a model at work, step by step
    gv.explain(sudoku, trajectory=12, step="7.2")   # which changes the rules justify, and which are guesses
    gv.freeze(gv.compare(trm, gram), "page.html")   # the same explorer in one file, no kernel, no network

Everything here reads rollouts (`gram.rollout`) and knows no model: `import gramviz` leaves torch unloaded.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gramviz.explorer.freeze import freeze as freeze
    from gramviz.explorer.live import Live as Live
    from gramviz.explorer.live import live as live
    from gramviz.explorer.pack import pack as pack
    from gramviz.explorer.state import State as State
    from gramviz.explorer.widget import Explorer as Explorer
    from gramviz.explorer.widget import compare as compare
    from gramviz.explorer.widget import explore as explore
    from gramviz.measure.explain import explain as explain
    from gramviz.reports.analyze import Analysis as Analysis
    from gramviz.reports.analyze import analyse as analyse
    from gramviz.views import Cursor as Cursor

_HOME = {
    "analyse": "reports.analyze",
    "Analysis": "reports.analyze",
    "explain": "measure.explain",
    "explore": "explorer.widget",
    "compare": "explorer.widget",
    "Explorer": "explorer.widget",
    "State": "explorer.state",
    "freeze": "explorer.freeze",
    "live": "explorer.live",
    "Live": "explorer.live",
    "pack": "explorer.pack",
    "Cursor": "views",
}
# Subpackages that one reaches as attributes: gv.measure.drift(rollout), gv.views.board.draw(rollout)
_MODULES = ("measure", "views", "theme", "reports")
__all__ = [*_HOME, *_MODULES]


class _Package(ModuleType):
    """This package. `gv.freeze`, `gv.pack`, `gv.explain` are the functions, although modules have these names."""

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and _HOME.get(name) == name:
            value = getattr(value, name)
        super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"gramviz.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'gramviz' has no attribute {name!r}; it offers {', '.join(__all__)}")
    return getattr(importlib.import_module(f"gramviz.{_HOME[name]}"), name)


sys.modules[__name__].__class__ = _Package
