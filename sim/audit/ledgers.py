"""Rebuild every ledger from the log: when rounds start, who enters a block, when it commits.

Takes rows of ledgers, in order; reports rounds that start at the wrong instant, blocks that are too
large, out of order or smaller than they had to be, and commits out of turn. Rounds in which nobody
waits leave no row; they are counted along so that numbers can be checked.
"""

from __future__ import annotations

from sim.audit.containers import append, check, number_of, unlink
from sim.audit.loads import (
    check_place,
    close_load,
    commit_load,
    load_waits,
    look_at_load,
    place_of_payment,
)
from sim.audit.messages import Check
from sim.audit.state import NOBODY, Count, LedgerState, Pay, Things, Wait
from sim.audit.world import COMPLETE_KEY, World
from sim.contract.layout import LEDGER_PSEUDO, NEVER_US, STEP_BITS, STEP_MASK, LedgerColumn
from sim.jit.functions import called


@called
def ledger_line(w: World, ledger: int) -> int:
    """Return the line of those who wait for a ledger's next block."""
    return int(w.size[Things.STATION] * w.g[Count.PRIORITIES] + ledger)


@called
def block_line(w: World, ledger: int) -> int:
    """Return the line of those in the block under way."""
    return ledger_line(w, w.size[Things.LEDGER] + ledger)


@called
def leave_ledger(w: World, ledger: int, p: int) -> None:
    """Take a payment out of the queue."""
    if w.pay[p, Pay.LINE] == ledger_line(w, ledger):
        unlink(w, p)


@called
def advance(w: World, time_us: int, key: int) -> None:
    """Count the rounds that started before an event and left no row."""
    # A corrupted row may name any instant; no round starts at the horizon or later.
    limit_us = min(time_us, w.g[Count.HORIZON_US])
    # Nearly every event: no ledger's round can have started before it.
    if limit_us < w.g[Count.NEXT_ROUND_US]:
        return
    soonest = NEVER_US
    for at in range(w.size[Things.LEDGER]):
        row = w.first[Things.LEDGER] + at
        next_us = w.things[row, LedgerState.NEXT_US]
        # Rounds before this event, and those of its instant whose key comes first.
        while next_us < limit_us or (next_us == time_us and _round_key(w, at, 0) < key):
            number = w.things[row, LedgerState.NUMBER]
            # A round that left no row must have been idle: with payments waiting it fills a
            # block or fails, and both write a row.
            idle = w.line[ledger_line(w, at), 0] == NOBODY and load_waits(w, at, next_us) == 0
            check(w.g, Check.ROUND_MISSED, idle, (number, at, next_us))
            interval_us = w.things[row, LedgerColumn.ROUND_INTERVAL_US]
            longest = max(w.things[row, LedgerColumn.IDLE_MAX_US], interval_us)
            # As in the specification: an idle ledger doubles its gap up to IDLE_MAX_US.
            gap_us = min(2 * w.things[row, LedgerState.GAP_US], longest)
            next_us += gap_us
            w.things[row, LedgerState.GAP_US] = gap_us
            w.things[row, LedgerState.NEXT_US] = next_us
            w.things[row, LedgerState.NUMBER] = number + 1
        # One number spares looking at every ledger for every event.
        soonest = min(soonest, next_us)
    w.g[Count.NEXT_ROUND_US] = soonest


@called
def enter_block(w: World, at: int, p: int, number: int) -> None:
    """Let a payment enter the block of the round that starts now."""
    row, g = w.first[Things.LEDGER] + at, w.g
    # The first row of the event opens the block; the following ones enter it.
    if g[Count.OPENED] == NOBODY:
        open_block(w, at, number)
    under_way = w.things[row, LedgerState.NUMBER]
    right = g[Count.OPENED] == at and number == under_way
    check(g, Check.ROUND_TURN, right, (number, at, under_way, w.things[row, LedgerState.NEXT_US]))
    head, payment = w.line[ledger_line(w, at), 0], w.pay[p, Pay.NUMBER]
    # First in, first out.
    check(g, Check.BLOCK_HEAD, head == p, (payment, number, at, number_of(w, head)))
    check_place(w, at, p, number)
    append(w, block_line(w, at), p)
    w.things[row, LedgerState.BLOCK_SIZE] += 1
    size, limit = w.things[row, LedgerState.BLOCK_SIZE], w.things[row, LedgerState.BLOCK_LIMIT]
    check(g, Check.BLOCK_LIMIT, size <= limit, (number, at, size, limit))


@called
def open_block(w: World, at: int, number: int) -> None:
    """Begin a round that fills a block."""
    row, g = w.first[Things.LEDGER] + at, w.g
    _begin_round(w, at, number)
    # A block left over is that of a corrupted log; COMMIT_TURN reports it.
    while w.line[block_line(w, at), 0] != NOBODY:
        unlink(w, w.line[block_line(w, at), 0])
    w.things[row, LedgerState.BLOCK_SIZE] = 0
    w.things[row, LedgerState.STARTED_US] = g[Count.NOW]
    # Rounds do not overlap: the next one is known with the commit.
    w.things[row, LedgerState.NEXT_US] = NEVER_US
    g[Count.OPENED] = at


@called
def fill_with_load(w: World, at: int) -> None:
    """Open the block of a round in which nobody but the load waits."""
    if w.g[Count.OPENED] == NOBODY:
        open_block(w, at, w.things[w.first[Things.LEDGER] + at, LedgerState.NUMBER])


@called
def fail_leader(w: World, at: int, number: int) -> None:
    """Let a round fail."""
    row = w.first[Things.LEDGER] + at
    _begin_round(w, at, number)
    # A leader fails only where it has a probability to, and an idle round fails nothing.
    can_fail = w.things[row, LedgerColumn.LEADER_FAILURE] > 0
    waits = w.line[ledger_line(w, at), 0] != NOBODY or w.things[row, LedgerState.LOAD_WAITS] > 0
    check(w.g, Check.ROUND_FAILS, can_fail and waits, (number, at))
    _schedule(w, row, w.g[Count.NOW] + w.things[row, LedgerState.GAP_US])


@called
def commit(w: World, at: int, size: int, number: int) -> None:
    """Commit the block under way: its payments act next, in order."""
    row, g, now = w.first[Things.LEDGER] + at, w.g, w.g[Count.NOW]
    under_way, entered = w.things[row, LedgerState.NUMBER], w.things[row, LedgerState.BLOCK_SIZE]
    # The commit's own event has the odd step of its round.
    in_turn = number == under_way and g[Count.KEY] == _round_key(w, at, 1)
    check(g, Check.COMMIT_TURN, in_turn, (at, number, under_way))
    check(g, Check.COMMIT_SIZE, size == entered, (number, size, entered))
    started_us = w.things[row, LedgerState.STARTED_US]
    check(g, Check.COMMIT_EARLY, now >= started_us, (number,))
    # From the round's start and not from the commit, unless the vote took longer.
    _schedule(w, row, max(started_us + w.things[row, LedgerState.GAP_US], now))
    w.things[row, LedgerState.BLOCK_SIZE] = 0
    commit_load(w, row)
    p = w.line[block_line(w, at), 0]
    while p != NOBODY:
        after = w.pay[p, Pay.NEXT]
        unlink(w, p)
        # They act in the order of the block, each before the next, hence a line of their own.
        if w.pay[p, Pay.WAIT] == Wait.BLOCK:
            append(w, g[Count.READY] + 1, p)
        p = after


@called
def last_round(w: World, at: int) -> int:
    """Return the number of the last round, as a sample must show it."""
    row = w.first[Things.LEDGER] + at
    # While a block is under way NUMBER is its round's, afterwards the next one's.
    under_way = w.things[row, LedgerState.NEXT_US] == NEVER_US
    return int(w.things[row, LedgerState.NUMBER] - (0 if under_way else 1))


@called
def close_block(w: World) -> None:
    """Check at the end of an event that a block took all it could."""
    at = w.g[Count.OPENED]
    if at != NOBODY:
        w.g[Count.OPENED] = NOBODY
        row = w.first[Things.LEDGER] + at
        size = w.things[row, LedgerState.BLOCK_SIZE]
        head, limit = w.line[ledger_line(w, at), 0], w.things[row, LedgerState.BLOCK_LIMIT]
        # At the end of the event, when all its rows have been seen.
        right = head == NOBODY or place_of_payment(w, at, head) > limit
        check(w.g, Check.BLOCK_LEAVES, right, (w.things[row, LedgerState.NUMBER], size))
        close_load(w, at)


@called
def _begin_round(w: World, at: int, number: int) -> None:
    row, g = w.first[Things.LEDGER] + at, w.g
    due, next_us = w.things[row, LedgerState.NUMBER], w.things[row, LedgerState.NEXT_US]
    # Instant and key both: at one instant other events come first.
    at_turn = g[Count.NOW] == next_us and g[Count.KEY] == _round_key(w, at, 0)
    check(g, Check.ROUND_TURN, at_turn and number == due, (number, at, due, next_us))
    look_at_load(w, at, g[Count.NOW])
    w.things[row, LedgerState.NUMBER] = number
    w.things[row, LedgerState.GAP_US] = w.things[row, LedgerColumn.ROUND_INTERVAL_US]


@called
def _schedule(w: World, row: int, next_us: int) -> None:
    """Note when the next round starts."""
    w.things[row, LedgerState.NEXT_US] = next_us
    w.things[row, LedgerState.NUMBER] += 1
    # It may be later than before for this ledger; too early a bound only costs a look.
    w.g[Count.NEXT_ROUND_US] = min(w.g[Count.NEXT_ROUND_US], next_us)


@called
def _round_key(w: World, at: int, is_commit: int) -> int:
    """Return the order key of the next round's start or of the commit under way."""
    step = (2 * w.things[w.first[Things.LEDGER] + at, LedgerState.NUMBER] + is_commit) & STEP_MASK
    return int(COMPLETE_KEY + ((LEDGER_PSEUDO - at) << STEP_BITS) + step)
