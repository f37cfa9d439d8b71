"""After the first commit nothing leads to a rejection or to another route, in any scenario.

Walks the stages of the compiled plan, jump by jump, without the code that checks programs when they
are compiled. A full queue, a closed station, a draw and a time-out are all taken to happen.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sim.compiler.compile import compile_scenario
from sim.compiler.program_check import check_program
from sim.contract.layout import CERTAIN, RouteColumn, StageColumn, StreamColumn
from sim.contract.meaning import Flag, Op, Outcome
from sim.contract.plan import Array, Plan
from sim.errors import InvariantViolation
from sim.rails.stages import FAIL, Stage
from sim.scenario.scenario import load_scenario
from tests.theory.driver import SCENARIOS, load_text
from tests.theory.test_doubt import GWLATE
from tests.theory.test_fail_over import FO
from tests.theory.test_secured_first import NOSTRO

S = StageColumn
LIBRARY = sorted(
    path
    for path in SCENARIOS.rglob("*.yaml")
    if "experiments" not in path.relative_to(SCENARIOS).parts
)

BOUNDED = """
scenario: bounded
extends: MINIMAL
corridors: {kh_cn: {time_out: 5 s}, cn_kh: {time_out: 5 s}, kh_kh: {time_out: 5 s}}
routing: {failover: 2}
"""
BEHIND = """
scenario: behind
extends: MINIMAL
rails:
  desk:
    kind: generic
    stations: {counter: {servers: 1, queue_limit: 0}}
    stages: [{name: patience, deadline: 1 s, reason: AB06}, {name: work, serve: counter, time: 5 s},
             {name: luck, decline: 10 %, reason: AB10}]
    between: [{from: river_bank, to: creditor}, {from: debtor, to: river_bank}]
routing: {failover: 3}
"""
"""A chain of stations in front of and behind the ledger."""
WRITTEN = {
    "nostro": NOSTRO.replace("DEBIT_FIRST", "true").replace("WHEN_SHORT", "queue"),
    "fo": FO,
    "gwlate": GWLATE,
    "bounded": BOUNDED,
    "chain": BEHIND,
}


def _next(stages: Array, at: int, armed: int) -> Iterator[tuple[int, int]]:
    """Yield every stage a payment may come to next, and the time-out it then has."""
    row = stages[at]
    op, target = Op(row[S.OP]), int(row[S.TARGET])
    if op is Op.END:
        return
    if op is Op.DEADLINE:
        armed = target if row[S.VALUE] else -1
    if op is Op.AWAIT:
        armed = target
    if op is Op.RESOLVE:
        armed = -1
    waits = op in (Op.SERVE, Op.TRANSIT, Op.BATCH, Op.RESERVE, Op.AWAIT, Op.SETTLE)
    if waits and armed >= 0:
        yield armed, -1
    if target >= 0:
        yield target, armed
    # Behind a branch that is always taken stands another program, or nothing.
    if op is Op.DECIDE and row[S.VALUE] >= CERTAIN:
        return
    yield at + 1, -1 if op in (Op.BATCH, Op.SETTLE) else armed


def _after_commit(plan: Plan, entries: set[int]) -> set[int]:
    """Return every stage that can be reached once money has moved for good."""
    stages = plan.stage
    moves = stages[:, S.FLAGS] & int(Flag.SETTLES | Flag.CREDITS) != 0
    moves &= np.isin(stages[:, S.OP], (Op.POST, Op.BATCH, Op.SETTLE))
    seen = {(entry, -1, False) for entry in entries}
    queue = list(seen)
    while queue:
        at, armed, moved = queue.pop()
        for following, then in _next(stages, at, armed):
            # A jump away from the commit is one that did not happen.
            has_moved = moved or bool(moves[at] and following == at + 1)
            state = (following, then, has_moved)
            if state not in seen:
                seen.add(state)
                queue.append(state)
    return {at for at, _, moved in seen if moved}


def _check(plan: Plan) -> int:
    entries = set(plan.route[:, RouteColumn.ENTRY].tolist())
    for column in (RouteColumn.CONFIRMED, RouteColumn.AUTHORISED):
        entries |= {stage for stage in plan.route[:, column].tolist() if stage >= 0}
    entries |= set(plan.stream[:, StreamColumn.ENTRY].tolist())
    after = _after_commit(plan, entries)
    assert after, "nothing ever commits"
    for at in after:
        op, value = plan.stage[at, S.OP], plan.stage[at, S.VALUE]
        name = plan.names.stages[at]
        assert op != Op.ROUTE, name
        assert not (op == Op.END and value == Outcome.REJECTED), name
    return len(after)


@pytest.mark.parametrize("path", LIBRARY, ids=[path.stem for path in LIBRARY])
def test_nothing_is_rejected_after_a_commit_in_the_library(path: Path) -> None:
    plan = compile_scenario(load_scenario(path), with_tables=False).plan
    carries_money = bool((plan.route[:, RouteColumn.PRICING] >= 0).any())
    if carries_money:
        assert _check(plan) > 2


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN.keys())
def test_nothing_is_rejected_after_a_commit_as_written(tmp_path: Path, text: str) -> None:
    plan = compile_scenario(load_text(tmp_path, text), with_tables=False).plan
    assert _check(plan) > 2


def test_the_walk_finds_what_it_looks_for(tmp_path: Path) -> None:
    plan = compile_scenario(load_text(tmp_path, BOUNDED), with_tables=False).plan
    at = next(
        number
        for number, name in enumerate(plan.names.stages)
        if name.endswith("creditor_agent.core")
    )
    # As before the repair: a full queue behind the commit leads to where nothing was sent.
    plan.stage[at, S.TARGET] = next(
        number for number, name in enumerate(plan.names.stages) if name.endswith("next route")
    )
    with pytest.raises(AssertionError, match="next route"):
        _check(plan)


def test_a_program_that_rejects_what_it_has_settled_is_not_compiled() -> None:
    program = (
        Stage(Op.POST, "settle", flags=Flag.SETTLES),
        Stage(Op.SERVE, "core", target=FAIL),
        Stage(Op.END, "completed", value=int(Outcome.COMPLETED)),
        Stage(Op.END, "rejected", mark=FAIL, value=int(Outcome.REJECTED)),
    )
    with pytest.raises(InvariantViolation, match="'rejected' is reached after money has moved"):
        check_program(program, "route")


def test_a_program_that_undoes_in_doubt_is_not_compiled() -> None:
    program = (
        Stage(Op.DEADLINE, "patience", value=1, target=FAIL),
        Stage(Op.SERVE, "ask", target=FAIL, flags=Flag.ASKS),
        Stage(Op.END, "completed", value=int(Outcome.COMPLETED)),
        Stage(Op.VOID, "undo", mark=FAIL),
        Stage(Op.END, "rejected", value=int(Outcome.REJECTED)),
    )
    with pytest.raises(InvariantViolation, match="'undo' is reached in doubt"):
        check_program(program, "route")
    known = (
        *program[:3],
        Stage(Op.RESOLVE, "known", mark=FAIL),
        Stage(Op.VOID, "undo"),
        program[4],
    )
    check_program(known, "route")
