"""Check every row by which a payment comes to doubt, waits for an answer, or knows again.

Takes rebuilt payments and the columns of a row; follows which request of a payment was given up and
whether its service has ended, from START, EXPIRE and FINISH rows alone.
"""

from __future__ import annotations

from sim.audit.containers import check
from sim.audit.messages import Check
from sim.audit.program import leave_stage
from sim.audit.state import ASKS, NOBODY, Count, Pay, Wait
from sim.audit.turns import act_at
from sim.audit.visits import begin_visit
from sim.audit.world import EXPIRE_KEY, World
from sim.contract.layout import NULL, STEP_BITS
from sim.contract.layout import StageColumn as S
from sim.contract.meaning import Op
from sim.jit.functions import called

IN_DOUBT = 3
"""Stands for the row a time-out asks for where others ask for a LEAVE row from one of the places 0
to 2."""


@called
def give_up(w: World, p: int) -> None:
    """Note a doubt where a time-out ends a service that somebody else goes on with."""
    g = w.g
    if (w.things[w.pay[p, Pay.PC], S.FLAGS] & ASKS) == 0:
        return
    g[Count.LEAVING], g[Count.LEAVING_PLACE] = p, IN_DOUBT
    g[Count.LEAVING_SUBJECT] = w.pay[p, Pay.WAIT_SUBJECT]
    g[Count.LEAVING_STAGE] = w.pay[p, Pay.PC]
    w.pay[p, Pay.UNANSWERED] = w.pay[p, Pay.DUE_KEY]
    # Of several requests given up the first is since when nobody knows.
    if w.pay[p, Pay.DOUBT_SINCE_US] == NULL:
        w.pay[p, Pay.DOUBT_SINCE_US] = g[Count.NOW]
    if w.pay[p, Pay.DOUBTED_US] == NULL:
        w.pay[p, Pay.DOUBTED_US] = g[Count.NOW]


@called
def in_doubt_row(w: World, p: int, stage: int, station: int) -> None:
    """Check that an IN_DOUBT row is the one the time-out asked for."""
    g = w.g
    right = g[Count.LEAVING] == p and g[Count.LEAVING_PLACE] == IN_DOUBT
    right = right and g[Count.LEAVING_SUBJECT] == station and g[Count.LEAVING_STAGE] == stage
    g[Count.LEAVING] = NOBODY
    check(g, Check.DOUBTS, right, (w.pay[p, Pay.NUMBER], station))


@called
def await_row(w: World, p: int, stage: int, longest_us: int) -> None:
    """Check an AWAIT row: there is an answer to wait for, and no longer than the stage says."""
    act_at(w, p, stage, Op.AWAIT)
    number, now = w.pay[p, Pay.NUMBER], w.g[Count.NOW]
    polled = w.things[stage, S.SUBJECT] >= 0
    heard = w.pay[p, Pay.UNANSWERED] < 0 and not polled
    is_open = w.pay[p, Pay.DOUBT_SINCE_US] != NULL and not heard
    check(w.g, Check.AWAITS, is_open and longest_us == w.things[stage, S.VALUE], (number,))
    w.pay[p, Pay.STEPS] += 1
    w.pay[p, Pay.DEADLINE_US] = now + longest_us
    w.pay[p, Pay.DEADLINE_STAGE] = stage
    w.pay[p, Pay.DEADLINE_KEY] = EXPIRE_KEY + (number << STEP_BITS) + w.pay[p, Pay.STEPS]
    w.pay[p, Pay.WAIT], w.pay[p, Pay.WAIT_SUBJECT] = Wait.ANSWER, NOBODY
    begin_visit(w, p)
    w.pay[p, Pay.STARTED_US] = now
    w.pay[p, Pay.CAUSE] = w.things[stage, S.CAUSE]
    # The end of the service it gave up is what it waits for, unless it has to ask.
    w.pay[p, Pay.DUE_KEY] = NOBODY if polled else w.pay[p, Pay.UNANSWERED]
    if polled:
        w.g[Count.POLL_DUE] = p


@called
def known_row(w: World, p: int, stage: int, spent_us: int) -> None:
    """Check a KNOWN row and end the doubt."""
    act_at(w, p, stage, Op.RESOLVE)
    since_us = w.pay[p, Pay.DOUBT_SINCE_US]
    right = since_us != NULL and spent_us == w.g[Count.NOW] - since_us
    check(w.g, Check.KNOWS, right, (w.pay[p, Pay.NUMBER], spent_us))
    w.pay[p, Pay.DOUBT_SINCE_US], w.pay[p, Pay.UNANSWERED] = NULL, NOBODY
    w.pay[p, Pay.KNOWN_US] = w.g[Count.NOW]
    leave_stage(w, p)
