"""Check every row by which a payment moves money, is priced, routed or limited.

Takes rebuilt payments and rows of the log; books what they say and reports amounts, accounts,
prices and choices that do not follow from the plan.
"""

from __future__ import annotations

from sim.contract.spec import (
    NULL,
    Cause,
    Flag,
    LogKind,
    Op,
    Register,
    RouteColumn,
    StageColumn,
)
from sim.tables.audit_books import Books, Row
from sim.tables.audit_payments import PaymentState, Wait, charge_fee

S = StageColumn
_POSTING_OPS = (Op.POST, Op.BATCH, Op.VOID, Op.CHARGE)


class MoneySteps:
    """Handle rows about money.

    Parameters
    ----------
    books : Books
        The rebuilt state of the run.
    """

    def __init__(self, books: Books) -> None:
        self._findings, self._program, self._turns = books.findings, books.program, books.turns
        self._stations, self._ledgers = books.stations, books.ledgers
        self._accounts, self._events, self._prices = books.accounts, books.events, books.prices

    def reserve(self, p: PaymentState, row: Row) -> None:
        """Check a RESERVE row, of the payment acting or of one set free, and hold the money."""
        _, _, stage, debit, amount, credit = row
        f, accounts = self._findings, self._accounts
        if p.wait == Wait.LIQUIDITY:
            wanted = (p.wait_subject, p.wait_amount, p.pc)
            right = (debit, amount, stage) == wanted
            f.check("reservation", right, "payment {} is given what it did not ask", p.number)
            if p.deadline_us >= 0:
                self._turns.in_time(p)
            accounts.release(debit, p.number)
            p.account_time(Cause.LIQUIDITY, f.now)
            p.wait = Wait.NOTHING
            self._turns.ready.append(p)
        else:
            self._turns.at(p, stage, Op.RESERVE)
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

    def short(self, p: PaymentState, row: Row) -> None:
        """Check a SHORT row and let the payment wait for liquidity."""
        stage = self._turns.at(p, row[2], Op.RESERVE)
        f, transfer = self._findings, stage[S.FIRST]
        debit = self._program.accounts(transfer)[0]
        right = self._program.is_account(p, debit, row[3]) and bool(stage[S.FLAGS] & Flag.QUEUE)
        right = right and row[4] == self._program.amount(p, transfer)
        f.check("reservation", right, "payment {} waits for {}", p.number, row[4])
        self._accounts.wait(row[3], p.number, row[4])
        p.wait, p.wait_subject, p.wait_amount = Wait.LIQUIDITY, row[3], row[4]

    def posting(self, p: PaymentState, row: Row) -> None:
        """Check one row of a stage that writes several, and book it."""
        kind, number, stage, subject, amount, value = row
        self._turns.at(p, stage, *_POSTING_OPS)
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

    def quote(self, p: PaymentState, row: Row) -> None:
        """Check a QUOTE row against the price computed again."""
        stage = self._turns.at(p, row[2], Op.QUOTE)
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

    def lapse(self, p: PaymentState, row: Row) -> None:
        """Check a LAPSE row and jump back for a new quote where one is left."""
        stage = self._turns.at(p, row[2], Op.CONVERT)
        lapsed = p.expiry_us != NULL and self._findings.now > p.expiry_us
        self._findings.check("quote", lapsed, "payment {} loses a valid quote", p.number)
        p.lapsed += 1
        if p.requotes < stage[S.VALUE]:
            p.requotes += 1
            self._program.jump(p, stage[S.SUBJECT])

    def route(self, p: PaymentState, row: Row) -> None:
        """Check a ROUTE row and take the payment to the route's entry."""
        stage = self._turns.at(p, row[2], Op.ROUTE)
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

    def limit(self, p: PaymentState, row: Row) -> None:
        """Check a LIMIT row and let the use grow."""
        stage = self._turns.at(p, row[2], Op.LIMIT)
        right = row[3] == stage[S.SUBJECT]
        self._findings.check("limit", right, "payment {} uses another limit", p.number)
        self._program.use_limit(p, row[3], row[4], row[5])
        self._program.jump(p, p.pc + 1)

    def decide(self, p: PaymentState, row: Row) -> None:
        """Check a DECIDE row and branch."""
        stage = self._turns.at(p, row[2], Op.DECIDE)
        right = row[3] == stage[S.TARGET] and stage[S.VALUE] > 0 and stage[S.REASON] <= 0
        self._findings.check("sequence", right, "payment {} branches by no luck", p.number)
        self._program.jump(p, stage[S.TARGET])

    def _book(self, p: PaymentState, row: Row) -> None:
        kind, _, _, subject, amount, value = row
        if kind == LogKind.TRANSFER:
            self._accounts.transfer(subject, value, amount)
        elif kind == LogKind.POST:
            self._accounts.post(subject, value, amount)
        elif kind == LogKind.VOID:
            self._accounts.void(subject, amount)
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
