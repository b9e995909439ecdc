"""Colors, marks and the plotly template: one meaning for each mark, in light and in dark.

Ink is the cursor and what is chosen; color is the one variable shown; gray is not selected, or no answer yet. The
outcome of a trajectory is a shape too, and vermilion on a board always means "breaks a rule". The palettes are Okabe
& Ito's hues (2008) with their lightness spread until categories stay apart under simulated protan, deutan and tritan
sight; `tests/gramviz/test_theme.py` computes contrast and distances from the values here. `contract.json` holds them
for the explorer's page too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from gram.board import Token
from gramviz.contract import CONTRACT

Theme = Literal["light", "dark"]
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif"
NOTE, LABEL, TITLE = 11, 12, 15  # px; nothing is smaller than a note

# For `figure.show(config=...)` and `write_html(config=...)`: nobody's rollout is a click away from somebody's cloud.
CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["sendChartToCloud", "lasso2d", "select2d"],
    "responsive": False,
}


@dataclass(frozen=True)
class Palette:
    """One theme's colors, as #RRGGBB.

    Attributes:
        bg, sunk, given: backgrounds: page, recessed, and the tint of a given cell.
        line, edge: hairlines, and the border of controls (3:1 on bg).
        ink, text2, text3: text in falling weight, all at least 4.5:1 on bg.
        blue, vermilion, green, purple, gold, gray: the categories; gold and gray are for marks, never for text.
        landscape: five grays, from high to low.
    """

    name: Theme
    bg: str
    sunk: str
    given: str
    line: str
    edge: str
    ink: str
    text2: str
    text3: str
    blue: str
    vermilion: str
    green: str
    purple: str
    gold: str
    gray: str
    landscape: tuple[str, str, str, str, str]

    @property
    def categories(self) -> tuple[str, ...]:
        """Five colors for things without an order; gray stays free for "none" and "others"."""
        return tuple(getattr(self, hue) for hue in CONTRACT["categories"])

    def of(self, role: str) -> str:
        """The color of a role: an outcome, `conflict` or `none`."""
        return str(getattr(self, CONTRACT["roles"][role]))


PALETTES: dict[str, Palette] = {
    name: Palette(name, **colors | {"landscape": tuple(colors["landscape"])})
    for name, colors in CONTRACT["palettes"].items()
}
LIGHT, DARK = PALETTES["light"], PALETTES["dark"]

# ARC's colors are the task's own (Chollet 2019): not color-blind safe, so views print the symbol on them.
ARC = tuple(CONTRACT["arc"])


@dataclass(frozen=True)
class OutcomeMark:
    """How a trajectory's outcome is shown, with and without color: word, color, plotly symbol, line dash, text mark."""

    word: str
    color: str
    symbol: str
    dash: str
    text: str


def palette(theme: str) -> Palette:
    """The palette of a theme.

    Raises:
        ValueError: the theme is neither `light` nor `dark`.
    """
    if theme not in PALETTES:
        raise ValueError(f"unknown theme {theme!r}; known: {', '.join(PALETTES)}")
    return PALETTES[theme]


def outcome_mark(code: int, theme: str = "light") -> OutcomeMark:
    """The mark of an outcome as coded by `gramviz.measure.outcome` (0 wrong ... 4 drawn)."""
    colors = palette(theme)
    return (
        OutcomeMark("wrong", colors.of("wrong"), "x", "dash", "✕"),
        OutcomeMark("correct", colors.of("correct"), "circle", "solid", "●"),
        OutcomeMark("not finished", colors.of("unfinished"), "circle-open", "dot", "○"),
        OutcomeMark("outcome unknown", colors.of("unknown"), "diamond", "solid", "◆"),
        OutcomeMark("drawn", colors.of("drawn"), "diamond", "solid", "◆"),
    )[code]


def category(index: int, theme: str = "light") -> str:
    """The color of the index-th of some unordered things; gray from the sixth on, because a repeated hue would lie."""
    colors = palette(theme)
    return colors.categories[index] if 0 <= index < len(colors.categories) else colors.gray


def sequential(theme: str = "light") -> list[list[float | str]]:
    """A plotly color scale for value, certainty and step: cividis (Nunez et al. 2018), a high value the stronger mark.

    The end that would vanish in the background is left out: 0 to 0.85 on light (reversed), 0.15 to 1 on dark.
    """
    low, high = CONTRACT["ramp"][palette(theme).name]
    at = [low + (high - low) * k / 8 for k in range(9)]
    return [[k / 8, _hex(color)] for k, color in enumerate(sample_colorscale("Cividis", at, colortype="tuple"))]


def token_color(token: Token, order: int, theme: str = "light") -> str:
    """The fill of a token drawn as a color.

    ARC's own if its symbol or label is a digit; the category of that hue if its label names one; else the order-th
    category. Vermilion is never among them, because on a board it means "breaks a rule".
    """
    for text in (token.symbol, token.label):
        if text.isdecimal() and int(text) < len(ARC):
            return ARC[int(text)]
    colors = palette(theme)
    named = {label: getattr(colors, hue) for label, hue in CONTRACT["named"].items()}
    calm = tuple(named.values())
    return named.get(token.label.lower(), calm[order] if 0 <= order < len(calm) else colors.gray)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colors #RRGGBB, 1 to 21 (WCAG 2.2, relative luminance of sRGB)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def readable(fill: str, theme: str = "light") -> str:
    """Of the theme's ink and background, the one that is easier to read on a fill."""
    colors = palette(theme)
    return max(colors.ink, colors.bg, key=lambda text: contrast(text, fill))


@cache
def template(theme: str = "light") -> go.layout.Template:
    """The plotly template of a theme: our type, no grid, no zero line, titles at the left edge."""
    colors = palette(theme)
    axis = {
        "showgrid": False, "zeroline": False, "linecolor": colors.line, "tickcolor": colors.line, "ticks": "",
        "tickfont": {"size": NOTE, "color": colors.text3}, "title": {"font": {"size": LABEL, "color": colors.text2}},
    }  # fmt: skip
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": LABEL, "color": colors.ink},
            "paper_bgcolor": colors.bg,
            "plot_bgcolor": colors.bg,
            "colorway": list(colors.categories),
            "title": {
                "x": 0, "xref": "container", "xanchor": "left", "pad": {"l": 20, "t": 18}, "y": 1, "yref": "container",
                "yanchor": "top", "font": {"size": TITLE, "color": colors.ink, "weight": 600},
                "subtitle": {"font": {"size": LABEL, "color": colors.text2}},
            },
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 20, "r": 20, "t": 84, "b": 56},
            "legend": {
                "orientation": "h", "x": 0, "xanchor": "left", "y": 0, "yref": "container", "yanchor": "bottom",
                "font": {"size": LABEL, "color": colors.text2}, "bgcolor": "rgba(0,0,0,0)", "itemsizing": "trace",
                "tracegroupgap": 0,
            },
            "hoverlabel": {
                "bgcolor": colors.sunk, "bordercolor": colors.line,
                "font": {"family": FONT, "size": LABEL, "color": colors.ink}, "align": "left",
            },
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": colors.text3, "activecolor": colors.ink},
        }
    )  # fmt: skip


def _luminance(color: str) -> float:
    parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _hex(color: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * part):02X}" for part in color)
