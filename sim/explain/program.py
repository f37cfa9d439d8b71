"""Stage programs in words: one numbered sentence per stage.

Takes the symbolic program of a route and the plan it became; gives lines. The numbers are the
plan's own stage numbers, as the ``stage`` column of the event log has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from sim.compiler.builder import QUEUE_UNLIMITED, SERVERS_UNLIMITED
from sim.compiler.compile import Compiled
from sim.compiler.parts import Route, Stream
from sim.contract.layout import CERTAIN, RouteColumn, StationColumn, StreamColumn
from sim.contract.meaning import (
    Bearer,
    Cause,
    Discipline,
    Flag,
    Instead,
    Op,
    Outcome,
    Reason,
    WhenClosed,
)
from sim.explain.words import REGISTERS, count, place, share, span, timing
from sim.model.quantities import EventRate
from sim.rails.asking import POLLS_MAX
from sim.rails.price import FeeTerms
from sim.rails.resources import OwnTime
from sim.rails.stages import ByRole, Move, Program, Stage
from sim.routing.policies import routing_of
from sim.units import DAY_US, HOUR_US, MINUTE_US, SECOND_US, format_minor


def program_lines(number: int, compiled: Compiled) -> Iterator[str]:
    """Yield the stages of a route, one line each and further lines for what is posted."""
    route, entry = compiled.routes[number], compiled.plan.route[number, RouteColumn.ENTRY]
    yield from _lines(route.flow.program, int(entry), _Words(route, compiled))


def prologue_lines(stream: Stream, compiled: Compiled) -> Iterator[str]:
    """Yield what happens to a stream's payments before a route is chosen."""
    number = compiled.plan.names.streams.index(stream.name)
    first = int(compiled.plan.stream[number, StreamColumn.ENTRY])
    yield from _lines(stream.prologue, first, _Words(None, compiled))


def _lines(program: Program, first: int, words: _Words) -> Iterator[str]:
    # The plan's own numbers, so a line here and a row of the log can be laid side by side.
    marks = {stage.mark: first + number for number, stage in enumerate(program) if stage.mark}
    width = len(str(first + len(program)))
    for number, stage in enumerate(program, start=first):
        text, below = words.sentence(stage, marks)
        yield f"{number:>{width}}. {stage.label}: {text}"
        for line in below:
            yield f"{'':{width}}      {line}"


class _Words:
    """Words for the stages of one route, or of a prologue."""

    def __init__(self, route: Route | None, compiled: Compiled) -> None:
        self._route = route
        self._plan = compiled.plan
        routing = compiled.scenario.routing
        if route is not None:
            routing = routing_of(compiled.scenario, route.candidate.corridor)
        self._policy = routing.policy
        self._own, self._members = compiled.own, compiled.members
        self._countries = ("", "")
        if route is not None:
            corridor = compiled.scenario.corridors[route.candidate.corridor]
            self._countries = (corridor.from_.country, corridor.to.country)
        self._stations = {name: at for at, name in enumerate(compiled.plan.names.stations)}

    def sentence(self, stage: Stage, marks: dict[str, int]) -> tuple[str, list[str]]:
        """Return the sentence of a stage and the lines below it."""
        below: list[str] = []
        text = _OTHERS.get(stage.op, "")
        if stage.op is Op.SERVE:
            text = self._serve(stage, marks)
        elif stage.op is Op.TRANSIT:
            text = f"takes {self._timing(stage)} ({_cause(stage)})"
        elif stage.op in (Op.BATCH, Op.POST):
            text, below = _posting(stage)
        elif stage.op is Op.SETTLE:
            text = f"settle in {place(stage.place)}, or wait there ({_cause(stage)}); settlement "
            text += "is the point of no return and ends the time-out; moved are the lines below; "
            text += "if a close returns it"
            below = [_move(move) for move in stage.moves]
        elif stage.op is Op.RESERVE:
            (move,) = stage.moves
            text = f"reserve {_move(move)}; " + (
                "wait where it is short" if stage.flags & Flag.QUEUE else "if short"
            )
        elif stage.op is Op.QUOTE:
            holds = f"for {span(stage.value)}" if stage.value else "to the end"
            text = f"price the payment at the rates of now; the price holds {holds}; if no money"
            text += " would be left"
        elif stage.op is Op.CONVERT:
            text = (
                f"go on if the price still holds, else back to {marks[stage.back_to]} for a new "
                f"one, at most {count(stage.value, 'time')}; after that"
            )
        elif stage.op is Op.CHARGE:
            text = self._charge(stage)
        elif stage.op is Op.LIMIT:
            text = _limit(stage)
        elif stage.op is Op.DECIDE:
            text = f"by luck, in {self._share(stage)} of cases"
        elif stage.op is Op.AWAIT:
            text = f"where a request is in doubt wait for its answer, {span(stage.value)} at most"
            text += f", asked for from {marks[stage.back_to]} on" if stage.back_to else ""
            text += f" ({_cause(stage)}); after that, and where none is"
        elif stage.op in (Op.INQUIRE, Op.ASK, Op.ANSWER, Op.RETRY, Op.ORDER, Op.POLL):
            text = _asking(stage, marks)
        elif stage.op is Op.SWITCH:
            luck = share(Fraction(stage.value, CERTAIN))
            text = f"where the payer carries a second instrument, take it in {luck} of cases"
        elif stage.op in (Op.PATIENCE, Op.DEADLINE):
            text = _waiting(stage)
        elif stage.op is Op.ROUTE:
            text = self._choose(stage)
        elif stage.op is Op.END:
            text = f"end, {Outcome(stage.value).name.lower().replace('_', ' ')}"
            text += " with the reason it has" if stage.own_reason else ""
            if stage.instead >= 0:
                text += f"; instead: {Instead(stage.instead).name.lower().replace('_', ' ')}"
            if stage.moves:
                text += "; of a part that is paid back later move its share of"
                below = [_move(move) for move in stage.moves]
        return text + _leads(stage, marks), below

    def _serve(self, stage: Stage, marks: dict[str, int]) -> str:
        text = f"at {place(stage.place)}, {self._timing(stage)} ({_cause(stage)})"
        if isinstance(stage.place, str):
            rows = [[int(value) for value in self._plan.station[self._stations[stage.place]]]]
            text += f", {capacity_words(rows[0])}"
        else:
            assert stage.place is not None
            kind = self._plan.names.station_kinds.index(stage.place.kind)
            # Named by role: any bank's station may be meant, so whatever one of them does is
            # said.
            chosen = self._plan.agent_station[:, kind]
            rows = self._plan.station[chosen[chosen >= 0]].tolist()
        refusals = [
            f"closed ({Reason(row[StationColumn.REASON_CLOSED]).name})"
            for row in rows
            if row[StationColumn.WHEN_CLOSED] == WhenClosed.REJECT
        ]
        if any(row[StationColumn.QUEUE_LIMIT] < QUEUE_UNLIMITED for row in rows):
            refusals.append(f"its queue is full ({stage.reason.name})")
        if stage.flags & Flag.ASKS:
            text += "; given up while it is served, it is in doubt"
        if not refusals:
            return text
        return f"{text}; where it is {' or '.join(refusals)}: on at {marks[stage.target]}"

    def _timing(self, stage: Stage) -> str:
        """Return how long a stage takes, institution by institution where they differ."""
        if not isinstance(stage.time, ByRole):
            return timing(stage.time)
        return self._by_agent(stage.time)

    def _share(self, stage: Stage) -> str:
        """Return how often a branch is taken, institution by institution where they differ."""
        if stage.share is None:
            return share(Fraction(stage.value, CERTAIN))
        return self._by_agent(stage.share)

    def _by_agent(self, named: ByRole) -> str:
        """Return what each institution that can be meant says, once where all say the same."""
        groups: dict[str, list[str]] = {}
        for member in self._members:
            if member.entry.country == self._countries[named.role] and member.holds_money:
                own = self._own[named.kind][member.name]
                if isinstance(own, OwnTime):
                    text = timing(own.time)
                else:
                    text = share(Fraction(own.threshold, CERTAIN))
                groups.setdefault(text, []).append(member.name)
        if len(groups) < 2:
            return next(iter(groups), "no time at all")
        return "; ".join(f"{text} at {_some(names)}" for text, names in groups.items())

    def _charge(self, stage: Stage) -> str:
        assert self._route is not None
        assert self._route.flow.price is not None
        return fee_words(self._route.flow.price.fees[stage.fee])

    def _choose(self, stage: Stage) -> str:
        if stage.flags & Flag.NEXT:
            return "choose another route if the reason and the number of tries allow; else go on"
        return f"choose a route by policy {self._policy}; where there is none"


def _some(names: Sequence[str]) -> str:
    """Return the first names and how many there are besides."""
    shown = ", ".join(names[:_NAMES_SHOWN])
    rest = len(names) - _NAMES_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown


_NAMES_SHOWN = 4
_YEAR = 366
"""Most days of a year."""
"""Institutions named in one sentence."""

_PATIENCE = {
    1: "the payer begins to wait, where his patience ends; leaving",
    0: "the payer waits no more",
    -1: "if the payer leaves from here on",
}


def _waiting(stage: Stage) -> str:
    """Return what begins or ends a time-out, or a payer's patience."""
    if stage.op is Op.PATIENCE:
        alone = ", the payment goes its way" if stage.value and not stage.target else ""
        return _PATIENCE[stage.value] + alone
    if stage.value < 0:
        return "the time-out stays as it is; when it fires from here on"
    if stage.value:
        return f"start a time-out of {span(stage.value)}; when it fires"
    return "no time-out from here on"


_OTHERS = {
    Op.ON_US: "where payer and payee are customers of one institution",
    Op.VOID: "give back what is reserved and what was used of limits",
    Op.RESOLVE: "how a request in doubt ended is known; no time-out from here on",
    Op.CODE: "a damaged code fails with FF01, an expired one with AEXR",
}


def _leads(stage: Stage, marks: dict[str, int]) -> str:
    """Return where a failure, a hit or a time-out leads, and with which reason."""
    if not stage.target or stage.op is Op.SERVE:
        return ""
    number = marks[stage.target]
    if stage.op in (Op.CODE, Op.LIMIT):
        return f": on at {number}"
    reason = f"{stage.reason.name}, " if stage.reason is not Reason.NONE else ""
    return f": {reason}on at {number}"


def _asking(stage: Stage, marks: dict[str, int]) -> str:
    """Return what is asked about a payment, and tried again."""
    if stage.op is Op.INQUIRE:
        return f"from here on it is asked about, from {marks[stage.back_to]} on"
    if stage.op is Op.ASK:
        text = "ask, unless the payment has ended or begun anew"
        if stage.back_to:
            text += f"; the next from {marks[stage.back_to]} on, {_most(stage.value)}"
        return text
    if stage.op is Op.ORDER:
        asked = f"asked about from {marks[stage.back_to]} on"
        return f"order a unit of {stage.shop}, whose code lasts as long, {asked}; with none left"
    if stage.op is Op.POLL:
        then = f"; the next from {marks[stage.back_to]} on" if stage.back_to else ""
        return f"ask whether the order is paid, while it is open{then}; refused by the token"
    if stage.op is Op.ANSWER and stage.shop:
        return "answered; what is found paid is released"
    if stage.op is Op.ANSWER:
        if stage.flags & Flag.SAME:
            return "answered as the payment itself, once that has ended"
        return "answered with the state of the payment" if stage.value else "turned away"
    is_resent = bool(stage.flags & Flag.NEXT)
    who = "the institution sends it again" if is_resent else "the payer tries again"
    return f"where what failed may pass, {who}, {count(stage.value, 'time')} at most"


def _most(number: int) -> str:
    return "as long as it is open" if number >= POLLS_MAX else f"{number} in all"


def _cause(stage: Stage) -> str:
    return Cause(stage.cause).name.lower()


def _move(move: Move) -> str:
    return f"{REGISTERS[move.register]} from {place(move.debit)} to {place(move.credit)}"


def _posting(stage: Stage) -> tuple[str, list[str]]:
    """Return what posting stages say: a block's commit, or at once."""
    marks = []
    if stage.flags & Flag.SETTLES:
        marks.append("the payment is settled")
    if stage.flags & Flag.CREDITS:
        marks.append("the payment is credited")
    below = [_move(move) for move in stage.moves]
    if stage.op is Op.BATCH:
        text = (
            f"wait for a block of {place(stage.place)} ({_cause(stage)}); inclusion is the point "
            "of no return and ends the time-out; at commit"
        )
        return ": ".join((text, ", ".join([*marks, "posted are"]))), below
    if stage.flags & Flag.CONFIRMS:
        return "the payer has confirmed; the next route need not ask again", below
    if stage.flags & Flag.AUTHORISES:
        return "the payer's side has authorised; the next route need not ask again", below
    if not below:
        return "nothing; others jump here", below
    return ", ".join(["at once", *marks, "posted are"]), below


def _limit(stage: Stage) -> str:
    assert stage.limit is not None
    spec = stage.limit
    bounds = []
    if spec.least >= 0:
        bounds.append(f"at least {format_minor(spec.least, spec.currency)} (AM06)")
    if spec.per_payment >= 0:
        most = format_minor(spec.per_payment, spec.currency)
        bounds.append(f"at most {most} per payment (AM02)")
    if spec.per_day >= 0:
        most = format_minor(spec.per_day, spec.currency)
        period = "day" if spec.days == 1 else "year" if spec.days <= _YEAR else "run"
        beyond = stage.reason if stage.reason > 0 else Reason.AM14
        bounds.append(f"at most {most} per payer and {period} ({beyond.name})")
    name = REGISTERS[spec.register]
    if spec.said:
        bounds[-1] += f", which are {' and '.join(spec.said)} at the mid rate of the start"
    return f"{name} may be {' and '.join(bounds)}, limit {spec.name}; beyond it"


def capacity_words(row: list[int]) -> str:
    """Return the capacity of a station, from its row."""
    servers, queue = row[StationColumn.SERVERS], row[StationColumn.QUEUE_LIMIT]
    parts = ["any number at once" if servers >= SERVERS_UNLIMITED else count(servers, "server")]
    if row[StationColumn.RATE_COUNT]:
        events, period = row[StationColumn.RATE_COUNT], row[StationColumn.RATE_PERIOD_US]
        parts.append(f"at most {_rate(events, period)}")
    if queue < QUEUE_UNLIMITED:
        parts.append(f"queue of {queue:,}".replace(",", " "))
    if row[StationColumn.DISCIPLINE] != Discipline.FIFO:
        parts.append(f"{Discipline(row[StationColumn.DISCIPLINE]).name.lower()} order")
    return ", ".join(parts)


def _rate(events: int, period_us: int) -> str:
    """Write a rate in the shortest unit of time that leaves a whole number."""
    units = (SECOND_US, MINUTE_US, HOUR_US, DAY_US)
    # A rate in lowest terms is seldom what somebody wrote; the shortest unit that makes it
    # whole is close.
    unit_us = next((unit for unit in units if events * unit % period_us == 0), DAY_US)
    return str(EventRate(events * 10**6 * unit_us // period_us, unit_us))


def fee_words(terms: FeeTerms) -> str:
    """Return what a fee is, who bears it and who earns it."""
    # What an agent bears is a share of what it settles, and earned by its own desk.
    base = REGISTERS[terms.base].removeprefix("the ") if terms.bearer is Bearer.AGENT else ""
    words, bearer = terms.fee.words(base), terms.bearer.name.lower()
    return f"{words}, borne by the {bearer}, to {terms.recipient or 'nobody'}"
