"""The latent map: all trajectories in two principal components of h, and how much that plane does not show.

After the paper's Fig. 18/19 (PCA of h per supervision step, TRM one trajectory, GRAM fifty), with four additions: the
last third of the steps fits the components, as the first steps would else have them for themselves; each axis says what
share of the variance it explains and of what; a halo round each head grows with the energy that lies outside the plane;
and series of different checkpoints never share a plane (`gramviz.measure.planes`): a distance between them would mean
nothing. Both axes have one scale, so a distance in the plane is a distance. Answers, which all models share, have
maps of their own: `answer_river`, `answer_map`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gramviz import measure
from gramviz.theme import NOTE, Palette, outcome_mark, palette
from gramviz.views.parts import (
    STACKED,
    Margins,
    address,
    at_end,
    broken,
    escape,
    figure,
    halo,
    halo_key,
    heading,
    line,
    marks,
    note,
    outcome_keys,
    outcome_marker,
    series_counts,
    series_name,
    trajectory_name,
)
from gramviz.views.registry import LETTERS, Cursor, view

_PANEL, _GAP, _MARGINS = 520, 56, Margins(left=40, top=104, bottom=84)  # px
_LABELS_APART = 0.05  # of the height of a panel


@view("Latent map", needs=("h",), many=True)
def draw(
    rollouts: list[xr.Dataset],
    at: Cursor = Cursor(),  # noqa: B008
    theme: str = "light",
    *,
    basis: str = "h",
) -> go.Figure:
    """The map at a cursor, whose trajectory of series A (and every series of one trajectory) is drawn in ink.

    Args:
        basis: `h`, `random` or `cell40`, as in `gramviz.measure.project`.
    """
    colors = palette(theme)
    states = [measure.ends(rollout) for rollout in rollouts]
    groups = measure.planes(states, basis)
    width = _PANEL if len(groups) == 1 else round(_PANEL * 0.78)
    inner = len(groups) * width + (len(groups) - 1) * _GAP
    drawn = figure(theme, inner, width, _MARGINS)
    now = at_end(rollouts[0], at.step)  # another series is shown after as many transitions
    first: measure.Projection | None = None
    for k, group in enumerate(groups):
        projection = measure.project([states[i] for i in group], basis, at.puzzle, late=True)
        first = first or projection
        left = k * (width + _GAP) / inner
        panel = Panel(drawn, k + 1, (left, left + width / inner), projection, colors)
        for i, one in zip(group, projection.series, strict=True):
            panel.series(
                i, states[i].isel(puzzle=at.puzzle), one, now, at.trajectory if i == 0 else None, len(rollouts)
            )
        panel.finish([f"{LETTERS[i]} {series_name(rollouts[i])}" for i in group] if len(groups) > 1 else [])
    assert first is not None
    outcome_keys(drawn, np.concatenate([measure.outcome(one).values[at.puzzle] for one in states]), theme)
    halo_key(drawn, colors)
    heading(
        drawn,
        f"{first.label}, {address(rollouts[0], at.step)}",
        f"{series_counts(rollouts)}; in ink: {trajectory_name(rollouts[0], at.trajectory)}",
        _honesty(first, now, at.trajectory) if len(groups) == 1 else "Each series in a plane of its own.",
    )
    return drawn


def _honesty(projection: measure.Projection, step: int, trajectory: int) -> str:
    outside = float(projection.series[0]["outside"][trajectory, step])
    words = f"This plane shows {100 * projection.explained_2d:.1f} % of the variance"
    if np.isfinite(outside):
        words += f", {100 * (1 - outside):.0f} % of this state"
    return words + ("; much lies outside." if projection.explained_2d < 0.8 else ".")


class Panel:
    """One plane: its axes, and the series in it."""

    def __init__(
        self,
        drawn: go.Figure,
        number: int,
        domain: tuple[float, float],
        projection: measure.Projection,
        colors: Palette,
    ) -> None:
        self.drawn, self.projection, self.colors, self.domain = drawn, projection, colors, domain
        self.suffix = "" if number == 1 else str(number)
        places = np.concatenate([one["coordinates"].values[..., :2].reshape(-1, 2) for one in projection.series])
        self.places = places = places[np.isfinite(places).all(1)]
        low, high = (places.min(0), places.max(0)) if len(places) else (np.zeros(2), np.zeros(2))
        center = (low + high) / 2
        self.half = max(float((high - low).max()) / 2, 1e-6) * 1.14  # a square window: both axes have one scale
        self.low, self.high = center - self.half, center + self.half
        self.labels: list[tuple[float, float, str]] = []
        share = projection.variance.values
        for k, axis in enumerate("xy"):
            drawn.layout[f"{axis}axis{self.suffix}"] = {
                "range": [self.low[k], self.high[k]],
                "showticklabels": False,
                "showline": True,
                "mirror": True,
                "linecolor": colors.line,
                "title": {
                    "text": f"{projection.axis} {k + 1}   {100 * share[k]:.1f} % of the variance of {projection.of}",
                    "standoff": 8,
                },
            }
        drawn.layout[f"xaxis{self.suffix}"].update(domain=list(domain), anchor=f"y{self.suffix}")
        drawn.layout[f"yaxis{self.suffix}"].update(anchor=f"x{self.suffix}", scaleanchor=f"x{self.suffix}")
        self.on: dict[str, Any] = {"xaxis": f"x{self.suffix}", "yaxis": f"y{self.suffix}"}
        self.at: dict[str, Any] = {"xref": self.on["xaxis"], "yref": self.on["yaxis"]}  # the same, of annotations

    def series(
        self, index: int, states: xr.Dataset, one: xr.Dataset, now: int, trajectory: int | None, several: int
    ) -> None:
        """Draw one of `several` series: the cloud by outcome, heads with halos, and one trajectory in ink.

        Without a trajectory to choose, a series of one is in ink all the same: there is nothing else of it to see.
        """
        place, outside = one["coordinates"].values[..., :2], one["outside"].values
        now = min(now, place.shape[1] - 1)  # a shorter series keeps its last state
        codes = measure.outcome(states).values
        if trajectory is None and len(place) == 1:
            trajectory = 0
        letter = f"{LETTERS[index]} " if several > 1 else ""
        says = [
            self._say(letter, states, n, now, outside, outcome_mark(int(code), self.colors.name).word)
            for n, code in enumerate(codes)
        ]
        for code in STACKED:
            members = [int(n) for n in np.flatnonzero(codes == code) if n != trajectory]
            if members:
                heads = outside[members, now], [says[n] for n in members]
                self._cloud(letter, code, place[members], now, *heads)
        if trajectory is not None:
            n = trajectory
            self._chosen(letter, states, now, place[n], outside[n : n + 1, now], int(codes[n]), says[n])
            words = f"{LETTERS[index]} {series_name(states)}" if len(place) == 1 else f"{letter} #{n}"
            self.labels.append((float(place[n, now, 0]), float(place[n, now, 1]), words))
        self._init(letter, place[0, 0], shown=bool(now) or trajectory is None)

    def _cloud(
        self,
        letter: str,
        code: int,
        place: NDArray[np.floating],
        now: int,
        outside: NDArray[np.floating],
        says: list[str],
    ) -> None:
        """The trajectories [trajectory, step, axis] of one outcome: future faint, past stronger, heads with halos."""
        mark = outcome_mark(code, self.colors.name)
        for name, part, opacity in (("future", place[:, now:], 0.18), ("past", place[:, : now + 1], 0.5)):
            if part.shape[1] > 1:
                x, y = broken(list(part)).T
                style = {"color": mark.color, "width": 1.15}
                line(self.drawn, x, y, f"{letter}{name} {mark.word}", style, opacity=opacity, **self.on)
        x, y = place[:, now].T
        marks(self.drawn, x, y, f"{letter}halo", halo(outside, mark.color, 0.13), **self.on)
        head = outcome_marker(mark, width=1.5 if code else 0.5)
        marks(self.drawn, x, y, f"{letter}heads {mark.word}", head, says, **self.on)

    def _init(self, letter: str, start: NDArray[np.floating], shown: bool) -> None:
        """The initial state, and its name; at that moment the ringed head stands there instead."""
        here = slice(0, 1) if shown else slice(0, 0)
        diamond = {
            "symbol": "diamond", "size": 10, "color": self.colors.bg, "line": {"color": self.colors.ink, "width": 2}
        }  # fmt: skip
        said = {"hovertemplate": "init<extra></extra>", "hoverinfo": None}
        marks(self.drawn, start[:1][here], start[1:2][here], f"{letter}init", diamond, **said, **self.on)
        near = [
            abs(x - start[0]) + abs(y - start[1]) < 0.02 * self.half for x, y, words in self.labels if words == "init"
        ]
        if not any(near):  # series of one checkpoint begin in one state
            self.labels.append((float(start[0]), float(start[1]), "init"))

    def _chosen(
        self,
        letter: str,
        states: xr.Dataset,
        now: int,
        place: NDArray[np.floating],
        outside: NDArray[np.floating],
        code: int,
        says: str,
    ) -> None:
        """The trajectory in ink: casing, past solid, future dotted, a dot per supervision step, and a ringed head."""
        drawn, bg, ink = self.drawn, self.colors.bg, self.colors.ink
        past, future = place[: now + 1].T, place[now:].T
        numbers = states["supervision_step"].values
        ends = np.flatnonzero(np.append(numbers[1:] != numbers[:-1], True))
        ends = ends[(ends > 0) & (ends < now)]
        line(drawn, past[0], past[1], "casing", {"color": bg, "width": 7}, **self.on)
        line(
            drawn,
            future[0],
            future[1],
            f"{letter}chosen future",
            {"color": ink, "width": 1.6, "dash": "dot"},
            **self.on,
        )
        line(drawn, past[0], past[1], f"{letter}chosen past", {"color": ink, "width": 2.8}, **self.on)
        texts = [f"supervision step {numbers[k]}" for k in ends]
        marks(
            drawn,
            place[ends, 0],
            place[ends, 1],
            f"{letter}supervision steps",
            {"size": 6, "color": ink},
            texts,
            **self.on,
        )
        head = place[now : now + 1].T
        marks(drawn, head[0], head[1], f"{letter}halo", halo(outside, ink, 0.13), **self.on)
        disk = {"symbol": "circle", "size": 18, "color": bg, "line": {"color": ink, "width": 2.2}}
        marks(drawn, head[0], head[1], f"{letter}chosen head", disk, **self.on)
        mark = outcome_marker(outcome_mark(code, self.colors.name), 9)
        marks(drawn, head[0], head[1], f"{letter}chosen outcome", mark, [says], **self.on)

    def _say(self, letter: str, states: xr.Dataset, n: int, now: int, outside: NDArray[np.floating], word: str) -> str:
        words = f"<b>{letter} #{n}</b> at {measure.address(states, now)}; in the end: {word}"
        return words + (
            f"<br>{100 * outside[n, now]:.0f} % of its energy outside" if np.isfinite(outside[n, now]) else ""
        )

    def finish(self, titles: list[str]) -> None:
        """Labels beside the heads, pushed apart; the scale bar; the name of the plane where there are several."""
        placed: list[float] = []
        for x, y, words in sorted(self.labels, key=lambda label: -label[1]):
            level = y
            while any(abs(level - other) < 2 * self.half * _LABELS_APART for other in placed):
                level -= self.half * _LABELS_APART
            placed.append(level)
            right = x < self.high[0] - 0.45 * self.half
            note(
                self.drawn, x, level, f"<b>{escape(words)}</b>", self.colors.ink,
                xanchor="left" if right else "right", xshift=17 if right else -17,
                bgcolor=self.colors.bg, opacity=0.92, borderpad=1, **self.at,
            )  # fmt: skip
        length = _round_length(0.4 * self.half)
        x, y = self._free(np.array([max(length, 0.4 * self.half), 0.14 * self.half]))
        gray = self.colors.text2
        line(self.drawn, [x, x + length], [y, y], "scale bar", {"color": gray, "width": 2}, **self.on)
        above: dict[str, Any] = {"xanchor": "left", "yanchor": "bottom"}
        note(self.drawn, x, y, f"distance {length:g}", gray, NOTE, yshift=2, **above, **self.at)
        if titles:
            name = f"<b>{escape(', '.join(titles))}</b>"
            at: dict[str, Any] = {"xref": "paper", "yref": "paper"}
            note(self.drawn, self.domain[0], 1, name, self.colors.ink, yshift=4, **above, **at)

    def _free(self, size: NDArray[np.floating]) -> tuple[float, float]:
        """Where a note of this width and height covers the fewest states: the lower left end of a corner for it."""
        near, far = self.low + 0.07 * self.half, self.high - 0.07 * self.half - size
        corners = [(near[0], near[1]), (far[0], near[1]), (near[0], far[1]), (far[0], far[1])]
        margin = 0.05 * self.half

        def covered(corner: tuple[float, float]) -> int:
            inside = (self.places > np.array(corner) - margin) & (self.places < np.array(corner) + size + margin)
            return int(inside.all(1).sum())

        return min(corners, key=covered)


def _round_length(length: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not longer."""
    power = 10.0 ** np.floor(np.log10(length))
    return float(max(step * power for step in (1, 2, 5) if step * power <= length * 1.0001))
