"""A person's own puzzles: every usual form is read as the same puzzle; what cannot be read is said in a sentence."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from gram.evaluation.evaluate import evaluate
from gram.inference.request import SampleError
from gram.inference.sample import sample
from gram.tasks import TASKS, Task, TaskError
from gram.tasks.coloring import ColoringConfig
from gram.tasks.nqueens import NQueensConfig
from gram.tasks.own import MAX_BYTES, counted, read, write
from gram.tasks.sudoku import SudokuConfig

LINE = "1..43.1..14.4..1"  # 4 x 4
ROWS = ["1..4", "3.1.", ".14.", "4..1"]
SUDOKU_FORMS = {
    "a line": LINE,
    "zeros": LINE.replace(".", "0"),
    "question marks and commas": "\n".join(",".join(row) for row in ROWS).replace(".", "?"),
    "a byte order mark and CRLF": "\ufeff" + "\r\n".join(ROWS),
    "a frame": "*-----*\n|1.|.4|\n|3.|1.|\n|--+--|\n|.1|4.|\n|4.|.1|\n*-----*",
    "sections and comments": "#A somebody\n[Puzzle]\n" + "\n".join(ROWS) + "\n#L a line\n",
    "a list in Python": "[[1, None, None, 4], [3, 0, 1, 0], [0, 1, 4, 0], [4, 0, 0, 1]]",
    "a list in JSON, a row a line": "[\n  [1, null, null, 4],\n  [3, 0, 1, 0],\n  [0, 1, 4, 0],\n  [4, 0, 0, 1]\n]",
    "an array as numpy prints it": "[[1 0 0 4]\n [3 0 1 0]\n [0 1 4 0]\n [4 0 0 1]]",
    "rows as texts": str(ROWS),
    "a title": "Grid 01\n" + "\n".join(ROWS),
    "stars for blanks": LINE.replace(".", "*"),
    "an X for blanks": LINE.replace(".", "X"),
    "dashes for blanks": LINE.replace(".", "-"),
    "Simple Sudoku, .ss": "1.|.4\n3.|1.\n-----\n.1|4.\n4.|.1\n",
    "the frame of HoDoKu": ".---.---.\n|1 .|. 4|\n|3 .|1 .|\n:---+---:\n|. 1|4 .|\n|4 .|. 1|\n'---'---'",
}


@pytest.fixture(scope="module")
def sudoku() -> Task:
    return TASKS["sudoku"](SudokuConfig(size=4, generated=20, clues_min=4, clues_max=8))


@pytest.fixture(scope="module")
def queens() -> Task:
    return TASKS["nqueens"](NQueensConfig(board_size=5))


@pytest.mark.parametrize("form", SUDOKU_FORMS)
def test_a_sudoku_in_any_usual_form(sudoku: Task, form: str, tmp_path: Path) -> None:
    expected = sudoku.parse(LINE)
    assert sudoku.text(expected).replace("\n", "") == LINE
    (tmp_path / "puzzle.txt").write_text(SUDOKU_FORMS[form], encoding="utf-8", newline="")
    found = read(sudoku, tmp_path / "puzzle.txt")
    assert (found.x == expected).all()
    assert len(found) == 1
    assert (sudoku.parse(SUDOKU_FORMS[form]) == expected).all()


def test_several_sudokus(sudoku: Task, tmp_path: Path) -> None:
    digits = [[int(cell) for cell in LINE.replace(".", "0")]] * 2
    for source in ([LINE, LINE], np.array(digits), np.array(digits).reshape(2, 4, 4), tuple(map(np.array, digits))):
        assert (read(sudoku, source).x == sudoku.parse(LINE)).all()
    for name, text in (("two.sdm", f"{LINE}\n{LINE}\n"), ("rows.txt", "\n\n".join(["\n".join(ROWS)] * 2))):
        (tmp_path / name).write_text(text)
        assert len(read(sudoku, tmp_path / name)) == 2
    (tmp_path / "packed").write_bytes(gzip.compress(f"{LINE}\n{LINE}".encode()))
    assert len(read(sudoku, tmp_path / "packed")) == 2


def test_a_table_has_answers_and_ratings(sudoku: Task, tmp_path: Path) -> None:
    answer = sudoku.text(sudoku.solve(sudoku.parse(LINE))[0]).replace("\n", "")
    for header in ("source,question,answer,rating", "id,quizzes,solutions,rating"):
        (tmp_path / "table.csv").write_text(f"{header}\na,{LINE},{answer},7\nb,{answer},{answer},0\n")
        found = read(sudoku, tmp_path / "table.csv")
        assert found.rating is not None
        assert found.rating.tolist() == [7, 0]
        assert [sudoku.text(solution[0]).replace("\n", "") for solution in found.solutions] == [answer] * 2
    renamed = answer.translate(str.maketrans("12", "21"))
    for wrong, words in ((renamed, "breaks a rule or changes a given"), (answer[1:] + answer[0], ": .* twice, at ")):
        (tmp_path / "table.csv").write_text(f"quizzes,solutions\n{LINE},{wrong}\n")
        with pytest.raises(TaskError, match=rf"table.csv, puzzle 1: its answer{'' if words[0] == ':' else ' '}{words}"):
            read(sudoku, tmp_path / "table.csv")


QUEENS = "..Q..\n.....\n.....\n.....\n....."


@pytest.mark.parametrize(
    "text",
    [QUEENS, QUEENS.replace(".", "_ ").replace("Q", "Q "), "2Q2/5/5/5/5", "[2, -1, -1, -1, -1]", "2,-1,-1,-1,-1"],
)
def test_queens_in_any_usual_form(queens: Task, text: str, tmp_path: Path) -> None:
    (tmp_path / "queens").write_text(text + "\n")
    found = read(queens, tmp_path / "queens")
    assert (found.x == queens.parse(QUEENS)).all()
    assert found.counts.tolist() == [2]
    assert len(read(queens, [text, text])) == 2


def test_a_graph_of_dimacs() -> None:
    task = TASKS["coloring"](ColoringConfig(vertices=5))
    text = "c five nodes\np edge 5 3\ne 1 2\ne 2 3\ne 4 3\n"
    assert (task.parse(text) == task.parse("1-2 2-3 3-4")).all()
    assert (task.parse("p edge 5 0\n") == task.parse("no edges")).all()
    with pytest.raises(TaskError, match="this task has 5 nodes, so write p edge 5"):
        task.parse("p edge 6 1\ne 1 2")
    with pytest.raises(TaskError, match="'e 1 2 3' is no edge of a DIMACS file"):
        task.parse("p edge 5 1\ne 1 2 3")


GRAPH = nx.Graph([(0, 1), (1, 2), (2, 3), (0, 4)])
MATRIX = nx.to_numpy_array(GRAPH, range(5), dtype=int)
GRAPH_FORMS: dict[str, Any] = {
    "DIMACS": "c five nodes\np edge 5 4\ne 1 2\ne 2 3\ne 3 4\ne 1 5\n",
    "an edge list from 0": "# mine\n0 1\n1 2\n2 3\n0 4\n",
    "an edge list from 1": "1 2\n2 3\n3 4\n1 5\n",
    "networkx's edge list": "\n".join(nx.generate_edgelist(GRAPH)),
    "a CSV of edges": "source,target\n0,1\n1,2\n2,3\n0,4",
    "graph6": nx.to_graph6_bytes(GRAPH).decode(),
    "an adjacency matrix": "\n".join(" ".join(map(str, row)) for row in MATRIX),
    "a list of lists": str(MATRIX.tolist()),
    "node-link JSON": json.dumps(nx.node_link_data(GRAPH)),
    "reasoning-gym": json.dumps(
        {"metadata": {"puzzle": {"vertices": [*range(5)], "edges": [list(edge) for edge in GRAPH.edges]}}}
    ),
}


@pytest.mark.parametrize("form", GRAPH_FORMS)
def test_a_graph_in_any_usual_form(form: str, tmp_path: Path) -> None:
    task = TASKS["coloring"](ColoringConfig(vertices=5))
    (tmp_path / "graph").write_text(GRAPH_FORMS[form])
    assert (read(task, tmp_path / "graph").x == task.parse("1-2 2-3 3-4 1-5")).all()


def test_graphs_as_objects_and_several_in_a_file(tmp_path: Path) -> None:
    task = TASKS["coloring"](ColoringConfig(vertices=5))
    expected = task.parse("1-2 2-3 3-4 1-5")
    for source in (GRAPH, [GRAPH, GRAPH], [MATRIX], MATRIX[None]):
        assert (read(task, source).x == expected).all()
    (tmp_path / "two.g6").write_text(nx.to_graph6_bytes(GRAPH, header=False).decode() * 2)
    assert len(read(task, tmp_path / "two.g6")) == 2
    lonely = GRAPH.copy()
    lonely.add_node("an isolated vertex is a vertex")
    for other, words in ((lonely, "has 6 nodes and this task 5"), (np.triu(MATRIX), "is not symmetric")):
        with pytest.raises(TaskError, match=words):
            read(task, [other])
    with pytest.raises(TaskError, match="a node 5, counted from 0; this task has 5 nodes"):
        task.parse("0 1\n1 5")


def test_reasoning_gym_and_tables_in_memory(sudoku: Task, queens: Task, tmp_path: Path) -> None:
    puzzle = [[0 if cell == "." else int(cell) for cell in row] for row in ROWS]
    answer = (sudoku.solve(sudoku.parse(LINE))[0].reshape(4, 4) - 1).tolist()
    entry = {"question": "Solve this Sudoku puzzle", "answer": "", "metadata": {"puzzle": puzzle, "solution": answer}}
    (tmp_path / "gym.jsonl").write_text("\n".join([json.dumps(entry)] * 2))
    assert len(read(sudoku, tmp_path / "gym.jsonl")) == 2
    entry["metadata"]["solution"] = puzzle
    (tmp_path / "gym.json").write_text(json.dumps([entry]))
    with pytest.raises(TaskError, match="puzzle 1: its answer breaks a rule"):
        read(sudoku, tmp_path / "gym.json")
    board = [["_"] * 5 for _ in range(5)]
    board[0][2] = "Q"
    (tmp_path / "queens.json").write_text(json.dumps({"metadata": {"puzzle": board, "solutions": []}}))
    assert (read(queens, tmp_path / "queens.json").x == queens.parse(QUEENS)).all()
    pandas = pytest.importorskip("pandas")
    found = read(sudoku, pandas.DataFrame({"Puzzle": [LINE, LINE], "rating": [3, 4]}))
    assert found.rating is not None
    assert found.rating.tolist() == [3, 4]
    with pytest.raises(TaskError, match="the table, no column of board holds puzzles; name it question"):
        read(sudoku, pandas.DataFrame({"board": [LINE]}))


@pytest.mark.parametrize("name", ["one.csv", "one.sdm", "one.txt"])
def test_what_is_written_is_read_back(sudoku: Task, queens: Task, tmp_path: Path, name: str) -> None:
    for task, texts in ((sudoku, [LINE, LINE]), (queens, [QUEENS, "1,-1,-1,-1,-1"])):
        puzzles = read(task, texts)
        write(task, puzzles, tmp_path / name)
        assert (read(task, tmp_path / name).x == puzzles.x).all()
    graphs = TASKS["coloring"](ColoringConfig(vertices=5))
    write(graphs, read(graphs, [GRAPH, MATRIX]), tmp_path / name)
    assert len(read(graphs, tmp_path / name)) == 2


def test_none_one_and_several_solutions_are_said(sudoku: Task, debug_checkpoint: Path) -> None:
    none, several = "12....3...4.....", "." * 16
    found = read(sudoku, [none, LINE, "12" + "." * 14])
    assert found.counts.tolist()[:2] == [0, 1]
    assert counted(found) == "1 with no solution, 1 with one solution, 1 with several solutions"
    assert read(sudoku, [several]).counts.tolist() == [288]
    nothing = ".....\n..Q..\n.....\nQ...Q\n....."  # two of these attack each other
    with pytest.raises(TaskError, match="attack each other"):
        read(TASKS["nqueens"](NQueensConfig(board_size=5)), [nothing])
    blocked = "[0, -1, 3, -1, -1]"
    with pytest.raises(SampleError, match="puzzle 2 has no solution, so no answer to it can be right; leave it out"):
        evaluate(debug_checkpoint, [QUEENS, blocked], trajectories=1, supervision_steps=1)
    rollout = sample(debug_checkpoint, [blocked], trajectories=1, supervision_steps=1)
    assert rollout["solutions_known"].values.tolist() == [0]
    assert not rollout["valid"].any()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no puzzle stands there"),
        (b"\xff\xfe\x00", "is no text in UTF-8"),
        (b"\x1f\x8b\x08 not packed", "cannot be read"),
        (b"12\n34\n", "puzzle 1: the puzzle has rows of 2, 2 characters"),
        (f"{LINE}\n{LINE[:-2]}11".encode(), "puzzle 2: row 4 holds"),
        (f"question,rating\n{LINE}".encode(), "row 2 has 1 fields under 2 columns"),
        (f"question,rating\n{LINE},hard".encode(), "a rating is no whole number"),
        (b'question\n"' + b"1" * 200_000 + b'"', "field larger than field limit"),
    ],
)
def test_what_cannot_be_read_is_said(sudoku: Task, content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_bytes(content)
    with pytest.raises(TaskError) as found:
        read(sudoku, path)
    assert words in str(found.value)
    assert "own.txt" in str(found.value)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("split", [",", ";", "\t"])
def test_a_table_may_lack_answers_and_has_any_usual_delimiter(sudoku: Task, split: str, tmp_path: Path) -> None:
    rows = [("puzzle", "solution", "rating"), (LINE, "", "3"), (LINE, sudoku.text(first_solution(sudoku)), "")]
    (tmp_path / "own.csv").write_text("\n".join(split.join(row).replace("\n", "") for row in map(list, rows[:2])))
    assert read(sudoku, tmp_path / "own.csv").rating.tolist() == [3]
    text = "\n".join(split.join(cell.replace("\n", "") for cell in row) for row in rows)
    (tmp_path / "own.csv").write_text(text, newline="")
    found = read(sudoku, tmp_path / "own.csv")
    assert len(found) == 2
    assert found.rating is None


def first_solution(sudoku: Task) -> np.ndarray:
    return read(sudoku, [LINE]).solutions[0][0]


def test_old_line_ends_and_a_list_in_json(sudoku: Task, tmp_path: Path) -> None:
    (tmp_path / "cr.txt").write_bytes(f"{LINE}\r{LINE}".encode())
    (tmp_path / "list.json").write_text(json.dumps([LINE, LINE]))
    assert len(read(sudoku, tmp_path / "cr.txt")) == len(read(sudoku, tmp_path / "list.json")) == 2


def test_whole_floats_columns_of_queens_and_iterators(sudoku: Task, queens: Task, debug_checkpoint: Path) -> None:
    digits = [float(cell) for cell in LINE.replace(".", "0")]
    expected = sudoku.parse(LINE)
    for source in ([digits], np.array([digits]), {"puzzle": [LINE]}, iter([LINE])):
        assert (read(sudoku, source).x == expected).all()
    assert (read(queens, [[0, -1, -1, -1, -1]]).x == queens.parse("Q..../...../...../...../.....")).all()
    with pytest.raises(TaskError, match="b'ab' is no list of puzzles"):  # not the puzzles 97 and 98
        sample(debug_checkpoint, b"ab", trajectories=1, supervision_steps=1)
    assert sample(debug_checkpoint, iter([QUEENS]), trajectories=1, supervision_steps=1).sizes["puzzle"] == 1


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"puzzle": [LINE, np.nan]}, "the table, puzzle 2 is empty"),
        ({"puzzle": [123]}, "the table, puzzle 1: a puzzle is '123'; give a text"),
        ({"puzzle": [LINE], "answer": [5]}, "the table, puzzle 1: its answer: a puzzle is '5'"),
        ({"puzzle": [LINE], "rating": [np.inf]}, "a rating is no whole number"),
        ({"puzzle": [LINE], "rating": ["9" * 30]}, "a rating is no whole number"),
        ({"puzzle": [LINE], "rating": [[1]]}, "a rating is no whole number"),
        ({"puzzle": [LINE], "rating": [1, 2]}, "its columns have different lengths"),
        ({}, "no column of none holds puzzles"),
    ],
)
def test_what_a_table_cannot_hold_is_said(sudoku: Task, columns: dict[str, list[Any]], words: str) -> None:
    with pytest.raises(TaskError, match=re.escape(words)):
        read(sudoku, columns)


@pytest.mark.parametrize(
    "source", [[[[1, 2], [3]]], [[np.nan] * 16], 3.5, b"1", [[1.5] * 16], [["a"]], [[10] * 16], []]
)
def test_what_is_no_list_of_puzzles(sudoku: Task, source: Any) -> None:
    with pytest.raises(TaskError):
        read(sudoku, source)


def test_what_unpacks_to_more_than_the_budget_is_refused(sudoku: Task, tmp_path: Path) -> None:
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(MAX_BYTES + 1), compresslevel=1))
    with pytest.raises(TaskError, match=r"bomb.gz cannot be read: it has more than 64,000,000 bytes"):
        read(sudoku, tmp_path / "bomb.gz")


def test_no_path_holds_nul(sudoku: Task, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="no name of a file holds the character NUL"):
        read(sudoku, tmp_path / "a\0b")


def test_a_folder_is_no_file_of_puzzles(sudoku: Task, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="it is a folder, a device or a pipe, and no file"):
        read(sudoku, tmp_path)


def test_own_puzzles_are_sampled_and_scored(debug_checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text(QUEENS)
    (text,) = (sample(debug_checkpoint, QUEENS, trajectories=2, supervision_steps=1),)
    for source in (tmp_path / "own.txt", str(tmp_path / "own.txt"), [QUEENS], [[0, 0, 1, 0, 0, *[0] * 20]]):
        if source == [[0, 0, 1, 0, 0, *[0] * 20]]:
            source = np.array(source).reshape(1, 5, 5)
        assert sample(debug_checkpoint, source, trajectories=2, supervision_steps=1)["tokens"].equals(text["tokens"])
    found = evaluate(debug_checkpoint, [QUEENS, "[0, -1, -1, -1, -1]"], trajectories=2, supervision_steps=1)
    assert found["inputs"] == 2


def test_what_the_page_on_data_shows_works() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "data.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    exec(block, {})
