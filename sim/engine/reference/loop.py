"""The loop of the reference engine: arrivals, the calendar, samples, the horizon, the totals.

Takes a plan, workload chunks and a sink; schedules what comes from outside, and sums up at the end.
What happens to a payment in between is in ``operations`` and the files beside it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import numpy as np

from sim.contract.agenda import FileTotal
from sim.contract.large_value import MemberTotal
from sim.contract.layout import NULL, AgendaColumn, RouteSetColumn, StreamColumn, order_key
from sim.contract.meaning import EventClass, LogKind, Op, Outcome
from sim.contract.plan import Array, Plan
from sim.contract.plan_check import check_plan
from sim.contract.records import (
    HISTOGRAM_LENGTH,
    AccountTotal,
    LedgerTotal,
    RecordColumn,
    Register,
    StationTotal,
    WorkloadColumn,
)
from sim.contract.refunds import RefundTotal
from sim.contract.run import Sink, Totals, WorkloadSource
from sim.contract.shops import ShopTotal
from sim.engine.reference.accounts import charge, post, reserve, void
from sim.engine.reference.agenda import Clearing
from sim.engine.reference.foresight import ORACLES, Foresight, Told, Watcher
from sim.engine.reference.inquiries import ask, inquire, retry
from sim.engine.reference.large_value import Systems, settle
from sim.engine.reference.ledgers import batch, plan_round
from sim.engine.reference.operations import (
    await_answer,
    code,
    deadline,
    decide,
    end,
    on_us,
    record,
    resolve,
    transit,
    waiting_cause,
)
from sim.engine.reference.patience import patience
from sim.engine.reference.prices import convert, limit, quote
from sim.engine.reference.readings import keep_totals
from sim.engine.reference.routing import refresh_view, route, switch
from sim.engine.reference.run import Operation, Run, as_array
from sim.engine.reference.shops import answer_call, poll, take_order
from sim.engine.reference.state import NOWHERE, Payment
from sim.engine.reference.stations import serve

OPERATIONS: dict[int, Operation] = {
    Op.SERVE: serve,
    Op.TRANSIT: transit,
    Op.BATCH: batch,
    Op.RESERVE: reserve,
    Op.POST: post,
    Op.VOID: void,
    Op.QUOTE: quote,
    Op.CONVERT: convert,
    Op.CHARGE: charge,
    Op.LIMIT: limit,
    Op.DECIDE: decide,
    Op.CODE: code,
    Op.DEADLINE: deadline,
    Op.PATIENCE: patience,
    Op.ROUTE: route,
    Op.END: end,
    Op.ON_US: on_us,
    Op.AWAIT: await_answer,
    Op.RESOLVE: resolve,
    Op.SWITCH: switch,
    Op.INQUIRE: inquire,
    Op.ASK: ask,
    Op.ANSWER: answer_call,
    Op.RETRY: retry,
    Op.SETTLE: settle,
    Op.ORDER: take_order,
    Op.POLL: poll,
}
"""What every operation does."""


def run_reference(plan: Plan, workload: WorkloadSource, sink: Sink) -> Totals:
    """Run a plan to its horizon.

    Parameters
    ----------
    plan : Plan
        The compiled scenario.
    workload : iterable of ndarray of int64, shape (payments, WORKLOAD_WIDTH)
        Payments in order of submission.
    sink : Sink
        Receives event log, records and progress.

    Returns
    -------
    Totals
        Sums of the run.

    Raises
    ------
    InvariantViolation
        If the plan, the workload or this engine breaks a rule of ``spec``.
    """
    begun = time.perf_counter()
    check_plan(plan)
    run = Run(plan, sink, OPERATIONS)
    # Lazily, row by row: the workload may be endless, and only one arrival is scheduled at any
    # time.
    arrivals: Iterator[list[int]] = (row for chunk in workload for row in chunk.tolist())
    if np.isin(plan.route_set[:, RouteSetColumn.POLICY], ORACLES).any():
        arrivals, seen = _kept(arrivals)
        run.foresight = Foresight(
            lambda told, payments, number: _foreseen(plan, seen[:payments], told, number)
        )
    kept = _begin(run, arrivals)
    # SimPy stops before it handles an event at the horizon, as the specification asks: its own
    # stop event has the highest priority of that instant.
    run.environment.run(until=plan.horizon_us)
    _close(run)
    return _totals(run, kept, time.perf_counter() - begun)


def _begin(run: Run, arrivals: Iterator[list[int]]) -> tuple[Systems, Clearing]:
    """Schedule what comes first of everything that comes from outside."""
    plan = run.plan
    # What comes from outside is scheduled one event ahead of itself. The order of these four
    # calls does not matter, since keys decide among simultaneous events.
    _plan_arrival(run, arrivals)
    run.systems = systems = Systems(run)
    clearing = Clearing(run, systems)
    _plan_calendar(run, clearing, 0)
    if plan.sample_interval_us > 0:
        _plan_sample(run, 0)
    for number, ledger in enumerate(run.ledgers):
        plan_round(run, number, 1, ledger.round_interval_us)
    return systems, clearing


def _kept(arrivals: Iterator[list[int]]) -> tuple[Iterator[list[int]], list[list[int]]]:
    """Return arrivals that are remembered as they are taken, and where."""
    seen: list[list[int]] = []

    def take() -> Iterator[list[int]]:
        for row in arrivals:
            seen.append(row)
            yield row

    return take(), seen


def _foreseen(plan: Plan, rows: list[list[int]], told: Told, number: int) -> list[int] | None:
    """Run a course up to the end of a payment; return its record, None where it does not end."""
    run = Run(plan, Watcher(), OPERATIONS)
    run.foresight = told
    _begin(run, iter(rows))
    while run.environment.peek() < plan.horizon_us:
        run.environment.step()
        for found in run.take_records():
            if found[RecordColumn.PAYMENT] == number:
                return found
    return None


def _plan_arrival(run: Run, arrivals: Iterator[list[int]]) -> None:
    """Schedule the next payment of the workload; only one is on the agenda at any time."""
    row = next(arrivals, None)
    if row is None:
        return
    time_us = row[WorkloadColumn.TIME_US]
    # SimPy would refuse a negative delay, too, but in words of its own.
    if time_us < run.now_us:
        run.broken(f"the workload goes back to {time_us} us", run.payments)
    key = order_key(EventClass.SUBMIT, run.payments, 0)
    run.schedule(time_us, key, _submit, row, arrivals)


def _submit(run: Run, row: list[int], arrivals: Iterator[list[int]]) -> None:
    stream = row[WorkloadColumn.STREAM]
    payment = Payment(
        number=run.payments,
        stream=stream,
        ordinal=row[WorkloadColumn.ORDINAL],
        route_set=row[WorkloadColumn.ROUTE_SET],
        instructed=row[WorkloadColumn.AMOUNT],
        payer=row[WorkloadColumn.PAYER],
        debtor_agent=row[WorkloadColumn.DEBTOR_AGENT],
        creditor_agent=row[WorkloadColumn.CREDITOR_AGENT],
        code_state=row[WorkloadColumn.CODE_STATE],
        code_expiry_us=row[WorkloadColumn.CODE_EXPIRY_US],
        instrument=row[WorkloadColumn.INSTRUMENT],
        route_set_2=row[WorkloadColumn.ROUTE_SET_2],
        instrument_2=row[WorkloadColumn.INSTRUMENT_2],
        priority=run.streams[stream][StreamColumn.PRIORITY],
        submitted_us=run.now_us,
        at=run.streams[stream][StreamColumn.ENTRY],
        accounted_us=run.now_us,
    )
    payment.registers[Register.INSTRUCTED] = payment.instructed
    run.open[payment.number] = payment
    run.payments += 1
    # The next one before this one acts. It may fall on the same instant, and must then be on
    # the agenda.
    _plan_arrival(run, arrivals)
    run.log(LogKind.SUBMIT, payment, stream, payment.instructed, value=payment.ordinal)
    # ENTRY itself and not the row behind it: nothing has happened to the payment yet.
    run.advance(payment, payment.at)


def _plan_calendar(run: Run, clearing: Clearing, index: int) -> None:
    if index < len(run.plan.agenda):
        time_us = int(run.plan.agenda[index, AgendaColumn.TIME_US])
        key = order_key(EventClass.CALENDAR, index, 0)
        run.schedule(time_us, key, _keep_calendar, clearing, index)


def _keep_calendar(run: Run, clearing: Clearing, index: int) -> None:
    """Do what a row of the plan's agenda says."""
    clearing.keep(index)
    # Rows of one instant follow in the order of the plan, as the index is part of the key.
    _plan_calendar(run, clearing, index + 1)


def _plan_sample(run: Run, number: int) -> None:
    time_us = number * run.plan.sample_interval_us
    run.schedule(time_us, order_key(EventClass.SAMPLE, number, 0), _sample, number)


def _sample(run: Run, number: int) -> None:
    # First, and also where nobody keeps samples: the router sees what was sampled last.
    refresh_view(run)
    for index, station in enumerate(run.stations):
        queue = len(station.queue)
        run.log(LogKind.SAMPLE_STATION, None, index, queue, value=station.busy.level)
    for index, ledger in enumerate(run.ledgers):
        run.log(LogKind.SAMPLE_LEDGER, None, index, len(ledger.queue), value=ledger.round)
    for index, ledger in enumerate(run.ledgers):
        load = ledger.load
        if load:
            run.log(LogKind.SAMPLE_LOAD, None, index, load.waiting(run.now_us), value=load.taken)
    for index, account in enumerate(run.accounts):
        if account.is_watched:
            run.log(LogKind.SAMPLE_ACCOUNT, None, index, account.posted, value=account.pending)
    run.systems.sample()
    _plan_sample(run, number + 1)


def _close(run: Run) -> None:
    """Report what is open at the horizon, and close every area."""
    run.now_us = run.plan.horizon_us
    # In order of payment id: payments are put in as they are submitted, and a dict keeps that
    # order.
    for payment in run.open.values():
        payment.account_time(waiting_cause(run, payment), run.now_us)
        # Not counted in ``events``: these rows are written and never scheduled.
        run.key = order_key(EventClass.HORIZON, payment.number, 0)
        run.log(LogKind.OUTCOME, payment, Outcome.IN_PROGRESS, payment.reason)
        run.keep_record(record(run, payment, int(Outcome.IN_PROGRESS), NULL))
    run.flush()
    for station in run.stations:
        # Areas are kept up to the last change only.
        station.busy.settle(run.now_us)
        station.queue.gauge.settle(run.now_us)
    for ledger in run.ledgers:
        ledger.queue.gauge.settle(run.now_us)
        ledger.load.look(run.now_us)
    # Every transfer has two sides in one currency, so each currency sums to zero at any
    # instant. That it does at the end shows that no balance was changed in any other way.
    for account in run.accounts:
        account.settle(run.now_us)
        account.guard.settle(run.now_us)
    _check_balances(run)
    run.sink.take_progress(run.now_us, run.payments, run.events)


def _check_balances(run: Run) -> None:
    """Check that every currency sums to zero and that all that is pending is somebody's."""
    posted = [0] * len(run.plan.world)
    pending = 0
    for account in run.accounts:
        posted[account.currency] += account.posted
        pending += account.pending
    for payment in run.open.values():
        # What is pending on accounts has to be what open payments hold, to the minor unit.
        pending -= sum(transfer.amount for transfer in payment.reservations.values())
    if any(posted) or pending:
        run.broken(f"currencies sum to {posted}, {pending} is pending for nobody", NOWHERE)


def _totals(run: Run, kept: tuple[Systems, Clearing], engine_seconds: float) -> Totals:
    systems, clearing = kept
    keep_totals(run)
    return Totals(
        payments=run.payments,
        events=run.events,
        station=as_array([station.totals() for station in run.stations], len(StationTotal)),
        ledger=as_array([ledger.totals() for ledger in run.ledgers], len(LedgerTotal)),
        account=as_array([account.totals() for account in run.accounts], len(AccountTotal)),
        station_wait=_histograms([station.wait_histogram for station in run.stations]),
        ledger_wait=_histograms([ledger.wait_histogram for ledger in run.ledgers]),
        member=as_array(list(systems.totals.values()), len(MemberTotal)),
        end_posted=_column([account.posted for account in run.accounts]),
        end_pending=_column([account.pending for account in run.accounts]),
        file=as_array(clearing.filed, len(FileTotal)),
        refund=as_array(run.refunds, len(RefundTotal)),
        shop=as_array([shop.total for shop in run.shops], len(ShopTotal)),
        station_reading=_readings(run, 0, len(run.stations), len(StationTotal)),
        ledger_reading=_readings(run, 1, len(run.ledgers), len(LedgerTotal)),
        account_reading=_readings(run, 2, len(run.accounts), len(AccountTotal)),
        engine_seconds=engine_seconds,
    )


def _readings(run: Run, which: int, places: int, width: int) -> Array:
    rows = [row for read in run.readings for row in read[which]]
    return as_array(rows, width).reshape(len(run.readings), places, width)


def _histograms(counts: list[Counter[int]]) -> Array:
    """Return a row of counts by bucket for each place."""
    rows = np.zeros((len(counts), HISTOGRAM_LENGTH), dtype=np.int64)
    for number, found in enumerate(counts):
        # A Counter while the run goes on, as nearly all buckets of a place are empty.
        for bucket, count in found.items():
            rows[number, bucket] = count
    return rows


def _column(values: list[int]) -> Array:
    return np.array(values, dtype=np.int64)
