"""What a stream's payments are paid back, in symbols: from the demand to the plan's columns.

Takes demand sections and lines; gives what of a stream is refunded, which corridors and lines know
refunds, and what cannot be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sim.compiler.flow import Flow
from sim.contract.layout import PPM
from sim.contract.meaning import Op
from sim.contract.refunds import PARTS_MAX, REFUND_WITHIN_US, RefundRate
from sim.model.base import FieldPath
from sim.model.distributions import DurationDistribution
from sim.model.quantities import PPB, to_minor
from sim.model.sections import Corridor, Demand
from sim.rails.problems import check_amounts
from sim.rails.resources import ClearingLine
from sim.rails.stages import threshold
from sim.scenario.model import Scenario


@dataclass(frozen=True, slots=True)
class StreamRefunds:
    """What of a stream's completed payments is paid back.

    Attributes
    ----------
    share : int
        62-bit threshold.
    total_ppm, parts : int
    after : DurationDistribution or None
        None where only written payments are paid back.
    rate : RefundRate
    written : tuple of (int, int, int)
        Ordinal, microseconds after the payment's end or the part before, and minor units.
    """

    share: int
    total_ppm: int
    parts: int
    after: DurationDistribution | None
    rate: RefundRate
    written: tuple[tuple[int, int, int], ...]

    def columns(self, table: Callable[[DurationDistribution], int]) -> dict[str, Any]:
        """Return the columns of its rule, with the offset of its quantile table."""
        return {
            "written": self.written,
            "share": self.share,
            "total_ppm": self.total_ppm,
            "parts": self.parts,
            "after_table": -1 if self.after is None else table(self.after),
            "rate": int(self.rate),
        }


def has_refunds(demand: Demand) -> bool:
    """Say whether anything of a stream is paid back."""
    if demand.shop is not None:
        return True
    return demand.refunds is not None or any(one.refunds for one in demand.payments or ())


def refunds_of(demand: Demand, currency: str) -> StreamRefunds | None:
    """Return what of a stream is paid back, None for nothing.

    Parameters
    ----------
    demand : Demand
    currency : str
        Of the instructed amounts.
    """
    if not has_refunds(demand):
        return None
    rule, written = demand.refunds, tuple(_written(demand, currency))
    if rule is None:
        return StreamRefunds(0, 0, 0, None, RefundRate.ORIGINAL, written)
    return StreamRefunds(
        share=threshold(rule.share),
        total_ppm=rule.of_amount * PPM // PPB,
        parts=rule.parts,
        after=rule.after,
        rate=RefundRate[rule.rate.upper()],
        written=written,
    )


def _written(demand: Demand, currency: str) -> Iterator[tuple[int, int, int]]:
    """Yield written parts by ordinal, each counted from the one before."""
    # In the order in which written payments are numbered: by time, then as written.
    for ordinal, payment in enumerate(sorted(demand.payments or (), key=lambda one: one.at)):
        past_us = 0
        for part in sorted(payment.refunds.values(), key=lambda part: part.after):
            yield ordinal, part.after - past_us, to_minor(part.amount, currency)
            past_us = part.after


def refunded_corridors(scenario: Scenario) -> frozenset[str]:
    """Return the corridors some of whose payments are paid back."""
    return frozenset(one.corridor for one in scenario.demand.values() if has_refunds(one))


def refunded_lines(scenario: Scenario, lines: Sequence[ClearingLine]) -> list[ClearingLine]:
    """Return lines without accounts for refunds where nothing is ever paid back."""
    if refunded_corridors(scenario):
        return list(lines)
    return [replace(line, refunds="") for line in lines]


def refund_problems(
    name: str, demand: Demand, corridor: Corridor, flows: Sequence[Flow]
) -> Iterator[tuple[FieldPath, str]]:
    """Yield what of a stream's refunds cannot be, or would come to nothing."""
    if not has_refunds(demand):
        return
    place: FieldPath = ("demand", name, "refunds")
    # Of an order only what comes too late goes back, wherever it comes from.
    if demand.shop is not None:
        return
    if corridor.from_.country == corridor.to.country:
        yield place, "found refunds within a country; allowed: of payments between two countries"
    elif not any(stage.moves for flow in flows for stage in flow.program if stage.op is Op.END):
        yield place, "found refunds of payments that move no money; needed: a route with a price"
    rule = demand.refunds
    if rule is not None and rule.parts > PARTS_MAX:
        yield (*place, "parts"), f"found {rule.parts}; allowed: at most {PARTS_MAX}"
    currency = (corridor.to if demand.fixed_side == "creditor" else corridor.from_).currency
    for position, payment in enumerate(demand.payments or ()):
        at: FieldPath = ("demand", name, "payments", position, "refunds")
        if len(payment.refunds) > PARTS_MAX:
            yield at, f"found {len(payment.refunds)} parts; allowed: at most {PARTS_MAX}"
        for key, part in payment.refunds.items():
            yield from check_amounts(currency, part.amount, (*at, key, "amount"))
            if part.amount == 0:
                yield (*at, key, "amount"), "found 0; allowed: an amount above 0"
            if part.after > REFUND_WITHIN_US:
                yield (*at, key, "after"), "found more than 365 days; allowed: within 365 days"
