"""The palettes are computed on, not quoted: contrast by WCAG 2, distances in OKLab under simulated color blindness."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from gram.board import Token
from gramviz import theme
from gramviz.theme import PALETTES, Palette, contrast

# Machado, Oliveira & Fernandes 2009, severity 1.0, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip


def oklab(color: str, vision: str = "normal") -> np.ndarray:
    """OKLab (Ottosson 2020) of #RRGGBB as seen."""
    rgb = np.array([int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = (VISION[vision] @ linear).clip(0, 1)
    cone = np.array(
        [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
         [0.0883024619, 0.2817188376, 0.6299787005]]
    )  # fmt: skip
    lab = np.array(
        [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
         [0.0259040371, 0.7827717662, -0.8086757660]]
    )  # fmt: skip
    return lab @ np.cbrt(cone @ linear)


def distance(one: str, other: str, vision: str) -> float:
    """Distance in OKLab, times 100: 2 is just seen side by side."""
    return 100 * float(np.linalg.norm(oklab(one, vision) - oklab(other, vision)))


@pytest.fixture(params=PALETTES.values(), ids=PALETTES)
def colors(request: pytest.FixtureRequest) -> Palette:
    return request.param


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.478, abs=1e-3)
    assert contrast("#123456", "#123456") == 1


def test_oklab_of_known_colors() -> None:
    np.testing.assert_allclose(oklab("#FFFFFF"), [1, 0, 0], atol=1e-4)
    np.testing.assert_allclose(oklab("#FF0000"), [0.6280, 0.2249, 0.1258], atol=1e-3)


def test_text_can_be_read_on_every_background(colors: Palette) -> None:
    for text in (colors.ink, colors.text2, colors.text3):
        for ground in (colors.bg, colors.sunk, colors.given):
            assert contrast(text, ground) >= 4.5, (text, ground)
    for word in (colors.blue, colors.vermilion, colors.green, colors.purple):
        assert contrast(word, colors.bg) >= 4.5, word


def test_marks_and_controls_can_be_seen(colors: Palette) -> None:
    for mark in (*colors.categories, colors.gray, colors.edge):
        for ground in (colors.bg, colors.sunk):
            assert contrast(mark, ground) >= 3, (mark, ground)


@pytest.mark.parametrize("vision", VISION)
def test_categories_stay_apart(colors: Palette, vision: str) -> None:
    # Four times what is just seen between neighboring areas, because marks are small and apart. Smallest: 7.96.
    for one, other in combinations((*colors.categories, colors.gray, colors.ink), 2):
        assert distance(one, other, vision) >= 7.9, (one, other)


@pytest.mark.parametrize("vision", VISION)
def test_outcomes_stay_further_apart(colors: Palette, vision: str) -> None:
    for one, other in combinations((colors.blue, colors.vermilion, colors.gray), 2):
        assert distance(one, other, vision) >= 9.5, (one, other)


def test_outcomes_differ_without_color(colors: Palette) -> None:
    marks = [theme.outcome_mark(code, colors.name) for code in range(4)]
    assert [mark.word for mark in marks] == ["wrong", "correct", "not finished", "outcome unknown"]
    assert len({mark.symbol for mark in marks}) == len({mark.text for mark in marks}) == 4
    assert len({mark.dash for mark in marks[:3]}) == 3


def test_sequential_scale_rises_in_contrast(colors: Palette) -> None:
    scale = theme.sequential(colors.name)
    assert [stop for stop, _ in scale] == pytest.approx(np.linspace(0, 1, 9))
    strength = [contrast(str(color), colors.bg) for _, color in scale]
    assert (np.diff(strength) > 0).all()  # a high value is the stronger mark
    lightness = [oklab(str(color))[0] for _, color in scale]
    assert abs(lightness[-1] - lightness[0]) > 0.3


def test_landscape_is_quieter_than_any_mark(colors: Palette) -> None:
    for level in colors.landscape:
        assert contrast(level, colors.bg) < 1.6
        assert contrast(colors.ink, level) >= 7


def test_token_colors() -> None:
    assert theme.token_color(Token("red", "2", "color"), 0) == theme.ARC[2]
    assert theme.token_color(Token("7", "", "color"), 0) == theme.ARC[7]
    colors = theme.palette("dark")
    named = [theme.token_color(Token(word, word[0].upper(), "color"), 0, "dark") for word in ("red", "green", "blue")]
    assert named == [colors.purple, colors.green, colors.blue]
    others = [theme.token_color(Token(f"color {k}", "", "color"), k, "dark") for k in range(6)]
    assert len(set(others[:4])) == 4
    assert others[4:] == [colors.gray] * 2
    assert colors.vermilion not in (*named, *others)  # on a board it means that a rule is broken


@pytest.mark.parametrize("name", PALETTES)
def test_text_on_a_fill(name: str) -> None:
    for fill in (*theme.ARC, *theme.palette(name).categories):
        assert contrast(theme.readable(fill, name), fill) >= 3, fill  # large bold type (WCAG 1.4.3)


def test_templates_and_errors() -> None:
    for name, colors in PALETTES.items():
        layout = theme.template(name).layout
        assert layout.paper_bgcolor == layout.plot_bgcolor == colors.bg
        assert layout.font.color == colors.ink
    assert "sendChartToCloud" in theme.CONFIG["modeBarButtonsToRemove"]
    with pytest.raises(ValueError, match="unknown theme 'sepia'; known: light, dark"):
        theme.palette("sepia")
    assert theme.category(5) == theme.LIGHT.gray
