"""Every analysis of one puzzle in one call, for a notebook: figures, the numbers behind them, and what is missing.

    trm, gram_ = gram.probe("nqueens8-trm"), gram.probe("nqueens8-gram")
    found = gramviz.analyze(trm, gram_)       # shows itself in a notebook
    found.figures["lyapunov"]                 # a plotly figure
    found.numbers["B"]["exponent"]            # what it says
    found.to_html("analysis.html")            # one page, no kernel, no network

Rollouts alone will do (`gramviz.analyze(rollout)`); what needs the model is then left out, and said. How each analysis
is read, and what it does not show, is in `docs/analysis.md`.
"""

from __future__ import annotations

import contextlib
import html
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from IPython.display import HTML, display
from numpy.typing import NDArray

from gram import atomic
from gram.progress import bar
from gram.rollout import RolloutError, board_of, check
from gramviz import measure
from gramviz.reports.blocks.block import number, table
from gramviz.theme import CONFIG, palette
from gramviz.views import LETTERS, VIEWS, Cursor, lyapunov, one_puzzle
from gramviz.views.parts import series_name


@runtime_checkable
class Probed(Protocol):
    """What `gram.probe` returns; anything with these attributes will do."""

    @property
    def rollout(self) -> xr.Dataset: ...
    @property
    def exponents(self) -> xr.Dataset: ...
    @property
    def landscape(self) -> xr.Dataset | None: ...
    @property
    def starts(self) -> xr.Dataset: ...
    @property
    def left_out(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Analysis:
    """Figures by name, numbers by series, and what could not be shown with the reason.

    Attributes:
        figures: `curves`, `answer_river`, `answer_map`, `latent` and `lyapunov` of all series together; per series
            `A modes`, `A basins`, `A starts`, `A landscape`, `A plane`, `A control`.
        numbers: per letter of a series; see the table.
        left_out: name of a figure -> why it is not there, with the fix.
    """

    figures: dict[str, go.Figure]
    numbers: dict[str, dict[str, Any]]
    left_out: dict[str, str]

    def _repr_html_(self) -> str:
        """The numbers, and what is missing; the figures follow where a notebook shows this object."""
        letters = list(self.numbers)
        names = list(dict.fromkeys(name for found in self.numbers.values() for name in found if name != "name"))
        rows = [[_WORDS.get(name, name), *(_cell(self.numbers[k].get(name)) for k in letters)] for name in names]
        numbers = table(
            ["", *(f"{k} {self.numbers[k]['name']}" for k in letters)], rows, "Exponents: nats per transition."
        )
        missing = "".join(f"<li>{html.escape(f'{name}: {why}')}</li>" for name, why in self.left_out.items())
        return numbers + (f"<p>Not shown:</p><ul>{missing}</ul>" if missing else "")

    def _ipython_display_(self) -> None:
        display(HTML(self._repr_html_()))
        for figure in self.figures.values():
            figure.show(config=CONFIG)

    def to_html(self, path: str | os.PathLike[str] | None = None) -> str:
        """One page with everything, plotly's script in it once; written to `path` if one is given."""
        parts = [
            figure.to_html(full_html=False, include_plotlyjs=k == 0, config=CONFIG)
            for k, figure in enumerate(self.figures.values())
        ]
        first = next(iter(self.figures.values()), None)
        color = first.layout.template.layout.paper_bgcolor if first else "#FFFFFF"
        ink = first.layout.template.layout.font.color if first else "#16202E"
        style = (
            f"body{{margin:16px;font-family:system-ui,sans-serif;background:{color};color:{ink}}}"
            "td,th{padding:2px 14px 2px 0;text-align:left}"
        )
        page = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Analysis</title><style>{style}</style>'
            f"<h1>Analysis</h1>{self._repr_html_()}{''.join(parts)}</html>"
        )
        if path is not None:
            atomic.write(Path(path), page)
        return page


def analyze(*looked_at: Probed | xr.Dataset, at: Cursor | None = None, theme: str = "light") -> Analysis:
    """Every analysis of one puzzle for 1 to 4 series: probes of models (`gram.probe`), or rollouts alone.

    Args:
        looked_at: of the same puzzle.
        at: where to look: the puzzle of the rollouts, the trajectory drawn in ink, the step; default: the first, the
            last.
    Raises:
        ValueError: none or more than four; or an unknown theme.
        RolloutError: not rollouts, or of different puzzles.
    """
    with bar(None, "figure", text="analyze") as counter:
        return _analyze(looked_at, at, theme, counter.update)


def _analyze(
    looked_at: Sequence[Probed | xr.Dataset], at: Cursor | None, theme: str, done: Callable[[], object]
) -> Analysis:
    palette(theme)
    if not 1 <= len(looked_at) <= len(LETTERS):
        raise ValueError(
            f"{len(looked_at)} series to analyze; give 1 to {len(LETTERS)}: gram.probe(checkpoint), or rollouts"
        )
    probes = [one if not isinstance(one, xr.Dataset) and isinstance(one, Probed) else None for one in looked_at]
    rollouts = [
        check(one.rollout if isinstance(one, Probed) and not isinstance(one, xr.Dataset) else one) for one in looked_at
    ]
    at = (at or Cursor()).on(rollouts[0])
    one_puzzle(rollouts, at.puzzle)
    figures: dict[str, go.Figure] = {}
    left_out: dict[str, str] = {}

    def add(name: str, draw: Callable[[], go.Figure]) -> None:
        try:
            figures[name] = draw()
        except RolloutError as error:  # a variable that was not recorded: the others are worth seeing
            left_out[name] = str(error)
        done()

    lanes = tuple(lane for lane in ("certainty", "conflicts", "drift", "spread") if _has(lane, rollouts))
    add("curves", lambda: VIEWS["curves"].draw(rollouts, at, theme, lanes=lanes or None))
    for name in ("answer_river", "answer_map", "latent"):
        add(name, partial(VIEWS[name].draw, rollouts, at, theme))
    known = [(probe, rollout) for probe, rollout in zip(probes, rollouts, strict=True) if probe is not None]
    if known:
        add("lyapunov", lambda: lyapunov.draw([p.exponents for p, _ in known], [r for _, r in known], at.puzzle, theme))
    else:
        left_out["lyapunov"] = _MODEL
    numbers: dict[str, dict[str, Any]] = {}
    for letter, rollout, probe in zip(LETTERS, rollouts, probes, strict=False):
        here = at if rollout is rollouts[0] else Cursor(at.puzzle, 0, -1)
        for name in ("modes", "basins", "landscape", "control"):
            add(f"{letter} {name}", partial(VIEWS[name].draw, rollout, here, theme))
        if probe is None:
            for name in ("plane", "starts"):
                left_out[f"{letter} {name}"] = _MODEL
        else:
            center = Cursor(0, probe.starts.sizes["trajectory"] // 2, -1)
            add(f"{letter} starts", partial(VIEWS["basins"].draw, probe.starts, center, theme))
            if probe.landscape is None:
                left_out[f"{letter} plane"] = probe.left_out.get("landscape", "it was not computed")
            else:
                draw = partial(VIEWS["landscape"].draw, rollout, here, theme, plane=probe.landscape)
                add(f"{letter} plane", draw)
        numbers[letter] = _numbers(rollout, at.puzzle, probe)
    return Analysis(figures, numbers, left_out)


_MODEL = "it needs the model; give gram.probe(checkpoint) in the place of a rollout"
_WORDS = {
    "trajectories": "trajectories",
    "correct": "correct in the end",
    "answers": "different answers",
    "entropy": "entropy of the answers, nats",
    "quick": "quick success",
    "delayed": "delayed success",
    "failed": "failure",
    "settled": "settled in the end",
    "settled_failures": "settled failures (false fixed points)",
    "drift_first": "drift of the first transition, median",
    "drift_last": "drift of the last transition, median",
    "spread_last": "spread in the end",
    "committed": "stay at an answer to the end",
    "commit": "from supervision step, median",
    "deciding_cell": "cell that tells first how they end",
    "exponent": "Lyapunov exponent, median",
    "exponent_correct": "of the correct trajectories",
    "exponent_wrong": "of the others",
    "separation": "pairs in which the correct trajectory has the lower exponent",
    "plane_variance": "variance of h in two components",
    "walk_variance": "of random walks as long (control)",
    "start_answers": "answers from the plane of starts",
    "start_correct": "correct among these starts",
    "start_border": "neighboring starts that reach different answers",
    "loss_last": "loss in the end, median",
}


def _numbers(rollout: xr.Dataset, puzzle: int, probe: Probed | None) -> dict[str, Any]:
    """What the figures of one series say, as plain numbers; a measure that was not recorded is absent."""
    states = measure.ends(rollout).isel(puzzle=[puzzle])
    found: dict[str, Any] = {"name": series_name(rollout), "trajectories": int(rollout.sizes["trajectory"])}
    reached = measure.basins(states)
    correct = states["valid"].values[0, :, -1] if measure.judged(states) else None
    if correct is not None:
        mode = measure.modes(states)["mode"].values[0]
        found |= {"correct": int(correct.sum())}
        found |= {name: int((mode == k).sum()) for k, name in enumerate(("quick", "delayed", "failed"))}
    found |= {"answers": len(reached.share), "entropy": reached.entropy}
    if "h" in states:
        moved = measure.drift(states).values[0]
        settled = measure.settled(states).values[0]
        found["settled"] = int(settled.sum())
        if correct is not None:
            found["settled_failures"] = int((settled & ~correct).sum())
        if states.sizes["step"] > 1:
            found |= {"drift_first": _median(moved[:, 1]), "drift_last": _median(moved[:, -1])}
        found["spread_last"] = float(measure.spread(states).values[0, -1])
        found["plane_variance"] = measure.project([states]).explained_2d
        found["walk_variance"] = measure.project([measure.random_walk(states)]).explained_2d
    space = measure.answer_space([states])
    commits = space.found.commit[space.found.settled]
    found["committed"] = len(commits)
    if len(commits):
        found["commit"] = _median(states["supervision_step"].values[commits])
    if space.decisive:
        found["deciding_cell"] = space.board.place(int(space.cells[space.decisive[0].cell]))
    with contextlib.suppress(RolloutError):  # no right answer is known, and there are no rules
        found["loss_last"] = _median(measure.loss(states).values[:, -1])
    if probe is not None:
        last = probe.exponents["exponent"].isel(puzzle=puzzle, step=-1, direction=0).values
        found["exponent"] = _median(last)
        if correct is not None and correct.any() and not correct.all():
            found |= {"exponent_correct": _median(last[correct]), "exponent_wrong": _median(last[~correct])}
            found["separation"] = measure.separation(last, correct)
        grid = measure.on_plane(probe.starts)[0]
        begun = measure.basins(probe.starts)
        found |= {"start_answers": len(begun.share), "start_border": measure.border(grid)}
        if measure.judged(probe.starts):
            found["start_correct"] = f"{int(probe.starts['valid'][0, :, -1].sum())} of {grid.size}"
    return found


def _median(values: NDArray[Any]) -> float:
    return float(np.nanmedian(values))


def _cell(value: Any) -> str:
    return "–" if value is None else value if isinstance(value, str) else number(value)


def _has(lane: str, rollouts: list[xr.Dataset]) -> bool:
    """Whether some series can show this lane of the curves."""
    needed = {"certainty": ("probability", "logits"), "drift": ("h",), "spread": ("h",)}.get(lane)
    for rollout in rollouts:
        if needed and not {*needed} & {*map(str, rollout.data_vars)}:
            continue
        board = board_of(rollout)
        if lane == "conflicts" and not board.ruled and (board.kind == "image" or "conflict" not in rollout):
            continue
        if lane != "spread" or rollout.sizes["trajectory"] > 1:
            return True
    return False
