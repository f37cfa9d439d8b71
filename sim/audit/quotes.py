"""Work out again which quotes of a group a payment could choose.

Takes rebuilt payments and candidates; says who is outbid, by the rule of
:mod:`sim.contract.policies`.
"""

from __future__ import annotations

from sim.audit.prices import price_anew
from sim.audit.state import Count, Pay, Things
from sim.audit.world import World
from sim.contract.layout import CandidateColumn, RouteColumn
from sim.contract.records import Register
from sim.jit.functions import called


@called
def outbids(w: World, p: int, other: int, mine: int) -> bool:
    """Say whether one candidate of a group comes before another; both are rows of ``things``."""
    if w.things[other, CandidateColumn.GROUP] != w.things[mine, CandidateColumn.GROUP]:
        return False
    theirs, theirs_usable = _cost(w, p, other)
    theirs_credited = w.scratch[Register.CREDITED] if theirs_usable else 0
    ours, ours_usable = _cost(w, p, mine)
    ours_credited = w.scratch[Register.CREDITED] if ours_usable else 0
    if theirs_usable != ours_usable:
        return theirs_usable
    if theirs != ours:
        return bool(theirs < ours)
    if theirs_credited != ours_credited:
        return bool(theirs_credited > ours_credited)
    ranks = w.things[other, CandidateColumn.RANK], w.things[mine, CandidateColumn.RANK]
    return bool(ranks[0] < ranks[1] or (ranks[0] == ranks[1] and other < mine))


@called
def _cost(w: World, p: int, candidate: int) -> tuple[int, bool]:
    """Return what a payer would pay over a candidate now, and whether its price can be used."""
    route = w.first[Things.ROUTE] + w.things[candidate, CandidateColumn.ROUTE]
    pricing = w.things[route, RouteColumn.PRICING]
    if pricing < 0:
        return 0, False
    amount, since = w.pay[p, Pay.REGISTER_0], w.pay[p, Pay.SUBMITTED_US]
    if not price_anew(w, pricing, amount, w.g[Count.NOW], since):
        return 0, False
    return int(w.scratch[Register.DEBITED] + w.scratch[Register.PAYER_FEE]), True
