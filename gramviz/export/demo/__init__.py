"""One recorded lesson that is part of the package: TRM's one trajectory and GRAM's fifty on an 8-queens puzzle.

`queens8.json` is a payload of the explorer (docs/payload.md), not a page: `gramviz demo` freezes it with today's front
end, and with the two models, so that a reader can go on with a puzzle of their own. Both series are records of the
checkpoints in `artifacts/`; `record()` makes the file again.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import xarray as xr

from gramviz.explorer.chapters import read
from gramviz.explorer.pack import pack
from gramviz.explorer.payload import Payload

FILE = Path(__file__).parent / "queens8.json"
MODELS = ("nqueens8-trm", "nqueens8-gram")  # those recorded, which the page runs

LESSON = """\
lesson: 1
title: One path, or fifty
chapters:
  - at: init
    say: >-
      Place eight queens so that none attacks another. **One is given**; the rest of the board is
      empty. Two small networks try: TRM, then GRAM.
    show: {focus: [A, 0], pinned: null, board: focus, hidden: [B], folded: [map, answers, curves]}
    highlight: {part: board}
  - at: init
    say: >-
      **TRM** writes the whole board at once and then rewrites it, with the same small network at
      every step. Watch several queens move together; hatched cells attack each other.
    show: {focus: [A, 0], pinned: null, board: focus, hidden: [B], folded: [map, answers, curves]}
    play: {to: end, speed: 2}
    highlight: {part: board}
  - quiz: TRM draws no noise. If it starts again on this puzzle, how does it end?
    kind: choice
    at: end
    until: end
    choices: [as before, on another board, on a right board]
    answer: 1
    hint: Nothing in its path is random.
    right: Yes. Without noise there is one path, and here it ends on a wrong board.
    wrong: Without noise there is one path, and here it ends on a wrong board.
  - at: init
    say: >-
      **GRAM** adds noise to its state in every transition, as much as it has learned to. Here are
      fifty tries on the same puzzle; each line climbs into the answer that it settles on.
    show: {focus: [B, 0], pinned: null, board: all, basis: river, hidden: [], folded: [answers]}
    play: {to: end, speed: 2}
    highlight: {part: map}
  - at: end
    say: >-
      This puzzle has **eight** right answers. The lanes count how many tries reach each. One path
      could have shown one of them at most.
    show: {focus: [B, 0], pinned: null, board: focus, basis: answers, hidden: [], folded: [answers]}
    highlight: {part: map}
  - at: end
    say: >-
      Now yours: leave the lesson (Esc), press **Your puzzle**, place queens, and run both models in
      this page. Or drag along the ruler, click a line, press **?** for the keys.
    show: {focus: [B, 0], board: focus, basis: answers, hidden: [], folded: [answers]}
"""


def payload() -> Payload:
    """The recorded payload: series A is TRM with one trajectory, series B GRAM with fifty."""
    parcel = json.loads(FILE.read_text(encoding="utf-8"))
    packed = Payload(parcel["meta"], base64.b64decode(parcel["data"]))
    return Payload({**packed.meta, "lesson": read(LESSON, packed.meta)}, packed.data)


def record(trm: xr.Dataset, gram: xr.Dataset, file: Path = FILE) -> None:
    """Write the payload of two rollouts of one puzzle, sampled by

        gram sample nqueens8-trm  --puzzle 53 --trajectories 1  -o trm.nc
        gram sample nqueens8-gram --puzzle 53 --trajectories 50 -o gram.nc

    Raises:
        PackError: not the same puzzle.
    """
    packed = pack([trm, gram], names=["TRM", "GRAM"])
    parcel = {"meta": packed.meta, "data": base64.b64encode(packed.data).decode()}
    file.write_text(json.dumps(parcel, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
