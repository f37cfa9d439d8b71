"""Draws depend on key and counter alone, and choices follow their exact probabilities."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.draws import layout, lookup
from sim.draws.keys import purpose_id, stream_key
from sim.draws.quantile import build_table
from sim.draws.thresholds import cumulative62, threshold62

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
ALL62 = 2**62 - 1
DRAW_COUNT = 200_000


def _key(seed: int = 0, replication: int = 0, name: str = "cn_counter") -> Ints:
    return np.array(stream_key(seed, replication, "payment", name), dtype=np.int64)


def _draws(key: Ints, purpose: str = "amount", *, visit: int = 0, n_first: int = 0) -> Ints:
    out = np.empty(DRAW_COUNT, dtype=np.int64)
    lookup.draw62_many(key, n_first, DRAW_COUNT, purpose_id(purpose), visit, out)
    return out


def _kolmogorov_distance(sorted_shares: Floats) -> float:
    """Return the greatest distance between sorted values and a uniform distribution."""
    steps = np.arange(len(sorted_shares) + 1) / len(sorted_shares)
    return float(max(np.max(steps[1:] - sorted_shares), np.max(sorted_shares - steps[:-1])))


# Beyond this distance a fit of DRAW_COUNT draws is rejected with probability about 1e-6
# (Kolmogorov: P(D > d) is close to 2 exp(-2 n d^2)).
KOLMOGOROV_BOUND = math.sqrt(math.log(2e6) / 2 / DRAW_COUNT)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 20_250_101])
def test_draws_are_uniform_for_any_seed_zero_included(seed: int) -> None:
    draws = np.sort(_draws(_key(seed)))
    assert draws[0] >= 0
    assert draws[-1] <= ALL62
    assert _kolmogorov_distance(draws / 2.0**62) < KOLMOGOROV_BOUND
    # Negative control: the same test rejects draws bent by half a per cent.
    assert _kolmogorov_distance((draws / 2.0**62) ** 1.02) > KOLMOGOROV_BOUND


@pytest.mark.parametrize("bit", [0, 1, 29, 30, 31, 60, 61])
def test_every_bit_is_fair_and_says_nothing_of_the_next_draw(bit: int) -> None:
    ones = (_draws(_key()) >> bit) & 1
    bound = 4 * math.sqrt(DRAW_COUNT) / 2
    assert abs(int(ones.sum()) - DRAW_COUNT / 2) < bound
    assert abs(int((ones[1:] ^ ones[:-1]).sum()) - DRAW_COUNT / 2) < bound
    assert abs(int((ones ^ 1 ^ ones).sum()) - DRAW_COUNT / 2) > bound  # negative control


def _others() -> dict[str, Ints]:
    return {
        "seed": _draws(_key(seed=1)),
        "replication": _draws(_key(replication=1)),
        "stream": _draws(_key(name="th_counter")),
        "purpose": _draws(_key(), "decline"),
        "visit": _draws(_key(), visit=1),
        "n": _draws(_key(), n_first=2**32),
    }


def test_draws_differing_in_one_coordinate_are_uncorrelated() -> None:
    base = _draws(_key()) / 2.0**62 - 0.5
    bound = 4 / math.sqrt(DRAW_COUNT)
    for coordinate, other in _others().items():
        share = other / 2.0**62 - 0.5
        assert abs(float(np.mean(base * share)) * 12) < bound, coordinate
        assert not (base == share).any(), coordinate
    assert abs(float(np.mean(base * base)) * 12) > bound  # negative control


def test_both_numbers_of_a_pair_are_independent_and_the_first_is_the_single_draw() -> None:
    key, purpose = _key(), purpose_id("amount")
    pairs = np.array([lookup.draw62_pair(key, n, purpose, 0) for n in range(20_000)])
    assert (pairs[:, 0] == _draws(key)[:20_000]).all()
    shares = pairs / 2.0**62 - 0.5
    bound = 4 / math.sqrt(len(pairs))
    assert abs(float(np.mean(shares[:, 0] * shares[:, 1])) * 12) < bound
    assert abs(float(np.mean(shares[:, 0] * shares[:, 0])) * 12) > bound  # negative control


def test_a_draw_is_the_same_alone_in_a_chunk_and_in_any_order() -> None:
    key, purpose = _key(), purpose_id("amount")
    whole = _draws(key)
    for n in (199_999, 0, 77, 0, 4096):
        assert lookup.draw62(key, n, purpose, 0) == whole[n]
    late = np.full(10, -1, dtype=np.int64)
    lookup.draw62_many(key, 1000, 5, purpose, 0, late)
    assert late.tolist() == [*whole[1000:1005].tolist(), -1, -1, -1, -1, -1]


def test_another_stream_leaves_the_draws_of_the_first_as_they_were() -> None:
    alone = _draws(_key())
    for name in ("added", "added_too"):
        assert not (_draws(_key(name=name)) == alone).any()
    assert (_draws(_key()) == alone).all()


def _exact_quantile(table: Ints, u62: int) -> int:
    """Follow the description of the layout in fractions."""
    is_upper = u62 >= 2**61
    v = ALL62 - u62 if is_upper else u62
    entries = table[layout.SIDE_LENGTH :] if is_upper else table[: layout.SIDE_LENGTH]
    if v < layout.TAIL_END:
        return int(entries[0])
    octave = 61 - v.bit_length()
    cell, within = divmod(v - 2 ** (60 - octave), 2 ** (54 - octave))
    node = (39 - octave) * 64 + cell
    assert (64 + node % 64) * 2 ** (15 + node // 64) == v - within
    bits = min(24, 54 - octave)
    part = Fraction(2 * (within >> (54 - octave - bits)) + 1, 2 ** (bits + 1))
    left, right = int(entries[1 + node]), int(entries[2 + node])
    return math.floor(left + (right - left) * part + Fraction(1, 2))


WIDE = np.concatenate(
    [
        np.sort(np.random.default_rng(3).integers(-(2**53), 2**53, layout.SIDE_LENGTH)),
        np.sort(np.random.default_rng(4).integers(-(2**53), 2**53, layout.SIDE_LENGTH))[::-1],
    ]
)


# The first example compiles the look-up, which takes longer than any deadline for a single one.
@settings(deadline=None, derandomize=True, max_examples=300)
@given(shift=st.integers(0, 61), high=st.booleans(), bits=st.integers(0, ALL62))
def test_lookup_follows_the_layout_exactly(shift: int, high: bool, bits: int) -> None:
    v = bits >> shift
    u62 = ALL62 - v if high else v
    tables = np.concatenate([WIDE[::-1], WIDE])
    assert lookup.quantile(tables, len(WIDE), u62) == _exact_quantile(WIDE, u62)


@pytest.mark.parametrize("edge", [0, 2**21, 2**22, 2**29, 2**30, 2**45, 2**60, 2**61, 2**62])
def test_values_never_fall_across_the_edges_of_octaves(edge: int) -> None:
    table = build_table("lognormal", {"median": 1e9, "sigma": 1.8})
    for middle in (edge, 2**62 - edge):
        around = [u for u in range(middle - 500, middle + 500) if 0 <= u <= ALL62]
        values = [lookup.quantile(table, 0, u) for u in around]
        assert values == sorted(values)


def test_many_look_ups_are_the_single_ones() -> None:
    table = build_table("exponential", {"mean": 1e6})
    draws = _draws(_key())
    values = np.empty_like(draws)
    lookup.quantile_many(table, 0, draws, values)
    assert values[:1000].tolist() == [lookup.quantile(table, 0, int(u)) for u in draws[:1000]]
    lookup.quantile_many(table, 0, draws, draws)
    assert (draws == values).all()


def _exponential_share(x: Floats) -> Floats:
    return -np.expm1(-x / 1e6)


def _lognormal_share(x: Floats) -> Floats:
    return np.array([0.5 * math.erfc(-math.log(v / 1e6) / 1.8 / math.sqrt(2)) for v in x])


@pytest.mark.parametrize(
    ("family", "parameters", "share"),
    [
        ("exponential", {"mean": 1e6}, _exponential_share),
        ("lognormal", {"median": 1e6, "sigma": 1.8}, _lognormal_share),
    ],
)
def test_drawn_values_follow_the_distribution(
    family: str, parameters: dict[str, float], share: Callable[[Floats], Floats]
) -> None:
    values = np.empty(DRAW_COUNT, dtype=np.int64)
    lookup.quantile_many(build_table(family, parameters), 0, _draws(_key(7)), values)
    values.sort()
    assert _kolmogorov_distance(share(values.astype(np.float64))) < KOLMOGOROV_BOUND
    # Negative control: values 5 % too long are rejected.
    assert _kolmogorov_distance(share(values.astype(np.float64) * 1.05)) > KOLMOGOROV_BOUND


@pytest.mark.parametrize("probability", [0.0, 1e-3, 0.3, 1.0])
def test_hits_come_with_their_probability(probability: float) -> None:
    threshold = threshold62(probability)
    hits = sum(bool(lookup.is_hit(int(u), threshold)) for u in _draws(_key(3))[:20_000])
    error = math.sqrt(20_000 * probability * (1 - probability))
    assert abs(hits - 20_000 * probability) <= 4 * error
    assert abs(hits - 20_000 * (0.95 * probability + 0.05)) > 4 * error or probability == 1.0


@pytest.mark.parametrize(
    ("u62", "threshold", "is_hit"),
    [(0, 0, False), (0, 1, True), (5, 5, False), (ALL62, 2**62, True), (ALL62, ALL62, False)],
)
def test_a_draw_at_the_threshold_is_no_hit(u62: int, threshold: int, is_hit: bool) -> None:
    assert bool(lookup.is_hit(u62, threshold)) is is_hit


@pytest.mark.parametrize("count", [1, 2, 3, 7, 1000, 2**31 - 1])
def test_index_reaches_both_ends_and_stays_inside(count: int) -> None:
    assert lookup.index_below(0, count) == 0
    assert lookup.index_below(ALL62, count) == count - 1
    for u62 in range(0, 2**62, 2**62 // 997):
        assert lookup.index_below(u62, count) == (u62 >> 31) * count // 2**31


def _chi_square(counts: Ints, shares: Floats) -> float:
    """Return the distance from expected counts in standard deviations of chi-square."""
    expected = shares * counts.sum()
    used = expected > 0
    assert not counts[~used].any()
    freedom = int(used.sum()) - 1
    distance = float(np.sum((counts[used] - expected[used]) ** 2 / expected[used]))
    return (distance - freedom) / math.sqrt(2 * freedom)


def test_indices_are_equally_likely() -> None:
    indices = [lookup.index_below(int(u), 7) for u in _draws(_key(11))]
    counts = np.bincount(indices, minlength=7)
    assert _chi_square(counts, np.full(7, 1 / 7)) < 4
    skewed = np.array([1.05, 1, 1, 1, 1, 1, 0.95]) / 7
    assert _chi_square(counts, skewed) > 4  # negative control


WEIGHTS = [0.5, 0.0, 3.0, 1e-2, 2.0, 0.0]


def test_weighted_indices_come_with_their_weights() -> None:
    padded = np.concatenate([[-7, -7], cumulative62(WEIGHTS), [-7]]).astype(np.int64)
    indices = [lookup.weighted_index(int(u), padded, 2, 8) - 2 for u in _draws(_key(13))]
    counts, shares = np.bincount(indices, minlength=6), np.array(WEIGHTS) / sum(WEIGHTS)
    assert _chi_square(counts, shares) < 4
    bent = shares * np.array([1.05, 1, 1, 1, 1, 1])
    assert _chi_square(counts, bent / bent.sum()) > 4  # negative control


def test_weighted_index_changes_exactly_at_the_thresholds() -> None:
    cumulative = cumulative62(WEIGHTS)
    for u62 in [0, ALL62, *(int(edge) + step for edge in cumulative[:-2] for step in (-1, 0, 1))]:
        expected = next(i for i, edge in enumerate(cumulative.tolist()) if u62 < edge)
        assert lookup.weighted_index(u62, cumulative, 0, len(cumulative)) == expected
    assert lookup.weighted_index(ALL62, cumulative62([4.0]), 0, 1) == 0
