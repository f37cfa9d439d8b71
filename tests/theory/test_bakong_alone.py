"""Load Bakong alone: what the stated settings sustain, and where they and the default ones break.

Also the ledger as a queue: service in bulk at fixed intervals, against its embedded Markov chain.
"""

from __future__ import annotations

import numpy as np
import pytest

from sim.contract.spec import Cause, LedgerTotal
from sim.scenario.scenario import load_scenario
from tests.theory.driver import SCENARIOS, Ran, run_large, seconds
from tests.theory.oracle import Floats, agrees, batch_means, bulk_wait

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


BULK = (
    "clock.horizon=100 000 s",
    "rails.bakong.vote_delay=0.1 s",
    "rails.bakong.idle_interval=0 s",
    "rails.bakong.gateway.rate_limit=1 000 000 /s",
    "rails.bakong.gateway.hop_time=0 s",
    "institutions.banks.core.service_time=0 s",
    "rails.bakong.block_limit=8",
)


def test_the_ledger_is_a_bulk_queue_of_fixed_intervals() -> None:
    ran = _run(*BULK, "demand.payments.rate=9 /s")
    times = batch_means(seconds(ran, Cause.LEDGER))
    # Load 9 x 0.8 / 8 = 0.9; the vote adds a constant 0.1 s.
    theory = bulk_wait(9.0, 0.8, 8) + 0.1
    assert times.error < 0.05 * theory
    assert agrees(times, theory), (times, theory)
    # One payment more per block, or 2 % more payments, is another queue.
    assert not agrees(times, bulk_wait(9.0, 0.8, 9) + 0.1)
    assert not agrees(times, bulk_wait(9.18, 0.8, 8) + 0.1)
    other = _run(*BULK, "demand.payments.rate=9 /s", "rails.bakong.block_limit=9")
    assert not agrees(batch_means(seconds(other, Cause.LEDGER)), theory)
