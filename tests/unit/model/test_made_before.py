"""Fields that are given values of the model's own, or words nobody should write, one by one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from sim.model.distributions import (
    AmountDistribution,
    parse_amount_distribution,
    parse_duration_distribution,
)
from sim.model.magnitude import moved_share
from sim.model.money import MoneyAmount, parse_amount_text, parse_money_amount
from sim.model.policy_names import _whole
from sim.model.pricing import Fee
from sim.model.quantities import parse_event_rate
from sim.model.steps import parse_multiple
from sim.model.words import (
    _name_hint,
    parse_calendar_date,
    parse_currency_pair,
    parse_flag,
    parse_timestamp,
)

NOON = datetime(2025, 9, 17, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("parse", "made"),
    [
        (parse_duration_distribution, parse_duration_distribution("2 s")),
        (parse_amount_distribution, parse_amount_distribution("80 CNY")),
        (parse_money_amount, MoneyAmount(5, "KHR")),
        (parse_event_rate, parse_event_rate("5 /s")),
        (parse_currency_pair, parse_currency_pair("USD/KHR")),
        (parse_timestamp, NOON),
        (parse_calendar_date, date(2025, 9, 17)),
        (parse_multiple, 1_500_000_000),
        (parse_flag, True),
    ],
)
def test_what_was_made_before_is_taken_as_it_is(
    parse: Callable[[object], object], made: object
) -> None:
    assert parse(made) is made


def test_numbers_of_python_are_exact() -> None:
    assert parse_amount_text(12) == 12
    assert parse_amount_text(Decimal("0.10")) == Decimal("0.10")
    for found in (True, 0.1):
        with pytest.raises(ValueError, match="an amount without currency"):
            parse_amount_text(found)


@pytest.mark.parametrize(
    ("parse", "found", "said"),
    [
        # An instant without its offset is another one on every machine.
        (parse_timestamp, NOON.replace(tzinfo=None), "allowed: "),
        (parse_calendar_date, NOON, "allowed: "),
        (parse_flag, 1, "^found '?1'?; allowed: 'true' or 'false'$"),
        (_whole, str(1 << 62), "whole numbers below 2\\^62"),
        (parse_amount_distribution, "pareto", "found 'pareto' without parameters"),
        (parse_duration_distribution, {"empirical": "1 s"}, "a list of at least two pairs"),
        (parse_duration_distribution, {"exponential": "2 s"}, "allowed: .*mean"),
        (parse_duration_distribution, {"lognormal": {"mean": "1 s", "sigma": 9}}, "at most 5"),
        (
            parse_duration_distribution,
            {"weibull": {"mean": "1 s", "shape": "9000"}},
            "a number from",
        ),
        # A pair that cannot be read is told itself, and is nothing the next one must rise above.
        (
            parse_duration_distribution,
            {"empirical": [["x", "50 %"], ["2 s", "100 %"]]},
            r"empirical\.0\.0|found 'x'",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    parse: Callable[[object], object], found: object, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        parse(found)


def test_amounts_without_decimal_places_of_their_own_are_written_as_is_known() -> None:
    assert str(MoneyAmount(1_250, "USD")) == "12.50 USD"
    assert str(AmountDistribution("constant", "USD", (("value", 1_250),))) == "12.50 USD"


@pytest.mark.parametrize(
    ("found", "hint"),
    [("River Bank", ". Did you mean 'river_bank'?"), ("x" * 65, ""), (5, ""), ("!!", "")],
)
def test_a_name_is_hinted_at_where_there_is_one(found: object, hint: str) -> None:
    assert _name_hint(found) == hint


def test_all_of_something_stays_all_of_it() -> None:
    assert moved_share(1.0, 0.01) == 1.0
    # 3 % halved is 1.5 %; 70 % is 1 - 1 / (4 u) at u = 1 / 1.2, and doubled 1 - 0.3 / 2.
    assert moved_share(0.03, 0.5) == pytest.approx(0.015)
    assert moved_share(0.7, 2) == pytest.approx(0.85)


def test_a_fee_is_told_with_its_kind_and_bounds() -> None:
    surcharge = Fee.model_validate(
        {"component": "large", "surcharge": {"above": "50 000 KHR", "proportional": "1 %"}}
    )
    assert surcharge.words() == "1 % of the debited amount where it is above 50 000.00 KHR"
    with pytest.raises(ValueError, match="missing; needed: fixed, proportional, or both"):
        Fee.model_validate(
            {"component": "steps", "tiered": [{"up_to": "5 USD"}, {"fixed": "5 USD"}]}
        )
