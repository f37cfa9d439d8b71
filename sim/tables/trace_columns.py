"""Columns of a trace as whole numbers, and the rows that cannot be payments.

Takes the columns of a file of payments; gives integer arrays with -1 for what a row leaves open.
What is wrong is collected with its line, so that a user mends a file in one go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from sim.contract.plan import Array
from sim.contract.table import Mask
from sim.tables.trace_file import TraceFile
from sim.units import currency_of

if TYPE_CHECKING:
    import pyarrow as pa

Place = tuple[str | int, ...]
"""Keys that lead to what names a file."""
OPEN = -1
"""What a row does not say."""
TIMES = ("at", "submitted_us")
AMOUNTS = ("amount", "instructed_amount_minor")
_SHOWN_MAX = 20
"""Rows told one by one; of the others only how many there are."""
_INT64_DIGITS = r"^[0-9]{1,18}$"
_DECIMAL = r"^[0-9]{1,15}(\.[0-9]+)?$"
_FLOAT_WHOLE_MAX = 1 << 53
"""Beyond, a float does not tell one whole number from the next."""


@dataclass(slots=True)
class BadRows:
    """Rows of a trace that cannot be payments, the first of them in words.

    Attributes
    ----------
    name, unit : str
        Of the file, and what its rows are called.
    line : ndarray of int64
        Of each row.
    """

    name: str
    unit: str
    line: Array
    _told: list[tuple[int, str, str]] = field(default_factory=list)
    _lines: set[int] = field(default_factory=set)

    def add(self, column: str, rows: Array, say: Callable[[int], str]) -> None:
        """Refuse rows.

        Parameters
        ----------
        column : str
            Name of the column.
        rows : ndarray of int64
            Numbers of the rows.
        say : callable
            What is wrong with one of them.
        """
        for row in rows[:_SHOWN_MAX].tolist():
            self._told.append((int(self.line[row]), column, say(row)))
        self._lines.update(self.line[rows].tolist())

    def problems(self, place: Place) -> Iterator[tuple[Place, str]]:
        """Yield what is wrong, by line, each with the place that names the file."""
        told = sorted(self._told)[:_SHOWN_MAX]
        for line, column, message in told:
            yield place, f"{self.name}: {self.unit} {line}, {column}: {message}"
        left = len(self._lines) - len({line for line, _, _ in told})
        if left > 0:
            yield place, f"{self.name}: {left:,} more {self.unit}s that cannot be payments"

    def __bool__(self) -> bool:
        return bool(self._lines)


class Columns:
    """The columns of a trace, read by what they mean.

    Parameters
    ----------
    found : TraceFile
    """

    def __init__(self, found: TraceFile) -> None:
        self.file = found
        self.bad = BadRows(found.name, found.unit, found.line)

    def __contains__(self, name: str) -> bool:
        return name in self.file.columns

    def whole(self, name: str) -> Array:
        """Return whole numbers from 0, ``OPEN`` where there is none."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if name not in self:
            return np.full(len(self.file), OPEN, dtype=np.int64)
        column = _plain(self.file.columns[name])
        given = column.is_valid().to_numpy(zero_copy_only=False)
        if pa.types.is_integer(column.type):
            values = pc.fill_null(column, 0).cast(pa.int64(), safe=False).to_numpy()
            right = values >= 0
        elif pa.types.is_floating(column.type):
            # Tables in which a number may be absent often keep whole numbers as floats.
            floats = pc.fill_null(column, np.nan).cast(pa.float64()).to_numpy(zero_copy_only=False)
            given &= ~np.isnan(floats)
            safe = np.where(given, floats, 0.0)
            right = (safe == np.floor(safe)) & (safe >= 0) & (safe <= _FLOAT_WHOLE_MAX)
            values = np.where(right, safe, 0.0).astype(np.int64)
        elif pa.types.is_string(column.type):
            matched = pc.fill_null(pc.match_substring_regex(column, _INT64_DIGITS), False)
            right = matched.to_numpy(zero_copy_only=False)
            values = pc.if_else(matched, column, "0").cast(pa.int64()).to_numpy()
        else:
            right, values = np.zeros(len(column), dtype=bool), np.zeros(len(column), dtype=np.int64)
        self._refuse(name, given & ~right, "a whole number from 0")
        found: Array = np.where(given & right, values, OPEN)
        return found

    def words(self, name: str) -> tuple[Array, tuple[str, ...]]:
        """Return which word each row has, ``OPEN`` for none, and the words."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if name not in self:
            return np.full(len(self.file), OPEN, dtype=np.int64), ()
        column = _plain(self.file.columns[name])
        if pa.types.is_null(column.type):
            return np.full(len(self.file), OPEN, dtype=np.int64), ()
        if not pa.types.is_string(column.type):
            self._refuse(name, column.is_valid().to_numpy(zero_copy_only=False), "a name")
            return np.full(len(self.file), OPEN, dtype=np.int64), ()
        encoded = column.dictionary_encode()
        codes = pc.fill_null(encoded.indices.cast(pa.int64()), OPEN).to_numpy()
        return codes, tuple(encoded.dictionary.to_pylist())

    def instants(self, start_us: int, read: Callable[[str], int]) -> Array:
        """Return microseconds from the start on, from ``at`` or ``submitted_us``.

        Parameters
        ----------
        start_us : int
            Of the run, since 1970.
        read : callable
            Microseconds from the start that a text means; ValueError where it means none.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        if "at" not in self:
            found = self.whole("submitted_us")
            self._needed("submitted_us", found)
            return found
        column = _plain(self.file.columns["at"])
        given = column.is_valid().to_numpy(zero_copy_only=False)
        self._needed("at", np.where(given, 0, OPEN))
        if pa.types.is_string(column.type):
            try:
                # Most traces say instants in one form, which Arrow reads at once.
                column = pc.cast(column, pa.timestamp("us", "UTC"))
            except pa.ArrowInvalid:
                parsed, wrong = self._by_text("at", column, read)
                return self._from_start(parsed, given & ~wrong)
        if not pa.types.is_timestamp(column.type) or column.type.tz is None:
            self._refuse("at", given, "a duration, or an instant with its offset from UTC")
            return np.full(len(column), OPEN, dtype=np.int64)
        instants = pc.cast(column, pa.timestamp("us", "UTC"), safe=False).cast(pa.int64())
        return self._from_start(pc.fill_null(instants, start_us).to_numpy() - start_us, given)

    def amounts(self, currency: str, read: Callable[[str], int]) -> Array:
        """Return minor units of a currency, from ``amount`` or ``instructed_amount_minor``.

        Parameters
        ----------
        currency : str
        read : callable
            Minor units that a text means; ValueError where it is no amount of the currency.
        """
        if "amount" in self:
            minor = self._major("amount", currency, read)
        else:
            minor = self.whole("instructed_amount_minor")
        name = "amount" if "amount" in self else "instructed_amount_minor"
        self._needed(name, minor)
        self._refuse(name, minor == 0, "an amount above 0")
        return minor

    def _major(self, name: str, currency: str, read: Callable[[str], int]) -> Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        column = _plain(self.file.columns[name])
        exponent = currency_of(currency).exponent
        if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
            # As a person would write the number; binary tails are no part of an amount.
            column = pc.cast(column, pa.string())
        if pa.types.is_decimal(column.type):
            column = pc.cast(column, pa.string())
        if not pa.types.is_string(column.type):
            self._refuse(name, column.is_valid().to_numpy(zero_copy_only=False), "an amount")
            return np.full(len(column), OPEN, dtype=np.int64)
        if pc.all(pc.match_substring_regex(column, _DECIMAL)).as_py() is not False:
            try:
                exact = pc.cast(column, pa.decimal128(28, exponent))
                scale = pa.scalar(Decimal(10**exponent), pa.decimal128(exponent + 1, 0))
                scaled = pc.cast(pc.multiply(exact, scale), pa.int64())
                found: Array = pc.fill_null(scaled, OPEN).to_numpy()
                return found
            except pa.ArrowInvalid:
                # Something is finer than the currency's step: found below, with its line.
                pass
        values, wrong = self._by_text(name, column, read)
        told: Array = np.where(wrong, OPEN, values)
        return told

    def _by_text(
        self, name: str, column: pa.Array, read: Callable[[str], int]
    ) -> tuple[Array, Mask]:
        """Read text by text, each once; return values, and where there is none in a text."""
        import pyarrow as pa
        import pyarrow.compute as pc

        encoded = column.dictionary_encode()
        codes = pc.fill_null(encoded.indices.cast(pa.int64()), OPEN).to_numpy()
        values: list[int] = []
        wrong: dict[int, str] = {}
        for number, text in enumerate(encoded.dictionary.to_pylist()):
            try:
                values.append(read(text))
            except ValueError as error:
                wrong[number] = str(error)
                values.append(0)
        bad = np.isin(codes, list(wrong))
        self.bad.add(name, np.flatnonzero(bad), lambda row: wrong[int(codes[row])])
        found: Array = np.array([*values, OPEN], dtype=np.int64)[codes]
        return found, bad

    def _from_start(self, elapsed_us: Array, given: Array) -> Array:
        early = np.flatnonzero(given & (elapsed_us < 0))
        self.bad.add("at", early, lambda _: "found an instant before clock.start; allowed: later")
        found: Array = np.where(given & (elapsed_us >= 0), elapsed_us, OPEN)
        return found

    def _needed(self, name: str, values: Array) -> None:
        bad = {int(line) for line in self.bad._lines}
        # A value that cannot be read was told already.
        absent = [row for row in np.flatnonzero(values < 0) if int(self.file.line[row]) not in bad]
        rows = np.array(absent, dtype=np.int64)
        self.bad.add(name, rows, lambda _: "found nothing; needed with every payment")

    def _refuse(self, name: str, wrong: Array, allowed: str) -> None:
        column = self.file.columns[name]

        def say(row: int) -> str:
            return f"found {column[row].as_py()!r}; allowed: {allowed}"

        self.bad.add(name, np.flatnonzero(wrong), say)


def _plain(column: pa.Array) -> pa.Array:
    """Return a column without dictionary and, where it is text, without blanks around it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_large_string(column.type):
        column = column.cast(pa.string())
    if pa.types.is_string(column.type):
        column = pc.utf8_trim_whitespace(column)
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    return column
