"""Columns laid out in one pass are those that Arrow makes of each column by itself."""

from __future__ import annotations

import numpy as np
import pytest

from sim.contract.layout import NULL
from sim.tables.columns import int_column, lay_out, names_array


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 64, 65, 1000])
def test_columns_and_masks(count: int) -> None:
    rng = np.random.default_rng(count)
    rows = rng.integers(-(1 << 62), 1 << 62, (count, 5))
    # One column without a value, one with all, others in between.
    for column, share in enumerate((1.0, 0.0, 0.5, 0.01)):
        rows[rng.random(count) < share, column] = NULL
    laid = lay_out(rows)
    for at in range(5):
        found = laid.column(at)
        found.validate(full=True)
        expected = [None if value == NULL else value for value in rows[:, at].tolist()]
        assert found.to_pylist() == expected
        assert found.equals(int_column(rows[:, at]))
    assert laid.rows.tolist() == rows.tolist()


@pytest.mark.parametrize("names", [(), ("a",), ("ភ្នំពេញ", "", "b c")])
def test_dictionaries_are_those_arrow_makes(names: tuple[str, ...]) -> None:
    found = names_array(names)
    found.validate(full=True)
    assert found.to_pylist() == list(names or ("",))
