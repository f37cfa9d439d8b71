"""At a terminal nothing is cut, whatever its width, its letters and whoever reads it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sim.analysis.summary import Measure
from sim.cli.streams import encodable
from sim.report.blocks import Bar, Column, Document, Facts, Heading, Table, Text
from sim.report.figure import written
from sim.report.formats.terminal import lines
from sim.tables.tabular import TabularData
from tests.support.terminal import payroute_at_terminal
from tests.unit.cli.queue import QUEUE, write_queue

WIDTHS = (40, 80, 120, 200, None)
NAMES = ("end_to_end_mean", "station/shop.counter/queue_mean", "payer_cost_bps")
FIGURES = (
    Measure(0.473, "s"),
    Measure(25.2, "bps"),
    Measure(149_722_126_800, "minor KHR"),
    Measure(0.9, "share", 0.88, 0.92),
)
ARMS = Table(
    (
        Column("measure"),
        *(Column(name, is_number=True, spare=at) for at, name in enumerate("abcd")),
        Column("why", is_prose=True),
        Column("", spare=9),
    ),
    tuple((name, *FIGURES, "more than it can carry", Bar((1.0,), (0, 2))) for name in NAMES),
)
UNSPARED = Table(
    tuple(Column(one.name) for one in ARMS.columns[:5]), tuple(r[:5] for r in ARMS.rows)
)


def _shown(*blocks: Table | Text | Facts | Heading, width: int | None) -> list[str]:
    document = Document(blocks, TabularData((), ()), {})
    return [line.plain for line in lines(document, width)]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("table", [ARMS, UNSPARED], ids=["spare", "unspared"])
def test_no_line_is_too_long_and_no_cell_is_cut(table: Table, width: int | None) -> None:
    shown = _shown(table, width=width)
    assert width is None or max(map(len, shown)) <= width
    told = " ".join(" ".join(shown).split())
    left_out = re.findall(r"\(too narrow for: ([^)]*)\)", told)
    names = {name.strip() for part in left_out for name in part.split(",")}
    for row in table.rows:
        for column, cell in zip(table.columns, row, strict=True):
            if (column.name or "bars") not in names:
                # Whole, and in one line: no name and no figure is broken in its middle.
                assert column.is_prose or any(written(cell) in line for line in shown), cell
    # Whoever misses a column is told so.
    assert (width is None or width >= 120) == ("too narrow for" not in told) or table is UNSPARED


def test_every_row_keeps_its_words() -> None:
    (line, *_) = _shown(Text("saves 0.24 ± 0.03 s (end_to_end_mean)"), width=200)
    assert line.endswith("(end_to_end_mean)")
    long = "corridor/china_to_cambodia/payer_cost_bps"
    shown = _shown(Text(f"Difference in {long}"), width=24)
    assert "".join(shown).replace(" ", "") == f"Differencein{long}"
    assert all(re.search(r"[./_ ]$|bps$|in$", line) for line in shown)


def test_no_line_ends_inside_a_figure() -> None:
    text = Text("succeed 96.8 %, p99 25.7 s, busiest second 1 179 /s, less 0.24 ± 0.03 s in all")
    for width in range(16, 80):
        for line in _shown(text, width=width):
            assert not re.search(r"(?<!p9)(\d|±)$", line), (width, line)


def test_facts_stand_side_by_side_where_there_is_room() -> None:
    facts = Facts(tuple(((name, Measure(1.0, "s")),) for name in ("one", "two", "three")))
    assert len(_shown(facts, width=80)) == 1
    assert len(_shown(facts, width=12)) == 3
    assert _shown(facts, width=80) == ["one  1 s  two  1 s  three  1 s"]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_letters_a_terminal_lacks_have_stand_ins(encoding: str) -> None:
    text = "0.24 ± 0.03 s ░░│██ ▁▃█ ─── ភ្នំពេញ 北京"
    told = encodable(text, encoding)
    told.encode(encoding)
    assert "0.24 +- 0.03 s" in told.replace("±", "+-")
    assert encoding == "utf-8" or r"\u5317\u4eac" in told
    assert (told == text) == (encoding == "utf-8")


def _compare_words(folder: Path) -> list[str]:
    path, other = write_queue(folder), folder / "four-clerks.yaml"
    other.write_text(QUEUE.replace("servers: 3", "servers: 4"), encoding="utf-8")
    words = ["compare", str(path), str(other), "--jobs", "1"]
    return [*words, "--replications", "2", "--measures", "success_rate,end_to_end_mean"]


@pytest.mark.slow
@pytest.mark.parametrize("columns", [40, 80, 120, 200])
def test_compare_cuts_no_figure_at_any_width(tmp_path: Path, columns: int) -> None:
    shown = payroute_at_terminal(*_compare_words(tmp_path), columns=columns, folder=tmp_path)
    assert max(map(len, shown)) <= columns
    (row,) = [line for line in shown if line.startswith("end_to_end_mean ")]
    assert re.search(r" -?\d+\.\d+ ± \d+\.\d+ s", row)
    assert len(re.findall(r"\d+\.?\d*", row)) == (2 if columns == 40 else 6)
    assert "…" not in "".join(shown)


@pytest.mark.slow
def test_an_ascii_pipe_gets_everything(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "COLUMNS": "40"}
    words = [sys.executable, "-m", "sim", *_compare_words(tmp_path)]
    done = subprocess.run(words, capture_output=True, env=environment, check=False)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    (row,) = [line for line in done.stdout.splitlines() if line.startswith(b"end_to_end_mean ")]
    assert b" +- " in row
    assert len(re.findall(rb"\d+\.?\d*", row)) == 6


@pytest.mark.slow
def test_a_reader_who_leaves_takes_nothing_with_him(tmp_path: Path) -> None:
    path, target = write_queue(tmp_path), tmp_path / "run.md"
    words = [sys.executable, "-m", "sim", "run", str(path), "--engine", "reference"]
    words += ["--out", str(tmp_path / "run"), "--output", str(target)]
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(words, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert b"Traceback" not in done.stderr
    assert b"Broken" not in done.stderr
    assert done.returncode == 0
    assert target.read_text(encoding="utf-8").startswith("# three-clerks")
