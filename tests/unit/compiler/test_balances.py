"""Money that adds up to more than balances can hold is refused where it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.layout import BALANCE_MAX
from sim.errors import ScenarioError
from tests.theory.driver import load_text

DOMESTIC = """
scenario: rich
extends: MINIMAL
demand: {inbound: null, outbound: null}
"""
RATE = "{payments: null, rate: %s, amount: {constant: 90 000 000 000 000 KHR}}"


def problems(folder: Path, changes: str) -> list[tuple[str, str]]:
    with pytest.raises(ScenarioError) as caught:
        compile_scenario(load_text(folder, DOMESTIC + changes), with_tables=False)
    return [(problem.path, problem.message) for problem in caught.value.problems]


def test_deposits_are_bounded_together(tmp_path: Path) -> None:
    late = "{after: 1 s, amount: 6 000 000 000 000 000}"
    found = problems(
        tmp_path, f"accounts: {{river_khr_for_alipay: {{deposits: {{a: {late}, b: {late}}}}}}}"
    )
    # Twice 6 * 10^15, the account's 100 000, 1 000 000 for each of two banks on the ledger, and the
    # one payment of 12 000. The bound is 2^60 minor units with two decimals.
    assert BALANCE_MAX == 1_152_921_504_606_846_976
    message = (
        "comes to 6 000 000 000 000 000.00 KHR of 12 000 000 002 112 000.00 KHR in all; allowed: "
        "deposits, overdrafts and expected payments in KHR together below "
        "11 529 215 046 068 469.76 KHR"
    )
    assert found == [
        ("accounts.river_khr_for_alipay.deposits.a.amount", message),
        ("accounts.river_khr_for_alipay.deposits.b.amount", message),
    ]


def test_demand_is_bounded_by_what_it_is_expected_to_pay(tmp_path: Path) -> None:
    # 60 s of 2 and of 3 payments a second: 120 * 9 * 10^13 = 1.08 * 10^16, 180 times 1.62 * 10^16.
    # 2^60 minor units are 1.15 * 10^16 riel.
    fits = load_text(tmp_path, f"{DOMESTIC[:-2]}, domestic: {RATE % '2 /s'}}}")
    compile_scenario(fits, with_tables=False)
    over = load_text(tmp_path, f"{DOMESTIC[:-2]}, domestic: {RATE % '3 /s'}}}")
    with pytest.raises(ScenarioError, match=r"demand\.domestic\.amount: comes to 16 200 000 000 0"):
        compile_scenario(over, with_tables=False)


@pytest.mark.parametrize("bearer", ["debtor", "creditor"])
def test_fees_are_registers_too(tmp_path: Path, bearer: str) -> None:
    # 2^53 minor units are 90 071 992 547 409.92 riel: one fee stays below, two of them do not.
    fee = f"{{component: dear, bearer: {bearer}, fixed: 50 000 000 000 000 KHR}}"
    fits = load_text(tmp_path, f"{DOMESTIC}corridors: {{kh_kh: {{fees: {{a: {fee}}}}}}}")
    compile_scenario(fits, with_tables=False)
    found = problems(tmp_path, f"corridors: {{kh_kh: {{fees: {{a: {fee}, b: {fee}}}}}}}")
    assert found == [
        (
            "demand.domestic.payments",
            f"amounts up to 1,200,000 minor units make the fees the {bearer} bears of KHR-KHR-KHR "
            "overflow; allowed: below 9,007,199,254,740,992 minor units everywhere",
        )
    ]
