"""The table of limits: what bounds a payment, and over which period.

Takes nothing; gives the declaration. The meaning of every column is in
:class:`~sim.contract.layout.LimitColumn`.
"""

from __future__ import annotations

from sim.contract.layout import LimitColumn
from sim.contract.records import REGISTER_COUNT
from sim.contract.table import Between, Table

LIMITS = Table(
    "limits",
    LimitColumn,
    {
        LimitColumn.REGISTER: Between(0, REGISTER_COUNT - 1),
        LimitColumn.DAYS: Between(1),
        LimitColumn.SHIFT: Between(0),
    },
)
