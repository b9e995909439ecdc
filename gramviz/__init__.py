"""Seeing recursive models reason: a linked explorer, pure plotly views, frozen pages and reproducible reports.

    import gramviz as gv
    gv.explore(rollout)                 # the explorer, in a notebook
    gv.compare(trm, gram, puzzle=0)     # TRM's one trajectory beside GRAM's fifty
    gv.explore(gram.watch("sudoku9-gram", 3))   # a model at work: what it has drawn, and the rest as it comes
    gv.live(gram.watch, gram.names())   # the same with controls
    gv.watch_training("runs/queens", sample=gram.sample)   # a model that learns
    gv.explain(sudoku, trajectory=12, step="7.2")   # which changes the rules justify, and which are guesses
    with gv.record(net, h="block") as rec: net(x)   # any module that loops; then gv.explore(rec.rollout)
    gv.freeze(gv.compare(trm, gram), "page.html")   # the same explorer in one file, no kernel, no network

Everything here reads rollouts (`gram.rollout`) and knows no model: `import gramviz` leaves torch unloaded.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gram.recorder import record as record
    from gramviz import measure as measure
    from gramviz import reports as reports
    from gramviz import theme as theme
    from gramviz import views as views
    from gramviz.explorer.freeze import freeze as freeze
    from gramviz.explorer.live import Live as Live
    from gramviz.explorer.live import live as live
    from gramviz.explorer.opening import compare as compare
    from gramviz.explorer.opening import explore as explore
    from gramviz.explorer.pack import pack as pack
    from gramviz.explorer.state import State as State
    from gramviz.explorer.training import Training as Training
    from gramviz.explorer.training import watch_training as watch_training
    from gramviz.explorer.widget import Explorer as Explorer
    from gramviz.export.movie import movie as movie
    from gramviz.measure.explain import explain as explain
    from gramviz.reports.analyze import Analysis as Analysis
    from gramviz.reports.analyze import analyze as analyze
    from gramviz.views import Cursor as Cursor

_HOME = {
    "explore": "explorer.opening",
    "compare": "explorer.opening",
    "Explorer": "explorer.widget",
    "State": "explorer.state",
    "freeze": "explorer.freeze",
    "live": "explorer.live",
    "Live": "explorer.live",
    "watch_training": "explorer.training",
    "Training": "explorer.training",
    "pack": "explorer.pack",
    "record": "gram.recorder",
    "movie": "export.movie",
    "explain": "measure.explain",
    "analyze": "reports.analyze",
    "Analysis": "reports.analyze",
    "Cursor": "views",
}
# Subpackages that one reaches as attributes: gv.measure.drift(rollout), gv.views.board.draw(rollout)
_MODULES = ("measure", "views", "theme", "reports")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"gramviz.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'gramviz' has no attribute {name!r}; it offers {', '.join(__dir__())}")
    home = _HOME[name]
    return getattr(importlib.import_module(home if home.startswith("gram.") else f"gramviz.{home}"), name)


def __dir__() -> list[str]:
    return sorted([*_HOME, *_MODULES])
