"""What an account lacked: by hand, in both engines, and as the first screen of a run says it."""

from __future__ import annotations

from pathlib import Path

from sim.analysis.measures import RunFigures, summarise
from sim.contract.layout import NULL
from sim.contract.records import AccountTotal
from sim.report.documents.shortages import shortages
from sim.scenario.scenario import load_scenario
from sim.tables.folding import SummaryFolder
from tests.support.scenarios import RanScenario, run_text

SCENARIO = """
scenario: short
extends: minimal.yaml
clock: {start: 2025-09-17T12:00:00+07:00, horizon: 5 min}
accounts: {river_cny_at_unionpay: {balance: BALANCE, when_short: WHEN, DEPOSITS}}
demand:
  inbound: null
  domestic: null
  outbound: {payments: [{at: 3 s, amount: 50}, {at: 63 s, amount: 30}, {at: 123 s, amount: 20}]}
"""


def _ran(
    folder: Path, balance: str, when: str = "reject", deposits: str = "", more: str = ""
) -> RanScenario:
    words = {"BALANCE": balance, "WHEN": when, "DEPOSITS": deposits}
    text = SCENARIO
    for word, value in words.items():
        text = text.replace(word, value)
    return run_text(folder, text + more)


def _short(ran: RanScenario) -> tuple[int, int, list[int]]:
    """Return delayed, lost and missing of the account, and when it was short, in seconds."""
    at = ran.compiled.plan.names.accounts.index("river_cny_at_unionpay")
    row = ran.totals.account[at]
    times = row[[AccountTotal.SHORT_FIRST_US, AccountTotal.SHORT_LAST_US]].tolist()
    seconds = [time_us // 1_000_000 for time_us in times if time_us != NULL]
    return int(row[AccountTotal.DELAYED] + row[AccountTotal.LOST]), int(row[9]), seconds


def test_what_was_refused_and_what_was_paid_since_is_lacking(tmp_path: Path) -> None:
    # Of 40.00 yuan, 50.00 are refused (10.00 lack) some seconds after 0:03; 30.00 are paid, which
    # with the 50.00 would have left 40.00 lacking; 20.00 of the 10.00 left are refused: 50.00 +
    # 20.00 asked, 10.00 there, 60.00 lack. With 60.00 more nobody is refused, with a fen less one
    # is.
    harmed, missing, seconds = _short(_ran(tmp_path, "40"))
    assert (harmed, missing) == (2, 60_00)
    assert 3 < seconds[0] < 13
    assert 123 < seconds[1] < 133
    assert _short(_ran(tmp_path, "100"))[:2] == (0, 0)
    assert _short(_ran(tmp_path, "99.99"))[:2] == (1, 1)


def test_who_waits_is_lacking_until_it_is_served(tmp_path: Path) -> None:
    # 50.00 wait for 10.00 more; 30.00 wait behind them: 80.00 asked of 40.00. At 1:40 45.00 come,
    # the 50.00 are served, 35.00 are left and so are the 30.00; 20.00 of the 5.00 wait: 15.00 lack
    # then, and never more than the 40.00 before.
    ran = _ran(tmp_path, "40", "queue", "deposits: {more: {after: 100 s, amount: 45}}")
    harmed, missing, _ = _short(ran)
    assert (harmed, missing) == (3, 40_00)
    assert _short(_ran(tmp_path, "100", "queue"))[:2] == (0, 0)


def test_who_gives_up_waiting_was_refused(tmp_path: Path) -> None:
    # The order lives 30 s: 50.00 wait for 10.00 from 0:05 on and give up; 30.00 are paid at 1:05,
    # with the 50.00 they would have lacked 40.00; 20.00 of the 10.00 left wait: 60.00 in all, as
    # where they are refused at once.
    text = "rails: {unionpay: {order_life: 30 s}}\n"
    ran = _ran(tmp_path, "40", "queue", more=text)
    assert _short(ran)[:2] == (2, 60_00)


def test_the_first_screen_says_when_and_how_much(tmp_path: Path) -> None:
    ran = _ran(tmp_path, "40")
    folder = SummaryFolder(ran.compiled.plan)
    folder.take(ran.record)
    summary = summarise(RunFigures(ran.compiled.plan, folder, ran.totals))
    path = tmp_path / "scenario.yaml"
    [told] = [str(block) for block in shortages(summary, load_scenario(path))]
    assert "river_cny_at_unionpay ran dry, between Wednesday 2025-09-17 12:00" in told
    assert "2 payments refused" in told
    assert "60.00 CNY more on it" in told
