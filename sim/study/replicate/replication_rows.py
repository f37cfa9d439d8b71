"""Rows of ``replications.parquet``: every value of every replication.

Takes the values of replications as they are kept (:mod:`sim.study.packed`); gives Arrow tables,
some hundred replications each. Names are looked up once for all replications that have the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sim.errors import InvariantViolation
from sim.study.packed import Shape, Values

if TYPE_CHECKING:
    import pyarrow as pa

HEADLINE = "headline"
"""Group under which the headline's values are kept."""

_AT_ONCE = 512
"""Replications of a table: some hundred thousand rows."""
_TEXTS = ("group", "name", "measure", "unit")

Codes = npt.NDArray[np.int32]


class ReplicationRows:
    """Converter of what replications found into rows.

    Parameters
    ----------
    numbers : sequence of int
        Of the replications.
    values : sequence of (Values or None)
        What each found.

    Raises
    ------
    InvariantViolation
        If there is nothing of one: its measures have intervals, and are no replication's.
    """

    def __init__(self, numbers: Sequence[int], values: Sequence[Values | None]) -> None:
        self._numbers, self._values = numbers, [one for one in values if one is not None]
        if len(self._values) < len(numbers):
            raise InvariantViolation("replications: found a summary with intervals among them")
        self._texts: tuple[dict[str, int], ...] = tuple({} for _ in _TEXTS)
        self._codes: dict[int, Codes] = {}
        for one in self._values:
            if id(one.shape) not in self._codes:
                self._codes[id(one.shape)] = self._coded(one.shape)

    @property
    def schema(self) -> pa.Schema:
        """Return the columns."""
        import pyarrow as pa

        text = pa.dictionary(pa.int32(), pa.string())
        types = {"replication": pa.int64(), **dict.fromkeys(_TEXTS[:3], text)}
        return pa.schema({**types, "value": pa.float64(), "unit": text, "width": pa.float64()})

    def tables(self) -> Iterator[pa.Table]:
        """Give all rows, replication after replication."""
        for first in range(0, len(self._numbers), _AT_ONCE):
            yield self._table(slice(first, first + _AT_ONCE))

    def _table(self, chosen: slice) -> pa.Table:
        import pyarrow as pa

        held = self._values[chosen]
        lengths = [len(one.value) for one in held]
        value = np.concatenate([one.value for one in held])
        width = np.concatenate(
            [np.zeros(len(one.value)) if one.width is None else one.width for one in held]
        )
        codes = np.concatenate([self._codes[id(one.shape)] for one in held], axis=1)
        made = {
            "replication": pa.array(np.repeat(np.array(self._numbers[chosen]), lengths)),
            "value": pa.array(value, mask=np.isnan(value)),
            "width": pa.array(width),
        }
        for name, found, texts in zip(_TEXTS, codes, self._texts, strict=True):
            made[name] = pa.DictionaryArray.from_arrays(pa.array(found), pa.array(list(texts)))
        return pa.Table.from_arrays([made[name] for name in self.schema.names], schema=self.schema)

    def _coded(self, shape: Shape) -> Codes:
        """Return the numbers of group, name, measure and unit of every measure."""
        rows = [
            (group or HEADLINE, name, key)
            for (group, name), keys in zip(shape.names, shape.keys, strict=True)
            for key in keys
        ]
        columns = (*zip(*rows, strict=True), shape.units)
        return np.array(
            [
                [texts.setdefault(one, len(texts)) for one in column]
                for texts, column in zip(self._texts, columns, strict=True)
            ],
            dtype=np.int32,
        )
