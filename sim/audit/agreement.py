"""Check that the columns of ``payments.parquet`` agree with the plan and with each other.

Takes the table's columns as numbers; reports names the plan does not have, a stream with another's
corridor, a route with another's agents, and rows that no way through the payment's program gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.audit.checker import Checker, Mask, is_pair
from sim.audit.names import Words, first_of_name
from sim.audit.programs import Possible, Programs
from sim.contract.layout import (
    NULL,
    CandidateColumn,
    PricingColumn,
    RouteColumn,
    RouteSetColumn,
    StreamColumn,
)
from sim.contract.layout import StageColumn as S
from sim.contract.meaning import Cause, Flag, Op, Outcome
from sim.contract.plan import Array, Plan
from sim.tables.schemas import CAUSES

_OF_STREAM = {
    "scope": StreamColumn.SCOPE,
    "corridor": StreamColumn.CORRIDOR,
    "channel": StreamColumn.CHANNEL,
    "instructed_currency": StreamColumn.CURRENCY,
}
_SIDES = {
    "debited": PricingColumn.CURRENCY_DEBITED,
    "settlement": PricingColumn.CURRENCY_SETTLEMENT,
    "credited": PricingColumn.CURRENCY_CREDITED,
}


@dataclass(frozen=True, slots=True)
class Groups:
    """Payments of one stream and one last route, with and without fail-over, apart.

    Attributes
    ----------
    of : ndarray of int64
        Group of each payment, -1 where its names do not say which.
    possible : list of Possible
        What can become of each group.
    """

    of: Array
    possible: list[Possible]

    def price(self) -> Array:
        """Return the price of each payment, -1 where its program has none or several."""
        # Several prices are possible where a program branches; then none can be held against a
        # row.
        found = [min(p.prices) if len(p.prices) == 1 else -1 for p in self.possible]
        lookup = np.array([*found, -1], dtype=np.int64)
        prices: Array = lookup[self.of]
        return prices


def check_names(payments: dict[str, Array], words: Words, check: Checker) -> None:
    """Check that every name is one of the plan's.

    Parameters
    ----------
    payments : dict of str to ndarray
        Columns of the table as numbers.
    words : dict of str to tuple of str
        What the numbers stand for.
    check : Checker
        Of the payments.
    """
    for name, known in words.items():
        # One beyond the last stands for a name that is not the plan's.
        check.every("names", payments[name] < len(known), f"a {name} the plan does not have")
    for name in ("stream", "scope", "outcome"):
        check.every("names", payments[name] >= 0, f"no {name}")
    # Reason 0 is no reason, which is null.
    check.every("names", payments["reason_code"] != 0, "a reason_code that says there is none")


def check_plan(plan: Plan, payments: dict[str, Array], words: Words, check: Checker) -> None:
    """Check that what the stream and the route decide is as they decide it."""
    streams = first_of_name(np.arange(len(plan.stream)), words["stream"])
    for name, column in _OF_STREAM.items():
        of_stream = first_of_name(plan.stream[:, column], words[name])
        right = is_pair(payments["stream"], payments[name], (streams, of_stream))
        check.every("names", right, f"its {name} is not that of its stream")
    routed = payments["route"] >= 0
    routes = first_of_name(np.arange(len(plan.route)), words["route"])
    for name, decides in (
        ("corridor", RouteColumn.CORRIDOR),
        ("debtor_agent", RouteColumn.DEBTOR_AGENT),
        ("creditor_agent", RouteColumn.CREDITOR_AGENT),
    ):
        of_route = first_of_name(plan.route[:, decides], words[name])
        fixed = of_route >= 0
        # A route that names nobody leaves whoever was there.
        is_free = np.isin(payments["route"], routes[~fixed])
        right = is_pair(payments["route"], payments[name], (routes[fixed], of_route[fixed]))
        check.every("names", ~routed | is_free | right, f"its {name} is not that of its route")
    attempts = payments["attempts"]
    check.every("program", routed == (attempts > 0), "attempts without a route, or a route without")
    most = np.zeros(len(plan.route) + 1, dtype=np.int64)
    for row in plan.route_set.tolist():
        first = row[RouteSetColumn.FIRST]
        named = routes[
            plan.candidate[first : first + row[RouteSetColumn.COUNT], CandidateColumn.ROUTE]
        ]
        most[named] = np.maximum(most[named], row[RouteSetColumn.MAX_ATTEMPTS])
    known = routed & (payments["route"] < len(plan.route))
    most_here = most[np.where(known, payments["route"], len(plan.route))]
    # With another instrument, and each time a payer tries again, all begins anew, on any route.
    of_stream = np.clip(payments["stream"], 0, len(plan.stream) - 1)
    changes = plan.stream[of_stream, StreamColumn.AFTER_FAILURE] >= 0
    by_payer = (plan.stage[:, S.OP] == Op.RETRY) & (plan.stage[:, S.FLAGS] & Flag.NEXT == 0)
    again = 1 + int(plan.stage[by_payer, S.VALUE].max(initial=0))
    most_here = most_here + np.where(changes, again * most.max(initial=0), 0)
    check.every("program", ~known | (attempts <= most_here), "more attempts than its route allows")


def group_payments(plan: Plan, payments: dict[str, Array]) -> Groups:
    """Return payments by stream, last route and whether they failed over.

    Notes
    -----
    Where two streams or two routes have one name nobody can tell them apart, and none are grouped.
    """
    names = plan.names
    stream, route = payments["stream"], payments["route"]
    of = np.full(len(stream), -1, dtype=np.int64)
    # A table knows names only.
    if any(len(set(part)) < len(part) for part in (names.streams, names.routes)):
        return Groups(of, [])
    known = (stream >= 0) & (stream < len(plan.stream)) & (route < len(plan.route))
    width = len(plan.route) + 1
    fails_over = (payments["attempts"] > 1) & (route >= 0)
    # Stream, route (from -1 on) and fail-over in one number, taken apart again below.
    codes = 2 * (stream[known] * width + route[known] + 1) + fails_over[known]
    found, of[known] = np.unique(codes, return_inverse=True)
    programs = Programs(plan)
    possible = [
        programs.of(code // 2 // width, code // 2 % width - 1, fails_over=code % 2 == 1)
        for code in found.tolist()
    ]
    return Groups(of, possible)


def check_programs(payments: dict[str, Array], groups: Groups, check: Checker) -> None:
    """Check that a way through each payment's program gives its row."""
    settled, credited = payments["settled_us"], payments["credited_us"]
    has_both = (settled != NULL) & (credited != NULL)
    # -1, 0 or 1 as settlement came before, with or after the credit; moved up to be an index.
    sign = np.where(has_both, np.sign(np.where(has_both, settled - credited, 0)), 0) + 1
    outcome = payments["outcome"]
    known = (groups.of >= 0) & (outcome >= 0) & (outcome < len(Outcome))
    at = np.flatnonzero(known)
    if len(at) == 0:
        return
    endings = np.array([possible.endings for possible in groups.possible])
    flags = [
        payments[name][at] != NULL
        for name in ("debited_amount_minor", "credited_amount_minor", "settled_us", "credited_us")
    ]
    right = np.ones(len(known), dtype=np.bool_)
    right[at] = endings[
        (groups.of[at], outcome[at], *(flag.astype(np.int64) for flag in flags), sign[at])
    ]
    message = "its outcome, amounts and instants are none its program ends with"
    check.every("program", right, message)
    reasons = [sorted(possible.reasons | {-1}) for possible in groups.possible]
    right = _is_allowed(groups, payments["reason_code"], reasons)
    check.every("program", right, "a reason that no stage of its program gives")
    for cause, name in enumerate(CAUSES):
        # The last entry is for payments of no group (-1), for which everything is possible.
        able = np.array([*(cause in possible.causes for possible in groups.possible), True])
        spent = payments[f"{name}_us"] > 0
        check.every("program", ~spent | able[groups.of], f"time for {name}, which it cannot have")
    assert CAUSES[Cause.RETRY] == "retry"
    most = np.array([*(possible.requotes_max for possible in groups.possible), 1 << 62])
    # Every attempt may ask for quotes again, up to its own bound, but the count goes on.
    right = payments["requotes"] <= most[groups.of]
    check.every("program", right, "more quotes asked for again than its program allows")


def check_currencies(
    plan: Plan, payments: dict[str, Array], words: Words, *, groups: Groups, check: Checker
) -> None:
    """Check that amounts are in the currencies of the price, and only amounts have one."""
    several = np.array([*(len(possible.prices) > 1 for possible in groups.possible), True])
    is_open = several[groups.of] & (payments["route"] < 0)
    for side, column in _SIDES.items():
        currency = payments[f"{side}_currency"]
        is_moved = payments[f"{side}_amount_minor"] != NULL
        right = (currency >= 0) == is_moved
        check.every("names", right | is_open, f"{side}_currency without {side} amount, or not")
        named = first_of_name(plan.pricing[:, column], words[f"{side}_currency"])
        allowed = [sorted({-1, *named[sorted(p.prices)].tolist()}) for p in groups.possible]
        right = _is_allowed(groups, currency, allowed)
        check.every("names", right, f"its {side}_currency is not that of its route's price")


def _is_allowed(groups: Groups, numbers: Array, allowed: list[list[int]]) -> Mask:
    """Return whether each payment's number is one its group allows."""
    pairs = [(group, number) for group, row in enumerate(allowed) for number in row]
    first, second = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    right: Mask = (groups.of < 0) | is_pair(groups.of, numbers, (first, second))
    return right
