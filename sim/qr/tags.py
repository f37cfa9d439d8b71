"""Names and limits of the tags of a KHQR code.

Plain tables: which tag carries which decoded field, how long it may be, and which number the
official kit gives when it is missing or too long. Reader and writer share them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

INDIVIDUAL: Final = "29"
"""Account template of a person or a solo merchant."""

MERCHANT: Final = "30"
"""Account template of a corporate merchant."""

ADDITIONAL: Final = "62"
"""Template of labels: bill, store, terminal and so on."""

LANGUAGE: Final = "64"
"""Template of name and city in another language."""

TIMES: Final = "99"
"""Template of creation and expiry."""

CHECKSUM: Final = "63"
"""Checksum, always last."""

CHECKSUM_LENGTH: Final = 4
"""Hex digits of the checksum."""

ACCOUNT_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {"individual": INDIVIDUAL, "merchant": MERCHANT}
)
"""Account template by kind of code."""

KHQR_TEMPLATES: Final = frozenset({INDIVIDUAL, MERCHANT, ADDITIONAL, LANGUAGE, TIMES})
"""Tags whose value is a run of data objects in a KHQR code."""

EMV_TEMPLATES: Final = frozenset({f"{tag:02d}" for tag in range(26, 52)} | {ADDITIONAL, LANGUAGE})
"""Tags whose value is a run of data objects in any EMV code."""

FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "00": "payload_format_indicator",
        "01": "point_of_initiation_method",
        "15": "union_pay_merchant",
        "52": "merchant_category_code",
        "53": "transaction_currency",
        "54": "transaction_amount",
        "58": "country_code",
        "59": "merchant_name",
        "60": "merchant_city",
        CHECKSUM: "crc",
    }
)
"""Decoded field of each plain tag."""

SUB_FIELDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        INDIVIDUAL: MappingProxyType(
            {"00": "bakong_account_id", "01": "account_information", "02": "acquiring_bank"}
        ),
        MERCHANT: MappingProxyType(
            {"00": "bakong_account_id", "01": "merchant_id", "02": "acquiring_bank"}
        ),
        ADDITIONAL: MappingProxyType(
            {
                "01": "bill_number",
                "02": "mobile_number",
                "03": "store_label",
                "07": "terminal_label",
                "08": "purpose_of_transaction",
            }
        ),
        LANGUAGE: MappingProxyType(
            {
                "00": "language_preference",
                "01": "merchant_name_alternate_language",
                "02": "merchant_city_alternate_language",
            }
        ),
        TIMES: MappingProxyType({"00": "creation_timestamp", "01": "expiration_timestamp"}),
    }
)
"""Decoded field of each sub-tag of each template."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Bound on the length of one value.

    Attributes
    ----------
    tag : str
        Tag, or sub-tag within its template.
    length_max : int
        Most UTF-16 units.
    code : int
        Number when the value is too long.
    code_empty : int
        Number when the value is there but empty; 0 where an empty value is accepted.
    """

    tag: str
    length_max: int
    code: int
    code_empty: int = 0


MANDATORY: Final[tuple[tuple[str, int], ...]] = (
    ("00", 23),
    (INDIVIDUAL, 5),
    ("52", 25),
    ("53", 9),
    ("58", 26),
    ("59", 2),
    ("60", 27),
    (CHECKSUM, 24),
)
"""Tags that must be present and not empty, with the number when they are not; 29 or 30."""

LIMITS: Final[Mapping[str, tuple[Limit, ...]]] = MappingProxyType(
    {
        INDIVIDUAL: (Limit("01", 32, 35), Limit("02", 32, 33)),
        MERCHANT: (Limit("01", 32, 32), Limit("02", 32, 33)),
        ADDITIONAL: (
            Limit("01", 25, 10, 10),
            Limit("02", 25, 34, 34),
            Limit("03", 25, 11, 11),
            Limit("07", 25, 12, 12),
            Limit("08", 25, 42, 42),
        ),
        LANGUAGE: (Limit("01", 25, 40), Limit("02", 15, 41)),
    }
)
"""Limits inside the templates, in the order they are judged."""

ACCOUNT_LENGTH_MAX: Final = 32
"""Longest Bakong account id."""

AMOUNT_LENGTH_MAX: Final = 13
"""Longest amount text."""

TIMESTAMP_LENGTH: Final = 13
"""Digits of a Unix time in milliseconds."""
