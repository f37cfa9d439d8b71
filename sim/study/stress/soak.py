"""Find what creeps while a load is held long: times that drift, accounts that drain.

Takes the intervals and the samples of a run; gives reasons to fail and accounts with their end in
sight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from sim.contract.layout import UNLIMITED, AccountColumn
from sim.contract.plan import Plan
from sim.study.stress.backlog import PlaceSink
from sim.study.stress.series import IntervalFigures
from sim.units import minor_unit

SOAK_WINDOW_S = 3600
INTERVALS = 12
"""Parts a soak is measured in."""
_DEVIATIONS = 4
_GROWTH_MIN = 0.05
"""Share of its mean a time must grow by before its growth matters."""
_RISE_MAX = 1.02
"""Rise of the demand itself above which longer times are no drift."""
_SECONDS_PER_HOUR = 3600
_HOURS_MAX = 7 * 24
"""An account that would last longer than a week is nobody's worry tonight."""


@dataclass(frozen=True, slots=True)
class Drain:
    """When an account runs dry if the load goes on as it is.

    Attributes
    ----------
    account : str
    per_hour_minor : float
        Minor units it loses in an hour.
    currency : str
    unit : str
        Of what is lost, see :func:`~sim.units.minor_unit`.
    empty_after_h : float
        Hours from the end of the run until it can pay nothing more; extrapolated.
    """

    JSON_KEYS: ClassVar = "account per_hour_minor currency empty_after_h is_extrapolated"
    is_extrapolated: ClassVar[bool] = True

    account: str
    per_hour_minor: float
    currency: str
    unit: str
    empty_after_h: float


def drift_reasons(series: Sequence[IntervalFigures], *, rise: float) -> tuple[str, ...]:
    """Say which times drift upwards from interval to interval.

    Parameters
    ----------
    series : sequence of IntervalFigures
        Equally long.
    rise : float
        How many times the demand of the start is expected at the end.

    Notes
    -----
    A straight line is laid through the intervals' p50 and p99. It drifts when its growth exceeds
    four standard errors of the slope, so that chance alone hardly does it, and a twentieth of the
    mean, so that it matters.
    """
    if rise > _RISE_MAX:
        return ()
    found = []
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        values = [value for part in series if (value := part.quantile(share)) is not None]
        growth, error = _growth(values)
        if growth > _DEVIATIONS * error and growth > _GROWTH_MIN * float(np.mean(values)):
            found.append(
                f"{name} drifts: it grew by {growth:.3g} s over {len(values)} intervals "
                f"(standard error {error:.2g} s)"
            )
    return tuple(found)


def find_drains(plan: Plan, places: PlaceSink) -> tuple[Drain, ...]:
    """Return the watched accounts whose balance falls and will not last, the shortest-lived first.

    Parameters
    ----------
    plan : Plan
    places : PlaceSink
        Balances sampled during the run.
    """
    found = []
    for at, name in enumerate(plan.names.accounts):
        overdraft = int(plan.account[at, AccountColumn.OVERDRAFT])
        moved = places.moved(name)
        if overdraft >= UNLIMITED or not moved.is_falling:
            continue
        per_hour = -places.per_second(name) * _SECONDS_PER_HOUR
        if per_hour <= 0:
            continue
        left_h = (moved.end + overdraft) / per_hour
        if left_h <= _HOURS_MAX:
            currency = plan.names.currencies[int(plan.account[at, AccountColumn.CURRENCY])]
            unit = minor_unit(currency, plan.names.declared)
            found.append(Drain(name, per_hour, currency, unit, max(left_h, 0.0)))
    return tuple(sorted(found, key=lambda drain: (drain.empty_after_h, drain.account)))


def _growth(values: Sequence[float]) -> tuple[float, float]:
    """Return the growth of the straight line through values, and its standard error."""
    count = len(values)
    if count < INTERVALS // 2:
        return 0.0, 0.0
    at = np.arange(count)
    slope, level = np.polyfit(at, values, 1)
    rest = np.asarray(values) - (level + slope * at)
    error = sqrt(float((rest**2).sum()) / (count - 2) / float(((at - at.mean()) ** 2).sum()))
    return float(slope) * (count - 1), error * (count - 1)
