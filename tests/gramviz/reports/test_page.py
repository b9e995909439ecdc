"""`gramviz.reports.page`: what a report looks like in a browser, with the explorers in it, and without a network."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from gramviz.reports import report
from gramviz.reports.page import page
from gramviz.reports.verdict import verdict
from gramviz.theme import PALETTES

EXPLORERS = """
import sys
sys.path.insert(0, {tests!r})
import synthetic
from gramviz import compare, explore
many = synthetic.queens(50, supervision_steps=16)
one = synthetic.queens(1, supervision_steps=16, model="trm", checkpoint="synthetic-trm", wrong=1.0)
display(compare(one, many), explore(many), explore(one))
"""
LARGEST = 1_000_000  # bytes, for 50 trajectories x 16 supervision steps


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a notebook with three explorers: TRM beside GRAM, 16 supervision steps; and each alone."""
    folder = tmp_path_factory.mktemp("playing")
    tests = str(Path(__file__).resolve().parents[2])
    cells = [
        new_markdown_cell("# Play", id="title"),
        new_code_cell(EXPLORERS.format(tests=tests).strip(), id="explorers"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), folder / "play.ipynb")
    return report.run(folder / "play.ipynb", {}, folder).page


def test_a_frozen_report_is_small(playing: Path) -> None:
    assert playing.stat().st_size < LARGEST


def test_explorers_of_one_page_share_one_module(playing: Path) -> None:
    text = playing.read_text()
    assert text.count("<iframe ") == 3
    assert text.count("id=&quot;gv-module&quot;&gt;") == 1
    assert text.count("data-lends-module") == 2, "the frame, and the script that looks for it"
    assert len(re.findall(r'<iframe [^>]*data-shares-module=""', text)) == 2


def test_an_explorer_holds_no_time_of_its_making(playing: Path) -> None:
    """Equal runs are to make equal pages."""
    dates = re.findall(r"created_at&(?:amp;)?quot;: ?&(?:amp;)?quot;([^&]*)", playing.read_text())
    assert len(dates) >= 6
    assert not any(dates)


def test_a_page_without_explorers_has_no_script_for_them() -> None:
    assert "addEventListener" not in page(new_notebook())


def test_tab_stops_at_controls_alone_and_links_lead_to_pages() -> None:
    text = page(new_notebook(cells=[new_markdown_cell("[Next](01_next.ipynb), [data](a.csv)", id="text")]))
    assert "tabindex" not in text
    assert '<a href="../01_next/01_next.html">Next</a>, <a href="a.csv">' in text


def test_what_a_prediction_reveals_is_folded() -> None:
    shown = new_output("execute_result", {"text/html": "<b>37</b>"}, execution_count=1)
    text = page(new_notebook(cells=[new_code_cell("37", id="reveal", metadata={"tags": ["reveal"]}, outputs=[shown])]))
    assert re.search(r"<details class=.gram-reveal.><summary>[^<]{20,}</summary><b>37</b></details>", text)


# In a browser ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def sheet(chromium: Any, playing: Path) -> Iterator[Any]:
    """The page in Chromium, offline; afterwards nothing may have been asked for, nor complained about."""
    asked: list[str] = []
    wrong: list[str] = []
    context = chromium.new_context(offline=True, viewport={"width": 1200, "height": 1000})
    sheet = context.new_page()
    sheet.set_default_timeout(60_000)  # ms; a busy machine of two cores, not a slow page
    sheet.on("request", lambda request: asked.append(request.url))
    sheet.on("pageerror", lambda error: wrong.append(str(error)))
    sheet.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    sheet.goto(playing.as_uri())
    yield sheet
    context.close()
    assert wrong == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))] == []


@pytest.mark.browser
def test_a_frozen_report_plays_without_a_network(sheet: Any) -> None:
    for number in range(3):
        sheet.locator("iframe").nth(number).scroll_into_view_if_needed()
        frame = sheet.frame_locator("iframe").nth(number)
        frame.get_by_role("button", name="Start").click()
        ruler = frame.get_by_role("slider", name="Supervision step")
        for step in ("Forward one transition", "End"):
            before = ruler.get_attribute("aria-valuetext")
            frame.get_by_role("button", name=step, exact=True).click()
            until(sheet, lambda ruler=ruler, before=before: ruler.get_attribute("aria-valuetext") != before)


def until(sheet: Any, holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until `holds()`. Asked from here: the page's policy forbids playwright's own way."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came true"
        sheet.wait_for_timeout(50)


@pytest.mark.browser
def test_on_a_phone_tables_fit_and_words_stay_whole(chromium: Any, tmp_path: Path) -> None:
    interval = [0.47, 1.0]
    run = {"accuracy": 0.98, "best_of_n": {"residual": 1.0}} | {
        "intervals": {"accuracy": interval, "best_of_n": {"residual": interval}}
    }
    last = {"metrics": {"accuracy": 0.2, "best_of_n": {"residual": 1.0}}, "provenance": {"started_at": "2026-01-01"}}
    head = verdict([], run, last, "2026-01-02T00:00:00+00:00")  # a number moved, so its table is open
    rows = "| Metric | nqueens8-gram | nqueens8-trm | Difference |\n|---|---|---|---|\n" + (
        "| Best of N by value head | 0.944 [0.442, 0.997] | 0.944 [0.442, 0.997] | 0.056 [-0.491, 0.571] |"
    )
    cells = [new_markdown_cell(text, id=name) for name, text in (("head", head), ("table", rows))]
    (tmp_path / "page.html").write_text(page(new_notebook(cells=cells)))
    context = chromium.new_context(offline=True, viewport={"width": 390, "height": 844})
    sheet = context.new_page()
    sheet.goto((tmp_path / "page.html").as_uri())
    assert min(sheet.locator("td svg").evaluate_all("all => all.map(one => one.clientWidth)")) > 40
    assert sheet.evaluate("document.documentElement.scrollWidth") == 390
    assert sheet.evaluate("[...document.querySelectorAll('table')].map(one => one.scrollWidth - one.clientWidth)") == [
        0,
        0,
    ]
    lines = """() => [...document.querySelectorAll("th")].flatMap((cell) => {
      const range = document.createRange(), node = cell.firstChild;
      return [...(node?.textContent ?? "").matchAll(/[^\\s._-]+/g)].map((word) => {
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        return range.getClientRects().length;
      });
    })"""
    assert set(sheet.evaluate(lines)) == {1}
    context.close()


@pytest.mark.browser
def test_a_frame_is_as_high_as_its_explorer_and_rests_there(sheet: Any) -> None:
    frame, inside = sheet.locator("iframe").nth(1), sheet.frame_locator("iframe").nth(1)

    def heights() -> tuple[int, int]:
        """Of the frame, and of what is in it."""
        frame.scroll_into_view_if_needed()
        body = inside.locator("body").evaluate("body => body.offsetHeight")
        return frame.evaluate("frame => frame.clientHeight"), body

    def fits() -> bool:
        outer, inner = heights()
        return outer == inner

    found = {}
    for width in (1200, 420, 1200):
        sheet.set_viewport_size({"width": width, "height": 1000})
        inside.get_by_role("button", name="Start").wait_for()
        sheet.wait_for_timeout(300)
        until(sheet, fits)
        outer, _ = heights()
        sheet.wait_for_timeout(500)
        assert heights() == (outer, outer), "it does not grow by itself"
        assert 300 < outer < 2000
        assert found.setdefault(width, outer) == outer, "the same width, the same height"
    assert found[420] != found[1200], "a narrow explorer is laid out otherwise"

    inside.get_by_text("where this comes from").click()
    until(sheet, lambda: fits() and heights()[0] > outer)
    inside.get_by_text("where this comes from").click()
    until(sheet, lambda: heights() == (outer, outer))


SEEN = """(() => { const seen = getComputedStyle(document.body); return [seen.backgroundColor, seen.color]; })()"""


@pytest.mark.browser
def test_page_and_explorers_are_dark_where_the_reader_s_system_is(sheet: Any, axe: str) -> None:
    inside = sheet.frame_locator("iframe").nth(0)
    for theme, colors in PALETTES.items():
        sheet.emulate_media(color_scheme=theme)
        inside.get_by_role("button", name="Start").wait_for()
        until(sheet, lambda: inside.locator(f"[data-gv-theme={theme}]").count() == 1)  # noqa: B023
        wanted = [
            f"rgb({', '.join(str(int(hue[at : at + 2], 16)) for at in (1, 3, 5))})" for hue in (colors.bg, colors.ink)
        ]
        assert sheet.evaluate(SEEN) == wanted
        for place in sheet.frames[:2]:
            place.evaluate(axe)
            found = place.evaluate("axe.run(document, { resultTypes: ['violations'], iframes: false })")
            assert [one["id"] for one in found["violations"] if one["impact"] in ("serious", "critical")] == []


@pytest.mark.browser
def test_for_a_room_an_explorer_takes_the_whole_screen(sheet: Any) -> None:
    sheet.set_viewport_size({"width": 1920, "height": 1080})
    inside = sheet.frame_locator("iframe").nth(0)
    inside.get_by_role("button", name="Start").focus()
    board = inside.locator(".board canvas")
    before = board.bounding_box()["height"]
    sheet.keyboard.press("Shift+P")
    until(sheet, lambda: board.bounding_box()["height"] > 1.4 * before)
    play, details = (inside.locator(name).first.bounding_box() for name in (".play", "[data-part=details]"))
    assert max(play["y"] + play["height"], details["y"] + details["height"]) <= 1080
    sheet.keyboard.press("Shift+P")
    until(sheet, lambda: board.bounding_box()["height"] == before)
