"""Currencies a scenario declares because the simulator does not know them.

Takes text as people write it; gives frozen values, and :func:`declared_of`, which makes currencies
of the simulator out of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from sim.model.base import FieldPath, Model
from sim.model.money import AmountText
from sim.model.number_text import match_text, scale_exactly, write_decimal
from sim.model.quantities import Count
from sim.model.quantity import Quantity
from sim.units import CURRENCIES, Currency

EXPONENT_MAX = 6
"""Most decimal places: ISO 4217 has up to four, tokens of money on ledgers six. With more, amounts
of a nation's day would not fit their integers."""
_LETTERS = re.compile(r"[A-Z]{3}")
_LETTERS_ALLOWED = "three capital letters such as 'MMK' (ISO 4217), or 'XTS' of an invented one"


def _check_letters(found: object) -> str:
    return match_text(_LETTERS, found, _LETTERS_ALLOWED).group()


CurrencyLetters = Annotated[
    str, Quantity(_check_letters, _LETTERS_ALLOWED, _LETTERS.pattern, ("MMK", "XTS"))
]
"""Letters of a currency that is declared here."""


class DeclaredCurrency(Model):
    """A currency that is not built in."""

    exponent: Count
    """Decimal places of its minor unit, up to 6: 2 where 100 of them make one."""
    step: AmountText | None = None
    """Smallest step of an amount that is ordered, credited or charged; absent: the minor unit."""
    minimum: AmountText | None = None
    """Least amount of a payment; absent: one step."""
    name: str = ""
    """What it is called."""


def declared_of(
    section: Mapping[str, DeclaredCurrency], problems: list[tuple[FieldPath, str]] | None = None
) -> tuple[Currency, ...]:
    """Return the currencies a scenario declares, those that are built in left out.

    Parameters
    ----------
    section : mapping of str to DeclaredCurrency
    problems : list of (path, message), optional
        Takes what is wrong with them; without it whatever is wrong is left at its default.
    """
    found: list[tuple[FieldPath, str]] = [] if problems is None else problems
    made = []
    for code, entry in sorted(section.items()):
        if entry.exponent > EXPONENT_MAX:
            found.append(
                ((code, "exponent"), f"found {entry.exponent}; allowed: at most {EXPONENT_MAX}")
            )
        step = _minor(code, entry, "step", found) or 1
        least = _minor(code, entry, "minimum", found) or 0
        if code not in CURRENCIES:
            exponent = min(entry.exponent, EXPONENT_MAX)
            made.append(Currency(code, "", exponent, step, least, entry.name))
        elif contradicts(CURRENCIES[code], entry, step=step, least=least):
            known = CURRENCIES[code]
            found.append(
                (
                    (code,),
                    f"found another {code} than is built in (exponent {known.exponent}, steps of "
                    f"{known.granule} minor units, no minimum); allowed: the same, or other "
                    f"letters",
                )
            )
    return tuple(made)


def contradicts(known: Currency, entry: DeclaredCurrency, *, step: int, least: int) -> bool:
    """Say whether a currency is declared otherwise than it is built in."""
    other_step = entry.step is not None and step != known.granule
    return entry.exponent != known.exponent or other_step or least != known.least


def _minor(
    code: str, entry: DeclaredCurrency, field: str, found: list[tuple[FieldPath, str]]
) -> int | None:
    """Return an amount in minor units of the currency that is being declared."""
    amount = getattr(entry, field)
    if amount is None:
        return None
    minor = scale_exactly(write_decimal(amount), 10 ** min(entry.exponent, EXPONENT_MAX))
    if minor is None:
        allowed = f"at most {entry.exponent} decimal places, as its exponent says"
        found.append(((code, field), f"found '{amount}'; allowed: {allowed}"))
    elif minor == 0:
        found.append(((code, field), f"found '{amount}'; allowed: an amount above 0"))
    return minor
