"""Compare the wait in M/M/1 and M/M/3 with Erlang C, and reject queues that are a little other."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.contract.meaning import Cause
from sim.scenario.scenario import load_scenario
from tests.theory.driver import SCENARIOS, run_large, seconds, served_in
from tests.theory.oracle import Estimate, agrees, batch_means, mmc_wait

pytestmark = pytest.mark.slow
MM1 = SCENARIOS / "theory" / "mm1.yaml"
MM3 = SCENARIOS / "theory" / "mm3.yaml"


def _waits(path: Path, *overrides: str) -> Estimate:
    return batch_means(seconds(run_large(load_scenario(path, overrides)), Cause.WAITING))


@pytest.mark.parametrize("seed", [3, 4])
def test_three_servers_wait_as_erlang_c_says(seed: int) -> None:
    waits = _waits(MM3, f"seed={seed}")
    # The check below can tell 5 % apart only if it knows the wait well enough.
    assert waits.error < 0.05
    assert agrees(waits, mmc_wait(2.4, 1.0, 3)), waits
    assert not agrees(waits, mmc_wait(2.4, 1.05, 3)), waits


@pytest.mark.parametrize(
    "override",
    [served_in("{exponential: {mean: 1.05 s}}"), "rails.shop.stations.counter.servers=2"],
)
def test_the_check_rejects_slower_service_and_a_server_less(override: str) -> None:
    waits = _waits(MM3, override)
    assert not agrees(waits, mmc_wait(2.4, 1.0, 3)), waits


@pytest.mark.parametrize("seed", [1, 2])
def test_one_server_waits_as_in_mm1(seed: int) -> None:
    waits = _waits(MM1, f"seed={seed}")
    # rho / (mu - lambda) = 0.8 / (1.25 - 1) = 3.2 s.
    assert waits.error < 0.03 * 3.2
    assert agrees(waits, 3.2), waits
    # A fiftieth slower, and a fiftieth more customers, wait a tenth longer.
    for other in (served_in("{exponential: {mean: 0.816 s}}"), "demand.customers.rate=1.02 /s"):
        waits = _waits(MM1, f"seed={seed}", other)
        assert not agrees(waits, 3.2), (other, waits)
