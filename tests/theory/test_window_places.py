"""What places did in a window of time, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.analysis.summary import Measures
from sim.analysis.window_places import window_places
from sim.audit.run import audit_log
from sim.contract.meaning import LogKind
from sim.contract.records import LogColumn as L
from tests.theory.driver import Ran, load_text, run

DESK = """
scenario: desk
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 100 s, warm_up: 5 s}
rails:
  shop:
    kind: generic
    stations: {desk: {servers: 1}}
    stages: [{name: service, serve: desk, time: 1 s}]
corridors:
  one: {from: {country: KH, currency: KHR}, to: {country: KH, currency: KHR}}
demand:
  paid: {corridor: one, payments: [LIST]}
windows:
  before: {at: 20 s, for: 10 s}
  around: {at: 45 s, for: 10 s}
  within: {at: 51.5 s, for: 1 s}
  to_the_end: {at: 90 s, for: 10 s}
"""
TIMES = (50, 50, 50, 95)


def _places(folder: Path, engine: str, text: str, *changes: str) -> dict[str, Measures]:
    ran = run(load_text(folder, text, changes), engine)
    return window_places(ran.plan, ran.totals)


def _desk(folder: Path, engine: str, *changes: str) -> dict[str, dict[str, float | None]]:
    listed = ", ".join(f"{{at: {at} s, amount: 1}}" for at in TIMES)
    found = _places(folder, engine, DESK.replace("LIST", listed), *changes)
    names = ("utilisation", "queue_mean", "queue_max", "starts", "wait_mean")
    return {
        key.partition("/")[0]: {n: one[n].value for n in names if one[n].value is not None}
        for key, one in found.items()
        if key.endswith("/station/shop.desk")
    }


def test_a_desk_is_told_window_by_window(tmp_path: Path, engine: str) -> None:
    # Three come at 50 and are served from 50, 51 and 52; two wait for a second, one for another:
    # 3 seconds of waiting. One comes at 95.
    found = _desk(tmp_path, engine)
    assert found["before"] == {"utilisation": 0, "queue_mean": 0, "queue_max": 0, "starts": 0}
    assert found["around"] == {
        "utilisation": 3 / 10, "queue_mean": 3 / 10, "queue_max": 2, "starts": 3, "wait_mean": 1,
    }  # fmt: skip
    # From 51.5 to 52.5 the desk is always busy; one waits for half of it, and for 2 s in all.
    assert found["within"] == {
        "utilisation": 1, "queue_mean": 0.5, "queue_max": 1, "starts": 1, "wait_mean": 2,
    }  # fmt: skip
    assert found["to_the_end"] == {
        "utilisation": 1 / 10, "queue_mean": 0, "queue_max": 0, "starts": 1, "wait_mean": 0,
    }  # fmt: skip


def test_windows_change_nothing_of_the_run_as_a_whole(tmp_path: Path, engine: str) -> None:
    listed = ", ".join(f"{{at: {at} s, amount: 1}}" for at in TIMES)
    text = DESK.replace("LIST", listed)
    told = run(load_text(tmp_path, text), engine)
    plain = run(load_text(tmp_path, text[: text.index("windows:")]), engine)
    for name in ("station", "ledger", "account", "station_wait"):
        assert np.array_equal(getattr(told.totals, name), getattr(plain.totals, name)), name
    # A reading is an event: two for each window but the last, whose end is the horizon's.
    assert told.totals.events == plain.totals.events + 7


def test_half_the_servers_count_while_they_are_there(tmp_path: Path, engine: str) -> None:
    changes = (
        "rails.shop.stations.desk.servers=4",
        "disruptions={fewer: {degradation: shop, capacity: 50 %, after: 50 s, for: 30 s}}",
        "windows={slow: {during: fewer}}",
    )
    # Two are served at once from 50 on, the third from 51: 3 busy seconds over 2 x 30.
    found = _desk(tmp_path, engine, *changes)["slow"]
    assert found["utilisation"] == pytest.approx(3 / 60)
    assert found["queue_max"] == 1


MONEY = """
scenario: money
extends: MINIMAL
windows:
  first: {at: 0 s, for: 5 s}
  around: {at: 5 s, for: 1 s}
  both: {from: "12:00:06", for: 4 s}
"""


def test_balances_are_told_window_by_window(tmp_path: Path, engine: str) -> None:
    found = _places(tmp_path, engine, MONEY)
    # 100 000.00 riel lie there until 41 300.00 are paid out of them at 5.7 s.
    values = {
        window: tuple(
            found[f"{window}/account/river_khr_for_alipay"][name].value
            for name in ("liquidity_low_minor", "balance_mean_minor", "balance_end_minor")
        )
        for window in ("first", "around", "both")
    }
    assert values == {
        "first": (10_000_000, 10_000_000, 10_000_000),
        "around": (5_870_000, 0.7 * 10_000_000 + 0.3 * 5_870_000, 5_870_000),
        "both": (5_870_000, 5_870_000, 5_870_000),
    }
    # The ledger commits a block in each of its windows: of 5.7 and 6.5 s (and 8.7).
    blocks = [found[f"{window}/station/bakong.ledger"]["blocks"].value for window in values]
    assert blocks == [0, 1, 2]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return run(load_text(tmp_path_factory.mktemp("read"), MONEY), "reference")


@pytest.mark.parametrize("column", [L.TIME_US, L.SUBJECT])
def test_a_reading_at_another_time_or_of_another_number_is_found(read: Ran, column: L) -> None:
    log = read.log.copy()
    at = np.flatnonzero(log[:, L.KIND] == LogKind.READING)[1]
    log[at, column] += 1
    assert audit_log(read.plan, [log], None).violations
    # And one that is missing.
    log = np.delete(read.log, at, axis=0)
    assert "agenda" in {one.rule for one in audit_log(read.plan, [log], None).violations}
