"""Limits reached to the riel and days that end at local midnight, on either engine."""

from __future__ import annotations

from pathlib import Path

from tests.theory.driver import load_text, run

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
