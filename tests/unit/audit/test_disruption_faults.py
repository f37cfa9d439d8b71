"""What a log says wrongly of places that work otherwise for a while is found by its rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sim.audit.run import audit_log
from sim.contract.agenda import AgendaKind
from sim.contract.layout import AgendaColumn
from sim.contract.meaning import LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import LogColumn as L
from tests.theory.driver import Ran, load_text, run

SLOW = """
scenario: slow
extends: MINIMAL
rails:
  shop:
    kind: generic
    stations: {desk: {servers: 4}, till: {rate_limit: 4 /s}}
    stages: [{name: work, serve: desk, time: 4 s}, {name: paid, serve: till, time: 0 s}]
corridors:
  th_th: {from: {country: TH, currency: THB}, to: {country: TH, currency: THB}, rails: [shop]}
institutions: {thai_bank: {country: TH, roles: [issuer, acquirer], payer_share: 1}}
demand:
  inbound: null
  outbound: null
  domestic: {payments: [{at: 1 s, amount: 1000}, {at: 1 s, amount: 1000}, {at: 1 s, amount: 1000}]}
  thai: {corridor: th_th, payments: [LIST]}
disruptions:
  desk: {degradation: shop, station: desk, times: 1.5, capacity: 50 %, after: 5 s, for: 20 s}
  till: {degradation: shop, station: till, capacity: 25 %, after: 5 s, for: 20 s}
  block: {degradation: bakong, station: ledger, capacity: 20 %, after: 0 s, for: 30 s}
"""

Fault = Callable[[Plan, Array], tuple[Plan, Array]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    listed = ", ".join(f"{{at: {at} s, amount: 1}}" for at in (6, 6, 6, 6, 7))
    return run(
        load_text(tmp_path_factory.mktemp("slow"), SLOW.replace("LIST", listed)), "reference"
    )


def _at(log: Array, kind: LogKind, which: int = 0) -> int:
    return int(np.flatnonzero(log[:, L.KIND] == kind)[which])


def _drop(kind: LogKind) -> Fault:
    return lambda plan, log: (plan, np.delete(log, _at(log, kind), axis=0))


def _change(kind: LogKind, column: L, by: int) -> Fault:
    def fault(plan: Plan, log: Array) -> tuple[Plan, Array]:
        log[_at(log, kind), column] += by
        return plan, log

    return fault


def _said(kind: AgendaKind, told: LogKind, amount: int) -> Fault:
    """Let agenda and log agree on another change than the one that was in force."""

    def fault(plan: Plan, log: Array) -> tuple[Plan, Array]:
        agenda = plan.agenda.copy()
        row = int(np.flatnonzero(agenda[:, AgendaColumn.KIND] == kind)[0])
        agenda[row, AgendaColumn.AMOUNT] = amount
        log[_at(log, told), L.AMOUNT] = amount
        return replace(plan, agenda=agenda), log

    return fault


K, A = LogKind, AgendaKind
FAULTS: list[tuple[str, Fault, str]] = [
    ("a change of pace is lost", _drop(K.STATION_PACE), "agenda"),
    ("a change of servers is lost", _drop(K.STATION_SERVERS), "agenda"),
    ("a pace is told wrongly", _change(K.STATION_PACE, L.AMOUNT, 1), "agenda"),
    ("a block is told of another size", _change(K.LEDGER_BLOCK, L.AMOUNT, 1), "agenda"),
    ("a change comes later", _change(K.STATION_RATE, L.TIME_US, 1), "agenda"),
    ("a desk is not as slow", _said(A.STATION_PACE, K.STATION_PACE, 3_000_000), "service_time"),
    ("more servers than are left", _said(A.STATION_SERVERS, K.STATION_SERVERS, 1), "capacity"),
    ("servers that are left idle", _said(A.STATION_SERVERS, K.STATION_SERVERS, 4), "capacity"),
    ("a cut rate is not kept", _said(A.STATION_RATE, K.STATION_RATE, 9_000_000), "rate"),
    ("a block of more than it may take", _said(A.LEDGER_BLOCK, K.LEDGER_BLOCK, 1), "block_limit"),
    ("a block of fewer than it may take", _said(A.LEDGER_BLOCK, K.LEDGER_BLOCK, 3), "block_order"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "rule"), [pytest.param(f, r, id=n) for n, f, r in FAULTS])
def test_a_fault_is_found(ran: Ran, fault: Fault, rule: str) -> None:
    plan, log = fault(ran.plan, ran.log.copy())
    assert rule in {one.rule for one in audit_log(plan, [log], None).violations}
