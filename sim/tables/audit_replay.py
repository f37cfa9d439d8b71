"""Replay an event log row by row and check that every row was allowed.

Takes the plan and the rows of a log, in order; rebuilds stations, ledgers, accounts and payments
from them alone and reports what does not follow from :mod:`sim.contract.spec`. Written without the
engines. Memory holds the payments in flight.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from sim.contract.plan import Array, Plan
from sim.contract.run import Totals
from sim.contract.spec import (
    NULL,
    PAYMENT_BITS,
    STEP_BITS,
    Cause,
    EventClass,
    Flag,
    LogKind,
    Op,
    Outcome,
    Register,
    RouteColumn,
    StageColumn,
    StreamColumn,
    order_key,
)
from sim.tables.audit_accounts import AccountBook
from sim.tables.audit_events import EventBook
from sim.tables.audit_findings import Findings
from sim.tables.audit_ledgers import LedgerBook
from sim.tables.audit_payments import PaymentState, Wait, charge_fee
from sim.tables.audit_prices import PriceBook
from sim.tables.audit_program import Program
from sim.tables.audit_stations import StationBook

S = StageColumn
_PAYMENT_MASK = (1 << PAYMENT_BITS) - 1
_POSTING_OPS = (Op.POST, Op.BATCH, Op.VOID, Op.CHARGE)
_ROWS_AT_ONCE = 1 << 13
"""Python integers take much more room than arrays; only so many rows are unpacked at a time."""
_Row = tuple[int, int, int, int, int, int]
"""Kind, payment, stage, subject, amount, value."""


class Replay:
    """Hold the rebuilt state of a run.

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
        self._plan, self._findings, self._ended = plan, findings, ended
        self._streams: list[list[int]] = plan.stream.tolist()
        self.stations = StationBook(plan, findings)
        self.ledgers = LedgerBook(plan, findings)
        self.accounts = AccountBook(plan, findings)
        self._prices = PriceBook(plan)
        self._program = Program(plan, findings, self._prices)
        self._events = EventBook(plan, findings, self)
        self._payments: dict[int, PaymentState] = {}
        self._next_payment = 0
        self._current: PaymentState | None = None
        self._ready: deque[PaymentState] = deque()
        self._block: deque[PaymentState] = deque()
        self._own_used = False
        self._leave: tuple[PaymentState, int, int, int] | None = None
        kinds = LogKind
        self._handlers: dict[int, Callable[[PaymentState, _Row], None]] = {
            kinds.JOIN: self._join,
            kinds.START: self._start,
            kinds.LEAVE: self._left,
            kinds.DELAY: self._delay,
            kinds.ENQUEUE: self._enqueue,
            kinds.IN_BLOCK: self._in_block,
            kinds.RESERVE: self._reserve,
            kinds.POST: self._posting,
            kinds.TRANSFER: self._posting,
            kinds.VOID: self._posting,
            kinds.FEE: self._posting,
            kinds.GIVE_BACK: self._posting,
            kinds.SHORT: self._short,
            kinds.QUOTE: self._quote,
            kinds.LAPSE: self._lapse,
            kinds.ROUTE: self._route,
            kinds.LIMIT: self._limit,
            kinds.DECIDE: self._decide,
            kinds.DEADLINE: self._deadline,
            kinds.EXPIRE: self._expire,
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
                self._own_used = False
                # Nothing of the horizon's own instant happens: rounds due then never start.
                self.ledgers.advance(time_us, key if time_us < self._plan.horizon_us else 0)
            else:
                self._events.follow(kind)
            if self._leave is not None and kind != LogKind.LEAVE:
                self._miss_leave()
            if kind == LogKind.SUBMIT:
                self._submit(payment, stage, subject, amount, value)
            elif kind == LogKind.FINISH:
                self._finish(payment, stage, subject)
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
        p = self._current
        if p is not None and p.wait == Wait.NOTHING:
            self._stuck(p)
        for waiting in (*self._ready, *self._block):
            self._stuck(waiting)
        self._current = None
        self._ready.clear()
        self._block.clear()
        self.stations.end_event()
        self.ledgers.end_event()
        self.accounts.end_event()

    def finish(self, totals: Totals | None) -> None:
        """Check what must hold at the end of a run."""
        f, horizon = self._findings, self._plan.horizon_us
        self.end_event()
        self.ledgers.advance(horizon, 0)
        self.stations.finish_run(horizon)
        self.accounts.finish_run()
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
            same = totals.end_posted.tolist() == self.accounts.posted
            f.check("totals", same, "posted balances at the end are not those of the log")
            same = totals.end_pending.tolist() == self.accounts.pending
            f.check("totals", same, "pending amounts at the end are not those of the log")

    def release_seen(self, station: bool, subject: int, length: int) -> None:
        """Let the router see a queue, as a sample does."""
        seen = self._program.seen_stations if station else self._program.seen_ledgers
        seen[subject] = length

    # 1. Who acts, and where.

    def _act(self, p: PaymentState, stage: int) -> bool:
        """Let a payment act at a stage; check that it is its turn and that it can be there."""
        if p is not self._current:
            self._take_turn(p)
        if p.wait != Wait.NOTHING:
            self._wake(p)
        if p.deadline_us >= 0:
            self._in_time(p)
        while p.pc != stage:
            if p.todo or p.pc >= len(self._program.stage) or not self._program.passes(p):
                rule = "postings" if p.todo else "sequence"
                self._findings.add(
                    rule,
                    f"payment {p.number} acts at stage {stage} without having done stage {p.pc}",
                )
                self._program.jump(p, stage)
                return False
            self._program.leave(p)
        self._findings.checks["sequence"] = self._findings.checks.get("sequence", 0) + 1
        return True

    def _take_turn(self, p: PaymentState) -> None:
        """Check whose turn it is within the event."""
        last, self._current = self._current, p
        if last is not None and last.wait == Wait.NOTHING:
            self._stuck(last)
        if self._ready:
            due = self._ready.popleft()
        elif self._block:
            due = self._block.popleft()
            self._leave_block(due)
        elif not self._own_used and self._findings.key >> STEP_BITS & _PAYMENT_MASK == p.number:
            self._own_used, due = True, p
        else:
            self._findings.add("turn", f"payment {p.number} acts in an event of another")
            return
        self._findings.check(
            "turn", due is p, "payment {} acts before payment {}", p.number, due.number
        )

    def _wake(self, p: PaymentState) -> None:
        """End a delay; whatever else a payment waits for ends by a row of its own."""
        if p.wait == Wait.DELAY:
            at_turn = (self._findings.now, self._findings.key) == (p.due_us, p.due_key)
            self._findings.check(
                "service_time",
                at_turn,
                "payment {} acts though its delay ends at {}",
                p.number,
                p.due_us,
            )
            p.account_time(p.cause, self._findings.now)
            self._program.jump(p, p.pc + 1)
        else:
            self._findings.add(
                "sequence", f"payment {p.number} acts while it waits ({p.wait.name.lower()})"
            )
        p.wait = Wait.NOTHING

    def _leave_block(self, p: PaymentState) -> None:
        p.account_time(self._program.stage[p.pc][S.CAUSE], self._findings.now)
        p.wait = Wait.NOTHING
        self._program.begin(p)
        if not p.todo:
            self._program.leave(p)

    def _in_time(self, p: PaymentState) -> None:
        """Check that a time-out did not go by."""
        f = self._findings
        is_late = (p.deadline_us, p.deadline_key) < (f.now, f.key)
        f.check("time_out", not is_late, "payment {} timed out at {}", p.number, p.deadline_us)
        if is_late:
            p.deadline_us = -1

    def _stuck(self, p: PaymentState) -> None:
        rule = "postings" if p.todo else "sequence"
        self._findings.add(rule, f"payment {p.number} stops at stage {p.pc} without waiting")
        p.todo.clear()

    def _at(self, p: PaymentState, stage: int, *ops: Op) -> list[int]:
        """Let a payment act at a stage of certain operations; return the stage's columns."""
        self._act(p, stage)
        row = self._program.stage[stage]
        self._findings.check(
            "sequence", row[S.OP] in ops, "stage {} does not write such a row", stage
        )
        return row

    # 2. Submission, stations and delays.

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
        self._own_used, self._current = True, p

    def _join(self, p: PaymentState, row: _Row) -> None:
        stage = self._at(p, row[2], Op.SERVE)
        self._check_station(p, stage, row[3])
        self.stations.join(row[3], p.number, p.priority)
        p.wait, p.wait_subject = Wait.QUEUE, row[3]

    def _start(self, p: PaymentState, row: _Row) -> None:
        _, number, stage, station, service_us, _ = row
        is_direct = p.wait != Wait.QUEUE
        if is_direct:
            self._check_station(p, self._at(p, stage, Op.SERVE), station)
        else:
            self._in_time(p) if p.deadline_us >= 0 else None
            same = (p.wait_subject, p.pc) == (station, stage)
            self._findings.check("sequence", same, "payment {} starts elsewhere", number)
        p.steps += 1
        self.stations.start(station, (number, p.steps, stage, service_us), is_direct)
        if not is_direct:
            self.stations.leave(p.wait_subject, number, p.priority)
        p.account_time(Cause.WAITING, self._findings.now)
        p.wait, p.wait_subject, p.due_key = Wait.SERVICE, station, p.steps
        p.cause = self._program.stage[stage][S.CAUSE]
        if service_us == 0:
            self._events.born.add(order_key(EventClass.COMPLETE, number, p.steps))

    def _check_station(self, p: PaymentState, stage: list[int], station: int) -> None:
        self._findings.check(
            "sequence",
            self._program.is_station(p, stage[S.SUBJECT], station),
            "payment {} goes to station {}, its stage names another",
            p.number,
            station,
        )

    def _finish(self, number: int, stage: int, station: int) -> None:
        f = self._findings
        step = f.key & ((1 << STEP_BITS) - 1)
        expected = order_key(EventClass.COMPLETE, number, step)
        f.check("order", f.key == expected, "payment {} finishes in an event of another", number)
        self.stations.finish(station, number, step, stage)
        p = self._payments.get(number)
        if p is not None and p.wait == Wait.SERVICE and p.due_key == step:
            p.account_time(p.cause, f.now)
            p.wait = Wait.NOTHING
            self._program.jump(p, p.pc + 1)
            # Others start before the payment goes on, but nobody else acts in this event first.
            self._own_used, self._current = True, p

    def _delay(self, p: PaymentState, row: _Row) -> None:
        stage = self._at(p, row[2], Op.TRANSIT)
        f = self._findings
        right = row[3] == stage[S.CAUSE] and row[4] >= 0
        f.check("service_time", right, "payment {} is delayed for the wrong cause", p.number)
        p.steps += 1
        p.wait, p.cause = Wait.DELAY, row[3]
        p.due_us = f.now + row[4]
        p.due_key = order_key(EventClass.COMPLETE, p.number, p.steps)
        if row[4] == 0:
            self._events.born.add(p.due_key)

    # 3. Ledgers.

    def _enqueue(self, p: PaymentState, row: _Row) -> None:
        stage = self._at(p, row[2], Op.BATCH)
        right = row[3] == stage[S.SUBJECT]
        self._findings.check("sequence", right, "payment {} joins another ledger", p.number)
        self.ledgers.enqueue(row[3], p.number)
        p.wait, p.wait_subject, p.cause = Wait.LEDGER, row[3], stage[S.CAUSE]

    def _in_block(self, p: PaymentState, row: _Row) -> None:
        waits = p.wait == Wait.LEDGER and p.wait_subject == row[3]
        self._findings.check("block_order", waits, "payment {} enters a block twice", p.number)
        if p.deadline_us >= 0:
            self._in_time(p)
        self.ledgers.in_block(row[3], p.number, row[5])
        p.wait, p.deadline_us = Wait.BLOCK, -1

    def _commit(self, ledger: int, size: int, number: int) -> None:
        for payment in self.ledgers.commit(ledger, size, number):
            p = self._payments.get(payment)
            if p is not None and p.wait == Wait.BLOCK:
                self._block.append(p)

    # 4. Money.

    def _reserve(self, p: PaymentState, row: _Row) -> None:
        _, _, stage, debit, amount, credit = row
        f, accounts = self._findings, self.accounts
        if p.wait == Wait.LIQUIDITY:
            wanted = (p.wait_subject, p.wait_amount, p.pc)
            right = (debit, amount, stage) == wanted
            f.check("reservation", right, "payment {} is given what it did not ask", p.number)
            if p.deadline_us >= 0:
                self._in_time(p)
            accounts.release(debit, p.number)
            p.account_time(Cause.LIQUIDITY, f.now)
            p.wait = Wait.NOTHING
            self._ready.append(p)
        else:
            self._at(p, stage, Op.RESERVE)
            f.check(
                "liquidity_order",
                not accounts.has_queue(debit),
                "payment {} reserves past those waiting for account {}",
                p.number,
                debit,
            )
        transfer = self._program.stage[stage][S.FIRST]
        self._check_accounts(p, self._program.accounts(transfer), (debit, credit))
        right = amount == self._program.amount(p, transfer) and transfer not in p.reserved
        f.check("reservation", right, "payment {} reserves {}", p.number, amount)
        accounts.reserve(debit, credit, amount)
        p.reserved[transfer] = (debit, credit, amount)
        self._program.jump(p, stage + 1)

    def _short(self, p: PaymentState, row: _Row) -> None:
        stage = self._at(p, row[2], Op.RESERVE)
        f, transfer = self._findings, stage[S.FIRST]
        debit = self._program.accounts(transfer)[0]
        right = self._program.is_account(p, debit, row[3]) and bool(stage[S.FLAGS] & Flag.QUEUE)
        right = right and row[4] == self._program.amount(p, transfer)
        f.check("reservation", right, "payment {} waits for {}", p.number, row[4])
        self.accounts.wait(row[3], p.number, row[4])
        p.wait, p.wait_subject, p.wait_amount = Wait.LIQUIDITY, row[3], row[4]

    def _posting(self, p: PaymentState, row: _Row) -> None:
        """Check one row of a stage that writes several, and book it."""
        kind, number, stage, subject, amount, value = row
        self._at(p, stage, *_POSTING_OPS)
        f = self._findings
        if not p.has_begun:
            self._program.begin(p)
        if not f.check("postings", bool(p.todo), "payment {} posts what no stage asks", number):
            return
        due = p.todo.pop(0)
        rule = "fee" if self._program.stage[stage][S.OP] == Op.CHARGE else "postings"
        f.check(
            rule,
            (due.kind, due.amount) == (kind, amount),
            "payment {} writes a row of kind {} over {}, due is kind {} over {}",
            number,
            kind,
            amount,
            due.kind,
            due.amount,
        )
        if due.has_accounts:
            self._check_accounts(p, (due.subject, due.value), (subject, value))
        elif kind == due.kind:
            right = subject == due.subject and value == due.value
            f.check("postings", right, "payment {} posts to {}", number, subject)
        self._book(p, row)
        if due.transfer >= 0:
            p.reserved.pop(due.transfer, None)
        if not p.todo:
            self._program.leave(p)

    def _book(self, p: PaymentState, row: _Row) -> None:
        kind, _, _, subject, amount, value = row
        if kind == LogKind.TRANSFER:
            self.accounts.transfer(subject, value, amount)
        elif kind == LogKind.POST:
            self.accounts.post(subject, value, amount)
        elif kind == LogKind.VOID:
            self.accounts.void(subject, amount)
        elif kind == LogKind.FEE:
            if p.is_quoted:
                charge_fee(p, self._prices, subject, amount)
        else:
            self._program.give_back(p, subject, amount, value)

    def _check_accounts(
        self, p: PaymentState, due: tuple[int, int], found: tuple[int, int]
    ) -> None:
        right = all(
            self._program.is_account(p, reference, account)
            for reference, account in zip(due, found, strict=True)
        )
        self._findings.check(
            "postings",
            right,
            "payment {} moves money from account {} to account {}, its stage names others",
            p.number,
            *found,
        )

    # 5. Prices, routes, limits, luck.

    def _quote(self, p: PaymentState, row: _Row) -> None:
        stage = self._at(p, row[2], Op.QUOTE)
        f = self._findings
        self._program.price(p, stage[S.SUBJECT])
        found = (stage[S.SUBJECT], p.registers[Register.DEBITED], p.registers[Register.CREDITED])
        f.check(
            "quote",
            found == row[3:],
            "payment {} is quoted {} for {}, should be {} for {}",
            p.number,
            row[4],
            row[5],
            found[1],
            found[2],
        )
        p.expiry_us = f.now + stage[S.VALUE] if stage[S.VALUE] > 0 else 1 << 62
        self._program.jump(p, p.pc + 1)

    def _lapse(self, p: PaymentState, row: _Row) -> None:
        stage = self._at(p, row[2], Op.CONVERT)
        lapsed = p.expiry_us != NULL and self._findings.now > p.expiry_us
        self._findings.check("quote", lapsed, "payment {} loses a valid quote", p.number)
        p.lapsed += 1
        if p.requotes < stage[S.VALUE]:
            p.requotes += 1
            self._program.jump(p, stage[S.SUBJECT])

    def _route(self, p: PaymentState, row: _Row) -> None:
        stage = self._at(p, row[2], Op.ROUTE)
        self._program.check_route(p, row[3], row[4])
        p.attempts += 1
        right = p.attempts == row[5]
        self._findings.check("route", right, "payment {} miscounts attempts", p.number)
        if stage[S.FLAGS] & Flag.NEXT:
            retry = sum(p.times)
            p.times = [0] * len(Cause)
            p.times[Cause.RETRY] = retry
            p.reason = 0
        p.route = row[3]
        p.tried.add(row[3])
        route = self._program.route[row[3]]
        for role, column in enumerate((RouteColumn.DEBTOR_AGENT, RouteColumn.CREDITOR_AGENT)):
            if route[column] >= 0:
                p.agents[role] = frozenset((route[column],))
        self._program.jump(p, route[RouteColumn.ENTRY])

    def _limit(self, p: PaymentState, row: _Row) -> None:
        stage = self._at(p, row[2], Op.LIMIT)
        right = row[3] == stage[S.SUBJECT]
        self._findings.check("limit", right, "payment {} uses another limit", p.number)
        self._program.use_limit(p, row[3], row[4], row[5])
        self._program.jump(p, p.pc + 1)

    def _decide(self, p: PaymentState, row: _Row) -> None:
        stage = self._at(p, row[2], Op.DECIDE)
        right = row[3] == stage[S.TARGET] and stage[S.VALUE] > 0 and stage[S.REASON] <= 0
        self._findings.check("sequence", right, "payment {} branches by no luck", p.number)
        self._program.jump(p, stage[S.TARGET])

    def _deadline(self, p: PaymentState, row: _Row) -> None:
        stage = self._at(p, row[2], Op.DEADLINE)
        f = self._findings
        right = row[4] == stage[S.VALUE] > 0
        f.check("time_out", right, "payment {} arms a time-out of {} us", p.number, row[4])
        p.steps += 1
        p.deadline_us, p.deadline_stage = f.now + row[4], row[2]
        p.deadline_key = order_key(EventClass.EXPIRE, p.number, p.steps)
        self._program.jump(p, p.pc + 1)

    # 6. Ends.

    def _expire(self, p: PaymentState, row: _Row) -> None:
        f = self._findings
        self._own_used, self._current = True, p
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
            self._leave = (p, p.wait_subject, places[p.wait], p.pc)
        self._abandon(p)
        p.reason = stage[S.REASON]
        self._program.jump(p, stage[S.TARGET])

    def _abandon(self, p: PaymentState) -> None:
        """Account the wait that ends here and take the payment out of whatever queue it is in."""
        now = self._findings.now
        if p.wait == Wait.QUEUE:
            self.stations.leave(p.wait_subject, p.number, p.priority)
            p.account_time(Cause.WAITING, now)
        elif p.wait == Wait.LIQUIDITY:
            self.accounts.leave(p.wait_subject, p.number)
            p.account_time(Cause.LIQUIDITY, now)
        elif p.wait != Wait.NOTHING:
            if p.wait == Wait.LEDGER:
                self.ledgers.leave(p.wait_subject, p.number)
            p.account_time(p.cause, now)
        p.wait = Wait.NOTHING

    def _left(self, p: PaymentState, row: _Row) -> None:
        due, self._leave = self._leave, None
        right = due is not None and due[0] is p and due[1:] == (row[3], row[5], row[2])
        self._findings.check("time_out", right, "payment {} leaves a queue", p.number)

    def _miss_leave(self) -> None:
        due, self._leave = self._leave, None
        if due is not None:
            self._findings.add("time_out", f"payment {due[0].number} expired and left no queue")

    def _fail(self, p: PaymentState, row: _Row) -> None:
        _, _, at, reason, _, _ = row
        self._act(p, at)
        stage = self._program.stage[at]
        self._program.check_failure(p, reason)
        if stage[S.OP] == Op.SERVE and stage[S.SUBJECT] >= 0:
            self.stations.refuse(stage[S.SUBJECT], reason, stage[S.REASON])
        elif stage[S.OP] == Op.RESERVE:
            self._check_short(p, stage[S.FIRST])
        p.reason = reason
        self._program.jump(p, stage[S.TARGET])

    def _check_short(self, p: PaymentState, transfer: int) -> None:
        debit, amount = self._program.accounts(transfer)[0], self._program.amount(p, transfer)
        if debit >= 0:
            short = self.accounts.has_queue(debit) or self.accounts.available(debit) < amount
            self._findings.check("liquidity", short, "payment {} fails with funds there", p.number)

    def _outcome(self, p: PaymentState, row: _Row) -> None:
        _, number, at, outcome, reason, _ = row
        f = self._findings
        if outcome == Outcome.IN_PROGRESS:
            self._open_at_horizon(p, reason)
            end_us = NULL
        else:
            stage = self._at(p, at, Op.END)
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
            self._in_time(p)
        if p.wait == Wait.DELAY:
            f.check("service_time", p.due_us >= f.now, "payment {} never arrived", p.number)
        f.check("sequence", p.wait != Wait.NOTHING, "payment {} is open and idle", p.number)
        self._abandon_quietly(p)

    def _abandon_quietly(self, p: PaymentState) -> None:
        """Account the last wait; those left in queues stay there, the run is over."""
        if p.wait == Wait.QUEUE:
            p.account_time(Cause.WAITING, self._findings.now)
        elif p.wait == Wait.LIQUIDITY:
            p.account_time(Cause.LIQUIDITY, self._findings.now)
        else:
            p.account_time(p.cause, self._findings.now)


_NOT_OPEN = "a row of payment {}, which is not open"
