"""Regret against oracles: two controls with known figures, what is shown, what goes wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sim
from sim.errors import UserError
from sim.study.compare.comparison import Comparison
from sim.tables.tabular import read_csv
from tests.unit.cli.queue import payroute

TWO = """
scenario: two
clock: {start: 2025-09-17T00:00:00+07:00, horizon: 2 min}
seed: 3
rails:
  dear:
    kind: generic
    operator: bank
    stations: {desk: {}}
    stages: [{name: work, serve: desk, time: 3 s}]
    fees: {service: {component: service, proportional: 1.14 %}}
  slow:
    kind: generic
    operator: bank
    stations: {desk: {}}
    stages: [{name: work, serve: desk, time: 3 s}]
    fees: {service: {component: service, proportional: 0.75 %}}
institutions: {bank: {country: KH, roles: [issuer, acquirer]}}
corridors:
  inside:
    from: {country: KH, currency: KHR}
    to: {country: KH, currency: KHR}
    rails: [dear, slow]
demand:
  customers: {corridor: inside, rate: 1 /s, amount: 1 000 000 KHR}
"""
TOSSED = """
experiment: tossed
scenario: two.yaml
replications: 12
arms:
  cheapest: {}
  tossed: {set: {routing.policy: adaptive, routing.explore: 100 %, routing.failure_takes: 1 min}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "two.yaml").write_text(TWO, encoding="utf-8")
    (tmp_path / "tossed.yaml").write_text(TOSSED, encoding="utf-8")
    return tmp_path


@pytest.fixture
def found(folder: Path) -> Comparison:
    return sim.compare(folder / "tossed.yaml", oracle=True)


def test_cheapest_regrets_nothing_and_a_toss_half_of_the_difference(found: Comparison) -> None:
    by = {(one.arm, one.oracle, one.measure): one for one in found.regret}
    assert {one.oracle for one in found.regret} == {"oracle_cost", "oracle_time"}
    assert {one.measure for one in found.regret} == {
        "success_rate", "payer_cost_bps", "end_to_end_mean",
    }  # fmt: skip
    # No failures, equal latency, constant prices: the oracle of cost does what cheapest does.
    for measure in ("success_rate", "payer_cost_bps", "end_to_end_mean"):
        none = by["cheapest", "oracle_cost", measure].interval
        assert none is not None
        assert (none.low, none.value, none.high) == (0, 0, 0)
    # A toss between 114 and 75 bps: (114 - 75) / 2 = 19.5 bps. Twelve times some 120 payments,
    # each with a standard deviation of 19.5 bps: a standard error of 19.5 / sqrt(1 440) = 0.51,
    # so the half-width is about t * 0.51 = 2.2 * 0.51 = 1.1.
    toss = by["tossed", "oracle_cost", "payer_cost_bps"].interval
    assert toss is not None
    assert toss.low < 19.5 < toss.high
    assert 0.5 < toss.half_width < 2
    assert toss.count == 12
    # Nobody is slower or lost; a control for the sign: the oracle of cost is better, not worse.
    equal = by["tossed", "oracle_cost", "end_to_end_mean"].interval
    assert equal is not None
    assert (equal.low, equal.high) == (0, 0)


def test_regret_of_success_is_turned_round(folder: Path) -> None:
    # slow is down throughout; cheapest sends everybody there, where they wait beyond the promise.
    down = TWO.replace("scenario: two", "scenario: down")
    down += "disruptions: {out: {outage: slow, after: 0 s, for: 2 min}}\n"
    (folder / "down.yaml").write_text(down, encoding="utf-8")
    found = sim.compare(folder / "down.yaml", oracle=True, replications=3)
    by = {(one.arm, one.oracle, one.measure): one for one in found.regret}
    lost = by["down", "oracle_cost", "success_rate"].interval
    assert lost is not None
    # 100 % of payments, in every replication.
    assert (lost.low, lost.value, lost.high) == (1, 1, 1)


def test_it_is_shown_and_written(folder: Path) -> None:
    done = payroute("compare", str(folder / "two.yaml"), "--oracle", "--replications", "3")
    assert done.exit_code == 0, done.output
    assert "Regret" in done.stdout
    assert "oracle_time" in done.stdout
    assert "not added up" in " ".join(done.stdout.split())
    done = payroute(
        "compare", str(folder / "two.yaml"), "--oracle", "--replications", "3", "--json"
    )
    told = json.loads(done.stdout)["regret"]
    assert len(told) == 6
    assert told[0] == {
        "arm": "two", "oracle": "oracle_cost", "foresees": "cost", "measure": "success_rate",
        "unit": "share", "regret": 0, "low": 0, "high": 0, "replications": 3,
    }  # fmt: skip


def test_it_goes_into_a_file_of_its_own(folder: Path, tmp_path: Path) -> None:
    words = ("compare", str(folder / "two.yaml"), "--replications", "3")
    table = tmp_path / "regret.csv"
    done = payroute(*words, "--oracle", "--regret", str(table))
    assert done.exit_code == 0, done.output
    rows = read_csv(table).records()
    assert len(rows) == 6
    assert rows[0] == {
        "arm": "two", "oracle": "oracle_cost", "foresees": "cost", "measure": "success_rate",
        "unit": "share", "regret": 0.0, "low": 0.0, "high": 0.0,
    }  # fmt: skip
    other = folder / "other.yaml"
    other.write_text((folder / "two.yaml").read_text("utf-8"), "utf-8")
    done = payroute("compare", str(folder / "two.yaml"), str(other), "--regret", str(table))
    assert done.exit_code == 2
    assert "--regret: found no arm with an oracle" in done.stderr


def test_one_scenario_without_an_oracle_is_no_comparison(folder: Path) -> None:
    with pytest.raises(UserError):
        sim.compare(folder / "two.yaml")


def test_without_an_oracle_nothing_is_regretted(folder: Path) -> None:
    assert sim.compare(folder / "tossed.yaml", replications=2).regret == ()
