"""Rebuild every account from the log: posted, pending, and who waits for liquidity.

Takes movements in order; reports what double entry, an overdraft limit or an orderly queue does not
allow. Accounts start at zero: whatever they hold came through a row.
"""

from __future__ import annotations

from sim.audit.containers import append, check, number_of, unlink
from sim.audit.messages import Check
from sim.audit.state import AccountState, Count, Pay, Things
from sim.audit.world import NOBODY, World
from sim.contract.layout import UNLIMITED, AccountColumn
from sim.contract.meaning import LogKind
from sim.jit.functions import called


@called
def available(w: World, account: int) -> int:
    """Return what may still be reserved or debited."""
    row = w.first[Things.ACCOUNT] + account
    held = w.things[row, AccountState.POSTED] - w.things[row, AccountState.PENDING]
    return int(held + w.things[row, AccountColumn.OVERDRAFT])


@called
def account_line(w: World, account: int) -> int:
    """Return the line of those who wait for an account."""
    others = w.size[Things.STATION] * w.g[Count.PRIORITIES] + 2 * w.size[Things.LEDGER]
    return int(others + account)


@called
def has_queue(w: World, account: int) -> bool:
    """Say whether a payment waits for an account."""
    return bool(w.line[account_line(w, account), 0] != NOBODY)


@called
def touch(w: World, row: int, column: int) -> None:
    """Note that the state in a row of things changed in the event at hand."""
    if w.things[row, column] == 0:
        w.things[row, column] = 1
        w.touched[w.g[Count.TOUCHED]] = row
        w.g[Count.TOUCHED] += 1


@called
def touch_account(w: World, account: int) -> None:
    """Note that money came free on an account: the next row may set payments free."""
    touch(w, w.first[Things.ACCOUNT] + account, AccountState.TOUCHED)
    w.g[Count.REFILLED] = account


@called
def move(w: World, debit: int, credit: int, amount: int) -> None:
    """Move money at once."""
    _one_currency(w, debit, credit, amount)
    first = w.first[Things.ACCOUNT]
    w.things[first + debit, AccountState.POSTED] -= amount
    w.things[first + credit, AccountState.POSTED] += amount
    touch_account(w, credit)
    _within_overdraft(w, debit)


@called
def hold_back(w: World, debit: int, credit: int, amount: int) -> None:
    """Hold money back."""
    _one_currency(w, debit, credit, amount)
    w.things[w.first[Things.ACCOUNT] + debit, AccountState.PENDING] += amount
    _within_overdraft(w, debit)


@called
def post(w: World, debit: int, credit: int, amount: int) -> None:
    """Make a reservation final."""
    w.things[w.first[Things.ACCOUNT] + debit, AccountState.PENDING] -= amount
    move(w, debit, credit, amount)


@called
def void(w: World, debit: int, amount: int) -> None:
    """Remove a reservation."""
    w.things[w.first[Things.ACCOUNT] + debit, AccountState.PENDING] -= amount
    touch_account(w, debit)


@called
def wait_for(w: World, account: int, p: int, amount: int) -> None:
    """Let a payment wait for liquidity."""
    short = has_queue(w, account) or available(w, account) < amount
    check(w.g, Check.SHORT_OF_NOTHING, short, (w.pay[p, Pay.NUMBER], amount, account))
    append(w, account_line(w, account), p)


@called
def release(w: World, account: int, p: int) -> None:
    """Let a waiting payment have its money: only the head of the queue may, and at once."""
    line = account_line(w, account)
    head, number = w.line[line, 0], w.pay[p, Pay.NUMBER]
    check(w.g, Check.OVERTAKES, head == p, (number, account, number_of(w, head)))
    check(w.g, Check.FREED_WITHOUT, w.g[Count.REFILLED] == account, (number, account))
    if w.pay[p, Pay.LINE] == line:
        unlink(w, p)
    touch(w, w.first[Things.ACCOUNT] + account, AccountState.TOUCHED)


@called
def leave_account(w: World, account: int, p: int) -> None:
    """Take a payment out of the queue."""
    if w.pay[p, Pay.LINE] == account_line(w, account):
        unlink(w, p)
    touch(w, w.first[Things.ACCOUNT] + account, AccountState.TOUCHED)


@called
def expect_freed(w: World, kind: int, payment: int, account: int) -> None:
    """Check that whoever a credit sets free is set free by the very next row."""
    refilled = w.g[Count.REFILLED]
    head = w.line[account_line(w, refilled), 0]
    if head == NOBODY or available(w, refilled) < w.pay[head, Pay.WAIT_AMOUNT]:
        w.g[Count.REFILLED] = NOBODY
        return
    number = w.pay[head, Pay.NUMBER]
    is_next = kind == LogKind.RESERVE and payment == number and account == refilled
    if not check(w.g, Check.FREED_LATE, is_next, (number, refilled)):
        w.g[Count.REFILLED] = NOBODY


@called
def look_after(w: World, row: int) -> None:
    """Check at the end of an event that no payment waits for money that is there."""
    w.things[row, AccountState.TOUCHED] = 0
    account = row - w.first[Things.ACCOUNT]
    head = w.line[account_line(w, account), 0]
    if head != NOBODY:
        amount = w.pay[head, Pay.WAIT_AMOUNT]
        short = available(w, account) < amount
        check(w.g, Check.STILL_WAITS, short, (w.pay[head, Pay.NUMBER], amount, account))


@called
def sum_currencies(w: World) -> None:
    """Check that every currency sums to zero."""
    first, count = w.first[Things.ACCOUNT], w.size[Things.ACCOUNT]
    for row in range(first, first + count):
        currency, total, is_first = w.things[row, AccountColumn.CURRENCY], 0, True
        for other in range(first, first + count):
            if w.things[other, AccountColumn.CURRENCY] == currency:
                is_first = is_first and other >= row
                total += w.things[other, AccountState.POSTED]
        if is_first:
            check(w.g, Check.SUM, total == 0, (currency, total))


@called
def _one_currency(w: World, debit: int, credit: int, amount: int) -> None:
    first = w.first[Things.ACCOUNT]
    currency = w.things[first + debit, AccountColumn.CURRENCY]
    same = currency == w.things[first + credit, AccountColumn.CURRENCY]
    check(w.g, Check.ONE_CURRENCY, same and amount > 0, (amount, debit, credit))


@called
def _within_overdraft(w: World, account: int) -> None:
    row = w.first[Things.ACCOUNT] + account
    if w.things[row, AccountColumn.OVERDRAFT] < UNLIMITED:
        left = available(w, account)
        check(w.g, Check.OVERDRAFT, left >= 0, (account, -left))
