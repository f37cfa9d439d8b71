"""How many more replications a precision takes, and what an objective is when nothing is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.analysis.summary import Measure, Summary
from sim.study.replicate.precision import PrecisionTarget, Width
from sim.study.slo import parse_slo

NOTHING = Summary("made-up", 1, "compiled", 1, "all", {}, {})


def test_a_width_shrinks_with_the_square_root() -> None:
    # Twice as wide as wanted at 10 replications takes four times as many, and one to be sure.
    assert Width("mean", 2.0, 1.0, "s").needed(10) == 41
    assert Width("mean", 1.0, 1.0, "s").needed(10) == 10
    assert Width("mean", 1.01, 1.0, "s").needed(10) == 11
    # Of what has no interval, or may have no width at all, no number is enough.
    assert Width("mean", None, 1.0, "s").needed(10) == 20
    assert Width("mean", 1.0, 0.0, "s").needed(10) == 20
    assert Width("mean", 1e9, 1e-9, "s").needed(10) == 10**9


def test_what_is_reached_is_said_with_what_would_do() -> None:
    assert Width("mean", None, 1.0, "s").sentence(10) == (
        "mean: not reached, 10 replications give no interval for it"
    )
    assert Width("mean", 0.5, 1.0, "s").sentence(10) == (
        "mean: reached with 10 replications (0.5 s, wanted 1)"
    )
    assert (
        Width("mean", 2.0, 1.0, "s")
        .sentence(10)
        .endswith("stopped at the limit of 10 replications, about 41 would do")
    )


def test_a_relative_width_is_of_the_value() -> None:
    target = PrecisionTarget("end_to_end_mean", 0.1, is_relative=True)
    found = target.width(Measure(20.0, "s", 17.0, 23.0))
    assert (found.half, found.wanted) == (3.0, pytest.approx(2.0))
    assert target.width(Measure(None, "s")).half is None
    assert target.width(Measure(20.0, "s")).half is None


def test_an_objective_of_nothing_is_not_met() -> None:
    [objective] = parse_slo("p99<=5s")
    assert not objective.is_met(NOTHING)
    unknown = replace(NOTHING, measures={"end_to_end_p99": Measure(None, "s")})
    assert not objective.is_met(unknown)
    # Known to lie in a cell it is met where the whole cell does: up to 4.5 s, and up to 5.5.
    for value, is_met in ((4.0, True), (5.0, False)):
        cell = replace(NOTHING, measures={"end_to_end_p99": Measure(value, "s", width=1.0)})
        assert objective.is_met(cell) is is_met


def test_only_quantiles_need_payments_to_be_believed() -> None:
    [quantile] = parse_slo("p99<=5s")
    [share] = parse_slo("success>=99%")
    assert quantile.quantile == pytest.approx(0.99)
    # So many beyond it as are asked for: one in a hundred is.
    assert quantile.completions_needed() == pytest.approx(
        100 * parse_slo("end_to_end_p50<=5s")[0].completions_needed() / 2
    )
    assert (share.quantile, share.completions_needed()) == (None, 0)
