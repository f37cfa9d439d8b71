"""Money that came from nowhere stops the run: the sums of currencies at the horizon."""

from __future__ import annotations

import numpy as np
import pytest

from sim.compiler.builder import PlanBuilder
from sim.engine.compiled import check_balances
from sim.errors import InvariantViolation


def test_currencies_must_sum_to_zero() -> None:
    builder = PlanBuilder(horizon_us=1)
    for name, currency in (("a", "USD"), ("b", "USD"), ("c", "KHR"), ("d", "KHR")):
        builder.add_account(name, currency)
    plan = builder.build()
    check_balances(plan, np.array([-5, 5, 7, -7], dtype=np.int64))
    for wrong in ([-5, 6, 7, -7], [-5, 7, 7, -9]):
        with pytest.raises(InvariantViolation, match="currencies sum to"):
            check_balances(plan, np.array(wrong, dtype=np.int64))
