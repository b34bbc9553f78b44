from __future__ import annotations

from leafsight.pages import Html, join, table, tag


def test_only_markup_is_markup() -> None:
    assert tag("p", "<b>") == "<p>&lt;b&gt;</p>"
    assert tag("p", tag("b", "x")) == "<p><b>x</b></p>"
    assert tag("a", "", href='"><script>') == '<a href="&quot;&gt;&lt;script&gt;"></a>'
    assert join(["<", Html("<")]) == "&lt;<"
    assert tag("rect", x=1.23456, y=2.0) == '<rect x="1.23" y="2"/>'
    assert tag("details", "", open=True, hidden=None) == "<details open></details>"


def test_tables_say_what_their_cells_belong_to() -> None:
    written = table(("class", "n"), [("a", "1")], "Counts", numeric=(1,))
    assert "<caption>Counts</caption>" in written
    assert '<th scope="row">a</th><td class="num">1</td>' in written
