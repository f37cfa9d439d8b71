"""Replay an event log row by row and check that every row was allowed.

Takes the plan and the rows of a log, in order; rebuilds stations, ledgers, accounts and payments
from them alone and reports what does not follow from :mod:`sim.contract.spec`. Written without the
engines. Memory holds the payments in flight.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.contract.plan import Array, Plan
from sim.contract.run import Totals
from sim.contract.spec import (
    NULL,
    EventClass,
    LogKind,
    Op,
    Outcome,
    Register,
    RouteColumn,
    StageColumn,
    StreamColumn,
    order_key,
)
from sim.tables.audit_books import Books, Row
from sim.tables.audit_findings import Findings
from sim.tables.audit_money import MoneySteps
from sim.tables.audit_payments import PaymentState, Wait
from sim.tables.audit_waits import WaitSteps

S = StageColumn
_NOT_OPEN = "a row of payment {}, which is not open"
_ROWS_AT_ONCE = 1 << 13
"""Python integers take much more room than arrays; only so many rows are unpacked at a time."""


class Replay:
    """Hold the payments in flight and hand every row to whoever checks it.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    findings : Findings
        Where violations go.
    ended : callable
        Hears the record every ended payment must have.
    """

    def __init__(self, plan: Plan, findings: Findings, ended: Callable[[list[int]], None]) -> None:
        books = Books(plan, findings)
        self._plan, self._findings, self._ended, self._books = plan, findings, ended, books
        self._program, self._turns = books.program, books.turns
        self._stations, self._ledgers = books.stations, books.ledgers
        self._accounts, self._events = books.accounts, books.events
        self._streams: list[list[int]] = plan.stream.tolist()
        self._waits, money = WaitSteps(books), MoneySteps(books)
        self._payments: dict[int, PaymentState] = {}
        self._next_payment = 0
        kinds, waits = LogKind, self._waits
        self._handlers: dict[int, Callable[[PaymentState, Row], None]] = {
            kinds.JOIN: waits.join,
            kinds.START: waits.start,
            kinds.LEAVE: waits.left,
            kinds.DELAY: waits.delay,
            kinds.ENQUEUE: waits.enqueue,
            kinds.IN_BLOCK: waits.in_block,
            kinds.RESERVE: money.reserve,
            kinds.POST: money.posting,
            kinds.TRANSFER: money.posting,
            kinds.VOID: money.posting,
            kinds.FEE: money.posting,
            kinds.GIVE_BACK: money.posting,
            kinds.SHORT: money.short,
            kinds.QUOTE: money.quote,
            kinds.LAPSE: money.lapse,
            kinds.ROUTE: money.route,
            kinds.LIMIT: money.limit,
            kinds.DECIDE: money.decide,
            kinds.DEADLINE: waits.deadline,
            kinds.EXPIRE: waits.expire,
            kinds.FAIL: self._fail,
            kinds.OUTCOME: self._outcome,
        }

    @property
    def in_flight(self) -> int:
        """Number of payments held."""
        return len(self._payments)

    def take(self, rows: Array) -> None:
        """Replay rows of the log."""
        for at in range(0, len(rows), _ROWS_AT_ONCE):
            self._take(rows[at : at + _ROWS_AT_ONCE].tolist())

    def _take(self, rows: list[list[int]]) -> None:
        f = self._findings
        for time_us, key, kind, payment, stage, subject, amount, value in rows:
            f.row += 1
            if time_us != f.now or key != f.key:
                self.end_event()
                self._events.begin(time_us, key, kind, payment)
                # Nothing of the horizon's own instant happens: rounds due then never start.
                self._ledgers.advance(time_us, key if time_us < self._plan.horizon_us else 0)
            else:
                self._events.follow(kind)
            if self._waits.leaving is not None and kind != LogKind.LEAVE:
                self._waits.miss_leave()
            if kind == LogKind.SUBMIT:
                self._submit(payment, stage, subject, amount, value)
            elif kind == LogKind.FINISH:
                self._waits.finish(self._payments.get(payment), payment, stage, subject)
            elif kind == LogKind.COMMIT:
                self._commit(subject, amount, value)
            elif kind in self._handlers:
                p = self._payments.get(payment)
                if f.check("one_outcome", p is not None, _NOT_OPEN, payment) and p is not None:
                    self._handlers[kind](p, (kind, payment, stage, subject, amount, value))
            else:
                self._events.take(kind, subject, amount, value)

    def end_event(self) -> None:
        """Check what must hold between two events."""
        self._turns.end_event()
        self._stations.end_event()
        self._ledgers.end_event()
        self._accounts.end_event()

    def finish(self, totals: Totals | None) -> None:
        """Check what must hold at the end of a run."""
        f, horizon = self._findings, self._plan.horizon_us
        self.end_event()
        self._ledgers.advance(horizon, 0)
        self._stations.finish_run(horizon)
        self._accounts.finish_run()
        self._events.finish_run()
        for number in self._payments:
            f.check("one_outcome", False, "payment {} has no outcome", number)
        if totals is not None:
            f.check(
                "totals",
                totals.payments == self._next_payment,
                "totals count {} payments, the log {}",
                totals.payments,
                self._next_payment,
            )
            same = totals.end_posted.tolist() == self._accounts.posted
            f.check("totals", same, "posted balances at the end are not those of the log")
            same = totals.end_pending.tolist() == self._accounts.pending
            f.check("totals", same, "pending amounts at the end are not those of the log")

    def _submit(self, number: int, stage: int, stream: int, amount: int, ordinal: int) -> None:
        f = self._findings
        f.check(
            "one_outcome",
            number == self._next_payment,
            "payment {} is submitted out of turn",
            number,
        )
        row = self._streams[stream]
        p = PaymentState(
            number,
            stream,
            ordinal,
            f.now,
            row[StreamColumn.ENTRY],
            f.now,
            row[StreamColumn.PRIORITY],
        )
        f.check("sequence", stage == p.pc, "payment {} is submitted at stage {}", number, stage)
        p.registers[Register.INSTRUCTED] = amount
        self._payments[number] = p
        self._next_payment = max(self._next_payment, number + 1)
        self._turns.begin_own(p)

    def _commit(self, ledger: int, size: int, number: int) -> None:
        for payment in self._ledgers.commit(ledger, size, number):
            p = self._payments.get(payment)
            if p is not None and p.wait == Wait.BLOCK:
                self._turns.block.append(p)

    def _fail(self, p: PaymentState, row: Row) -> None:
        _, _, at, reason, _, _ = row
        self._turns.act(p, at)
        stage = self._program.stage[at]
        self._program.check_failure(p, reason)
        if stage[S.OP] == Op.SERVE and stage[S.SUBJECT] >= 0:
            self._stations.refuse(stage[S.SUBJECT], reason, stage[S.REASON])
        elif stage[S.OP] == Op.RESERVE:
            self._check_short(p, stage[S.FIRST])
        p.reason = reason
        self._program.jump(p, stage[S.TARGET])

    def _check_short(self, p: PaymentState, transfer: int) -> None:
        debit, amount = self._program.accounts(transfer)[0], self._program.amount(p, transfer)
        if debit >= 0:
            short = self._accounts.has_queue(debit) or self._accounts.available(debit) < amount
            self._findings.check("liquidity", short, "payment {} fails with funds there", p.number)

    def _outcome(self, p: PaymentState, row: Row) -> None:
        _, number, at, outcome, reason, _ = row
        f = self._findings
        if outcome == Outcome.IN_PROGRESS:
            self._open_at_horizon(p, reason)
            end_us = NULL
        else:
            stage = self._turns.at(p, at, Op.END)
            wanted = stage[S.REASON] if stage[S.REASON] >= 0 else p.reason
            right = (outcome, reason) == (stage[S.VALUE], wanted)
            f.check("outcome", right, "payment {} ends with {} for {}", number, outcome, reason)
            f.check("reservation", not p.reserved, "payment {} ends with money held", number)
            if outcome == Outcome.COMPLETED and p.credited_us == NULL:
                p.credited_us = f.now
            p.reason, end_us = wanted, f.now
        f.check(
            "time_by_cause",
            sum(p.times) == f.now - p.submitted_us,
            "payment {}: {} us accounted for",
            number,
            sum(p.times),
        )
        p.wait = Wait.ENDED
        has_price = p.route < 0 or self._program.route[p.route][RouteColumn.PRICING] >= 0
        self._ended(p.record(outcome, end_us, has_price))
        del self._payments[number]

    def _open_at_horizon(self, p: PaymentState, reason: int) -> None:
        f = self._findings
        at_end = f.now == self._plan.horizon_us
        right = at_end and f.key == order_key(EventClass.HORIZON, p.number, 0)
        f.check("outcome", right, "payment {} is left open before the horizon", p.number)
        f.check("outcome", reason == p.reason, "payment {} is open for {}", p.number, reason)
        if p.deadline_us >= 0:
            self._turns.in_time(p)
        if p.wait == Wait.DELAY:
            f.check("service_time", p.due_us >= f.now, "payment {} never arrived", p.number)
        f.check("sequence", p.wait != Wait.NOTHING, "payment {} is open and idle", p.number)
        self._waits.abandon_quietly(p)
