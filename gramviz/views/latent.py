"""The latent map: the paths of all trajectories in two principal components, and how much that plane does not show.

After the paper's Fig. 18/19 (PCA of h per supervision step, TRM one path, GRAM fifty), with three additions: each axis
says what share of the variance it explains and of what; a halo round each head grows with the energy that lies outside
the plane; and runs of different checkpoints never share a plane of h (`gramviz.measure.planes`), because a distance
between them would mean nothing. Both axes have one scale, so a distance in the plane is a distance.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import xarray as xr
from numpy.typing import NDArray

from gram.rollout import need
from gramviz import measure
from gramviz.theme import LABEL, NOTE, Palette, outcome_mark, palette
from gramviz.views import LETTERS, Cursor, view
from gramviz.views.parts import (
    LISTED,
    STACKED,
    address,
    at_end,
    broken,
    escape,
    figure,
    heading,
    key,
    outcome_key,
    path_name,
    run_name,
)

_PANEL, _GAP, _LEFT, _TOP, _BOTTOM = 520, 56, 40, 104, 84  # px
_LABELS_APART = 0.05  # of the height of a panel


@view("Latent map", many=True)
def draw(
    rollouts: list[xr.Dataset],
    at: Cursor = Cursor(),  # noqa: B008
    theme: str = "light",
    *,
    basis: str | None = None,
) -> go.Figure:
    """The map at a cursor, whose path of run A (and every run of one path) is drawn in ink.

    Args:
        basis: `h`, `answers`, `steps`, `random` or `cell40`, as in `gramviz.measure.project`; by default h where all
            runs share a plane of it, else `answers`.
    Raises:
        RolloutError: `basis` needs h, and no run recorded it.
    """
    colours = palette(theme)
    states = [measure.ends(run) for run in rollouts]
    basis = basis or ("h" if _share_h(states) else "answers")
    groups = measure.planes(states, basis)
    if not groups:
        need(rollouts[0], "h")
        raise ValueError("one recorded state has no step to draw; choose basis='h' or 'answers'")
    width = _PANEL if len(groups) == 1 else round(_PANEL * 0.78)
    drawn = figure(
        theme,
        _LEFT + 20 + len(groups) * width + (len(groups) - 1) * _GAP,
        width + _TOP + _BOTTOM,
        margin={"l": _LEFT, "r": 20, "t": _TOP, "b": _BOTTOM},
    )
    inner = len(groups) * width + (len(groups) - 1) * _GAP
    now = at_end(rollouts[0], at.step)  # another run is shown after as many transitions
    first: measure.Projection | None = None
    for k, group in enumerate(groups):
        projection = measure.project([states[i] for i in group], basis, at.puzzle)
        first = first or projection
        left = k * (width + _GAP) / inner
        panel = Panel(drawn, k + 1, (left, left + width / inner), projection, colours)
        for i, one in zip(group, projection.runs, strict=True):
            panel.run(i, states[i].isel(puzzle=at.puzzle), one, now, at.trajectory if i == 0 else None, len(rollouts))
        panel.finish([f"{LETTERS[i]} {run_name(rollouts[i])}" for i in group] if len(groups) > 1 else [])
    assert first is not None
    _legend(drawn, states, at, colours)
    counts = " and ".join(f"{run.sizes['trajectory']} {run_name(run)}" for run in rollouts)
    total = sum(run.sizes["trajectory"] for run in rollouts)
    heading(
        drawn,
        f"{first.label}, {address(rollouts[0], at.step)}",
        f"{counts} path{'' if total == 1 else 's'}; in ink: {path_name(rollouts[0], at.trajectory)}",
        _honesty(first, now, at.trajectory) if len(groups) == 1 else "Each run in a plane of its own.",
    )
    return drawn


def _share_h(states: list[xr.Dataset]) -> bool:
    return all("h" in one for one in states) and len(measure.planes(states, "h")) == 1


def _honesty(projection: measure.Projection, step: int, trajectory: int) -> str:
    outside = float(projection.runs[0]["outside"][trajectory, step])
    words = f"This plane shows {100 * projection.plane:.1f} % of the variance"
    if np.isfinite(outside):
        words += f", {100 * (1 - outside):.0f} % of this state"
    return words + ("; much lies outside." if projection.plane < 0.8 else ".")


def _legend(drawn: go.Figure, states: list[xr.Dataset], at: Cursor, colours: Palette) -> None:
    """Outcomes with their counts over all runs, and what the ring of a head means."""
    codes = np.concatenate([measure.outcome(one).values[at.puzzle] for one in states])
    for code in LISTED:
        if count := int((codes == code).sum()):
            mark = outcome_mark(code, colours.name)
            outcome_key(drawn, mark, count)
    key(
        drawn, "halo: energy outside the plane", {"symbol": "circle", "size": 15, "color": colours.grey, "opacity": 0.3}
    )


class Panel:
    """One plane: its axes, and the runs in it."""

    def __init__(
        self,
        drawn: go.Figure,
        number: int,
        domain: tuple[float, float],
        projection: measure.Projection,
        colours: Palette,
    ) -> None:
        self.drawn, self.projection, self.colours, self.domain = drawn, projection, colours, domain
        self.suffix = "" if number == 1 else str(number)
        places = np.concatenate([one["coordinates"].values[..., :2].reshape(-1, 2) for one in projection.runs])
        self.places = places = places[np.isfinite(places).all(1)]
        low, high = (places.min(0), places.max(0)) if len(places) else (np.zeros(2), np.zeros(2))
        centre = (low + high) / 2
        self.half = max(float((high - low).max()) / 2, 1e-6) * 1.14  # a square window: both axes have one scale
        self.low, self.high = centre - self.half, centre + self.half
        self.labels: list[tuple[float, float, str]] = []
        share = projection.variance.values
        for axis, low_, high_, k in (("x", self.low[0], self.high[0], 0), ("y", self.low[1], self.high[1], 1)):
            drawn.layout[f"{axis}axis{self.suffix}"] = {
                "range": [low_, high_],
                "showticklabels": False,
                "showline": True,
                "mirror": True,
                "linecolor": colours.line,
                "title": {
                    "text": f"{projection.axis} {k + 1}   {100 * share[k]:.1f} % of the variance of {projection.of}",
                    "standoff": 8,
                },
            }
        drawn.layout[f"xaxis{self.suffix}"].update(domain=list(domain), anchor=f"y{self.suffix}")
        drawn.layout[f"yaxis{self.suffix}"].update(anchor=f"x{self.suffix}", scaleanchor=f"x{self.suffix}")
        self.on = {"xaxis": f"x{self.suffix}", "yaxis": f"y{self.suffix}"}

    def run(self, index: int, states: xr.Dataset, one: xr.Dataset, now: int, trajectory: int | None, runs: int) -> None:
        """Draw one run of one puzzle: the cloud by outcome, heads with halos, and the path `trajectory` in ink.

        Without a path to choose, a run of one path is in ink all the same: there is nothing else of it to see.
        """
        place, outside = one["coordinates"].values[..., :2], one["outside"].values
        now = min(now, place.shape[1] - 1)  # a shorter run keeps its last state
        codes = measure.outcome(states).values
        if trajectory is None and len(place) == 1:
            trajectory = 0
        chosen = [] if trajectory is None else [trajectory]
        letter = f"{LETTERS[index]} " if runs > 1 else ""
        for code in STACKED:
            mark = outcome_mark(code, self.colours.name)
            members = [int(n) for n in np.flatnonzero(codes == code) if n not in chosen]
            if not members:
                continue
            line = {"color": mark.colour, "width": 1.15}
            for name, part, opacity in (
                ("future", [place[n, now:] for n in members], 0.18),
                ("past", [place[n, : now + 1] for n in members], 0.5),
            ):
                if part[0].shape[0] > 1:
                    x, y = broken(part).T
                    self._add(x=x, y=y, mode="lines", line=line, opacity=opacity, meta=f"{letter}{name} {mark.word}")
            heads = place[members, now]
            self._halo(heads, outside[members, now], mark.colour, letter)
            self._add(
                x=heads[:, 0],
                y=heads[:, 1],
                mode="markers",
                meta=f"{letter}heads {mark.word}",
                marker={
                    "symbol": mark.symbol,
                    "size": 8,
                    "color": mark.colour,
                    "line": {"width": 1.5 if code else 0.5, "color": mark.colour},
                },
                text=[self._say(letter, states, n, now, outside, mark.word) for n in members],
                hovertemplate="%{text}<extra></extra>",
            )
        for n in chosen:
            self._chosen(letter, states, n, now, place[n], outside, int(codes[n]))
            words = f"{LETTERS[index]} {run_name(states)}" if len(place) == 1 else f"{letter}#{n + 1}"
            self.labels.append((float(place[n, now, 0]), float(place[n, now, 1]), words))
        start = place[0, 0]
        here = slice(0, 1) if now or not chosen else slice(0, 0)  # at the initial state the ringed head stands there
        self._add(
            x=start[:1][here],
            y=start[1:2][here],
            mode="markers",
            meta=f"{letter}init",
            hovertemplate="init<extra></extra>",
            marker={
                "symbol": "diamond",
                "size": 10,
                "color": self.colours.bg,
                "line": {"color": self.colours.ink, "width": 2},
            },
        )
        near = [
            abs(x - start[0]) + abs(y - start[1]) < 0.02 * self.half for x, y, words in self.labels if words == "init"
        ]
        if not any(near):  # runs of one checkpoint begin in one state
            self.labels.append((float(start[0]), float(start[1]), "init"))

    def _chosen(
        self,
        letter: str,
        states: xr.Dataset,
        n: int,
        now: int,
        place: NDArray[np.floating],
        outside: NDArray[np.floating],
        code: int,
    ) -> None:
        """The path in ink: casing, past solid, future dotted, a dot per supervision step, and a ringed head."""
        ink, mark = self.colours.ink, outcome_mark(code, self.colours.name)
        past, future = place[: now + 1], place[now:]
        numbers = states["supervision_step"].values
        ends = np.flatnonzero(np.append(numbers[1:] != numbers[:-1], True))
        ends = ends[(ends > 0) & (ends < now)]
        self._add(x=past[:, 0], y=past[:, 1], mode="lines", line={"color": self.colours.bg, "width": 7}, meta="casing")
        self._add(
            x=future[:, 0],
            y=future[:, 1],
            mode="lines",
            meta=f"{letter}chosen future",
            line={"color": ink, "width": 1.6, "dash": "dot"},
        )
        self._add(
            x=past[:, 0], y=past[:, 1], mode="lines", line={"color": ink, "width": 2.8}, meta=f"{letter}chosen past"
        )
        self._add(
            x=place[ends, 0],
            y=place[ends, 1],
            mode="markers",
            meta=f"{letter}supervision steps",
            marker={"size": 6, "color": ink},
            text=[f"supervision step {numbers[k]}" for k in ends],
            hovertemplate="%{text}<extra></extra>",
        )
        self._halo(place[now : now + 1], outside[n : n + 1, now], ink, letter)
        self._add(
            x=place[now : now + 1, 0],
            y=place[now : now + 1, 1],
            mode="markers",
            meta=f"{letter}chosen head",
            marker={"symbol": "circle", "size": 18, "color": self.colours.bg, "line": {"color": ink, "width": 2.2}},
            hoverinfo="skip",
        )
        self._add(
            x=place[now : now + 1, 0],
            y=place[now : now + 1, 1],
            mode="markers",
            meta=f"{letter}chosen outcome",
            marker={
                "symbol": mark.symbol,
                "size": 9,
                "color": mark.colour,
                "line": {"width": 1.5, "color": mark.colour},
            },
            text=[self._say(letter, states, n, now, outside, mark.word)],
            hovertemplate="%{text}<extra></extra>",
        )

    def _halo(self, heads: NDArray[np.floating], outside: NDArray[np.floating], colour: str, letter: str) -> None:
        """Radius 3 + 12 sqrt(share outside) px, as in the explorer."""
        share = np.nan_to_num(outside, nan=1.0)
        self._add(
            x=heads[:, 0],
            y=heads[:, 1],
            mode="markers",
            meta=f"{letter}halo",
            hoverinfo="skip",
            marker={"size": 2 * (3 + 12 * np.sqrt(share)), "color": colour, "opacity": 0.13, "line": {"width": 0}},
        )

    def _say(self, letter: str, states: xr.Dataset, n: int, now: int, outside: NDArray[np.floating], word: str) -> str:
        words = f"<b>{letter}#{n + 1}</b> at {measure.address(states, now)}; in the end: {word}"
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
            self.drawn.add_annotation(
                x=x,
                y=level,
                xref=self.on["xaxis"],
                yref=self.on["yaxis"],
                text=f"<b>{escape(words)}</b>",
                showarrow=False,
                xanchor="left" if right else "right",
                xshift=17 if right else -17,
                font={"size": LABEL, "color": self.colours.ink},
                bgcolor=self.colours.bg,
                opacity=0.92,
                borderpad=1,
            )
        length = _round_length(0.4 * self.half)
        x, y = self._free(np.array([max(length, 0.4 * self.half), 0.14 * self.half]))
        self._add(
            x=[x, x + length],
            y=[y, y],
            mode="lines",
            line={"color": self.colours.text2, "width": 2},
            meta="scale bar",
            hoverinfo="skip",
        )
        self.drawn.add_annotation(
            x=x,
            y=y,
            xref=self.on["xaxis"],
            yref=self.on["yaxis"],
            text=f"distance {length:g}",
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            yshift=2,
            font={"size": NOTE, "color": self.colours.text2},
        )
        if titles:
            self.drawn.add_annotation(
                x=self.domain[0],
                y=1,
                xref="paper",
                yref="paper",
                text="<b>" + escape(", ".join(titles)) + "</b>",
                showarrow=False,
                xanchor="left",
                yanchor="bottom",
                yshift=4,
                font={"size": LABEL, "color": self.colours.ink},
            )

    def _free(self, size: NDArray[np.floating]) -> tuple[float, float]:
        """Where a note of this width and height covers the fewest states: the lower left end of a corner for it."""
        near, far = self.low + 0.07 * self.half, self.high - 0.07 * self.half - size
        corners = [(near[0], near[1]), (far[0], near[1]), (near[0], far[1]), (far[0], far[1])]
        margin = 0.05 * self.half

        def covered(corner: tuple[float, float]) -> int:
            inside = (self.places > np.array(corner) - margin) & (self.places < np.array(corner) + size + margin)
            return int(inside.all(1).sum())

        return min(corners, key=covered)

    def _add(self, **trace: object) -> None:
        trace.setdefault("hoverinfo", "skip" if "hovertemplate" not in trace else None)
        self.drawn.add_scatter(showlegend=False, **self.on, **trace)


def _round_length(length: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not longer."""
    power = 10.0 ** np.floor(np.log10(length))
    return float(max(step * power for step in (1, 2, 5) if step * power <= length * 1.0001))
