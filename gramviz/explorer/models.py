"""Models that a frozen page runs by itself: their programs, the kernel, and the worker in which it runs."""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from gram.board import Board
from gram.program import program
from gramviz.explorer.link import link
from gramviz.explorer.payload import Payload
from gramviz.kernel.build import WASM

Models = dict[str, Any]
"""`programs` (`gram.program`), `wasm` and `worker`, all packed; see `think/thinker.js`."""


def carried(names: Sequence[str | os.PathLike[str]], payload: Payload) -> Models:
    """What a page must carry to run these checkpoints on puzzles of the payload's board.

    Raises:
        ProgramError: there is no such checkpoint, or a page cannot run it.
    """
    board = Board.from_json(json.dumps(payload.meta["board"]))
    made = [program(name, board) for name in names]
    return {
        "programs": [{"meta": one.meta, "weights": packed(_planes(one.weights))} for one in made],
        "wasm": packed(WASM.read_bytes()),
        "worker": packed(worker_text().encode()),
    }


def packed(raw: bytes) -> str:
    """Deflated, in base64, as a page carries what is not read before it opens."""
    return base64.b64encode(zlib.compress(raw, 9)).decode()


def _planes(weights: bytes) -> bytes:
    """All low bytes, then all high ones: those resemble each other, and are packed a tenth smaller."""
    return np.frombuffer(weights, np.uint8).reshape(-1, 2).T.tobytes()


@cache
def worker_text() -> str:
    """What a worker runs, as one script."""
    return link("think/worker.js")
