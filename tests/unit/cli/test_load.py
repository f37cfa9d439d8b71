"""What is carried as load is said by ``explain``, on the page of a run and in its series."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sim.compiler.compile import compile_scenario
from sim.contract.loads import LoadColumn
from sim.errors import ScenarioError
from sim.explain.plan import explain_plan
from sim.scenario.scenario import load_scenario
from sim.tables.schemas import EVENTS_FILE, SERIES_FILE
from tests.theory.driver import MINIMAL
from tests.unit.cli.queue import payroute

LOAD = (
    "clock.horizon=20 s",
    "demand.domestic={payments: null, rate: 50 /s, amount: 4 000 KHR, as: load}",
)
RIVER = "institutions.river_bank.payer_share=1"


def _changed(*changes: str) -> str:
    return explain_plan(compile_scenario(load_scenario(MINIMAL, changes)))


def test_explain_says_which_part_is_carried_where_and_what_it_does_not_do() -> None:
    """Half of the payers pay somebody at their own bank; one code of 500 cannot be read."""
    told = " ".join(_changed(*LOAD, RIVER).split())
    assert "carried as load: 49.9% of them join bakong.ledger, 3.35 s after they are sub" in told
    assert "up to 25 of them a second; they use no capacity of the debtor agent's core" in told
    assert "load of domestic queues with payments, first in first out" in told
    # Some 25 a second for 20 s but the first 3.35.
    assert 350 < int(told.partition("joins bakong.ledger: ")[2].split()[0]) < 480
    assert "counted by cells of 400 ms" in told
    assert "carried as load" not in _changed(*LOAD[:1])


def test_load_counts_codes_that_last_and_those_that_do_not() -> None:
    """Codes are shown 20 minutes after they were made and live 10, but for those that last."""
    made = (
        "rails.khqr.payloads=null", "rails.khqr.dynamic_life=10 min", "rails.khqr.code_age=20 min",
        "institutions.temple_bank.merchant_share=1", "institutions.river_bank.merchant_share=1",
        "rails.khqr.damaged_share=0 %",
    )  # fmt: skip
    shares = []
    for static in ("100 %", "30 %"):
        told = " ".join(_changed(*LOAD, RIVER, *made, f"rails.khqr.static_share={static}").split())
        shares.append(float(told.partition("carried as load: ")[2].partition("%")[0]))
    assert shares[1] == pytest.approx(0.3 * shares[0], abs=0.06)


@pytest.mark.parametrize(
    ("changes", "path", "why"),
    [
        (("demand.inbound={payments: null, rate: 1 /s, amount: 4 000 KHR, as: load}",),
         "demand.inbound.as", "from CN to KH"),
        (("demand.domestic.as=load",), "demand.domestic.payments", "a written list"),
        ((*LOAD, "demand.domestic.after_failure={}"), "demand.domestic.after_failure", "do after"),
        ((*LOAD, "demand.domestic.instruments={KHR: 100 %}"), "demand.domestic.instruments",
         "what payers carry"),
        ((*LOAD, "demand.domestic.refunds={share: 1 %}"), "demand.domestic.refunds", "refunds"),
        ((*LOAD, "demand.domestic.rate=300 /s"), "demand.domestic.as",
         "found up to 150 payments a second, while bakong.gateway lets 100 pass"),
    ],
)  # fmt: skip
def test_what_load_cannot_do_is_refused(changes: tuple[str, ...], path: str, why: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        compile_scenario(load_scenario(MINIMAL, changes), with_tables=False)
    assert path in str(refused.value)
    assert why in str(refused.value)


def test_load_without_a_ledger_of_blocks_is_refused() -> None:
    changes = (
        "rails.shop={kind: generic, stages: [{name: pass, delay: 1 s}]}",
        "corridors.kh_kh={rails: [shop], codes: null}",
        *LOAD,
    )
    with pytest.raises(ScenarioError, match="without such a ledger"):
        compile_scenario(load_scenario(MINIMAL, changes), with_tables=False)


def test_a_scenario_that_is_only_checked_counts_no_load() -> None:
    compiled = compile_scenario(load_scenario(MINIMAL, LOAD), with_tables=False)
    assert compiled.plan.load[:, LoadColumn.COUNT].tolist() == [0]
    assert [load.name for load in compiled.loads] == ["domestic"]


def test_page_series_and_summary_tell_of_load_and_no_measure_of_payments_counts_it(
    tmp_path: Path,
) -> None:
    """25 a second join blocks of 10 every 0.8 s, which is twice what they hold: it piles up."""
    run = tmp_path / "run"
    options = [word for change in (*LOAD, RIVER) for word in ("--set", change)]
    shown = payroute("run", str(MINIMAL), "--out", str(run), "--record", "events", *options)
    assert shown.exit_code == 0, shown.output
    told = " ".join(shown.stdout.split())
    assert "bakong.ledger also carried" in told
    assert "numbers that took places in its blocks, not payments" in told
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    ledger = summary["by"]["station"]["bakong.ledger"]
    carried, most, left = (
        ledger[name]["value"] for name in ("load_carried", "load_waiting_max", "load_waiting_end")
    )
    # 16.65 s of some 25 a second join; about 20 blocks of 10 took places.
    assert 100 < carried < 250
    assert most >= left > 100
    assert ledger["block_fill_mean"]["value"] > 0.8
    assert summary["measures"]["submitted"]["value"] == 2
    assert summary["by"]["scope"].get("domestic", {"submitted": {"value": 0}})["submitted"][
        "value"
    ] in (0, None)
    series = pq.read_table(run / SERIES_FILE).to_pylist()
    shown_load = [row for row in series if row["measure"].startswith("load_")]
    assert {row["measure"] for row in shown_load} == {"load_waiting", "load_taken"}
    assert {row["name"] for row in shown_load} == {"bakong.ledger"}
    assert max(row["value"] for row in shown_load) > 50
    page = run.parent / "page.html"
    assert payroute("report", str(run), "--out", str(page)).exit_code == 0
    assert "bakong.ledger also carried" in page.read_text(encoding="utf-8")
    audited = payroute("audit", str(run))
    assert audited.exit_code == 0, audited.output
    events = pq.read_table(run / EVENTS_FILE).to_pylist()
    rows = [row for row in events if row["kind"] == "load"]
    # What entered blocks; the last one may not have committed.
    assert sum(row["amount"] for row in rows) in range(int(carried), int(carried) + 11)


def test_the_story_of_a_payment_says_how_much_load_stands_before_it(tmp_path: Path) -> None:
    """What had joined by then less what blocks had taken: within the counts of its cell."""
    run = tmp_path / "run"
    options = [word for change in (*LOAD, RIVER) for word in ("--set", change)]
    payroute("run", str(MINIMAL), "--out", str(run), "--record", "events", *options)
    told = payroute("explain", str(run), "--payment", "0").stdout
    (line,) = (line for line in told.splitlines() if " enqueue " in line)
    events = pq.read_table(run / EVENTS_FILE).to_pylist()
    (row,) = (row for row in events if row["kind"] == "enqueue" and row["payment"] == 0)
    compiled = compile_scenario(load_scenario(MINIMAL, (*LOAD, RIVER)))
    first = compiled.plan.load_count[row["time_us"] // 400_000]
    last = compiled.plan.load_count[row["time_us"] // 400_000 + 1]
    taken = sum(
        one["amount"] for one in events if one["kind"] == "load" and one["time_us"] < row["time_us"]
    )
    found = int(line.partition(", behind ")[2].split()[0])
    assert first - taken <= found <= last - taken
    assert found > 0
