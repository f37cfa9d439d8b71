"""Faults to plant in the code that writes tables, each as a change of that code.

Every fault takes pytest's ``monkeypatch`` and makes the writer wrong; nothing touches a file that
is already written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from sim.contract.layout import NULL, PricingColumn
from sim.contract.plan import Array
from sim.tables import log_rows, parquet_stream, payment_rows
from sim.tables.columns import Laid
from sim.tables.parquet_stream import ParquetStream
from sim.tables.payment_rows import PaymentRows

Patch = pytest.MonkeyPatch
Plant = Callable[[Patch], None]
Change = Callable[[pa.Table], pa.Table]
Parts = list[tuple[Array, ...]]
COMPONENT, RECIPIENT, BEARER, CURRENCY, AMOUNT = range(1, 6)
"""Fields of the parts of which fee rows are made."""


def written(owner: type, method: str, change: Change) -> Plant:
    """Let what a method of the writer gives be changed."""

    def plant(patch: Patch) -> None:
        right = getattr(owner, method)
        patch.setattr(owner, method, lambda self, *rows: change(right(self, *rows)))

    return plant


def payments(change: Change) -> Plant:
    return written(PaymentRows, "payments", change)


def fees(change: Change) -> Plant:
    return written(PaymentRows, "fees", change)


def samples(change: Change) -> Plant:
    return written(log_rows.SeriesRows, "take", change)


def visits(change: Change) -> Plant:
    def plant(patch: Patch) -> None:
        for method in ("take", "finish"):
            written(log_rows.StageRows, method, change)(patch)

    return plant


def set_column(table: pa.Table, name: str, values: Any) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(name), values)


def swap(one: str, other: str) -> Change:
    """Return a change that writes two columns under each other's name."""

    def change(table: pa.Table) -> pa.Table:
        first, second = table.column(one), table.column(other)
        return set_column(set_column(table, one, second), other, first)

    return change


def figures(name: str, change: Callable[[Array], Array]) -> Change:
    """Return a change of a column of figures; nulls stay."""

    def changed(table: pa.Table) -> pa.Table:
        column = table.column(name).combine_chunks()
        values = column.fill_null(NULL).to_numpy()
        made = np.where(values == NULL, NULL, change(values))
        return set_column(table, name, pa.array(made, mask=made == NULL, type=pa.int64()))

    return changed


def other_balance(table: pa.Table) -> pa.Table:
    """Show a unit less on every account that is sampled and not empty."""
    is_balance = pc.equal(table.column("measure").cast(pa.string()), "balance_minor")
    # A unit below nothing is beyond what an account can hold, which needs no log to be seen.
    is_balance = pc.and_(is_balance, pc.greater(table.column("value"), 0))
    less = pc.subtract(table.column("value"), 1)
    return set_column(table, "value", pc.if_else(is_balance, less, table.column("value")))


def zero_for_null(name: str) -> Change:
    return lambda table: set_column(table, name, table.column(name).fill_null(0))


def drop_row(table: pa.Table) -> pa.Table:
    """Drop the last row of a chunk."""
    return table.slice(0, max(table.num_rows - 1, 0))


def double_row(table: pa.Table) -> pa.Table:
    """Write the first row of a chunk twice."""
    return pa.concat_tables([table.slice(0, 1), table])


def shift(name: str) -> Plant:
    """Shift a dictionary of the payment writer by one."""

    def plant(patch: Patch) -> None:
        right = PaymentRows.__init__

        def begin(self: PaymentRows, *given: Any, **named: Any) -> None:
            right(self, *given, **named)
            setattr(self, name, rolled(getattr(self, name)))

        patch.setattr(PaymentRows, "__init__", begin)

    return plant


def shift_places(owner: type, name: str) -> Plant:
    """Shift a dictionary of a writer of log rows by one."""

    def plant(patch: Patch) -> None:
        right = owner.__init__  # type: ignore[misc]

        def begin(self: Any, *given: Any, **named: Any) -> None:
            right(self, *given, **named)
            setattr(self, name, rolled(getattr(self, name)))

        patch.setattr(owner, "__init__", begin)

    return plant


def rolled(names: pa.Array) -> pa.Array:
    words = names.to_pylist()
    return pa.array([*words[1:], words[0]], type=pa.string())


def shift_words(module: Any, name: str) -> Plant:
    """Shift words the writer takes from the schemas by one."""

    def plant(patch: Patch) -> None:
        words = getattr(module, name)
        patch.setattr(module, name, (*words[1:], words[0]))

    return plant


def swap_record_columns(one: str, other: str) -> Plant:
    """Let the writer take two columns of a record for each other."""

    def plant(patch: Patch) -> None:
        columns = dict(payment_rows.INTEGER_COLUMNS)
        columns[one], columns[other] = columns[other], columns[one]
        patch.setattr(payment_rows, "INTEGER_COLUMNS", tuple(columns.items()))

    return plant


def write_null_as_zero(patch: Patch) -> None:
    """Let the writer take "never happened" for zero, in every column."""

    def zero(values: Array) -> pa.Array:
        return pa.array(np.where(values == NULL, 0, values))

    patch.setattr(payment_rows, "int_column", zero)
    patch.setattr(Laid, "column", lambda laid, at: zero(laid.columns[at]))


def neighbour(one: PricingColumn, other: PricingColumn) -> Plant:
    """Let the writer take two columns of a price for each other."""

    def plant(patch: Patch) -> None:
        right, exchanged = payment_rows.pricing_column, {one: other, other: one}
        patch.setattr(
            payment_rows,
            "pricing_column",
            lambda plan, pricing, column: right(plan, pricing, exchanged.get(column, column)),
        )

    return plant


def parts(method: str, field: int, change: Callable[[Array], Array]) -> Plant:
    """Let a field of the parts of fee rows be changed, as in ``_spreads`` or ``_charged_fees``."""

    def plant(patch: Patch) -> None:
        right = getattr(PaymentRows, method)

        def wrong(self: PaymentRows, rows: Array) -> Parts:
            return [
                tuple(change(values) if at == field else values for at, values in enumerate(part))
                for part in right(self, rows)
            ]

        patch.setattr(PaymentRows, method, wrong)

    return plant


def margin_to_another(patch: Patch) -> None:
    """Book the margin of every FX provider to another institution."""
    right = PaymentRows.__init__

    def begin(self: PaymentRows, *given: Any, **named: Any) -> None:
        right(self, *given, **named)
        self._agent_recipient = np.append(np.roll(self._agent_recipient[:-1], 1), -1)

    patch.setattr(PaymentRows, "__init__", begin)


def margins_exchanged(patch: Patch) -> None:
    """Give each of two FX providers what the other has earned."""
    right = PaymentRows._spreads

    def wrong(self: PaymentRows, rows: Array) -> Parts:
        first, second = right(self, rows)
        both = np.isin(first[0], second[0]), np.isin(second[0], first[0])
        one, other = first[AMOUNT].copy(), second[AMOUNT].copy()
        one[both[0]], other[both[1]] = second[AMOUNT][both[1]], first[AMOUNT][both[0]]
        return [(*first[:AMOUNT], one), (*second[:AMOUNT], other)]

    patch.setattr(PaymentRows, "_spreads", wrong)


def margin_to_first(patch: Patch) -> None:
    """Book the whole margin to the provider of the first conversion, whoever had the second."""
    right = PaymentRows._spreads

    def wrong(self: PaymentRows, rows: Array) -> Parts:
        first, second = right(self, rows)
        both = np.isin(first[0], second[0]), np.isin(second[0], first[0])
        amount = first[AMOUNT].copy()
        amount[both[0]] += second[AMOUNT][both[1]]
        alone = ~both[1]
        return [(*first[:AMOUNT], amount), tuple(values[alone] for values in second)]

    patch.setattr(PaymentRows, "_spreads", wrong)


def components_exchanged(patch: Patch) -> None:
    """Write two components of fees under each other's name."""

    def exchange(numbers: Array) -> Array:
        return np.where(numbers == 0, 1, np.where(numbers == 1, 0, numbers))

    parts("_charged_fees", COMPONENT, exchange)(patch)


def at_row_group_end(stem: str, change: Callable[[list[int]], list[int]]) -> Plant:
    """Let the row at the end of a table's first full row group be lost or written again."""

    def plant(patch: Patch) -> None:
        patch.setattr(parquet_stream, "ROW_GROUP_ROWS", 512)
        right, done = ParquetStream._write, set[str]()

        def wrong(self: ParquetStream, rows: int) -> None:
            name = self._path.stem
            if name == stem and name not in done:
                done.add(name)
                table = pa.concat_tables(self._held)
                places = change(list(range(rows)))
                kept = table.take(places + list(range(rows, table.num_rows)))
                self._held, self._held_rows = [kept], kept.num_rows
                rows = len(places)
            right(self, rows)

        patch.setattr(ParquetStream, "_write", wrong)

    return plant
