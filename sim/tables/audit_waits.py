"""Check every row by which a payment begins or ends a wait.

Takes rebuilt payments and rows of the log about stations, delays, ledgers and time-outs; moves
both along and reports what the stage, the clock or the place does not allow.
"""

from __future__ import annotations

from sim.contract.spec import (
    STEP_BITS,
    Cause,
    EventClass,
    Op,
    StageColumn,
    order_key,
)
from sim.tables.audit_books import Books, Row
from sim.tables.audit_payments import PaymentState, Wait

S = StageColumn


class WaitSteps:
    """Handle rows about waiting.

    Parameters
    ----------
    books : Books
        The rebuilt state of the run.
    """

    def __init__(self, books: Books) -> None:
        self._findings, self._program, self._turns = books.findings, books.program, books.turns
        self._stations, self._ledgers = books.stations, books.ledgers
        self._accounts, self._events, self._prices = books.accounts, books.events, books.prices
        self.leaving: tuple[PaymentState, int, int, int] | None = None
        """Who has to leave a queue with the next row: payment, place, kind of place, stage."""

    def join(self, p: PaymentState, row: Row) -> None:
        """Check a JOIN row and put the payment into the queue."""
        stage = self._turns.at(p, row[2], Op.SERVE)
        self._check_station(p, stage, row[3])
        self._stations.join(row[3], p.number, p.priority)
        p.wait, p.wait_subject = Wait.QUEUE, row[3]

    def start(self, p: PaymentState, row: Row) -> None:
        """Check a START row, direct or from the queue."""
        _, number, stage, station, service_us, _ = row
        is_direct = p.wait != Wait.QUEUE
        if is_direct:
            self._check_station(p, self._turns.at(p, stage, Op.SERVE), station)
        else:
            if p.deadline_us >= 0:
                self._turns.in_time(p)
            same = (p.wait_subject, p.pc) == (station, stage)
            self._findings.check("sequence", same, "payment {} starts elsewhere", number)
        p.steps += 1
        self._stations.start(station, (number, p.steps, stage, service_us), is_direct)
        if not is_direct:
            self._stations.leave(p.wait_subject, number, p.priority)
        p.account_time(Cause.WAITING, self._findings.now)
        p.wait, p.wait_subject, p.due_key = Wait.SERVICE, station, p.steps
        p.cause = self._program.stage[stage][S.CAUSE]
        if service_us == 0:
            self._events.born.add(order_key(EventClass.COMPLETE, number, p.steps))

    def delay(self, p: PaymentState, row: Row) -> None:
        """Check a DELAY row and note when it ends."""
        stage = self._turns.at(p, row[2], Op.TRANSIT)
        f = self._findings
        right = row[3] == stage[S.CAUSE] and row[4] >= 0
        f.check("service_time", right, "payment {} is delayed for the wrong cause", p.number)
        p.steps += 1
        p.wait, p.cause = Wait.DELAY, row[3]
        p.due_us = f.now + row[4]
        p.due_key = order_key(EventClass.COMPLETE, p.number, p.steps)
        if row[4] == 0:
            self._events.born.add(p.due_key)

    def enqueue(self, p: PaymentState, row: Row) -> None:
        """Check an ENQUEUE row and put the payment into the ledger's queue."""
        stage = self._turns.at(p, row[2], Op.BATCH)
        right = row[3] == stage[S.SUBJECT]
        self._findings.check("sequence", right, "payment {} joins another ledger", p.number)
        self._ledgers.enqueue(row[3], p.number)
        p.wait, p.wait_subject, p.cause = Wait.LEDGER, row[3], stage[S.CAUSE]

    def in_block(self, p: PaymentState, row: Row) -> None:
        """Check an IN_BLOCK row and disarm the payment's time-out."""
        waits = p.wait == Wait.LEDGER and p.wait_subject == row[3]
        self._findings.check("block_order", waits, "payment {} enters a block twice", p.number)
        if p.deadline_us >= 0:
            self._turns.in_time(p)
        self._ledgers.in_block(row[3], p.number, row[5])
        p.wait, p.deadline_us = Wait.BLOCK, -1

    def deadline(self, p: PaymentState, row: Row) -> None:
        """Check a DEADLINE row and arm the time-out."""
        stage = self._turns.at(p, row[2], Op.DEADLINE)
        f = self._findings
        right = row[4] == stage[S.VALUE] > 0
        f.check("time_out", right, "payment {} arms a time-out of {} us", p.number, row[4])
        p.steps += 1
        p.deadline_us, p.deadline_stage = f.now + row[4], row[2]
        p.deadline_key = order_key(EventClass.EXPIRE, p.number, p.steps)
        self._program.jump(p, p.pc + 1)

    def expire(self, p: PaymentState, row: Row) -> None:
        """Check an EXPIRE row, abandon the wait and go on at the target."""
        f = self._findings
        self._turns.begin_own(p)
        due = p.deadline_us >= 0 and (f.now, f.key) == (p.deadline_us, p.deadline_key)
        f.check(
            "time_out", due, "payment {} expires, its time-out is at {}", p.number, p.deadline_us
        )
        stage = self._program.stage[p.deadline_stage] if p.deadline_us >= 0 else None
        p.deadline_us = -1
        if stage is None:
            return
        f.check("time_out", row[3] == stage[S.REASON], "payment {} expires otherwise", p.number)
        places = {Wait.QUEUE: 0, Wait.LEDGER: 1, Wait.LIQUIDITY: 2}
        if p.wait in places:
            self.leaving = (p, p.wait_subject, places[p.wait], p.pc)
        self._abandon(p)
        p.reason = stage[S.REASON]
        self._program.jump(p, stage[S.TARGET])

    def left(self, p: PaymentState, row: Row) -> None:
        """Check that a LEAVE row is the one the time-out asked for."""
        due, self.leaving = self.leaving, None
        right = due is not None and due[0] is p and due[1:] == (row[3], row[5], row[2])
        self._findings.check("time_out", right, "payment {} leaves a queue", p.number)

    def _check_station(self, p: PaymentState, stage: list[int], station: int) -> None:
        self._findings.check(
            "sequence",
            self._program.is_station(p, stage[S.SUBJECT], station),
            "payment {} goes to station {}, its stage names another",
            p.number,
            station,
        )

    def _abandon(self, p: PaymentState) -> None:
        """Account the wait that ends here and take the payment out of whatever queue it is in."""
        now = self._findings.now
        if p.wait == Wait.QUEUE:
            self._stations.leave(p.wait_subject, p.number, p.priority)
            p.account_time(Cause.WAITING, now)
        elif p.wait == Wait.LIQUIDITY:
            self._accounts.leave(p.wait_subject, p.number)
            p.account_time(Cause.LIQUIDITY, now)
        elif p.wait != Wait.NOTHING:
            if p.wait == Wait.LEDGER:
                self._ledgers.leave(p.wait_subject, p.number)
            p.account_time(p.cause, now)
        p.wait = Wait.NOTHING

    def finish(self, p: PaymentState | None, number: int, stage: int, station: int) -> None:
        """Check a FINISH row, orphaned or not; the payment is None once it has ended."""
        f = self._findings
        step = f.key & ((1 << STEP_BITS) - 1)
        expected = order_key(EventClass.COMPLETE, number, step)
        f.check("order", f.key == expected, "payment {} finishes in an event of another", number)
        self._stations.finish(station, number, step, stage)
        if p is not None and p.wait == Wait.SERVICE and p.due_key == step:
            p.account_time(p.cause, f.now)
            p.wait = Wait.NOTHING
            self._program.jump(p, p.pc + 1)
            # Others start before the payment goes on, but nobody else acts in this event first.
            self._turns.begin_own(p)

    def miss_leave(self) -> None:
        """Report a LEAVE row that did not come."""
        due, self.leaving = self.leaving, None
        if due is not None:
            self._findings.add("time_out", f"payment {due[0].number} expired and left no queue")

    def abandon_quietly(self, p: PaymentState) -> None:
        """Account the last wait; those left in queues stay there, the run is over."""
        if p.wait == Wait.QUEUE:
            p.account_time(Cause.WAITING, self._findings.now)
        elif p.wait == Wait.LIQUIDITY:
            p.account_time(Cause.LIQUIDITY, self._findings.now)
        else:
            p.account_time(p.cause, self._findings.now)
