"""Give every test that asks for it each engine in turn."""

from __future__ import annotations

import pytest

from tests.theory.driver import ENGINES


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    """Name an engine."""
    return str(request.param)
