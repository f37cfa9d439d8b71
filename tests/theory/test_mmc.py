"""Compare the wait in M/M/1 and M/M/3 with Erlang C, and reject queues that are a little other."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.contract.spec import Cause
from sim.scenario.scenario import load_scenario
from tests.theory.driver import SCENARIOS, load_text, queue_text, run, run_large, seconds
from tests.theory.oracle import agrees, batch_means, mmc_wait

pytestmark = pytest.mark.slow
MM3 = SCENARIOS / "theory" / "mm3.yaml"


def test_erlang_c_is_what_the_scenario_promises() -> None:
    # Offered a = 2.4: the weights a^n/n! of 0, 1, 2 are 1, 2.4, 2.88, sum 6.28; that of waiting is
    # (13.824 / 6) x 1 / (1 - 0.8) = 11.52. C = 11.52 / 17.8 = 0.6472; the wait C / (3 - 2.4).
    assert mmc_wait(2.4, 1.0, 3) == pytest.approx(1.0787, abs=5e-5)


@pytest.mark.parametrize("seed", [3, 4])
def test_three_servers_wait_as_erlang_c_says(seed: int) -> None:
    ran = run_large(load_scenario(MM3, [f"seed={seed}"]))
    waits = batch_means(seconds(ran, Cause.WAITING))
    # The check below can tell 5 % apart only if it knows the wait well enough.
    assert waits.error < 0.05
    assert agrees(waits, mmc_wait(2.4, 1.0, 3)), waits
    assert not agrees(waits, mmc_wait(2.4, 1.05, 3)), waits


@pytest.mark.parametrize(
    "override",
    [
        "rails.shop.stages=[{name: service, serve: counter, time: {exponential: {mean: 1.05 s}}}]",
        "rails.shop.stations.counter.servers=2",
    ],
)
def test_the_check_rejects_slower_service_and_a_server_less(override: str) -> None:
    waits = batch_means(seconds(run_large(load_scenario(MM3, [override])), Cause.WAITING))
    assert not agrees(waits, mmc_wait(2.4, 1.0, 3)), waits


def test_both_engines_wait_the_same(tmp_path: Path) -> None:
    short = ["clock.horizon=1000 s", "clock.warm_up=0 s"]
    found = [run(load_scenario(MM3, short), engine) for engine in ("reference", "compiled")]
    assert (found[0].log == found[1].log).all()
    assert (found[0].records == found[1].records).all()


@pytest.mark.parametrize("seed", [1, 2])
def test_one_server_waits_as_in_mm1(tmp_path: Path, seed: int) -> None:
    text = queue_text(horizon="200 000 s", time="{exponential: {mean: 0.8 s}}", rate="1", seed=seed)
    waits = batch_means(seconds(run_large(load_text(tmp_path, text)), Cause.WAITING))
    # rho / (mu - lambda) = 0.8 / (1.25 - 1) = 3.2 s.
    assert agrees(waits, 3.2), waits
    assert mmc_wait(1.0, 0.8, 1) == pytest.approx(3.2)
    slower = text.replace("0.8 s", "0.84 s")
    assert not agrees(
        batch_means(seconds(run_large(load_text(tmp_path, slower)), Cause.WAITING)), 3.2
    )
