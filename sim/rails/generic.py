"""Generic rail: any chain of stations, delays, branches, limits and fees a user writes in YAML.

Takes the written chain; gives its stages. It is also how queueing-theory checks are expressed: one
station and nothing else is a plain queue.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field, model_validator

from sim.contract.meaning import Cause, Discipline, Op, Reason
from sim.contract.records import Register
from sim.model.asking import Polls, Repeats, Retry
from sim.model.base import FieldPath, FieldProblemsError, Model
from sim.model.distributions import DurationDistribution
from sim.model.members import Member
from sim.model.money import AmountText
from sim.model.pricing import Fee
from sim.model.quantities import (
    Count,
    CurrencyCode,
    DurationUs,
    EventRate,
    Flag,
    Name,
    PositiveCount,
    PositiveDurationUs,
    SharePpb,
)
from sim.model.sections import AmountRule, Corridor
from sim.rails.asking import (
    asking_problems,
    own_station,
    polled,
    polls_at,
    repeats,
    retry_problems,
    tries,
)
from sim.rails.institutions import payers_time_out
from sim.rails.joining import serves
from sim.rails.payers import CreditorClass
from sim.rails.price import Exchange, exchange_moves
from sim.rails.problems import check_bounds, several, unknown
from sim.rails.protocol import (
    CREDITOR,
    DEBTOR,
    CreditorSide,
    DebtorSide,
    Found,
    Leg,
    LegContext,
    LegProgram,
    LegTerms,
    Offer,
    Rail,
    World,
)
from sim.rails.registry import register_rail
from sim.rails.resources import Resource, Station
from sim.rails.settlement_agents import below
from sim.rails.stages import LimitSpec, Move, Program, Stage, decide, serve, threshold, transit
from sim.units import currency_of

ReasonName = Literal[
    "AB05", "AB06", "AB08", "AB10", "AG01", "AG03", "AM02", "AM04", "AM14", "MS03", "RR04"
]


class GenericStation(Model):
    """A place of limited capacity."""

    servers: PositiveCount | None = None
    """Payments served at the same time; absent: no limit."""
    queue_limit: Count | None = None
    """Payments that may wait; absent: no limit."""
    rate_limit: EventRate | None = None
    """Most services begun per unit of time, evenly spaced; absent: no limit."""
    discipline: Literal["fifo", "lifo", "priority"] = "fifo"
    """Who is served next: first come, last come, or lowest `priority` of the demand stream."""


class GenericLimit(Model):
    """Bounds on the instructed amount."""

    per_payment: AmountText | None = None
    """Most per payment, in the instructed currency."""
    per_day: AmountText | None = None
    """Most per payer and day."""
    currency: CurrencyCode | None = None
    """Currency the bounds are written in, where it is another than the instructed one:
    they are converted once, at the mid rate of the start, down to whole minor units."""


class GenericStage(Model):
    """One step of the chain: exactly one of serve, delay, decline, limit and deadline."""

    name: Name
    """Names the step, and keys its random numbers."""
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
    retry: Retry | None = None
    """How often, after a failure of this step that may pass, the step is tried again; absent:
    never."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> GenericStage:
        given = [
            name
            for name in ("serve", "delay", "decline", "limit", "deadline")
            if getattr(self, name) is not None
        ]
        # Two things in one step would have an order nobody wrote.
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
        self._check_words()
        return self

    def _check_words(self) -> None:
        """Refuse what a step of this kind has no use for."""
        # A person's time is a delay; what has capacity is a machine's here.
        if "human" in self.model_fields_set and self.delay is None:
            raise FieldProblemsError([(("human",), "found without a delay; allowed: beside one")])
        if self.retry is not None and self.serve is None and self.decline is None:
            raise FieldProblemsError(
                [(("retry",), "found where nothing fails; allowed: beside serve or decline")]
            )
        refuses = (self.serve, self.decline, self.deadline)
        if "reason" in self.model_fields_set and all(way is None for way in refuses):
            allowed = "beside serve, decline or deadline (a limit refuses with AM02 or AM14)"
            raise FieldProblemsError(
                [(("reason",), f"found where nothing is refused with it; allowed: {allowed}")]
            )


class Ends(Model):
    """Two ends a chain connects."""

    from_: Name = Field(alias="from")
    """`debtor`, or a settlement agent."""
    to: Name
    """`creditor`, or a settlement agent."""


@register_rail
class GenericRail(Rail):
    """A chain of steps."""

    kind: Literal["generic"]
    """Selects this kind of rail."""
    operator: Name = "operator"
    """Who receives the rail's fees where a fee names no other recipient."""
    stations: dict[Name, GenericStation] = {}
    """Places of limited capacity, by name."""
    stages: tuple[GenericStage, ...]
    """The chain, in order."""
    between: tuple[Ends, ...] = ()
    """Ends it connects, as a leg of a route beside other rails; absent: the payer and the payee."""
    amounts: dict[CurrencyCode, AmountRule] = {}
    """Least amount and step of amounts, by currency; absent: those of the currency itself."""
    fees: dict[Name, Fee] = {}
    """Fees, by component; with one the rail moves the payment's money, too."""
    retry_after: DurationUs = 0
    """Time of a confirmed reversal after a decline or a time-out, before another route is tried."""
    polls: Polls | None = None
    """Questions for the state of payments that have entered the chain; absent: none."""
    repeats: Repeats | None = None
    """Requests that come again under their key; absent: none."""

    @model_validator(mode="after")
    def _stations_exist(self) -> GenericRail:
        problems: list[tuple[tuple[str | int, ...], str]] = []
        names = [stage.name for stage in self.stages]
        for position, stage in enumerate(self.stages):
            if stage.serve is not None and stage.serve not in self.stations:
                known = ", ".join(sorted(self.stations)) or "none"
                message = f"unknown station {stage.serve!r}; known: {known}"
                problems.append((("stages", position, "serve"), message))
            # Draws are keyed by the name: two steps of one name would have the same durations.
            if names.index(stage.name) != position:
                message = f"found {stage.name!r} twice; allowed: a name of its own for every step"
                problems.append((("stages", position, "name"), message))
        if problems:
            raise FieldProblemsError(problems)
        return self

    @property
    def joins_by_name(self) -> bool:
        """Return True: a chain knows no country and no currency that would say where it belongs."""
        return True

    @property
    def amount_rules(self) -> Mapping[str, AmountRule]:
        """Return the least amounts and steps as written."""
        return self.amounts

    def _ends(self) -> tuple[tuple[str, str], ...]:
        """Return what the chain connects."""
        return tuple((ends.from_, ends.to) for ends in self.between) or ((DEBTOR, CREDITOR),)

    def named_institutions(self) -> tuple[tuple[str, str], ...]:
        """Return the operator, where the scenario names one."""
        return (("operator", self.operator),) if "operator" in self.model_fields_set else ()

    def rates(self) -> tuple[tuple[FieldPath, EventRate | None], ...]:
        """Return the rate limits of its stations."""
        return tuple(
            (("stations", name, "rate_limit"), station.rate_limit)
            for name, station in self.stations.items()
        )

    def all_fees(self) -> tuple[tuple[FieldPath, Mapping[str, Fee]], ...]:
        """Return its fees."""
        return (((), self.fees),)

    def problems(self, world: World, name: str) -> Found:
        """Check limits, and the institutions it connects."""
        currencies = {
            end.currency
            for corridor in world.corridors.values()
            for end in (corridor.from_, corridor.to)
        }
        # The currency of a chain's limit is known by corridor only; the finest one decides here.
        # Sorted first: of two equally fine currencies the same one in every run.
        finest = max(sorted(currencies), key=lambda code: currency_of(code).exponent, default=None)
        for position, stage in enumerate(self.stages):
            # Without a corridor no payment comes here, which is said elsewhere.
            if stage.limit is not None and finest is not None:
                yield from check_bounds(finest, stage.limit, ("stages", position, "limit"))
        for position, ends in enumerate(self.between):
            yield from _end_problems(world, ends, position)
        yield from asking_problems(self.polls, self.repeats, set(self.stations))
        for position, stage in enumerate(self.stages):
            yield from below(("stages", position, "retry"), retry_problems(stage.retry))
        yield from self._time_out_problems(world, name)

    def _time_out_problems(self, world: World, name: str) -> Found:
        """Check that a time-out of the chain does not silently replace one of a corridor.

        A payment has one time-out at a time.
        """
        for position, stage in enumerate(self.stages):
            for key, corridor in world.corridors.items():
                is_served = serves(world, name, corridor)
                if stage.deadline is not None and corridor.time_out is not None and is_served:
                    yield (
                        ("stages", position, "deadline"),
                        f"found a deadline, which would replace the time_out of corridor {key!r}; "
                        "allowed: one of them",
                    )

    def idle_settings(self, world: World, name: str, legs: Sequence[Leg]) -> Found:
        """Yield stations no step is served at."""
        served = {stage.serve for stage in self.stages}
        served |= {asked.serve for asked in (self.polls, self.repeats) if asked is not None}
        for key in self.stations:
            if key not in served:
                yield ("stations", key), "no step is served here"

    def resources(self, world: World, name: str, members: Sequence[Member]) -> Iterator[Resource]:
        """Yield its stations."""
        for key, station in sorted(self.stations.items()):
            yield Station(
                f"{name}.{key}",
                servers=station.servers,
                queue_limit=station.queue_limit,
                rate_limit=station.rate_limit,
                discipline=Discipline[station.discipline.upper()],
            )
        yield from polls_at(name, self.polls)
        if self.repeats is not None and self.repeats.serve is None:
            yield own_station(name, "repeats")

    def offers(
        self, world: World, name: str, corridor: Corridor, creditor: CreditorClass
    ) -> Iterator[Offer]:
        """Yield a leg between the ends it connects.

        From payer to payee it converts where the corridor does, at the mid rate; between other ends
        money keeps its currency, which may be that of either end of the corridor.
        """
        held, paid = corridor.from_.currency, corridor.to.currency
        for start, end in self._ends():
            # A chain from end to end is the whole route, so it converts where the corridor
            # does.
            if (start, end) == (DEBTOR, CREDITOR):
                yield Offer(Leg(name, start, end, held, paid))
                continue
            for currency in sorted({held, paid}):
                # At an end of the route the currency is given; between others either may be on
                # its way.
                fits = (start != DEBTOR or currency == held) and (
                    end != CREDITOR or currency == paid
                )
                if fits:
                    yield Offer(Leg(name, start, end, currency, currency))

    def terms(self, at: LegContext) -> LegTerms:
        """Return its conversion at the mid rate, and its fees."""
        leg = at.leg
        converts = leg.source != leg.target
        return LegTerms(
            exchanges=(Exchange(leg.source, leg.target, 0, self.operator),) if converts else (),
            fees=self.fees,
            fee_recipient=self.operator,
            is_free=not converts and not self.fees,
        )

    def debtor_side(self, at: LegContext) -> DebtorSide:
        """Return a payer without an institution: what there is to wait for stands in the chain."""
        return DebtorSide(account=f"customers:debtors:{at.leg.source}", confirms=False)

    def creditor_side(self, at: LegContext) -> CreditorSide:
        """Return a payee without an institution."""
        return CreditorSide(account=f"customers:creditors:{at.leg.target}", credit_label="credit")

    def leg(self, at: LegContext) -> LegProgram:
        """Return the chain as written, and its money."""
        # Disarmed before the money moves: a time-out behind it would have to bring it back.
        in_time = (Stage(Op.DEADLINE, "in time"),) if at.price is not None else ()
        begun, asides = self._asked(at)
        chain, again = self._chain(at)
        return LegProgram(
            session=payers_time_out(at),
            execute=(*begun, *chain, *in_time),
            asides=(*asides, *again),
            moves=self._moves(at) if at.price is not None else (),
            reversal_us=self.retry_after,
        )

    def _moves(self, at: LegContext) -> tuple[Move, ...]:
        """Return the transfer from one end to the other, through the operator where it converts."""
        assert at.price is not None
        leg = at.leg
        payer = at.payer if at.is_first else f"book:{leg.start}:{leg.source}"
        payee = at.payee if at.is_last else f"book:{leg.end}:{leg.target}"
        exchanges = self.terms(at).exchanges
        if not exchanges:
            return (Move(payer, payee, at.before),)
        # The operator sells from its clearing account, so that its books show both currencies.
        between = f"clearing:{self.operator}:{self.operator}:{leg.target}"
        return (
            *exchange_moves(at.price, exchanges[0], payer=payer, receiver=between),
            Move(between, payee, at.after),
        )

    def _asked(self, at: LegContext) -> tuple[Program, Program]:
        """Return what begins the inquiries about a payment, and these themselves."""
        begun, asides = polled(at.name, self.polls)
        if self.repeats is not None:
            place = f"{at.name}.{self.repeats.serve or 'repeats'}"
            sent, answered = repeats(f"{at.name}.repeats", self.repeats, place)
            begun, asides = (*begun, *sent), (*asides, *answered)
        return begun, asides

    def _chain(self, at: LegContext) -> tuple[Program, Program]:
        """Return the stages of the written chain, without its money and its end, and its tries."""
        stages: list[Stage] = []
        again: list[Stage] = []
        for step in self.stages:
            label = f"{at.name}.{step.name}"
            refusing, failing, first = at.refusing, at.failing, len(stages)
            if step.retry is not None:
                # A decline is the far side's answer, so all failures of a step lead to one place.
                retry = f"{label}.retry"
                to = refusing if step.serve is not None else failing
                again += tries(retry, step.retry, again=label, failing=to)
                refusing = failing = retry
            stages += self._step(at, step, refusing, failing)
            if step.retry is not None:
                stages[first] = replace(stages[first], mark=label)
        return tuple(stages), tuple(again)

    def _step(
        self, at: LegContext, step: GenericStage, refusing: str, failing: str
    ) -> Iterator[Stage]:
        """Yield the stages of one step; where it fails it leads to one of two labels."""
        label, reason = f"{at.name}.{step.name}", Reason[step.reason]
        if step.serve is not None and step.time is not None:
            place = f"{at.name}.{step.serve}"
            yield from serve(label, place, step.time, target=refusing, reason=reason)
        elif step.delay is not None:
            cause = Cause.HUMAN if step.human else Cause.TRANSIT
            yield from transit(label, step.delay, cause=cause)
        elif step.decline is not None:
            yield from decide(label, threshold(step.decline), target=failing, reason=reason)
        elif step.limit is not None:
            # Converted it is another limit in each currency.
            name = label if step.limit.currency is None else f"{label}.{at.currency}"
            limit = LimitSpec.of(name, Register.INSTRUCTED, at.currency, step.limit)
            yield Stage(Op.LIMIT, label, target=refusing, limit=limit)
        elif step.deadline is not None:
            yield Stage(Op.DEADLINE, label, value=step.deadline, target=failing, reason=reason)


def _end_problems(world: World, ends: Ends, position: int) -> Found:
    """Check that a chain connects the payer, the payee and settlement agents."""
    where: FieldPath = ("between", position)
    if ends.from_ == ends.to:
        yield where, f"found {ends.to!r} at both ends; allowed: two ends"
    for field, found, end in (("from", ends.from_, DEBTOR), ("to", ends.to, CREDITOR)):
        if found == end:
            continue
        institution = world.institutions.get(found)
        if institution is None:
            known = (end, *world.institutions)
            yield (*where, field), unknown(f"institution or {end!r}", found, known)
        elif institution.members > 1:
            yield (*where, field), several(found, institution.members)
        elif "settlement_agent" not in institution.roles:
            roles = ", ".join(institution.roles) or "none"
            yield (*where, field), f"{found!r} is no settlement_agent; its roles: {roles}"
