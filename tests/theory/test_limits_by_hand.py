"""Limits reached to the riel and days that end at local midnight, on either engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.errors import ScenarioError
from sim.explain.plan import explain_plan
from tests.theory.driver import load_text, run
from tests.unit.rails.test_fast_payment import FAST

LIMITED = """
scenario: case
extends: MINIMAL
clock: {start: 2025-09-17T23:59:50+07:00}
rails:
  bakong:
    limits: {tier: {per_payment: {KHR: 40 000}, per_day: {KHR: 40 000}}}
corridors: {kh_kh: {kyc_tier: tier}}
demand:
  inbound: null
  outbound: null
  domestic:
    payments:
      - {at: 1 s, amount: 25 000}
      - {at: 2 s, amount: 15 000}
      - {at: 3 s, amount: 100}
      - {at: 7 s, amount: 40 000}
      - {at: 8 s, amount: 100}
"""


def test_a_limit_may_be_reached_and_begins_anew_at_local_midnight(
    tmp_path: Path, engine: str
) -> None:
    ran = run(load_text(tmp_path, LIMITED), engine)
    # Looked at 3.3 s after submission, at 4.3, 5.3 and 6.3 s: 25 000 and 15 000 are 40 000, which
    # is allowed, and the least a payment may be is more. Midnight in Phnom Penh is at 10 s, 17:00
    # in Greenwich: at 10.3 s 40 000 are within the bounds of a new day, at 11.3 s nothing is left.
    done, refused = ("COMPLETED", "NONE"), ("REJECTED", "AM14")
    ends = [ran.ended("domestic" if n == 0 else f"domestic.{n}")[1:] for n in range(5)]
    assert ends == [done, done, refused, done, refused]


OUT = ("demand.back=null", "demand.out.payments=[{at: 0 s, amount: 100}, {at: 30 s, amount: 100}]")
"""Twice 12,625 riel, which at 4,000 riel a dollar are 3.15625 dollars each."""


@pytest.mark.parametrize(
    ("limits", "first", "second"),
    [
        # 3.15 dollars are 12,600 riel, 25 too few; 3.16 are 12,640.
        ("{per_payment: 3.15, currency: USD}", "AM02", "AM02"),
        ("{per_payment: 3.16, currency: USD}", "NONE", "NONE"),
        # 6.31 dollars are 25,240 riel a day, ten too few for the second; 6.32 are 25,280.
        ("{per_day: 6.31, currency: USD}", "NONE", "AM14"),
        ("{per_payment: 3.16, per_day: 6.32, currency: USD}", "NONE", "NONE"),
        # 101 baht at 125 riel are 12,625, reached to the riel; a satang less falls short.
        ("{per_payment: 101, currency: THB}", "NONE", "NONE"),
        ("{per_payment: 100.99, currency: THB}", "AM02", "AM02"),
        # Written in the payer's own currency it is what it says.
        ("{per_payment: 12 624, currency: KHR}", "AM02", "AM02"),
    ],
)
def test_a_limit_in_other_money_acts_at_the_rate_of_the_start(
    tmp_path: Path, engine: str, limits: str, first: str, second: str
) -> None:
    ran = run(
        load_text(tmp_path, FAST, (*OUT, f"rails.promptpay.outbound.limits={limits}")), engine
    )
    assert [ran.ended(name)[2] for name in ("out", "out.1")] == [first, second]


def test_a_limit_does_not_follow_the_rate(tmp_path: Path, engine: str) -> None:
    # At 4,400 riel a dollar from 15 s on the second 100 baht are 13,887.50 riel, the same 3.15625
    # dollars as before; the limit is still 12,640 riel.
    changes = (
        "rails.promptpay.outbound.limits={per_payment: 3.16, currency: USD}",
        "fx.step=1 s",
        "disruptions={jump: {fx_jump: USD/KHR, times: 1.1, after: 15 s}}",
    )
    ran = run(load_text(tmp_path, FAST, (*OUT, *changes)), engine)
    assert [ran.ended(name)[2] for name in ("out", "out.1")] == ["NONE", "AM02"]


def test_explain_says_a_limit_both_ways(tmp_path: Path) -> None:
    limits = "rails.promptpay.outbound.limits={per_payment: 3.16, per_day: 6.32, currency: USD}"
    compiled = compile_scenario(load_text(tmp_path, FAST, (*OUT, limits)))
    text = " ".join(explain_plan(compiled).split())
    assert (
        "at most 12 640.00 KHR per payment (AM02) and at most 25 280.00 KHR per payer and day "
        "(AM14), which are 3.16 USD and 6.32 USD at the mid rate of the start"
    ) in text


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ("{per_payment: 3, currency: EUR}", "no mid rate for EUR/KHR; needed: that pair in fx.mid"),
        ("{per_payment: 3.155, currency: USD}", "promptpay.outbound.limits.per_payment"),
        ("{per_payment: 3, currency: QQQ}", "limits.currency"),
        ("{currency: USD}", "found a currency without a bound"),
    ],
    ids=["rate", "cents", "currency", "bound"],
)
def test_a_limit_that_cannot_be_converted_is_refused(
    tmp_path: Path, limits: str, message: str
) -> None:
    with pytest.raises(ScenarioError, match=message):
        compile_scenario(
            load_text(tmp_path, FAST, (*OUT, f"rails.promptpay.outbound.limits={limits}")),
            with_tables=False,
        )
