"""Every deliberate fault is noticed by the check that stands nearest to it, and for what it is.

A dozen in every run, all of them with ``--large``; ``python -m tests.faults`` prints the table.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.bench import Bench
from tests.faults.fault import ROOT, Fault, read_faults

FAULTS = read_faults()
SAMPLED = 12
SAMPLE = frozenset(fault.name for fault in FAULTS[:: -(-len(FAULTS) // SAMPLED)])
FOLDERS = (
    "analysis", "audit", "calendars", "compiler", "contract", "draws", "engine/kernel",
    "engine/reference", "model", "money", "qr", "rails", "report", "scenario", "study", "tables",
    "workload",
)  # fmt: skip
HARMLESS = Fault(
    "a fault that changes nothing",
    "sim/analysis/intervals.py",
    "count = len(values)\n    if count == 0:",
    "count = len(list(values))\n    if count == 0:",
    (
        "tests/unit/analysis/test_statistics_by_hand.py::test_where_nothing_happened_both_ends_are_looked_at",
    ),
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Return a copy of the source to plant faults in."""
    bench = Bench(tmp_path_factory.mktemp("bench") / "source")
    yield bench
    bench.close()


def _marks(fault: Fault) -> list[pytest.MarkDecorator]:
    return [] if fault.name in SAMPLE else [pytest.mark.large]


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [pytest.param(fault, marks=_marks(fault), id=fault.name) for fault in FAULTS],
)
def test_a_fault_is_noticed(
    bench: Bench, fault: Fault, record_property: pytest.RecordProperty
) -> None:
    before = bench.untouched(fault)
    assert before.is_sound, before.message
    assert before.failed == {}
    after = bench.planted(fault)
    noticed = after.noticed(fault)
    assert noticed, after
    said = next(iter(after.failed.values()))
    record_property("noticed", f"{fault.name} -> {noticed} ({said[:60]})")


def test_there_are_many_and_everywhere() -> None:
    assert len(FAULTS) >= 150
    for folder in FOLDERS:
        assert any(fault.file.startswith(f"sim/{folder}/") for fault in FAULTS), folder


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_fault_still_fits_its_file(fault: Fault) -> None:
    text = (ROOT / fault.file).read_text(encoding="utf-8")
    # What cannot be read would be noticed by anybody.
    assert ast.dump(ast.parse(fault.plant(text))) != ast.dump(ast.parse(text))
    for check in fault.checks:
        path, _, name = check.partition("::")
        assert f"def {name.partition('[')[0]}(" in (ROOT / path).read_text(encoding="utf-8"), check


def test_what_changes_nothing_is_not_noticed(bench: Bench) -> None:
    verdict = bench.planted(HARMLESS)
    assert verdict.is_sound
    assert verdict.noticed(HARMLESS) == ""


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ("count = len(values\n    if count == 0:", "SyntaxError"),
        ("import sim.no_such_module\n    if True:", "ModuleNotFoundError"),
        ("values = None\n    if len(values) == 0:", "TypeError"),
    ],
    ids=["no syntax", "no import", "an error of Python's"],
)
def test_a_fault_is_not_noticed_for_another_reason(bench: Bench, new: str, told: str) -> None:
    check = "tests/unit/analysis/test_statistics.py::test_mean_interval_of_one_value_is_unbounded"
    verdict = bench.planted(replace(HARMLESS, new=new, checks=(check,)))
    assert not verdict.is_sound
    assert told in verdict.message
    assert verdict.failed == {}


def test_a_check_nobody_finds_notices_nothing(bench: Bench) -> None:
    verdict = bench.planted(replace(HARMLESS, checks=(f"{HARMLESS.checks[0]}_at_all",)))
    assert not verdict.is_sound
    assert verdict.noticed(HARMLESS) == ""


def test_the_copy_is_left_as_it_was(bench: Bench) -> None:
    path = bench.folder / HARMLESS.file
    bench.planted(HARMLESS)
    assert path.read_text(encoding="utf-8") == Path(ROOT / HARMLESS.file).read_text("utf-8")
