"""Follow stage programs: what a stage must write next, when it passes silently, where it leads.

Takes a rebuilt payment; says which row is due of it and moves it along. Draws, and what is only in
the workload (agents, payers, codes) is not in the log; there the audit accepts what is possible.
"""

from __future__ import annotations

from sim.audit.containers import held_of, slot_of
from sim.audit.habits import may_differ, may_miss
from sim.audit.pools import Held, ShopState
from sim.audit.prices import fee_slot
from sim.audit.state import (
    AUTHORISES,
    CONFIRMS,
    CREDITS,
    NEXT,
    NOBODY,
    SETTLES,
    Count,
    Pay,
    Things,
    Wait,
)
from sim.audit.world import World
from sim.contract.layout import (
    LIMITS_MAX,
    NULL,
    FeeColumn,
    LimitColumn,
    StreamColumn,
    TransferColumn,
)
from sim.contract.layout import StageColumn as S
from sim.contract.meaning import RETRY_REASONS, LogKind, Op
from sim.contract.records import Register
from sim.contract.shops import OrderStatus, ShopColumn
from sim.jit.functions import called
from sim.units import DAY_US

_RETRY_MASK = sum(1 << int(reason) for reason in RETRY_REASONS)
ALL_DONE = 1 << 40
"""A cursor beyond every row a stage writes."""


@called
def today(w: World, limit: int) -> int:
    """Return the period of a limit the event at hand lies in."""
    day = (w.g[Count.NOW] + w.g[Count.DAY_OFFSET_US]) // DAY_US
    row = w.first[Things.LIMIT] + limit
    return int((day + w.things[row, LimitColumn.SHIFT]) // w.things[row, LimitColumn.DAYS])


@called
def jump(w: World, p: int, stage: int) -> None:
    """Take a payment to a stage."""
    w.pay[p, Pay.PC] = stage
    w.pay[p, Pay.HAS_BEGUN] = 0
    w.pay[p, Pay.CURSOR] = 0


@called
def begin_stage(w: World, p: int) -> None:
    """Count from here on the rows the stage at hand must write."""
    w.pay[p, Pay.HAS_BEGUN] = 1
    w.pay[p, Pay.CURSOR] = 0


@called
def passes(w: World, p: int) -> bool:
    """Let a payment pass the stage it is at without a row, if it may; say whether it may."""
    stage = w.pay[p, Pay.PC]
    op, value = w.things[stage, S.OP], w.things[stage, S.VALUE]
    # What passes without a row is exactly what the specification lets pass without one.
    if op == Op.RESERVE:
        return amount_of(w, p, w.things[stage, S.FIRST]) == 0
    if op in (Op.POST, Op.VOID, Op.CHARGE):
        if w.pay[p, Pay.HAS_BEGUN] == 0:
            begin_stage(w, p)
        return not has_due(w, p)
    # Still valid; a lapsed quote writes LAPSE.
    if op == Op.CONVERT:
        expiry_us = w.pay[p, Pay.EXPIRY_US]
        return bool(expiry_us != NULL and w.g[Count.NOW] <= expiry_us)
    if op == Op.LIMIT:
        row = w.first[Things.LIMIT] + w.things[stage, S.SUBJECT]
        most = w.things[row, LimitColumn.PER_PAYMENT]
        amount = w.pay[p, Pay.REGISTER_0 + w.things[row, LimitColumn.REGISTER]]
        fits = amount >= w.things[row, LimitColumn.LEAST] and (most < 0 or amount <= most)
        # Without a daily bound nothing is stored, hence nothing logged.
        return bool(w.things[row, LimitColumn.PER_DAY] < 0 and fits)
    if op == Op.DECIDE:
        # No hit leaves no row; a branch that is always taken cannot be passed.
        return may_miss(w, p, stage)
    if op == Op.ON_US:
        return may_differ(w, p)
    # Without a second instrument or without luck, neither of which is in the log; a payer who has
    # changed once has no second one.
    if op == Op.SWITCH:
        return True
    if op == Op.DEADLINE:
        # Disarming leaves no row.
        if value == 0:
            w.pay[p, Pay.DEADLINE_US] = -1
        # Leading it elsewhere leaves none either.
        if value < 0:
            w.pay[p, Pay.DEADLINE_STAGE] = stage
        return bool(value <= 0)
    if op == Op.PATIENCE:
        if value > 0 and begins_to_wait(w, p):
            return False
        if value == 0:
            w.pay[p, Pay.PATIENCE_US] = -1
        else:
            w.pay[p, Pay.PATIENCE_STAGE] = stage
        return True
    # Without a doubt there is neither anything to wait for nor to know; with its answer here
    # nobody waits either.
    if op == Op.AWAIT:
        heard = w.pay[p, Pay.UNANSWERED] < 0 and w.things[stage, S.SUBJECT] < 0
        return bool(w.pay[p, Pay.DOUBT_SINCE_US] == NULL or heard)
    if op == Op.RESOLVE:
        return bool(w.pay[p, Pay.DOUBT_SINCE_US] == NULL)
    # A fail-over without another route passes on, a first choice never does.
    if op == Op.ROUTE:
        return bool((w.things[stage, S.FLAGS] & NEXT) != 0)
    if op == Op.RETRY:
        return not may_try_again(w, p, stage)
    if op in (Op.ASK, Op.POLL):
        # Of a poll the row by which the next began is behind it by then.
        has_begun = op == Op.POLL and w.pay[p, Pay.HAS_BEGUN] == 1
        begins_none = _begins_none(w, p, stage) or (has_begun and chain_goes_on(w, p))
        return begins_none and (op == Op.ASK or token_allows(w, w.things[stage, S.FIRST]))
    # An order's code is whole, and good as long as the order.
    is_good = w.pay[p, Pay.ORDER] == OrderStatus.NONE or w.g[Count.NOW] <= w.pay[p, Pay.ORDER_US]
    return bool(op == Op.CODE and is_good)


@called
def begins_to_wait(w: World, p: int) -> bool:
    """Say whether the payer begins to wait at a stage where one may."""
    stream = w.first[Things.STREAM] + w.pay[p, Pay.STREAM]
    has_patience = w.things[stream, StreamColumn.PATIENCE] >= 0
    return bool(has_patience and w.pay[p, Pay.PATIENCE_US] < 0)


@called
def may_try_again(w: World, p: int, stage: int) -> bool:
    """Say whether a payment at a RETRY stage tries again."""
    column = Pay.RESENT if (w.things[stage, S.FLAGS] & NEXT) != 0 else Pay.RETRIES
    can_help = (_RETRY_MASK >> w.pay[p, Pay.REASON]) & 1 != 0
    return bool(can_help and w.pay[p, column] < w.things[stage, S.VALUE])


@called
def chain_goes_on(w: World, own: int) -> bool:
    """Say whether an inquiry still has something to ask about."""
    if w.pay[own, Pay.TOLD] != NULL:
        return False
    p = slot_of(w, w.pay[own, Pay.ASKS])
    if p != NOBODY and w.pay[own, Pay.OF_ORDER] == 1:
        return bool(w.pay[p, Pay.ORDER] == OrderStatus.OPEN)
    if p == NOBODY or w.pay[p, Pay.ATTEMPTS] != w.pay[own, Pay.BEGUN]:
        return False
    return bool(w.pay[own, Pay.PLACE] > 0 or w.pay[p, Pay.WAIT] == Wait.ANSWER)


@called
def _begins_none(w: World, own: int, stage: int) -> bool:
    """Say whether an inquiry asks and is the last of its chain."""
    is_last = abs(w.pay[own, Pay.PLACE]) >= w.things[stage, S.VALUE]
    return chain_goes_on(w, own) and bool(is_last or w.things[stage, S.SUBJECT] < 0)


@called
def token_allows(w: World, shop: int) -> bool:
    """Say whether a shop's token allows one more call now."""
    row = w.first[Things.SHOP] + shop
    count = w.things[row, ShopColumn.TOKEN_COUNT]
    spare = (w.things[row, ShopColumn.TOKEN_BURST] - 1) * w.things[row, ShopColumn.TOKEN_PERIOD_US]
    return bool(count == 0 or w.things[row, ShopState.TAT] <= w.g[Count.NOW] * count + spare)


@called
def _spend_token(w: World, own: int, shop: int) -> None:
    """Note that a call was made, and of every order it asks about."""
    row = w.first[Things.SHOP] + shop
    count = w.things[row, ShopColumn.TOKEN_COUNT]
    if count > 0:
        free = max(w.things[row, ShopState.TAT], w.g[Count.NOW] * count)
        w.things[row, ShopState.TAT] = free + w.things[row, ShopColumn.TOKEN_PERIOD_US]
    number = w.pay[own, Pay.NUMBER]
    if w.things[row, ShopColumn.PER_CALL] == 0:
        p = slot_of(w, w.pay[own, Pay.ASKS])
        if p != NOBODY:
            w.pay[p, Pay.CALL] = number
            w.pay[p, Pay.POLLS] += 1
        return
    one = w.things[row, ShopState.HEAD]
    for _ in range(w.things[row, ShopState.OPEN]):
        if w.pay[one, Pay.CALL] == number:
            w.pay[one, Pay.POLLS] += 1
        one = w.pay[one, Pay.ORDER_NEXT]


@called
def leave_stage(w: World, p: int) -> None:
    """Take a payment from the stage it is at to the next, settling what the stage settles."""
    stage, now = w.pay[p, Pay.PC], w.g[Count.NOW]
    op, flags = w.things[stage, S.OP], w.things[stage, S.FLAGS]
    if op in (Op.POST, Op.BATCH, Op.SETTLE):
        # A first time counts and no second.
        if (flags & SETTLES) != 0 and w.pay[p, Pay.SETTLED_US] == NULL:
            w.pay[p, Pay.SETTLED_US] = now
        if (flags & CREDITS) != 0 and w.pay[p, Pay.CREDITED_US] == NULL:
            w.pay[p, Pay.CREDITED_US] = now
        if (flags & CONFIRMS) != 0 and op == Op.POST:
            w.pay[p, Pay.STANDING] = max(w.pay[p, Pay.STANDING], 1)
        if (flags & AUTHORISES) != 0 and op == Op.POST:
            w.pay[p, Pay.STANDING] = 2
    elif op == Op.AWAIT and w.pay[p, Pay.DOUBT_SINCE_US] == NULL:
        jump(w, p, w.things[stage, S.TARGET])
        return
    elif op == Op.RESOLVE:
        w.pay[p, Pay.DEADLINE_US] = -1
    elif op == Op.POLL:
        _spend_token(w, p, w.things[stage, S.FIRST])
    # No other route: what the payer does then, where the stream says so.
    elif op == Op.ROUTE:
        row = w.first[Things.STREAM] + w.pay[p, Pay.STREAM]
        after = w.things[row, StreamColumn.AFTER_FAILURE]
        if after >= 0:
            jump(w, p, after)
            return
    # Given back or of another day: no slot is in use any more.
    elif op == Op.VOID:
        for slot in range(LIMITS_MAX):
            w.pay[p, Pay.LIMIT_0 + 4 * slot] = NOBODY
    jump(w, p, stage + 1)


@called
def has_due(w: World, p: int) -> bool:
    """Find the next row the stage begun must write; it is left in the scalars DUE_*."""
    cursor = w.pay[p, Pay.CURSOR]
    if w.pay[p, Pay.HAS_BEGUN] == 0 or cursor >= ALL_DONE:
        return False
    stage = w.pay[p, Pay.PC]
    op = w.things[stage, S.OP]
    if op in (Op.POST, Op.BATCH):
        while cursor < w.things[stage, S.COUNT]:
            if _is_transfer_due(w, p, w.things[stage, S.FIRST] + cursor):
                return True
            cursor += 1
            w.pay[p, Pay.CURSOR] = cursor
        return False
    # Reservations by transfer row, then limits by slot.
    if op == Op.VOID:
        node = w.pay[p, Pay.HELD]
        if node != NOBODY:
            _held_is_due(w, LogKind.VOID, node)
            return True
        while cursor < LIMITS_MAX:
            at = Pay.LIMIT_0 + 4 * cursor
            # Only what was used today.
            if w.pay[p, at] >= 0 and w.pay[p, at + 2] == today(w, w.pay[p, at]):
                _is_due(w, LogKind.GIVE_BACK, w.pay[p, at], w.pay[p, at + 1])
                w.g[Count.DUE_VALUE] = w.pay[p, at + 3]
                return True
            cursor += 1
            w.pay[p, Pay.CURSOR] = cursor
        return False
    return op == Op.CHARGE and _is_fee_due(w, p, w.things[stage, S.SUBJECT], cursor)


@called
def has_accounts(kind: int) -> bool:
    """Say whether a row that is due names accounts, perhaps by role."""
    return kind in (LogKind.POST, LogKind.TRANSFER, LogKind.VOID)


@called
def amount_of(w: World, p: int, transfer: int) -> int:
    """Return the amount of a transfer row for a payment."""
    row = w.first[Things.TRANSFER] + transfer
    return int(w.pay[p, Pay.REGISTER_0 + w.things[row, TransferColumn.REGISTER]])


@called
def account_time(w: World, p: int, cause: int) -> None:
    """Add the time since the last accounting to a cause."""
    now = w.g[Count.NOW]
    w.pay[p, Pay.TIME_0 + cause] += now - w.pay[p, Pay.ACCOUNTED_US]
    w.pay[p, Pay.ACCOUNTED_US] = now


@called
def _is_due(w: World, kind: int, subject: int, amount: int) -> None:
    w.g[Count.DUE_KIND] = kind
    w.g[Count.DUE_SUBJECT] = subject
    w.g[Count.DUE_AMOUNT] = amount
    w.g[Count.DUE_VALUE] = -1
    w.g[Count.DUE_TRANSFER] = NOBODY


@called
def _held_is_due(w: World, kind: int, node: int) -> None:
    _is_due(w, kind, w.held[node, Held.DEBIT], w.held[node, Held.AMOUNT])
    w.g[Count.DUE_VALUE] = w.held[node, Held.CREDIT]
    w.g[Count.DUE_TRANSFER] = w.held[node, Held.TRANSFER]


@called
def _is_transfer_due(w: World, p: int, transfer: int) -> bool:
    node = held_of(w, p, transfer)
    if node != NOBODY:
        _held_is_due(w, LogKind.POST, node)
        return True
    amount = amount_of(w, p, transfer)
    # Moves of 0 leave no row.
    if amount == 0:
        return False
    row = w.first[Things.TRANSFER] + transfer
    _is_due(w, LogKind.TRANSFER, w.things[row, TransferColumn.DEBIT], amount)
    w.g[Count.DUE_VALUE] = w.things[row, TransferColumn.CREDIT]
    return True


@called
def _is_fee_due(w: World, p: int, fee: int, cursor: int) -> bool:
    slot = fee_slot(w, p, fee)
    amount = 0
    if slot >= 0:
        amount = w.pay[p, Pay.REGISTER_0 + Register.FEE_0 + slot]
    # Two rows for a fee, TRANSFER then FEE, and none for a fee of 0.
    if amount <= 0 or cursor > 1:
        return False
    if cursor == 0:
        row = w.first[Things.FEE] + fee
        _is_due(w, LogKind.TRANSFER, w.things[row, FeeColumn.DEBIT], amount)
        w.g[Count.DUE_VALUE] = w.things[row, FeeColumn.CREDIT]
    else:
        _is_due(w, LogKind.FEE, fee, amount)
    return True
