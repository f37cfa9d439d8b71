"""Rebuild every account from the log: posted, pending, and who waits for liquidity.

Takes movements in order; reports what double entry, an overdraft limit or an orderly queue does not
allow. Accounts start at zero: whatever they hold came through a row.
"""

from __future__ import annotations

from sim.audit.containers import append, check, number_of, unlink
from sim.audit.guards import note_levels
from sim.audit.messages import Check
from sim.audit.state import NOBODY, AccountState, Count, Pay, SystemState, Things
from sim.audit.world import World
from sim.contract.layout import BALANCE_MAX, UNLIMITED, AccountColumn
from sim.contract.meaning import LogKind
from sim.jit.functions import called


@called
# The audit's own words for what the specification calls Money. Nothing here is imported from an
# engine, and the state is rebuilt from rows alone.
def available(w: World, account: int) -> int:
    """Return what may still be reserved or debited."""
    row = w.first[Things.ACCOUNT] + account
    held = w.things[row, AccountState.POSTED] - w.things[row, AccountState.PENDING]
    return int(held + w.things[row, AccountColumn.OVERDRAFT])


@called
def account_line(w: World, account: int) -> int:
    """Return the line of those who wait for an account."""
    # Lines of stations, of ledgers and of their blocks come first (``world.open_world``).
    others = w.size[Things.STATION] * w.g[Count.PRIORITIES] + 2 * w.size[Things.LEDGER]
    return int(others + account)


@called
def has_queue(w: World, account: int) -> bool:
    """Say whether a payment waits for an account."""
    return bool(w.line[account_line(w, account), 0] != NOBODY)


@called
def touch(w: World, row: int, column: int) -> None:
    """Note that the state in a row of things changed in the event at hand."""
    # Once per event, however often it changes: the list cannot outgrow its array.
    if w.things[row, column] == 0:
        w.things[row, column] = 1
        w.touched[w.g[Count.TOUCHED]] = row
        w.g[Count.TOUCHED] += 1


@called
def touch_account(w: World, account: int) -> None:
    """Note that money came free on an account: the next row may set payments free."""
    row = w.first[Things.ACCOUNT] + account
    touch(w, row, AccountState.TOUCHED)
    if w.things[row, AccountState.SYSTEM] != NOBODY:
        system = w.first[Things.SYSTEM] + w.things[row, AccountState.SYSTEM]
        w.things[system, SystemState.TOUCHED] = 1
    # The specification lets those set free follow at once, so the very next row is looked at.
    w.g[Count.REFILLED] = account


@called
def move(w: World, debit: int, credit: int, amount: int) -> None:
    """Move money at once."""
    _one_currency(w, debit, credit, amount)
    first = w.first[Things.ACCOUNT]
    w.things[first + debit, AccountState.POSTED] -= amount
    w.things[first + credit, AccountState.POSTED] += amount
    # Only a credit or a void can set payments free; a debit cannot.
    touch_account(w, credit)
    note_levels(w, debit, credit)
    # A set that settles at one stroke is judged when all of it has.
    if w.g[Count.SET_SYSTEM] == NOBODY:
        _within_overdraft(w, debit)
    _within_bound(w, debit, w.things[first + debit, AccountState.POSTED])
    _within_bound(w, credit, w.things[first + credit, AccountState.POSTED])


@called
def hold_back(w: World, debit: int, credit: int, amount: int) -> None:
    """Hold money back."""
    _one_currency(w, debit, credit, amount)
    row = w.first[Things.ACCOUNT] + debit
    w.things[row, AccountState.PENDING] += amount
    note_levels(w, debit, NOBODY)
    _within_overdraft(w, debit)
    _within_bound(w, debit, w.things[row, AccountState.PENDING])


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
    note_levels(w, debit, NOBODY)


@called
def wait_for(w: World, account: int, p: int, amount: int) -> None:
    """Let a payment wait for liquidity."""
    # Waiting is right behind others too, whatever the account holds: there is no overtaking.
    short = has_queue(w, account) or available(w, account) < amount
    check(w.g, Check.SHORT_OF_NOTHING, short, (w.pay[p, Pay.NUMBER], amount, account))
    append(w, account_line(w, account), p)


@called
def release(w: World, account: int, p: int) -> None:
    """Let a waiting payment have its money: only the head of the queue may, and at once."""
    line = account_line(w, account)
    head, number = w.line[line, 0], w.pay[p, Pay.NUMBER]
    # Both hold of every RESERVE row set free: it is the head's turn, and money has just come.
    check(w.g, Check.OVERTAKES, head == p, (number, account, number_of(w, head)))
    check(w.g, Check.FREED_WITHOUT, w.g[Count.REFILLED] == account, (number, account))
    # A wrong row must not corrupt what later rows are judged by.
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
    # Either nobody waits, or the head asks for more than there is, or its row is due now.
    refilled = w.g[Count.REFILLED]
    head = w.line[account_line(w, refilled), 0]
    if head == NOBODY or available(w, refilled) < w.pay[head, Pay.WAIT_AMOUNT]:
        w.g[Count.REFILLED] = NOBODY
        return
    number = w.pay[head, Pay.NUMBER]
    # While the head can be served the account stays refilled, so the next row is checked again.
    is_next = kind == LogKind.RESERVE and payment == number and account == refilled
    if not check(w.g, Check.FREED_LATE, is_next, (number, refilled)):
        w.g[Count.REFILLED] = NOBODY


@called
def look_after(w: World, row: int) -> None:
    """Check at the end of an event that no payment waits for money that is there."""
    w.things[row, AccountState.TOUCHED] = 0
    account = row - w.first[Things.ACCOUNT]
    # Once per event: in between, money may be there whose row is still to come.
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
        # Quadratic in accounts, and run once: no memory is needed for a sum by currency.
        for other in range(first, first + count):
            if w.things[other, AccountColumn.CURRENCY] == currency:
                # Each currency is reported by its first account only.
                is_first = is_first and other >= row
                total += w.things[other, AccountState.POSTED]
        if is_first:
            check(w.g, Check.SUM, total == 0, (currency, total))


@called
def _one_currency(w: World, debit: int, credit: int, amount: int) -> None:
    first = w.first[Things.ACCOUNT]
    currency = w.things[first + debit, AccountColumn.CURRENCY]
    # A row of amount 0 is a finding, too: such transfers leave no trace.
    same = currency == w.things[first + credit, AccountColumn.CURRENCY]
    check(w.g, Check.ONE_CURRENCY, same and amount > 0, (amount, debit, credit))


@called
def _within_overdraft(w: World, account: int) -> None:
    row = w.first[Things.ACCOUNT] + account
    # Accounts without limit (the world, customers, own books) may go as far below zero as they
    # like.
    if w.things[row, AccountColumn.OVERDRAFT] < UNLIMITED:
        left = available(w, account)
        check(w.g, Check.OVERDRAFT, left >= 0, (account, -left))


@called
def _within_bound(w: World, account: int, level: int) -> None:
    # A sum that wrapped is found here, too: it was beyond the bound the row before.
    within = -BALANCE_MAX < level < BALANCE_MAX
    check(w.g, Check.BALANCE_BOUND, within, (account, level))
