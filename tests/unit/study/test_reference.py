"""The tables the repository publishes are those the program makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.study.compare.arms import work_of_experiment
from sim.study.compare.comparison import compare_arms
from sim.study.compare.output import pairs_table
from sim.study.experiment_file import load_experiment
from sim.study.pool import LocalPool
from sim.study.runner import run_batch
from sim.study.sweep.sought import search
from sim.study.sweep.study import make_items, measures_of, point_content
from sim.tables.tabular import read_csv

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "results" / "reference"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("block-settings", 2),
        ("block-settings", 13),
        *(("five-ways-to-pay", number) for number in (1, 10, 15)),
    ],
)
def test_points_of_published_sweeps_are_made_again(name: str, number: int) -> None:
    published = read_csv(REFERENCE / f"{name}.csv").records()
    loaded = load_experiment(ROOT / "scenarios" / "experiments" / f"{name}.yaml")
    item = make_items(loaded)[number]
    measures = point_content(item, run_batch(item.cases), measures_of(loaded))["measures"]
    assert isinstance(measures, dict)
    assert published[number]["point"] == number
    for key, found in measures.items():
        for end, value in zip(("", "_low", "_high"), found, strict=True):
            _assert_same(value, published[number][f"{key}{end}"], f"{key}{end}")


@pytest.mark.slow
@pytest.mark.large
@pytest.mark.parametrize("number", range(4))
def test_searches_of_a_published_sweep_are_made_again(number: int) -> None:
    published = read_csv(REFERENCE / "least-prefunding.csv").records()[number]
    experiment = ROOT / "scenarios" / "experiments" / "least-prefunding.yaml"
    loaded = load_experiment(experiment)
    sought = make_items(loaded)[number].sought
    assert sought is not None
    told, _ = search(sought, LocalPool(1), ())
    for part, key in (("", "value"), ("_low", "low"), ("_high", "high"), ("_in_all", "in_all")):
        _assert_same(told[key], published[f"{sought.plan.field.path}{part}"], key)


def test_least_prefunding_is_what_was_worked_out_by_hand() -> None:
    # With a credit at ten o'clock, by when 0.227 of a day's payments have come, an agent waits for
    # one or two days of them where money moves every day, and for two more over a weekend. What
    # is found is a little less: one payment in a thousand may be refused at the peak.
    rows = read_csv(REFERENCE / "least-prefunding.csv").records()
    field, day = "accounts.aba_khr_for_alipay_plus.balance", 1_470_000_000
    found = [float(str(row[field])) / day for row in rows]
    assert found == pytest.approx([1.227, 2.227, 3.227, 4.227], abs=0.03)


def _assert_same(value: object, kept: object, what: str) -> None:
    """Assert that a cell is the published one, up to the last digits of a floating-point sum."""
    if isinstance(value, float) and kept is not None:
        assert value == pytest.approx(float(str(kept)), rel=1e-9, abs=1e-12), what
    else:
        assert value == kept, what


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "routing-policies",
        "ecny-bridge",
        *(
            pytest.param(name, marks=pytest.mark.large)
            for name in ("one-code", "prefunding", "acleda-outage")
        ),
    ],
)
def test_published_comparisons_are_made_again(name: str) -> None:
    experiment = ROOT / "scenarios" / "experiments" / f"{name}.yaml"
    work = work_of_experiment(load_experiment(experiment))
    made = pairs_table(compare_arms(work.arms, work.plan, LocalPool(1)))
    published = read_csv(REFERENCE / f"{name}.csv")
    assert made.columns == published.columns
    assert len(made.rows) == len(published.rows)
    for row, kept in zip(made.records(), published.records(), strict=True):
        for column, value in row.items():
            _assert_same(value, kept[column], f"{row['b']} {row['measure']} {column}")


def test_published_tables_say_what_the_readme_lists() -> None:
    listed = (ROOT / "results" / "README.md").read_text(encoding="utf-8")
    tables = sorted(path.name for path in REFERENCE.glob("*.csv"))
    assert tables
    for name in tables:
        assert f"`{name}`" in listed
        assert read_csv(REFERENCE / name).rows


def test_policies_published_show_cost_against_time() -> None:
    rows = read_csv(REFERENCE / "routing-policies.csv").records()
    found = {(row["b"], row["measure"]): row for row in rows}
    cost, saved = found["fastest", "payer_cost_bps"], found["fastest", "machine_time_mean"]
    assert float(str(cost["low"])) > 0
    assert float(str(saved["high"])) < 0
