"""What goes into an engine and what comes out of it.

An engine takes a :class:`~sim.contract.plan.Plan`, workload chunks and a :class:`Sink`; it gives
rows of the event log and finished payments to the sink while it runs, and returns :class:`Totals`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from sim.contract.plan import Array, Plan

WorkloadSource = Iterable[Array]
"""Chunks of shape (payments, WORKLOAD_WIDTH), in order of submission, each consumed once."""


BALANCE_TOO_LARGE = (
    "the balance of an account, or what is reserved on it, would reach 2^60 minor units; needed: "
    "smaller accounts, opening_balance, deposits or amounts, a lower rate or a shorter horizon"
)
SUM_TOO_LARGE = (
    "the time payments spent in one place would sum up to 2^62 microseconds; needed: a shorter "
    "horizon, or a load under which fewer payments wait"
)
"""What an engine says where a run outgrows what it can count; see "Bounds" in ``meaning``."""


class Sink(Protocol):
    """Receiver of what happens while an engine runs. The arrays belong to it once given.

    A sink may also carry ``wants_samples = True``: without the log, its SAMPLE rows are then given
    all the same, through ``take_log``.
    """

    wants_log: bool
    """Whether event-log rows are wanted at all."""
    wants_records: bool
    """Whether finished payments are wanted one by one."""

    def take_log(self, rows: Array) -> None:
        """Take event-log rows of shape (rows, LOG_WIDTH), in order."""

    def take_records(self, rows: Array) -> None:
        """Take payment records of shape (payments, RECORD_WIDTH), in the order they ended."""

    def take_progress(self, time_us: int, payments: int, events: int) -> None:
        """Take simulated time, payments submitted and events so far, a few times a second."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over a run; equal between engines to the last bit.

    Attributes
    ----------
    payments, events : int
        Payments submitted below the horizon; events handled (see ``spec``: orphans included).
    station, ledger, account : ndarray of int64
        Shapes (stations, 6), (ledgers, 9), (accounts, 19): see StationTotal, LedgerTotal,
        AccountTotal.
    station_wait : ndarray of int64
        (stations, HISTOGRAM_LENGTH): histogram of waits of payments that started, in microseconds,
        by :func:`~sim.contract.records.histogram_bucket`; starts at or after the warm-up only.
    ledger_wait : ndarray of int64
        (ledgers, HISTOGRAM_LENGTH): likewise of waits from ENQUEUE to commit.
    member : ndarray of int64
        (members, 6): see :class:`~sim.contract.large_value.MemberTotal`.
    end_posted, end_pending : ndarray of int64
        (accounts,): balances at the horizon.
    file : ndarray of int64
        (files, 2): see :class:`~sim.contract.agenda.FileTotal`.
    refund : ndarray of int64
        (streams, 4): see :class:`~sim.contract.refunds.RefundTotal`.
    shop : ndarray of int64
        (shops, 10): see :class:`~sim.contract.shops.ShopTotal`.
    station_reading, ledger_reading, account_reading : ndarray of int64
        (readings + 1, stations, 6), (readings + 1, ledgers, 6), (readings + 1, accounts, 19): the
        same totals as they were at each reading and at the horizon (:mod:`sim.contract.windows`).
    engine_seconds : float
        Wall time inside the engine; not compared.
    """

    payments: int
    events: int
    station: Array
    ledger: Array
    account: Array
    station_wait: Array
    ledger_wait: Array
    member: Array
    end_posted: Array
    end_pending: Array
    file: Array
    refund: Array
    shop: Array
    station_reading: Array
    ledger_reading: Array
    account_reading: Array
    engine_seconds: float


class Engine(Protocol):
    """Function that runs a plan."""

    def __call__(self, plan: Plan, workload: WorkloadSource, sink: Sink) -> Totals:
        """Run to the horizon and return the totals."""


Progress = Callable[[int, int, int], None]
