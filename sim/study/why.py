"""Find out why a payment of a finished run took its routes, and what would have come of others.

Takes a run folder recorded with events; gives its choices. What the router thought is what the
audit's replay of the log works out at each ROUTE row, by the same scores the audit checks; what
would have been is the compiled engine's run of every candidate. So nothing is said here that an
engine or the audit does not say itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from sim.audit.findings import Findings
from sim.audit.replay import Replay
from sim.audit.run import read_log
from sim.audit.state import Shown
from sim.compiler.compile import Compiled
from sim.compiler.recompile import compile_again
from sim.contract.layout import NULL, CandidateColumn, RouteColumn, RouteSetColumn
from sim.contract.meaning import LogKind, Outcome
from sim.contract.plan import Array, Plan
from sim.contract.policies import Policy, RuleColumn
from sim.contract.records import LogColumn, RecordColumn, WorkloadColumn
from sim.engine.watched import ForeseenChoice, foresee_payment
from sim.explain.choice import MAY_BE_TAKEN, Foreseen, RouteChoice, Thought
from sim.routing.policies import policy_words, routing_of
from sim.tables.finished_run import FinishedRun
from sim.tables.open_run import open_run
from sim.tables.schemas import EVENTS_FILE


def explain_choices(
    path: Path, payment: int, *, replication: int | None = None
) -> tuple[RouteChoice, ...]:
    """Return every choice of a route a payment made; none where the run has no events.

    Parameters
    ----------
    path : Path
        A finished run.
    payment : int
        Value of ``payment_id``.
    replication : int, optional
        By default the first the run has.

    Raises
    ------
    UserError
        If the folder is no finished run or compiles to another plan.
    """
    run = open_run(path)
    if not run.has(EVENTS_FILE):
        return ()
    number = run.replications[0] if replication is None else replication
    compiled = compile_again(run, number)
    plan, row = compiled.plan, _workload_row(compiled, payment)
    if row is None:
        return ()
    watch, rows = _find_choices(run, number, plan, (payment, row))
    if not len(watch):
        return ()
    replay = Replay(plan, Findings(), None, watch=watch)
    for chunk in _up_to(read_log(run, number), int(watch[-1, 0]) + 1):
        replay.take(chunk)
    courses = iter(foresee_payment(plan, compiled.workload(), payment))
    found = []
    for at, (routed, one) in enumerate(zip(rows, watch.tolist(), strict=True)):
        shown = replay.shown(at)
        # Candidates are tried where there are several, in the order of choices.
        is_tried = np.count_nonzero(shown[:, Shown.STANDING] == MAY_BE_TAKEN) > 1
        course = next(courses) if is_tried else None
        assert course is None or course.time_us == routed[LogColumn.TIME_US]
        found.append(_choice(compiled, (at + 1, routed, one), shown, course))
    return tuple(found)


def _workload_row(compiled: Compiled, payment: int) -> list[int] | None:
    """Return what a payment was submitted with."""
    first = 0
    for chunk in compiled.workload():
        if payment < first + len(chunk):
            return [int(value) for value in chunk[payment - first]]
        first += len(chunk)
    return None


def _find_choices(
    run: FinishedRun, replication: int, plan: Plan, asked: tuple[int, list[int]]
) -> tuple[Array, list[list[int]]]:
    """Return the ROUTE rows of a payment, as a replay watches them and as they are."""
    payment, submitted = asked
    route_set, first, watch, rows = submitted[WorkloadColumn.ROUTE_SET], 0, [], []
    for chunk in read_log(run, replication):
        for at in np.flatnonzero(chunk[:, LogColumn.PAYMENT] == payment).tolist():
            row = chunk[at].tolist()
            if row[LogColumn.KIND] == LogKind.SWITCH:
                route_set = submitted[WorkloadColumn.ROUTE_SET_2]
            elif row[LogColumn.KIND] == LogKind.ROUTE:
                columns = (RouteSetColumn.POLICY, RouteSetColumn.FIRST, RouteSetColumn.COUNT)
                of_set = (int(plan.route_set[route_set, column]) for column in columns)
                watch.append((first + at, *of_set))
                rows.append(row)
        first += len(chunk)
    return np.array(watch, dtype=np.int64).reshape(-1, 4), rows


def _up_to(chunks: Iterator[Array], count: int) -> Iterator[Array]:
    """Yield the first rows of a log."""
    for chunk in chunks:
        yield chunk[:count]
        count -= len(chunk)
        if count <= 0:
            return


def _choice(
    compiled: Compiled,
    which: tuple[int, list[int], list[int]],
    shown: Array,
    course: ForeseenChoice | None,
) -> RouteChoice:
    """Return a choice: its number, its row of the log and the set it was made from."""
    plan, (number, row, (_, policy, first, _)) = compiled.plan, which
    thoughts = []
    for position, cells in enumerate(shown.tolist()):
        candidate = plan.candidate[first + position]
        route = int(candidate[CandidateColumn.ROUTE])
        thought = Thought(
            route=plan.names.routes[route],
            rank=int(candidate[CandidateColumn.RANK]),
            standing=cells[Shown.STANDING],
            score=cells[Shown.SCORE],
            cost=cells[Shown.COST],
            debited=cells[Shown.DEBITED],
            time_us=cells[Shown.TIME_US],
            bars=cells[Shown.BARS],
            opened_us=cells[Shown.OPENED_US],
            learnt_us=cells[Shown.LEARNT_US],
            has_probe=cells[Shown.PROBE] >= 0,
        )
        if course is not None and position in course.records:
            thought = replace(thought, foreseen=_foreseen(course.records[position]))
        thoughts.append(thought)
    taken = row[LogColumn.SUBJECT]
    rule = int(plan.route[taken, RouteColumn.RULE])
    columns = plan.rule[rule].tolist() if rule >= 0 else [0] * len(RuleColumn)
    name = routing_of(compiled.scenario, _corridor(plan, taken)).policy
    hears = columns[RuleColumn.FAILURES] or columns[RuleColumn.LEARNS] or policy == Policy.OWN
    return RouteChoice(
        number=number,
        time_us=row[LogColumn.TIME_US],
        policy=name,
        words=policy_words(name),
        taken=plan.names.routes[taken],
        score=row[LogColumn.AMOUNT],
        seen_us=int(shown[0, Shown.SEEN_US]),
        is_sampled=bool(columns[RuleColumn.SAMPLED]),
        hears=bool(hears),
        thoughts=tuple(thoughts),
    )


def _corridor(plan: Plan, route: int) -> str:
    return plan.names.corridors[int(plan.route[route, RouteColumn.CORRIDOR])]


def _foreseen(record: list[int] | None) -> Foreseen:
    """Return what a record says of a course."""
    if record is None:
        return Foreseen("open", 0, None)
    costs = (record[RecordColumn.FX_MARGIN], record[RecordColumn.PAYER_FEE])
    outcome = Outcome(record[RecordColumn.OUTCOME]).name.lower()
    return Foreseen(
        outcome, sum(cost for cost in costs if cost != NULL), record[RecordColumn.END_US]
    )
