"""Distributions that are let pass without building them can be built, at every corner."""

from __future__ import annotations

from itertools import product

import pytest

from sim.compiler.law_checks import MODERATE, SCALE
from sim.draws.laws.family import FAMILIES
from sim.draws.quantile import build_table


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
