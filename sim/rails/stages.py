"""The small language in which rails describe what a leg through them does.

A rail gives a tuple of :class:`Stage`: operations of :mod:`sim.contract.meaning` with names instead
of numbers. Accounts and stations are named, or named by role (the debtor's or creditor's agent of
the payment at hand); jumps go to labels. The compiler turns names into indices, distributions into
tables and labels into stage numbers; nothing here knows of arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sim.contract.layout import CERTAIN
from sim.contract.meaning import Cause, Flag, Op, Reason
from sim.contract.records import Register
from sim.model.distributions import DurationDistribution
from sim.model.money import AmountText
from sim.model.quantities import to_minor

DEBTOR_AGENT = 0
CREDITOR_AGENT = 1

ZERO_TIME = DurationDistribution("constant", (("value", 0),))
"""No time at all, for a station that only admits."""

NO_FLAGS = Flag(0)

ROUTE_TIE = "route.tie"
"""Purpose of the draw that decides between equal routes."""

FAIL = "fail"
"""Label: nothing was sent to anybody else yet; void, try the next route, else reject."""
FAIL_SENT = "fail_sent"
"""Label: a request is out; it must be reversed before anything else."""
RETURN = "return"
"""Label: the money has moved on a ledger; only a return undoes. A route over several ledgers has
one such label for each, see :func:`return_label`."""


def return_label(position: int) -> str:
    """Return the label that undoes what the leg at a position of its route has committed."""
    return f"{RETURN}:{position}"


def threshold(share_ppb: int) -> int:
    """Return the 62-bit threshold below which a draw hits with this probability."""
    # Exactly rounded down in whole numbers; a share of one gives 2^62, which always hits.
    return share_ppb * CERTAIN // 10**9


def fixed_time(duration_us: int) -> DurationDistribution:
    """Return the distribution that is always this many microseconds."""
    return DurationDistribution("constant", (("value", duration_us),))


@dataclass(frozen=True, slots=True)
class ByRole:
    """An account, station, time or share of the payment's own debtor (0) or creditor (1) agent."""

    role: int
    kind: str


Place = str | ByRole
"""A named account or station, or one named by role."""

Time = DurationDistribution | ByRole
"""How long something takes, or takes at the payment's own agent."""


@dataclass(frozen=True, slots=True)
class Move:
    """One transfer: which register goes from which account to which."""

    debit: Place
    credit: Place
    register: Register

    def reversed(self) -> Move:
        """Return the transfer that undoes this one: the same amount the other way."""
        return Move(self.credit, self.debit, self.register)


@dataclass(frozen=True, slots=True)
class Stage:
    """One operation of a program; unnamed parts stay at their defaults.

    Attributes
    ----------
    op : Op
    label : str
        What the reader sees; also the purpose of the stage's draw, so unique within a program.
    mark : str
        A label others may jump to; empty for none.
    target : str
        Label to jump to on failure, hit or time-out.
    place : Place or None
        Station (SERVE) or ledger (BATCH).
    time : DurationDistribution, ByRole or None
        Service time or delay; by role, the agent's own (:class:`~sim.rails.resources.OwnTime`).
    moves : tuple of Move
        Transfers (RESERVE one, POST and BATCH any number). An equal RESERVE and POST move are the
        same transfer row.
    value : int
        As the operation's VALUE says.
    share : ByRole or None
        In place of a threshold, the agent's own (:class:`~sim.rails.resources.OwnShare`).
    back_to : str
        Label CONVERT jumps back to, or at which the inquiries begin that AWAIT, INQUIRE, ASK, ORDER
        or POLL begins.
    fee : int
        Which fee of the price CHARGE charges.
    limit : LimitSpec or None
    own_reason : bool
        END takes the payment's own reason.
    shop : str
        Of ORDER and POLL, and of ANSWER behind a POLL: the shop.
    instead : int
        What the payer does after END (:class:`~sim.contract.meaning.Instead`); -1: not known.
    """

    op: Op
    label: str = ""
    mark: str = ""
    target: str = ""
    reason: Reason = Reason.NONE
    cause: Cause = Cause.SERVICE
    place: Place | None = None
    time: Time | None = None
    moves: tuple[Move, ...] = ()
    value: int = 0
    share: ByRole | None = None
    back_to: str = ""
    fee: int = -1
    limit: LimitSpec | None = None
    flags: Flag = NO_FLAGS
    own_reason: bool = False
    shop: str = ""
    instead: int = -1


WHOLE_RUN_DAYS = 1 << 40
"""Days of a period that no run ends in: what is bounded is bounded for good."""


class Bounds(Protocol):
    """The two bounds of a limit, and the currency they are written in where it is another."""

    @property
    def currency(self) -> str | None:
        """Return the currency they are written in, None where it is that of what they bound."""

    @property
    def per_payment(self) -> AmountText | None:
        """Return the most per payment."""

    @property
    def per_day(self) -> AmountText | None:
        """Return the most per payer and day."""


@dataclass(frozen=True, slots=True)
class LimitSpec:
    """A limit: so much at least, at most per payment, and per payer and day, of one register.

    Bounds are minor units of ``currency``; -1 for none. ``days`` and ``shift`` are those of
    :class:`~sim.contract.layout.LimitColumn`: a period other than the day. Where ``written`` names
    another currency the two upper bounds are minor units of that one until the compiler converts
    them, at the mid rate of the start; ``said`` then keeps them as they were, for the reader.
    """

    name: str
    register: Register
    currency: str
    per_payment: int
    per_day: int
    least: int = -1
    days: int = 1
    shift: int = 0
    written: str = ""
    said: tuple[str, ...] = ()

    @property
    def bounds(self) -> dict[str, int]:
        """Return its columns but for the register, by lower-case name."""
        names = ("per_payment", "per_day", "least", "days", "shift")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def of(cls, name: str, register: Register, currency: str, bounds: Bounds) -> LimitSpec:
        """Return the limit of bounds as a scenario writes them."""
        written = bounds.currency or currency
        payment, day = (
            -1 if amount is None else to_minor(amount, written)
            for amount in (bounds.per_payment, bounds.per_day)
        )
        return cls(name, register, currency, payment, day, written=_another(written, currency))


def _another(written: str, currency: str) -> str:
    return "" if written == currency else written


Program = tuple[Stage, ...]


def takes_time(time: DurationDistribution | None) -> bool:
    """Say whether a duration is worth a stage: a constant of zero is not."""
    return time is not None and not (time.family == "constant" and time.mean() == 0)


def transit(
    label: str,
    time: DurationDistribution | None,
    *,
    cause: Cause = Cause.TRANSIT,
) -> Program:
    """Return a delay, or nothing where it takes no time."""
    # A stage less, and with it an event less per payment; the log shows what takes time.
    if not takes_time(time):
        return ()
    return (Stage(Op.TRANSIT, label, time=time, cause=cause),)


def serve(
    label: str,
    place: Place,
    time: Time,
    *,
    target: str,
    reason: Reason = Reason.MS03,
) -> Program:
    """Return service at a station."""
    return (Stage(Op.SERVE, label, place=place, time=time, target=target, reason=reason),)


def decide(
    label: str, threshold: int | ByRole, *, target: str, reason: Reason = Reason.NONE
) -> Program:
    """Return a branch at random, or nothing where the probability is zero."""
    if isinstance(threshold, ByRole):
        return (Stage(Op.DECIDE, label, share=threshold, target=target, reason=reason),)
    # Without a probability there is nothing to decide and no draw to make.
    if threshold == 0:
        return ()
    return (Stage(Op.DECIDE, label, value=threshold, target=target, reason=reason),)


def check_limit(
    label: str, limit: LimitSpec, *, target: str, reason: Reason = Reason.NONE
) -> Program:
    """Return the check of a limit, or nothing where it has no bounds.

    Parameters
    ----------
    reason : Reason
        Of what exceeds the bound of a period; by default AM14.
    """
    # Below 0 is no bound.
    if limit.per_payment < 0 and limit.per_day < 0 and limit.least < 0:
        return ()
    return (Stage(Op.LIMIT, label, limit=limit, target=target, reason=reason),)
