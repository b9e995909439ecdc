"""The recorded comparison: real records, a page in seconds, and a load for the benchmark that says what it is."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from gramviz.cli import app
from gramviz.explorer import bench, bench_models
from gramviz.explorer.pack import pack
from gramviz.export.demo import MODELS, payload, record


def test_the_shipped_comparison_shows_why_fifty_paths() -> None:
    shipped = payload()
    assert [(one["model"], one["trajectories"]) for one in shipped.meta["series"]] == [("trm", 1), ("gram", 50)]
    assert shipped.array("outcome", "A")[0] != 1
    right = shipped.array("outcome", "B") == 1
    assert 10 <= right.sum() < 50
    found = set(shipped.array("final", "B")[right].tolist())
    assert len(found) == shipped.meta["solutions_known"]
    # Judged again, from the rule itself: eight queens, none on a row, column or diagonal of another.
    queen = next(k for k, token in enumerate(shipped.meta["board"]["tokens"]) if token["glyph"] == "queen")
    for answer in found:
        row, column = np.divmod(np.flatnonzero(np.array(shipped.meta["answers"][answer]["tokens"]) == queen), 8)
        assert all(len(set(line.tolist())) == 8 for line in (row, column, row + column, row - column))


def test_recording_writes_what_is_read_again(tmp_path: Path, trm, gram) -> None:
    record(trm, gram, tmp_path / "two.json")
    text = (tmp_path / "two.json").read_text()
    wanted = pack([trm, gram], names=["TRM", "GRAM"])
    assert wanted.meta["sha256"] in text
    assert text.count("\n") == 1


def test_demo_writes_a_page_and_opens_no_browser_unasked(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["demo", "--no-browser", "-o", str(tmp_path / "demo.html")])
    assert done.exit_code == 0
    assert done.output.strip() == str(tmp_path / "demo.html")
    page = (tmp_path / "demo.html").read_text()
    assert "default-src 'none'" in page
    assert not re.findall(r"\b(?:src|href)=[\"']?https?:", page)
    first = json.loads(re.search(r'id="gv-payload"[^>]*>(.*?)</script>', page, re.DOTALL)[1])[0]
    assert first["state"] | {"chapter": 0, "cursor": {"step": 0, "low": None}, "hidden": ["B"]} == first["state"]
    assert [one["meta"]["name"] for one in first["thinker"]["programs"]] == list(MODELS)


def test_the_load_of_the_benchmark_is_legal_and_named_for_what_it_is() -> None:
    walks = bench.random_walks(7, steps=5)
    assert pack(walks).meta["series"][0]["name"] == "random walks"
    assert walks.sizes["trajectory"] == 7


def test_what_models_in_a_page_cost_is_a_table_also_where_the_system_does_not_count_workers() -> None:
    names = ("first_step_ms", "first_step_cpu_ms", "workers_cpu_s", "workers_again_cpu_s", "torch_cpu_s")
    figures = {f"{name}_{model}": 1.0 for name in names for model in bench_models.PUZZLES}
    figures["workers_cpu_s_sudoku9-gram"] = None
    assert "| `sudoku9-gram` | 1 ms | 1 ms | not known | 1.00 s | 1.00 s |" in bench_models.table(figures)
