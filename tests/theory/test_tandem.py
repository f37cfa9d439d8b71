"""Check two queues in a row against Burke's theorem, and Little's law to the microsecond."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.contract.spec import Cause, RecordColumn, StationTotal
from tests.theory.driver import SECOND, load_text, queue_text, run_large, seconds
from tests.theory.oracle import agrees, batch_means

pytestmark = pytest.mark.slow

TANDEM = (
    queue_text(horizon="200 000 s", time="{exponential: {mean: 0.5 s}}", rate="1", seed=7)
    .replace("stations: {desk: {servers: 1}}", "stations: {desk: {servers: 1}, till: {servers: 1}}")
    .replace("0.5 s}}}]", "0.5 s}}}, {name: pay, serve: till, time: {exponential: {mean: 0.7 s}}}]")
)


def test_two_queues_in_a_row_are_two_queues_alone(tmp_path: Path) -> None:
    ran = run_large(load_text(tmp_path, TANDEM))
    total = batch_means(seconds(ran, Cause.WAITING) + seconds(ran, Cause.SERVICE))
    # Burke (1956): the output of the first is Poisson; 1 / (2 - 1) + 1 / (1 / 0.7 - 1) = 3.3333 s.
    theory = 1 / (1 / 0.5 - 1) + 1 / (1 / 0.7 - 1)
    assert theory == pytest.approx(10 / 3)
    assert agrees(total, theory), total
    # Both queues a twentieth slower; and the wait taken for the whole stay.
    slower = TANDEM.replace("0.7 s", "0.735 s").replace("0.5 s", "0.525 s")
    other = run_large(load_text(tmp_path, slower))
    assert not agrees(
        batch_means(seconds(other, Cause.WAITING) + seconds(other, Cause.SERVICE)), theory
    )
    assert not agrees(batch_means(seconds(ran, Cause.WAITING)), theory)


def test_littles_law_holds_to_the_microsecond(tmp_path: Path) -> None:
    ran = run_large(load_text(tmp_path, TANDEM))
    station = ran.totals.station
    # Every payment in a queue or in service adds a microsecond per microsecond, those still there
    # at the horizon up to then: the areas are the sums of the times, exactly.
    waited = int(ran.records[:, RecordColumn.TIME_0 + Cause.WAITING].sum())
    served = int(ran.records[:, RecordColumn.TIME_0 + Cause.SERVICE].sum())
    assert int(station[:, StationTotal.QUEUE_AREA].sum()) == waited
    assert int(station[:, StationTotal.BUSY_AREA].sum()) == served
    # And as a law of averages: mean number = rate x mean time, by station.
    horizon = 200_000 * SECOND
    busy = station[:, StationTotal.BUSY_AREA] / horizon
    names = ran.plan.names.stations
    by_name = dict(zip(names, busy.tolist(), strict=True))
    assert by_name["shop.desk"] == pytest.approx(0.5, rel=0.02)
    assert by_name["shop.till"] == pytest.approx(0.7, rel=0.02)
