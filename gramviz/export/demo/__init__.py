"""One recorded comparison that is part of the package: TRM's one trajectory and GRAM's fifty on an 8-queens puzzle.

`queens8.json` is a payload of the explorer (docs/payload.md), not a page: `gramviz demo` freezes it with today's front
end. Both series are records of the checkpoints in `artifacts/`; `record()` makes the file again.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import xarray as xr

from gramviz.explorer.pack import pack
from gramviz.explorer.payload import Payload

FILE = Path(__file__).parent / "queens8.json"
MODELS = ("nqueens8-trm", "nqueens8-gram")  # that the page runs: networks along relations


def payload() -> Payload:
    """The recorded payload: series A is TRM with one trajectory, series B GRAM with fifty."""
    parcel = json.loads(FILE.read_text(encoding="utf-8"))
    return Payload(parcel["meta"], base64.b64decode(parcel["data"]))


def record(trm: xr.Dataset, gram: xr.Dataset, file: Path = FILE) -> None:
    """Write the payload of two rollouts of one puzzle, sampled by

        gram sample nqueens8-trm-dense  --puzzle 1 --trajectories 1  -o trm.nc
        gram sample nqueens8-gram-dense --puzzle 1 --trajectories 50 -o gram.nc

    Raises:
        PackError: not the same puzzle.
    """
    packed = pack([trm, gram], names=["TRM", "GRAM"])
    parcel = {"meta": packed.meta, "data": base64.b64encode(packed.data).decode()}
    file.write_text(json.dumps(parcel, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
