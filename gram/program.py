"""A trained network along relations as data, with which a page runs it by itself: sizes, relations, weights. No torch.

    made = program("nqueens8-gram", board)
    made.meta       sizes, names and the digest of the weights, as JSON
    made.weights    float16, little-endian, in the order of `_order`

The page reads both (`frontend/think/network.js`) and hands them to `gramviz/kernel/kernel.c`. It computes in float32
with the weights rounded to float16, so a model in Python agrees with it to rounding where its weights are rounded too,
and draws the same trajectories with the noise of `gram.inference.philox`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file

from gram.board import NEAR, Board
from gram.bounded import InputError
from gram.run_folder import WEIGHTS, find, settings

PANEL = 8  # outputs of a weight that lie together: the kernel multiplies as many at once
Weights = Mapping[str, NDArray[np.float32]]


class ProgramError(InputError):
    """A model that a page cannot run; one sentence with what it can."""


@dataclass(frozen=True)
class Program:
    """What a page needs of a model: `meta`, which is JSON, and `weights`."""

    meta: dict[str, Any]
    weights: bytes


def program(name: str | os.PathLike[str], board: Board) -> Program:
    """The program of a checkpoint, given its name or folder, for the puzzles of a board.

    Raises:
        ProgramError: there is none, or its network is of a kind that the kernel does not compute.
        RunFolderError: its config.json cannot be read.
    """
    path = find(name)
    if path is None:
        raise ProgramError(f"there is no checkpoint {str(name)!r}; give a name of `gram.names()`, or a folder")
    try:
        tensors = load_file(path / WEIGHTS)
        with safe_open(path / WEIGHTS, "numpy") as file:
            published = (file.metadata() or {}).get("sha256", "")
    except (OSError, SafetensorError) as error:
        raise ProgramError(f"{path / WEIGHTS} cannot be read: {error}") from error
    config = settings(path)
    sizes = _sizes(path.name, config["model"], board)
    if config["task"]["kind"] != board.task:
        raise ProgramError(f"{path.name} is a model of {config['task']['kind']}, and the page shows {board.task}")
    weights = np.concatenate([part.ravel() for part in _order(tensors, sizes)])
    raw = weights.astype("<f2").tobytes()
    supervision_steps = int(config["inference"]["supervision_steps"])
    meta = {
        "name": path.resolve().name,
        **sizes,
        "supervision_steps": supervision_steps,
        "depth": min(16, supervision_steps) * int(config["model"]["high_steps"]),
        "relations": _relations(board),
        "tokens": _tokens(tensors, board),
        "checkpoint": published,
    }
    return Program(meta | {"sha256": hashlib.sha256(raw).hexdigest()}, raw)


def _sizes(name: str, model: Mapping[str, Any], board: Board) -> dict[str, Any]:
    """What the kernel must know of a model's configuration; refused where it does not compute such a model."""
    network, kind = model["network"], model["kind"]
    guided = kind == "gram" and model["guided"]
    along = network["mixing"] == "relations" and network["symbols"] == "shared"
    features, heads = network["features"], network["peer_attention"]
    refused = {
        f"it is a {kind}": kind not in ("gram", "trm"),
        "it does not mix along relations with shared symbols": not along,
        f"its output is {network.get('output')}": network.get("output", "softmax") != "softmax",
        "it has several blocks": network["blocks"] != 1,
        "it has no low-level steps": not model.get("low_steps"),
        f"its guidance is {model.get('guidance')}": guided and model["guidance"] != "residual",
        "it has puzzle embeddings": model.get("puzzle_tokens"),
        "its widths are no multiples of 8, or its features none of 16": features % 16
        or network["hidden"] % PANEL
        or (guided and model["guidance_hidden"] % PANEL)
        or heads * (features // 4) % PANEL,
    }  # fmt: skip
    if why := next((reason for reason, true in refused.items() if true), None):
        raise ProgramError(f"a page cannot run {name}: {why}; it runs a TRM or GRAM that mixes along relations")
    return {
        "model": kind,
        "features": features,
        "hidden": network["hidden"],
        "guidance_hidden": model["guidance_hidden"] if guided else 0,
        "low_steps": model["low_steps"],
        "high_steps": model["high_steps"],
        "heads": heads,
        "networks": 1 if kind == "trm" or model["shared"] else 2,
        "norm_eps": network["norm_eps"],
        "log_sigma_cap": log(model["sigma_cap"]) if guided else 0,
        "mean_cap": model["mean_cap"] if guided else 0,
        "symbols": list(board.symbols),
        "kinds": _kinds(board),
        "peer_kinds": ["here", *(kind for kind in _groups(board) if kind != "piece")] if heads else [],
    }


def _groups(board: Board) -> dict[str, list[list[int]]]:
    """The groups of each kind of relation that every puzzle of a board has.

    A place hears the groups that it belongs to; of a kind with a group for each place, as `above`, its own.
    """
    found: dict[str, list[list[int]]] = {}
    for relation in board.relations:
        if relation.kind not in NEAR:
            groups = found.setdefault(relation.kind, [])
            groups += [np.flatnonzero(members).tolist() for members in relation.members]
    return found


def _kinds(board: Board) -> list[str]:
    return [*_groups(board), *(NEAR if board.kind == "graph" else ())]


def _relations(board: Board) -> dict[str, Any]:
    own = [one.kind for one in board.relations if one.kind not in NEAR and not one.partition]
    return {"places": board.places, "groups": _groups(board), "own": own}


def _tokens(tensors: Weights, board: Board) -> dict[str, Any]:
    """The logits of tokens that are no symbols: learned, or none (such a token cannot be)."""
    absent = {0} | {token for token, count in board.required if count == 0}
    if board.kind == "graph":
        absent |= set(range(len(board.tokens))) - set(board.exclusive)
    possible = [t for t in range(len(board.tokens)) if t not in board.symbols and t not in absent]
    learned = tensors.get("decoder.other", np.zeros(0, np.float32)).tolist()
    return dict(zip(map(str, possible), learned, strict=True))


def _order(tensors: Weights, sizes: Mapping[str, Any]) -> Iterator[NDArray[np.float32]]:
    """All weights, in the order in which the kernel reads them."""
    yield tensors["embed_x.weight"]
    yield tensors["decoder.score.weight"]
    yield tensors["h0"]
    yield tensors["l0"]
    recursions = ["f"] if sizes["model"] == "trm" else ["f_low", "f_high"][: sizes["networks"]]
    for name in recursions:
        yield from _network(tensors, f"{name}.blocks.0", sizes)
    if sizes["guidance_hidden"]:
        for part in ("mean", "log_sigma"):
            yield from _swiglu(tensors, f"prior.{part}")


def _network(tensors: Weights, prefix: str, sizes: Mapping[str, Any]) -> Iterator[NDArray[np.float32]]:
    yield _panels(tensors[f"{prefix}.relations.here.weight"])
    for kind in [*sizes["kinds"], *(["symbols"] if len(sizes["symbols"]) > 1 else [])]:
        yield _panels(tensors[f"{prefix}.relations.heard.{kind}.weight"])
    yield from _swiglu(tensors, f"{prefix}.feed_forward")
    if heads := sizes["heads"]:
        key = sizes["features"] // 4
        qkv = tensors[f"{prefix}.relations.peers.qkv.weight"]
        for part in np.split(qkv, np.cumsum([heads * key, heads * key])):  # queries, keys, values
            yield _panels(part)
        yield _panels(tensors[f"{prefix}.relations.peers.out.weight"])
        yield tensors[f"{prefix}.relations.peers.bias"]  # [head, kind]; the page spreads it over pairs of places


def _swiglu(tensors: Weights, prefix: str) -> Iterator[NDArray[np.float32]]:
    gate_up = tensors[f"{prefix}.gate_up.weight"]
    yield from (_panels(part) for part in np.split(gate_up, 2))
    yield _panels(tensors[f"{prefix}.down.weight"])


def _panels(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """A weight [output, input] as [output / PANEL, input, PANEL], outputs filled up with zeros."""
    weight = np.pad(weight, ((0, -len(weight) % PANEL), (0, 0)))
    return weight.reshape(-1, PANEL, weight.shape[1]).transpose(0, 2, 1)
