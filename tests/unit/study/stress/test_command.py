"""The command says what was found, refuses what cannot be measured, and ends with its code."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from sim.cli import app
from tests.support.loads import GATE


def _stress(folder: Path, *words: str) -> tuple[int, str, str]:
    path = folder / "gate.yaml"
    path.write_text(GATE, encoding="utf-8")
    ran = CliRunner().invoke(app, ["stress", str(path), "--jobs", "1", *words])
    assert ran.exception is None or isinstance(ran.exception, SystemExit)
    return ran.exit_code, ran.stdout, ran.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--window", "120"), "--window: found 120; allowed: at least 600 (seconds)"),
        (("--window", "0"), "--window: found 0; allowed: at least 600"),
        (("--load", "fast"), "--load: found 'fast'; allowed: such as 1.5x, 1500/s, 90000/min"),
        (("--load", "0x"), "--load: found '0x'"),
        (("--profile", "rampp"), "Did you mean 'ramp'?"),
        (("--ramp", "120-50%"), "--ramp: found '120-50%'; allowed: such as 25-125%"),
        (
            ("--tolerance", "0%"),
            "--tolerance: found '0%'; allowed: such as 0.5%, from 0.01% to 20%",
        ),
        (("--tolerance", "half"), "--tolerance: found 'half'; allowed: such as 0.5%"),
        (("--stream", "customer"), "Did you mean 'customers'?"),
        (("--format", "parquet"), "found parquet without a file"),
        (("--jobs", "0"), "--jobs: found 0; allowed: 1 or more"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_runs(
    tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    code, out, err = _stress(tmp_path, *words)
    assert code == 2
    assert out == ""
    assert message in err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("load", "code", "verdict"), [("2x", 0, "PASS"), ("45/s", 3, "FAIL"), ("0.02x", 3, "FAIL")]
)
def test_a_load_given_ends_with_0_or_3(tmp_path: Path, load: str, code: int, verdict: str) -> None:
    # 20 a second pass; 45 do not; 0.2 are too few to say anything.
    found, out, err = _stress(tmp_path, "--load", load, "--replications", "1", "--json")
    assert found == code
    content = json.loads(out)
    assert content["verdict"] == verdict
    assert content["is_valid"] is (load != "0.02x")
    assert len(content["points"]) == 1
    # Met, missed and not measured are three answers.
    assert ("p99<=5s not met" in err) is (load == "45/s")
    assert ("no measurement, p99<=5s is not judged" in err) is (load == "0.02x")
    wanted = {"2x": 20.0, "45/s": 45.0, "0.02x": 0.2}
    assert content["points"][0]["load"] == pytest.approx(wanted[load])
    # One load bounds the capacity from one side, and no measurement from none.
    bounds = {"2x": (20.0, None), "45/s": (None, 45.0), "0.02x": (None, None)}
    assert content["capacity"]["value"] is None
    assert (content["capacity"]["low"], content["capacity"]["high"]) == bounds[load]


@pytest.mark.slow
def test_loads_are_read_per_minute_hour_and_day(tmp_path: Path) -> None:
    # 1 200 a minute, 72 000 an hour and 1 728 000 a day are all 20 a second.
    for load in ("1200/min", "72000 / h", "1728000/day"):
        code, out, _ = _stress(tmp_path, "--load", load, "--replications", "1", "--json")
        assert (code, json.loads(out)["points"][0]["load"]) == (0, pytest.approx(20.0)), load


@pytest.mark.slow
def test_every_judged_measure_has_its_column(tmp_path: Path) -> None:
    words = ("--load", "20/s", "--replications", "1")
    slo = "p95<=5s,machine_time_p90<=5s,station/shop.gate/queue_max<=1000"
    code, out, _ = _stress(tmp_path, *words, "--slo", slo, "--format", "csv")
    assert code == 0
    [row] = csv.DictReader(out.splitlines())
    judged = ("p95_s", "machine_time_p90_s", "station/shop.gate/queue_max")
    assert set(row) >= {"p50_s", "p99_s", "success", *judged}
    # 20 a second pass a gate of 40 after 0.1 s of service.
    assert 0.1 <= float(row["p95_s"]) < 0.2
    assert 0.1 <= float(row["machine_time_p90_s"]) <= float(row["p95_s"])
    code, out, _ = _stress(tmp_path, *words, "--slo", "p90<=5s", "--format", "markdown")
    assert "p90_s" in out


@pytest.mark.slow
def test_the_table_of_loads_is_written_in_every_format(tmp_path: Path) -> None:
    words = ("--load", "20/s", "--replications", "1")
    code, out, _ = _stress(tmp_path, *words, "--format", "csv")
    assert code == 0
    [row] = csv.DictReader(out.splitlines())
    assert (row["load"], row["runs"], row["passed"]) == ("20.0", "1", "1 of 1")
    target = tmp_path / "points.parquet"
    code, out, err = _stress(tmp_path, *words, "--out", str(target))
    assert code == 0
    assert pq.read_table(target).column("load").to_pylist() == [20.0]
    assert f"written to {target}" in err
    # With a file, people still read sentences.
    assert out.startswith("20 payments/s meet end_to_end_p99 <= 5")


@pytest.mark.slow
def test_people_read_capacity_bottleneck_chart_and_table(tmp_path: Path) -> None:
    code, out, err = _stress(tmp_path, "--replications", "2", "--profile", "ramp")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].startswith("Capacity: ")
    assert "95 % interval over 2 replications" in lines[0]
    assert any(line.startswith("Ramp from ") for line in lines)
    assert any(line.startswith("Bottleneck: shop.gate, ") for line in lines)
    assert any("████" in line for line in lines)
    # The search went by some loads in one replication alone; those are no points of the curve.
    table = [line.split() for line in lines if line.split()[3:4] == ["yes"]]
    shown = [cells[0] for cells in table if cells[4] == "2"]
    passed_by = [cells[0] for cells in table if cells[4] == "1"]
    assert shown
    assert passed_by
    begin = 1 + next(at for at, line in enumerate(lines) if line.lstrip().startswith("load "))
    assert [line.split()[0] for line in lines[begin + 1 : begin + 1 + len(shown)]] == shown
    loads = "1 load" if len(passed_by) == 1 else f"{len(passed_by)} loads"
    note = f"({loads} not run in all 2 replications: in the table only)"
    assert lines[begin + 2 + len(shown)] == note
    heads = [line.split() for line in lines]
    assert sum(words[:3] == ["load", "factor", "verdict"] for words in heads) == 1
    assert sum(words[:2] == ["from_s", "load"] for words in heads) == 1
    assert "run 2: PASS" in err


@pytest.mark.slow
def test_a_bracket_is_as_narrow_as_asked_for(tmp_path: Path) -> None:
    for text, share in (("10 %", 0.1), ("1", 0.01)):
        code, out, _ = _stress(tmp_path, "--tolerance", text, "--replications", "1", "--json")
        assert code == 0
        content = json.loads(out)
        assert content["tolerance"] == pytest.approx(share)
        [one] = content["brackets"]
        assert one["high"] - one["low"] <= share * one["high"]
        assert one["low"] * 0.95 < 40 < one["high"] * 1.05
        assert content["replications_combined"] == 1
