"""The paper's sixteen exhibits: where each lives here, as one page with a picture of each.

    gramviz report --all -o site
    gramviz exhibits site -o docs/exhibits

A picture is what a cell of a notebook shows on its page, or a picture of the gallery. `EXHIBITS` is the one table: the
page is made from it, and a test holds it against the notebooks and the artifacts.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TextIO

from PIL import Image, ImageChops

from gram import atomic
from gram.bounded import InputError
from gramviz.browser import aside, driven, opened
from gramviz.export.gallery import SCALE, small

WIDTH = 1264  # CSS px of a page
_MARGIN = 18  # pixels that stay around what is shown


@dataclass(frozen=True)
class Exhibit:
    """One exhibit of the paper.

    Attributes:
        paper: its name there. subject: what it shows.
        notebook, cell: where it lives; without a cell, `gallery` names a picture of the gallery.
        view: what draws it.
        artifacts: the models, or the stored results, that it is computed from.
        differs: what is not as in the paper.
    """

    paper: str
    subject: str
    notebook: str
    cell: str
    view: str
    artifacts: tuple[str, ...]
    differs: str
    gallery: str = ""


_QUEENS = ("nqueens8-trm", "nqueens8-gram")
_MAKERS = ("sudoku6-generate-gram", "sudoku6-generate-d3pm")
_SMALL = "Models are smaller than the paper's and trained for minutes."

EXHIBITS = (
    Exhibit(
        "Figure 1",
        "One deterministic trajectory, many stochastic ones",
        "03_one_path_against_fifty",
        "explore-both",
        "`gv.compare`, answer river",
        _QUEENS,
        "On 8 queens; the map is of answers, since the states of two models share no space.",
    ),
    Exhibit(
        "Figure 2",
        "Anatomy of a transition",
        "01_one_recursion",
        "anatomy",
        "`blocks.anatomy`",
        ("nqueens8-gram",),
        "Measured: how far each sub-step moves each state, and how many cells it changes.",
    ),
    Exhibit(
        "Figure 3, Table 8",
        "Puzzle results",
        "04_deep_or_wide",
        "count-sudoku",
        "`blocks.budgets`",
        ("sudoku9-gram", "sudoku9-trm"),
        "Sudoku of public lists, not Sudoku-Extreme. No ARC model is trained here; "
        "notebook 10 prints the paper's values.",
    ),
    Exhibit(
        "Figure 4, left",
        "Depth and width",
        "04_deep_or_wide",
        "depth-width",
        "`blocks.depth_width`",
        ("nqueens8-gram",),
        "On 8 queens; a table of stored results in the same notebook has 9 x 9 Sudoku.",
    ),
    Exhibit(
        "Figure 4, right",
        "Accuracy by number of solutions",
        "05_many_solutions",
        "by-solutions",
        "`blocks.by_solutions`",
        (*_QUEENS, "nqueens8-ar", "nqueens8-mdlm"),
        f"With coverage beside it. {_SMALL}",
    ),
    Exhibit(
        "Table 1",
        "Tasks with several solutions",
        "05_many_solutions",
        "count-all",
        "text, `docs/results.md`",
        (*_QUEENS, "nqueens8-ar", "nqueens8-mdlm", "coloring8-trm", "coloring8-gram", "coloring8-mdlm"),
        "8 queens and graphs of 8 nodes on a part of the inputs; all inputs, 10 queens and "
        "10 nodes stand in `docs/results.md`.",
    ),
    Exhibit(
        "Figure 5, Table 9",
        "Sudoku generation",
        "06_generating_a_board",
        "count-all",
        "`blocks.generated`",
        (*_MAKERS, "sudoku9-generate-gram", "sudoku9-generate-d3pm"),
        "A hundred boards of 4 x 4, 6 x 6 and 9 x 9 instead of 100,000 of 9 x 9.",
    ),
    Exhibit(
        "Figures 6 and 16",
        "A digit refined over steps",
        "07_generating_a_digit",
        "film",
        "`blocks.film`",
        ("digits-gram", "digits-d3pm", "digits-vae", "digits-trm"),
        "Digits of 8 x 8 pixels. MNIST is measured, not filmed: its files are not part of this repository.",
    ),
    Exhibit(
        "Figure 7",
        "Generated boards",
        "report_generation",
        "samples",
        "`blocks.finals`",
        _MAKERS,
        "Boards of 6 x 6.",
    ),
    Exhibit(
        "Table 2",
        "IS and FID against steps",
        "07_generating_a_digit",
        "steps",
        "`blocks.curves`, `blocks.judged`",
        ("digits-gram", "digits-d3pm", "digits-vae", "mnist-gram"),
        "By a classifier of our own, so no value compares with the paper's. D3PM is better than GRAM here.",
    ),
    Exhibit(
        "Table 3a",
        "Ablation of the ingredients",
        "09_what_matters",
        "table-3a",
        "`blocks.variants`",
        ("results.json",),
        "On 8 queens, one training run each. The row without any ingredient was not measured.",
    ),
    Exhibit(
        "Table 3b",
        "Ablation of the guidance",
        "09_what_matters",
        "table-3b",
        "`blocks.variants`",
        ("results.json",),
        "On 8 queens. Accuracy does not collapse without guidance, as it does in the paper; coverage does.",
    ),
    Exhibit(
        "Figure 8",
        "ELBO against surrogate",
        "08_train_your_own",
        "bound",
        "`blocks.objective`",
        (),
        "On 8 queens, for two networks that train in the notebook: `gram bound` of their snapshots on held-out boards, "
        "with one transition per supervision step.",
    ),
    Exhibit(
        "Figures 13 and 14",
        "ARC: samples and augmentation",
        "10_what_an_arc_score_measures",
        "votes",
        "`blocks.arc_votes`",
        (),
        "**A stand-in**: no ARC model is trained; a solver by search answers ARC tasks of our own.",
    ),
    Exhibit(
        "Figure 15",
        "Coverage by number of solutions and samples",
        "05_many_solutions",
        "coverage-curve",
        "`blocks.curves`",
        (*_QUEENS, "nqueens8-ar", "nqueens8-mdlm"),
        "Coverage against samples; by number of solutions it stands beside accuracy, exhibit 5.",
    ),
    Exhibit(
        "Figures 18 and 19",
        "Latent landscape",
        "",
        "",
        "`gv.views.landscape`, `gv.views.latent`",
        ("nqueens8-gram",),
        "In the gallery, on 8 queens; [analysis](analysis.md) says what such a map hides. Notebook 03 has its control.",
        gallery="landscape",
    ),
)


class ExhibitError(InputError):
    """A page that is not there; the message says how to make it."""


def exhibits(pages: Path, folder: Path, index: Path, progress: TextIO | None = None) -> list[Path]:
    """Take a picture of each exhibit from the pages of the notebooks, and write the index; returns the files.

    Args:
        pages: a folder in which `gramviz report` left the pages, however deep.
        folder: of the pictures; made where it is missing.
    Raises:
        ExhibitError: a notebook has no page there.
        BrowserError: Chromium or playwright is missing.
    """
    found = {one.notebook: next(iter(pages.rglob(f"{one.notebook}.html")), None) for one in EXHIBITS if one.notebook}
    if absent := [name for name, page in found.items() if page is None]:
        raise ExhibitError(
            f"{pages} has no page of {', '.join(absent)}; make it with `gramviz report --all -o {pages}`"
        )
    browser = driven()
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, source in found.items():
        assert source is not None
        here = [(at, one) for at, one in enumerate(EXHIBITS, 1) if one.notebook == name]
        shots = aside(partial(_shots, source, [one.cell for _, one in here], browser))
        for (at, _), png in zip(here, shots, strict=True):
            files.append(folder / _file(at))
            atomic.write(files[-1], small(png))
            if progress is not None:
                print(files[-1], file=progress, flush=True)
    atomic.write(index, page(folder.resolve().relative_to(index.resolve().parent).as_posix()))
    return [*files, index]


def page(folder: str) -> str:
    """The index as Markdown, with the pictures in `folder` beside it."""
    parts = [
        "# The paper's exhibits\n\nEach figure and table of *Generative Recursive Reasoning* "
        "([arXiv 2605.19376](https://arxiv.org/abs/2605.19376)) that shows results, and where it lives here. "
        f"`gramviz report --all -o site` and `gramviz exhibits site -o docs/{folder}` make this page and its\npictures "
        "anew; those of the [gallery](gallery.md) are made by `gramviz gallery`.\n",
        "| | exhibit | notebook | view | artifacts | picture |\n|---|---|---|---|---|---|",
    ]
    for at, one in enumerate(EXHIBITS, 1):
        notebook = f"[{one.notebook}](../notebooks/{one.notebook}.ipynb)" if one.notebook else "none"
        models = ", ".join(f"`{name}`" for name in one.artifacts) or "none: made in the notebook"
        shown = f"[picture]({picture(at, one, folder)})"
        parts.append(f"| {at} | {one.paper}: {one.subject} | {notebook} | {one.view} | {models} | {shown} |")
    for at, one in enumerate(EXHIBITS, 1):
        parts.append(
            f"\n## {at}. {one.paper}: {one.subject}\n\n{one.differs}\n\n"
            f"![{one.paper}: {one.subject}]({picture(at, one, folder)})"
        )
    return "\n".join(parts) + "\n"


def _file(at: int) -> str:
    return f"{at:02}.png"


def picture(at: int, one: Exhibit, folder: str) -> str:
    """The file of an exhibit's picture, relative to the index."""
    return f"pictures/{one.gallery}.png" if one.gallery else f"{folder}/{_file(at)}"


def _shots(source: Path, cells: Sequence[str], browser: str) -> list[bytes]:
    """What cells of a page show, as PNG; not from a thread in which an event loop runs."""
    ready = "document.readyState === 'complete'"
    with opened(source.read_text(encoding="utf-8"), browser, WIDTH, scale=SCALE, ready=ready) as sheet:
        shots = []
        for cell in cells:
            place = sheet.locator(f'[id="cell-id={cell}"] .jp-OutputArea').first
            place.scroll_into_view_if_needed()
            sheet.wait_for_timeout(2_000)  # an explorer comes alive when it is seen
            shots.append(_trimmed(place.screenshot(animations="disabled")))
        return shots


def _trimmed(png: bytes) -> bytes:
    """The same picture without what is blank at its right and below."""
    shown = Image.open(io.BytesIO(png)).convert("RGB")
    blank = Image.new("RGB", shown.size, shown.getpixel((shown.width - 1, shown.height - 1)))
    _, _, right, bottom = ImageChops.difference(shown, blank).getbbox() or (0, 0, *shown.size)
    found = io.BytesIO()
    shown.crop((0, 0, min(right + _MARGIN, shown.width), min(bottom + _MARGIN, shown.height))).save(found, "PNG")
    return found.getvalue()
