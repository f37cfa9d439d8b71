"""A world in which the toy rail is registered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sim.rails.registry import forget_rail, register_rail
from tests.unit.rails.courier import CourierRail


@pytest.fixture(params=["reference", "compiled"])
def engine(request: pytest.FixtureRequest) -> str:
    """Run on either engine."""
    return str(request.param)


@pytest.fixture
def couriers() -> Iterator[None]:
    """Register the toy kind, and take it out again."""
    register_rail(CourierRail)
    yield
    forget_rail("courier")
