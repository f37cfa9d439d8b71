"""Everything ``spec`` names occurs in a case on which the engines were compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import IntEnum

import numpy as np
import pytest

from sim.contract.agenda import AgendaKind
from sim.contract.layout import (
    PAYMENT_BITS,
    STEP_BITS,
    FeeColumn,
    PricingColumn,
    RouteSetColumn,
    StageColumn,
    StationColumn,
)
from sim.contract.meaning import (
    Bearer,
    Cause,
    Discipline,
    EventClass,
    FeeKind,
    FixedSide,
    LogKind,
    Op,
    Outcome,
    Policy,
    WhenClosed,
)
from sim.contract.plan import Array
from sim.contract.records import LogColumn, RecordColumn, WorkloadColumn
from sim.draws.quantile import FAMILIES as DISTRIBUTIONS
from tests.equivalence import crafted
from tests.equivalence.compared import run_both
from tests.equivalence.random_plans import Case, random_case
from tests.equivalence.random_rules import with_oracles

SEEDS = (*range(2_000, 2_060), 2_121)
"""In the last one a request in doubt comes to be known, which is rare."""
FORESEEN = range(2_000, 2_006)
"""Small ones in which oracles choose."""
FAMILIES: tuple[type[IntEnum], ...] = (
    Op, FeeKind, Bearer, FixedSide, Policy, Discipline, WhenClosed, Outcome, AgendaKind, LogKind,
    EventClass, Cause,
)  # fmt: skip
PARAMETERS: dict[str, dict[str, float]] = {
    "constant": {"value": 90_000},
    "uniform": {"low": 10_000, "high": 200_000},
    "exponential": {"mean": 90_000},
    "erlang": {"shape": 3, "mean": 90_000},
    "gamma": {"shape": 0.7, "mean": 90_000},
    "lognormal": {"median": 60_000, "sigma": 0.8},
    "weibull": {"scale": 90_000, "shape": 1.5},
    "triangular": {"low": 10_000, "mode": 50_000, "high": 200_000},
    "normal": {"mean": 90_000, "sd": 10_000},
    "truncated_normal": {"mean": 50_000, "sd": 50_000, "low": 1_000},
    "loglogistic": {"median": 50_000.0, "alpha": 3.0},
    "pareto": {"minimum": 40_000, "alpha": 2.5},
    "hyperexponential": {"p": 0.3, "mean_1": 20_000, "mean_2": 120_000},
}
"""Durations of every family that has parameters, about as long as the gaps between payments."""


@pytest.fixture(scope="module")
def seen() -> dict[type[IntEnum], set[int]]:
    """Compare the engines on fixed cases and note what happened in them."""
    found: dict[type[IntEnum], set[int]] = {family: set() for family in FAMILIES}
    for seed in SEEDS:
        case = random_case(seed, 80, ties=seed % 2 == 0)
        kept = run_both(case.plan, case.workload)
        _note(found, case, kept.log, kept.record)
    for seed in FORESEEN:
        case = random_case(seed, 12, ties=False)
        case = replace(case, plan=with_oracles(case.plan))
        kept = run_both(case.plan, case.workload)
        _note(found, case, kept.log, kept.record)
    return found


def _note(found: dict[type[IntEnum], set[int]], case: Case, log: Array, record: Array) -> None:
    """Add what really happened in one case: what stands in a plan unused does not count."""
    plan = case.plan
    kinds = log[:, LogColumn.KIND]
    found[LogKind] |= _values(kinds)
    found[EventClass] |= _values(log[:, LogColumn.KEY] >> (PAYMENT_BITS + STEP_BITS))
    found[Outcome] |= _values(record[:, RecordColumn.OUTCOME])
    stages = log[:, LogColumn.STAGE]
    found[Op] |= _values(plan.stage[stages[stages >= 0], StageColumn.OP])
    fees = log[kinds == LogKind.FEE, LogColumn.SUBJECT]
    found[FeeKind] |= _values(plan.fee[fees, FeeColumn.KIND])
    found[Bearer] |= _values(plan.fee[fees, FeeColumn.BEARER])
    quoted = log[kinds == LogKind.QUOTE, LogColumn.SUBJECT]
    found[FixedSide] |= _values(plan.pricing[quoted, PricingColumn.FIXED_SIDE])
    queued = log[kinds == LogKind.JOIN, LogColumn.SUBJECT]
    found[Discipline] |= _values(plan.station[queued, StationColumn.DISCIPLINE])
    closed = log[kinds == LogKind.CLOSE, LogColumn.SUBJECT]
    found[WhenClosed] |= _values(plan.station[closed, StationColumn.WHEN_CLOSED])
    found[AgendaKind] |= _values(plan.agenda[plan.agenda[:, 0] < plan.horizon_us, 1])
    routed = log[kinds == LogKind.ROUTE, LogColumn.PAYMENT]
    sets = case.workload[routed, WorkloadColumn.ROUTE_SET]
    sets = sets[plan.route_set[sets, RouteSetColumn.COUNT] > 1]
    found[Policy] |= _values(plan.route_set[sets, RouteSetColumn.POLICY])
    for cause in Cause:
        if record[:, RecordColumn.TIME_0 + cause].any():
            found[Cause].add(int(cause))


def _values(column: Iterable[int]) -> set[int]:
    return {int(value) for value in np.unique(np.asarray(column))}


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_every_member_occurs_in_a_compared_case(
    seen: dict[type[IntEnum], set[int]], family: type[IntEnum]
) -> None:
    missing = [member.name for member in family if int(member) not in seen[family]]
    assert not missing, f"{family.__name__}: no compared case shows {missing}"


@pytest.mark.parametrize("family", DISTRIBUTIONS)
def test_every_family_of_distributions_occurs_in_a_compared_case(family: str) -> None:
    case = crafted.station_of_family(family, PARAMETERS.get(family))
    kept = run_both(case.plan, case.workload)
    times = kept.log[kept.log[:, LogColumn.KIND] == LogKind.START, LogColumn.AMOUNT]
    assert len(times) == len(case.workload)
    assert len(set(times.tolist())) == 1 if family == "constant" else len(set(times.tolist())) > 100
