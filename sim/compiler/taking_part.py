"""Institutions that do not take part yet in what others do, and the remarks on them.

Takes a scenario; gives the rails and uses each institution is absent from at the start of the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sim.model.base import FieldPath
from sim.model.members import Member
from sim.rails.links import Link
from sim.rails.payers import Use
from sim.rails.protocol import Found
from sim.scenario.model import Scenario

Absences = Mapping[str, tuple[Use, ...]]
"""Rails and uses by the institution that is absent from them; others are absent from none."""


def absences(scenario: Scenario, members: Sequence[Member]) -> Absences:
    """Return what institutions do not take part in yet, each of a group for itself."""
    found: dict[str, tuple[Use, ...]] = {}
    for member in members:
        uses = tuple(
            (rail, link.use)
            for rail, link in _ahead(scenario)
            if scenario.institutions[link.institution] is member.entry
        )
        if uses:
            found[member.name] = uses
    return found


def absent_remarks(scenario: Scenario) -> Found:
    """Yield who does not take part yet, and since when it will."""
    for rail, link in _ahead(scenario):
        where = (link.use,) if link.use else ()
        path: FieldPath = ("rails", rail, *where, "joined", link.institution)
        yield (
            path,
            f"takes part from {link.live_from} on, after the start: it has no such route yet",
        )


def _ahead(scenario: Scenario) -> Iterator[tuple[str, Link]]:
    """Yield, in the order of names, the links of institutions that join after the start."""
    start = scenario.clock.start.date()
    for name, rail in sorted(scenario.rails.items()):
        for link in sorted(rail.links(), key=lambda link: (link.use, link.institution)):
            if link.is_ahead(start):
                yield name, link
