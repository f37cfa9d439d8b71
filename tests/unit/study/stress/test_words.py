"""The sentences claim no more than was measured: how many runs, whose luck, how precisely."""

from __future__ import annotations

import pytest

from sim.report.documents.stress import chart_note, chart_rows, sentences
from sim.study.slo import parse_slo
from sim.study.stress.points import LoadPoint, StressPlan
from sim.study.stress.search import Bracket, combine
from sim.study.stress.study import Stress
from tests.support.loads import made_up_run


def _found(brackets: list[Bracket], points: tuple[LoadPoint, ...] = ()) -> Stress:
    plan = StressPlan(parse_slo("p99<=5s"), ("customers",), 1, replications=len(brackets))
    return Stress(plan, 10.0, points, True, combine(brackets))


@pytest.mark.parametrize(
    ("brackets", "words"),
    [
        (
            [Bracket(number, 1871.09, 1880.44) for number in range(5)],
            "(all 5 replications break between 1871.09 and 1880.44: the interval is the bracket, "
            "--tolerance narrows it)",
        ),
        (
            [Bracket(0, 100, 101), Bracket(1, 100, 101), Bracket(2, None, None)],
            "(all 2 replications break between 100 and 101: the interval is the bracket, "
            "--tolerance narrows it; 1 more gave no measurement)",
        ),
        (
            [Bracket(0, 98, 100), Bracket(1, 99, 101), Bracket(2, None, None)],
            "95 % interval over 2 replications; 1 more gave no measurement)",
        ),
        ([Bracket(0, 98, 100), Bracket(1, 99, 101)], "95 % interval over 2 replications)"),
        ([Bracket(0, 98, 100)], "bracket of a single run, which knows nothing of luck)"),
        (
            [Bracket(0, 98, 100), Bracket(1, None, None)],
            "bracket of a single run, which knows nothing of luck; 1 more gave no measurement)",
        ),
        (
            [Bracket(0, 98, None), Bracket(1, 98, None), Bracket(2, None, None)],
            "2 runs of 600 s of it meet end_to_end_p99 <= 5; 1 more gave no measurement.",
        ),
    ],
)
def test_an_interval_says_what_it_is_of(brackets: list[Bracket], words: str) -> None:
    assert words in sentences(_found(brackets))[0]


def test_the_chart_shows_loads_that_every_replication_ran() -> None:
    points = (
        LoadPoint(90.0, 9.0, (made_up_run(90.0),)),
        LoadPoint(98.0, 9.8, (made_up_run(98.0), made_up_run(98.0))),
    )
    found = _found([Bracket(0, 98, 100), Bracket(1, 98, 100)], points)
    assert [load for load, _, _ in chart_rows(found)] == [98.0]
    assert chart_note(found) == "(1 load not run in all 2 replications: in the table only)"
    assert chart_note(_found([Bracket(0, 98, 100), Bracket(1, 98, 100)], points[1:])) == ""
