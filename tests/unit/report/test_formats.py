"""Every format shows the same document, escapes what would be a mark, and registers itself."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sim.analysis.summary import Measure
from sim.errors import UserError
from sim.report.blocks import (
    Bar,
    Column,
    Document,
    Facts,
    Heading,
    Series,
    Table,
    Text,
    Tone,
    Verbatim,
)
from sim.report.markup import drawn
from sim.report.rendering import choose_format, find_format, format_names, render, write_document
from sim.tables.tabular import TabularData, read_csv

SHARE = Measure(0.9, "share", 0.88, 0.92)
DOCUMENT = Document(
    (
        Heading("till_3 & <till_4>", level=1),
        Text("costs 5 % more, #1 of $2", Tone.STRONG),
        Table(
            (Column("name"), Column("value", is_number=True), Column("")),
            (
                ("a_b|c", Measure(-0.25, "s", -0.28, -0.22), Bar((3.0,), (0, 4))),
                ("*x*", SHARE, Bar((1.0, 4.0), (0, 4), 2.0)),
                ("none", None, Bar((None,), (0, 4))),
            ),
        ),
        Facts(((("mean", Measure(1.5, "s")),), (("success", SHARE),))),
        Series("Inside:", (0, 1, 2, 4), "up to 4"),
        Verbatim('as "it" \\ stands'),
    ),
    TabularData(("name", "value"), (("=1+1", -1.5), ("@cmd", None), ("-", 0.1), ("plain", 2))),
    {"value": float("inf"), "list": [1.0, float("nan")]},
    {"made": "by"},
)
MARKUPS = ("markdown", "latex", "typst", "terminal", "html")


def test_a_format_is_a_file_and_nothing_else() -> None:
    assert format_names() == (
        "csv", "html", "json", "latex", "markdown", "parquet", "terminal", "typst",
    )  # fmt: skip
    suffixes = [suffix for name in format_names() for suffix in find_format(name).suffixes]
    assert len(set(suffixes)) == len(suffixes) >= len(format_names())
    # No other file of the program knows the youngest of them.
    sources = list(Path(__file__).parents[3].joinpath("sim").rglob("*.py"))
    naming = [path.name for path in sources if "typst" in path.read_text(encoding="utf-8").lower()]
    assert naming == ["typst.py"]


@pytest.mark.parametrize("form", MARKUPS)
def test_every_figure_is_in_every_format(form: str) -> None:
    text = render(DOCUMENT, form).replace(r"\ensuremath{\pm}", "±").replace("\\", "")
    text = text.replace("ensuremath{-}", "-").replace("\u00a0", " ")
    for words in ("-0.25 ± 0.03 s", "90 ± 2 %", "1.5 s", "up to 4", "costs 5 % more", "a_b|c"):
        assert words in text, words


def test_marks_in_names_are_no_marks() -> None:
    assert r"| a_b\|c |" in render(DOCUMENT, "markdown")
    assert r"\*x\*" in render(DOCUMENT, "markdown")
    latex = render(DOCUMENT, "latex")
    assert r"\section*{till\_3 \& \textless{}till\_4\textgreater{}}" in latex
    assert r"\#1 of \$2" in latex
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert rule in latex
    assert r"\begin{tabular}{lrl}" in latex
    assert r"= till\_3 & \<till\_4\>" in render(DOCUMENT, "typst")


def test_bars_are_as_long_as_what_they_show() -> None:
    assert drawn(Bar((3.0,), (0, 4)), 8) == "██████"
    assert drawn(Bar((0.001,), (0, 4)), 8) == "█"
    assert drawn(Bar((0.0,), (0, 4)), 8) == ""
    assert drawn(Bar((None,), (0, 4)), 8) == ""
    assert drawn(Bar((1.0, 4.0), (0, 4), 2.0), 9) == "  ░░│████"
    assert r"\rule{22mm}{1.4ex}" in render(DOCUMENT, "latex")
    assert "width: 22mm" in render(DOCUMENT, "typst")


def test_json_has_no_number_that_is_none() -> None:
    assert json.loads(render(DOCUMENT, "json")) == {
        "value": None, "list": [1.0, None], "made": "by",
    }  # fmt: skip
    assert render(DOCUMENT, "json").isascii()


def test_csv_runs_no_formula_and_is_read_back(tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(render(DOCUMENT, "csv"))))
    assert rows[1:] == [["'=1+1", "-1.5"], ["'@cmd", ""], ["'-", "0.1"], ["plain", "2"]]
    write_document(DOCUMENT, "csv", tmp_path / "table.csv")
    assert read_csv(tmp_path / "table.csv") == DOCUMENT.table


def test_a_format_is_known_by_its_suffix() -> None:
    assert choose_format(None, Path("paper.typ")) == "typst"
    with pytest.raises(UserError, match=r"allowed: a file that ends in \.csv, \.html, \.json"):
        choose_format(None, Path("table.xls"), option="--output")
    with pytest.raises(UserError, match="Did you mean 'latex'"):
        choose_format("latx", None)


def test_typst_has_as_many_cells_as_columns() -> None:
    text = render(DOCUMENT, "typst")
    rows, *_ = re.findall(r"table\.header\(.*?\n\)", text, flags=re.S)
    assert [line.count("[") for line in rows.splitlines() if line.startswith("  [")] == [3, 3, 3]


def test_a_format_needs_no_other_formats_library() -> None:
    script = (
        "import sys; from sim.report.rendering import format_names; format_names();"
        "print([n for n in ('tabulate', 'rich', 'pyarrow', 'numpy') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
