"""Pure views: a rollout in, a plotly Figure out. Importing this package registers all of them.

    VIEWS["latent"].draw(rollout, Cursor(trajectory=12, step=14), theme="dark").show(config=gramviz.theme.CONFIG)

To add one, write `gramviz/views/x.py` with a decorated `draw` (`registry.py`) and import it here; a package adds its
own by an entry point (`gram.plugins`).
"""

from gram import plugins
from gramviz.views import (
    answer_map,
    answer_river,
    basins,
    board,
    control,
    curves,
    ensemble,
    landscape,
    latent,
    modes,
    score,
    training,
)
from gramviz.views.registry import LETTERS, VIEWS, Cursor, Rollouts, View, one_puzzle, registered, view

plugins.load("gramviz.views", {}, registered)

__all__ = [
    "LETTERS",
    "VIEWS",
    "Cursor",
    "Rollouts",
    "View",
    "answer_map",
    "answer_river",
    "basins",
    "board",
    "control",
    "curves",
    "ensemble",
    "landscape",
    "latent",
    "modes",
    "one_puzzle",
    "score",
    "training",
    "view"
]  # fmt: skip
