"""The sensitivity command prints, writes and refuses like the others."""

from __future__ import annotations

import json

import pytest

from sim.tables.tabular import read_csv
from tests.unit.cli.queue import QUEUE, payroute

SHORT = ("--replications", "3", "--sobol", "0", "--jobs", "1")


@pytest.fixture
def path(tmp_path):
    text = QUEUE.replace("2.4 /s", "{value: 2 /s, evidence: estimated, source: guess of the rate}")
    text = text.replace("servers: 3", "servers: {value: 3, evidence: estimated, source: guess}")
    path = tmp_path / "queue.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_terminal_gets_words_bars_and_a_table(path):
    result = payroute("sensitivity", path, *SHORT, "--measure", "success")
    assert result.exit_code == 0
    assert result.stdout.startswith("Measure ")
    assert "░" in result.stdout
    assert "demand.customers.rate 2 /s 1 /s .. 4 /s" in " ".join(result.stdout.split())
    assert "at most 15 runs: 3 of the scenario as it stands" in " ".join(result.stderr.split())


def test_json_is_one_object_and_nothing_else(path):
    result = payroute("sensitivity", path, *SHORT, "--json", "--measure", "waiting_mean")
    content = json.loads(result.stdout)
    assert content["measure"] == "waiting_mean"
    assert {row["name"] for row in content["assumptions"]} == {
        "demand.customers.rate",
        "rails.shop.stations.counter.servers",
    }


@pytest.mark.parametrize("form", ["csv", "markdown", "latex", "json", "typst"])
def test_it_is_shown_in_every_format(path, form):
    result = payroute("sensitivity", path, *SHORT, "--format", form)
    assert result.exit_code == 0
    assert "customers.rate" in result.stdout
    # What people read is a document, what spreadsheets and programs read a table.
    assert ("Measure" in result.stdout) == (form not in ("csv", "json"))
    if form == "json":
        out = path.parent / "table.json"
        assert payroute("sensitivity", path, *SHORT, "--table", out).exit_code == 0
        assert json.loads(result.stdout) == json.loads(out.read_text(encoding="utf-8"))


def test_the_whole_table_is_written_to_a_file_with_a_row_per_measure(path, tmp_path):
    out = tmp_path / "table.csv"
    words = ("--measure", "waiting_mean, success_rate", "--out", out)
    assert payroute("sensitivity", path, *SHORT, *words).exit_code == 0
    table = read_csv(out)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert [row["measure"] for row in rows] == ["waiting_mean"] * 2 + ["success_rate"] * 2
    assert {row["low_at"] for row in rows} == {"1 /s", 2}


def test_a_table_of_nothing_but_gaps_is_parquet_too(path, tmp_path):
    import pyarrow.parquet as pq

    out = tmp_path / "table.parquet"
    assert payroute("sensitivity", path, *SHORT, "--out", out).exit_code == 0
    assert len(pq.read_table(out)) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--range", "demand.customers.rate"], "allowed: such as rails.bakong.vote_delay=0.5..3"),
        (["--range", "demand.customers.rate=1 s..2 s"], "allowed: values like the estimate, 2 /s"),
        (["--range", "demand.customer.rate=1..2"], "Did you mean 'demand.customers.rate'?"),
        (["--low", "2"], "a factor below 1 and one above 1"),
        (["--sobol", "5"], "allowed: 0 or a power of two"),
        (["--measure", "p98"], "unknown measure 'p98'"),
        (["--format", "xls"], "csv, html, json, latex, markdown, parquet, terminal, typst"),
    ],
)
def test_mistakes_end_in_two_with_words(path, words, told):
    result = payroute("sensitivity", path, *SHORT, *words)
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())
    assert result.stdout == ""
