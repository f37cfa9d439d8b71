"""What holds of everything an engine gives a sink, checked where it arrives.

Takes chunks of records and of the log; raises where they contradict themselves. Each check is the
second of a pair, whose first end stands in the engine: what an engine gets wrong is found before it
is on disk, and not first by an audit that nobody may ask for. Whole columns are looked at, so a
payment costs some nanoseconds.
"""

from __future__ import annotations

import numpy as np

from sim.contract.layout import NULL
from sim.contract.meaning import Cause
from sim.contract.plan import Array
from sim.contract.records import LogColumn, RecordColumn
from sim.errors import InvariantViolation


def check_records(rows: Array, horizon_us: int) -> None:
    """Check what holds of every chunk of payment records.

    Parameters
    ----------
    rows : ndarray of int64, shape (payments, RECORD_WIDTH)
        In the order the payments ended.
    horizon_us : int
        End of the run; payments that are open have their times up to it.

    Raises
    ------
    InvariantViolation
        If the times by cause of a payment do not add up to its life, or a payment ends twice.
    """
    end, submitted = rows[:, RecordColumn.END_US], rows[:, RecordColumn.SUBMITTED_US]
    lived = np.where(end == NULL, horizon_us, end) - submitted
    spent = rows[:, RecordColumn.TIME_0 : RecordColumn.TIME_0 + len(Cause)].sum(axis=1)
    # Pair "times by cause add up": the other end is account_time in both engines, which takes what
    # it adds to a cause from one interval, and `end` in reference/operations.py.
    for at in np.flatnonzero(spent != lived)[:1].tolist():
        raise InvariantViolation(
            f"a record's times by cause add up to {spent[at]} us, the payment lived {lived[at]} us",
            payment=int(rows[at, RecordColumn.PAYMENT]),
        )
    # Pair "a payment ends once": the other end is the id of a slot, which ending sets to -1. Only
    # within a chunk, since memory must not grow with the run.
    numbers = np.sort(rows[:, RecordColumn.PAYMENT])
    for at in np.flatnonzero(numbers[1:] == numbers[:-1])[:1].tolist():
        raise InvariantViolation("a payment has two records", payment=int(numbers[at]))


def check_log(rows: Array, since_us: int) -> int:
    """Check that time never goes back in the log, and return the instant of its last row.

    Parameters
    ----------
    rows : ndarray of int64, shape (rows, LOG_WIDTH)
        At least one.
    since_us : int
        Instant of the last row before these.

    Raises
    ------
    InvariantViolation
        If a row lies before the one above it.
    """
    times = rows[:, LogColumn.TIME_US]
    # Pair "time never goes back": the other end is E_ORDER in kernel/loop.py, and the agenda of
    # SimPy, which refuses negative delays.
    if times[0] < since_us or bool((times[1:] < times[:-1]).any()):
        raise InvariantViolation(f"the log goes back in time after {since_us} us")
    return int(times[-1])
