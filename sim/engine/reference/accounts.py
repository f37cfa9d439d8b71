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
    # An amount of 0 leaves no trace, not even a place in the queue.
    if transfer.amount == 0:
        return payment.at + 1
    account = run.accounts[transfer.debit]
    # No overtaking: a small amount waits behind a large one.
    if not len(account.queue) and account.available >= transfer.amount:
        _hold(run, payment, stage.first, transfer)
        # Had all been granted that was refused, this one might have lacked it.
        if account.shortage.refused:
            account.shortage.look(account.available)
        return payment.at + 1
    is_counted = run.now_us >= account.warm_up_us
    if not stage.flags & Flag.QUEUE:
        # SHORT is not logged for a refusal, so this counter is all that tells.
        account.lost += is_counted
        account.shortage.refuse(run.now_us, transfer.amount)
        account.shortage.note(run.now_us, account.available)
        return run.fail(payment, stage, stage.reason)
    account.delayed += is_counted
    run.log(LogKind.SHORT, payment, transfer.debit, transfer.amount)
    account.queue.join(payment, run.now_us)
    account.shortage.waiting += transfer.amount
    account.shortage.note(run.now_us, account.available)
    payment.wait = Wait.LIQUIDITY
    payment.wait_subject = transfer.debit
    # With accounts resolved now: by the time the money comes they are what was asked for.
    payment.wanted = transfer
    return STOP


def post(run: Run, payment: Payment, stage: Stage) -> int:
    """Make the stage's transfers final."""
    post_rows(run, payment, stage)
    return payment.at + 1


def post_rows(run: Run, payment: Payment, stage: Stage) -> None:
    """Post the transfer rows of a POST or BATCH stage, then note what its flags say."""
    for row in range(stage.first, stage.first + stage.count):
        # Whether a row was reserved is the payment's to know. The same program posts it either
        # way.
        reserved = payment.reservations.pop(row, None)
        if reserved is not None:
            _release(run, payment, reserved)
            _move(run, payment, reserved, LogKind.POST)
        else:
            _move(run, payment, run.transfer_of(payment, row), LogKind.TRANSFER)
    note_flags(run, payment, stage.flags)


def note_flags(run: Run, payment: Payment, flags: int) -> None:
    """Note what the flags of a stage that has posted say."""
    if flags & Flag.SETTLES and payment.settled_us == NULL:
        payment.settled_us = run.now_us
    if flags & Flag.CREDITS and payment.credited_us == NULL:
        payment.credited_us = run.now_us
    if flags & Flag.CONFIRMS:
        payment.standing = max(payment.standing, 1)
    if flags & Flag.AUTHORISES:
        payment.standing = 2


def void(run: Run, payment: Payment, stage: Stage) -> int:
    """Undo every open reservation, then give back every used limit."""
    # What the far side may still be paid with is not free.
    if payment.in_doubt_since_us != NULL:
        run.broken("is undone in doubt", payment.number)
    # Ascending, so that both engines free accounts in the same order.
    for row in sorted(payment.reservations):
        reserved = payment.reservations.pop(row)
        _release(run, payment, reserved)
        run.log(LogKind.VOID, payment, reserved.debit, reserved.amount, value=reserved.credit)
        _look_at(run, reserved.debit)
        # At once and not after the loop: rows of those set free follow the VOID row that freed
        # them.
        free_waiting(run, reserved.debit)
    # After the money, as the specification orders it.
    give_back_limits(run, payment)
    return payment.at + 1


def charge(run: Run, payment: Payment, stage: Stage) -> int:
    """Charge one fee."""
    fee = run.fees[stage.subject]
    if payment.pricing < 0:
        run.broken("a fee is charged before any price is made", payment.number)
    # Fees are numbered through the plan; a price's slots begin at its first.
    slot = stage.subject - run.pricings[payment.pricing][PricingColumn.FEE_FIRST]
    if not 0 <= slot < FEES_MAX:
        run.broken(f"fee {stage.subject} is not part of the price", payment.number)
    amount = run.register(payment, Register.FEE_0 + slot)
    if amount:
        debit = run.account_of(payment, fee[FeeColumn.DEBIT])
        credit = run.account_of(payment, fee[FeeColumn.CREDIT])
        _move(run, payment, Transfer(debit, credit, amount), LogKind.TRANSFER)
        run.log(LogKind.FEE, payment, stage.subject, amount)
        # A fee charged on two routes counts twice: nothing is reset by a fail-over.
        payment.charged[slot] = payment.charged.get(slot, 0) + amount
        if fee[FeeColumn.BEARER] == Bearer.DEBTOR:
            payment.payer_fee += amount
        elif fee[FeeColumn.BEARER] == Bearer.CREDITOR:
            payment.merchant_fee += amount
    return payment.at + 1


def deposit(run: Run, account: int, amount: int) -> None:
    """Move money from the world to an account."""
    world = int(run.plan.world[run.accounts[account].currency])
    if world < 0:
        run.broken(f"account {account} has no world to take a deposit from")
    _move(run, None, Transfer(world, account, amount), LogKind.DEPOSIT)
    # An account on which nothing is put is looked at all the same.
    if amount == 0:
        _look_at(run, account)


def move_money(run: Run, debit: int, credit: int, amount: int) -> None:
    """Move money that no payment moves: a clearing file's, or a top-up's."""
    _move(run, None, Transfer(debit, credit, amount), LogKind.MOVED)


def move_back(run: Run, payment: Payment, transfer: Transfer) -> None:
    """Move money of a refund."""
    _move(run, payment, transfer, LogKind.MOVED)


def leave_account(run: Run, payment: Payment) -> int:
    """Take a payment whose time is up out of an account's queue; return the account."""
    account = run.accounts[payment.wait_subject]
    account.queue.leave(payment, run.now_us)
    assert payment.wanted is not None
    account.shortage.waiting -= payment.wanted.amount
    account.shortage.refuse(run.now_us, payment.wanted.amount)
    payment.wanted = None
    return payment.wait_subject


def free_waiting(run: Run, number: int) -> None:
    """Reserve for those at the head of an account's queue while the money lasts."""
    account = run.accounts[number]
    # Strictly from the head, until the first who cannot have what it asks for.
    while len(account.queue):
        payment = account.queue.head()
        wanted = payment.wanted
        if wanted is None:
            run.broken(f"a payment waits for account {number} for nothing", payment.number)
        if account.available < wanted.amount:
            break
        account.queue.leave(payment, run.now_us)
        account.shortage.waiting -= wanted.amount
        payment.wanted = None
        _hold(run, payment, run.stages[payment.at].first, wanted)
        # The wait is over with the reservation, though the payment acts only when its turn in
        # the ready list comes.
        payment.account_time(Cause.LIQUIDITY, run.now_us)
        payment.stop_waiting()
        # Not advanced here: it would act inside another payment's stage, and the order of rows
        # would depend on how an engine is built.
        run.ready.append(payment)


def _look_at(run: Run, number: int) -> None:
    """Look at the level of an account that has changed."""
    account = run.accounts[number]
    level = account.posted - account.pending
    for kind, is_low in account.guard.look(run.now_us, level):
        run.log(kind, None, number, level, value=is_low)


def _hold(run: Run, payment: Payment, row: int, transfer: Transfer) -> None:
    # Two reservations of one row would be one entry here, and the first amount pending for
    # good.
    if row in payment.reservations:
        run.broken(f"transfer {row} is reserved twice", payment.number)
    payment.reservations[row] = transfer
    run.accounts[transfer.debit].hold(transfer.amount)
    run.log(LogKind.RESERVE, payment, transfer.debit, transfer.amount, value=transfer.credit)
    _look_at(run, transfer.debit)


def _release(run: Run, payment: Payment, transfer: Transfer) -> None:
    account = run.accounts[transfer.debit]
    account.pending -= transfer.amount
    # Given back more than was taken, or on another account.
    if account.pending < 0:
        run.broken(f"account {transfer.debit} has negative pending debits", payment.number)


def _move(run: Run, payment: Payment | None, transfer: Transfer, kind: LogKind) -> None:
    """Post a transfer on both accounts and let those waiting for the credited one go on."""
    # Before anything is resolved into a row: transfers of 0 leave none.
    if transfer.amount == 0:
        return
    debit, credit = run.accounts[transfer.debit], run.accounts[transfer.credit]
    # A currency that leaks into another is the one mistake no balance shows.
    if debit.currency != credit.currency:
        number = -1 if payment is None else payment.number
        run.broken(f"{transfer} leaves its currency", number)
    debit.move(run.now_us, -transfer.amount)
    credit.move(run.now_us, +transfer.amount)
    run.log(kind, payment, transfer.debit, transfer.amount, value=transfer.credit)
    _look_at(run, transfer.debit)
    _look_at(run, transfer.credit)
    free_waiting(run, transfer.credit)
    run.systems.mark(transfer.credit)
