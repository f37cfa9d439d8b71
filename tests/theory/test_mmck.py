"""Compare the loss and the wait of a queue with few places with M/M/c/K."""

from __future__ import annotations

import numpy as np
import pytest

from sim.contract.meaning import Cause, Outcome, Reason
from sim.contract.records import RecordColumn
from sim.scenario.scenario import load_scenario
from tests.theory.driver import SCENARIOS, Ran, finished_column, run_large, seconds, served_in
from tests.theory.oracle import Estimate, agrees, batch_means, mmck_loss, mmck_wait

pytestmark = pytest.mark.slow
MMCK = SCENARIOS / "theory" / "mmck.yaml"


def _run(*overrides: str) -> Ran:
    return run_large(load_scenario(MMCK, overrides))


def _refused(ran: Ran) -> np.ndarray:
    return finished_column(ran, RecordColumn.OUTCOME) == Outcome.REJECTED


def _lost(ran: Ran) -> Estimate:
    return batch_means(_refused(ran).astype(np.float64))


def test_two_servers_with_three_places_lose_and_wait_as_theory_says() -> None:
    ran = _run()
    refused = _refused(ran)
    assert set(finished_column(ran, RecordColumn.REASON)[refused].tolist()) == {int(Reason.MS03)}
    lost, theory = _lost(ran), mmck_loss(2.2, 1.0, 2, 5)
    assert lost.error < 0.01 * theory
    assert agrees(lost, theory), (lost, theory)
    waits = batch_means(seconds(ran, Cause.WAITING)[~refused])
    assert agrees(waits, mmck_wait(2.2, 1.0, 2, 5)), waits
    # One place more or a twentieth more work would be noticed.
    assert not agrees(lost, mmck_loss(2.2, 1.0, 2, 6))
    assert not agrees(lost, mmck_loss(2.2, 1.05, 2, 5))
    assert not agrees(waits, mmck_wait(2.2, 1.0, 2, 6))


@pytest.mark.parametrize(
    "override",
    [
        "rails.shop.stations.counter.queue_limit=4",
        "rails.shop.stations.counter.servers=3",
        served_in("{exponential: {mean: 1.05 s}}"),
    ],
)
def test_the_check_rejects_another_place_another_server_and_slower_service(override: str) -> None:
    lost = _lost(_run(override))
    assert not agrees(lost, mmck_loss(2.2, 1.0, 2, 5)), lost
