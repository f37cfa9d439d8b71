"""Write KHQR codes, and write decoded ones again.

Takes named values (never a clock) and gives the string, byte for byte as the official kit writes
it: tags ascending, riel whole, dollars whole or with two decimals. Every string written here passes
:func:`sim.qr.verify`, because the same rules judge it before it leaves.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, TypedDict, Unpack

from sim.qr.checking import AMOUNT_FORM, DOLLAR, DYNAMIC, RIEL, STATIC, content_problems
from sim.qr.problems import INVALID, QrError, QrProblem, QrTypeError, excerpt
from sim.qr.reading import Code
from sim.qr.tags import (
    ACCOUNT_TYPES,
    ADDITIONAL,
    CHECKSUM,
    FIELDS,
    INDIVIDUAL,
    KHQR_TEMPLATES,
    LANGUAGE,
    MERCHANT,
    SUB_FIELDS,
    TIMES,
    TIMESTAMP_LENGTH,
)
from sim.qr.tlv import CHECKSUM_HEAD, LENGTH_MAX, crc, data_object, length

CITY: Final = "Phnom Penh"
"""City written when none is given."""

CATEGORY: Final = "5999"
"""Merchant category code written when none is given."""

COUNTRY: Final = "KH"
"""Country written when none is given."""

CURRENCY_DIGITS: Final[Mapping[str, str]] = MappingProxyType(
    {"KHR": RIEL, "USD": DOLLAR, RIEL: RIEL, DOLLAR: DOLLAR}
)
"""Digits written for each currency name accepted."""

_DIGITS_MAX: Final = 30
_PATH: Final = re.compile(r"[0-9]{2}(\.[0-9]{2})?")
_PLAIN_INPUTS: Final = (
    "union_pay_merchant",
    "merchant_category_code",
    "country_code",
    "merchant_name",
    "merchant_city",
)
_TEMPLATE_INPUTS: Final = (ADDITIONAL, LANGUAGE)


class KhqrInputs(TypedDict, total=False):
    """Everything :func:`encode` takes, by name; ``None`` means absent everywhere."""

    account_type: str | None
    """``individual`` (tag 29) or ``merchant`` (tag 30); required."""
    bakong_account_id: str | None
    """Account that is paid, ``name@bank``; required."""
    merchant_name: str | None
    """Name of the person or merchant, at most 25; required."""
    merchant_city: str | None
    """City, at most 15; ``Phnom Penh`` when absent."""
    account_information: str | None
    """Bank account or phone behind a bank's wallet; individual codes only."""
    merchant_id: str | None
    """Merchant id; required for and only in merchant codes."""
    acquiring_bank: str | None
    """Name of the acquiring bank; required for merchant codes."""
    currency: str | None
    """``KHR`` (default) or ``USD``, or their ISO digits."""
    amount: str | int | Decimal | None
    """Amount in riel or dollars; absent or zero makes a static code."""
    merchant_category_code: str | None
    """Category, at most four digits; ``5999`` when absent."""
    country_code: str | None
    """Country; ``KH`` when absent."""
    union_pay_merchant: str | None
    """UnionPay merchant account of tag 15; riel codes only."""
    bill_number: str | None
    """Bill number."""
    mobile_number: str | None
    """Mobile number, written as given."""
    store_label: str | None
    """Store label."""
    terminal_label: str | None
    """Terminal label."""
    purpose_of_transaction: str | None
    """Purpose of the payment."""
    language_preference: str | None
    """Language of the other name, two letters such as ``km``."""
    merchant_name_alternate_language: str | None
    """Name in that language."""
    merchant_city_alternate_language: str | None
    """City in that language."""
    created_ms: int | str | None
    """Creation, Unix milliseconds; required with an amount, unused without."""
    expires_ms: int | str | None
    """Expiry, Unix milliseconds; required with an amount, left out without: such a code never
    expires."""
    unknown: Mapping[str, str] | None
    """Values of tags KHQR does not define, by path such as ``39`` or ``62.05``."""


INPUT_NAMES: Final = frozenset(KhqrInputs.__annotations__)
"""Every keyword :func:`encode` accepts."""


def encode(**inputs: Unpack[KhqrInputs]) -> str:
    """Write a KHQR code.

    Parameters
    ----------
    **inputs : KhqrInputs
        The values to write, by name.

    Returns
    -------
    str
        The string, checksum included; static without an amount, else dynamic.

    Raises
    ------
    QrError
        With every problem found; ``code`` is the number the official kit would give.
    QrTypeError
        If a name is unknown or a value is of the wrong kind.
    """
    _check_kinds(inputs)
    problems: list[QrProblem] = []
    # The checksum as a placeholder, so that the rules do not find it missing; it is computed at
    # the end.
    objects: dict[str, str] = {"00": "01", CHECKSUM: "0000"}
    templates: dict[str, dict[str, str]] = {}
    _place_account(inputs, templates, problems)
    _place_plain(inputs, objects, problems)
    amount = _amount_text(inputs.get("amount"), objects["53"], problems)
    # An amount makes a code good for one payment only.
    objects["01"] = DYNAMIC if amount else STATIC
    if amount:
        objects["54"] = amount
        _place_times(inputs, templates, problems)
    for tag in _TEMPLATE_INPUTS:
        inside = _named(inputs, tag)
        if inside:
            templates[tag] = inside
    _place_unknown(inputs.get("unknown") or {}, objects, templates, problems)
    # The rules look for templates among the objects; their contents stand apart.
    objects |= dict.fromkeys(templates, "")
    # What was left out because of a problem already told is not told again as missing.
    judged = content_problems(objects, templates, 0)
    told = {problem.path for problem in problems}
    told |= {path.partition(".")[0] for path in told}
    problems += [problem for problem in judged if problem.path not in told]
    if amount and inputs.get("created_ms") in (None, ""):
        # Last, because the official kit reads its own clock here and cannot miss it.
        found = "no creation time"
        problems.append(QrProblem(45, f"{TIMES}.00", found, "created_ms beside an amount"))
    if problems:
        raise QrError(problems)
    return _serialise(objects, templates)


def inputs_of(code: Code) -> KhqrInputs:
    """Name the decoded fields of a code the way :func:`encode` takes them.

    Parameters
    ----------
    code : Code
        A decoded KHQR code.
    """
    fields = code.fields
    inputs: KhqrInputs = {
        "account_type": fields.get("merchant_type"),
        "bakong_account_id": fields.get("bakong_account_id"),
        "merchant_name": fields.get("merchant_name"),
        "merchant_city": fields.get("merchant_city"),
        "account_information": fields.get("account_information"),
        "merchant_id": fields.get("merchant_id"),
        "acquiring_bank": fields.get("acquiring_bank"),
        "currency": fields.get("transaction_currency"),
        "amount": fields.get("transaction_amount"),
        "merchant_category_code": fields.get("merchant_category_code"),
        "country_code": fields.get("country_code"),
        "union_pay_merchant": fields.get("union_pay_merchant"),
        "bill_number": fields.get("bill_number"),
        "mobile_number": fields.get("mobile_number"),
        "store_label": fields.get("store_label"),
        "terminal_label": fields.get("terminal_label"),
        "purpose_of_transaction": fields.get("purpose_of_transaction"),
        "language_preference": fields.get("language_preference"),
        "merchant_name_alternate_language": fields.get("merchant_name_alternate_language"),
        "merchant_city_alternate_language": fields.get("merchant_city_alternate_language"),
        "created_ms": fields.get("creation_timestamp"),
        "expires_ms": fields.get("expiration_timestamp"),
    }
    return inputs


def encode_again(code: Code) -> str:
    """Write a decoded KHQR code again in the official order, tags KHQR does not define included.

    Parameters
    ----------
    code : Code
        A decoded code; the amount, the checksum and the order of tags are brought into the
        official form, and timestamps of a static code are left out.

    Raises
    ------
    QrError
        If the structure is broken or a writer rule forbids what the code holds.
    """
    if not code.decode_ok:
        raise QrError(code.problems)
    inputs = inputs_of(code)
    # What others put into a code is kept: who prints it again must not lose it.
    inputs["unknown"] = _unknown_of(code)
    return encode(**inputs)


def round_trip(code: Code) -> bool:
    """Say whether encoding the decoded fields gives the very same string.

    False is normal for strings other writers made: another order, another way to write amounts,
    tags of their own.
    """
    try:
        return encode(**inputs_of(code)) == code.text
    except QrError:
        return False


def _unknown_of(code: Code) -> dict[str, str]:
    unknown = {
        tag: value for tag, value in code.objects if tag not in FIELDS and tag not in KHQR_TEMPLATES
    }
    for tag, pairs in code.templates:
        if tag in KHQR_TEMPLATES:
            names = SUB_FIELDS[tag]
            unknown |= {f"{tag}.{sub}": value for sub, value in pairs if sub not in names}
    return unknown


def _check_kinds(inputs: KhqrInputs) -> None:
    problems = []
    for name, value in inputs.items():
        if name not in INPUT_NAMES:
            # A name that is nearly right is a slip, and one that is ignored would be a code
            # without it.
            near = difflib.get_close_matches(name, sorted(INPUT_NAMES), n=1)
            allowed = f"a known name{f', perhaps {near[0]}' if near else ''}"
            problems.append(QrProblem(INVALID, "", f"the name {excerpt(name)}", allowed))
        elif value is not None:
            kinds, words = _kinds_of(name)
            # ``True`` would be written as an amount of 1.
            if not isinstance(value, kinds) or isinstance(value, bool):
                found = f"{name} of type {type(value).__name__}"
                problems.append(QrProblem(INVALID, "", found, words))
    if problems:
        raise QrTypeError(problems)


def _kinds_of(name: str) -> tuple[tuple[type, ...], str]:
    if name == "amount":
        return (str, int, Decimal), "a text, an int or a Decimal (a float is not exact)"
    if name in ("created_ms", "expires_ms"):
        return (int, str), "integer milliseconds"
    if name == "unknown":
        return (Mapping,), "a mapping of tag paths to texts"
    return (str,), "a text"


def _named(inputs: KhqrInputs, tag: str) -> dict[str, str]:
    """Collect the values given for a template's sub-tags."""
    values: Mapping[str, object] = inputs
    named = ((sub, values.get(name)) for sub, name in SUB_FIELDS[tag].items())
    return {sub: value for sub, value in named if isinstance(value, str)}


def _place_account(
    inputs: KhqrInputs, templates: dict[str, dict[str, str]], problems: list[QrProblem]
) -> None:
    kind = inputs.get("account_type")
    tag = ACCOUNT_TYPES.get(kind or "")
    if tag is None:
        allowed = " or ".join(ACCOUNT_TYPES)
        problems.append(QrProblem(5, INDIVIDUAL, f"account type {excerpt(kind)}", allowed))
        return
    inside = _named(inputs, tag)
    if tag == MERCHANT:
        for sub_tag, code in (("01", 30), ("02", 31)):
            if not inside.get(sub_tag):
                path = f"{MERCHANT}.{sub_tag}"
                problems.append(QrProblem(code, path, "nothing", "a value in a merchant code"))
        stray, elsewhere = "account_information", "merchant_id"
    else:
        inside = {sub: value for sub, value in inside.items() if value or sub == "00"}
        stray, elsewhere = "merchant_id", "account_information"
    values: Mapping[str, object] = inputs
    if values.get(stray):
        found = f"{stray} in a code of type {kind}"
        problems.append(QrProblem(INVALID, f"{tag}.01", found, elsewhere))
    templates[tag] = inside


def _place_plain(inputs: KhqrInputs, objects: dict[str, str], problems: list[QrProblem]) -> None:
    currency = inputs.get("currency")
    digits = CURRENCY_DIGITS.get(RIEL if currency is None else currency)
    if digits is None:
        code = 28 if currency else 9
        problems.append(QrProblem(code, "53", excerpt(currency), "KHR or USD"))
    objects["53"] = digits or ""
    category, country = inputs.get("merchant_category_code"), inputs.get("country_code")
    objects["52"] = CATEGORY if category is None else category
    objects["58"] = COUNTRY if country is None else country
    objects["59"] = inputs.get("merchant_name") or ""
    objects["60"] = inputs.get("merchant_city") or CITY
    union_pay = inputs.get("union_pay_merchant")
    if union_pay:
        objects["15"] = union_pay
        if digits == DOLLAR:
            problems.append(QrProblem(44, "15", "a UnionPay account with dollars", "riel"))


def _amount_text(
    amount: str | int | Decimal | None, currency: str, problems: list[QrProblem]
) -> str | None:
    """Give the amount as the official kit writes it; ``None`` for a static code."""
    if amount is None:
        return None
    given = _digits(amount)
    form = AMOUNT_FORM.fullmatch(given)
    if form is None:
        allowed = "digits and one point, or nothing for a static code"
        problems.append(QrProblem(4, "54", excerpt(given), allowed))
        return None
    # Written as the kit does: no leading zeros, and decimals either two or none.
    whole, decimals = form[1].lstrip("0") or "0", form[2] or ""
    # An amount of zero makes a static code, as in the kit.
    if not given.strip("0."):
        return None
    if currency == RIEL and decimals.strip("0"):
        problems.append(QrProblem(4, "54", excerpt(given), "whole riel"))
    elif currency != RIEL and len(decimals) > 2:
        problems.append(QrProblem(4, "54", excerpt(given), "at most two decimals"))
    return f"{whole}.{decimals:0<2}" if decimals.strip("0") else whole


def _digits(value: str | int | Decimal) -> str:
    """Write a number out; one far out of range becomes words, for writing it could take forever."""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int):
            return str(value)
        # A number of a billion digits is quickly said and takes for ever to write out.
        if exponent < -_DIGITS_MAX or value.adjusted() > _DIGITS_MAX:
            return "a number out of range"
        return format(value, "f")
    return str(value) if abs(value) < 10**_DIGITS_MAX else "a number out of range"


def _place_times(
    inputs: KhqrInputs, templates: dict[str, dict[str, str]], problems: list[QrProblem]
) -> None:
    created, expires = inputs.get("created_ms"), inputs.get("expires_ms")
    if expires is None or expires == "":
        problems.append(QrProblem(45, f"{TIMES}.01", "nothing", "an expiry beside an amount"))
        return
    inside = {"01": _digits(expires)}
    if created is not None and created != "":
        text = _digits(created)
        inside = {"00": text, **inside}
        if len(text) != TIMESTAMP_LENGTH or not (text.isascii() and text.isdigit()):
            allowed = "13 digits, Unix milliseconds"
            problems.append(QrProblem(49, f"{TIMES}.00", excerpt(text), allowed))
    templates[TIMES] = inside


def _place_unknown(
    unknown: Mapping[str, str],
    objects: dict[str, str],
    templates: dict[str, dict[str, str]],
    problems: list[QrProblem],
) -> None:
    for path, value in unknown.items():
        if not isinstance(path, str) or not isinstance(value, str):
            raise QrTypeError([QrProblem(INVALID, "", excerpt(path), "texts by tag path")])
        tag, dot, sub_tag = path.partition(".")
        known: Iterable[str] = SUB_FIELDS.get(tag, ()) if dot else (*FIELDS, *KHQR_TEMPLATES)
        if not _PATH.fullmatch(path) or (dot and tag not in KHQR_TEMPLATES):
            allowed = "a tag such as 39, or a sub-tag of 29, 30, 62, 64 or 99 such as 62.05"
            problems.append(QrProblem(INVALID, "", f"the path {excerpt(path)}", allowed))
        elif (sub_tag if dot else tag) in known:
            problems.append(QrProblem(INVALID, path, "a tag KHQR defines", "its own name"))
        elif dot:
            templates.setdefault(tag, {})[sub_tag] = value
        else:
            objects[tag] = value


def _serialise(objects: Mapping[str, str], templates: Mapping[str, Mapping[str, str]]) -> str:
    """Write all objects ascending, checksum last; refuse what two digits of length cannot hold."""
    problems: list[QrProblem] = []
    parts: list[str] = []
    # In ascending order, the checksum last: the same fields always give the same text.
    for tag in sorted(objects):
        if tag == CHECKSUM:
            continue
        value = objects[tag]
        if tag in templates:
            inside = templates[tag]
            value = "".join([data_object(sub, inside[sub]) for sub in sorted(inside)])
        size = length(value)
        # Two digits cannot announce more.
        if size > LENGTH_MAX:
            found = f"{size} characters"
            problems.append(QrProblem(INVALID, tag, found, f"at most {LENGTH_MAX} in one object"))
        parts.append(f"{tag}{size:02d}{value}")
    if problems:
        raise QrError(problems)
    body = "".join(parts) + CHECKSUM_HEAD
    try:
        return body + crc(body)
    except UnicodeEncodeError as error:
        found = f"a lone surrogate at character {error.start}"
        raise QrError([QrProblem(INVALID, "", found, "Unicode text")]) from None
