"""Why a payment took a route, in words: what the router knew of each candidate, what was to come.

Takes what was found out about one choice; gives lines of text. What the router thought is worked
out from the log, what would have become of the payment by trying; neither is computed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sim.contract.policies import SCORE_BARRED
from sim.explain.words import at, span, table

_BARS = ("breaker open", "too slow", "too dear", "below a reserve")
"""In the order of the bits of ``Thought.bars``."""
NO_PRICE = -2
_STANDINGS = {2: "tried before", 3: "channel closed", 4: "better quoted"}
MAY_BE_TAKEN = 1


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would have become of the payment over a candidate.

    Attributes
    ----------
    outcome : str
    cost : int
        FX margin and payer's fees, minor units.
    end_us : int or None
        None: still open at the horizon.
    """

    outcome: str
    cost: int
    end_us: int | None


@dataclass(frozen=True, slots=True)
class Thought:
    """What a router knew of one candidate.

    Attributes
    ----------
    route : str
    rank : int
        Of equal scores the lowest goes first.
    standing : int
        1: it could be taken; 2: it had been tried; 3: its channel was closed.
    score : int
    cost, debited : int
        Minor units at the rates of then; a cost of -1: no money, NO_PRICE: no price.
    time_us : int
        Expected, with the queues last seen.
    bars : int
        A bit for each of a breaker, time, cost and reserve that barred it.
    opened_us, learnt_us : int
        As the router saw them; -1: closed, nothing learnt.
    has_probe : bool
    foreseen : Foreseen or None
        None where it could not be taken or there was no choice.
    """

    route: str
    rank: int
    standing: int
    score: int
    cost: int
    debited: int
    time_us: int
    bars: int
    opened_us: int
    learnt_us: int
    has_probe: bool
    foreseen: Foreseen | None = None


@dataclass(frozen=True, slots=True)
class RouteChoice:
    """One choice of a payment.

    Attributes
    ----------
    number : int
        1 for the first route.
    time_us : int
    policy, words : str
        Its name and what it prefers.
    taken : str
        The route.
    score : int
        As the log has it.
    seen_us : int
        Instant the router's view of queues was of, -1 before the first.
    is_sampled : bool
        Whether breakers, times learnt and memory are of the same instant.
    hears : bool
        Whether the router hears of attempts at all.
    thoughts : tuple of Thought
    """

    number: int
    time_us: int
    policy: str
    words: str
    taken: str
    score: int
    seen_us: int
    is_sampled: bool
    hears: bool
    thoughts: tuple[Thought, ...]

    def best(self, *, by_time: bool) -> tuple[str, ...]:
        """Return what an oracle of time, or of cost, would have taken; several if equal."""
        free = [one for one in self.thoughts if one.foreseen is not None and not one.bars]
        found = free or [one for one in self.thoughts if one.foreseen is not None]
        keys = {one.route: _foreseen_key(one, by_time=by_time) for one in found}
        best = min(keys.values(), default=None)
        return tuple(route for route, key in keys.items() if key == best)


def _foreseen_key(one: Thought, *, by_time: bool) -> tuple[bool, int, int]:
    """Return what an oracle orders by: who completes, then the least, then the rank."""
    assert one.foreseen is not None
    fails = one.foreseen.outcome != "completed"
    worth = 0 if fails else one.foreseen.cost
    if by_time and not fails:
        assert one.foreseen.end_us is not None
        worth = one.foreseen.end_us
    return fails, worth, one.rank


def choice_lines(choice: RouteChoice) -> Iterator[str]:
    """Yield what there is to say of a choice."""
    yield f"Choice {choice.number}, {at(choice.time_us)}: policy {choice.policy}, {choice.words}."
    free = [one for one in choice.thoughts if one.standing == MAY_BE_TAKEN]
    heads = ("", "route", "score", "costs", "takes", "barred", "would have")
    rows: list[tuple[str, ...]] = [
        heads,
        *(_row(choice, one, len(free)) for one in choice.thoughts),
    ]
    yield from table(rows, indent=2, right=frozenset((2, 3, 4)))
    if len(free) == 1:
        yield "  One candidate was left, so it was taken without a score."
    yield from (f"  {line}" for line in _knowledge(choice))
    by_cost, by_time = choice.best(by_time=False), choice.best(by_time=True)
    if by_cost:
        yield (
            f"  An oracle of cost would have taken {' or '.join(by_cost)}, one of time "
            f"{' or '.join(by_time)}: they know what is above under 'would have', with "
            "nobody submitted later."
        )


def _row(choice: RouteChoice, one: Thought, free: int) -> tuple[str, ...]:
    is_known = one.standing == MAY_BE_TAKEN and free > 1
    # What bars a route stands in a column of its own.
    score = str(one.score % SCORE_BARRED) if is_known and one.cost != NO_PRICE else "-"
    if choice.policy.startswith("oracle_") and is_known:
        score = str(choice.score) if one.route == choice.taken else "?"
    cost = {-1: "no money", NO_PRICE: "no price"}.get(one.cost) or _bps(one.cost, one.debited)
    barred = ", ".join(word for at_bit, word in enumerate(_BARS) if one.bars >> at_bit & 1)
    barred = _STANDINGS.get(one.standing, barred)
    mark = "taken" if one.route == choice.taken else ""
    return mark, one.route, score, cost, span(one.time_us), barred, _would_have(choice, one)


def _would_have(choice: RouteChoice, one: Thought) -> str:
    if one.foreseen is None:
        return ""
    if one.foreseen.end_us is None:
        return "been open at the horizon"
    took = f"{one.foreseen.outcome} in {span(one.foreseen.end_us - choice.time_us)}"
    if one.foreseen.outcome != "completed" or one.debited == 0:
        return took
    return f"{took}, {_bps(one.foreseen.cost, one.debited)}"


def _knowledge(choice: RouteChoice) -> Iterator[str]:
    """Yield how old the router's news was, and what it had heard of routes."""
    age = "The router had seen no queue yet"
    if choice.seen_us >= 0:
        ago = span(choice.time_us - choice.seen_us)
        age = f"The router saw queues as they were {at(choice.seen_us)}, {ago} before"
    heard = ""
    if choice.hears:
        same = "of the same sample" if choice.is_sampled else "up to this instant"
        heard = f"; how attempts ended it had heard {same}"
    yield f"{age}{heard}."
    for one in choice.thoughts:
        if one.opened_us >= 0:
            probe = ", and a probe was under way" if one.has_probe else ""
            yield f"{one.route}: breaker opened {at(one.opened_us)}{probe}."
        if one.learnt_us >= 0:
            yield f"{one.route}: took {span(one.learnt_us)} of late."


def _bps(cost: int, debited: int) -> str:
    return f"{cost * 10_000 / debited:.1f} bps" if debited else "-"
