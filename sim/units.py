"""Currencies and the integer units the simulator counts in.

Takes nothing of ours. Money is an int64 number of minor units with the ISO 4217 exponent; a
currency whose *instructed* amounts are coarser than its minor unit (riel: whole riel, though the
minor unit is 1/100 riel) has a granule above one.

A scenario may declare further currencies. They are known while that scenario is read, compiled or
told (:func:`using_currencies`) and to nobody else: two scenarios in one process may declare the
same letters with different decimal places. What leaves a scenario carries its decimal places with
it: the names of a plan, the metadata of tables, the unit of a measure (:func:`minor_unit`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType

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
    least : int
        Least amount of a payment, in minor units.
    name : str
        What people call it, where a scenario declares it.
    """

    code: str
    numeric: str
    exponent: int
    granule: int = 1
    least: int = 0
    name: str = ""


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

CURRENCIES: Mapping[str, Currency] = MappingProxyType({one.code: one for one in _TABLE})
"""Those every scenario knows."""

_NONE: Mapping[str, Currency] = MappingProxyType({})
_DECLARED: ContextVar[Mapping[str, Currency]] = ContextVar("declared currencies", default=_NONE)


@contextmanager
def using_currencies(declared: Iterable[Currency]) -> Iterator[None]:
    """Know the currencies of one scenario, and of no other, within a block.

    Parameters
    ----------
    declared : iterable of Currency
        Those the scenario declares. What is built in is known in any case, and stays as it is.

    Notes
    -----
    Blocks within blocks know the innermost scenario alone. A context variable is of one thread, and
    of one task: nothing leaks into what runs beside.
    """
    held = {one.code: one for one in declared if one.code not in CURRENCIES}
    token = _DECLARED.set(MappingProxyType(held))
    try:
        yield
    finally:
        _DECLARED.reset(token)


def declared_currencies() -> Mapping[str, Currency]:
    """Return what the scenario at hand declares, by its letters."""
    return _DECLARED.get()


def known_currencies() -> Mapping[str, Currency]:
    """Return every currency that is known here: built in, or declared by the scenario at hand."""
    declared = _DECLARED.get()
    return {**CURRENCIES, **declared} if declared else CURRENCIES


def currency_of(code: str) -> Currency:
    """Return a currency by its letters.

    Raises
    ------
    KeyError
        If it is neither built in nor declared by the scenario at hand.
    """
    return CURRENCIES[code] if code in CURRENCIES else _DECLARED.get()[code]


def minor_per_major(code: str) -> int:
    """Return how many minor units make one major unit of a currency.

    Parameters
    ----------
    code : str
        ISO 4217 letters of a known currency.

    Raises
    ------
    KeyError
        If the currency is not known here, see :func:`currency_of`.
    """
    return int(10 ** currency_of(code).exponent)


def format_minor(amount_minor: int, code: str) -> str:
    """Write an integer amount the way people read it, as in ``12 345.60 CNY``."""
    return format_places(amount_minor, code, currency_of(code).exponent)


def format_places(amount_minor: int, code: str, exponent: int) -> str:
    """Write an integer amount of a currency with so many decimal places."""
    sign = "-" if amount_minor < 0 else ""
    major, minor = divmod(abs(amount_minor), 10**exponent)
    text = f"{sign}{major:,}".replace(",", " ")
    return f"{text}.{minor:0{exponent}d} {code}" if exponent else f"{text} {code}"


_MINOR = "minor "


def minor_unit(code: str, declared: Iterable[Currency]) -> str:
    """Return the unit of an amount in minor units: ``minor KHR``.

    Parameters
    ----------
    code : str
    declared : iterable of Currency
        Those of the scenario it comes from. A unit of one of them says its decimal places itself,
        as in ``minor XTS (10^-3)``, because nobody else knows them.
    """
    for one in declared:
        if one.code == code:
            return f"{_MINOR}{code} (10^-{one.exponent})"
    return f"{_MINOR}{code}"


def read_minor_unit(unit: str) -> tuple[str, int] | None:
    """Return letters and decimal places of a unit of :func:`minor_unit`, None of any other.

    Amounts nobody knows the currency of have no decimal places to speak of, and are none either.
    """
    if not unit.startswith(_MINOR):
        return None
    code, _, places = unit.removeprefix(_MINOR).partition(" (10^-")
    if places:
        return code, int(places.rstrip(")"))
    return (code, CURRENCIES[code].exponent) if code in CURRENCIES else None


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
