"""Correct what a comparison found by what is known of arrivals: control variates.

Takes replications; gives estimates corrected by payments submitted less payments expected, for the
measures that depend on how many come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sim.analysis.catalogue import CATALOGUE
from sim.analysis.comparison import Controlled, control_variate
from sim.study.measure_key import name_of
from sim.study.replicate.replications import Replicated


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
        values = {
            at: float(measure)
            for at, measure in enumerate(held.contributions(key))
            if measure is not None and measure.value is not None
        }
        better = controlled_mean(values, held, key)
        if better is not None:
            found[key] = better
    return found


def controlled_mean(values: Mapping[int, float], held: Replicated, key: str) -> Controlled | None:
    """Correct a mean by arrivals, None where it does not depend on them or little is known.

    Parameters
    ----------
    values : mapping of int to float
        By position of the replication.
    held : Replicated
        Whose arrivals they are.
    key : str
        The measure they are of.
    """
    if not CATALOGUE[name_of(key)].kind.is_controlled:
        return None
    controls = []
    for at in values:
        expected = held.facts[at].expected
        if expected is None:
            return None
        controls.append(float(held.summaries[at].measures["submitted"]) - expected)
    return control_variate(list(values.values()), controls)
