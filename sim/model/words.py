"""Words and instants a scenario names: identifiers, codes, times of day and calendar time.

Takes text; gives types for model fields. :mod:`sim.model.quantities` offers all of them together
with the quantities, so models import from there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from sim.errors import suggest
from sim.model.number_text import check_base_int, match_text, refuse
from sim.model.quantity import Quantity
from sim.units import CURRENCIES, known_currencies

CURRENCY_ALLOWED = ", ".join(sorted(CURRENCIES))
_COUNTRY = re.compile(r"[A-Z]{2}")
_COUNTRY_ALLOWED = "a country of two capital letters (ISO 3166) such as 'KH' or 'CN'"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NAME_ALLOWED = "a name of small letters, digits and '_', a letter first, such as 'cn_counter'"
_SCENARIO_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_SCENARIO_NAME_ALLOWED = (
    "a name of small letters, digits, '-' and '_', a letter first, such as 'china-two-way'"
)
_PAIR = re.compile(r"(?P<base>[A-Za-z]+)/(?P<quote>[A-Za-z]+)")
_PAIR_ALLOWED = "two different currencies such as 'USD/KHR'"
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_TIMESTAMP_ALLOWED = (
    "a date and time with its UTC offset such as '2025-09-17T18:00:00+07:00' (ISO 8601)"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_ALLOWED = "a date that exists such as '2025-09-17' (ISO 8601)"
_TIME_OF_DAY = re.compile(
    r"(?P<h>[01][0-9]|2[0-3]):(?P<m>[0-5][0-9])(?::(?P<s>[0-5][0-9]))?|24:00(?::00)?"
)
_TIME_OF_DAY_ALLOWED = "a time of day from '00:00' to '24:00' such as '17:00' or '17:00:30'"
_FLAG_ALLOWED = "'true' or 'false'"


def check_currency(found: object) -> str:
    """Return the letters of a known currency, or refuse with the known ones."""
    known = known_currencies()
    if isinstance(found, str) and found in known:
        return found
    hint = suggest(found[:8].upper(), known) if isinstance(found, str) else ""
    return refuse(found, ", ".join(sorted(known)), f".{hint}" if hint else "")


def _check_country(found: object) -> str:
    return match_text(_COUNTRY, found, _COUNTRY_ALLOWED).group()


def _name_hint(found: object) -> str:
    if not isinstance(found, str) or len(found) > 64:
        return ""
    better = re.sub(r"[^a-z0-9_]+", "_", found.lower()).strip("_")
    return f". Did you mean {better!r}?" if _NAME.fullmatch(better) else ""


def _check_name(found: object) -> str:
    if isinstance(found, str) and _NAME.fullmatch(found):
        return found
    return refuse(found, _NAME_ALLOWED, _name_hint(found))


def _check_scenario_name(found: object) -> str:
    return match_text(_SCENARIO_NAME, found, _SCENARIO_NAME_ALLOWED).group()


@dataclass(frozen=True, slots=True, order=True)
class CurrencyPair:
    """Pair of currencies whose rate is in units of ``quote`` for one unit of ``base``.

    Attributes
    ----------
    base, quote : str
        ISO 4217 letters of two different known currencies.
    """

    base: str
    quote: str

    def __str__(self) -> str:
        return f"{self.base}/{self.quote}"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read the pair from text."""
        return _CURRENCY_PAIR.core_schema()

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the text."""
        return _CURRENCY_PAIR.json_schema()


def parse_currency_pair(found: object) -> CurrencyPair:
    """Read two currencies with a slash between them."""
    if isinstance(found, CurrencyPair):
        return found
    matched = match_text(_PAIR, found, _PAIR_ALLOWED)
    base, quote = check_currency(matched["base"]), check_currency(matched["quote"])
    # A currency costs itself exactly one.
    return CurrencyPair(base, quote) if base != quote else refuse(found, _PAIR_ALLOWED)


_CURRENCY_PAIR = Quantity(
    parse_currency_pair, _PAIR_ALLOWED, "[A-Z]{3}/[A-Z]{3}", ("USD/KHR",), str
)


def parse_timestamp(found: object) -> datetime:
    """Read an instant; without a UTC offset it would mean something else on every machine."""
    if isinstance(found, datetime):
        return found if found.tzinfo is not None else refuse(found, _TIMESTAMP_ALLOWED)
    text = match_text(_TIMESTAMP, found, _TIMESTAMP_ALLOWED).group()
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return refuse(found, _TIMESTAMP_ALLOWED)
    # No place on Earth is further from UTC; a wrong offset would silently shift the whole run.
    offset = instant.utcoffset() or timedelta()
    return instant if abs(offset) <= timedelta(hours=14) else refuse(found, _TIMESTAMP_ALLOWED)


def parse_calendar_date(found: object) -> date:
    """Read a date; at which instant it begins depends on the place it is used for."""
    if isinstance(found, date) and not isinstance(found, datetime):
        return found
    text = match_text(_DATE, found, _DATE_ALLOWED).group()
    try:
        return date.fromisoformat(text)
    except ValueError:
        return refuse(found, _DATE_ALLOWED)


def parse_time_of_day(found: object) -> int:
    """Read a time of day into seconds since midnight; ``24:00`` is the day's end."""
    given = check_base_int(found, _TIME_OF_DAY_ALLOWED, low=0, high=86_400)
    if given is not None:
        return given
    matched = match_text(_TIME_OF_DAY, found, _TIME_OF_DAY_ALLOWED)
    if matched["h"] is None:
        return 86_400
    return int(matched["h"]) * 3600 + int(matched["m"]) * 60 + int(matched["s"] or 0)


def write_time_of_day(seconds: int) -> str:
    """Write seconds since midnight as in ``17:00`` or ``17:00:30``."""
    minutes, second = divmod(seconds, 60)
    text = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return f"{text}:{second:02d}" if second else text


def parse_flag(found: object) -> bool:
    """Read ``true`` or ``false``; ``on``, ``yes`` and ``1`` are refused."""
    if isinstance(found, bool):
        return found
    if found in ("true", "false"):
        return found == "true"
    if not isinstance(found, str):
        return refuse(found, _FLAG_ALLOWED)
    word = found[:8].lower()
    meant = "true" if word in ("true", "yes", "on", "y", "1") else "false"
    # A hint only where the word plainly says yes or no.
    is_near = meant == "true" or word in ("false", "no", "off", "n", "0")
    return refuse(found, _FLAG_ALLOWED, f". Did you mean {meant!r}?" if is_near else "")


CurrencyCode = Annotated[
    str, Quantity(check_currency, f"a currency: {CURRENCY_ALLOWED}", "[A-Z]{3}", ("KHR", "USD"))
]
"""ISO 4217 letters of a currency the simulator knows."""

CountryCode = Annotated[
    str, Quantity(_check_country, _COUNTRY_ALLOWED, _COUNTRY.pattern, ("KH", "NO"))
]
"""ISO 3166 letters of a country."""

Name = Annotated[str, Quantity(_check_name, _NAME_ALLOWED, _NAME.pattern, ("cn_counter",))]
"""Identifier by which other parts of a scenario refer to something."""

ScenarioName = Annotated[
    str,
    Quantity(
        _check_scenario_name, _SCENARIO_NAME_ALLOWED, _SCENARIO_NAME.pattern, ("china-two-way",)
    ),
]
"""Name of a scenario, also the name of its results folder."""

Timestamp = Annotated[
    datetime,
    Quantity(
        parse_timestamp,
        _TIMESTAMP_ALLOWED,
        _TIMESTAMP.pattern,
        ("2025-09-17T18:00:00+07:00",),
        datetime.isoformat,
    ),
]
"""Instant with its UTC offset."""

CalendarDate = Annotated[
    date,
    Quantity(parse_calendar_date, _DATE_ALLOWED, _DATE.pattern, ("2025-09-17",), date.isoformat),
]
"""Date without a time."""

TimeOfDay = Annotated[
    int,
    Quantity(
        parse_time_of_day,
        _TIME_OF_DAY_ALLOWED,
        r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?|24:00(?::00)?",
        ("17:00", "17:00:30"),
        write_time_of_day,
    ),
]
"""Time of day, in seconds since midnight."""

Flag = Annotated[
    bool,
    Quantity(
        parse_flag,
        _FLAG_ALLOWED,
        "true|false",
        ("true", "false"),
        json_types=("string", "boolean"),
    ),
]
"""Yes or no, written ``true`` or ``false``."""
