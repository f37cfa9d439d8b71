"""Compile the workload's loop once, before the first test, so that no test is timed for it."""

from __future__ import annotations

import pytest

from tests.unit.workload.demands import small_digest


@pytest.fixture(scope="session", autouse=True)
def _compiled_loop() -> None:
    small_digest()
