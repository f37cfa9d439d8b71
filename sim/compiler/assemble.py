"""Turn a symbolic program into stage rows: names into indices, labels into stage numbers.

Takes a :data:`~sim.rails.stages.Program` and its price; adds rows to a
:class:`~sim.compiler.builder.PlanBuilder` and gives the entry stage.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sim.compiler.builder import PlanBuilder
from sim.compiler.places import account_index, station_index
from sim.compiler.prices import PriceRows
from sim.contract.spec import Op
from sim.model.distributions import DurationDistribution
from sim.rails.stages import LimitSpec, Move, Program, Stage


@dataclass(slots=True)
class Assembled:
    """Say where a program lies in the plan.

    Attributes
    ----------
    entry : int
        Its first stage.
    limits : list of int
        Limit rows it meets; streams that run it need cells for them.
    """

    entry: int
    limits: list[int] = field(default_factory=list)


def duration_table(builder: PlanBuilder, time: DurationDistribution) -> int:
    """Return the offset of a duration's quantile table in microseconds."""
    if time.points:
        from sim.draws.quantile import build_empirical

        points = [(value, share / 10**9) for value, share in time.points]
        table = build_empirical(points)
        return builder.add_table(np.asarray(table), ("empirical", *time.points))
    return builder.table(time.family, time.parameters())


def assemble(
    builder: PlanBuilder, program: Program, price: PriceRows | None, *, prefix: str
) -> Assembled:
    """Add a program's stages and return where it begins.

    Parameters
    ----------
    builder : PlanBuilder
    program : Program
    price : PriceRows or None
        Rows of the route's price; None for a program without QUOTE and CHARGE.
    prefix : str
        Put before each stage's name, as in ``cn_kh/alipay_plus.acleda``.
    """
    first = builder.next_stage
    marks = {stage.mark: first + number for number, stage in enumerate(program) if stage.mark}
    result = Assembled(first)
    reserved: dict[Move, int] = {}
    slots: dict[str, int] = {}
    for stage in program:
        values = _columns(builder, stage, marks)
        if stage.op in (Op.RESERVE, Op.POST, Op.BATCH):
            values |= _transfers(builder, stage, reserved)
        if stage.op is Op.QUOTE or stage.op is Op.CHARGE:
            assert price is not None
            is_quote = stage.op is Op.QUOTE
            values["subject"] = price.pricing if is_quote else price.fee_first + stage.fee
        if stage.op is Op.LIMIT:
            assert stage.limit is not None
            limit = limit_row(builder, stage.limit)
            slot = slots.setdefault(stage.limit.name, len(slots))
            values |= {"subject": limit, "value": slot}
            result.limits.append(limit)
        builder.add_stage(stage.op, f"{prefix}/{stage.label}", **values)
    return result


def limit_row(builder: PlanBuilder, limit: LimitSpec) -> int:
    """Return the row of a limit, adding it if new."""
    if limit.name in builder.limits:
        return builder.limits[limit.name]
    return builder.add_limit(
        limit.name,
        register=limit.register,
        per_payment=limit.per_payment,
        per_day=limit.per_day,
    )


def _columns(builder: PlanBuilder, stage: Stage, marks: dict[str, int]) -> dict[str, int]:
    """Return the columns that mean the same for every operation."""
    values = {
        "cause": int(stage.cause),
        "reason": -1 if stage.own_reason else int(stage.reason),
        "value": stage.value,
        "flags": int(stage.flags),
    }
    if stage.target:
        values["target"] = marks[stage.target]
    if stage.op in (Op.SERVE, Op.TRANSIT, Op.DECIDE):
        values["purpose"] = builder.purpose(stage.label)
    if stage.time is not None:
        values["table"] = duration_table(builder, stage.time)
    if stage.op is Op.SERVE:
        assert stage.place is not None
        values["subject"] = station_index(builder, stage.place)
    if stage.op is Op.BATCH:
        assert isinstance(stage.place, str)
        values["subject"] = builder.ledgers[stage.place]
    if stage.op is Op.CONVERT:
        values["subject"] = marks[stage.back_to]
    return values


def _transfers(builder: PlanBuilder, stage: Stage, reserved: dict[Move, int]) -> dict[str, int]:
    """Return FIRST and COUNT of a stage's transfer rows.

    A reserved move must be posted through its own row, so a stage that posts it together with
    others lays its rows after the reserved one; RESERVE therefore looks ahead by leaving the row to
    be the first of the block that posts it.
    """
    if stage.op is Op.RESERVE:
        (move,) = stage.moves
        reserved[move] = _add_move(builder, move)
        return {"first": reserved[move], "count": 1}
    rows = []
    for move in stage.moves:
        rows.append(reserved[move] if move in reserved else _add_move(builder, move))
    if rows and rows != list(range(rows[0], rows[0] + len(rows))):
        raise AssertionError(f"{stage.label}: rows {rows} do not follow each other")
    return {"first": rows[0] if rows else -1, "count": len(rows)}


def _add_move(builder: PlanBuilder, move: Move) -> int:
    return builder.add_transfer(
        account_index(builder, move.debit), account_index(builder, move.credit), move.register
    )
