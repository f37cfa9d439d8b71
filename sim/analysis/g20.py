"""Hold a run against the targets of the G20 roadmap for retail payments.

Takes measures of a summary; gives each indicator with its target.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sim.analysis.catalogue import CATALOGUE
from sim.analysis.kinds import Better
from sim.analysis.summary import Measures, Target


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator of the roadmap.

    Attributes
    ----------
    measure : str
        The measure it is about; which way is better is said there.
    target : float
        In the measure's unit.
    words : str
        What people call it.
    is_of_worst : bool
        Whether the worst corridor counts, not all payments.
    """

    measure: str
    target: float
    words: str
    is_of_worst: bool = False


INDICATORS = {
    "cost_mean": Indicator("payer_cost_bps", 100.0, "mean cost to the payer"),
    "cost_worst_corridor": Indicator(
        "payer_cost_bps", 300.0, "cost in the dearest corridor", is_of_worst=True
    ),
    "within_1h": Indicator("within_1h", 0.75, "credited within one hour"),
}
"""Targets of the G20 roadmap (Financial Stability Board 2021): a global average cost of at most
1 %, no corridor above 3 %, 75 % within one hour."""


def hold_against_targets(
    headline: Measures, corridors: Mapping[str, Measures], crossing: Iterable[str]
) -> dict[str, Target]:
    """Hold cost and speed against the published targets; nothing where nothing crosses a border.

    Parameters
    ----------
    headline : mapping of str to Measure
        Of all payments; of several replications their means, so that the figure is the one that
        stands everywhere else.
    corridors : mapping of str to mappings
        Likewise, of each corridor.
    crossing : iterable of str
        The corridors that cross a border.
    """
    abroad = [corridors[name] for name in crossing if name in corridors]
    if not abroad:
        return {}
    found = {}
    for name, indicator in INDICATORS.items():
        sets = abroad if indicator.is_of_worst else (headline,)
        values = [float(m) for s in sets if (m := s[indicator.measure]).value is not None]
        found[name] = _held(name, max(values, default=None))
    return found


def _held(name: str, value: float | None) -> Target:
    """Hold a figure against the target of an indicator."""
    indicator = INDICATORS[name]
    measure, target = CATALOGUE[indicator.measure], indicator.target
    is_met = None
    if value is not None:
        is_met = value >= target if measure.better is Better.HIGHER else value <= target
    return Target(value, target, measure.kind.unit, is_met)
