"""Which schemes of a route refuse too little, of which amount, and in which currency."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sim.contract.records import Register
from sim.model.sections import AmountRule
from sim.rails.least_amounts import least_amounts
from sim.rails.protocol import Leg

RULES = {
    "gateway": {"USD": "0.50", "CNY": "2"},
    "ledger": {"USD": "1", "KHR": "100"},
    # A minor unit is what a price of nothing was refused for already.
    "till": {"USD": "0.01", "KHR": None},
}


def _leg(name: str, source: str, target: str, before: Register, after: Register) -> Any:
    rails = {
        rail: SimpleNamespace(
            amount_rules={code: AmountRule(minimum=least) for code, least in rules.items()}
        )
        for rail, rules in RULES.items()
    }
    return SimpleNamespace(
        world=SimpleNamespace(rails=rails), name=name, leg=Leg(name, "a", "b", source, target),
        before=before, after=after, currency="CNY",
    )  # fmt: skip


def _told(*legs: Any) -> list[tuple[str, Register, str, int]]:
    found = []
    for stage in least_amounts(legs):
        assert stage.limit is not None
        found.append((stage.label, stage.limit.register, stage.limit.currency, stage.limit.least))
    return found


def test_each_scheme_has_a_least_amount_of_its_own() -> None:
    # Yuan are fixed by the payee and known to be enough; they become dollars, then riel.
    out = _leg("gateway", "CNY", "USD", Register.DEBITED, Register.SETTLEMENT)
    home = _leg("ledger", "USD", "KHR", Register.SETTLEMENT, Register.CREDITED_GROSS)
    assert _told(out, home) == [
        ("gateway.minimum.USD", Register.SETTLEMENT, "USD", 50),
        ("ledger.minimum.USD", Register.SETTLEMENT, "USD", 1_00),
        ("ledger.minimum.KHR", Register.CREDITED_GROSS, "KHR", 100_00),
    ]


def test_a_scheme_that_carries_the_same_twice_looks_once() -> None:
    inside = _leg("ledger", "USD", "USD", Register.SETTLEMENT, Register.SETTLEMENT)
    assert [row[0] for row in _told(inside, inside)] == ["ledger.minimum.USD"]
    assert _told(_leg("till", "USD", "KHR", Register.SETTLEMENT, Register.CREDITED_GROSS)) == []
