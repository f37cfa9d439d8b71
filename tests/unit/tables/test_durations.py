"""Durations are exact up to the number said, and beyond it known within cells that say so."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest

from sim.contract.records import HISTOGRAM_LENGTH, histogram_bounds, histogram_bucket
from sim.tables.durations import EXACT_MAX, Between, DurationFolder, Durations, duration_cells

SHARES = (0.5, 0.9, 0.95, 0.99, 0.999, 1.0)


def _nearest_rank(values: list[int], share: float) -> int:
    return sorted(values)[max(ceil(share * len(values)), 1) - 1]


def _drawn(seed: int, number: int = 3_000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 4, number), np.exp(rng.normal(13, 3, number)).astype(np.int64)


def _folded(group: np.ndarray, values: np.ndarray, exact_max: int, chunk: int) -> DurationFolder:
    folder = DurationFolder(exact_max)
    for at in range(0, len(values), chunk):
        folder.take(group[at : at + chunk], values[at : at + chunk])
    return folder


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("chosen", [(0,), (2, 1), (0, 1, 2, 3)])
def test_quantiles_are_exact_up_to_the_number_said(seed: int, chosen: tuple[int, ...]) -> None:
    group, values = _drawn(seed)
    folder = _folded(group, values, len(values), 777)
    found, own = folder.of(chosen), values[np.isin(group, chosen)].tolist()
    assert folder.is_exact
    assert found.total == len(own)
    for share in SHARES:
        due = _nearest_rank(own, share)
        assert found.quantile(share) == Between(due, due)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("chosen", [(0,), (2, 1), (0, 1, 2, 3)])
def test_beyond_it_they_lie_in_cells_of_a_thousandth(seed: int, chosen: tuple[int, ...]) -> None:
    group, values = _drawn(seed)
    folder = _folded(group, values, len(values) - 1, 777)
    found, own = folder.of(chosen), values[np.isin(group, chosen)].tolist()
    assert not folder.is_exact
    assert found.total == len(own)
    for share in SHARES:
        known = found.quantile(share)
        assert known is not None
        assert known.low <= _nearest_rank(own, share) <= known.high
        assert known.width <= known.low / 1024


def test_chunks_do_not_matter() -> None:
    group, values = _drawn(4)
    order = np.random.default_rng(5).permutation(len(values))
    for exact_max in (100, 5_000):
        one = _folded(group, values, exact_max, 10_000).of((0, 2))
        other = _folded(group[order], values[order], exact_max, 13).of((2, 0))
        for name in ("low", "high", "count"):
            assert np.array_equal(getattr(one, name), getattr(other, name))


def test_a_cell_of_equal_durations_is_exact() -> None:
    # Every payment takes 10.02 s; more of them than are kept one by one.
    folder = DurationFolder()
    for _ in range(5):
        folder.take(np.zeros(250_000, dtype=np.int64), np.full(250_000, 10_020_000))
    assert not folder.is_exact
    assert folder.of((0,)).quantile(0.99) == Between(10_020_000, 10_020_000)


def test_memory_has_a_bound() -> None:
    rng, folder = np.random.default_rng(6), DurationFolder()
    for _ in range(8):
        folder.take(np.zeros(250_000, dtype=np.int64), rng.integers(1 << 20, 1 << 24, 250_000))
    kept = sum(part.size for part in (*folder._single, folder._table))
    assert EXACT_MAX == 1_000_000
    # Four octaves of 1024 cells, four numbers each.
    assert kept <= 4 * 1024 * 4 + 2 * (1 << 18)


def test_a_figure_is_read_while_more_comes() -> None:
    folder = DurationFolder(3)
    for count in range(1, 7):
        folder.take(np.zeros(1, dtype=np.int64), np.array([count]))
        assert folder.of((0,)).quantile(1.0) == Between(count, count)
    assert folder.of((1,)).quantile(0.5) is None
    assert folder.of(()).quantile(0.5) is None


def test_payments_that_take_longer_count_behind_all_others() -> None:
    values = np.array([1, 2, 3], dtype=np.int64)
    known = Durations(values, values, np.ones(3, dtype=np.int64))
    assert known.quantile(0.5, longer=1) == Between(2, 2)
    assert known.quantile(0.5, longer=3) == Between(3, 3)
    assert known.quantile(0.5, longer=4) is None


def test_bounds_of_a_bucket_are_those_of_the_contract() -> None:
    for value in (0, 1, 127, 128, 129, 255, 256, 257, 10**6, 2**40 - 1, 2**40, 2**52 + 12345):
        low, high = histogram_bounds(histogram_bucket(value))
        assert low <= value <= high
        assert histogram_bucket(low) == histogram_bucket(high) == histogram_bucket(value)
        assert histogram_bucket(high + 1) == histogram_bucket(value) + 1
        histogram = np.zeros(HISTOGRAM_LENGTH, dtype=np.int64)
        histogram[histogram_bucket(value)] = 7
        assert Durations.of_histogram(histogram).quantile(0.5) == Between(low, high)


def test_cells_never_mix_octaves() -> None:
    values = np.array([0, 1023, 1024, 2047, 2048, 2049, 2050, 2**52 - 1, 2**52], dtype=np.int64)
    cells = duration_cells(values).tolist()
    # Cells of one microsecond up to 2^11, of two from there on.
    assert cells[:4] == [0, 1023, 1024, 2047]
    assert cells[4] == cells[5] == cells[6] - 1 == 2048
    assert cells[8] == cells[7] + 1 < 1 << 16
