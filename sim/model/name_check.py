"""The check of a payee's name before a person is paid, as a user writes it.

Takes text as people write it; gives frozen, checked values.
"""

from __future__ import annotations

from sim.model.base import Model
from sim.model.defaults import assumed
from sim.model.distributions import DurationDistribution
from sim.model.quantities import PositiveCount, SharePpb


class NameCheck(Model):
    """What happens between typing whom to pay and paying: the payee's institution is asked.

    It is part of the look-up of a route: over a link that looks payees up itself the question goes
    its way and has its limit, on other routes it is asked directly.
    """

    servers: PositiveCount | None = None
    """Questions each payee's institution answers at a time, beside its core system; absent: no
    limit."""
    time: DurationDistribution = assumed("0.2 s", "as a core system; no figure published")
    """Service time of one of them there."""
    mismatch: SharePpb = assumed(20_000_000, "wrong numbers are typed; no figure for Cambodia")
    """Share of payments of which no such name has the account: they end with the answer (BE01)."""
    reads: DurationDistribution = assumed(
        {"lognormal": {"median": "5 s", "sigma": "0.5"}}, "a person reads a name; not published"
    )
    """Time of the payer to read the name that is shown."""
    refuses: SharePpb = assumed(10_000_000, "some find another name than theirs; not published")
    """Share of payers who then do not pay (NOAS)."""
