"""ARC on the page: input beside answer, each cut to its grid, in ARC's colors; points and keys work in the answer."""

from __future__ import annotations

import arc_pairs
import pytest

from gramviz.explorer.freeze import freeze
from gramviz.explorer.pack import pack
from gramviz.theme import ARC, palette

BETWEEN, ABOVE, LABELED, LARGEST = 36, 20, 92, 44  # px, see pair.js

# The colors in the cells of a grid whose corner is at (left, top), each at (0.5, 0.22) of the cell: above any mark.
COLORS = """([left, top, cell, rows, columns]) => {
  const root = document.querySelector("main").shadowRoot;
  const canvas = root.querySelector("[data-part=board] canvas");
  const ratio = canvas.width / parseFloat(canvas.style.width), pen = canvas.getContext("2d");
  return Array.from({ length: rows * columns }, (_, k) => {
    const x = left + (k % columns + 0.5) * cell, y = top + (Math.floor(k / columns) + 0.22) * cell;
    const pixel = pen.getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data;
    return "#" + [...pixel.slice(0, 3)].map(part => part.toString(16).padStart(2, "0")).join("").toUpperCase();
  });
}"""


def grids(payload, width: float, height: float) -> dict[str, tuple[float, float, float, int, int]]:
    """Where the page puts input and answer in a frame of this size: left, top, cell, rows, columns."""
    given, answer = payload.meta["input"], payload.meta["board"]
    across, high = given["width"] + answer["width"], max(given["height"], answer["height"])
    cell = int(min(LARGEST, (width - BETWEEN - 4) / across, (height - ABOVE - 2) / high))
    left = max(1 + given["width"] * cell + BETWEEN, LABELED)
    return {
        "input": (1, ABOVE, cell, given["height"], given["width"]),
        "answer": (left, ABOVE, cell, answer["height"], answer["width"]),
    }


@pytest.fixture(scope="module")
def payload():
    """A grid of 3 x 3 that becomes one of 9 x 9; one trajectory ends right, one has a wrong corner, one lacks a row."""
    return pack(arc_pairs.make(puzzles=(9,)))


def frame(shown) -> tuple[float, float]:
    """The width and the height that the page gives the two pictures; 4 px are for the frame around them."""
    across, high = shown.part("board").evaluate("e => [e.style.width, e.style.maxHeight].map(parseFloat)")
    return across - 4, high - 4


def drawn(shown, payload, which: str) -> list[str]:
    return shown.page.evaluate(COLORS, list(grids(payload, *frame(shown))[which]))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_pictures_have_the_colors_of_arc(show, payload, theme):
    shown = show(freeze(payload, state={"theme": theme, "board": "focus", "focus": ["A", 0]}))
    assert drawn(shown, payload, "input") == [ARC[token - 2] for token in payload.meta["input"]["tokens"]]
    assert drawn(shown, payload, "answer") == [ARC[token - 2] for token in payload.array("tokens")[0, -1]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_no_part_of_the_answer_is_no_color(show, payload, theme):
    shown = show(freeze(payload, state={"theme": theme, "board": "focus", "focus": ["A", 2]}))
    tokens = payload.array("tokens")[2, -1]
    last = payload.meta["board"]["width"]
    assert (tokens[-last:] < 2).all()
    assert set(drawn(shown, payload, "answer")[-last:]) == {palette(theme).sunk}
    assert "not as in the solution" in shown.text()
    assert "generated" not in shown.text()


def test_a_click_and_the_arrows_choose_a_cell_of_the_answer(show, payload):
    shown = show(freeze(payload, state={"board": "focus", "focus": ["A", 1]}))
    box = shown.page.locator("[data-part=board] canvas").bounding_box()
    left, top, cell, _, columns = grids(payload, *frame(shown))["answer"]
    shown.page.mouse.click(box["x"] + left + 2.5 * cell, box["y"] + top + 1.5 * cell)
    shown.drawn()
    assert shown.state["cells"] == [columns + 2]
    assert "row 2, column 3" in shown.part("details").inner_text()
    shown.page.keyboard.press("ArrowRight")
    shown.page.keyboard.press("ArrowDown")
    shown.drawn()
    assert shown.state["cells"] == [2 * columns + 3]
    shown.page.mouse.click(box["x"] + 1.5 * cell, box["y"] + top + 1.5 * cell)  # the input cannot be chosen
    shown.drawn()
    assert shown.state["cells"] == [2 * columns + 3]
    shown.set(cells=[0])
    assert "Not as in the solution." in shown.part("details").inner_text()


def test_a_chosen_cell_of_the_answer_has_a_plane(show):
    shown = show(freeze(pack(arc_pairs.make(puzzles=(9,)), planes_of=[9 + 2])))
    shown.set(cells=[3])
    shown.page.locator("[data-menu=view] > button").click()
    entry = shown.page.get_by_role("menuitem", name="PCA of cell r1c4")
    assert entry.get_attribute("aria-description") == "Needs a kernel: open the rollout in JupyterLab."
    shown.page.get_by_role("menuitemradio", name="PCA of cell r2c3").click()
    shown.drawn()
    assert shown.state["basis"] == "cell11"
    assert "PCA of cell r2c3" in shown.page.locator(".map .sub").inner_text()
    assert len(shown.heads()) == 6


def test_the_input_is_spoken(show, payload):
    shown = show(freeze(payload))
    said = shown.part("board").get_attribute("aria-description")
    symbols = [str(token - 2) for token in payload.meta["input"]["tokens"]]
    assert said == f"input, 3 × 3: {'; '.join(' '.join(symbols[k : k + 3]) for k in (0, 3, 6))}"


@pytest.mark.parametrize("width", [1200, 800, 480, 340])
def test_every_width_and_mode_draws(show, payload, width):
    shown = show(freeze(payload, state={"pinned": ["A", 1]}), width=width)
    for board in ("differ", "all", "A", "focus"):
        shown.set(board=board, cursor={"step": 3, "low": None})
    shown.set(layers=["trail", "truth", "halo", "labels"], cells=[0, 1], token=2)
    main = shown.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert main[0] <= main[1]
