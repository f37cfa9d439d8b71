"""Check ``stages.parquet`` and ``series.parquet`` without the event log.

Takes a run folder and its plan; reports visits that do not add up to the payments' times by cause,
and samples that are missing, twice, or show what no place of the plan can hold.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from sim.audit.checker import Checker, is_pair
from sim.audit.clearing_tables import check_clearing
from sim.audit.findings import Findings
from sim.audit.guard_series import check_guards
from sim.audit.names import cells, first_of_name, series_words, visit_words
from sim.contract.large_value import MemberColumn
from sim.contract.layout import (
    NULL,
    UNLIMITED,
    AccountColumn,
    LedgerColumn,
    StageColumn,
    StationColumn,
)
from sim.contract.loads import LoadColumn
from sim.contract.meaning import Cause, Op
from sim.contract.plan import Array, Plan
from sim.tables.finished_run import FinishedRun
from sim.tables.reading import open_table
from sim.tables.schemas import (
    CAUSES,
    SERIES_FILE,
    SERIES_KINDS,
    SERIES_MEASURES,
    STAGES_FILE,
)

_VISIT = (
    "payment_id", "stage", "station", "queued_us", "started_us", "ended_us", "cause", "stage_name",
)  # fmt: skip
_SAMPLE = ("replication", "time_us", "kind", "name", "measure", "value", "currency")
_MEASURES = {
    "station": ("queue", "busy"),
    "ledger": ("queue", "rounds"),
    "account": ("balance_minor", "pending_minor"),
    "system": ("queue", "settled"),
    "member": ("queued_minor", "settled_minor"),
}
_LOAD_MEASURES = ("load_waiting", "load_taken")


def check_visits(
    run: FinishedRun,
    plan: Plan,
    payments: dict[str, Array],
    *,
    place: Callable[[Array, Array], Array],
    check: Checker,
    replication: int | None,
) -> None:
    """Check that the visits of each payment add up to its times by cause.

    Parameters
    ----------
    run : FinishedRun
        A run with ``stages.parquet``.
    plan : Plan
        Its plan.
    payments : dict of str to ndarray
        Columns of ``payments.parquet`` as numbers.
    place : callable
        Gives the row of payments by replication and number, -1 for none.
    check : Checker
        Of the payments.
    replication : int or None
        Whose rows, None for all.

    Notes
    -----
    A payment's time passes in visits only. What an earlier route took is RETRY, so the causes of a
    payment that failed over add up as a whole and not one by one.
    """
    words = visit_words(plan)
    spent = np.zeros((len(payments["payment_id"]), len(Cause)), dtype=np.int64)
    for batch in open_table(run.path / STAGES_FILE, ["replication", *_VISIT]):
        table = pa.Table.from_batches([batch])
        rows = cells(table, ("replication", *_VISIT), words)
        if replication is not None:
            rows = rows[rows[:, 0] == replication]
        of = place(rows[:, 0], rows[:, 1])
        check_rows = check.among(rows[:, 1])
        check_rows.every("visits", of >= 0, "a visit of a payment that is not there")
        right = _is_visit(plan, rows)
        named = first_of_name(rows[:, 2], words["stage_name"])
        check_rows.every("names", rows[:, 8] == named, "a stage_name that is not its stage's")
        check_rows.every("visits", right, "a visit in no order, or at no place of its stage")
        # Batch by batch into one array per payment: visits may be many times as many as
        # payments.
        _add_times(plan, rows[(of >= 0) & right], of[(of >= 0) & right], spent)
    shown = np.column_stack([payments[f"{cause}_us"] for cause in CAUSES])
    # A fail-over moves what was spent to RETRY; which visits that were is not in the table.
    failed_over = (payments["attempts"] > 1) | (payments["retry_us"] > 0)
    right = (spent == shown).all(axis=1) | failed_over
    check.every("visits", right, "its visits do not add up to its times by cause")
    within = (spent >= shown) | (np.arange(len(Cause)) == Cause.RETRY)
    check.every("visits", within.all(axis=1), "a time by cause beyond that of its visits")
    # A person's time is a person's on every route.
    human = spent[:, Cause.HUMAN] == shown[:, Cause.HUMAN]
    check.every("visits", human, "a person's time that is not that of its visits")
    # Whatever the causes, the whole has to be right.
    right = spent.sum(axis=1) == shown.sum(axis=1)
    check.every("visits", right, "its visits do not add up to its life")


def _is_visit(plan: Plan, rows: Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return whether visits are in order and where their stages send payments."""
    stage, station = rows[:, 2], rows[:, 3]
    queued, started, ended = rows[:, 4], rows[:, 5], rows[:, 6]
    exists = (stage >= 0) & (stage < len(plan.stage))
    op = plan.stage[np.where(exists, stage, 0), StageColumn.OP]
    cause = plan.stage[np.where(exists, stage, 0), StageColumn.CAUSE]
    until = np.where(ended == NULL, plan.horizon_us, ended)
    in_order = (queued >= 0) & (until >= queued) & (until <= plan.horizon_us)
    in_order &= (started == NULL) | ((started >= queued) & (started <= until))
    # Nobody waits to be delayed, and liquidity is given, not worked at.
    in_order &= ((op != Op.TRANSIT) & (op != Op.AWAIT)) | (started == queued)
    in_order &= ((op != Op.RESERVE) & (op != Op.SETTLE)) | (started == NULL)
    ledgers_from = len(plan.names.stations)
    accounts_from = ledgers_from + len(plan.names.ledgers)
    at_place = np.select(
        [
            op == Op.SERVE,
            op == Op.BATCH,
            (op == Op.RESERVE) | (op == Op.SETTLE),
            (op == Op.TRANSIT) | (op == Op.AWAIT),
        ],
        [
            (station >= 0) & (station < ledgers_from),
            (station >= ledgers_from) & (station < accounts_from),
            station >= accounts_from,
            station < 0,
        ],
        default=False,
    )
    for_cause = rows[:, 7] == np.where(op == Op.RESERVE, int(Cause.LIQUIDITY), cause)
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = exists & in_order & at_place & for_cause
    return found


def _add_times(plan: Plan, rows: Array, of: Array, spent: Array) -> None:
    """Add the times of visits to the causes of their payments."""
    queued, started, cause = rows[:, 4], rows[:, 5], rows[:, 7]
    until = np.where(rows[:, 6] == NULL, plan.horizon_us, rows[:, 6])
    is_served = plan.stage[rows[:, 2], StageColumn.OP] == Op.SERVE
    # Only at a station is what comes before the work another cause.
    begun = np.where(is_served, np.where(started == NULL, until, started), queued)
    np.add.at(spent, (of, np.full(len(of), int(Cause.WAITING))), begun - queued)
    np.add.at(spent, (of, cause), until - begun)


def check_series(
    run: FinishedRun, plan: Plan, findings: Findings, *, replication: int | None
) -> None:
    """Check that every place is sampled at every instant due, and shows what it can hold.

    Parameters
    ----------
    run : FinishedRun
        A run with ``series.parquet``.
    plan : Plan
        Its plan.
    findings : Findings
        Where violations go.
    replication : int or None
        Whose rows, None for all.
    """
    words = series_words(plan)
    table = run.table(SERIES_FILE)
    rows = cells(table, _SAMPLE, words)
    if replication is not None:
        rows = rows[rows[:, 0] == replication]
    guards = rows[rows[:, 2] == SERIES_KINDS.index("guard")]
    check_guards(plan, guards, words["name"], Checker(findings, guards[:, 1], "level at"))
    rows = rows[rows[:, 2] != SERIES_KINDS.index("guard")]
    is_cleared = np.isin(rows[:, 2], [SERIES_KINDS.index(kind) for kind in ("line", "top_up")])
    cleared = rows[is_cleared]
    check_clearing(
        plan, cleared, words["name"], Checker(findings, cleared[:, 1], "file or order at")
    )
    rows = rows[~is_cleared]
    check = Checker(findings, rows[:, 1], "sample at")
    things, lowest, highest = _limits(plan, words["name"])
    for name in ("kind", "name", "measure"):
        known = rows[:, _SAMPLE.index(name)]
        check.every("names", (known >= 0) & (known < len(words[name])), f"no {name} of the plan")
    is_account = np.isin(rows[:, 2], [SERIES_KINDS.index(kind) for kind in ("account", "member")])
    first = len(plan.names.stations) + len(plan.names.ledgers)
    held = np.append(plan.account[:, AccountColumn.CURRENCY], np.int64(-1))
    account = np.where(is_account, np.clip(rows[:, 3] - first, 0, len(plan.account)), -1)
    check.every("series", rows[:, 6] == held[account], "a currency its place does not have")
    width = len(words["name"]) + 1
    kind_name = rows[:, 2] * width + rows[:, 3]
    is_thing = is_pair(kind_name, rows[:, 4], (things[:, 0] * width + things[:, 1], things[:, 2]))
    check.every("series", is_thing, "a figure its place does not have")
    key = (things[:, 0] * width + things[:, 1]) * len(SERIES_MEASURES) + things[:, 2]
    order = np.argsort(key, kind="stable")
    mine = kind_name * len(SERIES_MEASURES) + rows[:, 4]
    if len(key):
        near = order[np.minimum(np.searchsorted(key[order], mine), len(key) - 1)]
        within = (rows[:, 5] >= lowest[near]) & (rows[:, 5] <= highest[near])
        check.every("series", ~is_thing | within, "a figure beyond what its place can hold")
    _check_grid(plan, rows, len(things), check)
    _check_rounds(plan, rows, check)


def _limits(plan: Plan, names: tuple[str, ...]) -> tuple[Array, Array, Array]:
    """Return kind, name and measure of every figure sampled, and the least and most it can be."""
    found: list[tuple[int, int, int, int, int]] = []
    never = -UNLIMITED

    def add(
        kind: str,
        place: int,
        limits: tuple[tuple[int, int], tuple[int, int]],
        measures: tuple[str, str] | None = None,
    ) -> None:
        named = int(first_of_name(np.array([place]), names)[0])
        for measure, (low, high) in zip(measures or _MEASURES[kind], limits, strict=True):
            at = SERIES_MEASURES.index(measure)
            found.append((SERIES_KINDS.index(kind), named, at, low, high))

    for at, row in enumerate(plan.station.tolist()):
        queue, servers = row[StationColumn.QUEUE_LIMIT], row[StationColumn.SERVERS]
        # A queue up to its limit, servers up to their number.
        add("station", at, ((0, queue), (0, servers)))
    ledgers_from = len(plan.names.stations)
    for at, row in enumerate(plan.ledger.tolist()):
        rounds = plan.horizon_us // row[LedgerColumn.ROUND_INTERVAL_US]
        # Not more rounds than intervals fit into the run.
        add("ledger", ledgers_from + at, ((0, UNLIMITED), (0, rounds)))
        count = int(plan.load[at, LoadColumn.COUNT])
        if count:
            # Nobody carries more than joins.
            most = int(plan.load_count[plan.load[at, LoadColumn.FIRST] + count - 1])
            add("ledger", ledgers_from + at, ((0, most), (0, most)), _LOAD_MEASURES)
    accounts_from = ledgers_from + len(plan.names.ledgers)
    for at, row in enumerate(plan.account.tolist()):
        if row[AccountColumn.WATCHED]:
            overdraft = row[AccountColumn.OVERDRAFT]
            # Accounts without limit have no lower bound.
            low = -overdraft if overdraft < UNLIMITED else never
            add("account", accounts_from + at, ((low, UNLIMITED), (0, UNLIMITED)))
    systems_from = len(names) - len(plan.names.systems)
    for at in range(len(plan.system)):
        add("system", systems_from + at, ((0, UNLIMITED), (0, UNLIMITED)))
    for account in plan.member[:, MemberColumn.ACCOUNT].tolist():
        add("member", accounts_from + account, ((0, UNLIMITED), (0, UNLIMITED)))
    made = np.array(found, dtype=np.int64).reshape(-1, 5)
    return made[:, :3], made[:, 3], made[:, 4]


def _check_grid(plan: Plan, rows: Array, figures: int, check: Checker) -> None:
    """Check that each figure is there once for each instant due."""
    interval = plan.sample_interval_us
    on_time = (rows[:, 1] >= 0) & (rows[:, 1] < plan.horizon_us)
    if interval > 0:
        on_time &= rows[:, 1] % interval == 0
    check.every("series", on_time & (interval > 0), "a sample at no instant due")
    if interval <= 0:
        return
    # All columns but the value: the same figure twice at one instant.
    told = np.unique(rows[:, :5], axis=0)
    message = "figures twice"
    check.among(np.array([0])).every("series", np.array([len(told) == len(rows)]), message)
    due = figures * -(-plan.horizon_us // interval)
    of, counts = np.unique(rows[:, 0], return_counts=True)
    check.among(of, "replication").every("series", counts == due, f"not the {due} figures due")


def _check_rounds(plan: Plan, rows: Array, check: Checker) -> None:
    """Check that rounds, and what has settled or was taken, never go back."""
    for measure in ("rounds", "settled", "settled_minor", "load_taken"):
        told = rows[rows[:, 4] == SERIES_MEASURES.index(measure)]
        told = told[np.lexsort((told[:, 1], told[:, 3], told[:, 0]))]
        same = (told[1:, [0, 3]] == told[:-1, [0, 3]]).all(axis=1)
        right = ~same | (told[1:, 5] >= told[:-1, 5])
        check.among(told[1:, 1], "sample at").every("series", right, f"{measure} that went back")
