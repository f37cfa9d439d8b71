"""Asking a payee's institution whether it has such a customer, as stages.

Takes what the user wrote; gives the question, and what follows from the answer. Fast payment
systems ask their own question once the payer has begun to pay (their look-up): whether the payee
can be paid. This one is asked before a route is chosen, over whatever rail the money then goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sim.contract.meaning import Cause, Reason
from sim.model.name_check import NameCheck
from sim.model.sections import Demand
from sim.rails.resources import Station
from sim.rails.stages import (
    CREDITOR_AGENT,
    ByRole,
    Program,
    decide,
    serve,
    threshold,
    transit,
)

NAMES = "names"
"""Kind of the station at which an institution answers who has an account."""


def names_stations(streams: Iterable[Demand], institutions: Iterable[str]) -> Iterator[Station]:
    """Yield the stations at which institutions answer it, as many servers as any stream says.

    Parameters
    ----------
    streams : iterable of Demand
        All streams; where none asks for names, there is no station.
    institutions : iterable of str
        Who has customers.
    """
    checks = [one.name_check for one in streams if one.name_check is not None]
    if not checks:
        return
    limited = [check.servers for check in checks if check.servers is not None]
    servers = max(limited) if len(limited) == len(checks) else None
    for name in institutions:
        yield Station(f"{name}.{NAMES}", servers=servers, owner=name, kind=NAMES)


def checked_name(check: NameCheck, *, target: str) -> Program:
    """Return the question, a refusal where the name is another, and the payer's look at it."""
    return (
        *serve("name_check", ByRole(CREDITOR_AGENT, NAMES), check.time, target=target),
        *decide(
            "name_check.mismatch", threshold(check.mismatch), target=target, reason=Reason.BE01
        ),
        *transit("name_check.reads", check.reads, cause=Cause.HUMAN),
        *decide("name_check.refuses", threshold(check.refuses), target=target, reason=Reason.NOAS),
    )
