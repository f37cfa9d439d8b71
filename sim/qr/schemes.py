"""Recognise whose code it is, and say who would be paid.

Takes data objects already cut apart and gives scheme names and payees. A scheme is known by the
identifier in sub-tag 00 of a template, never by the tag's number alone: 29 is Bakong, PromptPay or
Alipay, 38 is VietQR or LAO QR.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sim.qr.tags import INDIVIDUAL, MERCHANT
from sim.qr.tlv import split
from sim.units import CURRENCIES

Templates = Mapping[str, Mapping[str, str]]
"""Values by sub-tag, by tag."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """One scheme: where it is at home and where its template keeps the payee.

    Attributes
    ----------
    country, currency : str
        Home country (ISO 3166) and currency (ISO 4217 letters); empty when the scheme has none.
    account : tuple of str
        Sub-tags that may hold the payee's account, first one present wins.
    institution : str
        Sub-tag that names the payee's institution; empty when there is none.
    """

    country: str = ""
    currency: str = ""
    account: tuple[str, ...] = ()
    institution: str = ""


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid, by which scheme, and how much.

    Attributes
    ----------
    scheme : str
        Name of the scheme.
    country : str
        ISO 3166 letters from the code, else the scheme's home; empty when unknown.
    currency : str
        ISO 4217 letters where known, else the digits of the code.
    amount : str
        Amount as written in the code; empty when the payer types it.
    name, city : str
        As printed in the code; empty when absent.
    account : str
        Account, proxy or merchant number the scheme pays to; empty when absent.
    institution : str
        The payee's institution as the scheme names it; empty when absent.
    """

    scheme: str
    country: str
    currency: str
    amount: str
    name: str
    city: str
    account: str
    institution: str


SCHEMES: Final[Mapping[str, Scheme]] = MappingProxyType(
    {
        "khqr": Scheme("KH", "", ("00",), "02"),
        "promptpay": Scheme("TH", "THB", ("01", "02", "03", "04")),
        "promptpay_bill": Scheme("TH", "THB", ("01",)),
        "vietqr": Scheme("VN", "VND", ("01",)),
        "laoqr": Scheme("LA", "LAK", ("03",), "01"),
        "duitnow": Scheme("MY", "MYR", ("02",), "01"),
        "paynow": Scheme("SG", "SGD", ("02",)),
        "nets": Scheme("SG", "SGD", ("01",)),
        "sgqr": Scheme("SG", "SGD", ("01",)),
        "qris": Scheme("ID", "IDR", ("02",)),
        "qris_acquirer": Scheme("ID", "IDR", ("01", "02")),
        "qrph": Scheme("PH", "PHP", ("04", "03"), "01"),
        "upi": Scheme("IN", "INR", ("01",)),
        "wechat_pay": Scheme("CN", "CNY", ("01",)),
        "alipay": Scheme("CN", "CNY", ("01",)),
        "unionpay": Scheme(),
        "visa": Scheme(),
        "mastercard": Scheme(),
    }
)
"""Every scheme the codec knows."""

PLAIN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "02": "visa",
        "03": "visa",
        "04": "mastercard",
        "05": "mastercard",
        "15": "unionpay",
        "16": "unionpay",
    }
)
"""Schemes whose account is a plain value, by tag; EMVCo reserves these numbers."""

IDENTIFIERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "A000000677010111": "promptpay",
        "A000000677010114": "promptpay",
        "A000000677010112": "promptpay_bill",
        "A000000677012006": "promptpay_bill",
        "A000000727": "vietqr",
        "A005266284662577": "laoqr",
        "A0000006150001": "duitnow",
        "A000000524": "upi",
        "SG.PAYNOW": "paynow",
        "SG.COM.NETS": "nets",
        "SG.SGQR": "sgqr",
        "ID.CO.QRIS.WWW": "qris",
        "COM.P2PQRPAY": "qrph",
        "COM.QQ.WEIXIN.PAY": "wechat_pay",
    }
)
"""Scheme by identifier in capitals; UPI is India's payments corporation (RID A000000524)."""

PREFIXES: Final[tuple[tuple[str, str], ...]] = (
    ("PH.PPMI.", "qrph"),
    ("COM.ALIPAY", "alipay"),
    ("SG.COM.NETS.", "nets"),
)
"""Schemes whose identifiers vary after a fixed beginning."""

QRIS_ACQUIRER_TAGS: Final = frozenset(f"{tag:02d}" for tag in range(26, 46))
"""Templates an Indonesian acquirer may use beside the national one."""

_NUMERIC: Final[Mapping[str, str]] = MappingProxyType(
    {currency.numeric: currency.code for currency in CURRENCIES.values()}
)


def recognise(objects: Mapping[str, str], templates: Templates) -> tuple[tuple[str, str], ...]:
    """Find the schemes a code belongs to.

    Parameters
    ----------
    objects : mapping of str to str
        Values by top-level tag.
    templates : mapping
        Values by sub-tag of every template that could be opened.

    Returns
    -------
    tuple of (tag, scheme)
        In ascending tag order; an Indonesian acquirer is known by the national template beside it.
    """
    found: dict[str, str] = {}
    for tag, value in objects.items():
        if tag in PLAIN:
            if value:
                found[tag] = PLAIN[tag]
        elif tag in templates:
            scheme = _by_identifier(tag, templates[tag].get("00", ""))
            if scheme:
                found[tag] = scheme
    # An acquirer's own template says nothing of the scheme; the national one beside it does.
    if "qris" in found.values():
        for tag in QRIS_ACQUIRER_TAGS.intersection(templates):
            if templates[tag].get("00"):
                found.setdefault(tag, "qris_acquirer")
    return tuple(sorted(found.items()))


def payees_of(
    found: tuple[tuple[str, str], ...], objects: Mapping[str, str], templates: Templates
) -> tuple[Payee, ...]:
    """Summarise who would be paid, once per recognised scheme.

    Parameters
    ----------
    found : tuple of (tag, scheme)
        As :func:`recognise` gives it.
    objects, templates : mapping
        As for :func:`recognise`.
    """
    return tuple(
        _payee(tag, scheme, objects, templates)
        for position, (tag, scheme) in enumerate(found)
        # A scheme with several templates pays one payee, that of the first.
        if all(scheme != earlier for _, earlier in found[:position])
    )


def _by_identifier(tag: str, identifier: str) -> str | None:
    # An account id of Bakong takes the place of an identifier.
    if "@" in identifier:
        return "khqr" if tag in (INDIVIDUAL, MERCHANT) else None
    name = identifier.upper()
    # Upper-cased, since readers take either; only ASCII, as other letters may become these when
    # upper-cased.
    if name in IDENTIFIERS:
        return IDENTIFIERS[name] if identifier.isascii() else None
    for prefix, scheme in PREFIXES:
        if name.startswith(prefix) and identifier.isascii():
            return scheme
    return None


def _payee(tag: str, name: str, objects: Mapping[str, str], templates: Templates) -> Payee:
    scheme = SCHEMES[name]
    inside = templates.get(tag, {})
    # A proxy of several kinds: the first that is filled.
    account = next((inside[key] for key in scheme.account if inside.get(key)), "")
    institution = inside.get(scheme.institution, "") if scheme.institution else ""
    # Without an acquirer's name the bank behind the '@' is the institution.
    if name == "khqr":
        institution = institution or account.rpartition("@")[2]
    elif name == "vietqr":
        # VietQR nests once more: bank number and account stand inside sub-tag 01.
        nested, problems = split(account, "")
        if not problems:
            institution, account = nested.get("00", ""), nested.get("01", "")
    elif not scheme.account:
        account = objects[tag]
    currency = objects.get("53", "")
    return Payee(
        scheme=name,
        country=objects.get("58", "") or scheme.country,
        currency=_NUMERIC.get(currency, currency) or scheme.currency,
        amount=objects.get("54", ""),
        name=objects.get("59", ""),
        city=objects.get("60", ""),
        account=account,
        institution=institution,
    )
