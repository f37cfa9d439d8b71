"""What a covering trade costs, in whole minor units.

Takes rows of the plan's conversions and its rates; gives int64 amounts. It holds no state, does no
floating point, and gives the same result compiled, uncompiled and in plain Python.
"""

from __future__ import annotations

from sim.contract.layout import PPM, ConversionColumn
from sim.contract.plan import Array
from sim.jit.cache import compiled
from sim.money.exchange import mid_cost, mid_value, mul_div_ceil, mul_div_floor


@compiled
def trade_cost(
    conversion: Array,
    rate: Array,
    pair_scale: Array,
    fx_step_us: int,
    buys: int,
    sells: int,
    traded: int,
    time_us: int,
) -> int:
    """Return what is paid for what is bought; below 0 what is got for what is sold.

    Parameters
    ----------
    conversion, rate, pair_scale : ndarray of int64
        As in the plan.
    fx_step_us : int
        Microseconds per step of ``rate``.
    buys, sells : int
        Rows of ``conversion``.
    traded : int
        Minor units, above 0 bought, below 0 sold; either way below AMOUNT_MAX.
    time_us : int
        Instant of the order.

    Notes
    -----
    Specified in :mod:`sim.contract.positions`.
    """
    if traded > 0:
        mid = mid_cost(conversion, rate, pair_scale, fx_step_us, buys, traded, time_us)
        # Rounded up, as all that is asked of somebody.
        return mid + mul_div_ceil(mid, int(conversion[buys, ConversionColumn.SPREAD_PPM]), PPM)
    if traded == 0:
        return 0
    spread = int(conversion[sells, ConversionColumn.SPREAD_PPM])
    mid = mul_div_floor(-traded, PPM, PPM + spread)
    return -mid_value(conversion, rate, pair_scale, fx_step_us, sells, mid, time_us)
