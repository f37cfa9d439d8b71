"""Both engines agree on every scenario of this repository: on the first payments of each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.plan import Array, Plan
from sim.contract.records import WorkloadColumn
from sim.scenario.scenario import load_scenario
from sim.units import SECOND_US
from tests.equivalence.compared import run_both

SCENARIOS = Path(__file__).parents[2] / "scenarios"
PATHS = sorted(
    path
    for path in SCENARIOS.rglob("*.yaml")
    if "experiments" not in path.relative_to(SCENARIOS).parts
)
PAYMENTS = 1_500
AFTER_US = 90 * SECOND_US
"""Time for the last of them to end, longer than the time-outs of the scenarios."""


def beginning(path: Path) -> tuple[Plan, Array]:
    """Return the plan of a scenario and its first payments, the horizon drawn in after them."""
    compiled = compile_scenario(load_scenario(path))
    plan = compiled.plan
    workload = next(iter(compiled.workload()))[:PAYMENTS].copy()
    last_us = int(workload[-1, WorkloadColumn.TIME_US])
    horizon_us = min(plan.horizon_us, last_us + AFTER_US)
    # A warm-up that ends amid the payments shows what counts from it on.
    warm_up_us = last_us // 4 if plan.warm_up_us > 0 else 0
    return replace(plan, horizon_us=horizon_us, warm_up_us=warm_up_us), workload


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.relative_to(SCENARIOS).as_posix())
def test_engines_agree_on_a_scenario(path: Path) -> None:
    plan, workload = beginning(path)
    kept = run_both(plan, workload, chunk=331)
    below = int((workload[:, WorkloadColumn.TIME_US] < plan.horizon_us).sum())
    assert len(kept.record) == below > 0
    assert len(kept.log) > 3 * below


def test_scenarios_are_found() -> None:
    assert {path.name for path in PATHS} >= {"minimal.yaml", "china-two-way.yaml"}
