"""Factors of a sweep are numbers with their unit beside them, where they are numbers at all."""

from __future__ import annotations

import pytest

from sim.study.sweep.factors import factor_columns


@pytest.mark.parametrize(
    ("texts", "columns"),
    [
        (["1", "20"], {"f": [1, 20]}),
        (["0.5", "2"], {"f": [0.5, 2]}),
        (["2 000 /day", "500 /day"], {"f": [2000, 500], "f_unit": ["/day", "/day"]}),
        # In the unit of the first: a minute is 60 s, 250 ms are 0.25 s.
        (["0.8 s", "1 min", "250 ms"], {"f": [0.8, 60, 0.25], "f_unit": ["s", "s", "s"]}),
        # 1 % and 30 bps are no durations: whoever mixes them gets what was written.
        (["1 %", "30 bps"], {"f": ["1 %", "30 bps"]}),
        (["cheapest", "fastest"], {"f": ["cheapest", "fastest"]}),
        (["1", "none"], {"f": ["1", "none"]}),
        (["-0.5", "3"], {"f": [-0.5, 3]}),
        ([], {"f": []}),
    ],
)
def test_factors_are_numbers(texts: list[str], columns: dict[str, list[object]]) -> None:
    assert factor_columns("f", texts) == columns
