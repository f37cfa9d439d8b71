"""Work out what a router must have thought of a route: its score by policy, and what bars it.

Takes a rebuilt payment and a route; gives a score. Written from :mod:`sim.contract.policies`
without the engines.
"""

from __future__ import annotations

from sim.audit.containers import number_of
from sim.audit.health import breaker_bars, rule_of
from sim.audit.prices import price_anew
from sim.audit.state import (
    NOBODY,
    AccountState,
    Count,
    LedgerState,
    Pay,
    RouteState,
    Shown,
    StationState,
    Things,
)
from sim.audit.world import World
from sim.contract.guards import GuardColumn
from sim.contract.layout import SCORE_WORST, LedgerColumn, RouteColumn, RouteViewColumn
from sim.contract.meaning import Policy
from sim.contract.own_policies import OWN_SCORE_MAX, SPARE_NONE
from sim.contract.policies import (
    SCORE_BARRED,
    WORTH_PPM_MAX,
    WORTH_SECONDS_MAX_US,
    RuleColumn,
)
from sim.contract.records import Register
from sim.jit.functions import called
from sim.jit.own_functions import call_address

_MILLION = 1_000_000
_UNPRICED, _UNUSABLE = -1, -2
BAR_OPEN, BAR_SLOW, BAR_DEAR, BAR_SHORT = 1, 2, 4, 8
"""What may bar a route, see :mod:`sim.contract.policies`."""


@called
def score_of(w: World, p: int, route: int, policy: int, position: int) -> int:
    """Return the score of a candidate at a position of its set."""
    rule = rule_of(w, route)
    by_cost = policy in (Policy.CHEAPEST, Policy.WEIGHTED, Policy.OWN)
    # What nobody asks for is not computed.
    cost = _cost(w, p, route) if by_cost or rule != NOBODY else _UNPRICED
    if by_cost and cost == _UNUSABLE:
        return SCORE_WORST
    debited = w.scratch[Register.DEBITED] if cost >= 0 else 0
    score = position
    if policy == Policy.CHEAPEST:
        score = max(cost, 0)
    elif policy == Policy.WEIGHTED:
        score = max(cost, 0)
        if rule != NOBODY and cost >= 0:
            score += _worth(debited, _time_us(w, route), w.things[rule, RuleColumn.TIME_WORTH_PPM])
    elif policy in (Policy.FASTEST, Policy.ADAPTIVE):
        score = _time_us(w, route)
        learnt_us = w.things[w.first[Things.ROUTE] + route, RouteState.SEEN_LEARNT_US]
        if policy == Policy.ADAPTIVE and rule != NOBODY and learnt_us >= 0:
            score = learnt_us
    elif policy in (Policy.ORACLE_COST, Policy.ORACLE_TIME):
        # What would have been is not in the log: what is known of a score is what bars the route.
        score = 0
    elif policy == Policy.OWN:
        score = _own(w, p, (route, position), cost)
        if score < 0 or score > OWN_SCORE_MAX:
            # No engine writes it, so no row is right.
            return NOBODY
    if rule != NOBODY and _bars(w, route, rule, cost, debited) != 0:
        score += SCORE_BARRED
    return int(score)


@called
def show(w: World, p: int, route: int, place: tuple[int, int], row: int) -> None:
    """Write down what a router thought of a candidate in a row of ``World.shown``."""
    policy, position = place
    shown, rule = w.shown, rule_of(w, route)
    shown[row, Shown.SCORE] = score_of(w, p, route, policy, position)
    cost = _cost(w, p, route)
    shown[row, Shown.COST] = cost
    shown[row, Shown.DEBITED] = w.scratch[Register.DEBITED] if cost >= 0 else 0
    shown[row, Shown.TIME_US] = _time_us(w, route)
    shown[row, Shown.BARS] = 0
    if rule != NOBODY:
        shown[row, Shown.BARS] = _bars(w, route, rule, cost, shown[row, Shown.DEBITED])
    state = w.first[Things.ROUTE] + route
    shown[row, Shown.OPENED_US] = w.things[state, RouteState.SEEN_OPENED_US]
    shown[row, Shown.PROBE] = w.things[state, RouteState.PROBE]
    shown[row, Shown.LEARNT_US] = w.things[state, RouteState.SEEN_LEARNT_US]


@called
def _own(w: World, p: int, candidate: tuple[int, int], cost: int) -> int:
    """Return what a function of the user's own gives a route at a position."""
    route, position = candidate
    own = w.things[rule_of(w, route), RuleColumn.OWN]
    # As many are told as Known has fields, in their order.
    w.told[0], w.told[1] = number_of(w, p), w.g[Count.NOW]
    w.told[2] = w.pay[p, Pay.ATTEMPTS] - w.pay[p, Pay.BEGUN] + 1
    w.told[3], w.told[4] = position, w.pay[p, Pay.REGISTER_0]
    for at in range(5, 8):
        w.told[at] = 0
    w.told[10] = SPARE_NONE
    if cost >= 0:
        w.told[5], w.told[6] = w.scratch[Register.DEBITED], w.scratch[Register.CREDITED]
        w.told[7], w.told[10] = cost, _least_left(w, route)
    w.told[8] = w.things[w.first[Things.ROUTE] + route, RouteColumn.EXPECTED_US]
    w.told[9] = _time_us(w, route)
    seen = w.size[Things.ROUTE] + route
    return int(call_address(w.own[own, 0], w.told, w.memory, seen, w.settings, own))


@called
def _least_left(w: World, route: int) -> int:
    """Return what the scarcest account of a route has left above its reserve after this payment."""
    row, least = w.first[Things.ROUTE] + route, SPARE_NONE
    first = w.first[Things.VIEW] + w.things[row, RouteColumn.VIEW_FIRST]
    for view in range(first, first + max(w.things[row, RouteColumn.VIEW_COUNT], 0)):
        if w.things[view, RouteViewColumn.KIND] == 2:
            least = min(least, _left(w, view))
    return int(least)


@called
def _cost(w: World, p: int, route: int) -> int:
    """Return what a route costs; its price is left in the registers of the world."""
    pricing = w.things[w.first[Things.ROUTE] + route, RouteColumn.PRICING]
    if pricing < 0:
        return _UNPRICED
    instructed, submitted_us = w.pay[p, Pay.REGISTER_0], w.pay[p, Pay.SUBMITTED_US]
    if not price_anew(w, pricing, instructed, w.g[Count.NOW], submitted_us):
        return _UNUSABLE
    return int(w.scratch[Register.FX_MARGIN] + w.scratch[Register.PAYER_FEE])


@called
def _bars(w: World, route: int, rule: int, cost: int, debited: int) -> int:
    """Return for what a rule bars a route now, a bit each."""
    dearest, slowest = (
        w.things[rule, RuleColumn.COST_MAX_PPM],
        w.things[rule, RuleColumn.TIME_MAX_US],
    )
    bars = 0
    if breaker_bars(w, route):
        bars |= BAR_OPEN
    if slowest >= 0 and _time_us(w, route) > slowest:
        bars |= BAR_SLOW
    if cost < 0:
        return bars
    if dearest >= 0 and cost > _part(debited, dearest):
        bars |= BAR_DEAR
    if w.things[rule, RuleColumn.SPARES] == 1 and _least_left(w, route) < 0:
        bars |= BAR_SHORT
    return bars


@called
def _left(w: World, view: int) -> int:
    """Return what an account would be left with above its reserve."""
    number = w.things[view, RouteViewColumn.SUBJECT]
    account = w.first[Things.ACCOUNT] + number
    taken = w.scratch[w.things[view, RouteViewColumn.PER_ITEM]]
    left = w.things[account, AccountState.POSTED] - w.things[account, AccountState.PENDING] - taken
    return int(left - w.things[w.first[Things.GUARD] + number, GuardColumn.RESERVE])


@called
def _worth(debited: int, time_us: int, second_ppm: int) -> int:
    """Return what a wait is worth."""
    millis = min(time_us, WORTH_SECONDS_MAX_US) // 1_000
    return _part(debited, min(millis * second_ppm // 1_000, WORTH_PPM_MAX))


@called
def _part(amount: int, ppm: int) -> int:
    """Return millionths of an amount, rounded down."""
    return (amount // _MILLION) * ppm + ((amount % _MILLION) * ppm) // _MILLION


@called
def _time_us(w: World, route: int) -> int:
    """Return a route's time, queues as the last sample showed them."""
    row = w.first[Things.ROUTE] + route
    time_us = w.things[row, RouteColumn.EXPECTED_US]
    first = w.first[Things.VIEW] + w.things[row, RouteColumn.VIEW_FIRST]
    for view in range(first, first + max(w.things[row, RouteColumn.VIEW_COUNT], 0)):
        subject, kind = (
            w.things[view, RouteViewColumn.SUBJECT],
            w.things[view, RouteViewColumn.KIND],
        )
        if kind == 0:
            seen = w.things[w.first[Things.STATION] + subject, StationState.SEEN]
            time_us += seen * w.things[view, RouteViewColumn.PER_ITEM]
        elif kind == 1:
            ledger = w.first[Things.LEDGER] + subject
            blocks = (
                w.things[ledger, LedgerState.SEEN] // w.things[ledger, LedgerColumn.BLOCK_LIMIT]
            )
            time_us += blocks * w.things[ledger, LedgerColumn.ROUND_INTERVAL_US]
    return int(time_us)
