"""Say what the rows of ``stages.parquet`` and ``series.parquet`` must be, from the log.

Takes the visits the replay follows and the SAMPLE rows of the log; gives demanded rows as numbers.
Written from the meaning of log rows in :mod:`sim.contract.meaning`, with nothing of the code that
writes the tables.
"""

from __future__ import annotations

import numpy as np

from sim.audit.clearing_tables import SHOWN, currency_of, place_of_row
from sim.audit.names import first_of_name, series_words, visit_words
from sim.audit.pairing import Layout
from sim.audit.pools import Visit
from sim.audit.state import Wait
from sim.contract.agenda import AgendaKind
from sim.contract.layout import AccountColumn
from sim.contract.meaning import LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import LogColumn
from sim.tables.schemas import SERIES_FILE, SERIES_KINDS, SERIES_MEASURES, STAGES_FILE

_VISIT_COLUMNS = (
    "payment_id", "stage", "stage_name", "station", "queued_us", "started_us", "ended_us", "cause",
)  # fmt: skip
_SERIES_COLUMNS = ("time_us", "kind", "name", "measure", "value", "currency")
_SHOWN_BY = {
    LogKind.SAMPLE_STATION: ("station", "queue", "busy"),
    LogKind.SAMPLE_LEDGER: ("ledger", "queue", "rounds"),
    LogKind.SAMPLE_ACCOUNT: ("account", "balance_minor", "pending_minor"),
    **{LogKind[kind.name]: shown for kind, shown in SHOWN.items()},
    LogKind.ALARM: ("guard", "level_minor", "alarm"),
    LogKind.CHANNEL: ("guard", "level_minor", "closed"),
    LogKind.SAMPLE_SYSTEM: ("system", "queue", "settled"),
    LogKind.SAMPLE_MEMBER: ("member", "queued_minor", "settled_minor"),
    LogKind.SAMPLE_LOAD: ("ledger", "load_waiting", "load_taken"),
}
"""What a sample is of, and what its amount and its value are."""


def visit_layout(plan: Plan) -> Layout:
    """Return how ``stages.parquet`` is compared: a payment's visits to a stage in their order."""
    return Layout(STAGES_FILE, _VISIT_COLUMNS, visit_words(plan), keys=2, rule="visits")


def series_layout(plan: Plan) -> Layout:
    """Return how ``series.parquet`` is compared: every figure as a whole."""
    words = series_words(plan)
    return Layout(SERIES_FILE, _SERIES_COLUMNS, words, keys=len(_SERIES_COLUMNS), rule="series")


def demand_visits(plan: Plan, layout: Layout, visits: Array) -> Array:
    """Return the rows of ``stages.parquet`` that visits demand.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    layout : Layout
        From :func:`visit_layout`.
    visits : ndarray of int64, shape (visits, 8)
        See :class:`~sim.audit.state.Visit`.
    """
    kind, subject = visits[:, Visit.KIND], visits[:, Visit.SUBJECT]
    ledgers_from = len(plan.names.stations)
    # Tables name places, so stations, ledgers and accounts are numbered one after the other.
    offset = np.zeros(len(visits), dtype=np.int64)
    offset[(kind == Wait.LEDGER) | (kind == Wait.BLOCK)] = ledgers_from
    offset[(kind == Wait.LIQUIDITY) | (kind == Wait.SYSTEM)] = ledgers_from + len(
        plan.names.ledgers
    )
    is_nowhere = (kind == Wait.DELAY) | (kind == Wait.ANSWER)
    place = np.where(is_nowhere, -1, subject + offset)
    stage = visits[:, Visit.STAGE]
    return np.column_stack(
        [
            visits[:, Visit.PAYMENT],
            stage,
            first_of_name(stage, layout.words["stage_name"]),
            first_of_name(place, layout.words["station"]),
            visits[:, Visit.QUEUED_US],
            visits[:, Visit.STARTED_US],
            visits[:, Visit.ENDED_US],
            visits[:, Visit.CAUSE],
        ]
    )


def samples_of(log: Array) -> Array:
    """Return the rows among those of a log that ``series.parquet`` shows."""
    kind = log[:, LogColumn.KIND]
    is_sample = (kind >= LogKind.SAMPLE_STATION) & (kind <= LogKind.SAMPLE_ACCOUNT)
    is_agenda = (kind >= LogKind.FILE_CUT) & (kind <= LogKind.TOP_UP_ARRIVED)
    others = (
        LogKind.ALARM,
        LogKind.CHANNEL,
        LogKind.SAMPLE_SYSTEM,
        LogKind.SAMPLE_MEMBER,
        LogKind.SAMPLE_LOAD,
    )
    found: Array = log[is_sample | is_agenda | np.isin(kind, others)]
    return found


def demand_series(plan: Plan, layout: Layout, log: Array) -> Array:
    """Return the rows of ``series.parquet`` that rows of the log demand, two for each sample."""
    samples = samples_of(log)
    # Two rows per sample, side by side, in the order in which they are written.
    made = np.empty((len(samples), 2, len(_SERIES_COLUMNS)), dtype=np.int64)
    ledgers_from = len(plan.names.stations)
    firsts = (0, ledgers_from, ledgers_from + len(plan.names.ledgers))
    for at_kind, (log_kind, (thing, *measures)) in enumerate(_SHOWN_BY.items()):
        mine = samples[:, LogColumn.KIND] == log_kind
        subject = samples[mine, LogColumn.SUBJECT]
        is_guard = log_kind in (LogKind.ALARM, LogKind.CHANNEL)
        if is_guard or log_kind == LogKind.SAMPLE_MEMBER:
            number = subject + firsts[2]
        elif log_kind == LogKind.SAMPLE_SYSTEM:
            number = subject + len(layout.words["name"]) - len(plan.names.systems)
        elif log_kind == LogKind.SAMPLE_LOAD:
            number = subject + firsts[1]
        elif log_kind >= LogKind.FILE_CUT:
            number = place_of_row(plan, log_kind - LogKind.FILE_CUT + AgendaKind.FILE_CUT, subject)
        else:
            number = subject + firsts[at_kind]
        place = first_of_name(number, layout.words["name"])
        for at, (measure, column) in enumerate(
            zip(measures, (LogColumn.AMOUNT, LogColumn.VALUE), strict=True)
        ):
            made[mine, at, 0] = samples[mine, LogColumn.TIME_US]
            made[mine, at, 1] = SERIES_KINDS.index(thing)
            made[mine, at, 2] = place
            made[mine, at, 3] = SERIES_MEASURES.index(measure)
            made[mine, at, 4] = samples[mine, column]
            made[mine, at, 5] = -1
            is_money = log_kind in (LogKind.SAMPLE_ACCOUNT, LogKind.SAMPLE_MEMBER)
            if is_money or (is_guard and at == 0):
                account = samples[mine, LogColumn.SUBJECT]
                made[mine, at, 5] = plan.account[account, AccountColumn.CURRENCY]
            elif is_guard or log_kind in (LogKind.SAMPLE_SYSTEM, LogKind.SAMPLE_LOAD):
                continue
            elif log_kind >= LogKind.FILE_CUT:
                made[mine, at, 5] = currency_of(plan, measure, subject)
    return made.reshape(-1, len(_SERIES_COLUMNS))
