"""What people paste as a puzzle, brought to rows of cells.

Read are lists as Python, JSON and numpy print them, a row of a table, frames and rulers, lines that wrapped, and blanks
that are spaces. `gramviz/frontend/think/typed.js` reads the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import accumulate

from gram.bounded import parse_json
from gram.tasks.base import TaskError

QUESTIONS = ("question", "quizzes", "puzzle")
_EDGE = "-+=─━═┼╋╬┌┬┐├┤└┴┘╔╦╗╠╣╚╩╝"
RULER = re.compile(rf"[.':*]?(?=[:.']*[{_EDGE}])[{_EDGE}:.']*[.':*]?")  # looks ahead, so that a long line is no trap


def one_puzzle(text: str) -> str:
    """The puzzle of a row of a table (CSV with its header, or an object of JSON); another text as it is.

    Raises:
        TaskError: the table has another number of puzzles than one.
    """
    text = text.removeprefix("\ufeff")
    if text.lstrip().startswith("{"):
        try:
            entry = parse_json(text)
        except ValueError:
            return text
        found = [entry[name] for name in QUESTIONS if name in entry] if isinstance(entry, Mapping) else []
        return text if not found else found[0] if isinstance(found[0], str) else json.dumps(found[0])
    head, *rows = [re.split("[,;\t]", line) for line in text.splitlines() if line.strip()] or [[]]
    places = [at for at, name in enumerate(head) if name.strip("\"' ").lower() in QUESTIONS]
    if not places:
        return text
    if len(rows) != 1:
        raise TaskError(f"the table has {len(rows)} puzzles; write one of them, or give all as a file")
    return "".join(rows[0][places[0] : places[0] + 1]).strip("\"' ")


def grid(text: str, height: int, width: int, signs: str, fen: bool = False) -> list[str]:
    """The `height` rows of `width` cells that a text means; where it means none, the rows that were met.

    Args:
        signs: what a cell may hold beside a blank, as within the brackets of a regular expression.
        fen: numbers count empty cells.
    """
    text = one_puzzle(text)
    rows = cell_rows(text, height, width)
    if fen:
        known = (width, height * width)
        rows = [row if len(row) in known else re.sub("[1-9][0-9]?", lambda run: "." * int(run[0]), row) for row in rows]
    rows = _unwrapped(rows, height, width)
    if [len(row) for row in rows] != [width] * height:
        return _spaced(_lines(text), height, width, signs) or rows
    return rows


def cell_rows(text: str, height: int, width: int) -> list[str]:
    """The rows of cells of a text, without what only divides or explains them: rulers, comments, sections, titles.

    A row of dashes is one of blanks only where the others are not `height`, or a multiple of it.
    """
    rows = [row for row in (_row(line, width) for line in _lines(text)) if row]
    plain = [row for row in rows if not RULER.fullmatch(row)]
    dashed = [row for row in rows if len(row) == width or not RULER.fullmatch(row)]
    return plain if plain and (len(plain) % height == 0 or len(dashed) % height) else dashed


def valued(text: str) -> str:
    """A text in which nothing is a dot, and yes and no are 1 and 0, however Python, JSON or numpy write them."""
    text = re.sub(r"\b(None|null|nan|NaN)\b", ".", text.removeprefix("\ufeff").replace("\\n", "\n"))
    return re.sub(r"\b[Tt]rue\b", "1", re.sub(r"\b[Ff]alse\b", "0", text))


def listed(text: str) -> str:
    """A list as Python, JSON and numpy print it, with a line for each innermost bracket; another text as it is."""
    text = re.sub(r",\s*dtype=[^()]*|\b[A-Za-z_]\w*\s*=\s*(?=[A-Za-z\[(])|(?<![\w.])[A-Za-z_][\w.]*(?=\()", "", text)

    def line(found: re.Match[str]) -> str:
        texts = re.findall(r"\"[^\"]*\"|'[^']*'", found[1])
        if any(len(one) > 3 for one in texts):  # whole rows
            return "\n" + "\n".join(texts) + "\n"
        cells = re.sub(r"\"\s*\"|'\s*'", ".", re.sub(r"\s", " ", found[1]))
        return "\n" + re.sub(r"(^|[\s,])([0-9]+)\.0*(?=[\s,]|$)", r"\1\2", cells) + "\n"

    return re.sub(r"[\[(]([^\[\]()]*)[\])]", line, text)


def _lines(text: str) -> list[str]:
    """The lines of a text without comments, sections (`[Puzzle]`) and titles (`Grid 01`)."""
    found = valued(text).replace("/", "\n").splitlines()
    kept = [line.partition("#")[0] for line in found if not re.match(r"\s*(\[\s*[A-Za-z]\w|Grid\b)", line)]
    return listed("\n".join(kept)).split("\n")


def _row(line: str, width: int) -> str:
    """The cells of a line: between bars, tabs, commas or semicolons an empty one is a blank."""
    line = re.sub("[│┃║]", "|", line)
    for mark in "|\t,;":
        cells = [cell.strip(" \"'") for cell in (line.strip().strip(mark) if mark == "|" else line).split(mark)]
        if len(cells) == width and all(len(cell) < 2 for cell in cells):
            return "".join(cell or "." for cell in cells)
    return re.sub(r"[\s,;|\[\]()\"']", "", line)


def _unwrapped(rows: list[str], height: int, width: int) -> list[str]:
    """Rows that were broken alike, or one line of all cells that was, as they were before."""
    text, ends = "".join(rows), set(accumulate(map(len, rows)))
    lengths = [len(row) for row in rows]
    alike = len(set(lengths[:-1])) < 2 and lengths[-1:] <= lengths[:1]
    if len(text) == height * width and (alike or ends.issuperset(range(width, len(text), width))):
        return re.findall("." * width, text, re.DOTALL)
    return rows


def _spaced(lines: list[str], height: int, width: int, signs: str) -> list[str]:
    """The rows of a text in which a space is a blank; none where that is not plain."""
    bare = [re.sub(r"[\"'|│┃║,;\[\]()]", "", line) for line in lines]
    rows = [line.rstrip().ljust(min(len(line), width)) for line in bare if not RULER.fullmatch(line.replace(" ", ""))]
    while len(rows) > height and not rows[-1].strip():
        rows.pop()
    while len(rows) > height and not rows[0].strip():
        rows.pop(0)
    if len(rows) != height or max(map(len, rows)) != width:
        return []
    if not re.fullmatch(f"[{signs} ]*", "".join(rows)) or all(
        re.fullmatch(r"(\S( \S)*)?", row.rstrip()) for row in rows
    ):
        return []
    return [row.ljust(width).replace(" ", ".") for row in rows]
