"""A payment that gives up two requests is in doubt since the first, in both engines, by hand."""

from __future__ import annotations

from sim.audit.run import audit_log
from sim.contract.meaning import Cause, Flag, LogKind, Op, Reason
from sim.contract.plan import Plan
from sim.contract.records import LogColumn, RecordColumn
from tests.equivalence.compared import run_both
from tests.equivalence.crafted import simple_workload
from tests.unit.engine.worked import SECOND, Sketch


def _plan(horizon: float) -> Plan:
    """Return a request of 100 s given up after 10 s, then another given up 5 s later."""
    sketch = Sketch(horizon=horizon)
    b = sketch.builder
    first, second = (b.add_station(name, servers=1) for name in ("first", "second"))
    b.add_stage(Op.DEADLINE, "", value=10 * SECOND, target=3, reason=Reason.AB03)
    sketch.serve(first, 100, flags=Flag.ASKS)
    sketch.completed()
    b.add_stage(Op.DEADLINE, "", value=5 * SECOND, target=5, reason=Reason.AB05)
    sketch.serve(second, 100, flags=Flag.ASKS)
    b.add_stage(Op.AWAIT, "", value=500 * SECOND, target=6, cause=Cause.IN_DOUBT, subject=-1)
    b.add_stage(Op.RESOLVE, "")
    sketch.rejected()
    return sketch.build()


def test_a_second_request_given_up_makes_a_doubt_no_younger() -> None:
    # Given up at 10 and at 15 s. The second, which began at 10, is answered at 110 s: by then
    # nobody had known for 100 s.
    plan = _plan(1_000)
    kept = run_both(plan, simple_workload([0]))
    rows = kept.log[:, [LogColumn.KIND, LogColumn.TIME_US, LogColumn.AMOUNT]].tolist()
    assert [at // SECOND for kind, at, _ in rows if kind == LogKind.IN_DOUBT] == [10, 15]
    known = [(at // SECOND, amount // SECOND) for kind, at, amount in rows if kind == LogKind.KNOWN]
    assert known == [(110, 100)]
    assert kept.record[0, RecordColumn.DOUBTED_US] == 10 * SECOND
    assert audit_log(plan, [kept.log], [kept.record], kept.totals).violations == ()


def test_an_open_doubt_is_told_since_the_first() -> None:
    plan = _plan(60)
    kept = run_both(plan, simple_workload([0]))
    assert kept.record[0, RecordColumn.IN_DOUBT_SINCE_US] == 10 * SECOND
    assert audit_log(plan, [kept.log], [kept.record], kept.totals).violations == ()
