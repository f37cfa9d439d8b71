"""Tables for a paper fit its page: spare columns go with a word, long ones break over pages."""

from __future__ import annotations

import re

from sim.report.blocks import Column, Document, Table, Text
from sim.report.formats.latex import render
from sim.tables.tabular import TabularData


def _latex(*blocks: Table | Text) -> str:
    return render(Document(blocks, TabularData((), ()), {}))


def test_spare_columns_go_with_a_word() -> None:
    columns = (Column("n"), *(Column(f"column{at}", is_number=True, spare=at) for at in range(9)))
    text = _latex(Table(columns, tuple((f"row{at}", *(1.5,) * 9) for at in range(3))))
    # 78 letters hold a name of 4 and columns of 7 with 3 between them: 4 + 7 * 10 = 74, not 84.
    assert r"\begin{tabular}{lrrrrrrr}" in text
    assert "(too narrow for: column7, column8)" in text
    assert text.count("1.5") == 3 * 7


def test_what_may_not_go_shrinks_as_a_whole() -> None:
    wide = Table(tuple(Column(f"c{at}") for at in range(4)), (("a" * 30,) * 4,))
    text = _latex(wide)
    assert r"\resizebox{\linewidth}{!}{%" in text
    assert text.count("a" * 30) == 4


def test_long_tables_break_over_pages_and_prose_goes_on_below() -> None:
    rows = tuple((f"row{at}", "too few payments to believe a quantile " * 4) for at in range(60))
    text = _latex(Table((Column("n"), Column("why", is_prose=True)), rows))
    assert r"\begin{longtable}" in text
    assert r"\endhead" in text
    # Names of 5 letters and a gap leave 0.96 - 8 / 78 of the line.
    assert re.search(r"p\{0\.86\\linewidth\}", text)


def test_signs_a_paper_lacks_are_written_in_its_own_way() -> None:
    text = _latex(Text("p99 ≤ 5 s × 2 → 3 …"))
    for mark in (r"\leq", r"\times", r"\to", r"\dots"):
        assert mark in text
    assert text.isascii()
    assert text.startswith("% \\usepackage{array,booktabs,graphicx,longtable}")
