"""Payments against payment followed by hand: both legs at one stroke, or neither.

A pays B 400 000 riel, B pays A 100 dollars for it, at 4 000 riel a dollar. In both engines, equal
to the last bit, and audited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from sim.contract.large_value import How
from sim.contract.meaning import LogKind, Outcome
from tests.support.large_value import Given, Ran

RIEL, DOLLARS = 400_000, 100


def _run(
    folder: Path,
    members: Mapping[str, Mapping[str, int]],
    dollars: Sequence[tuple[str, str, int, int]] = (),
    **system: object,
) -> Ran:
    """Let A and B exchange after a second; others pay dollars (payer, payee, amount, second)."""
    end = {code: {"country": "KH", "currency": code} for code in ("KHR", "USD")}
    exchange = {"at": "1 s", "amount": str(RIEL), "debtor_agent": "a", "creditor_agent": "b"}
    demand: dict[str, object] = {
        "exchange": {"corridor": "pvp", "fixed_side": "debtor", "payments": [exchange]}
    }
    if dollars:
        payments = [
            {"at": f"{at} s", "amount": str(amount), "debtor_agent": payer, "creditor_agent": payee}
            for payer, payee, amount, at in dollars
        ]
        demand["usd"] = {"corridor": "usd", "payments": payments}
    return Given(
        folder,
        members,
        system={"currencies": ["KHR", "USD"], **system},
        rest={
            "fx": {"mid": {"USD/KHR": {"rate": "4000"}}},
            "corridors": {
                "pvp": {"from": end["KHR"], "to": end["USD"], "rails": ["system"]},
                "usd": {"from": end["USD"], "to": end["USD"], "rails": ["system"]},
            },
            "demand": demand,
        },
    ).run()


def test_both_legs_settle_at_once(tmp_path: Path) -> None:
    ran = _run(tmp_path, {"a": {"KHR": RIEL}, "b": {"USD": DOLLARS}})
    assert ran.settled == [(0, How.AT_ONCE)]
    moved = [amount for _, _, _, amount, _ in ran.told(LogKind.MOVED)]
    assert moved == [RIEL * 100, DOLLARS * 100]
    # What one gave the other has, in both currencies.
    assert ran.balances("KHR") == (0, RIEL)
    assert ran.balances("USD") == (DOLLARS, 0)
    assert ran.outcomes == {0: Outcome.COMPLETED}


@pytest.mark.parametrize(
    "members",
    [
        # B lacks a dollar; A lacks a riel; both lack everything.
        {"a": {"KHR": RIEL}, "b": {"USD": DOLLARS - 1}},
        {"a": {"KHR": RIEL - 1}, "b": {"USD": DOLLARS}},
        {"a": {}, "b": {}},
    ],
)
def test_where_one_side_lacks_money_neither_leg_settles(
    tmp_path: Path, members: Mapping[str, Mapping[str, int]]
) -> None:
    ran = _run(tmp_path, members, closes_at="09:30")
    assert ran.told(LogKind.MOVED) == []
    assert ran.balances("KHR") == (members["a"].get("KHR", 0), 0)
    assert ran.balances("USD") == (0, members["b"].get("USD", 0))
    # Returned at the close; nothing is owed by anybody.
    assert ran.outcomes == {0: Outcome.REJECTED}


@pytest.mark.parametrize(("later", "settles"), [(60, True), (59, False)])
def test_the_side_that_lacked_is_paid_and_both_legs_settle(
    tmp_path: Path, later: int, settles: bool
) -> None:
    # B has 40 of 100 dollars. C's 60 make them 100, C's 59 do not.
    members = {"a": {"KHR": RIEL}, "b": {"USD": 40}, "c": {"USD": 60}}
    ran = _run(tmp_path, members, [("c", "b", later, 2)])
    helped = (1, How.AT_ONCE)
    assert ran.settled == ([helped, (0, How.IN_TURN)] if settles else [helped])
    assert ran.balances("KHR") == ((0, RIEL, 0) if settles else (RIEL, 0, 0))
    assert ran.balances("USD") == ((100, 0, 0) if settles else (0, 99, 1))


def test_a_set_may_hold_a_payment_against_payment(tmp_path: Path) -> None:
    # B owes A 100 dollars for the riel and has none; C owes B 100 and has none; A owes C 100. Each
    # dollar account is even, so all three settle at one stroke: A 0 + 100 - 100, B 0 + 100 - 100.
    ran = _run(
        tmp_path,
        {"a": {"KHR": RIEL}, "b": {}, "c": {}},
        [("c", "b", 100, 2), ("a", "c", 100, 3)],
        offset="multilateral",
    )
    assert ran.settled == [(payment, How.OFFSET) for payment in range(3)]
    assert ran.balances("KHR") == (0, RIEL, 0)
    assert ran.balances("USD") == (0, 0, 0)
