"""Fees: exactly one way of charging, tiers that cover every amount, one currency."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sim.model.base import FieldProblemsError
from sim.model.evidence import Evidence
from sim.model.pricing import ChargeBearer, Fee
from sim.model.quantities import MoneyAmount

TIERS = [
    {"up_to": "4 000 000 KHR", "fixed": "4000 KHR"},
    {"proportional": "0.1 %"},
]

READ = [
    ({"fixed": "4000 KHR"}, "fixed", "KHR"),
    ({"proportional": "0.6 %"}, "proportional", None),
    ({"proportional": "0.6 %", "minimum": "1 USD", "maximum": "4 USD"}, "proportional", "USD"),
    ({"tiered": TIERS}, "tiered", "KHR"),
    ({"surcharge": {"above": "200 CNY", "proportional": "3 %"}}, "surcharge", "CNY"),
]


@pytest.mark.parametrize(("price", "kind", "currency"), READ)
def test_fee_of_each_kind_is_read(price: dict[str, object], kind: str, currency: str) -> None:
    fee = Fee.model_validate({"component": "mdr", **price})
    assert (fee.kind, fee.currency) == (kind, currency)


def test_fee_holds_exact_integers() -> None:
    fee = Fee.model_validate({"component": "x", "bearer": "creditor", "tiered": TIERS})
    assert fee.bearer is ChargeBearer.CREDITOR
    assert fee.tiered is not None
    assert fee.tiered[0].up_to == MoneyAmount(400_000_000, "KHR")
    assert fee.tiered[1].proportional == 1000


REFUSED = [
    ({}, (), "found no price; allowed: exactly one of fixed, proportional, tiered, surcharge"),
    (
        {"fixed": "1 USD", "proportional": "3 %"},
        (),
        (
            "found fixed and proportional; allowed: exactly one of fixed, proportional, tiered, "
            "surcharge (an inherited one is deleted with 'fixed: null')"
        ),
    ),
    (
        {"tiered": [{"fixed": "1 USD"}, {"fixed": "2 USD"}]},
        ("tiered", 0),
        "missing; needed: up_to, in every tier but the last",
    ),
    (
        {"tiered": [{"up_to": "5 USD", "fixed": "1 USD"}]},
        ("tiered", 0, "up_to"),
        "found '5.00 USD'; allowed: no limit in the last tier",
    ),
    (
        {
            "tiered": [
                {"up_to": "5 USD", "fixed": "1 USD"},
                {"up_to": "5 USD", "fixed": "2 USD"},
                {"fixed": "3 USD"},
            ]
        },
        ("tiered", 1, "up_to"),
        "found '5.00 USD'; allowed: more than the tier before",
    ),
    (
        {"proportional": "1 %", "minimum": "2 USD", "maximum": "1 USD"},
        ("minimum",),
        "found '2.00 USD'; allowed: at most the maximum, '1.00 USD'",
    ),
    (
        {"proportional": "1 %", "minimum": "2 USD", "maximum": "9 CNY"},
        ("maximum",),
        "found '9.00 CNY'; allowed: USD, as the fee's first amount",
    ),
    (
        {"fixed": "1 USD", "minimum": "2 USD"},
        ("minimum",),
        "found '2.00 USD'; allowed: no bounds beside 'fixed'",
    ),
    ({"tiered": []}, ("tiered",), "found an empty list; allowed: at least one tier"),
]


@pytest.mark.parametrize(("price", "path", "message"), REFUSED)
def test_wrong_fee_names_the_field(
    price: dict[str, object], path: tuple[object, ...], message: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Fee.model_validate({"component": "mdr", **price})
    error = caught.value.errors()[0]["ctx"]["error"]
    assert isinstance(error, FieldProblemsError)
    assert error.problems == ((path, message),)


def test_evidence_grades_are_the_words_of_a_scenario() -> None:
    assert [grade.value for grade in Evidence] == ["reported", "derived", "estimated", "assumed"]


STEPS = [
    {"up_to": "50 USD", "fixed": "1 USD"},
    {"up_to": "200 USD", "fixed": "2 USD", "proportional": "0.1 %"},
    {"proportional": "0.2 %"},
]

HEAVY = {"above": "200 USD", "proportional": "3 %"}

CHARGED = [
    ({"fixed": "1.50 USD"}, 99_999, 1, 150),
    # 0.35 % of 1 234.56 USD is 4.32096.
    ({"proportional": "0.35 %"}, 123_456, 1, 432),
    # Down to whole steps of 100 minor units, after the bounds.
    ({"proportional": "0.35 %"}, 123_456, 100, 400),
    ({"proportional": "0.35 %", "minimum": "5.01 USD"}, 123_456, 1, 501),
    ({"proportional": "0.35 %", "maximum": "4.30 USD"}, 123_456, 1, 430),
    # A tier holds up to and with its bound, and prices the whole amount.
    ({"tiered": STEPS}, 5_000, 1, 100),
    ({"tiered": STEPS}, 5_001, 1, 205),  # 2.00 + 0.05001
    ({"tiered": STEPS}, 20_000, 1, 220),
    ({"tiered": STEPS}, 20_001, 1, 40),  # 0.40002
    # A surcharge begins above its threshold, on the whole amount, and only then has a least amount.
    ({"surcharge": {"above": "200 USD", "proportional": "3 %"}}, 20_000, 1, 0),
    ({"surcharge": {"above": "200 USD", "proportional": "3 %"}}, 20_001, 1, 600),
    ({"surcharge": {"above": "200 USD", "proportional": "3 %"}, "minimum": "7 USD"}, 20_000, 1, 0),
    (
        {"surcharge": {"above": "200 USD", "proportional": "3 %"}, "minimum": "7 USD"},
        20_001,
        1,
        700,
    ),
]


@pytest.mark.parametrize(("price", "base", "granule", "due"), CHARGED)
def test_a_fee_is_what_was_worked_out_by_hand(
    price: dict[str, object], base: int, granule: int, due: int
) -> None:
    fee = Fee.model_validate({"component": "x", **price})
    assert fee.charge(base, granule=granule) == due


def test_a_fee_says_in_words_what_it_charges() -> None:
    fee = Fee.model_validate({"component": "x", "tiered": STEPS, "maximum": "9 USD"})
    assert fee.words() == (
        "by debited amount: up to 50.00 USD 1.00 USD, up to 200.00 USD 2.00 USD + 0.1 %, "
        "above 0.2 %, at most 9.00 USD"
    )
