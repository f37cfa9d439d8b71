"""Collect what the audit checks and what it finds.

Takes names of rules and messages; gives counts per rule and the violations, each with the number
of the log row at which it showed.
"""

from __future__ import annotations

from dataclasses import dataclass

VIOLATIONS_KEPT = 200
"""A broken run repeats itself; this many are kept, the others are only counted."""


RULES: dict[str, str] = {
    "agenda": "every row of the agenda is done, at its time, as planned",
    "amounts": "amounts and fee columns of a payment do not contradict each other (tables)",
    "balance_bound": "no balance and no pending debits outgrow what a run may hold",
    "block_limit": "a block takes no more than its limit",
    "block_order": "payments enter blocks first in first out, and a block takes all it can",
    "capacity": "busy servers never exceed servers; nobody joins a queue who could start",
    "closed": "a closed station starts nobody, and lets nobody wait where it rejects",
    "columns": "columns a kind of row does not use are -1",
    "commit": "each block commits once, in order, with the payments that entered it",
    "conservation": "each currency sums to zero; a transfer stays in one currency",
    "breaks": "what books disagree about at each comparison is what the payments say (tables)",
    "clearing": "a file is closed, sold and settled once, comes to its payments less fees, and "
    "moves that and no more",
    "discipline": "the next to start is the one the queue's discipline names",
    "doubt": "a payment is in doubt from giving up a request to its answer, and not undone before",
    "event_class": "rows belong to an event of their class",
    "failure": "a payment fails only for a reason its stage can give",
    "fee": "fees are those of the plan, to the minor unit",
    "fees": "components add up to the fee columns and are those of the log (tables)",
    "guard": "alarms and channels follow the level of an account at once, and nobody takes a route "
    "over a closed one",
    "idle_server": "nobody waits at a station that can start them",
    "inquiry": "what is asked about a payment begins, ends and is told as the plan says, and moves "
    "nothing",
    "ledger_round": "rounds start at their instants, those without payments counted along",
    "load": "the load of a ledger joins as counted and takes its places, and nobody passes it",
    "limit": "limits per payment and per payer and day hold",
    "liquidity": "payments wait for liquidity only while it is short",
    "liquidity_order": "nobody overtakes in an account's queue",
    "market": "rates and conversions shown are the plan's (tables)",
    "names": "names in the tables are the plan's and agree with each other (tables)",
    "one_outcome": "a payment is submitted once, ends once and acts only in between",
    "one_row": "a row per payment, numbered without gaps (tables)",
    "opening": "money enters accounts from the world only",
    "order": "events are handled in order and once",
    "outcome": "outcome and reason are those of the END reached",
    "position": "a provider's position and its room add up to what it may hold",
    "overdraft": "no account goes beyond its overdraft",
    "postings": "a stage posts exactly its transfers: accounts, amounts, order",
    "queue_limit": "no queue exceeds its limit, nobody is refused below it",
    "program": "a payment's row is one its program can end with (tables)",
    "quote": "quotes are those of the plan's prices and rates, and lapse when due",
    "rate": "a station keeps its spacing, and wakes when it is over",
    "readable": "rows name stages, stations and accounts that exist",
    "record": "records and rows of payments agree with the log in every column",
    "refund": "refunds follow their rule, never exceed what was paid, and each part is paid once",
    "large_value": "payments settle or wait in a large-value system as its queue says",
    "offset": "what settles at one stroke is the largest set every balance can bear",
    "close": "at its close a system does with what waits what it says",
    "obligations": "what is owed and settled is what files and payments say (tables)",
    "patience": "payers begin to wait and leave when due, and their payments are given up or go on",
    "reservation": "reservations have the stage's amount and are closed before the end",
    "retry": "what failed is tried again only for a reason that may pass, and as often as allowed",
    "route": "a route is open to the payment, has a policy's score, and no other comes before it",
    "shop": "no order without stock, none released unpaid or late, expired ones end when due, and "
    "shops ask as often as their token allows",
    "sample": "samples come when due, of every place, and show the rebuilt queues and balances",
    "sequence": "stages follow each other as the program says",
    "series": "every place is sampled when due, within its limits, as the log says (tables)",
    "service_time": "services and delays take what their tables give and end exactly when due",
    "time_by_cause": "times by cause add up to the payment's life",
    "time_out": "time-outs fire exactly when due, and take the payment out of its queue",
    "top_up": "a top-up is ordered when the level is low, arrives once and as ordered",
    "totals": "balances and counts of the engine are those of the log",
    "turn": "within an event payments act one after the other, in order",
    "visits": "visits to stages are those of the log and add up to times by cause (tables)",
}
"""What is checked, by name of rule."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that does not hold.

    Attributes
    ----------
    rule : str
        One of :data:`RULES`.
    event : int
        Number of the log row, from 0; -1 for what is no row of the log.
    message : str
        What was found and what should have been.
    """

    rule: str
    event: int
    message: str


class Findings:
    """Checks counted and violations kept; also the clock every part of the audit reads.

    Attributes
    ----------
    now, key, row : int
        Time, order key and number of the log row at hand.
    checks : dict of str to int
        Checks made by rule.
    """

    __slots__ = ("checks", "count", "key", "now", "row", "violations")

    def __init__(self) -> None:
        self.now = -1
        self.key = -1
        self.row = -1
        self.checks: dict[str, int] = {}
        self.violations: list[Violation] = []
        self.count = 0

    def check(self, rule: str, holds: bool, message: str, *figures: int) -> bool:
        """Count one check; where it does not hold, keep the message.

        Parameters
        ----------
        rule : str
            Name of the rule.
        holds : bool
            Whether it holds.
        message : str
            What is wrong, with ``{}`` for each figure; only put together when needed.
        """
        self.checks[rule] = self.checks.get(rule, 0) + 1
        if not holds:
            self.add(rule, message.format(*figures))
        return holds

    def add(self, rule: str, message: str) -> None:
        """Keep a violation at the row at hand."""
        # A finding under a rule is a check of it, too, or the report would list a rule as never
        # looked at.
        self.checks.setdefault(rule, 0)
        self.count += 1
        if len(self.violations) < VIOLATIONS_KEPT:
            at = f"{message} (t = {self.now} us)" if self.row >= 0 else message
            self.violations.append(Violation(rule, self.row, at))
