"""Correct what a comparison found by what is known of arrivals: control variates.

Takes replications; gives estimates corrected by payments submitted less payments expected, for the
measures that depend on how many come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sim.analysis.comparison import Controlled, control_variate
from sim.study.measure_key import pick
from sim.study.replicate.replications import Replicated

_CONTROLLED_UNITS = frozenset({"payments", "payments/s", "s"})
"""Units of measures that depend on how many come: counts, rates, and times spent in queues. They
are chosen beforehand; picking those in which the control happened to help would make their
intervals too narrow."""


def controlled_estimates(held: Replicated, measures: Sequence[str]) -> dict[str, Controlled]:
    """Return the corrected mean of every measure that depends on arrivals.

    Parameters
    ----------
    held : Replicated
        Of one arm.
    measures : sequence of str
        Keys.
    """
    found: dict[str, Controlled] = {}
    for key in measures:
        picked = [pick(summary, key) for summary in held.summaries]
        units = {measure.unit for measure in picked if measure is not None}
        values = {
            at: float(measure)
            for at, measure in enumerate(picked)
            if measure is not None and measure.value is not None
        }
        better = controlled_mean(values, held, unit=next(iter(units), ""))
        if better is not None:
            found[key] = better
    return found


def controlled_mean(
    values: Mapping[int, float], held: Replicated, *, unit: str
) -> Controlled | None:
    """Correct a mean by arrivals, None where it does not depend on them or little is known.

    Parameters
    ----------
    values : mapping of int to float
        By position of the replication.
    held : Replicated
        Whose arrivals they are.
    unit : str
        Of the values.
    """
    if unit not in _CONTROLLED_UNITS:
        return None
    controls = []
    for at in values:
        expected = held.facts[at].expected
        if expected is None:
            return None
        controls.append(float(held.summaries[at].measures["submitted"]) - expected)
    return control_variate(list(values.values()), controls)
