"""Arrays of draws and of values are entry by entry what the look-up gives one by one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from sim.draws import layout, lookup
from sim.draws.arrays import draw_array, draw_array_pair, quantile_array
from sim.draws.keys import purpose_id, stream_key
from sim.draws.quantile import build_table

ALL62 = 2**62 - 1


def _edges() -> npt.NDArray[np.int64]:
    """Return draws at and beside the ends of the tail, of octaves and of cells, on both sides."""
    ends = [0, 1, layout.TAIL_END, 2**61]
    ends += [
        (64 + cell) << (layout.NODE_SPACING_BITS + octave)
        for octave in range(layout.OCTAVE_COUNT)
        for cell in (0, 1, 31, 63)
    ]
    near = {n for end in ends for n in (end - 1, end, end + 1) if 0 <= n < 2**61}
    return np.array(sorted(near | {ALL62 - one for one in near}), dtype=np.int64)


@pytest.mark.parametrize(
    ("law", "parameters"),
    [
        ("normal", {"mean": 0.0, "sd": 1e6}),
        ("lognormal", {"mean": 1e9, "sigma": 2.0}),
        ("exponential", {"mean": 8e5}),
    ],
)
def test_values_are_those_of_the_look_up(law: str, parameters: dict[str, float]) -> None:
    table = build_table(law, parameters)
    key = np.array(stream_key(3, 0, "fx", "USD/KHR"), dtype=np.int64)
    drawn = draw_array(key, np.arange(2_000, dtype=np.int64), "fx.step")
    draws = np.concatenate((_edges(), drawn))
    assert quantile_array(table, draws).tolist() == [
        lookup.quantile(table, 0, u62) for u62 in draws.tolist()
    ]


def test_draws_are_those_of_the_look_up() -> None:
    key = np.array(stream_key(7, 2, "payment", "cn_counter"), dtype=np.int64)
    numbers = np.array([0, 1, 2**32 - 1, 2**32, 2**40 + 5], dtype=np.int64)
    pairs = [lookup.draw62_pair(key, n, purpose_id("minute"), 0) for n in numbers.tolist()]
    first, second = draw_array_pair(key, numbers, "minute")
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == pairs
    assert draw_array(key, numbers, "minute").tolist() == [one for one, _ in pairs]
