"""Connections of a rail that have a start date, and institutions that joined them later.

Takes the dates a user writes; gives the links rails answer with, and who does not take part yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from sim.model.base import Model
from sim.model.quantities import CalendarDate, Flag


class Joined(Model):
    """The day from which one institution takes part."""

    live_from: CalendarDate
    """Day it joined; while it lies after the clock's start the institution takes no part."""
    hypothetical: Flag = False
    """Has it take part all the same; `explain` and the report say so."""


class Dated(Protocol):
    """Anything that went live on a day, with institutions that joined on others."""

    @property
    def live_from(self) -> date:
        """Return the day it went live."""

    @property
    def hypothetical(self) -> bool:
        """Return whether it was not live at the scenario's start."""

    @property
    def joined(self) -> Mapping[str, Joined]:
        """Return who joined on a day of their own, by institution."""


@dataclass(frozen=True, slots=True)
class Link:
    """A connection with the day it went live.

    Attributes
    ----------
    use : str
        As in :class:`Leg`.
    is_hypothetical : bool
        Not live at the scenario's start; explain and the report say so.
    institution : str
        Whose joining it is, on a day of its own; empty: the connection itself.
    """

    use: str
    live_from: date
    is_hypothetical: bool
    institution: str = ""

    @property
    def words(self) -> str:
        """Return its use and whose it is, as in ``inbound at acleda``; empty where neither."""
        at = f"at {self.institution}" if self.institution else ""
        return " ".join(filter(None, (self.use, at)))

    def is_ahead(self, start: date) -> bool:
        """Say whether an institution does not take part yet on the day of the start."""
        return bool(self.institution) and self.live_from > start and not self.is_hypothetical


def links_of_uses(uses: Iterable[tuple[str, Dated]]) -> tuple[Link, ...]:
    """Return the link of every use, and one for each institution with a day of its own."""
    return tuple(link for use, dated in uses for link in _links_of(use, dated))


def _links_of(use: str, dated: Dated) -> Iterator[Link]:
    yield Link(use, dated.live_from, dated.hypothetical)
    yield from joined_links(use, dated.joined)


def joined_links(use: str, joined: Mapping[str, Joined]) -> Iterator[Link]:
    """Yield one link for each institution with a day of its own."""
    for institution, own in joined.items():
        yield Link(use, own.live_from, own.hypothetical, institution)


def not_yet(links: Iterable[Link], start: date) -> frozenset[tuple[str, str]]:
    """Return (use, institution) of those that do not take part yet on the day of the start."""
    return frozenset((link.use, link.institution) for link in links if link.is_ahead(start))
