"""Compare the ledger alone with a queue served in bulk at fixed intervals."""

from __future__ import annotations

import pytest

from sim.contract.meaning import Cause, Outcome
from sim.contract.records import LedgerTotal, RecordColumn
from sim.scenario.scenario import load_scenario
from tests.theory.driver import SCENARIOS, SECOND, Ran, finished_column, run_large, seconds
from tests.theory.oracle import Estimate, agrees, batch_means, bulk_wait

pytestmark = pytest.mark.slow
BULK = SCENARIOS / "theory" / "bulk-ledger.yaml"
VOTE = 0.1


def _run(*overrides: str) -> Ran:
    return run_large(load_scenario(BULK, overrides))


def _times(ran: Ran) -> Estimate:
    return batch_means(seconds(ran, Cause.LEDGER))


def test_the_ledger_is_a_bulk_queue_of_fixed_intervals() -> None:
    ran = _run()
    times = _times(ran)
    # Load 9 x 0.8 / 8 = 0.9; the vote adds a constant 0.1 s.
    theory = bulk_wait(9.0, 0.8, 8) + VOTE
    assert times.error < 0.02 * theory
    assert agrees(times, theory), (times, theory)
    # One payment more per block, or 2 % more payments, is another queue.
    assert not agrees(times, bulk_wait(9.0, 0.8, 9) + VOTE)
    assert not agrees(times, bulk_wait(9.18, 0.8, 8) + VOTE)
    # Nothing but the ledger takes time, nobody gives up, and no round is left out.
    assert set(finished_column(ran, RecordColumn.OUTCOME).tolist()) == {int(Outcome.COMPLETED)}
    end, begin = (finished_column(ran, RecordColumn[c]) for c in ("END_US", "SUBMITTED_US"))
    spent = (end - begin) / SECOND
    assert float((spent - seconds(ran, Cause.LEDGER)).max()) < 1e-4
    window = (ran.plan.horizon_us - ran.plan.warm_up_us) // (SECOND * 8 // 10)
    assert abs(int(ran.totals.ledger[0, LedgerTotal.ROUNDS]) - window) <= 1


@pytest.mark.parametrize(
    "override",
    [
        "rails.bakong.block_limit=9",
        "demand.payments.rate=9.18 /s",
        "rails.bakong.round_interval=0.816 s",
        "rails.bakong.vote_delay=0.15 s",
    ],
)
def test_the_check_rejects_another_ledger(override: str) -> None:
    times = _times(_run(override, "clock.horizon=40 000 s"))
    assert not agrees(times, bulk_wait(9.0, 0.8, 8) + VOTE), times
