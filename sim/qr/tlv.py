"""Tag, length, value: cut a code into its data objects, and count and sum as readers do.

Takes text and gives data objects, lengths, checksums and references; knows nothing of any scheme.
Lengths are UTF-16 units (the official kit runs on JavaScript), the checksum and the reference are
taken over UTF-8. One level is opened per call and each character is looked at once, so the time is
linear and nothing nests.
"""

from __future__ import annotations

import hashlib
import struct
from binascii import crc_hqx
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from sim.qr.problems import INVALID, QrProblem, excerpt

TWO_DIGITS: Final[Mapping[str, int]] = MappingProxyType({f"{n:02d}": n for n in range(100)})
"""Every legal tag and length with its number; a look-up refuses signs, spaces and other digits."""

CHECKSUM_HEAD: Final = "6304"
"""Tag and length that open the checksum."""

LENGTH_MAX: Final = 99
"""Longest value two digits can announce."""

_BASIC_PLANE_END: Final = "\uffff"


def is_wide(text: str) -> bool:
    """Say whether a text has characters that count two units (beyond the basic plane)."""
    return not text.isascii() and max(text) > _BASIC_PLANE_END


def widen(text: str) -> str:
    """Split characters beyond the basic plane into their two surrogate units.

    Returns
    -------
    str
        A text whose indices are UTF-16 units.
    """
    # Lone surrogates, which no scanner gives but an attacker may, pass through and are refused
    # where it matters.
    raw = text.encode("utf-16-le", "surrogatepass")
    return "".join(map(chr, struct.unpack(f"<{len(raw) // 2}H", raw)))


def join(units: str) -> str:
    """Put surrogate units back together; undoes :func:`widen`."""
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def length(text: str) -> int:
    """Count the UTF-16 units of a text, as the lengths in a code do."""
    # Nearly every code, and then units, characters and bytes are all the same number.
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(units: str, path: str) -> tuple[dict[str, str], list[QrProblem]]:
    """Cut a run of data objects.

    Parameters
    ----------
    units : str
        Text whose indices are UTF-16 units.
    path : str
        Tag of the template the run stands in, empty at the top; used in the problems.

    Returns
    -------
    tuple of dict and list of QrProblem
        Values by tag in the order found (a repeated tag keeps its first value), and what is wrong:
        each repeated tag once, then at most one object that cannot be read.
    """
    objects: dict[str, str] = {}
    problems: list[QrProblem] = []
    repeated: set[str] = set()
    position, end = 0, len(units)
    while position < end:
        start = position + 4
        tag = units[position : position + 2]
        size = TWO_DIGITS.get(units[position + 2 : start])
        # By look-up and not by ``int``, which takes signs, spaces and digits of other scripts.
        if size is None or tag not in TWO_DIGITS:
            found = f"{excerpt(units[position:start])} at unit {position}"
            problems.append(_problem(path, found, "two digits of tag, then two digits of length"))
            break
        position = start + size
        # What is missing cannot be guessed; reading ends here.
        if position > end:
            found = f"{end - start} of {size} units after tag {tag}"
            problems.append(_problem(_below(path, tag), found, "a value as long as announced"))
            break
        # The first value stays, so that nothing can be slipped in behind what a reader has
        # seen.
        if tag in objects:
            if tag not in repeated:
                repeated.add(tag)
                problems.append(_problem(_below(path, tag), "the tag again", "each tag once"))
        else:
            objects[tag] = units[start:position]
    return objects, problems


def data_object(tag: str, value: str) -> str:
    """Write one data object; the value must be at most 99 units long."""
    return f"{tag}{length(value):02d}{value}"


def crc(text: str) -> str:
    """Compute the checksum of a text: CRC-16/CCITT-FALSE over UTF-8, four upper-case hex digits.

    Parameters
    ----------
    text : str
        Everything before the four digits, so including ``6304``.

    Raises
    ------
    UnicodeEncodeError
        If the text holds a lone surrogate, which UTF-8 cannot carry.
    """
    return f"{crc_hqx(text.encode(), 0xFFFF):04X}"


def has_checksum(text: str) -> bool:
    """Say whether a code ends in ``6304`` and the checksum of what stands before it.

    Lower-case digits are accepted. A text with a lone surrogate has no UTF-8 form and so no
    checksum that could match.
    """
    tail = text[-4:]
    if text[-8:-4] != CHECKSUM_HEAD or not tail.isascii():
        return False
    try:
        return crc(text[:-4]) == tail.upper()
    except UnicodeEncodeError:
        return False


def md5(text: str) -> str:
    """Return the reference Bakong knows a code by: MD5 of the string exactly as scanned.

    Parameters
    ----------
    text : str
        The whole code, checksum included.

    Returns
    -------
    str
        32 lower-case hex digits. A lone surrogate, which no scanner yields, counts as the three
        bytes of its code point.
    """
    raw = text.encode("utf-8", "surrogatepass")
    return hashlib.md5(raw, usedforsecurity=False).hexdigest()


def _problem(path: str, found: str, allowed: str) -> QrProblem:
    return QrProblem(INVALID, path, found, allowed)


def _below(path: str, tag: str) -> str:
    return f"{path}.{tag}" if path else tag
