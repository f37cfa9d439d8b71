"""Money as people write it, read into exact minor units.

Takes text (``80 CNY``, ``3 000 000``); gives types for model fields, which models import from
:mod:`sim.model.quantities`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from sim.contract.layout import BALANCE_MAX
from sim.model.magnitude import Form
from sim.model.number_text import (
    NUMBER,
    SPACE,
    match_text,
    plain_digits,
    refuse,
    scale_exactly,
    write_decimal,
)
from sim.model.quantity import Quantity
from sim.model.words import CURRENCY_ALLOWED, check_currency
from sim.units import currency_of, format_minor, format_places

_MONEY = re.compile(rf"(?P<number>{NUMBER}){SPACE}*(?P<currency>[A-Za-z]+)")
_MONEY_ALLOWED = "an amount with its currency such as '80 CNY', '12.50 USD', '3 000 000 KHR'"
_AMOUNT = re.compile(NUMBER)
_AMOUNT_ALLOWED = "an amount without currency such as '3 000 000' or '12.50'"


@dataclass(frozen=True, slots=True)
class MoneyAmount:
    """An amount of money in one currency.

    Attributes
    ----------
    amount_minor : int
        Amount in minor units (ISO 4217 exponent), at least 0.
    currency : str
        ISO 4217 letters of a known currency.
    exponent : int
        Its decimal places, so that the amount can be written wherever it is; -1: as is known there.
    """

    amount_minor: int
    currency: str
    exponent: int = field(default=-1, repr=False, compare=False)

    def __str__(self) -> str:
        if self.exponent < 0:
            return format_minor(self.amount_minor, self.currency)
        return format_places(self.amount_minor, self.currency, self.exponent)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read the amount from text."""
        return _MONEY_AMOUNT.core_schema()

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the text."""
        return _MONEY_AMOUNT.json_schema()


def to_minor(amount: Decimal | str, currency: str) -> int:
    """Turn an amount without currency into minor units of a currency.

    Parameters
    ----------
    amount : Decimal or str
        An :data:`AmountText` value, or the text itself.
    currency : str
        ISO 4217 letters of a known currency.

    Raises
    ------
    ValueError
        If the amount is finer than the currency's minor unit, too large, or the currency unknown.
    """
    check_currency(currency)
    number = write_decimal(amount) if isinstance(amount, Decimal) else amount
    number = match_text(_AMOUNT, number, _AMOUNT_ALLOWED).group()
    exponent = currency_of(currency).exponent
    value = scale_exactly(number, 10**exponent)
    # Finer than the currency's minor unit: there is no such amount.
    if value is None:
        refuse(f"{amount} {currency}", f"at most {exponent} decimal places in {currency}")
    # Balances have room for no more, and sums of two stay far from the end of an int64.
    if value >= BALANCE_MAX:
        refuse(f"{amount} {currency}", f"an amount below {format_minor(BALANCE_MAX, currency)}")
    return value


def parse_money_amount(found: object) -> MoneyAmount:
    """Read an amount with its currency."""
    if isinstance(found, MoneyAmount):
        return found
    matched = match_text(_MONEY, found, _MONEY_ALLOWED)
    currency = matched["currency"]
    minor = to_minor(matched["number"], currency)
    return MoneyAmount(minor, currency, currency_of(currency).exponent)


_MONEY_AMOUNT = Quantity(
    parse_money_amount,
    f"{_MONEY_ALLOWED}; currency: {CURRENCY_ALLOWED}",
    rf"{NUMBER}{SPACE}*[A-Z]{{3}}",
    ("80 CNY", "12.50 USD", "3 000 000 KHR"),
    str,
)


def parse_amount_text(found: object) -> Decimal:
    """Read an amount whose currency another field names; kept exact until then."""
    if isinstance(found, (int, Decimal)) and not isinstance(found, bool):
        found = write_decimal(Decimal(found))
    return Decimal(plain_digits(match_text(_AMOUNT, found, _AMOUNT_ALLOWED).group()))


AmountText = Annotated[
    Decimal,
    Quantity(
        parse_amount_text,
        _AMOUNT_ALLOWED,
        NUMBER,
        ("3 000 000", "12.50"),
        write_decimal,
        json_types=("string", "number"),
        form=Form.AMOUNT,
    ),
]
"""Amount without currency; :func:`to_minor` resolves it by the currency of its field."""
