"""What a kind of rail must be able to say: the protocol every file of this folder keeps.

Takes nothing; gives :class:`Rail`, the base of every kind, with the questions that routing, the
compiler, explain, evidence and checks ask. Nobody outside this folder knows a kind of rail; they
know these questions. A kind answers what concerns it and leaves the rest at its default.

A route is a path of legs. Each leg says what it has to say to each phase of a payment
(:class:`LegProgram`); ``sim.compiler.composition`` puts the phases of all legs in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sim.contract.records import Register
from sim.model.base import FieldPath, Model
from sim.model.distributions import DurationDistribution
from sim.model.members import Member
from sim.model.name_check import NameCheck
from sim.model.pricing import Fee
from sim.model.quantities import PPB, EventRate
from sim.model.sections import Account, AmountRule, Clock, Corridor, Institution
from sim.rails.code_scheme import CodeScheme
from sim.rails.links import Link
from sim.rails.obligations import Obligation
from sim.rails.payers import CreditorClass
from sim.rails.price import Exchange, FeeTerms, Price
from sim.rails.resources import Resource
from sim.rails.stages import FAIL, FAIL_SENT, Move, Place, Program, Stage
from sim.units import DAY_US

DEBTOR = "debtor"
CREDITOR = "creditor"
"""The two ends of every route in the payment graph; all other nodes are institutions."""

Found = Iterator[tuple[FieldPath, str]]
"""Problems: a path in the scenario, and what is wrong there."""


class World(Protocol):
    """The part of a scenario that rails look at."""

    @property
    def clock(self) -> Clock:
        """Return when the scenario starts and how long it runs."""

    @property
    def institutions(self) -> Mapping[str, Institution]:
        """Return banks, wallets and operators, by name."""

    @property
    def accounts(self) -> Mapping[str, Account]:
        """Return the accounts the scenario names."""

    @property
    def corridors(self) -> Mapping[str, Corridor]:
        """Return the corridors, by name."""

    @property
    def rails(self) -> Mapping[str, Rail]:
        """Return all rails, by name."""


@dataclass(frozen=True, slots=True, order=True)
class Leg:
    """One step of a route over a rail, between two nodes of the graph.

    Attributes
    ----------
    rail : str
    start, end : str
        ``debtor``, ``creditor`` or the name of an institution.
    source, target : str
        Currency in which the money enters and leaves the leg.
    use : str
        The rail's own word for this way of using it, such as a direction; others do not read it.
    """

    rail: str
    start: str
    end: str
    source: str = ""
    target: str = ""
    use: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """One leg a rail offers a corridor, and what decides between offers of one price.

    What it costs the payer is said by :meth:`Rail.terms`.

    Attributes
    ----------
    leg : Leg
    own_ppm : int
        What it costs the institutions behind the payer's back, in millionths of the amount; of
        equal prices the lowest is taken. 0 where shares are stated.
    share : int
        Share of payments it gets where it is as good as others, in parts per billion.
    """

    leg: Leg
    own_ppm: int = 0
    share: int = PPB


@dataclass(frozen=True, slots=True)
class LegTerms:
    """What a leg costs and converts, before the price of the whole route is known.

    Attributes
    ----------
    exchanges : tuple of Exchange
        Conversions between the leg's currencies, in order.
    settlement_currency : str
        Currency in which the leg settles; empty where it has no say.
    fees : mapping of str to Fee
        Fees of the leg, by component.
    fee_recipient : str
        Who earns a fee of the leg that names nobody.
    own_costs : tuple of FeeTerms
        What the leg costs an institution between payer and payee, in nobody's price.
    quote_validity_us : int
        How long a price shown to the payer holds, in microseconds; 0: for ever.
    is_free : bool
        Whether the leg may do without a price: it takes time only.
    least_minor : int
        Least debited amount it is offered for, in minor units; 0: any.
    """

    exchanges: tuple[Exchange, ...] = ()
    settlement_currency: str = ""
    fees: Mapping[str, Fee] = field(default_factory=dict)
    fee_recipient: str = ""
    own_costs: tuple[FeeTerms, ...] = ()
    quote_validity_us: int = 0
    is_free: bool = False
    least_minor: int = 0


@dataclass(frozen=True, slots=True)
class LegContext:
    """One leg on its route, with what surrounds it.

    Attributes
    ----------
    world, corridor : World, Corridor
    name : str
        Name of the leg's rail.
    legs : tuple of Leg
        All legs of the route, in the direction of the money.
    position : int
        Which of them this is.
    currency : str
        Currency of the instructed amount.
    price : Price or None
        Price of the route; None while terms are asked for, and where nothing has a price.
    before, after : Register
        The payment's amount where the money enters and where it leaves the leg.
    securing : str
        Label at which the payment goes on when a reservation fails, before any money has moved.
    refusing, failing : str
        Labels at which it goes on when the execution of the leg fails: before, and after the leg
        has sent a request. In the phases before, nothing has been sent: FAIL.
    payer, payee : Place
        Accounts of the two ends of the route.
    funds : str or None
        Account from which the institution at the start pays on; None: its own on the rail.
    name_check : NameCheck or None
        How the payee's name is asked for; None: it is not.
    """

    world: World
    corridor: Corridor
    name: str
    legs: tuple[Leg, ...]
    position: int
    currency: str
    price: Price | None = None
    before: Register = Register.DEBITED
    after: Register = Register.DEBITED
    securing: str = FAIL
    refusing: str = FAIL
    failing: str = FAIL_SENT
    payer: Place = ""
    payee: Place = ""
    funds: str | None = None
    name_check: NameCheck | None = None

    @property
    def leg(self) -> Leg:
        """Return the leg itself."""
        return self.legs[self.position]

    @property
    def is_first(self) -> bool:
        """Return whether the payer is at its start."""
        return self.leg.start == DEBTOR

    @property
    def is_last(self) -> bool:
        """Return whether the payee is at its end."""
        return self.leg.end == CREDITOR


@dataclass(frozen=True, slots=True)
class DebtorSide:
    """The payer's institution, as the first leg knows it.

    Attributes
    ----------
    account : Place
        The payer's account.
    authorise : Program
        What the institution does before it shows a price: its core system, its declines.
    debit : tuple of Move
        How the payer's account is debited, posted with the first money that moves.
    institution : str
        The institution, where the rail decides it; empty where the payment brings its own.
    is_drawn : bool
        Whether payments must bring a debtor agent, drawn by ``payer_share``.
    confirms : bool
        Whether a person confirms the price (on a corridor whose payees show codes).
    """

    account: Place
    authorise: Program = ()
    debit: tuple[Move, ...] = ()
    institution: str = ""
    is_drawn: bool = False
    confirms: bool = True


@dataclass(frozen=True, slots=True)
class CreditorSide:
    """The payee's institution, as the last leg knows it.

    Attributes
    ----------
    account : Place
        The payee's account.
    book : Program
        What the institution does before it credits: its core system, its declines.
    asides : Program
        How what it declines is reversed, where that does not begin at once.
    credit_label : str
        Name of the stage that credits.
    credit : tuple of Move
        How the payee's account is credited.
    institution, is_drawn
        As in :class:`DebtorSide`.
    is_told_first : bool
        Whether the payee is told before the confirmation goes back along the legs.
    """

    account: Place
    book: Program = ()
    asides: Program = ()
    credit_label: str = "creditor_agent.credit"
    credit: tuple[Move, ...] = ()
    institution: str = ""
    is_drawn: bool = False
    is_told_first: bool = False


@dataclass(frozen=True, slots=True)
class LegProgram:
    """What one leg says to each phase of a payment; empty where it has nothing to say.

    Attributes
    ----------
    session : Program
        Bound on the payer's session; asked of the first leg.
    look_up : Program
        Questions asked ahead, before there is a price.
    asks_payee : bool
        Whether the payee's institution is one of those asked, for the name as for anything else.
    limit : Program
        Limits of payment and day, after the price is confirmed.
    request : Program
        What the payer's side is asked before any money is reserved: its authorisation.
    hand_over : Program
        The way to the institution at the leg's end; routes that differ only between begin here.
    reserve : Program
        Reservations.
    execute : Program
        What happens before the leg's money is booked.
    commit : Stage or None
        The stage that books: the leg's own money, then all that waits to be booked with it. None: a
        later leg, or the creditor's institution, books it.
    moves : tuple of Move
        The leg's money. An equal reserved one comes first.
    closing : Program
        What ends the leg's own time-out once the payee is credited.
    confirm : Program
        The message back.
    reversal_us : int or None
        Time of a confirmed reversal of a request that was sent; None where nothing is sent. The
        services of a leg with one are requests: given up, they leave the payment in doubt.
    answer : DurationDistribution or None
        Way of an answer that comes late.
    reconciled_us : int
        Longest time in doubt: by then a file says what has become of the request, or its sender has
        cancelled it.
    asides : Program
        What stands beside the way: inquiries, begun where a stage's ``back_to`` says so, and what
        is tried again.
    query : str
        Label at which polls of a request in doubt begin; empty: its answer comes by itself.
    """

    session: Program = ()
    look_up: Program = ()
    asks_payee: bool = False
    limit: Program = ()
    request: Program = ()
    hand_over: Program = ()
    reserve: Program = ()
    execute: Program = ()
    commit: Stage | None = None
    moves: tuple[Move, ...] = ()
    closing: Program = ()
    confirm: Program = ()
    reversal_us: int | None = None
    answer: DurationDistribution | None = None
    reconciled_us: int = DAY_US
    asides: Program = ()
    query: str = ""


class Rail(Model):
    """The base of every kind of rail.

    Fields are the user's settings; methods take the rail's name and the scenario around it.
    """

    @property
    def names_routes(self) -> bool:
        """Return whether routes over this rail carry its name; a ledger below others does not."""
        return True

    @property
    def joins_by_name(self) -> bool:
        """Return whether only corridors that name it use it; see :mod:`sim.rails.joining`."""
        return False

    @property
    def code_scheme(self) -> CodeScheme | None:
        """Return the codes this rail stands for, None where it carries money."""
        return None

    @property
    def held_currencies(self) -> tuple[str, ...]:
        """Return the currencies in which institutions hold accounts on it; none: no ledger."""
        return ()

    @property
    def order_life_us(self) -> int | None:
        """Return how long an order may be under way on it; None where it sets no bound."""
        return None

    @property
    def amount_rules(self) -> Mapping[str, AmountRule]:
        """Return the least amounts and the steps it asks for, by currency."""
        return {}

    def instrument_of(self, leg: Leg) -> str:
        """Return the instrument without which nobody can begin with a leg; empty: any will do."""
        return ""

    @property
    def kyc_tiers(self) -> tuple[str, ...]:
        """Return the KYC tiers it knows limits for."""
        return ()

    def problems(self, world: World, name: str) -> Found:
        """Yield what does not fit the rest of the scenario; paths start at the rail."""
        yield from ()

    def idle_settings(self, world: World, name: str, legs: Sequence[Leg]) -> Found:
        """Yield settings that change nothing on the legs in use, and why; paths as above."""
        yield from ()

    def named_institutions(self) -> Iterable[tuple[str, str]]:
        """Return (field, institution) the settings name; each is one institution, no group."""
        return ()

    def all_fees(self) -> Iterable[tuple[FieldPath, Mapping[str, Fee]]]:
        """Return every group of fees of the rail, with its path below the rail."""
        return ()

    def rates(self) -> Iterable[tuple[FieldPath, EventRate | None]]:
        """Return every rate limit of the rail, with its path below the rail."""
        return ()

    def resources(self, world: World, name: str, members: Sequence[Member]) -> Iterator[Resource]:
        """Yield stations, ledgers and accounts it brings."""
        yield from ()

    def offers(
        self, world: World, name: str, corridor: Corridor, creditor: CreditorClass
    ) -> Iterator[Offer]:
        """Yield the legs it offers a corridor for a class of creditors."""
        yield from ()

    def links(self) -> tuple[Link, ...]:
        """Return its connections that have a start date, and who joined them on another."""
        return ()

    def terms(self, at: LegContext) -> LegTerms:
        """Return what a leg costs and converts."""
        return LegTerms()

    def obligations(self, at: LegContext) -> tuple[Obligation, ...]:
        """Return what a completed payment leaves owing; nothing where money moves for good."""
        return ()

    def debtor_side(self, at: LegContext) -> DebtorSide:
        """Return the payer's institution; asked of the rail of the first leg."""
        raise NotImplementedError(f"{at.name} offers legs from the debtor and must say who it is")

    def creditor_side(self, at: LegContext) -> CreditorSide:
        """Return the payee's institution; asked of the rail of the last leg."""
        raise NotImplementedError(f"{at.name} offers legs to the creditor and must say who it is")

    def books_on_us(self, at: LegContext) -> bool:
        """Return whether a payment between two customers of one institution stays inside it."""
        return False

    def funds(self, at: LegContext) -> str | None:
        """Return the account from which the institution at the leg's end pays on, if special."""
        return None

    def leg(self, at: LegContext) -> LegProgram:
        """Return what a leg says to each phase."""
        return LegProgram()
