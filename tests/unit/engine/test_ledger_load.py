"""Load of a ledger, worked out by hand: both engines, and the audit with planted corruptions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sim.audit.run import audit_log
from sim.contract.loads import LoadColumn
from sim.contract.meaning import Cause, LogKind, Op
from sim.contract.plan import Array, Plan
from sim.contract.records import LedgerTotal, LogColumn
from sim.contract.run import Engine
from sim.engine.compiled import run_compiled
from sim.engine.reference import run_reference
from sim.errors import InvariantViolation
from tests.unit.engine.worked import SECOND, Ran, Sketch, at, run_plan

ENGINES = (run_reference, run_compiled)
COUNTS = (2, 5, 0, 0, 0, 0, 0, 0, 2, 0)
"""Load that joins in each second, from 0 to 10."""
TIMES = (1.35, 1.45, 1.8, 1.95, 5.4)


def plan_of(
    counts: tuple[int, ...] = COUNTS, *, sample: float = 0, warm_up: float = 0, **ledger: int
) -> Plan:
    """Blocks of 3, a round a second, votes of 0.5 s, idle gaps up to 4 s; ten seconds."""
    sketch = Sketch(horizon=9.5, sample=sample, warm_up=warm_up)
    values = {
        "round_interval_us": SECOND,
        "block_limit": 3,
        "vote_table": sketch.constant(0.5),
        "idle_max_us": 4 * SECOND,
        **ledger,
    }
    number = sketch.builder.add_ledger("ledger", **values)
    if counts:
        joined = np.concatenate([[0], np.cumsum(counts)])
        sketch.builder.add_load(number, SECOND, joined)
    sketch.builder.add_stage(Op.BATCH, "", subject=number, cause=Cause.LEDGER)
    sketch.completed()
    return sketch.build()


@pytest.mark.parametrize("engine", ENGINES)
def test_payments_stand_behind_the_load_that_came_before_them(engine: Engine) -> None:
    """Two of the load join in the first second, five in the second one: blocks of three.

    The i-th of n of a second joins (i - 1/2) / n into it: at 0.25 and 0.75; at 1.1, 1.3, 1.5, 1.7
    and 1.9; at 8.25 and 8.75. Payments a to e come at 1.35, 1.45, 1.8, 1.95 and 5.4, with 4, 4, 6,
    7 and 7 of the load before them. The queue is: 2 of the load, then 1.1, 1.3, a, b, 1.5, 1.7, c,
    1.9, d.

    Round 1 at 1: both of the first second wait, two of three places are taken, none waits on; it
    commits at 1.5. Round 2 at 2: five of the load wait; places 1 and 2 are theirs, a has place 4 -
    2 + 1 = 3 and enters, b has 4 - 2 + 2 = 4 and does not: 3 - 1 = 2 of the load enter, 3 wait on.
    Round 3 at 3, taken 4: b has place 4 - 4 + 1 = 1, c has 6 - 4 + 2 = 4: 2 of the load, 1 stays.
    Round 4 at 4, taken 6: c has place 6 - 6 + 1 = 1, d 7 - 6 + 2 = 3: both, and 1 of the load.
    Round 5 at 5 is idle (gap 2), so e of 5.4 waits for round 6 at 7: its place is 7 - 7 + 1 = 1.
    Round 7 at 8 is idle, gap 2: round 8 would start at 10. At the horizon of 9.5 two of the load
    wait.
    """
    ran = run_plan(plan_of(), at(*TIMES), engine=engine)
    kinds = (LogKind.IN_BLOCK, LogKind.LOAD, LogKind.COMMIT)
    assert ran.rows(*kinds) == [
        (1, "LOAD", -1, -1, 0, 2, 0),
        (1.5, "COMMIT", -1, -1, 0, 0, 1),
        (2, "IN_BLOCK", 0, 0, 0, -1, 2),
        (2, "LOAD", -1, -1, 0, 2, 3),
        (2.5, "COMMIT", -1, -1, 0, 1, 2),
        (3, "IN_BLOCK", 1, 0, 0, -1, 3),
        (3, "LOAD", -1, -1, 0, 2, 1),
        (3.5, "COMMIT", -1, -1, 0, 1, 3),
        (4, "IN_BLOCK", 2, 0, 0, -1, 4),
        (4, "IN_BLOCK", 3, 0, 0, -1, 4),
        (4, "LOAD", -1, -1, 0, 1, 0),
        (4.5, "COMMIT", -1, -1, 0, 2, 4),
        (7, "IN_BLOCK", 4, 0, 0, -1, 6),
        (7.5, "COMMIT", -1, -1, 0, 1, 6),
    ]
    total = ran.totals.ledger[0]
    # Blocks, payments in them, the load in them; most of it waited at the start of round 2.
    found = {column.name: int(total[column]) for column in LedgerTotal}
    assert (found["BLOCKS"], found["INCLUDED"], found["LOAD"]) == (5, 5, 7)
    assert (found["LOAD_MAX"], found["LOAD_END"]) == (5, 2)
    # Waits to the commit: 1.15, 2.05, 2.7, 2.55, 2.1.
    assert found["WAIT_SUM_US"] == round(10.55 * SECOND)


@pytest.mark.parametrize("engine", ENGINES)
def test_without_the_load_they_wait_for_the_next_round_only(engine: Engine) -> None:
    """Rounds at 1 (idle, gap 2), 3: a, b, c; 4: d; 5 idle; 7: e. Nothing tells of load."""
    ran = run_plan(plan_of(()), at(*TIMES), engine=engine)
    assert ran.when(LogKind.IN_BLOCK) == [(3, 0), (3, 1), (3, 2), (4, 3), (7, 4)]
    assert not ran.rows(LogKind.LOAD)
    assert ran.totals.ledger[0, LedgerTotal.LOAD :].tolist() == [0, 0, 0]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sample_shows_what_of_the_load_waits_and_what_was_taken(engine: Engine) -> None:
    """Every 1.2 s, with the warm-up at 2.2.

    At 1.2 one of the second second has joined (1.1), 2 were taken; at 2.4 three wait, taken 4; at
    3.6 one, 6; at 4.8 none, 7, and so at 6, 7.2 and 8.4, when one has joined. From the warm-up on
    blocks commit at 2.5, 3.5 and 4.5 with 2 + 2 + 1 of the load; most of it at the start of a round
    waited at 3, where three were left.
    """
    plan = plan_of(sample=1.2, warm_up=2.2)
    ran = run_plan(plan, at(*TIMES), engine=engine)
    shown = [(row[0], *row[5:]) for row in ran.rows(LogKind.SAMPLE_LOAD)]
    assert shown == [
        (0, 0, 0), (1.2, 1, 2), (2.4, 3, 4), (3.6, 1, 6),
        (4.8, 0, 7), (6, 0, 7), (7.2, 0, 7), (8.4, 1, 7),
    ]  # fmt: skip
    assert ran.totals.ledger[0, LedgerTotal.LOAD :].tolist() == [5, 3, 2]
    report = audit_log(plan, [ran.log], [ran.records], ran.totals)
    assert report.violations == ()
    assert report.checks["load"] > 5


def test_a_failed_leader_lets_the_load_wait_on() -> None:
    """Every leader fails: rounds at 1, 2, ..., 9 with work say so, and nothing is taken."""
    ran = run_plan(plan_of(leader_failure=1 << 62), at(*TIMES))
    assert [row[0] for row in ran.rows(LogKind.LEADER_FAILED)] == list(range(1, 10))
    assert ran.totals.ledger[0, LedgerTotal.LOAD :].tolist() == [0, 9, 9]


Corruption = Callable[[Plan, Array], tuple[Plan, Array]]


def change(kind: LogKind, column: LogColumn, by: int, skip: int = 0) -> Corruption:
    def corrupt(plan: Plan, log: Array) -> tuple[Plan, Array]:
        log[np.flatnonzero(log[:, LogColumn.KIND] == kind)[skip], column] += by
        return plan, log

    return corrupt


def drop(kind: LogKind, skip: int = 0) -> Corruption:
    def corrupt(plan: Plan, log: Array) -> tuple[Plan, Array]:
        return plan, np.delete(log, np.flatnonzero(log[:, LogColumn.KIND] == kind)[skip], axis=0)

    return corrupt


def before_its_place(plan: Plan, log: Array) -> tuple[Plan, Array]:
    """Let b enter the block of a, in the place of one of the load."""
    entered = np.flatnonzero(log[:, LogColumn.KIND] == LogKind.IN_BLOCK)
    row = log[entered[0]].copy()
    row[LogColumn.PAYMENT] = 1
    log = np.delete(log, entered[1], axis=0)
    log[np.flatnonzero(log[:, LogColumn.KIND] == LogKind.LOAD)[1], [5 + 1, 5 + 2]] = 1, 4
    return plan, np.insert(log, entered[0] + 1, row, axis=0)


def another_count(plan: Plan, log: Array) -> tuple[Plan, Array]:
    """Let one of the load have joined a second later."""
    counts = plan.load_count.copy()
    counts[2] -= 1
    return Plan(**{**_fields(plan), "load_count": counts}), log


def _fields(plan: Plan) -> dict[str, object]:
    return {name: getattr(plan, name) for name in plan.__dataclass_fields__}


@pytest.mark.parametrize(
    ("corrupt", "rule"),
    [
        (change(LogKind.LOAD, LogColumn.AMOUNT, 1), "load"),
        (change(LogKind.LOAD, LogColumn.VALUE, -1, skip=1), "load"),
        (drop(LogKind.LOAD, skip=1), "load"),
        (drop(LogKind.LOAD), "ledger_round"),
        (before_its_place, "load"),
        (another_count, "load"),
        (drop(LogKind.IN_BLOCK), "block_order"),
        (change(LogKind.SAMPLE_LOAD, LogColumn.AMOUNT, 1), "sample"),
        (change(LogKind.SAMPLE_LOAD, LogColumn.VALUE, 1, skip=2), "sample"),
        (drop(LogKind.SAMPLE_LOAD, skip=1), "sample"),
    ],
    ids=lambda one: one if isinstance(one, str) else None,
)
def test_a_corruption_is_found(corrupt: Corruption, rule: str) -> None:
    plan = plan_of(sample=1.2)
    ran = run_plan(plan, at(*TIMES))
    assert audit_log(plan, [ran.log]).ok
    report = audit_log(*_as_chunks(corrupt(plan, ran.log.copy())))
    assert rule in {violation.rule for violation in report.violations}, report.violations


def _as_chunks(made: tuple[Plan, Array]) -> tuple[Plan, list[Array]]:
    return made[0], [made[1]]


@pytest.mark.parametrize("column", [LedgerTotal.LOAD, LedgerTotal.LOAD_MAX, LedgerTotal.LOAD_END])
def test_totals_of_load_are_those_of_the_log(column: LedgerTotal) -> None:
    plan = plan_of()
    ran = run_plan(plan, at(*TIMES))
    ran.totals.ledger[0, column] += 1
    report = audit_log(plan, [ran.log], None, ran.totals)
    assert {violation.rule for violation in report.violations} == {"totals"}


@pytest.mark.parametrize(
    ("counts", "why"),
    [((1, 2, 2), "begin at 0"), ((0, 2, 1), "fall"), ((0, 1), "horizon"), ((0, 1, 1), "")],
)
def test_a_plan_whose_counts_fall_or_end_early_is_refused(counts: list[int], why: str) -> None:
    sketch = Sketch(horizon=1.5)
    sketch.stream(entry=sketch.completed())
    ledger = sketch.builder.add_ledger(
        "l", round_interval_us=SECOND, block_limit=1, vote_table=sketch.constant(0)
    )
    sketch.builder.add_load(ledger, SECOND, np.array(counts))
    if why:
        with pytest.raises(InvariantViolation, match=why):
            sketch.build()
    else:
        assert sketch.build().load[0, LoadColumn.COUNT] == len(counts)


def test_both_engines_tell_the_same() -> None:
    runs: list[Ran] = []
    for engine in ENGINES:
        runs.append(run_plan(plan_of(sample=1.2), at(*TIMES), engine=engine))
    assert np.array_equal(runs[0].log, runs[1].log)
    assert np.array_equal(runs[0].totals.ledger, runs[1].totals.ledger)
