"""What goes wrong with what is asked about payments, and tried again, is found by its rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim.audit.run import audit_log
from sim.contract.inquiries import INQUIRY_FIRST
from sim.contract.layout import StageColumn
from sim.contract.meaning import LogKind, Op
from sim.contract.plan import Array, Plan
from sim.contract.records import LogColumn as L
from tests.theory.driver import Ran, load_text, run

ASKED = """
scenario: asked
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 1 min}
rails:
  shop:
    kind: generic
    stations: {desk: {servers: 1, queue_limit: 3}}
    stages:
      - {name: patience, deadline: 20 s}
      - {name: work, serve: desk, time: 5 s, retry: {most: 3, first: 2 s, jitter: 0 %}}
    polls: {first: 2 s, every: 2 s, most: 3}
    repeats: {after: [1 s, 30 s]}
    retry_after: 1 s
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  paid: {corridor: inside, payments: [LIST]}
"""

Fault = Callable[[Plan, Array], None]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    listed = ", ".join(f"{{at: {at} s, amount: 1}}" for at in (1, 2, 3, 4, 5, 6))
    folder = tmp_path_factory.mktemp("asked")
    found = run(load_text(folder, ASKED.replace("LIST", listed)), "reference")
    checks = audit_log(found.plan, [found.log], [found.records], found.totals).checks
    assert checks["inquiry"] > 30
    assert checks["retry"] > 0
    return found


def _row(log: Array, kind: LogKind, which: int = 0) -> int:
    return int(np.flatnonzero(log[:, L.KIND] == kind)[which])


def _add(kind: LogKind, column: L, by: int, which: int = 0) -> Fault:
    def fault(plan: Plan, log: Array) -> None:
        log[_row(log, kind, which), column] += by

    return fault


def _drop(kind: LogKind, which: int = 0) -> Fault:
    def fault(plan: Plan, log: Array) -> None:
        # Rows are never of time -1: taken out below.
        log[_row(log, kind, which), L.TIME_US] = -1

    return fault


def _told_early(plan: Plan, log: Array) -> None:
    """Let a repeated request be told success while its payment is open."""
    rows = (log[:, L.KIND] == LogKind.ANSWERED) & (log[:, L.SUBJECT] == 3)
    log[np.flatnonzero(rows)[0], L.SUBJECT] = 0


def _pays(plan: Plan, log: Array) -> None:
    """Let a poll end as payments do."""
    log[_row(log, LogKind.ANSWERED), L.KIND] = LogKind.OUTCOME


def _fewer_polls(plan: Plan, log: Array) -> None:
    asks = np.flatnonzero(plan.stage[:, StageColumn.OP] == Op.ASK)
    plan.stage[asks, StageColumn.VALUE] = 1


def _no_tries(plan: Plan, log: Array) -> None:
    again = np.flatnonzero(plan.stage[:, StageColumn.OP] == Op.RETRY)
    plan.stage[again, StageColumn.VALUE] = 1


def _of_another(plan: Plan, log: Array) -> None:
    at = _row(log, LogKind.ASKED)
    log[at, L.SUBJECT] = INQUIRY_FIRST


FAULTS: list[tuple[str, Fault, str]] = [
    ("an inquiry is miscounted", _add(LogKind.ASKED, L.AMOUNT, 1), "inquiry"),
    ("an inquiry has another number", _add(LogKind.ASKED, L.PAYMENT, 1), "inquiry"),
    ("an inquiry is about an inquiry", _of_another, "inquiry"),
    ("more polls than allowed", _fewer_polls, "inquiry"),
    ("an answer says another outcome", _add(LogKind.ANSWERED, L.SUBJECT, -1), "inquiry"),
    ("a poll is told an outcome before the end", _told_early, "inquiry"),
    ("a poll ends like a payment", _pays, "inquiry"),
    ("an answer is lost", _drop(LogKind.ANSWERED), "sequence"),
    ("an inquiry is lost", _drop(LogKind.ASKED), "one_outcome"),
    ("a try is miscounted", _add(LogKind.RETRY, L.AMOUNT, 1), "retry"),
    ("more tries than allowed", _no_tries, "retry"),
    ("a try is lost", _drop(LogKind.RETRY), "sequence"),
]


@pytest.mark.parametrize(("fault", "rule"), [pytest.param(f, r, id=n) for n, f, r in FAULTS])
def test_faults_are_found(ran: Ran, fault: Fault, rule: str) -> None:
    plan, log = ran.plan, ran.log.copy()
    stages = plan.stage.copy()
    try:
        fault(plan, log)
        kept = log[log[:, L.TIME_US] >= 0]
        found = {violation.rule for violation in audit_log(plan, [kept], None).violations}
    finally:
        plan.stage[:] = stages
    assert rule in found


def test_an_answer_of_the_end_that_never_comes_is_found(tmp_path: Path) -> None:
    text = ASKED.replace("LIST", "{at: 1 s, amount: 1}").replace("polls:", "# polls:")
    ran = run(load_text(tmp_path, text), "reference")
    # The repeated request of 2 s waits for the end at 6 s, and is told there.
    at = np.flatnonzero(ran.log[:, L.KIND] == LogKind.ANSWERED)
    assert ran.log[at[0], L.TIME_US] == 6_000_000
    log = np.delete(ran.log, at[0], axis=0)
    assert "inquiry" in {one.rule for one in audit_log(ran.plan, [log], None).violations}


def test_a_payment_in_doubt_about_which_nobody_asks_is_found(tmp_path: Path) -> None:
    from tests.theory.test_doubt import ANTOM, GWLATE

    ran = run(load_text(tmp_path, GWLATE, [f"rails.unionpay.query={ANTOM}"]), "reference")
    log = ran.log[ran.log[:, L.PAYMENT] < INQUIRY_FIRST]
    assert "inquiry" in {one.rule for one in audit_log(ran.plan, [log], None).violations}
