"""Load Bakong alone: what the stated settings sustain, and where they and the default ones end."""

from __future__ import annotations

import numpy as np
import pytest

from sim.contract.meaning import Cause
from sim.contract.records import LedgerTotal
from sim.scenario.scenario import load_scenario
from tests.theory.driver import SCENARIOS, Ran, run_large, seconds
from tests.theory.oracle import Floats, agrees, batch_means, lognormal_order_mean

pytestmark = pytest.mark.slow
ALONE = SCENARIOS / "theory" / "bakong-alone.yaml"


def _run(*overrides: str) -> Ran:
    return run_large(load_scenario(ALONE, overrides))


def _p99(times: Floats) -> float:
    return float(np.quantile(times, 0.99))


def test_fifteen_hundred_payments_per_second_are_final_within_two_seconds() -> None:
    ran = _run()
    times = seconds(ran, Cause.LEDGER)
    assert len(times) == pytest.approx(1500 * 120, rel=0.02)
    # Up to a round of 0.8 s, then a vote: the fifth of seven of median 0.15 s, about 0.2 s.
    assert _p99(times) <= 2.0
    assert _p99(times) >= 0.8
    assert 0.4 + 0.1 < float(times.mean()) < 0.8


def test_two_thousand_payments_per_second_pile_up() -> None:
    times = seconds(_run("demand.payments.rate=2000 /s"), Cause.LEDGER)
    assert _p99(times) > 5.0
    thirds = np.array_split(times, 3)
    # 125 payments a second too many: the wait grows by 125 / 1875 s every second.
    assert _p99(thirds[0]) + 2.0 < _p99(thirds[1])
    assert _p99(thirds[1]) + 2.0 < _p99(thirds[2])


@pytest.mark.parametrize(
    ("settings", "per_second", "block"),
    [
        (["rails.bakong.block_limit=10"], 12.5, 10),
        (["rails.bakong.block_limit=10", "rails.bakong.round_interval=5 s"], 2.0, 10),
    ],
)
def test_small_blocks_complete_block_limit_per_interval(
    settings: list[str], per_second: float, block: int
) -> None:
    warm = "clock.warm_up=20 s"
    ran = _run("demand.payments.rate=15 /s", warm, *settings)
    included = int(ran.totals.ledger[0, LedgerTotal.INCLUDED])
    assert abs(included - per_second * 100) <= block
    # Twice the block would be noticed by the same bound.
    more = _run("demand.payments.rate=15 /s", warm, *settings, "rails.bakong.block_limit=11")
    assert abs(int(more.totals.ledger[0, LedgerTotal.INCLUDED]) - per_second * 100) > block


def test_a_payment_waits_half_a_round_and_the_fifth_of_seven_votes() -> None:
    # Whatever comes at 1500 /s to rounds it knows nothing of waits for half of one.
    theory = 0.4 + lognormal_order_mean(0.15, 0.5, rank=5, of=7)
    times = batch_means(seconds(_run(), Cause.LEDGER))
    assert times.error < 0.02 * theory
    assert agrees(times, theory), (times, theory)
    # Four votes of seven for a quorum, and rounds of 0.9 s, are other ledgers.
    assert not agrees(times, 0.4 + lognormal_order_mean(0.15, 0.5, rank=4, of=7))
    other = _run("rails.bakong.round_interval=0.9 s")
    assert not agrees(batch_means(seconds(other, Cause.LEDGER)), theory)
