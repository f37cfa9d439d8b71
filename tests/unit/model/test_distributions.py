"""Distributions: what is read, what is refused where, and the closed-form means."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from scipy import stats

from sim.model.base import FieldProblemsError
from sim.model.distributions import (
    AmountDistribution,
    DurationDistribution,
    parse_amount_distribution,
    parse_duration_distribution,
)
from sim.model.families import NAMES

S = 1_000_000.0

READ = [
    ("0.8 s", "constant", {"value": 0.8 * S}, 0.8 * S),
    ({"constant": "2 s"}, "constant", {"value": 2 * S}, 2 * S),
    ({"constant": {"value": "2 s"}}, "constant", {"value": 2 * S}, 2 * S),
    ({"uniform": {"low": "0 s", "high": "3 s"}}, "uniform", {"low": 0.0, "high": 3 * S}, 1.5 * S),
    ({"exponential": {"mean": "1 s"}}, "exponential", {"mean": S}, S),
    ({"erlang": {"mean": "1 s", "shape": "3"}}, "erlang", {"shape": 3.0, "mean": S}, S),
    ({"gamma": {"mean": "1 s", "shape": "0.5"}}, "gamma", {"mean": S, "shape": 0.5}, S),
    (
        {"lognormal": {"median": "0.8 s", "sigma": "0.5"}},
        "lognormal",
        {"median": 0.8 * S, "sigma": 0.5},
        stats.lognorm(0.5, scale=0.8 * S).mean(),
    ),
    ({"lognormal": {"mean": "1 s", "sigma": "2"}}, "lognormal", {"mean": S, "sigma": 2.0}, S),
    (
        {"weibull": {"scale": "1 s", "shape": "1.7"}},
        "weibull",
        {"scale": S, "shape": 1.7},
        stats.weibull_min(1.7, scale=S).mean(),
    ),
    (
        {"triangular": {"low": "1 s", "mode": "2 s", "high": "6 s"}},
        "triangular",
        {"low": S, "mode": 2 * S, "high": 6 * S},
        stats.triang(0.2, loc=S, scale=5 * S).mean(),
    ),
    (
        {"pareto": {"minimum": "1 s", "alpha": "2.5"}},
        "pareto",
        {"minimum": S, "alpha": 2.5},
        stats.pareto(2.5, scale=S).mean(),
    ),
    (
        {"loglogistic": {"median": "1 s", "alpha": "2.5"}},
        "loglogistic",
        {"median": S, "alpha": 2.5},
        stats.fisk(2.5, scale=S).mean(),
    ),
    (
        {"hyperexponential": {"p": "25 %", "mean_1": "1 s", "mean_2": "5 s"}},
        "hyperexponential",
        {"p": 0.25, "mean_1": S, "mean_2": 5 * S},
        4 * S,
    ),
    (
        {"empirical": [["1 s", "50 %"], ["3 s", "100 %"]]},
        "empirical",
        {},
        1.5 * S,
    ),
]


@pytest.mark.parametrize(("found", "family", "parameters", "mean"), READ)
def test_duration_distribution_is_read_into_base_units(
    found: object, family: str, parameters: dict[str, float], mean: float
) -> None:
    read = parse_duration_distribution(found)
    assert (read.family, read.parameters()) == (family, parameters)
    assert read.mean() == pytest.approx(mean, rel=1e-12)


def test_every_family_is_read_somewhere() -> None:
    assert {row[1] for row in READ} == set(NAMES)


def test_amounts_are_read_in_minor_units_of_one_currency() -> None:
    read = parse_amount_distribution({"lognormal": {"mean": "80 CNY", "sigma": "1.2"}})
    assert (read.currency, read.parameters()) == ("CNY", {"mean": 8000.0, "sigma": 1.2})
    bare = parse_amount_distribution("5 USD")
    assert (bare.family, bare.parameters(), bare.currency) == ("constant", {"value": 500.0}, "USD")


REFUSED: list[tuple[Callable[[object], object], object, list[tuple[tuple[object, ...], str]]]] = [
    (
        parse_duration_distribution,
        {"pareto": {"minimum": "1 s", "alpha": "2"}},
        [
            (
                ("pareto", "alpha"),
                "found '2'; allowed: above 2 (at 2 and below the variance is infinite)",
            )
        ],
    ),
    (
        parse_duration_distribution,
        {"lognormal": {"median": "1 s", "mean": "1 s", "sigma": "1"}},
        [
            (
                ("lognormal",),
                (
                    "found median and mean; allowed: exactly one of median and mean (an "
                    "inherited one "
                    "is deleted with 'mean: null')"
                ),
            )
        ],
    ),
    (
        parse_duration_distribution,
        {"lognormal": {"median": "1 s"}},
        [
            (
                ("lognormal",),
                (
                    "missing; needed: sigma, standard deviation of the logarithm "
                    "(lognormal: {median|mean, sigma})"
                ),
            )
        ],
    ),
    (
        parse_duration_distribution,
        {"exponential": {"mean": "0 s"}},
        [(("exponential", "mean"), "found '0 s'; allowed: above 0")],
    ),
    (
        parse_duration_distribution,
        {"uniform": {"low": "3 s", "high": "1 s"}},
        [(("uniform",), "found parameters out of order; allowed: low < high, a range above 0")],
    ),
    (
        parse_duration_distribution,
        {"exponential": {"maen": "1 s"}},
        [(("exponential", "maen"), "unknown field 'maen'; known: mean. Did you mean 'mean'?")],
    ),
    (
        parse_amount_distribution,
        {"uniform": {"low": "1 USD", "high": "2 CNY"}},
        [(("uniform", "high"), "found '2 CNY'; allowed: every amount in USD, as the first one")],
    ),
    (
        parse_duration_distribution,
        {"hyperexponential": {"p": "100 %", "mean_1": "1 s", "mean_2": "5 s"}},
        [
            (
                ("hyperexponential", "p"),
                "found '100 %'; allowed: a share above 0 and below 100 % such as '30 %'",
            )
        ],
    ),
]


@pytest.mark.parametrize(("parse", "found", "problems"), REFUSED)
def test_refused_distribution_names_the_parameter(
    parse: Callable[[object], object], found: object, problems: list[tuple[object, str]]
) -> None:
    with pytest.raises(FieldProblemsError) as caught:
        parse(found)
    assert list(caught.value.problems) == problems


def test_unknown_family_gets_the_known_ones_and_a_suggestion() -> None:
    with pytest.raises(FieldProblemsError, match=r"unknown family 'lognormaal'; .*'lognormal'\?"):
        parse_duration_distribution({"lognormaal": {"median": "1 s", "sigma": "1"}})


def test_two_families_are_refused_with_the_way_out() -> None:
    both = {"constant": "1 s", "exponential": {"mean": "1 s"}}
    with pytest.raises(ValueError, match="found constant and exponential; allowed: one family"):
        parse_duration_distribution(both)


@pytest.mark.parametrize(
    "points",
    [
        [["1 s", "50 %"]],
        [["1 s", "50 %"], ["2 s", "90 %"]],
        [["2 s", "50 %"], ["1 s", "100 %"]],
        [["1 s", "50 %"], ["2 s", "50 %"], ["3 s", "100 %"]],
        [["1 s"], ["2 s", "100 %"]],
        "1 s",
    ],
)
def test_points_that_are_no_distribution_are_refused(points: object) -> None:
    with pytest.raises(FieldProblemsError, match="empirical"):
        parse_duration_distribution({"empirical": points})


@pytest.mark.parametrize("row", READ)
def test_distribution_keeps_its_meaning_when_written(
    row: tuple[object, str, object, float],
) -> None:
    read = parse_duration_distribution(row[0])
    if read.family == "constant":
        assert parse_duration_distribution(str(read)) == read
    else:
        assert str(read).startswith(f"{{{read.family}: ")
    assert math.isfinite(read.mean())


def test_schema_offers_bare_text_and_every_family() -> None:
    for kind in (DurationDistribution, AmountDistribution):
        from pydantic import TypeAdapter

        bare, mapping = TypeAdapter(kind).json_schema()["anyOf"]
        assert bare["type"] == "string"
        assert set(mapping["properties"]) == set(NAMES)
