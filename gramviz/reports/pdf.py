"""A page on paper: Chromium is found on this machine, and playwright has it print.

playwright's blocking interface refuses to work in a thread in which an event loop runs, as one does in every Jupyter
kernel. So it works in a thread of its own here, and `gramviz.reports.report.run(..., pdf=True)` prints from a notebook too.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from gramviz.reports.notebook import ReportError

Anything = TypeVar("Anything")


def chromium() -> str | None:
    """Path of a Chromium or Chrome: the one that CHROMIUM names, one on the PATH, or playwright's own; else None."""
    import shutil

    for name in (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if name and (path := shutil.which(name)):
            return path
    if importlib.util.find_spec("playwright") is None:
        return None

    def ask() -> str:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as driver:
            return driver.chromium.executable_path

    path = _aside(ask)
    return path if path and Path(path).exists() else None


def printer() -> str:
    """Path of a browser that can print.

    Raises:
        ReportError: Chromium or playwright is missing; the message says how to get it.
    """
    path = chromium()
    if path is None:
        raise ReportError(
            "--pdf needs Chromium, and none was found; install one (Debian: apt install chromium) or leave --pdf out"
        )
    if importlib.util.find_spec("playwright") is None:
        raise ReportError(
            "--pdf needs playwright, which is not installed; pip install 'gram-explorer[pdf]' or leave --pdf out"
        )
    return path


def print_page(source: Path, target: Path, browser: str) -> None:
    """The page as PDF. (nbconvert's webpdf refuses a browser that it did not download itself.)"""

    def work() -> None:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as driver:
            # As root, Chromium's own sandbox cannot start; the page is ours and makes no request.
            chrome = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
            sheet = chrome.new_page()
            sheet.goto(source.resolve().as_uri(), wait_until="load")
            sheet.pdf(
                path=str(target),
                format="A4",
                print_background=True,
                margin={"top": "15mm", "bottom": "15mm", "left": "15mm", "right": "15mm"},
            )
            chrome.close()

    _aside(work)


def _aside(work: Callable[[], Anything]) -> Anything:
    """What `work` returns, done in a new thread, in which no event loop runs yet."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()
