"""What a stress test says besides its capacity: backlog, bottleneck, institutions, drift."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.layout import NULL
from sim.contract.meaning import LogKind
from sim.contract.records import LOG_WIDTH, RECORD_WIDTH, LogColumn, RecordColumn
from sim.report.documents.stress import sentences
from sim.scenario.scenario import load_scenario
from sim.study.compile_case import compile_replication
from sim.study.stress.backlog import Backlog, BacklogSink, PlaceSink, follow
from sim.study.stress.output import as_json_object
from sim.study.stress.participants import Participant, mean_participants
from sim.study.stress.series import IntervalFigures
from sim.study.stress.soak import drift_reasons
from sim.study.stress.study import run_stress
from sim.study.stress.trial import LoadRun
from sim.units import SECOND_US
from tests.support.loads import GATE, PREFUNDED, load_test, load_text
from tests.support.tiny import SEED, tiny_text
from tests.theory.oracle import BOUND

SATURATION = Path(__file__).parents[4] / "scenarios" / "bakong-saturation.yaml"


@pytest.mark.parametrize(
    ("rates", "is_growing"), [((2.0, 2.0), False), ((2.0, 1.9), True), ((2.0, 2.3), False)]
)
def test_backlog_grows_when_more_come_than_leave(
    tmp_path: Path, rates: tuple[float, float], is_growing: bool
) -> None:
    plan = compile_replication(tiny_text(tmp_path), SEED, 0).plan
    rng = np.random.default_rng(1)
    came = np.sort(rng.integers(0, plan.horizon_us, 6000))
    free = np.maximum.accumulate(came + rng.exponential(1e5, 6000).astype(np.int64))
    # Leaving at the slower pace pushes every end further behind its arrival.
    ends = free + (came * max(0.0, rates[0] / rates[1] - 1)).astype(np.int64)
    rows = np.zeros((6000, RECORD_WIDTH), dtype=np.int64)
    rows[:, RecordColumn.SUBMITTED_US] = came
    rows[:, RecordColumn.END_US] = np.where(ends < plan.horizon_us, ends, NULL)
    sink = BacklogSink(plan, ("customers",))
    sink.take_records(rows)
    assert sink.backlog().is_growing is is_growing


def test_backlog_counts_the_demand_whose_load_is_offered(tmp_path: Path) -> None:
    text = GATE + "  guests: {corridor: inside, rate: 1 /s}\n"
    plan = compile_scenario(load_text(tmp_path, text)).plan
    assert plan.names.streams == ("customers", "guests")
    rows = np.zeros((3, RECORD_WIDTH), dtype=np.int64)
    # Two customers and a guest come at once and stay.
    rows[:, RecordColumn.STREAM] = (0, 0, 1)
    rows[:, RecordColumn.END_US] = NULL
    for streams, inside in ((("customers",), 2), (("guests",), 1), (("customers", "guests"), 3)):
        sink = BacklogSink(plan, streams)
        sink.take_records(rows)
        assert sink.inside(10 * SECOND_US) == inside


def test_backlog_rule_needs_three_deviations() -> None:
    assert not Backlog(100, 129, 10).is_growing
    assert Backlog(100, 131, 10).is_growing
    assert not Backlog(131, 100, 10).is_growing
    assert Backlog(131, 100, 10).is_falling


def test_a_backlog_that_rises_with_its_load_does_not_grow() -> None:
    # Half as much again is offered at the end: 150 of 100 are nothing but that.
    assert not Backlog(100, 150, 10, rise=1.5).is_growing
    assert Backlog(100, 185, 10, rise=1.5).is_growing
    # A load that falls excuses nothing and accuses of nothing.
    assert not Backlog(100, 100, 10, rise=0.5).is_growing


def test_a_series_is_followed_by_its_ends_and_its_line() -> None:
    # A straight line from 0 to 99: tenths average 4.5 and 94.5, nothing lies beside it.
    found = follow(np.arange(100))
    assert (found.start, found.end) == (4.5, 94.5)
    assert found.slope == pytest.approx(1)
    assert found.deviation == pytest.approx(0, abs=1e-9)
    assert follow([5]) == Backlog(0.0, 0.0, 0.0)


def test_samples_are_kept_by_place_between_warm_up_and_end(tmp_path: Path) -> None:
    plan = compile_replication(tiny_text(tmp_path), SEED, 0).plan
    sink = PlaceSink(plan, until_us=40 * SECOND_US)
    rows = np.zeros((6, LOG_WIDTH), dtype=np.int64)
    rows[:, LogColumn.KIND] = LogKind.SAMPLE_STATION
    rows[:, LogColumn.TIME_US] = np.arange(6) * 10 * SECOND_US
    rows[:, LogColumn.AMOUNT] = [0, 10, 20, 30, 900, 900]
    for part in (rows[:2], rows[2:]):
        sink.take_log(part)
    # One more each second; what comes after 40 s is not looked at.
    assert sink.per_second("shop.till") == pytest.approx(1)
    assert sink.moved("nowhere") == Backlog(0.0, 0.0, 0.0)


@pytest.mark.slow
@pytest.mark.parametrize(("load", "growth"), [(44.0, 4.0), (32.0, None)])
def test_the_reason_names_how_fast_the_queue_grew(
    tmp_path: Path, load: float, growth: float | None
) -> None:
    test = load_test(load_text(tmp_path, GATE), replications=1)
    found = run_stress(test, load).bottleneck
    assert found is not None
    assert found.station == "shop.gate"
    if growth is None:
        assert found.queue_growth is None
        assert not found.is_full
        assert "grew" not in found.reason
        return
    # 44 come, 40 go. The slope of a line through a Poisson walk has the variance 6/5 of that of its
    # ends, 44 / 600 per second squared.
    error = np.sqrt(1.2 * 44 / 600)
    assert found.queue_growth is not None
    assert abs(found.queue_growth - growth) <= BOUND * error
    assert "its queue grew by" in found.reason
    assert found.utilisation == pytest.approx(1, abs=0.001)


@pytest.mark.slow
def test_an_account_that_runs_dry_is_the_bottleneck(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, PREFUNDED)
    found = run_stress(load_test(loaded, "p50<=60s", replications=1), 2.0)
    assert found.verdict == "FAIL"
    bottleneck = found.bottleneck
    assert bottleneck is not None
    assert bottleneck.station == "river_khr_for_alipay"
    assert bottleneck.utilisation is None
    assert "liquidity: 0 payments waited for money on it" in bottleneck.reason
    assert "were refused" in bottleneck.reason
    # 600 of some 1320 payments could be paid for.
    [run] = found.points[0].runs
    lost = float(run.summary.by["account"]["river_khr_for_alipay"]["lost_for_liquidity"])
    assert abs(lost - (2 * 660 - 600)) <= 4 * np.sqrt(2 * 660)
    assert "for want of money" in " ".join(found.reasons)
    # Its owner is named, too.
    [river] = [one for one in found.participants() if one.name == "river_bank"]
    assert river.account == "river_khr_for_alipay"
    assert river.short == lost
    assert "river_bank lacks money on river_khr_for_alipay" in " ".join(sentences(found))


@pytest.mark.slow
def test_with_money_enough_the_same_load_is_sustained(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, PREFUNDED, "accounts.river_khr_for_alipay.balance=3 000 000")
    found = run_stress(load_test(loaded, "p50<=60s", replications=1), 2.0)
    assert found.verdict == "PASS"
    assert found.bottleneck is not None
    assert found.bottleneck.station != "river_khr_for_alipay"


@pytest.mark.slow
def test_a_soak_foretells_when_an_account_runs_dry(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, PREFUNDED, "accounts.river_khr_for_alipay.balance=9 000 000")
    test = load_test(loaded, "p50<=60s", replications=1, profile="soak", window_s=1200)
    found = run_stress(test)
    [run] = found.points[0].runs
    assert len(run.series) == 12
    [drain] = [one for one in run.drains if one.account == "river_khr_for_alipay"]
    # Two payments of 1 000 riel a second; the trend of a Poisson walk is 6/5 as uncertain as its
    # ends. A riel has 100 minor units.
    spread = np.sqrt(1.2 * 2 / 1200) / 2
    assert drain.per_hour_minor == pytest.approx(2 * 3600 * 1000 * 100, rel=BOUND * spread)
    left_h = (9_000_000 - 2 * 1000 * 1260) / (2 * 3600 * 1000)
    assert drain.empty_after_h == pytest.approx(left_h, rel=0.15)
    # Told in riel, as people count them.
    whole = f"{round(drain.per_hour_minor / 100):,}".replace(",", " ")
    assert f"river_khr_for_alipay loses {whole} KHR an hour and is" in " ".join(sentences(found))


@pytest.mark.slow
def test_the_smaller_bank_is_nearest_to_being_full() -> None:
    changes = (
        "institutions.member.members=2",
        "institutions.member.core={servers: 4, service_time: 0.1 s}",
        "institutions.big={country: KH, roles: [issuer, acquirer], payer_share: 300, "
        "merchant_share: 300, decline: 0 %, core: {servers: 40, service_time: 0.1 s}}",
        "demand.domestic.rate=40 /s",
    )
    test = load_test(load_scenario(SATURATION, changes), replications=1)
    found, doubled = run_stress(test, 20.0), run_stress(test, 40.0)
    # Shares s of 1/8, 1/8 and 3/4 of payers and of payees alike. A bank has a part in 1 - (1 - s)^2
    # of the payments and serves 2 s of 0.1 s for each: 15/64 and 1/4 with 4 servers, 15/16 and 3/2
    # with 40. So it is full at 15/64 x 40 / (1/4) = 37.5 and at 15/16 x 400 / (3/2) = 250.
    first, second, third = found.participants()
    assert {first.name, second.name} == {"member_01", "member_02"}
    assert third.name == "big"
    assert {one.name for one in found.fullest()} == {"member_01", "member_02"}
    assert set(as_json_object(found)["nearest_to_full"]) == {"member_01", "member_02"}  # type: ignore[arg-type]
    assert "2 of 3 institutions are about equally near to being full" in " ".join(sentences(found))
    for one, full_at in ((first, 37.5), (second, 37.5), (third, 250.0)):
        assert one.station == f"{one.name}.core"
        # Each is a ratio of counts of the same payments: some 2800 of the smaller banks.
        assert one.full_at == pytest.approx(full_at, rel=4 / np.sqrt(2800))
    # What was extrapolated from one load holds at twice the load.
    by_name = {one.name: one for one in doubled.participants()}
    for one in found.participants():
        assert one.full_at == pytest.approx(by_name[one.name].full_at, rel=4 / np.sqrt(2800))
    # In sum every payment has two parts but those within one bank: 1 - 2/64 - 9/16 = 13/32 more.
    total = sum(one.completed_rate for one in found.participants())
    completed = found.points[0].completed
    assert completed is not None
    assert total == pytest.approx(completed * (1 + 13 / 32), rel=0.01)


def test_institutions_are_averaged_and_the_fullest_is_first() -> None:
    runs = (
        (
            Participant("a", 10.0, "a.core", 0.2, None, 0.0),
            Participant("b", 30.0, "b.core", 0.5, "b_nostro", 4.0),
        ),
        (
            Participant("a", 20.0, "a.desk", 0.6, None, 0.0),
            Participant("c", 4.0, None, None, None, 0),
        ),
    )
    found = mean_participants(runs)
    assert [one.name for one in found] == ["b", "a", "c"]
    second = found[1]
    assert (second.completed_rate, second.utilisation, second.station) == (15.0, 0.4, "a.desk")
    assert second.full_at == 37.5
    # What only one run saw counts as nothing in the other.
    assert (found[0].completed_rate, found[0].short, found[0].account) == (15.0, 2.0, "b_nostro")
    assert found[2].full_at is None


def _parts(times: list[float]) -> list[IntervalFigures]:
    return [
        IntervalFigures(60.0 * at, 60.0 * at + 60, 9, 9, 9, 9, 9, 0, ((0.5, time), (0.99, 3.0)))
        for at, time in enumerate(times)
    ]


@pytest.mark.parametrize(
    ("times", "rise", "drifts"),
    [
        # A tenth more each time; the same up and down; and growth too small to matter.
        ([1 + 0.1 * at for at in range(12)], 1.0, True),
        ([1.0, 1.1] * 6, 1.0, False),
        ([1 + 0.001 * at for at in range(12)], 1.0, False),
        ([2 - 0.1 * at for at in range(12)], 1.0, False),
        # Where the demand itself rises, longer times are no drift.
        ([1 + 0.1 * at for at in range(12)], 1.2, False),
    ],
)
def test_times_drift_where_they_grow_beyond_luck(
    times: list[float], rise: float, drifts: bool
) -> None:
    found = drift_reasons(_parts(times), rise=rise)
    assert bool(found) is drifts
    if drifts:
        # The line grows by 0.1 eleven times, exactly.
        assert found[0].startswith("p50 drifts: it grew by 1.1 s over 12 intervals")


def test_a_run_says_what_it_is_no_measurement_for(tmp_path: Path) -> None:
    test = load_test(load_text(tmp_path, GATE), replications=1, window_s=120)
    [run] = test.at(2.0).runs
    assert isinstance(run, LoadRun)
    assert not run.is_valid
    assert "measured for 120 s; needed: 600 s" in run.faults
    needed = [fault for fault in run.faults if "p99 needs 1000 to be believed" in fault]
    assert len(needed) == 1
    assert "s at this load" in needed[0]
