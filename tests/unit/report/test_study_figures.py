"""Figures of studies hold what their tables hold, and stand on the page of every study."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim.report.blocks import Document
from sim.report.documents.stress import stress_document
from sim.report.figures.of_studies import heat_figures, stress_figures, sweep_figures
from sim.report.rendering import render
from sim.study.slo import parse_slo
from sim.study.stress.points import LoadPoint, StressPlan
from sim.study.stress.search import Bracket, combine
from sim.study.stress.study import Stress
from sim.study.sweep.study import SweepResult
from sim.tables.tabular import TabularData
from tests.support.loads import made_up_run
from tests.unit.cli.queue import QUEUE, payroute, write_queue
from tests.unit.report.pages import read_page


def _stress() -> Stress:
    plan = StressPlan(parse_slo("p99<=5s"), ("customers",), 1, replications=2)
    points = tuple(
        LoadPoint(load, load / 10, (made_up_run(load), made_up_run(load))) for load in (50.0, 98.0)
    )
    brackets = [Bracket(0, 98, 100), Bracket(1, 98, 100)]
    return Stress(plan, 10.0, points, True, combine(brackets))


def test_loads_are_drawn_with_the_level_asked_for() -> None:
    completed, time = stress_figures(_stress())
    assert completed.data.rows == (
        ("offered", 50.0, 50.0, 50.0, 50.0),
        ("offered", 98.0, 98.0, 98.0, 98.0),
        ("completed", 50.0, 50.0, 50.0, 50.0),
        ("completed", 98.0, 98.0, 98.0, 98.0),
    )
    assert [row[1:3] for row in time.data.rows] == [(50.0, 1.0), (98.0, 1.0)]
    assert time.origin == 5
    assert "asked for, 5 s" in time.note


def test_the_page_of_a_stress_test_has_them() -> None:
    seen = read_page(render(stress_document(_stress(), {}), "html"))
    assert len(seen.labels) == 2
    assert any("completed at a load of 98 payments/s: 98" in one for one in seen.labels["figure-1"])


def test_responses_follow_the_first_factor_that_is_a_number() -> None:
    columns = ("policy", "rate", "rate_unit", "point", "status", "error")
    columns += ("success_rate", "success_rate_low", "success_rate_high")
    rows = tuple(
        (policy, rate, "/s", at, "done" if rate < 3 else "failed", None, 0.9, 0.8, None)
        for at, (policy, rate) in enumerate([("a", 2), ("a", 1), ("b", 1), ("b", 3)])
    )
    [response] = sweep_figures(SweepResult(TabularData(columns, rows), 4, 0, 1), ("policy", "rate"))
    # Shares in per cent, an end that is not known at the value, points in order, no failed one.
    assert response.data.rows == (
        ("policy a", 1.0, 90.0, 80.0, 90.0),
        ("policy b", 1.0, 90.0, 80.0, 90.0),
        ("policy a", 2.0, 90.0, 80.0, 90.0),
    )
    assert response.x_unit == "rate, /s"


@pytest.mark.slow
def test_a_comparison_has_a_forest_and_its_text_has_none(tmp_path: Path) -> None:
    path, other = write_queue(tmp_path), tmp_path / "four-clerks.yaml"
    other.write_text(QUEUE.replace("servers: 3", "servers: 4"), encoding="utf-8")
    page = tmp_path / "compared.html"
    words = ["compare", path, other, "--jobs", "1", "--replications", "3"]
    words += ["--measures", "success_rate,end_to_end_mean"]
    done = payroute(*words, "--output", page)
    assert done.exit_code == 0, done.output
    seen = read_page(page.read_text(encoding="utf-8"))
    assert len(seen.labels) == 2
    for labels in seen.labels.values():
        (label,) = labels
        # The difference in words is the one in the table beside it.
        shown = re.findall(r": (.*), (?:not )?shown", label)[0]
        assert any(shown in text for text in seen.texts), (label, seen.texts)
    assert "svg" not in done.stdout


@pytest.mark.slow
def test_a_sensitivity_study_has_a_tornado(tmp_path: Path) -> None:
    path = tmp_path / "queue.yaml"
    value = "{value: 2.4 /s, evidence: estimated, source: made up}"
    path.write_text(QUEUE.replace("rate: 2.4 /s", f"rate: {value}"), encoding="utf-8")
    page = tmp_path / "answers.html"
    words = ["sensitivity", path, "--measure", "end_to_end_mean", "--replications", "5"]
    done = payroute(*words, "--jobs", "1", "--output", page)
    assert done.exit_code == 0, done.output
    seen = read_page(page.read_text(encoding="utf-8"))
    [labels] = seen.labels.values()
    assert any("demand.customers.rate" in one for one in labels)


def test_an_empty_study_draws_nothing() -> None:
    nothing = SweepResult(TabularData(("point", "status", "error"), ()), 0, 0, 0)
    assert list(sweep_figures(nothing, ())) == []
    assert render(Document((), TabularData((), ()), {}), "html").count("<figure") == 0


def test_two_factors_are_a_map_of_what_comes_of_them() -> None:
    columns = ("limit", "rate", "rate_unit", "status", "p99", "p99_low", "p99_high")
    rows = tuple(
        (limit, rate, "/s", "done", float(limit * rate), None, None)
        for limit in (1, 2)
        for rate in (10, 20, 30)
    )
    columns = tuple(name.replace("p99", "end_to_end_p99") for name in columns)
    found = SweepResult(TabularData(columns, rows), 6, 0, 0, factors=("limit", "rate"))
    [heat] = heat_figures(found)
    assert heat.data.rows == tuple(
        (float(limit), float(rate), float(limit * rate)) for limit, rate, *_ in rows
    )
    assert heat.mark_words[0] == "limit 1 , rate 10 /s: 10 s"
    assert heat.x_unit == "limit"
    assert "Upward: rate, /s" in heat.note
    # A third that varies would put several points into one cell, and a word is no place on an axis.
    words = tuple(("cheapest", *row[1:]) if row[0] == 1 else ("fastest", *row[1:]) for row in rows)
    named = SweepResult(TabularData(columns, words), 6, 0, 0, factors=("limit", "rate"))
    assert list(heat_figures(named)) == []
    three = tuple((*row, at) for at, row in enumerate(rows))
    third = TabularData((*columns, "peers"), three)
    many = SweepResult(third, 6, 0, 0, factors=("limit", "rate", "peers"))
    assert list(heat_figures(many)) == []
