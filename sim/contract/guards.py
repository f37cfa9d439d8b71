"""What is watched of an account besides its limit: columns of ``Plan.guard``.

Takes nothing; gives an enumeration in whose docstrings the meaning is said. A part of
:mod:`sim.contract.meaning`.

**Level.** An account's *level* is its posted balance less what is pending on it. It is looked at
right behind every row that changes it (RESERVE, POST, TRANSFER, DEPOSIT, MOVED, VOID; of two
accounts the debited one first), before the RESERVE rows of those the row sets free, and at a
deposit of 0. Nothing is known of it before its first look.

**Alarm.** A level below ALARM_BELOW raises an alarm, unless one is raised; a level that is not ends
it. Either is an ALARM row of nobody's (subject = account, amount = level, value = 1 raised, 0
ended).

**Stop-loss.** Likewise a level below STOP_BELOW closes the owner's *channel* over the account, and
a level that is not opens it again: CHANNEL row, behind the ALARM row (value = 1 closed, 0 open).
While it is closed, no route that names the account among its views is a candidate of anybody's
(:attr:`~sim.contract.meaning.Op.ROUTE`). It is not marked as tried; what is under way goes on.
"""

from __future__ import annotations

from enum import IntEnum

from sim.contract.table import Between, Table


class GuardColumn(IntEnum):
    """Columns of ``Plan.guard``, one row per account."""

    POOL = 0
    """1: a refund is paid out of what the account holds, posted less pending, however far other
    debits may take it below zero; see :mod:`sim.contract.refunds`."""
    ALARM_BELOW = 1
    """In minor units; NULL: nobody is ever alarmed."""
    STOP_BELOW = 2
    """In minor units; NULL: the channel never closes. Of members of large-value systems both are
    NULL."""
    IDLE_PPB = 3
    """What a year (365 days) of money on the account costs its owner, in 10^-9 of it. Engines take
    no notice of this and the next."""
    OVERDRAFT_PPB = 4
    """What a year of overdraft costs it."""
    RESERVE = 5
    """Level a router that spares accounts leaves on it, see :mod:`~sim.contract.policies`."""


GUARDS = Table(
    "accounts",
    GuardColumn,
    {
        GuardColumn.POOL: Between(0, 1),
        GuardColumn.IDLE_PPB: Between(0),
        GuardColumn.OVERDRAFT_PPB: Between(0),
    },
)
