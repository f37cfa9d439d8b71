"""What a covering trade costs, by hand: a provider never gains by rounding when it trades back."""

from __future__ import annotations

import numpy as np
import pytest

from sim.money.covering import trade_cost

# One pair: 7.2 quote per base, then 8.0. Row 0 buys the base at 0.15 %, row 1 sells it at 0.2 %.
CONVERSION = np.array([(0, 0, 1_500, 0, 0), (0, 1, 2_000, 0, 0)], dtype=np.int64)
RATE = np.array([(72_000, 80_000)], dtype=np.int64)
SCALE = np.array([10_000], dtype=np.int64)


@pytest.mark.parametrize(
    ("traded", "time_us", "cost"),
    [
        # ceil(101 * 7.2) = ceil(727.2) = 728, and ceil(728 * 0.0015) = ceil(1.092) = 2.
        (101, 59, 730),
        # 101 * 8 = 808, and ceil(1.212) = 2.
        (101, 60, 810),
        # floor(5000 / 1.002) = floor(4990.01...) = 4990, worth 4990 * 7.2 = 35 928.
        (-5_000, 59, -35_928),
        # floor(77 / 1.002) = floor(76.8...) = 76, worth floor(547.2) = 547.
        (-77, 59, -547),
        (-77, 60, -608),
        # The margin is of what is worth at mid: floor(998 003.99...), and not 998 000.
        (-1_000_000, 60, -8 * 998_003),
        (0, 0, 0),
    ],
)
def test_what_is_bought_is_rounded_up_and_what_is_sold_down(
    traded: int, time_us: int, cost: int
) -> None:
    assert trade_cost(CONVERSION, RATE, SCALE, 60, 0, 1, traded, time_us) == cost
