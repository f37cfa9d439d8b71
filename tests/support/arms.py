"""Two arms of one small comparison: money placed ahead that runs out in one, and lasts in another.

Three minutes of a payment a second; in the arm ``poor`` 100,000 riel pay for 100 of them, in
``rich`` they last for all. Customers are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import load_scenario
from sim.study.compare.comparison import ArmWork, ComparisonPlan

MINIMAL = Path(__file__).parents[2] / "scenarios" / "minimal.yaml"
CHANGES = {
    "clock.horizon": "3 min",
    "demand.inbound": "{corridor: cn_kh, payments: null, rate: 1 /s, amount: 1 000 KHR}",
}
BALANCES = {"poor": "100 000", "rich": "1 000 000"}
ARMS_PLAN = ComparisonPlan(
    20250917, replications=2, measures=("success_rate", "end_to_end_mean"), baseline="poor"
)


def changes_of(arm: str, more: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return what an arm changes, as texts."""
    changed = {**CHANGES, "accounts.river_khr_for_alipay.balance": BALANCES[arm], **(more or {})}
    return tuple(f"{path}={value}" for path, value in changed.items())


def two_arms(more: Mapping[str, str] | None = None) -> list[ArmWork]:
    """Return both arms, with changes of the test's own."""
    return [
        ArmWork(
            arm,
            dump_resolved(load_scenario(MINIMAL, changes_of(arm, more)).document),
            streams=("inbound",),
        )
        for arm in BALANCES
    ]
