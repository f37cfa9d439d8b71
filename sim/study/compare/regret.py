"""Regret: what an arm is worse than one in which an oracle chooses routes, measure by measure.

Takes the replications of all arms and which of them are oracles; gives paired differences with
95 % intervals. Measures are never added up: what a second is worth in basis points is for whoever
asks to say. An oracle knows a payment's own draws and not who is submitted later, and each payment
chooses for itself: where routes are crowded, regret can be below zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from sim.analysis.catalogue import REGRETTED
from sim.analysis.intervals import Interval
from sim.study.compare.pairs import compare_pair, unit_of
from sim.study.measure_key import pick
from sim.study.replicate.replications import Replicated

LEGEND = (
    "Regret: how much worse than the oracle, ± half of the 95 % interval of the paired difference, "
    "not corrected for looking at several. The oracle of cost or time sends each payment over the "
    "route that is best for it, knowing its own draws, balances and closures beforehand, but not "
    "who is submitted later. Regret can be below zero in what the oracle does not choose by, and "
    "where routes are crowded. Measures are not added up."
)


@dataclass(frozen=True, slots=True)
class Regret:
    """What one arm is worse than an oracle in one measure.

    Attributes
    ----------
    arm, oracle : str
        Names of arms.
    foresees : str
        ``cost`` or ``time``: what the oracle chooses by.
    measure, unit : str
    interval : Interval or None
        Above zero: worse than the oracle. None where an arm has no value.
    """

    JSON_KEYS: ClassVar = (
        "arm oracle foresees measure unit regret=interval.value low=interval.low "
        "high=interval.high replications=interval.count"
    )

    arm: str
    oracle: str
    foresees: str
    measure: str
    unit: str
    interval: Interval | None


def regrets_of(held: Mapping[str, Replicated], foresees: Mapping[str, str]) -> tuple[Regret, ...]:
    """Return what every arm that is no oracle regrets against every arm that is one.

    Parameters
    ----------
    held : mapping of str to Replicated
        By arm.
    foresees : mapping of str to str
        By arm what its oracle foresees, empty for others.
    """
    found = []
    for oracle in (name for name in held if foresees[name]):
        summary = held[oracle].summary()
        for arm in (name for name in held if not foresees[name]):
            for measure, sign in REGRETTED.items():
                if pick(summary, measure) is None:
                    continue
                pair = compare_pair((oracle, arm), held, measure, unit=unit_of(summary, measure))
                difference = pair.difference
                interval = None if difference is None else _signed(difference.interval, sign)
                found.append(Regret(arm, oracle, foresees[oracle], measure, pair.unit, interval))
    return tuple(found)


def _signed(interval: Interval, sign: int) -> Interval:
    """Return an interval of the other sign where less is worse."""
    if sign > 0:
        return interval
    return replace(interval, value=-interval.value, low=-interval.high, high=-interval.low)
