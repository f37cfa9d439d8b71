"""SERVE: places of limited capacity.

Takes a payment at a SERVE stage, or the event that ends a service; starts, queues or refuses. The
meaning is in ``meaning.Op.SERVE``.
"""

from __future__ import annotations

from sim.contract.layout import (
    HORIZON_MAX_US,
    PPM,
    STATION_PSEUDO,
    STEP_BITS,
    STEP_MASK,
    StageColumn,
    StationColumn,
)
from sim.contract.meaning import Cause, Discipline, LogKind, WhenClosed
from sim.contract.plan import Array, Plan
from sim.contract.records import StationTotal
from sim.engine.kernel import state as st
from sim.engine.kernel.heap import push
from sim.engine.kernel.histogram import bucket
from sim.engine.kernel.journal import account_time, add_area, break_off, write_log
from sim.engine.kernel.payments import COMPLETE_BASE, draw_time, fail, resolve, schedule
from sim.engine.kernel.queues import append, prepend, unlink
from sim.engine.kernel.shares import share
from sim.engine.kernel.state import (
    C_NOW,
    C_RANKS,
    C_WARM_UP,
    P_ID,
    P_STAGE,
    PLACE_BITS,
    Q_HEAD,
    S_BUSY,
    S_OPEN,
    S_QUEUE,
    S_SINCE,
    S_TAT,
    S_TOTAL,
    S_WAKE_COUNT,
    S_WAKE_PENDING,
    KernelState,
)
from sim.jit.functions import called, inlined

_BUSY_AREA = S_TOTAL + StationTotal.BUSY_AREA
_QUEUE_AREA = S_TOTAL + StationTotal.QUEUE_AREA
_QUEUE_MAX = S_TOTAL + StationTotal.QUEUE_MAX
_STARTS = S_TOTAL + StationTotal.STARTS
_WAIT_SUM = S_TOTAL + StationTotal.WAIT_SUM_US
_REFUSED = S_TOTAL + StationTotal.REFUSED


@inlined
def serve(plan: Plan, state: KernelState, slot: int) -> bool:
    """Start service, join the queue or fail; tell whether the payment goes on."""
    cursor = state.cursor
    pool = state.pool
    station = state.station
    at = pool[slot, P_STAGE]
    # The station may depend on the payment: "the core system of this payment's payee's bank".
    s = plan.stage[at, StageColumn.SUBJECT]
    if s < 0:
        s = resolve(plan.agent_station, pool, slot, s)
    if s < 0:
        break_off(cursor, st.E_NO_STATION, pool[slot, P_ID])
        return False
    # The order of the four tests is that of the specification. A full queue and a station that
    # is closed for good fail with different reasons, which decide whether another route helps.
    reason = plan.stage[at, StageColumn.REASON]
    if station[s, S_OPEN] == 0 and plan.station[s, StationColumn.WHEN_CLOSED] == WhenClosed.REJECT:
        reason = plan.station[s, StationColumn.REASON_CLOSED]
    # An empty queue is asked for first: with anybody waiting, a free server is not free (the
    # rate may hold them back), and nobody may overtake.
    elif station[s, S_QUEUE] == 0 and _can_start(cursor, plan.station, station, s):
        _start(plan, state, s, slot)
        return False
    # A limit of 0 admits only who can start at once: a pure loss system.
    elif station[s, S_QUEUE] < plan.station[s, StationColumn.QUEUE_LIMIT]:
        _join(plan, state, s, slot)
        return False
    # Both kinds of refusal count, those of a full queue and those of closed doors.
    if cursor[C_NOW] >= cursor[C_WARM_UP]:
        station[s, _REFUSED] += 1
    fail(plan, state, slot, reason)
    return True


@inlined
def finish_service(plan: Plan, state: KernelState, s: int, payment: int, stage: int) -> None:
    """Free a server and give it to who waits; the payment itself may be long gone."""
    cursor = state.cursor
    # Before the areas and before anybody starts: the row tells why a server became free.
    write_log(cursor, state.log, LogKind.FINISH, payment, stage, s, -1, -1)
    # The server was busy until now; after the change below the area could no longer know.
    settle_areas(cursor, state.station, s)
    state.station[s, S_BUSY] -= 1
    # More services ended than began: the other end of the test in ``_can_start``, which keeps
    # busy at SERVERS or below.
    if state.station[s, S_BUSY] < 0:
        break_off(cursor, st.E_BUSY, payment)


@inlined
def start_waiting(plan: Plan, state: KernelState, s: int) -> None:
    """Start waiting payments while the station can; see to it that it wakes up if it cannot."""
    cursor = state.cursor
    station = state.station
    ranks = cursor[C_RANKS]
    while station[s, S_QUEUE] > 0 and _can_start(cursor, plan.station, station, s):
        queue = s * ranks
        # The queues of a station stand side by side in order of priority. S_QUEUE above says
        # that one of them is not empty, so the search ends.
        while state.ends[queue, Q_HEAD] < 0:
            queue += 1
        slot = state.ends[queue, Q_HEAD]
        leave_queue(state, s, slot)
        # They start and do not advance: their own COMPLETE will do that.
        _start(plan, state, s, slot)
    # After the queue was served as far as it goes; only then is it known whether the rate alone
    # holds the next one back.
    _wake_later(plan, state, s)


@called
def leave_queue(state: KernelState, s: int, slot: int) -> None:
    """Take a payment out of a station's queue."""
    unlink(state.pool, state.ends, slot)
    _change_queue(state.cursor, state.station, s, -1)


@inlined
def settle_areas(cursor: Array, station: Array, s: int) -> None:
    """Bring a station's areas up to now; call it before anything they measure changes."""
    now = cursor[C_NOW]
    past = now - station[s, S_SINCE]
    # Negative until the warm-up, as S_SINCE starts there; 0 where several things change at one
    # instant.
    if past > 0:
        add_area(cursor, station, s, _BUSY_AREA, station[s, S_BUSY], past)
        add_area(cursor, station, s, _QUEUE_AREA, station[s, S_QUEUE], past)
        station[s, S_SINCE] = now
        # Only a length that lasted into the measured time counts, hence not at the warm-up itself.
        station[s, _QUEUE_MAX] = max(station[s, _QUEUE_MAX], station[s, S_QUEUE])


@inlined
def _can_start(cursor: Array, plan_station: Array, station: Array, s: int) -> bool:
    """Tell whether a station could start one more payment now."""
    if station[s, S_OPEN] == 0 or station[s, S_BUSY] >= station[s, st.S_SERVERS]:
        return False
    # The rate limit is a virtual schedule (GCRA, ITU-T I.371). Time is multiplied by the count
    # instead of the period divided by it, so that no fraction of a microsecond is ever lost.
    count = plan_station[s, StationColumn.RATE_COUNT]
    return bool(count <= 0 or cursor[C_NOW] * count >= station[s, S_TAT])


@inlined
def _start(plan: Plan, state: KernelState, s: int, slot: int) -> None:
    """Begin the service of a payment."""
    cursor = state.cursor
    pool = state.pool
    station = state.station
    now = cursor[C_NOW]
    # Before ``busy`` changes, and before the payment's time is accounted for.
    settle_areas(cursor, station, s)
    # 0 for an immediate start: P_SINCE is then this very instant.
    waited = now - pool[slot, st.P_SINCE]
    account_time(cursor, pool, slot, Cause.WAITING)
    # A start counts by its own instant, even if the wait began before the warm-up.
    if now >= cursor[C_WARM_UP]:
        station[s, _STARTS] += 1
        add_area(cursor, station, s, _WAIT_SUM, 1, waited)
        state.wait[s, bucket(waited)] += 1
    at = pool[slot, P_STAGE]
    time_us = draw_time(plan, state, slot, at)
    if station[s, st.S_PACE] != PPM:
        # Beyond the longest run nothing differs, and the product stays within an int64.
        time_us = share(min(time_us, HORIZON_MAX_US), station[s, st.S_PACE])
    write_log(cursor, state.log, LogKind.START, pool[slot, P_ID], at, s, time_us, -1)
    station[s, S_BUSY] += 1
    count = plan.station[s, StationColumn.RATE_COUNT]
    # A station that was idle does not save up its right to start: the schedule goes on from
    # now, not from where it stood.
    if count > 0:
        due = station[s, S_TAT]
        # Only a start in a later microsecond than the first that is allowed moves what follows.
        if now * count - due >= count:
            due = now * count
        station[s, S_TAT] = due + station[s, st.S_PERIOD]
    # The event has to know the stage and the station for itself: by the time it comes, the
    # payment may have gone elsewhere and its slot may belong to another one.
    place = (at << PLACE_BITS) | (s + 1)
    schedule(cursor, state.heap, pool, slot, time_us, place)
    pool[slot, st.P_WAIT] = st.W_SERVICE
    pool[slot, st.P_PLACE] = s


@called
def _join(plan: Plan, state: KernelState, s: int, slot: int) -> None:
    """Put a payment into a station's queue, where the discipline says."""
    cursor = state.cursor
    pool = state.pool
    discipline = plan.station[s, StationColumn.DISCIPLINE]
    queue = s * cursor[C_RANKS]
    # The newest is taken first. Everything else appends, and FIFO is the case of a single rank.
    if discipline == Discipline.LIFO:
        prepend(pool, state.ends, queue, slot)
    else:
        if discipline == Discipline.PRIORITY:
            # Ranks are the distinct priorities of the streams in ascending order, so the lowest
            # priority stands in the first queue. Within a rank it is first in first out.
            queue += state.rank[pool[slot, st.P_STREAM]]
        append(pool, state.ends, queue, slot)
    _change_queue(cursor, state.station, s, 1)
    pool[slot, st.P_WAIT] = st.W_STATION
    pool[slot, st.P_PLACE] = s
    write_log(cursor, state.log, LogKind.JOIN, pool[slot, P_ID], pool[slot, P_STAGE], s, -1, -1)
    # Nothing else would ever wake a station at which nobody is in service.
    _wake_later(plan, state, s)


@called
def _change_queue(cursor: Array, station: Array, s: int, change: int) -> None:
    """Note that a station's queue grew or shrank by one."""
    # The length up to now is counted before it changes.
    settle_areas(cursor, station, s)
    length = station[s, S_QUEUE] + change
    station[s, S_QUEUE] = length
    # The new level counts from the warm-up on, the old one only after it (``settle_areas``).
    if cursor[C_NOW] >= cursor[C_WARM_UP]:
        station[s, _QUEUE_MAX] = max(station[s, _QUEUE_MAX], length)


@called
def _wake_later(plan: Plan, state: KernelState, s: int) -> None:
    """Schedule a wake-up where nothing but the rate keeps a waiting payment from starting."""
    cursor = state.cursor
    station = state.station
    count = plan.station[s, StationColumn.RATE_COUNT]
    # Six conditions, all of them needed: a wake-up too many would be an event too many, and the
    # number of events is compared between engines.
    if (
        count <= 0
        or station[s, S_QUEUE] == 0
        or station[s, S_WAKE_PENDING] != 0
        or station[s, S_OPEN] == 0
        or station[s, S_BUSY] >= station[s, st.S_SERVERS]
        or cursor[C_NOW] * count >= station[s, S_TAT]
    ):
        return
    # Rounded up: a microsecond earlier the rate would not allow the start yet.
    time_us = -(-station[s, S_TAT] // count)
    # Two wake-ups of a station never meet at one instant, so a step that wraps cannot collide.
    step = station[s, S_WAKE_COUNT] & STEP_MASK
    station[s, S_WAKE_COUNT] += 1
    station[s, S_WAKE_PENDING] = 1
    # At the top of the range of ids: at one instant all that completes comes first, and may
    # free a server before the wake-up looks for one.
    key = COMPLETE_BASE | ((STATION_PSEUDO - s) << STEP_BITS) | step
    # No payment and no place; the key says which station it is.
    push(cursor, state.heap, time_us, key, -1, 0)
