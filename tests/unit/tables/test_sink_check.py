"""What contradicts itself does not reach the disk: records and rows of the log at the sink."""

from __future__ import annotations

import numpy as np
import pytest

from sim.contract.layout import NULL
from sim.contract.meaning import Cause
from sim.contract.plan import Array
from sim.contract.records import LOG_WIDTH, RECORD_WIDTH, LogColumn, RecordColumn
from sim.errors import InvariantViolation
from sim.tables.sink_check import check_log, check_records
from sim.tables.writer import RunWriter
from tests.unit.tables.corridor import run_corridor

HORIZON_US = 100


def records(*lives: tuple[int, int, int]) -> Array:
    """Return records of (payment, submission, end); all time was spent waiting."""
    rows = np.zeros((len(lives), RECORD_WIDTH), dtype=np.int64)
    for row, (payment, submitted, end) in zip(rows, lives, strict=True):
        row[RecordColumn.PAYMENT] = payment
        row[RecordColumn.SUBMITTED_US], row[RecordColumn.END_US] = submitted, end
        until = HORIZON_US if end == NULL else end
        row[RecordColumn.TIME_0 + Cause.WAITING] = until - submitted
    return rows


def log(*times_us: int) -> Array:
    rows = np.zeros((len(times_us), LOG_WIDTH), dtype=np.int64)
    rows[:, LogColumn.TIME_US] = times_us
    return rows


def test_records_whose_times_add_up_pass() -> None:
    check_records(records((1, 5, 40), (0, 0, NULL)), HORIZON_US)


def test_times_that_do_not_add_up_are_refused() -> None:
    rows = records((1, 5, 40), (0, 0, NULL))
    rows[1, RecordColumn.TIME_0 + Cause.RETRY] += 1
    with pytest.raises(InvariantViolation, match=r"add up to 101 us.*payment 0\)"):
        check_records(rows, HORIZON_US)


def test_a_payment_with_two_records_is_refused() -> None:
    with pytest.raises(InvariantViolation, match=r"two records.*payment 7\)"):
        check_records(records((7, 5, 40), (3, 5, 40), (7, 5, 40)), HORIZON_US)


def test_a_log_that_goes_on_in_time_passes() -> None:
    assert check_log(log(5, 5, 9), 5) == 9


@pytest.mark.parametrize(("rows", "since_us"), [(log(5, 4), 0), (log(4, 5), 5)])
def test_a_log_that_goes_back_in_time_is_refused(rows: Array, since_us: int) -> None:
    with pytest.raises(InvariantViolation, match="goes back in time"):
        check_log(rows, since_us)


def test_a_writer_refuses_what_an_engine_got_wrong() -> None:
    run = run_corridor(seed=7)
    spoiled = run.records.copy()
    spoiled[0, RecordColumn.TIME_0] += 1
    RunWriter(run.plan).take_records(run.records)
    with pytest.raises(InvariantViolation, match="add up"):
        RunWriter(run.plan).take_records(spoiled)
