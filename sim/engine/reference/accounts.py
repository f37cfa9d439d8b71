"""Money of the reference engine: RESERVE, POST, VOID, CHARGE and deposits.

Takes the run and a payment at such a stage; gives the next stage or STOP. See "Money" in
:mod:`sim.contract.meaning`: every movement goes through :func:`_move`, so each currency always sums
to zero.
"""

from __future__ import annotations

from sim.contract.layout import FEES_MAX, NULL, FeeColumn, PricingColumn
from sim.contract.meaning import Bearer, Cause, Flag, LogKind
from sim.contract.records import Register
from sim.engine.reference.prices import give_back_limits
from sim.engine.reference.run import STOP, Run
from sim.engine.reference.state import Payment, Stage, Transfer, Wait


def reserve(run: Run, payment: Payment, stage: Stage) -> int:
    """Reserve a transfer, wait for liquidity, or fail."""
    transfer = run.transfer_of(payment, stage.first)
    if transfer.amount == 0:
        return payment.at + 1
    account = run.accounts[transfer.debit]
    if not len(account.queue) and account.available >= transfer.amount:
        _hold(run, payment, stage.first, transfer)
        return payment.at + 1
    is_counted = run.now_us >= account.warm_up_us
    if not stage.flags & Flag.QUEUE:
        account.lost += is_counted
        return run.fail(payment, stage, stage.reason)
    account.delayed += is_counted
    run.log(LogKind.SHORT, payment, transfer.debit, transfer.amount)
    account.queue.join(payment, run.now_us)
    payment.wait = Wait.LIQUIDITY
    payment.wait_subject = transfer.debit
    payment.wanted = transfer
    return STOP


def post(run: Run, payment: Payment, stage: Stage) -> int:
    """Make the stage's transfers final."""
    post_rows(run, payment, stage)
    return payment.at + 1


def post_rows(run: Run, payment: Payment, stage: Stage) -> None:
    """Post the transfer rows of a POST or BATCH stage, then note what its flags say."""
    for row in range(stage.first, stage.first + stage.count):
        reserved = payment.reservations.pop(row, None)
        if reserved is not None:
            _release(run, payment, reserved)
            _move(run, payment, reserved, LogKind.POST)
        else:
            _move(run, payment, run.transfer_of(payment, row), LogKind.TRANSFER)
    if stage.flags & Flag.SETTLES and payment.settled_us == NULL:
        payment.settled_us = run.now_us
    if stage.flags & Flag.CREDITS and payment.credited_us == NULL:
        payment.credited_us = run.now_us


def void(run: Run, payment: Payment, stage: Stage) -> int:
    """Undo every open reservation, then give back every used limit."""
    for row in sorted(payment.reservations):
        reserved = payment.reservations.pop(row)
        _release(run, payment, reserved)
        run.log(LogKind.VOID, payment, reserved.debit, reserved.amount, value=reserved.credit)
        free_waiting(run, reserved.debit)
    give_back_limits(run, payment)
    return payment.at + 1


def charge(run: Run, payment: Payment, stage: Stage) -> int:
    """Charge one fee."""
    fee = run.fees[stage.subject]
    if payment.pricing < 0:
        run.broken("a fee is charged before any price is made", payment.number)
    slot = stage.subject - run.pricings[payment.pricing][PricingColumn.FEE_FIRST]
    if not 0 <= slot < FEES_MAX:
        run.broken(f"fee {stage.subject} is not part of the price", payment.number)
    amount = run.register(payment, Register.FEE_0 + slot)
    if amount:
        debit = run.account_of(payment, fee[FeeColumn.DEBIT])
        credit = run.account_of(payment, fee[FeeColumn.CREDIT])
        _move(run, payment, Transfer(debit, credit, amount), LogKind.TRANSFER)
        run.log(LogKind.FEE, payment, stage.subject, amount)
        payment.charged[slot] = payment.charged.get(slot, 0) + amount
        if fee[FeeColumn.BEARER] == Bearer.DEBTOR:
            payment.payer_fee += amount
        else:
            payment.merchant_fee += amount
    return payment.at + 1


def deposit(run: Run, account: int, amount: int) -> None:
    """Move money from the world to an account."""
    world = int(run.plan.world[run.accounts[account].currency])
    if world < 0:
        run.broken(f"account {account} has no world to take a deposit from")
    _move(run, None, Transfer(world, account, amount), LogKind.DEPOSIT)


def leave_account(run: Run, payment: Payment) -> int:
    """Take a payment whose time is up out of an account's queue; return the account."""
    run.accounts[payment.wait_subject].queue.leave(payment, run.now_us)
    payment.wanted = None
    return payment.wait_subject


def free_waiting(run: Run, number: int) -> None:
    """Reserve for those at the head of an account's queue while the money lasts."""
    account = run.accounts[number]
    while len(account.queue):
        payment = account.queue.head()
        wanted = payment.wanted
        if wanted is None:
            run.broken(f"a payment waits for account {number} for nothing", payment.number)
        if account.available < wanted.amount:
            break
        account.queue.leave(payment, run.now_us)
        payment.wanted = None
        _hold(run, payment, run.stages[payment.at].first, wanted)
        payment.account_time(Cause.LIQUIDITY, run.now_us)
        payment.stop_waiting()
        run.ready.append(payment)


def _hold(run: Run, payment: Payment, row: int, transfer: Transfer) -> None:
    if row in payment.reservations:
        run.broken(f"transfer {row} is reserved twice", payment.number)
    payment.reservations[row] = transfer
    run.accounts[transfer.debit].pending += transfer.amount
    run.log(LogKind.RESERVE, payment, transfer.debit, transfer.amount, value=transfer.credit)


def _release(run: Run, payment: Payment, transfer: Transfer) -> None:
    account = run.accounts[transfer.debit]
    account.pending -= transfer.amount
    if account.pending < 0:
        run.broken(f"account {transfer.debit} has negative pending debits", payment.number)


def _move(run: Run, payment: Payment | None, transfer: Transfer, kind: LogKind) -> None:
    """Post a transfer on both accounts and let those waiting for the credited one go on."""
    if transfer.amount == 0:
        return
    debit, credit = run.accounts[transfer.debit], run.accounts[transfer.credit]
    if debit.currency != credit.currency:
        number = -1 if payment is None else payment.number
        run.broken(f"{transfer} leaves its currency", number)
    debit.move(run.now_us, -transfer.amount)
    credit.move(run.now_us, +transfer.amount)
    run.log(kind, payment, transfer.debit, transfer.amount, value=transfer.credit)
    free_waiting(run, transfer.credit)
