"""The static site: small, without server or network, and what it shows computes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gramviz.cli import app
from gramviz.export import site as module
from gramviz.export.recording import RecordingError
from gramviz.export.site import ROOMS, site

SHIPPED = Path(__file__).resolve().parents[3] / "docs" / "site"


def programs(page: Path) -> list[str]:
    """The models that a page runs."""
    first = json.loads(re.search(r'id="gv-payload"[^>]*>(.*?)</script>', page.read_text(), re.DOTALL)[1])[0]
    return [one["meta"]["name"] for one in first["thinker"]["programs"]]


def test_the_shipped_site_is_small_whole_and_alone() -> None:
    index = (SHIPPED / "index.html").read_text()
    assert re.findall(r'href="([^"]+)"', index) == [f"{room.name}.html" for room in ROOMS]
    assert {path.name for path in SHIPPED.iterdir()} == {"index.html", *(f"{room.name}.html" for room in ROOMS)}
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 3_000_000
    for room in ROOMS:
        page = SHIPPED / f"{room.name}.html"
        assert programs(page) == list(room.models)
        assert not re.findall(r"\b(?:src|href)=[\"']?https?:", page.read_text())


def test_a_page_is_made_anew(tmp_path: Path) -> None:
    page, index = site(tmp_path / "new", ROOMS[:1], recorded=tmp_path)
    assert programs(page) == list(ROOMS[0].models)
    front = index.read_text()
    assert front.count("<li>") == 1
    assert len(set(re.findall(r'(?:src|srcset)="data:image/webp;base64,([^"]+)"', front))) == 2  # light and dark


def test_models_that_cannot_be_run_are_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECORD", "raise ValueError('no such model')")
    with pytest.raises(RecordingError, match="no such model; `gram list` names the checkpoints"):
        site(tmp_path)


@pytest.mark.slow
@pytest.mark.browser
def test_every_page_answers_a_question(chromium, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["site", "-o", str(tmp_path)])
    assert done.exit_code == 0, done.output
    sheet = chromium.new_page()
    problems: list[str] = []
    sheet.on("pageerror", lambda error: problems.append(str(error)))
    for room in ROOMS:
        sheet.goto((tmp_path / f"{room.name}.html").as_uri())
        sheet.locator("[data-field=open]").click()
        sheet.locator("[data-field=depth]").fill("4")
        sheet.get_by_role("button", name="Run", exact=True).click()
        sheet.locator(".yours [role=status]", has_text="Done: 4 steps").first.wait_for(timeout=60_000)
    assert problems == []
    sheet.close()
