"""Stress tests find capacities that are known beforehand, and name what sets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.errors import UserError
from sim.report.blocks import Document
from sim.report.documents.stress import chart, sentences
from sim.report.formats.terminal import lines as terminal_lines
from sim.scenario.scenario import load_scenario
from sim.study.compile_case import compile_replication, expected_submitted
from sim.study.slo import parse_slo
from sim.study.stress.demand import ScaledDemand, choose_streams
from sim.study.stress.output import as_json_object
from sim.study.stress.points import rounded
from sim.study.stress.study import run_stress
from sim.study.stress.tables import points_table
from sim.tables.tabular import TabularData
from tests.support.loads import ENDLESS, GATE, PREFUNDED, load_test, load_text
from tests.support.tiny import YAML, write_tiny

SCENARIOS = Path(__file__).parents[4] / "scenarios"
SATURATION = SCENARIOS / "bakong-saturation.yaml"
BURSTS = """
profiles: {day: {hourly: [HOURS], burst_sigma: 40 %}}
""".replace("HOURS", ", ".join(["1"] * 24))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "capacity", "station"),
    [
        # A tenth of the real figures, so that it is quick: 150 payments per 0.8 s.
        (("rails.bakong.block_limit=150",), 187.5, "bakong.ledger"),
        (
            ("rails.bakong.block_limit=1500", "rails.bakong.gateway.rate_limit=250 /s"),
            250.0,
            "bakong.gateway",
        ),
    ],
)
def test_capacity_is_found_within_2_percent_and_its_cause_named(
    changes: tuple[str, ...], capacity: float, station: str
) -> None:
    loaded = load_scenario(SATURATION, (*changes, "demand.domestic.rate=100 /s"))
    found = run_stress(load_test(loaded))
    assert found.verdict == "PASS"
    assert found.capacity is not None
    assert found.capacity.value == pytest.approx(capacity, rel=0.02)
    assert found.capacity.high is not None
    assert capacity * 0.97 < found.capacity.low < found.capacity.value < found.capacity.high
    assert found.capacity.high < capacity * 1.03
    assert len(found.capacity.brackets) == 3
    assert found.bottleneck is not None
    assert found.bottleneck.station == station
    assert found.bottleneck.queue_growth is not None
    content = as_json_object(found)
    assert {"verdict", "capacity", "bottleneck", "points"} <= content.keys()
    assert station in " ".join(sentences(found))
    # The curve: several runs at every load but those the search only passed by, on both sides.
    complete = [point for point in found.points if len(point.runs) == 3]
    assert len(complete) >= 5
    assert {point.verdict for point in complete} == {"PASS", "FAIL"}
    assert found.sustained is not None
    assert found.sustained.load <= found.capacity.high
    # Capacity per participant adds up to twice the whole: every payment has two.
    total = sum(one.completed_rate for one in found.participants())
    assert total == pytest.approx(2 * found.sustained.load, rel=0.05)


@pytest.mark.slow
def test_luck_that_differs_widens_the_interval_and_covers_the_rate(tmp_path: Path) -> None:
    # 40 payments a second for 600 s are 24 000, give or take 0.65 %: brackets of 0.5 % differ.
    found = run_stress(load_test(load_text(tmp_path, GATE), replications=5))
    capacity = found.capacity
    assert capacity is not None
    assert capacity.high is not None
    assert len({one.low for one in capacity.brackets}) > 1
    assert capacity.low <= 40 <= capacity.high
    widths = [one.high - one.low for one in capacity.brackets if one.high and one.low]
    assert capacity.high - capacity.low > 1.5 * max(widths)


@pytest.mark.slow
def test_a_scenario_whose_own_load_fails_has_a_capacity_below_it(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, GATE, "demand.customers.rate=90 /s")
    found = run_stress(load_test(loaded, replications=2))
    assert found.capacity is not None
    assert found.capacity.value == pytest.approx(40, rel=0.03)
    assert "The scenario's own load, 90 payments/s, is above that." in sentences(found)


@pytest.mark.slow
def test_a_search_from_a_queue_that_ran_away_finds_the_capacity(tmp_path: Path) -> None:
    # Two a second pass. At 20 a second 21 600 wait after the warm-up: nobody who comes later is
    # done within the window, and no quantile is known.
    changes = (
        "rails.shop.stations.gate.rate_limit=2 /s",
        "clock={horizon: 30 min, warm_up: 20 min}",
        "demand.customers.rate=20 /s",
    )
    test = load_test(load_text(tmp_path, GATE, *changes), "p99<=60s", replications=2)
    found = run_stress(test)
    assert found.capacity is not None
    assert found.capacity.value == pytest.approx(2, rel=0.05)
    own = found.points[-1]
    assert own.load == 20
    assert (own.verdict, own.is_valid) == ("FAIL", True)
    assert own.runs[0].summary["completed"].value == 0
    assert own.reasons[0].startswith("backlog grew")
    # What too few were completed for is not shown, though nothing is wrong with the run.
    assert own.mean("end_to_end_p99") is None
    assert own.completed == pytest.approx(2, rel=0.01)


@pytest.mark.slow
def test_a_queue_that_ran_away_is_no_measurement_of_too_few(tmp_path: Path) -> None:
    # Some 750 come to where 300 can pass: p99 needs 1000, p90 but 100.
    changes = ("rails.shop.stations.gate.rate_limit=0.5 /s", "demand.customers.rate=1.25 /s")
    loaded = load_text(tmp_path, GATE, *changes)
    few = run_stress(load_test(loaded, "p99<=60s", replications=1), 1.25)
    assert not few.is_valid
    assert "p99 needs 1000 to be believed" in few.reasons[0]
    many = run_stress(load_test(loaded, "p90<=60s", replications=1), 1.25)
    assert many.is_valid
    assert many.verdict == "FAIL"
    # More than can be measured always pile up; a search says how to look lower.
    found = run_stress(load_test(loaded, "p99<=60s", replications=1))
    assert found.capacity is None
    assert sentences(found)[1] == "Lower loads take a longer --window to be measured."


@pytest.mark.slow
def test_a_search_without_a_limit_stops_and_says_so(tmp_path: Path) -> None:
    test = load_test(load_text(tmp_path, ENDLESS), replications=2, payments_max=66_000)
    found = run_stress(test)
    assert found.capacity is not None
    assert found.capacity.high is None
    assert max(point.load for point in found.points) == 100
    assert sentences(found)[0].startswith("No limit found up to 100 payments/s")
    assert as_json_object(found)["capacity"] == {
        "value": 100,
        "low": 100,
        "high": None,
        "unit": "payments/s",
    }


@pytest.mark.slow
def test_an_objective_no_load_meets_fails_with_its_reason(tmp_path: Path) -> None:
    found = run_stress(load_test(load_text(tmp_path, ENDLESS), "p50<=0.5s", replications=2))
    assert found.verdict == "FAIL"
    assert found.capacity is None
    assert "No load that can be measured meets" in sentences(found)[0]
    assert found.reasons == ("end_to_end_p50 <= 0.5 missed: 1",)


@pytest.mark.slow
def test_a_single_load_above_capacity_fails_with_its_reasons() -> None:
    loaded = load_scenario(SATURATION, ("rails.bakong.block_limit=150",))
    found = run_stress(load_test(loaded, "p99<=5s,success>=99%", replications=1), 220)
    assert found.verdict == "FAIL"
    assert found.is_valid
    text = " ".join(found.reasons)
    assert "end_to_end_p99 <= 5 missed" in text
    assert "backlog grew" in text
    assert "completed load lags" in text


@pytest.mark.slow
def test_what_full_queues_refuse_is_not_carried(tmp_path: Path) -> None:
    # Three tills and four places to wait: the p99 is bounded however many come.
    loaded = load_scenario(write_tiny(tmp_path))
    found = run_stress(load_test(loaded, "p50<=60s", replications=1), 4.0)
    assert found.verdict == "FAIL"
    assert "completed load lags behind offered load" in found.reasons[0]
    assert found.bottleneck is not None
    assert found.bottleneck.is_full
    # Who says how many may fail has said it.
    generous = run_stress(load_test(loaded, "p50<=60s,success>=50%", replications=1), 4.0)
    assert generous.verdict == "PASS"


@pytest.mark.slow
def test_a_run_that_is_no_measurement_is_marked_and_never_averaged(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, GATE)
    found = run_stress(load_test(loaded, replications=2, window_s=120), 10.0)
    assert found.verdict == "FAIL"
    assert not found.is_valid
    assert "measured for 120 s; needed: 600 s" in found.reasons
    [row] = points_table(found).records()
    assert (row["verdict"], row["valid"], row["passed"]) == ("no measurement", "no", "0 of 2")
    assert row["completed"] is None
    assert row["p99_s"] is None
    assert row["why"] == "measured for 120 s; needed: 600 s"
    content = as_json_object(found)
    assert (content["verdict"], content["is_valid"]) == ("FAIL", False)
    [point] = content["points"]  # type: ignore[misc, union-attr]
    assert point["is_valid"] is False  # type: ignore[index, call-overload]
    assert found.participants() == ()


@pytest.mark.slow
def test_a_search_without_any_measurement_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"can be measured: measured for 120 s.*Lengthen --window"):
        run_stress(load_test(load_text(tmp_path, GATE), replications=1, window_s=120))


@pytest.mark.slow
def test_where_nothing_is_completed_the_search_says_why(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, PREFUNDED, "accounts.river_khr_for_alipay.balance=0")
    with pytest.raises(UserError, match="Most payments that fail do so with AM04"):
        run_stress(load_test(loaded, "p50<=60s", replications=1))
    found = run_stress(load_test(loaded, "p50<=60s", replications=1), 2.0)
    assert (found.verdict, found.is_valid) == ("FAIL", False)


def test_a_load_is_the_mean_without_the_luck_of_bursts(tmp_path: Path) -> None:
    changes = ("demand.customers.profile=day", "demand.customers.steps={0 s: 0.5}")
    loaded = load_text(tmp_path, GATE + BURSTS, *changes)
    # 10 a second on an even profile, halved throughout.
    demand = ScaledDemand(loaded, ("customers",), 600)
    assert demand.base == pytest.approx(5)
    # What is expected of a run has the bursts of its minutes in it: ten of 40 % each.
    expected = expected_submitted(compile_replication(demand.text(4.0), 1, 0))
    assert expected is not None
    assert expected != pytest.approx(20 * 600, rel=0.001)
    assert expected == pytest.approx(20 * 600, rel=4 * 0.4 / 10**0.5)


@pytest.mark.slow
def test_a_load_with_bursts_is_a_measurement(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, GATE + BURSTS, "demand.customers.profile=day")
    found = run_stress(load_test(loaded, "p90<=5s", replications=3), 10.0)
    assert found.verdict == "PASS"
    offered = [run.offered for run in found.points[0].runs]
    assert max(abs(rate - 10) for rate in offered) > 4 * (10 / 600) ** 0.5


@pytest.mark.slow
def test_only_the_streams_named_are_scaled(tmp_path: Path) -> None:
    text = GATE + "  others: {corridor: inside, rate: 5 /s}\n"
    loaded = load_text(tmp_path, text)
    assert load_test(loaded).base == pytest.approx(15)
    test = load_test(loaded, "p90<=5s", replications=1, streams=("customers",))
    assert test.base == pytest.approx(10)
    found = run_stress(test, 30.0)
    [run] = found.points[0].runs
    assert run.offered == pytest.approx(30, rel=0.03)
    # The others come all the same, as many as ever.
    whole = float(run.summary["offered_rate_mean"])
    assert whole - run.offered == pytest.approx(5, rel=0.08)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (("demand.customers.count=50",), "stops after 50 payments"),
        (
            (
                "demand.late={corridor: inside, payments: [{at: 9 min, amount: 5}]}",
                "clock.warm_up=0 s",
            ),
            "",
        ),
    ],
)
def test_demand_that_cannot_be_held_is_refused(
    tmp_path: Path, changes: tuple[str, ...], message: str
) -> None:
    loaded = load_text(tmp_path, GATE, *changes)
    if message:
        with pytest.raises(UserError, match=message):
            choose_streams(loaded, ())
    else:
        # 9 minutes are within the 660 s a load is run; 8 minutes of window are not enough.
        assert ScaledDemand(loaded, ("customers",), 600).base == pytest.approx(10)
        with pytest.raises(UserError, match=r"demand.late has a payment at 540 s.*--window 481"):
            ScaledDemand(loaded, ("customers",), 400)


def test_no_demand_in_the_window_is_refused(tmp_path: Path) -> None:
    loaded = load_text(tmp_path, GATE, "demand.customers.steps={0 s: 0}")
    with pytest.raises(UserError, match="no payment of customers is expected from 60 s to 660 s"):
        ScaledDemand(loaded, ("customers",), 600)


def test_an_unknown_stream_is_refused_with_what_is_near(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Did you mean 'customers'"):
        choose_streams(load_scenario(write_tiny(tmp_path)), ["customer"])
    assert "customers" in YAML


def test_what_is_carried_as_load_does_not_rise() -> None:
    changes = ("demand.domestic={payments: null, rate: 5 /s, amount: 4 000 KHR, as: load}",
               "demand.inbound={payments: null, rate: 1 /s, amount: 4 000 KHR}",
               "demand.outbound=null")  # fmt: skip
    loaded = load_scenario(SCENARIOS / "minimal.yaml", changes)
    assert choose_streams(loaded, ()) == ("inbound",)
    with pytest.raises(UserError, match="domestic is carried as load"):
        choose_streams(loaded, ["domestic"])


def test_loads_are_kept_with_six_digits() -> None:
    assert rounded(1874.99999) == 1875.0
    assert rounded(0.123456789) == 0.123457


def test_the_chart_has_a_bar_for_every_figure() -> None:
    table = chart([(50.0, 50.0, 1.0), (100.0, 100.0, 4.0), (200.0, None, None)], "p99, s")
    document = Document((table,), TabularData((), ()), {})
    lines = [line.plain for line in terminal_lines(document, 100)]
    # A half and a quarter of two bars that share what room there is, to the nearest letter.
    counts = [line.count("█") for line in lines]
    assert [counts[0], counts[1], counts[4]] == [0, 0, 0]
    assert counts[3] >= 56
    assert abs(counts[2] - counts[3] * 3 / 8) <= 1.5
    assert lines[2].split()[:2] == ["50", "50"]
    assert lines[4].split() == ["200", "-", "-"]
    assert 90 <= max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("p99<=5s,success>=99.5%", ["end_to_end_p99 <= 5", "success_rate >= 0.995"]),
        ("p99<=500ms", ["end_to_end_p99 <= 0.5"]),
        ("station/bakong.ledger/utilisation<=80%", ["station/bakong.ledger/utilisation <= 0.8"]),
    ],
)
def test_objectives_are_read_as_people_write_them(text: str, shown: list[str]) -> None:
    assert [str(objective) for objective in parse_slo(text)] == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "p99",
        "p99<=",
        "p99<=5 parsecs",
        "p99=5s",
        # 9,950 % of payments, and a share in no unit.
        "success>=99.5",
        "success>=0.995",
        "success>=120%",
        # The wrong way round: nobody aims at slow payments or few successes.
        "p99>=5s",
        "success<=99%",
        "payer_cost_bps>200bps",
        # True whatever comes.
        "success>=0%",
        "within_1h>=0%",
        "open_share<=100%",
        # A time in per cent.
        "p99<=5%",
        "success>=5s",
        "station/x.gate/wait_p99>=1s",
    ],
)
def test_objectives_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"^slo: found"):
        parse_slo(text)


def test_objectives_about_nothing_are_refused(tmp_path: Path) -> None:
    test = load_test(load_scenario(write_tiny(tmp_path)), "p98<=5s", replications=1)
    with pytest.raises(UserError, match="Did you mean"):
        test.at(test.base)
