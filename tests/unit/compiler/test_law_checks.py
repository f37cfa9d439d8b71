"""Distributions that are let pass without building them can be built, at every corner."""

from __future__ import annotations

from itertools import product

import pytest
from pydantic import TypeAdapter

from sim.compiler.amounts import largest_amount
from sim.compiler.law_checks import MODERATE, SCALE
from sim.draws.laws.family import FAMILIES
from sim.draws.quantile import build_table
from sim.model.distributions import AmountDistribution


def corners(name: str) -> list[dict[str, float]]:
    """Return the corners of what a family is let pass with, but for those its fields refuse."""
    family, found = FAMILIES[name], []
    for choice in family.choices():
        names = choice.split()
        kinds = {item.name: item.kind for item in family.parameters}
        ends = [
            MODERATE[name].get(one, (0, *SCALE) if kinds[one] == "value" else SCALE)
            for one in names
        ]
        for values in product(*ends):
            given = dict(zip(names, map(float, values), strict=True))
            rising = [given[one] for one in family.rising]
            if rising and (rising != sorted(rising) or rising[0] == rising[-1]):
                continue
            found.append(given)
    return found


@pytest.mark.parametrize("name", list(MODERATE))
def test_every_corner_can_be_laid_out(name: str) -> None:
    found = corners(name)
    assert len(found) >= 2
    for given in found:
        assert len(build_table(name, given)) > 0


AMOUNTS = [
    {"lognormal": {"mean": "10 USD", "sigma": "2"}},
    {"lognormal": {"median": "10 USD", "sigma": "3"}},
    {"exponential": {"mean": "10 USD"}},
    {"gamma": {"mean": "10 USD", "shape": "0.1"}},
    {"gamma": {"mean": "10 USD", "shape": "0.5"}},
    {"weibull": {"mean": "10 USD", "shape": "0.3"}},
    {"weibull": {"mean": "10 USD", "shape": "0.5"}},
    {"pareto": {"minimum": "10 USD", "alpha": "2.1"}},
    {"loglogistic": {"median": "10 USD", "alpha": "2.2"}},
    {"hyperexponential": {"p": "99.99 %", "mean_1": "1 USD", "mean_2": "1 000 000 USD"}},
    {"uniform": {"low": "1 USD", "high": "10 USD"}},
    {"triangular": {"low": "1 USD", "mode": "2 USD", "high": "10 USD"}},
]


@pytest.mark.parametrize("written", AMOUNTS, ids=str)
def test_no_entry_of_a_table_exceeds_the_bound_of_its_amount(written: object) -> None:
    amount = TypeAdapter(AmountDistribution).validate_python(written)
    # Minor units of the table are whole; the bound of a uniform law is its last entry itself.
    assert int(build_table(amount.family, amount.parameters()).max()) <= largest_amount(amount)
