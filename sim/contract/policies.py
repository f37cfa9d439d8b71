"""How a router scores candidate routes: the policies by name, what bars a route, what is learnt.

Takes nothing; gives enumerations. How a choice follows from scores is said at
:attr:`~sim.contract.meaning.Op.ROUTE`.

**Cost and time of a route.** Its *cost* is FX_MARGIN + PAYER_FEE of its price computed now (both in
debited currency), 0 without a price. Its *time* is EXPECTED_US plus what the last SAMPLE showed:
for each row of ``route_view`` of the route, kind 0: seen queue length of the station times
PER_ITEM; kind 1: (seen queue length of the ledger // BLOCK_LIMIT) times ROUND_INTERVAL_US. Before
the first sample the view is empty (zeros).

**Barred.** A route may be *barred* by its rule (``Plan.rule``, see :class:`RuleColumn`): its cost
is above ``DEBITED * COST_MAX_PPM`` millionths, its time above TIME_MAX_US, an account among its
views would hold less than its RESERVE after the payment, or its breaker is open. A barred route
scores ``2^60`` more, so it is taken only where all others are barred, too; a price that would fail
scores ``2^61`` by cost, and bars nothing.

**Attempts a router hears of.** An attempt begins with its ROUTE row and ends, for the router, with
the payment's first FAIL or EXPIRE row after it or with its OUTCOME, whichever comes first. It
*failed* with a FAIL or EXPIRE row whose reason is among
:data:`~sim.contract.meaning.FAILOVER_REASONS`, it *succeeded* with an OUTCOME completed, and
otherwise says nothing of the route. Attempts of inquiries are none.

**Breaker.** With FAILURES > 0 a route has one, closed at first. Closed: of the last WINDOW attempts
that failed or succeeded since it closed, FAILURES failed: it opens. Open: it bars the route for
OPEN_US and as long as a probe is under way. Whoever takes the route while it is open and nobody
probes is its probe, be it early (all were barred, or it was not seen yet). A probe that succeeds
closes it, one that fails opens it anew, one that says nothing leaves it to the next payment. Other
attempts say nothing while it is open.

**What is learnt.** With every attempt that failed or succeeded over a route whose rule has LEARNS,
``S += (x - S) >> 3`` (rounded down), where x is its time: now less what was accounted to HUMAN,
less the same at its ROUTE row; PENALTY_US if it failed. The first x is S itself.

With SAMPLED a router sees breakers, S and the memory of functions of the user's own as they were at
the last SAMPLE; otherwise as they are. Whether a probe is under way is always
seen.

**Foreseen.** An oracle knows a payment's own draws on every candidate and what becomes of balances,
closures, rates and the payments under way, but nobody who is submitted later. What is foreseen of a
candidate is found by trying: from the ROUTE stage at hand the run goes on without submissions, the
payment takes this candidate, and every later choice by ORACLE_COST is made by CHEAPEST, by
ORACLE_TIME by FASTEST. It ends with the payment's OUTCOME row or at the horizon, and nothing of it
is kept. If the outcome is COMPLETED, the score is FX_MARGIN + PAYER_FEE of the payment's record
(NULL: 0), or END_US less now, at most FORESEEN_FAILS - 1; else it is FORESEEN_FAILS. Rules bar
routes as with every policy.

**Quotes.** Of the candidates a payment may choose from (open, and untried on a fail-over) those of
one GROUP carry it alike and differ in who quotes the exchange. Before anything is scored, only the
best quote of each group at the rates of now stays: one that can be used, then the least DEBITED
plus PAYER_FEE, then the most CREDITED, the lowest RANK, the first. The others are not chosen, not
marked as tried, and not counted where a single candidate is taken unscored.
"""

from __future__ import annotations

from enum import IntEnum

from sim.contract.table import Between, Table, Within

SCORE_BARRED = 1 << 60
"""Added to the score of a barred route."""
FORESEEN_FAILS = 1 << 59
"""Score of a candidate over which a payment is foreseen not to complete."""
WORTH_SECONDS_MAX_US = 10**10
"""Time beyond which a wait is worth no more."""
WORTH_PPM_MAX = 10**8
"""Most a wait is worth, in millionths of the amount."""
LEARNING_SHIFT = 3


class Policy(IntEnum):
    """Score of candidate routes; the lowest wins. Users write the name in lower case.

    A description begins with what the policy prefers, in the words ``explain`` shows.
    """

    PRIORITY = 0
    """The first candidate. Score = position among the candidates."""
    CHEAPEST = 1
    """Lowest FX margin and payer's fees at the rates of now. Score = cost."""
    FASTEST = 2
    """Lowest expected time plus the queues last seen. Score = time."""
    WEIGHTED = 3
    """Lowest cost plus what the time is worth. Score = cost plus ``DEBITED * ppm`` millionths,
    rounded down, where ``ppm`` is ``min(time, 10^10) // 1000 * TIME_WORTH_PPM // 1000``, at most
    10^8."""
    ADAPTIVE = 4
    """Lowest time of late, and now and then another to learn from. Score = S of the route, its time
    where nothing is learnt yet. If a draw (PURPOSE_EXPLORE, visit of the attempt begun) lies below
    EXPLORE, one of the candidates not barred (of all, where all are) is taken whatever its score:
    with two or more of them, the one at ``((u62 >> 31) * n) >> 31`` where u62 is the draw for
    PURPOSE_WHICH."""
    OWN = 5
    """Lowest score of a function of the user's own. Score = what the function of the rule's OWN
    gives (:mod:`~sim.contract.own_policies`)."""
    ORACLE_COST = 6
    """Completes, then lowest cost in the end, seen beforehand. Score = what is foreseen (above)."""
    ORACLE_TIME = 7
    """Completes, then earliest end, seen beforehand. Score = what is foreseen (above)."""


class RuleColumn(IntEnum):
    """Columns of ``Plan.rule``: what bars routes, and what is learnt of them."""

    COST_MAX_PPM = 0
    """-1: no bound."""
    TIME_MAX_US = 1
    """-1: no bound."""
    SPARES = 2
    """1: accounts keep their RESERVE (:class:`~sim.contract.guards.GuardColumn`)."""
    TIME_WORTH_PPM = 3
    """What a second is worth, in millionths of the debited amount."""
    FAILURES = 4
    """0: no breaker."""
    WINDOW = 5
    OPEN_US = 6
    LEARNS = 7
    EXPLORE = 8
    """62-bit threshold."""
    PENALTY_US = 9
    SAMPLED = 10
    PURPOSE_EXPLORE = 11
    PURPOSE_WHICH = 12
    OWN = 13
    """Row of ``Plan.own``; -1: no function of the user's own."""


WINDOW_MAX = 62
"""Most attempts a breaker looks back on: a bit each."""
RULES = Table(
    "rules",
    RuleColumn,
    {
        RuleColumn.SPARES: Between(0, 1),
        RuleColumn.TIME_WORTH_PPM: Between(0, 10**6),
        RuleColumn.FAILURES: Between(0, WINDOW_MAX),
        RuleColumn.WINDOW: Between(1, WINDOW_MAX),
        RuleColumn.OPEN_US: Between(0),
        RuleColumn.LEARNS: Between(0, 1),
        RuleColumn.EXPLORE: Between(0),
        RuleColumn.PENALTY_US: Between(0),
        RuleColumn.SAMPLED: Between(0, 1),
        RuleColumn.OWN: Within("policies", or_none=True),
    },
)
