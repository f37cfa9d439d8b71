"""Judge a code: is it a valid KHQR at a given time, and if not, everything that is wrong.

Takes a text (or a decoded code) and a clock reading, gives problems in the order the official kit
would find them: structure and checksum, amount against timestamps, missing tags, then values in tag
order. The clock is always a parameter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from sim.qr.problems import INVALID, QrProblem, QrTypeError, excerpt
from sim.qr.reading import Code, decode
from sim.qr.schemes import Templates
from sim.qr.tags import (
    ACCOUNT_LENGTH_MAX,
    ADDITIONAL,
    AMOUNT_LENGTH_MAX,
    CHECKSUM,
    CHECKSUM_LENGTH,
    INDIVIDUAL,
    LANGUAGE,
    LIMITS,
    MANDATORY,
    MERCHANT,
    TIMES,
    TIMESTAMP_LENGTH,
)
from sim.qr.tlv import LENGTH_MAX, length

STATIC: Final = "11"
"""Point of initiation of a reusable code."""

DYNAMIC: Final = "12"
"""Point of initiation of a code for one payment."""

RIEL: Final = "116"
"""ISO 4217 digits of the riel."""

DOLLAR: Final = "840"
"""ISO 4217 digits of the US dollar."""

AMOUNT_FORM: Final = re.compile(r"([0-9]+)(?:\.([0-9]*))?")
"""Digits of the number, then optionally a point and decimals; ASCII digits only."""

_LETTERS: Final = re.compile(r"[A-Za-z]{2}")


def verify(code: str | Code, now_ms: int) -> tuple[QrProblem, ...]:
    """List everything that keeps a code from being a valid KHQR.

    Parameters
    ----------
    code : str or Code
        The string as scanned, or what :func:`sim.qr.decode` made of it.
    now_ms : int
        Time of judging, Unix milliseconds; a code whose expiry equals it is still good.

    Returns
    -------
    tuple of QrProblem
        Empty for a valid code; otherwise the first carries the number of the official order.

    Raises
    ------
    QrTypeError
        If ``code`` is not a text or ``now_ms`` is not an integer.
    """
    # ``bool`` is an ``int`` to Python and never a time.
    if isinstance(now_ms, bool) or not isinstance(now_ms, int):
        raise QrTypeError([QrProblem(49, "", excerpt(now_ms), "now_ms as integer milliseconds")])
    read = code if isinstance(code, Code) else decode(code)
    # Rules of content would judge what was not read.
    if not read.decode_ok:
        return read.problems
    objects = dict(read.objects)
    templates = {tag: dict(pairs) for tag, pairs in read.templates}
    problems = list(read.problems)
    # What stands behind the checksum is not covered by it.
    if CHECKSUM in objects and next(reversed(objects)) != CHECKSUM:
        problems.append(QrProblem(INVALID, CHECKSUM, "objects after it", "tag 63 last"))
    problems += content_problems(objects, templates, now_ms)
    # Last, in the order of the official kit.
    size = len(objects.get(CHECKSUM, ""))
    if size and size != CHECKSUM_LENGTH:
        problems.append(QrProblem(22, CHECKSUM, f"{size} characters", "four hex digits"))
    return tuple(problems)


def content_problems(
    objects: Mapping[str, str], templates: Templates, now_ms: int
) -> list[QrProblem]:
    """List what is wrong with the content of a code whose structure holds.

    Parameters
    ----------
    objects : mapping of str to str
        Values by top-level tag.
    templates : mapping
        Values by sub-tag of templates 29 or 30, 62, 64 and 99.
    now_ms : int
        Time of judging, Unix milliseconds.
    """
    # In the kit's order, whose first number is the code the user sees.
    problems = [*_coherence(objects), *_missing(objects)]
    _check_head(objects, problems)
    _check_account(objects, templates, problems)
    _check_category_and_currency(objects, problems)
    _check_amount(objects, problems)
    _check_place(objects, problems)
    _check_limits(ADDITIONAL, templates, problems)
    _check_language(templates, problems)
    if _is_dynamic(objects) and TIMES in objects:
        _check_times(templates.get(TIMES, {}), now_ms, problems)
    return problems


def _is_dynamic(objects: Mapping[str, str]) -> bool:
    # Without a point of initiation the amount decides; a fixed-price code says 11, so is static.
    default = DYNAMIC if "54" in objects else STATIC
    return objects.get("01", default) == DYNAMIC


def _coherence(objects: Mapping[str, str]) -> list[QrProblem]:
    problems = []
    if "54" not in objects and _is_dynamic(objects):
        problems.append(QrProblem(47, "54", "nothing", "an amount in a dynamic code"))
    if TIMES not in objects and ("54" in objects or _is_dynamic(objects)):
        problems.append(QrProblem(45, TIMES, "nothing", "tag 99 with an expiry beside an amount"))
    return problems


def _missing(objects: Mapping[str, str]) -> list[QrProblem]:
    problems = []
    for tag, code in MANDATORY:
        if tag == INDIVIDUAL:
            if INDIVIDUAL not in objects and MERCHANT not in objects:
                problems.append(QrProblem(code, INDIVIDUAL, "neither 29 nor 30", "one of the two"))
        # An empty value is as good as none.
        elif not objects.get(tag):
            found = "an empty value" if tag in objects else "nothing"
            problems.append(QrProblem(code, tag, found, "a value"))
    return problems


def _check_head(objects: Mapping[str, str], problems: list[QrProblem]) -> None:
    indicator = objects.get("00", "")
    if length(indicator) > 2:
        problems.append(QrProblem(16, "00", excerpt(indicator), "01"))
    initiation = objects.get("01", STATIC)
    if initiation not in (STATIC, DYNAMIC):
        # The kit tells a value that is too long from one that is not allowed.
        code = 17 if length(initiation) > 2 else 48
        problems.append(QrProblem(code, "01", excerpt(initiation), "11 or 12"))
    _check_length("15", objects.get("15", ""), (LENGTH_MAX, 43), problems)


def _check_account(
    objects: Mapping[str, str], templates: Templates, problems: list[QrProblem]
) -> None:
    # Only one of the two can be there; the structure was judged before.
    tag = MERCHANT if MERCHANT in objects else INDIVIDUAL
    if tag not in objects:
        return
    account = templates.get(tag, {}).get("00", "")
    path = f"{tag}.00"
    name, at, bank = account.partition("@")
    if not account:
        problems.append(QrProblem(1, path, "nothing", "name@bank"))
    elif length(account) > ACCOUNT_LENGTH_MAX:
        _check_length(path, account, (ACCOUNT_LENGTH_MAX, 6), problems)
    elif not (name and at and bank) or "@" in bank:
        problems.append(QrProblem(3, path, excerpt(account), "name@bank with exactly one @"))
    _check_limits(tag, templates, problems)


def _check_category_and_currency(objects: Mapping[str, str], problems: list[QrProblem]) -> None:
    category = objects.get("52", "")
    if length(category) > 4:
        problems.append(QrProblem(18, "52", excerpt(category), "at most four digits"))
    elif category and not (category.isascii() and category.isdigit()):
        problems.append(QrProblem(51, "52", excerpt(category), "at most four digits"))
    currency = objects.get("53", "")
    if currency and currency not in (RIEL, DOLLAR):
        # Three digits of another currency are not supported; anything else has the wrong
        # length.
        code = 28 if length(currency) == 3 else 19
        problems.append(QrProblem(code, "53", excerpt(currency), "116 (riel) or 840 (dollar)"))


def _check_amount(objects: Mapping[str, str], problems: list[QrProblem]) -> None:
    amount = objects.get("54")
    if amount is None:
        return
    allowed = "a number above zero, digits and one point, at most 13 characters"
    form = AMOUNT_FORM.fullmatch(amount)
    decimals = (form[2] or "") if form else ""
    # Zero is no amount: a code for it would be a static one.
    ok = form is not None and len(amount) <= AMOUNT_LENGTH_MAX and bool(amount.strip("0."))
    # Riel are whole, though their minor unit has two places.
    if ok and objects.get("53") == RIEL and decimals.strip("0"):
        ok, allowed = False, "whole riel"
    elif ok and objects.get("53") == DOLLAR and len(decimals) > 2:
        ok, allowed = False, "at most two decimals"
    if not ok:
        problems.append(QrProblem(4, "54", excerpt(amount), allowed))


def _check_place(objects: Mapping[str, str], problems: list[QrProblem]) -> None:
    country = objects.get("58", "")
    if country and length(country) != 2:
        problems.append(QrProblem(20, "58", excerpt(country), "two letters"))
    _check_length("59", objects.get("59", ""), (25, 7), problems)
    _check_length("60", objects.get("60", ""), (15, 21), problems)


def _check_language(templates: Templates, problems: list[QrProblem]) -> None:
    inside = templates.get(LANGUAGE)
    if inside is None:
        return
    preference = inside.get("00", "")
    if not preference:
        problems.append(QrProblem(37, f"{LANGUAGE}.00", "nothing", "two letters such as km"))
    elif not _LETTERS.fullmatch(preference):
        problems.append(QrProblem(38, f"{LANGUAGE}.00", excerpt(preference), "two letters"))
    if not inside.get("01"):
        problems.append(QrProblem(39, f"{LANGUAGE}.01", "nothing", "a name in that language"))
    _check_limits(LANGUAGE, templates, problems)


def _check_times(inside: Mapping[str, str], now_ms: int, problems: list[QrProblem]) -> None:
    path = f"{TIMES}.01"
    expiry, creation = inside.get("01", ""), inside.get("00", "")
    if not expiry:
        problems.append(QrProblem(45, path, "nothing", "an expiry in a dynamic code"))
    elif not (len(expiry) == TIMESTAMP_LENGTH and _is_digits(expiry)):
        problems.append(QrProblem(49, path, excerpt(expiry), "13 digits, Unix milliseconds"))
    else:
        if _is_digits(creation) and int(expiry) < int(creation):
            problems.append(QrProblem(50, path, expiry, f"creation {creation} or later"))
        if int(expiry) < now_ms:
            # A clock beyond 20 digits is nonsense that Python may refuse to print.
            now = f"now {now_ms} or later" if now_ms < 10**20 else "a later time"
            problems.append(QrProblem(46, path, expiry, now))


def _check_limits(tag: str, templates: Templates, problems: list[QrProblem]) -> None:
    inside = templates.get(tag)
    if not inside:
        return
    for limit in LIMITS[tag]:
        value = inside.get(limit.tag)
        path = f"{tag}.{limit.tag}"
        if value == "" and limit.code_empty:
            problems.append(QrProblem(limit.code_empty, path, "an empty value", "a value or none"))
        elif value:
            _check_length(path, value, (limit.length_max, limit.code), problems)


def _check_length(path: str, value: str, limit: tuple[int, int], problems: list[QrProblem]) -> None:
    length_max, code = limit
    size = length(value)
    if size > length_max:
        found = f"{excerpt(value)} of {size} characters"
        problems.append(QrProblem(code, path, found, f"at most {length_max}"))


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
