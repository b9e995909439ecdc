"""`gramviz.reports.provenance`: one block for people and machines, which can be taken out of a page again."""

from __future__ import annotations

import html

from gramviz.reports.provenance import provenance_html, without_provenance


def test_provenance_cannot_end_its_own_script() -> None:
    block = provenance_html({"title": "</script><script>alert(1)</script>"})
    assert block.count("</script>") == 1
    assert "alert(1)&lt;/script&gt;" in block


def test_what_is_no_provenance_stays() -> None:
    page = "<main>\n{}\n<p>after</p></main>"
    one, two = (page.format(provenance_html({"seed": seed}, log="a\nb")) for seed in (1, 2))
    assert one != two
    assert without_provenance(one) == without_provenance(two) == page.format("")


def test_no_text_in_it_can_end_its_line() -> None:
    """It stands in a Markdown cell, where the HTML that a comment begins ends with the line."""
    block = provenance_html({"title": "one\n\ntwo", "command": "gramviz report 'a\n\nb'"}, log="a\n\n\nb\n")
    assert "\n" not in block
    assert html.unescape(block).count("\n\n") == 3
