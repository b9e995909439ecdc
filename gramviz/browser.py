"""Chromium on this machine: found, opened with the network refused, asked to print.

playwright's blocking interface refuses to work in a thread in which an event loop runs, as one does in every Jupyter
kernel. `aside` gives it a thread of its own, so that films, pictures and reports can be made from a notebook too.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

from gram.bounded import InputError

Anything = TypeVar("Anything")


class BrowserError(InputError):
    """No browser, or a page that does not draw; the message says what to do."""


def chromium() -> str | None:
    """Path of a Chromium or Chrome: the one that CHROMIUM names, one on the PATH, or playwright's own; else None."""
    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if name and (path := shutil.which(name)):
            return path
    if importlib.util.find_spec("playwright") is None:
        return None

    def ask() -> str:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as driver:
            return driver.chromium.executable_path

    path = aside(ask)
    return path if path and Path(path).exists() else None


def driven() -> str:
    """Path of a browser that playwright can drive.

    Raises:
        BrowserError: Chromium or playwright is missing; the message says how to get it.
    """
    path = chromium()
    if path is None:
        raise BrowserError("this needs Chromium, and none was found; install one (Debian: apt install chromium)")
    if importlib.util.find_spec("playwright") is None:
        raise BrowserError("this needs playwright, which is not installed; pip install 'gram-explorer[pdf]'")
    return path


@contextmanager
def opened(
    html: str,
    browser: str,
    width: int,
    *,
    scale: float = 1.0,
    height: int = 1200,
    ready: str = "Boolean(document.querySelector('main').gramviz)",
    script: str = "",
    flags: Sequence[str] = (),
) -> Iterator[Any]:
    """A page in Chromium with every request refused, once the JavaScript `ready` holds; not where an event loop runs.

    Args:
        width: CSS pixels between the page's margins of 8.
        scale: pixels of a screen shot per CSS pixel.
        script: runs in the page before its own.
        flags: of Chromium.
    Raises:
        BrowserError: two minutes have passed.
    """
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        page_file = Path(folder) / "page.html"
        page_file.write_text(html, encoding="utf-8")
        # As root, Chromium's own sandbox cannot start; the page is ours and makes no request.
        chrome = driver.chromium.launch(executable_path=browser, args=["--no-sandbox", *flags])
        try:
            page = chrome.new_page(
                viewport={"width": width + 16, "height": height}, color_scheme="light", device_scale_factor=scale
            )
            page.add_init_script(script)
            page.route(lambda url: not url.startswith("file:"), lambda route: route.abort())
            page.goto(page_file.as_uri(), wait_until="load")
            # The page's policy forbids playwright's own way of waiting, which evaluates text in the page.
            for _ in range(2400):
                if page.evaluate(ready):
                    break
                page.wait_for_timeout(50)
            else:
                raise BrowserError("the page drew nothing in two minutes; is this machine busy? Try again")
            yield page
        finally:
            chrome.close()


def print_page(source: Path, target: Path, browser: str) -> None:
    """The page as PDF. (nbconvert's webpdf refuses a browser that it did not download itself.)"""

    def work() -> None:
        drawn = "!document.getElementById('gram-plotly')"
        with opened(source.read_text(encoding="utf-8"), browser, 1264, height=720, ready=drawn) as sheet:
            margin = dict.fromkeys(("top", "bottom", "left", "right"), "15mm")
            sheet.pdf(path=str(target), format="A4", print_background=True, margin=margin, tagged=True, outline=True)

    aside(work)


def aside(work: Callable[[], Anything], stop: Event | None = None) -> Anything:
    """What `work` returns, done in a new thread, in which no event loop runs yet; an interrupt sets `stop`."""
    with ThreadPoolExecutor(1) as thread:
        try:
            return thread.submit(work).result()
        except KeyboardInterrupt:
            if stop:
                stop.set()
            raise
