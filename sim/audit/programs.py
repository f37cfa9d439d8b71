"""Work out what a payment's program can make of it, whatever way through it was taken.

Takes the stages of a plan; gives, for a stream and the route taken last, how such a payment can end
and what can have happened to it. Nothing of a run is looked at: a row of a table that is none of
these is wrong without any log.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.contract.guards import GuardColumn
from sim.contract.layout import (
    CERTAIN,
    NULL,
    ROLE_KINDS_MAX,
    CandidateColumn,
    RouteColumn,
    RouteSetColumn,
    StationColumn,
    StreamColumn,
)
from sim.contract.layout import StageColumn as S
from sim.contract.meaning import Cause, Flag, Op, Outcome, Reason, WhenClosed
from sim.contract.plan import Plan

_NEITHER, _SETTLED, _CREDITED, _SETTLED_FIRST, _CREDITED_FIRST, _BOTH_AT_ONCE = range(6)
"""What has happened to the money of a payment, and in which order."""
_COMPARED = {_SETTLED_FIRST: (0, 1), _CREDITED_FIRST: (1, 2), _BOTH_AT_ONCE: (1,)}
"""Signs of settlement less credit that each order allows, plus one; 1 where one is missing."""
_MAY_FAIL = (
    Op.SERVE, Op.RESERVE, Op.QUOTE, Op.CONVERT, Op.LIMIT, Op.DECIDE, Op.CODE, Op.ORDER,
)  # fmt: skip
_WAITS = (Op.SERVE, Op.TRANSIT, Op.BATCH, Op.RESERVE, Op.AWAIT, Op.SETTLE)
_ENTRANCES = (RouteColumn.ENTRY, RouteColumn.CONFIRMED, RouteColumn.AUTHORISED)
"""Where a route may begin, the last two only for who comes from another one."""

_DISARMED = -1


class State(NamedTuple):
    """Where a payment is and what of its way so far can still matter."""

    stage: int
    quoted: bool = False
    money: int = _NEITHER
    armed: int = _DISARMED
    """Stage to which a time-out would take it."""
    leaves: int = _DISARMED
    """Stage to which a payer who leaves would take it."""


@dataclass(frozen=True, slots=True)
class Possible:
    """What can become of the payments of a stream on a route.

    Attributes
    ----------
    endings : ndarray of bool, shape (outcomes, 2, 2, 2, 2, 3)
        By outcome, whether there is a debited amount, whether there is a credited amount, whether
        there is an instant of settlement, of credit, and the sign of their difference plus one.
    reasons, causes, prices, fees : frozenset of int
        Reasons to fail, causes of time, prices quoted and fees charged on any way.
    requotes_max : int
        Most quotes a payment can ask for again.
    """

    endings: npt.NDArray[np.bool_]
    reasons: frozenset[int]
    causes: frozenset[int]
    prices: frozenset[int]
    fees: frozenset[int]
    requotes_max: int


class Programs:
    """The stage programs of a plan.

    Parameters
    ----------
    plan : Plan
        The plan of the run.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._stops = bool((plan.guard[:, GuardColumn.STOP_BELOW] != NULL).any())
        self._stages: list[list[int]] = plan.stage.tolist()
        self._possible = lru_cache(maxsize=None)(self._explore)

    def of(self, stream: int, route: int, *, fails_over: bool) -> Possible:
        """Return what can become of a payment.

        Parameters
        ----------
        stream, route : int
            Rows of the plan; the route is the one taken last, -1 for none.
        fails_over : bool
            Whether other routes were tried before.
        """
        return self._possible(stream, route, fails_over)

    def _explore(self, stream: int, route: int, fails_over: bool) -> Possible:
        entry = int(self._plan.stream[stream, StreamColumn.ENTRY])
        after = int(self._plan.stream[stream, StreamColumn.AFTER_FAILURE])
        entries = self._entries(route, fails_over, changes=after >= 0)
        states = self._reach(entry, entries, fails_over, after=after)
        at = {state.stage for state in states}
        # Which way was taken is not known without a log, so whatever any way allows is allowed.
        prices = self._subjects(at, Op.QUOTE)
        # Only the last route's price fills the registers a record shows; earlier ones were
        # overwritten.
        if fails_over:
            prices = self._last_prices(route) or prices
        causes = {cause for stage in at for cause in self._causes_at(stage)}
        # A payer who changes the instrument begins anew, like a payment on another route.
        again = (Op.SWITCH, Op.RETRY)
        retries = fails_over or any(self._stages[s][S.OP] in again for s in at)
        return Possible(
            endings=self._endings(states, route),
            reasons=frozenset({reason for stage in at for reason in self._reasons_at(stage)}),
            causes=frozenset(causes | ({int(Cause.RETRY)} if retries else set())),
            prices=prices,
            fees=self._subjects(at, Op.CHARGE),
            requotes_max=max(
                (self._stages[s][S.VALUE] for s in at if self._stages[s][S.OP] == Op.CONVERT),
                default=0,
            ),
        )

    def _entries(self, route: int, fails_over: bool, *, changes: bool) -> list[int]:
        """Return where a choice of route may lead."""
        # Never routed: either it failed before, or its program has no ROUTE stage.
        if route < 0:
            return []
        routes = {route}
        # Any candidate of a set that has this one may have been tried before it.
        if fails_over:
            for row in self._plan.route_set.tolist():
                first = row[RouteSetColumn.FIRST]
                last = first + row[RouteSetColumn.COUNT]
                candidates = self._plan.candidate[first:last, CandidateColumn.ROUTE]
                if route in candidates:
                    routes.update(candidates.tolist())
        ways = _ENTRANCES if fails_over else _ENTRANCES[:1]
        found = self._plan.route[sorted(routes)][:, ways].ravel().tolist()
        return [stage for stage in found if stage >= 0]

    def _last_prices(self, route: int) -> frozenset[int]:
        """Return the prices of the last route, none where it may settle at an earlier one's."""
        states = self._reach(int(self._plan.route[route, RouteColumn.ENTRY]), [], False)
        unquoted = any(
            not state.quoted
            and (state.money != _NEITHER or self._is_end(state.stage, Outcome.COMPLETED))
            for state in states
        )
        at = {state.stage for state in states}
        return frozenset() if unquoted else self._subjects(at, Op.QUOTE)

    def _reach(
        self, entry: int, entries: list[int], fails_over: bool, *, after: int = -1
    ) -> set[State]:
        """Return every state that some way through the program passes."""
        start = State(entry)
        seen, queue = {start}, [start]
        # Every reachable state once. A state is a stage with what of the past still matters, so
        # there are a few times as many as stages.
        while queue:
            for state in self._next(queue.pop(), entries, fails_over, after=after):
                if state not in seen and 0 <= state.stage < len(self._stages):
                    seen.add(state)
                    queue.append(state)
        return seen

    def _next(
        self, state: State, entries: list[int], fails_over: bool, *, after: int
    ) -> list[State]:
        """Return the states one may come to from another."""
        stage = self._stages[state.stage]
        op, following = stage[S.OP], state._replace(stage=state.stage + 1)
        # Nothing follows an end.
        if op == Op.END:
            return []
        if op == Op.ROUTE:
            chosen = [state._replace(stage=to) for to in entries]
            # A fail-over may also find no further route, and then passes on.
            if stage[S.FLAGS] & Flag.NEXT:
                passed = state._replace(stage=after) if after >= 0 else following
                return [passed, *(chosen if fails_over else [])]
            # What was chosen with one instrument says nothing of another.
            refused = [state._replace(stage=stage[S.TARGET])]
            return [*chosen, *refused] if after >= 0 else chosen or refused
        if op == Op.DEADLINE:
            # VALUE 0 disarms; another DEADLINE replaces the one before, -1 only where it leads.
            stays = stage[S.VALUE] > 0 or (stage[S.VALUE] < 0 and state.armed != _DISARMED)
            armed = stage[S.TARGET] if stays else _DISARMED
            return [following._replace(armed=armed)]
        if op == Op.PATIENCE:
            leaves = stage[S.TARGET] if stage[S.VALUE] != 0 else _DISARMED
            return [following._replace(leaves=leaves)]
        if op in (Op.ON_US, Op.SWITCH, Op.RETRY):
            return [following, state._replace(stage=stage[S.TARGET])]
        if op == Op.RESOLVE:
            return [following._replace(armed=_DISARMED)]
        if op == Op.AWAIT:
            # Nothing was asked, the answer came, or it did not come in time.
            target = stage[S.TARGET]
            return [following._replace(armed=target), state._replace(stage=target)]
        if op == Op.POST:
            return [following._replace(money=_moved(state.money, stage[S.FLAGS]))]
        if op == Op.BATCH:
            # Whoever is in a block has no time-out any more.
            money = _moved(state.money, stage[S.FLAGS])
            return [following._replace(money=money, armed=_DISARMED), *self._expired(state)]
        if op == Op.SETTLE:
            money = _moved(state.money, stage[S.FLAGS])
            returned = state._replace(stage=stage[S.TARGET])
            settled = following._replace(money=money, armed=_DISARMED)
            return [settled, returned, *self._expired(state)]
        # A price that cannot be used fills the registers like any other.
        quoted = state.quoted or op == Op.QUOTE
        ways = [state.stage + 1]
        if op in _MAY_FAIL:
            ways.append(stage[S.TARGET])
        # Behind a branch that is always taken stands another program, or nothing.
        if op == Op.DECIDE and stage[S.VALUE] >= CERTAIN:
            ways = [stage[S.TARGET]]
        # A lapsed quote goes back for another one.
        if op == Op.CONVERT and stage[S.VALUE] > 0:
            ways.append(stage[S.SUBJECT])
        # A time-out can only fire where a payment waits.
        waiting = self._expired(state) if op in _WAITS else []
        return [*(state._replace(stage=to, quoted=quoted) for to in ways), *waiting]

    def _expired(self, state: State) -> list[State]:
        """Return where a time-out, or a payer who leaves, takes a payment that waits."""
        found = []
        if state.armed != _DISARMED:
            found.append(state._replace(stage=state.armed, armed=_DISARMED))
        if state.leaves != _DISARMED:
            found.append(state._replace(stage=state.leaves, leaves=_DISARMED))
        return found

    def _endings(self, states: set[State], route: int) -> npt.NDArray[np.bool_]:
        """Return which combinations a row can show."""
        found = np.zeros((len(Outcome), 2, 2, 2, 2, 3), dtype=np.bool_)
        # A route without a price shows no amounts, whatever was quoted on another one before.
        has_price = route < 0 or self._plan.route[route, RouteColumn.PRICING] >= 0
        for at, quoted, moved, *_ in states:
            stage, money = self._stages[at], moved
            if stage[S.OP] == Op.END:
                outcome = stage[S.VALUE]
            # At the horizon a payment can be open wherever it can wait.
            elif stage[S.OP] in _WAITS:
                outcome = int(Outcome.IN_PROGRESS)
            else:
                continue
            # The end of the program credits, where no stage did before.
            if outcome == Outcome.COMPLETED:
                money = _moved(money, Flag.CREDITS)
            settled = money not in (_NEITHER, _CREDITED)
            credited = money not in (_NEITHER, _SETTLED)
            is_priced = quoted and has_price
            debited = is_priced and (settled or outcome == Outcome.COMPLETED)
            # Settlement first, credit first or both at once: the program decides which is
            # possible.
            for sign in _COMPARED.get(money, (1,)):
                kept = is_priced and credited
                found[outcome, int(debited), int(kept), int(settled), int(credited), sign] = True
        return found

    def _is_end(self, at: int, outcome: int) -> bool:
        stage = self._stages[at]
        return stage[S.OP] == Op.END and stage[S.VALUE] == outcome

    def _subjects(self, at: set[int], op: Op) -> frozenset[int]:
        """Return what the stages of an operation name."""
        stages = (self._stages[stage] for stage in at)
        return frozenset(stage[S.SUBJECT] for stage in stages if stage[S.OP] == op)

    def _causes_at(self, at: int) -> tuple[int, ...]:
        """Return the causes to which a stage can account time."""
        stage = self._stages[at]
        op, cause = stage[S.OP], stage[S.CAUSE]
        if op == Op.SERVE:
            return (int(Cause.WAITING), cause)
        if op in (Op.TRANSIT, Op.BATCH, Op.AWAIT, Op.SETTLE):
            return (cause,)
        if op == Op.RESERVE and stage[S.FLAGS] & Flag.QUEUE:
            return (int(Cause.LIQUIDITY),)
        return ()

    def _reasons_at(self, at: int) -> tuple[int, ...]:
        """Return the reasons a stage can give a payment."""
        stage = self._stages[at]
        op, reason = stage[S.OP], stage[S.REASON]
        if op == Op.CODE:
            return (int(Reason.FF01), int(Reason.AEXR))
        if op == Op.LIMIT:
            beyond = reason if reason > 0 else int(Reason.AM14)
            return (int(Reason.AM02), int(Reason.AM06), beyond)
        if op == Op.PATIENCE:
            return (int(Reason.DS02),)
        if op == Op.SERVE:
            return (reason, *self._closed_reasons(stage[S.SUBJECT]))
        # Where channels close, a set of routes may be there and none of it open.
        if op == Op.ROUTE and not stage[S.FLAGS] & Flag.NEXT and self._stops:
            return (*((reason,) if reason > 0 else ()), int(Reason.AG10))
        names_one = (
            Op.RESERVE,
            Op.QUOTE,
            Op.CONVERT,
            Op.DECIDE,
            Op.DEADLINE,
            Op.ROUTE,
            Op.END,
            Op.SETTLE,
            Op.ORDER,
        )
        return (reason,) if op in names_one and reason > 0 else ()

    def _closed_reasons(self, subject: int) -> tuple[int, ...]:
        """Return the reasons of the stations a SERVE stage may mean, closed."""
        plan = self._plan
        # A role reference may mean any agent's station of the kind.
        if subject >= 0:
            stations = [subject]
        else:
            kind = (-subject - 2) % ROLE_KINDS_MAX
            stations = [at for at in plan.agent_station[:, kind].tolist() if at >= 0]
        rows = plan.station[stations]
        refusing = rows[rows[:, StationColumn.WHEN_CLOSED] == WhenClosed.REJECT]
        return tuple(refusing[:, StationColumn.REASON_CLOSED].tolist())


def _moved(money: int, flags: int) -> int:
    """Return what has happened to the money after a posting; a first time counts, no second."""
    is_settled = money not in (_NEITHER, _CREDITED)
    is_credited = money not in (_NEITHER, _SETTLED)
    settles = bool(flags & Flag.SETTLES) and not is_settled
    credits_ = bool(flags & Flag.CREDITS) and not is_credited
    if settles and credits_:
        return _BOTH_AT_ONCE
    if settles:
        return _CREDITED_FIRST if is_credited else _SETTLED
    if credits_:
        return _SETTLED_FIRST if is_settled else _CREDITED
    return money
