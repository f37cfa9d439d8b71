"""Generic rail: any chain of stations, delays, branches, limits and fees a user writes in YAML.

Takes the written chain; gives its stages. It is also how queueing-theory checks are expressed: one
station and nothing else is a plain queue.
"""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from sim.contract.spec import Cause, Discipline, Op, Reason, Register
from sim.model.base import FieldProblemsError, Model
from sim.model.distributions import DurationDistribution
from sim.model.money import AmountText
from sim.model.pricing import Fee
from sim.model.quantities import (
    Count,
    DurationUs,
    EventRate,
    Flag,
    Name,
    PositiveCount,
    PositiveDurationUs,
    SharePpb,
    to_minor,
)
from sim.rails.stages import FAIL, FAIL_SENT, LimitSpec, Program, Stage, decide, serve, transit
from sim.rails.wallet_gateway import threshold

ReasonName = Literal[
    "AB05", "AB06", "AB08", "AB10", "AG01", "AG03", "AM02", "AM04", "AM14", "MS03", "RR04"
]


class Station(Model):
    """Be a place of limited capacity."""

    servers: PositiveCount | None = None
    """Payments served at the same time; absent: no limit."""
    queue_limit: Count | None = None
    """Payments that may wait; absent: no limit."""
    rate_limit: EventRate | None = None
    """Most services begun per unit of time, evenly spaced; absent: no limit."""
    discipline: Literal["fifo", "lifo", "priority"] = "fifo"
    """Who is served next: first come, last come, or lowest `priority` of the demand stream."""


class GenericLimit(Model):
    """Bound the instructed amount."""

    per_payment: AmountText | None = None
    """Most per payment, in the instructed currency."""
    per_day: AmountText | None = None
    """Most per payer and day."""


class GenericStage(Model):
    """Be one step of the chain: exactly one of serve, delay, decline, limit and deadline."""

    name: Name
    """Names the step; its luck is keyed by it."""
    serve: Name | None = None
    """Station to be served at, taking `time`."""
    time: DurationDistribution | None = None
    """Service time of `serve`."""
    delay: DurationDistribution | None = None
    """Time that needs no capacity."""
    human: Flag = False
    """Whether the delay is a person's (left out of machine time)."""
    decline: SharePpb | None = None
    """Share of payments refused here, with `reason`."""
    reason: ReasonName = "MS03"
    """Reason of a refusal here (a full queue, a decline, a time-out)."""
    limit: GenericLimit | None = None
    """Limit checked here."""
    deadline: PositiveDurationUs | None = None
    """Time-out started here; it ends the payment with `reason` wherever it then is."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> GenericStage:
        given = [
            name
            for name in ("serve", "delay", "decline", "limit", "deadline")
            if getattr(self, name) is not None
        ]
        if len(given) != 1:
            found = ", ".join(given) or "none of them"
            allowed = "exactly one of serve, delay, decline, limit, deadline"
            raise FieldProblemsError(
                [
                    (
                        (),
                        f"found {found}; allowed: {allowed}",
                    )
                ]
            )
        if (self.serve is None) != (self.time is None):
            raise FieldProblemsError(
                [(("time",), "found without its pair; needed: serve and time")]
            )
        return self


class GenericRail(Model):
    """Configure a chain of steps."""

    kind: Literal["generic"]
    """Selects this kind of rail."""
    operator: Name = "operator"
    """Who receives the rail's fees where a fee names no other recipient."""
    stations: dict[Name, Station] = {}
    """Places of limited capacity, by name."""
    stages: tuple[GenericStage, ...]
    """The chain, in order."""
    fees: dict[Name, Fee] = {}
    """Fees, by component; with one the rail moves the payment's money, too."""
    retry_after: DurationUs = 0
    """Time of a confirmed reversal after a decline or a time-out, before another route is tried."""

    @model_validator(mode="after")
    def _stations_exist(self) -> GenericRail:
        problems: list[tuple[tuple[str | int, ...], str]] = []
        names = [stage.name for stage in self.stages]
        for position, stage in enumerate(self.stages):
            if stage.serve is not None and stage.serve not in self.stations:
                known = ", ".join(sorted(self.stations)) or "none"
                message = f"unknown station {stage.serve!r}; known: {known}"
                problems.append((("stages", position, "serve"), message))
            if names.index(stage.name) != position:
                message = f"found {stage.name!r} twice; allowed: a name of its own for every step"
                problems.append((("stages", position, "name"), message))
        if problems:
            raise FieldProblemsError(problems)
        return self


DISCIPLINES = {
    "fifo": Discipline.FIFO,
    "lifo": Discipline.LIFO,
    "priority": Discipline.PRIORITY,
}


def chain_stages(rail_name: str, rail: GenericRail, currency: str) -> Program:
    """Return the stages of the written chain, without its money and its end."""
    stages: list[Stage] = []
    for step in rail.stages:
        label = f"{rail_name}.{step.name}"
        reason = Reason[step.reason]
        if step.serve is not None and step.time is not None:
            place = f"{rail_name}.{step.serve}"
            stages += serve(label, place, step.time, target=FAIL, reason=reason)
        elif step.delay is not None:
            cause = Cause.HUMAN if step.human else Cause.TRANSIT
            stages += transit(label, step.delay, cause=cause)
        elif step.decline is not None:
            stages += decide(label, threshold(step.decline), target=FAIL_SENT, reason=reason)
        elif step.limit is not None:
            stages.append(
                Stage(Op.LIMIT, label, target=FAIL, limit=_limit(label, step.limit, currency))
            )
        elif step.deadline is not None:
            stages.append(
                Stage(Op.DEADLINE, label, value=step.deadline, target=FAIL_SENT, reason=reason)
            )
    return tuple(stages)


def _limit(label: str, limit: GenericLimit, currency: str) -> LimitSpec:
    def bound(amount: AmountText | None) -> int:
        return -1 if amount is None else to_minor(amount, currency)

    return LimitSpec(
        name=label,
        register=Register.INSTRUCTED,
        currency=currency,
        per_payment=bound(limit.per_payment),
        per_day=bound(limit.per_day),
    )
