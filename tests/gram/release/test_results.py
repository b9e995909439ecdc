"""`gram results`: rows measured as the cards were, claims computed from them, and the page that they make."""

from __future__ import annotations

import json
import math
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import gram
from gram import checkpoint as store
from gram.checkpoint import CheckpointError
from gram.evaluation.metrics import shown, with_interval
from gram.presets import preset
from gram.release.claims import judge, pairs, still, targets
from gram.release.export import export, machine
from gram.release.page import page
from gram.release.results import judged, measured, rebuild, remarks, results, write
from gram.release.stored import card
from gram.release.tables import Cell, Claim, Comparison, Pass, Row, Table, Tables, Target, load
from gram.training.loop import train

ROOT = Path(__file__).resolve().parents[3]
ONE, GRID = Pass(trajectories=(3,), limit=40, quick=4), Pass((1, 2), (1, 2), False, limit=6)
TABLES = Tables(
    intro="Small boards.",
    tables={
        "boards": Table(
            "Boards",
            "Five queens.",
            ("accuracy", "coverage", "conflicts"),
            (Row("queens5", "a toy"), Row("queens5-trm"), Row("not-trained")),
            passes=(ONE,),
            targets=(
                Target(Cell("queens5", "coverage"), at_least=0),
                Target(
                    Cell("queens5-trm", "accuracy"), at_least=2, limits="No share is 2.", tried=(("asking", "none"),)
                ),
                Target(Cell("not-trained", "accuracy"), at_least=0.5),
            ),
        ),
        "depth": Table("Depth", "More steps.", ("accuracy",), (Row("queens5"), Row("queens5-trm")), passes=(GRID,)),
    },
    claims={
        "width": Claim(
            "Many beat one",
            (Comparison("boards", Cell("queens5", "best by value"), Cell("queens5-trm", "accuracy")),),
        ),
        "absent": Claim(
            "Absent", (Comparison("boards", Cell("not-trained", "accuracy"), Cell("queens5", "accuracy")),)
        ),
    },
)


@pytest.fixture(scope="module")
def artifacts(debug_checkpoint: Path, debug_trm_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GRAM with metrics of two training seeds, and those of a TRM without its weights."""
    folder = tmp_path_factory.mktemp("artifacts")
    other = train(preset("debug").override(["seed=1"]), folder / "runs" / "other", quiet=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gram.release.tables.load", lambda: TABLES)
        export(debug_checkpoint, folder / "queens5", also=[other])
        export(debug_trm_checkpoint, folder / "queens5-trm", weights=False)
    return folder


@pytest.fixture
def here(artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRAM_ARTIFACTS", str(artifacts))
    return artifacts


def test_rows_are_measured_as_their_cards_say(here: Path, tmp_path: Path) -> None:
    said = write(TABLES, out=tmp_path)
    found, words = json.loads((tmp_path / "results.json").read_text()), (tmp_path / "results.md").read_text()
    assert said[0] == "not trained yet, so left out: not-trained"
    assert not any("not what the cards say" in line for line in said)
    assert any(line.startswith("targets missed") and "boards (queens5-trm, accuracy)" in line for line in said)
    gram_row, trm_row = found["tables"]["boards"]["rows"]
    cards = {name: json.loads((here / name / "results.json").read_text()) for name in ("queens5", "queens5-trm")}
    first, second = cards["queens5"]["by_seed"]
    (cell,) = gram_row["cells"]
    assert cell["agrees_with_card"]
    assert cell["measured"].startswith("here")
    assert cell["command"] == first["command"] == "gram evaluate queens5 --trajectories 3 --seed 0 --limit 40"
    assert cell["metrics"]["accuracy"] == {
        "value": first["accuracy"], "interval": first["intervals"]["accuracy"],
        "seeds": [first["accuracy"], second["accuracy"]], "mean": (first["accuracy"] + second["accuracy"]) / 2,
    }  # fmt: skip
    assert gram_row["training_seeds"] == [0, 1]
    assert cell["metrics"]["conflicts"]["value"] == first["all_inputs"]["conflicts"]
    # debug: T = 2, K = 1, so four passes a supervision step
    assert cell["calls"] == {"trajectory": 4 * first["mean_halt_step"], "all": 12 * first["mean_halt_step"]}
    assert trm_row["cells"][0]["measured"] == "by gram export"
    assert not trm_row["weights"]
    steps = cards["queens5-trm"]["by_seed"][0]["mean_halt_step"]
    assert trm_row["cells"][0]["calls"] == {"trajectory": 4 * steps, "all": 4 * steps}
    assert f"| {shown(first, 'coverage')}; 2 seeds:" in words
    assert "- missed: `queens5-trm`, accuracy ≥ 2: " in words
    assert "No share is 2. Tried: asking: none." in words
    depths = [(one["supervision_steps"], one["trajectories"]) for one in found["tables"]["depth"]["rows"][0]["cells"]]
    assert depths == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert found == judged(TABLES, found)
    assert words == page(TABLES, found)
    cards = judged(TABLES, rebuild(TABLES, effort="cards"))
    assert cards["tables"]["boards"]["rows"][0]["cells"] == [{**cell, "measured": "by gram export"}]
    assert cards["claims"] == found["claims"]


def test_a_measured_difference_stays_while_its_figures_do() -> None:
    """What was paired by puzzle cannot be paired again from cards, and need not be where they say the same."""

    def rows(value: float) -> list[dict[str, Any]]:
        metrics = {"accuracy": {"value": value, "interval": [0, 1]}}
        cell = {"trajectories": 1, "supervision_steps": 4, "metrics": metrics}
        return [{"artifact": name, "cells": [cell]} for name in ("one", "other")]

    pair = {
        "better": {"artifact": "one", "metric": "accuracy"}, "than": {"artifact": "other", "metric": "accuracy"},
        "difference": 0.1, "interval": [0.0, 0.2],
    }  # fmt: skip
    assert still({"rows": rows(0.5), "pairs": [pair]}, rows(0.5)) == [pair]
    assert still({"rows": rows(0.5), "pairs": [pair]}, rows(0.6)) == []
    assert still({"rows": rows(0.5), "pairs": [pair]}, rows(0.5)[:1]) == []
    assert still({}, rows(0.5)) == []


def test_some_tables_are_rebuilt_and_quickly(here: Path, tmp_path: Path) -> None:
    write(TABLES, effort="quick", out=tmp_path)
    old = results(tmp_path)
    assert old["tables"]["boards"]["rows"][0]["cells"][0]["inputs"] <= 4
    assert old["tables"]["boards"]["targets"] == []
    assert None in [one["holds"] for claim in old["claims"].values() for one in claim["compare"] if one["better"]]
    assert not any(claim["holds"] is False for claim in old["claims"].values())
    assert {cell["measured"] for cell in old["tables"]["depth"]["rows"][0]["cells"]} == {"by gram export"}
    new = judged(TABLES, rebuild(TABLES, ["boards"], effort="quick", old=old))
    assert new["tables"]["depth"] == old["tables"]["depth"]
    assert new["tables"]["boards"]["made"]["command"] == "gram results --quick boards"
    assert "- `gram results --quick boards` in 0.0 CPU minutes" in page(TABLES, new)
    assert re.search(r"- `gram results --quick` in .*: \*Depth\*\n", page(TABLES, new))
    cards = judged(TABLES, rebuild(TABLES, ["depth"], effort="cards", old=old))
    assert cards["tables"]["boards"]["targets"] == []  # of few inputs, whatever was made afterwards
    whole = judged(TABLES, rebuild(TABLES, ["boards"], effort="cards", old=old))
    assert len(whole["tables"]["boards"]["targets"]) == 3
    (tmp_path / "results.md").unlink()
    write(TABLES, effort="page", out=tmp_path)
    assert results(tmp_path) == old
    assert (tmp_path / "results.md").read_text() == page(TABLES, old)
    assert not any("targets missed" in line for line in remarks(TABLES, old))


def test_a_row_that_takes_too_long_shows_its_card(here: Path) -> None:
    table = TABLES.tables["boards"]
    rows = (replace(table.rows[0], anew=False), *table.rows[1:])
    tables = replace(TABLES, tables={"boards": replace(table, rows=rows)})
    row = rebuild(tables)["tables"]["boards"]["rows"][0]
    assert row["weights"]
    assert {cell["measured"] for cell in row["cells"]} == {"by gram export"}


def test_a_card_that_says_otherwise_is_named(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Path(shutil.copytree(here, tmp_path / "artifacts"))
    card = json.loads((other / "queens5" / "results.json").read_text())
    monkeypatch.setenv("GRAM_ARTIFACTS", str(other))
    low, high = card["by_seed"][0]["intervals"]["accuracy"]
    card["by_seed"][0]["intervals"]["accuracy"] = [low, math.nextafter(high, 2)]  # another formula of the same interval
    (other / "queens5" / "results.json").write_text(json.dumps(card))
    assert rebuild(TABLES, ["boards"])["tables"]["boards"]["rows"][0]["cells"][0]["agrees_with_card"]
    card["by_seed"][0]["accuracy"] = 0.123
    (other / "queens5" / "results.json").write_text(json.dumps(card))
    found = judged(TABLES, rebuild(TABLES, ["boards"]))
    assert any(
        line.startswith("not what the cards say") and line.endswith(": queens5") for line in remarks(TABLES, found)
    )


DAMAGES: dict[str, Any] = {
    "cut": lambda text: text[: len(text) // 2],
    "empty": lambda text: "",
    "a list": lambda text: "[]",
    "no tables": lambda text: "{}",
    "made of nothing": lambda text: text.replace('"made": {', '"made": null, "was": {'),
    "no cells": lambda text: text.replace('"cells"', '"sells"'),
    "a word for a number": lambda text: re.sub(r'"value": [^,]*,', '"value": "x",', text),
    "no number": lambda text: re.sub(r'"value": [^,]*,', '"value": NaN,', text),
    "steps in words": lambda text: re.sub(r'"optimizer_steps": \d+', '"optimizer_steps": "many"', text),
    "a digest that is a number": lambda text: re.sub(r'("data": {[^}]*"sha256": )"[^"]*"', r"\1 5", text),
    "no calls": lambda text: re.sub(r'"calls": {[^}]*}', '"calls": {}', text),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_results_are_refused_before_anything_is_measured(here: Path, tmp_path: Path, damage: str) -> None:
    write(TABLES, effort="cards", out=tmp_path)
    file = tmp_path / "results.json"
    bad = DAMAGES[damage](file.read_text())
    file.write_text(bad)
    for effort in ("page", "quick"):
        with pytest.raises(CheckpointError, match=r"results\.json is damaged \(.*\); remove it"):
            write(TABLES, ["boards"], effort=effort, out=tmp_path)
    assert file.read_text() == bad


@pytest.mark.parametrize("damage", ["cut", "empty", "a list", "no tables"])
def test_a_damaged_card_is_named(here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    other = Path(shutil.copytree(here, tmp_path / "artifacts"))
    file = other / "queens5" / "results.json"
    file.write_text(DAMAGES[damage](file.read_text()))
    monkeypatch.setenv("GRAM_ARTIFACTS", str(other))
    with pytest.raises(CheckpointError, match=r"queens5/results\.json is damaged .*make it anew with `gram export`"):
        rebuild(TABLES, effort="cards")


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_measured(here: Path, tmp_path: Path) -> None:
    (tmp_path / "results.md").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=r"results\.md is a folder"):
        write(TABLES, out=tmp_path)
    with pytest.raises(CheckpointError, match="file is a file; give a folder"):
        write(TABLES, out=tmp_path / "file")
    assert {path.name for path in tmp_path.iterdir()} == {"results.md", "file"}


def figure(artifact: str, value: float, side: float, metric: str = "accuracy") -> dict[str, Any]:
    metrics = {metric: {"value": value, "interval": [value - side, value + side]}}
    return {"artifact": artifact, "cells": [{"trajectories": 2, "supervision_steps": 4, "metrics": metrics}]}


@pytest.mark.parametrize(("side", "holds"), [(0.04, True), (0.06, False)])
@pytest.mark.parametrize(("metric", "better"), [("accuracy", "high"), ("conflicts", "low")])
def test_a_claim_holds_where_intervals_do_not_touch(side: float, holds: bool, metric: str, better: str) -> None:
    rows = [figure("high", 0.6, side, metric), figure("low", 0.5, side, metric)]
    worse = {"high": "low", "low": "high"}[better]
    tables = {"boards": {"rows": rows}}
    claim = Claim("A claim", (Comparison("boards", Cell(better, metric), Cell(worse, metric)),))
    assert judge(claim, tables)["holds"] is holds
    assert judge(replace(claim, compare=(Comparison("boards", Cell(worse, metric), Cell(better, metric)),)), tables)[
        "holds"
    ] is False  # fmt: skip
    deeper = Comparison("boards", Cell(better, metric, supervision_steps=5), Cell(worse, metric))
    found = judge(replace(claim, compare=(*claim.compare, deeper)), tables)
    assert (found["holds"], found["absent"]) == (None, [better])


def measured_on(puzzles: list[int], right: list[float]) -> dict[str, Any]:
    """A cell of 2 samples as it is before its pairs are taken, with the accuracy of each puzzle."""
    share = sum(right) / len(right)
    row = figure("", share, 0.2)
    row["cells"][0]["per_puzzle"] = {
        "accuracy": share,
        "per_puzzle": {"puzzle": puzzles, "solutions": [1] * len(puzzles), "accuracy": right},
    }
    return row


def test_a_claim_is_judged_by_the_difference_of_each_puzzle() -> None:
    """20 of 100 puzzles are solved by one side alone, none by the other alone: pairs tell what intervals do not."""
    puzzles, better, worse = list(range(100)), [1.0] * 60 + [0.0] * 40, [1.0] * 40 + [0.0] * 60
    claim = Claim("A claim", (Comparison("boards", Cell("a", "accuracy"), Cell("b", "accuracy")),))
    rows = [measured_on(puzzles, better) | {"artifact": "a"}, measured_on(puzzles, worse) | {"artifact": "b"}]
    assert judge(claim, {"boards": {"rows": rows}})["holds"] is False
    found = pairs([claim], "boards", rows)
    assert not any("per_puzzle" in cell for row in rows for cell in row["cells"])
    result = judge(claim, {"boards": {"rows": rows, "pairs": found}})
    assert (result["holds"], result["compare"][0]["paired"]["difference"]) == (True, pytest.approx(0.2))
    others = [measured_on(puzzles, better) | {"artifact": "a"}, measured_on(puzzles[::-1], worse) | {"artifact": "b"}]
    assert pairs([claim], "boards", others) == []  # not of the same puzzles
    back = Claim("A claim", (Comparison("boards", Cell("b", "accuracy"), Cell("a", "accuracy")),))
    rows = [measured_on(puzzles, better) | {"artifact": "a"}, measured_on(puzzles, worse) | {"artifact": "b"}]
    assert judge(back, {"boards": {"pairs": pairs([back], "boards", rows), "rows": rows}})["holds"] is False


def test_a_target_is_met_by_the_mean_of_the_training_seeds() -> None:
    row = figure("a", 0.9, 0.1)
    row["cells"][0]["metrics"]["accuracy"] |= {"mean": 0.7, "seeds": [0.9, 0.5]}
    table = replace(
        TABLES.tables["boards"],
        rows=(Row("a"),),
        targets=(Target(Cell("a", "accuracy"), at_least=0.8), Target(Cell("a", "accuracy"), at_most=0.7)),
    )
    assert [one["met"] for one in targets(table, [row])] == [False, True]


STORED = ROOT / "artifacts" / store.RESULTS


def test_every_card_that_ships_is_read() -> None:
    for file in (ROOT / "artifacts").glob(f"*/{store.RESULTS}"):
        assert card(file.parent)["name"]


def test_the_page_in_docs_is_that_of_the_stored_results() -> None:
    """If not: `gram results --page` after a change of words, `gram results` after one of an artifact."""
    tables, found = load(), results(STORED.parent)
    assert judged(tables, found) == found
    assert (ROOT / "docs" / "results.md").read_text() == page(tables, found)
    for table in found["tables"].values():
        for row in table["rows"]:
            if row["weights"]:
                path = ROOT / "artifacts" / row["artifact"] / store.WEIGHTS
                assert store.read_metadata(path)["sha256"] == row["sha256"], row["artifact"]


@pytest.mark.slow
def test_what_a_card_says_is_measured_again() -> None:
    """To the bit on the processor that it was measured on; on another one within the interval."""
    row = measured(load().tables["coloring8"], Row("coloring8-trm"), "full", {})
    (cell,) = row["cells"]
    card = json.loads((ROOT / "artifacts" / "coloring8-trm" / store.RESULTS).read_text())
    if card["machine"] == machine():
        assert cell["agrees_with_card"]
    low, high = card["by_seed"][0]["intervals"]["coverage"]
    assert low <= cell["metrics"]["coverage"]["value"] <= high
    text = (ROOT / "artifacts" / "coloring8-trm" / store.CARD).read_text()
    entry = cell["metrics"]["coverage"]
    assert with_interval(entry["value"], entry["interval"]) in text or card["machine"] != machine()


def test_metrics_without_weights_say_how_to_train_them(here: Path) -> None:
    with pytest.raises(store.CheckpointError, match=r"has its metrics and not its weights; train them with `gram tra"):
        gram.load("queens5-trm")
    assert "queens5-trm" not in gram.names()
    assert preset(here / "queens5-trm" / store.CONFIG) == preset("debug-trm")
    assert "The weights are not included" in (here / "queens5-trm" / store.CARD).read_text()
