"""Columns of what is under way in an audit: visits, reservations, services.

Takes nothing; gives enumerations of columns, as :mod:`sim.audit.state` does.
"""

from __future__ import annotations

from enum import IntEnum


class Visit(IntEnum):
    """Columns of a visit: one wait or service of one payment, from queue to end."""

    PAYMENT = 0
    STAGE = 1
    KIND = 2
    """Member of :class:`Wait`: what it ended as."""
    SUBJECT = 3
    """Station, ledger or account; -1 for a delay."""
    QUEUED_US = 4
    STARTED_US = 5
    """NULL where it never came to be served."""
    ENDED_US = 6
    """NULL where the horizon came first."""
    CAUSE = 7


class Held(IntEnum):
    """Columns of a reservation."""

    TRANSFER = 0
    DEBIT = 1
    CREDIT = 2
    AMOUNT = 3
    NEXT = 4


class Service(IntEnum):
    """Columns of a service under way; the key is payment and step."""

    KEY = 0
    STATION = 1
    DUE_US = 2
    STAGE = 3


class ShopState(IntEnum):
    """Columns of what is rebuilt of a shop."""

    LEFT = 7
    TAT = 8
    """When its token is free again, times its rate."""
    HEAD = 9
    """Slots of the first and the last of its open orders, and their number."""
    TAIL = 10
    OPEN = 11
