"""Large-value systems: who waits for balance, in which order, and what settles at one stroke.

Takes nothing; gives enumerations in whose docstrings the meaning is said. A *system* holds accounts
of its *members*. A payment at a SETTLE stage moves money between them: the stage's transfer rows
are its *legs*, one or two (two of a payment against payment), each from a member's account to
another's in the system. All are posted together or none is.

**Covered.** A payment is covered if every account its legs debit has available what they take,
credits left out. It is *in its turn* if it is covered and nobody waits before it for an account it
debits; under BYPASS it is in its turn if it is covered. Under DEFERRED nobody ever is.

**SETTLE.** LEG row of each leg (subject = debit account, amount, value = credit account). Who is in
its turn when it comes settles at once, how = AT_ONCE, and passes on. Otherwise it waits in the
system's queue: QUEUED row (subject = account the first leg debits, amount = first leg, value =
rank). The queue is in order of rank, then of arrival; the rank is the stream's PRIORITY under
:attr:`Order.PRIORITY`, else 0. With ON_ARRIVAL and an OFFSET an offset is then due in the system.
Each account its legs debit counts it as DELAYED, and as LOST if a close returns it.

**Settling.** The time-out is disarmed. SETTLE row (subject = system, amount = first leg, value =
:class:`How`), then its legs as MOVED rows (of no payment), then the stage's FLAGS as in POST, time
accounted to the stage's CAUSE. Who settled out of the queue joins the ready list and goes on behind
the stage.

**Looking.** Any credit of a member's account, and whoever leaves the queue by a time-out (LEAVE
row, value = 3), marks its system. When an event has done all else and the ready list is empty,
marked systems are looked at, the lowest first, until none is marked: (1) the first of the queue
that is in its turn settles, how = IN_TURN, and those ready advance before the next look; (2) nobody
is: an offset that is due is tried; (3) the close, if it is due. What settles marks the system
again.

**Offset.** A set of waiting payments settles together if with all its debits and credits no account
falls below its overdraft, and if of the payments that debit an account those before each of the set
are in it. Of such sets one holds all others (the union of two is a third), so *the largest* is one.
It is found by taking away, of an account that would fall below, the last payment in the set that
debits it, and whoever the order then forbids, until no account does. (Bech and Soramäki, Bank of
Finland discussion paper 9/2001, have it for one leg each.) OFFSET row (subject = system, amount =
payments in the set, value = how), then each settles, in order of the queue. LOW of a member's
account sees its balance before the set and after it, and none between. MULTILATERAL: of the whole
queue. BILATERAL: for each waiting payment of one leg, in order of the queue, of the payments
between its debtor's and its creditor's account, of one leg each; those between others are in
nobody's way under BYPASS, and otherwise end what is looked at of the accounts they debit. The first
pair with a set that is not empty settles it, and the offset stays due.

**Close.** With :attr:`AtClose.NET` the largest set of the whole queue settles, whatever OFFSET and
ORDER are, how = NET. Whoever still waits is returned then, in order of the queue, even who could
settle alone by now under BYPASS: a net cycle is the last of a day. LEAVE row (subject = system,
value = 3); it joins the ready list and fails there with the stage's REASON.

**Samples.** Behind the accounts of a sample stands each system: SAMPLE_SYSTEM row (subject =
system, amount = payments that wait, value = payments that have settled so far), then each member:
SAMPLE_MEMBER row (subject = account, amount = sum of the legs of waiting payments that debit it,
value = its SETTLED so far).
"""

from __future__ import annotations

from enum import IntEnum

from sim.contract.table import Between, OneOf, Table, Within


class Order(IntEnum):
    """In which order a member's payments settle. Users write the name in lower case."""

    FIFO = 0
    """First in first out: who came first is waited for."""
    BYPASS = 1
    """First available: who can be paid is, whoever waits before it."""
    PRIORITY = 2
    """Lowest `priority` of the demand stream first, first in first out within."""
    DEFERRED = 3
    """Nobody settles alone: all wait for an offset or the close (deferred net settlement)."""


class Offset(IntEnum):
    """What settles at one stroke. Users write the name in lower case."""

    NONE = 0
    """Nothing: every payment for itself."""
    BILATERAL = 1
    """Payments of two members against each other."""
    MULTILATERAL = 2
    """The largest set of payments, in order, of any members (gridlock resolution)."""


class AtClose(IntEnum):
    """What a close does with those who wait. Users write the name in lower case."""

    RETURN = 0
    """All are returned."""
    NET = 1
    """The largest set that everybody can pay net settles; the rest is returned."""


class How(IntEnum):
    """How a payment settled."""

    AT_ONCE = 0
    IN_TURN = 1
    """Out of the queue, alone."""
    OFFSET = 2
    """With others at one stroke."""
    NET = 3
    """In the net cycle of a close."""


class SystemColumn(IntEnum):
    """Columns of ``Plan.system``."""

    ORDER = 0
    OFFSET = 1
    ON_ARRIVAL = 2
    """1: an offset is due whenever a payment has to wait; 0: at instants of the agenda only."""
    AT_CLOSE = 3


class MemberColumn(IntEnum):
    """Columns of ``Plan.member``: accounts of systems, in ascending order of both columns.

    An account belongs to one system, and nothing is reserved on it.
    """

    SYSTEM = 0
    ACCOUNT = 1


class MemberTotal(IntEnum):
    """Columns of a member's totals, by account, of payments that came to SETTLE after the warm-up.

    They do not depend on who waited: what the member had to pay and was to be paid.
    """

    OUT = 0
    """Sum of legs that debit it."""
    IN = 1
    """Sum of legs that credit it."""
    NET_LOW = 2
    """Least of IN less OUT as payments came, 0 at the start: with so much nobody waits."""
    SETTLED = 3
    """Part of OUT that settled."""
    WAITED = 4
    """Part of OUT that had to wait."""
    RETURNED = 5
    """Part of OUT that a close returned."""


SYSTEMS = Table(
    "systems",
    SystemColumn,
    {
        SystemColumn.ORDER: OneOf(Order),
        SystemColumn.OFFSET: OneOf(Offset),
        SystemColumn.ON_ARRIVAL: Between(0, 1),
        SystemColumn.AT_CLOSE: OneOf(AtClose),
    },
)
MEMBERS = Table(
    "members",
    MemberColumn,
    {MemberColumn.SYSTEM: Within("systems"), MemberColumn.ACCOUNT: Within("accounts")},
)
"""The tables of the plan that these are columns of."""
