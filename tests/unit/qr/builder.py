"""Build codes by hand for the tests: objects in, string out, with a checksum of its own.

The checksum is computed bit by bit from the polynomial, so that it shares nothing with the codec.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

NOW_MS = 1_767_225_660_000
CREATED = "1767225600000"
EXPIRES = "1767225900000"
VECTORS_FILE = Path(__file__).parents[2] / "data" / "khqr_vectors.json"

STATIC_OBJECTS = {
    "00": "01",
    "01": "11",
    "29": "0013sok_dara@aclb",
    "52": "5999",
    "53": "116",
    "58": "KH",
    "59": "Sok Dara",
    "60": "Phnom Penh",
}
DYNAMIC_OBJECTS = STATIC_OBJECTS | {
    "01": "12",
    "53": "840",
    "54": "1.50",
    "99": f"0013{CREATED}0113{EXPIRES}",
}


def vectors() -> list[dict[str, Any]]:
    return json.loads(VECTORS_FILE.read_text(encoding="utf-8"))


def naive_crc(data: bytes) -> str:
    register = 0xFFFF
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1) ^ 0x1021 if register & 0x8000 else register << 1
            register &= 0xFFFF
    return f"{register:04X}"


def units(text: str) -> int:
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)


def tlv(*pairs: tuple[str, str]) -> str:
    return "".join(f"{tag}{units(value):02d}{value}" for tag, value in pairs)


def seal(body: str) -> str:
    """Close a code with tag 63."""
    body += "6304"
    return body + naive_crc(body.encode("utf-8", "surrogatepass"))


def code_of(*, dynamic: bool = False, without: Iterable[str] = (), **changes: str) -> str:
    """Write a sound code with some tags changed (``t54="10"``) or left out."""
    objects = dict(DYNAMIC_OBJECTS if dynamic else STATIC_OBJECTS)
    objects |= {name.removeprefix("t"): value for name, value in changes.items()}
    for tag in without:
        del objects[tag]
    return seal(tlv(*sorted(objects.items())))
