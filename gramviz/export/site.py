"""A static site: a landing page, and a page for each task whose models run in it, on puzzles that its reader types.

    gramviz site -o DIR

No server, no network, relative links: any static host serves it, and so does a USB stick. `RECORD` is run in a process
of its own, because gramviz knows no model; every page is what `gramviz.freeze(models=...)` makes. Seeds are fixed.
"""

from __future__ import annotations

import base64
import io
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from PIL import Image

from gram import atomic, rollout
from gram.bounded import nameable
from gramviz.explorer.chapters import opening
from gramviz.explorer.freeze import freeze
from gramviz.explorer.opening import compare, explore
from gramviz.explorer.payload import Payload
from gramviz.explorer.picture import picture
from gramviz.export import demo, recording
from gramviz.theme import PALETTES

RECORD = """\
import gram
from gram import rollout

HARD = "6......../1......4./.....57../.......63/.52....../.7.9...1./...41..../...6...../.3....2.."
for name, model, puzzle, trajectories in (
    ("sudoku-trm", "sudoku9-trm", HARD, 1), ("sudoku-gram", "sudoku9-gram", HARD, 20),
    ("coloring-trm", "coloring8-trm", 3, 1), ("coloring-gram", "coloring8-gram", 3, 20),
    ("generation-gram", "sudoku6-generate-gram", 0, 12),
    ("digits-gram", "digits-pixels-gram", 0, 20),
):
    rollout.save(gram.sample(model, puzzle, trajectories=trajectories), name + ".nc")
"""


@dataclass(frozen=True)
class Room:
    """A page of the site.

    Attributes:
        name: of its file, without ending.
        title, text: what stands on its card.
        models: checkpoints that it runs.
        rollouts: of `RECORD`; none: the lesson of `gramviz demo`.
        step: at which it opens.
        sheet: whether it opens with every try's picture side by side.
    """

    name: str
    title: str
    text: str
    models: tuple[str, ...]
    rollouts: tuple[str, ...] = ()
    step: str = "3"
    sheet: bool = False


ROOMS = (
    Room(
        "queens", "One path, or fifty",
        "A lesson of two minutes: eight queens, one given. TRM takes one path and fails, fifty of GRAM's find eight "
        "answers. Then place queens of your own.",
        demo.MODELS,
    ),
    Room(
        "sudoku", "A Sudoku with 17 clues",
        "TRM once and GRAM twenty times on 9 x 9. Type or paste a Sudoku of your own, and watch who settles and when.",
        ("sudoku9-trm", "sudoku9-gram"), ("sudoku-trm", "sudoku-gram"),
    ),
    Room(
        "coloring", "Three colors for a graph",
        "Many colorings are right. Write edges, draw a graph at random, and see which answers the tries reach.",
        ("coloring8-trm", "coloring8-gram"), ("coloring-trm", "coloring-gram"),
    ),
    Room(
        "generation", "A board from a blank one",
        "6 x 6 Sudoku from a blank board: twelve tries draft, repair and end on twelve different boards. Run it again "
        "with another seed, or give it some digits.",
        ("sudoku6-generate-gram",), ("generation-gram",), "4",
    ),
    Room(
        "digits", "A handwritten digit",
        "From a blank picture of 8 x 8 pixels twenty tries draw twenty digits. Give it a stroke, and see which digits "
        "it can become.",
        ("digits-pixels-gram",), ("digits-gram",), "2", True,
    ),
)  # fmt: skip

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Recursive models at work</title>
<style>
:root { color-scheme: light dark; --ink: #16202E; --text: #3D4A5C; --bg: #FFFFFF; --line: #D5DBE3; }
@media (prefers-color-scheme: dark) { :root { --ink: #F2F5F9; --text: #B9C3D0; --bg: #12171F; --line: #3D4A5C; } }
body { margin: 0 auto; max-width: 1120px; padding: 24px 16px 48px; color: var(--text); background: var(--bg);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1, h2 { color: var(--ink); line-height: 1.2; } h1 { font-size: 30px; } h2 { font-size: 20px; margin: 12px 0 4px; }
p { margin: 0 0 12px; max-width: 70ch; }
ul { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 20px; padding: 0;
  list-style: none; margin: 24px 0; }
a { color: inherit; } li > a { display: block; height: 100%; box-sizing: border-box; padding: 14px; border-radius: 8px;
  border: 1px solid var(--line); text-decoration: none; }
li > a:hover, li > a:focus-visible { border-color: var(--ink); outline: 2px solid var(--ink); outline-offset: -1px; }
img { width: 100%; height: auto; display: block; border-radius: 4px; }
</style>
</head>
<body>
<h1>Recursive models at work</h1>
<p>A recursive model solves a puzzle by rewriting its whole answer again and again with one small network. TRM follows
one path. GRAM draws noise at every step, so that it takes many, and finds many answers.</p>
<p>On these pages both run in your browser: nothing is sent, and no network is needed once they are open. Press Space
to play, ? for all keys, and <b>Your puzzle</b> to put a question of your own.</p>
<ul>
$cards
</ul>
<p>Models and explorer: gram and gramviz. The method: <i>Generative Recursive Reasoning</i>, arXiv 2605.19376.</p>
</body>
</html>
""")


def site(folder: Path, rooms: Sequence[Room] = ROOMS, recorded: Path | None = None) -> list[Path]:
    """Write the pages of `rooms` and `index.html` into a folder, which is made where it is missing; returns the files.

    Args:
        recorded: a folder that holds what `RECORD` leaves; by default it is run.
    Raises:
        RecordingError: the models could not be run.
        ProgramError: a page cannot run one of the models.
        PageError, OSError: the place cannot be written.
    """
    if recorded is None:
        with tempfile.TemporaryDirectory() as place:
            recording.run(RECORD, Path(place))
            return site(folder, rooms, Path(place))
    nameable(folder).mkdir(parents=True, exist_ok=True)
    files, cards = [], []
    for room in rooms:
        payload, state = shown(room, recorded)
        files.append(folder / f"{room.name}.html")
        freeze(payload, files[-1], state=state, models=room.models)
        cards.append(card(room, payload))
    files.append(folder / "index.html")
    atomic.write(files[-1], _PAGE.substitute(cards="\n".join(cards)))
    return files


def shown(room: Room, recorded: Path) -> tuple[Payload, Mapping[str, Any]]:
    """What a page shows, and the state in which it opens."""
    if not room.rollouts:
        payload = demo.payload()
        return payload, opening(payload.meta["lesson"])
    made = [rollout.load(recorded / f"{name}.nc") for name in room.rollouts]
    names = [name.rpartition("-")[2].upper() for name in room.rollouts]
    explorer = compare(*made, names=names) if len(made) > 1 else explore(made[0], name=names[0])
    explorer.go(room.step)
    if room.sheet:
        explorer.set(sheet="samples")
    return explorer.payload, explorer.state


def card(room: Room, payload: Payload) -> str:
    """A link with a picture of how the page ends, light or dark as the reader's system is."""
    light, dark = (_webp(picture(payload, room.title, theme)[0]) for theme in PALETTES)
    alt = escape(f"{payload.meta['title']}: a board, the map of all tries, and the answers that they reach")
    return (
        f'<li><a href="{room.name}.html"><picture>'
        f'<source media="(prefers-color-scheme: dark)" srcset="{dark}"><img src="{light}" alt="{alt}"></picture>'
        f"<h2>{escape(room.title)}</h2><p>{escape(room.text)}</p></a></li>"
    )


def _webp(png: bytes) -> str:
    file = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(file, "WEBP", lossless=True)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
