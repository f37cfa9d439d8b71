"""Check the order of events, and the events that belong to no payment: agenda and samples.

Takes the first and following rows of each event; reports keys out of order, rows that cannot
belong to an event of that class, agenda rows missing or changed, and samples that do not show what
the audit rebuilt.
"""

from __future__ import annotations

from sim.audit.accounts import look_after, move
from sim.audit.clearing import clearing_row, end_moves, moved_row
from sim.audit.containers import add, bury, check
from sim.audit.guards import guard_row, is_told
from sim.audit.health import routers_look
from sim.audit.inquiries import end_telling
from sim.audit.large_value import (
    check_bearable,
    look_after_systems,
    offset_row,
    sampled_system,
    system_row,
)
from sim.audit.ledgers import close_block, fail_leader, fill_with_load, last_round, ledger_line
from sim.audit.loads import has_load, load_row, load_waits, loads_before
from sim.audit.messages import Check
from sim.audit.refunds import end_refund
from sim.audit.shops import end_calls, shop_asks_row
from sim.audit.state import AccountState, Count, LedgerState, StationState, Things
from sim.audit.stations import look_after_station, set_closed, slow_station
from sim.audit.turns import end_turns
from sim.audit.world import World
from sim.contract.agenda import AgendaKind
from sim.contract.layout import (
    LEDGER_PSEUDO,
    NEVER_US,
    PAYMENT_BITS,
    PAYMENTS_MAX,
    STATION_PSEUDO,
    STEP_BITS,
    STEP_MASK,
    AccountColumn,
)
from sim.contract.meaning import EventClass, LogKind
from sim.jit.functions import called

_PAYMENT_MASK = (1 << PAYMENT_BITS) - 1
_TIME_US, _KIND, _SUBJECT, _AMOUNT = 0, 1, 2, 3
"""Columns of the agenda."""


@called
def begin_event(w: World, time_us: int, key: int, kind: int, payment: int) -> None:
    """Begin an event with its first row."""
    g = w.g
    # A new instant: all that was scheduled for the last one has to be done by now.
    if time_us != g[Count.NOW]:
        _check_done(w, NEVER_US)
        # Whatever is left of it has been reported.
        g[Count.BORN] = 0
        follows = time_us > g[Count.NOW]
        g[Count.HIGHEST] = key
    else:
        # Only what was scheduled at this very instant may come after a higher key.
        was_born = bury(w, key)
        follows = key > g[Count.HIGHEST] or was_born
        g[Count.HIGHEST] = max(g[Count.HIGHEST], key)
        # Events born at this instant with a lower key come first.
        _check_done(w, key)
    event_class, owner = key >> (PAYMENT_BITS + STEP_BITS), (key >> STEP_BITS) & _PAYMENT_MASK
    horizon_us = g[Count.HORIZON_US]
    # Events lie below the horizon, rows of class HORIZON on it.
    in_run = 0 <= time_us < horizon_us
    if event_class == EventClass.HORIZON:
        in_run = time_us == horizon_us
    g[Count.NOW], g[Count.KEY] = time_us, key
    check(g, Check.EVENT_ORDER, follows and in_run, (time_us, key))
    # What class an event is says what its first row can be. Services of length 0 and delays are
    # of class COMPLETE like all others.
    fits = _first_row_fits(event_class, owner, kind, payment)
    check(g, Check.FIRST_ROW, fits, (kind, event_class))
    is_sample = event_class == EventClass.SAMPLE
    # Steps count a payment's own events; these are nobody's.
    if is_sample or event_class in (EventClass.CALENDAR, EventClass.SUBMIT):
        check(g, Check.KEY_STEP, key & STEP_MASK == 0, (key,))
    if is_sample:
        # Sample n is due at n intervals, and the key says which it is.
        right = time_us == owner * g[Count.SAMPLE_INTERVAL_US]
        check(g, Check.SAMPLE_TIME, right, (owner,))
        # None is passed over: a router would have seen older queues than it did.
        check(g, Check.SAMPLE_NUMBER, owner == g[Count.NEXT_SAMPLE], (owner, g[Count.NEXT_SAMPLE]))
        g[Count.NEXT_SAMPLE] = owner + 1
        g[Count.SAMPLED], g[Count.SAMPLED_ACCOUNT] = 0, -1


@called
def follow_event(w: World, kind: int) -> None:
    """Go on within an event."""
    if _is_only_first(kind):
        add(w.g, Check.WITHIN_EVENT, (kind,))


@called
def end_event(w: World) -> None:
    """Check what must hold between two events."""
    end_moves(w)
    look_after_systems(w)
    end_refund(w)
    # First the payments, then what they touched: stations and accounts are judged when the
    # event has done all it does.
    end_turns(w)
    end_telling(w)
    end_calls(w)
    stations_end = w.first[Things.STATION] + w.size[Things.STATION]
    for at in range(w.g[Count.TOUCHED]):
        row = w.touched[at]
        if row < stations_end:
            look_after_station(w, row)
        else:
            look_after(w, row)
    w.g[Count.TOUCHED] = 0
    close_block(w)
    if w.g[Count.KEY] >> (PAYMENT_BITS + STEP_BITS) == EventClass.SAMPLE:
        routers_look(w)
        due = _sample_rows(w)
        check(
            w.g, Check.SAMPLE_LEFT, w.g[Count.SAMPLED] == due,
            (w.g[Count.NEXT_SAMPLE] - 1, w.g[Count.SAMPLED], due),
        )  # fmt: skip


@called
def end_samples(w: World) -> None:
    """Check at the end of a run that no sample is missing."""
    interval_us = w.g[Count.SAMPLE_INTERVAL_US]
    # Without anything to sample there are no rows that would tell.
    if interval_us > 0 and _sample_rows(w) > 0:
        due = (w.g[Count.HORIZON_US] + interval_us - 1) // interval_us
        done = w.g[Count.NEXT_SAMPLE]
        check(w.g, Check.SAMPLE_NUMBER, done == due, (due - 1, done))


@called
def _sample_rows(w: World) -> int:
    """Return how many rows a sample has, systems and their members included."""
    rows = _rows_before_systems(w) + w.size[Things.SYSTEM]
    for account in range(w.size[Things.ACCOUNT]):
        rows += w.things[w.first[Things.ACCOUNT] + account, AccountState.SYSTEM] >= 0
    return int(rows)


@called
def _rows_before_systems(w: World) -> int:
    """Return how many rows of a sample stand before those of systems."""
    ledgers = w.size[Things.LEDGER]
    rows = w.size[Things.STATION] + ledgers + loads_before(w, ledgers)
    for account in range(w.size[Things.ACCOUNT]):
        rows += w.things[w.first[Things.ACCOUNT] + account, AccountColumn.WATCHED] != 0
    return int(rows)


@called
def _system_row(w: World, kind: int, subject: int) -> None:
    """Check that a row of a sample is of the system or the member due next, and count it."""
    g, told = w.g, w.g[Count.SAMPLED] - _rows_before_systems(w)
    g[Count.SAMPLED] += 1
    if kind == LogKind.SAMPLE_SYSTEM:
        right = told == subject
        g[Count.SAMPLED_ACCOUNT] = -1
    else:
        # By system, then by account. As many as there are members, so none is left out.
        system = w.things[w.first[Things.ACCOUNT] + subject, AccountState.SYSTEM]
        right = told >= w.size[Things.SYSTEM] and system >= 0
        last = g[Count.SAMPLED_ACCOUNT]
        if last >= 0:
            before = w.things[w.first[Things.ACCOUNT] + last, AccountState.SYSTEM]
            right = right and (before < system or (before == system and last < subject))
        g[Count.SAMPLED_ACCOUNT] = subject
    check(g, Check.SAMPLE_ROW, right, (kind, subject))


@called
def _sample_row(w: World, kind: int, subject: int) -> None:
    """Check that a row of a sample is of the place due next, and count it."""
    g, stations, ledgers = w.g, w.size[Things.STATION], w.size[Things.LEDGER]
    told = g[Count.SAMPLED]
    g[Count.SAMPLED] += 1
    if told < stations:
        right = kind == LogKind.SAMPLE_STATION and subject == told
    elif told < stations + ledgers:
        right = kind == LogKind.SAMPLE_LEDGER and subject == told - stations
    elif told < stations + ledgers + loads_before(w, ledgers):
        right = kind == LogKind.SAMPLE_LOAD and has_load(w, subject)
        right = right and loads_before(w, subject) == told - stations - ledgers
    else:
        right = kind == LogKind.SAMPLE_ACCOUNT and subject > g[Count.SAMPLED_ACCOUNT]
        # Those between are nobody's to watch.
        for account in range(g[Count.SAMPLED_ACCOUNT] + 1, min(subject, w.size[Things.ACCOUNT])):
            row = w.first[Things.ACCOUNT] + account
            right = right and w.things[row, AccountColumn.WATCHED] == 0
        if right:
            g[Count.SAMPLED_ACCOUNT] = subject
            row = w.first[Things.ACCOUNT] + subject
            right = w.things[row, AccountColumn.WATCHED] != 0
    check(g, Check.SAMPLE_ROW, right, (kind, subject))


@called
def take_other(w: World, kind: int, subject: int, amount: int, value: int) -> None:
    """Check a row that belongs to no payment."""
    if LogKind.SAMPLE_STATION <= kind <= LogKind.SAMPLE_ACCOUNT or kind == LogKind.SAMPLE_LOAD:
        _sample_row(w, kind, subject)
    if kind in (LogKind.SAMPLE_SYSTEM, LogKind.SAMPLE_MEMBER):
        _system_row(w, kind, subject)
    slows = LogKind.STATION_PACE <= kind <= LogKind.LEDGER_BLOCK
    if slows or kind in (LogKind.DEPOSIT, LogKind.CLOSE, LogKind.OPEN, LogKind.READING):
        _agenda_row(w, kind, subject, amount, value)
    elif LogKind.FILE_CUT <= kind <= LogKind.TOP_UP_ARRIVED:
        _agenda_row(w, kind, subject, amount, value)
        clearing_row(w, kind, subject, amount, value)
    elif kind == LogKind.MOVED:
        moved_row(w, subject, amount, value)
        if w.g[Count.MOVED] == w.g[Count.MOVES]:
            check_bearable(w)
    elif kind == LogKind.OFFSET:
        offset_row(w, subject, amount, value)
    elif kind in (LogKind.SYSTEM_OFFSET, LogKind.SYSTEM_CLOSE):
        _agenda_row(w, kind, subject, amount, value)
        system_row(w, kind, subject, amount)
    elif kind == LogKind.SHOP_ASKS:
        _agenda_row(w, kind, subject, amount, value)
        shop_asks_row(w, subject, amount)
    elif kind in (LogKind.ALARM, LogKind.CHANNEL):
        guard_row(w, kind, subject, amount, value)
    elif kind == LogKind.LEADER_FAILED:
        fail_leader(w, subject, value)
    elif kind == LogKind.LOAD:
        fill_with_load(w, subject)
        load_row(w, subject, amount, value)
    elif kind == LogKind.SAMPLE_STATION:
        row = w.first[Things.STATION] + subject
        waiting, busy = w.things[row, StationState.WAITING], w.things[row, StationState.BUSY]
        # Taken from the row and not from what was rebuilt: the router saw what was logged, and
        # a difference is reported just here.
        w.things[row, StationState.SEEN] = amount
        right = amount == waiting and value == busy
        check(w.g, Check.SAMPLE, right, (kind, amount, value, subject, waiting, busy))
    elif kind == LogKind.SAMPLE_LEDGER:
        waiting, last = w.line[ledger_line(w, subject), 2], last_round(w, subject)
        w.things[w.first[Things.LEDGER] + subject, LedgerState.SEEN] = amount
        right = amount == waiting and value == last
        check(w.g, Check.SAMPLE, right, (kind, amount, value, subject, waiting, last))
    elif kind == LogKind.SAMPLE_LOAD:
        row = w.first[Things.LEDGER] + subject
        waiting, taken = (
            load_waits(w, subject, w.g[Count.NOW]),
            w.things[row, LedgerState.LOAD_TAKEN],
        )
        w.things[row, LedgerState.SEEN] += amount
        right = amount == waiting and value == taken
        check(w.g, Check.SAMPLE, right, (kind, amount, value, subject, waiting, taken))
    elif kind == LogKind.SAMPLE_ACCOUNT:
        row = w.first[Things.ACCOUNT] + subject
        posted, pending = w.things[row, AccountState.POSTED], w.things[row, AccountState.PENDING]
        right = amount == posted and value == pending
        check(w.g, Check.SAMPLE, right, (kind, amount, value, subject, posted, pending))
    elif kind in (LogKind.SAMPLE_SYSTEM, LogKind.SAMPLE_MEMBER):
        sampled_system(w, kind, subject, amount, value)
    else:
        add(w.g, Check.UNKNOWN_KIND, (kind,))


@called
def skip_agenda(w: World, index: int) -> None:
    """Check that agenda rows passed over had nothing to do."""
    # Only a deposit of 0 leaves no row, and what lies at or beyond the horizon.
    for at in range(w.g[Count.NEXT_AGENDA], min(index, w.size[Things.AGENDA])):
        row = w.first[Things.AGENDA] + at
        is_empty = w.things[row, _KIND] == AgendaKind.DEPOSIT and w.things[row, _AMOUNT] == 0
        is_beyond = w.things[row, _TIME_US] >= w.g[Count.HORIZON_US]
        # Of an account with nothing on it, too, the level is told.
        is_empty = is_empty and (is_beyond or is_told(w, w.things[row, _SUBJECT]))
        idle = is_empty or is_beyond
        check(w.g, Check.AGENDA_SKIPPED, idle, (at,))


@called
def _agenda_row(w: World, kind: int, subject: int, amount: int, value: int) -> None:
    g, is_deposit = w.g, kind == LogKind.DEPOSIT
    index = (g[Count.KEY] >> STEP_BITS) & _PAYMENT_MASK
    # The key names the agenda's row, so rows passed over are known.
    skip_agenda(w, index)
    g[Count.NEXT_AGENDA] = index + 1
    # ``+ 0`` makes a number of a member: compiled code cannot put both into one variable.
    due_kind, named = AgendaKind.DEPOSIT + 0, value
    if not is_deposit:
        due_kind, named = AgendaKind.STATION_CLOSE + 0, subject
        if kind == LogKind.OPEN:
            due_kind = AgendaKind.STATION_OPEN + 0
        elif kind >= LogKind.FILE_CUT:
            # Both enumerations have these in one order.
            due_kind = kind - LogKind.FILE_CUT + AgendaKind.FILE_CUT
        if kind >= LogKind.SYSTEM_OFFSET:
            due_kind = kind - LogKind.SYSTEM_OFFSET + AgendaKind.SYSTEM_OFFSET
        if kind == LogKind.READING:
            due_kind = AgendaKind.READING + 0
        elif kind == LogKind.SHOP_ASKS:
            due_kind = AgendaKind.SHOP_ASKS + 0
        elif kind >= LogKind.STATION_PACE:
            due_kind = kind - LogKind.STATION_PACE + AgendaKind.STATION_PACE
    right = False
    if index < w.size[Things.AGENDA]:
        row = w.first[Things.AGENDA] + index
        right = w.things[row, _TIME_US] == g[Count.NOW] and w.things[row, _KIND] == due_kind
        right = right and w.things[row, _SUBJECT] == named
        says_amount = is_deposit or LogKind.STATION_PACE <= kind <= LogKind.LEDGER_BLOCK
        right = right and (not says_amount or w.things[row, _AMOUNT] == amount)
    check(g, Check.AGENDA_ROW, right, (index,))
    if is_deposit:
        world = w.things[w.first[Things.ACCOUNT] + value, AccountState.WORLD]
        # Money comes from the world's account of the currency and from nowhere else.
        check(g, Check.OPENING, subject == world, (subject,))
        move(w, world, value, amount)
    elif kind < LogKind.FILE_CUT:
        set_closed(w, subject, 1 if kind == LogKind.CLOSE else 0)
    # Only what the agenda says, whatever a corrupted row may hold: it enters the arithmetic.
    elif right and kind == LogKind.LEDGER_BLOCK:
        w.things[w.first[Things.LEDGER] + subject, LedgerState.BLOCK_LIMIT] = amount
    elif right and LogKind.STATION_PACE <= kind < LogKind.LEDGER_BLOCK:
        slow_station(w, subject, kind, amount)


@called
def _check_done(w: World, key: int) -> None:
    """Check that what was scheduled for this instant and comes before a key has been done."""
    if w.g[Count.BORN] > 0:
        check(w.g, Check.DUE_FIRST, w.born[0] > key, (w.born[0],))


@called
def _is_only_first(kind: int) -> bool:
    """Say whether a row begins an event and comes nowhere else in it."""
    return kind in (
        LogKind.SUBMIT,
        LogKind.FINISH,
        LogKind.COMMIT,
        LogKind.LEADER_FAILED,
        LogKind.EXPIRE,
        LogKind.GONE,
        LogKind.DEPOSIT,
        LogKind.OPEN,
        LogKind.CLOSE,
        LogKind.FILE_CUT,
        LogKind.FILE_CONVERTED,
        LogKind.FILE_SETTLED,
        LogKind.TOP_UP_ORDERED,
        LogKind.TOP_UP_ARRIVED,
        LogKind.SYSTEM_OFFSET,
        LogKind.SYSTEM_CLOSE,
        LogKind.STATION_PACE,
        LogKind.STATION_RATE,
        LogKind.STATION_SERVERS,
        LogKind.LEDGER_BLOCK,
        LogKind.READING,
        LogKind.ORDER_EXPIRED,
        LogKind.SHOP_ASKS,
    )


@called
def _first_row_fits(event_class: int, owner: int, kind: int, payment: int) -> bool:
    """Say whether a row may be the first of an event of a class."""
    if event_class == EventClass.CALENDAR:
        is_file = LogKind.FILE_CUT <= kind <= LogKind.TOP_UP_ARRIVED
        is_system = kind in (LogKind.SYSTEM_OFFSET, LogKind.SYSTEM_CLOSE)
        is_guard = kind in (LogKind.ALARM, LogKind.CHANNEL)
        is_place = LogKind.STATION_PACE <= kind <= LogKind.LEDGER_BLOCK
        is_place = is_place or kind in (
            LogKind.OPEN, LogKind.CLOSE, LogKind.READING, LogKind.SHOP_ASKS,
        )  # fmt: skip
        return is_file or is_system or is_guard or is_place or kind == LogKind.DEPOSIT
    if event_class == EventClass.SUBMIT:
        return kind == LogKind.SUBMIT and payment == owner
    if event_class == EventClass.EXPIRE:
        ends = (LogKind.EXPIRE, LogKind.GONE, LogKind.ORDER_EXPIRED)
        return kind in ends and payment == owner
    if event_class == EventClass.SAMPLE:
        is_system = kind in (LogKind.SAMPLE_SYSTEM, LogKind.SAMPLE_MEMBER)
        return is_system or LogKind.SAMPLE_STATION <= kind <= LogKind.SAMPLE_ACCOUNT
    if event_class == EventClass.HORIZON:
        return kind == LogKind.OUTCOME and payment == owner
    if event_class != EventClass.COMPLETE:
        return False
    # A payment's own completion, a ledger's or a station's, told apart by the range of ids.
    if owner < PAYMENTS_MAX:
        # An inquiry that asks begins the next, whose row it is.
        if kind == LogKind.ASKED:
            return True
        return payment == owner and (kind == LogKind.FINISH or not _is_only_first(kind))
    if owner > STATION_PSEUDO:
        of_ledger = kind in (LogKind.IN_BLOCK, LogKind.LEADER_FAILED, LogKind.LOAD)
        return owner <= LEDGER_PSEUDO and (of_ledger or kind == LogKind.COMMIT)
    return kind == LogKind.START
