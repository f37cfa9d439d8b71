"""Answers that were there before the program: of the generator, and of hand and pencil.

Takes nothing; gives verdicts on published test vectors of Threefry and on the three payments of the
scenario ``minimal``, whose times and amounts are worked out in ``tests/theory``.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.contract.records import RecordColumn
from sim.draws.threefry import threefry4x32
from sim.engine.compiled import run_compiled
from sim.scenario.shipped import shipped_scenarios
from sim.study.verify.figures import Verdict
from sim.study.verify.kept import compile_file, run_kept

_ONES = 0xFFFFFFFF
_VECTORS = (
    # Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3 (2011): the known
    # answers of Threefry-4x32 with 20 rounds that come with their library.
    ("zeros", (0,) * 4, (0,) * 4, (0x9C6CA96A, 0xE17EAE66, 0xFC10ECD4, 0x5256A7D8)),
    ("ones", (_ONES,) * 4, (_ONES,) * 4, (0x2A881696, 0x57012287, 0xF6C7446E, 0xA16A6732)),
    (
        "digits of pi",
        (0xA4093822, 0x299F31D0, 0x082EFA98, 0xEC4E6C89),
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0x59CD1DBB, 0xB8879579, 0x86B5D00C, 0xAC8B6D84),
    ),
)
_BY_HAND = (
    # Debited and credited minor units, microseconds of the credit and of the end.
    ("inbound", (7_495, 4_097_100, 5_900_000, 6_300_000)),
    ("domestic", (1_200_000, 1_200_000, 6_700_000, 6_800_000)),
    ("outbound", (2_804_900, 5_000, 8_100_000, 8_400_000)),
)
_COLUMNS = (
    RecordColumn.DEBITED,
    RecordColumn.CREDITED,
    RecordColumn.CREDITED_US,
    RecordColumn.END_US,
)


def check_generator() -> Iterator[Verdict]:
    """Yield whether the generator gives the published words."""
    for name, key, counter, words in _VECTORS:
        found = tuple(int(word) & _ONES for word in threefry4x32(*key, *counter))
        yield Verdict(
            "random numbers", f"Threefry, {name}", _hex(words), _hex(found), found == words
        )


def check_by_hand() -> Iterator[Verdict]:
    """Yield whether the payments of ``minimal`` are those worked out by hand."""
    path = shipped_scenarios()["minimal"]
    compiled = compile_file(path)
    kept, _ = run_kept(run_compiled, compiled)
    names = compiled.plan.names.streams
    of = {names[row[RecordColumn.STREAM]]: row for row in kept.records.tolist()}
    for stream, expected in _BY_HAND:
        found = tuple(of[stream][column] for column in _COLUMNS)
        yield Verdict(
            "by hand", f"minimal, {stream}", _paid(expected), _paid(found), found == expected
        )


def _paid(figures: tuple[int, ...]) -> str:
    debited, credited, credited_us, end_us = figures
    times = f"credited at {credited_us / 1e6:g} s, ended at {end_us / 1e6:g} s"
    return f"{debited:,} paid, {credited:,} kept; {times}"


def _hex(words: tuple[int, ...]) -> str:
    return " ".join(f"{word:08x}" for word in words)
