"""The words of the field: what `words.yaml` lists stands in no name, message, comment, doc, card or notebook."""

from __future__ import annotations

import fnmatch
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
WORDS = yaml.safe_load((ROOT / "tests" / "words.yaml").read_text())
PLACES = (
    "gram/*",
    "gramviz/*",
    "docs/*.md",
    "README.md",
    "CONTRIBUTING.md",
    "Makefile",
    "notebooks/*",
    "artifacts/*.md",
)
ENDINGS = (".py", ".js", ".md", ".ipynb", ".yaml", ".yml", ".json", "Makefile")


def files() -> list[str]:
    """All tracked text files in which words are looked for."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    return [name for name in tracked if name.endswith(ENDINGS) and any(fnmatch.fnmatch(name, p) for p in PLACES)]


def split(line: str) -> str:
    """A line with its names split at underscores and humps: `RuleBooks` and `rule_books` both read `rule books`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", line).replace("_", " ")


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word["pattern"][:30])
def test_a_word_of_our_own_stands_nowhere(word: dict[str, Any]) -> None:
    pattern = re.compile(word["pattern"], re.IGNORECASE)
    looked = [name for name in files() if any(fnmatch.fnmatch(name, glob) for glob in word.get("only", ["*"]))]
    looked = [name for name in looked if not any(fnmatch.fnmatch(name, glob) for glob in word.get("except", []))]
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name in looked
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(split(line))
    ]
    assert not found, f"write {word['use']} instead, in {len(found)} lines:\n" + "\n".join(found[:20])
