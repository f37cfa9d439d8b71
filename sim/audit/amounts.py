"""Check amounts, margins and fees against the plan's prices, without the log.

Takes the columns of ``payments.parquet`` and ``fees.parquet`` as numbers; reports amounts that are
not those of a payment's quote, and fees its price does not name. Each payment is priced again at
the instant of its last quote, with the arithmetic of the replay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.audit.agreement import Groups
from sim.audit.checker import Checker, Mask
from sim.audit.names import Words, first_of_name
from sim.audit.world import open_world
from sim.contract.layout import FEES_MAX, NULL, FeeColumn, PricingColumn
from sim.contract.meaning import Bearer
from sim.contract.plan import Array, Plan
from sim.contract.records import REGISTER_COUNT, Register

_SHOWN_REGISTERS = {
    "debited_amount_minor": Register.DEBITED,
    "settlement_amount_minor": Register.SETTLEMENT,
    "credited_amount_minor": Register.CREDITED,
    "fx_margin_minor": Register.FX_MARGIN,
    "fx_rounding_millionths": Register.FX_ROUNDING,
    "fx_drift_minor": Register.FX_DRIFT,
}


@dataclass(frozen=True, slots=True)
class Priced:
    """What the prices say of each payment.

    Attributes
    ----------
    price : ndarray of int64
        Row of the plan's prices, -1 where it is not known or nothing was moved.
    registers : ndarray of int64, shape (payments, REGISTER_COUNT)
        Of the quote, where it gives the payment's amounts.
    is_known : ndarray of bool
        Whether it does.
    """

    price: Array
    registers: Array
    is_known: Mask


def unpriced(count: int) -> Priced:
    """Return that nothing is known of so many payments."""
    nothing = np.zeros((count, REGISTER_COUNT), dtype=np.int64)
    return Priced(np.full(count, -1, dtype=np.int64), nothing, np.zeros(count, dtype=np.bool_))


def price_payments(
    plan: Plan, payments: dict[str, Array], groups: Groups, check: Checker
) -> Priced:
    """Check that the amounts of each payment are those of its price at the instant of its quote.

    Parameters
    ----------
    plan : Plan
        The plan of the run, whose rates are those of one replication.
    payments : dict of str to ndarray
        Columns of the table as numbers.
    groups : Groups
        From :func:`~sim.audit.agreement.group_payments`.
    check : Checker
        Of the payments.
    """
    # Only where the program leaves a single price.
    price = groups.price()
    is_moved = (payments["debited_amount_minor"] != NULL) & (
        payments["instructed_amount_minor"] > 0
    )
    # Rates may be drawn anew for each replication, and only those of one are in the plan.
    at = np.flatnonzero((price >= 0) & is_moved & (payments["replication"] == plan.replication))
    registers = np.zeros((len(price), REGISTER_COUNT), dtype=np.int64)
    is_known, is_right = np.zeros(len(price), np.bool_), np.ones(len(price), np.bool_)
    risks = np.ones(len(price), np.bool_)
    if len(at):
        # Whoever has nothing to price does not wait for the compiler to load.
        from sim.audit.views import price_rows, worth_rows

        world = open_world(plan, wants_records=False)
        quoted, submitted = payments["quoted_us"][at], payments["submitted_us"][at]
        asked = np.column_stack(
            [price[at], payments["instructed_amount_minor"][at], quoted, submitted]
        )
        found = np.zeros((len(at), REGISTER_COUNT), dtype=np.int64)
        price_rows(world, asked, found)
        shown = {name: payments[name][at] for name in _SHOWN_REGISTERS}
        fits = _fits(shown, found) & (quoted != NULL)
        registers[at[fits]], is_known[at[fits]] = found[fits], True
        is_right[at[~fits]] = False
        # The same value once more, at the rates of the settlement.
        settled, gross = payments["settled_us"][at], found[:, Register.CREDITED_GROSS]
        value = np.zeros(len(at), dtype=np.int64)
        worth_rows(world, np.column_stack([price[at], gross, np.maximum(settled, 0)]), value)
        risk, due = payments["fx_risk_minor"][at], value - found[:, Register.DEBITED]
        due += found[:, Register.FX_MARGIN]
        risks[at] = (risk == NULL) | (risk == due) | ~fits
    check.every("amounts", is_right, "its quote does not give its amounts, margin and drift")
    check.every("amounts", risks, "its risk is not that of the rates at its settlement")
    _check_totals(payments, registers, is_known, check)
    return Priced(price, registers, is_known)


def _fits(payments: dict[str, Array], registers: Array) -> Mask:
    """Return whether payments show what registers say, as far as they show anything."""
    right = np.ones(len(registers), dtype=np.bool_)
    for name, register in _SHOWN_REGISTERS.items():
        # What a row does not show cannot contradict.
        right &= (payments[name] == NULL) | (payments[name] == registers[:, register])
    return right


def _check_totals(
    payments: dict[str, Array], registers: Array, is_known: Mask, check: Checker
) -> None:
    """Check that no more fees were charged than the price has."""
    for name, register in (
        ("payer_fee_minor", Register.PAYER_FEE),
        ("merchant_fee_minor", Register.MERCHANT_FEE),
    ):
        charged, priced = payments[name], registers[:, register]
        # Fees are charged one by one: a payment that ended early has paid fewer.
        within = (charged == NULL) | (charged <= priced)
        check.every("fees", ~is_known | within, f"{name} is more than its price has")


def check_fees(
    plan: Plan, fees: dict[str, Array], words: Words, *, priced: Priced, groups: Groups
) -> dict[str, Mask]:
    """Return, by what is wrong otherwise, whether each row of fees is one its payment can have.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    fees : dict of str to ndarray
        Columns of ``fees.parquet`` as numbers, and ``of``: the payment of each row, -1 for none.
    words : dict of str to tuple of str
        What the numbers stand for.
    priced : Priced
        From :func:`price_payments`.
    groups : Groups
        From :func:`~sim.audit.agreement.group_payments`.
    """
    allowed = _Allowed(plan, words)
    of = fees["of"]
    # The last entry is for a payment that is not there, which is -1.
    group = np.append(groups.of, np.int64(-1))[of]
    told = np.column_stack(
        [fees[name] for name in ("component", "recipient", "bearer", "currency")]
    )
    is_named = group < 0
    for at in np.unique(group[group >= 0]).tolist():
        # By group, since payments of one group may have the same fees, and there are few
        # groups.
        mine = np.flatnonzero(group == at)
        possible = groups.possible[at]
        names = allowed.names(sorted(possible.fees), sorted(possible.prices))
        is_named[mine] = (told[mine, None, :] == names[None, :, :]).all(axis=2).any(axis=1)
    known = np.append(priced.is_known, np.False_)[of]
    # Where the price is not known, any amount is believed.
    amounts = ~known
    price = np.where(known, np.append(priced.price, np.int64(-1))[of], -1)
    for at in np.unique(price[price >= 0]).tolist():
        mine = np.flatnonzero(price == at)
        names, found = allowed.amounts(at, priced.registers[of[mine]])
        same = (told[mine, None, :] == names[None, :, :]).all(axis=2)
        amounts[mine] = (same & (fees["amount_minor"][mine, None] == found)).any(axis=1)
    return {
        "a component, recipient, bearer and currency its price does not have": is_named,
        "not the amount its price gives for it": amounts,
        "of no amount": fees["amount_minor"] > 0,
    }


class _Allowed:
    """Names and amounts of the rows a price can put into ``fees.parquet``."""

    def __init__(self, plan: Plan, words: Words) -> None:
        self._plan, self._words = plan, words
        self._agents_from = len(plan.names.recipients)
        self._spread = len(plan.names.components)

    def names(self, fees: list[int], prices: list[int]) -> Array:
        """Return component, recipient, bearer and currency of each row there may be."""
        rows = [self._fee(fee) for fee in fees]
        for price in prices:
            rows += self._providers(price)
        return self._first(rows)

    def amounts(self, price: int, registers: Array) -> tuple[Array, Array]:
        """Return the names of a price's rows and what each amounts to, by payment and row."""
        pricing = self._plan.pricing[price]
        first, count = pricing[PricingColumn.FEE_FIRST], max(pricing[PricingColumn.FEE_COUNT], 0)
        slots = range(min(int(count), FEES_MAX))
        rows = [self._fee(int(first) + slot) for slot in slots]
        shares = [registers[:, Register.FEE_0 + slot] for slot in slots]
        margin, spread_1 = registers[:, Register.FX_MARGIN], registers[:, Register.SPREAD_1]
        has_1, has_2 = (pricing[: PricingColumn.CONVERSION_2 + 1] >= 0).tolist()
        # The first of two keeps its spread, the second all that is left; one alone keeps all.
        if has_1:
            shares.append(spread_1 if has_2 else margin)
        if has_2:
            shares.append(margin - spread_1 if has_1 else margin)
        rows += self._providers(price)
        amounts = np.column_stack(shares) if shares else np.zeros((len(registers), 0), np.int64)
        return self._first(rows), amounts

    def _fee(self, fee: int) -> list[int]:
        columns = (FeeColumn.COMPONENT, FeeColumn.RECIPIENT, FeeColumn.BEARER, FeeColumn.CURRENCY)
        return [int(self._plan.fee[fee, column]) for column in columns]

    def _providers(self, price: int) -> list[list[int]]:
        """Return the rows of the conversions a price has, in their order."""
        row = self._plan.pricing[price]
        return [
            [
                self._spread,
                self._agents_from + int(row[provider]) if row[provider] >= 0 else -1,
                int(Bearer.DEBTOR),
                int(row[PricingColumn.CURRENCY_DEBITED]),
            ]
            for conversion, provider in (
                (PricingColumn.CONVERSION_1, PricingColumn.PROVIDER_1),
                (PricingColumn.CONVERSION_2, PricingColumn.PROVIDER_2),
            )
            if row[conversion] >= 0
        ]

    def _first(self, rows: list[list[int]]) -> Array:
        made = np.array(rows, dtype=np.int64).reshape(-1, 4)
        for at, name in enumerate(("component", "recipient", "bearer", "currency")):
            made[:, at] = first_of_name(made[:, at], self._words[name])
        return made
