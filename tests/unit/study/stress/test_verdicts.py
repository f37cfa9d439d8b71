"""What a stress test says of one load, of a ramp and of nothing at all, from runs made up."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from sim.analysis.summary import Measure
from sim.report.documents.stress import chart_rows, sentences, stress_document
from sim.study.slo import parse_slo
from sim.study.stress import study
from sim.study.stress.bottleneck import Bottleneck, largest_cause
from sim.study.stress.participants import Participant
from sim.study.stress.points import LoadPoint, StressPlan
from sim.study.stress.ramp import Ramp
from sim.study.stress.search import Bracket, combine
from sim.study.stress.series import IntervalFigures
from sim.study.stress.study import Stress, run_stress
from sim.study.stress.tables import ramp_table, soak_table
from sim.study.stress.trial import LoadRun
from tests.support.loads import made_up_interval, made_up_run

PLAN = StressPlan(parse_slo("p99<=5s"), ("customers",), 1, replications=2)


def _point(load: float, *runs: LoadRun) -> LoadPoint:
    return LoadPoint(load, load / 10, runs)


def _of_load(point: LoadPoint, **plan: Any) -> Stress:
    return Stress(replace(PLAN, **plan), 10.0, (point,), False)


GOOD = made_up_run(20.0, utilisation=0.4)
SLOW = made_up_run(20.0, is_sustained=False, utilisation=0.97)
POOR = made_up_run(20.0, is_valid=False)


def test_a_load_is_met_missed_or_no_measurement() -> None:
    met = _of_load(_point(20.0, GOOD, GOOD))
    assert (met.verdict, met.is_valid, met.reasons) == ("PASS", True, ())
    assert met.bounds.low == 20.0
    assert met.bounds.value is met.bounds.high is None
    words = sentences(met)
    assert words[0] == "20 payments/s meet end_to_end_p99 <= 5 in every one of 2 runs of 600 s."
    assert words[1] == "No place is full; the busiest is here, busy."
    missed = _of_load(_point(20.0, GOOD, SLOW))
    assert (missed.verdict, missed.is_valid) == ("FAIL", True)
    assert missed.bounds.high == 20.0
    assert missed.reasons == missed.points[0].example
    told = "20 payments/s miss end_to_end_p99 <= 5 in 1 of 2 runs of 600 s: "
    assert sentences(missed)[0].startswith(told)
    poor = _of_load(_point(20.0, POOR, POOR))
    assert (poor.verdict, poor.is_valid) == ("FAIL", False)
    assert sentences(poor)[0].startswith("20 payments/s: no measurement: ")
    # What was no measurement bounds nothing.
    assert poor.bounds == study.Bounds(None, None, None)


def test_a_soak_says_that_nothing_drifts() -> None:
    found = _of_load(_point(20.0, GOOD, GOOD), profile="soak")
    assert "Held that long, neither its times nor its backlog drift." in sentences(found)
    assert not any("drift" in line for line in sentences(_of_load(_point(20.0, GOOD, SLOW))))


def test_a_load_of_payments_across_borders_says_whose_times_are_meant() -> None:
    abroad = replace(GOOD, summary=replace(GOOD.summary, covers="cross_border"))
    lines = sentences(_of_load(_point(20.0, abroad, abroad)))
    assert any(line.startswith("Times and success are those of cross-border") for line in lines)


def test_who_lacks_money_is_named_and_the_rest_counted() -> None:
    poor = Participant("bank", 5.0, station=None, utilisation=None, account="nostro", short=7.0)
    run = replace(
        GOOD, participants=(poor, *(replace(poor, name=f"other{at}") for at in range(30)))
    )
    lines = sentences(_of_load(_point(20.0, run, run)))
    assert "bank lacks money on nostro: 7 payments." in lines
    assert any(line.endswith("more institutions are in the JSON (--json).") for line in lines)


def test_no_load_that_is_met_is_said_with_the_lowest() -> None:
    over = made_up_run(20.0, is_sustained=False, waiting=900)
    found = Stress(PLAN, 10.0, (_point(20.0, over, over),), True)
    assert (found.verdict, found.bounds.value) == ("FAIL", None)
    lines = sentences(found)
    assert lines[0].startswith(
        "No load that can be measured meets end_to_end_p99 <= 5; the lowest, 20 payments/s, does "
        "not: "
    )
    assert lines[1] == "Lower loads take a longer --window to be measured."
    assert sentences(Stress(PLAN, 10.0, (), True))[0] == (
        "No load that can be measured meets end_to_end_p99 <= 5."
    )


def test_a_scenario_beyond_its_capacity_is_told() -> None:
    brackets = [Bracket(0, 98, 100), Bracket(1, 98, 100)]
    capacity = combine(brackets)
    beyond = Stress(PLAN, 120.0, (), True, capacity)
    assert sentences(beyond)[1] == "The scenario's own load, 120 payments/s, is above that."
    assert len(sentences(Stress(PLAN, 50.0, (), True, capacity))) == 1


def _ramp(*parts: IntervalFigures, **run: Any) -> Ramp:
    made = replace(made_up_run(20.0, **run), series=parts)
    loads = tuple(10.0 * (at + 1) for at in range(len(parts)))
    return Ramp(PLAN, 20.0, loads, (made, made))


def _of_ramp(ramp: Ramp) -> Stress:
    return Stress(PLAN, 10.0, (), False, ramp=ramp)


def test_a_ramp_passes_where_the_load_it_is_about_is_met() -> None:
    # 10, 20 and 30 a second for a minute each: met all the way, and followed.
    ramp = _ramp(*(made_up_interval(600 * n, 600 * n) for n in (1, 2, 3)), utilisation=0.5)
    found = _of_ramp(ramp)
    assert (found.verdict, found.is_valid, found.reasons) == ("PASS", True, ())
    assert found.bottleneck is not None
    lines = sentences(found)
    assert lines[0] == (
        "Ramp from 10 to 30 payments/s in 3 stairs of 200 s: end_to_end_p99 <= 5 was met all the "
        "way."
    )
    assert "Completed load followed all the way." in lines
    assert [row[0] for row in chart_rows(found)] == [10.0, 20.0, 30.0]
    assert [row[1] for row in ramp_table(ramp).rows] == [10.0, 20.0, 30.0]


def test_a_ramp_fails_where_it_is_missed_before() -> None:
    # At 20 a second 99 % take up to 9 s.
    slow = made_up_interval(1_200, 1_200, p99=9.0)
    found = _of_ramp(_ramp(made_up_interval(600, 600), slow, slow))
    assert (found.verdict, found.is_valid) == ("FAIL", True)
    assert found.reasons
    assert any("was first missed at" in line for line in sentences(found))
    assert "A queue takes time to fill: a load that is held is missed lower than that." in (
        sentences(found)
    )


def test_a_ramp_of_too_few_payments_judges_nothing() -> None:
    found = _of_ramp(_ramp(*(made_up_interval(3, 3, p99=None) for _ in range(3))))
    assert not found.is_valid
    assert (
        "could not be judged, too few payments in each; lengthen --window." in (sentences(found)[0])
    )


def test_what_was_stopped_by_a_place_over_a_ramp_names_it() -> None:
    slow = made_up_interval(1_200, 600, p99=9.0)
    ramp = _ramp(made_up_interval(600, 600), slow, slow)
    full = Bottleneck("gate", "full", 0.99, None, True)
    ramp = replace(ramp, runs=tuple(replace(run, bottleneck=full) for run in ramp.runs))
    assert "Bottleneck: gate, over the whole ramp full." in sentences(_of_ramp(ramp))


@pytest.mark.parametrize("found", [_of_load(_point(20.0, GOOD, SLOW)), _of_ramp(
    _ramp(*(made_up_interval(600 * n, 600 * n) for n in (1, 2, 3)), utilisation=0.5)
)], ids=["load", "ramp"])  # fmt: skip
def test_a_page_is_made_of_it(found: Stress) -> None:
    document = stress_document(found, {})
    assert document.blocks
    assert document.table.rows


def test_a_soak_is_told_by_its_parts() -> None:
    parts = tuple(made_up_interval(600, 600 - at) for at in range(3))
    run = replace(GOOD, series=parts)
    table = soak_table(replace(PLAN, profile="soak"), _point(10.0, run, run))
    assert len(table.rows) == 3
    assert table.columns[0] == "from_s"


def test_what_is_run_follows_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, float | None]] = []
    ramp = _ramp(made_up_interval(600, 600))
    capacity = combine([Bracket(0, 98, 100), Bracket(1, 98, 100)])
    endless = combine([Bracket(0, 98, None), Bracket(1, 98, None)])
    known: list[Any] = [None]

    def find(test: Any) -> Any:
        ran.append(("search", None))
        return known[0]

    def rise(test: Any, load: float) -> Ramp:
        ran.append(("ramp", load))
        return ramp

    monkeypatch.setattr(study, "find_capacity", find)
    monkeypatch.setattr(study, "run_ramp", rise)

    def told(profile: str, load: float | None) -> tuple[Stress, list[tuple[str, float | None]]]:
        ran.clear()
        test: Any = SimpleNamespace(
            plan=replace(PLAN, profile=profile), base=10.0, points=lambda: (),
            at=lambda load: (ran.append(("at", load)), _point(load, GOOD, GOOD))[1],
        )  # fmt: skip
        return run_stress(test, load), list(ran)

    # A soak holds the scenario's own load; any profile a load that is given.
    assert told("soak", None)[1] == [("at", 10.0)]
    assert told("step", 30.0)[1] == [("at", 30.0)]
    assert told("ramp", 30.0)[1] == [("ramp", 30.0)]
    # Without one a limit is looked for; a ramp rises to it, or to the own load where none holds.
    assert told("step", None)[1] == [("search", None)]
    assert told("ramp", None)[1] == [("search", None), ("ramp", 10.0)]
    known[0] = capacity
    assert told("ramp", None)[1] == [("search", None), ("ramp", capacity.value)]
    # Beyond no limit there is nothing to see.
    known[0] = endless
    found, ways = told("ramp", None)
    assert ways == [("search", None)]
    assert (found.verdict, found.is_valid, found.ramp) == ("PASS", True, None)


def test_time_is_told_by_its_largest_cause() -> None:
    measures = {"transit_mean": Measure(3.0, "s"), "waiting_mean": Measure(1.0, "s")}
    summary = replace(GOOD.summary, measures=measures)
    assert largest_cause(summary) == ("most of a payment's time is transit (3 s of 4 s on average)")
    assert largest_cause(replace(GOOD.summary, measures={})) == ""
