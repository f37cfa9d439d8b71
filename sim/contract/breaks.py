"""Reconciliation breaks: payments about which two sides' books disagree at the end of a day.

Takes nothing; gives the columns of ``Plan.reconciliation``, in order of time, and ages. Engines
take no notice; a run's breaks follow from its records.

At an instant ``t`` a payment is a break if it *stands debited*, ``SETTLED_US < t <= s`` with ``s``
the first of CREDITED_US and END_US that is not NULL, or *stands in doubt*, ``DOUBTED_US < t <= k``
with ``k = KNOWN_US``, without end while IN_DOUBT_SINCE_US is not NULL. (What happens at ``t``
itself happens behind the comparison.) It stands since the earlier start of those that hold. Its age
is a number of days by the local clock of the scenario: the day of ``t - 1`` less the day of that
start, a day of an instant being ``(instant + day_offset_us) // DAY_US``. It is *new* where it was
no break at the reconciliation before. It counts with its instructed amount, the rail and the
settlement agent of its last route.
"""

from __future__ import annotations

from enum import IntEnum

from sim.contract.table import Between, Table


class ReconciliationColumn(IntEnum):
    """Columns of ``Plan.reconciliation``: an instant each at which books are compared."""

    AT_US = 0


BREAK_AGES = (
    "same_day",
    "one_day",
    "two_to_three_days",
    "four_to_seven_days",
    "over_seven_days",
)
"""How old a break is at a reconciliation, in days."""

AGE_FROM_DAYS = (0, 1, 2, 4, 8)
"""Least days of each age."""

RECONCILIATIONS = Table(
    "reconciliations", ReconciliationColumn, {ReconciliationColumn.AT_US: Between(1)}
)
"""The table of the plan that these are columns of."""
