"""What goes wrong with payers who wait and leave is found by its rule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sim.audit.run import audit_log
from sim.contract.layout import StageColumn, StreamColumn
from sim.contract.meaning import LogKind, Op
from sim.contract.plan import Array, Plan
from sim.contract.records import LogColumn as L
from sim.contract.records import RecordColumn as C
from tests.theory.driver import Ran, load_text, run
from tests.theory.test_patience import SLOW

Fault = Callable[[Plan, Array], Array]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    text = SLOW.replace("PATIENCE", "10 s")
    found = run(load_text(tmp_path_factory.mktemp("left"), text), "reference")
    checks = audit_log(found.plan, [found.log], [found.records], found.totals).checks
    assert checks["patience"] > 10
    return found


def _row(log: Array, kind: LogKind, which: int = 0) -> int:
    return int(np.flatnonzero(log[:, L.KIND] == kind)[which])


def _add(kind: LogKind, column: L, by: int, which: int = 0) -> Fault:
    def fault(plan: Plan, log: Array) -> Array:
        log[_row(log, kind, which), column] += by
        return log

    return fault


def _drop(kind: LogKind, which: int = 0) -> Fault:
    return lambda _, log: np.delete(log, _row(log, kind, which), axis=0)


def _for_ever(plan: Plan, log: Array) -> Array:
    plan.stream[:, StreamColumn.PATIENCE] = -1
    return log


def _leads_on(plan: Plan, log: Array) -> Array:
    plan.stage[plan.stage[:, StageColumn.OP] == Op.PATIENCE, StageColumn.TARGET] = -1
    return log


FAULTS: list[tuple[str, Fault, str]] = [
    ("a payer has more patience", _add(LogKind.PATIENCE, L.AMOUNT, 1), "patience"),
    ("a payer never begins to wait", _drop(LogKind.PATIENCE, 2), "sequence"),
    ("a payer of a stream that waits for ever", _for_ever, "patience"),
    ("a payer who is given up stays", _drop(LogKind.GONE), "doubt"),
    ("a payer whose payment goes on stays", _drop(LogKind.GONE, 1), "patience"),
    ("a payer leaves later", _add(LogKind.GONE, L.TIME_US, 1), "patience"),
    ("a payer leaves by another event", _add(LogKind.GONE, L.KEY, 1), "patience"),
    ("a payment is given up after the debit", _add(LogKind.GONE, L.SUBJECT, 1, 1), "patience"),
    ("a payment goes on before it", _add(LogKind.GONE, L.SUBJECT, -1), "patience"),
    ("a payment is given up where none can be", _leads_on, "patience"),
]


@pytest.mark.parametrize(("fault", "rule"), [pytest.param(f, r, id=n) for n, f, r in FAULTS])
def test_faults_are_found(ran: Ran, fault: Fault, rule: str) -> None:
    plan = ran.plan
    stages, streams = plan.stage.copy(), plan.stream.copy()
    try:
        log = fault(plan, ran.log.copy())
        found = {violation.rule for violation in audit_log(plan, [log], None).violations}
    finally:
        plan.stage[:], plan.stream[:] = stages, streams
    assert rule in found


@pytest.mark.parametrize("column", [C.GONE_US, C.DOUBTED_US, C.KNOWN_US])
def test_a_changed_record_is_found(ran: Ran, column: C) -> None:
    records = ran.records.copy()
    at = np.flatnonzero(records[:, column] > 0)[0]
    records[at, column] += 1
    report = audit_log(ran.plan, [ran.log], [records])
    assert [violation.rule for violation in report.violations] == ["record"]
