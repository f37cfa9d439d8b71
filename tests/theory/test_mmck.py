"""Compare the loss and the wait of a queue with few places with M/M/c/K."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.contract.spec import Cause, Outcome, Reason, RecordColumn
from tests.theory.driver import finished_column, load_text, queue_text, run_large, seconds
from tests.theory.oracle import agrees, batch_means, mmck_loss, mmck_wait

pytestmark = pytest.mark.slow


def test_two_servers_with_three_places_lose_and_wait_as_theory_says(tmp_path: Path) -> None:
    text = queue_text(
        horizon="60 000 s", servers=2, time="{exponential: {mean: 1 s}}", rate="2.2", seed=6
    ).replace("{servers: 2}", "{servers: 2, queue_limit: 3}")
    ran = run_large(load_text(tmp_path, text))
    outcome = finished_column(ran, RecordColumn.OUTCOME)
    refused = outcome == Outcome.REJECTED
    assert set(finished_column(ran, RecordColumn.REASON)[refused].tolist()) == {int(Reason.MS03)}
    lost = batch_means(refused.astype(np.float64))
    theory = mmck_loss(2.2, 1.0, 2, 5)
    assert agrees(lost, theory), (lost, theory)
    accepted = seconds(ran, Cause.WAITING)[~refused]
    assert agrees(batch_means(accepted), mmck_wait(2.2, 1.0, 2, 5))
    # One place more or a twentieth more work would be noticed.
    assert not agrees(lost, mmck_loss(2.2, 1.0, 2, 6))
    assert not agrees(lost, mmck_loss(2.2, 1.05, 2, 5))
    longer = text.replace("queue_limit: 3", "queue_limit: 4")
    found = finished_column(run_large(load_text(tmp_path, longer)), RecordColumn.OUTCOME)
    assert not agrees(batch_means((found == Outcome.REJECTED).astype(np.float64)), theory)
