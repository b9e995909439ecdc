"""A film of an explorer (GIF, WebP, MP4): the frozen page is opened in Chromium, and every picture is the page's own.

So a film shows what the page shows, to the pixel, and there is one place where it is drawn. The page itself records
WebM (Export > Film); GIF and WebP need a palette and an encoder, which Pillow has, and MP4 needs H.264, which the
wheels of PyAV bring along: no FFmpeg of the system is asked for.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from PIL import Image
from scipy.spatial import KDTree

from gram import atomic
from gram.bounded import InputError
from gram.progress import bar
from gramviz.browser import aside, driven, opened
from gramviz.explorer.freeze import freeze
from gramviz.explorer.payload import Payload
from gramviz.explorer.source import Rollout
from gramviz.explorer.state import State
from gramviz.explorer.widget import Explorer

FORMATS = {".gif": "GIF", ".webp": "WEBP", ".mp4": "MP4"}
RATE = 12  # pictures per second, as in frontend/movie.js
LAST = 1500  # ms that the last picture stays
COLORS = 128  # of a GIF's palette; flat areas and thin lines need no more
QUALITY = 18  # of an MP4, as x264 counts (CRF): 0 is exact, 23 its default; small text stays sharp at 18

_SHOT = """([index, scale]) => {
  const shown = document.querySelector('main').gramviz;
  return shown.film(shown.moments()[index], scale).toDataURL('image/png');
}"""


class MovieError(InputError):
    """A film that cannot be made; the message gives the value, what is allowed, and the fix."""


def movie(
    source: Explorer | Payload | Rollout | Sequence[Rollout],
    path: str | os.PathLike[str],
    *,
    puzzle: int | Sequence[int] = 0,
    state: State | Mapping[str, Any] | None = None,
    width: int = 1100,
    scale: float = 1.0,
) -> Path:
    """Write a film of every transition (or of the loop's range) at the speed of the state; returns its path.

    An interrupt (Ctrl+C) leaves no file.

    Args:
        source, puzzle, state: as in `gramviz.freeze.freeze`.
        path: ends in .gif, .webp or .mp4; the last needs `pip install 'gram-explorer[mp4]'`.
        width: of the explorer, in CSS pixels; 340 to 1440.
        scale: pixels of the film per CSS pixel, 0.25 to 3.
    Raises:
        MovieError: another ending, MP4 without its encoder, a width or scale out of range, or a rollout of one step.
        BrowserError: Chromium or playwright is missing.
        RolloutError, PackError, StateError: as in `freeze`.
    """
    target = Path(path)
    if target.suffix.lower() not in FORMATS:
        raise MovieError(f"{target.name!r} is no film; end it in {', '.join(FORMATS)} (the page itself exports WebM)")
    if FORMATS[target.suffix.lower()] == "MP4":
        _require_h264(target.name)
    if not 340 <= width <= 1440 or not 0.25 <= scale <= 3:
        raise MovieError(f"width {width}, scale {scale}: choose a width of 340 to 1440 and a scale of 0.25 to 3")
    html = freeze(source, puzzle=puzzle, state=state)
    browser, stop = driven(), Event()
    pictures = aside(lambda: _pictures(html, browser, width, scale, stop), stop)
    if len(pictures) < 2:
        raise MovieError("this rollout has one step, so there is nothing to film; export a picture instead")
    _encode(pictures, target)
    return target


def _pictures(html: str, browser: str, width: int, scale: float, stop: Event) -> list[bytes]:
    """One PNG per moment, drawn by the page, until somebody stops it."""
    shots: list[str] = []
    with opened(html, browser, width) as page:
        count = page.evaluate("document.querySelector('main').gramviz.moments().length")
        with bar(count, "picture", text="movie") as counter:
            while len(shots) < count and not stop.is_set():
                shots.append(page.evaluate(_SHOT, [len(shots), scale]))
                counter.update()
    return [base64.b64decode(shot.partition(",")[2]) for shot in shots]


def _require_h264(name: str) -> None:
    """Before anything is drawn: is there an encoder?

    Raises:
        MovieError: PyAV is missing, or was built without x264.
    """
    fix = "pip install 'gram-explorer[mp4]', or end the film in .gif or .webp"
    if importlib.util.find_spec("av") is None:
        raise MovieError(f"{name!r} needs PyAV, which is not installed; {fix}")
    import av

    if "libx264" not in av.codecs_available:
        raise MovieError(f"{name!r} needs x264, which this build of PyAV lacks; {fix}")


def _encode(pictures: Sequence[bytes], target: Path) -> None:
    """Write the pictures as a film; whole or not at all."""
    frames = [Image.open(io.BytesIO(one)).convert("RGB") for one in pictures]
    size = frames[-1].size  # a film has one size; the last moment's layout is the complete one
    frames = [frame if frame.size == size else frame.crop((0, 0, *size)) for frame in frames]
    kind = FORMATS[target.suffix.lower()]
    if not target.parent.is_dir():
        raise MovieError(f"cannot write {target}: there is no folder {target.parent}; make it, or choose another")
    with atomic.replacing(target) as partial:
        if kind == "MP4":
            _write_mp4(frames, partial)
        else:
            durations = [round(1000 / RATE)] * (len(frames) - 1) + [LAST]
            first, *rest = one_palette(frames) if kind == "GIF" else frames
            first.save(partial, kind, save_all=True, append_images=rest, duration=durations, loop=0, optimize=False)


def one_palette(frames: Sequence[Image.Image], colors: int = COLORS) -> list[Image.Image]:
    """All pictures in one palette, made of a few of them: with one each, flat areas would flicker.

    A quarter of it are the most frequent colors, exactly, so that no background is tinted. The rest covers all others
    as evenly as it can: a median cut, which counts pixels, would turn the few vermilion ones gray.
    """
    width, height = frames[0].size
    some = frames[:: max(1, len(frames) // 6)]
    sheet = Image.new("RGB", (width, height * len(some)))
    for k, frame in enumerate(some):
        sheet.paste(frame, (0, k * height))
    seen = sorted(sheet.getcolors(sheet.width * sheet.height) or [], reverse=True)  # [(count, color)]
    even = sheet.quantize(colors - colors // 4, Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = np.array([color for _, color in seen[: colors // 4]] + np.reshape(even, (-1, 3)).tolist(), np.uint8)
    # Not Pillow's own search, which is out by up to 4 steps: white would no longer be white.
    nearest = KDTree(palette)
    drawn = []
    for frame in frames:
        packed = np.asarray(frame).astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
        kinds, where = np.unique(packed, return_inverse=True)
        index = nearest.query(np.stack([kinds >> 16, kinds >> 8 & 255, kinds & 255], axis=1))[1]
        flat = Image.fromarray(index[where].reshape(packed.shape).astype(np.uint8), "P")
        flat.putpalette(palette.tobytes())
        drawn.append(flat)
    return drawn


def _write_mp4(frames: Sequence[Image.Image], path: Path) -> None:
    """H.264 in the form that every player knows: colors at half the size, so both sides are even numbers of pixels."""
    import av

    width, height = frames[0].size
    even = (0, height % 2), (0, width % 2), (0, 0)
    stay = round(LAST * RATE / 1000)  # players differ in how long they show the last picture, so it comes often
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as film:
        stream = film.add_stream("libx264", rate=RATE, options={"crf": str(QUALITY), "tune": "animation"})
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        for frame in [*frames, *[frames[-1]] * (stay - 1)]:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(np.pad(np.asarray(frame), even, "edge"), "rgb24")))
        film.mux(stream.encode())
