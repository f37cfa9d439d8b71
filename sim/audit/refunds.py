"""Check what is paid back of completed payments: when, how much, from where, and once per part.

Takes rebuilt payments that have ended and the columns of their rows; works out from the plan and
the rebuilt accounts what each part must come to. The meaning is in :mod:`sim.contract.refunds`;
none of the engines' code is used.
"""

from __future__ import annotations

from sim.audit.accounts import available, has_queue, move
from sim.audit.containers import check, close_slot
from sim.audit.messages import Check
from sim.audit.prices import costs_at_mid
from sim.audit.routes import is_account, known_account
from sim.audit.state import NOBODY, REFUND_LONGEST, REFUND_SHORTEST, Count, Pay, Things, Wait
from sim.audit.world import COMPLETE_KEY, World
from sim.contract.guards import GuardColumn
from sim.contract.layout import (
    CERTAIN,
    PPM,
    STEP_BITS,
    AccountColumn,
    PricingColumn,
    TransferColumn,
)
from sim.contract.layout import StageColumn as S
from sim.contract.meaning import Reason
from sim.contract.records import Register
from sim.contract.refunds import (
    REFUND_WITHIN_US,
    RefundColumn,
    RefundRate,
    WrittenRefundColumn,
)
from sim.jit.functions import called

NEVER, PERHAPS, SURELY = 0, 1, 2
"""Whether another part of a payment comes."""


@called
def keep_for_refunds(w: World, p: int, stage: int, value: int) -> bool:
    """Check whether an ended payment is said to be paid back; say whether it stays for that."""
    w.pay[p, Pay.PART] = 0
    w.pay[p, Pay.BACK] = 0
    w.pay[p, Pay.ENDED_US] = w.g[Count.NOW]
    comes = NEVER + 0
    if w.things[stage, S.COUNT] > 0:
        comes = _comes(w, p)
    stays = value == 1
    right = (comes != SURELY) if value == -1 else (stays and comes != NEVER)
    check(w.g, Check.REFUNDED, right, (w.pay[p, Pay.NUMBER], value))
    if stays:
        w.pay[p, Pay.WAIT] = Wait.REFUND
        w.pay[p, Pay.DUE_US] = -1
    return stays


@called
def refund_due_row(w: World, p: int, stage: int, part: int, asked: int, delay_us: int) -> None:
    """Check a REFUND_DUE row and note when its part falls due."""
    number = w.pay[p, Pay.PART] + 1
    waits = w.pay[p, Pay.WAIT] == Wait.REFUND and w.pay[p, Pay.DUE_US] < 0
    # The rest of a part at hand comes first.
    if w.g[Count.REFUNDING] == p:
        _end_moves(w, p)
        w.g[Count.REFUNDING] = NOBODY
    right = waits and part == number and stage == w.pay[p, Pay.PC] and delay_us >= 1
    right = right and asked == _asked(w, p, number) and _may_last(w, p, number, delay_us)
    check(w.g, Check.REFUND_DUE, right, (w.pay[p, Pay.NUMBER], part, asked, delay_us))
    w.pay[p, Pay.STEPS] += 1
    w.pay[p, Pay.ASKED] = asked
    w.pay[p, Pay.DUE_US] = w.g[Count.NOW] + delay_us
    w.pay[p, Pay.DUE_KEY] = COMPLETE_KEY + (w.pay[p, Pay.NUMBER] << STEP_BITS) + w.pay[p, Pay.STEPS]


@called
def refund_row(w: World, p: int, stage: int, part: int, paid: int, reason: int) -> None:
    """Check a REFUND row: at its time, once, and paid or refused as it must be."""
    g, number = w.g, w.pay[p, Pay.NUMBER]
    due_us = w.pay[p, Pay.DUE_US]
    right = w.pay[p, Pay.WAIT] == Wait.REFUND and due_us == g[Count.NOW]
    right = right and g[Count.KEY] == w.pay[p, Pay.DUE_KEY] and stage == w.pay[p, Pay.PC]
    right = right and part == w.pay[p, Pay.PART] + 1
    check(g, Check.REFUND_ONCE, right, (number, part, due_us))
    w.pay[p, Pay.PART] = part
    w.pay[p, Pay.DUE_US] = -1
    asked = w.pay[p, Pay.ASKED]
    after = w.pay[p, Pay.BACK] + asked
    fits = after <= w.pay[p, Pay.REGISTER_0 + Register.INSTRUCTED]
    if reason == 0:
        check(g, Check.REFUND_EXCEEDS, fits, (number, after))
        covered = not fits or _covered(w, p, after) != NEVER
        check(g, Check.REFUND_COVERED, covered and paid == asked, (number, part, paid))
    else:
        due_reason = Reason.AM04 + 0 if fits else Reason.AM02 + 0
        refused = reason == due_reason and paid == 0
        refused = refused and (not fits or _covered(w, p, after) != SURELY)
        check(g, Check.REFUND_COVERED, refused, (number, part, paid))
    g[Count.REFUNDING] = p
    w.pay[p, Pay.PAID_BACK] = 1 if reason == 0 and fits else 0
    # Rows of a part that is refused are behind it already.
    w.pay[p, Pay.CURSOR] = 0 if reason == 0 and fits else w.things[w.pay[p, Pay.PC], S.COUNT]


@called
def refund_move(w: World, p: int, debit: int, amount: int, credit: int) -> None:
    """Check one move of a part and book it."""
    due = _next_move(w, p) if w.g[Count.REFUNDING] == p else NOBODY
    right = due != NOBODY
    if due != NOBODY:
        row = w.first[Things.TRANSFER] + due
        right = amount == _moved(w, p, due, w.pay[p, Pay.BACK] + w.pay[p, Pay.ASKED])
        right = right and is_account(w, p, w.things[row, TransferColumn.DEBIT], debit)
        right = right and is_account(w, p, w.things[row, TransferColumn.CREDIT], credit)
        w.pay[p, Pay.CURSOR] += 1
    check(w.g, Check.REFUND_MOVES, right, (w.pay[p, Pay.NUMBER], debit, credit, amount))
    # As it says, also where it is wrong.
    move(w, debit, credit, amount)


@called
def end_refund(w: World) -> None:
    """Check at the end of an event that the part at hand is whole; let a payment go for good."""
    p = w.g[Count.REFUNDING]
    if p == NOBODY:
        return
    w.g[Count.REFUNDING] = NOBODY
    _end_moves(w, p)
    is_over = _comes(w, p) != SURELY
    check(w.g, Check.REFUNDED, is_over, (w.pay[p, Pay.NUMBER], w.pay[p, Pay.PART]))
    close_slot(w, p)


@called
def is_surely_refunded(w: World, p: int) -> bool:
    """Say whether the next part of an ended payment must come."""
    return bool(_comes(w, p) == SURELY)


@called
def is_refunded_later(w: World, p: int) -> bool:
    """Say whether an ended payment waits for a part that falls due beyond the horizon."""
    waits = w.pay[p, Pay.WAIT] == Wait.REFUND
    return bool(waits and w.pay[p, Pay.DUE_US] >= w.g[Count.HORIZON_US])


@called
def _end_moves(w: World, p: int) -> None:
    """Check that all moves of the part at hand were made, and count it as paid back."""
    done = _next_move(w, p) == NOBODY
    check(w.g, Check.REFUND_MOVES, done, (w.pay[p, Pay.NUMBER], -1, -1, -1))
    # A refused part has left the cursor behind its rows from the start, and moved nothing.
    if w.pay[p, Pay.PAID_BACK] == 1:
        w.pay[p, Pay.BACK] += w.pay[p, Pay.ASKED]
        w.pay[p, Pay.PAID_BACK] = 0


@called
def _next_move(w: World, p: int) -> int:
    """Return the transfer row of the next move due of the part at hand, -1 where none is."""
    stage = w.pay[p, Pay.PC]
    after = w.pay[p, Pay.BACK] + w.pay[p, Pay.ASKED]
    while w.pay[p, Pay.CURSOR] < w.things[stage, S.COUNT]:
        row = w.things[stage, S.FIRST] + w.pay[p, Pay.CURSOR]
        if _moved(w, p, row, after) > 0:
            return int(row)
        w.pay[p, Pay.CURSOR] += 1
    return NOBODY


@called
def _rule(w: World, p: int) -> int:
    return int(w.first[Things.REFUND] + w.pay[p, Pay.STREAM])


@called
def _written(w: World, p: int, number: int) -> int:
    """Return the row of a payment's written part, -1 without that part, -2 without any."""
    rule = _rule(w, p)
    first = w.first[Things.WRITTEN_REFUND] + w.things[rule, RefundColumn.WRITTEN_FIRST]
    count = 0
    for row in range(first, first + w.things[rule, RefundColumn.WRITTEN_COUNT]):
        if w.things[row, WrittenRefundColumn.ORDINAL] == w.pay[p, Pay.ORDINAL]:
            count += 1
            if count == number:
                return int(row)
    return -1 if count > 0 else -2


@called
def _comes(w: World, p: int) -> int:
    """Say whether a payment's next part comes."""
    rule, number = _rule(w, p), w.pay[p, Pay.PART] + 1
    left_us = REFUND_WITHIN_US - (w.g[Count.NOW] - w.pay[p, Pay.ENDED_US])
    written = _written(w, p, number)
    if written >= 0:
        in_time = max(1, w.things[written, WrittenRefundColumn.AFTER_US]) <= left_us
        return SURELY + 0 if in_time else NEVER + 0
    share = w.things[rule, RefundColumn.SHARE]
    if written == -1 or share == 0 or number > w.things[rule, RefundColumn.PARTS]:
        return NEVER + 0
    if max(1, w.things[rule, REFUND_SHORTEST]) > left_us:
        return NEVER + 0
    # Chance decides on the first part only; how long the next takes is drawn, too.
    drawn = number > 1 or share >= CERTAIN
    surely = drawn and max(1, w.things[rule, REFUND_LONGEST]) <= left_us
    return SURELY + 0 if surely else PERHAPS + 0


@called
def _asked(w: World, p: int, number: int) -> int:
    """Return what a part asks for."""
    rule, written = _rule(w, p), _written(w, p, number)
    if written >= 0:
        return int(w.things[written, WrittenRefundColumn.AMOUNT])
    parts = max(1, w.things[rule, RefundColumn.PARTS])
    instructed = w.pay[p, Pay.REGISTER_0 + Register.INSTRUCTED]
    total = _of(instructed, w.things[rule, RefundColumn.TOTAL_PPM], PPM)
    return int(_of(total, number, parts) - _of(total, number - 1, parts))


@called
def _may_last(w: World, p: int, number: int, delay_us: int) -> bool:
    """Say whether a part may fall due after so long."""
    rule, written = _rule(w, p), _written(w, p, number)
    if w.g[Count.NOW] - w.pay[p, Pay.ENDED_US] + delay_us > REFUND_WITHIN_US:
        return False
    if written >= 0:
        return bool(delay_us == max(1, w.things[written, WrittenRefundColumn.AFTER_US]))
    shortest = max(1, w.things[rule, REFUND_SHORTEST])
    return bool(shortest <= delay_us <= max(1, w.things[rule, REFUND_LONGEST]))


@called
def _covered(w: World, p: int, after: int) -> int:
    """Say whether every account a part is paid from has its amount, as far as it is known."""
    stage, found = w.pay[p, Pay.PC], SURELY + 0
    for at in range(w.things[stage, S.COUNT]):
        transfer = w.things[stage, S.FIRST] + at
        amount = _moved(w, p, transfer, after)
        if amount == 0:
            continue
        reference = w.things[w.first[Things.TRANSFER] + transfer, TransferColumn.DEBIT]
        account = known_account(w, p, reference)
        if account == NOBODY:
            found = PERHAPS + 0
            continue
        left = available(w, account)
        if w.things[w.first[Things.GUARD] + account, GuardColumn.POOL] == 1:
            left -= w.things[w.first[Things.ACCOUNT] + account, AccountColumn.OVERDRAFT]
        if has_queue(w, account) or left < amount:
            return NEVER + 0
    return found


@called
def _moved(w: World, p: int, transfer: int, after: int) -> int:
    """Return what a transfer row moves for the part that brings the sum to so much."""
    register = w.things[w.first[Things.TRANSFER] + transfer, TransferColumn.REGISTER]
    pricing, first = w.pay[p, Pay.PRICING], NOBODY
    if pricing >= 0 and w.things[_rule(w, p), RefundColumn.RATE] == RefundRate.CURRENT + 0:
        first = w.things[w.first[Things.PRICING] + pricing, PricingColumn.CONVERSION_1]
    is_payers = register in (Register.DEBITED, Register.MID_1, Register.SPREAD_1)
    if first < 0 or not is_payers:
        return _part_of(w, p, register, after)
    if register == Register.SPREAD_1:
        return 0
    return costs_at_mid(w, first, _part_of(w, p, Register.SETTLEMENT + 0, after))


@called
def _part_of(w: World, p: int, register: int, after: int) -> int:
    value = max(0, w.pay[p, Pay.REGISTER_0 + register])
    whole = max(1, w.pay[p, Pay.REGISTER_0 + Register.INSTRUCTED])
    return int(_of(value, after, whole) - _of(value, w.pay[p, Pay.BACK], whole))


@called
def _of(value: int, part: int, whole: int) -> int:
    """Return ``floor(value * part / whole)``, part by digits of eight bits."""
    rest = value % whole
    low, left = 0, 0
    # With whole below 2^53 no product reaches 2^62.
    for place in range(48, -1, -8):
        digit = (part >> place) & 255
        grown = left * 256 + rest * digit
        low = low * 256 + grown // whole
        left = grown % whole
    return int(value // whole * part + low)
