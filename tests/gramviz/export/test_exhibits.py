"""The table of the paper's exhibits names what there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from gramviz.export import exhibits
from gramviz.reports import notebook

ROOT = Path(__file__).resolve().parents[3]


def test_there_are_sixteen_and_each_lives_somewhere() -> None:
    assert len(exhibits.EXHIBITS) == 16
    for one in exhibits.EXHIBITS:
        assert bool(one.cell) != bool(one.gallery), one.paper
        if one.cell:
            ids = [cell["id"] for cell in notebook.read(ROOT / "notebooks" / f"{one.notebook}.ipynb").cells]
            assert one.cell in ids, f"{one.notebook} has no cell {one.cell}"
        assert all((ROOT / "artifacts" / name).exists() for name in one.artifacts), one.paper


def test_the_page_is_made_from_the_table_and_its_pictures_are_there() -> None:
    page = (ROOT / "docs" / "exhibits.md").read_text(encoding="utf-8")
    assert page == exhibits.page("exhibits"), "run `gramviz exhibits`"
    for at, one in enumerate(exhibits.EXHIBITS, 1):
        assert (ROOT / "docs" / exhibits.picture(at, one, "exhibits")).exists(), one.paper


def test_without_pages_it_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(exhibits.ExhibitError, match="gramviz report --all"):
        exhibits.exhibits(tmp_path, tmp_path / "exhibits", tmp_path / "exhibits.md")
