"""Tables keep the moments and quantiles of the exact distributions, or are refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest

from sim.draws import laws, layout, lookup
from sim.draws.quantile import (
    FAMILIES,
    TABLE_LENGTH,
    build_empirical,
    build_table,
    table_mean,
    table_second_moment,
)

M = 1e6
P999 = 0.999
Row = tuple[str, dict[str, float], float, float, float | None]


def _root(above: Callable[[float], float]) -> float:
    """Solve for the value exceeded with probability 1/1000, by halving."""
    low, high = 0.0, 1.0
    while above(high) > 1 - P999:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if above(middle) > 1 - P999 else (low, middle)
    return high


def _lognormal(sigma: float, median: float = M) -> Row:
    growth = math.exp(sigma**2 / 2)
    quantile = median * math.exp(sigma * NormalDist().inv_cdf(P999))
    parameters = {"median": median, "sigma": sigma}
    return "lognormal", parameters, median * growth, median**2 * growth**4, quantile


def _erlang(shape: int) -> Row:
    rate = shape / M

    def above(x: float) -> float:
        return math.exp(-rate * x) * sum((rate * x) ** k / math.factorial(k) for k in range(shape))

    return "erlang", {"shape": shape, "mean": M}, M, M**2 * (1 + 1 / shape), _root(above)


def _gamma(shape: float) -> Row:
    """Leave the quantile to the rows of whole shapes and of shape 1/2 (chi-square)."""
    chi = M * NormalDist().inv_cdf((1 + P999) / 2) ** 2 if shape == 0.5 else None
    return "gamma", {"mean": M, "shape": shape}, M, M**2 * (1 + 1 / shape), chi


def _weibull(shape: float) -> Row:
    first, second = (math.gamma(1 + k / shape) for k in (1, 2))
    quantile = M * math.log(1000) ** (1 / shape)
    return "weibull", {"scale": M, "shape": shape}, M * first, M**2 * second, quantile


def _triangular(low: float, mode: float, high: float) -> Row:
    variance = (low**2 + mode**2 + high**2 - low * mode - low * high - mode * high) / 18
    mean = (low + mode + high) / 3
    if mode < high:
        quantile = high - math.sqrt((1 - P999) * (high - low) * (high - mode))
    else:
        quantile = low + math.sqrt(P999) * (high - low)
    parameters = {"low": low, "mode": mode, "high": high}
    return "triangular", parameters, mean, variance + mean**2, quantile


def _truncated_normal(mean: float, sd: float, low: float) -> Row:
    normal = NormalDist()
    cut = (low - mean) / sd
    above = 0.5 * math.erfc(cut / math.sqrt(2))
    ratio = normal.pdf(cut) / above
    first = mean + sd * ratio
    variance = sd**2 * (1 + cut * ratio - ratio**2)
    quantile = mean - sd * normal.inv_cdf((1 - P999) * above)
    parameters = {"mean": mean, "sd": sd, "low": low}
    return "truncated_normal", parameters, first, variance + first**2, quantile


def _pareto(alpha: float) -> Row:
    first, second = alpha / (alpha - 1), alpha / (alpha - 2)
    quantile = M * 1000 ** (1 / alpha)
    return "pareto", {"minimum": M, "alpha": alpha}, M * first, M**2 * second, quantile


def _loglogistic(alpha: float) -> Row:
    first, second = (k * math.pi / alpha / math.sin(k * math.pi / alpha) for k in (1, 2))
    # The odds of being below are (x / median)^alpha: 999 to 1.
    quantile = M * 999 ** (1 / alpha)
    return "loglogistic", {"median": M, "alpha": alpha}, M * first, M**2 * second, quantile


def _hyperexponential(p: float, mean_1: float, mean_2: float) -> Row:
    parameters = {"p": p, "mean_1": mean_1, "mean_2": mean_2}
    mean = p * mean_1 + (1 - p) * mean_2
    second = 2 * (p * mean_1**2 + (1 - p) * mean_2**2)
    quantile = _root(lambda x: p * math.exp(-x / mean_1) + (1 - p) * math.exp(-x / mean_2))
    return "hyperexponential", parameters, mean, second, quantile


# Family, parameters, exact mean, exact second moment, exact 99.9 % quantile (None: not closed).
ROWS: list[Row] = [
    ("constant", {"value": M}, M, M**2, M),
    ("uniform", {"low": M, "high": 3 * M}, 2 * M, 13 / 3 * M**2, 2.998 * M),
    ("uniform", {"low": 0, "high": 2e4}, 1e4, 4e8 / 3, 19_980),
    ("exponential", {"mean": M}, M, 2 * M**2, M * math.log(1000)),
    ("exponential", {"mean": 1e4}, 1e4, 2e8, 1e4 * math.log(1000)),
    *(_erlang(shape) for shape in (1, 2, 4, 30)),
    *(_gamma(shape) for shape in (0.05, 0.2, 0.5, 2.5, 100.0, 1e4)),
    *(_lognormal(sigma) for sigma in (0.0, 0.1, 0.5, 1.2, 1.8, 2.5, 3.0)),
    _lognormal(1.8, median=5e4),
    ("lognormal", {"mean": M, "sigma": 1.8}, M, M**2 * math.exp(1.8**2), None),
    *(_weibull(shape) for shape in (0.2, 0.3, 0.7, 1.0, 1.5, 5.0, 50.0)),
    ("weibull", {"mean": M, "shape": 0.5}, M, 6 * M**2, M / 2 * math.log(1000) ** 2),
    _triangular(0, 0.3 * M, M),
    _triangular(M, M, 2 * M),
    _triangular(0, M, M),
    ("normal", {"mean": M, "sd": M}, M, 2 * M**2, M * (1 + NormalDist().inv_cdf(P999))),
    ("normal", {"mean": M, "sd": 1e4}, M, M**2 + 1e8, M + 1e4 * NormalDist().inv_cdf(P999)),
    *(_truncated_normal(times * M, M, 0) for times in (-6, -2, 0, 1, 10)),
    _truncated_normal(3 * M, M, 2 * M),
    *(_pareto(alpha) for alpha in (2.01, 2.1, 2.5, 3.0, 10.0)),
    *(_loglogistic(alpha) for alpha in (2.1, 2.5, 4.0, 20.0)),
    _hyperexponential(0.1, 10 * M, M / 10),
    _hyperexponential(0.5, M, M),
    _hyperexponential(0.01, 100 * M, M),
    _hyperexponential(1.0, M, 5.0),
]


@pytest.mark.parametrize(
    ("family", "parameters", "mean", "second_moment", "quantile"),
    ROWS,
    ids=[f"{row[0]}-{'-'.join(f'{value:g}' for value in row[1].values())}" for row in ROWS],
)
def test_table_keeps_moments_and_far_quantile(
    family: str,
    parameters: dict[str, float],
    mean: float,
    second_moment: float,
    quantile: float | None,
) -> None:
    table = build_table(family, parameters)
    assert float(table_mean(table)) == pytest.approx(mean, rel=1e-5)
    assert table_second_moment(table) == pytest.approx(second_moment, rel=1e-3)
    if quantile is not None:
        drawn = lookup.quantile(table, 0, round(Fraction(P999) * 2**62))
        assert drawn == pytest.approx(quantile, rel=1e-3)
    if family != "normal":
        assert table.min() >= 0
    upwards = np.concatenate([table[: layout.SIDE_LENGTH], table[layout.SIDE_LENGTH :][::-1]])
    assert (np.diff(upwards) >= 0).all()
    # Negative control: the checks would see 1 % of scale.
    assert float(table_mean(table)) != pytest.approx(mean * 1.01, rel=1e-5)
    assert table_second_moment(table) != pytest.approx(second_moment * 1.01**2, rel=1e-3)


def test_every_family_has_a_row_of_accuracy() -> None:
    assert {row[0] for row in ROWS} | {"empirical"} == set(FAMILIES)
    assert len(set(FAMILIES)) == len(FAMILIES)


def test_tables_have_the_length_of_the_layout_and_cannot_be_written() -> None:
    table = build_table("exponential", {"mean": 1e4})
    assert table.shape == (TABLE_LENGTH,)
    assert table.dtype == np.int64
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 1


def test_the_mean_is_that_of_the_draws_rounding_and_ties_included() -> None:
    # All draws of three cells near the tail, where 2**15 draws each can be listed.
    rng = np.random.default_rng(5)
    for top in (3, 40, 2**15, 2**17, 3 * 2**15, 2**37):
        table = np.zeros(TABLE_LENGTH, dtype=np.int64)
        table[1:4] = np.sort(rng.integers(0, top + 1, 3))
        table[4 : layout.SIDE_LENGTH] = table[3] + 2**15 * top
        first, last = layout.TAIL_END, layout.TAIL_END + 3 * 2**15
        draws = np.arange(first, last, dtype=np.int64)
        values = np.empty_like(draws)
        lookup.quantile_many(table, 0, draws, values)
        rest = int(table[4]) * (2**61 - last)
        # From the third cell on, the node at its right end is that of the constant rest.
        assert table_mean(table) == Fraction(sum(values.tolist()) + rest, 2**62)


@pytest.mark.parametrize("mean", [0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 1000.0])
def test_rounding_to_few_units_leaves_the_mean(mean: float) -> None:
    table = build_table("exponential", {"mean": mean})
    assert abs(float(table_mean(table)) - mean) < 2.0 / 256
    # Negative control: rounding halves up, as is common, would not do.
    if mean == 1.0:
        assert abs(math.exp(-0.5) / -math.expm1(-1.0) - mean) > 2.0 / 256


@pytest.mark.parametrize(("value", "expected"), [(0.0, {0}), (0.4, {0}), (0.6, {1}), (7.0, {7})])
def test_a_constant_is_one_whole_number(value: float, expected: set[int]) -> None:
    assert set(build_table("constant", {"value": value}).tolist()) == expected


def test_the_unit_scales_the_table() -> None:
    seconds = build_table("exponential", {"mean": 0.25}, unit=1e-6)
    assert seconds.tolist() == build_table("exponential", {"mean": 250_000.0}).tolist()


def test_a_normal_table_mirrors_itself() -> None:
    table = build_table("normal", {"mean": 0.0, "sd": 1e7})
    lower, upper = table[: layout.SIDE_LENGTH], table[layout.SIDE_LENGTH :]
    assert np.abs(lower + upper).max() <= 1
    assert table.min() < 0


@pytest.mark.parametrize(
    ("points", "mean", "second_moment"),
    [
        ([(0.0, 0.0), (2 * M, 1.0)], M, 4 / 3 * M**2),
        ([(M, 1.0)], M, M**2),
        ([(M, 0.5), (M * 3, 1.0)], 1.5 * M, (0.5 + 0.5 * 13 / 3) * M**2),
        ([(0.0, 0.0), (M, 0.9), (M, 0.95), (9 * M, 1.0)], 0.75 * M, (0.35 + 91 / 60) * M**2),
        ([(0.0, 0.0), (100 * M, 0.999), (1e4 * M, 1.0)], 55 * M, None),
    ],
)
def test_empirical_tables_keep_their_moments(
    points: list[tuple[float, float]], mean: float, second_moment: float | None
) -> None:
    table = build_empirical(points)
    assert float(table_mean(table)) == pytest.approx(mean, rel=1e-5)
    if second_moment is not None:
        assert table_second_moment(table) == pytest.approx(second_moment, rel=1e-3)
    # Between the points, quantiles are those of the line.
    values, shares = np.array(points).T
    for p in np.linspace(0.01, 0.99, 57):
        drawn = lookup.quantile(table, 0, round(Fraction(float(p)) * 2**62))
        side = min(p, 1 - p) / 64
        first = shares[0] if shares[0] > 0 else 0.0
        low, high = (
            values[0] if q <= first else np.interp(q, shares, values) for q in (p - side, p + side)
        )
        assert low * (1 - 1e-4) - 1 <= drawn <= high * (1 + 1e-4) + 1


REFUSED = [
    ("pareto", {"minimum": 1.0, "alpha": 2.0}, "variance is infinite"),
    ("pareto", {"minimum": 1.0, "alpha": 1.5}, "variance is infinite"),
    ("pareto", {"minimum": 0.0, "alpha": 3.0}, "minimum is 0.0; it must be above 0"),
    ("lognormal", {"median": 1.0, "sigma": -0.1}, "sigma is -0.1; it must be 0 or more"),
    ("lognormal", {"median": 1.0, "sigma": 7.0}, "sigma is 7.0; a table can hold at most"),
    ("lognormal", {"median": 1.0, "sigma": 5.0}, "lognormal"),
    ("lognormal", {"median": 1.0, "sigma": 4.0}, "too extreme for a table"),
    ("lognormal", {"median": 1.0, "mean": 1.0, "sigma": 1.0}, "allowed: median sigma or mean sig"),
    ("lognormal", {"median": M, "sigma": 3.5}, "at most 2\\*\\*53 units"),
    ("exponential", {"mean": 0.0}, "mean is 0.0; it must be above 0"),
    ("exponential", {"mean": math.nan}, "must be a finite number"),
    ("exponential", {"rate": 1.0}, "has the parameters rate; allowed: mean"),
    ("exponential", {}, "parameters \\(none\\); allowed: mean"),
    ("exponential", {"mean": 1e300}, "at most 2\\*\\*53 units"),
    ("exponentail", {"mean": 1.0}, "Did you mean 'exponential'"),
    ("erlang", {"shape": 1.5, "mean": 1.0}, "shape is 1.5; it must be a whole number"),
    ("gamma", {"shape": 0.0, "mean": 1.0}, "shape is 0.0"),
    ("weibull", {"scale": 1.0, "shape": 0.05}, "a table can hold 0.1 or more"),
    ("uniform", {"low": 2.0, "high": 1.0}, "high is 1.0, below low 2.0"),
    ("uniform", {"low": -1.0, "high": 1.0}, "low is -1.0; it must be 0 or more"),
    ("triangular", {"low": 1.0, "mode": 3.0, "high": 2.0}, "needed: low <= mode <= high"),
    ("truncated_normal", {"mean": 0.0, "sd": 1.0, "low": 9.0}, "at most 8"),
    ("truncated_normal", {"mean": 0.0, "sd": 1.0, "low": -1.0}, "low is -1.0"),
    ("normal", {"mean": 0.0, "sd": -1.0}, "sd is -1.0"),
    ("hyperexponential", {"p": 1.1, "mean_1": 1.0, "mean_2": 2.0}, "p is 1.1; it must be"),
    ("constant", {"value": -1.0}, "value is -1.0"),
    ("empirical", {}, "build_empirical"),
]


@pytest.mark.parametrize(("family", "parameters", "message"), REFUSED)
def test_what_no_table_can_hold_is_refused_in_words(
    family: str, parameters: dict[str, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        build_table(family, parameters)


@pytest.mark.parametrize("unit", [0.0, -1.0, math.nan, math.inf])
def test_a_unit_that_is_no_size_is_refused(unit: float) -> None:
    with pytest.raises(ValueError, match="unit is"):
        build_table("exponential", {"mean": 1.0}, unit=unit)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([], "at least one point"),
        ([(1.0, 0.0), (2.0, 0.9)], "the last must be 1"),
        ([(2.0, 0.0), (1.0, 1.0)], "values must not fall"),
        ([(1.0, 0.5), (2.0, 0.5), (3.0, 1.0)], "rise"),
        ([(1.0, -0.1), (2.0, 1.0)], "0 or more and rise"),
        ([(-1.0, 0.0), (2.0, 1.0)], "values must be 0 or more"),
        ([(math.inf, 1.0)], "not a finite number"),
    ],
)
def test_points_that_are_no_distribution_are_refused(
    points: list[tuple[float, float]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        build_empirical(points)


@pytest.mark.parametrize("family", laws.FAMILIES)
def test_lower_and_upper_quantiles_of_a_law_agree(family: str) -> None:
    for row in (row for row in ROWS if row[0] == family):
        law = laws.build_law(family, row[1])
        middle = np.linspace(0.05, 0.95, 19)
        assert law.lower(middle) == pytest.approx(law.upper(1 - middle), rel=1e-9)
