"""Rebuild every account from the log: posted, pending, and who waits for liquidity.

Takes movements in order; reports to the findings what double entry, an overdraft limit or an
orderly queue does not allow. Accounts start at zero: whatever they hold came through a row.
"""

from __future__ import annotations

from collections import OrderedDict

from sim.contract.plan import Plan
from sim.contract.spec import UNLIMITED, AccountColumn
from sim.tables.audit_findings import Findings


class AccountBook:
    """Keep the state of all accounts.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    findings : Findings
        Where violations go.

    Attributes
    ----------
    posted, pending : list of int
        Balances in minor units.
    """

    def __init__(self, plan: Plan, findings: Findings) -> None:
        self._findings = findings
        self.currency: list[int] = plan.account[:, AccountColumn.CURRENCY].tolist()
        self._overdraft: list[int] = plan.account[:, AccountColumn.OVERDRAFT].tolist()
        self._world: list[int] = plan.world.tolist()
        self.posted = [0] * len(self.currency)
        self.pending = [0] * len(self.currency)
        self._queues: dict[int, OrderedDict[int, int]] = {}
        self._touched: set[int] = set()

    def available(self, account: int) -> int:
        """Return what may still be reserved or debited."""
        return self.posted[account] - self.pending[account] + self._overdraft[account]

    def deposit(self, debit: int, credit: int, amount: int) -> None:
        """Move money from the world."""
        world = self._world[self.currency[credit]]
        self._findings.check(
            "opening", debit == world, "a deposit comes from account {}, not the world", debit
        )
        self.transfer(debit, credit, amount)

    def transfer(self, debit: int, credit: int, amount: int) -> None:
        """Move money at once."""
        self._one_currency(debit, credit, amount)
        self.posted[debit] -= amount
        self.posted[credit] += amount
        self._touched.add(credit)
        self._within_overdraft(debit)

    def reserve(self, debit: int, credit: int, amount: int) -> None:
        """Hold money back."""
        self._one_currency(debit, credit, amount)
        self.pending[debit] += amount
        self._within_overdraft(debit)

    def post(self, debit: int, credit: int, amount: int) -> None:
        """Make a reservation final."""
        self.pending[debit] -= amount
        self.transfer(debit, credit, amount)

    def void(self, debit: int, amount: int) -> None:
        """Remove a reservation."""
        self.pending[debit] -= amount
        self._touched.add(debit)

    def wait(self, account: int, payment: int, amount: int) -> None:
        """Let a payment wait for liquidity."""
        queue = self._queues.setdefault(account, OrderedDict())
        self._findings.check(
            "liquidity",
            bool(queue) or self.available(account) < amount,
            "payment {} waits for {} of account {}, which has it",
            payment,
            amount,
            account,
        )
        queue[payment] = amount

    def has_queue(self, account: int) -> bool:
        """Say whether a payment waits for an account."""
        return bool(self._queues.get(account))

    def release(self, account: int, payment: int) -> None:
        """Let a waiting payment have its money: only the head of the queue may."""
        queue = self._queues.setdefault(account, OrderedDict())
        head = next(iter(queue), -1)
        self._findings.check(
            "liquidity_order",
            head == payment,
            "payment {} is given the liquidity of account {} before payment {}",
            payment,
            account,
            head,
        )
        queue.pop(payment, None)
        self._touched.add(account)

    def leave(self, account: int, payment: int) -> None:
        """Take a payment out of the queue."""
        self._queues.setdefault(account, OrderedDict()).pop(payment, None)
        self._touched.add(account)

    def end_event(self) -> None:
        """Check that no payment waits for money that is there."""
        for account in self._touched:
            queue = self._queues.get(account)
            if queue:
                payment, amount = next(iter(queue.items()))
                self._findings.check(
                    "liquidity",
                    self.available(account) < amount,
                    "payment {} still waits for {} of account {}, which has it",
                    payment,
                    amount,
                    account,
                )
        self._touched.clear()

    def finish_run(self) -> None:
        """Check that every currency sums to zero."""
        sums: dict[int, int] = {}
        for account, currency in enumerate(self.currency):
            sums[currency] = sums.get(currency, 0) + self.posted[account]
        for currency, total in sums.items():
            self._findings.check(
                "conservation", total == 0, "currency {} sums to {}", currency, total
            )

    def _one_currency(self, debit: int, credit: int, amount: int) -> None:
        same = self.currency[debit] == self.currency[credit]
        self._findings.check(
            "conservation",
            same and amount > 0,
            "{} moves from account {} to account {}: not one currency, or no amount",
            amount,
            debit,
            credit,
        )

    def _within_overdraft(self, account: int) -> None:
        if self._overdraft[account] < UNLIMITED:
            self._findings.check(
                "overdraft",
                self.available(account) >= 0,
                "account {} is {} beyond its limit",
                account,
                -self.available(account),
            )
