"""Comparisons find what is there, nothing else, and profit from common luck."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from sim.analysis.comparison import compare_paired
from sim.analysis.error_bars import with_error
from sim.analysis.intervals import Interval
from sim.analysis.selection import SelectionRule
from sim.errors import ScenarioError, UserError
from sim.report.blocks import Heading
from sim.report.documents.compare import compare_document, footnotes, sentences
from sim.report.rendering import choose_format, render, write_table
from sim.scenario.loader import dump_resolved
from sim.scenario.scenario import load_scenario
from sim.study.compare.arms import parse_best, work_of_experiment, work_of_scenarios
from sim.study.compare.best import choose_best
from sim.study.compare.comparison import ArmWork, ComparisonPlan, compare_arms
from sim.study.compare.output import arms_table, as_json_object, pairs_table
from sim.study.experiment_file import load_experiment
from sim.study.pool import LocalPool
from sim.study.replicate.precision import parse_precision
from sim.study.verdicts import difference_words
from sim.tables.tabular import TabularData, read_csv
from tests.support.tiny import SEED, YAML, write_tiny

ROOT = Path(__file__).parents[4]
MEASURES = ("success_rate", "end_to_end_mean", "station/shop.till/queue_mean")


def _arms(folder: Path, servers: tuple[int, ...]) -> list[ArmWork]:
    path = write_tiny(folder)
    field = "rails.shop.stations.till.servers"
    return [
        ArmWork(f"till_{n}", dump_resolved(load_scenario(path, (f"{field}={n}",)).document))
        for n in servers
    ]


def test_one_till_more_is_shown_to_help_and_common_luck_to_pay(tmp_path: Path) -> None:
    plan = ComparisonPlan(SEED, replications=15, measures=MEASURES)
    found = compare_arms(_arms(tmp_path, (3, 4)), plan, LocalPool(1))
    pairs = {pair.measure: pair for pair in found.pairs}
    success = pairs["success_rate"]
    assert success.difference is not None
    assert success.is_shown
    assert success.difference.interval.low > 0
    waiting = pairs["station/shop.till/queue_mean"].difference
    assert waiting is not None
    assert waiting.interval.high < 0
    assert found.variance_ratio()["end_to_end_mean"] < 1
    assert sentences(found)[0].startswith("Against till_3, till_4 succeeds ")


def test_an_arm_against_itself_shows_nothing(tmp_path: Path) -> None:
    (arm,) = _arms(tmp_path, (3,))
    plan = ComparisonPlan(SEED, replications=3, measures=MEASURES)
    found = compare_arms([arm, replace(arm, name="again")], plan, LocalPool(1))
    assert not any(pair.is_shown for pair in found.pairs)
    assert all(pair.p_holm == 1 for pair in found.pairs)


def test_json_has_the_agreed_shape(tmp_path: Path) -> None:
    plan = ComparisonPlan(SEED, replications=3, measures=("success_rate",), baseline="till_3")
    found = compare_arms(_arms(tmp_path, (3, 4, 5)), plan, LocalPool(1))
    content = json.loads(render(compare_document(found, {}), "json"))
    assert [arm["name"] for arm in content["arms"]] == ["till_3", "till_4", "till_5"]
    assert [(pair["a"], pair["b"]) for pair in content["pairs"]] == [
        ("till_3", "till_4"),
        ("till_3", "till_5"),
    ]
    wanted = {"a", "b", "measure", "difference", "low", "high", "p_holm", "verdict"}
    assert wanted <= content["pairs"][0].keys()
    assert "success_rate" in content["variance_ratio"]


@pytest.mark.slow
def test_precision_of_differences_asks_for_more_replications(tmp_path: Path) -> None:
    plan = ComparisonPlan(
        SEED,
        replications=5,
        measures=("success_rate",),
        precision=parse_precision("success±1%"),
    )
    found = compare_arms(_arms(tmp_path, (3, 4)), plan, LocalPool(1))
    assert found.replications > 5
    assert "reached with" in found.reasons[0]


@pytest.mark.slow
def test_best_arm_is_chosen_with_its_probability(tmp_path: Path) -> None:
    arms = _arms(tmp_path, (2, 3, 5))
    plan = ComparisonPlan(SEED, replications=10, measures=("success_rate",))
    found = compare_arms(arms, plan, LocalPool(1))
    rule = SelectionRule(0.01, is_lower_better=False, replications_max=200)
    chosen = choose_best(found, arms, rule, measure="success_rate", pool=LocalPool(1))
    assert (chosen.best, chosen.is_proven) == ("till_5", True)
    assert "Best: till_5, with probability 0.95" in sentences(replace(found, selection=chosen))[-1]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("payer_cost_bps=lowest±0.5", ("payer_cost_bps", "lowest", Decimal("0.5"))),
        ("success=highest +- 0.002", ("success", "highest", Decimal("0.002"))),
        (
            "station/shop.till/queue_mean=lowest+/-1",
            ("station/shop.till/queue_mean", "lowest", Decimal(1)),
        ),
        ("payer_cost_bps±0.5", ("payer_cost_bps", "lowest", Decimal("0.5"))),
        ("success±0.002", ("success", "highest", Decimal("0.002"))),
    ],
)
def test_the_best_is_asked_for_as_people_write_it(
    text: str, read: tuple[str, str, Decimal]
) -> None:
    found = parse_best(text)
    assert (found.measure, found.best, found.indifference) == read


@pytest.mark.parametrize(
    "text", ["", "p99", "p99=lowest", "p99=least±1", "p99=lowest±0", "requotes±1"]
)
def test_a_best_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(UserError, match=r"^best: found"):
        parse_best(text)


def test_a_reason_that_one_arm_never_has_is_compared_as_none(tmp_path: Path) -> None:
    key = "reason/MS03/rejected"
    plan = ComparisonPlan(SEED, replications=6, measures=(key,))
    found = compare_arms(_arms(tmp_path, (3, 60)), plan, LocalPool(1))
    (pair,) = found.pairs
    assert pair.replications == 6
    assert pair.difference is not None
    rejected = found.arms["till_3"].values("rejected")
    assert -pair.difference.interval.value == pytest.approx(sum(rejected) / 6)
    assert float(found.summaries["till_60"].by["reason"]["MS03"]["rejected"]) == 0


def test_a_pair_that_never_differs_does_not_flatter_the_others(tmp_path: Path) -> None:
    (arm,) = _arms(tmp_path, (3,))
    other = _arms(tmp_path, (4,))[0]
    arms = [arm, replace(arm, name="again"), other]
    plan = ComparisonPlan(SEED, replications=8, measures=("end_to_end_mean",), baseline="till_3")
    found = compare_arms(arms, plan, LocalPool(1))
    same, differs = found.pairs
    assert same.standard_error_ratio is None
    assert differs.standard_error_ratio is not None
    assert found.standard_error_ratio()["end_to_end_mean"] == differs.standard_error_ratio


def test_arms_with_other_customers_are_told(tmp_path: Path) -> None:
    path, other = write_tiny(tmp_path), tmp_path / "guests.yaml"
    other.write_text(YAML.replace("customers:", "guests:"), encoding="utf-8")
    work = work_of_scenarios([path, other])
    plan = replace(work.plan, replications=2, measures=("success_rate",))
    found = compare_arms(work.arms, plan, LocalPool(1))
    assert "different streams of demand" in footnotes(found)[0]
    assert not found.has_common_customers


def test_arms_with_other_demand_are_not_called_the_same_customers(tmp_path: Path) -> None:
    path, other, idle = write_tiny(tmp_path), tmp_path / "busy.yaml", tmp_path / "idle.yaml"
    other.write_text(YAML.replace("2.4 /s", "3 /s"), encoding="utf-8")
    # A bank without a share and a stream's priority change no payment.
    text = YAML.replace("rate: 2.4 /s", "rate: 2.4 /s, priority: 1")
    idle.write_text(
        text + "institutions: {none: {country: KH, roles: [issuer]}}\n", encoding="utf-8"
    )
    for arm, differs in ((other, ("demand.customers.rate",)), (idle, ())):
        work = work_of_scenarios([path, arm])
        plan = replace(work.plan, replications=2, measures=("success_rate", "submitted"))
        found = compare_arms(work.arms, plan, LocalPool(1))
        assert found.has_common_customers
        assert found.demand_differs_in == differs
        document = compare_document(found, {})
        titles = [block.words for block in document.blocks if isinstance(block, Heading)]
        whose = "demand that differs" if differs else "the same customers"
        assert titles[0].endswith(f"2 replications of {whose}")
        told = [line for line in footnotes(found) if "by the mix of payments alone" in line]
        assert len(told) == bool(differs)
        assert all("The arms differ in demand.customers.rate, so" in line for line in told)
        assert as_json_object(found)["demand_differs_in"] == list(differs)


def test_a_seed_of_an_arm_is_refused(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    path = tmp_path / "e.yaml"
    text = "experiment: e\nscenario: tiny.yaml\narms: {a: {}, b: {set: {seed: '7'}}}\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"arms\.b\.set: found a seed; every arm has the same luck"):
        work_of_experiment(load_experiment(path))


def test_precision_of_what_is_not_compared_is_refused(tmp_path: Path) -> None:
    targets = parse_precision("p99±0.1 s")
    plan = ComparisonPlan(SEED, replications=2, measures=("success_rate",), precision=targets)
    with pytest.raises(UserError, match="found end_to_end_p99, which is not compared"):
        compare_arms(_arms(tmp_path, (3, 4)), plan, LocalPool(1))


def test_known_arrivals_sharpen_what_depends_on_them(tmp_path: Path) -> None:
    plan = ComparisonPlan(SEED, replications=12, measures=("submitted", "completed"))
    found = compare_arms(_arms(tmp_path, (3, 4)), plan, LocalPool(1))
    # Payments submitted less payments expected is the control itself: nothing is left to chance.
    better = found.controlled["till_3"]["submitted"]
    assert better.interval.value == pytest.approx(2.4 * 60)
    assert better.variance_ratio < 1e-9


@pytest.mark.parametrize(
    ("measures", "message"),
    [
        (("succes_rate",), "Did you mean 'success_rate'"),
        (("staton/shop.till/queue_mean",), "Did you mean 'station'"),
        (("station/shop.til/queue_mean",), "known: shop.till. Did you mean 'shop.till'"),
    ],
)
def test_unknown_measures_are_refused_with_what_is_near(
    tmp_path: Path, measures: tuple[str, ...], message: str
) -> None:
    plan = ComparisonPlan(SEED, replications=2, measures=measures)
    with pytest.raises(UserError, match=message):
        compare_arms(_arms(tmp_path, (3, 4)), plan, LocalPool(1))


@pytest.mark.parametrize(
    ("key", "unit", "ends", "words"),
    [
        ("payer_cost_bps", "bps", (3.8, 4.4), "costs the payer 4.1 ± 0.3 bps more"),
        ("end_to_end_mean", "s", (-2.32, -2.08), "saves 2.20 ± 0.12 s (end_to_end_mean)"),
        ("machine_time_mean", "s", (1.0, 3.0), "takes 2.0 ± 1.0 s longer (machine_time_mean)"),
        (
            "success_rate",
            "share",
            (-0.03, -0.01),
            "succeeds 2.0 ± 1.0 percentage points less often",
        ),
        ("completed", "payments", (250, 350), "has 300 ± 50 payments more completed"),
    ],
)
def test_differences_are_said_in_words(
    key: str, unit: str, ends: tuple[float, float], words: str
) -> None:
    value = (ends[0] + ends[1]) / 2
    assert difference_words(key, unit, Interval(value, *ends, 0.1, 10)) == words


def test_an_unbounded_interval_claims_no_error() -> None:
    infinite = float("inf")
    assert with_error(Interval(2.5, -infinite, infinite, infinite, 1), "s") == ("2.5", "s")


@pytest.mark.parametrize("form", ["csv", "parquet", "json", "markdown", "latex"])
def test_tables_are_written_in_every_format(tmp_path: Path, form: str) -> None:
    table = TabularData(("name", "value"), (("a_b", 0.1), ("c & d", None)))
    path = tmp_path / "table"
    write_table(table, form, path)
    if form == "csv":
        assert read_csv(path) == table
    elif form == "parquet":
        import pyarrow.parquet as pq

        assert pq.read_table(path).to_pylist() == table.records()
    elif form == "json":
        assert json.loads(path.read_text()) == table.records()
    elif form == "markdown":
        assert "| a_b    |     0.1 |" in path.read_text()
    else:
        lines = path.read_text().splitlines()
        assert r"c \& d &  \\" in lines
        assert lines[lines.index(r"\toprule") + 1] == r"name & value \\"


def test_formats_are_known_by_suffix_and_refused_when_unknown() -> None:
    assert choose_format(None, Path("x.tex")) == "latex"
    assert choose_format(None, None) is None
    for form, out in (("excel", None), (None, Path("x.docx")), ("parquet", None)):
        with pytest.raises(UserError, match=r"allowed|give one"):
            choose_format(form, out)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("arms: {a: {}}", "arms: found 1; needed: two arms, or a sweep"),
        ("arms: {a: {}, b: {}}\nbaseline: c", "baseline: unknown arm 'c'; known: a, b."),
        ("sweep: {factors: {x: {low: 1, high: 2}}}", "allowed in the design grid: values"),
        ("sweep: {design: sobol, factors: {x: {low: 1, high: 2}}}", "needed for the design sobol"),
        ("sweep: {factors: {x: {}}}", "allowed: values, or low and high"),
        ("arms: {a: {}, b: {}}\nreplicatons: 3", "replicatons"),
    ],
)
def test_mistakes_in_an_experiment_file_are_told_at_their_line(
    tmp_path: Path, lines: str, message: str
) -> None:
    write_tiny(tmp_path)
    path = tmp_path / "e.yaml"
    path.write_text(f"experiment: e\nscenario: tiny.yaml\n{lines}\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_experiment(path)
    assert message in str(caught.value)
    assert f"{path}:" in str(caught.value)


def test_a_scenario_is_no_experiment(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="found a scenario; allowed: an experiment file"):
        load_experiment(write_tiny(tmp_path))


@pytest.mark.parametrize(
    "path", sorted((ROOT / "scenarios" / "experiments").glob("*.yaml")), ids=str
)
def test_experiments_that_come_with_the_package_load(path: Path) -> None:
    loaded = load_experiment(path)
    assert loaded.scenario(loaded.experiment.scenario, {}).scenario.scenario
    for name in loaded.experiment.arms:
        loaded.arm(name)


OWN_RAIL = (
    "routing.policy=priority",
    "routing.order=[kh_cn/wechat_pay.acleda, kh_cn/alipay_plus.aba, cn_kh/unionpay.acleda, "
    "cn_kh/alipay_plus.aba]",
)
"""Chinese codes are paid over the rail they belong to, even where another would be cheaper."""
ANY_RAIL = tuple(
    f"demand.{stream}.{field}=null"
    for stream in ("cn_counter", "kh_counter_in_china")
    for field in ("instruments", "second_instrument", "after_failure")
)
"""Payers carry no instruments, so that policies have all rails to choose from and part often."""


@pytest.mark.slow
def test_common_luck_cuts_the_error_of_policies_to_a_third(
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = ROOT / "scenarios" / "china-two-way.yaml"
    window = ("clock.horizon=10 min", "clock.warm_up=1 min", *ANY_RAIL)
    policies = {"cheapest": ("routing.policy=cheapest",), "own_rail": OWN_RAIL}
    arms = [
        ArmWork(name, dump_resolved(load_scenario(path, (*window, *changes)).document))
        for name, changes in policies.items()
    ]
    plan = ComparisonPlan(20250917, replications=8, measures=("payer_cost_bps", "end_to_end_mean"))
    found = compare_arms(arms, plan, LocalPool(1))
    for measure, ratio in found.standard_error_ratio().items():
        with capsys.disabled():
            print(f"{measure}: paired over unpaired standard error {ratio:.3f}")  # noqa: T201
        assert 0 < ratio <= 1 / 3
    printed = dict.fromkeys(pair.measure for pair in found.pairs if pair.standard_error_ratio)
    assert list(printed) == ["payer_cost_bps", "end_to_end_mean"]
    # Control: the arms on different customers, as if each had a seed of its own.
    other = compare_arms(arms, replace(plan, seed=20250918), LocalPool(1))
    mixed = compare_paired(
        found.arms["cheapest"].values("end_to_end_mean"),
        other.arms["own_rail"].values("end_to_end_mean"),
    )
    assert mixed.variance_ratio**0.5 > 1 / 3
    assert len(arms_table(found).rows) == len(pairs_table(found).rows) * 2
