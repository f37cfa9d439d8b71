"""Qualities of stages and places: flags, causes of time, orders of queues, closed doors.

Takes nothing; gives enumerations. A part of :mod:`sim.contract.meaning`, which hands the names on.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Flag(IntFlag):
    """Qualities of a stage."""

    SETTLES = 1
    CREDITS = 2
    QUEUE = 4
    NEXT = 8
    ASKS = 16
    CONFIRMS = 32
    AUTHORISES = 64
    SAME = 128
    """Of ANSWER: the answer is the payment's outcome, and is waited for."""


class Cause(IntEnum):
    """Where a payment's time went; columns of the payment record, in this order."""

    WAITING = 0
    SERVICE = 1
    TRANSIT = 2
    LEDGER = 3
    HUMAN = 4
    LIQUIDITY = 5
    IN_DOUBT = 6
    RETRY = 7
    """The last one: what moves to it are the causes before it."""


class Discipline(IntEnum):
    """Order of a station's queue."""

    FIFO = 0
    LIFO = 1
    PRIORITY = 2
    """Lowest PRIORITY of the payment's stream first, first in first out within."""


class WhenClosed(IntEnum):
    """What a closed station does with arrivals; service already begun always goes on."""

    WAIT = 0
    REJECT = 1


class Scope(IntEnum):
    """Whether headline measures cover a payment or it is background."""

    CROSS_BORDER = 0
    DOMESTIC = 1


class Instead(IntEnum):
    """What a payer does whose payment failed for good."""

    GAVE_UP = 0
    """Nothing: the sale is lost."""
    CASH = 1
    """Pays cash: the sale is made, and no rail carries it."""
