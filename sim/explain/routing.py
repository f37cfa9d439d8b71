"""What bars routes and what is learnt of them, in words.

Takes a way to choose routes; gives sentences.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.contract.meaning import Policy
from sim.explain.words import span
from sim.model.sections import Routing
from sim.routing.policies import own_row, policy_of

_PPB_OF_BPS = 100_000
_PPB_OF_PERCENT = 10_000_000


def bar_words(routing: Routing) -> Iterator[str]:
    """Yield a sentence for everything that bars a route, and for what is learnt."""
    bars = []
    if routing.cost_at_most is not None:
        bars.append(f"that cost more than {routing.cost_at_most / _PPB_OF_BPS:g} bps")
    if routing.time_at_most is not None:
        bars.append(f"that take longer than {span(routing.time_at_most)}")
    if routing.spare_reserves:
        bars.append("that would take an account below its reserve")
    if bars:
        yield f"Routes {', or '.join(bars)} are taken only where all are barred."
    breaker = routing.breaker
    if breaker is not None:
        yield (
            f"A route that failed {breaker.failures} of the last {breaker.of} times is barred for "
            f"{span(breaker.open_for)}, then probed by one payment."
        )
    policy = policy_of(routing.policy)
    if policy is Policy.WEIGHTED:
        yield (
            f"A second of time counts as {(routing.second_is_worth or 0) / _PPB_OF_BPS:g} bps of "
            "the amount."
        )
    if policy is Policy.ADAPTIVE:
        yield (
            f"{(routing.explore or 0) / _PPB_OF_PERCENT:g} % of payments try any route to learn "
            f"from; a failure counts as {span(routing.failure_takes or 0)}."
        )
    own = own_row(routing)
    if own is not None:
        yield f"It is {own.name}, a policy of the user's own: digest {own.digest:016x}."
    hears = breaker is not None or policy in (Policy.ADAPTIVE, Policy.OWN)
    if hears and routing.news == "sampled":
        yield f"How attempts ended is known up to {span(routing.view_interval)} later."
