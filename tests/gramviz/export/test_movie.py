"""Films as MP4: what is in the file, and what is said where the encoder is missing."""

from __future__ import annotations

import importlib.util
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import synthetic
from PIL import Image

from gramviz.explorer.pack import pack
from gramviz.explorer.widget import Explorer
from gramviz.export import movie as module
from gramviz.export.movie import LAST, RATE, MovieError, movie


def decoded(path: Path) -> list[np.ndarray]:
    """The pictures of a film, [height, width, 3]."""
    with av.open(str(path)) as film:
        return [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]


def test_an_mp4_has_each_picture_and_the_last_one_stays(tmp_path: Path) -> None:
    colors = [(200, 30, 30), (30, 160, 60), (20, 90, 200)]
    drawn = [Image.new("RGB", (61, 45), color) for color in colors]
    module._write_mp4(drawn, tmp_path / "film.mp4")
    with av.open(str(tmp_path / "film.mp4")) as film:
        stream = film.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.width, stream.height, stream.average_rate) == (62, 46, RATE)
        assert float(film.duration / av.time_base) == pytest.approx(2 / RATE + LAST / 1000, abs=0.01)
    shown = decoded(tmp_path / "film.mp4")
    assert len(shown) == 2 + round(LAST * RATE / 1000)
    for picture, color in zip(shown[:3], colors, strict=True):
        assert np.abs(picture.astype(int) - color).max() < 12, "colors are rounded, and the added edge repeats them"
    assert all((picture == shown[-1]).mean() > 0.99 for picture in shown[2:])


def test_the_palette_of_a_gif_keeps_the_few_pixels_that_matter() -> None:
    rng = np.random.default_rng(0)
    frames = []
    for k in range(4):
        frame = np.repeat(rng.integers(90, 250, (120, 160, 1)), 3, axis=2)
        frame[:, 80:, 2] = rng.integers(100, 255, (120, 80))
        frame[:, 150:] = 253
        frame[10 * k : 10 * k + 4, 4:8] = vermilion = (0xC0, 0x4A, 0x00)
        frames.append(Image.fromarray(frame.astype(np.uint8)))
    for k, frame in enumerate(module.one_palette(frames)):
        shown = np.asarray(frame.convert("RGB"), int)
        assert np.abs(shown[10 * k : 10 * k + 4, 4:8] - vermilion).max() < 24
        assert (shown[:, 150:] == 253).all(), "a background keeps its color to the last bit"


@pytest.mark.browser
def test_python_films_the_page_as_mp4(chromium: object, tmp_path: Path) -> None:
    short = pack(synthetic.sudoku(3, supervision_steps=2))
    path = movie(Explorer(short).set(speed=16), tmp_path / "film.mp4", width=701, scale=0.5)
    shown = decoded(path)
    steps = short.meta["series"][0]["steps"]
    assert len(shown) == steps - 1 + round(LAST * RATE / 1000)
    assert all((np.abs(a.astype(int) - b) > 60).any() for a, b in pairwise(shown[:steps]))
    assert [file.name for file in tmp_path.iterdir()] == ["film.mp4"]


def test_without_the_encoder_one_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "av" else found(name))
    with pytest.raises(MovieError, match=r"'film[.]mp4' needs PyAV.*pip install 'gram-explorer\[mp4\]', or end"):
        movie(pack(synthetic.sudoku(1)), tmp_path / "film.mp4")
    assert not list(tmp_path.iterdir())


def test_a_build_without_x264_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    with pytest.raises(MovieError, match="needs x264, which this build of PyAV lacks"):
        movie(pack(synthetic.sudoku(1)), tmp_path / "film.MP4")
