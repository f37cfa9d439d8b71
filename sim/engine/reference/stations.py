"""Stations of the reference engine: SERVE, finishing, rate wake-ups, opening and closing.

Takes the run and a payment at a SERVE stage; gives the next stage or STOP. See ``Op.SERVE``.
"""

from __future__ import annotations

from sim.contract.layout import HORIZON_MAX_US, PPM, STATION_PSEUDO, STEP_MASK, order_key
from sim.contract.meaning import Cause, Discipline, EventClass, LogKind
from sim.engine.reference.run import STOP, Run
from sim.engine.reference.shares import share
from sim.engine.reference.state import NOWHERE, Due, Payment, Stage, Station, Wait


def serve(run: Run, payment: Payment, stage: Stage) -> int:
    """Start service, join the queue, or fail."""
    number = run.station_of(payment, stage.subject)
    station = run.stations[number]
    # In the order of the specification: closed doors, an immediate start, a full queue, the
    # queue.
    if not station.is_open and station.rejects_when_closed:
        station.count_refusal(run.now_us)
        return run.fail(payment, stage, station.reason_closed)
    # Nobody overtakes: with others waiting, even a free server is not for who has just come.
    if not len(station.queue) and station.can_start(run.now_us):
        _start(run, number, payment)
        return STOP
    if len(station.queue) >= station.queue_limit:
        station.count_refusal(run.now_us)
        return run.fail(payment, stage, stage.reason)
    station.queue.join(payment, run.now_us, _rank(station, payment))
    payment.wait = Wait.QUEUE
    payment.wait_subject = number
    run.log(LogKind.JOIN, payment, number)
    # Nobody else may ever look at this station again, if all it lacks is time.
    _plan_wake_up(run, number)
    return STOP


def leave_queue(run: Run, payment: Payment) -> int:
    """Take a payment whose time is up out of a station's queue; return the station."""
    number = payment.wait_subject
    station = run.stations[number]
    station.queue.leave(payment, run.now_us, _rank(station, payment))
    return number


def close_station(run: Run, number: int) -> None:
    """Close a station; service already begun goes on."""
    # Those waiting wait on, and a wake-up that is scheduled will find the doors closed.
    run.stations[number].is_open = False
    run.log(LogKind.CLOSE, None, number)


def open_station(run: Run, number: int) -> None:
    """Open a station and start those who waited."""
    run.stations[number].is_open = True
    run.log(LogKind.OPEN, None, number)
    _start_waiting(run, number)


def change_servers(run: Run, number: int, servers: int) -> None:
    """Give a station more or fewer servers; service already begun goes on."""
    run.stations[number].servers = servers
    _start_waiting(run, number)


def _start(run: Run, number: int, payment: Payment) -> None:
    station = run.stations[number]
    stage = run.stages[payment.at]
    # Before the time is accounted for: the wait is the time since then, 0 for an immediate
    # start.
    station.count_start(run.now_us, run.now_us - payment.accounted_us)
    payment.account_time(Cause.WAITING, run.now_us)
    service_us = run.draw_time(payment, stage)
    if station.pace_ppm != PPM:
        # Beyond the longest run nothing differs, and the product stays within an int64.
        service_us = share(min(service_us, HORIZON_MAX_US), station.pace_ppm)
    run.log(LogKind.START, payment, number, service_us)
    station.busy.move(run.now_us, +1)
    if station.rate_count:
        elapsed = run.now_us * station.rate_count
        # The instant was rounded up to a microsecond; the next one is due as if it had not been.
        is_due = elapsed - station.tat < station.rate_count
        station.tat = (station.tat if is_due else elapsed) + station.rate_period_us
    payment.wait = Wait.SERVICE
    payment.wait_subject = number
    # The station goes with the event, since the payment may have left when it comes.
    payment.awaited_step = run.schedule_step(
        payment, EventClass.COMPLETE, service_us, _finish, subject=number
    )


def _finish(run: Run, payment: Payment, due: Due) -> None:
    """End a service; the payment may have gone elsewhere meanwhile, its server has not."""
    number = due.subject
    station = run.stations[number]
    # The counterpart of ``can_start``, which keeps the level at or below ``servers``.
    if station.busy.level < 1:
        run.broken(f"station {number} finishes more than it started", payment.number)
    run.log(LogKind.FINISH, payment, number, stage=due.stage)
    station.busy.move(run.now_us, -1)
    # The server goes to the queue before the payment that used it moves on, and so may not come
    # back to it first.
    _start_waiting(run, number)
    if payment.unanswered_step == due.step:
        payment.unanswered_step = NOWHERE
    # Otherwise orphaned: the payment timed out while it was served. Its server was busy until
    # now all the same.
    if payment.awaited_step == due.step:
        # The stage it is at and not the one it was served at: who awaits an answer has gone on.
        payment.account_time(run.stages[payment.at].cause, run.now_us)
        payment.stop_waiting()
        run.advance(payment, payment.at + 1)


def _start_waiting(run: Run, number: int) -> None:
    station = run.stations[number]
    while len(station.queue) and station.can_start(run.now_us):
        # They start and do not advance; ``_start`` schedules what will.
        payment = station.queue.head()
        station.queue.leave(payment, run.now_us, _rank(station, payment))
        _start(run, number, payment)
    _plan_wake_up(run, number)


def _plan_wake_up(run: Run, number: int) -> None:
    """Come back when the rate limit allows the next start, if that is all those waiting lack."""
    station = run.stations[number]
    # All that those waiting lack must be the rate, otherwise something else will wake them. One
    # wake-up at a time: events are counted and compared.
    if (
        len(station.queue)
        and station.is_open
        and station.busy.level < station.servers
        and not station.rate_allows(run.now_us)
        and not station.wake_up_pending
    ):
        # The step makes the key unique should two wake-ups of a station be due at one instant.
        step = station.wake_ups & STEP_MASK
        key = order_key(EventClass.COMPLETE, STATION_PSEUDO - number, step)
        station.wake_ups += 1
        station.wake_up_pending = True
        # Rounded up to the first microsecond at which the rate allows it.
        run.schedule(-(-station.tat // station.rate_count), key, _wake_up, number)


def _wake_up(run: Run, number: int) -> None:
    run.stations[number].wake_up_pending = False
    _start_waiting(run, number)


def _rank(station: Station, payment: Payment) -> int:
    return payment.priority if station.discipline == Discipline.PRIORITY else 0
