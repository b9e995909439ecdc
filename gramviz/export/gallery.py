"""The gallery: every picture that gramviz can make, from the published models, with the line that makes it.

    gramviz gallery -o docs/pictures

`RECORD` is run in a process of its own, because gramviz knows no model; then every line of `PICTURES` is evaluated and
what it gives is drawn by Chromium with the network refused. The index prints these same lines, so what it says is what
was run. Seeds are fixed: on one machine the same pictures come out. What a kernel must run (`gramviz.live`) has no
picture here.
"""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TextIO

import plotly.graph_objects as go
import xarray as xr
from PIL import Image

import gramviz
from gram import atomic
from gram import rollout as rollouts_
from gram.bounded import InputError, nameable
from gramviz.browser import aside, driven, opened
from gramviz.explorer.freeze import freeze
from gramviz.explorer.widget import Explorer
from gramviz.export import recording
from gramviz.export.movie import one_palette
from gramviz.views import Cursor, lyapunov

WIDTH = 1180  # CSS px of an explorer
SCALE = 1.5  # pixels of a picture per CSS pixel
COLORS = 96  # of a picture's palette; flat areas and thin lines need no more, and the file is a quarter as large

RECORD = """\
import gram

one = gram.sample("nqueens8-trm", 53, trajectories=1)
many = gram.sample("nqueens8-gram", 53, trajectories=50)
ones = gram.sample("nqueens8-trm", range(48, 56), trajectories=1)
manies = gram.sample("nqueens8-gram", range(48, 56), trajectories=20)
graph = gram.sample("coloring8-gram", 3, trajectories=20)
sudoku = gram.sample(
    "sudoku9-gram",
    "6......../1......4./.....57../.......63/.52....../.7.9...1./...41..../...6...../.3....2..",
    trajectories=20,
)
probe = gram.probe("nqueens8-gram", 53)
"""
ROLLOUTS = ("one", "many", "ones", "manies", "graph", "sudoku")
# The last lines of that process: what it hands over, as files in its working folder.
HAND_OVER = f"""
from gram import rollout
found = {{name: globals()[name] for name in {ROLLOUTS}}}
for name, data in (found | {{"trajectories": probe.rollout, "starts": probe.starts}}).items():
    rollout.save(data, f"{{name}}.nc")
probe.exponents.to_netcdf("exponents.nc", engine="h5netcdf")
probe.landscape.to_netcdf("landscape.nc", engine="h5netcdf")
"""

LESSON = """\
lesson: 1
title: Why one trajectory is not enough
chapters:
  - at: init
    say: Both models start at **one** point, with the same queens on the board.
  - at: "2"
    say: GRAM samples at every step, so its fifty trajectories part. TRM's one cannot.
    highlight: {part: map}
    show: {board: all}
  - quiz: How does TRM's one trajectory end?
    kind: choice
    at: "3"
    until: end
    choices: [correct, wrong]
    answer: 1
    hint: Look for rows, columns and diagonals with two queens.
"""


@dataclass(frozen=True)
class Picture:
    """One picture of the gallery.

    Attributes:
        name: of its file, without ending.
        title, caption: what it is, and how it is read.
        code: an expression over `gv`, `Cursor`, `lyapunov`, `lesson` and the names of `RECORD`: an explorer,
            a page or a plotly figure.
        actions: what a person does then: "press NAME" of a button, "cell ROW COLUMN", "key NAME".
    """

    name: str
    title: str
    caption: str
    code: str
    actions: tuple[str, ...] = ()


PICTURES = (
    Picture(
        "explorer-light", "The explorer",
        "Fifty trajectories of GRAM on one puzzle: the board of one, all in the map, where each answer is a circle, "
        "with answers, curves and time.",
        'gv.explore(many).go("4").set(theme="light")',
    ),
    Picture(
        "explorer-dark", "Chosen trajectories, in the dark",
        "Nine trajectories of three answers were chosen: they keep their color, here that of their answer, the others "
        "turn gray. The board counts how many of them write each token.",
        'gv.explore(many).go("8").select("A", [0, 1, 2, 3, 9, 12, 15, 17, 19]).set('
        'board="all", color_by="answer", basis="river", theme="dark")',
    ),
    Picture(
        "compare", "Two models on one puzzle",
        "TRM's one trajectory in ink beside GRAM's fifty; the board shows where the two differ.",
        'gv.compare(one, many).go("end").set(board="differ", theme="light")',
    ),
    Picture(
        "sudoku", "9 x 9 Sudoku, and the history of a cell",
        "A bar says how sure a digit is, a small one is the runner-up. Below the curves, how the twenty trajectories "
        "divide over the digits of the chosen cell. The river says who settles, and when.",
        'gv.explore(sudoku).go("4").select_cells(["r4c6"]).set(theme="light")',
    ),
    Picture(
        "graph", "A graph to be colored",
        "The same widget on another board: nodes and edges of the puzzle, the certainty under each node.",
        'gv.explore(graph).go("end").set(color_by="answer", theme="dark")',
    ),
    Picture(
        "lesson", "A lesson",
        "Chapters move the view and say what to look at; a quiz hides the future while it asks.",
        'gv.compare(one, many).teach(lesson).set(chapter=1, board="all", theme="light").go("2")',
    ),
    Picture(
        "task-part", "Where do hypotheses part, and at which cell?",
        "The trajectory that parts last from the one in focus is pinned; the sentence names the cell of the first "
        "difference that lasts.",
        "gv.explore(many)", ("press Go to", "press Where trajectories part"),
    ),
    Picture(
        "task-puzzle", "On which puzzle does TRM fail and GRAM not?",
        "All puzzles of two rollouts, sorted by what GRAM has above TRM; a press on one opens it.",
        'gv.freeze(gv.compare(ones, manies, names=["TRM", "GRAM"]), puzzles=range(8))',
        ("press Puzzles", "press TRM fails, GRAM does not"),
    ),
    Picture(
        "task-left", "Which trajectory was right and left again?",
        "Selected is who was right at a step and not at the next; time stands where the one in focus leaves.",
        "gv.explore(many)",
        ("press Select", "press Right, then wrong", "press A", "press Go to", "press Right no more"),
    ),
    Picture(
        "task-given", "What if another queen is given?",
        "A page that carries both models: a second queen was put on the board, and the page itself ran both on it.",
        'gv.freeze(many, models=["nqueens8-trm", "nqueens8-gram"])',
        ("press Your puzzle", "cell 1 2", "key q", "key Enter"),
    ),
    Picture(
        "task-compare", "Where do two checkpoints differ?",
        "One call puts two checkpoints side by side on one puzzle; one press shows the cells in which they differ.",
        'gv.compare(one, many, names=["TRM", "GRAM"])', ("press A ≠ B",),
    ),
    Picture(
        "board", "View: board",
        "Givens bold on a tint, guesses with their certainty, a change framed, a broken rule hatched.",
        "gv.views.board.draw(sudoku, Cursor(trajectory=0, step=3))",
    ),
    Picture(
        "answer-river", "View: answer river",
        "Time against answers: a line rises into an answer as its cells come to agree with it; a ring says from when "
        "on it stays, and dots which cell tells first how trajectories end.",
        "gv.views.answer_river.draw(many, Cursor(step=12))",
    ),
    Picture(
        "answer-map", "View: answer map",
        "Each answer is a circle, + the mean state after the warm-up, and short of a circle is doubt; thick are the "
        "typical trajectories. It is of answers, which both models share, not of h.",
        "gv.views.answer_map.draw([many, one], Cursor(step=12))",
    ),
    Picture(
        "score", "View: score",
        "One trajectory, a row for each cell, by its last change: blue is what stays, vermilion what does not, as deep "
        "as it is certain.",
        "gv.views.score.draw(sudoku, Cursor(trajectory=0))",
    ),
    Picture(
        "latent", "View: latent map",
        "PCA of h, fitted on the last third of the steps; the axes say how much of the variance they hold, halos what "
        "lies outside.",
        "gv.views.latent.draw(many, Cursor(step=12))",
    ),
    Picture(
        "curves", "View: curves",
        "Certainty, conflicts, drift of the state and spread of the trajectories, step by step.",
        'gv.views.curves.draw([one, many], lanes=("certainty", "conflicts", "drift", "spread"))',
    ),
    Picture(
        "ensemble", "View: ensemble",
        "Every trajectory over time, sorted by the answer that it ends with, and since when it has it.",
        "gv.views.ensemble.draw(many)",
    ),
    Picture(
        "modes", "View: modes",
        "How each trajectory comes to its end: quick, delayed, or not at all; and how still its state is by then.",
        "gv.views.modes.draw(many)",
    ),
    Picture(
        "basins", "View: basins",
        "How often each answer is reached, with its 95 % interval.",
        "gv.views.basins.draw(many)",
    ),
    Picture(
        "starts", "View: basins of a plane of starts",
        "Which answer is reached from where: the model run from every point of a plane around its stored start.",
        "gv.views.basins.draw(probe.starts, Cursor(trajectory=60))",
    ),
    Picture(
        "landscape", "View: landscape between recorded states",
        "The loss of the right answer, interpolated between states that were recorded; blank where none came near.",
        "gv.views.landscape.draw(probe.rollout)",
    ),
    Picture(
        "plane", "View: landscape of the decoder",
        "The same loss, asked of the decoder at every point of a plane through three ends.",
        "gv.views.landscape.draw(probe.rollout, plane=probe.landscape)",
    ),
    Picture(
        "control", "View: control",
        "The map of the model beside that of random walks with steps as long: elegant arcs are no sign of thought.",
        "gv.views.control.draw(probe.rollout)",
    ),
    Picture(
        "lyapunov", "View: Lyapunov exponents",
        "Do neighbors of a trajectory fall back to it (below zero) or part from it? Left in time, right by outcome.",
        "lyapunov.draw([probe.exponents], [probe.rollout])",
    ),
    Picture(
        "training", "View: training",
        "What a run measured, from its folder, while it trains or afterwards: one color for each kind of row.",
        'gv.views.training.draw("artifacts/sudoku9-gram")',
    ),
)  # fmt: skip


class GalleryError(InputError):
    """A gallery that cannot be made; the message says what went wrong, and the fix."""


def gallery(folder: Path, index: Path, *, only: Sequence[str] = (), progress: TextIO | None = None) -> list[Path]:
    """Record the rollouts, draw every picture into `folder`, and write the index; returns the files.

    Args:
        folder: of the pictures; made where it is missing.
        index: the page that shows them; it names them relative to itself, so `folder` must lie beside or below it.
        only: names of pictures to draw anew; the index always names all.
        progress: where to say what is done.
    Raises:
        GalleryError: an unknown name, or a folder that the index cannot name.
        RecordingError: the models could not be run.
        BrowserError: Chromium or playwright is missing.
    """
    known = [picture.name for picture in PICTURES]
    for name in only:
        if name not in known:
            raise GalleryError(f"there is no picture {name!r}; choose of {', '.join(known)}")
    if not folder.resolve().is_relative_to(index.resolve().parent):
        raise GalleryError(f"{folder} does not lie beside or below {index}; choose another place with -o or --index")
    browser = driven()
    with tempfile.TemporaryDirectory() as place:
        _tell(progress, "recording (some minutes)")
        names = record(Path(place))
        chosen = [picture for picture in PICTURES if not only or picture.name in only]
        nameable(folder).mkdir(parents=True, exist_ok=True)
        files = []
        for picture, png in aside(lambda: list(draw(chosen, names, browser))):
            target = folder / f"{picture.name}.png"
            atomic.write(target, png)
            _tell(progress, f"{target}, {len(png) / 1e3:.0f} kB")
            files.append(target)
    atomic.write(index, page(folder.resolve().relative_to(index.resolve().parent).as_posix()))
    return [*files, index]


def record(folder: Path) -> dict[str, Any]:
    """Run `RECORD` in `folder` and read what it left there: the names that the lines of `PICTURES` use.

    Raises:
        RecordingError: it failed.
    """
    recording.run(RECORD + HAND_OVER, folder)
    (folder / "lesson.yaml").write_text(LESSON, encoding="utf-8")
    return read(folder)


def read(folder: Path) -> dict[str, Any]:
    """What `record` left in a folder."""
    return {
        **{name: rollouts_.load(folder / f"{name}.nc") for name in ROLLOUTS},
        "probe": SimpleNamespace(
            rollout=rollouts_.load(folder / "trajectories.nc"),
            starts=rollouts_.load(folder / "starts.nc"),
            **{name: xr.load_dataset(folder / f"{name}.nc", engine="h5netcdf") for name in ("exponents", "landscape")},
        ),
        "lesson": folder / "lesson.yaml",
    }


def draw(pictures: Sequence[Picture], names: Mapping[str, Any], browser: str) -> Iterator[tuple[Picture, bytes]]:
    """Each picture with its PNG; not from a thread in which an event loop runs."""
    for picture in pictures:
        # Evaluated, so that what the index prints is what was run; the text is this module's own.
        shown = eval(picture.code, {"gv": gramviz, "Cursor": Cursor, "lyapunov": lyapunov, **names})
        if isinstance(shown, Explorer):
            shown = freeze(shown)
        png = _page(shown, picture.actions, browser) if isinstance(shown, str) else _figure(shown, browser)
        yield picture, small(png)


def _page(shown: str, actions: Sequence[str], browser: str) -> bytes:
    with opened(shown, browser, WIDTH, scale=SCALE) as sheet:
        for action in actions:
            act(sheet, action)
        sheet.wait_for_timeout(300)  # two frames draw it; this is for a machine that is busy
        return bytes(sheet.locator(".gv").screenshot(animations="disabled"))


def act(sheet: Any, action: str) -> None:
    """Do what a `Picture` says that a person does, in a page that playwright drives."""
    kind, _, what = action.partition(" ")
    if kind == "press":
        sheet.locator(".gv button:visible").filter(has_text=re.compile(rf"^{re.escape(what)}")).first.click()
    elif kind == "cell":
        row, column = map(int, what.split())
        canvas = sheet.locator("[data-part=board]")
        box, side = canvas.bounding_box(), sheet.evaluate("document.querySelector('main').gramviz.payload.board.width")
        each = min(box["width"], box["height"]) / side
        canvas.click(position={"x": (column - 0.5) * each, "y": (row - 0.5) * each})
    else:
        sheet.keyboard.press(what)
    sheet.wait_for_timeout(300)
    while sheet.locator("[data-field=stop]:visible").count():  # models at work
        sheet.wait_for_timeout(200)


def _figure(shown: go.Figure, browser: str) -> bytes:
    page = shown.to_html(include_plotlyjs=True, config={"staticPlot": True})
    ready = "document.querySelector('.js-plotly-plot .main-svg') !== null"
    with opened(page, browser, int(shown.layout.width), scale=SCALE, ready=ready) as sheet:
        sheet.wait_for_timeout(300)
        return bytes(sheet.locator(".js-plotly-plot").screenshot(animations="disabled"))


def small(png: bytes) -> bytes:
    """The same picture as PNG with a palette."""
    found = io.BytesIO()
    (flat,) = one_palette([Image.open(io.BytesIO(png)).convert("RGB")], COLORS)
    flat.save(found, "PNG", optimize=True)
    return found.getvalue()


def page(folder: str) -> str:
    """The index as Markdown, with the pictures in `folder` beside it."""
    parts = [
        f"# Gallery\n\nEvery view, of the published models. `gramviz gallery -o docs/{folder}` makes all of it\n"
        "anew: pictures and this page. Every picture stands under the line that made it, with these names (seed 0):\n",
        f"```python\n{RECORD}\nimport gramviz as gv\nfrom gramviz.views import Cursor, lyapunov\n```\n",
    ]
    for picture in PICTURES:
        done = f"Then: {'; '.join(picture.actions)}.\n\n" if picture.actions else ""
        parts.append(
            f"## {picture.title}\n\n{picture.caption}\n\n```python\n{picture.code}\n```\n\n{done}"
            f"![{picture.title}: {picture.caption}]({folder}/{picture.name}.png)\n"
        )
        if "lesson" in picture.code:
            parts.append(f"`lesson` is this file:\n\n```yaml\n{LESSON}```\n")
    parts.append("`gv.live(gram.watch, gram.names())`, a model at work, needs a kernel and has no picture here.\n")
    return "\n".join(parts)


def _tell(progress: TextIO | None, text: str) -> None:
    if progress is not None:
        print(text, file=progress, flush=True)
