"""The palettes are computed on, not quoted: contrast by WCAG 2, distances in OKLab under simulated colour blindness."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from gram.board import Token
from gramviz import theme
from gramviz.theme import PALETTES, Palette, contrast

# Machado, Oliveira & Fernandes 2009, severity 1.0, on linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip


def oklab(colour: str, sight: str = "normal") -> np.ndarray:
    """OKLab (Ottosson 2020) of #RRGGBB as seen."""
    rgb = np.array([int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    linear = (SIGHT[sight] @ linear).clip(0, 1)
    cone = np.array(
        [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
         [0.0883024619, 0.2817188376, 0.6299787005]]
    )  # fmt: skip
    lab = np.array(
        [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
         [0.0259040371, 0.7827717662, -0.8086757660]]
    )  # fmt: skip
    return lab @ np.cbrt(cone @ linear)


def distance(one: str, other: str, sight: str) -> float:
    """Distance in OKLab, times 100: 2 is just seen side by side."""
    return 100 * float(np.linalg.norm(oklab(one, sight) - oklab(other, sight)))


@pytest.fixture(params=PALETTES.values(), ids=PALETTES)
def colours(request: pytest.FixtureRequest) -> Palette:
    return request.param


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.478, abs=1e-3)
    assert contrast("#123456", "#123456") == 1


def test_oklab_of_known_colours() -> None:
    np.testing.assert_allclose(oklab("#FFFFFF"), [1, 0, 0], atol=1e-4)
    np.testing.assert_allclose(oklab("#FF0000"), [0.6280, 0.2249, 0.1258], atol=1e-3)


def test_text_can_be_read_on_every_background(colours: Palette) -> None:
    for text in (colours.ink, colours.text2, colours.text3):
        for ground in (colours.bg, colours.sunk, colours.given):
            assert contrast(text, ground) >= 4.5, (text, ground)
    for word in (colours.blue, colours.vermilion, colours.green, colours.purple):
        assert contrast(word, colours.bg) >= 4.5, word


def test_marks_and_controls_can_be_seen(colours: Palette) -> None:
    for mark in (*colours.categories, colours.grey, colours.edge):
        for ground in (colours.bg, colours.sunk):
            assert contrast(mark, ground) >= 3, (mark, ground)


@pytest.mark.parametrize("sight", SIGHT)
def test_categories_stay_apart(colours: Palette, sight: str) -> None:
    # Four times what is just seen between neighbouring areas, because marks are small and apart. Smallest: 7.96.
    for one, other in combinations((*colours.categories, colours.grey, colours.ink), 2):
        assert distance(one, other, sight) >= 7.9, (one, other)


@pytest.mark.parametrize("sight", SIGHT)
def test_outcomes_stay_further_apart(colours: Palette, sight: str) -> None:
    for one, other in combinations((colours.blue, colours.vermilion, colours.grey), 2):
        assert distance(one, other, sight) >= 9.5, (one, other)


def test_outcomes_differ_without_colour(colours: Palette) -> None:
    marks = [theme.outcome_mark(code, colours.name) for code in range(4)]
    assert [mark.word for mark in marks] == ["wrong", "correct", "not finished", "outcome unknown"]
    assert len({mark.symbol for mark in marks}) == len({mark.text for mark in marks}) == 4
    assert len({mark.dash for mark in marks[:3]}) == 3


def test_sequential_scale_rises_in_contrast(colours: Palette) -> None:
    scale = theme.sequential(colours.name)
    assert [stop for stop, _ in scale] == pytest.approx(np.linspace(0, 1, 9))
    strength = [contrast(str(colour), colours.bg) for _, colour in scale]
    assert (np.diff(strength) > 0).all()  # a high value is the stronger mark
    lightness = [oklab(str(colour))[0] for _, colour in scale]
    assert abs(lightness[-1] - lightness[0]) > 0.3
    middle = theme.diverging(colours.name)[1]
    assert middle == [0.5, colours.bg]


def test_landscape_is_quieter_than_any_mark(colours: Palette) -> None:
    for level in colours.landscape:
        assert contrast(level, colours.bg) < 1.6
        assert contrast(colours.ink, level) >= 7


def test_token_colours() -> None:
    assert theme.token_colour(Token("red", "2", "colour"), 0) == theme.ARC[2]
    assert theme.token_colour(Token("7", "", "colour"), 0) == theme.ARC[7]
    colours = theme.palette("dark")
    named = [theme.token_colour(Token(word, word[0].upper(), "colour"), 0, "dark") for word in ("red", "green", "blue")]
    assert named == [colours.purple, colours.green, colours.blue]
    others = [theme.token_colour(Token(f"colour {k}", "", "colour"), k, "dark") for k in range(6)]
    assert len(set(others[:4])) == 4
    assert others[4:] == [colours.grey] * 2
    assert colours.vermilion not in (*named, *others)  # on a board it means that a rule is broken


@pytest.mark.parametrize("name", PALETTES)
def test_text_on_a_fill(name: str) -> None:
    for fill in (*theme.ARC, *theme.palette(name).categories):
        assert contrast(theme.readable(fill, name), fill) >= 3, fill  # large bold type (WCAG 1.4.3)


def test_templates_and_errors() -> None:
    for name, colours in PALETTES.items():
        layout = theme.template(name).layout
        assert layout.paper_bgcolor == layout.plot_bgcolor == colours.bg
        assert layout.font.color == colours.ink
    assert "sendChartToCloud" in theme.CONFIG["modeBarButtonsToRemove"]
    with pytest.raises(ValueError, match="unknown theme 'sepia'; known: light, dark"):
        theme.palette("sepia")
    assert theme.category(5) == theme.LIGHT.grey
