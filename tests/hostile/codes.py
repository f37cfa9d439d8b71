"""Codes that were damaged: whatever is scanned is decoded and judged, never more.

Takes published payloads and a seed; gives how many mutants were valid.
"""

from __future__ import annotations

import random
import string

from sim.qr import decode, verify
from tests.unit.qr.builder import NOW_MS, naive_crc, vectors

ALPHABET = "0123456789" * 6 + string.ascii_letters + " .@-_\n\x00\x1b٣ក្🍜\ud83c\udf5c²ﬀ"
PAYLOADS = [vector["payload"] for vector in vectors() if vector["payload"]]


def mutate(draw: random.Random, text: str) -> str:
    """Change a text the way damage and malice do."""
    position = draw.randrange(len(text) + 1)
    other = draw.choice(PAYLOADS)
    match draw.randrange(7):
        case 0:
            return text[:position] + draw.choice(ALPHABET) + text[position + 1 :]
        case 1:
            return text[:position] + text[position + draw.randrange(1, 6) :]
        case 2:
            return text[:position] + draw.choice(ALPHABET) + text[position:]
        case 3:
            return text[:position]
        case 4:
            return text[:position] + other[draw.randrange(len(other)) :]
        case 5:
            end = position + draw.randrange(1, 40)
            return text[:end] + text[position:end] + text[end:]
        case _:
            return text[:position] + f"{draw.randrange(100):02d}" + text[position + 2 :]


def try_mutants(count: int, seed: int) -> int:
    """Decode and judge mutated codes, half of them resealed; return how many were valid."""
    draw = random.Random(seed)
    valid = 0
    for _ in range(count):
        text = draw.choice(PAYLOADS)
        for _ in range(draw.randrange(1, 4)):
            text = mutate(draw, text)
        if draw.random() < 0.5:
            body = text[:-4]
            text = body + naive_crc(body.encode("utf-8", "surrogatepass"))
        code = decode(text)
        problems = verify(code, NOW_MS)
        assert code.decode_ok or problems, text
        assert bool(code.fields) <= code.decode_ok, text
        valid += not problems
    return valid
