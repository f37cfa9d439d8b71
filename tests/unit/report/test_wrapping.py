"""Lines end between words at every width, whatever letters they are written in."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from sim.explain.words import table
from sim.explain.wrapping import lay_out, wrap
from sim.report.blocks import Column, Document, Table, Verbatim
from sim.report.formats.terminal import lines
from sim.tables.tabular import TabularData

NAMES = ("ABA ធនាគារ", "Alipay 支付宝", "UnionPay 云闪付", "Wing វីង", "Acleda")
WIDTHS = (20, 34, 60, 100)


def _shown(block: Table | Verbatim, width: int | None) -> list[str]:
    return [line.plain for line in lines(Document((block,), TabularData((), ()), {}), width)]


def test_columns_align_by_the_room_letters_take() -> None:
    # "Alipay 支付宝" has 10 letters and takes 7 + 3 * 2 = 13 columns, "ABA ធនាគារ" has 10 and
    # takes 8: the two vowel signs stand above letters.
    assert (cell_len(NAMES[1]), cell_len(NAMES[0])) == (13, 8)
    rows = tuple((name, 7) for name in NAMES)
    shown = _shown(Table((Column("name"), Column("n", is_number=True)), rows), None)
    assert {cell_len(line) for line in shown[2:]} == {cell_len("UnionPay 云闪付") + 3}
    told = table([("name", "n"), *((name, "7") for name in NAMES)], indent=0, right=frozenset((1,)))
    assert len({cell_len(line) for line in told}) == 1


@pytest.mark.parametrize("width", WIDTHS)
def test_prose_in_double_width_letters_fits(width: int) -> None:
    prose = "支付宝 云闪付 " * 12
    rows = (("Alipay", prose.strip()),)
    shown = _shown(Table((Column("a"), Column("b", is_prose=True)), rows), width)
    assert max(map(cell_len, shown)) <= width
    assert "".join(shown).count("支付宝") == "".join(shown).count("云闪付") == 12


@pytest.mark.parametrize("width", WIDTHS)
def test_laid_out_lines_break_between_words(width: int) -> None:
    text = " 7. authorise: at alipay_plus.gateway, lognormal, mean 0.907 s (service), 2 500 000 KHR"
    shown = _shown(Verbatim(text), width)
    assert max(map(cell_len, shown)) <= width
    assert "".join("".join(shown).split()) == "".join(text.split())
    assert not any(line.endswith(("0.907", "500", "2")) for line in shown)


def test_a_row_of_a_table_stays_a_row_where_it_has_room() -> None:
    row = "  cn_kh/unionpay.acleda" + " " * 70 + "84.8 bps"
    assert lay_out(row, 100, keeps_tables=True) == [row]
    # At a terminal it goes on in the next line, with whole words.
    assert [line.split() for line in _shown(Verbatim(row), 60)] == [
        ["cn_kh/unionpay.acleda"],
        ["84.8", "bps"],
    ]


def test_letters_of_an_alphabet_stay_together() -> None:
    assert wrap("Rajaprajanugroh", 6) == ["Rajaprajanugroh"]
    assert wrap("corridor/cn_kh", 9) == ["corridor/", "cn_kh"]
    assert wrap("中国工商银行", 6) == ["中国工", "商银行"]
    assert wrap("ធនាគារ\u200bអេស៊ីលីដា", 6) == ["ធនាគារ\u200b", "អេស៊ីលីដា"]
