"""What is known of a run beside its page, `NAME.run.json`: its id, how it ended, and what it was made from.

A run that ended well is repeated only if something that it was made from has changed: the notebook, a parameter, the
weights that it names, the data files, the code.
"""

from __future__ import annotations

import hashlib
import html
import io
import json
import os
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from PIL import Image, UnidentifiedImageError

from gram import atomic
from gram.bounded import read_json
from gram.run_folder import find, folders
from gramviz.reports.provenance import versions

ENDING = ".run.json"
LARGE = 1 << 26  # bytes of a file from which its size and time stand for its content
THUMBNAIL = (240, 150)  # pixels


# What a run is made from ----------------------------------------------------------------------------------------------


def fingerprint(notebook: NotebookNode, parameters: Mapping[str, Any], expect: Mapping[str, str]) -> dict[str, str]:
    """sha256 of each thing that a run is made from.

    Weights are those of the checkpoints that a parameter or the notebook's metadata names, with all of their folder;
    data are the files in `$GRAM_DATA` and those that a parameter names.
    """
    about = notebook.metadata.get("gram", {})
    named = {name for value in parameters.values() for name in _texts(value)}
    named |= {*about.get("artifacts", ()), *about.get("needs", ())}
    places = [place for name in sorted(named) if (place := _checkpoint(name))]
    files = [Path(name) for name in sorted(named) if len(name) < 256 and os.path.isfile(name)]  # noqa: PTH113
    weights = [file for place in dict.fromkeys(places) for file in sorted(place.iterdir())]
    weights += [place / "results.json" for place in folders()]
    cells = [[cell.cell_type, cell.source, cell.metadata] for cell in notebook.cells]
    return {
        "notebook": _sha(json.dumps([cells, notebook.metadata], sort_keys=True)),
        "parameters": _sha(json.dumps([dict(parameters), dict(expect)], sort_keys=True)),
        "weights": _digest(weights),
        "data": _sha(_data(os.environ.get("GRAM_DATA", "")) + _digest(files)),
        "code": _code(),
    }


def run_id(made_from: Mapping[str, str]) -> str:
    """Twelve hex digits that are the same for equal runs."""
    return _sha(json.dumps(dict(made_from), sort_keys=True))[:12]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _checkpoint(name: str) -> Path | None:
    try:
        return find(name) if name else None
    except (OSError, ValueError):  # no name of a file
        return None


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(files: Iterable[Path]) -> str:
    """Of names and contents; files that are not there do not count."""
    lines = []
    for path in files:
        if path.is_file():
            about = path.stat()
            if about.st_size > LARGE:
                lines.append(f"{path.name} {about.st_size} {about.st_mtime_ns}")
                continue
            with path.open("rb") as opened:
                lines.append(f"{path.name} {hashlib.file_digest(opened, 'sha256').hexdigest()}")
    return _sha("\n".join(lines))


@cache  # for a batch, whose runs share it
def _data(folder: str) -> str:
    return _digest(sorted(Path(folder).rglob("*"))) if folder else ""


@cache
def _code() -> str:
    """Of the sources of gram and gramviz, and of the packages that they stand on."""
    here = Path(__file__).parents[2]
    kinds = (".py", ".js", ".json", ".yaml", ".wasm")
    files = sorted(path for part in ("gram", "gramviz") for path in (here / part).rglob("*") if path.suffix in kinds)
    return _sha(_digest(files) + json.dumps(versions(), sort_keys=True))


# The record -----------------------------------------------------------------------------------------------------------


def write(out: Path, stem: str, record: Mapping[str, Any]) -> None:
    """Write the record of a run, whole or not at all."""
    atomic.write(out / (stem + ENDING), json.dumps(dict(record), indent=1, sort_keys=True) + "\n")


def read(path: Path) -> dict[str, Any] | None:
    """A record; None if there is none, or it cannot be read."""
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def is_done(out: Path, stem: str, made_from: Mapping[str, str]) -> bool:
    """Whether a run that was made from the same ended well, and its page is there."""
    known = read(out / (stem + ENDING))
    whole = (out / f"{stem}.html").is_file()
    return bool(known and whole and known.get("state") == "passed" and known.get("made_from") == dict(made_from))


# What a later run changes in an earlier page --------------------------------------------------------------------------

_STALE = re.compile(r"<!-- gram-stale begins -->.*?<!-- gram-stale ends -->", re.DOTALL)


def mark_stale(page: Path, why: str, failed: Path | None = None) -> None:
    """Say at the head of a page that a later run failed; once, however many fail. Nothing happens without the page."""
    if not page.is_file():
        return
    text = _STALE.sub("", page.read_text(encoding="utf-8"))
    link = (
        f' See <a style="color:inherit" href="{html.escape(failed.name)}">{html.escape(failed.name)}</a>.'
        if failed
        else ""
    )
    banner = (
        '<!-- gram-stale begins --><aside role="alert" style="background:#8a4b00;color:#fff;margin:0 -1rem;padding:'
        f'.7rem 1rem;font:600 16px/1.5 system-ui,sans-serif">STALE: {html.escape(why)}{link}</aside>'
        "<!-- gram-stale ends -->"
    )
    text = text.replace("<main>", f"{banner}<main>", 1)
    atomic.write(page, text.replace("<title>", "<title>STALE: ", 1) if "<title>STALE: " not in text else text)


# A small picture ------------------------------------------------------------------------------------------------------


def thumbnail(notebook: NotebookNode) -> bytes | None:
    """The first picture among the outputs, as a small PNG; None if there is none."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            for kind in ("image/png", "image/jpeg"):
                if kind in output.get("data", {}):
                    try:
                        picture = Image.open(io.BytesIO(b64decode(output.data[kind]))).convert("RGB")
                    except (UnidentifiedImageError, ValueError, OSError):
                        continue
                    picture.thumbnail(THUMBNAIL)
                    small = io.BytesIO()
                    picture.quantize(32, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
                    return small.getvalue()
    return None
