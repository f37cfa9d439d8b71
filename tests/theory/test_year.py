"""The year of the library has the payments published for it, and grows as they did."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from sim.compiler.compile import Compiled, compile_scenario
from sim.scenario.scenario import load_scenario
from sim.study.compile_case import expected_payments
from sim.units import DAY_US
from tests.theory.driver import SCENARIOS

# Not read by the code it can pay, declined by the payer's bank (7.2 % and 0.37 % of the rest),
# declined by the payee's: see domestic_khr of cambodia-2025.
COMPLETES = (1 - 0.002) * (1 - 0.072) * (1 - 0.0037) * (1 - 0.00314)
# NBC annual report 2025, and of 2024; transfers.
PUBLISHED = {"domestic_khr": (771.2e6, 299.32e6), "domestic_usd": (554.5e6, 308.2e6)}
# From 4 January: 28 days, then the months; the last days of December and three of January.
MONTHS = (0, 28, 56, 87, 117, 148, 178, 209, 240, 270, 301, 331, 365)


@cache
def _year() -> Compiled:
    return compile_scenario(
        load_scenario(SCENARIOS / "library" / "year-2025.yaml"), with_tables=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("stream", PUBLISHED)
def test_year_has_the_transfers_published_for_it(stream: str) -> None:
    (attempts,) = expected_payments(_year(), (0, 365 * DAY_US), [stream])
    # Bursts of 20 % by the minute: 0.2 / sqrt(525 600) = 0.03 % of a year; rounded steps 0.02 %.
    assert attempts * COMPLETES == pytest.approx(PUBLISHED[stream][0], rel=0.002)
    # A control: taken for attempts, the published number is 8 % too few.
    assert attempts != pytest.approx(PUBLISHED[stream][0], rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("stream", PUBLISHED)
def test_months_grow_by_a_twelfth_root_of_the_years_growth(stream: str) -> None:
    instants = [day * DAY_US for day in MONTHS]
    by_day = np.array(expected_payments(_year(), instants, [stream])) / np.diff(MONTHS)
    now, before = PUBLISHED[stream]
    # From the middle of the first to that of the last month lie eleven twelfths of a year. A month
    # may have a Friday more than another: 5 % of a day of 30, and bursts 0.1 %.
    assert by_day[-1] / by_day[0] == pytest.approx((now / before) ** (11 / 12), rel=0.01)
    assert (np.diff(by_day) > 0).all()


@pytest.mark.slow
def test_nobody_pays_in_china_before_its_merchants_can_be_paid() -> None:
    live = 65 * DAY_US
    before, after = expected_payments(_year(), (0, live, 365 * DAY_US), ["kh_counter_in_china"])
    assert before == 0
    # 1,500 a day over 300 days.
    assert after == pytest.approx(450_000, rel=0.01)
