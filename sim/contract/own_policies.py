"""What a router tells a function of the user's own, and what it does with the answer.

Takes nothing; gives what is said to such functions and the table of plans that names them. A part
of :mod:`sim.contract.policies`.

**Score.** Policy OWN asks the function ``score`` of the route's rule (:attr:`RuleColumn.OWN
<sim.contract.policies.RuleColumn.OWN>`) what a candidate is worth, once per candidate and choice,
and tells it what is :class:`Known`, the route's memory and the settings. The answer is a whole
number from 0 to 2^60 - 1; the lowest wins. Bars, ranks, shares and the rule that a single candidate
is taken unscored are those of every policy; a price that would fail scores 2^61 without being asked
about.

**Memory.** Each route has MEMORY whole numbers, all 0 at first. They are changed by the function
``hear`` alone, which is told :class:`Heard`, the memory and the settings: when an attempt over the
route begins (behind its ROUTE row), and when it ends. With SAMPLED scores are told the memory as it
was at the last SAMPLE.

Both functions are functions of what they are told and of nothing else. What goes wrong in one, an
answer out of bounds included, ends the run with the user's mistake; memory stays within 64 bits.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from sim.contract.table import Between, Table

OWN_SCORE_MAX = (1 << 60) - 1
"""Highest score: above it stand barred routes."""
MEMORY_MAX = 16
"""Most numbers a route's memory has."""
SETTINGS_MAX = 8
"""Most settings of a policy."""
SPARE_NONE = 1 << 62
"""Spare of a route that is not known to draw on any account."""


class Known(NamedTuple):
    """What a router knows of a candidate, told to ``score``; whole numbers all of them."""

    payment: int
    """Number of the payment, counted from 0 in order of submission."""
    now_us: int
    attempt: int
    """1 for the first choice, 2 for the first fail-over."""
    position: int
    """Among the candidates of the route set, from 0."""
    instructed: int
    """Amount the payment is about, in minor units of the fixed side."""
    debited: int
    """What the route would debit now; 0 where it carries no money, likewise the next two."""
    credited: int
    cost: int
    """FX_MARGIN + PAYER_FEE now, in minor units of the debited currency."""
    expected_us: int
    """Time of the route without queues."""
    time_us: int
    """The same with the queues of the last SAMPLE."""
    spare: int
    """What the accounts it draws on would have left above their RESERVE after this payment, as they
    are now; the least of them, SPARE_NONE where there are none."""


class Heard(NamedTuple):
    """What a router hears of an attempt, told to ``hear``; whole numbers all of them."""

    event: int
    """0: it begins; 1: it succeeded; 2: it failed; 3: it ended and says nothing of the route."""
    payment: int
    now_us: int
    took_us: int
    """Since its ROUTE row, without the time of a person; 0 where it begins."""
    reason: int
    """Of the FAIL or EXPIRE row it ended with, -1 where it did not."""


BEGUN, SUCCEEDED, FAILED, SAYS_NOTHING = range(4)
"""Events of :class:`Heard`."""
KNOWN_WIDTH = len(Known._fields)
HEARD_WIDTH = len(Heard._fields)


class OwnColumn(IntEnum):
    """Columns of ``Plan.own``: functions of the user's own, by name."""

    MEMORY = 0
    DIGEST = 1
    """62 bits of a digest of the functions, so that a plan is another one when they change."""


OWN = Table("policies", OwnColumn, {OwnColumn.MEMORY: Between(0, MEMORY_MAX)})
OWN_SETTINGS = Table("policies", SETTINGS_MAX)
"""In the order in which a policy names its settings; 0 beyond."""
