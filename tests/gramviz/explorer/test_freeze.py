"""The frozen page as text: sizes, escapes, policy, files. What it does in a browser is in tests/browser."""

from __future__ import annotations

import base64
import contextlib
import json
import re
from dataclasses import replace

import pytest
import synthetic
from full import FULL
from IPython.core.formatters import DisplayFormatter
from whole import HOSTILE as EVERY
from whole import places, small_rollout

from gram import rollout
from gram.bounded import InputError
from gram.program import ProgramError
from gramviz.explorer.frame import PageError
from gramviz.explorer.freeze import freeze
from gramviz.explorer.opening import explore
from gramviz.explorer.pack import pack
from gramviz.explorer.source import BranchError
from gramviz.explorer.state import State, StateError
from gramviz.explorer.widget import Explorer

HOSTILE = "</script><script>alert(1)</script><!-- <img onerror=x> & \u2028 \u2029 ' \" ${1}"


@pytest.fixture(scope="module")
def payload(small):
    return pack(small)


def parcel(page: str) -> dict:
    """What the page holds of the puzzle that it opens with."""
    return json.loads(
        re.search(r'<script type="application/json" id="gv-payload"[^>]*>(.*?)</script>', page, re.DOTALL)[1]
    )[0]


def test_trm_and_fifty_paths_fit_in_a_megabyte():
    one = synthetic.queens(1, model="trm", checkpoint="synthetic-trm", seed=3, features=2)
    page = freeze([one, synthetic.queens(features=2)])  # the size does not depend on that of h
    assert len(page.encode()) <= 1_000_000


def test_takes_an_explorer_a_payload_rollouts_or_paths(small, payload):
    explorer = explore(small).go("2.1")
    assert parcel(freeze(explorer))["state"] == explorer.state
    assert parcel(freeze(payload))["state"] == {}
    assert freeze(small) == freeze([small]) == freeze(payload)
    assert parcel(freeze(payload, state={"theme": "dark"}))["state"] == {"theme": "dark"}
    assert parcel(freeze(explorer, state=State(theme="dark")))["state"] == {"theme": "dark"}
    with pytest.raises(StateError, match="theme is 'blue'; allowed: auto, light, dark"):
        freeze(payload, state={"theme": "blue"})


def test_the_payload_arrives_as_it_was(payload):
    found = parcel(freeze(payload))
    assert found["meta"] == json.loads(json.dumps(payload.meta))
    assert base64.b64decode(found["data"]) == payload.data


def test_the_policy_forbids_every_request(payload):
    page = freeze(payload)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy
    assert "*" not in policy
    without_svg = page.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"""(?:src|href)\s*=\s*["']?https?:|url\((?!#)|@import""", without_svg)


def test_hostile_texts_are_escaped_everywhere(payload):
    meta = json.loads(json.dumps(payload.meta))
    meta["title"] = HOSTILE
    meta["left_out"] = [HOSTILE]
    meta["board"]["tokens"][1]["symbol"] = HOSTILE
    for key in ("name", "model", "checkpoint", "seed"):
        meta["series"][0][key] = HOSTILE
    page = freeze(replace(payload, meta=meta))
    assert "alert(1)</script>" not in page
    assert "<img onerror" not in page
    assert page.count("<script") == page.count("</script>") == 3
    assert not re.search("[\u2028\u2029]", re.search(r"gv-payload\"[^>]*>(.*?)</script>", page, re.DOTALL)[1])
    assert parcel(page)["meta"]["title"] == HOSTILE


def test_a_hostile_text_in_any_field_of_a_rollout_stays_a_text(tmp_path):
    data = small_rollout()
    tree = {**data.attrs, "board": json.loads(data.attrs["board"])}
    for number, (holder, key) in enumerate([place for place in places(tree) if isinstance(place[0][place[1]], str)]):
        before = holder[key]
        for text in EVERY if FULL else [EVERY[number % len(EVERY)]]:
            holder[key] = text
            changed = data.assign_attrs(tree | {"board": json.dumps(tree["board"])})
            with contextlib.suppress(InputError):
                page = freeze(pack(rollout.load(rollout.save(changed, tmp_path / "a.nc"))))
                assert page.lower().count("<script") == page.lower().count("</script") == 3
                assert len(page.encode()) < 900_000  # no megabyte of a text
        holder[key] = before


def test_equal_input_gives_equal_bytes(payload):
    assert freeze(payload) == freeze(payload)


def test_writes_whole_or_not_at_all(payload, tmp_path):
    target = tmp_path / "page.html"
    text = freeze(payload, target)
    assert target.read_text(encoding="utf-8") == text
    assert Explorer(payload).to_html(target) == target.read_text(encoding="utf-8")
    assert sorted(tmp_path.iterdir()) == [target]
    with pytest.raises(PageError, match=r"cannot write .*gone.*: No such file or directory; choose a folder"):
        freeze(payload, tmp_path / "gone" / "page.html")
    with pytest.raises(PageError, match=r"cannot write .*; choose a folder that is there, and a file in it") as refused:
        freeze(payload, tmp_path)
    assert "None" not in str(refused.value)


def test_a_notebook_shows_a_page_as_one_line(payload, tmp_path):
    page = freeze(payload, tmp_path / "page.html")
    said = DisplayFormatter().format(page)[0]
    assert list(said) == ["text/plain"]
    assert re.fullmatch(
        r".*/page\.html, 0\.\d\d MB, plays without kernel or network: Sudoku 4x4, puzzle 1 of 2: A GRAM 4 of 6 correct",
        said["text/plain"],
    )
    assert page.path.stat().st_size == len(page.encode())
    assert freeze(payload).path is None


def test_the_page_says_where_it_comes_from_and_answers_without_script(payload):
    page = freeze(payload)
    fallback = re.search(r"<noscript>(.*?)</noscript>", page, re.DOTALL)[1]
    assert "The most frequent final answer" in fallback
    counts = [sum(answer["counts"].values()) for answer in payload.meta["answers"]]
    for count in counts:
        assert f"<td>{count}</td>" in fallback
    footer = re.search(r"<footer>(.*?)</footer>", page, re.DOTALL)[1]
    for word in (payload.meta["series"][0]["hash"], payload.meta["series"][0]["checkpoint"], "numpy"):
        assert str(word) in footer


def test_a_page_may_hold_several_puzzles(small):
    for source in (small, explore(small)):
        held = json.loads(re.search(r'id="gv-payload"[^>]*>(.*?)</script>', freeze(source, puzzles=[0, 1, 1]))[1])
        assert [one["meta"]["puzzle"] for one in held] == [0, 1]
    with pytest.raises(BranchError, match="no puzzle 5; this explorer has 0 to 1"):
        freeze(small, puzzles=[5])
    with pytest.raises(BranchError, match="holds one puzzle and no rollout"):
        freeze(pack(small), puzzles=[1])
    with pytest.raises(ProgramError, match="no checkpoint 'nowhere'"):  # one name is no list of letters
        freeze(small, models="nowhere")
