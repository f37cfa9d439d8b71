"""Asking a payee's institution whether it has such a customer, as stages.

Takes what the user wrote; gives the question, and what follows from the answer. It is part of the
look-up of a route. A rail that looks the payee up itself asks it on its own way, as fast payment
systems do over their link; on all other routes the payer's institution asks directly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sim.contract.meaning import Cause, Reason
from sim.model.name_check import NameCheck
from sim.model.sections import Demand
from sim.rails.institutions import core, core_time
from sim.rails.patience import answered, waits
from sim.rails.protocol import World
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


def asked_payee(label: str, check: NameCheck | None, world: World, *, target: str) -> Program:
    """Return the question at the payee's institution, whether it has such a customer.

    Parameters
    ----------
    label : str
        Of the stage where no name is asked for, only whether the account is there.
    check : NameCheck or None
        How the name is asked for, at a station of its own; None: the core system answers.
    world : World
    target : str
        Where the payment goes on that gets no answer.
    """
    if check is None:
        time = core_time(world, "", CREDITOR_AGENT)
        return serve(label, core(CREDITOR_AGENT), time, target=target)
    return serve("name_check", ByRole(CREDITOR_AGENT, NAMES), check.time, target=target)


def read_name(check: NameCheck, *, patient: bool, target: str) -> Program:
    """Return what follows from the answer: a refusal of another name, and the payer's look at it.

    Parameters
    ----------
    check : NameCheck
    patient : bool
        Whether payers' patience ends: while they read, they wait for nobody.
    target : str
        Where the payment goes on that ends here.
    """
    return (
        *decide(
            "name_check.mismatch", threshold(check.mismatch), target=target, reason=Reason.BE01
        ),
        *(answered() if patient else ()),
        *transit("name_check.reads", check.reads, cause=Cause.HUMAN),
        *(waits(target) if patient else ()),
        *decide("name_check.refuses", threshold(check.refuses), target=target, reason=Reason.NOAS),
    )
