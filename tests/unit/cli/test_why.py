"""Why this route: what is told of a choice, by hand, and the same as the log everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sim.audit.run import read_log
from sim.contract.meaning import LogKind
from sim.contract.records import LogColumn
from sim.study.run import run_scenario
from sim.study.why import explain_choices
from sim.tables.open_run import open_run
from tests.unit.cli.queue import payroute

WHY = """
scenario: why
clock: {start: 2025-09-17T00:00:00+07:00, horizon: 60 s}
seed: 1
rails:
  dear:
    kind: generic
    operator: bank
    stations: {desk: {}}
    stages: [{name: work, serve: desk, time: 2 s}]
    fees: {service: {component: service, proportional: 1.14 %}}
  slow:
    kind: generic
    operator: bank
    stations: {desk: {servers: 1, queue_limit: 0}}
    stages: [{name: work, serve: desk, time: 3 s}]
    fees: {service: {component: service, proportional: 0.75 %}}
institutions: {bank: {country: KH, roles: [issuer, acquirer]}}
corridors:
  inside:
    from: {country: KH, currency: KHR}
    to: {country: KH, currency: KHR}
    rails: [dear, slow]
demand:
  customers:
    corridor: inside
    payments:
      - {at: 1 s, amount: 1 000 000}
      - {at: 2 s, amount: 1 000 000}
      - {at: 3 s, amount: 1 000 000}
      - {at: 5 s, amount: 1 000 000}
routing:
  policy: cheapest
  failover: 1
  view_interval: 2.5 s
  breaker: {failures: 1, of: 1, open_for: 2.5 s}
"""
"""``slow`` has one server and no queue: who finds it busy fails there and is paid over ``dear``."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("why")
    (made / "why.yaml").write_text(WHY, encoding="utf-8")
    run_scenario(made / "why.yaml", record="events", out=made / "run")
    return made / "run"


FIRST = "  inside/slow   750000   75.0 bps    3 s  breaker open  completed in 2 s, 114.0 bps"
SECOND = "inside/dear  1140000  114.0 bps    2 s                completed in 2 s, 114.0 bps"


def told(folder: Path, payment: int) -> list[str]:
    done = payroute("explain", folder, "--payment", payment)
    assert done.exit_code == 0, done.output
    lines = done.stdout.rstrip().splitlines()
    return lines[lines.index("Why this route:") + 1 :]


def test_a_breaker_keeps_a_payment_off_a_route(folder: Path) -> None:
    # Payment 0 takes slow from 1 to 4 s. Payment 1 comes at 2 s, finds it full, and slow's breaker
    # opens for 2.5 s: at 3 s payment 2 keeps off it, though 750 000 is less than 1 140 000
    # hundredths of a riel (75 and 114 bps of 1 000 000 riel). Over slow it would have failed as
    # well and gone on over dear: 2 s, 114 bps. Queues were seen at 0 and 2.5 s.
    assert told(folder, 2) == [
        "Choice 1, t = 3 s: policy cheapest, lowest FX margin and payer's fees at the rates of "
        "now.",
        "         route          score      costs  takes  barred        would have",
        f"       {FIRST}",
        f"  taken  {SECOND}",
        "  The router saw queues as they were t = 2.5 s, 500 ms before; how attempts ended it had "
        "heard up to",
        "        this instant.",
        "  inside/slow: breaker opened t = 2 s.",
        "  An oracle of cost would have taken inside/dear, one of time inside/dear: they know what "
        "is above",
        "        under 'would have', with nobody submitted later.",
    ]


def test_an_oracle_of_time_would_have_taken_another(folder: Path) -> None:
    # Payment 3 comes at 5 s: 3 s after the breaker opened, which was for 2.5 s, and slow is free
    # since 4 s. It takes slow as the probe, 3 s and 75 bps; over dear 2 s and 114 bps.
    (choice,) = explain_choices(folder, 3)
    assert (choice.taken, choice.score, choice.seen_us) == ("inside/slow", 750_000, 2_500_000)
    assert choice.best(by_time=False) == ("inside/slow",)
    assert choice.best(by_time=True) == ("inside/dear",)
    assert [one.bars for one in choice.thoughts] == [0, 0]


def test_a_fail_over_is_a_choice_of_its_own(folder: Path) -> None:
    first, second = explain_choices(folder, 1)
    # Both at 2 s: over slow it fails there and goes on over dear, so both come to the same.
    assert first.taken == "inside/slow"
    assert first.best(by_time=True) == ("inside/slow", "inside/dear")
    assert second.taken == "inside/dear"
    assert [one.standing for one in second.thoughts] == [2, 1]
    # One is left: nothing is scored, nothing is tried.
    assert [one.foreseen for one in second.thoughts] == [None, None]
    assert "One candidate was left, so it was taken without a score." in "\n".join(told(folder, 1))


def test_it_is_in_the_json(folder: Path) -> None:
    done = payroute("explain", folder, "--payment", 3, "--json")
    (choice,) = json.loads(done.stdout)["choices"]
    assert choice["oracle_cost"] == ["inside/slow"]
    assert choice["oracle_time"] == ["inside/dear"]
    assert choice["thoughts"][1]["foreseen"] == {
        "outcome": "completed", "cost": 1_140_000, "end_us": 7_000_000,
    }  # fmt: skip


def test_without_events_the_story_is_told_without_it(tmp_path: Path) -> None:
    (tmp_path / "why.yaml").write_text(WHY, encoding="utf-8")
    run_scenario(tmp_path / "why.yaml", record="stages", out=tmp_path / "run")
    done = payroute("explain", tmp_path / "run", "--payment", 3)
    assert done.exit_code == 0
    assert "Choice 1" not in done.stdout
    assert "What the router knew then is told of a run with --record events." in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "routing",
    [
        "{policy: cheapest, failover: 2}",
        "{policy: adaptive, explore: 20 %, failure_takes: 1 min, news: sampled}",
        "{policy: weighted, second_is_worth: 3 bps, cost_at_most: 1 %}",
        "{policy: sums_up}",
        "{policy: oracle_cost}",
        "{policy: oracle_time}",
    ],
)
def test_what_is_told_is_what_the_log_says(tmp_path: Path, routing: str) -> None:
    run_scenario(
        "china-two-way",
        overrides=("clock.horizon=3 min", f"routing={routing}"),
        record="events",
        out=tmp_path / "run",
    )
    rows = np.concatenate(list(read_log(open_run(tmp_path / "run"))))
    rows = rows[rows[:, LogColumn.KIND] == LogKind.ROUTE]
    several = 0
    # Where there is a choice there nearly always is a score.
    chosen = rows[rows[:, LogColumn.AMOUNT] > 0, LogColumn.PAYMENT]
    for payment in np.unique(chosen)[:8].tolist():
        mine = rows[rows[:, LogColumn.PAYMENT] == payment]
        choices = explain_choices(tmp_path / "run", payment)
        assert len(choices) == len(mine)
        for choice, row in zip(choices, mine.tolist(), strict=True):
            (taken,) = [one for one in choice.thoughts if one.route == choice.taken]
            free = [one for one in choice.thoughts if one.standing == 1]
            several += len(free) > 1
            assert (choice.time_us, choice.score) == (row[0], row[LogColumn.AMOUNT])
            if len(free) > 1 and "oracle" not in routing:
                assert taken.score == choice.score
            # Who is an oracle took what is said one would have taken.
            if len(free) > 1 and "oracle" in routing:
                assert choice.taken in choice.best(by_time="time" in routing)
    assert several > 3
