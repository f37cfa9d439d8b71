"""``payroute export``: where files go, whose they are, and what is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sim.tables.run_place import own_files
from tests.unit.cli.queue import payroute, run_queue


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    done, out = run_queue(tmp_path_factory.mktemp("queue"), "--record", "stages")
    assert done.exit_code == 0, done.output
    return out


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("xes", "payments.xes"),
        ("ocel", "payments.ocel.json"),
        ("trace", "payments.trace.json"),
        ("sqlite", "payments.sqlite"),
        ("csv", "csv/payments.csv"),
    ],
)
def test_an_export_goes_into_the_run_folder_and_is_ours(run: Path, form: str, name: str) -> None:
    for _ in range(2):
        done = payroute("export", run, "--format", form)
        assert done.exit_code == 0, done.output
    assert (run / name).stat().st_size > 1000
    assert name in own_files(run)
    assert f"written to {run / name.partition('/')[0]}" in done.stderr
    assert payroute("reproduce", run).exit_code == 0


def test_a_file_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    _, out = run_queue(tmp_path)
    (out / "payments.xes").write_text("mine", encoding="utf-8")
    (out / "csv").mkdir()
    (out / "csv" / "payments.csv").write_text("mine", encoding="utf-8")
    for form in ("xes", "csv"):
        done = payroute("export", out, "--format", form)
        assert done.exit_code == 2
        assert "another name with --out" in done.stderr
    assert (out / "payments.xes").read_text(encoding="utf-8") == "mine"


def test_it_goes_where_it_is_told(run: Path, tmp_path: Path) -> None:
    there = tmp_path / "new" / "log.xes.gz"
    done = payroute("export", run, "--format", "xes", "--out", there, "--json")
    assert json.loads(done.stdout) == {
        "format": "xes",
        "files": [{"path": str(there), "bytes": there.stat().st_size}],
    }


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--format", "xml"), "--format: found 'xml'; allowed: csv, "),
        (("--format", "xes", "--corridor", "outside"), "found 'outside'; allowed: inside"),
        (("--format", "sqlite", "--corridor", "inside"), "allowed: with xes, ocel, trace"),
    ],
)
def test_mistakes_are_told(run: Path, words: tuple[str, ...], told: str) -> None:
    done = payroute("export", run, *words)
    assert done.exit_code == 2
    assert told in done.stderr


def test_a_run_without_payments_is_told(tmp_path: Path) -> None:
    _, out = run_queue(tmp_path, "--record", "none")
    done = payroute("export", out, "--format", "xes")
    assert done.exit_code == 2
    assert "--record payments or more" in done.stderr
    # Its measures and series are tables still.
    assert payroute("export", out, "--format", "sqlite").exit_code == 0


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    done = payroute("export", tmp_path / "nowhere", "--format", "xes")
    assert done.exit_code == 2
    assert "no such folder" in done.stderr
