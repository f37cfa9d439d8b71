"""Limits that are written in another currency than what they bound.

Takes stages and the market; gives the same stages, with limits in the currency of what they bound.
"""

from __future__ import annotations

import math
from dataclasses import replace

from sim.compiler.prices import Market, PriceError
from sim.contract.layout import AMOUNT_MAX
from sim.rails.stages import LimitSpec, Stage
from sim.units import format_minor


def with_limit(stage: Stage, market: Market) -> Stage:
    """Return a stage with its limit, if it has one, in the currency of what is bounded.

    Raises
    ------
    PriceError
        If there is no mid rate to convert it at, or it comes to more than amounts can be.
    """
    if stage.limit is None or not stage.limit.written:
        return stage
    return replace(stage, limit=_converted(stage.limit, market))


def _converted(limit: LimitSpec, market: Market) -> LimitSpec:
    """Return a limit at the start's mid rates; rounded down, so that no more passes than stated."""
    rate = market.minor_rate(limit.written, limit.currency)
    bounds = (limit.per_payment, limit.per_day)
    per_payment, per_day = (most if most < 0 else math.floor(most * rate) for most in bounds)
    if max(per_payment, per_day) >= AMOUNT_MAX:
        raise PriceError(
            f"limit {limit.name} of {format_minor(max(bounds), limit.written)} comes to more "
            f"{limit.currency} than amounts can be; allowed: a lower one"
        )
    said = tuple(format_minor(most, limit.written) for most in bounds if most >= 0)
    return replace(limit, per_payment=per_payment, per_day=per_day, written="", said=said)
