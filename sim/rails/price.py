"""The price of a route in symbols: currencies on the way, conversions, fees and their accounts.

Takes what the legs say of conversions and fees; gives one :class:`Price`. A payment knows three
amounts (debited, settlement, credited), so a route converts at most twice; the arithmetic is
specified in :class:`~sim.contract.layout.PricingColumn`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from sim.contract.charges import Rounding
from sim.contract.meaning import Bearer
from sim.contract.positions import POSITION, ROOM, TAKEN
from sim.contract.records import Register
from sim.model.pricing import ChargeBearer, Fee
from sim.rails.stages import Move, Place

OWN_CONVERSION = "own_conversion"
"""Component under which the cost of an agent's own conversion appears in ``fees.parquet``."""

CONVERSIONS_MAX = 2
"""Conversions of one route: a payment has a debited, a settlement and a credited amount."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One conversion of a price: who sells which currency for which, at which margin.

    Attributes
    ----------
    quote : Fraction or None
        Units of the target currency that one unit of the source buys at the start, where the
        provider quotes a rate of its own; with the market it moves as the mid rate does. None: the
        mid rate less the margin.
    sold_of, bought_for, makes_room : bool
        Whether it is bounded what the provider can sell of the target, hold of the source, and hold
        of the target.
    """

    source: str
    target: str
    spread_ppm: int
    provider: str
    quote: Fraction | None = None
    sold_of: bool = False
    bought_for: bool = False
    makes_room: bool = False

    @property
    def stock(self) -> str:
        """Return the account the provider sells from: its position in the target currency."""
        return f"{POSITION}{self.provider}:{self.target}"

    @property
    def room(self) -> str:
        """Return the account of what the provider may still buy of the source currency."""
        return f"{ROOM}{self.provider}:{self.source}"


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """One fee of a price, with who bears it, of which amount, and the account it is taken from."""

    fee: Fee
    component: str
    recipient: str
    debit: Place
    currency: str
    bearer: Bearer
    base: Register

    @property
    def credit(self) -> str:
        """Return the account fees of this recipient are collected on."""
        # What converting costs an agent is its own desk's margin, beside those of other prices.
        kind = "spread" if self.bearer is Bearer.AGENT else "fees"
        return f"{kind}:{self.recipient}:{self.currency}"


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a route: currencies on the way, conversions and fees."""

    currencies: tuple[str, str, str]
    exchanges: tuple[Exchange | None, Exchange | None]
    fees: tuple[FeeTerms, ...] = ()
    rounding: Rounding = Rounding.ONCE
    least_minor: int = 0
    """Least debited amount it is offered for."""

    @property
    def providers(self) -> tuple[str, str]:
        """Return who makes either conversion; empty where there is none."""
        first, second = self.exchanges
        return (
            first.provider if first is not None else "",
            second.provider if second is not None else "",
        )

    def slot(self, exchange: Exchange) -> int:
        """Return whether a conversion is the first (0) or the second (1) of the route.

        By its currencies: a rail knows who converts by itself, the price who does in its place.
        """
        sides = [one and (one.source, one.target) for one in self.exchanges]
        return sides.index((exchange.source, exchange.target))


_PAID = ((Register.MID_1, Register.SPREAD_1), (Register.MID_2, Register.SPREAD_2))
_BOUGHT = (Register.SETTLEMENT, Register.CREDITED_GROSS)


def exchange_moves(
    price: Price, exchange: Exchange, *, payer: Place, receiver: Place
) -> tuple[Move, ...]:
    """Return the transfers of one conversion: the amount at mid rate, the margin, what is bought.

    Where what its provider may hold is bounded, what it buys takes room and what it sells makes
    room.

    Parameters
    ----------
    payer, receiver : Place
        Account that pays in the source currency, and the one that gets the target currency.
    """
    slot = price.slot(exchange)
    made, (mid, margin) = price.exchanges[slot], _PAID[slot]
    assert made is not None
    provider = made.provider
    moves: tuple[Move, ...] = (
        Move(payer, f"{POSITION}{provider}:{made.source}", mid),
        Move(payer, f"spread:{provider}:{made.source}", margin),
        Move(made.stock, receiver, _BOUGHT[slot]),
    )
    if made.bought_for:
        moves += (Move(made.room, f"{TAKEN}{provider}:{made.source}", mid),)
    if made.makes_room:
        to = f"{ROOM}{provider}:{made.target}"
        moves += (Move(f"{TAKEN}{provider}:{made.target}", to, _BOUGHT[slot]),)
    return moves


def held_moves(price: Price, moves: Iterable[Move]) -> Iterator[Move]:
    """Yield those of a route's transfers whose provider has to have what they take."""
    bounded = {
        account
        for made in price.exchanges
        if made is not None
        for account, is_bounded in ((made.stock, made.sold_of), (made.room, made.bought_for))
        if is_bounded
    }
    for move in moves:
        if move.debit in bounded:
            yield move


def chain_moves(
    price: Price,
    exchanges: tuple[Exchange | None, Exchange | None],
    *,
    payer: Place,
    between: Place,
    amount: Register,
) -> tuple[Move, ...]:
    """Return the transfers of up to two conversions in a row.

    Parameters
    ----------
    payer : Place
        Account that pays.
    between : Place
        Account on which what the first provider sells arrives, or the amount as it is.
    amount : Register
        What is passed on where nothing is converted first.

    Notes
    -----
    The second provider is paid from its own book, which stands for its side of ``between``.
    """
    first, second = exchanges
    if first is None:
        moves: tuple[Move, ...] = (Move(payer, between, amount),)
    else:
        moves = exchange_moves(price, first, payer=payer, receiver=between)
    if second is None:
        return moves
    own = f"book:{second.provider}"
    paid, bought = f"{own}:{second.source}", f"{own}:{second.target}"
    return (*moves, *exchange_moves(price, second, payer=paid, receiver=bought))


def fee_terms(
    fees: Mapping[str, Fee],
    recipient: str,
    *,
    debtor: tuple[Place, str],
    creditor: tuple[Place, str],
) -> tuple[FeeTerms, ...]:
    """Return fees with their recipients and accounts, in the order of their names.

    Parameters
    ----------
    fees : mapping of str to Fee
    recipient : str
        Who earns a fee that names nobody.
    debtor, creditor : (Place, str)
        Account and currency of the payer and of the payee.
    """
    found = []
    for name, fee in sorted(fees.items()):
        is_debtor = fee.bearer is ChargeBearer.DEBTOR
        account, currency = debtor if is_debtor else creditor
        found.append(
            FeeTerms(
                fee=fee,
                component=fee.component or name,
                recipient=fee.recipient or recipient,
                debit=account,
                currency=currency,
                bearer=Bearer.DEBTOR if is_debtor else Bearer.CREDITOR,
                # A debtor's fee is a share of what is debited, a creditor's of what arrives
                # before it is taken.
                base=Register.DEBITED if is_debtor else Register.CREDITED_GROSS,
            )
        )
    return tuple(found)


def own_conversion(agent: str, currency: str, spread_ppm: int) -> FeeTerms:
    """Return what a settlement agent's own conversion costs it: a share of what it settles.

    Parameters
    ----------
    agent : str
    currency : str
        The settlement currency, which the agent sells.
    spread_ppm : int
        Margin over the mid rate of the agent's own desk, in millionths.
    """
    return FeeTerms(
        fee=Fee(component=OWN_CONVERSION, proportional=spread_ppm),
        component=OWN_CONVERSION,
        recipient=agent,
        debit=f"book:{agent}:{currency}",
        currency=currency,
        bearer=Bearer.AGENT,
        base=Register.SETTLEMENT,
    )
