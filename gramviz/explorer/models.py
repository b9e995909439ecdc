"""Models that a frozen page runs by itself: their programs, the kernel, and the worker in which it runs."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from functools import cache
from typing import Any

from gram.board import Board
from gram.program import program
from gramviz.explorer.link import link
from gramviz.explorer.payload import Payload
from gramviz.kernel.build import WASM

Models = dict[str, Any]
"""`programs` (`gram.program`, weights in base64), `wasm` (base64) and `worker` (text); see `think/thinker.js`."""


def carried(names: Sequence[str | os.PathLike[str]], payload: Payload) -> Models:
    """What a page must carry to run these checkpoints on puzzles of the payload's board.

    Raises:
        ProgramError: there is no such checkpoint, or a page cannot run it.
    """
    board = Board.from_json(json.dumps(payload.meta["board"]))
    made = [program(name, board) for name in names]
    return {
        "programs": [{"meta": one.meta, "weights": base64.b64encode(one.weights).decode()} for one in made],
        "wasm": base64.b64encode(WASM.read_bytes()).decode(),
        "worker": worker_text(),
    }


@cache
def worker_text() -> str:
    """What a worker runs, as one script."""
    return link("think/worker.js")
