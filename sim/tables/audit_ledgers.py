"""Rebuild every ledger from the log: when rounds start, who enters a block, when it commits.

Takes rows of ledgers, in order; reports to the findings rounds that start at the wrong instant,
blocks that are too large, out of order or smaller than they had to be, and commits out of turn.
Rounds in which nobody waits leave no row; they are counted along so that numbers can be checked.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from sim.contract.plan import Plan
from sim.contract.spec import LEDGER_PSEUDO, STEP_MASK, EventClass, LedgerColumn, order_key
from sim.tables.audit_findings import Findings

_NEVER = 1 << 62


@dataclass(slots=True)
class _Ledger:
    interval_us: int
    block_limit: int
    idle_max_us: int
    can_fail: bool
    pseudo: int
    gap_us: int
    next_us: int
    """Start of the next round; never while a block is under way."""
    number: int = 1
    """Number of the next round."""
    started_us: int = 0
    block: list[int] = field(default_factory=list)
    queue: OrderedDict[int, None] = field(default_factory=OrderedDict)


class LedgerBook:
    """Keep the state of all ledgers.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    findings : Findings
        Where violations go.
    """

    def __init__(self, plan: Plan, findings: Findings) -> None:
        self._findings = findings
        self._ledgers = [
            _Ledger(
                row[LedgerColumn.ROUND_INTERVAL_US],
                row[LedgerColumn.BLOCK_LIMIT],
                row[LedgerColumn.IDLE_MAX_US],
                row[LedgerColumn.LEADER_FAILURE] > 0,
                LEDGER_PSEUDO - at,
                row[LedgerColumn.ROUND_INTERVAL_US],
                row[LedgerColumn.ROUND_INTERVAL_US],
            )
            for at, row in enumerate(plan.ledger.tolist())
        ]
        self._opened: _Ledger | None = None
        self._next_us = min((ledger.next_us for ledger in self._ledgers), default=_NEVER)

    def enqueue(self, ledger: int, payment: int) -> None:
        """Let a payment wait for the next block."""
        self._ledgers[ledger].queue[payment] = None

    def leave(self, ledger: int, payment: int) -> None:
        """Take a payment out of the queue."""
        self._ledgers[ledger].queue.pop(payment, None)

    def advance(self, time_us: int, key: int) -> None:
        """Count the rounds that started before an event and left no row."""
        if time_us < self._next_us:
            return
        for at, ledger in enumerate(self._ledgers):
            while (ledger.next_us, _round_key(ledger, 0)) < (time_us, key):
                self._findings.check(
                    "ledger_round",
                    not ledger.queue,
                    "round {} of ledger {} was due at {} with payments waiting and did not start",
                    ledger.number,
                    at,
                    ledger.next_us,
                )
                longest = max(ledger.idle_max_us, ledger.interval_us)
                ledger.gap_us = min(2 * ledger.gap_us, longest)
                ledger.next_us += ledger.gap_us
                ledger.number += 1
        self._next_us = min(ledger.next_us for ledger in self._ledgers)

    def in_block(self, at: int, payment: int, number: int) -> None:
        """Let a payment enter the block of the round that starts now."""
        ledger, check = self._ledgers[at], self._findings.check
        if self._opened is None:
            self._begin_round(at, number)
            ledger.block = []
            ledger.started_us = self._findings.now
            ledger.next_us = _NEVER
            self._opened = ledger
        head = next(iter(ledger.queue), -1)
        check(
            "block_order",
            head == payment,
            "payment {} enters block {} of ledger {}, first in line is {}",
            payment,
            number,
            at,
            head,
        )
        ledger.queue.pop(payment, None)
        ledger.block.append(payment)
        check(
            "block_limit",
            len(ledger.block) <= ledger.block_limit,
            "block {} of ledger {} takes {} payments, its limit is {}",
            number,
            at,
            len(ledger.block),
            ledger.block_limit,
        )

    def leader_failed(self, at: int, number: int) -> None:
        """Let a round fail."""
        ledger = self._ledgers[at]
        self._begin_round(at, number)
        self._findings.check(
            "ledger_round",
            ledger.can_fail and bool(ledger.queue),
            "round {} of ledger {} fails without cause",
            number,
            at,
        )
        ledger.next_us = self._findings.now + ledger.gap_us
        ledger.number += 1
        self._next_us = min(self._next_us, ledger.next_us)

    def commit(self, at: int, size: int, number: int) -> list[int]:
        """Commit the block under way; return its payments in order."""
        ledger, check, now = self._ledgers[at], self._findings.check, self._findings.now
        check(
            "commit",
            number == ledger.number and self._findings.key == _round_key(ledger, 1),
            "ledger {} commits block {}, under way is {}",
            at,
            number,
            ledger.number,
        )
        check(
            "commit",
            size == len(ledger.block),
            "block {} commits {} payments, {} entered it",
            number,
            size,
            len(ledger.block),
        )
        check("commit", now >= ledger.started_us, "block {} commits before it began", number)
        ledger.next_us = max(ledger.started_us + ledger.gap_us, now)
        ledger.number += 1
        self._next_us = min(self._next_us, ledger.next_us)
        payments, ledger.block = ledger.block, []
        return payments

    def shown(self, at: int) -> tuple[int, int]:
        """Return queue length and number of the last round, as a sample must show them."""
        ledger = self._ledgers[at]
        under_way = ledger.next_us == _NEVER
        return len(ledger.queue), ledger.number if under_way else ledger.number - 1

    def end_event(self) -> None:
        """Check that a block took all it could."""
        ledger = self._opened
        if ledger is not None:
            self._opened = None
            self._findings.check(
                "block_order",
                not ledger.queue or len(ledger.block) == ledger.block_limit,
                "block {} takes {} payments and leaves others waiting",
                ledger.number,
                len(ledger.block),
            )

    def _begin_round(self, at: int, number: int) -> None:
        ledger = self._ledgers[at]
        at_turn = (self._findings.now, self._findings.key) == (
            ledger.next_us,
            _round_key(ledger, 0),
        )
        self._findings.check(
            "ledger_round",
            at_turn and number == ledger.number,
            "round {} of ledger {} starts, due is round {} at {}",
            number,
            at,
            ledger.number,
            ledger.next_us,
        )
        ledger.number = number
        ledger.gap_us = ledger.interval_us


def _round_key(ledger: _Ledger, commit: int) -> int:
    """Return the order key of the next round's start or of the commit under way."""
    step = (2 * ledger.number + commit) & STEP_MASK
    return order_key(EventClass.COMPLETE, ledger.pseudo, step)
