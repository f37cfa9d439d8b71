"""What the user put in is said by ``explain`` and by the summary, however long the agenda is."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.compiler.compile import compile_scenario
from sim.explain.agenda import agenda_lines, put_in
from sim.scenario.scenario import LoadedScenario, load_scenario
from tests.unit.cli.queue import QUEUE, payroute

SCENARIOS = Path(__file__).parents[3] / "scenarios"
OUTAGE = "disruptions={down: {outage: acleda, role: settlement_agent, from: '18:05', for: 10 min}}"
BANKS = "disruptions={banks: {outage: other_members, after: 10 s, for: 20 s}}"
DEPOSIT = "accounts.acleda_khr_for_unionpay.deposits={noon: {after: 90 s, amount: 1000}}"


def _china(*changes: str) -> LoadedScenario:
    return load_scenario(SCENARIOS / "china-two-way.yaml", changes)


def test_an_outage_is_said_however_long_the_agenda_is() -> None:
    loaded = _china(OUTAGE, DEPOSIT)
    compiled = compile_scenario(loaded, with_tables=False)
    told = list(agenda_lines(compiled))
    # 18:05 is 5 min = 300 s after the start at 18:00, and 10 min later it is 18:15.
    assert told[0] == (
        "Disruption down: the settlement_agent of acleda is out of service from 18:05:00 to "
        "18:15:00 (t = 5 min, for 10 min); closes acleda.screening"
    )
    assert any(line.endswith("t = 5 min: acleda.screening closes") for line in told)
    assert any(line.endswith("t = 15 min: acleda.screening opens") for line in told)
    assert any("t = 90 s: acleda_khr_for_unionpay gets 1 000.00 KHR" in line for line in told)
    # Every row of the plan is counted once: those the compiler makes by itself stand together.
    assert len(compiled.plan.agenda) > 100 > len(told)
    last = len(compiled.plan.agenda) - 1
    # The last line tells the places at which reversals wait for the next day, all at one instant.
    assert f" to {last}. t = 1 h: by hand.aba.day, " in told[-1]


def test_many_stations_of_one_outage_are_counted() -> None:
    told = list(agenda_lines(compile_scenario(_china(BANKS), with_tables=False)))
    # 53 members: five are named.
    assert told[0].endswith("other_members_05.core and 48 more")
    assert sum(line.endswith("and 48 more close") for line in told) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (OUTAGE, "from 18:05:00 to 18:15:00 (t = 5 min, for 10 min)"),
        (OUTAGE.replace("18:05", "18:55"), "(t = 55 min, for 10 min); the run ends first"),
        (OUTAGE.replace("18:05", "17:00"), "(t = 23 h, for 10 min); the run ends before"),
        (DEPOSIT, "Deposits on acleda_khr_for_unionpay: 1 000.00 KHR at t = 90 s"),
        (
            "demand.cn_counter.steps={10 min: 3, 20 min: 1}",
            "Demand cn_counter: times 3 from t = 10 min, times 1 from t = 20 min",
        ),
    ],
)
def test_the_summary_says_what_was_put_in(change: str, words: str) -> None:
    (line,) = put_in(_china(change).scenario)
    assert words in line


@pytest.mark.slow
def test_run_prints_it(tmp_path: Path) -> None:
    path = tmp_path / "queue.yaml"
    path.write_text(QUEUE, encoding="utf-8")
    change = "disruptions={closed: {outage: shop, after: 10 s, for: 5 s}}"
    words = ("run", path, "--engine", "reference", "--out", tmp_path / "run")
    assert "Disruption" not in payroute(*words).stdout
    told = payroute(*words, "--force", "--set", change).stdout
    assert "Disruption closed: shop is out of service from" in told
    assert "(t = 10 s, for 5 s)" in told
