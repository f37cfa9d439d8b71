"""Payments of a trace: from the rows of a file to rows of the workload.

Takes a stream whose payments stand in a file; gives them in order of time, first with names, and
once institutions have numbers as :class:`~sim.workload.streams.StreamDemand` wants them. What a row
leaves open is drawn as for payments that come at a rate.

=========================================  =====================================================
column                                     means
=========================================  =====================================================
at, or submitted_us                        when: after the start, or an instant with its offset
amount, or instructed_amount_minor         instructed amount, in currency or in its minor units
payer                                      number of the payer within the stream
merchant                                   number of the code that is shown
debtor_agent, creditor_agent               institutions
first_instrument (or instrument)           what the payer pays with
second_instrument                          what else the payer carries
ordinal                                    number whose draws the payment has; else its place
stream, replication                        choose rows
instructed_currency                        compared with the stream's own
=========================================  =====================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from sim.contract.plan import Array
from sim.errors import suggest
from sim.model.base import FieldPath
from sim.model.money import parse_amount_text
from sim.model.quantities import parse_duration_us, to_minor
from sim.model.sections import Clock
from sim.model.traces import Trace
from sim.model.words import parse_timestamp
from sim.tables.trace_columns import AMOUNTS, OPEN, TIMES, BadRows, Columns
from sim.tables.trace_file import TraceFile, UnreadableTraceError, read_trace

Problems = list[tuple[FieldPath, str]]

_INSTRUMENTS = ("first_instrument", "instrument")
_USED = (
    *TIMES, *AMOUNTS, *_INSTRUMENTS, "payer", "merchant", "debtor_agent", "creditor_agent",
    "second_instrument", "ordinal", "stream", "replication", "instructed_currency",
)  # fmt: skip
_ORDINAL_MAX = 1 << 48
_KEPT = 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Traced:
    """The payments of one trace, in order of time, those up to the horizon.

    Attributes
    ----------
    name, unit : str
        Of the file, and what its rows are called.
    line, time_us, ordinal, amount : ndarray of int64
        Per payment.
    payer, merchant : ndarray of int64
        -1: drawn.
    debtor, creditor, instrument, second : ndarray of int64
        Places in ``words``; -1: drawn.
    words : tuple of str
    says_second : bool
        Whether a payment without a second instrument has none; else it is drawn.
    late : int
        Payments at or after the horizon, which do not come.
    unused : tuple of str
        Columns nothing is read from.
    """

    name: str
    unit: str
    line: Array
    time_us: Array
    ordinal: Array
    amount: Array
    payer: Array
    merchant: Array
    debtor: Array
    creditor: Array
    instrument: Array
    second: Array
    words: tuple[str, ...]
    says_second: bool
    late: int
    unused: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.line)

    @property
    def bad(self) -> BadRows:
        """Return an empty list of bad rows."""
        return BadRows(self.name, self.unit, self.line)

    def named(self, column: Array) -> set[str | None]:
        """Return the words of a column, None among them where it is left open."""
        return {self.words[code] if code >= 0 else None for code in np.unique(column).tolist()}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What of a file is wanted; files are read once for each."""

    path: str
    digest: str | None
    stream: str | None
    replication: int | None
    start: datetime
    horizon_us: int
    currency: str


def read_traced(
    trace: Trace, name: str, clock: Clock, currency: str
) -> tuple[Traced | None, Problems]:
    """Read the payments of a stream from its file.

    Parameters
    ----------
    trace : Trace
    name : str
        Of the stream.
    clock : Clock
        Of the run.
    currency : str
        Of the instructed amounts.

    Returns
    -------
    Traced or None, list of (path, message)
        None where something is wrong.
    """
    place: FieldPath = ("demand", name, "trace")
    rows = (trace.file, trace.digest, trace.stream, trace.replication)
    wanted = _Wanted(*rows, clock.start, clock.horizon, currency)
    found, wrong = _read(wanted)
    return found, [((*place, *path), message) for path, message in wrong]


@lru_cache(maxsize=_KEPT)
def _read(wanted: _Wanted) -> tuple[Traced | None, tuple[tuple[FieldPath, str], ...]]:
    """Read a file; replications of a run and arms of a comparison share what was read."""
    try:
        found = read_trace(Path(wanted.path))
    except UnreadableTraceError as error:
        return None, ((("file",), f"{Path(wanted.path).name}: {error}"),)
    wrong = [*_column_problems(found)]
    for column, value in (("stream", wanted.stream), ("replication", wanted.replication)):
        if not wrong:
            found, refused = _chosen(found, column, value)
            wrong += refused
    if wrong:
        return None, tuple(wrong)
    columns = Columns(found)
    traced = _payments(columns, wanted)
    if columns.bad:
        return None, tuple(columns.bad.problems(("file",)))
    if not len(traced):
        late = f"{traced.name}: found no payment before the horizon; needed: at least one"
        return None, ((("file",), late),)
    return traced, ()


def _column_problems(found: TraceFile) -> Iterator[tuple[FieldPath, str]]:
    """Yield the columns that are missing, or say the same thing twice."""
    known = list(found.columns)
    for choice in (TIMES, AMOUNTS):
        given = [name for name in choice if name in found.columns]
        if len(given) != 1:
            said = " and ".join(given) or f"neither among {', '.join(known[:20])}"
            hint = "" if given else "".join(dict.fromkeys(suggest(one, known) for one in choice))
            needed = " or ".join(choice)
            yield ("file",), f"{found.name}: found {said}; needed: one column {needed}.{hint}"


def _chosen(
    found: TraceFile, column: str, value: str | int | None
) -> tuple[TraceFile, list[tuple[FieldPath, str]]]:
    """Return the rows that are asked for; of several kinds of rows one must be."""
    if column not in found.columns:
        if value is None:
            return found, []
        return found, [((column,), f"found {value!r}, but {found.name} has no column {column!r}")]
    columns = Columns(found)
    if column == "stream":
        codes, words = columns.words(column)
        kinds: Sequence[str | int] = words
    else:
        numbers = columns.whole(column)
        kinds, codes = np.unique(numbers).tolist(), np.searchsorted(np.unique(numbers), numbers)
    if columns.bad:
        return found, list(columns.bad.problems(("file",)))
    if value is None:
        if len(kinds) <= 1:
            return found, []
        shown = ", ".join(map(str, kinds[:20]))
        return found, [((column,), f"{found.name} has rows of {shown}; needed: one of them")]
    if value not in kinds:
        shown = ", ".join(map(str, kinds[:20]))
        return found, [((column,), f"found {value!r}; known in {found.name}: {shown}")]
    return found.where(codes == list(kinds).index(value)), []


def _payments(columns: Columns, wanted: _Wanted) -> Traced:
    """Return all payments of the file up to the horizon; bad rows are collected in ``columns``."""
    # Loads Arrow, which nobody waits for whose payments come at a rate.
    from sim.tables.schemas import PAYMENTS

    file = columns.file
    start_us = (wanted.start - _EPOCH) // timedelta(microseconds=1)
    time_us = columns.instants(start_us, lambda text: _instant(text, start_us))
    currency = wanted.currency
    amount = columns.amounts(currency, lambda text: to_minor(parse_amount_text(text), currency))
    vocabulary: list[str] = []

    def words(name: str) -> Array:
        codes, own = columns.words(name)
        shifted: Array = np.where(codes >= 0, codes + len(vocabulary), OPEN)
        vocabulary.extend(own)
        return shifted

    first = next((name for name in _INSTRUMENTS if name in columns), _INSTRUMENTS[0])
    second, debtor, creditor = (
        words(name) for name in ("second_instrument", "debtor_agent", "creditor_agent")
    )
    _check_currency(columns, wanted.currency)
    traced = Traced(
        name=file.name,
        unit=file.unit,
        line=file.line,
        time_us=time_us,
        ordinal=columns.whole("ordinal"),
        amount=amount,
        payer=columns.whole("payer"),
        merchant=columns.whole("merchant"),
        debtor=debtor,
        creditor=creditor,
        instrument=words(first),
        second=second,
        words=tuple(vocabulary),
        says_second="second_instrument" in columns,
        late=0,
        unused=tuple(name for name in file.columns if name not in (*_USED, *PAYMENTS.names)),
    )
    return _in_order(traced, columns, wanted.horizon_us)


def _instant(text: str, start_us: int) -> int:
    """Read a duration since the start, or an instant."""
    if text[:4].isdigit() and "-" in text:
        return (parse_timestamp(text) - _EPOCH) // timedelta(microseconds=1) - start_us
    return parse_duration_us(text)


def _check_currency(columns: Columns, currency: str) -> None:
    codes, words = columns.words("instructed_currency")
    other = [number for number, word in enumerate(words) if word != currency]
    columns.bad.add(
        "instructed_currency",
        np.flatnonzero(np.isin(codes, other)),
        lambda row: f"found {words[codes[row]]}; needed: {currency}, as the stream has",
    )


def _in_order(traced: Traced, columns: Columns, horizon_us: int) -> Traced:
    """Return payments by time, then as they stand, each with the number of its draws."""
    ordinal = traced.ordinal
    if "ordinal" in columns:
        columns.bad.add(
            "ordinal",
            np.flatnonzero((ordinal < 0) | (ordinal >= _ORDINAL_MAX)),
            lambda _: f"found none, or one from {_ORDINAL_MAX:,} on; allowed: below, in every row",
        )
        _, firsts = np.unique(ordinal, return_index=True)
        again = np.setdiff1d(np.flatnonzero(ordinal >= 0), firsts)
        columns.bad.add(
            "ordinal", again, lambda row: f"found {ordinal[row]} again; allowed: each once"
        )
        order = np.lexsort((ordinal, traced.time_us))
    else:
        # A stable sort: payments of one instant keep the order of the file.
        order = np.argsort(traced.time_us, kind="stable")
    sorted_: dict[str, Any] = {
        entry.name: value[order]
        for entry in fields(traced)
        if isinstance(value := getattr(traced, entry.name), np.ndarray)
    }
    if "ordinal" not in columns:
        # Counted before any is left out: the horizon changes no payment's luck.
        sorted_["ordinal"] = np.arange(len(order), dtype=np.int64)
    kept = sorted_["time_us"] < horizon_us
    late = int(len(kept) - kept.sum())
    before = {name: value[kept] for name, value in sorted_.items()}
    return replace(traced, **before, late=late)
