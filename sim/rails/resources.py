"""What a rail or an institution brings into the world: stations, ledgers, accounts, as data.

Takes names and quantities; gives frozen parts without indices. The linker of the compiler turns
them into rows of the plan, and nothing before it knows a row's number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sim.contract.large_value import AtClose, Offset, Order
from sim.contract.meaning import Discipline, Reason, WhenClosed
from sim.model.base import FieldPath
from sim.model.distributions import DurationDistribution
from sim.model.quantities import EventRate
from sim.rails.price import Exchange


@dataclass(frozen=True, slots=True)
class Station:
    """A place of limited capacity.

    Attributes
    ----------
    name : str
        ``<rail or institution>.<station>``, as reports name it.
    servers, queue_limit : int or None
        Payments served at once, and payments that may wait; None: no limit.
    rate_limit : EventRate or None
        Most services begun per unit of time, evenly spaced.
    owner, kind : str
        Institution whose station of this kind programs mean when they name it by role; empty for a
        station that is named directly.
    closed_us : tuple of (int, int)
        From when to when it is closed by its own hours, in microseconds and in order of time.
    """

    name: str
    servers: int | None = None
    queue_limit: int | None = None
    rate_limit: EventRate | None = None
    discipline: Discipline = Discipline.FIFO
    when_closed: WhenClosed = WhenClosed.WAIT
    reason_closed: Reason = Reason.AB07
    owner: str = ""
    kind: str = ""
    closed_us: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class BlockLedger:
    """A ledger that commits payments in blocks; see :class:`~sim.contract.layout.LedgerColumn`.

    Attributes
    ----------
    name : str
        ``<rail>.<ledger>``.
    round_interval_us, idle_max_us : int
        Microseconds from round to round, and at most while nobody pays.
    block_limit : int
        Most payments in one block.
    vote_delay : DurationDistribution
        Of one peer.
    leader_failure : int
        62-bit threshold of a lost round.
    """

    name: str
    round_interval_us: int
    block_limit: int
    vote_delay: DurationDistribution
    peers: int
    quorum: int
    idle_max_us: int = 0
    leader_failure: int = 0


@dataclass(frozen=True, slots=True)
class Holding:
    """An account and what lies on it at the start.

    Attributes
    ----------
    name : str
    currency : str
    overdraft_minor : int or None
        Most the balance may go below zero; None: no limit.
    is_watched : bool
        Sampled into the series and reported by account.
    deposits : tuple of (int, int)
        Money put on it from the world: microseconds after the start (0: opening balance), and minor
        units.
    owner, kind : str
        Institution whose account of this kind programs mean when they name it by role; empty for an
        account that is named directly.
    written : tuple
        Field of the scenario that says what lies on it, where that is not its own account.
    guards : tuple of (str, int)
        Columns of :class:`~sim.contract.guards.GuardColumn` in lower case, and what they hold.
    """

    name: str
    currency: str
    overdraft_minor: int | None = None
    is_watched: bool = False
    deposits: tuple[tuple[int, int], ...] = ()
    owner: str = ""
    kind: str = ""
    written: FieldPath = ()
    guards: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class OwnTime:
    """How long something takes at one institution, where programs name it by role.

    Attributes
    ----------
    owner, kind : str
        The institution, and what takes so long, as in ``core``.
    time : DurationDistribution
    """

    owner: str
    kind: str
    time: DurationDistribution


@dataclass(frozen=True, slots=True)
class OwnShare:
    """How often something happens at one institution, where programs name it by role.

    Attributes
    ----------
    owner, kind : str
        The institution, and what happens, as in ``decline``.
    threshold : int
        62-bit threshold.
    """

    owner: str
    kind: str
    threshold: int


@dataclass(frozen=True, slots=True)
class ClearingFile:
    """The clearing file of one day, as instants; see :class:`~sim.contract.agenda.FileColumn`.

    Attributes
    ----------
    day : date
        Local day whose payments it closes.
    converted_us : int or None
        None where nothing is sold.
    """

    day: date
    opens_us: int
    cut_us: int
    settled_us: int
    converted_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearingLine:
    """What a scheme owes one agent in one currency; see :class:`~sim.contract.agenda.LineColumn`.

    Accounts are named and have no limit unless the scenario wrote them.

    Attributes
    ----------
    name : str
        ``<rail>/<agent>:<currency>``.
    refunds : str
        Account refunds are paid from; empty: the payments' own, out of what it holds.
    exchange : Exchange or None
        Sale of the closed files before they are paid.
    receivable_minor : int
        Payments of each day before the start, before fees; 0: the pipeline begins empty.
    calendars : tuple of str
        Countries whose banks must be open for a file to be paid.
    files : tuple of ClearingFile
        In order of time, those cut before the start included.
    """

    name: str
    rail: str
    agent: str
    currency: str
    payments: str
    closed: str
    refunds: str
    interchange_ppm: int
    interchange_to: str
    scheme_ppm: int
    scheme_to: str
    exchange: Exchange | None
    held: str
    paid_to: str
    threshold_minor: int
    is_negative_paid: bool
    receivable_minor: int
    calendars: tuple[str, ...]
    files: tuple[ClearingFile, ...]


@dataclass(frozen=True, slots=True)
class TopUpRule:
    """How an account is filled up; see :class:`~sim.contract.agenda.TopUpColumn`.

    Attributes
    ----------
    account, source : str
        The account, and where the money comes from.
    orders : tuple of (int, int)
        When the rule looks, and when what it orders then arrives, in microseconds.
    """

    account: str
    source: str
    currency: str
    low_minor: int
    target_minor: int
    most_minor: int
    orders: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class LargeValueSystem:
    """A system in which members pay each other; see :mod:`sim.contract.large_value`.

    Attributes
    ----------
    name : str
        Of its rail.
    accounts : tuple of str
        Its members' accounts, described before.
    is_offset_on_arrival : bool
        Whether an offset is tried whenever a payment has to wait.
    offsets_us, closes_us : tuple of int
        When an offset is tried, and when the system closes, in microseconds.
    """

    name: str
    accounts: tuple[str, ...]
    order: Order
    offset: Offset
    is_offset_on_arrival: bool
    at_close: AtClose
    offsets_us: tuple[int, ...] = ()
    closes_us: tuple[int, ...] = ()


Resource = (
    Station
    | BlockLedger
    | Holding
    | OwnTime
    | OwnShare
    | ClearingLine
    | TopUpRule
    | LargeValueSystem
)
"""Anything a rail or an institution brings into the world."""
