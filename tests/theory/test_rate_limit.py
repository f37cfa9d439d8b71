"""A saturated rate limit passes what it says, to the microsecond, on either engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.contract.meaning import LogKind
from tests.theory.driver import load_text, run

DOOR = """
scenario: door
clock: {start: 2025-09-17T00:00:00+07:00, horizon: HORIZON}
rails:
  hall:
    kind: generic
    stations: {door: {rate_limit: RATE}}
    stages: [{name: pass, serve: door, time: 0 s}]
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  crowd: {corridor: inside, DEMAND}
"""


def _text(*, horizon: str, rate: str, demand: str) -> str:
    return DOOR.replace("HORIZON", horizon).replace("RATE", rate).replace("DEMAND", demand)


def test_three_a_second_start_on_the_thirds_rounded_up(tmp_path: Path, engine: str) -> None:
    crowd = ", ".join("{at: 5 s, amount: 1}" for _ in range(10))
    text = _text(horizon="20 s", rate="3 /s", demand=f"payments: [{crowd}]")
    ran = run(load_text(tmp_path, text), engine)
    starts = [row[0] for row in ran.rows(LogKind.START)]
    # 5 + k / 3 seconds, each rounded up to a microsecond by itself: no drift.
    assert starts == [5_000_000 + -(-k * 1_000_000 // 3) for k in range(10)]
    assert starts[:4] == [5_000_000, 5_333_334, 5_666_667, 6_000_000]


def test_a_start_in_a_quiet_moment_begins_the_count_anew(tmp_path: Path, engine: str) -> None:
    text = _text(
        horizon="20 s",
        rate="3 /s",
        demand="payments: [{at: 1 s, amount: 1}, {at: 1.9 s, amount: 1}, {at: 1.95 s, amount: 1}]",
    )
    ran = run(load_text(tmp_path, text), engine)
    # The second comes 0.9 s after the first, which was due to let it pass after a third; the third
    # one waits a third from there.
    assert [row[0] for row in ran.rows(LogKind.START)] == [1_000_000, 1_900_000, 2_233_334]


@pytest.mark.slow
@pytest.mark.parametrize("rate", [3_000, 30_000, 300_000, 700_000])
def test_a_saturated_limit_passes_what_it_says(tmp_path: Path, rate: int) -> None:
    # Twice the limit for as long as a crowd of 400 000 payments lasts.
    seconds = max(400_000 // (2 * rate), 1)
    text = _text(
        horizon=f"{seconds} s", rate=f"{rate} /s", demand=f"rate: {2 * rate} /s, amount: 1 KHR"
    )
    ran = run(load_text(tmp_path, text), "compiled", with_log=False)
    started = int(ran.totals.station[0, 3])
    # The first payment comes within some microseconds, the last one may be cut off.
    assert abs(started - rate * seconds) <= max(2, rate * seconds // 10_000)
