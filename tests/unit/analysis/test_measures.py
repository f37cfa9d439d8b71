"""Measures are those of the interface, agree with a count by hand, and know what they cover."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from functools import cache
from math import ceil
from pathlib import Path

import numpy as np
import pytest

from sim.analysis.catalogue import HEADLINE_UNITS, PAYMENT_MEASURES, measured
from sim.analysis.measures import RunFigures, summarise
from sim.analysis.sources import QUANTILES, Cell, Payments
from sim.analysis.summary import GROUPS, Summary
from sim.contract.layout import StreamColumn
from sim.contract.meaning import Cause, Flag, Op, Outcome
from sim.contract.plan import Plan
from sim.contract.records import (
    HISTOGRAM_LENGTH,
    AccountTotal,
    LedgerTotal,
    RecordColumn,
    StationTotal,
    histogram_bucket,
)
from sim.contract.run import Totals
from sim.tables.durations import Between, Durations
from sim.tables.folding import TALLY_WIDTH, Tally
from sim.tables.schemas import Record
from sim.tables.writer import RunWriter, SinkGroup, WriterOptions
from tests.unit.engine.worked import Sketch, at
from tests.unit.tables.corridor import (
    Keeper,
    corridor_plan,
    corridor_workload,
    run_into,
)

R = RecordColumn

HEADLINE = [
    *("submitted", "completed", "rejected", "returned", "in_progress", "success_rate"),
    *(
        f"{kind}_{name}"
        for kind in ("end_to_end", "machine_time")
        for name in ("p50", "p90", "p95", "p99", "p999", "mean", "max")
    ),
    *("within_10s", "within_60s", "within_1h", "within_1d"),
    *("payer_cost_bps", "payer_fee_bps", "fx_margin_bps", "merchant_cost_bps"),
    *("waiting_mean", "service_mean", "transit_mean", "ledger_mean", "human_mean"),
    *("liquidity_mean", "retry_mean"),
    *("offered_rate_mean", "completed_rate_mean", "completed_rate_peak"),
    *("requotes", "quotes_lapsed", "returns"),
    *("netting_ratio", "exposure_peak_minor", "open_in_time", "not_payable"),
    *(f"debited_not_credited{end}" for end in ("", "_minor", "_oldest")),
]
STATION = ["utilisation", "queue_mean", "queue_max", "wait_mean", "wait_p99", "block_fill_mean"]
ACCOUNT = [
    *("liquidity_low_minor", "balance_mean_minor"),
    *("delayed_for_liquidity", "lost_for_liquidity"),
]


@cache
def run_once() -> tuple[Plan, Totals, RunWriter, tuple[tuple[int, ...], ...]]:
    plan = corridor_plan(7)
    keeper, writer = Keeper(), RunWriter(plan)
    totals = run_into(plan, SinkGroup([keeper, writer]), corridor_workload(7))
    return plan, totals, writer, tuple(map(tuple, np.vstack(keeper.records).tolist()))


def summary() -> Summary:
    plan, totals, writer, _ = run_once()
    return summarise(RunFigures(plan, writer.summary, totals))


def abroad(outcome: Outcome | None = None) -> list[tuple[int, ...]]:
    """Return the cross-border records the headline covers."""
    plan, _, _, records = run_once()
    late = [row for row in records if row[R.SUBMITTED_US] >= plan.warm_up_us]
    cross = [row for row in late if row[R.STREAM] == 0]
    return [row for row in cross if outcome is None or row[R.OUTCOME] == outcome]


def nearest_rank(values: Iterable[int], share: float) -> int:
    ordered = sorted(values)
    return ordered[max(ceil(share * len(ordered)), 1) - 1]


def test_every_measure_of_the_interface_is_there() -> None:
    found = summary()
    assert [name for name in HEADLINE if name not in found.measures] == []
    # No provider here has a position that is bounded.
    assert tuple(found.by) == tuple(group for group in GROUPS if group != "provider")
    for name in ("hub.gateway", "hub.screening", "bakong.ledger"):
        assert [m for m in STATION if m not in found.by["station"][name]] == []
    assert [m for m in ACCOUNT if m not in found.by["account"]["prefund_khr"]] == []
    assert set(found.by["scope"]) == {"all", "cross_border", "domestic"}
    assert set(found.by["corridor"]) == {"cn_kh", "kh"}
    assert set(found.by["route"]) == {"direct", "usd"}
    assert set(found.by["rail"]) == {"hub"}
    assert set(found.by["agent"]) == {"wallet", "bank"}


def test_json_has_the_shape_of_the_interface() -> None:
    content = json.loads(json.dumps(summary().as_json(), allow_nan=False))
    assert set(content) >= {"scenario", "seed", "engine", "replications", "measures", "by"}
    for measure in content["measures"].values():
        assert set(measure) == {"value", "unit", "low", "high"}
        assert measure["low"] is None
        assert measure["high"] is None
    assert content["covers"] == "cross_border"


def test_counts_and_rates_agree_with_a_count_by_hand() -> None:
    found, done = summary(), abroad(Outcome.COMPLETED)
    still = abroad(Outcome.IN_PROGRESS)
    assert found["submitted"].value == len(abroad())
    assert found["completed"].value == len(done)
    assert found["success_rate"].value == len(done) / (len(abroad()) - len(still))
    assert found["offered_rate_mean"].value == len(abroad()) / 180
    within = sum(row[R.CREDITED_US] - row[R.SUBMITTED_US] <= 10_000_000 for row in done)
    # Nothing is promised here, so that whatever is open is in time.
    assert found["open_in_time"].value == len(still)
    assert found["within_10s"].value == within / (len(abroad()) - len(still))
    human = sum(row[R.TIME_0 + 4] for row in done) / len(done) / 1e6
    assert found["human_mean"].value == pytest.approx(human, rel=1e-12)
    lapsed = sum(row[R.QUOTES_LAPSED] for row in abroad())
    assert found["quotes_lapsed"].value == lapsed


def test_times_by_cause_add_up_to_the_end() -> None:
    found, done = summary(), abroad(Outcome.COMPLETED)
    causes = ["waiting", "service", "transit", "ledger", "human", "liquidity", "retry"]
    total = sum(float(found[f"{cause}_mean"]) for cause in causes)
    end = sum(row[R.END_US] - row[R.SUBMITTED_US] for row in done) / len(done) / 1e6
    assert total == pytest.approx(end, rel=1e-12)
    credit = sum(row[R.CREDITED_US] - row[R.SUBMITTED_US] for row in done) / len(done) / 1e6
    assert float(found["end_to_end_mean"]) == pytest.approx(credit, rel=1e-12)
    machine = float(found["end_to_end_mean"]) - float(found["human_mean"])
    assert float(found["machine_time_mean"]) == pytest.approx(machine, rel=1e-12)


def test_costs_are_means_over_payments() -> None:
    found, done = summary(), abroad(Outcome.COMPLETED)
    costs = [1e4 * (row[R.PAYER_FEE] + row[R.FX_MARGIN]) / row[R.DEBITED] for row in done]
    assert float(found["payer_cost_bps"]) == pytest.approx(np.mean(costs), abs=1e-4)
    shares = [1e4 * row[R.MERCHANT_FEE] / (row[R.CREDITED] + row[R.MERCHANT_FEE]) for row in done]
    assert float(found["merchant_cost_bps"]) == pytest.approx(np.mean(shares), abs=1e-4)


def test_costs_by_value_weigh_payments_by_their_amount() -> None:
    found, done = summary(), abroad(Outcome.COMPLETED)
    cost = sum(row[R.PAYER_FEE] + row[R.FX_MARGIN] for row in done)
    assert found["payer_cost_value_bps"].value == 1e4 * cost / sum(row[R.DEBITED] for row in done)
    fee = sum(row[R.MERCHANT_FEE] for row in done)
    whole = sum(row[R.CREDITED] + row[R.MERCHANT_FEE] for row in done)
    assert found["merchant_cost_value_bps"].value == pytest.approx(1e4 * fee / whole, rel=1e-12)
    assert found["payer_cost_value_bps"].value != found["payer_cost_bps"].value


def test_costs_by_value_in_several_currencies_are_added_up_at_mid_rates() -> None:
    # 100.00 USD at 1 % and 400 000.00 KHR, worth as much, at 3 %: 2 % of everything.
    dollars, riel = np.zeros((2, TALLY_WIDTH), dtype=np.int64)
    dollars[[Tally.PAYER_AMOUNT, Tally.PAYER_COST]] = 10_000, 100
    riel[[Tally.PAYER_AMOUNT, Tally.PAYER_COST]] = 40_000_000, 1_200_000
    one = Fraction(1)
    cells = Cell(dollars, one, None), Cell(riel, Fraction(1, 4000), None)
    count = (dollars + riel).tolist()
    assert _by_value(Payments(count, 1.0, cells)) == 200.0
    lost = Cell(riel, None, None)
    assert _by_value(Payments(count, 1.0, (cells[0], lost))) is None
    assert _by_value(Payments(count, 1.0)) is None


def _by_value(group: Payments) -> float | None:
    value = measured(PAYMENT_MEASURES, "corridor", group)["payer_cost_value_bps"].value
    return None if value is None else float(value)


def test_quantiles_are_exact_whatever_is_recorded(tmp_path: Path) -> None:
    plan, totals, _, _ = run_once()
    writer = RunWriter(plan, tmp_path, WriterOptions(Record.PAYMENTS))
    run_into(plan, writer, corridor_workload(7))
    writer.close()
    recorded, exact = summarise(RunFigures(plan, writer.summary, totals)), summary()
    done = abroad(Outcome.COMPLETED)
    ends = [row[R.CREDITED_US] - row[R.SUBMITTED_US] for row in done]
    machine = [end - row[R.TIME_0 + 4] for end, row in zip(ends, done, strict=True)]
    for name, share in QUANTILES.items():
        for prefix, values in (("end_to_end", ends), ("machine_time", machine)):
            due = nearest_rank(values, share) / 1e6
            assert exact[f"{prefix}_{name}"].value == due
            assert exact[f"{prefix}_{name}"].width == 0
    assert exact["end_to_end_max"].value == max(ends) / 1e6
    assert recorded.as_json() == exact.as_json()


def test_groups_add_up_to_the_whole() -> None:
    found = summary()
    for group in ("corridor", "scope"):
        parts = {n: m for n, m in found.by[group].items() if n != "all"}
        total = sum(float(measures["submitted"]) for measures in parts.values())
        assert total == float(found.by["scope"]["all"]["submitted"])
    reasons = found.by["reason"]
    failed = sum(float(measures["rejected"]) for measures in reasons.values())
    assert failed == float(found["rejected"])
    routed = sum(float(measures["completed"]) for measures in found.by["route"].values())
    assert routed == float(found["completed"])


def test_places_are_averages_over_the_window() -> None:
    plan, totals, _, _ = run_once()
    found = summary().by
    window = 180_000_000
    desk = totals.station[0]
    assert found["station"]["hub.gateway"]["utilisation"].value == desk[StationTotal.BUSY_AREA] / (
        2 * window
    )
    ledger = totals.ledger[0]
    fill = ledger[LedgerTotal.INCLUDED] / (3 * ledger[LedgerTotal.BLOCKS])
    assert found["station"]["bakong.ledger"]["block_fill_mean"].value == fill
    mean, p99 = (float(found["station"]["bakong.ledger"][f"wait_{end}"]) for end in ("mean", "p99"))
    assert 0 < mean <= p99
    account = plan.names.accounts.index("prefund_khr")
    row = found["account"]["prefund_khr"]
    total = totals.account[account]
    held = total[AccountTotal.BALANCE_AREA] * 10**6 + total[AccountTotal.BALANCE_REST]
    assert row["balance_mean_minor"].value == held / window
    assert row["delayed_for_liquidity"].value == totals.account[account, AccountTotal.DELAYED]


def test_the_headline_is_known_without_a_run() -> None:
    found = {name: measure.unit.partition(" ")[0] for name, measure in summary().measures.items()}
    assert found == HEADLINE_UNITS


def test_netting_of_one_way_traffic_saves_nothing() -> None:
    """Everything flows from the wallet to the bank: no obligation cancels another."""
    found = summary()
    assert found["netting_ratio"].value == 0.0
    assert float(found["exposure_peak_minor"]) > 0
    assert found["exposure_peak_minor"].unit == "minor USD"


def test_g20_targets_are_held_against_cross_border_payments() -> None:
    found = summary()
    assert set(found.g20) == {"cost_mean", "cost_worst_corridor", "within_1h"}
    worst = found.g20["cost_worst_corridor"]
    assert worst.value == found.by["corridor"]["cn_kh"]["payer_cost_bps"].value
    assert worst.is_met is (float(worst.value or 0) <= 300)
    assert found.g20["within_1h"].value == found["within_1h"].value


def test_without_cross_border_payments_all_are_covered() -> None:
    plan, totals, writer, _ = run_once()
    streams = plan.stream.copy()
    streams[:, StreamColumn.SCOPE] = 1
    domestic = replace(plan, stream=streams)
    found = summarise(RunFigures(domestic, writer.summary, totals))
    assert found.covers == "all"
    assert found["submitted"] == found.by["scope"]["all"]["submitted"]
    assert found.g20 == {}


def test_a_bare_queue_has_measures_too(tmp_path: Path) -> None:
    """One server, service 2 s, arrivals at 0, 0 and 1: waits 0, 2 and 3 s."""
    sketch = Sketch(horizon=10)
    station = sketch.builder.add_station("shop.desk", servers=1)
    sketch.serve(station, 2)
    sketch.builder.add_stage(Op.END, value=Outcome.COMPLETED, reason=0)
    plan = sketch.build()
    writer = RunWriter(plan, tmp_path)
    totals = run_into(plan, writer, at(0, 0, 1))
    writer.close()
    found = summarise(RunFigures(plan, writer.summary, totals))
    assert found["completed"].value == 3
    assert found["waiting_mean"].value == pytest.approx(5 / 3)
    assert found["end_to_end_p50"].value == 4.0
    assert found["end_to_end_max"].value == 5.0
    assert found["payer_cost_bps"].value is None
    desk = found.by["station"]["shop.desk"]
    assert desk["utilisation"].value == 0.6
    assert desk["wait_mean"].value == pytest.approx(5 / 3)
    assert desk["queue_max"].value == 2


@pytest.mark.parametrize("is_written", [True, False])
def test_times_run_to_the_credit(tmp_path: Path, is_written: bool) -> None:
    """Two seconds to the credit, of them one human; then nine of notification."""
    sketch = Sketch(horizon=30)
    sketch.wait(1, cause=Cause.HUMAN)
    sketch.wait(1)
    sketch.builder.add_stage(Op.POST, "", first=0, count=0, flags=Flag.CREDITS)
    sketch.wait(9)
    sketch.completed()
    plan = sketch.build()
    writer = RunWriter(plan, tmp_path if is_written else None)
    totals = run_into(plan, writer, at(0, 5))
    writer.close()
    found = summarise(RunFigures(plan, writer.summary, totals))
    for name in ("mean", "p50", "max"):
        assert found[f"end_to_end_{name}"].value == 2.0
        assert found[f"machine_time_{name}"].value == 1.0
    assert found["within_10s"].value == 1.0
    assert found["transit_mean"].value == 10.0


def test_an_overloaded_queue_completes_at_its_capacity() -> None:
    """One server, service 2 s, two payments a second: what leaves came before the warm-up."""
    sketch = Sketch(horizon=300, warm_up=100)
    sketch.serve(sketch.builder.add_station("shop.desk", servers=1), 2)
    sketch.completed()
    plan = sketch.build()
    writer = RunWriter(plan)
    came = at(*(0.5 * number for number in range(600)))
    totals = run_into(plan, writer, came)
    found = summarise(RunFigures(plan, writer.summary, totals))
    assert found["submitted"].value == 400
    assert found["completed"].value == 0
    assert found["offered_rate_mean"].value == 2.0
    assert found["completed_rate_mean"].value == 0.5
    assert found["completed_rate_peak"].value == 1
    assert found["end_to_end_mean"].value is None
    assert found.by["reason"] == {}


def test_completions_count_by_their_own_time() -> None:
    plan, _, _, records = run_once()
    found = summary().by
    done = [row for row in records if row[R.OUTCOME] == Outcome.COMPLETED]
    since = [row for row in done if row[R.END_US] >= plan.warm_up_us]
    assert len(since) > sum(row[R.SUBMITTED_US] >= plan.warm_up_us for row in done)
    assert found["scope"]["all"]["completed_rate_mean"].value == len(since) / 180
    abroad_since = [row for row in since if row[R.STREAM] == 0]
    assert found["scope"]["cross_border"]["completed_rate_mean"].value == len(abroad_since) / 180
    assert (
        found["agent"]["wallet"]["completed_rate_mean"].value
        == sum(
            plan.names.agents.index("wallet") in (row[R.DEBTOR_AGENT], row[R.CREDITOR_AGENT])
            for row in since
        )
        / 180
    )


def test_nothing_to_divide_by_is_none() -> None:
    plan, totals, _, _ = run_once()
    found = summarise(RunFigures(plan, RunWriter(plan).summary, totals))
    assert found["submitted"].value == 0
    for name in ("success_rate", "end_to_end_p50", "end_to_end_max", "payer_cost_bps"):
        assert found[name].value is None
    assert np.isnan(float(found["success_rate"]))


def test_waits_are_known_within_the_cell_they_say() -> None:
    """The engines count waits in cells: 10.02 s lies between 9.961472 and 10.027007 s."""
    histogram = np.zeros(HISTOGRAM_LENGTH, dtype=np.int64)
    histogram[histogram_bucket(10_020_000)] = 100
    # An octave begins at 2^23 us and has 128 cells of 65 536 us; 10.02 s lies in the 25th of them.
    low = (128 + 24) * 65_536
    assert Durations.of_histogram(histogram).quantile(0.99) == Between(low, low + 65_535)
