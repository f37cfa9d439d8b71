"""Compare ``payments.parquet`` and ``fees.parquet`` with the records the log demands.

Takes a run folder and the records the replay rebuilds, as they come; reports the first column in
which a row differs, and rows missing or added. Rows belong together by payment, not by place, so
one row too few is one finding; memory holds a row group as long as both sides keep the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from sim.audit.findings import Findings
from sim.audit.records import UNKNOWN
from sim.contract.plan import Array, Plan
from sim.contract.spec import NULL, RECORD_WIDTH, PricingColumn, RecordColumn, StreamColumn
from sim.tables.finished_run import FinishedRun
from sim.tables.payment_rows import (
    INTEGER_COLUMNS,
    PaymentRows,
    pricing_column,
    record_pricing,
    stream_pricing,
)
from sim.tables.reading import BATCH_ROWS, int_values, open_table, text_codes
from sim.tables.schemas import (
    BEARERS,
    FEES,
    FEES_FILE,
    FX_SPREAD,
    OUTCOMES,
    PAYMENTS,
    PAYMENTS_FILE,
    REASONS,
    SCOPES,
)

C = RecordColumn
_SHOWN = 5
"""Rows named per kind of finding; the others are counted."""
_COMPARED = tuple(name for name in PAYMENTS.names if name != "replication")
_FEE_COMPARED = tuple(name for name in FEES.names if name != "replication")
_AGENTS = [_COMPARED.index(name) for name in ("debtor_agent", "creditor_agent")]


class TableMatch:
    """Compare the rows of one replication with what its log demands.

    Parameters
    ----------
    run : FinishedRun
        A finished run with payments.
    plan : Plan
        The plan it was made from.
    replication : int
        Whose rows.
    findings : Findings
        Where violations go.
    """

    def __init__(self, run: FinishedRun, plan: Plan, replication: int, findings: Findings) -> None:
        self._findings = findings
        self._held: list[Array] = []
        self._held_rows = 0
        self._demanded = _Demanded(plan)
        self._writer = PaymentRows(plan, replication)
        payment_words, fee_words = self._demanded.payment_words, self._demanded.fee_words
        self._payments = _Side(run.path / PAYMENTS_FILE, _COMPARED, payment_words, replication)
        self._fees = (
            _Side(run.path / FEES_FILE, _FEE_COMPARED, fee_words, replication)
            if run.has(FEES_FILE)
            else None
        )

    def expect(self, rows: Array) -> None:
        """Take the records ended payments must have, in the order they ended."""
        self._held.append(rows)
        self._held_rows += len(rows)
        if self._held_rows >= BATCH_ROWS:
            self._compare()

    def finish(self) -> None:
        """Compare what is left and report rows that have no counterpart."""
        f = self._findings
        f.row = -1
        self._compare(is_last=True)
        expected, found = self._payments.left
        self._report_rows("record", expected[:, 0], "payment {} ended and has no row of its own")
        self._report_rows("record", found[:, 0], "payment {} has a row no end in the log explains")
        if self._fees is None:
            return
        expected, found = self._fees.left
        for rows, words in ((expected, "demands {}, not in"), (found, "has no {}, which is in")):
            self._report_fees(rows, f"the log {words} {FEES_FILE}")

    def _compare(self, *, is_last: bool = False) -> None:
        """Compare the records held with as many rows of the tables, at last with all others."""
        rows = np.concatenate([np.empty((0, RECORD_WIDTH), dtype=np.int64), *self._held])
        self._held, self._held_rows = [], 0
        expected, found = self._payments.match(
            self._demanded.payments(rows), keys=1, is_last=is_last
        )
        self._compare_payments(expected, found)
        if self._fees is not None:
            due = _cells(self._writer.fees(rows), _FEE_COMPARED, self._demanded.fee_words)
            # A fee has no number of its own: it is found as a whole, or not at all.
            f = self._findings
            f.checks["fees"] = f.checks.get("fees", 0) + len(due)
            self._fees.match(due, keys=len(_FEE_COMPARED), is_last=is_last)

    def _compare_payments(self, expected: Array, found: Array) -> None:
        right = expected == found
        right[:, _AGENTS] |= expected[:, _AGENTS] == UNKNOWN
        f, row = self._findings, self._findings.row
        f.checks["record"] = f.checks.get("record", 0) + len(expected)
        # The row of the log at hand is not where the payment ended.
        f.row = -1
        for at in np.flatnonzero(~right.all(axis=1)).tolist():
            column = int(np.argmin(right[at]))
            name = _COMPARED[column]
            words = self._demanded.payment_words.get(name)
            is_now, should_be = (_shown(int(side[at, column]), words) for side in (found, expected))
            f.add(
                "record",
                f"payment {expected[at, 0]} of {PAYMENTS_FILE} differs from the log in {name}: "
                f"{is_now}, should be {should_be}",
            )
        f.row = row

    def _report_rows(self, rule: str, numbers: Array, message: str) -> None:
        for number in numbers[:_SHOWN].tolist():
            self._findings.add(rule, f"{message.format(number)} in {PAYMENTS_FILE}")
        self._findings.count += max(len(numbers) - _SHOWN, 0)

    def _report_fees(self, rows: Array, message: str) -> None:
        for row in rows[:_SHOWN].tolist():
            number, *shown = (
                _shown(value, self._demanded.fee_words.get(name))
                for name, value in zip(_FEE_COMPARED, row, strict=True)
            )
            self._findings.add("fees", f"payment {number}: {message.format(' '.join(shown))}")
        self._findings.count += max(len(rows) - _SHOWN, 0)


class _Demanded:
    """Say in the columns of ``payments.parquet`` what records demand; names are numbers."""

    def __init__(self, plan: Plan) -> None:
        self._plan, names = plan, plan.names
        self._unrouted = stream_pricing(plan)
        currencies, agents = names.currencies, names.agents
        self.payment_words: dict[str, tuple[str, ...]] = {
            "scope": SCOPES,
            "corridor": names.corridors,
            "stream": names.streams,
            "route": names.routes,
            "channel": names.channels,
            "debtor_agent": agents,
            "creditor_agent": agents,
            "instructed_currency": currencies,
            "debited_currency": currencies,
            "settlement_currency": currencies,
            "credited_currency": currencies,
            "outcome": OUTCOMES,
            "reason_code": REASONS,
        }
        self.fee_words: dict[str, tuple[str, ...]] = {
            "component": (*names.components, FX_SPREAD),
            "recipient": tuple(dict.fromkeys((*names.recipients, *agents))),
            "bearer": BEARERS,
            "currency": currencies,
        }

    def payments(self, rows: Array) -> Array:
        """Return what rows must say, one column per name of ``_COMPARED``."""
        columns = dict(INTEGER_COLUMNS)
        made = np.empty((len(rows), len(_COMPARED)), dtype=np.int64)
        texts = self._texts(rows)
        for at, name in enumerate(_COMPARED):
            if name in columns:
                made[:, at] = rows[:, columns[name]]
            else:
                made[:, at] = _first_of_name(texts[name], self.payment_words[name])
        return made

    def _texts(self, rows: Array) -> dict[str, Array]:
        stream = self._plan.stream[rows[:, C.STREAM]]
        pricing = record_pricing(self._plan, rows, self._unrouted)

        def currency(column: PricingColumn, amount: RecordColumn) -> Array:
            named = pricing_column(self._plan, pricing, column)
            made: Array = np.where(rows[:, amount] == NULL, -1, named)
            return made

        reason = rows[:, C.REASON]
        return {
            "scope": stream[:, StreamColumn.SCOPE],
            "corridor": stream[:, StreamColumn.CORRIDOR],
            "stream": rows[:, C.STREAM],
            "route": rows[:, C.ROUTE],
            "channel": stream[:, StreamColumn.CHANNEL],
            "debtor_agent": rows[:, C.DEBTOR_AGENT],
            "creditor_agent": rows[:, C.CREDITOR_AGENT],
            "instructed_currency": stream[:, StreamColumn.CURRENCY],
            "debited_currency": currency(PricingColumn.CURRENCY_DEBITED, C.DEBITED),
            "settlement_currency": currency(PricingColumn.CURRENCY_SETTLEMENT, C.SETTLEMENT),
            "credited_currency": currency(PricingColumn.CURRENCY_CREDITED, C.CREDITED),
            "outcome": rows[:, C.OUTCOME],
            "reason_code": np.where(reason <= 0, -1, reason),
        }


class _Side:
    """Pair demanded rows with those of a table, reading as many as were demanded.

    Parameters
    ----------
    path : Path
        The table.
    columns : tuple of str
        Which columns; the payment's number first.
    words : dict of str to tuple of str
        What the numbers of text columns stand for.
    replication : int
        Whose rows.
    """

    def __init__(
        self,
        path: Path,
        columns: tuple[str, ...],
        words: dict[str, tuple[str, ...]],
        replication: int,
    ) -> None:
        self._parts = _read(path, columns, words, replication)
        self._rest = self._expected = self._found = np.empty((0, len(columns)), dtype=np.int64)

    @property
    def left(self) -> tuple[Array, Array]:
        """Demanded rows and those of the table that have found no counterpart so far."""
        return self._expected, self._found

    def match(self, rows: Array, *, keys: int, is_last: bool) -> tuple[Array, Array]:
        """Return demanded rows and those of the table that share their first ``keys`` columns."""
        expected = np.concatenate([self._expected, rows])
        read = [self._take(len(rows))]
        if is_last:
            read += [self._rest, *self._parts]
        found = np.concatenate([self._found, *read])
        at, of = _pairs(expected[:, :keys], found[:, :keys])
        self._expected = np.delete(expected, at, axis=0)
        self._found = np.delete(found, of, axis=0)
        return expected[at], found[of]

    def _take(self, count: int) -> Array:
        """Read so many rows, or those there are."""
        parts, held = [self._rest], len(self._rest)
        while held < count and (part := next(self._parts, None)) is not None:
            parts.append(part)
            held += len(part)
        rows = np.concatenate(parts)
        self._rest = rows[count:]
        return rows[:count]


def _read(
    path: Path, columns: tuple[str, ...], words: dict[str, tuple[str, ...]], replication: int
) -> Iterator[Array]:
    """Read the rows of a replication, names as numbers."""
    for batch in open_table(path, ["replication", *columns]):
        table = pa.Table.from_batches([batch])
        mine = int_values(table.column("replication")) == replication
        if mine.any():
            rows = _cells(table, columns, words)
            yield rows if mine.all() else rows[mine]


def _cells(table: pa.Table, columns: tuple[str, ...], words: dict[str, tuple[str, ...]]) -> Array:
    """Return columns of a table as numbers: -1 for no name, one beyond the last for another."""
    made = np.empty((table.num_rows, len(columns)), dtype=np.int64)
    for at, name in enumerate(columns):
        if name not in words:
            made[:, at] = int_values(table.column(name))
            continue
        place: dict[str, int] = {}
        for number, word in enumerate(words[name]):
            place.setdefault(word, number)
        codes, found = text_codes(table.column(name))
        numbers = [place.get(word, len(words[name])) for word in found]
        made[:, at] = np.array([*numbers, -1], dtype=np.int64)[codes]
    return made


def _first_of_name(indices: Array, words: tuple[str, ...]) -> Array:
    """Return the first index of the same name, since a table knows names only; UNKNOWN stays."""
    lookup = np.array([*(words.index(word) for word in words), -1], dtype=np.int64)
    known = (indices >= 0) & (indices < len(words))
    named = lookup[np.where(known, indices, -1)]
    made: Array = np.where(indices == UNKNOWN, UNKNOWN, named)
    return made


def _pairs(expected: Array, found: Array) -> tuple[Array, Array]:
    """Return which rows are equal, each used once; equal rows pair up in the order they come."""
    if np.array_equal(expected, found):
        return np.arange(len(expected)), np.arange(len(expected))
    rows = np.concatenate([expected, found])
    is_found = np.arange(len(rows)) >= len(expected)
    order = np.lexsort((is_found, *rows.T[::-1]))
    rows, is_found = rows[order], is_found[order]
    starts = np.ones(len(rows), dtype=np.bool_)
    starts[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    group, first = np.cumsum(starts) - 1, np.flatnonzero(starts)
    count = np.bincount(group, minlength=len(first))
    count_found = np.bincount(group[is_found], minlength=len(first))
    count_expected = count - count_found
    rank = np.arange(len(rows)) - first[group] - np.where(is_found, count_expected[group], 0)
    paired = rank < np.minimum(count_expected, count_found)[group]
    return order[paired & ~is_found], order[paired & is_found] - len(expected)


def _shown(value: int, words: tuple[str, ...] | None) -> str:
    """Return a cell as a reader knows it."""
    if words is None:
        return "null" if value == NULL else str(value)
    if value < 0:
        return "null"
    return words[value] if value < len(words) else "a name the plan does not have"
