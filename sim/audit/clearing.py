"""Check what happens without a payment: files cut, sold and settled, top-ups ordered and arrived.

Takes rows of the log that the agenda's files and orders left; works out from the rebuilt accounts
what each must come to and which moves must follow it. The meaning is in
:class:`~sim.contract.agenda.AgendaKind`; none of the engines' code is used.
"""

from __future__ import annotations

from sim.audit.accounts import available, move
from sim.audit.containers import check
from sim.audit.messages import Check
from sim.audit.prices import asked_at_mid, bought_at_mid, with_margin, without_spread
from sim.audit.state import (
    AccountState,
    Count,
    FileState,
    LineState,
    OrderState,
    Things,
    TopUpState,
)
from sim.audit.world import World
from sim.contract.agenda import FileColumn, LineColumn, Negative, OrderColumn, TopUpColumn
from sim.contract.layout import PPM, UNLIMITED, AccountColumn, ConversionColumn
from sim.contract.meaning import LogKind
from sim.jit.functions import called


@called
def clearing_row(w: World, kind: int, subject: int, amount: int, value: int) -> None:
    """Check a row of a file or an order, and note the moves that must follow it."""
    w.g[Count.MOVES] = 0
    w.g[Count.MOVED] = 0
    if kind == LogKind.FILE_CUT:
        _cut(w, subject, amount, value)
    elif kind == LogKind.FILE_CONVERTED:
        _convert(w, subject, amount, value)
    elif kind == LogKind.FILE_SETTLED:
        _settle(w, subject, amount, value)
    elif kind == LogKind.TOP_UP_ORDERED:
        _order(w, subject, amount, value)
    else:
        _arrive(w, subject, amount, value)


@called
def moved_row(w: World, debit: int, amount: int, credit: int) -> None:
    """Check one move against the next one due, and book it."""
    g = w.g
    right = False
    if g[Count.MOVED] < g[Count.MOVES]:
        due = w.moves[g[Count.MOVED]]
        right = due[0] == debit and due[1] == credit and due[2] == amount
        g[Count.MOVED] += 1
    check(g, Check.MOVES, right, (debit, credit, amount))
    # Booked as it says, also where it is wrong: later rows are judged by what happened.
    move(w, debit, credit, amount)


@called
def end_moves(w: World) -> None:
    """Check at the end of an event that every move that was due has been made."""
    g = w.g
    if g[Count.MOVES] > 0:
        check(g, Check.MOVES_LEFT, g[Count.MOVED] == g[Count.MOVES], (g[Count.MOVED],))
        g[Count.MOVES] = 0
        g[Count.MOVED] = 0


@called
def _cut(w: World, file: int, amount: int, value: int) -> None:
    at, line = _file(w, file)
    _once(w, at, file, FileState.CUT, FileColumn.CUT_US)
    payments = w.things[line, LineColumn.PAYMENTS]
    refunds = w.things[line, LineColumn.REFUNDS]
    closed = w.things[line, LineColumn.CLOSED]
    account = w.first[Things.ACCOUNT] + payments
    paid = w.things[account, AccountState.POSTED] - w.things[account, AccountState.PENDING]
    back = 0
    if refunds >= 0:
        back = -w.things[w.first[Things.ACCOUNT] + refunds, AccountState.POSTED]
    interchange = _part(paid - back, w.things[line, LineColumn.INTERCHANGE_PPM])
    scheme = _part(paid, w.things[line, LineColumn.SCHEME_PPM])
    net = paid - back - interchange - scheme
    right = amount == paid - back and value == net
    check(w.g, Check.FILE_SUM, right, (file, amount, value, paid - back, net))
    w.things[at, FileColumn.NET] = net
    expect_move(w, payments, closed, paid)
    expect_move(w, closed, refunds, back)
    expect_move(w, closed, w.things[line, LineColumn.INTERCHANGE_TO], interchange)
    expect_move(w, closed, w.things[line, LineColumn.SCHEME_TO], scheme)


@called
def _convert(w: World, file: int, amount: int, value: int) -> None:
    at, line = _file(w, file)
    _once(w, at, file, FileState.SOLD, FileColumn.CONVERTED_US)
    conversion = w.things[line, LineColumn.CONVERSION]
    # A line without one sells nothing; such a row is not in its agenda.
    if not check(w.g, Check.FILE_SUM, conversion >= 0, (file, amount, value, 0, 0)):
        return
    there = w.things[at, FileColumn.NET] + w.things[line, LineState.UNSOLD]
    sold, mid, bought = 0, 0, 0
    if there > 0:
        sold = there
        margin = w.things[w.first[Things.CONVERSION] + conversion, ConversionColumn.SPREAD_PPM]
        mid = without_spread(conversion, margin, sold)
        bought = bought_at_mid(w, conversion, mid, w.g[Count.NOW], 1)
    right = amount == sold and value == bought
    check(w.g, Check.FILE_SUM, right, (file, amount, value, sold, bought))
    w.things[line, LineState.UNSOLD] = there - sold
    w.things[at, FileColumn.NET] = bought
    closed = w.things[line, LineColumn.CLOSED]
    expect_move(w, closed, w.things[line, LineColumn.SOLD_TO], mid)
    expect_move(w, closed, w.things[line, LineColumn.SPREAD_TO], sold - mid)
    held = w.things[line, LineColumn.HELD]
    expect_move(w, w.things[line, LineColumn.BOUGHT_FROM], held, bought)


@called
def _settle(w: World, file: int, amount: int, value: int) -> None:
    at, line = _file(w, file)
    _once(w, at, file, FileState.SETTLED, FileColumn.SETTLED_US)
    paid_to = w.things[line, LineColumn.PAID_TO]
    due = w.things[at, FileColumn.NET] + w.things[line, LineState.CARRIED]
    paid = 0
    if due > 0 and due >= w.things[line, LineColumn.THRESHOLD]:
        paid = due
    if due < 0 and w.things[line, LineColumn.NEGATIVE] == Negative.PAY + 0:
        paid = due if available(w, paid_to) + due >= 0 else 0
    right = amount == paid and value == due - paid
    check(w.g, Check.FILE_PAID, right, (file, amount, value, paid, due - paid))
    w.things[line, LineState.CARRIED] = due - paid
    expect_move(w, w.things[line, LineColumn.HELD], paid_to, paid)


@called
def _order(w: World, order: int, amount: int, value: int) -> None:
    at, rule = _rule(w, order)
    _order_time(w, order, w.things[at, OrderColumn.ORDERED_US])
    account = w.first[Things.ACCOUNT] + w.things[rule, TopUpColumn.ACCOUNT]
    level = w.things[account, AccountState.POSTED] - w.things[account, AccountState.PENDING]
    level += w.things[rule, TopUpState.COMING]
    wanted = 0
    if level < w.things[rule, TopUpColumn.LOW]:
        wanted = w.things[rule, TopUpColumn.TARGET] - level
        if w.things[rule, TopUpColumn.MOST] >= 0:
            wanted = min(wanted, w.things[rule, TopUpColumn.MOST])
    if level > w.things[rule, TopUpColumn.HIGH]:
        wanted = w.things[rule, TopUpColumn.TARGET] - level
    right = amount == wanted and value == level
    check(w.g, Check.TOP_UP_ORDER, right, (order, amount, value, wanted, level))
    w.things[at, OrderState.ORDERED] = wanted
    w.things[rule, TopUpState.COMING] += wanted


@called
def _arrive(w: World, order: int, amount: int, value: int) -> None:
    at, rule = _rule(w, order)
    _order_time(w, order, w.things[at, OrderColumn.ARRIVES_US])
    check(w.g, Check.TOP_UP_ONCE, w.things[at, OrderState.ARRIVED] == 0, (order,))
    w.things[at, OrderState.ARRIVED] = 1
    source = w.things[rule, TopUpColumn.SOURCE]
    ordered = w.things[at, OrderState.ORDERED]
    arrived = ordered
    if w.things[w.first[Things.ACCOUNT] + source, AccountColumn.OVERDRAFT] < UNLIMITED:
        arrived = min(ordered, max(0, available(w, source)))
    right = amount == arrived and value == ordered
    check(w.g, Check.TOP_UP_ORDER, right, (order, amount, value, arrived, ordered))
    w.things[rule, TopUpState.COMING] -= ordered
    expect_move(w, source, w.things[rule, TopUpColumn.ACCOUNT], arrived)
    if w.things[rule, TopUpColumn.BUYS] >= 0:
        _traded(w, at, rule, arrived)


@called
def _traded(w: World, order: int, rule: int, amount: int) -> None:
    """Expect the other side of a covering trade, dealt at the rates of its order."""
    dealt_us = w.things[order, OrderColumn.ORDERED_US]
    buys, sells = w.things[rule, TopUpColumn.BUYS], w.things[rule, TopUpColumn.SELLS]
    first = w.first[Things.CONVERSION]
    due = 0
    if amount > 0:
        at_mid = asked_at_mid(w, buys, amount, dealt_us)
        margin = w.things[first + buys, ConversionColumn.SPREAD_PPM]
        due = with_margin(at_mid, margin)
    elif amount < 0:
        margin = w.things[first + sells, ConversionColumn.SPREAD_PPM]
        left = without_spread(sells, margin, -amount)
        due = -bought_at_mid(w, sells, left, dealt_us, 1)
    expect_move(w, w.things[rule, TopUpColumn.PAYS], w.things[rule, TopUpColumn.PAID_TO], due)
    # What a position gains it has no longer room for, and what it gives makes room.
    room, other = w.things[rule, TopUpColumn.ROOM], w.things[rule, TopUpColumn.OTHER_ROOM]
    if room >= 0:
        expect_move(w, room, w.things[rule, TopUpColumn.TAKEN], amount)
    if other >= 0:
        expect_move(w, w.things[rule, TopUpColumn.OTHER_TAKEN], other, due)


@called
def _file(w: World, file: int) -> tuple[int, int]:
    """Return the rows of a file and of its line."""
    at = w.first[Things.FILE] + file
    return at, w.first[Things.LINE] + w.things[at, FileColumn.LINE]


@called
def _rule(w: World, order: int) -> tuple[int, int]:
    """Return the rows of an order and of its rule."""
    at = w.first[Things.ORDER] + order
    return at, w.first[Things.TOP_UP] + w.things[at, OrderColumn.TOP_UP]


@called
def _once(w: World, at: int, file: int, column: int, due: int) -> None:
    """Check that this is done with a file at its instant, and has not been done before."""
    check(w.g, Check.FILE_TIME, w.things[at, due] == w.g[Count.NOW], (file, w.things[at, due]))
    check(w.g, Check.FILE_ONCE, w.things[at, column] == 0, (file,))
    w.things[at, column] = 1


@called
def _order_time(w: World, order: int, due_us: int) -> None:
    """Check that an order is placed, or arrives, at its instant."""
    check(w.g, Check.TOP_UP_TIME, due_us == w.g[Count.NOW], (order, due_us))


@called
def _part(amount: int, ppm: int) -> int:
    """Return a share of an amount in millionths, half up, with the amount's sign."""
    size = max(amount, -amount)
    found = size // PPM * ppm + (size % PPM * ppm * 2 + PPM) // (2 * PPM)
    return found if amount > 0 else -found


@called
def expect_move(w: World, debit: int, credit: int, amount: int) -> None:
    """Note that a move is due; nothing is due of 0, and a negative one goes the other way."""
    if amount == 0:
        return
    at = w.g[Count.MOVES]
    w.moves[at, 0] = debit if amount > 0 else credit
    w.moves[at, 1] = credit if amount > 0 else debit
    w.moves[at, 2] = amount if amount > 0 else -amount
    w.g[Count.MOVES] += 1
