"""Courses of mid rates that stand in files: from rows of text to instants and exact rates.

Takes the files a scenario names; gives (microseconds after the start, units of the second currency
per unit of the first), in order of time, and says what is wrong by line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

from sim.model.base import FieldPath
from sim.model.quantities import CurrencyPair, parse_decimal, parse_duration_us
from sim.model.words import parse_timestamp
from sim.scenario.model import Scenario

Course = Sequence[tuple[int, Fraction]]
"""Rates by the instant from which on they hold, in order of time."""

_COLUMNS = ("at", "rate")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOLD_MAX = 20
"""Rows told one by one; of the others only how many there are."""
_ROWS_MAX = 1_000_000


def rate_courses(
    scenario: Scenario, problems: list[tuple[FieldPath, str]]
) -> Mapping[CurrencyPair, Course]:
    """Return the courses that stand in files, by the pair as it is written.

    Parameters
    ----------
    scenario : Scenario
        With whole paths of its files.
    problems : list of (path, message)
        Grows by files that cannot be read, and by rows that are no rates.
    """
    found: dict[CurrencyPair, Course] = {}
    for pair, written in scenario.fx.mid.items():
        if written.path is None:
            continue
        where = (written.path.file, written.path.digest)
        course, wrong = _read(*where, scenario.clock.start)
        place = ("fx", "mid", str(pair), "path", "file")
        problems.extend((place, message) for message in wrong)
        if not wrong:
            found[pair] = course
    return found


@lru_cache(maxsize=16)
def _read(file: str, digest: str | None, start: datetime) -> tuple[Course, tuple[str, ...]]:
    """Read a file; replications of a run share what was read, which its digest names."""
    del digest
    path = Path(file)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            header = [name.strip() for name in next(reader, [])]
            if sorted(header) != sorted(_COLUMNS):
                columns = ", ".join(header) or "no column"
                return (), (f"{path.name}: found {columns}; needed: a header line 'at,rate'",)
            rows = [(reader.line_num, dict(zip(header, row, strict=False)), row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return (), (f"{path.name}: found no CSV that can be read: {reason}",)
    # A blank line at the end is left behind by editors; one between two rows is told.
    while rows and not rows[-1][2]:
        rows.pop()
    if not rows or len(rows) > _ROWS_MAX:
        return (), (f"{path.name}: found {len(rows):,} rows; allowed: 1 to {_ROWS_MAX:,}",)
    course: list[tuple[int, Fraction]] = []
    wrong = [
        f"{path.name}: line {line}{message}"
        for line, named, row in rows
        for message in _row_problems(named, row, course, start)
    ]
    if len(wrong) > _TOLD_MAX:
        more = len(wrong) - _TOLD_MAX
        wrong = [*wrong[:_TOLD_MAX], f"{path.name}: {more:,} more lines that are no rates"]
    return tuple(course), tuple(wrong)


def _row_problems(
    named: Mapping[str, str],
    row: Sequence[str],
    course: list[tuple[int, Fraction]],
    start: datetime,
) -> Iterator[str]:
    """Yield why a row is no rate; otherwise add it to the course."""
    if len(row) != len(_COLUMNS):
        yield f": found {len(row)} values; needed: {len(_COLUMNS)}, as in its header"
        return
    column = "at"
    try:
        at_us = _instant(named["at"].strip(), start)
        column = "rate"
        rate = Fraction(parse_decimal(named["rate"].strip()))
    except ValueError as problem:
        yield f", {column}: {problem}"
        return
    # Two rates of one instant, or an earlier one behind: whichever counted would be a guess.
    if course and at_us <= course[-1][0]:
        yield ", at: found no later an instant than before; allowed: rows that rise"
        return
    course.append((at_us, rate))


def _instant(text: str, start: datetime) -> int:
    """Read a duration since the start, or an instant."""
    if text[:4].isdigit() and "-" in text:
        begins = (start - _EPOCH) // timedelta(microseconds=1)
        return (parse_timestamp(text) - _EPOCH) // timedelta(microseconds=1) - begins
    return parse_duration_us(text)
