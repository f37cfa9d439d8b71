"""Give every measure there is a place in a summary that an earlier version may have written.

Takes a summary; gives it with all measures of the catalogue, some without a value.
"""

from __future__ import annotations

from dataclasses import replace

from sim.analysis.catalogue import CATALOGUE
from sim.analysis.definition import HEADLINE, LEDGER, WINDOW
from sim.analysis.summary import GROUPS, Measure, Measures, Summary


def complete(summary: Summary) -> Summary:
    """Return a summary in which every measure there is has a place, some without a value.

    Parameters
    ----------
    summary : Summary
        As an earlier version may have written it.
    """

    def filled(group: str, name: str, measures: Measures) -> Measures:
        if group == WINDOW and "/" in name:
            group = name.split("/")[1]
        if group == "station":
            group = LEDGER if "blocks" in measures else group
        units = {one.name: one.kind.unit for one in CATALOGUE.values() if group in one.groups}
        lacking = {
            name: Measure(None, unit) for name, unit in units.items() if name not in measures
        }
        return {**measures, **lacking}

    by = {
        group: {name: filled(group, name, measures) for name, measures in names.items()}
        for group, names in summary.by.items()
    }
    # Of providers there is a group only where one has a position that is bounded.
    known = [group for group in GROUPS if group != "provider"]
    lacking: dict[str, dict[str, Measures]] = {group: {} for group in known if group not in by}
    return replace(summary, measures=filled(HEADLINE, "", summary.measures), by={**by, **lacking})
