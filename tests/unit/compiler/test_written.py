"""Payments written in a list come in order of time, and as written within an instant."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.compiler.compile import Compiled, compile_scenario
from sim.contract.layout import NEVER_US
from sim.contract.records import WorkloadColumn
from sim.scenario.scenario import load_scenario
from tests.theory.driver import MINIMAL, load_text

C = WorkloadColumn


def test_payments_of_one_instant_keep_their_order(tmp_path: Path) -> None:
    text = f"""
scenario: written
extends: {MINIMAL}
demand:
  inbound: null
  outbound: null
  domestic:
    payments:
      - {{at: 2 s, amount: 3 000, merchant: 1}}
      - {{at: 1 s, amount: 9 000}}
      - {{at: 2 s, amount: 2 000}}
      - {{at: 1 s, amount: 4 000, merchant: 1}}
      - {{at: 2 s, amount: 5 000, merchant: 1}}
"""
    [rows] = compile_scenario(load_text(tmp_path, text)).workload()
    told = [(int(row[C.TIME_US]) // 10**6, int(row[C.AMOUNT]) // 100) for row in rows]
    assert told == [(1, 9_000), (1, 4_000), (2, 3_000), (2, 2_000), (2, 5_000)]
    assert rows[:, C.ORDINAL].tolist() == [0, 1, 2, 3, 4]
    # What a row says of its payee stays with it.
    assert rows[:, C.MERCHANT].tolist() == [0, 1, 1, 0, 1]


def _aging(*changes: str) -> Compiled:
    """Return a plan whose codes are 20 minutes old, twice as long as dynamic ones live."""
    banks = "institutions.river_bank.merchant_share=1"
    made = (
        banks,
        "rails.khqr.payloads=null",
        "rails.khqr.merchants=4",
        "rails.khqr.dynamic_life=10 min",
    )
    sets = (*made, "rails.khqr.code_age=20 min", "demand.inbound=null", "demand.outbound=null")
    listed = "demand.domestic={payments: null, rate: 200 /s, amount: 9 000 KHR}"
    return compile_scenario(load_scenario(MINIMAL, (*sets, listed, *changes)))


@pytest.mark.parametrize(("share", "static"), [("100 %", 1.0), ("0 %", 0.0), ("30 %", 0.3)])
def test_static_codes_never_expire_and_dynamic_ones_do(share: str, static: float) -> None:
    compiled = _aging(f"rails.khqr.static_share={share}")
    expiries = [row for chunk in compiled.workload() for row in chunk[:, C.CODE_EXPIRY_US]]
    found = sum(int(at) == NEVER_US for at in expiries) / len(expiries)
    # Four standard deviations of 12 000 draws are below 2 %.
    assert len(expiries) > 10_000
    assert found == pytest.approx(static, abs=0.02)
    # A dynamic one was made 20 minutes before it is shown: 10 before its payment.
    assert all(int(at) < NEVER_US for at in expiries) == (static == 0)
