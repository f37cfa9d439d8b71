"""Carry domestic payments as load and one by one: payments across the border wait alike."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from sim.compiler.compile import Compiled, compile_scenario
from sim.contract.layout import CERTAIN
from sim.contract.loads import LoadColumn
from sim.contract.meaning import Cause, Scope
from sim.contract.plan import Array
from sim.contract.records import LedgerTotal, RecordColumn, WorkloadColumn
from sim.draws.keys import purpose_id
from sim.draws.lookup import draw62_pair
from sim.scenario.scenario import LoadedScenario, load_scenario
from tests.theory.driver import SCENARIOS, SECOND, Ran, load_text, run, run_large, seconds
from tests.theory.oracle import BOUND, Estimate, agrees, batch_means, bulk_wait

BULK = SCENARIOS / "theory" / "bulk-ledger.yaml"
VOTE = 0.1
OTHERS = "{corridor: inside, rate: 8 /s, amount: 10 000 KHR, as: %s}"
SHARED = """
scenario: shared
extends: MINIMAL
clock: {horizon: 20 000 s}
seed: 20260101
institutions:
  river_bank: {core: {servers: 1000}, screening: {servers: 1000}, decline: 10 %}
  temple_bank: {core: {servers: 1000}, decline: 10 %}
  alipay_wallet: {core: {servers: 1000}}
rails: {bakong: {opening_balance: {KHR: 100 000 000 000}, idle_interval: 0 s}}
accounts: {river_khr_for_alipay: {balance: 100 000 000 000}}
demand:
  outbound: null
  inbound: {payments: null, rate: 0.6 /s, amount: 40 000 KHR}
  domestic: {payments: null, rate: 25 /s, amount: 40 000 KHR, as: AS}
"""
"""Rounds of 0.8 s take 10. Of 25 domestic payments a second half stay within Temple Bank, a tenth
is declined, one code in 500 cannot be read: 0.5 * 0.9 * 0.998 = 0.4491 of them come to the ledger.
11.2275 and 0.6 a second are 95 % of what it takes."""


def _across(ran: Ran) -> Estimate:
    """Return how long payments across the border are in the ledger."""
    crossing = [
        number for number, row in enumerate(ran.plan.stream) if row[1] == Scope.CROSS_BORDER
    ]
    mine = ran.records[np.isin(ran.records[:, RecordColumn.STREAM], crossing)]
    mine = mine[np.argsort(mine[:, RecordColumn.PAYMENT])]
    return batch_means(mine[:, RecordColumn.TIME_0 + Cause.LEDGER] / SECOND)


def _alike(one: Estimate, other: Estimate) -> bool:
    return abs(one.mean - other.mean) <= BOUND * math.hypot(one.error, other.error)


def _shared(folder: Path, carried: str, *changes: str) -> LoadedScenario:
    return load_text(folder, SHARED.replace("AS", carried), changes)


@pytest.mark.slow
def test_payments_across_the_border_wait_alike_beside_load(tmp_path: Path) -> None:
    alone = run_large(_shared(tmp_path, "payments"))
    beside = run_large(_shared(tmp_path, "load"))
    without = run_large(_shared(tmp_path, "load", "demand.domestic=null"))
    waits = _across(alone)
    # Most of it is waiting for a place, so there is something to be wrong about.
    assert waits.mean > 1.0
    assert _alike(_across(beside), waits), (_across(beside), waits)
    assert not _alike(_across(without), waits), (_across(without), waits)
    # And a load of a tenth more, which the ledger cannot take, is another one.
    more = run_large(_shared(tmp_path, "load", "demand.domestic.rate=27.5 /s"))
    assert not _alike(_across(more), waits)
    # As many come to the ledger: 0.4491 of 25 a second, for 20 000 s.
    expected = 25 * 0.4491 * 20_000
    joined = int(beside.plan.load_count[-1])
    assert abs(joined - expected) < BOUND * math.sqrt(expected)
    committed = int(alone.totals.ledger[0, LedgerTotal.INCLUDED])
    committed -= int(without.totals.ledger[0, LedgerTotal.INCLUDED])
    carried = int(beside.totals.ledger[0, LedgerTotal.LOAD])
    assert abs(committed - carried) < BOUND * math.sqrt(2 * expected)


@pytest.mark.slow
def test_a_ledger_with_load_is_the_bulk_queue_of_all_of_it() -> None:
    """One payment a second beside eight of load: the queue of nine a second."""
    changes = ["demand.payments.rate=1 /s", f"demand.others={OTHERS % 'load'}"]
    ran = run_large(load_scenario(BULK, changes))
    times = batch_means(seconds(ran, Cause.LEDGER))
    theory = bulk_wait(9.0, 0.8, 8) + VOTE
    assert times.error < 0.02 * theory
    assert agrees(times, theory), (times, theory)
    # Load left out, a place more, and a load of 2 % more are other queues.
    assert not agrees(times, bulk_wait(1.0, 0.8, 8) + VOTE)
    assert not agrees(times, bulk_wait(9.0, 0.8, 9) + VOTE)
    assert not agrees(times, bulk_wait(9.18, 0.8, 8) + VOTE)
    fill = int(ran.totals.ledger[0, LedgerTotal.LOAD] + ran.totals.ledger[0, LedgerTotal.INCLUDED])
    assert fill / (9 * 99_000) == pytest.approx(1, abs=0.005)


def _joined(compiled: Compiled) -> tuple[Array, int]:
    """Return how many joined by the end of each cell, and its length."""
    cell_us, first, count = compiled.plan.load[0, : LoadColumn.COUNT + 1].tolist()
    return compiled.plan.load_count[first : first + count], cell_us


def _submitted(compiled: Compiled, stream: str, cell_us: int, cells: int) -> Array:
    """Return how many payments of a stream had been submitted by the end of each cell."""
    number = compiled.plan.names.streams.index(stream)
    rows = np.concatenate(list(compiled.workload()))
    times = rows[rows[:, WorkloadColumn.STREAM] == number, WorkloadColumn.TIME_US]
    counted = np.bincount(times // cell_us, minlength=cells)[:cells]
    found: Array = np.concatenate([[0], np.cumsum(counted)])
    return found


@pytest.mark.parametrize(
    "changes",
    [
        (),
        ("demand.others.count=700",),
        ("demand.others.steps={1 min: 3, 2 min: 0.5}",),
        ("disruptions.rush={surge: others, times: 4, after: 30 s, for: 1 min}",),
        ("profiles.day={hourly: [1,9,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1], "
         "burst_sigma: 40 %}", "demand.others.profile=day"),
        ("rails.bakong.round_interval=0.3 s", "seed=5"),
    ],
    ids=str,
)  # fmt: skip
def test_the_same_customers_come_at_the_same_instants_as_load(changes: tuple[str, ...]) -> None:
    """Nobody is declined and nothing takes time on the way, so all that come join at once."""
    clock = ("clock.horizon=200 s", "clock.warm_up=0 s")

    def compiled(carried: str) -> Compiled:
        others = f"demand.others={OTHERS % carried}"
        return compile_scenario(load_scenario(BULK, (*clock, others, *changes)))

    joined, cell_us = _joined(compiled("load"))
    alone = compiled("payments")
    assert joined[-1] > 600
    assert np.array_equal(joined, _submitted(alone, "others", cell_us, len(joined) - 1))
    assert not alone.plan.load_count.size
    # The other stream knows nothing of it.
    with_load = compiled("load").workload()
    mine = [row for rows in with_load for row in rows[:, WorkloadColumn.TIME_US].tolist()]
    number = alone.plan.names.streams.index("payments")
    rows = np.concatenate(list(alone.workload()))
    assert mine == rows[rows[:, WorkloadColumn.STREAM] == number, WorkloadColumn.TIME_US].tolist()


def test_the_second_number_of_an_arrival_decides_who_reaches_the_ledger(tmp_path: Path) -> None:
    """0.4491 of them join, 3.35 s later.

    On the way: 0.1 s for the scan, 0.2 s in the core, 3 s to confirm, 0.05 s to the gateway. The
    others, by number, are those whose second number is not below 0.4491 of 2^62.
    """
    loaded = _shared(tmp_path, "load", "clock.horizon=100 s", "demand.domestic.rate=1 /s")
    compiled = compile_scenario(loaded)
    (load,) = compiled.loads
    assert load.way.after_us == 3_350_000
    assert load.reaching == pytest.approx(0.4491, abs=1e-12)
    alone = compile_scenario(_shared(tmp_path, "payments", *loaded_changes(loaded)))
    number = alone.plan.names.streams.index("domestic")
    rows = np.concatenate(list(alone.workload()))
    rows = rows[rows[:, WorkloadColumn.STREAM] == number]
    key, purpose = alone.plan.stream_key[number], purpose_id("arrival")
    expected = []
    for row in rows.tolist():
        _, luck62 = draw62_pair(key, row[WorkloadColumn.ORDINAL], purpose, 0)
        joins = row[WorkloadColumn.TIME_US] + load.way.after_us
        if luck62 < 449_100_000 * CERTAIN // 10**9 and joins < 100 * SECOND:
            expected.append(joins)
    joined, cell_us = _joined(compiled)
    assert 30 < len(expected) < 60
    assert joined[-1] == len(expected)
    found = np.searchsorted(np.sort(expected), np.arange(len(joined)) * cell_us)
    assert joined.tolist() == found.tolist()


def loaded_changes(loaded: LoadedScenario) -> tuple[str, ...]:
    """Return the clock and the rate of a scenario made shorter."""
    assert loaded.scenario.clock.horizon == 100 * SECOND
    return ("clock.horizon=100 s", "demand.domestic.rate=1 /s")


def test_nobody_joins_while_the_gateway_is_down_and_half_while_a_bank_is(tmp_path: Path) -> None:
    base = ("clock.horizon=600 s", "demand.domestic.rate=10 /s")
    cases = {
        "disruptions.dark={outage: bakong, after: 200 s, for: 200 s}": 0.0,
        # Everybody pays from Temple Bank.
        "disruptions.dark={outage: temple_bank, after: 200 s, for: 200 s}": 0.0,
        # Payees' banks are reached behind the ledger: what is closed there does not keep load out.
        "disruptions.dark={outage: river_bank, after: 200 s, for: 200 s}": 0.4491,
        "disruptions.dark={degradation: bakong, capacity: 50 %, after: 200 s, for: 200 s}": 0.4491,
    }
    whole, cell_us = _joined(compile_scenario(_shared(tmp_path, "load", *base)))
    at = [200 * SECOND // cell_us, 400 * SECOND // cell_us]
    for disruption, share in cases.items():
        joined, _ = _joined(compile_scenario(_shared(tmp_path, "load", *base, disruption)))
        within = int(joined[at[1]] - joined[at[0]])
        assert abs(within - 2000 * share) <= BOUND * math.sqrt(2000 * 0.4491) * (share > 0)
        # Before and after it is as it was.
        assert np.array_equal(joined[: at[0]], whole[: at[0]])
        assert joined[-1] - joined[at[1]] == whole[-1] - whole[at[1]]


def test_a_ledger_at_half_its_size_lets_load_queue_and_payments_behind_it(tmp_path: Path) -> None:
    base = ("clock.horizon=600 s",)
    slow = (
        "disruptions.slow={degradation: bakong, station: ledger, capacity: 50 %, after: 1 min, "
        "for: 2 min}"
    )
    usual = run(_shared(tmp_path, "load", *base), "compiled")
    slower = run(_shared(tmp_path, "load", *base, slow), "compiled")
    # 11.25 a second come, 6.25 are taken: after two minutes some 600 wait.
    most = int(slower.totals.ledger[0, LedgerTotal.LOAD_MAX])
    assert 480 < most < 780
    assert int(usual.totals.ledger[0, LedgerTotal.LOAD_MAX]) < 150
    # The reference engine, on the same: row by row.
    same = run(_shared(tmp_path, "load", *base, slow), "reference")
    assert np.array_equal(same.log, slower.log)
    assert np.array_equal(same.totals.ledger, slower.totals.ledger)


def test_another_replication_is_another_load() -> None:
    clock = ("clock.horizon=50 s", "clock.warm_up=0 s")
    loaded = load_scenario(BULK, (*clock, f"demand.others={OTHERS % 'load'}"))
    first, again, other = (
        compile_scenario(loaded, replication=number).plan.load_count for number in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
