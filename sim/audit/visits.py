"""Keep when a payment began to wait, came to be served and was done: its visits to stages.

Takes rebuilt payments as their waits begin and end; gives a row per visit, in the order they end.
Nothing is checked here.
"""

from __future__ import annotations

from sim.audit.pools import Visit
from sim.audit.state import Count, Pay, Wait
from sim.audit.world import World
from sim.contract.inquiries import INQUIRY_FIRST
from sim.contract.layout import NULL
from sim.contract.layout import StageColumn as S
from sim.contract.meaning import Cause
from sim.jit.functions import called


@called
def begin_visit(w: World, p: int) -> None:
    """Begin a visit: from now on the payment waits where it does."""
    w.pay[p, Pay.QUEUED_US], w.pay[p, Pay.STARTED_US] = w.g[Count.NOW], NULL


@called
def end_visit(w: World, p: int, ended_us: int) -> None:
    """Keep the visit of a payment that waits, NULL where the horizon ends it."""
    wait, at = w.pay[p, Pay.WAIT], w.g[Count.VISITED]
    # A log out of order may end what never began; there is room for what a right one can end.
    # What is asked about a payment is no visit of it.
    is_asking = w.pay[p, Pay.NUMBER] >= INQUIRY_FIRST
    if wait in (Wait.NOTHING, Wait.ENDED) or at >= len(w.visits) or is_asking:
        return
    row, pay = w.visits[at], w.pay[p]
    w.g[Count.VISITED] += 1
    row[Visit.PAYMENT], row[Visit.STAGE], row[Visit.KIND] = pay[Pay.NUMBER], pay[Pay.PC], wait
    row[Visit.SUBJECT] = pay[Pay.WAIT_SUBJECT]
    row[Visit.QUEUED_US], row[Visit.STARTED_US] = pay[Pay.QUEUED_US], pay[Pay.STARTED_US]
    row[Visit.ENDED_US] = ended_us
    # The stage's cause; waiting for liquidity has one of its own.
    row[Visit.CAUSE] = w.things[pay[Pay.PC], S.CAUSE]
    if wait == Wait.LIQUIDITY:
        row[Visit.CAUSE] = Cause.LIQUIDITY + 0
