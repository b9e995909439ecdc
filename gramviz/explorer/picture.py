"""A picture of an explorer as PNG, for where no script runs: the most frequent answer, the map, and all answers."""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from gram.board import Board
from gramviz import measure
from gramviz.explorer.frame import summary, verdict
from gramviz.explorer.payload import Payload
from gramviz.theme import Palette, outcome_mark, palette, readable, token_color

WIDTH, SIDE, MARGIN, TOP = 760, 330, 16, 48  # CSS px: the picture, its board, what surrounds them, what is above
SCALE = 2  # pixels per CSS px
_FINER = 2  # Pillow draws lines without antialiasing, so the sheet is larger and shrunk
_SHOWN = 6  # answers


@dataclass(frozen=True)
class _Sheet:
    """Draws in CSS px, in the colors of a theme."""

    draw: ImageDraw.ImageDraw
    colors: Palette

    def text(self, x: float, y: float, text: str, size: float = 13, color: str = "", anchor: str = "ls") -> None:
        self.draw.text((x * _K, y * _K), text, color or self.colors.ink, _font(round(size * _K)), anchor)

    def line(self, points: Any, color: str, width: float = 1) -> None:
        self.draw.line([(x * _K, y * _K) for x, y in points], color, max(1, round(width * _K)), "curve")

    def box(self, x: float, y: float, width: float, height: float, fill: Any, edge: str | None = None) -> None:
        self.draw.rectangle((x * _K, y * _K, (x + width) * _K, (y + height) * _K), fill, edge, round(_K))

    def disc(self, x: float, y: float, radius: float, fill: str, edge: str | None = None, width: float = 1) -> None:
        around = ((x - radius) * _K, (y - radius) * _K, (x + radius) * _K, (y + radius) * _K)
        self.draw.ellipse(around, fill, edge, round(width * _K))


_K = SCALE * _FINER


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which has the queens and comes with matplotlib; this does not load it."""
    found = importlib.util.find_spec("matplotlib")
    assert found is not None
    return ImageFont.truetype(Path(str(found.origin)).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def picture(payload: Payload, caption: str, theme: str = "light") -> tuple[bytes, bytes]:
    """The PNG without and with its caption below, `WIDTH` CSS px wide at `SCALE` pixels each."""
    lines = wrap(caption, 110)
    height = TOP + SIDE + MARGIN + 18 * len(lines)
    colors = palette(theme)
    image = Image.new("RGB", (WIDTH * _K, height * _K), colors.bg)
    sheet = _Sheet(ImageDraw.Draw(image), colors)
    meta = payload.meta
    sheet.text(MARGIN, 28, summary(payload), 14)
    board = Board.from_json(json.dumps(meta["board"]))
    bare = len(board.tokens) == 1  # states without answers: the map alone
    answers = [] if bare else meta["answers"]
    best = None if bare else answers[0]["tokens"] if answers else meta["x"]
    if best is not None:
        given = np.array(meta["x"] or [], int)
        given = ~np.isin(given, board.blank) if given.size == len(best) else np.zeros(len(best), bool)
        (_graph if board.kind == "graph" else _grid)(sheet, board, np.array(best), given)
    x = MARGIN if bare else SIDE + 2 * MARGIN
    _map(sheet, payload, x, TOP, WIDTH - MARGIN - x, SIDE - 18 * min(len(answers), _SHOWN) - 12)
    _answers(sheet, meta["board"], answers, x, TOP + SIDE)
    for at, text in enumerate(lines):
        sheet.text(MARGIN, TOP + SIDE + 20 + 18 * at, text, 12, colors.text2)
    whole = image.reduce(_FINER).quantize(64, dither=Image.Dither.NONE)
    return _png(whole.crop((0, 0, whole.width, (TOP + SIDE + MARGIN // 2) * SCALE))), _png(whole)


def _png(image: Image.Image) -> bytes:
    found = io.BytesIO()
    image.save(found, "PNG")
    return found.getvalue()


def _grid(sheet: _Sheet, board: Board, tokens: NDArray[np.int_], given: NDArray[np.bool_]) -> None:
    cell = SIDE / max(board.height, board.width)
    light = measure.shades(board)
    for position, token in enumerate(tokens):
        row, column = divmod(position, board.width)
        x, y = MARGIN + column * cell, TOP + row * cell
        _cell(sheet, board, int(token), bool(given[position]), (x, y, cell), light[token])
    high, wide = board.box or (0, 0)
    thin = sheet.colors.line if board.kind == "grid" else None
    for count, step, across in ((board.height, high, True), (board.width, wide, False)):
        for k in range(count + 1):
            thick = k in (0, count) or (step and k % step == 0)
            color = sheet.colors.ink if thick else thin
            near, far = (MARGIN, MARGIN + board.width * cell) if across else (TOP, TOP + board.height * cell)
            at = (TOP if across else MARGIN) + k * cell
            ends = ((near, at), (far, at)) if across else ((at, near), (at, far))
            if color:
                sheet.line(ends, color, 1.6 if thick else 1)


def _cell(
    sheet: _Sheet,
    board: Board,
    token: int,
    given: bool,
    place: tuple[float, float, float],
    light: NDArray[np.float64],
) -> None:
    x, y, cell = place
    shown = board.tokens[token]
    if np.isfinite(light).all():
        part = cell / len(light)
        for (row, column), value in np.ndenumerate(light):
            gray = round(255 * value)
            sheet.box(x + column * part, y + row * part, part, part, (gray, gray, gray))
    elif shown.glyph == "color":
        sheet.box(x, y, cell, cell, token_color(shown, token, sheet.colors.name))
    elif board.kind == "image" or (board.apart and token in board.blank):
        sheet.box(x, y, cell, cell, sheet.colors.sunk)
    else:
        sheet.box(x, y, cell, cell, sheet.colors.given if given else sheet.colors.bg)
        queen = shown.glyph == "queen"
        text = ("♛" if given else "♕") if queen else shown.symbol
        if token not in board.blank and cell >= 8:
            color = sheet.colors.ink if given or queen else sheet.colors.blue
            sheet.text(x + cell / 2, y + cell / 2, text, cell * (0.8 if queen else 0.55), color, "mm")


def _graph(sheet: _Sheet, board: Board, tokens: NDArray[np.int_], given: NDArray[np.bool_]) -> None:
    radius = 16
    span = SIDE - 2 * radius - 4
    at = [(MARGIN + radius + 2 + x * span, TOP + radius + 2 + y * span) for x, y in board.xy or ()]
    for pair in board.groups:
        sheet.line([at[node] for node in pair], sheet.colors.edge, 1.2)
    colors = [k for k, token in enumerate(board.tokens) if token.glyph == "color"]
    for (x, y), token, fixed in zip(at, tokens, given, strict=True):
        shown = board.tokens[token]
        colored = token in colors and token not in board.blank
        fill = token_color(shown, colors.index(token), sheet.colors.name) if colored else sheet.colors.bg
        sheet.disc(x, y, radius, fill, sheet.colors.ink, 3 if fixed else 1)
        sheet.text(x, y, shown.symbol if token not in board.blank else "", 13, readable(fill, sheet.colors.name), "mm")


def _map(sheet: _Sheet, payload: Payload, x: float, y: float, width: float, height: float) -> None:
    """Every trajectory in the answer river, else in the first plane, in the color of its outcome."""
    kept = {entry["name"] for entry in payload.meta["arrays"]}
    labels = {
        one["name"] if one["name"] == "river" else f"map_{one['name']}": one["label"] for one in payload.meta["bases"]
    }
    name = next((name for name in labels if name in kept), None)
    if name is None:
        return
    packed = [entry["series"] for entry in payload.meta["arrays"] if entry["name"] == name]
    sheet.box(x, y, width, height, sheet.colors.sunk, sheet.colors.line)
    maps = {letter: payload.values(name, letter) for letter in packed}
    if name == "river":  # time across, answers up
        time = {letter: np.broadcast_to(np.arange(one.shape[1]), one.shape) for letter, one in maps.items()}
        maps = {letter: np.stack([time[letter], one], 2) for letter, one in maps.items()}
    maps = {letter: one[..., :2] for letter, one in maps.items()}
    every = np.concatenate([one.reshape(-1, 2) for one in maps.values()])
    low, high = np.nanmin(every, 0), np.nanmax(every, 0)
    scale = (np.array([width, height]) - (24, 36)) / np.where(high > low, high - low, 1)
    for letter, one in maps.items():
        at = (one - low) * scale * (1, -1) + (x + 12, y + height - 12)
        for track, code in zip(at, payload.array("outcome", letter), strict=True):
            track = track[np.isfinite(track).all(1)]
            color = outcome_mark(int(code), sheet.colors.name).color
            sheet.line(track, color, 0.7)
            if len(track):
                sheet.disc(track[-1, 0], track[-1, 1], 3, color)
    sheet.text(x + 8, y + 16, labels[name], 11, sheet.colors.text2)


def _answers(
    sheet: _Sheet, board: Mapping[str, Any], answers: Sequence[Mapping[str, Any]], x: float, low: float
) -> None:
    shown = answers[:_SHOWN]
    for at, answer in enumerate(shown):
        y = low - 18 * (len(shown) - 1 - at)
        counts = ", ".join(f"{letter} {count}" for letter, count in answer["counts"].items() if count)
        sheet.text(x, y, f"{answer['letter'] or ''}   {verdict(answer, board)}", 12)
        sheet.text(WIDTH - MARGIN, y, counts, 12, sheet.colors.text2, "rs")
