"""Whether balances can outgrow 64 bits: deposits, overdrafts and demand of a scenario together.

Takes accounts and described streams; gives (path, message) pairs that name the fields. What is
drawn is counted by its mean, as no bound holds of a sum of draws; for the rest both engines check
every change of a balance ("Bounds" in :mod:`sim.contract.meaning`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sim.compiler.amounts import amount_path, mean_amount
from sim.compiler.demand import Described
from sim.compiler.parts import Part, Route
from sim.compiler.prices import Market, amounts_at
from sim.contract.layout import BALANCE_MAX
from sim.model.base import FieldPath
from sim.model.quantities import to_minor
from sim.model.sections import Demand
from sim.rails.resources import Holding
from sim.scenario.model import Scenario
from sim.units import format_minor
from sim.workload.arrivals import HAZARD_UNIT

_WEIGHT = 8
"""A field with an eighth of a currency's money is named where there is too much of it."""


@dataclass(frozen=True, slots=True)
class _Share:
    """Money one field brings into a currency."""

    path: FieldPath
    currency: str
    amount: Fraction


def balance_problems(
    scenario: Scenario, market: Market, parts: Sequence[Part], streams: Iterable[Described]
) -> Iterator[tuple[FieldPath, str]]:
    """Yield the fields that make the money of a currency outgrow BALANCE_MAX.

    Parameters
    ----------
    scenario : Scenario
    market : Market
        Whose rates at the start turn one currency into another.
    parts : sequence of Part
        Accounts and routes.
    streams : iterable of Described

    Notes
    -----
    The world's account of a currency is debited with every deposit, and no account is credited with
    more than all deposits, overdrafts and payments: what bounds their sum bounds every balance.
    """
    shares = [*_deposits(scenario, parts), *_demands(scenario, market, parts, streams)]
    for currency in sorted({share.currency for share in shares}):
        here = sorted(
            (share for share in shares if share.currency == currency),
            key=lambda share: (-share.amount, share.path),
        )
        left = sum((share.amount for share in here), Fraction())
        total = left
        # The largest first, until what is left would do, and all of weight beside them: those are
        # the fields to look at.
        for share in here:
            if left < BALANCE_MAX and (total < BALANCE_MAX or share.amount * _WEIGHT < total):
                break
            left -= share.amount
            yield (
                share.path,
                f"comes to {format_minor(round(share.amount), currency)} of "
                f"{format_minor(round(total), currency)} in all; allowed: deposits, overdrafts and "
                f"expected payments in {currency} together below "
                f"{format_minor(BALANCE_MAX, currency)}",
            )


def _deposits(scenario: Scenario, parts: Iterable[Part]) -> Iterator[_Share]:
    """Yield what is put on accounts, and how far they may go below zero."""
    for name, account in scenario.accounts.items():
        path, currency = ("accounts", name), account.currency
        written = [("balance", account.balance), ("overdraft", account.overdraft or 0)]
        for field, amount in written:
            yield _Share((*path, field), currency, Fraction(to_minor(str(amount), currency)))
        for key, deposit in account.deposits.items():
            place = (*path, "deposits", key, "amount")
            yield _Share(place, currency, Fraction(to_minor(deposit.amount, currency)))
    opened: dict[tuple[FieldPath, str], int] = {}
    for part in parts:
        if isinstance(part, Holding) and part.written:
            key_of = (part.written, part.currency)
            found = sum(amount for _, amount in part.deposits)
            # One field opens the account of every member.
            opened[key_of] = opened.get(key_of, 0) + found
    for (path_of, currency), found in opened.items():
        yield _Share(path_of, currency, Fraction(found))


def _demands(
    scenario: Scenario, market: Market, parts: Iterable[Part], streams: Iterable[Described]
) -> Iterator[_Share]:
    """Yield what streams are expected to pay, in every currency of their routes."""
    routes = {part.name: part for part in parts if isinstance(part, Route)}
    for stream in streams:
        name, demand = stream.part.name, scenario.demand[stream.part.name]
        total = _expected_total(demand, stream)
        found = {stream.part.currency: total}
        for route in (routes[route] for route in stream.part.routes):
            price = route.flow.price
            if price is None:
                continue
            amounts = amounts_at(market, price, total, fixed_side=int(route.fixed_side))
            for currency, amount in zip(price.currencies, amounts, strict=True):
                found[currency] = max(found.get(currency, amount), amount)
        for currency, amount in found.items():
            yield _Share(amount_path(name, demand), currency, amount)


def _expected_total(demand: Demand, stream: Described) -> Fraction:
    """Return the expected sum of a stream's instructed amounts, in minor units."""
    currency = stream.part.currency
    if stream.traced is not None:
        # Added up in numbers of any size: int64 sums of amounts may wrap.
        return Fraction(sum(stream.traced.amount.tolist()))
    # Load moves no money.
    if demand.as_ == "load":
        return Fraction(0)
    if demand.payments is not None:
        return Fraction(sum(to_minor(payment.amount, currency) for payment in demand.payments))
    expected = Fraction(int(stream.arrivals[1][-1]), HAZARD_UNIT)
    if demand.count is not None:
        expected = min(expected, Fraction(demand.count))
    return expected * mean_amount(demand, currency)
