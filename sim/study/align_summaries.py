"""Fill in what a replication has nothing of.

Takes summaries of which some lack a name others have (a reason no payment ended for, a route
nobody took); gives summaries with the same names everywhere. A count that is absent is 0, not
unknown: left out, a mean over replications would be a mean over those in which something happened.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sim.analysis.catalogue import CATALOGUE
from sim.analysis.summary import GROUPS, Measure, Summary
from sim.study.packed import values_in

Blanks = dict[str, dict[str, dict[str, Measure]]]
"""Group, name and measure, each as it is where nothing happened."""


def blanks_of(summaries: Iterable[Summary]) -> Blanks:
    """Return every name of every group, with what a summary without it would say.

    Parameters
    ----------
    summaries : iterable of Summary
        Of one scenario, or of scenarios that are compared.
    """
    found: Blanks = {group: {} for group in GROUPS}
    seen = set[int]()
    for summary in summaries:
        kept = values_in(summary)
        if kept is not None:
            # Nearly all replications have the same names.
            if id(kept.shape) in seen:
                continue
            seen.add(id(kept.shape))
        for group in GROUPS:
            for name, measures in summary.by.get(group, {}).items():
                blank = found[group].setdefault(name, {})
                for key, measure in measures.items():
                    if key not in blank:
                        blank[key] = _blank(key, measure.unit)
    return found


def filled(summary: Summary, blanks: Blanks) -> Summary:
    """Return a summary that has every name of ``blanks``.

    Parameters
    ----------
    summary : Summary
    blanks : dict
        From :func:`blanks_of`.
    """
    if all(blanks[group].keys() <= summary.by.get(group, {}).keys() for group in GROUPS):
        return summary
    by = {group: {**blanks[group], **summary.by.get(group, {})} for group in GROUPS}
    return replace(summary, by=by)


def _blank(name: str, unit: str) -> Measure:
    """Return what nothing is: 0 of what is counted; a mean or a quantile of it stays unknown."""
    return Measure(0 if CATALOGUE[name].kind.is_zero_of_nothing else None, unit)
