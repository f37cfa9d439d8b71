"""What goes wrong with orders of shops is found by its rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim.audit.run import audit_log
from sim.contract.meaning import LogKind
from sim.contract.plan import Array, Plan
from sim.contract.records import LogColumn as L
from sim.contract.shops import ShopColumn
from tests.theory.driver import MINIMAL, Ran, load_text, run

Fault = Callable[[Plan, Array], Array]

# Two units and five orders 2 s apart: two are taken and asked about every 3 s under a token of one
# call in 4 s; the first is paid after 6 s and seen, the others expire, and a late one goes back.
ORDERS = f"""
scenario: orders
extends: {MINIMAL}
clock: {{start: 2025-09-17T12:00:00+07:00, horizon: 2 min}}
shops:
  lotus:
    stock: 2
    code: deep_link
    gives_up: 0 %
    decides: 1 s
    life: LIFE
    polls: POLLS
    token: {{rate: 15 /min, burst: 1}}
    refund_after: 10 s
demand:
  inbound: null
  outbound: null
  domestic:
    corridor: kh_kh
    shop: lotus
    payments: [{{at: 2 s, amount: 1 000}}, {{at: 3 s, amount: 2 000}}, {{at: 4 s, amount: 3 000}},
      {{at: 20 s, amount: 4 000}}]
"""


def _ran(folder: Path, life: str, polls: str) -> Ran:
    text = ORDERS.replace("LIFE", life).replace("POLLS", polls)
    found = run(load_text(folder, text), "reference")
    checks = audit_log(found.plan, [found.log], [found.records], found.totals).checks
    assert checks["shop"] > 10
    return found


@pytest.fixture(scope="module")
def each(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Return a run in which each order is asked about by itself; the second expires at 14 s."""
    return _ran(tmp_path_factory.mktemp("each"), "11 s", "{first: 3 s, factor: 1}")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Return a run in which calls are about one order each."""
    return _ran(tmp_path_factory.mktemp("many"), "9 s", "{first: 3 s, per_call: 1}")


def _row(log: Array, kind: LogKind, which: int = 0) -> int:
    return int(np.flatnonzero(log[:, L.KIND] == kind)[which])


def _add(kind: LogKind, column: L, by: int, which: int = 0) -> Fault:
    def fault(plan: Plan, log: Array) -> Array:
        log[_row(log, kind, which), column] += by
        return log

    return fault


def _drop(kind: LogKind, which: int = 0) -> Fault:
    return lambda _, log: np.delete(log, _row(log, kind, which), axis=0)


def _twice(kind: LogKind) -> Fault:
    def fault(plan: Plan, log: Array) -> Array:
        at = _row(log, kind)
        return np.insert(log, at, log[at], axis=0)

    return fault


def _shop(column: ShopColumn, by: int) -> Fault:
    def fault(plan: Plan, log: Array) -> Array:
        plan.shop[0, column] += by
        return log

    return fault


def _unpaid(plan: Plan, log: Array) -> Array:
    """Release an order before it is paid: with its first poll."""
    released = log[_row(log, LogKind.RELEASED)].copy()
    answered = _row(log, LogKind.ANSWERED)
    released[[L.TIME_US, L.KEY]] = log[answered, [L.TIME_US, L.KEY]]
    return np.insert(log, answered + 1, released, axis=0)


def _holds_nothing(plan: Plan, log: Array) -> Array:
    plan.shop[0, ShopColumn.HOLDS] = 0
    return log


EACH: list[tuple[str, Fault, str]] = [
    ("an order leaves more", _add(LogKind.ORDERED, L.AMOUNT, 1), "shop"),
    ("an order lives longer", _add(LogKind.ORDERED, L.VALUE, 1), "shop"),
    ("there is less to order", _shop(ShopColumn.STOCK, -1), "shop"),
    ("an order is refused with stock left", _shop(ShopColumn.STOCK, 1), "shop"),
    ("stock is not held", _holds_nothing, "shop"),
    ("an order is released unpaid", _unpaid, "shop"),
    ("an order is released twice", _twice(LogKind.RELEASED), "one_outcome"),
    ("a paid order is not released", _drop(LogKind.RELEASED), "shop"),
    ("an order is seen otherwise", _add(LogKind.RELEASED, L.VALUE, 1), "shop"),
    ("an order is asked about more often", _add(LogKind.RELEASED, L.AMOUNT, 1), "shop"),
    ("an order expires later", _add(LogKind.ORDER_EXPIRED, L.TIME_US, 1), "shop"),
    ("an expired order gives nothing back", _add(LogKind.ORDER_EXPIRED, L.VALUE, -1), "shop"),
    ("an order never expires", _drop(LogKind.ORDER_EXPIRED), "shop"),
    ("a token is larger", _shop(ShopColumn.TOKEN_BURST, 5), "shop"),
    ("a call passes a spent token", _drop(LogKind.THROTTLED), "sequence"),
    ("what expired is not paid back", _drop(LogKind.REFUND_DUE), "refund"),
    ("what expired is paid back twice", _twice(LogKind.REFUND), "refund"),
    ("an order is asked about by nobody", _drop(LogKind.ASKED), "sequence"),
]
MANY: list[tuple[str, Fault, str]] = [
    ("a shop asks about more", _add(LogKind.SHOP_ASKS, L.AMOUNT, 1), "shop"),
    ("a round is left out", _drop(LogKind.SHOP_ASKS, 1), "agenda"),
    ("an order is in no call", _drop(LogKind.ASKED, 1), "shop"),
    ("calls are larger", _shop(ShopColumn.PER_CALL, 1), "inquiry"),
]


@pytest.mark.parametrize(
    ("which", "fault", "rule"),
    [pytest.param("each", f, r, id=n) for n, f, r in EACH]
    + [pytest.param("many", f, r, id=n) for n, f, r in MANY],
)
def test_faults_are_found(each: Ran, many: Ran, which: str, fault: Fault, rule: str) -> None:
    ran = {"each": each, "many": many}[which]
    plan, shops = ran.plan, ran.plan.shop.copy()
    try:
        log = fault(plan, ran.log.copy())
        found = {violation.rule for violation in audit_log(plan, [log], None).violations}
    finally:
        plan.shop[:] = shops
    assert rule in found
