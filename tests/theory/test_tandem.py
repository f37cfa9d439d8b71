"""Check two queues in a row against Burke's theorem, together and one by one."""

from __future__ import annotations

import numpy as np
import pytest

from sim.contract.meaning import Cause
from sim.contract.records import RecordColumn, StationTotal
from sim.scenario.scenario import load_scenario
from tests.theory.driver import SCENARIOS, SECOND, Ran, run_large, seconds
from tests.theory.oracle import Estimate, agrees, batch_means, mmc_wait, over_runs, tandem_stay

pytestmark = pytest.mark.slow
TANDEM = SCENARIOS / "theory" / "tandem.yaml"
RUNS = 20
SLOWER = (
    "rails.shop.stages=["
    "{name: service, serve: desk, time: {exponential: {mean: 0.525 s}}},"
    "{name: pay, serve: till, time: {exponential: {mean: 0.735 s}}}]"
)
"""Both queues a twentieth slower."""


def _run(*overrides: str) -> Ran:
    return run_large(load_scenario(TANDEM, overrides))


def _stay(ran: Ran) -> Estimate:
    return batch_means(seconds(ran, Cause.WAITING) + seconds(ran, Cause.SERVICE))


def test_two_queues_in_a_row_are_two_queues_alone() -> None:
    ran = _run()
    total = _stay(ran)
    # Burke (1956): the output of the first is Poisson; 1 / (2 - 1) + 1 / (1 / 0.7 - 1) = 3.3333 s.
    theory = tandem_stay(1.0, 0.5, 0.7)
    assert theory == pytest.approx(1 / (1 / 0.5 - 1) + 1 / (1 / 0.7 - 1)) == pytest.approx(10 / 3)
    assert total.error < 0.02 * theory
    assert agrees(total, theory), total
    # Both queues a twentieth slower; and the wait taken for the whole stay.
    assert not agrees(_stay(_run(SLOWER)), theory)
    assert not agrees(batch_means(seconds(ran, Cause.WAITING)), theory)


def test_the_areas_are_the_sums_of_the_times_to_the_microsecond() -> None:
    ran = _run("clock.warm_up=0 s", "clock.horizon=200 000 s")
    station = ran.totals.station
    # Every payment in a queue or in service adds a microsecond per microsecond, those still there
    # at the horizon up to then: the areas are the sums of the times, exactly.
    waited = int(ran.records[:, RecordColumn.TIME_0 + Cause.WAITING].sum())
    served = int(ran.records[:, RecordColumn.TIME_0 + Cause.SERVICE].sum())
    assert int(station[:, StationTotal.QUEUE_AREA].sum()) == waited
    assert int(station[:, StationTotal.BUSY_AREA].sum()) == served


def _means(*overrides: str) -> dict[str, tuple[Estimate, Estimate]]:
    """Return by station the mean number in service and in the queue, over independent runs."""
    areas = []
    for seed in range(1, RUNS + 1):
        ran = _run("clock.horizon=21 000 s", "clock.warm_up=1 000 s", f"seed={seed}", *overrides)
        areas.append(ran.totals.station / (20_000 * SECOND))
    by_run = np.array(areas)
    return {
        name.removeprefix("shop."): (
            over_runs(by_run[:, at, StationTotal.BUSY_AREA]),
            over_runs(by_run[:, at, StationTotal.QUEUE_AREA]),
        )
        for at, name in enumerate(ran.plan.names.stations)
    }


def test_each_queue_is_as_long_as_if_it_were_alone() -> None:
    found, slower = _means(), _means(SLOWER)
    for station, service in (("desk", 0.5), ("till", 0.7)):
        # Little's law: mean number = rate x mean time; the rate is 1.
        busy, queue = found[station]
        assert agrees(busy, service), busy
        assert agrees(queue, mmc_wait(1.0, service, 1)), queue
        assert not agrees(slower[station][0], service)
        assert not agrees(slower[station][1], mmc_wait(1.0, service, 1))
