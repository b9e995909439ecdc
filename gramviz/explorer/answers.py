"""The answer space of a payload: river, answer map and their names, packed small.

The page draws them; it also projects boards itself (of several models, whose map is of one-hot tokens), so M and mu
travel with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gramviz import measure
from gramviz.explorer.payload import LETTERS, NO_PLACE, PayloadWriter
from gramviz.measure.answer_space import AnswerSpace
from gramviz.measure.river import TRUNK

_MANY = 3  # right answers on a grid from which on the map says more than the river


def answer_space(
    writer: PayloadWriter, rollouts: Sequence[xr.Dataset], answers: measure.Answers
) -> tuple[dict[str, Any], list[dict[str, Any]], str]:
    """Pack the answer space of the series; returns what `meta` says of it, its bases, and the one to open with."""
    space = measure.answer_space(rollouts)
    ends = np.cumsum(space.sizes)
    xy, scale, zero = _grid(space.map.xy)
    low, high = min(s[0] for s in space.river.spans.values()), max(s[1] for s in space.river.spans.values())
    for letter, end, size, one in zip(LETTERS, ends, space.sizes, rollouts, strict=False):
        mine, steps = slice(end - size, end), one.sizes["step"]
        writer.series = letter
        level = (space.river.y[mine, :steps] - low) / (high - low)
        writer.add("river", np.rint(level.clip(0, 1) * 65534).astype(np.uint16), scale=(high - low) / 65534, zero=low)
        writer.add("lane", space.found.lane[mine, :steps].astype(np.int8))
        writer.add("commit", space.found.commit[mine].astype(np.uint16))
        if space.known == "token probabilities":
            writer.add("map_answers", xy[mine, :steps], scale=scale, zero=zero)
    writer.series = LETTERS[0]
    writer.add("answers_m", space.map.M.astype(np.float32))
    writer.add("answers_mu", space.map.mu.astype(np.float32))
    return _meta(space, answers), _bases(space), _opening(space)


def _grid(xy: NDArray[np.floating]) -> tuple[NDArray[np.int16], list[float], list[float]]:
    """Coordinates as i2 with scale and zero of each axis."""
    flat = xy.reshape(-1, 2).astype(np.float64)
    low, high = flat.min(0), flat.max(0)
    scale, zero = np.where(high > low, (high - low) / 65534, 1.0), (high + low) / 2
    return np.rint((xy - zero) / scale).clip(NO_PLACE + 1).astype(np.int16), scale.tolist(), zero.tolist()


def _meta(space: AnswerSpace, answers: measure.Answers) -> dict[str, Any]:
    """What the page must know of it; lanes in the order of their numbers, the trunk apart."""
    who = [[letter, i] for letter, size in zip(LETTERS, space.sizes, strict=False) for i in range(size)]
    spans = {lane: [round(float(v), 3) for v in span] for lane, span in space.river.spans.items()}
    anchors = dict(zip(space.map.lanes, space.map.anchors.tolist(), strict=True))
    return {
        "of": space.known,
        "cells": space.cells.tolist(),
        "symbols": list(space.symbols),
        "radius": space.found.radius,
        "warm_up": space.start,
        "kind": space.map.kind,
        "share": round(space.map.share, 4),
        "shear": round(space.map.shear, 3),
        "lanes": [
            {
                "letter": letter or None,
                "lead": who[lead],
                "right": bool(space.found.right[k]) if space.judged else None,
                "size": int(space.found.size[k]),
                "span": spans[k],
                "anchor": anchors.get(k),
            }
            for k, (lead, letter) in enumerate(zip(space.leads, space.letters(answers), strict=True))
        ],
        "trunk": {"span": spans[TRUNK], "size": int((space.found.last < 0).sum()), "right": space.found.others},
        "decisive": [{"step": d.step, "cell": int(space.cells[d.cell]), "share": d.share} for d in space.decisive],
        "places": [
            {
                "x": round(p.x, 4),
                "y": round(p.y, 4),
                "reach": round(p.reach, 4),
                "names": [[int(space.cells[cell]), token] for cell, token in p.names],
            }
            for p in space.places
        ],
        "medoids": [who[i] for i in space.medoids],
        "extent": space.extent.round(4).tolist(),
    }


def _bases(space: AnswerSpace) -> list[dict[str, Any]]:
    letters = list(LETTERS[: len(space.sizes)])
    star = space.map.kind != "pca"
    named = [("river", "Answer river"), ("answers", "Answer map" if star else "PCA of answers")]
    if space.board.kind != "image":  # its cells are pixels
        named.append(("score", "Score"))
    empty = {"series": letters, "variance": [], "note": None, "landscape": None}
    return [{"name": name, "label": label, "of": space.known, **empty} for name, label in named]


def _opening(space: AnswerSpace) -> str:
    """The basis that a page opens with: of one trajectory its score; the map where none settles, or where a board has
    many right answers; else the river."""
    if len(space.tokens) == 1 and space.board.kind != "image":
        return "score"
    many = space.board.kind == "grid" and int(space.found.right.sum()) >= _MANY
    return "answers" if many or not len(space.found.size) else "river"
