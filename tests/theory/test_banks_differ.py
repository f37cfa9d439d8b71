"""Each institution has its own core time and its own share of declines, looked up by payment.

Every instant was worked out by hand; rounds and times are those of the minimal scenario (see
``test_cases_by_hand``).
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from sim.audit.run import audit_log
from sim.compiler.compile import compile_scenario
from sim.contract.layout import CERTAIN
from sim.contract.meaning import LogKind
from sim.contract.records import LogColumn, RecordColumn
from tests.theory.driver import load_text, run

TWO_BANKS = """
scenario: two-banks
extends: MINIMAL
institutions:
  river_bank: {core: {service_time: 0.1 s}, decline: RIVER}
  temple_bank: {core: {service_time: 0.3 s}, decline: TEMPLE}
demand:
  inbound: null
  outbound: null
  domestic:
    payments:
      - {at: 2 s, amount: 12 000, merchant: 0, debtor_agent: temple_bank}
      - {at: 3 s, amount: 12 000, merchant: 1, debtor_agent: river_bank}
"""


def two_banks(river: str, temple: str) -> str:
    return TWO_BANKS.replace("RIVER", river).replace("TEMPLE", temple)


def test_either_bank_takes_its_own_time_on_either_side(tmp_path: Path, engine: str) -> None:
    ran = run(load_text(tmp_path, two_banks("0 %", "0 %")), engine)
    # Temple pays river: scan 2.1, temple's core 0.3 to 2.4, confirmed 5.4, joins 5.45; the idle
    # rounds of 2.4 and 5.4 leave the next at 8.4, commit 8.7. River's core 0.1 to 8.8, told 8.9.
    assert ran.ended("domestic") == (8_900_000, "COMPLETED", "NONE")
    # River pays temple: scan 3.1, river's core to 3.2, confirmed 6.2, joins 6.25: the same block.
    # Temple's core 0.3 to 9.0, told 9.1.
    assert ran.ended("domestic.1") == (9_100_000, "COMPLETED", "NONE")
    served = [(row[2], row[4], row[5]) for row in ran.rows(LogKind.START) if "core" in row[4]]
    assert served == [
        ("domestic", "temple_bank.core", 300_000),
        ("domestic.1", "river_bank.core", 100_000),
        ("domestic", "river_bank.core", 100_000),
        ("domestic.1", "temple_bank.core", 300_000),
    ]


def test_either_bank_declines_by_its_own_share(tmp_path: Path, engine: str) -> None:
    ran = run(load_text(tmp_path, two_banks("100 %", "0 %")), engine)
    assert ran.ended("domestic") == (8_900_000, "COMPLETED", "NONE")
    # Scan 3.1, core 0.1: refused at 3.2.
    assert ran.ended("domestic.1") == (3_200_000, "REJECTED", "AG01")


def test_without_declines_no_bank_decides(tmp_path: Path) -> None:
    plan = compile_scenario(load_text(tmp_path, two_banks("0 %", "0 %"))).plan
    assert not any("debtor_agent.decline" in name for name in plan.names.stages)
    plan = compile_scenario(load_text(tmp_path, two_banks("0 %", "1 %"))).plan
    assert any("debtor_agent.decline" in name for name in plan.names.stages)


def test_a_route_is_expected_to_take_what_its_banks_take_on_average(tmp_path: Path) -> None:
    text = two_banks("0 %", "0 %").replace("decline: 0 %}", "decline: 0 %, SHARES}")
    text = text.replace("SHARES", "payer_share: 3, merchant_share: 1", 1)
    text = text.replace("SHARES", "payer_share: 1, merchant_share: 1")
    # Payers: (3 x 0.1 + 0.3) / 4 = 0.15 s. Payees: (0.1 + 0.3) / 2 = 0.2 s. With confirmation 3,
    # hop 0.05, half a round 0.4, vote 0.3 and notification 0.1: 4.2 s.
    [route] = compile_scenario(load_text(tmp_path, text)).routes
    assert route.expected_us == 4_200_000


def test_declines_of_many_payers_are_those_of_their_banks(tmp_path: Path) -> None:
    text = """
scenario: declines
extends: MINIMAL
clock: {horizon: 1000 s}
institutions:
  river_bank: {payer_share: 1, decline: 10 %}
  temple_bank: {payer_share: 1, decline: 40 %}
rails: {khqr: {scan_time: 0 s, confirmation_time: 0 s}, bakong: {opening_balance: {KHR: 1 000 000 000}}}
demand:
  inbound: null
  outbound: null
  domestic: {payments: null, rate: 4 /s, amount: 100 KHR}
"""  # noqa: E501 - one line per rail
    ran = run(load_text(tmp_path, text), "compiled")
    for name, share in (("river_bank", 0.1), ("temple_bank", 0.4)):
        agent = ran.plan.names.agents.index(name)
        mine = ran.records[ran.records[:, RecordColumn.DEBTOR_AGENT] == agent]
        declined = (mine[:, RecordColumn.OUTCOME] == 1).mean()
        # Four standard errors of a share of about two thousand payments.
        assert len(mine) > 1_800
        assert abs(declined - share) < 4 * math.sqrt(share * (1 - share) / len(mine))


def test_the_audit_finds_another_banks_time(tmp_path: Path) -> None:
    ran = run(load_text(tmp_path, two_banks("100 %", "0 %")), "reference")
    log = ran.log.copy()
    # Temple's core takes 0.1 s as if it were river's.
    at = int(np.flatnonzero(log[:, LogColumn.KIND] == LogKind.START)[0])
    log[at, LogColumn.AMOUNT] = 100_000
    found = audit_log(ran.plan, [log], None).violations
    assert "which no draw of its table gives" in found[0].message


def test_the_audit_finds_another_banks_share(tmp_path: Path) -> None:
    ran = run(load_text(tmp_path, two_banks("100 %", "0 %")), "reference")
    # Had the banks' shares been exchanged, river's refusal and temple's consent had no cause.
    plan = replace(ran.plan, agent_share=CERTAIN - ran.plan.agent_share)
    found = audit_log(plan, [ran.log], None).violations
    assert {"failure", "sequence"} <= {violation.rule for violation in found}
