"""Polls, repeated requests, query plans and tries again as stages of a program.

Takes what the user wrote (:mod:`sim.model.asking`); gives stages that begin them on a payment's
way, and stages that stand beside it, to which only inquiries and tries come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol, TypedDict

from sim.contract.layout import CERTAIN
from sim.contract.meaning import Cause, Flag, Op
from sim.model.asking import Polls, QueryPlan, Repeats, Retry
from sim.model.distributions import DurationDistribution
from sim.model.quantities import PPB
from sim.rails.protocol import Found, LegContext
from sim.rails.resources import Station
from sim.rails.settlement_agents import below
from sim.rails.stages import NO_FLAGS, Program, Stage, fixed_time

POLLS_MAX = 10_000
"""Most polls of one payment; a chain without a bound ends there."""
RETRIES_MAX = 20


class Asked(TypedDict):
    """What a leg says of requests in doubt, and of those that failed: fields of its program."""

    reconciled_us: int
    query: str
    asides: Program


def own_station(name: str, asked: str) -> Station:
    """Return the station without limit that takes what is asked of a rail apart from payments."""
    return Station(f"{name}.{asked}")


def begin(label: str, mark: str) -> Stage:
    """Return the stage at which a chain of inquiries begins."""
    return Stage(Op.INQUIRE, label, back_to=mark)


def polls(label: str, asked: Polls, place: str) -> Program:
    """Return the polls of a payment, which begin at the label ``<label>.first``."""
    most = POLLS_MAX if asked.most is None else asked.most
    return _chain(label, place, (asked.first, *_growing(asked)), most, asked.time)


def _growing(asked: Polls) -> Iterator[DurationDistribution]:
    """Yield the times between polls up to the one that stays."""
    yield asked.every
    if asked.factor is None or asked.factor == 1 or not is_fixed(asked.every):
        return
    wait_us = round(asked.every.mean())
    while 0 < wait_us < asked.longest:
        wait_us = min(wait_us * asked.factor, asked.longest)
        yield fixed_time(wait_us)


def is_fixed(time: DurationDistribution) -> bool:
    """Return whether a time does not vary."""
    return time.family == "constant"


def polls_at(rail: str, asked: Polls | None) -> Iterator[Station]:
    """Yield the station that answers polls of a rail, where it is one of their own."""
    if asked is not None and asked.serve is None:
        yield own_station(rail, "polls")


def polled(rail: str, asked: Polls | None) -> tuple[Program, Program]:
    """Return what begins the polls of a payment on its way, and these themselves."""
    if asked is None:
        return (), ()
    label = f"{rail}.polls"
    place = f"{rail}.{asked.serve or 'polls'}"
    return (begin(label, f"{label}.first"),), polls(label, asked, place)


def query(label: str, plan: QueryPlan, place: str) -> Program:
    """Return the polls of a request in doubt, which begin at the label ``<label>.first``."""
    times = fixed_time(plan.first), fixed_time(plan.every)
    return _chain(label, place, times, plan.most, plan.time)


def query_ends_us(plan: QueryPlan, reconciled_us: int) -> int:
    """Return how long a doubt can last: to the cancellation, or to the file."""
    if plan.then == "wait":
        return reconciled_us
    return min(reconciled_us, plan.first + plan.most * plan.every)


def _chain(
    label: str,
    place: str,
    times: Sequence[DurationDistribution],
    most: int,
    time: DurationDistribution,
) -> Program:
    refused = f"{label}.turned_away"
    marks = [f"{label}.first", f"{label}.next"]
    marks += [f"{label}.next.{number}" for number in range(2, len(times))]
    found: list[Stage] = []
    for at, (mark, wait) in enumerate(zip(marks, times, strict=True)):
        # The last time stays: it is followed by itself.
        following = marks[min(at + 1, len(marks) - 1)]
        found += [
            Stage(Op.TRANSIT, mark, mark=mark, time=wait),
            Stage(Op.ASK, f"{mark}.ask", value=most, back_to=following),
            Stage(Op.SERVE, f"{mark}.served", place=place, time=time, target=refused),
            Stage(Op.ANSWER, f"{mark}.answer", value=1),
        ]
    return (*found, Stage(Op.ANSWER, refused, mark=refused))


def repeats(label: str, asked: Repeats, place: str) -> tuple[Program, Program]:
    """Return the stages that begin repeated requests, and what happens to these."""
    refused = f"{label}.turned_away"
    begun: list[Stage] = []
    found: list[Stage] = []
    for number, after in enumerate(asked.after, start=1):
        mark = f"{label}.{number}"
        begun.append(begin(f"{mark}.key", mark))
        found += [
            Stage(Op.TRANSIT, mark, mark=mark, time=fixed_time(after)),
            Stage(Op.SERVE, f"{mark}.served", place=place, time=asked.time, target=refused),
            Stage(Op.ANSWER, f"{mark}.answer", value=1, flags=Flag.SAME),
        ]
    return tuple(begun), (*found, Stage(Op.ANSWER, refused, mark=refused))


def tries(label: str, retry: Retry, *, again: str, failing: str, by_payer: bool = False) -> Program:
    """Return what follows a failure that may pass, at the label ``label``.

    Parameters
    ----------
    label : str
        Where it begins; names the waits, and keys their spread.
    retry : Retry
    again, failing : str
        Labels at which the payment goes on that tries again, and that does not.
    by_payer : bool
        Whether the payer begins anew; else the institution sends its request again.
    """
    flags, cause = (NO_FLAGS, Cause.HUMAN) if by_payer else (Flag.NEXT, Cause.RETRY)
    numbers = range(1, retry.most + 1)
    asks = [
        Stage(Op.RETRY, f"{label}.{n}", value=n, target=f"{label}.wait.{n}", flags=flags)
        for n in numbers
    ]
    # Whoever comes here has failed, so the first stage bears the label.
    yielded = [replace(asks[0], mark=label), *asks[1:], _jump(f"{label}.no_more", failing)]
    for n in numbers:
        mark = f"{label}.wait.{n}"
        yielded += [
            Stage(Op.TRANSIT, mark, mark=mark, time=_wait(retry, n), cause=cause),
            _jump(f"{mark}.again", again),
        ]
    return tuple(yielded)


def _jump(label: str, to: str) -> Stage:
    return Stage(Op.DECIDE, label, value=CERTAIN, target=to)


def _wait(retry: Retry, number: int) -> DurationDistribution:
    """Return the wait before a try, spread evenly around its mean."""
    mean_us = min(retry.first * retry.factor ** (number - 1), max(retry.longest, retry.first))
    reach_us = mean_us * retry.jitter // PPB
    if not reach_us:
        return fixed_time(mean_us)
    ends = (("low", mean_us - reach_us), ("high", mean_us + reach_us))
    return DurationDistribution("uniform", ends)


def asking_problems(polled: Polls | None, repeated: Repeats | None, known: set[str]) -> Found:
    """Check what is asked about payments: bounds, and stations the rail has."""
    if polled is not None and polled.factor is not None and not is_fixed(polled.every):
        yield ("polls", "factor"), "found beside times that vary; allowed: beside a fixed time"
    written = polled.model_fields_set if polled is not None else frozenset()
    if polled is not None and "longest" in written and polled.factor is None:
        yield ("polls", "longest"), "found without a factor; needed: how fast times grow up to it"
    if polled is not None and (polled.most or 0) > POLLS_MAX:
        yield ("polls", "most"), f"found {polled.most}; allowed: at most {POLLS_MAX:,}"
    if repeated is not None and not repeated.after:
        yield ("repeats", "after"), "found no instant; needed: how long after the request"
    for field, asked in (("polls", polled), ("repeats", repeated)):
        if asked is not None and asked.serve is not None and asked.serve not in known:
            names = ", ".join(sorted(known)) or "none"
            yield (field, "serve"), f"unknown station {asked.serve!r}; known: {names}"


def retry_problems(retry: Retry | None) -> Iterator[tuple[tuple[str], str]]:
    """Check how often something is tried again."""
    if retry is not None and retry.most > RETRIES_MAX:
        yield ("most",), f"found {retry.most}; allowed: at most {RETRIES_MAX}"


def query_problems(plan: QueryPlan | None, retry: Retry | None) -> Found:
    """Check how often a request is asked about in doubt, and sent again after a failure."""
    if plan is not None and plan.most > POLLS_MAX:
        yield ("query", "most"), f"found {plan.most}; allowed: at most {POLLS_MAX:,}"
    yield from below(("retry",), retry_problems(retry))


def query_station(name: str, plan: QueryPlan | None) -> Iterator[Station]:
    """Yield the station at which a gateway answers what is asked in doubt, where it has one."""
    if plan is not None and plan.own_station == "yes":
        yield own_station(name, "query")


def asked_at(name: str, plan: QueryPlan, shared: str) -> str:
    """Return the station that answers what is asked in doubt: one of its own, or a shared one."""
    return f"{name}.query" if plan.own_station == "yes" else f"{name}.{shared}"


class Asks(Protocol):
    """The settings of a gateway that say what it asks and sends again."""

    @property
    def query(self) -> QueryPlan | None:
        """Return how a request in doubt is asked about."""

    @property
    def polls(self) -> Polls | None:
        """Return what is asked about payments under way."""

    @property
    def retry(self) -> Retry | None:
        """Return how often a request that failed is sent again."""

    @property
    def reconciliation_time(self) -> int:
        """Return after how long a file says what has become of a request, in microseconds."""


def asked_of(rail: Asks, at: LegContext) -> Asked:
    """Return how a request in doubt is asked about, and how one that failed is sent again."""
    label, first = f"{at.name}.query", f"{at.name}.authorise"
    found = Asked(reconciled_us=rail.reconciliation_time, query="", asides=())
    if rail.query is not None:
        found["asides"] = query(label, rail.query, asked_at(at.name, rail.query, "gateway"))
        found["query"] = f"{label}.first"
        found["reconciled_us"] = query_ends_us(rail.query, rail.reconciliation_time)
    found["asides"] += polled(at.name, rail.polls)[1]
    if rail.retry is not None:
        found["asides"] += tries(f"{first}.again", rail.retry, again=first, failing=at.failing)
    return found
