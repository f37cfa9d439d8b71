"""A scheme carries no less than its minimum, and amounts in whole steps.

Instants are those of the minimal scenario (see ``test_cases_by_hand``): an outbound payment of 3 s
is scanned by 3.1, has left the bank's core at 3.3, is looked up by 3.5 and confirmed by 6.5 s.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sim.audit.run import audit_log
from sim.compiler.compile import compile_scenario
from sim.contract.layout import LimitColumn
from sim.contract.records import WorkloadColumn
from sim.errors import ScenarioError
from tests.theory.driver import Ran, load_text, run

OUTBOUND = """
scenario: small
extends: MINIMAL
demand: {inbound: null, domestic: null, outbound: {payments: [{at: 3 s, amount: AMOUNT}]}}
"""


def _outbound(folder: Path, engine: str, amount: str) -> Ran:
    return run(load_text(folder, OUTBOUND.replace("AMOUNT", amount)), engine)


def test_what_is_too_little_after_the_exchange_is_refused(tmp_path: Path, engine: str) -> None:
    # 4,000 / 7.1875 = 556.52 riel a yuan: 0.17 yuan are 94.61, with 0.8 % 95.4, in whole riel 96.
    ran = _outbound(tmp_path, engine, "0.17")
    assert ran.ended("outbound") == (6_500_000, "REJECTED", "AM06")
    assert ran.record("outbound")["debited"] is None


def test_what_is_just_enough_after_the_exchange_passes(tmp_path: Path, engine: str) -> None:
    # 0.18 yuan are 100.17 riel, with 0.8 % 100.98, in whole riel 101.
    ran = _outbound(tmp_path, engine, "0.18")
    assert ran.ended("outbound")[1:] == ("COMPLETED", "NONE")
    assert ran.record("outbound")["debited"] == 101_00


def test_the_audit_knows_the_least_amount(tmp_path: Path) -> None:
    ran = _outbound(tmp_path, "reference", "0.17")
    limit = ran.plan.limit.copy()
    assert limit[:, LimitColumn.LEAST].max() == 100_00
    # With a minimum of 90 riel the refusal has no cause; without a refusal one of 100 is broken.
    limit[:, LimitColumn.LEAST] = 90_00
    found = audit_log(replace(ran.plan, limit=limit), [ran.log], None).violations
    assert [violation.rule for violation in found] == ["failure"]
    ran = _outbound(tmp_path, "reference", "0.18")
    limit[:, LimitColumn.LEAST] = 102_00
    found = audit_log(replace(ran.plan, limit=limit), [ran.log], None).violations
    assert "sequence" in {violation.rule for violation in found}


@pytest.mark.parametrize(
    ("amounts", "amount", "refusal"),
    [
        ("", "99", "found '99.00 KHR'; allowed: at least 100.00 KHR, as bakong asks"),
        ("", "150", "found '150.00 KHR'; allowed: whole steps of 100.00 KHR, as bakong asks"),
        ("{KHR: {minimum: 20, step: 50}}", "150", ""),
        # Two steps of 50 are the least multiple that is not below 70.
        (
            "{KHR: {minimum: 70, step: 50}}",
            "50",
            "found '50.00 KHR'; allowed: at least 100.00 KHR, as bakong asks",
        ),
    ],
)
def test_written_amounts_are_what_the_scheme_carries(
    tmp_path: Path, amounts: str, amount: str, refusal: str
) -> None:
    rails = f"rails: {{bakong: {{amounts: {amounts}}}}}\n" if amounts else ""
    text = f"""
scenario: written
extends: MINIMAL
{rails}demand: {{domestic: {{payments: [{{at: 1 s, amount: {amount}}}]}}}}
"""
    loaded = load_text(tmp_path, text)
    if not refusal:
        compile_scenario(loaded)
        return
    with pytest.raises(ScenarioError) as caught:
        compile_scenario(loaded)
    assert refusal in str(caught.value)


@pytest.mark.parametrize(("rules", "least", "step"), [("", 100, 100), ("KHR", 300, 50)])
def test_drawn_amounts_follow_minimum_and_step(
    tmp_path: Path, rules: str, least: int, step: int
) -> None:
    written = "amounts: {KHR: {minimum: 300, step: 50}}, " if rules else ""
    text = f"""
scenario: drawn
extends: MINIMAL
clock: {{horizon: 200 s}}
rails: {{bakong: {{{written}opening_balance: {{KHR: 1 000 000 000}}}}}}
demand:
  inbound: null
  outbound: null
  domestic:
    payments: null
    rate: 10 /s
    amount: {{lognormal: {{mean: 1 000 KHR, sigma: 1.5}}}}
"""
    [*chunks] = compile_scenario(load_text(tmp_path, text)).workload()
    [amounts] = [chunk[:, WorkloadColumn.AMOUNT] for chunk in chunks]
    assert len(amounts) > 1_500
    assert (amounts % (step * 100) == 0).all()
    assert amounts.min() == least * 100
    assert len(set(amounts.tolist())) > 20
