"""Hours of live sampling, replay and reports in one process: memory and open files stay flat.

    python tests/soak.py --minutes 60

A line a minute: resident memory, open files and threads of this process, and the JavaScript heap of a page that plays
all the while. Exit 1 where the last quarter of the lines holds more than the second; in the first, caches still fill.
Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]  # `tests/gram` is no package to import
from playwright.async_api import async_playwright

import gram
import gramviz as gv
from gram import rollout
from gramviz.browser import chromium
from gramviz.reports import report

ROOT = Path(__file__).resolve().parents[1]
MODEL, DRAWN = "nqueens8-gram", {"trajectories": 8, "supervision_steps": 4}
# How much more the last quarter may hold than the second: none would forbid what an allocator does.
GROWTH = {"resident MB": 16.0, "open files": 0.0, "threads": 0.0, "page heap MB": 2.0}
RAN = {"live": 0, "replays": 0, "reports": 0}


async def live(controls: Any, seed: int) -> None:
    """Sampling with controls, run to its end or cancelled, and one that an explorer of its own shows."""
    controls.seed.value, controls.puzzle.value = seed, str(seed % 8)
    controls.generate()
    if seed % 3 == 2:
        controls.cancel()
    while controls.busy:
        await asyncio.sleep(0.05)
    assert controls.status.value.startswith(("Done", "Cancelled")), controls.status.value
    shown = gv.explore(gram.watch(MODEL, seed % 8, seed=seed, record=gram.Record(l=True), **DRAWN), rerun=gram.rerun)
    while "branch" not in shown.asks:
        await asyncio.sleep(0.05)
    shown.branch("A", 0, "2", seed=seed)
    shown.close()
    RAN["live"] += 2


def replay(folder: Path, seed: int) -> None:
    """A rollout written, opened again, stepped through, turned to its other puzzle and frozen."""
    path = rollout.save(gram.sample(MODEL, [0, 1], seed=seed, **DRAWN), folder / "replayed.nc")
    shown = gv.explore(path, rerun=gram.rerun)
    for puzzle in (0, 1):
        shown.set(puzzle=puzzle)
        for step in range(5):
            shown.go(step).select("A", [seed % 8])
    shown.to_html(folder / "replayed.html")
    shown.close()
    RAN["replays"] += 1


def publish(folder: Path, seed: int) -> None:
    """A report, in a kernel of its own."""
    given = {"checkpoint": MODEL, "reference": "", "trajectories": 2, "limit": 2, "supervision_steps": 2, "seed": seed}
    report.run(ROOT / "notebooks" / "report.ipynb", given, folder / "report")
    RAN["reports"] += 1


@contextlib.asynccontextmanager
async def playing(folder: Path) -> AsyncIterator[Any]:
    """A page that plays a rollout over and over; yields a function that tells its heap in MB."""
    page_of = gv.explore(gram.sample(MODEL, 0, **DRAWN))
    page_of.set(loop=True, speed=16).to_html(folder / "playing.html")
    page_of.close()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = await browser.new_page()
        await page.goto((folder / "playing.html").as_uri())
        await page.locator(".play").click()
        session = await page.context.new_cdp_session(page)

        async def heap() -> float:
            assert await page.evaluate("document.querySelector('main').gramviz.transient.playing"), "the page stopped"
            await session.send("HeapProfiler.collectGarbage")
            return float((await session.send("Runtime.getHeapUsage"))["usedSize"]) / 1e6

        yield heap
        await browser.close()


def held() -> tuple[float, int, int]:
    """Resident memory in MB, open files and threads of this process."""
    process = Path("/proc/self")
    pages = int((process / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, *(len([*(process / kind).iterdir()]) for kind in ("fd", "task"))


async def soak(minutes: float, folder: Path) -> list[dict[str, float]]:
    """One line a minute, or twelve in all where there are fewer minutes, as a table is printed."""
    lines: list[dict[str, float]] = []
    controls = gv.live(gram.watch, [MODEL])
    controls.trajectories.value, controls.steps.value = DRAWN.values()
    async with playing(folder) as heap:
        began, every, seed = time.monotonic(), min(60.0, minutes * 5), 0
        print("minute", *GROWTH, *RAN, sep=" | ", flush=True)
        while (now := time.monotonic() - began) < minutes * 60:
            await live(controls, seed)
            replay(folder, seed)
            if seed % 4 == 0:
                await asyncio.to_thread(publish, folder, seed)
            seed += 1
            if now >= every * (len(lines) + 1):
                gc.collect()
                found = (*held(), await heap())
                lines.append(dict(zip(GROWTH, found, strict=True)))
                print(f"{now / 60:.1f}", *(f"{one:.1f}" for one in found), *RAN.values(), sep=" | ", flush=True)
            await asyncio.sleep(min(5.0, time.monotonic() - began - now))  # one half of one core, at most
    return lines


def main() -> int:
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--minutes", type=float, default=60, help="how long (60)")
    with tempfile.TemporaryDirectory() as folder:
        lines = asyncio.run(soak(asked.parse_args().minutes, Path(folder)))
    if (quarter := len(lines) // 4) == 0:
        print("too short: it takes four lines to compare quarters; give more --minutes", file=sys.stderr)
        return 2
    grown = False
    for name, most in GROWTH.items():
        values = [line[name] for line in lines]
        first, second, last = (
            statistics.median(part) for part in (values[:quarter], values[quarter : 2 * quarter], values[-quarter:])
        )
        grown |= last - second > most
        print(f"{name}: quarters 1, 2 and 4 hold {first:.1f}, {second:.1f} and {last:.1f}; {most:g} more are allowed")
    return int(grown)


if __name__ == "__main__":
    sys.exit(main())
