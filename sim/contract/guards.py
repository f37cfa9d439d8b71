"""What is watched of an account besides its limit: columns of ``Plan.guard``.

Takes nothing; gives an enumeration in whose docstrings the meaning is said. A part of
:mod:`sim.contract.meaning`.
"""

from __future__ import annotations

from enum import IntEnum

from sim.contract.table import Between, Table


class GuardColumn(IntEnum):
    """Columns of ``Plan.guard``, one row per account."""

    POOL = 0
    """1: a refund is paid out of what the account holds, posted less pending, however far other
    debits may take it below zero; see :mod:`sim.contract.refunds`."""


GUARDS = Table("accounts", GuardColumn, {GuardColumn.POOL: Between(0, 1)})
