"""tables.yaml: what it names exists, and what is wrong in such a file is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from gram.presets import PRESETS
from gram.release.tables import FILE, Pass, load
from gram.run_folder import find
from gram.strict import ConfigError

TABLES = load()


@pytest.mark.parametrize("name", TABLES.tables)
def test_the_rows_are_of_tasks_that_have_presets(name: str) -> None:
    tasks = {preset.rpartition("-")[0] + "-" for preset in PRESETS}
    for row in TABLES.tables[name].rows:
        assert row.artifact.startswith(tuple(tasks)), row.artifact


def test_an_artifact_is_measured_once_for_all_tables_that_list_it() -> None:
    assert TABLES.passes("nqueens8-ablated-gram") == [Pass(trajectories=(5,), limit=200, quick=16)]
    assert [one.single for one in TABLES.passes("sudoku9-gram")] == [True, False, False, False]
    assert TABLES.passes("a-run-of-mine") == []


SMALL = """
intro: Words.
tables:
  boards:
    title: Boards
    text: Some.
    columns: [accuracy]
    paper: ["1", nqueens, 8]
    passes: [{trajectories: [2], limit: 3}]
    rows: [{artifact: a, paper: gram}, {artifact: b}]
    targets: [{cell: {artifact: a, metric: coverage}, at_least: 1, limits: Size., tried: [[more, none]]}]
claims:
  better:
    title: A is better
    compare: [{table: boards, better: {artifact: a, metric: accuracy}, than: {artifact: b, metric: accuracy}}]
"""


def test_a_file_is_read_strictly(tmp_path: Path) -> None:
    path = tmp_path / "tables.yaml"
    path.write_text(SMALL)
    tables = load(path)
    assert tables.tables["boards"].targets[0].tried == (("more", "none"),)
    assert tables.tables["boards"].published(tables.tables["boards"].rows[0]) == {"accuracy": 0.997, "coverage": 0.903}
    assert tables.choose([]) == ["boards"]
    with pytest.raises(ConfigError, match=r"unknown table 'bords'.*did you mean 'boards'"):
        tables.choose(["bords"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("columns: [accuracy]", "columns: [acuracy]", r"boards: unknown metric 'acuracy'.*did you mean 'accuracy'"),
        ("paper: gram}", "paper: gramm}", r"boards: unknown row of the paper for a 'gramm'"),
        ("nqueens, 8]", "nqueens, 7]", r"boards.paper is \['1', 'nqueens', 7\]; give table, task and size"),
        ("{artifact: b}", "{artifact: a}", "a stands twice"),
        ("at_least: 1,", "at_least: 1, at_most: 1,", "at_least is 1.0 and at_most is 1.0; give one of them"),
        ("[[more, none]]", "[more]", r"tried\[0\] is 'more'; give what was tried and its effect"),
        ("cell: {artifact: a", "cell: {artifact: c", "unknown artifact of a target 'c'"),
        ("than: {artifact: b", "than: {artifact: c", "unknown artifact of the claim better 'c'"),
        ("table: boards", "table: board", "unknown table of the claim better 'board'"),
        ("trajectories: [2]", "trajectories: [0]", "trajectories is .*; give numbers from 1"),
        ("passes: [{trajectories: [2], limit: 3}]", "passes: []", "passes is empty; say how its rows are measured"),
        ("    text: Some.\n", "", "tables.boards: missing 1 required positional argument: 'text'; add it"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(old: str, new: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "tables.yaml"
    path.write_text(SMALL.replace(old, new))
    with pytest.raises(ConfigError, match=message):
        load(path)


def test_every_claim_and_target_of_the_file_can_be_measured() -> None:
    """Depths and widths that a target or a claim names are those of a pass; where cards are shown, theirs."""
    raw = yaml.safe_load(FILE.read_text())
    assert len(raw["claims"]) == 6
    cells = [(name, target.cell) for name, table in TABLES.tables.items() for target in table.targets]
    cells += [(one.table, cell) for claim in TABLES.claims.values() for one in claim.compare
              for cell in (one.better, one.than)]  # fmt: skip
    for name, cell in cells:
        passes = [one for one in TABLES.tables[name].passes if TABLES.tables[name].anew]
        assert not passes or any(
            cell.trajectories in (0, *one.trajectories) and cell.supervision_steps in (0, *one.depths) for one in passes
        ), cell


def test_a_row_says_which_diffusion_its_model_has() -> None:
    """And takes the paper's value of that one: uniform and absorbing are two models there."""
    kinds = {"uniform", "absorbing"}
    for row in (row for table in TABLES.tables.values() for row in table.rows):
        folder = find(row.artifact)
        said = kinds & {*row.words.split(), *(row.paper or "").replace(",", "").split()}
        if folder and said:
            assert said == {json.loads((folder / "config.json").read_text())["model"]["diffusion"]}, row.artifact
