"""`gramviz.provenance`: one block for people and machines, which can be taken out of a page again."""

from __future__ import annotations

from gramviz.provenance import provenance_html, without_provenance


def test_provenance_cannot_end_its_own_script() -> None:
    block = provenance_html({"title": "</script><script>alert(1)</script>"})
    assert block.count("</script>") == 1
    assert "alert(1)&lt;/script&gt;" in block


def test_what_is_no_provenance_stays() -> None:
    page = "<main>\n{}\n<p>after</p></main>"
    one, two = (page.format(provenance_html({"seed": seed}, log="a\nb")) for seed in (1, 2))
    assert one != two
    assert without_provenance(one) == without_provenance(two) == page.format("")
