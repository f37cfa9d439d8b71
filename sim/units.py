"""Currencies and the integer units the simulator counts in.

Takes nothing of ours. Money is an int64 number of minor units with the ISO 4217 exponent; a
currency whose *instructed* amounts are coarser than its minor unit (riel: whole riel, though the
minor unit is 1/100 riel) has a granule above one.
"""

from __future__ import annotations

from dataclasses import dataclass

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class Currency:
    """One currency.

    Attributes
    ----------
    code : str
        ISO 4217 letters.
    numeric : str
        ISO 4217 digits, as a QR code carries them.
    exponent : int
        Decimal places of the minor unit (ISO 4217).
    granule : int
        Smallest step of an instructed, credited or charged amount, in minor units.
    """

    code: str
    numeric: str
    exponent: int
    granule: int = 1


_TABLE = (
    Currency("KHR", "116", 2, 100),
    Currency("USD", "840", 2),
    Currency("CNY", "156", 2),
    Currency("THB", "764", 2),
    Currency("VND", "704", 0),
    Currency("LAK", "418", 2),
    Currency("MYR", "458", 2),
    Currency("SGD", "702", 2),
    Currency("IDR", "360", 2),
    Currency("PHP", "608", 2),
    Currency("INR", "356", 2),
    Currency("KRW", "410", 0),
    Currency("JPY", "392", 0),
    Currency("HKD", "344", 2),
    Currency("EUR", "978", 2),
    Currency("GBP", "826", 2),
    Currency("BRL", "986", 2),
)

CURRENCIES: dict[str, Currency] = {currency.code: currency for currency in _TABLE}


def minor_per_major(code: str) -> int:
    """Return how many minor units make one major unit of a currency.

    Parameters
    ----------
    code : str
        ISO 4217 letters of a known currency.

    Raises
    ------
    KeyError
        If the currency is not in :data:`CURRENCIES`.
    """
    return int(10 ** CURRENCIES[code].exponent)


def format_minor(amount_minor: int, code: str) -> str:
    """Write an integer amount the way people read it, as in ``12 345.60 CNY``."""
    exponent = CURRENCIES[code].exponent
    sign = "-" if amount_minor < 0 else ""
    major, minor = divmod(abs(amount_minor), 10**exponent)
    text = f"{sign}{major:,}".replace(",", " ")
    return f"{text}.{minor:0{exponent}d} {code}" if exponent else f"{text} {code}"


def about_unit(duration_us: float) -> tuple[int, str]:
    """Return the unit people would name a duration in: its size in microseconds, and its name."""
    for size, unit, limit in (
        (SECOND_US, "s", 600 * SECOND_US),
        (MINUTE_US, "min", 3 * HOUR_US),
        (HOUR_US, "h", 2 * DAY_US),
    ):
        if abs(duration_us) < limit:
            return size, unit
    return DAY_US, "d"
