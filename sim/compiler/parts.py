"""The parts of a plan in symbols: names and quantities, no index anywhere.

Takes what the modules of the compiler find out; gives frozen parts in the order in which they were
found. :func:`sim.compiler.linker.link` turns a list of parts into a plan, once, at the end; until
then nothing knows the number of a row. Stations, ledgers and accounts are parts of their own
(:mod:`sim.rails.resources`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sim.compiler.flow import Flow
from sim.compiler.refunds import StreamRefunds
from sim.contract.agenda import AgendaKind
from sim.contract.meaning import FixedSide, Policy, Scope
from sim.contract.plan import Array
from sim.model.distributions import AmountDistribution, DurationDistribution
from sim.rails.resources import (
    BlockLedger,
    ClearingLine,
    Holding,
    LargeValueSystem,
    OwnShare,
    OwnTime,
    Station,
    TopUpRule,
)
from sim.rails.stages import Program
from sim.routing.candidates import Candidate
from sim.routing.policies import OwnRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The scalars of a plan; times in microseconds. Seed and replication enter draw keys only."""

    scenario: str
    horizon_us: int
    warm_up_us: int = 0
    sample_interval_us: int = 0
    fx_step_us: int = 60_000_000
    day_offset_us: int = 0
    seed: int = 1
    replication: int = 0


@dataclass(frozen=True, slots=True)
class Agent:
    """An institution."""

    name: str


@dataclass(frozen=True, slots=True)
class Instrument:
    """Something payers pay with."""

    name: str


@dataclass(frozen=True, slots=True)
class RatePath:
    """The mid rate of a pair over time, as scaled integers.

    Attributes
    ----------
    name : str
        ``<base>/<quote>``.
    rates : tuple of int
        One per step, minor units of quote per minor unit of base, times ``scale``.
    """

    name: str
    rates: tuple[int, ...]
    scale: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """One conversion of a route: along a pair or against it, at a margin.

    Attributes
    ----------
    spread_ppm : int
        Of all amounts at all times; where there are ``spreads``, of the first of them.
    spreads : tuple of (int, int, int)
        Margins by time and amount, as rows of :class:`~sim.contract.spreads.SpreadColumn`.
    """

    path: RatePath
    is_inverted: bool
    spread_ppm: int
    spreads: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """One queue a router looks at, and the microseconds one waiting payment adds there.

    ``is_ledger`` tells a ledger, whose blocks count instead, from a station.
    """

    place: str
    is_ledger: bool
    per_item_us: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """A candidate with its program and price.

    Attributes
    ----------
    name : str
        The candidate's; one whose debtor's side is fixed is told apart.
    conversions : pair of Conversion or None
        Of the price, in its slots.
    expected_us : int
        Expected time from the choice of the route to its end, without waiting.
    views : tuple of View
    class_number : int
        Routes with one number are one to the payer; see
        :attr:`~sim.contract.layout.RouteColumn.CLASS`.
    rule : tuple of (str, int)
        Columns of :class:`~sim.contract.policies.RuleColumn` in lower case; empty: no rule.
    own : OwnRow or None
        The policy of the user's own it is chosen by.
    """

    name: str
    candidate: Candidate
    flow: Flow
    fixed_side: FixedSide
    conversions: tuple[Conversion | None, Conversion | None]
    expected_us: int
    views: tuple[View, ...]
    class_number: int
    rule: tuple[tuple[str, int], ...] = ()
    own: OwnRow | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A set of routes a payment chooses from, in the order of candidates.

    Attributes
    ----------
    ties : tuple of (int, int)
        Rank and share of each; see :class:`~sim.contract.layout.CandidateColumn`.
    groups : tuple of int
        Group of each, -1 for none; empty: none has one.
    """

    name: str
    routes: tuple[str, ...]
    ties: tuple[tuple[int, int], ...]
    policy: Policy
    attempts_max: int
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A stream of payments.

    Attributes
    ----------
    prologue : Program
        What happens before a route is chosen.
    purposes : tuple of str
        Draws made for the stream's payments outside any program.
    payers : int
        How many; limits keep a cell for each.
    after_failure : str
        Label at which its payments go on that no other route helps; empty: where they are.
    routes : tuple of str
        Routes its payments may take.
    promise_us : int
        How long its payments may take before they count as not successful.
    tables : tuple of distribution
        Distributions its payments are drawn from.
    refunds : StreamRefunds or None
        What of its payments is paid back.
    patience : distribution or None
        How long its payers wait for an answer; None: for ever.
    """

    name: str
    prologue: Program
    purposes: tuple[str, ...]
    corridor: str
    currency: str
    scope: Scope
    priority: int
    channel: str
    payers: int
    after_failure: str = ""
    routes: tuple[str, ...]
    promise_us: int
    tables: tuple[DurationDistribution | AmountDistribution, ...] = ()
    refunds: StreamRefunds | None = None
    patience: DurationDistribution | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ShopPart:
    """A shop; streams whose payments are its orders come after it.

    Attributes
    ----------
    every_us : int
        Time between two rounds of calls about many orders; 0: each order is asked about by itself.
    columns : mapping of str to int
        Columns of :class:`~sim.contract.shops.ShopColumn` by lower-case name.
    """

    name: str
    every_us: int
    columns: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Closure:
    """A station out of service for a while."""

    station: str
    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True)
class Change:
    """A station or ledger that works otherwise from an instant on; see the agenda's kinds."""

    place: str
    kind: AgendaKind
    at_us: int
    amount: int


@dataclass(frozen=True, slots=True)
class WindowPart:
    """A part of the run that is measured for itself: from when to when, in order of time."""

    name: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Load:
    """The load of a ledger; see :mod:`sim.contract.loads`.

    Attributes
    ----------
    ledger : str
    cell_us : int
        Length of a cell.
    joined : ndarray of int64
        How much has joined before the begin of each cell, and before the end of the last.
    """

    ledger: str
    cell_us: int
    joined: Array


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Instants at which the books of a run are compared, in order of time."""

    at_us: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Clearing:
    """A line of a scheme, with the conversion it sells its files by."""

    line: ClearingLine
    conversion: Conversion | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """How a provider trades a position back; see :class:`~sim.contract.agenda.TopUpColumn`.

    Attributes
    ----------
    name : str
        Account of the position.
    room, other_room : str
        ``<provider>:<currency>`` where what it may hold is bounded, else empty.
    orders : tuple of (int, int)
        When the rule looks, and when what it then trades is delivered, in microseconds.
    """

    name: str
    source: str
    low_minor: int
    high_minor: int
    target_minor: int
    buys: Conversion
    sells: Conversion
    pays: str
    paid_to: str
    room: str
    other_room: str
    orders: tuple[tuple[int, int], ...]


Part = (
    Agent
    | Instrument
    | Station
    | BlockLedger
    | Holding
    | OwnTime
    | OwnShare
    | Route
    | Choice
    | Stream
    | ShopPart
    | Change
    | Closure
    | WindowPart
    | Load
    | Reconciled
    | ClearingLine
    | Clearing
    | TopUpRule
    | Cover
    | LargeValueSystem
)
"""Anything a plan is linked from."""
