"""Quantities as people write them, read into exact integers.

Takes text (``12 h``, ``0.10 %``, ``2000 /s``, ``80 CNY``); gives the types user-facing models use
for their fields. From Python an ``int`` is accepted where it is already in the unit the type's name
ends with (``DurationUs``: microseconds), which is also how defaults are written. Floats are always
refused. Groups of three digits may be set apart by spaces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from sim.contract.layout import DURATION_MAX_US
from sim.model.magnitude import UNITS, Form
from sim.model.money import AmountText, MoneyAmount, parse_money_amount, to_minor
from sim.model.number_text import (
    INT64_MAX,
    NUMBER,
    SPACE,
    WHOLE,
    check_base_int,
    match_text,
    plain_digits,
    refuse,
    scale_exactly,
    write_decimal,
    write_scaled,
)
from sim.model.quantity import Quantity
from sim.model.shares import (
    PPB,
    PPM,
    FeePpm,
    SharePpb,
    parse_fee_ppm,
    parse_share_ppb,
    write_fee,
    write_share,
)
from sim.model.words import (
    CalendarDate,
    CountryCode,
    CurrencyCode,
    CurrencyPair,
    Flag,
    Name,
    ScenarioName,
    TimeOfDay,
    Timestamp,
)
from sim.units import DAY_US, HOUR_US, MINUTE_US, SECOND_US

__all__ = [
    "PPB",
    "PPM",
    "AmountText",
    "BusinessDays",
    "CalendarDate",
    "Count",
    "CountryCode",
    "CurrencyCode",
    "CurrencyPair",
    "DecimalText",
    "DurationUs",
    "EventRate",
    "FeePpm",
    "Flag",
    "MoneyAmount",
    "Name",
    "PositiveCount",
    "PositiveDurationUs",
    "ScenarioName",
    "Seed",
    "SharePpb",
    "TimeOfDay",
    "Timestamp",
    "parse_duration_us",
    "parse_event_rate",
    "parse_fee_ppm",
    "parse_money_amount",
    "parse_positive_duration_us",
    "parse_share_ppb",
    "to_minor",
    "write_duration",
    "write_fee",
    "write_share",
]

MILLION = 10**6

# --- durations -----------------------------------------------------------------------------------

_UNITS_US = {name: int(unit.size * SECOND_US) for name, unit in UNITS.items() if unit.of == "time"}
_DURATION = re.compile(rf"(?P<number>{NUMBER}){SPACE}*(?P<unit>us|ms|s|min|h|days|day|d)")
_OTHER_UNIT = re.compile(rf"{NUMBER}{SPACE}*(?P<unit>[^\W\d_]+)")
_UNIT_HINTS = {
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "mins", "minute", "minutes"), "min"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("msec", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("\u00b5s", "\u03bcs", "usec", "microsecond", "microseconds"), "us"),
}
_DURATION_ALLOWED = (
    "a duration such as '12 h', '0.8 s', '350 ms' (units us, ms, s, min, h, d), whole microseconds"
)
_POSITIVE_DURATION_ALLOWED = _DURATION_ALLOWED + ", above 0"


def _unit_hint(found: object) -> str:
    matched = _OTHER_UNIT.fullmatch(found) if isinstance(found, str) and len(found) < 60 else None
    unit = _UNIT_HINTS.get(matched["unit"]) if matched else None
    return f". Did you mean {unit!r}?" if unit else ""


def _duration(found: object, low: int, allowed: str) -> int:
    given = check_base_int(found, allowed, low=low, high=DURATION_MAX_US)
    if given is not None:
        return given
    # The commonest slips are units under another name; saying so beats a list of what is
    # allowed.
    hint = _unit_hint(found)
    matched = match_text(_DURATION, found, allowed) if not hint else refuse(found, allowed, hint)
    # None where it is no whole number of microseconds: rounding would say something else than
    # was written.
    value = scale_exactly(matched["number"], _UNITS_US[matched["unit"]])
    if value is None or not low <= value <= DURATION_MAX_US:
        refuse(found, allowed)
    return value


def parse_duration_us(found: object) -> int:
    """Read a duration of at least 0 into microseconds."""
    return _duration(found, 0, _DURATION_ALLOWED)


def parse_positive_duration_us(found: object) -> int:
    """Read a duration above 0 into microseconds."""
    return _duration(found, 1, _POSITIVE_DURATION_ALLOWED)


def write_duration(duration_us: int) -> str:
    """Write microseconds in the largest unit that leaves no fraction, as in ``350 ms``."""
    for unit in ("d", "h", "min", "s", "ms"):
        # The largest unit that leaves no fraction; 0 fits them all and is written in seconds.
        if duration_us and duration_us % _UNITS_US[unit] == 0:
            return f"{duration_us // _UNITS_US[unit]} {unit}"
    return f"{duration_us} us" if duration_us else "0 s"


DurationUs = Annotated[
    int,
    Quantity(
        parse_duration_us,
        _DURATION_ALLOWED,
        _DURATION.pattern.replace("?P<number>", "?:").replace("?P<unit>", "?:"),
        ("12 h", "0.8 s", "350 ms"),
        write_duration,
        form=Form.NUMBER,
    ),
]
"""Duration of at least 0, in microseconds."""

PositiveDurationUs = Annotated[
    int,
    Quantity(
        parse_positive_duration_us,
        _POSITIVE_DURATION_ALLOWED,
        _DURATION.pattern.replace("?P<number>", "?:").replace("?P<unit>", "?:"),
        ("12 h", "0.8 s", "350 ms"),
        write_duration,
        form=Form.NUMBER,
    ),
]
"""Duration above 0, in microseconds."""

_BUSINESS_DAYS = re.compile(rf"(?P<number>{WHOLE}){SPACE}*business{SPACE}days?")
_BUSINESS_DAYS_ALLOWED = "a whole number of business days from 0 to 366 such as '2 business days'"


def parse_business_days(found: object) -> int:
    """Read a whole number of business days."""
    given = check_base_int(found, _BUSINESS_DAYS_ALLOWED, low=0, high=366)
    if given is not None:
        return given
    matched = match_text(_BUSINESS_DAYS, found, _BUSINESS_DAYS_ALLOWED)
    days = int(plain_digits(matched["number"]))
    return days if days <= 366 else refuse(found, _BUSINESS_DAYS_ALLOWED)


def _write_business_days(days: int) -> str:
    return f"{days} business day{'' if days == 1 else 's'}"


BusinessDays = Annotated[
    int,
    Quantity(
        parse_business_days,
        _BUSINESS_DAYS_ALLOWED,
        rf"{WHOLE}{SPACE}*business{SPACE}days?",
        ("1 business day", "2 business days"),
        _write_business_days,
        form=Form.WHOLE,
    ),
]
"""Number of business days; their length depends on a calendar, so it is not a duration."""

# --- rates of events -----------------------------------------------------------------------------

_PERIODS_US = {
    name.removeprefix("/"): int(SECOND_US / unit.size)
    for name, unit in UNITS.items()
    if unit.of == "rate"
}
_PERIOD_NAMES = {SECOND_US: "s", MINUTE_US: "min", HOUR_US: "h", DAY_US: "day"}
_RATE = re.compile(rf"(?P<number>{NUMBER}){SPACE}*/{SPACE}*(?P<unit>s|min|hour|h|day|d)")
_RATE_ALLOWED = "a rate such as '2000 /s', '1 500 /min', '12 000 /day', no finer than 1e-6 events"


@dataclass(frozen=True, slots=True)
class EventRate:
    """How often something happens, exactly.

    Attributes
    ----------
    count_millionths : int
        Events per period, in millionths of an event; above 0.
    period_us : int
        Length of the period: a second, minute, hour or day.
    """

    count_millionths: int
    period_us: int

    @property
    def per_second(self) -> float:
        """Return events per second."""
        return self.numerator * SECOND_US / self.denominator

    @property
    def numerator(self) -> int:
        """Return the numerator of events per microsecond in lowest terms."""
        return self._per_microsecond.numerator

    @property
    def denominator(self) -> int:
        """Return the denominator of events per microsecond in lowest terms."""
        return self._per_microsecond.denominator

    @property
    def _per_microsecond(self) -> Fraction:
        return Fraction(self.count_millionths, MILLION * self.period_us)

    def __str__(self) -> str:
        count = write_scaled(self.count_millionths, 6)
        return f"{count} /{_PERIOD_NAMES.get(self.period_us, f'{self.period_us} us')}"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read the rate from text."""
        return _EVENT_RATE.core_schema()

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the text."""
        return _EVENT_RATE.json_schema()


def parse_event_rate(found: object) -> EventRate:
    """Read a rate of events; exactly 0 is refused because nothing would ever happen."""
    if isinstance(found, EventRate):
        return found
    matched = match_text(_RATE, found, _RATE_ALLOWED)
    count = scale_exactly(matched["number"], MILLION)
    if count is None or count > INT64_MAX:
        refuse(found, _RATE_ALLOWED)
    # A message of its own, as 0 has the right form and is allowed elsewhere.
    if count == 0:
        raise ValueError(f"found {found!r}; rate must be above 0")
    return EventRate(count, _PERIODS_US[matched["unit"]])


_EVENT_RATE = Quantity(
    parse_event_rate,
    _RATE_ALLOWED,
    rf"{NUMBER}{SPACE}*/{SPACE}*(?:s|min|hour|h|day|d)",
    ("2000 /s", "1 500 /min", "12 000 /day"),
    str,
    form=Form.NUMBER,
)

# --- counts and numbers --------------------------------------------------------------------------

_COUNT = re.compile(WHOLE)
_DECIMAL = re.compile(NUMBER)
_COUNT_ALLOWED = "a whole number of at least 0 such as '1500' or '200 000'"
_POSITIVE_COUNT_ALLOWED = "a whole number of at least 1 such as '7' or '200 000'"
_SEED_ALLOWED = "a whole number from 0 to 2^63 - 1 such as '20250917'"
_DECIMAL_ALLOWED = "a number above 0 such as '4084' or '7.1875'"


def _whole(found: object, low: int, allowed: str) -> int:
    given = check_base_int(found, allowed, low=low, high=INT64_MAX)
    if given is not None:
        return given
    # The pattern has refused leading zeros, which in some notations mean octal.
    value = int(plain_digits(match_text(_COUNT, found, allowed).group()))
    return value if low <= value <= INT64_MAX else refuse(found, allowed)


def parse_count(found: object) -> int:
    """Read a number of things; leading zeros, exponents and fractions are refused."""
    return _whole(found, 0, _COUNT_ALLOWED)


def parse_positive_count(found: object) -> int:
    """Read a number of things of which there is at least one."""
    return _whole(found, 1, _POSITIVE_COUNT_ALLOWED)


def parse_seed(found: object) -> int:
    """Read a seed; 0 is as good as any other."""
    return _whole(found, 0, _SEED_ALLOWED)


def parse_decimal(found: object) -> Decimal:
    """Read an exact number above 0 (a rate of exchange, a shape parameter)."""
    if isinstance(found, (int, Decimal)) and not isinstance(found, bool):
        found = write_decimal(Decimal(found))
    value = Decimal(plain_digits(match_text(_DECIMAL, found, _DECIMAL_ALLOWED).group()))
    return value if value > 0 else refuse(found, _DECIMAL_ALLOWED)


Count = Annotated[
    int,
    Quantity(
        parse_count,
        _COUNT_ALLOWED,
        WHOLE,
        ("1500", "200 000"),
        json_types=("string", "number"),
        form=Form.WHOLE,
    ),
]
"""Number of things, at least 0."""

PositiveCount = Annotated[
    int,
    Quantity(
        parse_positive_count,
        _POSITIVE_COUNT_ALLOWED,
        WHOLE,
        ("7",),
        json_types=("string", "number"),
        form=Form.WHOLE,
    ),
]
"""Number of things, at least 1."""

Seed = Annotated[
    int, Quantity(parse_seed, _SEED_ALLOWED, WHOLE, ("20250917",), json_types=("string", "number"))
]
"""Seed of a run, 0 to 2^63 - 1."""

DecimalText = Annotated[
    Decimal,
    Quantity(
        parse_decimal,
        _DECIMAL_ALLOWED,
        NUMBER,
        ("4084", "7.1875"),
        write_decimal,
        json_types=("string", "number"),
        form=Form.NUMBER,
    ),
]
"""Exact number above 0."""
