"""What the router of the reference engine has heard of routes: breakers, and times learnt.

Takes attempts as they begin and end; gives whether a route's breaker bars it and what it took of
late. The meaning is in :mod:`sim.contract.policies`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.contract.layout import RouteColumn
from sim.contract.meaning import FAILOVER_REASONS, Cause
from sim.contract.own_policies import BEGUN, FAILED, SAYS_NOTHING, SUCCEEDED, Heard
from sim.contract.plan import Plan
from sim.contract.policies import LEARNING_SHIFT, RuleColumn
from sim.engine.reference.state import Payment
from sim.policies.asking import Asked, asked_of

NEVER = -1
"""No instant: a breaker that is closed, a route of which nothing is learnt."""


@dataclass(slots=True)
class RouteHealth:
    """What is known of one route."""

    rule: list[int] | None
    marks: list[bool] = field(default_factory=list)
    """Of attempts since it closed, the newest last: whether they failed."""
    opened_us: int = NEVER
    probing: Payment | None = None
    learnt_us: int = NEVER
    seen_opened_us: int = NEVER
    seen_learnt_us: int = NEVER
    memory: list[int] = field(default_factory=list)
    """Of a policy of the user's own."""
    seen_memory: list[int] = field(default_factory=list)

    def is_open(self, now_us: int) -> bool:
        """Tell whether the breaker keeps payments away now."""
        if self.rule is None or self.seen_opened_us == NEVER:
            return False
        is_early = now_us - self.seen_opened_us < self.rule[RuleColumn.OPEN_US]
        return is_early or self.probing is not None

    def look(self) -> None:
        """Let the router see what is known now."""
        self.seen_opened_us, self.seen_learnt_us = self.opened_us, self.learnt_us
        self.seen_memory = list(self.memory)


class Healths:
    """What is known of all routes of a plan."""

    def __init__(self, plan: Plan) -> None:
        rules = plan.rule.tolist()
        self._routes = [
            RouteHealth(None if row < 0 else rules[row])
            for row in plan.route[:, RouteColumn.RULE].tolist()
        ]
        self._own = asked_of(plan)
        for health in self._routes:
            asked = self.asked(health)
            if asked is not None:
                health.memory = [0] * asked.policy.memory
                health.seen_memory = list(health.memory)

    def of(self, route: int) -> RouteHealth:
        """Return what is known of a route."""
        return self._routes[route]

    def asked(self, health: RouteHealth) -> Asked | None:
        """Return the policy of the user's own a route is scored by, if there is one."""
        if health.rule is None or health.rule[RuleColumn.OWN] < 0:
            return None
        return self._own[health.rule[RuleColumn.OWN]]

    def look(self) -> None:
        """Let the router see everything as it is at a sample."""
        for health in self._routes:
            health.look()

    def begin(self, payment: Payment, now_us: int) -> None:
        """Note that a payment tries its route from now on."""
        health = self._routes[payment.route]
        payment.is_heard_of = True
        payment.routed_us = now_us - payment.times[Cause.HUMAN]
        # Barred it would not be if another route were left; whoever comes is the probe.
        if health.opened_us != NEVER and health.probing is None:
            health.probing = payment
        self._tell(health, Heard(BEGUN, payment.number, now_us, 0, -1))

    def end(self, payment: Payment, reason: int | None, now_us: int) -> None:
        """Hear how an attempt ended.

        Parameters
        ----------
        payment : Payment
        reason : int or None
            Of its failure; None where it completed, -1 where its end says nothing.
        now_us : int
        """
        if not payment.is_heard_of:
            return
        payment.is_heard_of = False
        health = self._routes[payment.route]
        is_probe = health.probing is payment
        if is_probe:
            health.probing = None
        has_failed = reason is not None and reason in FAILOVER_REASONS
        took_us = now_us - payment.times[Cause.HUMAN] - payment.routed_us
        event = SUCCEEDED if reason is None else FAILED if has_failed else SAYS_NOTHING
        told = Heard(event, payment.number, now_us, took_us, -1 if reason is None else reason)
        self._tell(health, told)
        if health.rule is None or (reason is not None and not has_failed):
            return
        _mark(health, has_failed=has_failed, is_probe=is_probe, now_us=now_us)
        if health.rule[RuleColumn.LEARNS]:
            took_us = health.rule[RuleColumn.PENALTY_US] if has_failed else took_us
            if health.learnt_us == NEVER:
                health.learnt_us = took_us
            else:
                health.learnt_us += (took_us - health.learnt_us) >> LEARNING_SHIFT
        if not health.rule[RuleColumn.SAMPLED]:
            health.look()

    def _tell(self, health: RouteHealth, heard: Heard) -> None:
        """Let a policy of the user's own hear of an attempt."""
        asked = self.asked(health)
        if asked is None or asked.policy.hear is None:
            return
        asked.hear(heard, health.memory)
        assert health.rule is not None
        if not health.rule[RuleColumn.SAMPLED]:
            health.seen_memory = list(health.memory)


def _mark(health: RouteHealth, *, has_failed: bool, is_probe: bool, now_us: int) -> None:
    """Let a breaker hear of an attempt that failed or succeeded."""
    assert health.rule is not None
    failures, window = health.rule[RuleColumn.FAILURES], health.rule[RuleColumn.WINDOW]
    if not failures:
        return
    if is_probe:
        health.opened_us, health.marks = (now_us if has_failed else NEVER), []
    elif health.opened_us == NEVER:
        health.marks = [*health.marks, has_failed][-window:]
        if sum(health.marks) >= failures:
            health.opened_us, health.marks = now_us, []
