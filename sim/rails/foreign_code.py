"""Codes merchants abroad show: EMV texts that carry a foreign scheme's identifier.

Takes a scheme and how many; gives payload strings that the codec recognises by their identifier.
They stand for the population of merchants a payer from here meets abroad.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping, Sequence

from sim.qr import decode
from sim.rails.merchants import Merchant, pick_weighted, uniform_of

_TEMPLATES: Mapping[str, tuple[str, str]] = {
    "unionpay": ("15", ""),
    "wechat_pay": ("26", "COM.QQ.WEIXIN.PAY"),
    "alipay": ("29", "COM.ALIPAY"),
    "promptpay": ("29", "A000000677010111"),
    "vietqr": ("38", "A000000727"),
    "laoqr": ("38", "A005266284662577"),
    "duitnow": ("26", "A0000006150001"),
    "paynow": ("26", "SG.PAYNOW"),
    "upi": ("26", "A000000524"),
}
"""Scheme, to the tag it is printed in here and its identifier; recognition goes by identifier."""

KNOWN_SCHEMES = tuple(sorted(_TEMPLATES))
_UNIONPAY_IIN = "01020156"
_CITIES: Mapping[str, str] = {
    "TH": "Bangkok",
    "VN": "Hanoi",
    "LA": "Vientiane",
    "MY": "Kuala Lumpur",
    "SG": "Singapore",
    "IN": "Mumbai",
}
"""What stands in the code as the place; where the country is not listed, a city in China."""


def generate_foreign_codes(
    name: str,
    count: int,
    schemes: Mapping[str, int],
    *,
    numeric: str,
    currency: str,
    country: str,
    banks: Sequence[tuple[str, int]] = (),
) -> tuple[Merchant, ...]:
    """Make codes of merchants abroad, and read each back with the codec.

    Parameters
    ----------
    name : str
        Enters the choice, so that two corridors have different merchants.
    count : int
        How many.
    schemes : mapping of str to int
        Weight of each scheme.
    numeric, currency, country : str
        ISO 4217 digits and letters, and ISO 3166 letters, of the merchants.
    banks : sequence of (str, int)
        Institutions there that hold merchants' accounts, with weights; none: the rail that reaches
        the merchants says who credits them.
    """
    weights = sorted(schemes.items())
    merchants = []
    for index in range(count):
        scheme = pick_weighted(uniform_of(name, index, "scheme"), weights)
        payload = _write_code(scheme, index, numeric=numeric, country=country)
        shown = tuple(decode(payload).schemes)
        chance = uniform_of(name, index, "agent")
        agent = pick_weighted(chance, list(banks)) if banks else ""
        merchants.append(Merchant(payload=payload, agent=agent, currency=currency, schemes=shown))
    return tuple(merchants)


def _write_code(scheme: str, index: int, *, numeric: str, country: str) -> str:
    tag, identifier = _TEMPLATES[scheme]
    account = (
        f"{_UNIONPAY_IIN}{_UNIONPAY_IIN}{index:015d}"
        if scheme == "unionpay"
        else _field("00", identifier) + _field("01", f"{index:016d}")
    )
    fields = [("00", "01"), ("01", "11"), (tag, account), ("52", "5812"), ("53", numeric)]
    fields += [("58", country), ("59", f"Shop {index:05d}")]
    fields.append(("60", _CITIES.get(country, "Kunming")))
    text = "".join(_field(name, value) for name, value in fields) + "6304"
    return f"{text}{binascii.crc_hqx(text.encode(), 0xFFFF):04X}"


def _field(tag: str, value: str) -> str:
    return f"{tag}{len(value):02d}{value}"
