"""A sweep looks for the least, or the most, of a field at every point: by hand, and as `stress`."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from sim.errors import ScenarioError
from sim.report.documents.sweep import sweep_document
from sim.report.figures.of_studies import sweep_figures
from sim.study.experiment_file import LoadedExperiment, load_experiment
from sim.study.find_value import find_value
from sim.study.pool import LocalPool
from sim.study.sweep.opening import open_sweep
from sim.study.sweep.study import make_items, run_sweep
from tests.support.tiny import write_tiny
from tests.unit.study.stress.test_vary import _scenario as write_week

BALANCE = "accounts.river_khr_for_alipay.balance"
LAG = "rails.alipay_plus.inbound.settlement.lag"
SERVERS = "rails.shop.stations.till.servers"
RATE = "demand.customers.rate"


def _week(folder: Path, *, slo: str = "success>=100%") -> LoadedExperiment:
    write_week(folder, lag=1)
    path = folder / "experiment.yaml"
    path.write_text(
        f"""
experiment: prefunding
scenario: peak.yaml
replications: 1
measures: [success_rate]
sweep:
  find: {{field: {BALANCE}, slo: "{slo}", step: "100", tolerance: 0.0001}}
  factors: {{{LAG}: {{values: [1 business days, 2 business days]}}}}
""",
        encoding="utf-8",
    )
    return load_experiment(path)


def _tills(folder: Path, find: str, rest: str = "") -> LoadedExperiment:
    write_tiny(folder)
    path = folder / "experiment.yaml"
    path.write_text(
        f"""
experiment: tills
scenario: tiny.yaml
replications: 3
measures: [success_rate, utilisation]
sweep:
  find: {find}
  factors: {{{RATE}: {{values: [1 /s, 2 /s]}}}}
{rest}""".replace("utilisation", "station/shop.till/utilisation"),
        encoding="utf-8",
    )
    return load_experiment(path)


def test_least_prefunding_by_lag_as_worked_by_hand(tmp_path: Path) -> None:
    # A unit is a day's payments, here 10,000 riel. With T + 1 what comes from Friday to Sunday
    # waits until ten o'clock of Monday, by when 0.227 of Monday has come: 3.227 units; with T + 2
    # that of Monday waits, too: 4.227. Two payments of 100 more or less are under way at ten.
    found = run_sweep(_week(tmp_path), str(tmp_path / "out"), LocalPool())
    rows = found.table.records()
    assert [row[f"{BALANCE}_in_all"] for row in rows] == [
        pytest.approx(32_270, abs=200),
        pytest.approx(42_270, abs=200),
    ]
    for row in rows:
        assert row[f"{BALANCE}_low"] == row[f"{BALANCE}_in_all"] - 100
        assert (row["success_rate"], row["status"]) == (1.0, "done")
    again = run_sweep(_week(tmp_path), str(tmp_path / "out"), LocalPool())
    assert (again.run, again.kept, again.table) == (0, 2, found.table)
    # Other objectives are another question, though the scenarios are the same.
    other = make_items(_week(tmp_path, slo="success>=90%"))
    assert {item.key for item in other}.isdisjoint(item.key for item in make_items(_week(tmp_path)))


def test_every_point_says_what_stress_says_of_its_scenario(tmp_path: Path) -> None:
    find = f"{{field: {SERVERS}, slo: 'success>=95%'}}"
    found = run_sweep(_tills(tmp_path, find), str(tmp_path / "out"), LocalPool())
    for row, rate in zip(found.table.records(), ("1 /s", "2 /s"), strict=True):
        alone = find_value(
            tmp_path / "tiny.yaml",
            SERVERS,
            "success>=95%",
            overrides={RATE: rate},
            replications=3,
        )
        told = [row[f"{SERVERS}{part}"] for part in ("", "_low", "_high", "_in_all")]
        assert told == [alone.value, alone.low, alone.high, alone.holds_in_all]
        # Its measures are those of the value that holds in all, and they hold it.
        assert float(str(row["success_rate"])) >= 0.95
        assert row["station/shop.till/utilisation"] is not None
    few, many = (row[f"{SERVERS}_in_all"] for row in found.table.records())
    assert float(str(few)) < float(str(many))


def test_the_most_is_found_by_point(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    path = tmp_path / "experiment.yaml"
    path.write_text(
        f"""
experiment: tills
scenario: tiny.yaml
replications: 2
measures: [success_rate]
sweep:
  find: {{field: {RATE}, end: largest, slo: "success>=95%", step: "0.05", tolerance: 0.05}}
  factors: {{{SERVERS}: {{values: [3, 6]}}}}
""",
        encoding="utf-8",
    )
    found = run_sweep(load_experiment(path), str(tmp_path / "out"), LocalPool())
    three, six = (float(str(row[f"{RATE}_in_all"])) for row in found.table.records())
    # M/M/3/7 turns 5 % away at 2.23 /s, M/M/6/10 at 4.78 /s; a minute of it is far from either.
    assert 1.7 < three < 3.0
    assert 4.0 < six < 6.2
    assert [row[f"{RATE}_unit"] for row in found.table.records()] == ["/s", "/s"]


def test_a_point_where_nothing_holds_says_why(tmp_path: Path) -> None:
    # No number of tills makes a service of a mean of one second end within a microsecond.
    find = f"{{field: {SERVERS}, slo: 'end_to_end_p50<=0.000001s'}}"
    found = run_sweep(_tills(tmp_path, find), str(tmp_path / "out"), LocalPool())
    assert (found.failed, found.exit_code) == (0, 0)
    for row in found.table.records():
        assert [row[f"{SERVERS}{part}"] for part in ("", "_in_all")] == [None, None]
        assert str(row[f"{SERVERS}_why"]).startswith(f"no {SERVERS} was found that holds it")
        assert row["success_rate"] is None


@pytest.mark.parametrize(
    ("find", "told"),
    [
        (f"{{field: {RATE}}}", r"sweep\.find\.field: .*is a factor"),
        (f"{{field: {SERVERS}, slo: 'success'}}", r"sweep\.find\.slo: found 'success'"),
        ("{field: rails.shop.stations}", r"sweep\.find\.field: .*more than one value"),
        ("{field: rails.shop.kind}", r"sweep\.find\.field: .*needed: a field that holds one"),
        (f"{{field: {SERVERS}, step: none}}", r"sweep\.find\.step: found 'none'"),
        (f"{{field: {SERVERS}, end: least}}", r"sweep\.find\.end: "),
        (f"{{field: {SERVERS}, tolerance: 0}}", r"sweep\.find\.tolerance: "),
    ],
)
def test_what_cannot_be_looked_for_is_refused_at_its_line(
    tmp_path: Path, find: str, told: str
) -> None:
    with pytest.raises(ScenarioError, match=rf"experiment\.yaml:7 {told}"):
        make_items(_tills(tmp_path, find))


def test_what_takes_the_value_of_a_factor_is_not_looked_for(tmp_path: Path) -> None:
    loaded = _tills(tmp_path, f"{{field: {SERVERS}}}")
    path = loaded.path
    text = path.read_text(encoding="utf-8")
    text = text.replace("values: [1 /s, 2 /s]", f"values: [2, 3], also: [{SERVERS}]")
    path.write_text(text.replace(RATE, "clock.warm_up"), encoding="utf-8")
    with pytest.raises(ScenarioError, match=rf"'{SERVERS}', which is a factor"):
        make_items(load_experiment(path))


def test_a_quantile_of_too_few_payments_fails_its_point(tmp_path: Path) -> None:
    find = f"{{field: {SERVERS}, slo: 'p99<=5s'}}"
    found = run_sweep(_tills(tmp_path, find), str(tmp_path / "out"), LocalPool())
    assert (found.failed, found.exit_code) == (2, 2)
    assert "p99 needs 1000 to be believed" in found.errors[0]


def test_what_was_found_is_drawn_shown_and_read_back(tmp_path: Path) -> None:
    find = f"{{field: {SERVERS}, slo: 'success>=95%'}}"
    folder = tmp_path / "out"
    found = run_sweep(_tills(tmp_path, find), str(folder), LocalPool())
    first = next(iter(sweep_figures(found, found.factors)))
    assert first.title == f"{SERVERS} against {RATE}"
    assert [row[2] for row in first.data.rows] == [row[SERVERS] for row in found.table.records()]
    document = sweep_document(found, str(folder), {})
    assert f"in {SERVERS}_in_all every replication was run and held" in str(document.blocks)
    assert json.dumps(document.record, default=str)
    opened = open_sweep(folder)
    assert (opened.table, opened.factors) == (found.table, found.factors)


def test_values_are_multiples_of_the_step(tmp_path: Path) -> None:
    find = f"{{field: {SERVERS}, slo: 'success>=95%', step: '4'}}"
    found = run_sweep(_tills(tmp_path, find), str(tmp_path / "out"), LocalPool())
    for row in found.table.records():
        assert Decimal(str(row[f"{SERVERS}_in_all"])) % 4 == 0
