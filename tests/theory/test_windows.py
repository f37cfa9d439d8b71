"""Windows of time: what belongs to which, worked out by hand; the whole run as a window is the run.

One desk serves one payment at a time in 2 s and is closed from 10 to 20 s.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.analysis.catalogue import CATALOGUE
from sim.analysis.kinds import COUNT, Pooling
from sim.analysis.summary import OF_PAYMENTS, Summary
from sim.compiler.compile import compile_scenario
from sim.errors import ScenarioError
from sim.explain.agenda import agenda_lines
from sim.report.blocks import Table
from sim.report.documents.run import group_blocks
from sim.study.case import RunOptions
from sim.study.compare.arms import work_of_scenarios
from sim.study.measure_key import pick
from sim.study.run import run_replication
from tests.theory.driver import load_text

DESK = """
scenario: desk
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 1 min}
rails:
  shop:
    kind: generic
    stations: {desk: {servers: 1}}
    stages: [{name: work, serve: desk, time: 2 s}]
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  asked:
    corridor: inside
    payments: [{at: 1 s, amount: 1}, {at: 11 s, amount: 1}, {at: 12 s, amount: 1},
               {at: 25 s, amount: 1}, {at: 40 s, amount: 1}]
disruptions: {down: {outage: shop, after: 10 s, for: 10 s}}
windows:
  calm: {before: down, for: 10 s}
  down: {during: down}
  healed: {after: down, for: 10 s}
  noon: {from: "12:00:00", for: 12 s}
"""
"""Served 1 to 3; 20 to 22 and 22 to 24, whoever came at 11 and 12; 25 to 27; 40 to 42."""

RUSH = """
scenario: rush
extends: MINIMAL
clock: {horizon: 4 min, warm_up: 20 s}
demand:
  inbound: {payments: null, rate: 30 /min, amount: 41 000 KHR}
  domestic: {payments: null, rate: 60 /min, amount: 9 000 KHR}
accounts: {river_khr_for_alipay: {balance: 2 000 000}}
windows:
  all: {at: 0 s, for: 1 h}
  first: {at: 0 s, for: 100 s}
  rest: {at: 100 s, for: 1 h}
"""


def _summary(folder: Path, engine: str, text: str, *changes: str) -> Summary:
    compiled = compile_scenario(load_text(folder, text, changes))
    return run_replication(compiled, RunOptions(engine, "none")).summary


def _told(summary: Summary, window: str, *names: str) -> list[float | None]:
    held = summary.by["window"][window]
    return [held[name].value for name in names]


def test_a_payment_belongs_to_the_window_it_was_submitted_in(tmp_path: Path, engine: str) -> None:
    found = _summary(tmp_path, engine, DESK)
    names = ("submitted", "completed", "end_to_end_mean", "end_to_end_max", "completed_rate_mean")
    assert _told(found, "calm", *names) == [1, 1, 2.0, 2.0, 0.1]
    # Who came at 11 waits to 20: 22 - 11 = 11; the next 24 - 12 = 12. Nothing completes meanwhile.
    assert _told(found, "down", *names) == [2, 2, 11.5, 12.0, 0.0]
    # Of 25 to 27; but completed at 22, 24 and 27: three in 10 s.
    assert _told(found, "healed", *names) == [1, 1, 2.0, 2.0, 0.3]
    # The end is no part of it: who comes at 12 is not in; (2 + 11) / 2.
    assert _told(found, "noon", *names[:3]) == [2, 2, 6.5]
    assert _told(found, "down", "offered_rate_mean", "waiting_mean") == [0.2, 9.5]
    nested = pick(found, "window/down/corridor/inside/end_to_end_mean")
    assert nested is not None
    assert nested.value == 11.5


def test_what_lies_before_the_warm_up_is_no_part_of_a_window(tmp_path: Path, engine: str) -> None:
    found = _summary(tmp_path, engine, DESK, "clock.warm_up=5 s")
    assert _told(found, "calm", "submitted", "completed_rate_mean") == [0, 0.0]
    # [5, 12) is left: one payment in 7 s.
    assert _told(found, "noon", "submitted", "offered_rate_mean") == [1, 1 / 7]


def test_the_whole_run_as_a_window_has_the_measures_of_the_run(tmp_path: Path, engine: str) -> None:
    found = _summary(tmp_path, engine, RUSH)
    held = found.by["window"]["all"]
    # What schemes owe and what is paid back later is of the whole run; pooled is what needs many.
    inside = {
        one.name
        for one in CATALOGUE.values()
        if "window" in one.groups and one.pooling is not Pooling.KAPLAN_MEIER
    }
    assert held == {name: one for name, one in found.measures.items() if name in inside}
    assert {"success_rate", "payer_cost_bps", "end_to_end_p99"} <= inside
    assert found["completed"].value
    for group in OF_PAYMENTS:
        own = {f"all/{group}/{name}": one for name, one in found.by[group].items()}
        told = {k: v for k, v in found.by["window"].items() if k.startswith(f"all/{group}/")}
        assert told == own
    counts = {one.name for one in CATALOGUE.values() if one.kind is COUNT} & set(held)
    for name in counts:
        parts = [found.by["window"][part][name].value for part in ("first", "rest")]
        assert sum(int(part or 0) for part in parts) == (found[name].value or 0), name
    assert all(_told(found, part, "submitted")[0] for part in ("first", "rest"))


def test_windows_are_told_by_explain_and_stand_in_the_table_in_order_of_time(
    tmp_path: Path,
) -> None:
    compiled = compile_scenario(load_text(tmp_path, DESK), with_tables=False)
    told = [line for line in agenda_lines(compiled) if line.startswith("Window")]
    assert told == [
        "Window calm (before down): measured for itself: t = 0 s to t = 10 s",
        "Window noon: measured for itself: t = 0 s to t = 12 s",
        "Window down (during down): measured for itself: t = 10 s to t = 20 s",
        "Window healed (after down): measured for itself: t = 20 s to t = 30 s",
    ]
    table = next(iter(group_blocks(_summary(tmp_path, "reference", DESK), "window")))
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["calm", "noon", "down", "healed"]


def test_a_comparison_compares_the_windows_all_arms_have(tmp_path: Path) -> None:
    paths = [tmp_path / "one.yaml", tmp_path / "two.yaml"]
    paths[0].write_text(DESK, encoding="utf-8")
    paths[1].write_text(DESK.replace('  noon: {from: "12:00:00", for: 12 s}\n', ""), "utf-8")
    compared = work_of_scenarios(paths).plan.measures
    assert "window/down/success_rate" in compared
    assert not any("noon" in key for key in compared)


def test_a_window_outside_the_run_is_told_and_measures_nothing(tmp_path: Path) -> None:
    text = DESK.replace('{from: "12:00:00", for: 12 s}', "{at: 2 min, for: 1 s}")
    found = _summary(tmp_path, "reference", text)
    assert _told(found, "noon", "submitted", "success_rate", "offered_rate_mean") == [0, None, None]
    (note,) = compile_scenario(load_text(tmp_path, text), with_tables=False).notes
    assert note[0] == ("windows", "noon")
    assert "from 0 s to 1 min after the start" in note[1]


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("{for: 10 s}", "found none of them; allowed: exactly one of from, at, before"),
        ("{at: 1 s, during: down}", "found at and during; allowed: exactly one"),
        ("{during: dwon}", "unknown disruption 'dwon'"),
        ("{during: down, for: 10 s}", "found a length beside during"),
        ("{after: down}", "found after without a length; needed: for"),
        ("{before: down, for: 10 s}", ""),
    ],
)
def test_a_window_that_cannot_be_is_refused(tmp_path: Path, window: str, words: str) -> None:
    def tried() -> None:
        text = DESK.replace('{from: "12:00:00", for: 12 s}', window)
        compile_scenario(load_text(tmp_path, text), with_tables=False)

    if not words:
        tried()
        return
    with pytest.raises(ScenarioError, match=words):
        tried()
