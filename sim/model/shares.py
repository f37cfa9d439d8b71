"""Shares and proportional fees as people write them: with their unit, read exactly.

Takes text (``0.10 %``, ``25 bps``, ``0.001 share``); gives types for model fields, which models
import from :mod:`sim.model.quantities`.
"""

from __future__ import annotations

import re
from typing import Annotated

from sim.model.magnitude import UNITS, Form
from sim.model.number_text import (
    NUMBER,
    SPACE,
    check_base_int,
    match_text,
    refuse,
    scale_exactly,
    write_scaled,
)
from sim.model.quantity import Quantity

PPB = 10**9
PPM = 10**6

_SHARE = re.compile(rf"(?P<number>{NUMBER})(?:{SPACE}*(?P<unit>%|bps|share))?")
_SHARE_PATTERN = rf"{NUMBER}{SPACE}*(?:%|bps|share)"
_PARTS = {unit: int(1 / UNITS[unit].size) for unit in ("share", "%", "bps")}
_SHARE_ALLOWED = (
    "a share from 0 to 100 % with its unit such as '0.10 %', '25 bps' or '0.001 share', no finer "
    "than 1e-9"
)
_FEE_ALLOWED = (
    "a fee rate from 0 to 100 % with its unit such as '0.6 %', '25 bps' or '0.006 share', no finer "
    "than 1e-6"
)


def _share(found: object, parts: int, allowed: str) -> int:
    given = check_base_int(found, allowed, low=0, high=parts)
    if given is not None:
        return given
    matched = match_text(_SHARE, found, allowed)
    # A bare 0.3 is three tenths to one reader and 0.3 % to the next; so nothing is taken for it.
    if matched["unit"] is None:
        refuse(found, allowed, _share_hint(matched["number"]))
    value = scale_exactly(matched["number"], parts // _PARTS[matched["unit"]])
    if value is None or value > parts:
        refuse(found, allowed)
    return value


def _share_hint(number: str) -> str:
    """Return what a number without its unit may have meant."""
    as_share = scale_exactly(number, PPB)
    if as_share is None or as_share > 100 * PPB:
        return ""
    meant = [f"{number} %", *([write_share(as_share)] if as_share <= PPB else [])]
    # Nothing is nothing either way.
    quoted = [f"'{text}'" for text in dict.fromkeys(meant)]
    return f". Did you mean {' or '.join(quoted)}?"


def write_share(share_ppb: int) -> str:
    """Write a share in per cent, exactly, as in ``0.1 %``."""
    return f"{write_scaled(share_ppb, 7)} %"


def write_fee(fee_ppm: int) -> str:
    """Write a proportional fee in per cent, exactly, as in ``0.6 %``."""
    return f"{write_scaled(fee_ppm, 4)} %"


def parse_share_ppb(found: object) -> int:
    """Read a share between 0 and 1 into parts per billion."""
    return _share(found, PPB, _SHARE_ALLOWED)


def parse_fee_ppm(found: object) -> int:
    """Read a proportional fee into parts per million of the amount."""
    return _share(found, PPM, _FEE_ALLOWED)


SharePpb = Annotated[
    int,
    Quantity(
        parse_share_ppb,
        _SHARE_ALLOWED,
        _SHARE_PATTERN,
        ("0.10 %", "25 bps", "0.001 share"),
        write_share,
        form=Form.SHARE,
    ),
]
"""Share between 0 and 1, in parts per billion."""

FeePpm = Annotated[
    int,
    Quantity(
        parse_fee_ppm,
        _FEE_ALLOWED,
        _SHARE_PATTERN,
        ("0.6 %", "25 bps", "0.006 share"),
        write_fee,
        form=Form.FEE,
    ),
]
"""Proportional fee, in parts per million of the amount."""
