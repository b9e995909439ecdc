"""A small whole input of every kind that is read from outside, and what can be done to one: bytes, and plain data."""

from __future__ import annotations

import copy
import gzip
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import synthetic
import torch
from hypothesis import strategies as st
from safetensors.torch import save_file

from gram import rollout
from gram.presets import preset

# Texts that no field expects; the last is longer than any may be.
HOSTILE = (
    "", "\0", "³", "٣", "9" * 5_000, "[" * 50_000, '{"a":' * 50_000, "1e999", "NaN", "-Infinity", "\ud800", "\u202e",
    '{"__proto__": {"x": 1}}', '{"v": null}', "{[]: 1}", "!!python/name:os.system", "&a [*a]", "? [a]\n: b", "<<: 1",
    "=", "!!int x", "!!timestamp x", "!!binary é", "p edge 8 9999999999999", "p edge 8 1\ne ³ 1", "8/8/8/8/8/8/8/8",
    "²Q6/8/8/8/8/8/8/8", "." * 81, "5" * 81, "/" * 99, "%" * 99, "lesson: 1\nchapters: [{at: .nan, say: [a]}]",
    "</script><script>alert(1)</script><!--", "../../x", "%(x)s {0} ${x}", "x" * 1_000_000,
)  # fmt: skip

SUDOKU = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
SOLVED = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
GRID = [[0, 1], [2, 3]]
ARC_TASK = {"train": [{"input": GRID, "output": GRID[::-1]}], "test": [{"input": [[1]], "output": [[2]]}]}
LESSON = {
    "lesson": 1,
    "title": "T",
    "chapters": [
        {"at": "init", "say": "Look.", "show": {"color_by": "series", "lanes": ["drift"]}, "note": "for me",
         "highlight": {"cells": ["r1c2"], "trajectories": [["A", 1]], "part": "map"},
         "play": {"to": "2.1", "speed": 2}},
        {"quiz": "Which?", "kind": "cell", "until": "2.1", "answer": ["r1c1"], "right": "Yes.", "hint": "No."},
        {"quiz": "Which?", "kind": "choice", "until": "2.1", "choices": ["a", "b"], "answer": 2},
        {"quiz": "Which?", "kind": "token", "until": "2.1", "cell": "r1c1", "answer": "auto"},
    ],
}  # fmt: skip
STATE = {
    "v": 2, "puzzle": 0, "cursor": {"step": 3, "low": None}, "focus": ["A", 1], "pinned": ["A", 0], "cells": [3],
    "selected": {"A": [0, 2]}, "hidden": [], "token": 2, "range": [1, 3], "board": "focus", "color_by": "answer",
    "camera": {"x": 0.5, "y": 0.0, "k": 2.0}, "brush": {"kind": "lasso", "plane": 0, "points": [[0, 0], [1, 1]]},
    "layers": ["halo"], "lanes": ["drift"], "sizes": {"board": 0.4}, "theme": "dark", "basis": "h",
}  # fmt: skip
PUBLISHED = {
    "arch": {
        "name": "recursive_reasoning.trm@TinyRecursiveReasoningModel_ACTV1", "loss": {"name": "losses@ACTLossHead"},
        "H_cycles": 3, "L_cycles": 6, "H_layers": 0, "L_layers": 2, "hidden_size": 64, "num_heads": 2, "expansion": 4,
        "halt_max_steps": 16, "halt_exploration_prob": 0.1, "puzzle_emb_ndim": 64, "pos_encodings": "rope",
        "forward_dtype": "bfloat16", "mlp_t": False, "puzzle_emb_len": 16, "no_ACT_continue": True,
    },
}  # fmt: skip
NOTEBOOK = {
    "nbformat": 4, "nbformat_minor": 5,
    "metadata": {"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}, "title": "T",
                 "gram": {"tasks": ["nqueens"]}},
    "cells": [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# A title"},
        {"cell_type": "code", "id": "b", "metadata": {"tags": ["parameters"]}, "execution_count": None, "outputs": [],
         "source": "seed: int = 0  # of it\nname: str | None = 'a'\nsizes: list[int] = [1, 2]\nexpect: dict = {}\n"},
        {"cell_type": "code", "id": "c", "metadata": {}, "execution_count": 1, "source": ["1 / 1\n", "2"],
         "outputs": [{"output_type": "stream", "name": "stdout", "text": "x"}]},
    ],
}  # fmt: skip


def small_rollout() -> Any:
    """Two puzzles, three trajectories, few numbers."""
    return synthetic.sudoku(3, supervision_steps=2, puzzles=2)


def texts() -> dict[str, str]:
    """A legal text of each kind."""
    board = json.loads(small_rollout().attrs["board"])
    data = {"run": json.loads(preset("debug").to_json()), "board": board, "state": STATE, "lesson": LESSON}
    written = {"sudoku": SUDOKU, "nqueens": "Q......./8/8/8/8/8/8/8", "coloring": "p edge 8 2\ne 1 2\ne 2 3"}
    written |= {"override": "train.steps=12", "parameter": "{'a': [1, None]}"}
    return written | {kind: json.dumps(tree) for kind, tree in data.items()}


def files(folder: Path) -> dict[str, Path]:
    """A legal file of each kind, by the name that tests give it."""
    data = small_rollout()
    path = {"rollout": rollout.save(data, folder / "a.nc"), "rollout of a page": folder / "a.npz"}
    said = {name: data.attrs[name] for name in ("task", "board", "model", "seed", "name", "checkpoint")}
    times = ("supervision_step", "transition", "low_step")
    np.savez(path["rollout of a page"], **{name: data[name].values for name in ("x", "tokens", "h", *times)})
    with zipfile.ZipFile(path["rollout of a page"], "a") as file:
        file.writestr("attrs.json", json.dumps(said))

    def write(kind: str, name: str, content: bytes | str) -> None:
        path[kind] = folder / name
        path[kind].write_bytes(content.encode() if isinstance(content, str) else content)

    write("YAML", "a.yaml", json.dumps({"seed": 1, "name": "a", "sizes": [1, 2.5, None], "deep": {"er": True}}))
    write("parameters", "b.yaml", "seed: 1\nname: a\nsizes: [1, 2.5, null]\nwhen: 2020-01-01\n")
    write("lesson", "lesson.yaml", json.dumps(LESSON))
    write("configuration of others", "all_config.yaml", json.dumps(PUBLISHED))
    write("puzzles", "a.sdm", f"{SUDOKU}\n{SOLVED}\n")
    write("puzzles as JSON", "puzzles.json", json.dumps([{"puzzle": SUDOKU, "solution": SOLVED, "rating": 3}]))
    write("puzzles as CSV", "puzzles.csv.gz", gzip.compress(f"puzzle,solution\n{SUDOKU},{SOLVED}\n".encode()))
    write("graphs", "graphs.json", json.dumps([{"nodes": [*range(8)], "edges": [[1, 2], [2, 3]]}]))
    table = f"source,question,answer,rating\npuzzles0,{SUDOKU},{SOLVED},3\n"
    write("table of Sudokus", "train.csv.gz", gzip.compress(table.encode()))
    write("task of ARC", "task.json", json.dumps(ARC_TASK))
    write("notebook", "a.ipynb", json.dumps(NOTEBOOK))
    write("pictures", "a-idx3-ubyte", struct.pack(">4I", 2051, 1, 28, 28) + bytes(784))
    path["archive of ARC"] = folder / "arc.zip"
    with zipfile.ZipFile(path["archive of ARC"], "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("training/a.json", "evaluation/b.json"):
            file.writestr(f"data/{name}", json.dumps(ARC_TASK))
    path["pictures of Keras"] = folder / "mnist.npz"
    x, y = np.zeros((2, 28, 28), np.uint8), np.zeros(2, np.uint8)
    np.savez_compressed(path["pictures of Keras"], x_train=x, y_train=y, x_test=x, y_test=y)
    weights = {"a.weight": torch.zeros(4, 4), "b": torch.ones(3)}
    path["weights of others"] = folder / "step_1"
    torch.save(weights, path["weights of others"])
    path["safetensors of others"] = folder / "a.safetensors"
    save_file(weights, path["safetensors of others"], {"format": "pt"})
    return path | {"file to recognize": path["archive of ARC"]}


# What is done to them -------------------------------------------------------------------------------------------------

# What JSON can say, and numbers that it cannot.
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 99) | st.integers() | st.floats() | st.text(max_size=9)
    | st.sampled_from(HOSTILE[:-1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@st.composite
def damaged(draw: Callable[[Any], Any], whole: bytes) -> bytes:
    """Bits flipped, the end cut off, or a stretch replaced by another, of its own or not."""
    place = st.integers(0, max(0, len(whole) - 1))
    content, way = bytearray(whole), draw(st.sampled_from(("flip", "cut", "splice")))
    if way == "flip":
        for at, bit in draw(st.lists(st.tuples(place, st.integers(0, 7)), min_size=1, max_size=8)):
            content[at] ^= 1 << bit
    elif way == "cut":
        del content[draw(place) :]
    else:
        at, size, start = draw(place), draw(st.integers(0, 40)), draw(place)
        text = draw(st.sampled_from(HOSTILE[:-1]) | st.text(max_size=9)).encode(errors="surrogatepass")
        content[at : at + size] = draw(
            st.sampled_from([text, draw(st.binary(max_size=9)), whole[start : start + size]])
        )
    return bytes(content)


@st.composite
def changed(draw: Callable[[Any], Any], tree: Any) -> Any:
    """Plain data with one to three values replaced or left out, or keys renamed."""
    root = {"": copy.deepcopy(tree)}
    for _ in range(draw(st.integers(1, 3))):
        where = list(places(root))
        holder, key = where[draw(st.integers(0, len(where) - 1))]
        way = draw(st.sampled_from(("replace", "replace", "drop", "rename")))
        if way == "replace" or holder is root:
            holder[key] = draw(ANYTHING)
        elif way == "drop":
            del holder[key]
        elif isinstance(holder, dict):
            holder[draw(st.sampled_from(HOSTILE[:-1]) | st.text(max_size=9))] = holder.pop(key)
    return root[""]


def as_json(tree: Any) -> str:
    """The JSON of plain data, in which null stands for numbers that JSON cannot say, and 2 for 2.0."""
    text = json.dumps(_whole_numbers(tree))
    for number in ("-Infinity", "Infinity", "NaN"):
        text = text.replace(number, "null")
    return text


def _whole_numbers(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _whole_numbers(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_whole_numbers(value) for value in tree]
    return int(tree) if isinstance(tree, float) and tree.is_integer() else tree


def places(holder: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in plain data: what holds it, and its key there."""
    for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
        yield holder, key
        if isinstance(holder[key], dict | list):
            yield from places(holder[key])


def variant(whole: bytes) -> st.SearchStrategy[bytes]:
    """A damaged file or text; where it is JSON, also one that holds other data."""
    try:
        tree = json.loads(whole)
    except ValueError:
        return damaged(whole)
    other = changed(tree).map(lambda tree: json.dumps(tree).encode(errors="surrogatepass"))
    return damaged(whole) | other
