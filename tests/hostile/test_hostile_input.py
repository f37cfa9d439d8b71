"""Damaged scenarios, traces and run folders: never an error but the program's own.

A few hundred in every run, a million scenarios with ``--large``; ``python -m tests.hostile`` tries
any number. Codes are in ``tests/unit/qr/test_hostile.py``.
"""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sim.errors import Problem, printable
from sim.tables.damage import damaged_files
from tests.hostile import files, scenarios
from tests.unit.cli.queue import payroute


@pytest.mark.slow
def test_damaged_scenarios_are_answered(tmp_path: Path) -> None:
    accepted = scenarios.try_mutants(400, 20_250_917, tmp_path)
    # Some damage is harmless: a longer word, another number.
    assert 4 <= accepted <= 200


@pytest.mark.slow
@pytest.mark.large
def test_a_million_damaged_scenarios_are_answered(tmp_path: Path) -> None:
    assert scenarios.try_mutants(1_000_000, 20_251_231, tmp_path) > 10_000


def test_a_mutant_that_is_not_answered_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> object:
        raise KeyError(path.name)

    monkeypatch.setattr(scenarios, "load_scenario", fail)
    with pytest.raises(AssertionError, match="KeyError"):
        scenarios.try_mutants(1, 5, tmp_path)
    assert (tmp_path / "mutant-5-0.yaml").exists()


@pytest.mark.slow
def test_damaged_files_are_answered(tmp_path: Path) -> None:
    files.try_mutants(40, 20_250_917, tmp_path)


@pytest.mark.slow
@pytest.mark.large
def test_ten_thousand_damaged_files_are_answered(tmp_path: Path) -> None:
    files.try_mutants(10_000, 20_251_231, tmp_path)


@pytest.mark.slow
def test_a_damaged_table_is_named_and_nothing_is_said_of_a_whole_run(tmp_path: Path) -> None:
    run = files.base_run(tmp_path / "base")
    assert damaged_files(run) == []
    path = run / "payments.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    assert damaged_files(run) == ["payments.parquet"]
    for words in (("audit", run), ("export", run, "--format", "xes"), ("report", run)):
        done = payroute(*words)
        assert done.exit_code == 2, done.stderr
        assert "payments.parquet: not as the run left it" in done.stderr
    # A column of another kind, in a table that can be read.
    path.write_bytes(whole)
    pq.write_table(pq.read_table(path).drop_columns(["submitted_us"]), path)
    assert "not as the run left it" in payroute("explain", run, "--payment", "1").stderr
    (run / "run.json").write_text("{", encoding="utf-8")
    assert damaged_files(run) == ["run.json"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\x1b[2Jb", r"a\u001b[2Jb"),
        ("a\u202eb", r"a\u202eb"),
        ("a\tb\nc", r"a\u0009b\u000ac"),
        # Khmer is written with a space of no width between words.
        ("\u1797\u17b6\u179f\u17b6\u200b\u1781\u17d2\u1798\u17c2\u179a",) * 2,
    ],
    ids=["escape", "direction", "lines", "khmer"],
)
def test_nothing_in_a_problem_steers_a_terminal(text: str, told: str) -> None:
    assert printable(text) == told
    assert str(Problem("a.yaml", 3, text, "unknown field")) == f"a.yaml:3 {told}: unknown field"


def test_every_way_of_damage_is_taken() -> None:
    dice, text = random.Random(3), scenarios.pages()[0]
    assert len({scenarios.mutated(dice, text) for _ in range(200)}) > 150
