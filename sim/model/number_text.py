"""The number grammar: how numbers are read from text and written.

Takes nothing of ours; gives the patterns and the exact number reader that all quantities share, and
the words in which they refuse what they cannot read. Nothing here computes in floating point.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import NoReturn

INT64_MAX = 2**63 - 1
TEXT_LENGTH_MAX = 80
"""Longer text is never a quantity; refusing it early keeps every pattern and conversion quick."""

SPACE = "[ \u00a0\u202f]"
"""Spaces people put between groups of digits and before a unit (also the no-break ones)."""

WHOLE = rf"(?:[1-9][0-9]{{0,2}}(?:{SPACE}[0-9]{{3}})+|0|[1-9][0-9]*)"
NUMBER = rf"{WHOLE}(?:\.[0-9]+)?"


def describe_found(value: object) -> str:
    """Quote what the user wrote, shortened, as error messages do."""
    if isinstance(value, str):
        shown = value if len(value) <= 60 else value[:57] + "..."
        return repr(shown)
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, (bool, int, float)):
        return repr(value)[:60]
    return f"a {type(value).__name__}"


def refuse(found: object, allowed: str, hint: str = "") -> NoReturn:
    """Raise the error every quantity raises: what was found, what is allowed, what to do."""
    raise ValueError(f"found {describe_found(found)}; allowed: {allowed}{hint}")


def match_text(pattern: re.Pattern[str], found: object, allowed: str) -> re.Match[str]:
    """Match the whole text, or refuse it (also when it is not text or far too long)."""
    matched = None
    if isinstance(found, str) and len(found) <= TEXT_LENGTH_MAX:
        matched = pattern.fullmatch(found)
    if matched is None:
        refuse(found, allowed)
    return matched


def plain_digits(number: str) -> str:
    """Return a matched number without the spaces between its groups."""
    return re.sub(SPACE, "", number)


def scale_exactly(number: str, factor: int) -> int | None:
    """Multiply a matched number by an integer; None when the product is not whole.

    Parameters
    ----------
    number : str
        Text that matched :data:`NUMBER`.
    factor : int
        Units per one; may be huge, nothing is rounded.
    """
    whole, _, fraction = plain_digits(number).partition(".")
    product, remainder = divmod(int(whole + fraction) * factor, 10 ** len(fraction))
    return None if remainder else product


def write_scaled(value: int, decimals: int) -> str:
    """Write ``value / 10**decimals`` in plain digits without trailing zeros."""
    whole, fraction = divmod(value, 10**decimals)
    text = f"{fraction:0{decimals}d}".rstrip("0") if decimals else ""
    return f"{whole}.{text}" if text else str(whole)


def write_decimal(value: Decimal) -> str:
    """Write an exact decimal in plain digits, never with an exponent."""
    return f"{value:f}"


def check_base_int(found: object, allowed: str, *, low: int, high: int) -> int | None:
    """Return an int a Python caller gave in the base unit; None when it is not an int."""
    if isinstance(found, bool) or not isinstance(found, int):
        return None
    if not low <= found <= high:
        refuse(found, allowed)
    return found
