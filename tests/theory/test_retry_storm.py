"""A switch that answers polls beside payments: whether it recovers depends on how often is asked.

A switch admits 1 000 a second, payments and polls alike; 200 payments come a second. A bank before
it answers nobody for 5 min, which leaves what 10 min at half rate leave: 200 x 300 = 60 000
payments, all released at once. Every rate may be scaled; times stay what they are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.contract.layout import NULL
from sim.contract.records import RecordColumn as C
from tests.theory.driver import SECOND, Ran, load_text, run

STORM = """
scenario: storm
clock: {start: 2025-04-12T10:00:00+05:30, horizon: HORIZON s}
rails:
  upi:
    kind: generic
    stations: {gateway: {}, switch: {rate_limit: RATE /s}}
    stages: [{name: bank, serve: gateway, time: 0 s}, {name: answer, serve: switch, time: 0 s}]
    POLLS
corridors:
  inside: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  paid: {corridor: inside, DEMAND}
disruptions: {bank: {outage: upi, role: gateway, after: 100 s, for: 300 s}}
"""
OPENS_S = 400


def _run(folder: Path, engine: str, polls: str, horizon_s: int, *, payments: int) -> Ran:
    """Run so many payments a second: the switch admits five times as many."""
    # Few come evenly, so that no luck is in them; many as they come.
    listed = ", ".join(f"{{at: {at} s, amount: 1}}" for at in range(horizon_s))
    demand = f"payments: [{listed}]" if payments == 1 else f"rate: {payments} /s, amount: 1 KHR"
    text = STORM.replace("DEMAND", demand).replace("RATE", str(5 * payments))
    text = text.replace("HORIZON", str(horizon_s)).replace("POLLS", polls)
    return run(load_text(folder, text), engine, with_log=payments == 1 and "most" in polls)


def _recovered_s(ran: Ran) -> float:
    """Return how long after the bank is back the last payment comes that waits above a second."""
    records = ran.records
    ended = np.where(records[:, C.END_US] == NULL, 1 << 60, records[:, C.END_US])
    late = ended - records[:, C.SUBMITTED_US] > SECOND
    return float(records[late, C.SUBMITTED_US].max()) / SECOND - OPENS_S


POLLS = "polls: {first: 2 s, every: 2 s, MOST serve: switch}"


def _waiting(ran: Ran, at_s: int) -> int:
    records, at = ran.records, at_s * SECOND
    ended = np.where(records[:, C.END_US] == NULL, 1 << 60, records[:, C.END_US])
    return int(((records[:, C.SUBMITTED_US] < at) & (ended >= at)).sum())


def test_without_polls_the_backlog_is_gone_in_75_seconds(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, "", 600, payments=1)
    # 300 wait; 5 a second are admitted and 1 comes: 300 / 4 = 75 s.
    assert _waiting(ran, OPENS_S) == 300
    assert 72 <= _recovered_s(ran) <= 75


@pytest.mark.slow
def test_three_polls_a_payment_leave_room_to_recover(tmp_path: Path, engine: str) -> None:
    ran = _run(tmp_path, engine, POLLS.replace("MOST", "most: 3,"), 900, payments=1)
    # (1 + 3) a second come of 5: 300 / 1 = 300 s at the latest; the last that wait below 6 s send
    # fewer.
    assert _waiting(ran, OPENS_S) == 300
    assert 250 <= _recovered_s(ran) <= 300


@pytest.mark.slow
def test_polls_without_a_bound_never_let_it_recover(tmp_path: Path, engine: str) -> None:
    # Above 2 x (5 / 1 - 1) = 8 s of delay polls alone take what is left: at 300 waiting, 150 a
    # second. Ten minutes later nobody is served in time.
    ran = _run(tmp_path, engine, POLLS.replace("MOST", ""), 1_000, payments=1)
    assert _recovered_s(ran) >= 1_000 - OPENS_S - 3
    assert _waiting(ran, 999) > 300
    # The negative control: without the bank's outage the same polls harm nobody.
    calm = run(load_text(tmp_path, _calm()), engine, with_log=False)
    ended = calm.records[calm.records[:, C.END_US] != NULL]
    assert len(ended) == len(calm.records)
    assert int((ended[:, C.END_US] - ended[:, C.SUBMITTED_US]).max()) == 0


def _calm() -> str:
    listed = ", ".join(f"{{at: {at} s, amount: 1}}" for at in range(300))
    text = STORM.replace("DEMAND", f"payments: [{listed}]").replace("RATE", "5")
    text = text.replace("HORIZON", "300").replace("POLLS", POLLS.replace("MOST", ""))
    return text[: text.index("disruptions")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("polls", "least_s", "most_s"), [("", 72, 76), (POLLS.replace("MOST", "most: 3,"), 250, 300)]
)
def test_at_full_size_the_switch_recovers_as_fast(
    tmp_path: Path, polls: str, least_s: int, most_s: int
) -> None:
    ran = _run(tmp_path, "compiled", polls, 800, payments=200)
    assert abs(_waiting(ran, OPENS_S) - 60_000) < 4 * 60_000**0.5
    assert least_s <= _recovered_s(ran) <= most_s
